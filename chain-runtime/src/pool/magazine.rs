//! [`Magazine`]: the values that one thread keeps to itself.

use std::boxed::Box;
use std::cell::Cell;
use std::mem;
use std::sync::Arc;

use super::Slot;
use super::counters::Counters;

/// The most values that one thread keeps to itself.
pub(super) const MAGAZINE: usize = 32;

/// A stack of values, and the counts of its thread. It is padded, so that no two threads write to one cache line.
///
/// The number of values stands in the counters' [`Tally`](super::counters::Tally), where other threads can read it. The
/// places below that number hold a value, those above it hold none. Nothing is ever borrowed, so code that runs in
/// between (a value's `Drop`, a factory) may use the same magazine.
#[repr(align(128))]
pub(super) struct Magazine<T: Send> {
    places: [Cell<Option<Box<Slot<T>>>>; MAGAZINE],
    pub(super) counters: Arc<Counters>,
}

impl<T: Send> Magazine<T> {
    pub(super) fn new(counters: Arc<Counters>) -> Self {
        Magazine { places: [const { Cell::new(None) }; MAGAZINE], counters }
    }

    pub(super) fn len(&self) -> usize {
        self.counters.tally().idle()
    }

    /// Takes a value for a lease, and counts that it began. It also returns how many leases began before.
    #[inline]
    pub(super) fn lend(&self) -> Option<(Box<Slot<T>>, u64)> {
        let tally = self.counters.tally();
        // For an empty magazine, this index is no place at all.
        let slot = self.places.get(tally.idle().wrapping_sub(1))?.take()?;
        self.counters.set_tally(tally.lent());
        Some((slot, tally.begun()))
    }

    /// Takes a value that will be kept or dropped elsewhere.
    pub(super) fn pop(&self) -> Option<Box<Slot<T>>> {
        let tally = self.counters.tally();
        let slot = self.places.get(tally.idle().wrapping_sub(1))?.take()?;
        self.counters.set_tally(tally.without_one());
        Some(slot)
    }

    /// Keeps a value, unless the magazine holds `limit` already.
    #[inline]
    pub(super) fn push(&self, slot: Box<Slot<T>>, limit: usize) -> Result<(), Box<Slot<T>>> {
        let tally = self.counters.tally();
        match self.places.get(tally.idle()) {
            Some(place) if tally.idle() < limit => {
                // The old content is `None`; to forget it saves a check for a drop.
                mem::forget(place.replace(Some(slot)));
                self.counters.set_tally(tally.with_one());
                Ok(())
            }
            _ => Err(slot),
        }
    }
}
