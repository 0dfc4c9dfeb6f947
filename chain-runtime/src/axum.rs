//! axum 0.8: a chain as a handler, as a route's service, and as a layer of a `Router`.
//!
//! | | its inputs | used as |
//! | --- | --- | --- |
//! | [`handler`] | any extractors: `id: Path<u32>, order: Json<Order>` | `.route("/orders/{id}", put_service(handler(chain)))` |
//! | [`service`] | the [`Request`], or its head and its body | `.route_service("/", service(chain))`, `.fallback_service(..)` |
//! | [`layer`] | the [`Request`] and what comes after it, [`Next`] | `.layer(layer(chain))`, `.route_layer(..)` |
//! | [`layer_with`] | the [`Request`] and what is to be given what the chain found, [`NextWith`] | [`finding`]`(routes, layer_with(chain))` |
//!
//! Let the chain's reply be a [`Reply`]: then whatever is [`IntoResponse`] may be given or broken with, rejections of extractors among
//! them. Inside of a chain, [`extract()`] is an extractor as a node.
//!
//! ```
//! use std::sync::Arc;
//!
//! use ::axum::Router;
//! use ::axum::extract::Path;
//! use ::axum::http::StatusCode;
//! use ::axum::http::request::Parts;
//! use ::axum::routing::get_service;
//! use chain_runtime::axum::{Next, Reply, Request, handler, layer, next};
//! use chain_runtime::{chain, node};
//!
//! struct User(String);
//! struct Names { admin: &'static str }
//!
//! /// What axum calls `State` is a field; what `Extension` did, a value that a node provides.
//! #[node]
//! fn auth(request: &Request, names: &Names) -> Result<User, (StatusCode, &'static str)> {
//!     match request.headers().get("x-user").and_then(|name| name.to_str().ok()) {
//!         Some(name) if name == names.admin => Ok(User(name.to_owned())),
//!         _ => Err((StatusCode::UNAUTHORIZED, "who is there?")),
//!     }
//! }
//!
//! #[node]
//! fn item(id: &Path<u32>) -> String { format!("item {}", id.0) }
//!
//! chain! {
//!     pub struct Guard { names: Names }
//!     async fn(request: Request, inner: Next) -> Reply { auth => next }
//! }
//!
//! chain! {
//!     pub struct Item;
//!     async fn(id: Path<u32>) -> Reply { item }
//! }
//!
//! let app: Router = Router::new()
//!     .route("/items/{id}", get_service(handler(Arc::new(Item))))
//!     .layer(layer(Arc::new(Guard { names: Names { admin: "ada" } })));
//! # use tower::ServiceExt;
//! # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
//! # runtime.block_on(async {
//! # let ask = async |path: &str, user: &str| {
//! #     let request = Request::get(path).header("x-user", user).body(::axum::body::Body::empty()).unwrap();
//! #     let reply = app.clone().oneshot(request).await.unwrap();
//! #     let status = reply.status().as_u16();
//! #     (status, String::from_utf8(::axum::body::to_bytes(reply.into_body(), 99).await.unwrap().to_vec()).unwrap())
//! # };
//! # assert_eq!(ask("/items/7", "ada").await, (200, "item 7".to_owned()));
//! # assert_eq!(ask("/items/seven", "ada").await.0, 400);
//! # assert_eq!(ask("/items/7", "eve").await, (401, "who is there?".to_owned()));
//! # });
//! ```
//!
//! A reply has the framing of its body, and none to `HEAD` has content: see [`framing`](crate::framing). axum does the latter for handlers alone.
//! `()` is `IntoResponse`, and yet it is no reply here: a chain that ends with a node which gives nothing, whose node breaks with `()`, or that goes on
//! after [`next()`], would answer `200 OK` with nothing in it, and does not compile.
//!
//! ```compile_fail,E0080
//! # use chain_runtime::axum::{Next, Reply, Request};
//! # use chain_runtime::{chain, node};
//! #[node]
//! fn check(request: &Request) {}
//!
//! chain! {
//!     struct Guard;
//!     async fn(request: Request, inner: Next) -> Reply { check } // and then? `check => next`
//! }
//! ```
//!
//! ```compile_fail,E0080
//! # use chain_runtime::axum::{Next, Reply, Request, next};
//! # use chain_runtime::{chain, node};
//! #[node]
//! fn check(request: &Request) -> Result<(), ()> { Err(()) } // a status says what went wrong
//!
//! chain! {
//!     struct Guard;
//!     async fn(request: Request, inner: Next) -> Reply { check => next }
//! }
//! ```
//!
//! ```compile_fail,E0080
//! # use chain_runtime::axum::{Next, Reply, Request, next};
//! # use chain_runtime::{chain, node};
//! #[node]
//! fn greet() -> &'static str { "hello" }
//!
//! chain! {
//!     struct Guard;
//!     async fn(request: Request, inner: Next) -> Reply { next => greet } // what `next` gave would be lost
//! }
//! ```
//!
//! # A node that awaits
//!
//! The body of a [`Request`] and of a [`Reply`] is not `Sync`, so a future that holds a `&Request` or a `&Reply` across an await is not `Send`, and axum takes no other.
//! **An `async` node asks for `&mut Request`, and an `async fn exit` for `reply: &mut Reply`**; or it asks a plain node for what it needs of the
//! request. `#[send]` on the chain says so at the node.
//!
//! ```
//! # use ::axum::http::StatusCode;
//! # use chain_runtime::axum::{Next, Reply, Request, layer, next};
//! # use chain_runtime::{chain, node};
//! # struct User(String);
//! # struct Sessions;
//! # impl Sessions { async fn find(&self, _: &str) -> Option<User> { None } }
//! #[node]
//! async fn session(request: &mut Request, sessions: &Sessions) -> Result<User, StatusCode> {
//!     let cookie = request.headers().get("cookie").and_then(|cookie| cookie.to_str().ok());
//!     sessions.find(cookie.ok_or(StatusCode::UNAUTHORIZED)?).await.ok_or(StatusCode::UNAUTHORIZED)
//! }
//!
//! chain! {
//!     #[send]
//!     struct Guard { sessions: Sessions }
//!     async fn(request: Request, inner: Next) -> Reply { session => next }
//! }
//!
//! let app: axum::Router = axum::Router::new().layer(layer(std::sync::Arc::new(Guard { sessions: Sessions })));
//! ```
//!
//! What a layer found reaches handlers by its type: see [`Found`].
//!
//! A `handler` is a service, and no `Handler`: that would have to promise of any chain's future that it is `Send`, which on stable Rust can be
//! said of one chain only. `get_service`, `post_service` and so on take it, and there it is checked.
//!
//! How to come here from what you have, before and after: the page `migrate::axum` of this documentation.

