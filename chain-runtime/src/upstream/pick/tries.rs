//! [`Tried`]: who was asked for this request already.

use core::array;
use core::fmt;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use crate::upstream::member::Generation;

/// Whom a request was sent to already, so that its next try goes to another member (linkerd2#11669).
///
/// It remembers the last eight generations, and allocates nothing. It belongs to one request, and to one registry.
pub struct Tried {
    /// How many were added. The next one is at `added % PLACES`.
    added: AtomicU32,
    /// Each one more than a generation; 0 where none is.
    places: [AtomicU64; PLACES],
}

/// Whom it remembers at most. More tries than this are no retries any more.
const PLACES: usize = 8;

impl Tried {
    /// Nobody yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { added: AtomicU32::new(0), places: [const { AtomicU64::new(0) }; PLACES] }
    }

    /// Notes that this one was asked. Picks that borrow it do so by themselves.
    pub fn add(&self, generation: Generation) {
        if self.contains(generation) {
            return;
        }
        let at = self.added.fetch_add(1, Relaxed) as usize % PLACES;
        self.places[at].store(word(generation), Relaxed);
    }

    /// Whether it was.
    #[must_use]
    pub fn contains(&self, generation: Generation) -> bool {
        let added = self.added.load(Relaxed) as usize;
        self.places.iter().take(added).any(|place| place.load(Relaxed) == word(generation))
    }
}

const fn word(generation: Generation) -> u64 {
    generation.get().wrapping_add(1)
}

impl Default for Tried {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places: [u64; PLACES] = array::from_fn(|at| self.places[at].load(Relaxed));
        let generations = places.into_iter().filter_map(|word| word.checked_sub(1));
        f.debug_set().entries(generations).finish()
    }
}
