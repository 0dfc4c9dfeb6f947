//! Sources of pressure.

mod absent;
#[cfg(target_os = "linux")]
mod cgroup;
#[cfg(target_os = "linux")]
mod file;
mod in_flight;
#[cfg(feature = "jemalloc")]
mod jemalloc;
mod lag;
mod own;
#[cfg(target_os = "linux")]
mod psi;
mod queue;
#[cfg(target_os = "linux")]
mod resident;

use core::error::Error;
use core::fmt;
use std::io;
#[cfg(unix)]
use std::os::fd::OwnedFd;
use std::time::Instant;

pub use absent::Absent;
#[cfg(target_os = "linux")]
pub use cgroup::{Cgroup, Version};
pub use in_flight::{Flight, InFlight};
#[cfg(feature = "jemalloc")]
pub use jemalloc::{Figures, Jemalloc};
pub use lag::{Lag, Probe};
pub use own::{Own, own};
#[cfg(target_os = "linux")]
pub use psi::{Psi, Stalled};
pub use queue::Queue;
#[cfg(target_os = "linux")]
pub use resident::Resident;

#[cfg(target_os = "linux")]
pub(super) use psi::Triggers;

use super::{Projection, Thresholds};

/// Something whose reading says how tight resources are. A higher reading means tighter.
///
/// It is read by the [`Sampler`](super::Sampler), on one thread at a time, a few times a second. A reading should
/// allocate nothing and must not block: while one source is read, no other one is. A panic is caught and counted as
/// [`Fault::Panicked`].
pub trait Source: Send + 'static {
    /// Its name in changes, in the log and in the report. No two sources of one [`Pressure`](super::Pressure) may have
    /// the same name.
    fn name(&self) -> &'static str;

    /// The unit of a reading's `value`.
    fn unit(&self) -> Unit {
        Unit::Share
    }

    /// The default thresholds; see [`Watched::thresholds`](super::Watched::thresholds).
    fn thresholds(&self) -> Thresholds {
        Thresholds::new([0.80, 0.90, 0.97], [0.75, 0.85, 0.93])
    }

    /// How far to look ahead when it fills up; a `value` of 1 is full then. By default it does not look ahead; see
    /// [`Watched::projection`](super::Watched::projection).
    fn projection(&self) -> Option<Projection> {
        None
    }

    /// How tight it is at `now`. A test's clock may stand still, or be far from the machine's.
    ///
    /// # Errors
    ///
    /// [`Fault`]. The source then keeps its level for a while: see [`Builder::hold`](super::Builder::hold).
    fn read(&mut self, now: Instant) -> Result<Reading, Fault>;

    /// A file on which the kernel raises `POLLPRI` when the source has to be read at once. The default is `None`.
    #[cfg(unix)]
    fn trigger(&self) -> Option<io::Result<OwnedFd>> {
        None
    }
}

/// A source's answer.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Reading {
    /// The value that is compared with the thresholds.
    pub value: f64,
    /// For memory: the underlying bytes.
    pub bytes: Option<Bytes>,
}

impl Reading {
    /// A reading that is only a number.
    #[must_use]
    pub const fn of(value: f64) -> Self {
        Self { value, bytes: None }
    }

    /// A reading of memory: its value is the used share of the limit. If there is no limit, it is 0.
    ///
    /// # Errors
    ///
    /// [`Fault::NoRoom`] if the limit is 0.
    pub fn memory(used: u64, retained: u64, limit: Option<u64>) -> Result<Self, Fault> {
        let value = match limit {
            None => 0.0,
            Some(0) => return Err(Fault::NoRoom),
            #[expect(clippy::cast_precision_loss, reason = "a share of memory is not exact to a byte")]
            Some(limit) => used as f64 / limit as f64,
        };
        Ok(Self { value, bytes: Some(Bytes { used, retained, limit }) })
    }
}

/// Memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes {
    /// The bytes in use: they do not come back by themselves.
    pub used: u64,
    /// The bytes that are only retained, and come back when they are needed: a cache of files, or memory that an
    /// allocator has not given back. They are not in `used`.
    pub retained: u64,
    /// The most bytes that are allowed. `None` if there is no limit.
    pub limit: Option<u64>,
}

/// The unit of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// A share of the whole, which is 1.
    Share,
    /// Seconds.
    Seconds,
    /// A number of things.
    Count,
}

impl Unit {
    /// A value in this unit, as a log writes it: `91.2 %`, `0.012 s`, `340`.
    #[must_use]
    pub const fn show(self, value: f64) -> Shown {
        Shown { unit: self, value }
    }
}

/// A value with its unit, to be displayed. Made by [`Unit::show`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shown {
    unit: Unit,
    value: f64,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value;
        match self.unit {
            Unit::Share => write!(f, "{:.1} %", value * 100.0),
            Unit::Seconds => write!(f, "{value:.3} s"),
            Unit::Count => write!(f, "{value:.0}"),
        }
    }
}

/// Why there is no reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Its file cannot be read, and could not be opened again.
    Io(io::ErrorKind),
    /// The file is not in the expected form.
    Malformed,
    /// A number is over `u64::MAX`.
    TooLarge,
    /// The limit is 0.
    NoRoom,
    /// The value is NaN or infinite.
    NotANumber,
    /// The source panicked.
    Panicked,
    /// For sources of your own, if nothing else fits.
    Unavailable,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(kind) => write!(f, "the file cannot be read: {kind}"),
            Self::Malformed => f.write_str("the file does not say what it should"),
            Self::TooLarge => f.write_str("a number does not fit 64 bits"),
            Self::NoRoom => f.write_str("the limit is 0"),
            Self::NotANumber => f.write_str("the value is not a finite number"),
            Self::Panicked => f.write_str("the source panicked"),
            Self::Unavailable => f.write_str("the source has no reading"),
        }
    }
}

impl Error for Fault {}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error.kind())
    }
}
