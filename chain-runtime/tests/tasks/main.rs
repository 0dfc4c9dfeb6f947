//! `tasks`: what belongs to a request ends with it; what outlives a request is counted, bounded and drained.
#![cfg(feature = "tokio")]

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

mod children;
mod denying;
mod outliving;
mod stopping;

const SECOND: Duration = Duration::from_secs(1);

/// Counts work as begun when it is polled, as ended when it is done, as gone when it is dropped.
#[derive(Clone, Default)]
struct Log {
    begun: Arc<AtomicUsize>,
    ended: Arc<AtomicUsize>,
    gone: Arc<AtomicUsize>,
}

struct Gone(Log);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.gone.fetch_add(1, Relaxed);
    }
}

impl Log {
    fn work(&self, takes: Duration) -> impl Future<Output = ()> + Send + 'static {
        let gone = Gone(self.clone());
        async move {
            gone.0.begun.fetch_add(1, Relaxed);
            tokio::time::sleep(takes).await;
            gone.0.ended.fetch_add(1, Relaxed);
        }
    }

    /// Begun, ended, gone.
    fn counts(&self) -> [usize; 3] {
        [&self.begun, &self.ended, &self.gone].map(|count| count.load(Relaxed))
    }
}
