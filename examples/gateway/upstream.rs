//! Where requests go, and the connections that are kept open to there.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Request, Response, Uri};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Instant, sleep_until};

use super::proxy::BadGateway;
use super::upload::{Progress, Upload};

/// One upstream, with all that can be prepared before a request comes.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    authority: Authority,
    host: HeaderValue,
}

impl Upstream {
    /// Reads `http://host:port`.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|error| format!("{error}; http://host:port is wanted"))?;
        if uri.scheme() != Some(&Scheme::HTTP) {
            return Err("http://host:port is wanted; nothing but plain http is spoken to an upstream".to_owned());
        }
        let authority = uri.authority().ok_or("http://host:port is wanted")?;
        if uri.path_and_query().is_some_and(|path| path != "/") || authority.as_str().contains('@') {
            return Err("http://host:port is wanted, without a path, a query or a user".to_owned());
        }
        Self::new(authority.clone()).ok_or_else(|| "this host cannot be named in a request".to_owned())
    }

    fn new(authority: Authority) -> Option<Self> {
        let host = HeaderValue::from_str(authority.as_str()).ok()?;
        Some(Self { authority, host })
    }

    /// What `Host` says to this upstream.
    pub(crate) fn host(&self) -> HeaderValue {
        self.host.clone()
    }

    /// This path and query, at this upstream. All three parts are shared, none is copied.
    pub(crate) fn uri(&self, path: PathAndQuery) -> Result<Uri, http::Error> {
        Uri::builder().scheme(Scheme::HTTP).authority(self.authority.clone()).path_and_query(path).build()
    }
}

impl std::fmt::Display for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}

/// All upstreams, and the pool of connections to them.
#[derive(Debug)]
pub(crate) struct Upstreams {
    client: Client<HttpConnector, Upload>,
    list: Box<[Upstream]>,
    turn: AtomicUsize,
    /// How long an upstream may be silent.
    pub(crate) patience: Duration,
    /// How large a request's body may be, in bytes.
    pub(crate) max_body: u64,
}

impl Upstreams {
    /// There has to be at least one in the list.
    pub(crate) fn new(list: Vec<Upstream>, patience: Duration, max_body: u64) -> Self {
        assert!(!list.is_empty(), "a gateway without an upstream");
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(20))
            // `Host` is prepared with the upstream; the client would write it anew for each request.
            .set_host(false)
            .build(connector);
        Self { client, list: list.into(), turn: AtomicUsize::new(0), patience, max_body }
    }

    /// The upstream whose turn it is.
    pub(crate) fn next(&self) -> &Upstream {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        &self.list[turn % self.list.len()]
    }

    /// Sends the request and waits for the head of the reply, as long as something moves.
    pub(crate) async fn ask(
        &self,
        request: Request<Upload>,
        progress: &Progress,
    ) -> Result<Response<Incoming>, BadGateway> {
        let mut reply = self.client.request(request);
        loop {
            let deadline = Instant::from_std(progress.last() + self.patience);
            tokio::select! {
                biased;
                reply = &mut reply => return reply.map_err(BadGateway::from),
                () = sleep_until(deadline) => {
                    // While the body went on, so did the clock.
                    if progress.last() + self.patience <= std::time::Instant::now() {
                        return Err(if progress.is_starved() { BadGateway::SlowClient } else { BadGateway::Silent });
                    }
                }
            }
        }
    }
}
