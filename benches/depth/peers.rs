//! What people build such chains with: tower, axum, and a row of `Arc<dyn Middleware>`.
//!
//! A request that passes by value comes back through a slot, so that nobody pays for making one. What a node provides goes into the
//! request's `http::Extensions`, as it does there.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use chain_benches::poll::{Suspend, suspend};
use chain_runtime::IntoReply;
use http::StatusCode;
use pin_project_lite::pin_project;

use crate::work::{self, Case, Incoming, Refused, Value, driven, looped};

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

// ---- nested services

/// A node around `S`. `SLOW` ones suspend where the variant does.
#[derive(Clone, Copy, Default)]
pub(crate) struct Node<V, const SLOW: bool, const I: usize, const BEFORE: usize, S>(S, PhantomData<V>);
#[derive(Clone, Copy, Default)]
pub(crate) struct Last<V>(PhantomData<V>);
/// The same, with boxed futures.
#[derive(Clone, Copy, Default)]
pub(crate) struct BoxedNode<V, const SLOW: bool, const I: usize, const BEFORE: usize, S>(S, PhantomData<V>);

impl<V: Variant> tower::Service<Incoming> for Last<V> {
    type Response = StatusCode;
    type Error = Infallible;
    type Future = std::future::Ready<Result<StatusCode, Infallible>>;
    #[inline]
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
    #[inline]
    fn call(&mut self, mut request: Incoming) -> Self::Future {
        let reply = V::last(&mut request);
        work::give_back(request);
        std::future::ready(Ok(reply))
    }
}

pin_project! {
    /// Written by hand: nothing is boxed.
    #[project = NodeFutureState]
    pub(crate) enum NodeFuture<W, S>
    where
        S: tower::Service<Incoming>,
    {
        Paused { pause: Suspend, request: Option<Incoming>, inner: S },
        Inner { #[pin] inner: S::Future, held: u64, work: PhantomData<W> },
        Refused,
    }
}

/// What one node does, as a type.
pub(crate) trait Work {
    fn enter(request: &mut Incoming) -> Result<u64, Refused>;
    fn exit(held: u64, reply: &mut StatusCode);
}

pub(crate) struct Of<V, const I: usize, const BEFORE: usize>(PhantomData<V>);

impl<V: Variant, const I: usize, const BEFORE: usize> Work for Of<V, I, BEFORE> {
    #[inline(always)]
    fn enter(request: &mut Incoming) -> Result<u64, Refused> {
        V::enter::<I, BEFORE>(request)
    }
    #[inline(always)]
    fn exit(held: u64, reply: &mut StatusCode) {
        V::exit::<I>(held, reply);
    }
}

impl<W, S> NodeFuture<W, S>
where
    W: Work,
    S: tower::Service<Incoming, Response = StatusCode, Error = Infallible>,
{
    #[inline]
    fn entered(mut request: Incoming, inner: &mut S) -> Self {
        match W::enter(&mut request) {
            Ok(held) => Self::Inner { inner: inner.call(request), held, work: PhantomData },
            Err(Refused) => {
                work::give_back(request);
                Self::Refused
            }
        }
    }
}

impl<W, S> Future for NodeFuture<W, S>
where
    W: Work,
    S: tower::Service<Incoming, Response = StatusCode, Error = Infallible>,
{
    type Output = Result<StatusCode, Infallible>;
    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let next = match self.as_mut().project() {
                NodeFutureState::Paused { pause, request, inner } => match Pin::new(pause).poll(context) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(()) => Self::entered(request.take().expect("polled once more"), inner),
                },
                NodeFutureState::Inner { inner, held, .. } => {
                    return inner.poll(context).map(|reply| {
                        let Ok(mut reply) = reply;
                        W::exit(*held, &mut reply);
                        Ok(reply)
                    });
                }
                NodeFutureState::Refused => return Poll::Ready(Ok(Refused.into_reply())),
            };
            self.set(next);
        }
    }
}

impl<V, const SLOW: bool, const I: usize, const BEFORE: usize, S> tower::Service<Incoming>
    for Node<V, SLOW, I, BEFORE, S>
