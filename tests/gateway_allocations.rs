//! What a request to the gateway allocates, and who does it.
//!
//! `cargo test --test gateway_allocations -- --nocapture` prints the table. It is counted in the middle of a run, on kept
//! connections, with the log switched on: what is allocated once a connection or once a process is not in it.
//!
//! The gateway runs on a thread of its own, and counts are per thread, so that its client and its upstream are not in it
//! either.
#![allow(dead_code, reason = "the example's files are taken as they are, and not all of them is used here")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use chain_runtime::{Reset as _, chain, node};
use http::request::Parts;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jsonwebtoken::{EncodingKey, Header};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

#[path = "../examples/gateway/auth.rs"]
mod auth;
#[path = "../examples/gateway/body.rs"]
mod body;
#[path = "../examples/gateway/failure.rs"]
mod failure;
#[path = "../examples/gateway/fields.rs"]
mod fields;
#[path = "../examples/gateway/gateway.rs"]
mod gateway;
#[path = "../examples/gateway/hop.rs"]
mod hop;
// Brings its unit tests along, which cargo does not run for an example.
#[path = "../examples/gateway/limit.rs"]
mod limit;
#[path = "../examples/gateway/log.rs"]
mod log;
#[path = "../examples/gateway/proxy.rs"]
mod proxy;
#[path = "../examples/gateway/scratch.rs"]
mod scratch;
#[path = "../examples/gateway/serve.rs"]
mod serve;
#[path = "../examples/gateway/upload.rs"]
mod upload;
#[path = "../examples/gateway/upstream.rs"]
mod upstream;
#[path = "../examples/gateway/visit.rs"]
mod visit;

use auth::{ApiKey, Bearer, Keys, User};
use body::Body;
use gateway::Gateway;
use limit::{Limiter, ratelimit};
use log::{AccessLog, Entry, Started};
use proxy::BadGateway;
use scratch::Scratch;
use serve::Server;
use upstream::{Upstream, Upstreams};
use visit::{RequestIds, Visit};

/// The system's allocator, with a count of what each thread asked of it.
struct Counting;

thread_local! {
    static ASKED: Cell<u64> = const { Cell::new(0) };
}

fn asked() -> u64 {
    ASKED.with(Cell::get)
}

// SAFETY: every call is handed to the system's allocator as it is. The count is a `Cell` that needs no destructor, so
// it can be reached at any time, and counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.with(|asked| asked.set(asked.get() + 1));
        // SAFETY: the caller's contract is ours.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract is ours.
        unsafe { System.dealloc(memory, layout) }
    }
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ASKED.with(|asked| asked.set(asked.get() + 1));
        // SAFETY: the caller's contract is ours.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Counts what is allocated while this future is polled, and nothing else.
struct Counted<'a, F> {
    future: Pin<&'a mut F>,
    count: &'a AtomicU64,
}

impl<F: Future> Future for Counted<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let before = asked();
        let polled = self.future.as_mut().poll(cx);
        self.count.fetch_add(asked() - before, Ordering::Relaxed);
        polled
    }
}

const WARM: u64 = 200;
const REQUESTS: u64 = 1_000;
const KEY: &str = "alice-0123456789";
const SECRET: &[u8] = b"a secret that has thirty-two bytes";

/// The reply that the chain without a client gives, made before anything is counted.
struct Prepared(Option<Response<Body>>);

/// All that `proxy` does to a request before it hands it to the client.
#[node]
fn rewrite(
    request: Parts,
    user: &User,
    started: &Started,
    scratch: &mut Scratch,
    upstreams: &Upstreams,
    prepared: &mut Prepared,
) -> Result<Response<Body>, BadGateway> {
    proxy::onward(request, upstreams.next(), user, started.visit(), scratch)?;
    prepared.0.take().ok_or(BadGateway::Protocol)
}

chain! {
    /// The gateway without hyper's client.
    struct Alone {
        keys: Keys,
        limiter: Limiter,
        upstreams: Upstreams,
        log: AccessLog,
    }

    async fn<'r>(request: Parts, scratch: &'r mut Scratch, prepared: &'r mut Prepared) -> Response<Body> {
        auth::auth => ratelimit => log => rewrite
    }
}

fn keys() -> Keys {
    Keys::new(Some(Bearer::from_secret(SECRET, "gateway").expect("a secret")), vec![ApiKey::new("alice", KEY)])
}

fn limiter() -> Limiter {
    Limiter::new(u32::MAX.try_into().expect("a rate"), u32::MAX.try_into().expect("a burst"))
}

fn upstreams(at: SocketAddr) -> Upstreams {
    let upstream = Upstream::parse(&format!("http://{at}")).expect("an upstream");
    Upstreams::new(vec![upstream], Duration::from_secs(30), 1 << 20)
}

fn ids() -> RequestIds {
    RequestIds::new(7)
}

/// Lines are written, and lead nowhere.
fn log_to_nowhere() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| tracing_subscriber::fmt().with_ansi(false).with_writer(std::io::sink).init());
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(future)
}

/// An upstream on a thread of its own.
fn hello() -> SocketAddr {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        block_on(async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
            tell.send(listener.local_addr().expect("an address")).expect("somebody waits");
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                let service = service_fn(async |_: Request<Incoming>| {
                    let mut reply = Response::new(Full::new(Bytes::from_static(b"hello")));
                    reply.headers_mut().insert("content-type", http::HeaderValue::from_static("text/plain"));
                    Ok::<_, std::convert::Infallible>(reply)
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        })
    });
    told.recv().expect("an address")
}

/// The client's side of one connection.
struct Client(SendRequest<Empty<Bytes>>);

