//! gRPC, unary: what is asked, who answers, and whether the answer came as it was given.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, TE};
use http::{HeaderMap, HeaderName, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper::{client, server};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};

use crate::contenders::KEY;
use crate::load::runtime;

/// All paths that begin so are gRPC.
pub(crate) const PREFIX: &str = "/bench.Echo";
/// The method.
pub(crate) const PATH: &str = "/bench.Echo/Say";

const STATUS: HeaderName = HeaderName::from_static("grpc-status");
pub(crate) const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");

/// A message of 128 bytes behind gRPC's prefix: it is not compressed, and its length.
pub(crate) fn message() -> Bytes {
    let mut framed = vec![0, 0, 0, 0, 128];
    framed.extend([b'x'; 128]);
    framed.into()
}

/// The upstream, on one thread, for ever: each message is sent back, and trailers say that it went well.
pub(crate) fn echo(at: &str) -> ! {
    let at: SocketAddr = at.parse().expect("address:port");
    let runtime = runtime();
    let ended: std::io::Result<Infallible> = runtime.block_on(async {
        let listener = TcpListener::bind(at).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let mut connection = server::conn::http2::Builder::new(TokioExecutor::new());
            connection.max_concurrent_streams(1_024);
            tokio::spawn(connection.serve_connection(TokioIo::new(stream), service_fn(say)));
        }
    });
    panic!("it ended: {ended:?}")
}

async fn say(
    request: Request<Incoming>,
) -> Result<Response<impl Body<Data = Bytes, Error = Infallible>>, hyper::Error> {
    let message = request.into_body().collect().await?.to_bytes();
    let trailers = HeaderMap::from_iter([(STATUS, HeaderValue::from_static("0"))]);
    let mut reply = Response::new(Full::new(message).with_trailers(async { Some(Ok(trailers)) }));
    reply.headers_mut().insert(CONTENT_TYPE, GRPC);
    Ok(reply)
}

/// Asks once. h2load does not look at messages and trailers, so this is done before.
pub(crate) fn check(at: SocketAddr) -> Result<(), String> {
    let asked: Result<_, Box<dyn std::error::Error>> = runtime().block_on(async {
        let stream = TokioIo::new(TcpStream::connect(at).await?);
        let (mut sender, connection) = client::conn::http2::handshake(TokioExecutor::new(), stream).await?;
        tokio::spawn(connection);
        let request = Request::post(format!("http://bench{PATH}")).header(CONTENT_TYPE, GRPC);
        let request = request.header(TE, "trailers").header("x-api-key", KEY).body(Full::new(message()))?;
        let (head, body) = sender.send_request(request).await?.into_parts();
        let body = body.collect().await?;
        Ok((head.status, body.trailers().and_then(|trailers| trailers.get(STATUS)).cloned(), body.to_bytes()))
    });
    match asked.map_err(|error| error.to_string())? {
        (_, Some(status), said) if status == "0" && said == message() => Ok(()),
        (status, trailer, said) => Err(format!("{status}, grpc-status {trailer:?}, {} bytes", said.len())),
    }
}
