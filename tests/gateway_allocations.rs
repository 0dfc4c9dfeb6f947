//! The allocations of a request to the gateway, by the code that makes them.
//!
//! `cargo test --test gateway_allocations -- --nocapture` prints the table. They are counted in the middle of a run, on
//! kept connections, with the log on: what is allocated once for a connection or once for the process is not included.
//!
//! The gateway runs on a thread of its own, and counts are per thread, so its client and its upstream are not included
//! either.
#![allow(dead_code, reason = "the example's file is taken as it is, and not all of it is used here")]

use std::alloc::System;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use chain_runtime::nodes::access_log::{AccessLog, Lines, log_user};
use chain_runtime::nodes::auth::{ApiKeys, Auth, Tokens};
use chain_runtime::nodes::rate_limit::{FailureLimit, RateLimit};
use chain_runtime::nodes::request_id::RequestIds;
use chain_runtime::nodes::{Peer, User};
use chain_runtime::pressure::{Adaptive, Elsewhere, Gradient2};
use chain_runtime::proxy::server::{Limits, Server};
use chain_runtime::proxy::{self, Body, Client, Tunnels};
use chain_runtime::tasks::Tasks;
use chain_runtime::telemetry::{Allocations as _, Counted, Counting, Meter, TraceContexts};
use chain_runtime::upstream::Member;
use chain_runtime::{Reloadable, Shedding, Toggles, chain, node};
use http::request::Parts;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::service::service_fn;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use jsonwebtoken::{EncodingKey, Header};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

// The unit tests that these have run here as well: cargo runs none of an example that it also has to build as a program.
#[path = "../examples/common/mod.rs"]
mod common;
#[path = "../examples/gateway/gateway.rs"]
mod gateway;
#[path = "../examples/gateway/groups.rs"]
mod groups;
#[path = "../examples/gateway/limit.rs"]
mod limit;
#[path = "../examples/gateway/rules.rs"]
mod rules;
#[path = "../examples/gateway/units.rs"]
mod units;

use common::group::Group;
use gateway::{Gateway, Reply};
use limit::{Away, Figures, UserLimit};
use rules::{Passage, Route, Rules};

fn asked() -> u64 {
    Counted.now().calls
}

fn asked_bytes() -> u64 {
    Counted.now().bytes
}

#[global_allocator]
static COUNTING: Counting<System> = Counting::new(System);

/// Counts what is allocated while this future is polled, and nothing else.
struct CountedPolls<'a, F> {
    future: Pin<&'a mut F>,
    count: &'a AtomicU64,
}

impl<F: Future> Future for CountedPolls<'_, F> {
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

/// The reply that the chain without a proxy gives, made before anything is counted.
struct Prepared(Option<Response<Body>>);

#[node]
fn answer(_request: Parts, prepared: &mut Prepared) -> Response<Body> {
    prepared.0.take().expect("it was prepared")
}

chain! {
    /// The gateway without its last node.
    struct Alone {
        ids: RequestIds,
        log: AccessLog,
        failures: FailureLimit<Peer>,
        auth: Auth,
        ratelimit: RateLimit<User>,
    }

    async fn<'r>(request: Parts, peer: Peer, prepared: &'r mut Prepared) -> Reply {
        ids => log => failures => auth => log_user => ratelimit => answer
    }
}

fn auth() -> Auth {
    let tokens = Tokens::from_secret(SECRET).expect("a secret").audience("gateway");
    Auth::new("gateway").tokens(tokens).api_keys(ApiKeys::new([("alice", KEY)]).expect("a key"))
}

fn alone() -> Alone {
    Alone {
        ids: RequestIds::with_run(7),
        // Lines are written, and lead nowhere.
        log: AccessLog::new(Lines::to(std::io::sink())),
        failures: FailureLimit::new(RateLimit::per_second(NonZeroU32::MIN)),
        auth: auth(),
        ratelimit: RateLimit::per_second(NonZeroU32::MAX),
    }
}

