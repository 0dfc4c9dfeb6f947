//! [`HttpCheck`]: a member is well if it says so, over HTTP or in gRPC's health protocol.

use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::pin;
use std::io;
use std::string::String;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::vec::Vec;

use ::hyper::body::Incoming;
use ::hyper::client::conn::{http1, http2};
use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::checks::Check;
use crate::upstream::seat::Seat;

/// A member is well if it answers over HTTP/1.1 with a status of 200 to 299, or over gRPC by `grpc.health.v1`. It needs
/// the feature `proxy`.
///
/// Each check makes a connection of its own, without TLS, and closes it at the end. So it also finds a member that
/// accepts no new connections while its old ones go on. What is read of a reply is bounded: the head to 16 KiB over
/// HTTP/1.1 and 16 KB over HTTP/2, and a gRPC message to 1 KiB; the body of an HTTP/1.1 reply is not read.
///
/// ```
/// use std::net::SocketAddr;
///
/// use chain_runtime::upstream::HttpCheck;
///
/// let pages = HttpCheck::get("/health".parse()?, |address: &SocketAddr| address.to_string());
/// let orders = HttpCheck::grpc("shop.Orders", |address: &SocketAddr| address.to_string());
/// # drop((pages, orders));
/// # Ok::<(), http::uri::InvalidUri>(())
/// ```
#[derive(Clone, Debug)]
pub struct HttpCheck<F> {
    authority: F,
    asks: Asks,
}

#[derive(Clone, Debug)]
enum Asks {
    Get(PathAndQuery),
    Grpc(Bytes),
}

/// The method by which gRPC services are asked about their health.
const GRPC: &str = "/grpc.health.v1.Health/Check";

/// The most bytes of a reply's head. hyper needs at least 8 KiB.
const HEAD: usize = 16 << 10;

/// The most bytes of a gRPC message, with its prefix.
const MESSAGE: usize = 1 << 10;

impl<F> HttpCheck<F> {
    /// Gets this path. `authority` gives the host and the port of an endpoint.
    pub const fn get<T>(path: PathAndQuery, authority: F) -> Self
    where
        F: Fn(&T) -> String,
    {
        Self { authority, asks: Asks::Get(path) }
    }

    /// Calls `grpc.health.v1.Health/Check` for this service. An empty name stands for the whole process.
    pub fn grpc<T>(service: &str, authority: F) -> Self
    where
        F: Fn(&T) -> String,
    {
        Self { authority, asks: Asks::Grpc(request_of(service).into()) }
    }
}

/// `HealthCheckRequest { string service = 1 }` as a message without compression; an empty name is not written.
fn request_of(service: &str) -> Vec<u8> {
    let mut request = Vec::new();
    if !service.is_empty() {
        request.push(0x0a);
        let mut length = service.len();
        while length >= 0x80 {
            request.push(length as u8 | 0x80);
            length >>= 7;
        }
        request.push(length as u8);
        request.extend(service.bytes());
    }
    let mut message = [&[0], &(request.len() as u32).to_be_bytes()[..]].concat();
    message.extend(request);
    message
}

