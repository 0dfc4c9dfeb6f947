//! What generated code names, so that it works without a prelude and with any names that the user shadows.

mod features;
mod fields;
mod opaque;
mod probe;
mod slots;

pub use core::any::type_name;
pub use core::future::{Future, Pending, pending, ready};
pub use core::iter::Empty;
pub use core::marker::{PhantomData, Send, Sized};
pub use core::mem::size_of;
pub use core::ops::{ControlFlow, Deref, DerefMut};
pub use core::option::Option::{self, None, Some};
pub use core::pin::{Pin, pin};
pub use core::primitive::{bool, str};
pub use core::result::Result::{self, Err, Ok};
pub use core::task::Poll;
pub use core::time::Duration;
pub use core::unreachable;

pub use features::{Late, LimitKind, NoAlloc, Tasks, behind, detach, finish, sampled, takes, tasks_of_process, within};
pub use fields::{
    FieldOf, Unversioned, VersionBy, Versioned, WithoutShedding, WithoutTasks, WithoutToggles, is_shedding, is_toggles,
    one_of, tasks_among,
};
pub use opaque::{Opaque, Unchecked};
pub use probe::{Meant, Plainly, Probe, Shows, is_nothing, meant, one_is};
pub use slots::{
    Chunk, Loan, Skippable, all_lent, lent_again, none_lent, not_skipped, taken, taken_of_two, whole, whole_mut,
    whole_taken,
};

/// What a chain's body gives, once its nodes have told their signatures. Another macro of a node's name, called in its
/// place, gives something else.
#[derive(Debug)]
pub struct Answered<T>(pub T);

/// The reply of a chain whose reply cannot be read. Adapters take it, so that there is one error.
#[derive(Debug)]
pub enum NoReply {}

/// Says that a field of a chain has the type that a segment of the chain declares for it.
#[diagnostic::on_unimplemented(
    message = "chain[E605]: a segment of this chain declares a field as `{T}`, and the chain has it as `{Self}`",
    label = "needs a `{T}`, not a `{Self}`",
    note = "give the field the type that the segment declares, or the segment another field"
)]
pub trait FieldOfSegment<T: ?Sized> {
    /// It has.
    fn is_one() {}
}

impl<T: ?Sized> FieldOfSegment<T> for T {}

/// A node's value for its own `cancelled`, which asks for it through references to references.
#[inline(always)]
pub fn shared<T: ?Sized>(value: &T) -> &T {
    value
}

/// Drops the value. rustc warns about the standard library's `drop` if the value needs no drop; it does not warn about
/// this one.
#[inline(always)]
pub fn drop<T>(_: T) {}

/// Stands for a node that has errors.
pub fn no_node<T>() -> T {
    unreachable!()
}

/// The return type of a function: `<fn(&'r ()) -> Token as Returned>::It` is `Token<'r>`, or `Token` if that has no
/// lifetime. A macro cannot tell the two apart, and the type of a function may leave out a lifetime.
///
/// With the chain's own type as a parameter, the result is settled for rustc when it compares what is provided.
pub trait Returned<C: ?Sized = ()> {
    /// The return type.
    type It: ?Sized;
}

impl<A, T: ?Sized, C: ?Sized> Returned<C> for fn(A) -> T {
    type It = T;
}

/// What a reference refers to: `<&'r dyn Store as Referred>::It` is `dyn Store + 'r`, or what a bound of the trait says. As
/// [`Returned`], it has the chain's own type as a parameter.
pub trait Referred<C: ?Sized = ()> {
    /// The referent.
    type It: ?Sized;
}

impl<T: ?Sized, C: ?Sized> Referred<C> for &T {
    type It = T;
}

/// The body of the form of a hook that the node does not have.
pub fn never_called<T>() -> T {
    unreachable!("chain!: a hook that never suspends is called, not awaited")
}

/// The size in bytes of what a function of two arguments returns.
pub const fn future_of_2<A, B, F>(_: fn(A, B) -> F) -> usize {
    size_of::<F>()
}
