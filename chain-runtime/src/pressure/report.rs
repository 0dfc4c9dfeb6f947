//! All that is known of the pressure, as plain data.

use core::fmt;
use std::time::{Duration, Instant};
use std::vec::Vec;

use super::source::{Absent, Fault, Reading, Unit};
use super::{Change, Level, Thresholds};

/// What a [`Pressure`](super::Pressure) knows, for a page or a log: displayed, it is a table.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The level that runs see.
    pub level: Level,
    /// The level that somebody forces.
    pub forced: Option<Level>,
    /// The level that would be without that.
    pub measured: Level,
    /// How many samples were taken.
    pub samples: u64,
    /// How many of them came at the time of the one before, or earlier: the clock stood still.
    pub still: u64,
    /// How often the policy panicked, and the highest level of the sources was taken instead.
    pub policy_panics: u64,
    /// When the last sample was taken, by the sampler's clock.
    pub sampled: Option<Instant>,
    /// Whether there is a sampler still.
    pub is_sampled: bool,
    /// How far apart samples are to be.
    pub every: Duration,
    /// Each source, in the order in which they were given.
    pub sources: Vec<Seen>,
    /// What was left out, since this machine does not have it.
    pub absent: Vec<Absent>,
    /// The last change.
    pub last: Option<Change>,
}

/// A source and what is known of it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Seen {
    /// Its name.
    pub name: &'static str,
    /// What its value is in.
    pub unit: Unit,
    /// Its thresholds.
    pub thresholds: Thresholds,
    /// Its own level.
    pub level: Level,
    /// Its last reading, also where it has failed since.
    pub reading: Option<Reading>,
    /// When that was.
    pub read: Option<Instant>,
    /// How fast it grows in a second, smoothed. 0 where nothing is projected.
    pub growth: f64,
    /// Whether it is at its level only because it will be full soon.
    pub is_projected: bool,
    /// Why the last sample has no reading of it.
    pub fault: Option<Fault>,
    /// How many samples have none.
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
