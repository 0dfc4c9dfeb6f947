//! What may be given up under pressure, and from which level on.

use core::error::Error;
use core::fmt;
use core::str::FromStr;
use core::sync::atomic::AtomicU8;
use core::sync::atomic::Ordering::Relaxed;

/// How hard it is for the process to serve what it is asked for. `Calm` is the least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// There is room: nothing is given up.
    #[default]
    Calm = 0,
    /// It may become tight.
    Elevated = 1,
    /// It is tight.
    High = 2,
    /// What is not given up now is lost with all the rest.
    Critical = 3,
}

impl Level {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::Calm, Self::Elevated, Self::High, Self::Critical];

    /// As a chain and a flag write it: `calm`, `elevated`, `high`, `critical`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Elevated => "elevated",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    const fn of(number: u8) -> Self {
        match number {
            0 => Self::Calm,
            1 => Self::Elevated,
            2 => Self::High,
            _ => Self::Critical,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Level {
    type Err = UnknownLevel;

    /// # Errors
    ///
    /// [`UnknownLevel`] where no level has that [`name`](Self::name).
    fn from_str(name: &str) -> Result<Self, UnknownLevel> {
        Self::ALL.into_iter().find(|level| level.name() == name).ok_or(UnknownLevel)
    }
}

/// No level is called so. Says which there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownLevel;

impl fmt::Display for UnknownLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the levels are `calm`, `elevated`, `high` and `critical`")
    }
}

impl Error for UnknownLevel {}

/// Where a [`Level`] stands for all who ask: one byte, read and written relaxed.
#[derive(Debug, Default)]
pub struct LevelCell(AtomicU8);

impl LevelCell {
    /// One that stands at `level`.
    #[must_use]
    pub const fn new(level: Level) -> Self {
        Self(AtomicU8::new(level as u8))
    }

    /// The level now: one relaxed load.
    #[inline(always)]
    #[must_use]
    pub fn get(&self) -> Level {
        Level::of(self.0.load(Relaxed))
    }

    /// Runs that begin from now on see this level.
    pub fn set(&self, level: Level) {
        self.0.store(level as u8, Relaxed);
    }
}
