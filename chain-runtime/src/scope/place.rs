//! The kinds of place there are.

use super::{Keep, Place, TakeOut, Write};

/// A value that a node provided, or that a pattern binds. Wherever the chain makes one, rustc knows which variant it
/// is.
#[derive(Debug)]
pub enum Provided<'s, T> {
    /// No node of the chain takes it.
    Held(&'s mut T),
    /// A node does; empty from then on.
    Takable(&'s mut Option<T>),
}
/// What a node provided that may be skipped.
#[derive(Debug)]
pub struct Maybe<'s, T>(pub &'s mut Option<T>);
/// An input that the chain owns; empty once a node took it.
#[derive(Debug)]
pub struct Owned<'s, T>(pub &'s mut Option<T>);
/// An input by mutable reference.
#[derive(Debug)]
pub struct Borrowed<'s, T: ?Sized>(pub &'s mut T);
/// An input by shared reference.
#[derive(Debug)]
pub struct Shared<'r, T: ?Sized>(pub &'r T);
/// A field of the chain.
#[derive(Debug)]
pub struct Field<'r, T: ?Sized>(pub &'r T);

/// The value of a swappable field, in one version for the whole run.
#[derive(Debug)]
pub struct Version<'s, T: ?Sized>(pub &'s T);

impl<'s, T: ?Sized> Place<'s, T> for Version<'s, T> {
    #[inline(always)]
    fn share(self) -> &'s T {
        self.0
    }
}

pub(crate) const TAKEN: &str = "chain!: a value was asked for after it was taken";

impl<'s, T> Place<'s, T> for Provided<'s, T> {
    #[inline(always)]
    fn share(self) -> &'s T {
        match self {
            Self::Held(value) => value,
            Self::Takable(value) => value.as_ref().expect(TAKEN),
        }
    }
}
#[diagnostic::do_not_recommend]
impl<'s, T, N: ?Sized> Write<'s, T, N> for Provided<'s, T> {
    #[inline(always)]
    fn write(self) -> &'s mut T {
        match self {
            Self::Held(value) => value,
            Self::Takable(value) => value.as_mut().expect(TAKEN),
        }
    }
}
#[diagnostic::do_not_recommend]
impl<'s, T, N: ?Sized> TakeOut<T, N> for Provided<'s, T> {
    #[inline(always)]
    fn take_out(self) -> T {
        match self {
            Self::Held(_) => unreachable!("chain!: a node takes what its `NEEDS` do not say that it takes"),
            Self::Takable(value) => value.take().expect(TAKEN),
        }
    }
}
impl<'s, T> Place<'s, Option<T>> for Maybe<'s, T> {
    #[inline(always)]
    fn share(self) -> &'s Option<T> {
        self.0
    }
}
#[diagnostic::do_not_recommend]
impl<'s, T, N: ?Sized> Write<'s, Option<T>, N> for Maybe<'s, T> {
    #[inline(always)]
    fn write(self) -> &'s mut Option<T> {
        self.0
    }
}
#[diagnostic::do_not_recommend]
impl<'s, T, N: ?Sized> TakeOut<Option<T>, N> for Maybe<'s, T> {
    #[inline(always)]
    fn take_out(self) -> Option<T> {
        self.0.take()
    }
}
impl<'s, T> Place<'s, T> for Owned<'s, T> {
    #[inline(always)]
    fn share(self) -> &'s T {
        self.0.as_ref().expect(TAKEN)
    }
}
#[diagnostic::do_not_recommend]
impl<'s, T, N: ?Sized> Write<'s, T, N> for Owned<'s, T> {
    #[inline(always)]
    fn write(self) -> &'s mut T {
        self.0.as_mut().expect(TAKEN)
    }
}
#[diagnostic::do_not_recommend]
impl<'s, T, N: ?Sized> TakeOut<T, N> for Owned<'s, T> {
    #[inline(always)]
    fn take_out(self) -> T {
        self.0.take().expect(TAKEN)
    }
}
impl<'s, T: ?Sized> Place<'s, T> for Borrowed<'s, T> {
    #[inline(always)]
    fn share(self) -> &'s T {
        self.0
    }
}
#[diagnostic::do_not_recommend]
impl<'s, T: ?Sized, N: ?Sized> Write<'s, T, N> for Borrowed<'s, T> {
    #[inline(always)]
    fn write(self) -> &'s mut T {
        self.0
    }
}
impl<'s, 'r: 's, T: ?Sized> Place<'s, T> for Shared<'r, T> {
    #[inline(always)]
    fn share(self) -> &'s T {
        self.0
    }
}
#[diagnostic::do_not_recommend]
impl<'r, T: ?Sized, N: ?Sized> Keep<'r, T, N> for Shared<'r, T> {
    #[inline(always)]
    fn keep(self) -> &'r T {
        self.0
    }
}
impl<'s, 'r: 's, T: ?Sized> Place<'s, T> for Field<'r, T> {
    #[inline(always)]
    fn share(self) -> &'s T {
        self.0
    }
}
#[diagnostic::do_not_recommend]
impl<'r, T: ?Sized, N: ?Sized> Keep<'r, T, N> for Field<'r, T> {
    #[inline(always)]
    fn keep(self) -> &'r T {
        self.0
    }
}
