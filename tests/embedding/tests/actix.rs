//! A chain in actix-web: as a handler, and as middleware around applications, scopes and routes; `Send` or not.

use std::cell::Cell;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::test::{TestRequest, init_service, read_body, try_call_service};
use actix_web::{App, Error, HttpResponse, HttpServer, error, rt, web};
use chain_runtime::actix_web::{Forward, Next, extract, handler, middleware};
use chain_runtime::around::{CatchPanic, Concurrency, Deadline};
use chain_runtime::{chain, node};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[path = "../../support/seen.rs"]
mod seen;
#[path = "../../support/within.rs"]
mod within;

use seen::Seen;
use within::within;

/// Runs this as actix runs an application: on one thread, with what is not `Send`.
fn run<T>(test: impl Future<Output = T>) -> T {
    rt::System::new().block_on(within("the test", test))
}

/// Asks an application of [`init_service`].
macro_rules! ask {
    ($app:expr, $request:expr) => {
        told(try_call_service($app, $request.to_request()).await).await
    };
}

async fn told<B: MessageBody>(reply: Result<ServiceResponse<B>, Error>) -> (u16, String) {
    match reply {
        Ok(response) => {
            let status = response.status().as_u16();
            (status, String::from_utf8_lossy(&read_body(response).await).into_owned())
        }
        // As the server renders it.
        Err(error) => (error.as_response_error().status_code().as_u16(), error.to_string()),
    }
}

// Handlers.

#[node]
fn add(numbers: &web::Path<(u32, u32)>, sum: &Cell<u32>) -> Result<HttpResponse, Error> {
    let (one, other) = **numbers;
    sum.set(one.checked_add(other).ok_or_else(|| error::ErrorBadRequest("too large a sum"))?);
    Ok(HttpResponse::Created().body(sum.get().to_string()))
}

chain! {
    /// Not `Sync`, and its future not `Send`.
    struct Adding { sum: Cell<u32> }
    async fn(numbers: web::Path<(u32, u32)>, body: web::Bytes) -> Result<HttpResponse, Error> { read => add }
}

#[node]
async fn read(body: &web::Bytes) -> Result<(), Error> {
    rt::task::yield_now().await;
    if body.is_empty() { Ok(()) } else { Err(error::ErrorUnprocessableEntity("what is this for?")) }
}

#[test]
fn a_handlers_inputs_are_extractors_and_its_reply_is_any_responder() {
    run(async {
        let adding = Rc::new(Adding { sum: Cell::new(0) });
        let app = App::new().route("/{one}/{other}", web::put().to(handler(Rc::clone(&adding))));
        let app = init_service(app).await;
        assert_eq!(ask!(&app, TestRequest::put().uri("/3/4")), (201, "7".to_owned()));
        assert_eq!(adding.sum.get(), 7);
        let refused = ask!(&app, TestRequest::put().uri("/3/four"));
        assert_eq!(refused.0, 404, "the extractor's own: {}", refused.1);
        assert_eq!(ask!(&app, TestRequest::put().uri("/3/4294967295")), (400, "too large a sum".to_owned()));
        let refused = ask!(&app, TestRequest::put().uri("/1/1").set_payload("?"));
        assert_eq!(refused, (422, "what is this for?".to_owned()));
        assert_eq!(adding.sum.get(), 7, "what was refused does not get there");
    });
}

// Middleware.

struct User(String);

#[node]
fn auth(request: &ServiceRequest) -> Result<User, Error> {
    let name = request.headers().get("x-user").and_then(|name| name.to_str().ok());
    name.map(|name| User(name.to_owned())).ok_or_else(|| error::ErrorUnauthorized("who is there?"))
}

/// Writes to what a test keeps beside the server, and remembers on which threads.
struct Watch(Arc<Seen>, Mutex<HashSet<ThreadId>>);

#[node]
impl Watch {
    fn enter(&self) {
        self.1.lock().expect("nobody panics in it").insert(thread::current().id());
        self.0.enter();
    }
    /// The response names who asked.
    fn exit(&self, user: &User, reply: &mut Result<ServiceResponse<BoxBody>, Error>) {
        self.0.exit();
        if let Ok(response) = reply {
            let name = HeaderValue::from_str(&user.0).expect("it was one");
            response.headers_mut().insert(HeaderName::from_static("x-user"), name);
        }
    }
    fn cancelled(&self) {
        self.0.cancelled();
    }
}

