//! The same nodes as axum's middleware: 37 `from_fn`, values in the request's extensions.
//!
//! All layers stand in one `ServiceBuilder`, which boxes less than a `Router::layer` for each.
//! The last of the nodes is the handler, so that there are 36 layers around it.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing};
use http::header::AUTHORIZATION;
use http::{HeaderValue, StatusCode};
use tower::ServiceBuilder;

use crate::calls::Inside;
use crate::nodes::{self, *};
use crate::requests::BODY;

type Shared = State<&'static Gateway>;
type Passed = Result<Response, Refused>;

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

/// What an earlier layer left in the extensions; that it is there is seen when it is asked for.
fn value<T: Copy + Send + Sync + 'static>(request: &Request) -> Result<T, Refused> {
    request.extensions().get().copied().ok_or(Refused(StatusCode::INTERNAL_SERVER_ERROR))
}

/// A key that outlives a borrow of the request.
#[derive(Clone)]
struct OwnKey(HeaderValue);

async fn in_flight(State(gateway): Shared, request: Request, next: Next) -> Response {
    let _inside = Inside::new(&gateway.in_flight);
    next.run(request).await
}

async fn log(State(gateway): Shared, request: Request, next: Next) -> Response {
    let started = gateway.log.enter();
    let response = next.run(request).await;
    gateway.log.exit(&started, &response.status());
    response
}

async fn breaker(State(gateway): Shared, request: Request, next: Next) -> Passed {
    let upstream = value(&request)?;
    gateway.breaker.enter(&upstream)?;
    let response = next.run(request).await;
    gateway.breaker.exit(&upstream, &response.status());
    Ok(response)
}

async fn tells(request: Request, next: Next) -> Passed {
    let (id, trace, upstream) = (value(&request)?, value(&request)?, value(&request)?);
    let mut response = next.run(request).await;
    tell(response.headers_mut(), id, trace, upstream);
    Ok(response)
}

async fn user(State(gateway): Shared, mut request: Request, next: Next) -> Passed {
    let OwnKey(key) = request.extensions().get().cloned().ok_or(Refused(StatusCode::INTERNAL_SERVER_ERROR))?;
    let key = key.to_str().ok().and_then(|text| text.strip_prefix("Bearer ")).unwrap_or_default();
    let user = nodes::user(&Key(key), &gateway.users, &gateway.store).await?;
    request.extensions_mut().insert(user);
    Ok(next.run(request).await)
}

async fn key(mut request: Request, next: Next) -> Passed {
    nodes::key(request.headers())?;
    let key = request.headers().get(AUTHORIZATION).cloned().ok_or(Refused(StatusCode::UNAUTHORIZED))?;
    request.extensions_mut().insert(OwnKey(key));
    Ok(next.run(request).await)
}

async fn answer(State(gateway): Shared) -> Response {
    let mut response = Response::new(Body::from(BODY));
    *response.status_mut() = nodes::answer(&gateway.store).await;
    response
}

/// Layers that refuse or pass on.
macro_rules! checks {
    ($(fn $name:ident $(<const $i:ident: usize>)? (|$gateway:ident, $request:ident| $work:expr);)*) => {$(
        async fn $name $(<const $i: usize>)? (State($gateway): Shared, $request: Request, next: Next) -> Passed {
            $work?;
            Ok(next.run($request).await)
        }
    )*};
}

checks! {
    fn methods(|_gateway, request| nodes::methods(request.method()));
    fn short(|_gateway, request| nodes::short(request.uri()));
    fn field<const I: usize>(|_gateway, request| nodes::field::<I>(request.headers()));
    fn size(|_gateway, request| nodes::size(request.headers()));
    fn deny(|gateway, request| nodes::deny(&value(&request)?, &gateway.denied));
    fn quota(|gateway, request| nodes::quota(&value(&request)?, &gateway.limiter, &gateway.store).await);
    fn allowed(|gateway, request| nodes::allowed(&value(&request)?, &value(&request)?, &gateway.routes));
}

/// Layers that leave a value.
macro_rules! values {
    ($(fn $name:ident $(<$(const $i:ident: usize),*>)? (|$gateway:ident, $request:ident| $work:expr);)*) => {$(
        async fn $name $(<$(const $i: usize),*>)? (State($gateway): Shared, mut $request: Request, next: Next)
            -> Passed
        {
            let value = $work;
            $request.extensions_mut().insert(value);
            Ok(next.run($request).await)
        }
    )*};
}

values! {
    fn request_id(|gateway, request| nodes::request_id(&gateway.ids));
    fn client(|_gateway, request| nodes::client(request.headers()));
    fn trace(|_gateway, request| nodes::trace(request.headers(), &value(&request)?));
    fn tenant(|_gateway, request| nodes::tenant(&value(&request)?));
    fn route(|gateway, request| nodes::route(request.uri(), &gateway.routes)?);
    fn encoding(|_gateway, request| nodes::encoding(request.headers()));
    fn language(|_gateway, request| nodes::language(request.headers()));
    fn cache_key(|_gateway, request| nodes::cache_key(
        request.uri(), &value(&request)?, &value(&request)?, &value(&request)?));
    fn cached(|gateway, request| nodes::cached(&value(&request)?, &gateway.store).await);
    fn rollout(|gateway, request| nodes::rollout(&value(&request)?, &gateway.flags));
    fn feature<const I: usize, const BEFORE: usize>(|gateway, request| nodes::feature::<I, BEFORE>(
        &value(&request)?, &gateway.flags));
    fn upstream(|gateway, request| nodes::upstream(
        &value(&request)?, &value(&request)?, &value(&request)?, &value(&request)?, &gateway.store).await);
}

/// The router behind its layers.
pub(crate) fn service(
    gateway: &'static Gateway,
) -> impl tower::Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static {
    macro_rules! layers {
        ($($layer:expr,)*) => { ServiceBuilder::new()$(.layer(from_fn_with_state(gateway, $layer)))* };
    }
    let layers = layers![
        in_flight, log, request_id, methods, short, field::<0>, field::<1>, field::<2>, field::<3>, field::<4>,
        field::<5>, field::<6>, field::<7>, size, client, deny, trace,
    ];
    let more = layers![
        user,
        tenant,
        quota,
        route,
        allowed,
        encoding,
        language,
        cache_key,
        cached,
        rollout,
        feature::<1, 0>,
        feature::<2, 1>,
        feature::<3, 2>,
        feature::<4, 3>,
        feature::<5, 4>,
        upstream,
        breaker,
    ];
    let layers = layers.layer(axum::middleware::from_fn(key)).layer(more).layer(axum::middleware::from_fn(tells));
    Router::new().fallback(routing::any(answer)).with_state(gateway).layer(layers)
}
