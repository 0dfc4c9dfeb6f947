//! hyper 1: a chain as a [`Service`].
//!
//! | the chain's inputs | |
//! | --- | --- |
//! | the request, or its head and its body | [`service`] |
//! | these, and memory that is reused from request to request | [`service_over`], with the feature `pool` |
//! | those of the short form | [`context_service`], with the feature `pool` |
//!
//! The reply is framed by its body, whatever fields a node set. A reply to `HEAD`, a 204 and a 304 have no content,
//! over HTTP/2 as well: see [`framing`](crate::framing).
//!
//! Nothing is boxed. A service is made once and cloned for each connection, which clones the handle of the chain. hyper
//! drops a request's future if the client is gone, and then the chain's `cancelled` hooks run.
//!
//! ```
//! use std::sync::Arc;
//!
//! use chain_runtime::{chain, hyper, node};
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use ::hyper::body::Bytes;
//! # use ::hyper::service::Service;
//!
//! #[node]
//! async fn greet<B>(request: &Request<B>) -> Response<Full<Bytes>> {
//!     Response::new(Full::from(format!("hello, {}", request.uri().path())))
//! }
//!
//! # type Incoming = Full<Bytes>;
//! chain! {
//!     struct Gateway;
//!     async fn(request: Request<Incoming>) -> Response<Full<Bytes>> { greet::<Incoming> }
//! }
//!
//! let service = hyper::service(Arc::new(Gateway));
//! // For each connection: http1::Builder::new().serve_connection(TokioIo::new(stream), service.clone())
//! # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
//! # let reply = runtime.block_on(service.call(Request::get("/ada").body(Full::default()).unwrap())).unwrap();
//! # assert_eq!(reply.status(), 200);
//! ```
//!
//! # From a function to a chain
//!
//! ```text
//! async fn handle(keys: Arc<Keys>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
//!     let started = Instant::now();
//!     let user = match auth(&request, &keys) {                     //  log => auth => ratelimit => answer
//!         Ok(user) => user,
//!         Err(status) => return Ok(empty(status)),                 //  a break becomes the reply by its type
//!     };
//!     if !LIMITER.allows(&user) {
//!         return Ok(empty(StatusCode::TOO_MANY_REQUESTS));         //  these two lines forget the log
//!     }
//!     let reply = answer(request, &user).await;
//!     println!("{} in {:?}", reply.status(), started.elapsed());   //  `exit` and `cancelled` of `log`: on every way out
//!     Ok(reply)
//! }
//! ```

use core::convert::Infallible;
use core::future::Future;

use ::hyper::service::Service;

use http_body::Body;

use crate::embed::{Chain, Embedded, Handle, Inputs};
use crate::framing::{Asked, Sent};

/// A chain whose inputs are the request, or its head and its body, as a service that never fails.
pub fn service<H, C, T, I, R>(
    chain: H,
) -> impl Service<T, Response = R::Sent, Error = Infallible, Future = impl Future<Output = Result<R::Sent, Infallible>>>
+ Clone
where
    H: Handle<Chain = C>,
    C: Chain<I, R>,
    I: Inputs<T>,
    R: Answers<T>,
{
    Embedded {
        chain,
        run: |chain: H, request: T| {
            let asked = R::asked(&request);
            async move { Ok(C::run_owned(chain, I::of(request)).await.sent(asked)) }
        },
    }
}

/// What hyper is given for a chain's reply to a `Request`.
///
/// For an `http::Response<B>` that is the response after [`framing::sent`](crate::framing::sent). Numbers and text are
/// given unchanged, for a service that is not behind an HTTP server.
#[diagnostic::on_unimplemented(
    message = "chain[E802]: `{Self}` is no reply to a `{Request}`",
    label = "hyper sends an `http::Response<B>`, where `B` is a `Body`",
    note = "let the chain reply with an `http::Response<B>` to an `http::Request<_>`; whatever is `IntoReply<http::Response<B>>` may be given and broken with in it"
)]
pub trait Answers<Request> {
    /// The type that is given to hyper.
    type Sent;
    /// What has to be known of the request when the reply is sent and the request is gone.
    type Asked;

    /// Reads this from the request.
    fn asked(request: &Request) -> Self::Asked;

    /// This reply to that request, ready to be sent.
    fn sent(self, asked: Self::Asked) -> Self::Sent;
}

impl<Q, B: Body> Answers<http::Request<Q>> for http::Response<B> {
    type Sent = http::Response<Sent<B>>;
    type Asked = Asked;

    #[inline]
    fn asked(request: &http::Request<Q>) -> Asked {
        Asked::of(request)
    }

    #[inline]
    fn sent(self, asked: Asked) -> Self::Sent {
        asked.sent(self)
    }
}

macro_rules! as_they_are {
    ($($ty:ty)+) => {$(
        impl<Request> Answers<Request> for $ty {
            type Sent = Self;
            type Asked = ();

            #[inline]
            fn asked(_: &Request) {}

            #[inline]
            fn sent(self, (): ()) -> Self {
                self
            }
        }
    )+};
}

as_they_are! { () bool u8 u16 u32 u64 usize i32 i64 &'static str std::string::String std::vec::Vec<u8> bytes::Bytes }

impl<H, F, T, R, E, Fut> Service<T> for Embedded<H, F>
where
    H: Clone,
    F: Fn(H, T) -> Fut,
    Fut: Future<Output = Result<R, E>>,
{
    type Response = R;
    type Error = E;
    type Future = Fut;

    #[inline]
    fn call(&self, request: T) -> Fut {
        (self.run)(self.chain.clone(), request)
    }
}

#[cfg(feature = "pool")]
mod over;
#[cfg(feature = "pool")]
pub use over::{context_service, service_over};
