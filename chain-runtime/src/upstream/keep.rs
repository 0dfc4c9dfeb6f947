//! The [keeper](Registry::keep): it publishes what has waited, and takes out members whose leases have ended.

use super::clock::now;
use super::registry::Registry;

impl<T> Registry<T> {
    /// Keeps the registry, for as long as it is polled: a task for the life of the process.
    ///
    /// - Members are taken out when their leases end.
    /// - Snapshots are a [spacing](Self::with_spacing) apart. A change is published at once if the last snapshot is
    ///   older than that, and otherwise together with all other changes until then. So a flood of registrations costs a
    ///   copy of the members each millisecond, and not one for each registration. [`publish`](Self::publish) does not
    ///   wait for that.
    ///
    /// If no task keeps the registry, each change is published before the call returns, and leases end when
    /// [`evict`](Self::evict) is called, or any method that changes something. When this future is dropped, it
    /// publishes what has waited.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with its timer.
    pub async fn keep(&self) -> ! {
        let _kept = Kept::new(self);
        loop {
            let due = {
                let mut inner = self.lock();
                let due = inner.pace.due(inner.book.version(), inner.book.next_end());
                inner.pace.asleep_until = due;
                due
            };
            let woken = self.wake().notified();
            match due {
                // It does not matter which of the two it was: the book says what has to be done.
                Some(due) => drop(tokio::time::timeout_at(due.into(), woken).await),
                None => woken.await,
            }
            self.evict(now());
        }
    }
}

/// While this exists, changes may be left to the keeper.
pub(super) struct Kept<'a, T> {
    registry: &'a Registry<T>,
}

impl<'a, T> Kept<'a, T> {
    pub(super) fn new(registry: &'a Registry<T>) -> Self {
        registry.lock().pace.keepers += 1;
        Self { registry }
    }
}

impl<T> Drop for Kept<'_, T> {
    fn drop(&mut self) {
        self.registry.lock().pace.keepers -= 1;
        self.registry.publish();
        // Another keeper may have relied on this one to wake earlier.
        self.registry.wake().notify_one();
    }
}
