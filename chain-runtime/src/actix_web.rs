//! actix-web 4: a chain as a handler, and as middleware.
//!
//! | | its inputs, its reply | used as |
//! | --- | --- | --- |
//! | [`handler`] | any extractors; any `Responder` | `.route("/orders/{id}", web::put().to(handler(chain)))` |
//! | [`middleware`] | `ServiceRequest`, [`Next<S>`]; `Result<ServiceResponse<B>, Error>` | `App::new().wrap(middleware(chain))`, also on a scope, a resource or a route |
//!
//! A break becomes an `actix_web::Error`, so a node may break with any `ResponseError`. Inside of a middleware,
//! [`extract()`] is an extractor as a node, and a field of the type [`Forward`] is the node that calls what comes after
//! the middleware.
//!
//! A chain need not be `Send`: in an `Rc` it belongs to one worker. In an `Arc` all workers share it, and the state of
//! its fields, such as counts and limits. This module boxes nothing. actix-web boxes a route and a wrapped service, as
//! it does for any handler.
//!
//! actix-web takes a client that closed its connection for one that only has nothing more to say, and lets the client's
//! request go on. With `HttpServer::h1_allow_half_closed(false)` the request is dropped, and the chain's `cancelled`
//! hooks run.
//!
//! ```
//! use std::rc::Rc;
//! use std::sync::Arc;
//!
//! use ::actix_web::body::BoxBody;
//! use ::actix_web::dev::{Service, ServiceRequest, ServiceResponse};
//! use ::actix_web::{App, Error, HttpMessage, error, web};
//! # use ::actix_web::test;
//! use chain_runtime::actix_web::{Forward, Next, handler, middleware};
//! use chain_runtime::{chain, node};
//!
//! struct Names { admin: &'static str }
//! struct User(String);
//!
//! /// App data becomes a field, and a value in `req.extensions()` one that a node provides.
//! #[node]
//! fn auth(request: &ServiceRequest, names: &Names) -> Result<User, Error> {
//!     match request.headers().get("x-user").and_then(|name| name.to_str().ok()) {
//!         Some(name) if name == names.admin => Ok(User(name.to_owned())),
//!         _ => Err(error::ErrorUnauthorized("who is there?")),
//!     }
//! }
//!
//! #[node]
//! fn item(id: &web::Path<u32>) -> String { format!("item {id}") }
//!
//! chain! {
//!     /// For services of any type `S`, since the inner service's type has no name.
//!     pub struct Guard<S: Service<ServiceRequest, Response = ServiceResponse<BoxBody>, Error = Error>> {
//!         names: Names,
//!         forward: Forward<S>,
//!     }
//!     async fn(request: ServiceRequest, inner: Next<S>) -> Result<ServiceResponse<BoxBody>, Error> { auth => forward }
//! }
//!
//! chain! {
//!     pub struct Item;
//!     async fn(id: web::Path<u32>) -> String { item }
//! }
//!
//! # ::actix_web::rt::System::new().block_on(async {
//! let guard = Arc::new(Guard { names: Names { admin: "ada" }, forward: Forward::new() });
//! let app = App::new()
//!     .route("/items/{id}", web::get().to(handler(Rc::new(Item))))
//!     .wrap(middleware(guard));
//! # let app = test::init_service(app).await;
//! # let ask = async |path: &str, user: &str| {
//! #     let request = test::TestRequest::get().uri(path).insert_header(("x-user", user)).to_request();
//! #     match test::try_call_service(&app, request).await {
//! #         Ok(response) => response.status().as_u16(),
//! #         Err(error) => error.as_response_error().status_code().as_u16(),
//! #     }
//! # };
//! # assert_eq!(ask("/items/7", "ada").await, 200);
//! # assert_eq!(ask("/items/seven", "ada").await, 404);
//! # assert_eq!(ask("/items/7", "eve").await, 401);
//! # });
//! ```
//!
//! # What becomes an error
//!
//! | a node gives up with | the response |
//! | --- | --- |
//! | any `ResponseError`, extractors' own among them | its own |
//! | [`Expired`], [`Overloaded`], [`Panicked`] of the nodes in [`around`](crate::around) | 504, 503, 500 |
//!
//! In the `exit` of a middleware's nodes, `reply` is the `Result`: it is `Err` if the response has still to be made of
//! an error.
//!
//! The page `migrate::actix` of this documentation shows, before and after, how to move actix-web's middleware to a
//! chain.

use core::fmt;
use core::future::{Future, Ready, ready};
use core::marker::PhantomData;
use core::task::{Context, Poll};
use std::rc::Rc;

use ::actix_web::dev::{Service, ServiceRequest, Transform};
use ::actix_web::http::StatusCode;
use ::actix_web::{Error, FromRequest, Handler, ResponseError};
use chain_macros::node;

use crate::around::{Expired, Overloaded, Panicked};
use crate::embed::{Chain, Embedded, Handle};

/// 504
impl ResponseError for Expired {
    fn status_code(&self) -> StatusCode {
        StatusCode::GATEWAY_TIMEOUT
    }
}

