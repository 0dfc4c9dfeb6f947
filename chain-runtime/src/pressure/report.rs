//! Everything that is known of the pressure, as plain data.

use core::fmt;
use std::time::{Duration, Instant};
use std::vec::Vec;

use super::source::{Absent, Fault, Reading, Unit};
use super::{Change, Level, Thresholds};

/// What a [`Pressure`](super::Pressure) knows, for a page or a log. Its `Display` is a table.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The level that runs see.
    pub level: Level,
    /// The forced level, if there is one.
    pub forced: Option<Level>,
    /// The level without that.
    pub measured: Level,
    /// How many samples were taken.
    pub samples: u64,
    /// How many of them came at the same time as the one before, or earlier: the clock stood still.
    pub still: u64,
    /// How often the policy panicked. Then the highest level of the sources is used instead.
    pub policy_panics: u64,
    /// When the last sample was taken, by the sampler's clock.
    pub sampled: Option<Instant>,
    /// Whether there still is a sampler.
    pub is_sampled: bool,
    /// The intended time between samples.
    pub every: Duration,
    /// All sources, in the order in which they were given.
    pub sources: Vec<Seen>,
    /// What was left out, because this machine does not have it.
    pub absent: Vec<Absent>,
    /// The last change.
    pub last: Option<Change>,
}

/// A source and what is known about it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Seen {
    /// Its name.
    pub name: &'static str,
    /// The unit of its value.
    pub unit: Unit,
    /// Its thresholds.
    pub thresholds: Thresholds,
    /// Its own level.
    pub level: Level,
    /// Its last reading, even if it has failed since.
    pub reading: Option<Reading>,
    /// The time of that reading.
    pub read: Option<Instant>,
    /// Its smoothed growth in a second; 0 if nothing is projected.
    pub growth: f64,
    /// Whether it is at its level only because it will be full soon.
    pub is_projected: bool,
    /// Why the last sample has no reading of this source.
    pub fault: Option<Fault>,
    /// How many samples have no reading of it.
    pub faults: u64,
    /// Whether it has failed for so long that it counts as calm.
    pub given_up: bool,
    /// Whether the kernel wakes the sampler for it.
    pub is_woken: bool,
}

impl Report {
    /// The source of that name.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<&Seen> {
        self.sources.iter().find(|seen| seen.name == name)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "level {}", self.level)?;
        if self.forced.is_some() {
            write!(f, ", forced ({} is measured)", self.measured)?;
        }
        for seen in &self.sources {
            write!(f, "\n{seen}")?;
        }
        for absent in &self.absent {
            write!(f, "\n{absent}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MIB: u64 = 1 << 20;
        write!(f, "{:<14} {:<9}", self.name, self.level)?;
        if let Some(reading) = self.reading {
            write!(f, " {}", self.unit.show(reading.value))?;
            if let Some(bytes) = reading.bytes {
                write!(f, ", {} MiB used", bytes.used / MIB)?;
                if let Some(limit) = bytes.limit {
                    write!(f, " of {}", limit / MIB)?;
                }
                write!(f, ", {} retained", bytes.retained / MIB)?;
                if bytes.limit.is_none() {
                    f.write_str(", no limit")?;
                }
            }
        }
        if self.is_projected {
            write!(f, ", grows by {} a second", self.unit.show(self.growth))?;
        }
        if let Some(fault) = self.fault {
            let counts = if self.given_up { "counts no more" } else { "keeps its level for now" };
            write!(f, ", {fault} ({} times): {counts}", self.faults)?;
        }
        Ok(())
    }
}
