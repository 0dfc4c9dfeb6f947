//! What a run's nodes take of time and memory, and what pauses them.

pub mod allocations;
pub mod clock;
mod kept;
mod meter;
#[cfg(feature = "telemetry-page")]
pub mod page;
pub mod pauses;
mod sampled;
mod snapshot;
mod times;

#[cfg(feature = "jemalloc")]
pub use allocations::Jemalloc;
pub use allocations::{Allocated, Allocations, Counted, Counting, NotCounted, NotInstalled};
pub use clock::{Clock, Manual, NoClock, Tsc};
pub use kept::{Keeps, Kept, KeptPause, KeptStretch, Outcome, Whose};
pub use meter::{Builder, Meter, Run};
pub use sampled::Sampled;
pub use snapshot::{NodeTotals, OtherChain, PauseTotals, Snapshot, WayTotals};
pub use times::Times;
