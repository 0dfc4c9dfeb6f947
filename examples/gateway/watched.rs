//! What of the gateway the admin address shows.

use std::sync::Arc;

use chain_runtime::describe::ChainInfo;
use chain_runtime::pressure::{Level, Pressure};
use chain_runtime::shared::Redis;
use chain_runtime::telemetry::prometheus::PressureReading;
use chain_runtime::telemetry::{Keeps, Snapshot, page};
use chain_runtime::toggle::Switches;

use super::admin::{Group, Watched};
use super::gateway::{Gateway, Measured};
use super::pressure::{self, Moves};

/// The gateway, and what is known of the process.
pub(crate) struct Operated {
    pub(crate) gateway: &'static Gateway,
    pub(crate) meter: Arc<Measured>,
    pub(crate) pressure: Pressure,
    pub(crate) moves: Moves,
    pub(crate) redis: Option<Redis>,
}

impl Watched for Operated {
    fn chain(&self) -> &'static ChainInfo {
        Gateway::CHAIN
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
        Some(self.gateway.toggles())
    }

    fn pressure(&self) -> Option<page::Pressure> {
        Some(pressure::shown(self.gateway, &self.pressure, &self.moves))
    }

    fn pressure_reading(&self) -> Option<PressureReading> {
        let reading = PressureReading::of(Some(self.pressure.status()));
        Some(reading.admission("requests", self.gateway.admission.status()))
    }

    fn redis(&self) -> Option<Redis> {
        self.redis.clone()
    }

    fn groups(&self) -> Vec<Group> {
        let rules = self.gateway.rules.load();
        let groups = rules.groups();
        groups.map(|group| Group { name: group.name.clone(), registry: Arc::clone(&group.registry) }).collect()
    }

    fn force(&self, to: Option<Level>) -> bool {
        match to {
            Some(level) => self.pressure.force(level),
            None => self.pressure.release(),
        }
        true
    }
}
