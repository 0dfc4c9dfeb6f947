//! The gateway's 37 nodes, and the chain of them.
//!
//! A node's function stays a function, so the other contestants call the very same ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use chain_runtime::observe::Observes;
use chain_runtime::{IntoReply, Reset, chain, node};
use http::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, HeaderName,
    USER_AGENT,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};

use crate::shared::{Breaker, Denied, Flags, Ids, Limiter, Routes, Store, Users, fnv, mixed};

/// What a node breaks with.
pub(crate) struct Refused(pub StatusCode);

impl IntoReply<StatusCode> for Refused {
    fn into_reply(self) -> StatusCode {
        self.0
    }
}

/// The memory of one request: pooled.
#[derive(Default, Reset)]
pub(crate) struct Visit {
    /// Of the response.
    pub headers: HeaderMap,
}

// ---- what nodes provide

#[derive(Clone, Copy)]
pub(crate) struct Started(pub Instant);
#[derive(Clone, Copy)]
pub(crate) struct RequestId(pub u64);
#[derive(Clone, Copy)]
pub(crate) struct Client(pub u64);
#[derive(Clone, Copy)]
pub(crate) struct Trace(pub u64);
/// Borrowed from the request.
pub(crate) struct Key<'r>(pub &'r str);
#[derive(Clone, Copy)]
pub(crate) struct User(pub u64);
#[derive(Clone, Copy)]
pub(crate) struct Tenant(pub u64);
#[derive(Clone, Copy)]
pub(crate) struct Route(pub u64);
#[derive(Clone, Copy)]
pub(crate) struct Encoding(pub u64);
#[derive(Clone, Copy)]
pub(crate) struct Language(pub u64);
#[derive(Clone, Copy)]
pub(crate) struct CacheKey(pub u64);
#[derive(Clone, Copy)]
pub(crate) struct Cached(pub bool);
/// Whether one of the gateway's features is on for this request, and all before it.
#[derive(Clone, Copy)]
pub(crate) struct Feature<const I: usize>(pub u64);
#[derive(Clone, Copy)]
pub(crate) struct Upstream(pub u64);

// ---- around everything

/// How many requests are inside.
#[derive(Default)]
pub(crate) struct InFlight(pub AtomicU64);

#[node]
impl InFlight {
    pub(crate) fn enter(&self) {
        self.0.fetch_add(1, Relaxed);
    }
    pub(crate) fn exit(&self) {
        self.0.fetch_sub(1, Relaxed);
    }
    pub(crate) fn cancelled(&self) {
        self.exit();
    }
}

/// Requests by class of status, and by the power of two of the microseconds that they took.
#[derive(Default)]
pub(crate) struct AccessLog {
    classes: [AtomicU64; 6],
    took: [AtomicU64; 32],
}

#[node]
impl AccessLog {
    pub(crate) fn enter(&self) -> Started {
        Started(Instant::now())
    }
    pub(crate) fn exit(&self, started: &Started, reply: &StatusCode) {
        let micros = started.0.elapsed().as_micros() as u32;
        self.classes[usize::from(reply.as_u16() / 100).min(5)].fetch_add(1, Relaxed);
        self.took[micros.checked_ilog2().unwrap_or(0) as usize].fetch_add(1, Relaxed);
    }
}

// ---- is it a request that we take?

#[node]
pub(crate) fn request_id(ids: &Ids) -> RequestId {
    RequestId(ids.next())
}

#[node]
pub(crate) fn methods(method: &Method) -> Result<(), Refused> {
    let known = *method == Method::GET || *method == Method::HEAD || *method == Method::POST;
    if known { Ok(()) } else { Err(Refused(StatusCode::METHOD_NOT_ALLOWED)) }
}

#[node]
pub(crate) fn short(uri: &Uri) -> Result<(), Refused> {
    if uri.path().len() <= 2048 { Ok(()) } else { Err(Refused(StatusCode::URI_TOO_LONG)) }
}

/// The fields that are looked at one by one.
static FIELDS: [HeaderName; 8] =
    [HOST, USER_AGENT, ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CONTENT_TYPE, COOKIE, AUTHORIZATION];

