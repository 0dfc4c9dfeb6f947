//! Members say how they are over HTTP and gRPC, on real connections.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::Bytes;
use chain_runtime::upstream::{Check, HttpCheck, HttpIll, Member, Registry};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Serves until it is dropped.
struct Server {
    address: SocketAddr,
    open: Arc<AtomicUsize>,
    _task: JoinSet<()>,
}

struct Open(Arc<AtomicUsize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

async fn served<R>(reply: impl Fn(Request<Bytes>) -> R + Clone + Send + Sync + 'static) -> Server
where
    R: Future<Output = Response<Reply>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, open) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let mut task = JoinSet::new();
    let opened = Arc::clone(&open);
    task.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            opened.fetch_add(1, Relaxed);
            let (open, reply) = (Open(Arc::clone(&opened)), reply.clone());
            connections.spawn(async move {
                let _open = open;
                let service = service_fn(|request: Request<Incoming>| {
                    let reply = reply.clone();
                    async move {
                        let (head, body) = request.into_parts();
                        let body = body.collect().await.unwrap().to_bytes();
                        Ok::<_, Infallible>(reply(Request::from_parts(head, body)).await)
                    }
                });
                let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    Server { address, open, _task: task }
}

type Reply = http_body_util::combinators::BoxBody<Bytes, Infallible>;

fn status(status: StatusCode) -> Response<Reply> {
    Response::builder().status(status).body(Full::default().boxed()).unwrap()
}

/// As a gRPC service replies.
fn grpc(message: &'static [u8], status: &'static str) -> Response<Reply> {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", status.parse().unwrap());
    let body = Full::new(Bytes::from_static(message)).with_trailers(std::future::ready(Some(Ok(trailers))));
    Response::builder().header("content-type", "application/grpc").body(body.boxed()).unwrap()
}

async fn ask<F>(server: &Server, check: HttpCheck<F>) -> Result<(), HttpIll>
where
    F: Fn(&SocketAddr) -> String + Send + Sync + 'static,
{
    let registry = Registry::new();
    registry.register(Member::new("a", server.address), Duration::MAX).unwrap();
    let snapshot = registry.snapshot().keep();
    let asked = check.check(snapshot.members()[0].seat());
    timeout(Duration::from_secs(60), asked).await.expect("it takes no minute")
}

fn authority(address: &SocketAddr) -> String {
    address.to_string()
}

#[tokio::test]
async fn a_status_says_who_is_well() {
    let server = served(async |request: Request<Bytes>| {
        assert_eq!(request.headers().get_all("host").iter().count(), 1);
        match (request.uri().path(), request.uri().query()) {
            ("/well", Some("deep")) => status(StatusCode::NO_CONTENT),
            ("/moved", None) => status(StatusCode::FOUND),
            _ => status(StatusCode::SERVICE_UNAVAILABLE),
        }
    })
    .await;
    let get = |path: &str| HttpCheck::get(path.parse().unwrap(), authority);
    ask(&server, get("/well?deep")).await.unwrap();
    let moved = ask(&server, get("/moved")).await.unwrap_err();
    assert_eq!(moved.to_string(), "it replies 302 Found");
    let ill = ask(&server, get("/ill")).await.unwrap_err();
    assert!(matches!(ill, HttpIll::Status(StatusCode::SERVICE_UNAVAILABLE)), "{ill}");
}

#[tokio::test]
async fn a_grpc_service_says_that_it_serves() {
    const SERVING: &[u8] = &[0, 0, 0, 0, 2, 8, 1];
    const NOT_SERVING: &[u8] = &[0, 0, 0, 0, 2, 8, 2];
    let server = served(async |request: Request<Bytes>| {
        assert_eq!(request.uri().path(), "/grpc.health.v1.Health/Check");
        assert_eq!(request.headers()["content-type"], "application/grpc");
        assert_eq!(request.headers()["te"], "trailers");
        match &request.body()[..] {
            // The whole process: an empty message.
            [0, 0, 0, 0, 0] | [0, 0, 0, 0, 6, 0x0a, 4, b'w', b'e', b'l', b'l'] => grpc(SERVING, "0"),
            [0, 0, 0, 0, 5, 0x0a, 3, b'i', b'l', b'l'] => grpc(NOT_SERVING, "0"),
            [0, 0, 0, 0, 7, 0x0a, 5, b'l', b'a', b't', b'e', b'r'] => grpc(SERVING, "14"),
            // 300 is 44 and twice 128.
            [0, 0, 0, 1, 47, 0x0a, 0xac, 2, name @ ..] if name == [b'a'; 300] => grpc(SERVING, "0"),
            _ => grpc(&[], "5"),
        }
    })
    .await;
    let service = |name: &str| HttpCheck::grpc(name, authority);
    ask(&server, service("")).await.unwrap();
    ask(&server, service("well")).await.unwrap();
    for ill in ["ill", "later", "unknown"] {
        let found = ask(&server, service(ill)).await.unwrap_err();
        assert!(matches!(found, HttpIll::NotServing), "{ill}: {found}");
    }
    ask(&server, service(&"a".repeat(300))).await.unwrap();
}

/// Also where the reply never comes, and the check is dropped while it waits.
#[tokio::test]
async fn a_check_leaves_no_connection() {
    let server = served(async |request: Request<Bytes>| {
        if request.uri().path().ends_with("Check") {
            return std::future::pending().await;
        }
        status(StatusCode::OK)
    })
    .await;
    ask(&server, HttpCheck::get("/".parse().unwrap(), authority)).await.unwrap();
    let waits = ask(&server, HttpCheck::grpc("", authority));
    timeout(Duration::from_millis(100), waits).await.unwrap_err();
    let all_closed = async {
        while server.open.load(Relaxed) != 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(60), all_closed).await.expect("a connection stays");
}
