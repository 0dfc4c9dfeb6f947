//! axum 0.8: a chain as a handler, as a route's service, and as a layer of a `Router`.
//!
//! | | its inputs | used as |
//! | --- | --- | --- |
//! | [`handler`] | any extractors: `id: Path<u32>, order: Json<Order>` | `.route("/orders/{id}", put_service(handler(chain)))` |
//! | [`service`] | the [`Request`], or its head and its body | `.route_service("/", service(chain))`, `.fallback_service(..)` |
//! | [`layer`] | the [`Request`], and [`Next`], which is what comes after it | `.layer(layer(chain))`, `.route_layer(..)` |
//! | [`layer_with`] | the [`Request`], and [`NextWith`], which takes what the chain found to what comes after it | [`finding`]`(routes, layer_with(chain))` |
//!
//! Let the chain's reply be a [`Reply`]: then nodes may give or break with any [`IntoResponse`], such as the rejections
//! of extractors. Inside of a chain, [`extract()`] is an extractor as a node.
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
//! /// `State` becomes a field, and an `Extension` a value that a node provides.
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
//! A reply has the framing of its body, and a reply to `HEAD` has no content: see [`framing`](crate::framing). axum
//! itself drops that content for handlers only. `()` is `IntoResponse`, and yet it is no reply here. Otherwise a chain
//! that ends with a node which gives nothing, whose node breaks with `()`, or that goes on after [`next()`], would
//! answer `200 OK` with an empty body. Such a chain does not compile.
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
//! fn check(request: &Request) -> Result<(), ()> { Err(()) } // break with a status instead
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
//!     async fn(request: Request, inner: Next) -> Reply { next => greet } // the response of `next` would be lost
//! }
//! ```
//!
//! # A node that awaits
//!
//! The body of a [`Request`] and of a [`Reply`] is not `Sync`. So a future that holds a `&Request` or a `&Reply` across
//! an await is not `Send`, and axum accepts only futures that are. **An `async` node asks for `&mut Request`, and an
//! `async fn exit` for `reply: &mut Reply`.** Or it asks a plain node for the part of the request that it needs.
//! `#[send]` on the chain reports a mistake at the node.
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
//! Handlers find by its type what a layer found: see [`Found`].
//!
//! A `handler` is a service, and no `Handler`: a `Handler` would have to promise that the future of every chain is
//! `Send`, which on stable Rust can be said of one chain only. `get_service`, `post_service` and so on take the
//! service, and check this there.
//!
//! The page `migrate::axum` of this documentation shows, before and after, how to move axum's middleware to a chain.

use core::convert::Infallible;
use core::future::Future;
use core::mem;

use ::axum::body::Body;
use ::axum::extract::{FromRequest, FromRequestParts};
use ::axum::response::{IntoResponse, Response};
use ::axum::routing::Route;
use chain_macros::node;
use http::request::Parts;
use tower_layer::Layer;
use tower_service::Service;

use crate::embed::{Chain, Embedded, Handle, Inputs};
use crate::framing::{Asked, Settled};
use crate::tower::{Layering, Permit, Spare};

mod found;
#[cfg(doctest)]
mod no_reply;
mod reply;

pub use ::axum::extract::Request;
pub use found::{Finding, Finds, Found, NextWith, finding, layer_with, next_with};
#[doc(hidden)]
pub use reply::MadeOfAnything;
pub use reply::Reply;

/// What a chain that is a [`layer`] is around: the route, ready for one call.
pub type Next = Permit<Route, Request>;

/// Any tower layer as an around node, in a chain whose request is a [`Request`] and whose reply is a [`Reply`]. The
/// layer may give the response any type of body.
#[cfg(feature = "pool")]
pub type Layered = crate::tower::Layered<Request, Reply, Response>;

/// A chain over the [`Request`], or over its head and its body, as a service: for `Router::route_service`,
/// `get_service` and the like.
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
    H: Handle<Chain = C>,
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
/// They are extracted in their order, and the last one may take the body. If one of them refuses the request, its
/// rejection is the response and the chain does not run. A chain that handles rejections itself uses [`extract()`].
/// Their state is `()`: the chain's fields hold what its nodes share. For extractors that need a state there is
/// [`handler_with`].
pub fn handler<H, C, I, R, M>(
    chain: H,
) -> impl Service<
    Request,
    Response = Response,
    Error = Infallible,
    Future = impl Future<Output = Result<Response, Infallible>>,
> + Clone
where
    H: Handle<Chain = C>,
    C: Chain<I, R>,
    I: FromRequest<(), M>,
    R: Into<Response>,
{
    handler_with(chain, ())
}

/// The same, with a state for the extractors.
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
    H: Handle<Chain = C>,
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

/// A chain over the [`Request`] and [`Next`], as a layer: for `Router::layer`, `Router::route_layer` and
/// `MethodRouter::layer`.
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
    H: Handle<Chain = C>,
    C: Chain<(Request, Next), R>,
    R: Into<Response>,
{
    let run = |chain: H, request: Request, inner: Next| {
        let asked = Asked::of(&request);
        async move { Ok(framed(asked, C::run_owned(chain, (request, inner)).await.into())) }
    };
    Layering { chain, run, not_ready: (|never| never) as fn(Infallible) -> Infallible }
}

/// Gives the response the framing that its body has: see [`framing`](crate::framing).
fn framed(asked: Asked, mut response: Response) -> Response {
    match asked.settle(&mut response) {
        Settled::Empty => response.map(|_| Body::empty()),
        _ => response,
    }
}

/// The node that hands the request on to what a [`layer`] is around, and gives the response. It takes the request and
/// the [`Next`].
#[node(crate = crate, last)]
pub async fn next(next: Next, request: Request) -> Result<Response, Infallible> {
    next.call(request).await
}

/// [`next()`], for a chain in which an `exit` looks at the request. This node borrows the request. The head stays, and
/// a copy of the head is handed on, with the body. An access log that stands before it can ask, on its way out, for
/// `&Request`, and for whatever nodes before `next_lent` provided.
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
