//! What jemalloc has allocated, and what it keeps.

use core::fmt;
use std::format;
use std::string::ToString;
use std::time::Instant;

use tikv_jemalloc_ctl::{epoch, epoch_mib, stats};

use super::{Absent, Fault, Reading, Source};
use crate::pressure::Projection;
use crate::telemetry::{self, Allocations};

const NAME: &str = "jemalloc";

/// The memory that the program has allocated, as a share of a limit that you set, by jemalloc's statistics.
///
/// *Used* is `stats.allocated`. Resident memory beyond that (`stats.resident`) is *retained*: pages that are not given
/// back yet, and space that is lost between allocations. Envoy judged by the sum, and did not recover from overload
/// (its issue 21923). Since then it can judge by the allocated memory.
///
/// A reading advances jemalloc's epoch, which adds up all of its arenas.
pub struct Jemalloc {
    limit: u64,
    asks: Asks,
}

/// jemalloc's figures at one moment, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Figures {
    /// What the program has allocated, and has not freed.
    pub allocated: u64,
    /// The pages that contain this.
    pub active: u64,
    /// What is in memory: the pages above, pages that are not given back yet, and jemalloc's own.
    pub resident: u64,
    /// Addresses that are kept without memory behind them. They are not part of the other figures, and take no memory.
    pub retained: u64,
}

/// The names of the figures, looked up once.
#[derive(Clone, Copy)]
struct Asks {
    epoch: epoch_mib,
    allocated: stats::allocated_mib,
    active: stats::active_mib,
    resident: stats::resident_mib,
    retained: stats::retained_mib,
}

impl Jemalloc {
    /// What is allocated, as a share of `limit` bytes.
    ///
    /// # Errors
    ///
    /// `tikv_jemallocator::Jemalloc` is not the program's allocator, or was built without statistics.
    ///
    /// # Panics
    ///
    /// If `limit` is 0.
    pub fn of(limit: u64) -> Result<Self, Absent> {
        assert!(limit > 0, "of a limit of 0 bytes there is no share");
        telemetry::Jemalloc.check().map_err(|error| Absent::new(NAME, error.to_string()))?;
        Ok(Self { limit, asks: Asks::new()? })
    }

    /// The present figures.
    ///
    /// # Errors
    ///
    /// [`Fault::Unavailable`] if jemalloc does not answer.
    pub fn figures(&self) -> Result<Figures, Fault> {
        self.asks.figures().map_err(|_| Fault::Unavailable)
    }

    /// The bytes that are resident and not allocated, for [`Cgroup::less`](super::Cgroup::less); 0 if jemalloc does not
    /// answer.
    ///
    /// # Errors
    ///
    /// The same as for [`Jemalloc::of`].
    pub fn retained() -> Result<impl FnMut() -> u64 + Send + use<>, Absent> {
        telemetry::Jemalloc.check().map_err(|error| Absent::new(NAME, error.to_string()))?;
        let asks = Asks::new()?;
        Ok(move || asks.figures().map_or(0, |figures| figures.resident.saturating_sub(figures.allocated)))
    }
}

impl Asks {
    fn new() -> Result<Self, Absent> {
        let asks = || {
            Ok(Self {
                epoch: epoch::mib()?,
                allocated: stats::allocated::mib()?,
                active: stats::active::mib()?,
                resident: stats::resident::mib()?,
                retained: stats::retained::mib()?,
            })
        };
        asks().map_err(|error: tikv_jemalloc_ctl::Error| Absent::new(NAME, format!("it has no statistics: {error}")))
    }

    fn figures(&self) -> tikv_jemalloc_ctl::Result<Figures> {
        // The other figures do not change in between.
        self.epoch.advance()?;
        let of = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX);
        Ok(Figures {
            allocated: of(self.allocated.read()?),
            active: of(self.active.read()?),
            resident: of(self.resident.read()?),
            retained: of(self.retained.read()?),
        })
    }
}

impl Source for Jemalloc {
    fn name(&self) -> &'static str {
        NAME
    }

    fn projection(&self) -> Option<Projection> {
        Some(Projection::DEFAULT)
    }

    fn read(&mut self, _: Instant) -> Result<Reading, Fault> {
        let figures = self.figures()?;
        let retained = figures.resident.saturating_sub(figures.allocated);
        Reading::memory(figures.allocated, retained, Some(self.limit))
    }
}

impl fmt::Debug for Jemalloc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jemalloc").field("limit", &self.limit).finish_non_exhaustive()
    }
}
