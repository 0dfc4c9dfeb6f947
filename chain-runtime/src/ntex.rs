//! ntex 3: a chain as a handler, and as middleware.
//!
//! | | its inputs, its reply | used as |
//! | --- | --- | --- |
//! | [`handler`] | any extractors; any `Responder` | `.route("/orders/{id}", web::put().to(handler(chain)))` |
//! | [`middleware`] | `WebRequest<E>`, [`Next<S>`]; `Result<WebResponse, X>` | `App::new().middleware(middleware(chain))`, also on a scope or a resource |
//!
//! A break becomes ntex's `web::Error`, so a node may break with any `WebResponseError`. A field of the type
//! [`Forward`] is the node that calls what comes after a middleware; an extractor in a chain is an input of a
//! [`handler`].
//!
//! A chain need not be `Send`: in an `Rc` it belongs to one worker. In an `Arc` all workers share it. This module boxes
//! nothing. ntex boxes a route, as it does for any handler.
//!
//! ```
//! use std::rc::Rc;
//!
//! use ::ntex::service::Service;
//! use ::ntex::http::StatusCode;
//! use ::ntex::web::{self, App, DefaultError, Error, WebRequest, WebResponse, WebResponseError};
//! # use ::ntex::web::test;
//! use chain_runtime::ntex::{Forward, Next, handler, middleware};
//! use chain_runtime::{chain, node};
//!
//! type Request = WebRequest<DefaultError>;
//!
//! struct Names { admin: &'static str }
//! struct User(String);
//!
//! #[derive(Debug)]
//! struct Unknown;
//!
//! impl std::fmt::Display for Unknown {
//!     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("who is there?") }
//! }
//!
//! impl WebResponseError for Unknown {
//!     fn status_code(&self) -> StatusCode { StatusCode::UNAUTHORIZED }
//! }
//!
//! /// App state becomes a field, and a value in the extensions one that a node provides.
//! #[node]
//! fn auth(request: &Request, names: &Names) -> Result<User, Unknown> {
//!     match request.headers().get("x-user").and_then(|name| name.to_str().ok()) {
//!         Some(name) if name == names.admin => Ok(User(name.to_owned())),
//!         _ => Err(Unknown),
//!     }
//! }
//!
//! #[node]
//! fn item(id: &web::types::Path<u32>) -> String { format!("item {}", **id) }
//!
//! chain! {
//!     /// For services of any type `S`, since the inner service's type has no name.
//!     pub struct Guard<S: Service<Request, Response = WebResponse, Error = Error>> {
//!         names: Names,
//!         forward: Forward<S>,
//!     }
//!     async fn(request: Request, inner: Next<S>) -> Result<WebResponse, Error> { auth => forward }
//! }
//!
//! chain! {
//!     pub struct Item;
//!     async fn(id: web::types::Path<u32>) -> String { item }
//! }
//!
//! # ::ntex::rt::System::new("doc", ::ntex::rt::DefaultRuntime).block_on(async {
//! let guard = Rc::new(Guard { names: Names { admin: "ada" }, forward: Forward::new() });
//! let app = App::new()
//!     .middleware(middleware(guard))
//!     .route("/items/{id}", web::get().to(handler(Rc::new(Item))));
//! # let app = test::init_service(app).await;
//! # let ask = async |path: &str, user: &str| {
//! #     let request = test::TestRequest::with_uri(path).header("x-user", user).to_request();
//! #     match app.call(request).await {
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
//! | any `WebResponseError`, extractors' own among them | its own |
//! | [`Expired`], [`Overloaded`], [`Panicked`] of the nodes in [`around`](crate::around) | 504, 503, 500 |
//!
//! An error that leaves an application's outermost middleware becomes a response with its `status_code` and its text:
//! ntex asks it for no more there. `web::error::InternalError` has its status elsewhere, so ntex makes a 500 of it;
//! break with a type of your own.
//!
//! # From ntex's middleware to a chain
//!
//! | ntex | here | a mistake is seen |
//! | --- | --- | --- |
//! | `web::types::State<T>` | a field of the chain | by the compiler; it was a 500 |
//! | `req.extensions_mut().insert(user)`, `.get::<User>()` | a node returns a `User`, later ones ask for `&User` | by the compiler |
//! | `impl Middleware`, `impl Service` with `ready`, `poll` and `shutdown` | `#[node] async fn auth(..)` | |
//! | `ctx.call(&self.service, req).await?` in the middle | `enter` and `exit`, or an around node | |

use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::task::Context;

use ::ntex::http::StatusCode;
use ::ntex::service::{Middleware, Pipeline, Service, ServiceCtx};
use ::ntex::web::error::{DefaultError, ErrorRenderer, WebResponseError};
use ::ntex::web::{Handler, Responder, WebRequest};
use chain_macros::node;

use crate::around::{Expired, Overloaded, Panicked};
use crate::embed::{Chain, Embedded, Handle};

/// 504
impl WebResponseError<DefaultError> for Expired {
    fn status_code(&self) -> StatusCode {
        StatusCode::GATEWAY_TIMEOUT
    }
}

/// 503
impl WebResponseError<DefaultError> for Overloaded {
    fn status_code(&self) -> StatusCode {
        StatusCode::SERVICE_UNAVAILABLE
    }
}

