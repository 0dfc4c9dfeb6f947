//! What a node needs that text does not find, asked of a type parameter.
//!
//! Of a type parameter, rustc says nothing but the words of these traits where it does not implement them. Of any other
//! type it says, in lines of its own, which trait that is, and names the scope. So `Self` means nothing in these traits.

use core::marker::PhantomData;

use crate::describe::Source;
use crate::scope::{FieldOf, Keep, Lends, Provides, Replying, TakeOut, Write};

use super::Nth;

/// Says that `Self` is lent by the scope `S`. `Self` is the type, so that rustc looks for nothing while it does not know
/// the type: it would take one that is in the scope.
pub trait LentBy<'r: 's, 's, S, N: ?Sized, G> {
    /// The source of the value.
    const FROM: Source;
    /// Hands its place out, once.
    fn given(scope: &mut S) -> G;
}

#[diagnostic::do_not_recommend]
impl<'r: 's, 's, T: ?Sized, S: Lends<'r, 's, T, N, Given = G>, N: ?Sized, G> LentBy<'r, 's, S, N, G> for T {
    const FROM: Source = <S as Provides<'r, 's, T>>::FROM;
    #[inline(always)]
    fn given(scope: &mut S) -> G {
        scope.given()
    }
}

/// Declares a trait that says that the scope `S` has a `T` for the node `N`, in a place of the type `G`.
///
/// `G` is a parameter and not an associated type, so that rustc does not look for it where there is none.
macro_rules! found {
    ($(#[$doc:meta])* $name:ident $(<$near:ident>)?, $note:literal) => {
        $(#[$doc])*
        #[diagnostic::on_unimplemented(
            message = "chain[E101]: `{N}` needs a `{T}`, but nothing in this chain provides one",
            label = "needs a `{T}`",
            note = $note
        )]
        pub trait $name<'r: 's, 's, T: ?Sized, $($near: ?Sized,)? S, N: ?Sized, G> {
            /// The source of the value.
            const FROM: Source;
            /// Hands its place out, once.
            fn given(scope: &mut S) -> G;
            /// The same, of the type of `_like`.
            #[inline(always)]
            fn given_like(scope: &mut S, _like: &T) -> G {
                Self::given(scope)
            }
        }

        #[diagnostic::do_not_recommend]
        impl<'r: 's, 's, P: ?Sized, T: ?Sized + LentBy<'r, 's, S, N, G>, $($near: ?Sized,)? S, N: ?Sized, G>
            $name<'r, 's, T, $($near,)? S, N, G> for P
        {
            const FROM: Source = T::FROM;
            #[inline(always)]
            fn given(scope: &mut S) -> G {
                T::given(scope)
            }
        }
    };
}
found! {
    /// Says that the scope `S` has a `T` for the node `N`, in a place of the type `G`.
    Found,
    "add a node that returns `{T}` before `{N}` (what a node in a block provides stays in the block), list it among the chain's inputs, or make it a field of the chain"
}
found! {
    /// The same for a way out.
    FoundOut,
    "add a node that returns `{T}` before `{N}` (what a node in a block provides stays in the block), list it among the chain's inputs, or make it a field of the chain; in `exit`, the chain's reply is the parameter called `reply`"
}
found! {
    /// The same for a trait object.
    FoundObject,
    "a `{T}` is held in a `Box`: make a `Box<{T}>` a field, or let a node before `{N}` return one, and ask for `&Box<{T}>`; or list `&{T}` among the chain's inputs"
}
found! {
    /// The same for a `str` or a slice.
    FoundPart,
    "a `{T}` is a part of what holds it: ask for that (`&String` for a `str`, `&Vec<T>` for a `[T]`), or list `&{T}` among the chain's inputs"
}
found! {
    /// The same for exactly this type, and not `X`, which is only written almost like it.
    FoundAnd<X>,
    "what there is, is `{X}`: ask for `&{X}`"
}

