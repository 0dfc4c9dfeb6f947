//! What can be lent to a node at its place in a chain.
//!
//! `chain!` makes one struct for each chain, its *scope*: an `Option<&mut _>` for each input and each provided value,
//! and a reference to the chain for its fields. For each of these it implements [`Provides`], so that a node finds what
//! it needs by type, and rustc reports what is missing. A scope lives on the stack for the length of one call.

pub mod place;
pub mod refused;

use crate::describe::Source;

pub use crate::taken::{LentFrom, lent};

/// Says that `Self`, the scope of a chain, has a `T`. Implemented by `chain!`, once for each thing in the scope, so
/// that two providers of one type are refused by rustc's coherence check.
///
/// The node that asks is not a parameter of this trait, so that rustc answers the question for one node and takes the
/// answer from its cache for the next one.
///
/// `P` is `T`. Only the impl for [`refused::Nothing`] has any other type there.
#[diagnostic::on_unimplemented(
    message = "chain[E101]: a `{T}` is needed here, but nothing in this chain provides one",
    label = "needs a `{T}`"
)]
pub trait Provides<'r: 's, 's, T: ?Sized, P: ?Sized = T> {
    /// The source of the `T`.
    const FROM: Source;
    /// What may be done with it.
    type Place: Place<'s, T>;
    /// Hands it out, once.
    fn place(&mut self) -> Self::Place;
}

/// Says that a chain has one `T`. It stands for [`Provides`] in a chain whose nodes need not find anything by its type.
pub trait Unique<T: ?Sized> {}

/// Says that `Self`, the scope of a chain, has a `T` for the node `N`. It is a bound of the nodes that `#[node]` makes.
/// It says the same as [`Provides`], and its error names the node.
#[diagnostic::on_unimplemented(
    message = "chain[E101]: `{N}` needs a `{T}`, but nothing in this chain provides one",
    label = "needs a `{T}`",
    note = "add a node that returns `{T}` before `{N}` (what a node in a block provides stays in the block), list it among the chain's inputs, or make it a field of the chain; in `exit`, the chain's reply is the parameter called `reply`"
)]
pub trait Lends<'r: 's, 's, T: ?Sized, N: ?Sized>: Provides<'r, 's, T> {
    /// [`Provides::Place`], through the trait that names the node, so that a missing value is reported once.
    type Given: Place<'s, T>;
    /// [`Provides::place`].
    fn given(&mut self) -> Self::Given;
}

#[diagnostic::do_not_recommend]
impl<'r: 's, 's, T: ?Sized, N: ?Sized, S: Provides<'r, 's, T>> Lends<'r, 's, T, N> for S {
    type Given = S::Place;
    #[inline(always)]
    fn given(&mut self) -> S::Place {
        self.place()
    }
}

/// Says that `Self`, the scope of a chain, lends references to `T`s for writing, or lends by reference those that it
/// lends for writing. No scope does: a `T` is lent as `&T` or `&mut T`, whoever owns it.
#[diagnostic::on_unimplemented(
    message = "chain[E114]: `{N}` asks for a reference to a reference to `{T}`, one of them for writing, and a scope lends what a reference refers to",
    label = "asks for a reference to a reference to `{T}`",
    note = "ask for `&{T}` or `&mut {T}`: what is provided by reference, or is such an input or field, is lent so; a reference that changes stands in a type of its own"
)]
pub trait LendsReferences<T: ?Sized, N: ?Sized> {}

/// Says that the node `N` may write to the `T` of `Self`. It is a single bound, so that rustc finds the lifetimes in
/// `T` which are not written.
///
/// Its words are those of [`Lends`], as those of the next two: rustc asks for both, and shows the same error once.
#[diagnostic::on_unimplemented(
    message = "chain[E101]: `{N}` needs a `{T}`, but nothing in this chain provides one",
    label = "needs a `{T}`",
    note = "add a node that returns `{T}` before `{N}` (what a node in a block provides stays in the block), list it among the chain's inputs, or make it a field of the chain; in `exit`, the chain's reply is the parameter called `reply`"
)]
pub trait LendsToWrite<'r: 's, 's, T: ?Sized, N: ?Sized>: Lends<'r, 's, T, N> {
    /// Hands it out.
    fn to_write(&mut self) -> &'s mut T;
}

