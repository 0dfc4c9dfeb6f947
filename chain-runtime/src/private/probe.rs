//! What a type is, under whatever name.

use core::future::Future;
use core::marker::PhantomData;
use core::ops::ControlFlow;

use super::features::Tasks;

/// Asks what a type is, under whatever name: `Probe::<T>::SHOWS`. For a known type, an inherent constant takes
/// precedence over that of a trait.
#[derive(Debug)]
pub struct Probe<T: ?Sized>(PhantomData<T>);

/// What the name of a type may hide.
#[derive(Clone, Copy, Debug)]
pub enum Shows {
    /// Nothing that matters to a scope.
    Itself,
    /// It is a reference.
    Reference,
    /// It is `()`.
    Nothing,
}

// Each constant has a name of its own: for a type that is an error already, rustc would report a second error if two
// had the same name.
impl<T: ?Sized> Probe<&T> {
    /// It is a shared reference.
    pub const IS_SHARED: bool = true;
    /// A reference.
    pub const SHOWS: Shows = Shows::Reference;
}
impl<T: ?Sized> Probe<&mut T> {
    /// It is a mutable reference.
    pub const IS_MUTABLE: bool = true;
    /// A reference.
    pub const SHOWS: Shows = Shows::Reference;
}
impl Probe<()> {
    /// It is `()`.
    pub const IS_NOTHING: bool = true;
    /// It is nothing.
    pub const SHOWS: Shows = Shows::Nothing;
}
impl<T> Probe<core::task::Poll<T>> {
    /// It is a `Poll`.
    pub const IS_POLL: bool = true;
}
impl<R> Probe<(R, R)> {
    /// The two types are the same.
    pub const IS_THE_REPLY: bool = true;
}
impl<R, E> Probe<(R, Result<R, E>)> {
    /// The first is the value of the second.
    pub const IS_ITS_VALUE: bool = true;
}
impl Probe<bool> {
    /// It is a `bool`.
    pub const IS_A_BOOL: bool = true;
}
impl<T> Probe<Option<T>> {
    /// It is an `Option`.
    pub const IS_AN_OPTION: bool = true;
}
impl<F: Future + ?Sized> Probe<F> {
    /// It is a future.
    pub const IS_FUTURE: bool = true;
}

impl<T, E> Probe<Result<T, E>> {
    /// It is a `Result`.
    pub const IS_RESULT: bool = true;
    /// It provides or breaks.
    pub const FLOW: usize = 1;
}
impl<B, C> Probe<ControlFlow<B, C>> {
    /// It is a `ControlFlow`.
    pub const IS_CONTROL_FLOW: bool = true;
    /// It provides or breaks.
    pub const FLOW: usize = 2;
}

impl Probe<crate::flow::kind::Gives> {
    /// The node provides whatever it returns.
    pub const IS_PLAIN: bool = true;
}

impl Probe<crate::Toggles> {
    /// It holds the switches.
    pub const IS_TOGGLES: bool = true;
}

impl Probe<crate::Shedding> {
    /// It knows what is shed.
    pub const IS_SHEDDING: bool = true;
}

impl Probe<Tasks> {
    /// Work goes behind the request through it.
    pub const IS_TASKS: bool = true;
}

#[cfg(feature = "arc-swap")]
impl<T> Probe<crate::Reloadable<T>> {
    /// Its content is lent in one version for each run.
    pub const IS_RELOADABLE: bool = true;
}

/// What a value may be meant as that a node provides and no node asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meant {
    /// A value, kept to the end of the run.
    Value,
    /// The reply.
    Reply,
    /// An answer, of which the chain reads nothing.
    Answer,
}

/// What the value is meant as.
#[must_use]
pub const fn meant<const N: usize, const M: usize>(is_the_reply: [bool; N], is_an_answer: [bool; M]) -> Meant {
    match (one_is(is_the_reply), one_is(is_an_answer)) {
        (true, _) => Meant::Reply,
        (false, true) => Meant::Answer,
        (false, false) => Meant::Value,
    }
}

/// Whether the type is `()`.
#[must_use]
pub const fn is_nothing(shows: Shows) -> bool {
    matches!(shows, Shows::Nothing)
}

/// Whether one of these is true.
#[must_use]
pub const fn one_is<const N: usize>(asked: [bool; N]) -> bool {
    let mut at = 0;
    while at < N {
        if asked[at] {
            return true;
        }
        at += 1;
    }
    false
}

/// The answers for every other type.
pub trait Plainly {
    /// Of a node's result: 0 for a value, 1 for a `Result`, 2 for a `ControlFlow`, under whatever names.
    const FLOW: usize = 0;
    /// Of a field.
    const IS_RELOADABLE: bool = false;
    /// Of a field.
    const IS_TOGGLES: bool = false;
    /// Of a field.
    const IS_SHEDDING: bool = false;
    /// Of a field.
    const IS_TASKS: bool = false;
    /// Of any type.
    const IS_SHARED: bool = false;
    /// Of any type.
    const IS_NOTHING: bool = false;
    /// Of any type.
    const IS_MUTABLE: bool = false;
    /// Of any type.
    const IS_RESULT: bool = false;
    /// Of any type.
    const IS_CONTROL_FLOW: bool = false;
    /// Of the kind in which a node's result is read.
    const IS_PLAIN: bool = false;
    /// Itself.
    const SHOWS: Shows = Shows::Itself;
    /// Of two types: whether the first is the second, which is a chain's reply.
    const IS_THE_REPLY: bool = false;
    /// Whether the first is the value of the second.
    const IS_ITS_VALUE: bool = false;
    /// Of any type.
    const IS_POLL: bool = false;
    /// Whether the second is a reply that can be made of the first.
    const IS_A_REPLY: bool = false;
    /// Of any type.
    const IS_A_BOOL: bool = false;
    /// Of any type.
    const IS_AN_OPTION: bool = false;
    /// Whether it is a future.
    const IS_FUTURE: bool = false;
    /// Of a reply: whether every value that can be converted becomes it, even `()`.
    const IS_ANYTHING: bool = false;
    /// The same for the value of the last node: that is the value of a `Result`, not the error with which nodes break.
    const ENDS_WITH_ANYTHING: bool = false;
}
impl<T: ?Sized> Plainly for Probe<T> {}