/// 500
impl WebResponseError<DefaultError> for Panicked {
    fn status_code(&self) -> StatusCode {
        StatusCode::INTERNAL_SERVER_ERROR
    }
}

/// A chain whose inputs are extractors, as a handler: for `Route::to`, `web::to` and the like.
///
/// If an extractor refuses the request, its error is the response and the chain does not run.
pub fn handler<H, C, I, R, E>(chain: H) -> impl Handler<I, E, Output = R>
where
    H: Handle<Chain = C>,
    C: Chain<I, R>,
    R: Responder<E>,
    E: ErrorRenderer,
{
    Embedded { chain, run: |chain: H, inputs: I| C::run_owned(chain, inputs) }
}

impl<H, F, I, R, E, Fut> Handler<I, E> for Embedded<H, F>
where
    H: Clone,
    F: Fn(H, I) -> Fut,
    Fut: Future<Output = R>,
    R: Responder<E>,
    E: ErrorRenderer,
{
    type Output = R;

    #[inline]
    fn call(&self, inputs: I) -> impl Future<Output = R> {
        (self.run)(self.chain.clone(), inputs)
    }
}

/// A chain over the `WebRequest` and what comes after it, [`Next`], as middleware: for `App::middleware`,
/// `Scope::middleware` and `Resource::middleware`.
///
/// The type of the inner service has no name, so the chain has it as a type parameter, and the compiler infers it where
/// the middleware is used. A guard that is put around two services is two chains.
pub fn middleware<H, C, S, G, E, R, X>(
    chain: H,
) -> impl Middleware<S, G, Service = impl Service<WebRequest<E>, Response = R, Error = X>>
where
    H: Handle<Chain = C>,
    C: Chain<(WebRequest<E>, Next<S>), Result<R, X>>,
    S: Service<WebRequest<E>, Error: Into<X>>,
{
    let run = |chain: H, request: WebRequest<E>, inner: Next<S>| C::run_owned(chain, (request, inner));
    Wrapping { chain, run, wraps: PhantomData::<fn(S)> }
}

/// A chain that is put around services.
struct Wrapping<H, F, S> {
    chain: H,
    run: F,
    wraps: PhantomData<fn(S)>,
}

impl<H: Clone, F: Clone, S, G> Middleware<S, G> for Wrapping<H, F, S> {
    type Service = Around<H, S, F>;

    fn create(&self, service: S, _: G) -> Self::Service {
        Around { chain: self.chain.clone(), inner: Pipeline::new(service), run: self.run.clone() }
    }
}

/// A chain around a service.
struct Around<H, S, F> {
    chain: H,
    inner: Pipeline<S>,
    run: F,
}

impl<H, S, F, E, R, X, Fut> Service<WebRequest<E>> for Around<H, S, F>
where
    H: Clone,
    F: Fn(H, WebRequest<E>, Next<S>) -> Fut,
    S: Service<WebRequest<E>, Error: Into<X>>,
    Fut: Future<Output = Result<R, X>>,
{
    type Response = R;
    type Error = X;

    #[inline]
    async fn call(&self, request: WebRequest<E>, _: ServiceCtx<'_, Self>) -> Result<R, X> {
        (self.run)(self.chain.clone(), request, Next { service: self.inner.clone() }).await
    }

    #[inline]
    async fn ready(&self, _: ServiceCtx<'_, Self>) -> Result<(), X> {
        self.inner.ready().await.map_err(Into::into)
    }

    #[inline]
    async fn shutdown(&self) {
        self.inner.shutdown().await;
    }

    #[inline]
    fn poll(&self, context: &mut Context<'_>) -> Result<(), X> {
        self.inner.poll(context).map_err(Into::into)
    }
}

/// What comes after a chain that is a [`middleware`].
pub struct Next<S> {
    service: Pipeline<S>,
}

impl<S> Next<S> {
    /// Waits until the service is ready, and calls it.
    ///
    /// # Errors
    ///
    /// The error of the service.
    pub async fn call<E>(&self, request: WebRequest<E>) -> Result<S::Response, S::Error>
    where
        S: Service<WebRequest<E>>,
    {
        self.service.call(request).await
    }
}

impl<S> fmt::Debug for Next<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next").finish_non_exhaustive()
    }
}

/// The node that hands the request on to what a [`middleware`] is around, and gives its response. It takes the request.
///
/// It is a field of the chain, and thus the place where the chain's parameter `S` is used. `E` is the type with which
/// the application renders its errors.
pub struct Forward<S, E = DefaultError> {
    calls: PhantomData<fn(S, E)>,
}

impl<S, E> Forward<S, E> {
    /// The node for services of the type `S`.
    #[must_use]
    pub const fn new() -> Self {
        Self { calls: PhantomData }
    }
}

impl<S, E> Default for Forward<S, E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S, E> fmt::Debug for Forward<S, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forward").finish_non_exhaustive()
    }
}

#[node(crate = crate, last)]
impl<S: Service<WebRequest<E>>, E> Forward<S, E> {
    /// Calls what comes after the chain.
    ///
    /// # Errors
    ///
    /// The error of the service.
    pub async fn enter(&self, next: &Next<S>, request: WebRequest<E>) -> Result<S::Response, S::Error> {
        next.call(request).await
    }
}
