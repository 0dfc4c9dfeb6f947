//! The servers in Rust: one program, one thread, one task for each connection. They differ only in the service.

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

use crate::light::{Additions, Headers, headers_by_hand};
use crate::nodes::{Gateway, Visit};
use crate::requests::BODY;
use crate::{calls, from_fn};

/// What the servers are called when the bench starts itself, and in its tables. The others are held against the first.
pub(crate) const KINDS: [(&str, &str); 7] = [
    ("bare", "hyper, bare"),
    ("additions", "hyper, 37 nodes, an addition each"),
    ("headers", "hyper, 37 nodes, a header each"),
    ("loop", "hyper, 36 headers in a loop"),
    ("chain", "hyper, 37-node chain!"),
    ("calls", "hyper, 37 calls by hand"),
    ("axum", "axum, 37 from_fn"),
];
/// The first so many are not the gateway: they reply with its body, and without its fields.
pub(crate) const SIMPLE: usize = 4;

/// Serves what needs nothing but a request's headers and a number. (An `AsyncFn` cannot be asked for `Send` futures.)
macro_rules! light {
    (|$headers:ident, $sum:ident| $status:expr) => {
        serve(service_fn(|request: Request<Incoming>| async move {
            let ($sum, $headers) = (&mut 0, request.headers());
            let status = $status;
            Ok(response(status, HeaderMap::new()))
        }))
        .await
    };
}

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
            "bare" => serve(service_fn(|_| async { Ok(response(StatusCode::OK, HeaderMap::new())) })).await,
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
            "additions" => light!(|headers, sum| Additions.run(headers, sum).await),
            "headers" => light!(|headers, sum| Headers.run(headers, sum).await),
            "loop" => light!(|headers, sum| headers_by_hand(headers, sum)),
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
