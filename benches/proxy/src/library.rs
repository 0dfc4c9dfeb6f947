//! The library's ready nodes in a short chain, with and without what sees them: what each of these costs is the
//! difference of two such proxies, of which nothing else differs.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;

use chain_runtime::nodes::access_log::{AccessLog, Entry, Lines};
use chain_runtime::nodes::auth::{ApiKeys, Auth};
use chain_runtime::nodes::rate_limit::RateLimit;
use chain_runtime::nodes::request_id::RequestIds;
use chain_runtime::nodes::{User, peer};
use chain_runtime::observe::Observes;
use chain_runtime::proxy::server::{Limits, Listeners, Server, Workers};
use chain_runtime::proxy::{Body, Client, Forward, Rotation, Settings};
use chain_runtime::tailed::Tailed;
use chain_runtime::telemetry::otlp::{Settings as SpanSettings, Spans, spans};
use chain_runtime::telemetry::{Kept, Meter, Over, Sink};
use chain_runtime::{Toggles, chain};
use http::request::Parts;
use http::{Request, Response};
use hyper::body::Incoming;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tokio::net::TcpListener;

use crate::contenders::{KEY, RATE};
use crate::load::runtime;

/// The variants: the name in the table, and the role.
pub(crate) const ALL: [(&str, &str); 7] = [
    (BARE, "chain"),
    ("chain, on a multi-threaded runtime", "chain-shared"),
    ("chain, log", "chain-log"),
    ("chain, meter", "chain-meter"),
    ("chain, meter, spans of 1 %", "chain-spans-1"),
    ("chain, meter, spans of all", "chain-spans-100"),
    ("chain, log, meter, spans of 1 %", "chain-all"),
];

/// The one with nothing on, with which the others are compared.
pub(crate) const BARE: &str = "chain, nothing of these";

type Reply = Response<Tailed<Body, Option<Entry>>>;

chain! {
    #[observe(seen)]
    struct Short<O: Observes> {
        seen: O,
        toggles: Toggles,
        ids: RequestIds,
        log: AccessLog,
        auth: Auth,
        limit: RateLimit<User>,
        forward: Forward<Rotation, Incoming>,
    }

    async fn(request: Parts, body: Incoming, client: Client) -> Reply {
        ids => peer => #[toggle("log")] log => auth => limit => forward
    }
}

/// Runs for ever: on one worker with a listener of its own, or on tokio's multi-threaded runtime.
pub(crate) fn run(role: &str, at: &str, upstream: &str, log: &str) -> ! {
    let spans_of = |one_in| Meter::builder(Short::<Meter>::CHAIN).sink(Share::new(one_in)).build();
    match role {
        "chain" => serve((), at, upstream, None),
        "chain-shared" => serve_shared(at, upstream),
        "chain-log" => serve((), at, upstream, Some(log)),
        "chain-meter" => serve(Meter::of(Short::<Meter>::CHAIN), at, upstream, None),
        "chain-spans-1" => serve(spans_of(100), at, upstream, None),
        "chain-spans-100" => serve(spans_of(1), at, upstream, None),
        _ => serve(spans_of(100), at, upstream, Some(log)),
    }
}

fn serve<O>(seen: O, at: &str, upstream: &str, log: Option<&str>) -> !
where
    O: Observes<Run: Send> + Send + Sync + 'static,
{
    let short = short(seen, upstream, log);
    let answer = move |request, client| answer(Arc::clone(&short), request, client);
    let at: SocketAddr = at.parse().expect("address:port");
    let workers = Workers::start(NonZeroUsize::MIN).expect("a thread");
    let listeners = Listeners::bind(at, 1).expect("it listens");
    let server = Server::new(Limits::within_descriptors_beside(Workers::DESCRIPTORS));
    let stopped = runtime().block_on(async {
        server.serve_on(&workers, listeners, answer, pending::<()>(), pending::<()>()).expect("it serves").await
    });
    panic!("it ended: {stopped}")
}

/// With nothing that sees it.
fn serve_shared(at: &str, upstream: &str) -> ! {
    let short = short((), upstream, None);
    let answer = move |request, client| answer(Arc::clone(&short), request, client);
    let stopped = tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
        let listener = TcpListener::bind(at).await.expect("it listens");
        Server::new(Limits::default()).serve(listener, answer, pending::<()>()).await
    });
    panic!("it ended: {stopped}")
}

fn short<O: Observes>(seen: O, upstream: &str, log: Option<&str>) -> Arc<Short<O>> {
    let lines = match log {
        Some(log) => Lines::to(std::fs::File::create(log).expect("a file for the log")),
        None => Lines::to(io::sink()),
    };
    let keys = ApiKeys::new([("alice", KEY)]).expect("a key");
    let rate = NonZeroU32::new(RATE as u32).expect("it is not 0");
    let upstream = format!("http://{upstream}").parse().expect("address:port");
    let short = Short {
        seen,
        toggles: Toggles::new(),
        ids: RequestIds::new(),
        log: AccessLog::new(lines),
        auth: Auth::new("bench").api_keys(keys),
        limit: RateLimit::per_second(rate),
        forward: Forward::new(Rotation::new([upstream]), Settings::default()),
    };
    short.toggles().set("log", log.is_some()).expect("it has that name");
    Arc::new(short)
}

async fn answer<O>(short: Arc<Short<O>>, request: Request<Incoming>, client: Client) -> Reply
where
    O: Observes<Run: Send> + Send + Sync + 'static,
{
    let (head, body) = request.into_parts();
    short.run(head, body, client).await
}

/// Spans of one run in so many, chosen at random.
struct Share {
    one_in: u32,
    spans: Spans,
}

impl Share {
    /// Spans are put together on a thread of their own, and given to an exporter that drops them.
    fn new(one_in: u32) -> Self {
        let (spans, exporting) = spans(Nowhere, Resource::builder_empty().build(), SpanSettings::default());
        std::thread::spawn(|| runtime().block_on(exporting.run()));
        Self { one_in, spans }
    }
}

impl Sink for Share {
    fn wants(&self, _: &Over) -> bool {
        fastrand::u32(..self.one_in) == 0
    }
    fn takes(&self, run: Kept) {
        self.spans.takes(run);
    }
}

#[derive(Debug)]
struct Nowhere;

impl SpanExporter for Nowhere {
    async fn export(&self, spans: Vec<SpanData>) -> OTelSdkResult {
        drop(spans);
        Ok(())
    }
}
