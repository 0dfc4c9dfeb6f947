//! What an owner pays for what is seen of a request, in instructions: the meter, spans, and the line of the access log, each
//! beside the same chain without it.
//!
//! `cargo bench -p chain-benches --bench prices` prints the table. The chain is as long as the gateway's, 14 nodes, of which
//! those of the library do what they do there: a request's id, the log, an API key, a rate limit. Nothing is sent, so that
//! all of a difference is the price. What other threads do for it counts as well: spans are put together and given to an
//! exporter that drops them, and lines are written to nowhere. What the kernel does does not count.

use std::alloc::System;
use std::env;
use std::hint::black_box;
use std::io;
use std::net::Ipv4Addr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use chain_benches::callgrind;
use chain_benches::table::{Table, publish};
use chain_runtime::nodes::access_log::{AccessLog, Entry, Lines};
use chain_runtime::nodes::auth::{ApiKeys, Auth};
use chain_runtime::nodes::rate_limit::RateLimit;
use chain_runtime::nodes::request_id::RequestIds;
use chain_runtime::nodes::{Peer, User};
use chain_runtime::observe::Observes;
use chain_runtime::tailed::Tailed;
use chain_runtime::telemetry::otlp::{Settings, Spans, spans};
use chain_runtime::telemetry::{Counted, Counting, Kept, Meter, Over, Sampled, Sink, Tsc};
use chain_runtime::{Toggles, chain, node};
use http::request::Parts;
use http::{Request, Response};
use http_body::Body as _;
use http_body_util::Full;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

#[global_allocator]
static ALLOCATOR: Counting<System> = Counting::new(System);

const KEY: &str = "alice-key-0123456789abcdef";
const FEW: u64 = 1_000;
const MANY: u64 = 3_000;
/// More than there are runs, so that nothing is lost that was to be paid for.
const QUEUE: usize = 4_096;

// ---- the chain

#[node]
fn step<const I: usize>(request: &Parts) {
    black_box((request, I));
}
#[node]
fn answer() -> Response<Full<Bytes>> {
    Response::new(Full::new(Bytes::from_static(b"hello")))
}

chain! {
    #[observe(seen)]
    struct Short<O: Observes> {
        seen: O,
        toggles: Toggles,
        ids: RequestIds,
        log: AccessLog,
        auth: Auth,
        limit: RateLimit<User>,
    }

    fn(request: Parts, peer: Peer) -> Response<Tailed<Full<Bytes>, Option<Entry>>> {
        ids => step::<0> => #[toggle("log")] log => step::<1> => step::<2> => step::<3> => step::<4>
        => auth => step::<5> => limit => step::<6> => step::<7> => step::<8> => answer
    }
}

// ---- the cases

/// A name, what it is in the table, and how it runs.
type Case = (&'static str, &'static str, fn(u64));

const CASES: [Case; 11] = [
    ("nothing", "nothing", |runs| run((), false, runs)),
    ("log", "the access log", |runs| run((), true, runs)),
    ("counts", "the meter, with times", |runs| run(Meter::of(Short::<Meter>::CHAIN), false, runs)),
    ("meter", "the meter, with times and allocations", |runs| run(meter::<Everything>(None), false, runs)),
    ("optional", "the same, in an `Option<Arc<_>>`", |runs| {
        run(Some(Arc::new(meter::<Option<Arc<Everything>>>(None))), false, runs)
    }),
    ("absent", "`None` of it", |runs| run(None::<Arc<Everything>>, false, runs)),
    ("sampled", "the meter, with both, one request in 100", |runs| {
        run(Sampled::new(hundred(), meter::<Sampled<Everything>>(None)), false, runs)
    }),
    ("spans-0", "the meter, and spans of no request", |runs| spanned(u32::MAX, false, runs)),
    ("spans-1", "the meter, and spans of 1 %", |runs| spanned(100, false, runs)),
    ("spans-100", "the meter, and spans of all", |runs| spanned(1, false, runs)),
    ("all", "the meter, spans of 1 %, and the access log", |runs| spanned(100, true, runs)),
];

fn hundred() -> NonZeroU32 {
    NonZeroU32::new(100).expect("it is not 0")
}

type Everything = Meter<Tsc, Counted>;

/// For a chain that `O` observes.
fn meter<O: Observes>(share: Option<Share>) -> Everything {
    let mut builder = Meter::builder(Short::<O>::CHAIN);
    if let Some(share) = share {
        builder = builder.sink(share);
    }
    builder.allocations(Counted).expect("this program has the counting allocator").build()
}