impl<T, F> Check<T> for HttpCheck<F>
where
    T: Send + Sync,
    F: Fn(&T) -> String + Send + Sync + 'static,
{
    type Error = HttpIll;

    async fn check(&self, seat: &Seat<T>) -> Result<(), HttpIll> {
        let authority = (self.authority)(seat.endpoint());
        let stream = TcpStream::connect(&authority).await.map_err(HttpIll::Connect)?;
        let io = TokioIo::new(stream);
        match &self.asks {
            Asks::Get(path) => {
                let request = Request::get(path.as_str()).header(header::HOST, &authority);
                let request = request.body(Full::<Bytes>::default()).map_err(HttpIll::Unaskable)?;
                let mut client = http1::Builder::new();
                let (mut sender, connection) = client.max_buf_size(HEAD).handshake(io).await.map_err(HttpIll::Http)?;
                let answer = async move { is_ok(&sender.send_request(request).await.map_err(HttpIll::Http)?) };
                beside(answer, connection).await
            }
            Asks::Grpc(message) => {
                let request = Request::post(std::format!("http://{authority}{GRPC}"))
                    .header(header::CONTENT_TYPE, "application/grpc")
                    .header(header::TE, "trailers");
                let request = request.body(Full::new(message.clone())).map_err(HttpIll::Unaskable)?;
                // It is held here, and dropped with this future. The tasks in it know it only weakly, or it would hold
                // itself.
                let beneath = Arc::new(Mutex::new(JoinSet::new()));
                let mut client = http2::Builder::new(Beneath(Arc::downgrade(&beneath)));
                let client = client.max_header_list_size(HEAD as u32);
                let (mut sender, connection) = client.handshake(io).await.map_err(HttpIll::Http)?;
                let answer = async move {
                    let reply = sender.send_request(request).await.map_err(HttpIll::Http)?;
                    is_ok(&reply)?;
                    serves(reply).await
                };
                beside(answer, connection).await
            }
        }
    }
}

fn is_ok(reply: &Response<Incoming>) -> Result<(), HttpIll> {
    if reply.status().is_success() { Ok(()) } else { Err(HttpIll::Status(reply.status())) }
}

/// Whether the reply is `HealthCheckResponse { ServingStatus status = 1 }` with `SERVING`, which is 1.
async fn serves(reply: Response<Incoming>) -> Result<(), HttpIll> {
    const SERVING: &[u8] = &[0, 0, 0, 0, 2, 0x08, 1];
    let body = Limited::new(reply.into_body(), MESSAGE).collect().await.map_err(|_| HttpIll::NotServing)?;
    let is_error = body.trailers().and_then(|fields| fields.get("grpc-status")).is_some_and(|status| status != "0");
    if is_error || body.to_bytes() != SERVING { Err(HttpIll::NotServing) } else { Ok(()) }
}

/// Polls the connection as long as the answer is wanted, and then drops it.
async fn beside<A: Future>(answer: A, connection: impl Future) -> A::Output {
    let (mut answer, mut connection) = (pin!(answer), pin!(connection));
    let mut is_open = true;
    poll_fn(|context| {
        let polled = answer.as_mut().poll(context);
        if polled.is_pending() && is_open {
            // When the connection brings the answer, it wakes this task.
            is_open = connection.as_mut().poll(context).is_pending();
        }
        polled
    })
    .await
}

/// Runs the tasks that a connection of HTTP/2 needs, for no longer than the check.
#[derive(Clone)]
struct Beneath(Weak<Mutex<JoinSet<()>>>);

impl<W> ::hyper::rt::Executor<W> for Beneath
where
    W: Future<Output: Send + 'static> + Send + 'static,
{
    fn execute(&self, work: W) {
        if let Some(tasks) = self.0.upgrade() {
            tasks.lock().unwrap_or_else(PoisonError::into_inner).spawn(async move { drop(work.await) });
        }
    }
}

/// Why a member is not well.
#[derive(Debug)]
#[non_exhaustive]
pub enum HttpIll {
    /// The given authority or the path is invalid.
    Unaskable(http::Error),
    /// The member accepts no connection.
    Connect(io::Error),
    /// There was no reply.
    Http(::hyper::Error),
    /// The reply has this status.
    Status(StatusCode),
    /// The reply does not say that the member is serving.
    NotServing,
}

impl fmt::Display for HttpIll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unaskable(error) => write!(f, "it cannot be asked: {error}"),
            Self::Connect(error) => write!(f, "no connection: {error}"),
            Self::Http(error) => write!(f, "no reply: {error}"),
            Self::Status(status) => write!(f, "it replies {status}"),
            Self::NotServing => f.write_str("it does not say that it is serving"),
        }
    }
}

impl core::error::Error for HttpIll {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Unaskable(error) => Some(error),
            Self::Connect(error) => Some(error),
            Self::Http(error) => Some(error),
            Self::Status(_) | Self::NotServing => None,
        }
    }
}
