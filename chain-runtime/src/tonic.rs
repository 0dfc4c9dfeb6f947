//! tonic 0.14: a chain in front of gRPC services, and as the body of a method.
//!
//! | | its inputs, its reply | used as |
//! | --- | --- | --- |
//! | [`layer`], for all methods | [`Request`], `Permit<Routes, Request>`; a [`Reply`] | `Server::builder().layer(layer(chain))` |
//! | [`layer`], for one service | [`Request`], `Permit<GreeterServer<Greeter>, Request>`; a [`Reply`] | `layer(chain).named_layer(GreeterServer::new(greeter))` |
//! | a method's body | `tonic::Request<M>`; `Result<tonic::Response<N>, Status>` | `self.chain.run(request).await` |
//! | [`tower::try_service`](crate::tower::try_service) | the same | tonic's `UnaryService`, `StreamingService` and so on, for servers without generated code |
//! | a client as a node | | a field of its type, and a clone of it for each call: `client.clone().say_hello(..)` |
//! | any gRPC upstream as a node | [`Request`] | a field of the type [`tower::Call<Channel, Request>`](crate::tower::Call) |
//!
//! A [`layer`] does what interceptors are for: it sees the metadata as the request's headers, unary or streaming,
//! before a message is read. It breaks with a [`Status`], which is sent as gRPC sends it. Unlike an interceptor, it may
//! wait, it sees the response on its way out, and what it finds is typed. This module boxes nothing. tonic's
//! `async_trait` boxes the body of a generated method.
//!
//! ```
//! use std::sync::Arc;
//!
//! use ::tonic::Status;
//! use ::tonic::body::Body;
//! use chain_runtime::tonic::{Reply, Request, Timeout, layer};
//! use chain_runtime::tower::{Permit, forward};
//! use chain_runtime::{chain, node};
//! # use std::convert::Infallible;
//! # use tower::{Layer, Service, ServiceExt};
//!
//! struct User(&'static str);
//! struct Keys { ada: &'static str }
//!
//! #[node]
//! fn auth(request: &Request, keys: &Keys) -> Result<User, Status> {
//!     let token = request.headers().get("authorization").and_then(|token| token.to_str().ok());
//!     token.filter(|token| *token == keys.ada).map(|_| User("ada")).ok_or_else(|| Status::unauthenticated("who is there?"))
//! }
//!
//! # #[derive(Clone)]
//! # struct Routes;
//! # impl Service<Request> for Routes {
//! #     type Response = http::Response<Body>;
//! #     type Error = Infallible;
//! #     type Future = std::future::Ready<Result<http::Response<Body>, Infallible>>;
//! #     fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> { Ok(()).into() }
//! #     fn call(&mut self, _: Request) -> Self::Future { std::future::ready(Ok(http::Response::new(Body::empty()))) }
//! # }
//! chain! {
//!     pub struct Guard { keys: Keys, timeout: Timeout }
//!     async fn(request: Request, inner: Permit<Routes, Request>) -> Reply {
//!         auth => timeout { forward::<Routes, Request> }
//!     }
//! }
//!
//! let guard = layer(Arc::new(Guard { keys: Keys { ada: "lovelace" }, timeout: Timeout::asked() }));
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
//! # runtime.block_on(async {
//! # let ask = async |name: &'static str, value: &'static str| {
//! #     let request = Request::default();
//! #     let (mut head, body) = request.into_parts();
//! #     head.headers.insert(name, value.parse().unwrap());
//! #     let reply = guard.layer(Routes).oneshot(Request::from_parts(head, body)).await.unwrap();
//! #     Status::from_header_map(reply.headers()).map(|status| status.code())
//! # };
//! # assert_eq!(ask("authorization", "lovelace").await, None);
//! # assert_eq!(ask("authorization", "?").await, Some(::tonic::Code::Unauthenticated));
//! # });
//! // Server::builder().layer(guard).add_service(GreeterServer::new(greeter)).serve(address).await
//! ```
//!
//! # What becomes a status
//!
//! | a node gives up with | in a [`Reply`], and in a `Result<_, Status>` |
//! | --- | --- |
//! | [`Status`] | itself |
//! | [`Expired`] of `Deadline`, `Timeout` | `DEADLINE_EXCEEDED` |
//! | [`Overloaded`] of `Concurrency` | `RESOURCE_EXHAUSTED` |
//! | [`Panicked`] of `CatchPanic` | `INTERNAL`, without the panic's payload |
//!
//! # From interceptors to a chain
//!
//! | tonic | here | a mistake is seen |
//! | --- | --- | --- |
//! | `fn check(request: Request<()>) -> Result<Request<()>, Status>` | `#[node] fn auth(request: &Request, ..) -> Result<User, Status>` | |
//! | `request.extensions_mut().insert(user)`, `.get::<User>().unwrap()` | `auth` returns a `User`, later nodes ask for `&User` | by the compiler; it was a panic |
//! | `GreeterServer::with_interceptor(greeter, check)` | `layer(chain).named_layer(GreeterServer::new(greeter))` | |
//! | two interceptors, in the order of their layers | `auth => quota` | a wrong order does not compile |
//! | an interceptor cannot wait, nor see the response | nodes are `async`, and have `exit` | |
//!
//! A generated method still gets what a layer finds from the request's extensions, because the trait that tonic
//! generates lies between them. To have it typed to the end, let the method's body be a chain with `auth` as one of its
//! nodes.

