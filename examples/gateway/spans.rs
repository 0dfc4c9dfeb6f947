//! Spans of requests, for an OpenTelemetry collector: OTLP over HTTP, in protobuf.
//!
//! They are made of what the meter has when a request is over, and sent by the main thread: a worker only decides whether
//! a request has spans, and puts that request's times together.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use chain_runtime::nodes::access_log::Lines;
use chain_runtime::telemetry::TraceContexts;
use chain_runtime::telemetry::otlp::{Counts, Settings, Spans, spans};
use http::header::CONTENT_TYPE;
use http::uri::PathAndQuery;
use http::{Request, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use prost::Message as _;
use tokio::time::{sleep, timeout};

use super::common::logging;
use super::units::Share;

/// How often it is looked whether the collector takes them.
const LOOK: Duration = Duration::from_secs(1);

/// The spans, and what sends them while it exists.
pub(crate) struct Sent {
    pub(crate) spans: Spans,
}

impl Sent {
    /// Begins to send what the sink gets to this collector.
    pub(crate) fn to(collector: &Uri, name: &str, lines: &Lines) -> Self {
        let failure = Arc::default();
        let to = Collector {
            http: Client::builder(TokioExecutor::new()).build_http(),
            at: at(collector),
            resource: ResourceAttributesWithSchema::default(),
            failure: Arc::clone(&failure),
        };
        let resource = Resource::builder_empty().with_service_name(name.to_owned()).build();
        // Clients can make requests fail, and a machine that is short of something pauses all of them: neither says that
        // a request's times are worth a span.
        let settings = Settings { failed: false, paused: false, ..Settings::default() };
        let (spans, exporting) = spans(to, resource, settings);
        tokio::spawn(exporting.run());
        tokio::spawn(tell(spans.clone(), collector.clone(), failure, lines.clone()));
        Self { spans }
    }

    /// Waits until what was sent has arrived, or for so long.
    pub(crate) async fn flush(&self, within: Duration) {
        let arrived = async {
            while self.spans.counts().waiting() > 0 {
                sleep(Duration::from_millis(5)).await;
            }
        };
        let _ = timeout(within, arrived).await;
    }
}

/// The node that begins a trace for each request, of which this share is sampled.
pub(crate) fn traces(share: Share) -> TraceContexts {
    let traces = TraceContexts::new().distrusts();
    match share {
        Share::None => traces,
        Share::OneIn(many) => traces.samples(many),
    }
}

fn at(collector: &Uri) -> Uri {
    let mut parts = collector.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::from_static("/v1/traces"));
    Uri::from_parts(parts).expect("it had a path")
}

/// Sends them.
#[derive(Debug)]
struct Collector {
    http: Client<HttpConnector, Full<Bytes>>,
    at: Uri,
    resource: ResourceAttributesWithSchema,
    /// Why it has not taken the last ones.
    failure: Arc<Mutex<String>>,
}

impl Collector {
    async fn send(&self, batch: Vec<SpanData>) -> Result<(), String> {
        let resource_spans = group_spans_by_resource_and_scope(batch, &self.resource);
        let body = Full::from(ExportTraceServiceRequest { resource_spans }.encode_to_vec());
        let request = Request::post(self.at.clone()).header(CONTENT_TYPE, "application/x-protobuf").body(body);
        let reply = self.http.request(request.map_err(|error| error.to_string())?).await;
        let reply = reply.map_err(|error| cause(&error).to_string())?;
        let status = reply.status();
        // Read, so that the connection can be kept.
        let _ = Limited::new(reply.into_body(), 64 << 10).collect().await;
        if status.is_success() { Ok(()) } else { Err(format!("it answers {status}")) }
    }
}

impl SpanExporter for Collector {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.send(batch).await.map_err(|why| {
            self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&why);
            OTelSdkError::InternalFailure(why)
        })
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource = resource.into();
    }
}

/// What is behind all others. hyper's own words say no more than that there was an error.
fn cause<'e>(error: &'e (dyn Error + 'static)) -> &'e (dyn Error + 'static) {
    error.source().map_or(error, cause)
}

/// Logs when spans are lost, and when they arrive again.
async fn tell(spans: Spans, collector: Uri, failure: Arc<Mutex<String>>, lines: Lines) {
    let at = collector.authority().map_or("", |at| at.as_str());
    let lost_of = |counts: &Counts| counts.failed + counts.lost;
    let (mut before, mut away_since) = (spans.counts(), None);
    loop {
        sleep(LOOK).await;
        let now = spans.counts();
        match away_since {
            None if lost_of(&now) > lost_of(&before) => {
                away_since = Some(lost_of(&before));
                let why = match &*failure.lock().unwrap_or_else(PoisonError::into_inner) {
                    why if why.is_empty() || now.failed == before.failed => "it takes them too slowly".to_owned(),
                    why => why.clone(),
                };
                logging::warn(&lines, format_args!("spans are lost at {at}: {why}; requests go on as before"));
            }
            Some(since) if lost_of(&now) == lost_of(&before) && now.exported > before.exported => {
                away_since = None;
                let lost = lost_of(&now) - since;
                logging::info(&lines, format_args!("spans arrive at {at} again; {lost} requests have none"));
            }
            _ => {}
        }
        before = now;
    }
}
