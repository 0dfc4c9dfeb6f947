//! What never happens: a break of a node that cannot break, the end of a future that is never awaited.

use core::convert::Infallible;
use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;
use core::task::{Context, Poll};

/// The error of a node that never breaks, and the future of a node that never suspends. It has no values, so no code
/// for it is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Never {}

impl From<Infallible> for Never {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// The future of a hook that is called, and never awaited. It has no values.
///
/// The return type of [`Node::enter`](crate::Node::enter) for a node that never suspends. rustc sees that the call
/// cannot return, drops the `.await` after it, and keeps no state for it.
///
/// It is an enum, since an enum's fields are public: rustc takes a type for inhabited if it cannot see its fields.
#[derive(Debug)]
pub enum NeverSuspends<T> {
    /// Cannot be made.
    #[doc(hidden)]
    Never(Never, PhantomData<fn() -> T>),
}

impl<T> Future for NeverSuspends<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        let Self::Never(never, _) = *self;
        match never {}
    }
}

/// A type without values.
pub(super) trait Empty {
    fn cannot_be<T>(self) -> T;
}

impl Empty for Never {
    #[inline(always)]
    fn cannot_be<T>(self) -> T {
        match self {}
    }
}

impl Empty for Infallible {
    #[inline(always)]
    fn cannot_be<T>(self) -> T {
        match self {}
    }
}
