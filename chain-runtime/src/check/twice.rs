//! Two providers of one type, as far as their types are written alike.
//!
//! Two types may be written alike and differ. So rustc is asked whether they are the same. If they are, the second one
//! is found under a type that nobody asks for ([`Again`]), and the only error is that of [`once`].

use core::fmt::Debug;
use core::marker::PhantomData;

use super::message::Message;
use crate::scope::Place;

/// Asks whether two types are the same: `Same::<(A, B)>::ARE`. For two types that are, the inherent constant takes
/// precedence over that of the trait.
#[derive(Debug)]
pub struct Same<T: ?Sized>(PhantomData<T>);

impl<T> Same<(T, T)> {
    /// They are.
    pub const ARE: bool = true;
}

/// The answer for all other types.
pub trait Otherwise {
    /// They are not.
    const ARE: bool = false;
}

impl<T: ?Sized> Otherwise for Same<T> {}

/// How the second one is found: whether it is there twice decides.
#[derive(Debug)]
pub struct Second<const TWICE: bool>;

/// The type under which it is found. `C` is the chain: with a type of the user's crate in it, rustc knows all
/// implementations there will ever be.
pub trait FoundAs<C: ?Sized, T: ?Sized, const AT: usize> {
    /// That type.
    type It: ?Sized;
}

impl<C: ?Sized, T: ?Sized, const AT: usize> FoundAs<C, T, AT> for Second<false> {
    type It = T;
}

impl<C: ?Sized, T: ?Sized, const AT: usize> FoundAs<C, T, AT> for Second<true> {
    type It = Again<T, AT>;
}

/// A second `T`, which nobody finds.
#[derive(Debug)]
pub struct Again<T: ?Sized, const AT: usize>(PhantomData<T>);

/// How the second one is handed out.
pub trait At<'s, C: ?Sized, T: ?Sized, P, const AT: usize>: FoundAs<C, T, AT> {
    /// The place of what is found.
    type Place: Place<'s, <Self as FoundAs<C, T, AT>>::It>;
    /// Hands it out.
    fn at(place: P) -> Self::Place;
}

impl<'s, C: ?Sized, T: ?Sized, P: Place<'s, T>, const AT: usize> At<'s, C, T, P, AT> for Second<false> {
    type Place = P;

    #[inline(always)]
    fn at(place: P) -> P {
        place
    }
}

impl<'s, C: ?Sized, T: ?Sized + 's, P, const AT: usize> At<'s, C, T, P, AT> for Second<true> {
    type Place = Nowhere;

    fn at(_: P) -> Nowhere {
        unreachable!("the chain has an error")
    }
}

/// The place of what nobody finds.
#[derive(Debug)]
pub struct Nowhere;

impl<'s, T: ?Sized + 's, const AT: usize> Place<'s, Again<T, AT>> for Nowhere {
    fn share(self) -> &'s Again<T, AT> {
        unreachable!("the chain has an error")
    }
}

/// Refuses a type that is there twice. `other` says what the first one is.
///
/// # Panics
///
/// It panics in a constant, so while compiling.
#[track_caller]
pub const fn once(name: &str, ty: &str, other: &str, twice: bool) {
    if twice {
        let message = Message::of("E111").code(name).text(" provides ").a(ty).text(", and ").text(other);
        let message = message.text(", so a node that asks for it could mean either: ");
        panic!("{}", message.text("leave one of them out, or wrap one in a type of its own").as_str());
    }
}
