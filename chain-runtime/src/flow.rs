//! What a node's result means: provide and go on, or break and reply.
//!
//! A node returns `T`, `Result<T, E>`, `ControlFlow<R, T>` or never. `T` joins the scope; what breaks
//! becomes the chain's reply through [`IntoReply`]. Where the reply is itself a `Result<_, E2>`, a
//! node's `E` becomes `Err(E2::from(e))`, as `?` would do it.

use core::convert::Infallible;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

/// Turns what a node gives or breaks with into the chain's reply, `R`.
///
/// Implement it for what your nodes break with. Every type is already its own reply, so a node may break with the reply
/// itself; with the feature `http`, a status and what else is in the module `reply` become an `http::Response`. Rust's
/// orphan rule asks that the error or the reply be a type of your crate: where neither is, wrap one.
///
/// ```
/// use chain_runtime::IntoReply;
///
/// struct TooManyRequests;
///
/// impl IntoReply<u16> for TooManyRequests {
///     fn into_reply(self) -> u16 {
///         429
///     }
/// }
/// let status: u16 = TooManyRequests.into_reply();
/// assert_eq!(status, 429);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot become the chain's reply, `{R}`",
    label = "this node's `{Self}` would have to become the reply",
    note = "implement `IntoReply<{R}>` for `{Self}`"
)]
pub trait IntoReply<R> {
    /// Makes the reply.
    fn into_reply(self) -> R;
}

#[diagnostic::do_not_recommend]
impl<R> IntoReply<R> for R {
    #[inline]
    fn into_reply(self) -> R {
        self
    }
}

/// What a node that never breaks breaks with, and the future of a node that never suspends: it has
/// no values, so nothing of it is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Never {}

impl From<Infallible> for Never {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// The future of a hook that is called, never awaited. It has no values.
///
/// The return type of [`Node::enter`](crate::Node::enter) for a node that never suspends. rustc sees that the call
/// cannot return, drops the `.await` behind it, and keeps no state for it.
///
/// It is an enum because the fields of one are public: rustc takes a type for inhabited where it cannot see why it
/// is not.
#[derive(Debug)]
pub enum NeverSuspends<T> {
    /// Cannot be made.
    #[doc(hidden)]
    Never(Never, core::marker::PhantomData<fn() -> T>),
}

impl<T> Future for NeverSuspends<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        let Self::Never(never, _) = *self;
        match never {}
    }
}

/// A `Result` under any alias: `io::Result<T>` is one too.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is called `Result`, but it is not core's",
    note = "a node's `Result` provides its `Ok` or breaks with its `Err`; give another type another name"
)]
pub trait ResultLike {
    /// What it provides.
    type Value;
    /// What it breaks with.
    type Error;
}

impl<T, E> ResultLike for Result<T, E> {
    type Value = T;
    type Error = E;
}

/// How a chain's reply is made, named by `chain!` after the look of the declared reply type.
pub mod reply {
    /// The reply is a plain type: what breaks becomes it through [`IntoReply`](super::IntoReply).
    #[derive(Debug)]
    pub struct Plain;
    /// The reply is a `Result<T, E>`: errors become `Err(E::from(e))`, values `Ok(t.into_reply())`.
    #[derive(Debug)]
    pub struct Fallible;
}

/// How a node ends its part, named by `#[node]` after the look of the node's return type.
pub mod kind {
    /// It may break with the `E` of a `Result<T, E>`.
    #[derive(Debug)]
    pub struct Fails;
    /// It may break with the `R` of a `ControlFlow<R, T>`.
    #[derive(Debug)]
    pub struct Breaks;
    /// It gives a value.
    #[derive(Debug)]
    pub struct Gives;
    /// It never does.
    #[derive(Debug)]
    pub struct Never;
}

/// That a break with `E` in the node `N` becomes the reply `R`. Implemented here for every [`kind`].
#[diagnostic::on_unimplemented(
    message = "`{N}` breaks with `{E}`, which cannot become the chain's reply, `{R}`",
    label = "breaks with `{E}`",
    note = "implement `IntoReply<{R}>` for `{E}`; where the reply is a `Result<_, X>`, implement `From<{E}>` for `X`"
)]
pub trait Cut<E, N, R, Mode> {
    /// Makes the reply.
    fn cut(broke_with: E) -> R;
}

/// A break, made the reply: one copy for all nodes that break with an `E`, and out of the way of those that do not. Inlined, it cost
/// every node an instruction, for rustc makes a small reply before it asks whether it is needed.
#[cold]
#[inline(never)]
fn out_of_line<E: IntoReply<R>, R>(broke_with: E) -> R {
    broke_with.into_reply()
}

/// The same, as `?` would.
#[cold]
#[inline(never)]
fn as_an_error<E, T, X: From<E>>(broke_with: E) -> Result<T, X> {
    Err(X::from(broke_with))
}

#[diagnostic::do_not_recommend]
impl<E: IntoReply<R>, N, R> Cut<E, N, R, reply::Plain> for kind::Fails {
    #[inline]
    fn cut(broke_with: E) -> R {
        out_of_line(broke_with)
    }
}

#[diagnostic::do_not_recommend]
impl<E, N, T, X: From<E>> Cut<E, N, Result<T, X>, reply::Fallible> for kind::Fails {
    #[inline]
    fn cut(broke_with: E) -> Result<T, X> {
        as_an_error(broke_with)
    }
}

#[diagnostic::do_not_recommend]
impl<E: IntoReply<R>, N, R> Cut<E, N, R, reply::Plain> for kind::Breaks {
    #[inline]
    fn cut(broke_with: E) -> R {
        out_of_line(broke_with)
    }
}

#[diagnostic::do_not_recommend]
impl<E: IntoReply<R>, N, R> Cut<E, N, R, reply::Fallible> for kind::Breaks {
    #[inline]
    fn cut(broke_with: E) -> R {
        out_of_line(broke_with)
    }
}

#[diagnostic::do_not_recommend]
impl<N, R, Mode> Cut<Never, N, R, Mode> for kind::Never {
    #[inline]
    fn cut(broke_with: Never) -> R {
        match broke_with {}
    }
}

/// That the value `T` of the last node, `N`, becomes the reply `R`. Implemented here for every [`kind`].
#[diagnostic::on_unimplemented(
    message = "the chain ends with `{N}`, which gives `{T}`, but the chain's reply is `{R}`",
    label = "gives `{T}`, not the reply",
    note = "end the chain with a node that returns `{R}`, or implement `IntoReply<{R}>` for `{T}`"
)]
pub trait End<T, N, R, Mode> {
    /// Makes the reply.
    fn end(gave: T) -> R;
}

#[diagnostic::do_not_recommend]
impl<T: IntoReply<R>, N, R> End<T, N, R, reply::Plain> for kind::Gives {
    #[inline]
    fn end(gave: T) -> R {
        gave.into_reply()
    }
}

#[diagnostic::do_not_recommend]
impl<T: IntoReply<V>, N, V, X> End<T, N, Result<V, X>, reply::Fallible> for kind::Gives {
    #[inline]
    fn end(gave: T) -> Result<V, X> {
        Ok(gave.into_reply())
    }
}

#[diagnostic::do_not_recommend]
impl<N, R, Mode> End<Never, N, R, Mode> for kind::Never {
    #[inline]
    fn end(gave: Never) -> R {
        match gave {}
    }
}
