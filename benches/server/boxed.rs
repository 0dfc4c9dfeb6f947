//! The way of the founding story: a `Vec<Arc<dyn Middleware>>` with boxed futures, and a fresh map from types to values
//! for each request.

use std::sync::Arc;

use async_trait::async_trait;
use http::{Extensions, HeaderMap, Method, StatusCode, Uri};

use crate::calls::Inside;
use crate::nodes::{self, *};

/// The reply, or what refused it.
type Passed = Result<StatusCode, Refused>;

/// What is known of a request.
pub(crate) struct Cx<'r> {
    method: &'r Method,
    uri: &'r Uri,
    headers: &'r HeaderMap,
    values: Extensions,
    pub response: HeaderMap,
}

impl<'r> Cx<'r> {
    pub(crate) fn new(method: &'r Method, uri: &'r Uri, headers: &'r HeaderMap) -> Self {
        Self { method, uri, headers, values: Extensions::new(), response: HeaderMap::new() }
    }

    fn value<T: Copy + Send + Sync + 'static>(&self) -> Result<T, Refused> {
        self.values.get().copied().ok_or(Refused(StatusCode::INTERNAL_SERVER_ERROR))
    }

    fn provide<T: Clone + Send + Sync + 'static>(&mut self, value: T) -> Result<(), Refused> {
        self.values.insert(value);
        Ok(())
    }
}

#[async_trait]
pub(crate) trait Middleware: Send + Sync {
    async fn handle(&self, gateway: &Gateway, cx: &mut Cx<'_>, next: Next<'_>) -> Passed;
}

/// The rest of the chain.
pub(crate) struct Next<'a>(&'a [Arc<dyn Middleware>]);

impl Next<'_> {
    async fn run(self, gateway: &Gateway, cx: &mut Cx<'_>) -> Passed {
        let (first, rest) = self.0.split_first().expect("the last one asks no further");
        first.handle(gateway, cx, Next(rest)).await
    }
}

/// A node that does its work and passes on.
struct Step<F>(F);

#[async_trait]
impl<F: Fn(&Gateway, &mut Cx<'_>) -> Result<(), Refused> + Send + Sync> Middleware for Step<F> {
    async fn handle(&self, gateway: &Gateway, cx: &mut Cx<'_>, next: Next<'_>) -> Passed {
        (self.0)(gateway, cx)?;
        next.run(gateway, cx).await
    }
}

