//! A chain behind hyper's HTTP/1 server, in a task for each connection; it asks itself one question and stops.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use chain_runtime::{chain, node};
use http::request::Parts;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Takes the body by value: it can be read once.
#[node]
async fn echo(request: &Parts, body: Incoming) -> Result<Response<Full<Bytes>>, BadBody> {
    let body = body.collect().await.map_err(|_| BadBody)?.to_bytes();
    let text = format!("{} {} with {} bytes\n", request.method, request.uri, body.len());
    Ok(Response::new(Full::from(text)))
}

struct BadBody;

impl chain_runtime::IntoReply<Response<Full<Bytes>>> for BadBody {
    fn into_reply(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::default());
        *response.status_mut() = http::StatusCode::BAD_REQUEST;
        response
    }
}

chain! {
    struct Gateway;

    async fn(request: Parts, body: Incoming) -> Response<Full<Bytes>> {
        echo
    }
}

async fn serve(listener: TcpListener, gateway: Gateway) -> io::Result<()> {
    let gateway = Arc::new(gateway);
    loop {
        let (stream, _) = listener.accept().await?;
        let gateway = Arc::clone(&gateway);
        tokio::spawn(async move {
            let service = service_fn(|request: Request<Incoming>| async {
                let (parts, body) = request.into_parts();
                Ok::<_, Infallible>(gateway.run(parts, body).await)
            });
            http1::Builder::new().serve_connection(TokioIo::new(stream), service).await
        });
    }
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(serve(listener, Gateway));

    let mut client = TcpStream::connect(address).await?;
    client
        .write_all(b"POST /greeting HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello")
        .await?;
    let mut reply = String::new();
    client.read_to_string(&mut reply).await?;
    println!("{reply}");
    Ok(())
}
