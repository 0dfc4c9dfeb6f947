//! The place where governor keeps its cells: a table of a fixed size, in sets of eight places, like a processor's
//! cache.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::time::Duration;
use std::boxed::Box;
use std::sync::{Arc, Mutex, PoisonError};

use governor::nanos::Nanos;
use governor::state::StateStore;

/// The number of places in a set.
const WAYS: usize = 8;

/// The key whose cell is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Cell {
    pub(super) hash: u64,
    /// Whether the cell stays unchanged.
    pub(super) only_looks: bool,
}

/// A key, and its theoretical arrival time in nanoseconds since the limiter was made: the time at which its quota is
/// full again. The time is 0 if there is no key.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    hash: u64,
    full_at: u64,
}

#[derive(Debug)]
pub(super) struct Table {
    sets: Box<[Mutex<[Place; WAYS]>]>,
    /// What one request adds to a cell.
    step: u64,
    /// Shared with the limiter, since governor does not give access to the store of its cells.
    forgotten: Arc<AtomicU64>,
}

impl Table {
    pub(super) fn new(keys: usize, step: Duration, forgotten: Arc<AtomicU64>) -> Self {
        let sets = keys.div_ceil(WAYS).max(1);
        Self {
            sets: (0..sets).map(|_| Mutex::default()).collect(),
            step: Nanos::from(step.max(Duration::from_nanos(1))).as_u64(),
            forgotten,
        }
    }

    fn set_of(&self, hash: u64) -> &Mutex<[Place; WAYS]> {
        // The upper half of the product is distributed evenly over all sets, without a division.
        let at = (u128::from(hash) * self.sets.len() as u128) >> 64;
        &self.sets[usize::try_from(at).unwrap_or(0)]
    }
}

impl StateStore for Table {
    type Key = Cell;

    fn measure_and_replace<T, F, E>(&self, cell: &Cell, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut set = self.set_of(cell.hash).lock().unwrap_or_else(PoisonError::into_inner);
        let known = set.iter_mut().find(|place| place.hash == cell.hash && place.full_at > 0);
        let full_at = known.as_ref().map(|place| Nanos::from(place.full_at));
        let (outcome, next) = measure(full_at)?;
        if cell.only_looks {
            return Ok(outcome);
        }
        let next = next.as_u64();
        if let Some(place) = known {
            place.full_at = next;
            return Ok(outcome);
        }
        // A place without a key comes first, then a key whose quota is full, then the key whose quota is full the
        // soonest.
        if let Some(place) = set.iter_mut().min_by_key(|place| place.full_at) {
            // governor does not pass the time. But the cell of a new key is full one step from now.
            let now = next.saturating_sub(self.step);
            if place.full_at > now {
                self.forgotten.fetch_add(1, Relaxed);
            }
            *place = Place { hash: cell.hash, full_at: next };
        }
        Ok(outcome)
    }
}
