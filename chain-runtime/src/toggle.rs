//! Nodes that are switched on and off while requests run.
//!
//! A chain with a node under `#[toggle]` has a field of type [`Toggles`]. It holds one bit for each toggle: whether the
//! toggle was *flipped* from its declared state. So the word 0 is the declared state of every chain, and one load reads
//! all toggles.
//!
//! Each request takes a [`Snapshot`] when it begins, and asks only that: it does not see a toggle that is switched
//! while it runs. Requests that begin after a change see it. "After" is meant as in the memory model: by program order,
//! a spawned task, a message or a lock. A processor that was told of the change by none of these sees it when the word
//! arrives there, which takes nanoseconds.
//!
//! A change publishes nothing else, since all of these accesses are relaxed. Whatever a node needs once it is on has to
//! be there before, or be published by other means.
//!
//! ```
//! use chain_runtime::toggle::{Switches, ToggleInfo, Toggles};
//!
//! // What a chain declares of its toggles, in the order of their indices.
//! static TOGGLES: [ToggleInfo; 2] = [ToggleInfo { name: "cache", on: true }, ToggleInfo { name: "shadow", on: false }];
//!
//! static STATE: Toggles = Toggles::new();
//! let switches = Switches::new(&STATE, &TOGGLES);
//!
//! let in_flight = STATE.snapshot();
//! assert_eq!(switches.set("cache", false), Ok(true));
//! assert!(in_flight.is_on(0, true));
//! assert!(!STATE.snapshot().is_on(0, true));
//!
//! assert_eq!(switches.to_string(), "cache: off, shadow: off");
//! assert_eq!(
//!     switches.set("cash", true).unwrap_err().to_string(),
//!     "there is no toggle `cash`; there are `cache`, `shadow`",
//! );
//! ```

use core::error::Error;
use core::fmt;
use core::sync::atomic::AtomicUsize;
use core::sync::atomic::Ordering::Relaxed;

/// The largest number of toggles in a chain: as many as a word has bits.
pub const MAX: usize = usize::BITS as usize;

/// The toggles of a chain that were flipped from their declared state.
///
/// A new one, and the `Default`, has all toggles as they were declared. Each value of a chain has its own: a toggle
/// that is switched in one is not switched in another.
#[derive(Debug, Default)]
pub struct Toggles {
    flipped: AtomicUsize,
}

impl Toggles {
    /// All toggles as they were declared.
    #[must_use]
    pub const fn new() -> Self {
        Self { flipped: AtomicUsize::new(0) }
    }

    /// The present state of all toggles: one relaxed load.
    #[inline(always)]
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { flipped: self.flipped.load(Relaxed) }
    }
}

/// The state of all toggles at one moment. A request takes one when it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    flipped: usize,
}

impl Snapshot {
    /// Whether the toggle at `index`, which was declared as `declared_on`, is on.
    ///
    /// # Panics
    ///
    /// If `index` is [`MAX`] or more. If `index` is a constant, the compiler removes the test.
    #[inline(always)]
    #[must_use]
    pub const fn is_on(self, index: usize, declared_on: bool) -> bool {
        (self.flipped & bit(index) != 0) != declared_on
    }
}

/// One toggle, as it was declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToggleInfo {
    /// The name by which it is switched.
    pub name: &'static str,
    /// Whether it is on until it is switched.
    pub on: bool,
}

/// A chain's toggles by name. `toggles()` of a chain returns this for the chain's operator.
///
/// It is a pair of references, which can be copied freely. `Display` lists all toggles, `cache: on, shadow: off`, and
/// so do [`iter`](Self::iter) and `Debug`. Each of them uses one snapshot.
#[derive(Clone, Copy)]
pub struct Switches<'a> {
    toggles: &'a Toggles,
    infos: &'static [ToggleInfo],
}

impl<'a> Switches<'a> {
    /// The toggle `infos[n]` is bit `n` of `toggles`. If several have one name, the name means the first.
    ///
    /// # Panics
    ///
    /// If there are more than [`MAX`]. In a constant, this happens while compiling.
    #[must_use]
    pub const fn new(toggles: &'a Toggles, infos: &'static [ToggleInfo]) -> Self {
        assert!(infos.len() <= MAX, "a chain has at most as many toggles as a `usize` has bits");
        Self { toggles, infos }
    }

    /// Whether the toggle is on.
    ///
    /// # Errors
    ///
    /// [`UnknownToggle`] if the chain has no toggle of that name.
    pub fn get<'n>(&self, name: &'n str) -> Result<bool, UnknownToggle<'n>> {
        let (index, info) = self.find(name)?;
        Ok(self.toggles.snapshot().is_on(index, info.on))
    }

    /// Switches the toggle, and returns whether it was on before. Requests that begin from now on see it.
    ///
    /// It is one atomic change of one bit: other changes at the same time are not lost.
    ///
    /// # Errors
    ///
    /// [`UnknownToggle`] if the chain has no toggle of that name.
    pub fn set<'n>(&self, name: &'n str, on: bool) -> Result<bool, UnknownToggle<'n>> {
        let (index, info) = self.find(name)?;
        let flipped = if on == info.on {
            self.toggles.flipped.fetch_and(!bit(index), Relaxed)
        } else {
            self.toggles.flipped.fetch_or(bit(index), Relaxed)
        };
        Ok(Snapshot { flipped }.is_on(index, info.on))
    }

    /// Switches all toggles back to their declared state, at once.
    pub fn reset(&self) {
        self.toggles.flipped.store(0, Relaxed);
    }

    /// All toggles in the order of the chain, each with whether it is on, from one snapshot that is taken now.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'static str, bool)> + Clone + use<> {
        let snapshot = self.toggles.snapshot();
        self.infos.iter().enumerate().map(move |(index, info)| (info.name, snapshot.is_on(index, info.on)))
    }

    fn find<'n>(&self, name: &'n str) -> Result<(usize, &'static ToggleInfo), UnknownToggle<'n>> {
        let found = self.infos.iter().enumerate().find(|(_, info)| info.name == name);
        found.ok_or(UnknownToggle { name, known: self.infos })
    }
}

const fn bit(index: usize) -> usize {
    assert!(index < MAX, "a toggle's index is less than the bits of a `usize`");
    1 << index
}

impl fmt::Display for Switches<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, on)) in self.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{name}: {:?}", State(on))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Switches<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(name, on)| (name, State(on)))).finish()
    }
}

/// Whether a toggle is on, in a word.
struct State(bool);

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 { "on" } else { "off" })
    }
}

/// The chain has no toggle of that name. The message lists the toggles.
///
/// It borrows the name that was asked for; `to_string()` makes a message that can be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownToggle<'n> {
    name: &'n str,
    known: &'static [ToggleInfo],
}

impl<'n> UnknownToggle<'n> {
    /// The name that was asked for.
    #[must_use]
    pub const fn name(&self) -> &'n str {
        self.name
    }

    /// The toggles of the chain.
    #[must_use]
    pub const fn known(&self) -> &'static [ToggleInfo] {
        self.known
    }
}

impl fmt::Display for UnknownToggle<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no toggle `{}`; ", self.name)?;
        let Some((first, rest)) = self.known.split_first() else { return f.write_str("the chain has none") };
        write!(f, "there {} `{}`", if rest.is_empty() { "is" } else { "are" }, first.name)?;
        rest.iter().try_for_each(|info| write!(f, ", `{}`", info.name))
    }
}

impl Error for UnknownToggle<'_> {}
