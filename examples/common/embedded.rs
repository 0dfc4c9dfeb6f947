//! An upstream to try a gateway with: it reports the request, echoes, streams, is slow, and breaks off.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use chain_runtime::proxy::Upstream;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::time::{Interval, interval, sleep};

use super::failure::Failure;

type Reply = Response<Either<Full<Bytes>, Either<Incoming, Ticks>>>;

/// Starts one with this name, on a free port of this machine.
pub(crate) async fn start(name: &'static str) -> Result<Upstream, Failure> {
    let failed = |error| Failure::failed(format_args!("cannot start the embedded upstream: {error}"));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let answer = move |request| reply(name, request);
    tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)));
                }
                Err(_) => sleep(Duration::from_millis(50)).await,
            }
        }
    });
    format!("http://{address}").parse().map_err(Failure::failed)
}

/// The connection ends without a reply, which is what hyper makes of any error.
#[derive(Debug)]
struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("broken on purpose")
    }
}

impl std::error::Error for Broken {}

async fn reply(name: &str, request: Request<Incoming>) -> Result<Reply, Broken> {
    Ok(Response::new(match request.uri().path() {
        "/broken" => return Err(Broken),
        "/echo" => Either::Right(Either::Left(request.into_body())),
        "/ticks" => Either::Right(Either::Right(Ticks { left: 5, interval: interval(Duration::from_millis(300)) })),
        "/slow" => {
            let seconds = request.uri().query().and_then(|query| query.parse().ok()).unwrap_or(2);
            sleep(Duration::from_secs(seconds)).await;
            Either::Left(Full::from("that took a while\n"))
        }
        _ => Either::Left(Full::from(mirror(name, &request))),
    }))
}

/// What the upstream with this name saw of the request.
fn mirror(name: &str, request: &Request<Incoming>) -> String {
    let mut text = format!("{name}: {} {} {:?}\n", request.method(), request.uri(), request.version());
    for (name, value) in request.headers() {
        let _ = writeln!(text, "{name}: {}", String::from_utf8_lossy(value.as_bytes()));
    }
    text
}

/// A body that takes its time.
struct Ticks {
    left: u8,
    interval: Interval,
}

impl Body for Ticks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        ready!(self.interval.poll_tick(cx));
        self.left -= 1;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"tick\n")))))
    }
}