use core::convert::Infallible;
use core::future::Future;
use core::pin::Pin;
use core::time::Duration;

use ::tonic::Status;
use ::tonic::body::Body;
use chain_macros::node;
use http::HeaderMap;
use tower_layer::Layer;
use tower_service::Service;

#[cfg(feature = "tokio")]
use crate::around::TokioTimer;
use crate::around::{Deadline, Expired, Overloaded, Panicked, Timer};
use crate::embed::{Chain, Handle};
use crate::flow::IntoReply;
use crate::framing::{Asked, Settled};
use crate::tower::{Layering, Permit};

/// A call as tonic's server takes it: the metadata are its headers, the messages its body.
pub type Request = http::Request<Body>;

/// The reply of a chain in front of gRPC services. A [`Status`] becomes one.
///
/// It is a type of its own, because an error of this crate that becomes a plain HTTP response has an HTTP status there,
/// and in gRPC the HTTP status is `200 OK`, with gRPC's status in a field. A node with a way out asks for
/// `reply: &mut Reply`, and has the response in its field.
#[derive(Debug)]
pub struct Reply(pub http::Response<Body>);

impl From<Reply> for http::Response<Body> {
    #[inline]
    fn from(reply: Reply) -> Self {
        reply.0
    }
}

impl IntoReply<Reply> for http::Response<Body> {
    #[inline]
    fn into_reply(self) -> Reply {
        Reply(self)
    }
}

/// As gRPC sends it: a response that ends with its head.
impl IntoReply<Reply> for Status {
    fn into_reply(self) -> Reply {
        Reply(self.into_http())
    }
}

/// This cannot happen.
impl IntoReply<Reply> for Infallible {
    #[inline]
    fn into_reply(self) -> Reply {
        match self {}
    }
}

/// `DEADLINE_EXCEEDED`
impl From<Expired> for Status {
    fn from(_: Expired) -> Self {
        Self::deadline_exceeded("the deadline has passed")
    }
}

/// `RESOURCE_EXHAUSTED`
impl From<Overloaded> for Status {
    fn from(_: Overloaded) -> Self {
        Self::resource_exhausted("too many calls at once")
    }
}

/// `INTERNAL`: the panic's payload is not for the client.
impl From<Panicked> for Status {
    fn from(_: Panicked) -> Self {
        Self::internal("the call failed")
    }
}

/// `DEADLINE_EXCEEDED`
impl IntoReply<Reply> for Expired {
    fn into_reply(self) -> Reply {
        Status::from(self).into_reply()
    }
}

/// `RESOURCE_EXHAUSTED`
impl IntoReply<Reply> for Overloaded {
    fn into_reply(self) -> Reply {
        Status::from(self).into_reply()
    }
}

/// `INTERNAL`
impl IntoReply<Reply> for Panicked {
    fn into_reply(self) -> Reply {
        Status::from(self).into_reply()
    }
}

/// A chain over the [`Request`] and the [`Permit`] to call the inner service, as a layer: for `Server::layer`, and,
/// with tonic's `LayerExt::named_layer`, for one service.
///
/// Its reply is a [`Reply`] or a response.
pub fn layer<H, C, S, R>(
    chain: H,
) -> impl Layer<
    S,
    Service = impl Service<
        Request,
        Response = http::Response<Body>,
        Error = S::Error,
        Future = impl Future<Output = Result<http::Response<Body>, S::Error>>,
    > + Clone,
> + Clone
where
    H: Handle<Chain = C>,
    C: Chain<(Request, Permit<S, Request>), R>,
    S: Service<Request> + Clone,
    R: Into<http::Response<Body>>,
{
    let run = |chain: H, request: Request, permit: Permit<S, Request>| {
        let asked = Asked::of(&request);
        async move {
            let mut response = C::run_owned(chain, (request, permit)).await.into();
            Ok(match asked.settle(&mut response) {
                Settled::Empty => response.map(|_| Body::empty()),
                _ => response,
            })
        }
    };
    Layering { chain, run, not_ready: (|error| error) as fn(S::Error) -> S::Error }
}

/// How long the caller waits at most, from its `grpc-timeout`; `None` if it does not say.
///
/// # Errors
///
/// `INVALID_ARGUMENT`, if the field is not one to eight digits and a unit (`H`, `M`, `S`, `m`, `u` or `n`), or is there
/// twice.
pub fn timeout(metadata: &HeaderMap) -> Result<Option<Duration>, Status> {
    let mut fields = metadata.get_all("grpc-timeout").into_iter();
    let Some(field) = fields.next() else { return Ok(None) };
    match (duration(field.as_bytes()), fields.next()) {
        (Some(duration), None) => Ok(Some(duration)),
        _ => Err(Status::invalid_argument("grpc-timeout is one to eight digits and a unit: H, M, S, m, u or n")),
    }
}

