//! The same chain, whose nodes are measured by hand with other libraries: a guard in each node, and one around the run.

use chain_runtime::{chain, node};
use fastrace::collector::{Config, Reporter, SpanContext, SpanRecord};
use fastrace::local::LocalSpan;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use tracing::info_span;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry;

use crate::chains::{Refused, State, last, work};

#[node]
fn spanned<const I: usize>(state: &mut State) -> Result<(), Refused> {
    let _span = info_span!("step", index = I).entered();
    work(state, I)
}
#[node]
fn traced<const I: usize>(state: &mut State) -> Result<(), Refused> {
    let _span = LocalSpan::enter_with_local_parent("step");
    work(state, I)
}
#[node]
fn hot<const I: usize>(state: &mut State) -> Result<(), Refused> {
    hotpath::measure_block!("step", work(state, I))
}

crate::chains! {
    Spanned of spanned;
    Traced of traced;
    Hot of hot;
}

pub(crate) fn by_tracing(state: &mut State) -> u64 {
    let _span = info_span!("run").entered();
    Spanned {}.run(state)
}

pub(crate) fn by_fastrace(state: &mut State) -> u64 {
    let root = fastrace::Span::root("run", SpanContext::random());
    let _parent = root.set_local_parent();
    Traced {}.run(state)
}

pub(crate) fn by_hotpath(state: &mut State) -> u64 {
    hotpath::measure_block!("run", Hot {}.run(state))
}

/// What a peer needs before it measures, in a process of its own: each has one of these for the whole process.
pub(crate) fn prepare(name: &str) {
    match name {
        "measured_tracing" => {
            tracing::subscriber::set_global_default(registry()).expect("nobody set one before");
        }
        "measured_opentelemetry" => {
            let provider = SdkTracerProvider::builder().with_batch_exporter(Away).build();
            let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("observe"));
            tracing::subscriber::set_global_default(registry().with(layer)).expect("nobody set one before");
            std::mem::forget(provider);
        }
        "measured_fastrace" => fastrace::set_reporter(Away, Config::default()),
        "measured_hotpath" => {
            let guard = hotpath::HotpathGuardBuilder::new("observe").format(hotpath::Format::None).build();
            std::mem::forget(guard);
        }
        _ => {}
    }
}

/// Takes spans, and drops them.
#[derive(Debug)]
struct Away;

impl Reporter for Away {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        drop(spans);
    }
}

impl SpanExporter for Away {
    async fn export(&self, spans: Vec<SpanData>) -> OTelSdkResult {
        drop(spans);
        Ok(())
    }
}
