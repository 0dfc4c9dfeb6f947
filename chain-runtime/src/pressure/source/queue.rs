//! The length of a queue.

use core::fmt;
use std::boxed::Box;
use std::time::Instant;

use super::{Fault, Reading, Source};

/// The share of a bounded queue that is full. It asks for the queue's length with each sample.
///
/// ```
/// use chain_runtime::pressure::source::Queue;
///
/// let (sends, _receives) = tokio::sync::mpsc::channel::<u64>(256);
/// let queue = Queue::new("log lines", 256, move || 256 - sends.capacity());
/// ```
pub struct Queue {
    name: &'static str,
    capacity: usize,
    length: Box<dyn FnMut() -> usize + Send>,
}

impl Queue {
    /// A queue with so many places.
    ///
    /// # Panics
    ///
    /// If `capacity` is 0.
    #[must_use]
    pub fn new(name: &'static str, capacity: usize, length: impl FnMut() -> usize + Send + 'static) -> Self {
        assert!(capacity > 0, "a queue without a place has no share of it taken");
        Self { name, capacity, length: Box::new(length) }
    }
}

impl Source for Queue {
    fn name(&self) -> &'static str {
        self.name
    }

    fn read(&mut self, _: Instant) -> Result<Reading, Fault> {
        #[expect(clippy::cast_precision_loss, reason = "a share is not exact to one place")]
        Ok(Reading::of((self.length)() as f64 / self.capacity as f64))
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("name", &self.name).field("capacity", &self.capacity).finish_non_exhaustive()
    }
}
