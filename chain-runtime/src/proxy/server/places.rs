//! [`Places`]: how many connections of clients there may be, of one server or of several.

use core::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places of clients' connections. Each connection has one until it ends.
///
/// A server has places of its own. Servers that follow one another, with other settings each, hold their limit together
/// if they have the same ones: see [`Server::places`](super::Server::places). A clone is another handle of the same
/// places.
#[derive(Clone, Default)]
pub struct Places(Arc<Shared>);

struct Shared {
    free: Arc<Semaphore>,
    size: Mutex<Size>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Size {
    /// How many there are.
    all: usize,
    /// How many of those that are taken go when they are given back: there are fewer places than before.
    owed: usize,
}

impl Default for Shared {
    fn default() -> Self {
        Self { free: Arc::new(Semaphore::new(0)), size: Mutex::default() }
    }
}

impl Places {
    /// No places yet: the server that takes them says how many there are.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn size(&self) -> MutexGuard<'_, Size> {
        self.0.size.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on there are so many. If more are taken, those that are given back go until there are no more.
    pub(super) fn resize(&self, all: usize) {
        let all = all.min(Semaphore::MAX_PERMITS);
        let mut size = self.size();
        if let Some(more) = all.checked_sub(size.all) {
            let kept = more.min(size.owed);
            size.owed -= kept;
            self.0.free.add_permits(more - kept);
        } else {
            let fewer = size.all - all;
            size.owed += fewer - self.0.free.forget_permits(fewer);
        }
        size.all = all;
    }

    /// Takes a place, if there is one.
    pub(super) fn try_take(&self) -> Option<Place> {
        Arc::clone(&self.0.free).try_acquire_owned().ok().map(|permit| self.taken(permit))
    }

    /// Waits for a place.
    pub(super) async fn take(&self) -> Place {
        let permit = Arc::clone(&self.0.free).acquire_owned().await;
        self.taken(permit.expect("it is never closed"))
    }

    fn taken(&self, permit: OwnedSemaphorePermit) -> Place {
        Place { permit: Some(permit), of: self.clone() }
    }
}

impl fmt::Debug for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Size { all, owed } = *self.size();
        let free = self.0.free.available_permits();
        f.debug_struct("Places").field("all", &all).field("taken", &(all + owed).saturating_sub(free)).finish()
    }
}

/// The place of one connection, until it is dropped.
pub(super) struct Place {
    permit: Option<OwnedSemaphorePermit>,
    of: Places,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut size = self.of.size();
        if size.owed > 0 {
            size.owed -= 1;
            if let Some(permit) = self.permit.take() {
                permit.forget();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    #[test]
    fn a_smaller_number_holds_for_places_that_are_taken() {
        let places = Places::new();
        assert!(places.try_take().is_none(), "nobody has said how many there are");
        places.resize(3);
        let mut taken: Vec<_> = (0..3).map(|_| places.try_take().expect("a place")).collect();
        assert!(places.try_take().is_none());
        places.resize(1);
        for left in [2, 1] {
            taken.pop();
            assert!(places.try_take().is_none(), "{left} are taken");
        }
        taken.pop();
        let one = places.try_take().expect("a place");
        assert!(places.try_take().is_none());
        drop(one);
        assert!(places.try_take().is_some());
    }

    #[test]
    fn a_larger_number_counts_what_is_taken() {
        let places = Places::new();
        places.resize(2);
        let _taken = [places.try_take(), places.try_take()];
        places.resize(0);
        places.resize(1);
        assert!(places.try_take().is_none(), "two are taken");
        places.resize(4);
        let more = [places.try_take(), places.try_take()];
        assert!(more.iter().all(Option::is_some) && places.try_take().is_none());
    }
}