where
    V: Variant,
    S: tower::Service<Incoming, Response = StatusCode, Error = Infallible> + Clone,
{
    type Response = StatusCode;
    type Error = Infallible;
    type Future = NodeFuture<Of<V, I, BEFORE>, S>;
    #[inline]
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(context)
    }
    #[inline]
    fn call(&mut self, request: Incoming) -> Self::Future {
        if SLOW && V::SUSPENDS {
            return NodeFuture::Paused { pause: suspend(1), request: Some(request), inner: self.0.clone() };
        }
        NodeFuture::entered(request, &mut self.0)
    }
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl<V, const SLOW: bool, const I: usize, const BEFORE: usize, S> tower::Service<Incoming>
    for BoxedNode<V, SLOW, I, BEFORE, S>
where
    V: Variant,
    S: tower::Service<Incoming, Response = StatusCode, Error = Infallible, Future: Send> + Clone + Send + 'static,
{
    type Response = StatusCode;
    type Error = Infallible;
    type Future = Boxed<'static, Result<StatusCode, Infallible>>;
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(context)
    }
    fn call(&mut self, mut request: Incoming) -> Self::Future {
        let mut inner = self.0.clone();
        Box::pin(async move {
            if SLOW && V::SUSPENDS {
                suspend(1).await;
            }
            let Ok(held) = V::enter::<I, BEFORE>(&mut request) else {
                return Ok(Refused.into_reply());
            };
            let Ok(mut reply) = inner.call(request).await;
            V::exit::<I>(held, &mut reply);
            Ok(reply)
        })
    }
}

// ---- a row of boxes

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
impl<V: Variant, const SLOW: bool, const I: usize, const BEFORE: usize> Middleware for Node<V, SLOW, I, BEFORE, ()> {
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

mod in_axum {
    use std::cell::Cell;

    use axum::extract::Request;
    use axum::middleware::Next;
    use axum::response::{IntoResponse, Response};

    use super::{Incoming, Refused, Variant, suspend, work};
    use crate::work::State;

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

    /// Lends the parts to what works on an `Incoming`.
    fn incoming<T>(request: &mut Request, work: impl FnOnce(&mut Incoming) -> T) -> T {
        let (parts, body) = std::mem::take(request).into_parts();
        let state = *parts.extensions.get::<State>().expect("it was put there");
        let mut incoming = Incoming { parts, state };
        let out = work(&mut incoming);
        if let Some(state) = incoming.parts.extensions.get_mut::<State>() {
            *state = incoming.state;
        }
        *request = Request::from_parts(incoming.parts, body);
        out
    }

    pub(crate) async fn node<V: Variant, const SLOW: bool, const I: usize, const BEFORE: usize>(
        mut request: Request,
        next: Next,
    ) -> Result<Response, Refused> {
        if SLOW && V::SUSPENDS {
            suspend(1).await;
        }
        let held = incoming(&mut request, |request| V::enter::<I, BEFORE>(request))?;
        let mut response = next.run(request).await;
        V::exit::<I>(held, response.status_mut());
        Ok(response)
    }

