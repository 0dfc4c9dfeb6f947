//! Other libraries for such chains: axum, actix, and a row of `Arc<dyn Middleware>`. (tower and motore: `nested.rs`.)
//!
//! A request that passes by value comes back through a slot, so that no contestant pays for making one. Provided values
//! go into the request's `http::Extensions`, as programs do it there.

use std::marker::PhantomData;
use std::sync::Arc;

use chain_benches::poll::suspend;
use chain_runtime::IntoReply;
use http::StatusCode;

use crate::work::{self, Case, Incoming, Refused, State, Value, driven, looped};

// ---- the variants, as types

/// What the nodes of a variant do.
pub(crate) trait Variant: Copy + Default + Send + Sync + 'static {
    const NAME: &'static str;
    const SUSPENDS: bool = false;
    fn enter<const I: usize, const BEFORE: usize>(request: &mut Incoming) -> Result<u64, Refused> {
        work::mix::<I>(request)?;
        Ok(0)
    }
    fn exit<const I: usize>(held: u64, reply: &mut StatusCode) {
        let _ = (held, reply);
    }
    fn last(request: &mut Incoming) -> StatusCode {
        work::last(request)
    }
}

macro_rules! variants {
    ($($variant:ident $name:literal { $($item:tt)* })*) => { $(
        #[derive(Clone, Copy, Default)]
        pub(crate) struct $variant;
        impl Variant for $variant {
            const NAME: &'static str = $name;
            $($item)*
        }
    )* };
}

variants! {
    Ready "ready" {}
    Mixed "mixed" { const SUSPENDS: bool = true; }
    Light "light" {
        #[inline(always)]
        fn enter<const I: usize, const BEFORE: usize>(request: &mut Incoming) -> Result<u64, Refused> {
            work::add::<I>(request)?;
            Ok(0)
        }
    }
    Provide "provide" {
        #[inline(always)]
        fn enter<const I: usize, const BEFORE: usize>(request: &mut Incoming) -> Result<u64, Refused> {
            let before = request.parts.extensions.get::<Value<BEFORE>>().copied();
            let before = before.unwrap_or(Value(request.state.0));
            let value: Value<I> = work::provide(request, &before)?;
            request.parts.extensions.insert(value);
            Ok(0)
        }
        #[inline(always)]
        fn last(request: &mut Incoming) -> StatusCode {
            let value = request.parts.extensions.get::<Value<0>>().copied();
            // What is reused is empty at first.
            request.parts.extensions.clear();
            work::last_value(&value.unwrap_or(Value(request.state.0)))
        }
    }
    Hooks "hooks" {
        #[inline(always)]
        fn enter<const I: usize, const BEFORE: usize>(request: &mut Incoming) -> Result<u64, Refused> {
            Ok(work::enter::<I>(request)?.0)
        }
        #[inline(always)]
        fn exit<const I: usize>(held: u64, reply: &mut StatusCode) {
            work::exit::<I>(&work::Held(held), reply);
        }
    }
}

// ---- a row of boxes

/// A node. `SLOW` ones suspend where the variant does.
#[derive(Clone, Copy, Default)]
pub(crate) struct Node<V, const SLOW: bool, const I: usize, const BEFORE: usize>(PhantomData<V>);
#[derive(Clone, Copy, Default)]
pub(crate) struct Last<V>(PhantomData<V>);

#[async_trait::async_trait]
pub(crate) trait Middleware: Send + Sync {
    async fn handle(&self, request: &mut Incoming, next: Next<'_>) -> StatusCode;
}

/// What is left of the row.
pub(crate) struct Next<'a>(&'a [Arc<dyn Middleware>]);

impl Next<'_> {
    async fn run(self, request: &mut Incoming) -> StatusCode {
        let (first, rest) = self.0.split_first().expect("the last one calls nobody");
        first.handle(request, Next(rest)).await
    }
}

#[async_trait::async_trait]
impl<V: Variant, const SLOW: bool, const I: usize, const BEFORE: usize> Middleware for Node<V, SLOW, I, BEFORE> {
    async fn handle(&self, request: &mut Incoming, next: Next<'_>) -> StatusCode {
        if SLOW && V::SUSPENDS {
            suspend(1).await;
        }
        let Ok(held) = V::enter::<I, BEFORE>(request) else {
            return Refused.into_reply();
        };
        let mut reply = next.run(request).await;
        V::exit::<I>(held, &mut reply);
        reply
    }
}

#[async_trait::async_trait]
impl<V: Variant> Middleware for Last<V> {
    async fn handle(&self, request: &mut Incoming, _: Next<'_>) -> StatusCode {
        V::last(request)
    }
}

