//! Under which type a node's value joins the scope.

use core::ops::ControlFlow;

use super::never::Never;

/// Stands in the scope for a node, at position `P`, that provides nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nothing<const P: usize>;

/// Says under which type the value of an `Out` joins the scope of the chain `C`, if the name of `Out` does not show
/// what it is.
pub trait KeyIn<Out, C: ?Sized> {
    /// The type of the value, or [`Nothing`].
    type Key<const P: usize>;
}

/// Chosen by the answers of `private::Probe`: what an `Out` is, and whether its value is `()`.
#[derive(Debug)]
pub struct KeyBy<const FLOW: usize, const NOTHING: bool>;

impl<T, C: ?Sized> KeyIn<T, C> for KeyBy<0, false> {
    type Key<const P: usize> = T;
}
impl<C: ?Sized> KeyIn<(), C> for KeyBy<0, true> {
    type Key<const P: usize> = Nothing<P>;
}
impl<T, E, C: ?Sized> KeyIn<Result<T, E>, C> for KeyBy<1, false> {
    type Key<const P: usize> = T;
}
impl<E, C: ?Sized> KeyIn<Result<(), E>, C> for KeyBy<1, true> {
    type Key<const P: usize> = Nothing<P>;
}
impl<B, T, C: ?Sized> KeyIn<ControlFlow<B, T>, C> for KeyBy<2, false> {
    type Key<const P: usize> = T;
}
impl<B, C: ?Sized> KeyIn<ControlFlow<B, ()>, C> for KeyBy<2, true> {
    type Key<const P: usize> = Nothing<P>;
}

/// Makes the scope's key of a node's value: the value itself, or a [`Nothing`] for a node that provides nothing.
pub trait KeyOf<G> {
    /// Makes the key.
    fn key_of(gave: G) -> Self;
}

impl<T> KeyOf<T> for T {
    #[inline(always)]
    fn key_of(gave: T) -> T {
        gave
    }
}

impl<const P: usize> KeyOf<()> for Nothing<P> {
    #[inline(always)]
    fn key_of((): ()) -> Self {
        Self
    }
}

impl<const P: usize> KeyOf<Never> for Nothing<P> {
    #[inline(always)]
    fn key_of(gave: Never) -> Self {
        match gave {}
    }
}
