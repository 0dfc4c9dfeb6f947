//! Checks that the type system cannot express. They run while constants are evaluated.
//!
//! When they run, rustc has found a source for every need. They check the *order*: a provider that comes too late, an
//! input that is gone. Each check panics with one sentence. The `chain!` macro puts the call at the node's token, and
//! `#[track_caller]` leads the error there.

mod attributes;
mod blocks;
mod budget;
mod gives;
mod message;
mod moves;
mod order;
mod places;
mod promises;
pub mod shed;
mod taken;
pub mod tasks;
pub mod twice;

use crate::describe::{Access, ChainInfo, NodeInfo};

pub use attributes::{
    can_be_late, can_break, is_observer, needs_a_timer, needs_chance, needs_counters, observes, spawns, switches,
};
pub use budget::budget;
pub use gives::{
    breaks, breaks_show, decides, ends, given_in_vain, gives, provides, shows, shows_a_break, shows_itself,
};
pub use moves::{
    ReplyMoves, ValueMoves, around_moves, field_moves, future_moves, input_moves, reply_moves, value_moves,
};
pub use places::{around, function, last, predicate, scrutinee, step, way_out_of_fn};

/// Whether any of the nodes takes what it needs by value. If none does, no input can be gone, and no node has to be
/// asked about it.
pub const fn takes(nodes: &[NodeInfo]) -> bool {
    let mut position = 0;
    while position < nodes.len() {
        let needs = nodes[position].needs;
        let mut at = 0;
        while at < needs.len() {
            if matches!(needs[at].access, Access::Taken) {
                return true;
            }
            at += 1;
        }
        position += 1;
    }
    false
}

/// Makes all checks for which the node at `position` would be to blame. `takes` is the answer of [`takes()`] for the
/// chain.
///
/// # Panics
///
/// It panics in a constant, so while compiling, with the error that the user reads.
#[track_caller]
pub const fn node(chain: &ChainInfo, position: usize, takes: bool) {
    let node = &chain.nodes[position];
    order::order(chain, node, node.needs, false);
    order::order(chain, node, node.exit_needs, true);
    order::overlap(node, node.needs);
    order::overlap(node, node.exit_needs);
    order::emptied(chain, node, node.needs);
    order::emptied(chain, node, node.exit_needs);
    places::ending(chain, node);
    promises::wanted(chain, node);
    promises::once(chain, node);
    if takes {
        taken::gone(chain, node);
        taken::cancelled(chain, node);
        promises::rejects(chain, node);
    }
}

/// Says that a node for which nothing waits returns nothing.
#[diagnostic::on_unimplemented(
    message = "chain[E515]: nobody waits for `{N}`, so nobody would see what it returns, a `{Self}`",
    label = "returns a `{Self}`",
    note = "let it return `()`, or write `#[cancel(finish)]`, which waits for it"
)]
pub trait Forgotten<N: ?Sized> {
    /// Is `()`.
    fn nothing() -> Self;
}

#[diagnostic::do_not_recommend]
impl<N: ?Sized> Forgotten<N> for () {
    #[inline(always)]
    fn nothing() {}
}

/// Says that the value of a node is a condition.
#[diagnostic::on_unimplemented(
    message = "chain[E407]: `{N}` gives a `{Self}`, but a condition is a `bool`",
    label = "gives a `{Self}`",
    note = "let it return `bool`, or write `if let Pattern = {N}` or `match {N} {{ .. }}`"
)]
pub trait Condition<N: ?Sized> {
    /// Whether the condition holds.
    fn holds(self) -> bool;
}

#[diagnostic::do_not_recommend]
impl<N: ?Sized> Condition<N> for bool {
    #[inline(always)]
    fn holds(self) -> bool {
        self
    }
}