fn gateway(upstream: SocketAddr) -> Gateway {
    let upstream = format!("http://{upstream}").parse().expect("an upstream");
    let Alone { ids, log, failures, auth, ratelimit } = alone();
    let group = Group::new("/", log.lines());
    group.registry.listed().replace([Member::new("hello", upstream)]).expect("one member");
    let by = Passage {
        name: "gateway".to_owned(),
        limits: proxy::Limits::default(),
        hides: Vec::new(),
        tunnels: Arc::new(Tunnels::new(1, Duration::from_secs(1))),
    };
    let rules = Rules {
        critical: vec!["/healthz".to_owned()],
        auth: Arc::new(auth),
        ratelimit: Arc::new(UserLimit::Own(ratelimit)),
        figures: Figures {
            rate: NonZeroU32::MAX,
            burst: NonZeroU32::MAX,
            gateways: NonZeroU32::MIN,
            away: Away::Share,
        },
        routes: vec![Arc::new(Route::new(Arc::new(group), by))],
    };
    let meter = Meter::builder(Gateway::CHAIN).allocations(Counted).expect("the allocator above").build();
    Gateway {
        meter: Some(Arc::new(meter)),
        toggles: Toggles::new(),
        shedding: Shedding::new(),
        tasks: Tasks::new(64),
        traces: TraceContexts::new(),
        ids,
        log,
        admission: Adaptive::new(Box::new(Gradient2::new().initial(512))),
        failures,
        elsewhere: Elsewhere::new(),
        rules: Reloadable::new(rules),
    }
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
                let service = service_fn(async |request: Request<Incoming>| {
                    let is_large = request.uri().path() == "/large";
                    let received = request.into_body().collect().await.expect("a body").to_bytes().len();
                    let text = match received {
                        _ if is_large => LARGE,
                        0 => b"hello",
                        _ => b"received",
                    };
                    let mut reply = Response::new(Full::new(Bytes::from_static(text)));
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

/// A body much larger than all buffers on its way.
static LARGE: &[u8] = &[b'x'; 8 << 20];

/// The client's side of one connection.
struct Asking(SendRequest<Full<Bytes>>);

impl Asking {
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
            let request = request.header(*name, value).body(Full::default()).expect("a request");
            let reply = self.0.send_request(request).await.expect("a reply");
            assert_eq!(reply.status(), 200);
            reply.into_body().collect().await.expect("a body");
            self.0.ready().await.expect("the connection is kept");
        }
    }
}

impl Asking {
    /// Sends a body, and gives the length of what comes back.
    async fn carry(&mut self, path: &str, body: &'static [u8]) -> usize {
        let (name, value) = api_key();
        let request = Request::post(path).header("host", "gateway.example").header(name, value);
        let request = request.body(Full::from(body)).expect("a request");
        let mut reply = self.0.send_request(request).await.expect("a reply").into_body();
        let mut length = 0;
        while let Some(frame) = reply.frame().await {
            length += frame.expect("the body goes on").into_data().map_or(0, |data| data.len());
        }
        self.0.ready().await.expect("the connection is kept");
        length
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

/// What answers a request, and is counted.
enum Answers {
    Alone(Box<Alone>),
    Gateway(Box<Gateway>),
    /// hyper's client by itself, which is asked for the same.
    Client(Box<hyper_util::client::legacy::Client<HttpConnector, Incoming>>, SocketAddr),
}

/// What is allocated for each request where it is answered.
fn where_it_is_answered(credentials: Credentials, answers: impl FnOnce(SocketAddr) -> Answers) -> f64 {
    let upstream = hello();
    block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let at = listener.local_addr().expect("an address");
        let client = std::thread::spawn(move || {
            block_on(async { Asking::connect(at).await.ask(WARM + REQUESTS, &credentials).await });
        });
        let answers = answers(upstream);
        let (count, seen) = (AtomicU64::new(0), AtomicU64::new(0));
        let answer = async |request: Request<Incoming>| {
            if seen.fetch_add(1, Ordering::Relaxed) == WARM {
                count.store(0, Ordering::Relaxed);
            }
            let sender = Client::at((Ipv4Addr::LOCALHOST, 80).into());
            let peer = Peer::from(std::net::IpAddr::from(Ipv4Addr::LOCALHOST));
            let reply: Reply = match &answers {
                Answers::Alone(alone) => {
                    // hyper passes the map of each reply on to the next request, so it has the room that it once needed.
                    let mut reply = Response::new(Body::full("hello"));
                    *reply.headers_mut() = HeaderMap::with_capacity(32);
                    let mut prepared = Prepared(Some(reply));
                    let run = pin!(alone.run(request.into_parts().0, peer, &mut prepared));
                    CountedPolls { future: run, count: &count }.await
                }
                Answers::Gateway(gateway) => {
                    let (request, body) = request.into_parts();
                    let run = pin!(gateway.run(request, body, sender));
                    CountedPolls { future: run, count: &count }.await
                }
                Answers::Client(client, at) => {
                    let mut request = request;
                    let uri =
                        http::Uri::builder().scheme("http").authority(at.to_string()).path_and_query("/path?query");
                    *request.uri_mut() = uri.build().expect("a target");
                    let run = pin!(async { client.request(request).await });
                    let reply = CountedPolls { future: run, count: &count }.await.expect("a reply");
                    reply.into_body().collect().await.expect("a body");
                    Response::new(Body::full("hello").into())
                }
            };
            assert_eq!(reply.status(), 200);
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

/// A gateway on a thread of its own.
struct Counts {
    at: SocketAddr,
    count: Arc<Notify>,
    counted: mpsc::Receiver<u64>,
}

impl Counts {
    /// What its thread has allocated so far.
    fn now(&self) -> u64 {
        self.count.notify_one();
        self.counted.recv().expect("a count")
    }
}

/// Starts what serves on this listener and passes on to this upstream, and counts this.
fn counts<F: Future>(what: fn() -> u64, serves: impl FnOnce(TcpListener, SocketAddr) -> F + Send + 'static) -> Counts {
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
                        let _ = tell_count.send(what());
                    }
                });
                serves(listener, upstream).await;
            })
        }
    });
    Counts { at: told.recv().expect("an address"), count, counted }
}