impl<'r: 's, 's, T: ?Sized + 's, N: ?Sized, S: Lends<'r, 's, T, N, Given: Write<'s, T, N>>> LendsToWrite<'r, 's, T, N>
    for S
{
    #[inline(always)]
    fn to_write(&mut self) -> &'s mut T {
        self.given().write()
    }
}

/// Says that the node `N` may keep a borrow of the `T` of `Self`.
#[diagnostic::on_unimplemented(
    message = "chain[E101]: `{N}` needs a `{T}`, but nothing in this chain provides one",
    label = "needs a `{T}`",
    note = "add a node that returns `{T}` before `{N}` (what a node in a block provides stays in the block), list it among the chain's inputs, or make it a field of the chain; in `exit`, the chain's reply is the parameter called `reply`"
)]
pub trait LendsToKeep<'r: 's, 's, T: ?Sized, N: ?Sized>: Lends<'r, 's, T, N> {
    /// Hands it out.
    fn to_keep(&mut self) -> &'r T;
}

impl<'r: 's, 's, T: ?Sized + 'r, N: ?Sized, S: Lends<'r, 's, T, N, Given: Keep<'r, T, N>>> LendsToKeep<'r, 's, T, N>
    for S
{
    #[inline(always)]
    fn to_keep(&mut self) -> &'r T {
        self.given().keep()
    }
}

/// Says that the node `N` may take the `T` of `Self`.
#[diagnostic::on_unimplemented(
    message = "chain[E101]: `{N}` needs a `{T}`, but nothing in this chain provides one",
    label = "needs a `{T}`",
    note = "add a node that returns `{T}` before `{N}` (what a node in a block provides stays in the block), list it among the chain's inputs, or make it a field of the chain; in `exit`, the chain's reply is the parameter called `reply`"
)]
pub trait LendsToTake<'r: 's, 's, T, N: ?Sized>: Lends<'r, 's, T, N> {
    /// Hands it out.
    fn to_take(&mut self) -> T;
}

impl<'r: 's, 's, T, N: ?Sized, S: Lends<'r, 's, T, N, Given: TakeOut<T, N>>> LendsToTake<'r, 's, T, N> for S {
    #[inline(always)]
    fn to_take(&mut self) -> T {
        self.given().take_out()
    }
}

/// Says the same for a `T` that is an `Option<&Of>`. That is seldom what is meant.
#[diagnostic::on_unimplemented(
    message = "chain[E101]: `{N}` needs a `{T}`, but nothing in this chain provides one",
    label = "needs a `{T}`",
    note = "ask for `&{Of}`, or for `&Option<{Of}>` where the node that provides it may be skipped"
)]
pub trait LendsOption<'r: 's, 's, T, Of: ?Sized, N: ?Sized>: LendsToTake<'r, 's, T, N> {}

#[diagnostic::do_not_recommend]
impl<'r: 's, 's, T, Of: ?Sized, N: ?Sized, S: LendsToTake<'r, 's, T, N>> LendsOption<'r, 's, T, Of, N> for S {}

/// A place in the scope, from which a `T` can be lent.
pub trait Place<'s, T: ?Sized> {
    /// Lends it for reading.
    fn share(self) -> &'s T;
}

/// A place that can be lent for writing to the node `N`.
#[diagnostic::on_unimplemented(
    message = "chain[E104]: `{N}` asks for `&mut {T}`, but this chain can only lend it as `&{T}`",
    label = "asks for `&mut {T}`",
    note = "a field of the chain is shared between requests, and the `Ending` is told as it is; inputs (`T`, `&mut T`) and provided values can be lent for writing"
)]
pub trait Write<'s, T: ?Sized, N: ?Sized> {
    /// Lends it for writing.
    fn write(self) -> &'s mut T;
}