// ---- axum

/// Where what the nodes share is kept.
trait Extensions {
    fn get<T: Clone + Send + Sync + 'static>(&self) -> Option<&T>;
    fn get_mut<T: Clone + Send + Sync + 'static>(&mut self) -> Option<&mut T>;
    fn put<T: Clone + Send + Sync + 'static>(&mut self, value: T);
}

macro_rules! extensions {
    ($($ty:ty)*) => { $(
        impl Extensions for $ty {
            fn get<T: Clone + Send + Sync + 'static>(&self) -> Option<&T> {
                <$ty>::get(self)
            }
            fn get_mut<T: Clone + Send + Sync + 'static>(&mut self) -> Option<&mut T> {
                <$ty>::get_mut(self)
            }
            fn put<T: Clone + Send + Sync + 'static>(&mut self, value: T) {
                <$ty>::insert(self, value);
            }
        }
    )* };
}
extensions! { http::Extensions actix_web::dev::Extensions }

/// The way in of a node whose request is a library's own.
fn mixed_in<V: Variant, const I: usize, const BEFORE: usize>(
    header: u64,
    extensions: &mut impl Extensions,
) -> Result<u64, Refused> {
    let state = extensions.get_mut::<State>().expect("it was put there");
    match V::NAME {
        "provide" => {
            let sum = state.0;
            let before = extensions.get::<Value<BEFORE>>().map_or(sum, |value| value.0);
            extensions.put(Value::<I>(work::mixed(before, header)?));
            return Ok(0);
        }
        "light" => state.0 = work::added(state.0)?,
        _ => state.0 = work::mixed(state.0, header)?,
    }
    Ok(state.0)
}

/// What the last one replies with.
fn sum_of<V: Variant>(extensions: &impl Extensions) -> u64 {
    match V::NAME {
        "provide" => extensions.get::<Value<0>>().expect("it was provided").0,
        _ => extensions.get::<State>().expect("it was put there").0,
    }
}

mod in_axum {
    use std::cell::Cell;

    use axum::extract::Request;
    use axum::middleware::Next;
    use axum::response::{IntoResponse, Response};

    use super::{Incoming, Refused, State, Variant, suspend, work};

    thread_local! {
        static SLOT: Cell<Option<Incoming>> = const { Cell::new(None) };
    }

    impl IntoResponse for Refused {
        fn into_response(self) -> Response {
            axum::http::StatusCode::FORBIDDEN.into_response()
        }
    }

    /// The request that came back, or a new one, as axum has it.
    pub(crate) fn request(index: u64) -> Request {
        let Incoming { mut parts, .. } = SLOT.take().unwrap_or_else(Incoming::new);
        parts.extensions.insert(State(index));
        Request::from_parts(parts, axum::body::Body::empty())
    }

    fn enter<V: Variant, const I: usize, const BEFORE: usize>(request: &mut Request) -> Result<u64, Refused> {
        let header = if V::NAME == "light" { 0 } else { work::read(request.headers()) };
        super::mixed_in::<V, I, BEFORE>(header, request.extensions_mut())
    }

    pub(crate) async fn node<V: Variant, const SLOW: bool, const I: usize, const BEFORE: usize>(
        mut request: Request,
        next: Next,
    ) -> Result<Response, Refused> {
        if SLOW && V::SUSPENDS {
            suspend(1).await;
        }
        let held = enter::<V, I, BEFORE>(&mut request)?;
        let mut response = next.run(request).await;
        V::exit::<I>(held, response.status_mut());
        Ok(response)
    }

    pub(crate) async fn last<V: Variant>(request: Request) -> axum::http::StatusCode {
        let (mut parts, _) = request.into_parts();
        let reply = work::status(super::sum_of::<V>(&parts.extensions));
        // What is reused is empty at first.
        parts.extensions.clear();
        SLOT.set(Some(Incoming { parts, state: State(0) }));
        reply
    }

    impl work::Reply for Response {
        fn status(self) -> axum::http::StatusCode {
            (&self as &Response).status_code()
        }
    }

    trait StatusCode {
        fn status_code(&self) -> axum::http::StatusCode;
    }
    impl StatusCode for Response {
        fn status_code(&self) -> axum::http::StatusCode {
            self.status()
        }
    }
}

// ---- actix

mod in_actix {
    //! actix has a request of its own, and `http` of another age: the nodes do the same work on its headers.

