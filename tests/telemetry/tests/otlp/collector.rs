//! A collector of the test's own, on a runtime that it takes with it when it stops.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
pub(crate) use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

pub(crate) struct Collector {
    /// Always there, until it is dropped.
    runtime: Option<Runtime>,
    address: String,
    received: Receiver<ExportTraceServiceRequest>,
}

struct Receives(Sender<ExportTraceServiceRequest>);

#[tonic::async_trait]
impl TraceService for Receives {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        // The test may be over.
        let _ = self.0.send(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    pub(crate) fn start(address: &str) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let (sender, received) = channel();
        let address = address.to_owned();
        // Not `block_on`, which a test that is async itself must not call.
        let (bound, at) = channel();
        runtime.spawn(async move {
            let listener = TcpListener::bind(address).await.expect("a port");
            bound.send(listener.local_addr().expect("an address").to_string()).expect("the test waits");
            let service = TraceServiceServer::new(Receives(sender));
            Server::builder().add_service(service).serve_with_incoming(TcpIncoming::from(listener)).await
        });
        Self { runtime: Some(runtime), address: at.recv().expect("an address"), received }
    }

    pub(crate) fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What came next.
    pub(crate) fn received(&mut self) -> ExportTraceServiceRequest {
        self.received.recv_timeout(Duration::from_secs(60)).expect("spans")
    }

    /// It is gone, with its connections. Another one can be where it was.
    pub(crate) fn stop(mut self) -> String {
        let runtime = self.runtime.take();
        std::thread::spawn(move || drop(runtime)).join().expect("it stops");
        self.address.clone()
    }
}

/// A test that is async itself must not wait for a runtime.
impl Drop for Collector {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

pub(crate) fn all(request: &ExportTraceServiceRequest) -> Vec<Span> {
    let scopes = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
    scopes.flat_map(|scope| scope.spans.clone()).collect()
}

pub(crate) trait Known {
    /// The attribute of this name, "" where there is none.
    fn known(&self, name: &str) -> String;
}

impl Known for Vec<KeyValue> {
    fn known(&self, name: &str) -> String {
        let found = self.iter().find(|attribute| attribute.key == name);
        match found.and_then(|attribute| attribute.value.clone()).and_then(|value| value.value) {
            Some(Value::StringValue(value)) => value,
            Some(Value::BoolValue(value)) => value.to_string(),
            Some(Value::IntValue(value)) => value.to_string(),
            Some(Value::DoubleValue(value)) => value.to_string(),
            _ => String::new(),
        }
    }
}

pub(crate) trait Named {
    /// The first of this name.
    fn named(&self, name: &str) -> &Span;
}

impl Named for Vec<Span> {
    fn named(&self, name: &str) -> &Span {
        self.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no `{name}`: {self:#?}"))
    }
}

pub(crate) trait Hex {
    fn hex(&self) -> String;
}

impl Hex for Vec<u8> {
    fn hex(&self) -> String {
        self.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
