//! The bench's other processes: an upstream with a fixed capacity, and a proxy with one kind of admission.

use std::convert::Infallible;
use std::future::pending;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use chain_runtime::around::{Concurrency, Wait};
use chain_runtime::pressure::{Adaptive, ByPriority, Priority, Vegas};
use chain_runtime::proxy::server::{self, Server};
use chain_runtime::proxy::{Body, Client, Forward, Rotation, Settings, Upstream};
use chain_runtime::{chain, node};
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use little_loadshedder::{LoadShed, LoadShedResponse};
use tokio::net::TcpListener;
use tower::{ServiceBuilder, ServiceExt as _};

use crate::service::{Capacity, Service, share};

/// Some 480 requests a second, so that ten times as many are still little work for a proxy.
pub(crate) const CAPACITY: Capacity = Capacity { workers: 8, takes: Duration::from_millis(16) };
const LIMIT: usize = CAPACITY.workers;
/// What little-loadshedder is told to aim at, and how long who waits for a place does.
const AIM: Duration = Duration::from_millis(48);

chain! {
    struct Open { proxy: Forward<Rotation, Incoming> }
    async fn(request: Parts, body: Incoming, client: Client) -> Response<Body> { proxy }
}

chain! {
    struct Fixed { limit: Concurrency, proxy: Forward<Rotation, Incoming> }
    async fn(request: Parts, body: Incoming, client: Client) -> Response<Body> { limit { proxy } }
}

chain! {
    struct Waits { limit: Concurrency<Wait>, proxy: Forward<Rotation, Incoming> }
    async fn(request: Parts, body: Incoming, client: Client) -> Response<Body> { limit { proxy } }
}

/// What a client says of its request. A proxy that is not a bench believes only those whom it knows.
#[node]
fn priority(request: &Parts) -> Priority {
    let said = request.headers.get("x-priority").and_then(|said| said.to_str().ok());
    said.and_then(|said| said.parse().ok()).unwrap_or_default()
}

chain! {
    struct ByVegas { limit: Adaptive<ByPriority, Vegas>, proxy: Forward<Rotation, Incoming> }
    async fn(request: Parts, body: Incoming, client: Client) -> Response<Body> { priority => limit { proxy } }
}

chain! {
    struct ByGradient { limit: Adaptive<ByPriority>, proxy: Forward<Rotation, Incoming> }
    async fn(request: Parts, body: Incoming, client: Client) -> Response<Body> { priority => limit { proxy } }
}

/// Serves by this chain.
macro_rules! by {
    ($listener:ident, $chain:expr) => {{
        let chain = Arc::new($chain);
        let answer = move |request: Request<Incoming>, client| {
            let (chain, (head, body)) = (Arc::clone(&chain), request.into_parts());
            async move { chain.run(head, body, client).await }
        };
        server().serve($listener, answer, pending()).await;
    }};
}

/// Serves by this service of tower's. `turned` makes a reply of what it gives.
macro_rules! by_tower {
    ($listener:ident, $service:expr, $turned:expr) => {{
        let service = $service;
        let answer = move |request: Request<Incoming>, client| {
            let service = service.clone();
            async move { $turned(service.oneshot((request, client)).await) }
        };
        server().serve($listener, answer, pending()).await;
    }};
}

fn server() -> Server {
    let mut limits = server::Limits::within_descriptors();
    limits.connections = 8_000;
    Server::new(limits)
}

/// Plays a part until whoever started this is gone.
pub(crate) fn run(role: &str) -> io::Result<()> {
    std::thread::spawn(|| {
        // Nothing is ever sent: this ends with whoever holds the other end.
        let _ = io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("listening {}", listener.local_addr()?);
        let words: Vec<_> = role.split(' ').collect();
        match words[..] {
            ["upstream"] => upstream(listener).await,
            ["serve", door, upstream] => {
                let upstream = format!("http://{upstream}").parse().map_err(io::Error::other)?;
                proxy(listener, door, upstream).await;
                Ok(())
            }
            _ => Err(io::Error::other(format!("there is no role `{role}`"))),
        }
    })
}

async fn proxy(listener: TcpListener, door: &str, upstream: Upstream) {
    let proxy = Forward::new(Rotation::new([upstream]), Settings::default());
    let turned_away = || {
        let mut reply = Response::new(Body::empty());
        *reply.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        reply
    };
    let forward = |proxy| {
        let chain = Arc::new(Open { proxy });
        tower::service_fn(move |(request, client): (Request<Incoming>, Client)| {
            let (chain, (head, body)) = (Arc::clone(&chain), request.into_parts());
            async move { Ok::<_, Infallible>(chain.run(head, body, client).await) }
        })
    };
    match door {
        "0" => by!(listener, Open { proxy }),
        "1" => by!(listener, Fixed { limit: Concurrency::shed(LIMIT), proxy }),
        "2" => by!(listener, Waits { limit: Concurrency::wait(LIMIT, AIM).queue(LIMIT), proxy }),
        "3" => by!(listener, Fixed { limit: Concurrency::shed(8 * LIMIT), proxy }),
        "4" => by_tower!(
            listener,
            ServiceBuilder::new().load_shed().concurrency_limit(LIMIT).service(forward(proxy)),
            |reply: Result<_, _>| reply.unwrap_or_else(|_| turned_away())
        ),
        "5" => by_tower!(listener, LoadShed::new(forward(proxy), 0.01, AIM), |reply| match reply {
            Ok(LoadShedResponse::Inner(reply)) => reply,
            Ok(LoadShedResponse::Overload) => turned_away(),
            Err(never) => match never {},
        }),
        "6" => by!(listener, ByVegas { limit: Adaptive::new(Vegas::new()), proxy }),
        "7" => by!(listener, ByGradient { limit: Adaptive::default(), proxy }),
        _ => panic!("there is no door {door}"),
    }
}

async fn upstream(listener: TcpListener) -> io::Result<()> {
    let service = Arc::new(Service::new(CAPACITY));
    let number = Arc::new(AtomicU64::new(0));
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (service, number) = (Arc::clone(&service), Arc::clone(&number));
        let answer = service_fn(move |_: Request<Incoming>| {
            let (service, share) = (Arc::clone(&service), share(number.fetch_add(1, Relaxed)));
            async move {
                service.serve(share).await;
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"served\n"))))
            }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    }
}
