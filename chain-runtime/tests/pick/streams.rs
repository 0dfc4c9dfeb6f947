//! Replies that begin now and end later.

use std::sync::Arc;
use std::time::Duration;

use chain_runtime::upstream::{PeakEwma, Pick};
use tokio::time::sleep;

use crate::{registry, seats};

const MS: Duration = Duration::from_millis(1);

/// The share of one of ten whose replies come soon, and all break off, of a minute's requests.
#[tokio::test(start_paused = true)]
async fn one_whose_replies_begin_well_and_break_off_attracts_nothing() {
    fastrand::seed(7);
    let registry = registry(10);
    let pick = Pick::new(Arc::clone(&registry), PeakEwma::new());
    for _ in 0..30_000 {
        let mut lease = pick.lease().unwrap();
        tokio::spawn(async move {
            let breaks = *lease.endpoint() == 0;
            sleep(if breaks { MS } else { 20 * MS }).await;
            lease.streams();
            sleep(MS).await;
            if breaks {
                lease.failed();
            }
        });
        sleep(2 * MS).await;
    }
    let requests: Vec<u64> = seats(&registry).iter().map(|seat| seat.totals().all()).collect();
    let share = requests[0] as f64 / requests.iter().sum::<u64>() as f64;
    assert!(share < 0.01, "{share}: {requests:?}");
}
