//! What a run's nodes take of time and memory, and what pauses them.

pub mod allocations;

#[cfg(feature = "jemalloc")]
pub use allocations::Jemalloc;
pub use allocations::{Allocated, Allocations, Counted, Counting, NotCounted, NotInstalled};
