//! The time and memory that a run's nodes take, and what pauses them.

pub mod allocations;
pub mod clock;
#[cfg(feature = "prometheus-client")]
pub mod dashboard;
pub mod folded;
mod kept;
mod meter;
mod no_alloc;
#[cfg(feature = "opentelemetry")]
pub mod otlp;
#[cfg(feature = "telemetry-page")]
pub mod page;
pub mod pauses;
#[cfg(feature = "pprof")]
pub mod pprof;
#[cfg(feature = "prometheus-client")]
pub mod prometheus;
mod sampled;
mod sink;
mod snapshot;
#[cfg(feature = "tracing")]
pub mod spans;
mod times;
pub mod trace_context;

#[cfg(feature = "jemalloc")]
pub use allocations::Jemalloc;
pub use allocations::{Allocated, Allocations, Counted, Counting, NotCounted, NotInstalled};
pub use clock::{Clock, Manual, NoClock, Tsc};
pub use kept::{Keeps, Kept, KeptPause, KeptStretch, Outcome, Whose};
pub use meter::{Builder, Meter, Run};
pub use no_alloc::NoAlloc;
pub use sampled::Sampled;
pub use sink::{Over, Sink};
pub use snapshot::{NodeTotals, OtherChain, PauseTotals, Snapshot, WayTotals};
pub use times::Times;
#[cfg(feature = "trace-context")]
pub use trace_context::TraceContexts;
pub use trace_context::{SpanId, TraceContext, TraceId};
