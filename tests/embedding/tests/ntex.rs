//! A chain in ntex: as a handler, and as middleware around applications, scopes and resources; `Send` or not.

use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread::{self, ThreadId};
use std::time::Duration;

use chain_runtime::around::{CatchPanic, Concurrency, Deadline};
use chain_runtime::ntex::{Forward, Next, handler, middleware};
use chain_runtime::{chain, node};
use ntex::http::StatusCode;
use ntex::http::header::{HeaderName, HeaderValue};
use ntex::service::{Pipeline, Service};
use ntex::util::Bytes;
use ntex::web::test::{TestRequest, init_service, read_body, server};
use ntex::web::{self, App, DefaultError, Error, HttpResponse, WebRequest, WebResponse, WebResponseError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[path = "../../support/seen.rs"]
mod seen;
#[path = "../../support/within.rs"]
mod within;

use seen::Seen;
use within::within;

type Request = WebRequest<DefaultError>;

async fn ask<S>(app: &Pipeline<S>, request: TestRequest) -> (u16, String)
where
    S: Service<ntex::http::Request, Response = WebResponse, Error = Error>,
{
    match app.call(request.to_request()).await {
        Ok(response) => {
            let status = response.status().as_u16();
            (status, String::from_utf8_lossy(&read_body(response).await).into_owned())
        }
        // As the server renders it.
        Err(error) => (error.as_response_error().status_code().as_u16(), error.to_string()),
    }
}

/// What a node breaks with.
#[derive(Debug)]
struct Refused(StatusCode, &'static str);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.1)
    }
}

impl WebResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        self.0
    }
}

// Handlers.

#[node]
fn add(numbers: &web::types::Path<(u32, u32)>, sum: &Cell<u32>) -> Result<HttpResponse, Refused> {
    let (one, other) = **numbers;
    sum.set(one.checked_add(other).ok_or(Refused(StatusCode::BAD_REQUEST, "too large a sum"))?);
    Ok(HttpResponse::Created().body(sum.get().to_string()))
}

#[node]
async fn read(body: &Bytes) -> Result<(), Refused> {
    tokio::task::yield_now().await;
    if body.is_empty() { Ok(()) } else { Err(Refused(StatusCode::UNPROCESSABLE_ENTITY, "what is this for?")) }
}

chain! {
    /// Not `Sync`, and its future not `Send`.
    struct Adding { sum: Cell<u32> }
    async fn(numbers: web::types::Path<(u32, u32)>, body: Bytes) -> Result<HttpResponse, Error> { read => add }
}

#[ntex::test]
async fn a_handlers_inputs_are_extractors_and_its_reply_is_any_responder() {
    let adding = Rc::new(Adding { sum: Cell::new(0) });
    let app = App::new().route("/{one}/{other}", web::put().to(handler(Rc::clone(&adding))));
    let app = init_service(app).await;
    assert_eq!(ask(&app, TestRequest::put().uri("/3/4")).await, (201, "7".to_owned()));
    assert_eq!(adding.sum.get(), 7);
    let refused = ask(&app, TestRequest::put().uri("/3/four")).await;
    assert_eq!(refused.0, 404, "the extractor's own: {}", refused.1);
    assert_eq!(ask(&app, TestRequest::put().uri("/3/4294967295")).await, (400, "too large a sum".to_owned()));
    let refused = ask(&app, TestRequest::put().uri("/1/1").set_payload("?")).await;
    assert_eq!(refused, (422, "what is this for?".to_owned()));
    assert_eq!(adding.sum.get(), 7, "what was refused does not get there");
}

// Middleware.

struct User(String);