chain! {
    struct Guard<S: Service<ServiceRequest, Response = ServiceResponse<BoxBody>, Error = Error>> {
        deadline: Deadline,
        room: Concurrency,
        is_safe: CatchPanic,
        watch: Watch,
        forward: Forward<S>,
    }
    async fn(request: ServiceRequest, inner: Next<S>) -> Result<ServiceResponse<BoxBody>, Error> {
        auth => watch => room { deadline { is_safe { forward } } }
    }
}

fn guard<S>(seen: &Arc<Seen>, room: usize, limit: Duration) -> Arc<Guard<S>>
where
    S: Service<ServiceRequest, Response = ServiceResponse<BoxBody>, Error = Error>,
{
    Arc::new(Guard {
        deadline: Deadline::within(limit),
        room: Concurrency::shed(room),
        is_safe: CatchPanic,
        watch: Watch(Arc::clone(seen), Mutex::default()),
        forward: Forward::new(),
    })
}

/// Longer than any test takes.
const HOUR: Duration = Duration::from_secs(3600);

async fn work(what: web::Path<String>) -> String {
    match what.as_str() {
        "hang" => std::future::pending().await,
        "panic" => panic!("as it was asked"),
        what => format!("did {what}"),
    }
}

#[test]
fn middleware_stands_before_a_route_and_sees_its_response() {
    run(async {
        let seen = Arc::default();
        let app =
            init_service(App::new().route("/{what}", web::get().to(work)).wrap(middleware(guard(&seen, 9, HOUR))))
                .await;
        let request = TestRequest::get().uri("/work").insert_header(("x-user", "ada")).to_request();
        let response = try_call_service(&app, request).await.expect("it works");
        assert_eq!(response.headers().get("x-user").expect("it is told"), "ada");
        assert_eq!(read_body(response).await, "did work");
        assert_eq!(ask!(&app, TestRequest::get().uri("/work")), (401, "who is there?".to_owned()));
        let missing = ask!(&app, TestRequest::get().uri("/a/b").insert_header(("x-user", "ada")));
        assert_eq!(missing.0, 404, "an application is wrapped, with what it does not have");
        assert_eq!(seen.counts(), [2, 2, 0], "who is refused by `auth` does not get to `watch`");
    });
}

#[test]
fn what_the_nodes_around_give_up_with_is_a_response() {
    run(async {
        let seen = Arc::default();
        let app = init_service(App::new().route("/{what}", web::get().to(work)).wrap(middleware(guard(
            &seen,
            1,
            Duration::from_millis(100),
        ))))
        .await;
        let ada = |uri| TestRequest::get().uri(uri).insert_header(("x-user", "ada"));
        assert_eq!(ask!(&app, ada("/hang")), (504, "the deadline has passed".to_owned()));
        assert_eq!(ask!(&app, ada("/panic")).0, 500);
        let hanging = try_call_service(&app, ada("/hang").to_request());
        let mut hanging = std::pin::pin!(hanging);
        let polled = std::future::poll_fn(|context| std::task::Poll::Ready(hanging.as_mut().poll(context))).await;
        assert!(polled.is_pending());
        assert_eq!(ask!(&app, ada("/work")).0, 503, "the only place is taken");
        assert_eq!(told(hanging.await).await.0, 504);
        assert_eq!(ask!(&app, ada("/work")).0, 200, "and is free again");
        assert_eq!(seen.counts(), [5, 5, 0]);
    });
}

/// Around any service, whose errors are the application's.
struct Doubled(Rc<Cell<u32>>);

#[node]
impl Doubled {
    async fn around<B: Future>(&self, block: Pin<&mut B>) -> B::Output {
        self.0.set(self.0.get() + 1);
        let output = block.await;
        self.0.set(self.0.get() + 1);
        output
    }
}

#[derive(serde::Deserialize)]
struct Page {
    number: u32,
}

/// Breaks where the page is one that nobody has.
#[node]
fn bounds(page: &web::Query<Page>) -> Result<(), Error> {
    if page.number < 100 { Ok(()) } else { Err(error::ErrorRangeNotSatisfiable("so few pages")) }
}

