//! What no value in a scope may be.

use core::ops::ControlFlow;
use core::task::Poll;

use super::Place;
use crate::describe::{Source, SourceKind};

/// Says that no value in the scope of the chain `C` may be of this type: of a `Result`, a `ControlFlow` or a `Poll`, as
/// far as the chain refuses these.
///
/// `chain!` implements for all such types what says that a scope has them, before all other impls. Beside those types, that
/// is a conflict only for a type that does not exist: it is to rustc any other type.
///
/// The chain is a parameter, so that rustc knows all implementations for types of other crates.
pub trait Refused<C: ?Sized, const RESULT: bool, const FLOW: bool, const POLL: bool> {}

impl<C: ?Sized, T, E, const FLOW: bool, const POLL: bool> Refused<C, true, FLOW, POLL> for Result<T, E> {}
impl<C: ?Sized, B, T, const RESULT: bool, const POLL: bool> Refused<C, RESULT, true, POLL> for ControlFlow<B, T> {}
impl<C: ?Sized, T, const RESULT: bool, const FLOW: bool> Refused<C, RESULT, FLOW, true> for Poll<T> {}

/// The source of what does not exist.
pub const NOWHERE: Source = Source { kind: SourceKind::Node, position: 0, name: "" };

/// What no value is, and its place.
#[derive(Debug)]
pub struct Nothing;

impl<'s> Place<'s, Nothing> for Nothing {
    fn share(self) -> &'s Nothing {
        unreachable!("no value in a scope has this type")
    }
}