use core::convert::Infallible;
use core::future::Future;
use core::mem;
use core::ops::Deref;
use std::time::Instant;

use ::axum::body::Body;
use ::axum::extract::{FromRequest, FromRequestParts};
use ::axum::response::{IntoResponse, Response};
use ::axum::routing::Route;
use chain_macros::node;
use http::StatusCode;
use http::request::Parts;
use http_body::Body as _;
use tower_layer::Layer;
use tower_service::Service;

use crate::around::{Expired, Overloaded, Panicked, Timer};
use crate::embed::{Chain, Embedded, Inputs};
use crate::flow::IntoReply;
use crate::framing::{Asked, Settled};
use crate::tailed::{Holds, Tail, Tailed};
use crate::timed::{Timed, Until};
use crate::tower::{Layering, Permit, Spare};

mod found;

pub use ::axum::extract::Request;
pub use found::{Finding, Finds, Found, NextWith, finding, layer_with, next_with};

/// What a chain that is a [`layer`] is around: the route, ready for one call.
pub type Next = Permit<Route, Request>;

/// Any tower layer as an around node, in a chain whose request is a [`Request`] and whose reply is a [`Reply`]. What the layer makes of the
/// response's body does not matter.
#[cfg(feature = "pool")]
pub type Layered = crate::tower::Layered<Request, Reply, Response>;

