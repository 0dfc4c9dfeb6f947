//! A collector receives the runs that matter, as spans. A collector that cannot be reached costs spans, and nothing
//! else.

#[path = "otlp/collector.rs"]
mod collector;

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use chain_runtime::telemetry::otlp::{Counts, Exporting, Settings, Spans, spans};
use chain_runtime::telemetry::{Manual, Meter};
use chain_runtime::{chain, node};
use chain_telemetry_tests::{Shop, drive, request, shop};
use collector::{Collector, Hex as _, Known as _, Named as _};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_sdk::Resource;

const CAME: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn exporting(to: &str, settings: Settings) -> (Spans, Exporting<SpanExporter>) {
    let exporter = SpanExporter::builder().with_tonic().with_endpoint(to).build().expect("an exporter");
    spans(exporter, Resource::builder_empty().with_service_name("shop").build(), settings)
}

/// Pauses are made by a clock that is not the test's, so they are left out where they are not tested.
fn exported_shop(clock: &Manual, spans: &Spans) -> Shop {
    shop(clock, |builder| builder.without_pauses().sink(spans.clone()))
}

/// A run of this request.
fn ask(shop: &Shop, clock: &Manual, fields: &[(&str, &str)]) -> u16 {
    drive(clock, shop.run(request("/", fields), clock.clone()), 1_000).status().as_u16()
}

