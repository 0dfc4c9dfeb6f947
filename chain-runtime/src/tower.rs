//! tower 0.5: a chain as a [`Service`] and as a [`Layer`], and services in a chain.
//!
//! | | |
//! | --- | --- |
//! | a chain as a service | [`service`]; [`try_service`] if its reply is a `Result` |
//! | a chain around another service | [`layer`] and [`try_layer`]: the chain has a [`Permit`] among its inputs, and a node that uses it, such as [`forward()`] |
//! | a service as a node | a field of the type [`Call`] |
//! | a layer as an around node | a field of the type `Layered`, with the feature `pool` |
//!
//! None of them boxes anything. They return `impl Service` and `impl Layer`, because on stable Rust the future of an
//! `async fn` has no name, and so a service with that future as an associated type has none either. The service is
//! `Clone`. It is `Send`, `Sync` and `'static` if the chain, its handle and its future are; axum and tonic ask for
//! that.
//!
//! ```
//! use std::convert::Infallible;
//! use std::sync::Arc;
//!
//! use chain_runtime::tower::{Permit, layer, service};
//! use chain_runtime::{chain, node};
//! use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
//!
//! struct Request(&'static str);
//! struct User(&'static str);
//! struct Unknown;
//!
//! impl chain_runtime::IntoReply<String> for Unknown {
//!     fn into_reply(self) -> String { "401".to_owned() }
//! }
//!
//! #[node]
//! fn auth(request: &Request) -> Result<User, Unknown> {
//!     request.0.strip_prefix('~').map(User).ok_or(Unknown)
//! }
//!
//! /// The last node calls the inner service.
//! #[node]
//! async fn next(request: Request, user: &User, inner: Permit<Inner, Request>) -> String {
//!     let Ok(reply) = inner.call(request).await;
//!     format!("{reply}, {}", user.0)
//! }
//!
//! # type Inner = tower::util::ServiceFn<fn(Request) -> std::future::Ready<Result<String, Infallible>>>;
//! chain! {
//!     struct Guard;
//!     async fn(request: Request, inner: Permit<Inner, Request>) -> String { auth => next }
//! }
//!
//! # fn hello(_: Request) -> std::future::Ready<Result<String, Infallible>> { std::future::ready(Ok("hello".to_owned())) }
//! # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
//! # runtime.block_on(async {
//! let inner: Inner = service_fn(hello);
//! let mut guarded = ServiceBuilder::new().layer(layer(Arc::new(Guard))).service(inner);
//! assert_eq!(guarded.ready().await?.call(Request("~Ada")).await?, "hello, Ada");
//! assert_eq!(guarded.ready().await?.call(Request("/")).await?, "401");
//! # Ok::<_, Infallible>(())
//! # }).unwrap();
//! ```
//!
//! # Readiness
//!
//! A chain is always ready: if it sheds a request, it says so in its reply. As a layer it is as ready as the service
//! that it is around: the service that was ready goes into the [`Permit`], and a clone takes its place for the next
//! request. What was reserved for a request, such as a place in a `ConcurrencyLimit`, is given back if the permit is
//! dropped unused. A [`Call`] asks a clone of its service for each request, in the request's own future.
//!
//! The page `migrate::tower` of this documentation shows, before and after, how to move tower's layers and services to
//! a chain.

use core::convert::Infallible;
use core::future::{Future, poll_fn};
use core::marker::PhantomData;
use core::mem;
use core::task::{Context, Poll};

use chain_macros::node;
use tower_layer::Layer;
use tower_service::Service;

use crate::embed::{Chain, Embedded, Handle, Inputs};

#[cfg(feature = "pool")]
mod layered;
#[cfg(feature = "pool")]
pub use layered::{Layered, Passage, Relay, Relayed};
#[cfg(any(feature = "axum", feature = "pool"))]
mod spare;
#[cfg(all(any(feature = "axum", feature = "pool"), feature = "http-body"))]
pub use spare::Gone;
#[cfg(any(feature = "axum", feature = "pool"))]
pub use spare::{Passing, Spare};

