//! A collector of spans that keeps none.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::load::runtime;

/// Reads what comes, and says that it was taken, on one thread, for ever.
pub(crate) fn run(at: &str) -> ! {
    let at: SocketAddr = at.parse().expect("address:port");
    let ended: std::io::Result<Infallible> = runtime().block_on(async {
        let listener = TcpListener::bind(at).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(takes)));
        }
    });
    panic!("it ended: {ended:?}")
}

async fn takes(request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, hyper::Error> {
    request.into_body().collect().await?;
    Ok(Response::new(Empty::new()))
}