/// A place whose value can be taken out of the scope by the node `N`.
#[diagnostic::on_unimplemented(
    message = "chain[E105]: `{N}` takes `{T}` by value, but this chain can only lend it",
    label = "takes `{T}` by value",
    note = "an input that the chain owns (`name: {T}`) can be taken, and what a node provides by value; ask for `&{T}` instead"
)]
pub trait TakeOut<T, N: ?Sized> {
    /// Takes it.
    fn take_out(self) -> T;
}

/// A place whose value lives as long as the whole run, so that the node `N` may keep a borrow of it
/// in what it provides.
#[diagnostic::on_unimplemented(
    message = "chain[E106]: `{N}` keeps a borrow of `{T}` in what it returns, but this `{T}` does not live as long as the run",
    label = "keeps a borrow of `{T}`",
    note = "make `{T}` an input by reference (`name: &'r {T}`) or a field of the chain: those live as long as the run"
)]
pub trait Keep<'r, T: ?Sized, N: ?Sized> {
    /// Lends it for the length of the run.
    fn keep(self) -> &'r T;
}

/// Says that the chain's reply is an `R`. The way out of the node `N` is lent that reply.
#[diagnostic::on_unimplemented(
    message = "chain[E313]: `{N}` sees the reply as `{R}` on its way out, but this chain's reply is another type",
    label = "sees the reply as `{R}`",
    note = "in `exit`, the parameter called `reply` is the chain's reply; give it the type that stands behind the chain's `->`"
)]
pub trait LendReply<'s, R: ?Sized, N: ?Sized> {
    /// Lends the reply for writing.
    fn lend_reply(&mut self) -> &'s mut R;
}

/// Marks a block that other nodes come after: its nodes are left before there is a reply.
#[derive(Debug)]
pub struct GoesOn;

/// Says that there is a reply when the node `N` is left. This does not hold in a block that [`GoesOn`].
#[diagnostic::on_unimplemented(
    message = "chain[E314]: `{N}` sees the reply on its way out, but its block goes on: when it is left, there is no reply yet",
    label = "sees the reply",
    note = "move `{N}` before the block, or the block to the end of the chain"
)]
pub trait HasReply<N: ?Sized> {}

/// The reply of a chain, for an `exit` that is generic over it.
pub trait Replying {
    /// The chain's reply.
    type Reply;
}

/// Says that the chain `Self` has a field of the type `T`, which the `cancelled` hook of the node `N` is lent.
#[diagnostic::on_unimplemented(
    message = "chain[E311]: `{N}` needs a `{T}` when it is cancelled, but the chain has no such field",
    label = "needs a `{T}` in `cancelled`",
    note = "`cancelled` can be lent its own node's provided value and the chain's fields, nothing else"
)]
pub trait FieldOf<T: ?Sized, N: ?Sized> {
    /// Lends the field.
    fn field(&self) -> &T;
}

/// Lends the `T` of a scope for reading.
#[inline(always)]
pub fn lend<'r: 's, 's, T: ?Sized, N: ?Sized, S: Lends<'r, 's, T, N>>(scope: &mut S) -> &'s T {
    scope.place().share()
}

/// Lends the `T` of a scope for writing.
#[inline(always)]
pub fn lend_mut<'r: 's, 's, T: ?Sized + 's, N: ?Sized, S: LendsToWrite<'r, 's, T, N>>(scope: &mut S) -> &'s mut T {
    scope.to_write()
}

/// Lends the `T` of a scope for the whole run.
#[inline(always)]
pub fn keep<'r: 's, 's, T: ?Sized + 'r, N: ?Sized, S: LendsToKeep<'r, 's, T, N>>(scope: &mut S) -> &'r T {
    scope.to_keep()
}

/// Takes the `T` out of a scope.
#[inline(always)]
pub fn take<'r: 's, 's, T, N: ?Sized, S: LendsToTake<'r, 's, T, N>>(scope: &mut S) -> T {
    scope.to_take()
}