impl Client {
    async fn connect(at: SocketAddr) -> Self {
        let stream = TcpStream::connect(at).await.expect("a connection");
        let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("HTTP");
        tokio::spawn(connection);
        Self(sender)
    }

    /// Asks that often, with these credentials.
    async fn ask(&mut self, times: u64, (name, value): &Credentials) {
        for _ in 0..times {
            let request = Request::get("/path?query").header("host", "gateway.example").header("user-agent", "test");
            let request = request.header(*name, value).body(Empty::<Bytes>::new()).expect("a request");
            let reply = self.0.send_request(request).await.expect("a reply");
            assert_eq!(reply.status(), 200);
            reply.into_body().collect().await.expect("a body");
            self.0.ready().await.expect("the connection is kept");
        }
    }
}

/// A field and its value.
type Credentials = (&'static str, String);

fn api_key() -> Credentials {
    ("x-api-key", KEY.to_owned())
}

fn token() -> Credentials {
    let exp = jsonwebtoken::get_current_timestamp() + 3_600;
    let claims = serde_json::json!({ "sub": "carol", "aud": "gateway", "exp": exp });
    let token = jsonwebtoken::encode(&Header::default(), &claims, &EncodingKey::from_secret(SECRET)).expect("a token");
    ("authorization", format!("Bearer {token}"))
}

/// What `run` of the chain allocates, for each request: with hyper's client behind it, or alone.
fn in_the_chain(credentials: Credentials, alone: bool) -> f64 {
    log_to_nowhere();
    let upstream = hello();
    block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let at = listener.local_addr().expect("an address");
        let client = std::thread::spawn(move || {
            block_on(async { Client::connect(at).await.ask(WARM + REQUESTS, &credentials).await });
        });
        let gateway = Gateway { keys: keys(), limiter: limiter(), upstreams: upstreams(upstream), log: AccessLog };
        let twin = Alone { keys: keys(), limiter: limiter(), upstreams: upstreams(upstream), log: AccessLog };
        let (ids, count, seen) = (ids(), AtomicU64::new(0), AtomicU64::new(0));
        let scratch = tokio::sync::Mutex::new(Scratch::default());
        let answer = async |request: Request<Incoming>| {
            // As in `serve.rs`.
            if seen.fetch_add(1, Ordering::Relaxed) == WARM {
                count.store(0, Ordering::Relaxed);
            }
            let (request, body) = request.into_parts();
            let mut scratch = scratch.lock().await;
            let begin = pin!(async {
                scratch.reset();
                Visit::begin(&request, IpAddr::V4(Ipv4Addr::LOCALHOST), &ids, &mut scratch);
            });
            Counted { future: begin, count: &count }.await;
            let reply = if alone {
                // hyper passes the map of each reply on to the next request, so it has the room that it once needed.
                let mut reply = body::text(http::StatusCode::OK, "hello");
                *reply.headers_mut() = HeaderMap::with_capacity(32);
                let mut prepared = Prepared(Some(reply));
                let run = pin!(twin.run(request, &mut scratch, &mut prepared));
                Counted { future: run, count: &count }.await
            } else {
                let run = pin!(gateway.run(request, body, &mut scratch));
                Counted { future: run, count: &count }.await
            };
            if let Some(visit) = scratch.visit.take() {
                panic!("refused: {:?}", Entry::refused(visit, None));
            }
            Ok::<_, std::convert::Infallible>(reply)
        };
        let (stream, _) = listener.accept().await.expect("a connection");
        let server = hyper::server::conn::http1::Builder::new();
        server.serve_connection(TokioIo::new(stream), service_fn(answer)).await.expect("HTTP");
        client.join().expect("all were answered");
        assert_eq!(seen.load(Ordering::Relaxed), WARM + REQUESTS);
        count.load(Ordering::Relaxed) as f64 / REQUESTS as f64
    })
}

/// What the whole gateway allocates, for each request.
fn in_all(credentials: &Credentials) -> f64 {
    log_to_nowhere();
    let upstream = hello();
    let (tell, told) = mpsc::channel();
    let count = Arc::new(Notify::new());
    let (tell_count, counted) = mpsc::channel();
    std::thread::spawn({
        let count = Arc::clone(&count);
        move || {
            block_on(async {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
                tell.send(listener.local_addr().expect("an address")).expect("somebody waits");
                tokio::spawn(async move {
                    loop {
                        count.notified().await;
                        // The test may be over.
                        let _ = tell_count.send(asked());
                    }
                });
                let gateway =
                    Gateway { keys: keys(), limiter: limiter(), upstreams: upstreams(upstream), log: AccessLog };
                let server = Server::new(gateway, ids(), Duration::from_secs(30), Duration::from_secs(30));
                server.run(listener, std::future::pending).await;
            })
        }
    });
    let at = told.recv().expect("an address");
    let now = || {
        count.notify_one();
        counted.recv().expect("a count")
    };
    block_on(async {
        let mut client = Client::connect(at).await;
        client.ask(WARM, credentials).await;
        let before = now();
        client.ask(REQUESTS, credentials).await;
        (now() - before) as f64 / REQUESTS as f64
    })
}

#[test]
fn the_chain_allocates_nothing_of_its_own() {
    let alone = in_the_chain(api_key(), true);
    let with_client = in_the_chain(api_key(), false);
    let all = in_all(&api_key());
    let alone_token = in_the_chain(token(), true);
    let all_token = in_all(&token());
    println!("allocations a request                                   API key    JWT");
    println!("chain, nodes, context, rewriting of the head, log       {alone:7.2}  {alone_token:6.2}");
    println!("  and hyper's client, as far as `proxy` polls it        {with_client:7.2}");
    println!("all of the process: and hyper's two connections         {all:7.2}  {all_token:6.2}");
    assert!(alone == 0.0, "{alone} allocations a request");
}
