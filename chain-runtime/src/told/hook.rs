//! The hooks of a node whose signatures `chain!` knows, called with their arguments and without a scope.
//!
//! A user's hooks are private as a rule, so a chain elsewhere cannot call them: `#[node]` implements these traits beside
//! them. `With` is a tuple of the arguments. It is a parameter of the trait, so that nothing turns into another type on
//! the way, and so that it may have private types in it. `SHAPE` stands for the signature that the chain was told.

use core::future::Future;

use crate::Signature;

/// A way in that never suspends.
#[diagnostic::on_unimplemented(
    message = "chain[E101]: `{Self}` is not lent what its `enter` asks for: the types are only written alike",
    label = "asks for other types",
    note = "two types have one name: let both nodes import the same one, or give one of them another name"
)]
pub trait EntersNow<'r, With, const SHAPE: u64>: Signature<'r> {
    /// Calls `enter`.
    fn enter(&'r self, with: With) -> Self::Out;
}

/// A way in that is awaited.
#[diagnostic::on_unimplemented(
    message = "chain[E101]: `{Self}` is not lent what its `enter` asks for: the types are only written alike",
    label = "asks for other types",
    note = "two types have one name: let both nodes import the same one, or give one of them another name"
)]
pub trait EntersLater<'r, With, const SHAPE: u64>: Signature<'r> {
    /// Calls `enter`.
    fn enter(&'r self, with: With) -> impl Future<Output = Self::Out>;
}

/// A way out that never suspends.
#[diagnostic::on_unimplemented(
    message = "chain[E313]: `{Self}` is not lent what its `exit` asks for: the types are only written alike",
    label = "asks for other types",
    note = "two types have one name: let both nodes import the same one, or give one of them another name"
)]
pub trait ExitsNow<'r, With, const SHAPE: u64> {
    /// Calls `exit`.
    fn exit(&'r self, with: With);
}

/// A way out that is awaited.
#[diagnostic::on_unimplemented(
    message = "chain[E313]: `{Self}` is not lent what its `exit` asks for: the types are only written alike",
    label = "asks for other types",
    note = "two types have one name: let both nodes import the same one, or give one of them another name"
)]
pub trait ExitsLater<'r, With, const SHAPE: u64> {
    /// Calls `exit`.
    fn exit(&'r self, with: With) -> impl Future<Output = ()>;
}
