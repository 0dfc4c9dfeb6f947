//! What a node's result means: provide and go on, or break and reply.
//!
//! A node returns `T`, `Result<T, E>`, `ControlFlow<R, T>` or never. `T` joins the scope. The value with which the node
//! breaks becomes the chain's reply through [`IntoReply`]. If the reply is itself a `Result<_, E2>`, a node's `E`
//! becomes `Err(E2::from(e))`, as with `?`. If it is a `ControlFlow<R, _>`, that value becomes the `R`, in a `Break`.
//!
//! The traits are here, and their impls in a file for each question.

mod breaks;
mod ends;
pub(crate) mod key;
pub mod kind;
mod never;
mod reads;
pub mod reply;

use core::ops::ControlFlow;

pub use key::{KeyBy, KeyIn, KeyOf};
pub use never::{Never, NeverSuspends};

/// Turns the value that a node gives or breaks with into the chain's reply, `R`.
///
/// Implement it for the types with which your nodes break. Every type is already its own reply, so a node may break
/// with the reply itself. With the feature `http`, a status and the other types in the module `reply` become an
/// `http::Response`. Rust's orphan rule asks that the error or the reply be a type of your crate. If neither is, wrap
/// one of them.
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
    message = "chain[E201]: `{Self}` cannot become the chain's reply, `{R}`",
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

/// A `Result` under any alias: `io::Result<T>` is one, too.
#[diagnostic::on_unimplemented(
    message = "chain[E207]: `{Self}` is called `Result`, but it is not core's",
    note = "a node's `Result` provides its `Ok` or breaks with its `Err`; give another type another name"
)]
pub trait ResultLike {
    /// What such a result provides.
    type Value;
}

/// Reads a node's result, an `Out`: go on with a value, or break. Implemented here for every [`kind`].
#[diagnostic::on_unimplemented(
    message = "chain[E207]: `{Out}` is called like one of core's types, and is another",
    label = "core's `Result` and `ControlFlow` provide or break",
    note = "a node's `Result` provides its `Ok` or breaks with its `Err`; give another type another name"
)]
pub trait Reads<Out> {
    /// What the node provides.
    type Gives;
    /// What it breaks with; [`Never`] if it cannot break.
    type Breaks;
    /// Takes the result apart.
    fn read(out: Out) -> ControlFlow<Self::Breaks, Self::Gives>;
}

/// Says that a break with `E` in the node `N` becomes the reply `R`. Implemented here for every [`kind`].
#[diagnostic::on_unimplemented(
    message = "chain[E201]: `{N}` breaks with `{E}`, which cannot become the chain's reply, `{R}`",
    label = "breaks with `{E}`",
    note = "implement `IntoReply<{R}>` for `{E}`; where the reply is a `Result<_, X>`, implement `From<{E}>` for `X` (one of the two types has to be yours)"
)]
#[cfg_attr(
    feature = "axum",
    diagnostic::on_unimplemented(
        note = "with axum, reply with `chain_runtime::axum::Reply`: whatever is `IntoResponse` becomes it, as `Json<T>` does where `T` is `Serialize`"
    )
)]
pub trait Cut<E, N, R, Mode> {
    /// Makes the reply.
    fn cut(broke_with: E) -> R;
}

/// Says that a break of the node `N` with `Self` becomes the reply `R`, which is a plain type.
#[diagnostic::on_unimplemented(
    message = "chain[E201]: `{N}` breaks with `{Self}`, which cannot become the chain's reply, `{R}`",
    label = "breaks with `{Self}`",
    note = "implement `IntoReply<{R}>` for `{Self}`; where the reply is a `Result<_, X>`, implement `From<{Self}>` for `X` (one of the two types has to be yours)"
)]
#[cfg_attr(
    feature = "axum",
    diagnostic::on_unimplemented(
        note = "with axum, reply with `chain_runtime::axum::Reply`: whatever is `IntoResponse` becomes it, as `Json<T>` does where `T` is `Serialize`"
    )
)]
pub trait CutsTo<R, N: ?Sized>: Sized {
    /// Makes the reply.
    fn cut_to(self) -> R;
}

/// Says that the value `T` of the last node, `N`, becomes the reply `R`. Implemented here for every [`kind`].
#[diagnostic::on_unimplemented(
    message = "chain[E202]: the chain ends with `{N}`, which gives `{T}`, but the chain's reply is `{R}`",
    label = "gives `{T}`, not the reply",
    note = "end the chain with a node that returns `{R}`, or implement `IntoReply<{R}>` for `{T}` (one of the two types has to be yours)"
)]
#[cfg_attr(
    feature = "axum",
    diagnostic::on_unimplemented(
        note = "with axum, reply with `chain_runtime::axum::Reply`: whatever is `IntoResponse` becomes it, as `Json<T>` does where `T` is `Serialize`"
    )
)]
pub trait End<T, N, R, Mode> {
    /// Makes the reply.
    fn end(gave: T) -> R;
}

/// Shows the value with which a node breaks to the pattern of `#[open(..)]`. A node that never breaks shows nothing, as
/// a value of any type, so that a wrong `#[open(..)]` is one error. Implemented here for every [`kind`].
pub trait Shows<E, T> {
    /// Shows it.
    fn shows(broke_with: &E) -> &T;
}

/// The way in which a node gives the value that its block provides.
#[derive(Debug)]
pub struct Itself;

/// A second way, which no chain uses: where one impl alone is like the missing one, rustc quotes it.
#[derive(Debug)]
pub struct Elsewise;

/// Says that the node `N` gives the `T` that its block provides. The node is the last one of the block, and gives a
/// `G`. Implemented here for every [`kind`].
#[diagnostic::on_unimplemented(
    message = "chain[E415]: the block provides `{T}`, but `{N}` gives `{G}`",
    label = "gives `{G}`",
    note = "end each arm of the block with a node that returns `{T}`, `Result<{T}, _>` or `ControlFlow<_, {T}>`, or that always breaks"
)]
pub trait Give<G, N: ?Sized, T, By> {
    /// Gives it.
    fn give(gave: G) -> T;
}

/// Says that the node `N` gives nothing. It is the last node of a block that other nodes come after.
#[diagnostic::on_unimplemented(
    message = "chain[E408]: the block ends with `{N}`, which gives `{Self}`, but other nodes come after the block",
    label = "gives `{Self}`, which nobody can find",
    note = "what a node in a block provides stays in it: end it with a node that returns `()`, let the block provide it (`{{ .. }} -> {Self}`), or move it to the end of the chain, where it replies"
)]
pub trait GoOn<N: ?Sized> {
    /// Goes on.
    fn go_on(self);
}
