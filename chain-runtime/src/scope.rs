//! What can be lent to a node at its place in a chain.
//!
//! `chain!` makes one struct for each chain, its *scope*: an `Option<&mut _>` for each input and each
//! provided value, and a reference to the chain for its fields. For each of these it implements
//! [`Provides`], so that a node finds what it needs by type, and rustc reports what is missing. A
//! scope lives on the stack for the length of one call.

use crate::describe::Source;

/// That `Self`, the scope of a chain, has a `T`. Implemented by `chain!`, once for each thing in the scope, so that two
/// providers of one type are refused by rustc's coherence check.
///
/// The node that asks is no parameter of it: what one node's question cost rustc to answer, the next one gets from
/// its cache.
#[diagnostic::on_unimplemented(
    message = "a `{T}` is needed here, but nothing in this chain provides one",
    label = "needs a `{T}`"
)]
pub trait Provides<'r: 's, 's, T: ?Sized> {
    /// Where the `T` comes from.
    const FROM: Source;
    /// What may be done with it.
    type Place: Place<'s, T>;
    /// Hands it out, once.
    fn place(&mut self) -> Self::Place;
}

/// That `Self`, the scope of a chain, has a `T` for the node `N`: a bound of the nodes that `#[node]` makes. It says what
/// [`Provides`] says, and names the node where it does not hold.
#[diagnostic::on_unimplemented(
    message = "`{N}` needs a `{T}`, but nothing in this chain provides one",
    label = "needs a `{T}`",
    note = "add a node that returns `{T}` before `{N}` (what a node in a block provides stays in the block), list it among the chain's inputs, or make it a field of the chain"
)]
pub trait Lends<'r: 's, 's, T: ?Sized, N: ?Sized>: Provides<'r, 's, T> {
    /// [`Provides::Place`], asked of the trait that names the node: what is missing is then missing once.
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

/// That `Self`, the scope of a chain, lends references to `T`s for writing, or those for writing by reference. None does: whoever owns a `T`, it is
/// lent as `&T` or `&mut T`.
#[diagnostic::on_unimplemented(
    message = "`{N}` asks for a reference to a reference to `{T}`, one of them for writing, and a scope lends what a reference refers to",
    label = "asks for a reference to a reference to `{T}`",
    note = "ask for `&{T}` or `&mut {T}`: what is provided by reference, or is such an input or field, is lent so; a reference that changes stands in a type of its own"
)]
pub trait LendsReferences<T: ?Sized, N: ?Sized> {}

/// That the node `N` may write to the `T` of `Self`: a bound in one piece, in whose `T` rustc finds lifetimes that are not written.
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

/// That the node `N` may keep a borrow of the `T` of `Self`.
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

/// That the node `N` may take the `T` of `Self`.
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

/// A place in the scope, from which a `T` can be lent.
pub trait Place<'s, T: ?Sized> {
    /// Lends it for reading.
    fn share(self) -> &'s T;
}

/// A place that can be lent for writing to the node `N`.
#[diagnostic::on_unimplemented(
    message = "`{N}` asks for `&mut {T}`, but this chain can only lend it as `&{T}`",
    label = "asks for `&mut {T}`",
    note = "a field of the chain is shared between requests; inputs (`T`, `&mut T`) and provided values can be lent for writing"
)]
pub trait Write<'s, T: ?Sized, N: ?Sized> {
    /// Lends it for writing.
    fn write(self) -> &'s mut T;
}

/// A place whose value can be taken out of the scope by the node `N`.
#[diagnostic::on_unimplemented(
    message = "`{N}` takes `{T}` by value, but this chain can only lend it",
    label = "takes `{T}` by value",
    note = "only an input that the chain owns (`name: {T}`) can be taken; ask for `&{T}` or `&mut {T}` instead"
)]
pub trait TakeOut<T, N: ?Sized> {
    /// Takes it.
    fn take_out(self) -> T;
}

/// A place whose value lives as long as the whole run, so that the node `N` may keep a borrow of it
/// in what it provides.
#[diagnostic::on_unimplemented(
    message = "`{N}` keeps a borrow of `{T}` in what it returns, but this `{T}` does not live as long as the run",
    label = "keeps a borrow of `{T}`",
    note = "make `{T}` an input by reference (`name: &'r {T}`) or a field of the chain: those live as long as the run"
)]
pub trait Keep<'r, T: ?Sized, N: ?Sized> {
    /// Lends it for the length of the run.
    fn keep(self) -> &'r T;
}

/// The kinds of place there are.
pub mod place {
    use super::{Keep, Place, TakeOut, Write};