fn spanned(one_in: u32, logs: bool, runs: u64) {
    let (share, counts, exporting) = Share::new(one_in);
    run(meter::<Everything>(Some(share)), logs, runs);
    // The meter is gone, so what is left in the queue is exported, and the thread ends.
    let lost = counts.counts().lost;
    drop(counts);
    exporting.join().expect("it exports");
    assert_eq!(lost, 0, "a run that is lost costs less");
}

/// So many requests, one after another, each to the end of its reply's body.
fn run<O: Observes>(seen: O, logs: bool, runs: u64) {
    let lines = Lines::with(io::sink(), QUEUE);
    let keys = ApiKeys::new([("alice", KEY)]).expect("a key");
    let short = Short {
        seen,
        toggles: Toggles::new(),
        ids: RequestIds::new(),
        log: AccessLog::new(lines.clone()),
        auth: Auth::new("bench").api_keys(keys),
        limit: RateLimit::per_second(NonZeroU32::new(1_000_000).expect("it is not 0")),
    };
    short.toggles().set("log", logs).expect("it has that name");
    measured(&short, runs);
    drop(short);
    assert!(lines.flush(Duration::from_secs(60)) && lines.lost() == 0, "a line that is lost costs less");
}

/// Callgrind counts while this is being called, by its name.
#[inline(never)]
fn measured<O: Observes>(short: &Short<O>, runs: u64) {
    let request = Request::get("/small").header("host", "bench").header("accept", "*/*").header("x-api-key", KEY);
    let (head, ()) = request.body(()).expect("a request").into_parts();
    let peer = Peer::from(std::net::IpAddr::from(Ipv4Addr::LOCALHOST));
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..runs {
        let reply = short.run(head.clone(), peer);
        assert_eq!(reply.status(), 200);
        let mut body = pin!(reply.into_body());
        while let Poll::Ready(Some(frame)) = body.as_mut().poll_frame(&mut context) {
            let _ = black_box(frame);
        }
    }
}

/// Spans of one run in so many.
struct Share {
    one_in: u32,
    /// Counted and not drawn, so that figures repeat.
    over: AtomicU32,
    spans: Spans,
}

impl Share {
    fn new(one_in: u32) -> (Self, Spans, JoinHandle<()>) {
        let queue = NonZeroUsize::new(QUEUE).expect("it is not 0");
        let (spans, exporting) =
            spans(Nowhere, Resource::builder_empty().build(), Settings { queue, ..Settings::default() });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let exporting = std::thread::spawn(move || runtime.block_on(exporting.run()));
        (Self { one_in, over: AtomicU32::new(0), spans: spans.clone() }, spans, exporting)
    }
}

impl Sink for Share {
    fn wants(&self, _: &Over) -> bool {
        (self.over.fetch_add(1, Relaxed) + 1).is_multiple_of(self.one_in)
    }
    fn takes(&self, run: Kept) {
        self.spans.takes(run);
    }
}

#[derive(Debug)]
struct Nowhere;

impl SpanExporter for Nowhere {
    async fn export(&self, spans: Vec<SpanData>) -> OTelSdkResult {
        drop(black_box(spans));
        Ok(())
    }
}

fn main() -> ExitCode {
    if let Some((name, runs)) = callgrind::asked() {
        let (.., run) = CASES.iter().find(|(case, ..)| *case == name).expect("a case of the table");
        run(runs);
        return ExitCode::SUCCESS;
    }
    if !callgrind::is_there() {
        return ExitCode::SUCCESS;
    }
    let wanted: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |name: &str| wanted.is_empty() || name == "nothing" || wanted.iter().any(|wanted| wanted == name);
    let columns = ["instructions on its thread", "more", "of all threads, more"];
    let mut table = Table::new("14 nodes, for each request", "what is seen", columns);
    let mut nothing = None;
    for (name, what, _) in CASES.iter().filter(|(name, ..)| wanted(name)) {
        let [own, all] = [Some("prices::measured"), None].map(|function| callgrind::per_run(name, function, FEW, MANY));
        let (own_nothing, all_nothing) = *nothing.get_or_insert((own, all));
        table.row(what, [own, own - own_nothing, all - all_nothing]);
    }
    publish("prices", &[table]);
    ExitCode::SUCCESS
}
