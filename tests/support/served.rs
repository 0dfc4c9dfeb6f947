//! What tests of servers share: a guard against hanging, and a count of who came, was answered and went away.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::Notify;

/// A guard against hanging: no test waits for it.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(30), future).await {
        Ok(output) => output,
        Err(_) => panic!("{what} takes more than half a minute"),
    }
}

/// Counts who came, who was answered and who went away.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) entered: AtomicUsize,
    pub(crate) left: AtomicUsize,
    pub(crate) cancelled: AtomicUsize,
    told: Notify,
}

impl Seen {
    pub(crate) fn count(&self, count: &AtomicUsize) {
        count.fetch_add(1, Relaxed);
        self.told.notify_one();
    }

    /// Waits until it is this.
    pub(crate) async fn becomes(&self, counts: impl Fn([usize; 3]) -> bool) {
        while !counts(self.counts()) {
            within("the next request", self.told.notified()).await;
        }
    }

    /// Those who entered, left and were cancelled.
    pub(crate) fn counts(&self) -> [usize; 3] {
        [&self.entered, &self.left, &self.cancelled].map(|count| count.load(Relaxed))
    }
}