    /// A value that a node provided.
    #[derive(Debug)]
    pub struct Provided<'s, T: ?Sized>(pub &'s mut T);
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

    /// What a field holds that can be swapped, in one version for the whole run.
    #[derive(Debug)]
    pub struct Version<'s, T: ?Sized>(pub &'s T);

    impl<'s, T: ?Sized> Place<'s, T> for Version<'s, T> {
        #[inline(always)]
        fn share(self) -> &'s T {
            self.0
        }
    }

    const TAKEN: &str = "chain!: an input was asked for after it was taken";

    impl<'s, T: ?Sized> Place<'s, T> for Provided<'s, T> {
        #[inline(always)]
        fn share(self) -> &'s T {
            self.0
        }
    }
    #[diagnostic::do_not_recommend]
    impl<'s, T: ?Sized, N: ?Sized> Write<'s, T, N> for Provided<'s, T> {
        #[inline(always)]
        fn write(self) -> &'s mut T {
            self.0
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
}

/// How what a node provided, held as an `H`, is lent to those that ask for a `T`.
pub trait LentFrom<'r: 's, 's, H, T: ?Sized> {
    /// What may be done with it.
    type Place: Place<'s, T>;
    /// Hands it out.
    fn place(held: &'s mut H) -> Self::Place;
}

/// The ways in which a value is held: by itself, or by a reference to it.
pub mod lent {
    use super::{LentFrom, place};

    /// A `T`.
    #[derive(Debug)]
    pub struct Itself;
    /// A `&T`, which lives as long as the run.
    #[derive(Debug)]
    pub struct ByRef;
    /// A `&mut T`.
    #[derive(Debug)]
    pub struct ByMut;

    /// Of a node that needs what it would provide: a chain in which it is not the last is refused.
    #[derive(Debug)]
    pub struct Unfound;

    impl<'r: 's, 's, H, const P: usize> LentFrom<'r, 's, H, crate::Nothing<P>> for Unfound {
        type Place = place::Provided<'s, crate::Nothing<P>>;
        fn place(_: &'s mut H) -> Self::Place {
            unreachable!("chain!: nobody asks for nothing")
        }
    }

    impl<'r: 's, 's, T: 's> LentFrom<'r, 's, T, T> for Itself {
        type Place = place::Provided<'s, T>;
        #[inline(always)]
        fn place(held: &'s mut T) -> Self::Place {
            place::Provided(held)
        }
    }
    impl<'a: 'r, 'r: 's, 's, T: ?Sized> LentFrom<'r, 's, &'a T, T> for ByRef {
        type Place = place::Shared<'r, T>;
        #[inline(always)]
        fn place(held: &'s mut &'a T) -> Self::Place {
            place::Shared(held)
        }
    }
    impl<'a: 'r, 'r: 's, 's, T: ?Sized> LentFrom<'r, 's, &'a mut T, T> for ByMut {
        type Place = place::Borrowed<'s, T>;
        #[inline(always)]
        fn place(held: &'s mut &'a mut T) -> Self::Place {
            place::Borrowed(held)
        }
    }
}

/// That the chain's reply is an `R`, which the way out of the node `N` is lent.
#[diagnostic::on_unimplemented(
    message = "`{N}` sees the reply as `{R}` on its way out, but this chain's reply is another type",
    label = "sees the reply as `{R}`",
    note = "in `exit`, the parameter called `reply` is the chain's reply; give it the type that stands behind the chain's `->`"
)]
pub trait LendReply<'s, R: ?Sized, N: ?Sized> {
    /// Lends the reply for writing.
    fn lend_reply(&mut self) -> &'s mut R;
}

/// A block that other nodes come after: its nodes are left before there is a reply.
#[derive(Debug)]
pub struct GoesOn;

/// That the node `N` is left when there is a reply. Never so in a block that [`GoesOn`].
#[diagnostic::on_unimplemented(
    message = "`{N}` sees the reply on its way out, but its block goes on: when it is left, there is no reply yet",
    label = "sees the reply",
    note = "move `{N}` before the block, or the block to the end of the chain"
)]
pub trait HasReply<N: ?Sized> {}

/// The reply of a chain, for an `exit` that is generic over it.
pub trait Replying {
    /// The chain's reply.
    type Reply;
}

/// That the chain `Self` has a field of the type `T`, which `cancelled` of the node `N` is lent.
#[diagnostic::on_unimplemented(
    message = "`{N}` needs a `{T}` when it is cancelled, but the chain has no such field",
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
