//! Spans of requests come to a collector. One that is away costs spans, and nothing else.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use processes::client::{Answer, Client};
use processes::upstream::{self, empty, mirror, nobody};
use processes::within;
use prost::Message as _;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::process::{ALICE, AsAlice as _, Gateway};

/// A collector, what it gets, and whether it takes it.
struct Collector {
    at: SocketAddr,
    got: UnboundedReceiver<ExportTraceServiceRequest>,
    takes: Arc<AtomicBool>,
}

impl Collector {
    async fn start() -> Self {
        let (tell, got) = unbounded_channel();
        let takes = Arc::new(AtomicBool::new(true));
        let does = Arc::clone(&takes);
        let at = upstream::start(move |request: Request<Incoming>| {
            let (tell, takes) = (tell.clone(), does.load(Ordering::Relaxed));
            async move {
                let mut reply = Response::new(empty());
                let is_right = request.method() == Method::POST
                    && request.uri().path() == "/v1/traces"
                    && request.headers()["content-type"] == "application/x-protobuf";
                let body = request.into_body().collect().await.expect("all of it").to_bytes();
                *reply.status_mut() = match (is_right, takes) {
                    (false, _) => StatusCode::BAD_REQUEST,
                    (true, false) => StatusCode::SERVICE_UNAVAILABLE,
                    (true, true) => {
                        let _ = tell.send(ExportTraceServiceRequest::decode(body).expect("spans"));
                        StatusCode::OK
                    }
                };
                Ok(reply)
            }
        })
        .await;
        Self { at, got, takes }
    }

    fn url(&self) -> String {
        format!("http://{}", self.at)
    }

    /// The next run's spans, and whose they are.
    async fn next(&mut self) -> (Vec<Span>, Vec<KeyValue>) {
        let got = within("spans", self.got.recv()).await.expect("it runs");
        let of = got.resource_spans.into_iter().next().expect("somebody's");
        (
            of.scope_spans.into_iter().flat_map(|scope| scope.spans).collect(),
            of.resource.expect("a resource").attributes,
        )
    }
}

fn known(attributes: &[KeyValue], name: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == name);
    match found.and_then(|attribute| attribute.value.clone()).and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => panic!("{name}: {other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the upstream was told.
fn told(answer: &Answer) -> Option<String> {
    answer.text.lines().find_map(|line| line.strip_prefix("traceparent: ")).map(str::to_owned)
}

#[tokio::test]
async fn a_requests_spans_come_to_the_collector_and_its_upstream_is_told_the_trace() {
    let mut collector = Collector::start().await;
    let flags = ["--otlp", &collector.url(), "--spans", "100%"];
    let mut gateway = Gateway::start(&[mirror().await], &flags).await;
    gateway.said(&["spans of requests: all, to http://"]).await;
    let claimed = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let answer = Client::new(gateway.address).get("/hello", &[("x-api-key", ALICE), ("traceparent", claimed)]).await;
    let parent = told(&answer).expect("the upstream is told");
    // It is stopped at once: what is under way arrives all the same.
    gateway.signal("TERM").await;
    let (spans, resource) = collector.next().await;
    assert_eq!(known(&resource, "service.name"), "chain-gateway");
    let run = spans.iter().find(|span| span.name == "GET").expect("the run's");
    let names: Vec<_> = spans.iter().map(|span| &span.name).collect();
    // Sampled, and at random.
    assert_eq!(parent, format!("00-{}-{}-03", hex(&run.trace_id), hex(&run.span_id)), "{names:?}");
    assert!(!claimed.contains(&hex(&run.trace_id)) && run.parent_span_id.is_empty(), "a client decides nothing");
    assert_eq!(known(&run.attributes, "http.response.status_code"), "200");
    let asks = spans.iter().find(|span| span.name == "proxy").expect("the node that waits for the upstream");
    assert_eq!(asks.trace_id, run.trace_id);
}

#[tokio::test]
async fn a_share_of_none_leaves_the_trace_and_no_flag_not_even_that() {
    let mut collector = Collector::start().await;
    let gateway =
        Gateway::start(&[mirror().await], &["--otlp", &collector.url(), "--spans", "0%", "--admin", "off"]).await;
    let parent = told(&Client::new(gateway.address).get_as_alice("/").await).expect("the upstream is told");
    assert!(parent.starts_with("00-") && parent.ends_with("-02"), "at random, and not sampled: {parent}");
    assert!(collector.got.try_recv().is_err());
    let gateway = Gateway::start(&[mirror().await], &[]).await;
    assert_eq!(told(&Client::new(gateway.address).get_as_alice("/").await), None);
}

#[tokio::test]
async fn a_collector_that_is_not_there_is_said_once_and_requests_go_on() {
    let url = format!("http://{}", nobody());
    let mut gateway = Gateway::start(&[mirror().await], &["--otlp", &url, "--spans", "100%"]).await;
    let client = Client::new(gateway.address);
    for _ in 0..50 {
        assert_eq!(client.get_as_alice("/").await.status, StatusCode::OK);
    }
    let said = gateway.line(&[" WARN spans are lost at 127.0.0.1:"]).await;
    assert!(said.contains("refused") && said.ends_with("requests go on as before"), "{said}");
    assert_eq!(client.get_as_alice("/").await.status, StatusCode::OK);
    gateway.signal("TERM").await;
    assert!(gateway.ended().await.success());
}

#[tokio::test]
async fn a_collector_that_takes_them_again_is_said_too() {
    let mut collector = Collector::start().await;
    collector.takes.store(false, Ordering::Relaxed);
    let mut gateway = Gateway::start(&[mirror().await], &["--otlp", &collector.url(), "--spans", "100%"]).await;
    let client = Client::new(gateway.address);
    client.get_as_alice("/").await;
    gateway.line(&[" WARN spans are lost at 127.0.0.1:", "it answers 503"]).await;
    collector.takes.store(true, Ordering::Relaxed);
    // One second without a loss, in which some arrive.
    let asking = tokio::spawn(async move {
        loop {
            client.get_as_alice("/").await;
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    });
    gateway.line(&[" INFO spans arrive at 127.0.0.1:", "again; "]).await;
    collector.next().await;
    asking.abort();
}