/// Waits until it is so; says what it is instead after a minute.
async fn until(spans: &Spans, is_so: impl Fn(&Counts) -> bool) {
    let began = Instant::now();
    while !is_so(&spans.counts()) {
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", spans.counts());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn a_sampled_run_is_a_span_with_its_nodes_in_it() {
    let mut collector = Collector::start("127.0.0.1:0");
    let (spans, exporting) = exporting(&collector.address(), Settings::default());
    let exporting = tokio::spawn(exporting.run());
    let clock = Manual::new();
    let shop = exported_shop(&clock, &spans);
    assert_eq!(ask(&shop, &clock, &[]), 200, "an ordinary one, of which nothing is made");
    assert_eq!(ask(&shop, &clock, &[("traceparent", CAME), ("x-fails", "")]), 503);
    let own = shop.meter.kept().slowest.into_iter().find_map(|kept| kept.trace.filter(|trace| trace.is_sampled));
    drop((shop, spans));
    exporting.await.expect("it ends when nobody has spans for it any more");

    let request = collector.received();
    let service = &request.resource_spans[0].resource.as_ref().expect("a resource").attributes;
    assert_eq!(service.known("service.name"), "shop");
    let all = collector::all(&request);
    let root = all.named("GET");
    assert_eq!((root.trace_id.hex(), root.parent_span_id.hex()), (TRACE.to_owned(), "b7ad6b7169203331".to_owned()));
    assert_eq!(root.span_id.hex(), own.expect("its trace").span.to_string(), "what was told to others is what it is");
    assert_eq!(root.kind(), SpanKind::Server);
    for (name, value) in [
        ("chain.name", "Shop"),
        ("chain.outcome", "replied"),
        ("chain.outcome.node", "page"),
        ("http.request.method", "GET"),
        ("http.response.status_code", "503"),
        ("error.type", "503"),
    ] {
        assert_eq!(root.attributes.known(name), value, "{name}");
    }
    assert_eq!(root.status.as_ref().expect("a status").code(), StatusCode::Error);
    // gate 20 + 5, again 3 * 7, and three times slow 42 + 1,000 and page 100.
    let took = |span: &collector::Span| span.end_time_unix_nano - span.start_time_unix_nano;
    assert_eq!(took(root), 1_000 * (20 + 5 + 3 * (3 + 4 + 42 + 1_000 + 100)));

    let again = all.named("again");
    assert_eq!(again.parent_span_id, root.span_id);
    assert_eq!((again.attributes.known("chain.node.running_ms"), took(again)), ("0.021".to_owned(), 1_000 * 3 * 1_149));
    for name in ["slow", "page"] {
        let tries = all.iter().filter(|span| span.name == name).collect::<Vec<_>>();
        assert_eq!(tries.len(), 3, "each try has its own {name}");
        assert!(tries.iter().all(|span| span.parent_span_id == again.span_id && span.trace_id == root.trace_id));
    }
    let slow = all.named("slow");
    assert_eq!(slow.attributes.known("chain.node.waiting_ms"), "1");
    assert_eq!(slow.attributes.known("code.function.name"), "slow");
    assert!(slow.attributes.known("code.file.path").ends_with("src/lib.rs"));
    assert_eq!(slow.start_time_unix_nano - root.start_time_unix_nano, 23_000);
    // Of 3,472 µs, neither 20 nor 5 matter.
    assert_eq!(all.len(), 1 + 1 + 3 + 3, "{:?}", all.iter().map(|span| &span.name).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_becomes_of_a_run_says_whether_there_are_spans() {
    let mut collector = Collector::start("127.0.0.1:0");
    let settings = Settings { slow: Duration::from_micros(1_170), sampled: false, ..Settings::default() };
    let (spans, exporting) = exporting(&collector.address(), settings);
    let exporting = tokio::spawn(exporting.run());
    let clock = Manual::new();
    let shop = exported_shop(&clock, &spans);
    let drives = |fields: &[_], between| drive(&clock, shop.run(request("/", fields), clock.clone()), between);

    drives(&[("traceparent", CAME)], 900);
    assert_eq!(spans.counts(), Counts::default(), "it is not slow, and what the caller says does not count");
    drives(&[], 1_001);
    until(&spans, |counts| counts.exported == 1).await;
    let slow = collector::all(&collector.received());
    assert_eq!(slow.named("GET").status.as_ref().map_or(StatusCode::Unset, |status| status.code()), StatusCode::Unset);
    assert!(slow.named("GET").parent_span_id.is_empty(), "it is a trace of its own");

    drives(&[("x-refused", "")], 0);
    until(&spans, |counts| counts.exported == 2).await;
    let refused = collector::all(&collector.received());
    assert_eq!(refused.named("GET").attributes.known("chain.outcome"), "cut_short");
    assert_eq!(refused.named("gate").attributes.known("chain.node.ending"), "broke");

    let panics = std::panic::AssertUnwindSafe(|| drives(&[("x-panics", "")], 0));
    std::panic::catch_unwind(panics).expect_err("it panics");
    until(&spans, |counts| counts.exported == 3).await;
    let panicked = collector::all(&collector.received());
    for name in ["GET", "slow"] {
        let span = panicked.named(name);
        assert_eq!(span.status.as_ref().expect("a status").code(), StatusCode::Error);
        assert_eq!(span.attributes.known("error.type"), "panic");
    }

    let mut cancelled = Box::pin(shop.run(request("/", &[]), clock.clone()));
    assert!(cancelled.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_pending());
    drop(cancelled);
    until(&spans, |counts| counts.exported == 4).await;
    let cancelled = collector::all(&collector.received());
    assert_eq!(cancelled.named("GET").attributes.known("chain.outcome"), "cancelled");
    assert_eq!(cancelled.named("slow").attributes.known("chain.node.ending"), "cancelled");
    drop((shop, spans));
    exporting.await.expect("it ends");
}

#[tokio::test]
async fn a_collector_that_goes_away_and_comes_back_costs_the_spans_between() {
    let mut collector = Collector::start("127.0.0.1:0");
    let settings = Settings { timeout: Duration::from_millis(300), ..Settings::default() };
    let (spans, exporting) = exporting(&collector.address(), settings);
    let exporting = tokio::spawn(exporting.run());
    let clock = Manual::new();
    let shop = exported_shop(&clock, &spans);
    let sampled = [("traceparent", CAME)];
    ask(&shop, &clock, &sampled);
    until(&spans, |counts| counts.exported == 1).await;
    collector.received();

    let address = collector.stop();
    for runs in 1..=3 {
        assert_eq!(ask(&shop, &clock, &sampled), 200);
        until(&spans, |counts| counts.failed == runs).await;
    }
    assert_eq!(spans.counts().failed_spans, 3 * spans.counts().spans, "as many in each");

    let mut collector = Collector::start(&address);
    let began = Instant::now();
    while spans.counts().exported == 1 {
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", spans.counts());
        ask(&shop, &clock, &sampled);
        let Counts { exported, failed, .. } = spans.counts();
        until(&spans, |counts| counts.exported + counts.failed > exported + failed).await;
    }
    assert_eq!(collector::all(&collector.received()).named("GET").trace_id.hex(), TRACE);
    assert_eq!(spans.counts().lost, 0);
    drop((shop, spans));
    exporting.await.expect("it ends");
}

#[tokio::test]
async fn a_collector_that_does_not_answer_holds_nobody_up() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let settings = Settings {
        queue: NonZeroUsize::new(3).expect("not 0"),
        batch: NonZeroUsize::new(2).expect("not 0"),
        timeout: Duration::from_millis(100),
        ..Settings::default()
    };
    let to = format!("http://{}", silent.local_addr().expect("an address"));
    let (spans, exporting) = exporting(&to, settings);
    let exporting = tokio::spawn(exporting.run());
    let clock = Manual::new();
    let shop = exported_shop(&clock, &spans);
    // The one that exports is on this thread, so it takes nothing out meanwhile.
    for _ in 0..10 {
        assert_eq!(ask(&shop, &clock, &[("traceparent", CAME)]), 200);
    }
    assert_eq!((spans.counts().lost, spans.counts().failed), (7, 0));
    until(&spans, |counts| counts.failed == 3).await;
    assert_eq!((spans.counts().exported, spans.counts().lost), (0, 7));
    drop((shop, spans));
    exporting.await.expect("it ends");
}

// ---- pauses, which are real

#[node]
fn sleeps(for_millis: &u64) {
    std::thread::sleep(Duration::from_millis(*for_millis));
}
#[node]
fn ends() -> u32 {
    7
}

chain! {
    #[observe(meter)]
    struct Sleeps { meter: Meter }
    fn(for_millis: u64) -> u32 { sleeps => ends }
}

#[tokio::test]
async fn a_pause_is_on_the_span_that_it_hit() {
    let mut collector = Collector::start("127.0.0.1:0");
    let settings = Settings { slow: Duration::MAX, failed: false, ..Settings::default() };
    let (spans, exporting) = exporting(&collector.address(), settings);
    let exporting = tokio::spawn(exporting.run());
    let meter = Meter::builder(Sleeps::CHAIN).sink(spans.clone()).build();
    let sleeps = Sleeps { meter };
    // The first poll on a thread finds what it is compared with later.
    sleeps.run(0);
    sleeps.run(40);
    let kept = sleeps.meter.kept().slowest.swap_remove(0);
    until(&spans, |counts| counts.exported > 0).await;
    let all = collector::all(&collector.received());
    let longest = kept.pauses.iter().filter(|pause| pause.whose.is_some()).max_by_key(|pause| pause.likely);
    let longest = longest.expect("a pause");
    for name in ["Sleeps", "sleeps"] {
        let span = all.named(name);
        assert_eq!(span.attributes.known("pause.cause"), longest.cause.name());
        let number = |attribute| span.attributes.known(attribute).parse::<f64>().expect("a number");
        assert!(number("pause.max_ms") >= 20.0, "{}", number("pause.max_ms"));
        assert!(number("pause.total_ms") >= number("pause.max_ms"));
    }
    assert!(all.named("Sleeps").events.iter().all(|event| event.attributes.known("pause.machine") == "true"));
    let events = &all.named("sleeps").events;
    let cause = longest.cause.name();
    assert!(events.iter().any(|event| event.name == "pause" && event.attributes.known("pause.cause") == cause));
    drop((sleeps, spans));
    exporting.await.expect("it ends");
}