/// A chain as a service. The chain's input is the request, or, for an HTTP request, the head and the body. The service
/// never fails: an error in a chain becomes a reply.
///
/// ```
/// use std::sync::Arc;
///
/// use chain_runtime::tower::service;
/// use chain_runtime::{chain, node};
/// use tower::ServiceExt;
///
/// struct Line(&'static str);
///
/// #[node]
/// async fn count(line: &Line) -> usize { line.0.len() }
///
/// chain! {
///     struct Counting;
///     async fn(line: Line) -> usize { count }
/// }
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// assert_eq!(service(Arc::new(Counting)).oneshot(Line("seven")).await, Ok(5));
/// // If the chain is a static, there is not even an `Arc`.
/// static COUNTING: Counting = Counting;
/// assert_eq!(service(&COUNTING).oneshot(Line("six")).await, Ok(3));
/// # });
/// ```
pub fn service<H, C, T, I, R>(
    chain: H,
) -> impl Service<T, Response = R, Error = Infallible, Future = impl Future<Output = Result<R, Infallible>>> + Clone
where
    H: Handle<Chain = C>,
    C: Chain<I, R>,
    I: Inputs<T>,
{
    Embedded { chain, run: |chain: H, request: T| async move { Ok(C::run_owned(chain, I::of(request)).await) } }
}

/// The same for a chain whose reply is a `Result`: the service fails with that error.
pub fn try_service<H, C, T, I, R, E>(
    chain: H,
) -> impl Service<T, Response = R, Error = E, Future = impl Future<Output = Result<R, E>>> + Clone
where
    H: Handle<Chain = C>,
    C: Chain<I, Result<R, E>>,
    I: Inputs<T>,
{
    Embedded { chain, run: |chain: H, request: T| C::run_owned(chain, I::of(request)) }
}

impl<H, F, I, R, E, Fut> Service<I> for Embedded<H, F>
where
    H: Clone,
    F: Fn(H, I) -> Fut,
    Fut: Future<Output = Result<R, E>>,
{
    type Response = R;
    type Error = E;
    type Future = Fut;

    #[inline]
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), E>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, request: I) -> Fut {
        (self.run)(self.chain.clone(), request)
    }
}

/// A chain as a layer: its inputs are the request and the [`Permit`] to call the inner service.
///
/// The service that the layer makes fails only if the inner service fails when it is asked whether it is ready. The
/// chain turns the result of the inner service's call into its reply. See the [module](self).
///
/// To be a layer for services of any type `S`, the chain has `S` as a type parameter.
pub fn layer<H, C, S, I, R>(
    chain: H,
) -> impl Layer<
    S,
    Service = impl Service<I, Response = R, Error = S::Error, Future = impl Future<Output = Result<R, S::Error>>> + Clone,
> + Clone
where
    H: Handle<Chain = C>,
    C: Chain<(I, Permit<S, I>), R>,
    S: Service<I> + Clone,
{
    let run =
        |chain: H, request: I, permit: Permit<S, I>| async move { Ok(C::run_owned(chain, (request, permit)).await) };
    Layering { chain, run, not_ready: (|error| error) as fn(S::Error) -> S::Error }
}

/// The same for a chain whose reply is a `Result`: the service fails with that error, which is also made from the inner
/// service's error.
pub fn try_layer<H, C, S, I, R, E>(
    chain: H,
) -> impl Layer<S, Service = impl Service<I, Response = R, Error = E, Future = impl Future<Output = Result<R, E>>> + Clone>
+ Clone
where
    H: Handle<Chain = C>,
    C: Chain<(I, Permit<S, I>), Result<R, E>>,
    S: Service<I, Error: Into<E>> + Clone,
{
    let run = |chain: H, request: I, permit: Permit<S, I>| C::run_owned(chain, (request, permit));
    Layering { chain, run, not_ready: Into::into as fn(S::Error) -> E }
}

/// A chain that is put around services of the type that `F` has a permit for.
#[derive(Clone)]
pub(crate) struct Layering<H, F, E> {
    pub(crate) chain: H,
    pub(crate) run: F,
    pub(crate) not_ready: E,
}

impl<H: Clone, F: Clone, E: Clone, S> Layer<S> for Layering<H, F, E> {
    type Service = Around<H, S, F, E>;

    fn layer(&self, inner: S) -> Self::Service {
        let Self { chain, run, not_ready } = self.clone();
        Around { chain, inner, run, not_ready }
    }
}

/// A chain around a service.
#[derive(Clone)]
pub(crate) struct Around<H, S, F, E> {
    chain: H,
    inner: S,
    run: F,
    not_ready: E,
}

impl<H, S, F, I, R, E, Fut> Service<I> for Around<H, S, F, fn(S::Error) -> E>
where
    H: Clone,
    S: Service<I> + Clone,
    F: Fn(H, I, Permit<S, I>) -> Fut,
    Fut: Future<Output = Result<R, E>>,
{
    type Response = R;
    type Error = E;
    type Future = Fut;

    #[inline]
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), E>> {
        self.inner.poll_ready(context).map_err(self.not_ready)
    }

    #[inline]
    fn call(&mut self, request: I) -> Fut {
        // The ready service goes with the request; its clone is asked again.
        let next = self.inner.clone();
        let permit = Permit::of(mem::replace(&mut self.inner, next));
        (self.run)(self.chain.clone(), request, permit)
    }
}

