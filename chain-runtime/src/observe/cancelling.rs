//! Finds out whose `cancelled` hook panics.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::held::Held;

/// Whose `cancelled` hook runs. A hook that panics leaves its position here, until the observer is told.
///
/// It lies outside of the [`Watch`](super::Watch), because a block may have borrowed the watch when the hooks run. Only
/// one run uses it. It is atomic, so that the run's future can move to another thread.
#[derive(Debug)]
pub struct Cancelling {
    position: AtomicUsize,
}

const NOBODY: usize = usize::MAX;

impl Cancelling {
    /// No hook runs.
    #[must_use]
    #[inline]
    pub const fn new() -> Self {
        Self { position: AtomicUsize::new(NOBODY) }
    }

    /// Watches the holder of the value of the node at this position.
    #[inline]
    pub fn watches<H: Held>(&self, position: usize, held: H) -> Watched<'_, H> {
        Watched { held, position, cancelling: self }
    }

    /// The node whose hook has panicked. It is answered once.
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
    /// The holder of the value.
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
        // After a hook has panicked, the hooks of earlier nodes run as well: the first one stays the one that panicked.
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
