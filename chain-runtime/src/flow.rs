//! What a node's result means: provide and go on, or break and reply.
//!
//! A node returns `T`, `Result<T, E>`, `ControlFlow<R, T>` or never. `T` joins the scope; what breaks
//! becomes the chain's reply through [`IntoReply`]. Where the reply is itself a `Result<_, E2>`, a
//! node's `E` becomes `Err(E2::from(e))`, as `?` would do it.

use core::convert::Infallible;
use core::future::Future;
use core::ops::ControlFlow::{self, Break, Continue};
use core::pin::Pin;
use core::task::{Context, Poll};

use crate::node::Nothing;

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
}

impl<T, E> ResultLike for Result<T, E> {
    type Value = T;
}

/// How a chain's reply is made, named by `chain!` after the look of the declared reply type.
pub mod reply {
    /// The reply is a plain type: what breaks becomes it through [`IntoReply`](super::IntoReply).
    #[derive(Debug)]
    pub struct Plain;
    /// The reply is a `Result<T, E>`: errors become `Err(E::from(e))`, values `Ok(t.into_reply())`.
    #[derive(Debug)]
    pub struct Fallible;

    /// One of the two, where the name of the reply's type does not say which.
    #[derive(Debug)]
    pub struct By<const FLOW: usize>;
    /// What it is.
    pub trait Is {
        /// That.
        type Mode;
    }
    impl Is for By<0> {
        type Mode = Plain;
    }
    impl Is for By<1> {
        type Mode = Fallible;
    }
    impl Is for By<2> {
        type Mode = Plain;
    }
    /// What is asked of the last node, by whether what it returns is a `Result` under another name: then it is the reply.
    #[derive(Debug)]
    pub struct Ends<const HIDES: bool, Mode>(core::marker::PhantomData<Mode>);
    impl<Mode> Is for Ends<true, Mode> {
        type Mode = Plain;
    }
    impl<Mode> Is for Ends<false, Mode> {
        type Mode = Mode;
    }
}

/// How what a node returns is read, named by `#[node]` after the look of the return type.
pub mod kind {
    /// A value.
    #[derive(Debug)]
    pub struct Gives;
    /// It never returns.
    #[derive(Debug)]
    pub struct Never;
    /// `Result<T, E>`
    #[derive(Debug)]
    pub struct Fails;
    /// `Result<T, Infallible>`
    #[derive(Debug)]
    pub struct NeverFails;
    /// `Result<Infallible, E>`
    #[derive(Debug)]
    pub struct OnlyFails;
    /// `ControlFlow<R, T>`
    #[derive(Debug)]
    pub struct Breaks;
    /// `ControlFlow<Infallible, T>`
    #[derive(Debug)]
    pub struct NeverBreaks;
    /// `ControlFlow<R, Infallible>`
    #[derive(Debug)]
    pub struct OnlyBreaks;

    /// One of these, where the name of what is returned does not say which: `private::Probe` does.
    #[derive(Debug)]
    pub struct By<const FLOW: usize>;
    /// What it is.
    pub trait Is {
        /// That.
        type Kind;
    }
    impl Is for By<0> {
        type Kind = Gives;
    }
    impl Is for By<1> {
        type Kind = Fails;
    }
    impl Is for By<2> {
        type Kind = Breaks;
    }
}

/// Says under which type the value of an `Out` joins the scope of the chain `C`, where the name of `Out` does not say what it is.
pub trait KeyIn<Out, C: ?Sized> {
    /// The value's, or [`Nothing`].
    type Key<const P: usize>;
}

/// By what `private::Probe` says: of an `Out`, and whether its value is `()`.
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

/// Reads what a node returns, an `Out`: go on with a value, or break. Implemented here for every [`kind`].
#[diagnostic::on_unimplemented(
    message = "`{Out}` is called like one of core's types, and is another",
    label = "core's `Result` and `ControlFlow` provide or break",
    note = "a node's `Result` provides its `Ok` or breaks with its `Err`; give another type another name"
)]
pub trait Reads<Out> {
    /// What the node provides.
    type Gives;
    /// What it breaks with; [`Never`] where it cannot.
    type Breaks;
    /// Takes it apart.
    fn read(out: Out) -> ControlFlow<Self::Breaks, Self::Gives>;
}