/// A field is neither long nor anything but visible ASCII.
#[node]
pub(crate) fn field<const I: usize>(headers: &HeaderMap) -> Result<(), Refused> {
    let fine =
        |value: &HeaderValue| value.len() <= 256 && value.as_bytes().iter().all(|byte| matches!(byte, b' '..=b'~'));
    if headers.get(&FIELDS[I]).is_none_or(fine) { Ok(()) } else { Err(Refused(StatusCode::BAD_REQUEST)) }
}

#[node]
pub(crate) fn size(headers: &HeaderMap) -> Result<(), Refused> {
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.unwrap_or(0) <= 1 << 20 { Ok(()) } else { Err(Refused(StatusCode::PAYLOAD_TOO_LARGE)) }
}

// ---- whose is it?

fn text<'r>(headers: &'r HeaderMap, name: &'static str) -> &'r str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[node]
pub(crate) fn client(headers: &HeaderMap) -> Client {
    let first = text(headers, "x-forwarded-for").split(',').next().unwrap_or_default();
    Client(fnv(first.trim().as_bytes()))
}

#[node]
pub(crate) fn deny(client: &Client, denied: &Denied) -> Result<(), Refused> {
    if denied.has(client.0) { Err(Refused(StatusCode::FORBIDDEN)) } else { Ok(()) }
}

/// The parent's trace, or one that the request's number makes.
#[node]
pub(crate) fn trace(headers: &HeaderMap, id: &RequestId) -> Trace {
    let parent =
        text(headers, "traceparent").split('-').nth(1).and_then(|hex| u64::from_str_radix(hex.get(16..)?, 16).ok());
    Trace(parent.unwrap_or(id.0))
}

#[node]
pub(crate) fn key(headers: &HeaderMap) -> Result<Key<'_>, Refused> {
    let bearer = text(headers, "authorization").strip_prefix("Bearer ");
    bearer.map(Key).ok_or(Refused(StatusCode::UNAUTHORIZED))
}

#[node]
pub(crate) async fn user(key: &Key<'_>, users: &Users, store: &Store) -> Result<User, Refused> {
    store.asked().await;
    users.of(key.0).map(User).ok_or(Refused(StatusCode::UNAUTHORIZED))
}

#[node]
pub(crate) fn tenant(user: &User) -> Tenant {
    Tenant(user.0 % 16)
}

#[node]
pub(crate) async fn quota(tenant: &Tenant, limiter: &Limiter, store: &Store) -> Result<(), Refused> {
    store.asked().await;
    if limiter.allows(tenant.0) { Ok(()) } else { Err(Refused(StatusCode::TOO_MANY_REQUESTS)) }
}

// ---- where does it go?

#[node]
pub(crate) fn route(uri: &Uri, routes: &Routes) -> Result<Route, Refused> {
    routes.of(uri.path()).map(Route).ok_or(Refused(StatusCode::NOT_FOUND))
}

#[node]
pub(crate) fn allowed(route: &Route, tenant: &Tenant, routes: &Routes) -> Result<(), Refused> {
    if routes.allow(route.0, tenant.0) { Ok(()) } else { Err(Refused(StatusCode::FORBIDDEN)) }
}

#[node]
pub(crate) fn encoding(headers: &HeaderMap) -> Encoding {
    let accepted = text(headers, "accept-encoding");
    Encoding(["br", "zstd", "gzip"].iter().position(|name| accepted.contains(name)).unwrap_or(3) as u64)
}

#[node]
pub(crate) fn language(headers: &HeaderMap) -> Language {
    let first = text(headers, "accept-language").split([',', ';', '-']).next().unwrap_or_default();
    Language(fnv(first.as_bytes()))
}

#[node]
pub(crate) fn cache_key(uri: &Uri, encoding: &Encoding, language: &Language, tenant: &Tenant) -> CacheKey {
    CacheKey(mixed(fnv(uri.path().as_bytes()) ^ mixed(language.0 ^ (encoding.0 << 8) ^ tenant.0)))
}

#[node]
pub(crate) async fn cached(key: &CacheKey, store: &Store) -> Cached {
    store.asked().await;
    Cached(store.has(key.0))
}

#[node]
pub(crate) fn rollout(tenant: &Tenant, flags: &Flags) -> Feature<0> {
    Feature(flags.first(tenant.0))
}

