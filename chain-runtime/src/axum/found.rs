//! Handlers find by its type what the layer before them found.

use core::convert::Infallible;
use core::fmt;
use core::future::Future;
use core::marker::PhantomData;

use ::axum::Router;
use ::axum::extract::{FromRef, FromRequestParts};
use ::axum::response::{IntoResponse, Response};
use ::axum::routing::Route;
use chain_macros::node;
use http::request::Parts;
use tower_layer::Layer;
use tower_service::Service;

use super::{Next, Request, framed};
use crate::embed::{Chain, Handle};
use crate::framing::Asked;
use crate::tower::Layering;

/// An extractor for what the chain around these routes found: a `T`, or a part of it ([`FromRef`]).
///
/// It is for the handlers of a `Router<Finds<T>>`. Only [`finding`] makes such a router one that can be served. So a
/// handler that asks for a type that no chain finds does not compile. An `Extension<T>` that was never inserted is a
/// 500 at the first request.
///
/// ```
/// use std::sync::Arc;
///
/// use ::axum::Router;
/// use ::axum::http::StatusCode;
/// use ::axum::routing::get;
/// use chain_runtime::axum::{Found, NextWith, Reply, Request, finding, layer_with, next_with};
/// use chain_runtime::{chain, node};
///
/// #[derive(Clone)]
/// struct User(String);
///
/// #[node]
/// fn auth(request: &Request) -> Result<User, StatusCode> {
///     let name = request.headers().get("x-user").and_then(|name| name.to_str().ok());
///     name.map(|name| User(name.to_owned())).ok_or(StatusCode::UNAUTHORIZED)
/// }
///
/// chain! {
///     struct Guard;
///     async fn(request: Request, inner: NextWith<User>) -> Reply { auth => next_with::<User> }
/// }
///
/// async fn greet(Found(user): Found<User>) -> String {
///     format!("hello, {}", user.0)
/// }
///
/// let app: Router = finding(Router::new().route("/", get(greet)), layer_with(Arc::new(Guard)));
/// # use tower::ServiceExt;
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// # let request = Request::get("/").header("x-user", "ada").body(::axum::body::Body::empty()).unwrap();
/// # let reply = app.clone().oneshot(request).await.unwrap();
/// # assert_eq!(::axum::body::to_bytes(reply.into_body(), 99).await.unwrap(), "hello, ada");
/// # let request = Request::get("/").body(::axum::body::Body::empty()).unwrap();
/// # assert_eq!(app.oneshot(request).await.unwrap().status(), 401);
/// # });
/// ```
///
/// Without `finding`, such a router cannot be served:
///
/// ```compile_fail,E0277
/// # use ::axum::Router;
/// # use ::axum::routing::get;
/// # use chain_runtime::axum::Found;
/// # #[derive(Clone)]
/// # struct User(String);
/// # async fn greet(Found(user): Found<User>) -> String { user.0 }
/// let app: Router = Router::new().route("/", get(greet));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found<T>(pub T);

/// The state of routes around which a chain finds a `T`.
pub struct Finds<T>(PhantomData<fn() -> T>);

impl<T> Clone for Finds<T> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<T> fmt::Debug for Finds<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Finds")
    }
}

/// The value among a request's extensions: only this module can put a value of this type there.
#[derive(Clone)]
struct Held<T>(T);

impl<T, U> FromRequestParts<Finds<T>> for Found<U>
where
    T: Clone + Send + Sync + 'static,
    U: FromRef<T>,
{
    type Rejection = Infallible;

    async fn from_request_parts(head: &mut Parts, _: &Finds<T>) -> Result<Self, Infallible> {
        let held = head.extensions.get::<Held<T>>();
        let held =
            held.expect("`finding` lays the chain around the routes, and `next_with` is the only way through it");
        Ok(Self(U::from_ref(&held.0)))
    }
}

/// [`Next`], which also needs a `T`: only [`next_with()`] can use it.
#[derive(Debug)]
pub struct NextWith<T> {
    next: Next,
    found: PhantomData<fn(T)>,
}

/// The node that hands the request on, with a `T` that an earlier node provides, and gives the response.
#[node(crate = crate, last)]
pub async fn next_with<T: Clone + Send + Sync + 'static>(
    next: NextWith<T>,
    request: Request,
    found: &T,
) -> Result<Response, Infallible> {
    let mut request = request;
    request.extensions_mut().insert(Held(found.clone()));
    next.next.call(request).await
}

/// A layer that finds a `T`: see [`finding`].
#[derive(Clone, Debug)]
#[must_use = "`finding` lays it around routes"]
pub struct Finding<T, L> {
    layer: L,
    found: PhantomData<fn() -> T>,
}

/// A chain over the [`Request`] and [`NextWith<T>`](NextWith), for [`finding`].
pub fn layer_with<H, C, T, R>(
    chain: H,
) -> Finding<
    T,
    impl Layer<
        Route,
        Service = impl Service<
            Request,
            Response = Response,
            Error = Infallible,
            Future = impl Future<Output = Result<Response, Infallible>>,
        > + Clone,
    > + Clone,
>
where
    H: Handle<Chain = C>,
    C: Chain<(Request, NextWith<T>), R>,
    R: Into<Response>,
{
    let run = |chain: H, request: Request, next: Next| {
        let asked = Asked::of(&request);
        let next = NextWith { next, found: PhantomData };
        async move { Ok(framed(asked, C::run_owned(chain, (request, next)).await.into())) }
    };
    let layer = Layering { chain, run, not_ready: (|never| never) as fn(Infallible) -> Infallible };
    Finding { layer, found: PhantomData }
}

/// Puts a chain that finds a `T` around routes whose handlers ask for it by [`Found<T>`](Found).
pub fn finding<T, L>(routes: Router<Finds<T>>, layer: Finding<T, L>) -> Router
where
    T: 'static,
    L: Layer<Route> + Clone + Send + Sync + 'static,
    L::Service: Service<Request> + Clone + Send + Sync + 'static,
    <L::Service as Service<Request>>::Response: IntoResponse + 'static,
    <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
    <L::Service as Service<Request>>::Future: Send + 'static,
{
    routes.layer(layer.layer).with_state(Finds(PhantomData))
}
