//! The only place that chooses between the synchronization of `std` and that of loom, which tries all interleavings.

#[cfg(chain_loom)]
pub(crate) use loom::sync::{Mutex, atomic};
#[cfg(not(chain_loom))]
pub(crate) use std::sync::{Mutex, atomic};
