//! Nodes that are switched on and off while requests run.
//!
//! A chain with a node under `#[toggle]` has a field of type [`Toggles`]. It holds one bit for each toggle: whether that one was
//! *flipped* from how it was declared. So the word 0 is every chain's declared state, and to read all toggles is one load.
//!
//! Each request takes a [`Snapshot`] when it begins, and asks only that: what is switched while it runs, it does not see.
//! Requests that begin after a change see it. After is what the memory says: whatever the change came before by program order, a
//! spawned task, a message or a lock. A processor that nothing has told of the change sees it as soon as the word
//! gets there, which takes nanoseconds.
//!
//! A change carries nothing with it, since all of this is relaxed: what a node needs once it is on has to be there before, or to
//! be published by other means.
//!
//! ```
//! use chain_runtime::toggle::{Switches, ToggleInfo, Toggles};
//!
//! // What a chain writes down of its toggles, in the order of their indices.
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

/// How many toggles a chain can have: as many as a word has bits.
pub const MAX: usize = usize::BITS as usize;

/// Which of a chain's toggles were flipped from how they were declared.
///
/// A new one, and the `Default`, has all toggles as they were declared. What is switched through one value is not seen by
/// another: each value of a chain has its own.
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

    /// How all toggles stand now: one relaxed load.
    #[inline(always)]
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { flipped: self.flipped.load(Relaxed) }
    }
}

/// How all toggles stood at one time. A request takes one as it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    flipped: usize,
}

impl Snapshot {
    /// Whether the toggle at `index`, which was declared as `declared_on`, is on.
    ///
    /// # Panics
    ///
    /// If `index` is [`MAX`] or more. Where it is a constant, the compiler removes the test.
    #[inline(always)]
    #[must_use]
    pub const fn is_on(self, index: usize, declared_on: bool) -> bool {
        (self.flipped & bit(index) != 0) != declared_on
    }
}

/// One toggle, as it was declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToggleInfo {
    /// Under which it is switched.
    pub name: &'static str,
    /// Whether it is on until it is switched.
    pub on: bool,
}

/// A chain's toggles by name: what `toggles()` of a chain returns, to be given to whoever operates it.
///
/// It is a pair of references, copied freely. `Display` lists all toggles, `cache: on, shadow: off`, and so do
/// [`iter`](Self::iter) and `Debug`; each of them is one snapshot.
#[derive(Clone, Copy)]
pub struct Switches<'a> {
    toggles: &'a Toggles,
    infos: &'static [ToggleInfo],
}

impl<'a> Switches<'a> {
    /// The toggle `infos[n]` is bit `n` of `toggles`. Of several with one name, the first is meant.
    ///
    /// # Panics
    ///
    /// If there are more than [`MAX`]: in a constant, when it is compiled.
    #[must_use]
    pub const fn new(toggles: &'a Toggles, infos: &'static [ToggleInfo]) -> Self {
        assert!(infos.len() <= MAX, "a chain has at most as many toggles as a `usize` has bits");
        Self { toggles, infos }
    }

    /// Whether the toggle is on.
    ///
    /// # Errors
    ///
    /// [`UnknownToggle`] where the chain has none of that name.
    pub fn get<'n>(&self, name: &'n str) -> Result<bool, UnknownToggle<'n>> {
        let (index, info) = self.find(name)?;
        Ok(self.toggles.snapshot().is_on(index, info.on))
    }

    /// Switches the toggle, and says whether it was on before. Requests that begin from now on see it.
    ///
    /// It is one atomic change of one bit: what others switch at the same time is not lost.
    ///
    /// # Errors
    ///
    /// [`UnknownToggle`] where the chain has none of that name.
    pub fn set<'n>(&self, name: &'n str, on: bool) -> Result<bool, UnknownToggle<'n>> {
        let (index, info) = self.find(name)?;
        let flipped = if on == info.on {
            self.toggles.flipped.fetch_and(!bit(index), Relaxed)
        } else {
            self.toggles.flipped.fetch_or(bit(index), Relaxed)
        };
        Ok(Snapshot { flipped }.is_on(index, info.on))
    }

    /// Switches all toggles back to how they were declared, at once.
    pub fn reset(&self) {
        self.toggles.flipped.store(0, Relaxed);
    }

    /// All toggles in the order of the chain, each with whether it is on: one snapshot, taken now.
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

/// A chain has no toggle of that name. Says which there are.
///
/// It borrows the name that was asked for; `to_string()` keeps what it says.
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

    /// The toggles that there are.
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