/// The gateway.
async fn serve(listener: TcpListener, upstream: SocketAddr) {
    let gateway = Arc::new(gateway(upstream));
    let answer = move |request: Request<Incoming>, client: Client| {
        let gateway = Arc::clone(&gateway);
        async move {
            let (request, body) = request.into_parts();
            gateway.run(request, body, client).await
        }
    };
    Server::new(Limits::default()).serve(listener, answer, std::future::pending()).await;
}

/// hyper's two connections, with nothing between them.
async fn only_hyper(listener: TcpListener, upstream: SocketAddr) {
    let upstream = TcpStream::connect(upstream).await.expect("a connection");
    let (sender, connection) = handshake(TokioIo::new(upstream)).await.expect("HTTP");
    tokio::spawn(connection);
    let sender = tokio::sync::Mutex::new(sender);
    let answer = async |request: Request<Incoming>| sender.lock().await.send_request(request).await;
    let (stream, _) = listener.accept().await.expect("a connection");
    let server = hyper::server::conn::http1::Builder::new();
    server.serve_connection(TokioIo::new(stream), service_fn(answer)).await.expect("HTTP");
}

/// What the whole of it allocates, for each request.
fn in_all(proxy: &Counts, credentials: &Credentials) -> f64 {
    block_on(async {
        let mut client = Asking::connect(proxy.at).await;
        client.ask(WARM, credentials).await;
        let before = proxy.now();
        client.ask(REQUESTS, credentials).await;
        (proxy.now() - before) as f64 / REQUESTS as f64
    })
}

/// A body is read into memory, and written from there. If its bytes were copied once more, the memory for them would be
/// counted as well: once the length of the body. Most of what is read is read into the same memory again.
#[test]
fn a_body_is_passed_on_without_a_copy() {
    let gateway = counts(asked_bytes, serve);
    block_on(async {
        let mut client = Asking::connect(gateway.at).await;
        client.ask(WARM, &api_key()).await;
        for (what, path, body, comes) in [("reply", "/large", &b"x"[..], LARGE.len()), ("upload", "/", LARGE, 8)] {
            let before = gateway.now();
            assert_eq!(client.carry(path, body).await, comes);
            let copies = (gateway.now() - before) as f64 / LARGE.len() as f64;
            println!("bytes allocated for each byte of a large {what}: {copies:.2}");
            assert!(copies < 1.0, "{copies}");
        }
    });
}

#[test]
fn the_chain_allocates_nothing_of_its_own() {
    let of_alone = |credentials| where_it_is_answered(credentials, |_| Answers::Alone(Box::new(alone())));
    let (chain, chain_token) = (of_alone(api_key()), of_alone(token()));
    let with_client = where_it_is_answered(api_key(), |at| Answers::Gateway(Box::new(gateway(at))));
    let client = where_it_is_answered(api_key(), |at| {
        let client = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).set_host(false).build_http();
        Answers::Client(Box::new(client), at)
    });
    let [all, all_token] = [api_key(), token()].map(|credentials| in_all(&counts(asked, serve), &credentials));
    let hyper = in_all(&counts(asked, only_hyper), &api_key());
    println!("allocations a request                                   API key    JWT");
    println!("chain, nodes, log                                       {chain:7.2}  {chain_token:6.2}");
    println!("the same with `proxy`,  as far as it polls the client  {with_client:7.2}");
    println!("hyper-util's client by itself                           {client:7.2}");
    println!("all of the process: and hyper's two connections         {all:7.2}  {all_token:6.2}");
    println!("hyper's two connections by themselves                   {hyper:7.2}");
    assert!(chain == 0.0, "{chain} allocations a request");
    // The place for its reply, which is hyper's.
    assert!(with_client <= 1.0, "`proxy` allocates {with_client}, hyper-util's client {client}");
    // All of it is in hyper's connections. Their buffers grow now and then.
    assert!(all < 7.5, "{all} allocations a request");
    assert!(all <= hyper + 0.5, "{all} allocations a request, and {hyper} with nothing between hyper's connections");
}
