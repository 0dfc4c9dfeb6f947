//! The one place where a snapshot is replaced by the next.

use core::fmt;
use core::ops::Deref;
use std::sync::Arc;

use super::snapshot::Snapshot;

/// The current snapshot. Readers take no lock, and do not wait.
///
/// arc-swap does not support loom, so under `chain_loom` this is a mutex. With it, the models show that the registry is
/// right in all orders in which its lock, the swap and the seats' counters can follow each other. They do not show that
/// arc-swap is right, which has tests of its own, nor that its acquire and release would be enough: a mutex orders
/// more. Only the snapshot is passed through the swap, and everything to which a snapshot points is written before it
/// is stored.
pub(super) struct Swap<T> {
    #[cfg(not(chain_loom))]
    current: arc_swap::ArcSwap<Snapshot<T>>,
    #[cfg(chain_loom)]
    current: crate::sync::Mutex<Arc<Snapshot<T>>>,
}

#[cfg(not(chain_loom))]
type Held<T> = arc_swap::Guard<Arc<Snapshot<T>>>;
#[cfg(chain_loom)]
type Held<T> = Arc<Snapshot<T>>;

#[cfg(not(chain_loom))]
impl<T> Swap<T> {
    pub(super) fn new(first: Snapshot<T>) -> Self {
        Self { current: arc_swap::ArcSwap::from_pointee(first) }
    }

    pub(super) fn load(&self) -> Current<T> {
        Current(self.current.load())
    }

    /// Makes it the current snapshot, and returns the previous one.
    pub(super) fn swap(&self, next: Snapshot<T>) -> Arc<Snapshot<T>> {
        self.current.swap(Arc::new(next))
    }
}

#[cfg(chain_loom)]
impl<T> Swap<T> {
    pub(super) fn new(first: Snapshot<T>) -> Self {
        Self { current: crate::sync::Mutex::new(Arc::new(first)) }
    }

    pub(super) fn load(&self) -> Current<T> {
        Current(Arc::clone(&self.current.lock().unwrap()))
    }

    pub(super) fn swap(&self, next: Snapshot<T>) -> Arc<Snapshot<T>> {
        core::mem::replace(&mut *self.current.lock().unwrap(), Arc::new(next))
    }
}

/// The snapshot that was current when [`Registry::snapshot`](super::Registry::snapshot) was called, borrowed for a
/// moment.
///
/// Drop it soon, and do not hold it across an await: a thread has eight places for everything that it borrows from
/// arc-swap, and loads are slower while these are taken. [`keep`](Self::keep) makes it an owned one.
pub struct Current<T>(Held<T>);

impl<T> Current<T> {
    /// The same snapshot, owned. It allocates nothing.
    #[must_use]
    pub fn keep(self) -> Arc<Snapshot<T>> {
        #[cfg(not(chain_loom))]
        return arc_swap::Guard::into_inner(self.0);
        #[cfg(chain_loom)]
        return self.0;
    }
}

impl<T> Deref for Current<T> {
    type Target = Snapshot<T>;

    #[inline]
    fn deref(&self) -> &Snapshot<T> {
        &self.0
    }
}

impl<T: fmt::Debug> fmt::Debug for Current<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}