    pub(crate) async fn last<V: Variant>(request: Request) -> axum::http::StatusCode {
        let (parts, _) = request.into_parts();
        let state = *parts.extensions.get::<State>().expect("it was put there");
        let mut incoming = Incoming { parts, state };
        let reply = V::last(&mut incoming);
        SLOT.set(Some(incoming));
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

// ---- the cases

macro_rules! nested {
    ($node:ident $v:ident;) => { Last::<$v>::default() };
    ($node:ident $v:ident; ($i:literal) $($rest:tt)*) => {
        $node::<$v, true, $i, { $i + 1 }, _>(nested!($node $v; $($rest)*), PhantomData)
    };
    ($node:ident $v:ident; $i:literal $($rest:tt)*) => {
        $node::<$v, false, $i, { $i + 1 }, _>(nested!($node $v; $($rest)*), PhantomData)
    };
}

macro_rules! peers {
    ($cases:ident $name:ident $depth:literal { $([$($fast:literal)*] $(($slow:literal))?)* }) => {
        peers!(@ $cases $depth Ready { $($($fast)* $(($slow))?)* });
        peers!(@ $cases $depth Mixed { $($($fast)* $(($slow))?)* });
        peers!(@ $cases $depth Light { $($($fast)* $(($slow))?)* });
        peers!(@ $cases $depth Provide { $($($fast)* $(($slow))?)* });
        peers!(@ $cases $depth Hooks { $($($fast)* $(($slow))?)* });
    };
    (@ $cases:ident $depth:literal $v:ident { $($node:tt)* }) => {{
        let mut case = |contestant, run| $cases.push(Case { contestant, variant: $v::NAME, depth: $depth, run });
        case("tower, by value", |times| {
            let mut service = nested!(Node $v; $($node)*);
            looped(times, |index| driven(tower::Service::call(&mut service, work::take(index))))
        });
    }};
}

macro_rules! boxed {
    ($cases:ident $name:ident $depth:literal { $([$($fast:literal)*] $(($slow:literal))?)* }) => {
        boxed!(@ $cases $depth Ready { $($($fast)* $(($slow))?)* });
        boxed!(@ $cases $depth Mixed { $($($fast)* $(($slow))?)* });
        boxed!(@ $cases $depth Light { $($($fast)* $(($slow))?)* });
        boxed!(@ $cases $depth Provide { $($($fast)* $(($slow))?)* });
        boxed!(@ $cases $depth Hooks { $($($fast)* $(($slow))?)* });
    };
    (@ $cases:ident $depth:literal $v:ident { $($node:tt)* }) => {{
        let mut case = |contestant, run| $cases.push(Case { contestant, variant: $v::NAME, depth: $depth, run });
        case("tower, boxed futures", |times| {
            let mut service = nested!(BoxedNode $v; $($node)*);
            looped(times, |index| driven(tower::Service::call(&mut service, work::take(index))))
        });
    }};
}

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
    (dyn $v:ident ($i:literal)) => { Arc::new(Node::<$v, true, $i, { $i + 1 }, ()>::default()) };
    (dyn $v:ident $i:literal) => { Arc::new(Node::<$v, false, $i, { $i + 1 }, ()>::default()) };
}

macro_rules! axums {
    ($cases:ident $name:ident $depth:literal { $([$($fast:literal)*] $(($slow:literal))?)* }) => {
        axums!(@ $cases $depth Ready { $($($fast)* $(($slow))?)* });
        axums!(@ $cases $depth Mixed { $($($fast)* $(($slow))?)* });
        axums!(@ $cases $depth Light { $($($fast)* $(($slow))?)* });
        axums!(@ $cases $depth Provide { $($($fast)* $(($slow))?)* });
        axums!(@ $cases $depth Hooks { $($($fast)* $(($slow))?)* });
    };
    (@ $cases:ident $depth:literal $v:ident { $($node:tt)* }) => {{
        let mut case = |contestant, run| $cases.push(Case { contestant, variant: $v::NAME, depth: $depth, run });
        case("axum, from_fn for each layer", |times| {
            // The first layer is the innermost.
            let router = axum::Router::new().route("/", axum::routing::get(in_axum::last::<$v>));
            let router = axums!(layers router $v [] $($node)*);
            in_router(times, router)
        });
    }};
    (layers $router:ident $v:ident [$($done:tt)*]) => { axums!(apply $router $v $($done)*) };
    (layers $router:ident $v:ident [$($done:tt)*] $first:tt $($rest:tt)*) => {
        axums!(layers $router $v [$first $($done)*] $($rest)*)
    };
    (apply $router:ident $v:ident $($node:tt)*) => { $router $(.layer(axums!(layer $v $node)))* };
    (layer $v:ident ($i:literal)) => { axum::middleware::from_fn(in_axum::node::<$v, true, $i, { $i + 1 }>) };
    (layer $v:ident $i:literal) => { axum::middleware::from_fn(in_axum::node::<$v, false, $i, { $i + 1 }>) };
}

fn in_router(times: u64, mut router: axum::Router) -> work::Measured {
    looped(times, |index| driven(tower::Service::call(&mut router, in_axum::request(index))))
}

pub(crate) fn cases(cases: &mut Vec<Case>) {
    crate::depths! { rows cases }
    crate::shallow_depths! { peers cases }
    crate::shallowest_depths! { boxed cases }
    crate::shallow_depths! { axums cases }
}