/// A chain's reply that whatever is [`IntoResponse`] becomes.
///
/// It is a type of its own because no crate can say of foreign types how they become a foreign `Response`. A node with a way out asks
/// for `reply: &mut Reply`, and has the response in its field.
#[derive(Debug)]
pub struct Reply(pub Response);

impl<T: IntoResponse> IntoReply<Reply> for T {
    #[inline]
    fn into_reply(self) -> Reply {
        Reply(self.into_response())
    }
}

impl crate::private::Probe<Reply> {
    /// `()` is `IntoResponse`, and a chain that ends without a reply would answer `200 OK` to all.
    pub const IS_ANYTHING: bool = true;
}

/// What is made of whatever the last node gives.
#[doc(hidden)]
pub trait MadeOfAnything {}
impl MadeOfAnything for Reply {}
impl<E> MadeOfAnything for Result<Reply, E> {}

impl<R: MadeOfAnything> crate::private::Probe<R> {
    /// So it is.
    pub const ENDS_WITH_ANYTHING: bool = true;
}

impl<T: IntoResponse, R: MadeOfAnything> crate::private::Probe<(T, R)> {
    /// axum says so of nothing else.
    pub const IS_A_REPLY: bool = true;
}

/// 504
impl IntoReply<Reply> for Expired {
    fn into_reply(self) -> Reply {
        StatusCode::GATEWAY_TIMEOUT.into_reply()
    }
}

/// 503
impl IntoReply<Reply> for Overloaded {
    fn into_reply(self) -> Reply {
        StatusCode::SERVICE_UNAVAILABLE.into_reply()
    }
}

/// 500
impl IntoReply<Reply> for Panicked {
    fn into_reply(self) -> Reply {
        StatusCode::INTERNAL_SERVER_ERROR.into_reply()
    }
}

impl From<Reply> for Response {
    #[inline]
    fn from(reply: Reply) -> Self {
        reply.0
    }
}

/// As a tail of the body.
impl<E: Tail + Send + 'static> Holds<E> for Body {
    fn hold(&mut self, held: E) {
        if !self.is_end_stream() {
            *self = Self::new(Tailed::new(mem::take(self), Some(held)));
        }
    }
}

impl<E: Tail + Send + 'static> Holds<E> for Reply {
    fn hold(&mut self, held: E) {
        self.0.hold(held);
    }
}

impl<T: Timer<Sleep: Send> + Send + 'static> Until<T> for Body {
    fn until(&mut self, at: Instant, timer: T) {
        if !self.is_end_stream() {
            let mut timed = Timed::new(mem::take(self));
            timed.until(at, timer);
            *self = Self::new(timed);
        }
    }
}

impl<T: Timer<Sleep: Send> + Send + 'static> Until<T> for Reply {
    fn until(&mut self, at: Instant, timer: T) {
        self.0.until(at, timer);
    }
}

/// A chain over the [`Request`], or over its head and its body, as a service: for `Router::route_service`, `get_service` and the like.
///
/// Its reply is a [`Reply`] or a [`Response`].
pub fn service<H, C, I, R>(
    chain: H,
) -> impl Service<
    Request,
    Response = Response,
    Error = Infallible,
    Future = impl Future<Output = Result<Response, Infallible>>,
> + Clone
where
    H: Deref<Target = C> + Clone,
    C: Chain<I, R>,
    I: Inputs<Request>,
    R: Into<Response>,
{
    Embedded {
        chain,
        run: |chain: H, request: Request| {
            let asked = Asked::of(&request);
            async move { Ok(framed(asked, C::run_owned(chain, I::of(request)).await.into())) }
        },
    }
}

/// A chain whose inputs are extractors, as a service: for `get_service`, `post_service` and the like.
///
/// They are extracted in their order; the last one may take the body. Where one of them refuses the request, its rejection is the
/// response and the chain does not run; for a chain that sees to this itself, there is [`extract()`]. Their state is `()`: what a chain's
/// nodes share is in its fields. Extractors that want a state are asked by [`handler_with`].
pub fn handler<H, C, I, R, M>(
    chain: H,
) -> impl Service<
    Request,
    Response = Response,
    Error = Infallible,
    Future = impl Future<Output = Result<Response, Infallible>>,
