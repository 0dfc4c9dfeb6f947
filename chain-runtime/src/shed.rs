//! Nodes and blocks that may be given up under pressure, and the level from which on each is given up.
//!
//! A chain with something under `#[shed(..)]` has a field of type [`Shedding`]. It knows the present [`Level`], and
//! what an owner has changed at run time. A run reads both when it begins, and keeps what it read: it does not see
//! later changes. A change publishes nothing else, since all of these accesses are relaxed.
//!
//! From its level on, an item is skipped, or runs for a share of the requests, or runs behind the request ([`How`]).
//! Each time is counted.
//!
//! ```
//! use chain_runtime::shed::{Level, Override};
//! use chain_runtime::{Shedding, chain, node};
//!
//! #[node]
//! fn log(path: &str) { println!("{path}") }
//!
//! struct Cached(&'static str);
//! #[node]
//! fn cache() -> Cached { Cached("from the cache") }
//!
//! #[node]
//! fn answer(cached: &Option<Cached>) -> &'static str { cached.as_ref().map_or("computed", |cached| cached.0) }
//!
//! chain! {
//!     #[derive(Default)]
//!     struct Site { shedding: Shedding }
//!
//!     fn(path: &'static str) -> &'static str {
//!         #[shed(elevated)] log => #[shed(critical)] cache => answer
//!     }
//! }
//!
//! let site = Site::default();
//! assert_eq!(site.run("/"), "from the cache");
//!
//! // A process has one level, which a sampler sets. Here it is this chain's own.
//! site.shedding.cell().set(Level::High);
//! assert_eq!(site.run("/"), "from the cache");
//! assert_eq!((site.sheds().count("log"), site.sheds().count("cache")), (Ok(1), Ok(0)));
//!
//! // An operator changes one item, or all of them, for a drill.
//! site.sheds().set("cache", Override::From(Level::High)).unwrap();
//! assert_eq!(site.run("/"), "computed");
//!
//! let table = "\
//! at high  calm  elevated  high  critical
//! log      runs  off       off   off
//! cache    runs  runs      off   off       set: from high";
//! assert_eq!(site.sheds().to_string(), table);
//! ```
//!
//! The order in which things are given up comes from the founding story of this project, in which a gateway dropped its
//! log, its metrics and the warming of its cache before it dropped requests. The module `pressure` decides at which
//! level a process is.

mod info;
mod shedding;
mod sheds;
mod table;

pub use info::{How, Of, ShedInfo};
pub use shedding::{MAX, Override, Shedding, Snapshot};
pub use sheds::{Shed, Sheds, UnknownShed};
pub(crate) use table::{Row, Table};

use core::error::Error;
use core::fmt;
use core::str::FromStr;
use core::sync::atomic::AtomicU8;
use core::sync::atomic::Ordering::Relaxed;

/// The pressure on the process. `Calm` is the lowest level.
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
    /// Something has to be given up now, or everything is lost.
    Critical = 3,
}

impl Level {
    /// All levels, the lowest first.
    pub const ALL: [Self; 4] = [Self::Calm, Self::Elevated, Self::High, Self::Critical];

    /// The name, as a chain and a flag write it: `calm`, `elevated`, `high`, `critical`.
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
    /// [`UnknownLevel`] if no level has that [`name`](Self::name).
    fn from_str(name: &str) -> Result<Self, UnknownLevel> {
        Self::ALL.into_iter().find(|level| level.name() == name).ok_or(UnknownLevel)
    }
}

/// No level has that name. The message lists the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownLevel;

impl fmt::Display for UnknownLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the levels are `calm`, `elevated`, `high` and `critical`")
    }
}

impl Error for UnknownLevel {}

/// The present [`Level`], for all readers: one byte, read and written relaxed.
#[derive(Debug, Default)]
pub struct LevelCell(AtomicU8);

impl LevelCell {
    /// A cell with this level.
    #[must_use]
    pub const fn new(level: Level) -> Self {
        Self(AtomicU8::new(level as u8))
    }

    /// The present level: one relaxed load.
    #[inline(always)]
    #[must_use]
    pub fn get(&self) -> Level {
        Level::of(self.0.load(Relaxed))
    }

    /// Sets the level, for runs that begin from now on.
    pub fn set(&self, level: Level) {
        self.0.store(level as u8, Relaxed);
    }
}
