//! Checks what `#[shed(..)]` needs.

use super::message::Message;
use crate::describe::{ChainInfo, NodeInfo};
use crate::shed::{How, MAX, Of, ShedInfo};

/// One of the fields has to say at which level the chain is.
///
/// # Panics
///
/// It panics in a constant, so while compiling.
#[track_caller]
pub const fn place(first: &str, fields: &[bool]) {
    if !one_of(fields) {
        let message =
            Message::of("E712").text("nothing in this chain says at which level it is, and so when ").code(first);
        let message = message.text(" is shed: add a field `shedding: Shedding` to the struct");
        panic!("{}", message.text(" (`chain_runtime::Shedding`, made by `Shedding::new()`)").as_str());
    }
}

/// One of the fields has to have the queue behind the request.
///
/// # Panics
///
/// It panics in a constant, so while compiling. It does not panic without the feature that the queue needs:
/// [`needs_tasks`] reports that.
#[track_caller]
pub const fn queue(first: &str, fields: &[bool]) {
    if cfg!(feature = "tokio") && !one_of(fields) {
        let message = Message::of("E716").text("there is no queue for the work of ").code(first);
        let message = message.text(" behind the request: add a field `tasks: Tasks` to the struct");
        panic!("{}", message.text(" (`chain_runtime::tasks::Tasks`, made by `Tasks::new(64)`)").as_str());
    }
}

/// Whether one of these fields is the one that is looked for.
pub(super) const fn one_of(fields: &[bool]) -> bool {
    let mut at = 0;
    while at < fields.len() {
        if fields[at] {
            return true;
        }
        at += 1;
    }
    false
}

/// A word has to have room for it. The error goes to the first that finds none.
///
/// # Panics
///
/// It panics in a constant, so while compiling.
#[track_caller]
pub const fn fits(index: usize) {
    if index == MAX {
        let message =
            Message::of("E714").text("this is shed number ").number(MAX + 1).text(", and a chain has ").number(MAX);
        panic!("{}", message.text(" at most: shed a block, `#[shed(high)] { a => b }`").as_str());
    }
}

/// What `sample` needs.
///
/// # Panics
///
/// It panics in a constant, so while compiling.
#[track_caller]
pub const fn needs_chance() {
    if cfg!(not(feature = "sample")) {
        panic!(
            "chain[E512]: `#[shed(.., sample = ..)]` needs the feature `sample` of chain-runtime: enable it in Cargo.toml"
        );
    }
}

/// What `detach` needs.
///
/// # Panics
///
/// It panics in a constant, so while compiling.
#[track_caller]
pub const fn needs_tasks() {
    if cfg!(not(feature = "tokio")) {
        panic!(
            "chain[E512]: `#[shed(.., detach)]` needs the feature `tokio` of chain-runtime: enable it in Cargo.toml"
        );
    }
}

/// Work that goes behind the request can return nothing to it, and its node is not left.
///
/// # Panics
///
/// It panics in a constant, so while compiling.
#[track_caller]
pub const fn behind(chain: &ChainInfo, position: usize) {
    let node = &chain.nodes[position];
    let message = match of(chain, position) {
        Some(shed) => may_go_behind(node, shed),
        None => return,
    };
    if node.facts.exit.is_present() || node.facts.cancelled {
        let hook = if node.facts.exit.is_present() { "exit" } else { "cancelled" };
        let message =
            message.text(", but has ").code(hook).text(", which would come before it: do what that does in a");
        panic!("{}", message.text(" node of its own, or leave `detach` out").as_str());
    }
    let message = match (node.facts.provides, node.facts.breaks) {
        (Some(ty), _) => message.text(", where nobody sees what it returns, a ").code(ty),
        (None, Some(ty)) => message.text(", where nobody sees what it breaks with, a ").code(ty),
        (None, None) => return,
    };
    panic!("{}", message.text(": let it return `()`, or leave `detach` out").as_str());
}

/// Whether the node may go behind the request.
pub(super) const fn goes_behind(chain: &ChainInfo, position: usize) -> bool {
    matches!(of(chain, position), Some(ShedInfo { how: How::Behind, .. }))
}

/// The entry among the sheds for the node at this position.
pub(super) const fn of(chain: &ChainInfo, position: usize) -> Option<&'static ShedInfo> {
    let mut at = 0;
    while at < chain.sheds.len() {
        if matches!(chain.sheds[at].of, Of::Node(node) if node == position) {
            return Some(&chain.sheds[at]);
        }
        at += 1;
    }
    None
}

const fn may_go_behind(node: &NodeInfo, shed: &ShedInfo) -> Message {
    let message = Message::of("E715").code(node.name).text(" may go behind the request, from ");
    message.code(shed.from.name()).text(" on")
}