/// 503
impl ResponseError for Overloaded {
    fn status_code(&self) -> StatusCode {
        StatusCode::SERVICE_UNAVAILABLE
    }
}

/// 500
impl ResponseError for Panicked {
    fn status_code(&self) -> StatusCode {
        StatusCode::INTERNAL_SERVER_ERROR
    }
}

/// A chain whose inputs are extractors, as a handler: for `Route::to`, `web::to` and the like.
///
/// If an extractor refuses the request, its error is the response and the chain does not run.
pub fn handler<H, C, I, R>(chain: H) -> impl Handler<I, Output = R, Future = impl Future<Output = R>>
where
    H: Handle<Chain = C> + 'static,
    C: Chain<I, R>,
{
    Embedded { chain, run: |chain: H, inputs: I| C::run_owned(chain, inputs) }
}

impl<H, F, I, R, Fut> Handler<I> for Embedded<H, F>
where
    H: Clone + 'static,
    F: Fn(H, I) -> Fut + Clone + 'static,
    Fut: Future<Output = R>,
{
    type Output = R;
    type Future = Fut;

    #[inline]
    fn call(&self, inputs: I) -> Fut {
        (self.run)(self.chain.clone(), inputs)
    }
}

/// A chain over the `ServiceRequest` and what comes after it, [`Next`], as middleware: for `App::wrap`, `Scope::wrap`,
/// `Resource::wrap` and `Route::wrap`.
///
/// The type of the inner service has no name, so the chain has it as a type parameter, and the compiler infers it at
/// `wrap`. A guard that is wrapped around two services is two chains.
pub fn middleware<H, C, S, R, E>(
    chain: H,
) -> impl Transform<
    S,
    ServiceRequest,
    Response = R,
    Error = E,
    InitError = (),
    Transform = impl Service<ServiceRequest, Response = R, Error = E, Future = impl Future<Output = Result<R, E>>>,
>
where
    H: Handle<Chain = C>,
    C: Chain<(ServiceRequest, Next<S>), Result<R, E>>,
    S: Service<ServiceRequest, Error: Into<E>>,
{
    Embedded { chain, run: |chain: H, request: ServiceRequest, inner: Next<S>| C::run_owned(chain, (request, inner)) }
}

impl<S, H, F, R, E, Fut> Transform<S, ServiceRequest> for Embedded<H, F>
where
    H: Clone,
    F: Fn(H, ServiceRequest, Next<S>) -> Fut + Clone,
    S: Service<ServiceRequest, Error: Into<E>>,
    Fut: Future<Output = Result<R, E>>,
{
    type Response = R;
    type Error = E;
    type Transform = Around<H, S, F>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        let Self { chain, run } = self.clone();
        ready(Ok(Around { chain, inner: Rc::new(service), run }))
    }
}

/// A chain around a service.
pub(crate) struct Around<H, S, F> {
    chain: H,
    inner: Rc<S>,
    run: F,
}

impl<H, S, F, R, E, Fut> Service<ServiceRequest> for Around<H, S, F>
where
    H: Clone,
    F: Fn(H, ServiceRequest, Next<S>) -> Fut,
    S: Service<ServiceRequest, Error: Into<E>>,
    Fut: Future<Output = Result<R, E>>,
{
    type Response = R;
    type Error = E;
    type Future = Fut;

    #[inline]
    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), E>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    #[inline]
    fn call(&self, request: ServiceRequest) -> Fut {
        (self.run)(self.chain.clone(), request, Next { service: Rc::clone(&self.inner) })
    }
}

/// What comes after a chain that is a [`middleware`].
pub struct Next<S> {
    service: Rc<S>,
}

impl<S: Service<ServiceRequest>> Next<S> {
    /// Calls it.
    pub fn call(&self, request: ServiceRequest) -> S::Future {
        self.service.call(request)
    }
}

impl<S> fmt::Debug for Next<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next").finish_non_exhaustive()
    }
}

/// The node that hands the request on to what a [`middleware`] is around, and gives its response. It takes the request.
///
/// It is a field of the chain, and thus the place where the chain's parameter `S` is used.
pub struct Forward<S> {
    calls: PhantomData<fn(S)>,
}

impl<S> Forward<S> {
    /// The node for services of the type `S`.
    #[must_use]
    pub const fn new() -> Self {
        Self { calls: PhantomData }
    }
}

impl<S> Default for Forward<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> fmt::Debug for Forward<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forward").finish_non_exhaustive()
    }
}

#[node(crate = crate, last)]
impl<S: Service<ServiceRequest>> Forward<S> {
    /// Calls what comes after the chain.
    ///
    /// # Errors
    ///
    /// The error of the service.
    pub async fn enter(&self, next: &Next<S>, request: ServiceRequest) -> Result<S::Response, S::Error> {
        next.call(request).await
    }
}

/// An extractor as a node: `extract::<web::Query<Page>>` provides a `web::Query<Page>`, or breaks with its error.
///
/// It asks for the request by `&mut`, since an extractor may take the body.
#[node(crate = crate)]
pub async fn extract<T: FromRequest>(request: &mut ServiceRequest) -> Result<T, Error> {
    request.extract::<T>().await.map_err(Into::into)
}