/// A service that said that it is ready, for one call.
///
/// What the service reserved when it said so, such as a place in a limit or in a buffer, belongs to this permit: it
/// goes into the call, or is given back when the permit is dropped.
#[derive(Debug)]
#[must_use = "what it reserves is given back where it is dropped"]
pub struct Permit<S, I> {
    ready: S,
    takes: PhantomData<fn(I)>,
}

impl<S: Service<I>, I> Permit<S, I> {
    /// Takes a service whose `poll_ready` has just returned `Ready(Ok(()))`. A service that is called without it may
    /// panic.
    pub const fn of(ready: S) -> Self {
        Self { ready, takes: PhantomData }
    }

    /// Waits until a clone of this service is ready.
    ///
    /// # Errors
    ///
    /// The error of the service, if it will never be ready again.
    pub async fn acquire(service: &S) -> Result<Self, S::Error>
    where
        S: Clone,
    {
        Self::when_ready(service.clone()).await
    }

    /// Waits until this service is ready.
    ///
    /// # Errors
    ///
    /// The error of the service, if it will never be ready again.
    pub async fn when_ready(mut service: S) -> Result<Self, S::Error> {
        poll_fn(|context| service.poll_ready(context)).await?;
        Ok(Self::of(service))
    }

    /// Calls the service.
    pub fn call(mut self, request: I) -> S::Future {
        self.ready.call(request)
    }
}

/// The node that hands the request on, unchanged, to the service that the chain is around: `forward::<Inner, Request>`.
///
/// Both are inputs of the chain, which it takes. The service's error becomes the reply, like that of any node.
#[node(crate = crate, last)]
pub async fn forward<S, I>(permit: Permit<S, I>, request: I) -> Result<S::Response, S::Error>
where
    S: Service<I>,
{
    permit.call(request).await
}

/// A service as a node, a field of the chain: it takes the request by value and gives the response, or breaks with the
/// service's error.
///
/// Each request calls a clone of the service, when that clone is ready. A chain that several threads share needs a
/// service that is `Sync`. Put a service that is not `Sync` or not `Clone` behind a `tower::buffer::Buffer`, or box it
/// into a `BoxCloneSyncService`. If the error cannot become the reply, use tower's `map_err`.
///
/// A [`Layer`] around a service makes a service. So tower's middleware can stand at the end of a chain in this way, and
/// a chain can be the rest of another chain behind such a layer.
///
/// ```
/// use std::time::Duration;
///
/// use chain_runtime::tower::Call;
/// use chain_runtime::{IntoReply, chain, node};
/// use tower::{BoxError, Service, ServiceBuilder, service_fn};
///
/// #[derive(Debug)]
/// struct Request(u64);
/// struct Failed(BoxError);
///
/// impl IntoReply<String> for Failed {
///     fn into_reply(self) -> String { self.0.to_string() }
/// }
///
/// #[node]
/// fn log(request: &Request) { println!("{request:?}") }
///
/// chain! {
///     struct Gateway<S: Service<Request, Response = String, Error = Failed> + Clone> { upstream: Call<S, Request> }
///     async fn(request: Request) -> String { log => upstream }
/// }
///
/// let slow = service_fn(async |request: Request| {
///     tokio::time::sleep(Duration::from_secs(request.0)).await;
///     Ok::<_, BoxError>("done".to_owned())
/// });
/// let upstream = ServiceBuilder::new().map_err(Failed).timeout(Duration::from_secs(5)).service(slow);
/// let gateway = Gateway { upstream: Call::new(upstream) };
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
/// # runtime.block_on(async {
/// assert_eq!(gateway.run(Request(1)).await, "done");
/// assert_eq!(gateway.run(Request(60)).await, "request timed out");
/// # });
/// ```
#[derive(Debug)]
pub struct Call<S, I> {
    service: S,
    takes: PhantomData<fn(I)>,
}

impl<S: Clone, I> Clone for Call<S, I> {
    fn clone(&self) -> Self {
        Self::new(self.service.clone())
    }
}

impl<S, I> Call<S, I> {
    /// The node that calls this service.
    pub const fn new(service: S) -> Self {
        Self { service, takes: PhantomData }
    }
}

#[node(crate = crate)]
impl<S: Service<I> + Clone, I> Call<S, I> {
    /// Waits until the service is ready, and calls it.
    ///
    /// # Errors
    ///
    /// The error of the service, if it will never be ready or if the call failed.
    pub async fn enter(&self, request: I) -> Result<S::Response, S::Error> {
        Permit::acquire(&self.service).await?.call(request).await
    }
}