/// Says that the scope `S` has an `Option` of a reference to an `X` for the node `N`, which is a `T`.
#[diagnostic::on_unimplemented(
    message = "chain[E101]: `{N}` needs a `{T}`, but nothing in this chain provides one",
    label = "needs a `{T}`",
    note = "ask for `&{X}`, or for `&Option<{X}>` where the node that provides it may be skipped"
)]
pub trait FoundOption<'r: 's, 's, T, X: ?Sized, S, N: ?Sized, G> {
    /// Hands its place out, once.
    fn given_like(scope: &mut S, _like: &T, _of: PhantomData<X>) -> G;
}

#[diagnostic::do_not_recommend]
impl<'r: 's, 's, P: ?Sized, T: LentBy<'r, 's, S, N, G>, X: ?Sized, S, N: ?Sized, G> FoundOption<'r, 's, T, X, S, N, G>
    for P
{
    fn given_like(scope: &mut S, _: &T, _: PhantomData<X>) -> G {
        T::given(scope)
    }
}

/// Says that a scope lends references to `T`s. None does.
#[diagnostic::on_unimplemented(
    message = "chain[E114]: `{N}` asks for a reference to a reference to `{T}`, one of them for writing, and a scope lends what a reference refers to",
    label = "asks for a reference to a reference to `{T}`",
    note = "ask for `&{T}` or `&mut {T}`: what is provided by reference, or is such an input or field, is lent so; a reference that changes stands in a type of its own"
)]
pub trait FoundReferences<T: ?Sized, N: ?Sized> {
    /// Nothing.
    const NONE: PhantomData<T> = PhantomData;
}

#[diagnostic::do_not_recommend]
impl<P: ?Sized, T: ?Sized + LentByReference<N>, N: ?Sized> FoundReferences<T, N> for P {}

/// See [`FoundReferences`]. `Self` is the type, so that rustc waits until it knows the type.
pub trait LentByReference<N: ?Sized> {}

/// Says that the node `N` may keep a borrow of the `T` in the place `G`.
#[diagnostic::on_unimplemented(
    message = "chain[E106]: `{N}` keeps a borrow of `{T}` in what it returns, but this `{T}` does not live as long as the run",
    label = "keeps a borrow of `{T}`",
    note = "make `{T}` an input by reference (`name: &'r {T}`) or a field of the chain: those live as long as the run"
)]
pub trait Keeps<'r, G, T: ?Sized, N: ?Sized> {
    /// Lends it for the length of the run.
    fn keep_like(_like: &T, place: G) -> &'r T;
}

#[diagnostic::do_not_recommend]
impl<'r, P: ?Sized, G: Keep<'r, T, N>, T: ?Sized, N: ?Sized> Keeps<'r, G, T, N> for P {
    #[inline(always)]
    fn keep_like(_: &T, place: G) -> &'r T {
        place.keep()
    }
}

/// Says that the node `N` may write to a `T` in the place `G`.
#[diagnostic::on_unimplemented(
    message = "chain[E104]: `{N}` asks for `&mut {T}`, but this chain can only lend it as `&{T}`",
    label = "asks for `&mut {T}`",
    note = "a field of the chain is shared between requests, and the `Ending` is told as it is; inputs (`T`, `&mut T`) and provided values can be lent for writing"
)]
pub trait Writes<'s, G, T: ?Sized, N: ?Sized> {
    /// Lends it for writing.
    fn write(place: G) -> &'s mut T;
    /// The same, of the type of `_like`.
    #[inline(always)]
    fn write_like(_like: &T, place: G) -> &'s mut T {
        Self::write(place)
    }
}

#[diagnostic::do_not_recommend]
impl<'s, P: ?Sized, G: Write<'s, T, N>, T: ?Sized, N: ?Sized> Writes<'s, G, T, N> for P {
    #[inline(always)]
    fn write(place: G) -> &'s mut T {
        place.write()
    }
}

