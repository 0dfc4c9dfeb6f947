//! A service with a fixed capacity: a number of workers, and a time that each request takes one of them. A request that
//! comes when all are busy waits in line.

use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::sleep;

/// What a service can do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capacity {
    pub workers: usize,
    /// The mean; a request takes between half of it and half as much again.
    pub takes: Duration,
}

pub(crate) struct Service {
    workers: Semaphore,
    takes: Duration,
}

impl Service {
    pub(crate) fn new(Capacity { workers, takes }: Capacity) -> Self {
        Self { workers: Semaphore::new(workers), takes }
    }

    /// Serves a request, which may take a `share` of the longest time, from 0 to 1.
    pub(crate) async fn serve(&self, share: f64) {
        let _worker = self.workers.acquire().await;
        sleep(self.takes.mul_f64(0.5 + share)).await;
    }
}

/// A share for each number, as even as dice.
pub(crate) fn share(number: u64) -> f64 {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    ((mixed ^ (mixed >> 27)) >> 11) as f64 / (1_u64 << 53) as f64
}
