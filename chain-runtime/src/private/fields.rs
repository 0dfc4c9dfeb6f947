//! Which field of a chain holds the switches, the level, the tasks; and in which version a field is lent.

use core::ops::Deref;

use super::features::{Tasks, tasks_of_process};

/// A field of a chain, asked whether it holds the switches, under whatever name the chain knows its type.
#[derive(Debug)]
pub struct FieldOf<'a, T>(pub &'a T);

impl<'a> FieldOf<'a, crate::Toggles> {
    /// It does.
    #[inline(always)]
    #[must_use]
    pub const fn toggles(self) -> Option<&'a crate::Toggles> {
        Some(self.0)
    }
}

/// Takes the field whose type is called `Toggles`.
#[inline(always)]
#[must_use]
pub const fn is_toggles(field: &crate::Toggles) -> &crate::Toggles {
    field
}

/// The answer of every other field.
pub trait WithoutToggles<'a>: Sized {
    /// It does not.
    #[inline(always)]
    fn toggles(self) -> Option<&'a crate::Toggles> {
        None
    }
}
impl<'a, T> WithoutToggles<'a> for FieldOf<'a, T> {}

/// The one field that answered. A check has seen that there is one.
#[inline(always)]
#[must_use]
pub fn one_of<T, const N: usize>(fields: [Option<&T>; N]) -> &T {
    fields.into_iter().flatten().next().expect("chain!: one of the fields has it")
}

impl<'a> FieldOf<'a, crate::Shedding> {
    /// It does.
    #[inline(always)]
    #[must_use]
    pub const fn shedding(self) -> Option<&'a crate::Shedding> {
        Some(self.0)
    }
}

/// Takes the field whose type is called `Shedding`.
#[inline(always)]
#[must_use]
pub const fn is_shedding(field: &crate::Shedding) -> &crate::Shedding {
    field
}

/// The answer of every other field.
pub trait WithoutShedding<'a>: Sized {
    /// It does not.
    #[inline(always)]
    fn shedding(self) -> Option<&'a crate::Shedding> {
        None
    }
}
impl<'a, T> WithoutShedding<'a> for FieldOf<'a, T> {}

impl<'a> FieldOf<'a, Tasks> {
    /// It counts the work that outlives its request.
    #[inline(always)]
    #[must_use]
    pub const fn tasks(self) -> Option<&'a Tasks> {
        Some(self.0)
    }
}

/// The answer of every other field.
pub trait WithoutTasks<'a>: Sized {
    /// It does not.
    #[inline(always)]
    fn tasks(self) -> Option<&'a Tasks> {
        None
    }
}
impl<'a, T> WithoutTasks<'a> for FieldOf<'a, T> {}

/// The first field that counts such work, or the process's `Tasks`.
#[inline(always)]
#[must_use]
pub fn tasks_among<const N: usize>(fields: [Option<&Tasks>; N]) -> &Tasks {
    fields.into_iter().flatten().next().unwrap_or_else(|| tasks_of_process())
}

/// Says as what a field is lent, in one version for each run, if the name of its type does not say whether it is a
/// `Reloadable`.
pub trait Versioned<F, C: ?Sized, const AT: usize> {
    /// The type that is lent.
    type Held;
    /// The type that keeps the version for the run.
    type Loaded: Deref<Target = Self::Held>;
    /// Takes the version when a run begins.
    fn load(field: &F) -> Self::Loaded;
}

/// Chosen by the answer of [`Probe`](super::Probe).
#[derive(Debug)]
pub struct VersionBy<const IS_RELOADABLE: bool>;

#[cfg(feature = "arc-swap")]
impl<T, C: ?Sized, const AT: usize> Versioned<crate::Reloadable<T>, C, AT> for VersionBy<true> {
    type Held = T;
    type Loaded = crate::Loaded<T>;
    #[inline(always)]
    fn load(field: &crate::Reloadable<T>) -> crate::Loaded<T> {
        field.load()
    }
}

impl<F, C: ?Sized, const AT: usize> Versioned<F, C, AT> for VersionBy<false> {
    type Held = Unversioned<AT>;
    type Loaded = Unversioned<AT>;
    #[inline(always)]
    fn load(_: &F) -> Unversioned<AT> {
        Unversioned
    }
}

/// Stands in for the version of a field that is no `Reloadable`. No node asks for it.
#[derive(Debug)]
pub struct Unversioned<const AT: usize>;

impl<const AT: usize> Deref for Unversioned<AT> {
    type Target = Self;
    fn deref(&self) -> &Self {
        self
    }
}
