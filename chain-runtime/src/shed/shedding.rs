//! [`Shedding`]: where the level stands for a chain, what was moved at run time, and how often something was shed.

use core::sync::atomic::AtomicUsize;
use core::sync::atomic::Ordering::Relaxed;
#[cfg(feature = "std")]
use std::sync::Arc;

use super::{Level, LevelCell};

/// Bits for each item, and for the level that is forced.
const BITS: usize = 3;
const MASK: usize = (1 << BITS) - 1;

/// How many items of a chain can be shed: as many as a word has room for. 20 where a `usize` has 64 bits, 9 where it has 32.
pub const MAX: usize = (usize::BITS as usize - BITS) / BITS;

/// What a chain needs to shed something: its field, found by its type.
///
/// A new one, and the `Default`, has a level of its own, which is calm until [`cell`](Self::cell) is set. What is moved through one value is not seen
/// by another, and neither is what it counts: each value of a chain has its own.
#[derive(Debug)]
pub struct Shedding {
    level: Stands,
    /// The forced level in the lowest bits, then each item's [`Override`].
    moved: AtomicUsize,
    counts: Counts,
}

/// Where the level stands.
#[derive(Debug)]
enum Stands {
    Own(LevelCell),
    Static(&'static LevelCell),
    #[cfg(feature = "std")]
    Shared(Arc<LevelCell>),
}

/// On lines of the cache of their own: every run reads what is before them, and under pressure these are written by every run.
#[derive(Debug)]
#[repr(align(64))]
struct Counts([AtomicUsize; MAX]);

/// From which level on an item is shed, set at run time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Override {
    /// From the level that is written in the chain.
    #[default]
    AsDeclared,
    /// At no level.
    Never,
    /// From this level on; from [`Level::Calm`] on is always.
    From(Level),
}

impl Override {
    const fn packed(self) -> usize {
        match self {
            Self::AsDeclared => 0,
            Self::From(level) => level as usize + 1,
            Self::Never => Level::ALL.len() + 1,
        }
    }

    const fn unpacked(bits: usize) -> Self {
        match bits {
            0 => Self::AsDeclared,
            at if at <= Level::ALL.len() => Self::From(Level::ALL[at - 1]),
            _ => Self::Never,
        }
    }

    /// The first level at which something is shed that was declared from `declared` on. `None`: there is none.
    #[must_use]
    pub const fn from(self, declared: Level) -> Option<Level> {
        match self {
            Self::AsDeclared => Some(declared),
            Self::Never => None,
            Self::From(level) => Some(level),
        }
    }
}

impl Shedding {
    /// With a level of its own, which is calm.
    #[must_use]
    pub const fn new() -> Self {
        Self::by(Stands::Own(LevelCell::new(Level::Calm)))
    }

    /// By the level that stands there.
    #[must_use]
    pub const fn of_static(level: &'static LevelCell) -> Self {
        Self::by(Stands::Static(level))
    }

    /// By the level that stands there, which others read as well.
    #[cfg(feature = "std")]
    #[must_use]
    pub const fn shared(level: Arc<LevelCell>) -> Self {
        Self::by(Stands::Shared(level))
    }

    const fn by(level: Stands) -> Self {
        Self { level, moved: AtomicUsize::new(0), counts: Counts([const { AtomicUsize::new(0) }; MAX]) }
    }

    /// Where its level stands. A level that is forced on this chain alone stands elsewhere.
    #[inline(always)]
    #[must_use]
    pub fn cell(&self) -> &LevelCell {
        match &self.level {
            Stands::Own(level) => level,
            Stands::Static(level) => level,
            #[cfg(feature = "std")]
            Stands::Shared(level) => level,
        }
    }

    /// The level and what was moved, as they are now: two relaxed loads.
    #[inline(always)]
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let (level, moved) = (self.cell().get() as usize, self.moved.load(Relaxed));
        let level = match moved & MASK {
            0 => level,
            forced => forced - 1,
        };
        Snapshot { word: moved & !MASK | level }
    }

    /// The item at `index` was shed: one relaxed addition.
    #[doc(hidden)]
    #[inline(always)]
    pub fn counted(&self, index: usize) {
        self.counts.0[index].fetch_add(1, Relaxed);
    }

    pub(super) fn count(&self, index: usize) -> usize {
        self.counts.0[index].load(Relaxed)
    }

    pub(super) fn forced(&self) -> Option<Level> {
        (self.moved.load(Relaxed) & MASK).checked_sub(1).map(|level| Level::ALL[level])
    }

    pub(super) fn force(&self, level: Option<Level>) {
        self.put(0, level.map_or(0, |level| level as usize + 1));
    }

    pub(super) fn set(&self, index: usize, to: Override) -> Override {
        Override::unpacked(self.put(index + 1, to.packed()))
    }

    pub(super) fn reset(&self) {
        self.moved.store(0, Relaxed);
    }

    /// Puts these bits at a place of the word, and says what was there. What others put at other places at the same time is not lost.
    fn put(&self, place: usize, bits: usize) -> usize {
        let at = place * BITS;
        let change = |word: usize| Some(word & !(MASK << at) | bits << at);
        match self.moved.fetch_update(Relaxed, Relaxed, change) {
            Ok(before) | Err(before) => before >> at & MASK,
        }
    }
}

impl Default for Shedding {
    fn default() -> Self {
        Self::new()
    }
}

/// The level and what was moved, as they were at one time. A run takes one as it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The level in the lowest bits, then each item's [`Override`].
    word: usize,
}

impl Snapshot {
    /// The level that the run is at: the forced one, where there is one.
    #[must_use]
    pub const fn level(self) -> Level {
        Level::of((self.word & MASK) as u8)
    }

    /// What was set of the item at `index`.
    ///
    /// # Panics
    ///
    /// If `index` is [`MAX`] or more.
    #[inline(always)]
    #[must_use]
    pub const fn set(self, index: usize) -> Override {
        Override::unpacked(self.bits(index))
    }

    /// Whether the item at `index`, which was declared from `declared` on, is shed.
    ///
    /// # Panics
    ///
    /// If `index` is [`MAX`] or more. Where it is a constant, the compiler removes the test.
    #[inline(always)]
    #[must_use]
    pub const fn sheds(self, index: usize, declared: Level) -> bool {
        let from = match self.bits(index) {
            0 => declared as usize,
            set => set - 1,
        };
        self.word & MASK >= from
    }

    const fn bits(self, index: usize) -> usize {
        assert!(index < MAX, "a shed's index is less than `shed::MAX`");
        self.word >> ((index + 1) * BITS) & MASK
    }
}