/// What has no values.
trait Empty {
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

macro_rules! reads {
    ($($kind:ident: <$($parameter:ident $(: $bound:ident)?),*> $out:ty => $gives:ty, $breaks:ty, |$value:ident| $read:expr;)*) => { $(
        impl<$($parameter $(: $bound)?),*> Reads<$out> for kind::$kind {
            type Gives = $gives;
            type Breaks = $breaks;
            #[inline(always)]
            fn read($value: $out) -> ControlFlow<$breaks, $gives> {
                $read
            }
        }
    )* };
}

reads! {
    Gives: <T> T => T, Never, |out| Continue(out);
    Never: <N: Empty> N => Never, Never, |out| out.cannot_be();
    Fails: <T, E> Result<T, E> => T, E, |out| match out { Ok(value) => Continue(value), Err(broken) => Break(broken) };
    NeverFails: <T, N: Empty> Result<T, N> => T, Never, |out| Continue(out.unwrap_or_else(N::cannot_be));
    OnlyFails: <N: Empty, E> Result<N, E> => Never, E, |out| Break(out.map_or_else(|broken| broken, N::cannot_be));
    Breaks: <R, T> ControlFlow<R, T> => T, R, |out| match out { Continue(value) => Continue(value), Break(broken) => Break(broken) };
    NeverBreaks: <N: Empty, T> ControlFlow<N, T> => T, Never, |out| match out { Continue(value) => Continue(value), Break(broken) => broken.cannot_be() };
    OnlyBreaks: <R, N: Empty> ControlFlow<R, N> => Never, R, |out| match out { Continue(value) => value.cannot_be(), Break(broken) => Break(broken) };
}

/// Puts what a node gave under its key in the scope: a value is its own, and what provides nothing is held by a
/// [`Nothing`].
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

macro_rules! cuts {
    (fails: $($fails:ident)*; breaks: $($breaks:ident)*; never: $($never:ident)*) => {
        $(
            #[diagnostic::do_not_recommend]
            impl<E: IntoReply<R>, N, R> Cut<E, N, R, reply::Plain> for kind::$fails {
                #[inline]
                fn cut(broke_with: E) -> R {
                    out_of_line(broke_with)
                }
            }
            #[diagnostic::do_not_recommend]
            impl<E, N, T, X: From<E>> Cut<E, N, Result<T, X>, reply::Fallible> for kind::$fails {
                #[inline]
                fn cut(broke_with: E) -> Result<T, X> {
                    as_an_error(broke_with)
                }
            }
        )*
        $(
            #[diagnostic::do_not_recommend]
            impl<E: IntoReply<R>, N, R> Cut<E, N, R, reply::Plain> for kind::$breaks {
                #[inline]
                fn cut(broke_with: E) -> R {
                    out_of_line(broke_with)
                }
            }
            #[diagnostic::do_not_recommend]
            impl<E: IntoReply<R>, N, R> Cut<E, N, R, reply::Fallible> for kind::$breaks {
                #[inline]
                fn cut(broke_with: E) -> R {
                    out_of_line(broke_with)
                }
            }
        )*
        $(
            #[diagnostic::do_not_recommend]
            impl<N, R, Mode> Cut<Never, N, R, Mode> for kind::$never {
                #[inline]
                fn cut(broke_with: Never) -> R {
                    match broke_with {}
                }
            }
        )*
    };
}

cuts! { fails: Fails OnlyFails; breaks: Breaks OnlyBreaks; never: Gives Never NeverFails NeverBreaks }

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

macro_rules! ends {
    (gives: $($gives:ident)*; never: $($never:ident)*) => {
        $(
            #[diagnostic::do_not_recommend]
            impl<T: IntoReply<R>, N, R> End<T, N, R, reply::Plain> for kind::$gives {
                #[inline]
                fn end(gave: T) -> R {
                    gave.into_reply()
                }
            }
            #[diagnostic::do_not_recommend]
            impl<T: IntoReply<V>, N, V, X> End<T, N, Result<V, X>, reply::Fallible> for kind::$gives {
                #[inline]
                fn end(gave: T) -> Result<V, X> {
                    Ok(gave.into_reply())
                }
            }
        )*
        $(
            #[diagnostic::do_not_recommend]
            impl<N, R, Mode> End<Never, N, R, Mode> for kind::$never {
                #[inline]
                fn end(gave: Never) -> R {
                    match gave {}
                }
            }
        )*
    };
}

ends! { gives: Gives Fails NeverFails Breaks NeverBreaks; never: Never OnlyFails OnlyBreaks }

/// That the node `N`, with which a block ends that other nodes come after, gives nothing.
#[diagnostic::on_unimplemented(
    message = "the block ends with `{N}`, which gives `{Self}`, but other nodes come after the block",
    label = "gives `{Self}`, which nobody can find",
    note = "what a block provides stays in it: end it with a node that returns `()`, or move it to the end of the chain, where it replies"
)]
pub trait GoOn<N: ?Sized> {
    /// Goes on.
    fn go_on(self);
}

#[diagnostic::do_not_recommend]
impl<N: ?Sized> GoOn<N> for () {
    #[inline(always)]
    fn go_on(self) {}
}

#[diagnostic::do_not_recommend]
impl<N: ?Sized> GoOn<N> for Never {
    #[inline(always)]
    fn go_on(self) {
        match self {}
    }
}