> + Clone
where
    H: Deref<Target = C> + Clone,
    C: Chain<I, R>,
    I: FromRequest<(), M>,
    R: Into<Response>,
{
    handler_with(chain, ())
}

/// The same, with the state that the extractors are given.
pub fn handler_with<H, C, S, I, R, M>(
    chain: H,
    state: S,
) -> impl Service<
    Request,
    Response = Response,
    Error = Infallible,
    Future = impl Future<Output = Result<Response, Infallible>>,
> + Clone
where
    H: Deref<Target = C> + Clone,
    C: Chain<I, R>,
    S: Clone,
    I: FromRequest<S, M>,
    R: Into<Response>,
{
    let run = |(chain, state): (H, S), request: Request| {
        let asked = Asked::of(&request);
        async move {
            Ok(match I::from_request(request, &state).await {
                Ok(inputs) => framed(asked, C::run_owned(chain, inputs).await.into()),
                Err(rejection) => rejection.into_response(),
            })
        }
    };
    Embedded { chain: (chain, state), run }
}

/// A chain over the [`Request`] and [`Next`], as a layer: for `Router::layer`, `Router::route_layer` and `MethodRouter::layer`.
///
/// Its reply is a [`Reply`] or a [`Response`].
pub fn layer<H, C, R>(
    chain: H,
) -> impl Layer<
    Route,
    Service = impl Service<
        Request,
        Response = Response,
        Error = Infallible,
        Future = impl Future<Output = Result<Response, Infallible>>,
    > + Clone,
> + Clone
where
    H: Deref<Target = C> + Clone,
    C: Chain<(Request, Next), R>,
    R: Into<Response>,
{
    let run = |chain: H, request: Request, inner: Next| {
        let asked = Asked::of(&request);
        async move { Ok(framed(asked, C::run_owned(chain, (request, inner)).await.into())) }
    };
    Layering { chain, run, not_ready: (|never| never) as fn(Infallible) -> Infallible }
}

/// The response with the framing that its body has: see [`framing`](crate::framing).
fn framed(asked: Asked, mut response: Response) -> Response {
    match asked.settle(&mut response) {
        Settled::Empty => response.map(|_| Body::empty()),
        _ => response,
    }
}

/// The node that hands the request on to what a [`layer`] is around, and gives its response. It takes both.
#[node(crate = crate, last)]
pub async fn next(next: Next, request: Request) -> Result<Response, Infallible> {
    next.call(request).await
}

/// [`next()`], for a chain in which an `exit` looks at the request: it is lent, its head stays, and what is handed on is a copy of that with the body. An access log
/// that stands before it asks for `&Request`, and for whatever nodes before `next_lent` provided, on its way out.
///
/// ```
/// use std::sync::Mutex;
///
/// use chain_runtime::axum::{Next, Reply, Request, next_lent};
/// use chain_runtime::{chain, node};
///
/// struct User(&'static str);
///
/// #[node]
/// fn auth() -> User { User("ada") }
///
/// struct Log { lines: Mutex<Vec<String>> }
///
/// #[node]
/// impl Log {
///     fn exit(&self, request: &Request, user: &User, reply: &Reply) {
///         let line = format!("{} {} {} {}", request.method(), request.uri(), user.0, reply.0.status());
///         self.lines.lock().unwrap().push(line);
///     }
/// }
///
/// chain! {
///     struct Logged { log: Log }
///     async fn(request: Request, inner: Next) -> Reply { auth => log => next_lent }
/// }
/// # use std::sync::Arc;
/// # use ::axum::{Router, body::Body, routing::get};
/// # use tower::ServiceExt;
/// # let logged = Arc::new(Logged { log: Log { lines: Mutex::default() } });
/// # let app: Router = Router::new().route("/books", get(async || "all")).layer(chain_runtime::axum::layer(logged.clone()));
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # let reply = runtime.block_on(app.oneshot(Request::get("/books").body(Body::empty()).unwrap())).unwrap();
/// # assert_eq!(reply.status(), 200);
/// # assert_eq!(*logged.log.lines.lock().unwrap(), ["GET /books ada 200 OK"]);
/// ```
#[node(crate = crate, last)]
pub async fn next_lent(next: Next, request: &mut Request) -> Result<Response, Infallible> {
    let spare = request.spare();
    next.call(mem::replace(request, spare)).await
}