    use actix_web::body::MessageBody;
    use actix_web::dev::{Service, ServiceFactory, ServiceRequest, ServiceResponse};
    use actix_web::http::header::USER_AGENT;
    use actix_web::middleware::Next;
    use actix_web::test::TestRequest;
    use actix_web::{App, Error, HttpMessage, HttpRequest, HttpResponse};

    type Request = actix_http::Request;
    use chain_benches::poll::{block_on, suspend};
    use chain_runtime::IntoReply;
    use http::StatusCode;

    use super::{Refused, State, Variant, work};

    #[inline(never)]
    fn read(request: &ServiceRequest) -> u64 {
        std::hint::black_box(request).headers().get(USER_AGENT).map_or(0, |value| work::first(value.as_bytes()))
    }

    pub(crate) async fn node<V: Variant, const SLOW: bool, const I: usize, const BEFORE: usize, B: MessageBody>(
        request: ServiceRequest,
        next: Next<B>,
    ) -> Result<ServiceResponse<B>, Error> {
        if SLOW && V::SUSPENDS {
            suspend(1).await;
        }
        let header = if V::NAME == "light" { 0 } else { read(&request) };
        let entered = super::mixed_in::<V, I, BEFORE>(header, &mut *request.extensions_mut());
        let Ok(held) = entered else {
            return Err(actix_web::error::ErrorForbidden("refused"));
        };
        let mut response = next.call(request).await?;
        let mut reply = status(response.status());
        V::exit::<I>(held, &mut reply);
        *response.response_mut().status_mut() = back(reply);
        Ok(response)
    }

    pub(crate) async fn last<V: Variant>(request: HttpRequest) -> HttpResponse {
        let sum = super::sum_of::<V>(&*request.extensions());
        HttpResponse::new(back(work::status(sum)))
    }

    fn status(status: actix_web::http::StatusCode) -> StatusCode {
        StatusCode::from_u16(status.as_u16()).unwrap_or_default()
    }

    fn back(status: StatusCode) -> actix_web::http::StatusCode {
        actix_web::http::StatusCode::from_u16(status.as_u16()).unwrap_or_default()
    }

    /// Its requests cannot be reused: each is made anew, before anything is measured. Callgrind, which turns its
    /// counting on where a function of that name begins, turns it off in here.
    #[inline(never)]
    fn not_counted_by_callgrind(times: u64) -> Vec<Request> {
        let made = (0..times).rev().map(|index| {
            let request =
                TestRequest::get().uri("/").insert_header(("host", "localhost")).insert_header(("accept", "*/*"));
            let request = request.insert_header((USER_AGENT, "curl/8.9.1")).to_request();
            request.extensions_mut().insert(State(index));
            request
        });
        made.collect()
    }

    pub(crate) fn run<T, B>(times: u64, app: App<T>) -> work::Measured
    where
        T: ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse<B>, Error = Error, InitError = ()>
            + 'static,
        B: MessageBody + 'static,
    {
        let service = block_on(actix_web::test::init_service(app));
        let mut made = not_counted_by_callgrind(times);
        work::looped(times, |_| {
            let request = made.pop().expect("as many were made");
            let future = service.call(request);
            let size = size_of_val(&future);
            let reply = block_on(future).map_or_else(|_| Refused.into_reply(), |response| status(response.status()));
            (reply, size)
        })
    }
}

// ---- the cases

macro_rules! rows {
    ($cases:ident $name:ident $depth:literal { $([$($fast:literal)*] $(($slow:literal))?)* }) => {
        rows!(@ $cases $depth Ready { $($($fast)* $(($slow))?)* });
        rows!(@ $cases $depth Mixed { $($($fast)* $(($slow))?)* });
        rows!(@ $cases $depth Light { $($($fast)* $(($slow))?)* });
        rows!(@ $cases $depth Provide { $($($fast)* $(($slow))?)* });
        rows!(@ $cases $depth Hooks { $($($fast)* $(($slow))?)* });
    };
    (@ $cases:ident $depth:literal $v:ident { $($node:tt)* }) => {{
        let mut case = |contestant, run| $cases.push(Case { contestant, variant: $v::NAME, depth: $depth, run });
        case("Vec<Arc<dyn Middleware>>", |times| {
            let mut row: Vec<Arc<dyn Middleware>> = Vec::new();
            $(row.push(rows!(dyn $v $node));)*
            row.push(Arc::new(Last::<$v>::default()));
            let mut request = Incoming::new();
            looped(times, |index| driven(Next(&row).run(request.begin(index))))
        });
    }};
    (dyn $v:ident ($i:literal)) => { Arc::new(Node::<$v, true, $i, { $i + 1 }>::default()) };
    (dyn $v:ident $i:literal) => { Arc::new(Node::<$v, false, $i, { $i + 1 }>::default()) };
}

