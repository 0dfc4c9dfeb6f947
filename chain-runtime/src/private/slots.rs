//! The slots of a scope, and what the chain holds: lent, lent for writing, taken.

use crate::taken::{By, Way};

/// Hands out the content of a scope's slot, once. `chain!` has checked that it is there.
#[inline(always)]
pub fn taken<T>(slot: &mut Option<T>) -> T {
    slot.take().expect("chain!: a value was asked for before it was provided")
}

/// The value of a node that may be skipped, in the chain `C`.
pub trait Skippable<C: ?Sized> {
    /// `Option<Self>`
    type Perhaps;
}
impl<C: ?Sized, T> Skippable<C> for T {
    type Perhaps = Option<T>;
}

/// Lends an input that the chain owns.
#[inline(always)]
pub fn whole<T>(input: &mut Option<T>) -> &T {
    By::<true>::whole(input)
}

/// Lends it for writing.
#[inline(always)]
pub fn whole_mut<T>(input: &mut Option<T>) -> &mut T {
    By::<true>::whole_mut(input)
}

/// Takes it.
#[inline(always)]
pub fn whole_taken<T>(input: &mut Option<T>) -> T {
    By::<true>::whole_taken(input)
}

/// Hands out the content of a slot, which is in the scope itself or on one of its pages.
#[inline(always)]
pub fn taken_of_two<T>(slot: &mut Option<T>, on_page: &mut Option<T>) -> T {
    match slot.take() {
        Some(value) => value,
        None => taken(on_page),
    }
}

/// Lends a borrowed value again, for a shorter time.
#[inline(always)]
pub fn lent_again<'a, T: ?Sized>(slot: &'a mut Option<&mut T>) -> Option<&'a mut T> {
    slot.as_deref_mut()
}

/// The type of a scope's slot for a provided value, which is held in the [`Way`] `W`. The trait
/// gives the scope no bound: rustc infers a bound for a plain reference, and would report a type that is no node
/// wherever the scope is mentioned.
pub trait Loan<'s, W> {
    /// `Option<&'s mut W::Value<Self>>`
    type Loan;
}

impl<'s, T: 's> Loan<'s, By<false>> for T {
    type Loan = Option<&'s mut T>;
}

impl<'s, T: 's> Loan<'s, By<true>> for T {
    type Loan = Option<&'s mut Option<T>>;
}

/// Eight loans.
pub type Chunk<A, B, C, D, E, F, G, H> =
    (Option<A>, Option<B>, Option<C>, Option<D>, Option<E>, Option<F>, Option<G>, Option<H>);

/// Lends what eight nodes in a row provided.
#[inline(always)]
pub fn all_lent<A, B, C, D, E, F, G, H>(refs: (A, B, C, D, E, F, G, H)) -> Chunk<A, B, C, D, E, F, G, H> {
    let (a, b, c, d, e, f, g, h) = refs;
    (Some(a), Some(b), Some(c), Some(d), Some(e), Some(f), Some(g), Some(h))
}

/// Eight slots of nodes that have not provided yet.
#[inline(always)]
pub fn none_lent<A, B, C, D, E, F, G, H>() -> Chunk<A, B, C, D, E, F, G, H> {
    (None, None, None, None, None, None, None, None)
}

/// The value of a node that may be skipped, lent to the node itself, which was not skipped.
#[inline(always)]
pub fn not_skipped<'s, T>(place: crate::scope::place::Maybe<'s, T>) -> &'s mut T {
    place.0.as_mut().expect("chain!: a value was asked for whose node was skipped")
}
