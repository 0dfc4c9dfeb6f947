//! What a run's nodes take of time and memory, and what pauses them.

pub mod allocations;
pub mod clock;
pub mod pauses;

#[cfg(feature = "jemalloc")]
pub use allocations::Jemalloc;
pub use allocations::{Allocated, Allocations, Counted, Counting, NotCounted, NotInstalled};
pub use clock::{Clock, Manual, NoClock, Tsc};
