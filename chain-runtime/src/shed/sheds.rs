//! [`Sheds`]: the items that a chain may shed, by name, for its operator.

use core::error::Error;
use core::fmt;

use super::{How, Level, MAX, Override, Row, ShedInfo, Shedding, Table};

/// The items that a chain may shed, by name. `sheds()` of a chain returns this for the chain's operator.
///
/// It is a pair of references, which can be copied freely. Its `Display` is a table of the items and the levels, with
/// the changes at run time.
#[derive(Clone, Copy)]
pub struct Sheds<'a> {
    shedding: &'a Shedding,
    infos: &'static [ShedInfo],
}

/// An item, in its present state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shed {
    /// As it was declared.
    pub info: &'static ShedInfo,
    /// Its setting at run time.
    pub set: Override,
    /// How often it was shed since the chain's value was made: skipped, put behind the request, or dropped there. It
    /// wraps around.
    pub count: usize,
}

impl Shed {
    /// The first level at which it is shed now. `None`: there is none.
    #[must_use]
    pub const fn from(&self) -> Option<Level> {
        self.set.from(self.info.from)
    }

    /// What happens to it at this level. `None`: it runs as usual.
    #[must_use]
    pub const fn at(&self, level: Level) -> Option<How> {
        match self.from() {
            Some(from) if level as u8 >= from as u8 => Some(self.info.how),
            _ => None,
        }
    }
}

impl<'a> Sheds<'a> {
    /// The item `infos[n]` is the one at index `n` of `shedding`. If several have one name, the name means the first.
    ///
    /// # Panics
    ///
    /// If there are more than [`MAX`]. In a constant, this happens while compiling.
    #[must_use]
    pub const fn new(shedding: &'a Shedding, infos: &'static [ShedInfo]) -> Self {
        assert!(infos.len() <= MAX, "a chain sheds at most as many items as `shed::MAX` says");
        Self { shedding, infos }
    }

    /// The level of the runs that begin now: the forced one, if there is one.
    #[must_use]
    pub fn level(&self) -> Level {
        self.shedding.snapshot().level()
    }

    /// The level that is forced on this chain.
    #[must_use]
    pub fn forced(&self) -> Option<Level> {
        self.shedding.forced()
    }

    /// Puts the runs of this chain that begin from now on at this level, whatever the process's level is.
    pub fn force(&self, level: Level) {
        self.shedding.force(Some(level));
    }

    /// Puts the runs of this chain that begin from now on at the process's level again.
    pub fn follow(&self) {
        self.shedding.force(None);
    }

    /// The setting of this item.
    ///
    /// # Errors
    ///
    /// [`UnknownShed`] if the chain has no item of that name.
    pub fn get<'n>(&self, name: &'n str) -> Result<Override, UnknownShed<'n>> {
        Ok(self.shedding.snapshot().set(self.find(name)?))
    }

    /// Sets the lowest level at which the item is shed, and returns the old setting. Runs that begin from now on see
    /// it.
    ///
    /// It is one atomic change: changes of other items at the same time are not lost.
    ///
    /// # Errors
    ///
    /// [`UnknownShed`] if the chain has no item of that name.
    pub fn set<'n>(&self, name: &'n str, to: Override) -> Result<Override, UnknownShed<'n>> {
        Ok(self.shedding.set(self.find(name)?, to))
    }

    /// Sets all items back to how they were declared, and follows the process's level again. The counts stay.
    pub fn reset(&self) {
        self.shedding.reset();
    }

    /// How often this item was shed; see [`Shed::count`].
    ///
    /// # Errors
    ///
    /// [`UnknownShed`] if the chain has no item of that name.
    pub fn count<'n>(&self, name: &'n str) -> Result<usize, UnknownShed<'n>> {
        Ok(self.shedding.count(self.find(name)?))
    }

    /// All items in the order of the chain, in their present state, with the settings from one snapshot.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Shed> + Clone + use<'a> {
        let (snapshot, shedding) = (self.shedding.snapshot(), self.shedding);
        let infos = self.infos.iter().enumerate();
        infos.map(move |(index, info)| Shed { info, set: snapshot.set(index), count: shedding.count(index) })
    }

    fn find<'n>(&self, name: &'n str) -> Result<usize, UnknownShed<'n>> {
        let found = self.infos.iter().position(|info| info.name == name);
        found.ok_or(UnknownShed { name, known: self.infos })
    }
}

/// The items and the levels: what runs, for which share, behind the request, or not at all.
impl fmt::Display for Sheds<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = if self.forced().is_some() { "forced to" } else { "at" };
        let level = self.level();
        let corner = format_args!("{words} {level}");
        let rows = self.iter().map(|shed| Row {
            name: shed.info.name,
            cells: Level::ALL.map(|level| shed.at(level)),
            set: shed.set,
        });
        Table { indent: "", corner, rows }.fmt(f)
    }
}

impl fmt::Debug for Sheds<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The chain has no item of that name. The message lists the items.
///
/// It borrows the name that was asked for; `to_string()` makes a message that can be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownShed<'n> {
    name: &'n str,
    known: &'static [ShedInfo],
}

impl<'n> UnknownShed<'n> {
    /// The name that was asked for.
    #[must_use]
    pub const fn name(&self) -> &'n str {
        self.name
    }

    /// The items of the chain.
    #[must_use]
    pub const fn known(&self) -> &'static [ShedInfo] {
        self.known
    }
}

impl fmt::Display for UnknownShed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing called `{}` is shed here; ", self.name)?;
        let Some((first, rest)) = self.known.split_first() else { return f.write_str("the chain sheds nothing") };
        write!(f, "there {} `{}`", if rest.is_empty() { "is" } else { "are" }, first.name)?;
        rest.iter().try_for_each(|info| write!(f, ", `{}`", info.name))
    }
}

impl Error for UnknownShed<'_> {}