/// One after the other: `Router::layer` boxes, so its type stays the same, and a loop can do it at any depth.
fn in_layers<V: Variant>(times: u64, depth: usize) -> work::Measured {
    // The first layer is the innermost.
    let mut router = axum::Router::new().route("/", axum::routing::get(in_axum::last::<V>));
    for node in 0..depth {
        router = match node % 7 == 6 {
            true => router.layer(axum::middleware::from_fn(in_axum::node::<V, true, 0, 1>)),
            false => router.layer(axum::middleware::from_fn(in_axum::node::<V, false, 0, 1>)),
        };
    }
    in_router(times, router)
}

macro_rules! layers {
    ($cases:ident $($depth:literal)*) => { $( layers! { @ $cases $depth Ready Mixed Light Hooks } )* };
    (@ $cases:ident $depth:literal $($v:ident)*) => { $(
        $cases.push(Case {
            contestant: "axum, from_fn for each layer",
            variant: $v::NAME,
            depth: $depth,
            run: |times| in_layers::<$v>(times, $depth),
        });
    )* };
}

/// What is one type for each chain of layers, and for each value provided.
macro_rules! axums {
    ($cases:ident $name:ident $depth:literal { $([$($fast:literal)*] $(($slow:literal))?)* }) => {
        axums!(@ $cases $depth Ready { $($($fast)* $(($slow))?)* });
        axums!(@ $cases $depth Light { $($($fast)* $(($slow))?)* });
        axums!(@ $cases $depth Provide { $($($fast)* $(($slow))?)* });
        axums!(@ $cases $depth Hooks { $($($fast)* $(($slow))?)* });
        let mut case = |contestant, run| $cases.push(Case { contestant, variant: Provide::NAME, depth: $depth, run });
        case("axum, from_fn for each layer", |times| {
            let router = axum::Router::new().route("/", axum::routing::get(in_axum::last::<Provide>));
            let router = axums!(layers router Provide [] $($($fast)* $(($slow))?)*);
            in_router(times, router)
        });
    };
    (@ $cases:ident $depth:literal $v:ident { $($node:tt)* }) => {{
        let mut case = |contestant, run| $cases.push(Case { contestant, variant: $v::NAME, depth: $depth, run });
        case("axum, from_fn in one ServiceBuilder", |times| {
            let layers = tower::ServiceBuilder::new() $(.layer(axums!(layer $v $node)))*;
            let router = axum::Router::new().route("/", axum::routing::get(in_axum::last::<$v>)).layer(layers);
            in_router(times, router)
        });
        case("actix, from_fn", |times| {
            let app = actix_web::App::new().route("/", actix_web::web::get().to(in_actix::last::<$v>));
            in_actix::run(times, axums!(wraps app $v [] $($node)*))
        });
    }};
    // The first layer is the innermost.
    (layers $router:ident $v:ident [$($done:tt)*]) => { $router $(.layer(axums!(layer $v $done)))* };
    (layers $router:ident $v:ident [$($done:tt)*] $first:tt $($rest:tt)*) => {
        axums!(layers $router $v [$first $($done)*] $($rest)*)
    };
    (layer $v:ident ($i:literal)) => { axum::middleware::from_fn(in_axum::node::<$v, true, $i, { $i + 1 }>) };
    (layer $v:ident $i:literal) => { axum::middleware::from_fn(in_axum::node::<$v, false, $i, { $i + 1 }>) };
    (wraps $app:ident $v:ident [$($done:tt)*]) => { $app $(.wrap(axums!(wrap $v $done)))* };
    (wraps $app:ident $v:ident [$($done:tt)*] $first:tt $($rest:tt)*) => {
        axums!(wraps $app $v [$first $($done)*] $($rest)*)
    };
    (wrap $v:ident ($i:literal)) => { actix_web::middleware::from_fn(in_actix::node::<$v, true, $i, { $i + 1 }, _>) };
    (wrap $v:ident $i:literal) => { actix_web::middleware::from_fn(in_actix::node::<$v, false, $i, { $i + 1 }, _>) };
}

fn in_router(times: u64, mut router: axum::Router) -> work::Measured {
    looped(times, |index| driven(tower::Service::call(&mut router, in_axum::request(index))))
}

pub(crate) fn cases(cases: &mut Vec<Case>) {
    crate::depths! { rows cases }
    layers! { cases 1 5 10 20 37 100 }
    crate::shallow_depths! { axums cases }
}
