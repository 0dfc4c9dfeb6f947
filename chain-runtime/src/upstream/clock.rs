//! The clock of everything that has a lease, a pause or a latency.

use std::time::Instant;

/// The time of tokio's clock, which tests can pause. Outside of a runtime it is the system's.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
