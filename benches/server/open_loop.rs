//! The load of this bench: one request at a fixed rate, and a reply that is always the same.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use chain_benches::open_loop::{Client, End, Load};
use hdrhistogram::Histogram;

use crate::requests::{self, BODY};

const CONNECTIONS: usize = 64;
/// Before anything is counted.
pub(crate) const WARM_UP: Duration = Duration::from_millis(300);

struct Fixed {
    request: String,
    rate: u32,
    total: u64,
    histogram: Histogram<u64>,
}

/// Nanoseconds from due to replied, of every request that was due after the warm-up.
///
/// # Errors
/// If a connection fails, or a reply is not the one that is due, or comes after ten seconds.
pub(crate) fn run(address: SocketAddr, rate: u32, lasts: Duration) -> io::Result<Histogram<u64>> {
    let histogram = Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("these are bounds");
    let total = ((WARM_UP + lasts).as_secs_f64() * f64::from(rate)) as u64;
    let mut load = Fixed { request: requests::load(), rate, total, histogram };
    let patience = WARM_UP + lasts + Duration::from_secs(10);
    Client { address, connections: CONNECTIONS, patience, spins: true }.run(&mut load)?;
    Ok(load.histogram)
}

impl Load for Fixed {
    fn due(&self, number: u64) -> Option<Duration> {
        (number < self.total).then(|| Duration::from_nanos(number * 1_000_000_000 / u64::from(self.rate)))
    }

    fn request(&self, _: u64) -> &[u8] {
        self.request.as_bytes()
    }

    fn ended(&mut self, number: u64, took: Duration, end: End<'_>) -> io::Result<()> {
        match end {
            End::Replied { status: 200, whole } if whole.ends_with(BODY.as_bytes()) => {
                if self.due(number) >= Some(WARM_UP) {
                    self.histogram.saturating_record(took.as_nanos() as u64);
                }
                Ok(())
            }
            End::Replied { whole, .. } => {
                Err(io::Error::other(format!("not the reply: {}", String::from_utf8_lossy(whole))))
            }
            End::GaveUp => Err(io::Error::other("a request had no reply after all this time")),
            End::Broken(error) => Err(error),
        }
    }
}
