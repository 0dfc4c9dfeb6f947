//! A chain behind hyper, over HTTP/1 and HTTP/2, until it is told to stop: requests in flight end first.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chain_runtime::{Pool, chain, node};
use http::request::Parts;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Takes the body by value, since it can be read only once, and writes into memory that the connection keeps.
#[node]
async fn echo(head: &Parts, body: Incoming, line: &mut String) -> Result<Response<Full<Bytes>>, StatusCode> {
    use std::fmt::Write as _;
    let body = body.collect().await.map_err(|_| StatusCode::BAD_REQUEST)?.to_bytes();
    let _ = writeln!(line, "{} {} with {} bytes", head.method, head.uri, body.len());
    Ok(Response::new(Full::from(line.clone())))
}

chain! {
    /// Repeats the request.
    pub(crate) struct Gateway;

    async fn(head: Parts, body: Incoming, line: &mut String) -> Response<Full<Bytes>> {
        echo
    }
}

/// Serves until `stopped`, and then until the requests in flight have ended.
pub(crate) async fn serve(listener: TcpListener, lines: Arc<Pool<String>>, stopped: impl Future<Output = ()>) {
    let service = chain_runtime::hyper::service_over(Arc::new(Gateway), lines);
    let (server, graceful) = (auto::Builder::new(TokioExecutor::new()), GracefulShutdown::new());
    let mut stopped = std::pin::pin!(stopped);
    loop {
        let stream = tokio::select! {
            () = &mut stopped => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                // For example, too many files are open: some will be closed.
                Err(_) => { tokio::time::sleep(Duration::from_millis(100)).await; continue }
            },
        };
        // A clone is for another connection.
        let connection = server.serve_connection(TokioIo::new(stream), service.clone()).into_owned();
        tokio::spawn(graceful.watch(connection));
    }
    drop(listener);
    graceful.shutdown().await;
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let stopped = async { drop(stopped.await) };
    let server = tokio::spawn(serve(listener, Arc::new(Pool::default()), stopped));

    let mut client = TcpStream::connect(address).await?;
    client
        .write_all(b"POST /greeting HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello")
        .await?;
    let mut reply = String::new();
    client.read_to_string(&mut reply).await?;
    println!("{reply}");
    drop(stop);
    server.await.expect("the server does not panic");
    Ok(())
}
