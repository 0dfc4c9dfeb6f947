//! [`Magazine`]: the values that one thread keeps to itself.

use std::boxed::Box;
use std::cell::Cell;
use std::mem;
use std::sync::Arc;

use super::Slot;
use super::counters::Counters;

/// The most values that one thread keeps to itself.
pub(super) const MAGAZINE: usize = 32;

/// A stack of values, and what its thread counted. Padded, so that no two threads write to one cache line.
///
/// How many values there are stands in the counters' [`Tally`](super::counters::Tally), where other threads can read
/// it: places below it hold a value, those above it none. Nothing is ever borrowed, so that what runs in between (a
/// value's `Drop`, a factory) may use the same magazine.
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

    /// Takes a value for a lease, and counts that it began. Says also how many leases began before.
    #[inline]
    pub(super) fn lend(&self) -> Option<(Box<Slot<T>>, u64)> {
        let tally = self.counters.tally();
        // Of an empty magazine that is no place at all.
        let slot = self.places.get(tally.idle().wrapping_sub(1))?.take()?;
        self.counters.set_tally(tally.lent());
        Some((slot, tally.begun()))
    }

    /// Takes a value to be kept or dropped elsewhere.
    pub(super) fn pop(&self) -> Option<Box<Slot<T>>> {
        let tally = self.counters.tally();
        let slot = self.places.get(tally.idle().wrapping_sub(1))?.take()?;
        self.counters.set_tally(tally.without_one());
        Some(slot)
    }

    /// Keeps a value, unless there are `limit` already.
    #[inline]
    pub(super) fn push(&self, slot: Box<Slot<T>>, limit: usize) -> Result<(), Box<Slot<T>>> {
        let tally = self.counters.tally();
        match self.places.get(tally.idle()) {
            Some(place) if tally.idle() < limit => {
                // `None`; that it is not dropped saves looking.
                mem::forget(place.replace(Some(slot)));
                self.counters.set_tally(tally.with_one());
                Ok(())
            }
            _ => Err(slot),
        }
    }
}
