//! Groups of upstreams: each is a node that asks one of its own.

use std::error::Error;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use chain_runtime::around::Deadline;
use chain_runtime::{IntoReply, node};
use http::header::HOST;
use http::request::Parts;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::edge::Reply;
use super::hop;
use super::nodes::{Payload, text};

/// Which group gave the reply.
pub(crate) const SERVED_BY: HeaderName = HeaderName::from_static("x-served-by");
/// How many milliseconds are left for the reply, for the upstream to know.
const TIME_LEFT: HeaderName = HeaderName::from_static("x-time-left-ms");
/// Bytes of a reply's body, at most: it is held in memory.
const MAX_REPLY: usize = 16 << 20;
/// How long an upstream that did not reply is left alone while others in its group do.
const REST: Duration = Duration::from_millis(500);

/// One upstream.
#[derive(Debug)]
struct Upstream {
    authority: Authority,
    host: HeaderValue,
    /// In milliseconds since the group was made.
    rests_until: AtomicU64,
}

/// Reads `http://host:port`.
pub(crate) fn parse(url: &str) -> Result<Authority, String> {
    let uri: Uri = url.parse().map_err(|error| format!("{error}; http://host:port is wanted"))?;
    let is_bare = uri.path_and_query().is_none_or(|path| path == "/");
    match uri.authority() {
        Some(authority) if uri.scheme() == Some(&Scheme::HTTP) && is_bare && !authority.as_str().contains('@') => {
            Ok(authority.clone())
        }
        _ => Err("http://host:port is wanted, without a path, a query or a user".to_owned()),
    }
}

/// Upstreams that take turns.
#[derive(Debug)]
pub(crate) struct Upstreams {
    name: &'static str,
    client: Client<HttpConnector, Full<Bytes>>,
    list: Box<[Upstream]>,
    turn: AtomicUsize,
    since: Instant,
}

impl Upstreams {
    /// There has to be at least one in the list.
    pub(crate) fn new(name: &'static str, list: &[Authority]) -> Self {
        assert!(!list.is_empty(), "a group without an upstream");
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let mut client = Client::builder(TokioExecutor::new());
        client.pool_timer(TokioTimer::new()).pool_idle_timeout(Duration::from_secs(20)).set_host(false);
        let upstream = |authority: &Authority| Upstream {
            host: HeaderValue::from_str(authority.as_str()).expect("an authority is a header's value"),
            authority: authority.clone(),
            rests_until: AtomicU64::new(0),
        };
        Self {
            name,
            client: client.build(connector),
            list: list.iter().map(upstream).collect(),
            turn: AtomicUsize::new(0),
            since: Instant::now(),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// All of them, from the one whose turn it is; those that rest come last.
    fn in_turn(&self) -> impl Iterator<Item = &Upstream> {
        let (turn, now) = (self.turn.fetch_add(1, Ordering::Relaxed), self.now());
        let from = move |rests: bool| {
            let all = (0..self.list.len()).map(move |index| &self.list[turn.wrapping_add(index) % self.list.len()]);
            all.filter(move |upstream| (upstream.rests_until.load(Ordering::Relaxed) > now) == rests)
        };
        from(false).chain(from(true))
    }

    async fn ask(&self, upstream: &Upstream, request: &Parts, payload: &Payload) -> Result<Reply, NoReply> {
        let path = request.uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
        let uri = Uri::builder().scheme(Scheme::HTTP).authority(upstream.authority.clone()).path_and_query(path);
        let mut onward = Request::new(Full::new(payload.0.clone()));
        *onward.method_mut() = request.method.clone();
        *onward.uri_mut() = uri.build().map_err(|_| NoReply::Target)?;
        *onward.headers_mut() = request.headers.clone();
        hop::remove(onward.headers_mut());
        onward.headers_mut().insert(HOST, upstream.host.clone());
        if let Some(by) = Deadline::current() {
            let left = u64::try_from(by.saturating_duration_since(Instant::now()).as_millis()).unwrap_or(u64::MAX);
            onward.headers_mut().insert(TIME_LEFT, HeaderValue::from(left));
        }
        let (mut head, body) = self.client.request(onward).await?.into_parts();
        let body = Limited::new(body, MAX_REPLY).collect().await.map_err(|error| {
            tracing::debug!(error = &*error, group = self.name, "a reply broke off");
            NoReply::Broken
        })?;
        hop::remove(&mut head.headers);
        head.headers.insert(SERVED_BY, HeaderValue::from_static(self.name));
        Ok(Response::from_parts(head, Full::new(body.to_bytes())))
    }
}

impl std::fmt::Display for Upstreams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:", self.name)?;
        self.list.iter().try_for_each(|upstream| write!(f, " http://{}", upstream.authority))
    }
}

/// Reads all of an upstream's reply. An upstream that takes no connection has seen nothing of the request, so
/// the next one of the group is asked, whatever the method.
#[node]
impl Upstreams {
    pub(crate) async fn enter(&self, request: &Parts, payload: &Payload) -> Result<Reply, NoReply> {
        let mut last = NoReply::Refused;
        for upstream in self.in_turn() {
            match self.ask(upstream, request, payload).await {
                Ok(reply) => return Ok(reply),
                Err(NoReply::Target) => return Err(NoReply::Target),
                Err(why) => last = why,
            }
            upstream.rests_until.store(self.now() + REST.as_millis() as u64, Ordering::Relaxed);
            if !matches!(last, NoReply::Refused) {
                break;
            }
        }
        Err(last)
    }
}

/// Why there is no reply from a group.
pub(crate) enum NoReply {
    /// None of it takes connections.
    Refused,
    /// It broke off, before its reply or in the middle of it.
    Broken,
    /// What is asked for cannot be named to an upstream.
    Target,
}

impl From<ClientError> for NoReply {
    fn from(error: ClientError) -> Self {
        tracing::debug!(error = &error as &dyn Error, "no reply");
        if error.is_connect() { Self::Refused } else { Self::Broken }
    }
}

impl IntoReply<Reply> for NoReply {
    fn into_reply(self) -> Reply {
        match self {
            Self::Refused => text(StatusCode::BAD_GATEWAY, "no upstream takes connections\n"),
            Self::Broken => text(StatusCode::BAD_GATEWAY, "the upstream broke off\n"),
            Self::Target => text(StatusCode::BAD_REQUEST, "this target cannot be passed on\n"),
        }
    }
}
