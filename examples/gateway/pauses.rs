//! Pauses of requests that the nodes themselves do not see: the machine is short of something, or the runtime polls
//! late.

use std::sync::Arc;
use std::time::Duration;

use chain_runtime::around::TokioTimer;
use chain_runtime::proxy::server::Workers;
use chain_runtime::telemetry::Tsc;
use chain_runtime::telemetry::pauses::{Ledger, lag};
#[cfg(target_os = "linux")]
use chain_runtime::telemetry::pauses::{Listening, Pressure};

/// The ledger of pauses, and what writes to it until this is dropped.
pub(crate) struct Pauses {
    pub(crate) ledger: Arc<Ledger<Tsc>>,
    /// `None` if the kernel does not report this, or not to this process. The other pauses are then still found.
    #[cfg(target_os = "linux")]
    _pressure: Option<Listening>,
}

impl Pauses {
    /// Begins to look.
    pub(crate) fn look(workers: &Workers) -> Self {
        let ledger = Arc::new(Ledger::new(Tsc::new()));
        for worker in workers.handles() {
            worker.spawn(lag(Arc::clone(&ledger), TokioTimer, Duration::from_millis(20)));
        }
        Self {
            #[cfg(target_os = "linux")]
            _pressure: Pressure::of_the_machine().and_then(|pressure| pressure.listen(Arc::clone(&ledger))).ok(),
            ledger,
        }
    }
}
