//! What of the gateway the admin address shows.

use chain_runtime::describe::ChainInfo;
use chain_runtime::telemetry::{Keeps, Snapshot};
use chain_runtime::toggle::Switches;

use super::admin::Watched;
use super::gateway::Gateway;

impl Watched for Gateway {
    fn chain(&self) -> &'static ChainInfo {
        Self::CHAIN
    }

    fn snapshot(&self) -> Snapshot {
        self.meter.snapshot()
    }

    fn kept(&self) -> Keeps {
        self.meter.kept()
    }

    fn forget_kept(&self) {
        self.meter.forget_kept();
    }

    fn switches(&self) -> Option<Switches<'_>> {
        Some(self.toggles())
    }
}