chain! {
    /// One worker's own: it cannot be sent anywhere.
    struct Local<S: Service<ServiceRequest, Response = ServiceResponse<BoxBody>, Error = Error>> {
        doubled: Doubled,
        forward: Forward<S>,
    }
    async fn(request: ServiceRequest, inner: Next<S>) -> Result<ServiceResponse<BoxBody>, Error> {
        extract::<web::Query<Page>> => bounds => doubled { forward }
    }
}

#[test]
fn a_scope_and_a_route_are_wrapped_by_what_is_not_send_and_extractors_are_nodes() {
    run(async {
        let count = Rc::new(Cell::new(0));
        let scope = Rc::new(Local { doubled: Doubled(Rc::clone(&count)), forward: Forward::new() });
        let route = Rc::new(Local { doubled: Doubled(Rc::clone(&count)), forward: Forward::new() });
        let app = App::new()
            .service(web::scope("/scope").wrap(middleware(scope)).route("/{what}", web::get().to(work)))
            .route("/route/{what}", web::get().to(work).wrap(middleware(route)))
            .route("/free/{what}", web::get().to(work));
        let app = init_service(app).await;
        assert_eq!(ask!(&app, TestRequest::get().uri("/scope/work?number=1")), (200, "did work".to_owned()));
        assert_eq!(count.get(), 2);
        assert_eq!(ask!(&app, TestRequest::get().uri("/route/work?number=1")), (200, "did work".to_owned()));
        assert_eq!(count.get(), 4);
        assert_eq!(ask!(&app, TestRequest::get().uri("/route/work?number=one")).0, 400, "the extractor's own error");
        assert_eq!(ask!(&app, TestRequest::get().uri("/scope/work?number=100")).0, 416);
        assert_eq!(ask!(&app, TestRequest::get().uri("/free/work")).0, 200);
        assert_eq!(count.get(), 4);
    });
}

// Over sockets, with workers of their own threads.

/// Where it is served, and on how many threads its one guard was asked so far.
fn served(seen: &Arc<Seen>) -> (SocketAddr, impl Fn() -> usize) {
    let guarded = guard(seen, 99, HOUR);
    let asked = Arc::clone(&guarded);
    let server = HttpServer::new(move || {
        App::new().route("/{what}", web::get().to(work)).wrap(middleware(Arc::clone(&guarded)))
    });
    let server =
        server.workers(2).disable_signals().h1_allow_half_closed(false).bind("127.0.0.1:0").expect("a port is free");
    let address = server.addrs()[0];
    rt::spawn(server.run());
    (address, move || asked.watch.1.lock().expect("nobody panics in it").len())
}

async fn over(address: SocketAddr, request: &str) -> TcpStream {
    let mut client = TcpStream::connect(address).await.expect("it listens");
    client.write_all(request.as_bytes()).await.expect("it reads");
    client
}

async fn reply(mut client: TcpStream) -> String {
    let mut reply = String::new();
    client.read_to_string(&mut reply).await.expect("it is text");
    reply
}

#[test]
fn workers_share_a_chain_and_errors_become_responses() {
    run(async {
        let seen = Arc::default();
        let (address, threads) = served(&seen);
        for _ in 0..10 {
            let client =
                over(address, "GET /work HTTP/1.1\r\nhost: x\r\nx-user: ada\r\nconnection: close\r\n\r\n").await;
            let reply = reply(client).await;
            assert!(reply.starts_with("HTTP/1.1 200") && reply.ends_with("did work"), "{reply}");
        }
        let client = over(address, "GET /work HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        let refused = reply(client).await;
        assert!(refused.starts_with("HTTP/1.1 401") && refused.ends_with("who is there?"), "{refused}");
        let client = over(address, "no request at all\r\n\r\n").await;
        let refused = reply(client).await;
        assert!(refused.starts_with(&format!("HTTP/1.1 {}", StatusCode::BAD_REQUEST)), "{refused}");
        assert_eq!(seen.counts(), [10, 10, 0], "what is no request reaches no chain");
        assert_eq!(threads(), 2, "the workers take turns with connections");
    });
}

#[test]
fn a_client_that_vanishes_cancels_its_request() {
    run(async {
        let seen = Arc::<Seen>::default();
        let (address, _) = served(&seen);
        let client = over(address, "GET /hang HTTP/1.1\r\nhost: x\r\nx-user: ada\r\n\r\n").await;
        seen.becomes(|counts| counts == [1, 0, 0]).await;
        drop(client);
        seen.becomes(|counts| counts == [1, 0, 1]).await;
    });
}
