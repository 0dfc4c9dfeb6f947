//! An upstream that does what a test tells it to.

use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::channel::{Channel, Sender};
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket};

/// Ends a connection where it stands.
#[derive(Debug)]
pub struct Gone;

impl std::fmt::Display for Gone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("gone")
    }
}

impl std::error::Error for Gone {}

/// The body of a reply or a request.
pub type Reply = http_body_util::combinators::BoxBody<Bytes, Gone>;

/// No body.
pub fn empty() -> Reply {
    Empty::new().map_err(|never| match never {}).boxed()
}

/// A body that is there whole.
pub fn full(text: impl Into<Bytes>) -> Reply {
    Full::new(text.into()).map_err(|never| match never {}).boxed()
}

/// A body that comes piece by piece.
pub fn pieces() -> (Sender<Bytes, Gone>, Reply) {
    let (sender, body) = Channel::new(1);
    (sender, body.boxed())
}

/// Starts an upstream that answers like this.
pub async fn start<F, A>(answer: F) -> SocketAddr
where
    F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
    A: Future<Output = Result<Response<Reply>, Gone>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)));
        }
    });
    address
}

/// An upstream that says what it was asked: one line of the target, then the fields as they came.
pub async fn mirror() -> SocketAddr {
    start(async |request| {
        let mut text = format!("{} {}\n", request.method(), request.uri());
        for (name, value) in request.headers() {
            text += &format!("{name}: {}\n", value.to_str().unwrap_or("?"));
        }
        Ok(Response::new(full(text)))
    })
    .await
}

/// An address where nobody listens, nor will while the tests run: the port is taken.
pub fn nobody() -> SocketAddr {
    let taken = TcpSocket::new_v4().expect("a socket");
    taken.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
    let address = taken.local_addr().expect("its address");
    std::mem::forget(taken);
    address
}
