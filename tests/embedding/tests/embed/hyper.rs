//! hyper: over HTTP/1 and HTTP/2, by hyper's own client.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::Bytes;
use chain_runtime::{Pool, Reset, chain, node};
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::DuplexStream;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore, oneshot};
use tokio::time::Instant;

use crate::within;

#[allow(dead_code, reason = "its main")]
#[path = "../../../../examples/hyper.rs"]
mod example;

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its address");
    (listener, address)
}

async fn over_http1(address: SocketAddr) -> http1::SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address).await.expect("the server listens");
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("it is HTTP/1");
    tokio::spawn(connection);
    sender
}

async fn over_http2(address: SocketAddr) -> http2::SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address).await.expect("the server listens");
    let shake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (sender, connection) = shake.expect("it is HTTP/2");
    tokio::spawn(connection);
    sender
}

fn post(path: &str, body: &'static str) -> Request<Full<Bytes>> {
    Request::post(path).header("host", "x").body(Full::from(body)).expect("a request")
}

async fn text(response: Response<Incoming>) -> String {
    let body = response.into_body().collect().await.expect("the body is whole").to_bytes();
    String::from_utf8(body.to_vec()).expect("it is text")
}

#[tokio::test]
async fn a_connection_has_one_context_over_http1() {
    let (listener, address) = listener().await;
    let lines = Arc::new(Pool::<String>::default());
    tokio::spawn(example::serve(listener, Arc::clone(&lines), std::future::pending()));
    let mut client = over_http1(address).await;
    for _ in 0..20 {
        let response = within("a request", client.send_request(post("/a", "hello"))).await.expect("a response");
        assert_eq!(text(response).await, "POST /a with 5 bytes\n", "nothing of the last request is left");
        client.ready().await.expect("the connection is kept");
    }
    let stats = lines.stats();
    assert_eq!((stats.misses, stats.hits), (1, 0), "the pool was asked once");
    // The next connection gets the memory of the one that ended.
    drop(client);
    within("the end of the connection", async {
        while lines.stats().in_use > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let mut client = over_http1(address).await;
    assert_eq!(client.send_request(post("/b", "")).await.expect("a response").status(), StatusCode::OK);
    assert_eq!(lines.stats().misses, 1);
}

/// Memory that tells how many of it there are.
#[derive(Default)]
struct Scratch(Vec<u8>);

impl Reset for Scratch {
    fn reset(&mut self) {
        self.0.clear();
    }
}

/// Lets requests in and out as the test says.
struct Gate {
    inside: Notify,
    open: Semaphore,
    cancelled: AtomicUsize,
}

#[node]
impl Gate {
    fn enter(&self, scratch: &mut Scratch) -> Passed {
        assert!(scratch.0.is_empty(), "it was reset");
        scratch.0.push(1);
        Passed
    }
    fn cancelled(&self) {
        self.cancelled.fetch_add(1, Relaxed);
        self.inside.notify_one();
    }
}

struct Passed;

#[node]
async fn wait(_passed: &Passed, gate: &Gate) -> Response<Full<Bytes>> {
    gate.inside.notify_one();
    gate.open.acquire().await.expect("it is never closed").forget();
    Response::new(Full::from("through\n"))
}

chain! {
    struct Gated { gate: Gate }
    async fn(request: Request<Incoming>, scratch: &mut Scratch) -> Response<Full<Bytes>> { gate => wait }
}

fn gated() -> Arc<Gated> {
    Arc::new(Gated { gate: Gate { inside: Notify::new(), open: Semaphore::new(0), cancelled: AtomicUsize::new(0) } })
}

async fn serve(listener: TcpListener, chain: Arc<Gated>, pool: Arc<Pool<Scratch>>) -> Infallible {
    let service = chain_runtime::hyper::service_over(chain, pool);
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        let service = service.clone();
        tokio::spawn(async move {
            auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await
        });
    }
}

#[tokio::test]
async fn requests_beside_each_other_have_theirs_from_the_pool_over_http2() {
    let (listener, address) = listener().await;
    let (chain, pool) = (gated(), Arc::new(Pool::default()));
    tokio::spawn(serve(listener, Arc::clone(&chain), Arc::clone(&pool)));
    let client = over_http2(address).await;
    for round in 1..=3 {
        let requests: Vec<_> = (0..5)
            .map(|_| {
                let mut client = client.clone();
                tokio::spawn(async move { client.send_request(post("/", "")).await })
            })
            .collect();
        within("five requests at once", async {
            while pool.stats().in_use < 5 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        chain.gate.open.add_permits(5);
        for request in requests {
            let response = within("a response", request).await.expect("no panic").expect("a response");
            assert_eq!(text(response).await, "through\n");
        }
        assert!(pool.stats().misses <= 5, "round {round}: {:?}", pool.stats());
    }
}

/// When a request began, by tokio's clock, and memory.
#[derive(Reset)]
struct Visit {
    #[reset(renew = Instant::now())]
    began: Instant,
    memory: Vec<u8>,
}

/// How long ago the request began, in milliseconds, and how much memory it found, in bytes. It leaves as much as it is told.
#[node]
async fn age(head: &Parts, visit: &mut Visit) -> Response<Full<Bytes>> {
    let (age, found) = (visit.began.elapsed().as_millis(), visit.memory.capacity());
    visit.memory.resize(head.uri.path()[1..].parse().expect("a number"), 1);
    Response::new(Full::from(format!("{age} {found}")))
}

chain! {
    struct Visited;
    async fn(head: Parts, body: Incoming, visit: &mut Visit) -> Response<Full<Bytes>> { age }
}

/// A service over visits, and both ends of a connection to it that is no socket: so tokio's clock can stand still.
fn visited() -> (Arc<Pool<Visit>>, DuplexStream) {
    let pool = Pool::<Visit>::builder().high_water(1_024).build(|| Visit { began: Instant::now(), memory: Vec::new() });
    let pool = Arc::new(pool);
    let service = chain_runtime::hyper::service_over(Arc::new(Visited), Arc::clone(&pool));
    let (here, there) = tokio::io::duplex(64 * 1024);
    tokio::spawn(async move {
        auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(there), service).await
    });
    (pool, here)
}

const PAUSE: Duration = Duration::from_secs(3_600);

#[tokio::test(start_paused = true)]
async fn a_request_begins_when_it_comes_and_not_when_the_last_one_ended() {
    let (_, stream) = visited();
    let (mut client, connection) = http1::handshake(TokioIo::new(stream)).await.expect("it is HTTP/1");
    tokio::spawn(connection);
    for _ in 0..3 {
        let reply = client.send_request(post("/0", "")).await.expect("a response");
        assert_eq!(text(reply).await, "0 0", "over HTTP/1");
        tokio::time::advance(PAUSE).await;
    }
    let (_, stream) = visited();
    let shake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (client, connection) = shake.expect("it is HTTP/2");
    tokio::spawn(connection);
    for _ in 0..3 {
        // Several at once: one has what the connection keeps, the others theirs from the pool.
        let requests = (0..5).map(|_| client.clone().send_request(post("/0", "")));
        for reply in futures_util::future::join_all(requests).await {
            assert_eq!(text(reply.expect("a response")).await, "0 0", "over HTTP/2");
        }
        tokio::time::advance(PAUSE).await;
    }
}

#[tokio::test]
async fn an_idle_connection_keeps_no_more_than_an_idle_value() {
    let (pool, stream) = visited();
    let (mut client, connection) = http1::handshake(TokioIo::new(stream)).await.expect("it is HTTP/1");
    tokio::spawn(connection);
    let mut ask = async |path| text(client.send_request(post(path, "")).await.expect("a response")).await;
    assert!(ask("/4194304").await.ends_with(" 0"));
    assert!(ask("/500").await.ends_with(" 1024"), "the pool's high-water mark");
    assert_eq!((pool.stats().misses, pool.stats().hits), (1, 0), "it is the connection's own");
}

#[tokio::test]
async fn a_client_that_vanishes_cancels_its_request() {
    let (listener, address) = listener().await;
    let (chain, pool) = (gated(), Arc::new(Pool::default()));
    tokio::spawn(serve(listener, Arc::clone(&chain), Arc::clone(&pool)));
    for seen in 1..=3 {
        let mut client = over_http1(address).await;
        let request = tokio::spawn(async move { client.send_request(post("/", "")).await.map(drop) });
        within("the request", chain.gate.inside.notified()).await;
        request.abort();
        within("`cancelled`", chain.gate.inside.notified()).await;
        assert_eq!(chain.gate.cancelled.load(Relaxed), seen);
    }
    within("the pool", async {
        while pool.stats().in_use > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_request_in_flight_ends_before_a_server_that_is_stopped() {
    let (listener, address) = listener().await;
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async { drop(stopped.await) };
    let lines = Arc::new(Pool::default());
    let server = tokio::spawn(example::serve(listener, Arc::clone(&lines), stopped));
    // The rest of the body is sent once the server was told to stop.
    let (mut body, later) = http_body_util::channel::Channel::<Bytes, Infallible>::new(1);
    let stream = TcpStream::connect(address).await.expect("the server listens");
    let (mut client, connection) = http1::handshake(TokioIo::new(stream)).await.expect("it is HTTP/1");
    tokio::spawn(connection);
    let request = Request::post("/late").header("host", "x").body(later).expect("a request");
    let request = tokio::spawn(async move { client.send_request(request).await });
    body.send_data(Bytes::from_static(b"half and ")).await.expect("the request is sent");
    within("the request", async {
        while lines.stats().in_use == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    drop(stop);
    body.send_data(Bytes::from_static(b"half")).await.expect("the request goes on");
    drop(body);
    let response = within("the response", request).await.expect("no panic").expect("a response");
    assert_eq!(text(response).await, "POST /late with 13 bytes\n");
    within("the server", server).await.expect("no panic");
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn the_short_form_is_a_service_as_well() {
    use chain_runtime::{Request, Response};
    use hyper::service::Service as _;

    #[node]
    fn greet(request: &Request, response: &mut Response) -> Result<(), StatusCode> {
        let name = request.uri.path().strip_prefix("/hello/").ok_or(StatusCode::NOT_FOUND)?;
        response.body.extend_from_slice(name.as_bytes());
        Ok(())
    }
    let pool = Arc::new(Pool::default());
    let service = chain_runtime::hyper::context_service(Arc::new(chain!(greet)), Arc::clone(&pool));
    let connection = service.clone();
    let ask = async |path| {
        let Ok(reply) = connection.call(http::Request::get(path).body(()).expect("a request")).await;
        let status = reply.status().as_u16();
        (status, reply.into_body().collect().await.expect("it cannot fail").to_bytes())
    };
    assert_eq!(ask("/hello/ada").await, (200, Bytes::from("ada")));
    assert_eq!(ask("/").await, (404, Bytes::new()));
    assert_eq!(ask("/hello/eve").await, (200, Bytes::from("eve")));
    assert_eq!(pool.stats().misses, 1);
}
