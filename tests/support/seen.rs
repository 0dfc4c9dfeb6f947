//! What tests of servers share: counts of requests that came, were answered and went away.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use chain_runtime::node;
use tokio::sync::Notify;

use crate::within::within;

/// Counts who came, who was answered and who went away.
#[derive(Default)]
pub(crate) struct Seen {
    entered: AtomicUsize,
    left: AtomicUsize,
    cancelled: AtomicUsize,
    told: Notify,
}

#[node]
impl Seen {
    pub(crate) fn enter(&self) {
        self.count(&self.entered);
    }
    pub(crate) fn exit(&self) {
        self.count(&self.left);
    }
    pub(crate) fn cancelled(&self) {
        self.count(&self.cancelled);
    }
}

impl Seen {
    fn count(&self, count: &AtomicUsize) {
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
