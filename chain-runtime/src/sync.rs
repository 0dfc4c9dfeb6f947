//! The only place that chooses between the synchronization types of `std` and those of loom, which tries all
//! interleavings.

#[cfg(chain_loom)]
pub(crate) use loom::sync::{Mutex, atomic};
#[cfg(not(chain_loom))]
pub(crate) use std::sync::{Mutex, atomic};