fn step(work: impl Fn(&Gateway, &mut Cx<'_>) -> Result<(), Refused> + Send + Sync + 'static) -> Arc<dyn Middleware> {
    Arc::new(Step(work))
}

/// Nodes that await, or that see the reply.
macro_rules! middleware {
    ($($name:ident(|$gateway:ident, $cx:ident, $next:ident| $work:block))*) => {$(
        struct $name;
        #[async_trait]
        impl Middleware for $name {
            async fn handle(&self, $gateway: &Gateway, $cx: &mut Cx<'_>, $next: Next<'_>) -> Passed $work
        }
    )*};
}

middleware! {
    Flying(|gateway, cx, next| {
        let _inside = Inside::new(&gateway.in_flight);
        next.run(gateway, cx).await
    })
    Log(|gateway, cx, next| {
        let started = gateway.log.enter();
        let reply = next.run(gateway, cx).await.unwrap_or_else(|Refused(reply)| reply);
        gateway.log.exit(&started, &reply);
        Ok(reply)
    })
    AsksUser(|gateway, cx, next| {
        let Some(key) = cx.values.remove::<String>() else { return Err(Refused(StatusCode::UNAUTHORIZED)) };
        let user = user(&Key(&key), &gateway.users, &gateway.store).await?;
        cx.provide(user)?;
        next.run(gateway, cx).await
    })
    AsksQuota(|gateway, cx, next| {
        quota(&cx.value()?, &gateway.limiter, &gateway.store).await?;
        next.run(gateway, cx).await
    })
    AsksCache(|gateway, cx, next| {
        let cached = cached(&cx.value()?, &gateway.store).await;
        cx.provide(cached)?;
        next.run(gateway, cx).await
    })
    FindsUpstream(|gateway, cx, next| {
        let upstream =
            upstream(&cx.value()?, &cx.value()?, &cx.value()?, &cx.value()?, &gateway.store).await;
        cx.provide(upstream)?;
        next.run(gateway, cx).await
    })
    Breaks(|gateway, cx, next| {
        let upstream = cx.value()?;
        gateway.breaker.enter(&upstream)?;
        let reply = next.run(gateway, cx).await?;
        gateway.breaker.exit(&upstream, &reply);
        Ok(reply)
    })
    Tells(|gateway, cx, next| {
        let reply = next.run(gateway, cx).await?;
        let (id, trace, upstream) = (cx.value()?, cx.value()?, cx.value()?);
        tell(&mut cx.response, id, trace, upstream);
        Ok(reply)
    })
    Answers(|gateway, _cx, _next| { Ok(answer(&gateway.store).await) })
}

/// All 37.
pub(crate) struct Boxed(Vec<Arc<dyn Middleware>>);

impl Boxed {
    pub(crate) fn new() -> Self {
        let all = vec![
            Arc::new(Flying) as Arc<dyn Middleware>,
            Arc::new(Log),
            step(|gateway, cx| cx.provide(request_id(&gateway.ids))),
            step(|_, cx| methods(cx.method)),
            step(|_, cx| short(cx.uri)),
            step(|_, cx| field::<0>(cx.headers)),
            step(|_, cx| field::<1>(cx.headers)),
            step(|_, cx| field::<2>(cx.headers)),
            step(|_, cx| field::<3>(cx.headers)),
            step(|_, cx| field::<4>(cx.headers)),
            step(|_, cx| field::<5>(cx.headers)),
            step(|_, cx| field::<6>(cx.headers)),
            step(|_, cx| field::<7>(cx.headers)),
            step(|_, cx| size(cx.headers)),
            step(|_, cx| cx.provide(client(cx.headers))),
            step(|gateway, cx| deny(&cx.value()?, &gateway.denied)),
            step(|_, cx| cx.provide(trace(cx.headers, &cx.value()?))),
            // A map of values owns them.
            step(|_, cx| cx.provide(nodes::key(cx.headers)?.0.to_owned())),
            Arc::new(AsksUser),
            step(|_, cx| cx.provide(tenant(&cx.value()?))),
            Arc::new(AsksQuota),
            step(|gateway, cx| cx.provide(route(cx.uri, &gateway.routes)?)),
            step(|gateway, cx| allowed(&cx.value()?, &cx.value()?, &gateway.routes)),
            step(|_, cx| cx.provide(encoding(cx.headers))),
            step(|_, cx| cx.provide(language(cx.headers))),
            step(|_, cx| cx.provide(cache_key(cx.uri, &cx.value()?, &cx.value()?, &cx.value()?))),
            Arc::new(AsksCache),
            step(|gateway, cx| cx.provide(rollout(&cx.value()?, &gateway.flags))),
            step(|gateway, cx| cx.provide(feature::<1, 0>(&cx.value()?, &gateway.flags))),
            step(|gateway, cx| cx.provide(feature::<2, 1>(&cx.value()?, &gateway.flags))),
            step(|gateway, cx| cx.provide(feature::<3, 2>(&cx.value()?, &gateway.flags))),
            step(|gateway, cx| cx.provide(feature::<4, 3>(&cx.value()?, &gateway.flags))),
            step(|gateway, cx| cx.provide(feature::<5, 4>(&cx.value()?, &gateway.flags))),
            Arc::new(FindsUpstream),
            Arc::new(Breaks),
            Arc::new(Tells),
            Arc::new(Answers),
        ];
        assert_eq!(all.len(), 37);
        Self(all)
    }

    pub(crate) async fn run(&self, gateway: &Gateway, cx: &mut Cx<'_>) -> StatusCode {
        Next(&self.0).run(gateway, cx).await.unwrap_or_else(|Refused(reply)| reply)
    }
}