/// Says that the node `N` may take a `T` out of the place `G`.
#[diagnostic::on_unimplemented(
    message = "chain[E105]: `{N}` takes `{T}` by value, but this chain can only lend it",
    label = "takes `{T}` by value",
    note = "an input that the chain owns (`name: {T}`) can be taken, and what a node provides by value; ask for `&{T}` instead"
)]
pub trait TakesOut<G, T, N: ?Sized> {
    /// Takes it.
    fn take(place: G) -> T;
    /// The same, of the type of `_like`.
    #[inline(always)]
    fn take_like(_like: &T, place: G) -> T {
        Self::take(place)
    }
}

#[diagnostic::do_not_recommend]
impl<P: ?Sized, G: TakeOut<T, N>, T, N: ?Sized> TakesOut<G, T, N> for P {
    #[inline(always)]
    fn take(place: G) -> T {
        place.take_out()
    }
}

/// Says that the reply which a way out of the node `N` is lent from the scope `S` is an `R`.
#[diagnostic::on_unimplemented(
    message = "chain[E313]: `{N}` sees the reply as `{R}` on its way out, but this chain's reply is another type",
    label = "sees the reply as `{R}`",
    note = "in `exit`, the parameter called `reply` is the chain's reply; give it the type that stands behind the chain's `->`"
)]
pub trait SeesReply<R, S, N: ?Sized> {
    /// The type of the reply.
    const REPLY: PhantomData<R> = PhantomData;
}

#[diagnostic::do_not_recommend]
impl<P: ?Sized, R: Is<S::Reply>, S: Replying, N: ?Sized> SeesReply<R, S, N> for P {}

/// `Self` is a `T`. rustc does not take a type that it does not know yet for a `T` because of this.
pub trait Is<T: ?Sized> {}

#[diagnostic::do_not_recommend]
impl<T: ?Sized> Is<T> for T {}

/// Says that there is a reply when the node `N` is left, in a block that goes on. There is none.
#[diagnostic::on_unimplemented(
    message = "chain[E314]: `{N}` sees the reply on its way out, but its block goes on: when it is left, there is no reply yet",
    label = "sees the reply",
    note = "move `{N}` before the block, or the block to the end of the chain"
)]
pub trait SeesNoReply<N: ?Sized> {
    /// Nothing.
    const NONE: () = ();
}

/// `T`, if the length of the array is 0. rustc takes the type for an error, and says nothing more about it, if the length
/// is one.
pub trait Sound<T> {
    /// `T`
    type It;
}

impl<T> Sound<T> for [(); 0] {
    type It = T;
}

/// Says that what the first one hands out, the second one takes.
pub const fn hands<S, G, R>(_: fn(&mut S) -> G, _: fn(G) -> R) {}

/// The arguments of a hook, as types.
#[derive(Debug)]
pub struct Arguments<With>(PhantomData<With>);

/// The arguments of this hook.
pub const fn arguments<N, With, R>(_: fn(N, With) -> R) -> Arguments<With> {
    Arguments(PhantomData)
}

/// The types of the arguments of `enter`. `SHAPE` stands for the signature that the chain was told, as in
/// [`hook`](super::hook).
#[diagnostic::on_unimplemented(
    message = "chain[E101]: `{Self}` is not lent what its `enter` asks for: the types are only written alike",
    label = "asks for other types",
    note = "two types have one name: let both nodes import the same one, or give one of them another name"
)]
pub trait AsksIn<'r: 's, 's, With, const SHAPE: u64> {
    /// These types.
    const ARGUMENTS: Arguments<With> = Arguments(PhantomData);
}

/// The types of the arguments of `exit`.
#[diagnostic::on_unimplemented(
    message = "chain[E313]: `{Self}` is not lent what its `exit` asks for: the types are only written alike",
    label = "asks for other types",
    note = "two types have one name: let both nodes import the same one, or give one of them another name"
)]
pub trait AsksOut<'r: 's, 's, With, const SHAPE: u64> {
    /// These types.
    const ARGUMENTS: Arguments<With> = Arguments(PhantomData);
}

