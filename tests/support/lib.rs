//! What the tests, benches and examples of this workspace share. It knows nothing of chains, and uses only the standard
//! library.

pub mod allocations;
pub mod live;
pub mod log;
pub mod poll;
pub mod send;
