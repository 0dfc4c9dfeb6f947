//! The servers in Rust: one program, one thread, one connection a task. They differ by the service alone.

use std::convert::Infallible;
use std::io::{self, Read};

use bytes::Bytes;
use chain_runtime::Pool;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tower::ServiceExt;

use crate::nodes::{Gateway, Visit};
use crate::requests::BODY;
use crate::{calls, from_fn};

/// What the servers are called when the bench starts itself, and in its tables: first the bare one, then the chain's.
pub(crate) const KINDS: [(&str, &str); 4] = [
    ("hyper", "hyper, bare"),
    ("chain", "hyper, 37-node chain!"),
    ("calls", "hyper, 37 calls by hand"),
    ("axum", "axum, 37 from_fn"),
];

/// Serves until whoever started this is gone.
pub(crate) fn run(kind: &str) -> io::Result<()> {
    std::thread::spawn(|| {
        // Nothing is ever sent: this ends with whoever holds the other end.
        let _ = io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    // A process serves until it ends.
    let gateway: &'static Gateway = Box::leak(Box::new(Gateway::new(0)));
    let pool: &'static Pool<Visit> = Box::leak(Box::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async move {
        match kind {
            "hyper" => serve(service_fn(|_| async { Ok(response(StatusCode::OK, HeaderMap::new())) })).await,
            "chain" => {
                serve(service_fn(move |request: Request<Incoming>| async move {
                    let (parts, _body) = request.into_parts();
                    let mut visit = pool.get();
                    let status = gateway.run(&parts.method, &parts.uri, &parts.headers, &mut visit).await;
                    Ok(response(status, leave(&mut visit, parts.headers)))
                }))
                .await
            }
            "calls" => {
                serve(service_fn(move |request: Request<Incoming>| async move {
                    let (parts, _body) = request.into_parts();
                    let mut visit = pool.get();
                    let status = calls::run(gateway, &parts.method, &parts.uri, &parts.headers, &mut visit).await;
                    Ok(response(status, leave(&mut visit, parts.headers)))
                }))
                .await
            }
            "axum" => {
                let service = from_fn::service(gateway);
                serve(TowerToHyperService::new(
                    service.map_request(|request: Request<Incoming>| request.map(axum::body::Body::new)),
                ))
                .await
            }
            _ => Err(io::Error::other(format!("there is no server called `{kind}`"))),
        }
    })
}

/// The response's head goes out, and the request's is emptied in its place: one map in, one map out.
fn leave(visit: &mut Visit, mut of_request: HeaderMap) -> HeaderMap {
    of_request.clear();
    std::mem::replace(&mut visit.headers, of_request)
}

fn response(status: StatusCode, headers: HeaderMap) -> Response<Full<Bytes>> {
    let body = if status == StatusCode::OK { Bytes::from_static(BODY.as_bytes()) } else { Bytes::new() };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

async fn serve<S, B>(service: S) -> io::Result<()>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future: Send> + Clone + Send + 'static,
    B: Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening {}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        // A client that goes away is no error of the server's.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service.clone()));
    }
}