/// The types of the fields for which `cancelled` asks.
#[diagnostic::on_unimplemented(
    message = "chain[E311]: `{Self}` is not lent what its `cancelled` asks for: the types are only written alike",
    label = "asks for other types",
    note = "two types have one name: let both nodes import the same one, or give one of them another name"
)]
pub trait AsksForFields<'r: 's, 's, With, const SHAPE: u64> {
    /// These types.
    const ARGUMENTS: Arguments<With> = Arguments(PhantomData);
}

/// Says that the chain `C` has a field of the type `T`, which the `cancelled` hook of the node `N` is lent.
#[diagnostic::on_unimplemented(
    message = "chain[E311]: `{N}` needs a `{T}` when it is cancelled, but the chain has no such field",
    label = "needs a `{T}` in `cancelled`",
    note = "`cancelled` can be lent its own node's provided value and the chain's fields, nothing else"
)]
pub trait FoundField<T: ?Sized, C: ?Sized, N: ?Sized> {
    /// Lends the field.
    fn field_like<'c>(chain: &'c C, _like: &T) -> &'c T;
}

#[diagnostic::do_not_recommend]
impl<P: ?Sized, T: ?Sized + FieldIn<C, N>, C: ?Sized, N: ?Sized> FoundField<T, C, N> for P {
    fn field_like<'c>(chain: &'c C, _: &T) -> &'c T {
        T::field_in(chain)
    }
}

/// Says that `Self` is the type of a field of the chain `C`. `Self` is the type for the same reason as in [`LentBy`].
pub trait FieldIn<C: ?Sized, N: ?Sized> {
    /// The field.
    fn field_in(chain: &C) -> &Self;
}

#[diagnostic::do_not_recommend]
impl<T: ?Sized, C: ?Sized + FieldOf<T, N>, N: ?Sized> FieldIn<C, N> for T {
    fn field_in(chain: &C) -> &T {
        chain.field()
    }
}

impl<With> Arguments<With> {
    /// The type of the argument at this place.
    pub const fn nth<const AT: usize>(&self) -> Like<<With as Nth<AT>>::It>
    where
        With: Nth<AT, It: Sized>,
    {
        Like(PhantomData)
    }
}

/// A type, without a value of it.
#[derive(Debug)]
pub struct Like<T: ?Sized>(PhantomData<T>);

impl<T: ?Sized> Like<&T> {
    /// The type to which it refers.
    pub const fn to(&self) -> Like<T> {
        Like(PhantomData)
    }
}

impl<T: ?Sized> Like<&mut T> {
    /// The type to which it refers.
    pub const fn to(&self) -> Like<T> {
        Like(PhantomData)
    }
}

impl<T: ?Sized> Like<T> {
    /// This hands out a thing of the type.
    pub const fn given<S, G>(&self, _: fn(&mut S, &T) -> G) {}

    /// This lends a field of the type.
    pub const fn field<C>(&self, _: for<'c> fn(&'c C, &T) -> &'c T) {}

    /// The first one hands out a thing of the type, and the second one takes it.
    pub const fn hands<S, G, R>(&self, _: fn(&mut S, &T) -> G, _: fn(&T, G) -> R) {}

    /// This is of the type.
    pub const fn is(&self, _: PhantomData<T>) {}
}

impl<'r, T: ?Sized> Like<Option<&'r T>> {
    /// The first one hands out an `Option` of a reference to a `T`, and the second one takes it.
    pub const fn hands_option<S, G, R>(
        &self,
        _: fn(&mut S, &Option<&'r T>, PhantomData<T>) -> G,
        _: fn(&Option<&'r T>, G) -> R,
    ) {
    }
}
