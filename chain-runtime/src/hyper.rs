//! hyper 1: a chain as a [`Service`].
//!
//! | the chain's inputs | |
//! | --- | --- |
//! | the request, or its head and its body | [`service`] |
//! | these, and memory that serves one request after another | [`service_over`], with the feature `pool` |
//! | it is of the short form | `context_service`, with the features `pool` and `http` |
//!
//! Nothing is boxed. A service is made once and cloned for each connection, which costs the handle of the chain; hyper drops a request's
//! future where the client is gone, and the chain's `cancelled` hooks run.
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
//!         Err(status) => return Ok(empty(status)),                 //  what breaks becomes the reply by its type
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
use core::ops::Deref;

use ::hyper::service::Service;

use crate::embed::{Chain, Embedded, Inputs};

/// A chain whose inputs are the request, or its head and its body, as a service that never fails.
pub fn service<H, C, T, I, R>(
    chain: H,
) -> impl Service<T, Response = R, Error = Infallible, Future = impl Future<Output = Result<R, Infallible>>> + Clone
where
    H: Deref<Target = C> + Clone,
    C: Chain<I, R>,
    I: Inputs<T>,
{
    Embedded { chain, run: |chain: H, request: T| async move { Ok(C::run_owned(chain, I::of(request)).await) } }
}

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
#[cfg(all(feature = "pool", feature = "http"))]
pub use over::context_service;
#[cfg(feature = "pool")]
pub use over::service_over;
