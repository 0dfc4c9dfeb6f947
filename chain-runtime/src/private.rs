//! What generated code names, so that it works without a prelude and whatever the user's names shadow.

pub use core::future::Future;
pub use core::marker::{PhantomData, Sized};
pub use core::mem::size_of;
pub use core::ops::ControlFlow;
pub use core::option::Option::{self, None, Some};
pub use core::pin::pin;
pub use core::result::Result::{self, Err, Ok};
pub use core::{file, line, unreachable};

/// Hands out what a scope holds, once. `chain!` has checked that it is there.
#[inline(always)]
pub fn taken<T>(slot: &mut Option<T>) -> T {
    slot.take().expect("chain!: a value was asked for before it was provided")
}

/// Stands for a node that has errors.
pub fn no_node<T>() -> T {
    unreachable!()
}

/// That the node `N` never suspends.
#[inline(always)]
pub const fn fits_fn<Pace: crate::node::pace::FitsFn<N>, N: ?Sized>() {}

/// Bytes of what a function of two arguments returns.
pub const fn future_of_2<A, B, F>(_: fn(A, B) -> F) -> usize {
    size_of::<F>()
}