/// An extractor as a node: `extract::<Path<u32>>` provides a `Path<u32>`, or breaks with its rejection.
///
/// It asks for the head by `&mut`, as an input or a provided value.
///
/// ```
/// use std::sync::Arc;
///
/// use ::axum::Router;
/// use ::axum::body::Body;
/// use ::axum::extract::Path;
/// use ::axum::http::request::Parts;
/// use ::axum::routing::get_service;
/// use chain_runtime::axum::{Reply, extract, service};
/// use chain_runtime::{chain, node};
///
/// #[node]
/// fn page(number: &Path<u32>) -> String { format!("page {}", number.0) }
///
/// chain! {
///     struct Pages;
///     async fn(head: Parts, body: Body) -> Reply { extract::<Path<u32>> => page }
/// }
///
/// let app: Router = Router::new().route("/pages/{number}", get_service(service(Arc::new(Pages))));
/// # use tower::ServiceExt;
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # let ask = |uri: &str| {
/// #     let request = chain_runtime::axum::Request::get(uri).body(Body::empty()).unwrap();
/// #     runtime.block_on(app.clone().oneshot(request)).unwrap().status().as_u16()
/// # };
/// # assert_eq!(ask("/pages/3"), 200);
/// # assert_eq!(ask("/pages/three"), 400);
/// ```
#[node(crate = crate)]
pub async fn extract<T: FromRequestParts<()>>(head: &mut Parts) -> Result<T, T::Rejection> {
    T::from_request_parts(head, &()).await
}

/// What would be an empty `200 OK`, or a reply that nobody sees, does not compile, by whatever name.
///
/// ```compile_fail,E0080
/// # use chain_runtime::axum::{Next, Reply, Request, next};
/// # use chain_runtime::{chain, node};
/// type Refused = ();
/// #[node]
/// fn check(request: &Request) -> Result<(), Refused> { Err(()) }
/// chain! { struct Guard; async fn(request: Request, inner: Next) -> Reply { check => next } }
/// ```
/// ```compile_fail,E0080
/// # use chain_runtime::axum::{Next, Reply, Request, next};
/// # use chain_runtime::{chain, node};
/// #[node]
/// fn check<E: Default>(request: &Request) -> Result<(), E> { Err(E::default()) }
/// chain! { struct Guard; async fn(request: Request, inner: Next) -> Reply { check::<()> => next } }
/// ```
/// ```compile_fail,E0080
/// # use chain_runtime::axum::{Next, Reply, Request, next};
/// # use chain_runtime::{chain, node};
/// # use std::pin::Pin;
/// struct Limit;
/// #[node]
/// impl Limit { async fn around<B: Future>(&self, block: Pin<&mut B>) -> Result<B::Output, ()> { Err(()) } }
/// chain! { struct Guard { limit: Limit } async fn(request: Request, inner: Next) -> Reply { limit { next } } }
/// ```
/// ```compile_fail,E0080
/// # use axum::http::StatusCode;
/// # use chain_runtime::axum::{Reply, Request};
/// # use chain_runtime::{chain, node};
/// #[node]
/// fn check(request: &Request) {}
/// chain! { struct Guard; async fn(request: Request) -> Result<Reply, StatusCode> { check } }
/// ```
/// ```compile_fail,E0080
/// # use axum::response::{IntoResponse, Response};
/// # use axum::http::StatusCode;
/// # use chain_runtime::axum::{Next, Reply, Request, next};
/// # use chain_runtime::{chain, node};
/// #[node]
/// fn check(request: &Request) -> Response { StatusCode::UNAUTHORIZED.into_response() }
/// chain! { struct Guard; async fn(request: Request, inner: Next) -> Reply { check => next } }
/// ```
#[cfg(doctest)]
struct NoReply;