#[node]
pub(crate) fn feature<const I: usize, const BEFORE: usize>(before: &Feature<BEFORE>, flags: &Flags) -> Feature<I> {
    Feature(flags.next(I, before.0))
}

#[node]
pub(crate) async fn upstream(
    route: &Route,
    key: &CacheKey,
    cached: &Cached,
    features: &Feature<5>,
    store: &Store,
) -> Upstream {
    store.asked().await;
    Upstream(mixed(key.0 ^ features.0 ^ route.0 ^ u64::from(cached.0)) % 8)
}

#[node]
impl Breaker {
    pub(crate) fn enter(&self, upstream: &Upstream) -> Result<(), Refused> {
        if self.is_closed(upstream.0) { Ok(()) } else { Err(Refused(StatusCode::SERVICE_UNAVAILABLE)) }
    }
    pub(crate) fn exit(&self, upstream: &Upstream, reply: &StatusCode) {
        self.note(upstream.0, !reply.is_server_error());
    }
}

/// Tells the client which request it was, and who replied.
pub(crate) struct Tell;

pub(crate) static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub(crate) static X_UPSTREAM: HeaderName = HeaderName::from_static("x-upstream");

/// What [`Tell`] writes, wherever a contestant keeps it.
pub(crate) fn tell(headers: &mut HeaderMap, id: RequestId, trace: Trace, upstream: Upstream) {
    headers.insert(&X_REQUEST_ID, HeaderValue::from(id.0 ^ trace.0));
    headers.insert(&X_UPSTREAM, HeaderValue::from(upstream.0));
}

#[node(stateless)]
impl Tell {
    fn enter(&self) {}
    fn exit(&self, id: &RequestId, trace: &Trace, upstream: &Upstream, visit: &mut Visit) {
        tell(&mut visit.headers, *id, *trace, *upstream);
    }
}

#[node]
pub(crate) async fn answer(store: &Store) -> StatusCode {
    store.asked().await;
    StatusCode::OK
}

chain! {
    #[observe(meter)]
    #[check(())]
    pub(crate) struct Observed<M: Observes> {
        pub(crate) meter: Arc<M>,
        pub(crate) in_flight: InFlight,
        pub(crate) log: AccessLog,
        pub(crate) ids: Ids,
        pub(crate) denied: Denied,
        pub(crate) users: Users,
        pub(crate) limiter: Limiter,
        pub(crate) routes: Routes,
        pub(crate) flags: Flags,
        pub(crate) store: Store,
        pub(crate) breaker: Breaker,
    }

    async fn<'r>(
        method: &'r Method,
        uri: &'r Uri,
        headers: &'r HeaderMap,
        visit: &'r mut Visit,
    ) -> StatusCode {
        in_flight => log => request_id => methods => short
            => field::<0> => field::<1> => field::<2> => field::<3>
            => field::<4> => field::<5> => field::<6> => field::<7>
            => size => client => deny => trace => key => user => tenant => quota
            => route => allowed => encoding => language => cache_key => cached
            => rollout => feature::<1, 0> => feature::<2, 1> => feature::<3, 2> => feature::<4, 3> => feature::<5, 4>
            => upstream => breaker => Tell => answer
    }
}

/// Nobody observes it, which is the same as a chain without `#[observe]`.
pub(crate) type Gateway = Observed<()>;

impl Gateway {
    /// `pauses` is how often each of the five asynchronous nodes suspends.
    pub(crate) fn new(pauses: usize) -> Self {
        Self::with(pauses, ())
    }
}

impl<M: Observes> Observed<M> {
    /// As [`Gateway::new`], with what observes it.
    pub(crate) fn with(pauses: usize, meter: M) -> Self {
        assert_eq!(Self::NODES.len(), 37);
        Self {
            meter: Arc::new(meter),
            in_flight: InFlight::default(),
            log: AccessLog::default(),
            ids: Ids::default(),
            denied: Denied::new(),
            users: Users::new(),
            limiter: Limiter::new(),
            routes: Routes::new(),
            flags: Flags::new(),
            store: Store::new(pauses),
            breaker: Breaker::default(),
        }
    }
}
