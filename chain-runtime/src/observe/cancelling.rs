//! Whose `cancelled` hook panics.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::held::Held;

/// Whose `cancelled` hook runs. A hook that panics leaves it so, until that is told.
///
/// It lies outside of the [`Watch`](super::Watch), which a block may have borrowed when the hooks run. It is used in one run alone; atomic, so that the
/// run's future can move to another thread.
#[derive(Debug)]
pub struct Cancelling {
    position: AtomicUsize,
}

const NOBODY: usize = usize::MAX;

impl Cancelling {
    /// Nobody's does.
    #[must_use]
    #[inline]
    pub const fn new() -> Self {
        Self { position: AtomicUsize::new(NOBODY) }
    }

    /// What holds the value of the node at this position.
    #[inline]
    pub fn watches<H: Held>(&self, position: usize, held: H) -> Watched<'_, H> {
        Watched { held, position, cancelling: self }
    }

    /// Whose hook has panicked. It is answered once.
    #[inline]
    pub(super) fn panicked(&self) -> Option<usize> {
        let position = self.position.load(Relaxed);
        self.position.store(NOBODY, Relaxed);
        Some(position).filter(|position| *position != NOBODY)
    }
}

impl Default for Cancelling {
    fn default() -> Self {
        Self::new()
    }
}

/// A holder whose `cancelled` hook is watched. See [`Cancelling`].
#[derive(Debug)]
pub struct Watched<'w, H: Held> {
    /// What holds the value.
    pub held: H,
    position: usize,
    cancelling: &'w Cancelling,
}

impl<H: Held> Drop for Watched<'_, H> {
    #[inline]
    fn drop(&mut self) {
        let Self { held, position, cancelling } = self;
        if !held.is_entered() {
            return;
        }
        // Where one has panicked, the hooks of those before it run as well: it stays the one that panicked.
        let is_first = cancelling.position.load(Relaxed) == NOBODY;
        if is_first {
            cancelling.position.store(*position, Relaxed);
        }
        held.cancel();
        if is_first {
            cancelling.position.store(NOBODY, Relaxed);
        }
    }
}
