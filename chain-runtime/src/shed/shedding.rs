//! [`Shedding`]: the present level for a chain, what was changed at run time, and how often something was shed.

use core::sync::atomic::AtomicUsize;
use core::sync::atomic::Ordering::Relaxed;
#[cfg(feature = "std")]
use std::sync::Arc;

use super::{Level, LevelCell};

/// Bits for each item, and for the forced level.
const BITS: usize = 3;
const MASK: usize = (1 << BITS) - 1;

/// The number of items that a chain can shed: as many as a word has room for. That is 20 if a `usize` has 64 bits, and
/// 9 if it has 32.
pub const MAX: usize = (usize::BITS as usize - BITS) / BITS;

/// A chain that sheds something needs a field of this type. The chain finds it by its type.
///
/// A new one, and the `Default`, has a level of its own, which is calm until [`cell`](Self::cell) is set. Each value of
/// a chain has its own `Shedding`: changes and counts of one are not seen in another.
#[derive(Debug)]
pub struct Shedding {
    level: Stands,
    /// The forced level in the lowest bits, then each item's [`Override`].
    moved: AtomicUsize,
    counts: Counts,
}

/// Where the level is.
#[derive(Debug)]
enum Stands {
    Own(LevelCell),
    Static(&'static LevelCell),
    #[cfg(feature = "std")]
    Shared(Arc<LevelCell>),
}

/// They have cache lines of their own: every run reads the fields before them, and under pressure every run writes
/// these.
#[derive(Debug)]
#[repr(align(64))]
struct Counts([AtomicUsize; MAX]);

/// The lowest level at which an item is shed, as set at run time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Override {
    /// The level that is written in the chain.
    #[default]
    AsDeclared,
    /// At no level.
    Never,
    /// From this level on; [`Level::Calm`] means always.
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

    /// The first level at which an item that was declared from `declared` on is shed. `None`: there is none.
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
    /// It has a level of its own, which is calm.
    #[must_use]
    pub const fn new() -> Self {
        Self::by(Stands::Own(LevelCell::new(Level::Calm)))
    }

    /// It follows this level.
    #[must_use]
    pub const fn of_static(level: &'static LevelCell) -> Self {
        Self::by(Stands::Static(level))
    }

    /// It follows this level, which others read as well.
    #[cfg(feature = "std")]
    #[must_use]
    pub const fn shared(level: Arc<LevelCell>) -> Self {
        Self::by(Stands::Shared(level))
    }

    const fn by(level: Stands) -> Self {
        Self { level, moved: AtomicUsize::new(0), counts: Counts([const { AtomicUsize::new(0) }; MAX]) }
    }

    /// The cell of its level. A level that is forced on this chain alone is not in it.
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

    /// The present level and changes: two relaxed loads.
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

    /// Counts that the item at `index` was shed: one relaxed addition.
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

    /// Puts these bits at a place of the word, and returns the old ones. Changes of other places at the same time are
    /// not lost.
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

/// The level and the changes at one moment. A run takes one when it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The level in the lowest bits, then each item's [`Override`].
    word: usize,
}

impl Snapshot {
    /// The level of the run: the forced one, if there is one.
    #[must_use]
    pub const fn level(self) -> Level {
        Level::of((self.word & MASK) as u8)
    }

    /// The setting of the item at `index`.
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
    /// If `index` is [`MAX`] or more. If `index` is a constant, the compiler removes the test.
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