fn duration(field: &[u8]) -> Option<Duration> {
    let (unit, digits) = field.split_last()?;
    if !(1..=8).contains(&digits.len()) {
        return None;
    }
    let count = digits.iter().try_fold(0_u64, |count, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        Some(count * 10 + digit)
    })?;
    Some(match unit {
        b'H' => Duration::from_secs(count * 60 * 60),
        b'M' => Duration::from_secs(count * 60),
        b'S' => Duration::from_secs(count),
        b'm' => Duration::from_millis(count),
        b'u' => Duration::from_micros(count),
        b'n' => Duration::from_nanos(count),
        _ => return None,
    })
}

/// Limits a block to the time for which the caller waits, as the call's `grpc-timeout` says. It asks for the
/// [`Request`].
///
/// It is a [`Deadline`]: inner ones inherit it, and [`Deadline::current`] is the time that is left for an upstream.
/// Without a `grpc-timeout`, and without a limit of the service's own, the block is not limited.
///
/// # Contract
///
/// - The time counts from the entering of the node until the response begins: a stream that has begun goes on.
/// - When the time is up, the block is abandoned with [`Expired`]: `DEADLINE_EXCEEDED`.
/// - A `grpc-timeout` that cannot be read breaks with `INVALID_ARGUMENT`.
/// - tonic's own server also drops a call when the caller's time is up. Either may come first. So the nodes before this
///   one may be left by `exit` or by `cancelled`.
#[derive(Clone, Copy, Debug)]
pub struct Timeout<#[cfg(feature = "tokio")] T = TokioTimer, #[cfg(not(feature = "tokio"))] T> {
    at_most: Option<Duration>,
    timer: T,
}

#[cfg(feature = "tokio")]
impl Timeout {
    /// Waits as long as the caller asks for.
    #[must_use]
    pub const fn asked() -> Self {
        Self::asked_on(TokioTimer)
    }

    /// Waits as long as the caller asks for, but no longer than this, even if the caller does not ask.
    #[must_use]
    pub const fn at_most(limit: Duration) -> Self {
        Self::at_most_on(TokioTimer, limit)
    }
}

impl<T> Timeout<T> {
    /// The same as [`asked`](Timeout::asked), with another timer.
    #[must_use]
    pub const fn asked_on(timer: T) -> Self {
        Self { at_most: None, timer }
    }

    /// The same as [`at_most`](Timeout::at_most), with another timer.
    #[must_use]
    pub const fn at_most_on(timer: T, limit: Duration) -> Self {
        Self { at_most: Some(limit), timer }
    }
}

/// The time by which a call has to be answered.
#[derive(Clone, Copy, Debug)]
pub struct Due<T>(Option<Deadline<T>>);

#[node(crate = crate)]
impl<T: Timer + Clone> Timeout<T> {
    /// Reads how long the caller waits.
    ///
    /// # Errors
    ///
    /// See [`timeout`].
    pub fn enter(&self, request: &Request) -> Result<Due<T>, Status> {
        let limit = match (timeout(request.headers())?, self.at_most) {
            (Some(asked), Some(at_most)) => Some(asked.min(at_most)),
            (asked, at_most) => asked.or(at_most),
        };
        let at = limit.and_then(|limit| self.timer.now().checked_add(limit));
        Ok(Due(at.map(|at| Deadline::until_on(self.timer.clone(), at))))
    }

    /// Polls the block until it is ready or the time is up.
    ///
    /// # Errors
    ///
    /// [`Expired`] if the time is up.
    pub async fn around<B: Future>(&self, due: &Due<T>, block: Pin<&mut B>) -> Result<B::Output, Expired> {
        match &due.0 {
            Some(deadline) => deadline.around(block).await,
            None => Ok(block.await),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &[&str]) -> Result<Option<Duration>, ::tonic::Code> {
        let mut metadata = HeaderMap::new();
        for field in fields {
            metadata.append("grpc-timeout", field.parse().expect("it is a header's value"));
        }
        timeout(&metadata).map_err(|status| status.code())
    }

    #[test]
    fn a_timeout_is_read_as_grpc_writes_it() {
        assert_eq!(read(&[]), Ok(None));
        for (field, seconds) in [("99999999H", 99_999_999.0 * 3600.0), ("2M", 120.0), ("3S", 3.0), ("0S", 0.0)] {
            assert_eq!(read(&[field]), Ok(Some(Duration::from_secs_f64(seconds))), "{field}");
        }
        for (field, nanoseconds) in [("100m", 100_000_000), ("7u", 7_000), ("00000001n", 1)] {
            assert_eq!(read(&[field]), Ok(Some(Duration::from_nanos(nanoseconds))), "{field}");
        }
    }

    #[test]
    fn what_is_no_timeout_is_refused() {
        for field in ["", "S", "1", "+1S", "-1S", "1 S", "1s", "1.5S", "123456789S", "S1", "1SS"] {
            assert_eq!(read(&[field]), Err(::tonic::Code::InvalidArgument), "{field:?}");
        }
        assert_eq!(read(&["1S", "1S"]), Err(::tonic::Code::InvalidArgument));
    }
}