#[node]
fn auth(request: &Request) -> Result<User, Refused> {
    let name = request.headers().get("x-user").and_then(|name| name.to_str().ok());
    name.map(|name| User(name.to_owned())).ok_or(Refused(StatusCode::UNAUTHORIZED, "who is there?"))
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
    fn exit(&self, user: &User, reply: &mut Result<WebResponse, Error>) {
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
    struct Guard<S: Service<Request, Response = WebResponse, Error = Error>> {
        deadline: Deadline,
        room: Concurrency,
        is_safe: CatchPanic,
        watch: Watch,
        forward: Forward<S>,
    }
    async fn(request: Request, inner: Next<S>) -> Result<WebResponse, Error> {
        auth => watch => room { deadline { is_safe { forward } } }
    }
}

fn guard<S>(seen: &Arc<Seen>, room: usize, limit: Duration) -> Arc<Guard<S>>
where
    S: Service<Request, Response = WebResponse, Error = Error>,
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

async fn work(what: web::types::Path<String>) -> String {
    match what.as_str() {
        "hang" => std::future::pending().await,
        "panic" => panic!("as it was asked"),
        what => format!("did {what}"),
    }
}

#[ntex::test]
async fn middleware_stands_before_a_route_and_sees_its_response() {
    let seen = Arc::default();
    let app = App::new().middleware(middleware(guard(&seen, 9, HOUR))).route("/{what}", web::get().to(work));
    let app = init_service(app).await;
    let response =
        app.call(TestRequest::with_uri("/work").header("x-user", "ada").to_request()).await.expect("it works");
    assert_eq!(response.headers().get("x-user").expect("it is told"), "ada");
    assert_eq!(read_body(response).await, "did work");
    assert_eq!(ask(&app, TestRequest::with_uri("/work")).await, (401, "who is there?".to_owned()));
    let missing = ask(&app, TestRequest::with_uri("/a/b").header("x-user", "ada")).await;
    assert_eq!(missing.0, 404, "an application is wrapped, with what it does not have");
    assert_eq!(seen.counts(), [2, 2, 0], "who is refused by `auth` does not get to `watch`");
}

#[ntex::test]
async fn what_the_nodes_around_give_up_with_is_a_response() {
    let seen = Arc::default();
    let limit = Duration::from_millis(100);
    let app = App::new().middleware(middleware(guard(&seen, 1, limit))).route("/{what}", web::get().to(work));
    let app = init_service(app).await;
    let ada = |uri| TestRequest::with_uri(uri).header("x-user", "ada");
    assert_eq!(ask(&app, ada("/hang")).await, (504, "the deadline has passed".to_owned()));
    assert_eq!(ask(&app, ada("/panic")).await.0, 500);
    let mut hanging = pin!(ask(&app, ada("/hang")));
    let polled = std::future::poll_fn(|context| Poll::Ready(hanging.as_mut().poll(context))).await;
    assert!(polled.is_pending());
    assert_eq!(ask(&app, ada("/work")).await.0, 503, "the only place is taken");
    assert_eq!(hanging.await.0, 504);
    assert_eq!(ask(&app, ada("/work")).await.0, 200, "and is free again");
    assert_eq!(seen.counts(), [5, 5, 0]);
}

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

chain! {
    /// One worker's own: it cannot be sent anywhere.
    struct Local<S: Service<Request, Response = WebResponse, Error = Error>> { doubled: Doubled, forward: Forward<S> }
    async fn(request: Request, inner: Next<S>) -> Result<WebResponse, Error> { auth => doubled { forward } }
}

#[ntex::test]
async fn a_scope_and_a_resource_are_wrapped_by_what_is_not_send() {
    let count = Rc::new(Cell::new(0));
    let scope = Rc::new(Local { doubled: Doubled(Rc::clone(&count)), forward: Forward::new() });
    let resource = Rc::new(Local { doubled: Doubled(Rc::clone(&count)), forward: Forward::new() });
    let app = App::new()
        .service(web::scope("/scope").middleware(middleware(scope)).route("/{what}", web::get().to(work)))
        .service(web::resource("/resource/{what}").middleware(middleware(resource)).route(web::get().to(work)))
        .route("/free/{what}", web::get().to(work));
    let app = init_service(app).await;
    let ada = |uri| TestRequest::with_uri(uri).header("x-user", "ada");
    assert_eq!(ask(&app, ada("/scope/work")).await, (200, "did work".to_owned()));
    assert_eq!(count.get(), 2);
    assert_eq!(ask(&app, ada("/resource/work")).await, (200, "did work".to_owned()));
    assert_eq!(count.get(), 4);
    assert_eq!(ask(&app, TestRequest::with_uri("/scope/work")).await.0, 401);
    assert_eq!(ask(&app, TestRequest::with_uri("/free/work")).await.0, 200);
    assert_eq!(count.get(), 4);
}

// Over sockets, on a server of its own thread.

async fn over(address: SocketAddr, request: &str) -> TcpStream {
    let mut client = TcpStream::connect(address).await.expect("it listens");
    client.write_all(request.as_bytes()).await.expect("it reads");
    client
}

async fn reply(mut client: TcpStream) -> String {
    let mut reply = String::new();
    within("the reply", client.read_to_string(&mut reply)).await.expect("it is text");
    reply
}

#[ntex::test]
async fn errors_become_responses_and_what_is_no_request_reaches_no_chain() {
    let seen = Arc::default();
    let guarded = guard(&seen, 99, HOUR);
    let server = server(async move || {
        App::new().middleware(middleware(Arc::clone(&guarded))).route("/{what}", web::get().to(work))
    });
    let server = server.await;
    for _ in 0..10 {
        let request = "GET /work HTTP/1.1\r\nhost: x\r\nx-user: ada\r\nconnection: close\r\n\r\n";
        let reply = reply(over(server.addr(), request).await).await;
        assert!(reply.starts_with("HTTP/1.1 200") && reply.ends_with("did work"), "{reply}");
    }
    let refused = reply(over(server.addr(), "GET /work HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await).await;
    assert!(refused.starts_with("HTTP/1.1 401") && refused.ends_with("who is there?"), "{refused}");
    let refused = reply(over(server.addr(), "no request at all\r\n\r\n").await).await;
    assert!(refused.starts_with("HTTP/1.1 400"), "{refused}");
    assert_eq!(seen.counts(), [10, 10, 0]);
}

#[ntex::test]
async fn a_client_that_vanishes_cancels_its_request() {
    let seen = Arc::<Seen>::default();
    let guarded = guard(&seen, 99, HOUR);
    let server = server(async move || {
        App::new().middleware(middleware(Arc::clone(&guarded))).route("/{what}", web::get().to(work))
    });
    let server = server.await;
    let client = over(server.addr(), "GET /hang HTTP/1.1\r\nhost: x\r\nx-user: ada\r\n\r\n").await;
    seen.becomes(|counts| counts == [1, 0, 0]).await;
    drop(client);
    seen.becomes(|counts| counts == [1, 0, 1]).await;
}

#[ntex::test]
async fn workers_share_a_chain() {
    let seen = Arc::<Seen>::default();
    let guarded = guard(&seen, 99, HOUR);
    let asked = Arc::clone(&guarded);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let server = web::HttpServer::new(async move || {
        App::new().middleware(middleware(Arc::clone(&guarded))).route("/{what}", web::get().to(work))
    });
    let server = server.workers(2).disable_signals().listen(listener).expect("it is bound").run();
    let threads = || asked.watch.1.lock().expect("nobody panics in it").len();
    within("the second worker", async {
        while threads() < 2 {
            let request = "GET /work HTTP/1.1\r\nhost: x\r\nx-user: ada\r\nconnection: close\r\n\r\n";
            assert!(reply(over(address, request).await).await.starts_with("HTTP/1.1 200"));
        }
    })
    .await;
    let [entered, left, cancelled] = seen.counts();
    assert!((entered, cancelled) == (left, 0) && entered >= 2, "one chain has seen them all");
    server.stop(false).await;
}
