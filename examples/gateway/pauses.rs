//! What pauses requests, and is not seen by the nodes themselves: the machine is short of something, the runtime polls late.

use std::sync::Arc;
use std::time::Duration;

use chain_runtime::around::TokioTimer;
use chain_runtime::telemetry::Tsc;
use chain_runtime::telemetry::pauses::{Ledger, lag};
#[cfg(target_os = "linux")]
use chain_runtime::telemetry::pauses::{Listening, Pressure};

/// The ledger of pauses, and what writes to it until this is dropped.
pub(crate) struct Pauses {
    pub(crate) ledger: Arc<Ledger<Tsc>>,
    /// `None`: the kernel does not say, or not to us. Then the rest is found.
    #[cfg(target_os = "linux")]
    _pressure: Option<Listening>,
}

impl Pauses {
    /// Begins to look.
    pub(crate) fn look() -> Self {
        let ledger = Arc::new(Ledger::new(Tsc::new()));
        tokio::spawn(lag(Arc::clone(&ledger), TokioTimer, Duration::from_millis(20)));
        Self {
            #[cfg(target_os = "linux")]
            _pressure: Pressure::of_the_machine().and_then(|pressure| pressure.listen(Arc::clone(&ledger))).ok(),
            ledger,
        }
    }
}
