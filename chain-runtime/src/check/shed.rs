//! What `#[shed(..)]` asks for.

use super::Message;
use crate::describe::{ChainInfo, NodeInfo};
use crate::shed::{How, MAX, Of, ShedInfo};

/// One of the fields says at which level the chain is.
///
/// # Panics
///
/// In a constant, so while compiling.
#[track_caller]
pub const fn place(first: &str, fields: &[bool]) {
    if !one_of(fields) {
        let message = Message::new().text("nothing in this chain says at which level it is, and so when ").code(first);
        let message = message.text(" is shed: add a field `shedding: Shedding` to the struct");
        panic!("{}", message.text(" (`chain_runtime::Shedding`, made by `Shedding::new()`)").as_str());
    }
}

/// One of the fields has the queue behind the request.
///
/// # Panics
///
/// In a constant, so while compiling. Not without the feature that the queue needs: that is said by [`needs_tasks`].
#[track_caller]
pub const fn queue(first: &str, fields: &[bool]) {
    if cfg!(feature = "tokio") && !one_of(fields) {
        let message = Message::new().text("there is no queue for the work of ").code(first);
        let message = message.text(" behind the request: add a field `tasks: Tasks` to the struct");
        panic!("{}", message.text(" (`chain_runtime::tasks::Tasks`, made by `Tasks::new(64)`)").as_str());
    }
}

/// Whether one of these fields is what is looked for.
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

/// A word has room for it. The first that has none is told.
///
/// # Panics
///
/// In a constant, so while compiling.
#[track_caller]
pub const fn fits(index: usize) {
    if index == MAX {
        let message =
            Message::new().text("this is shed number ").number(MAX + 1).text(", and a chain has ").number(MAX);
        panic!("{}", message.text(" at most: shed a block, `#[shed(high)] { a => b }`").as_str());
    }
}

/// What `sample` needs.
///
/// # Panics
///
/// In a constant, so while compiling.
#[track_caller]
pub const fn needs_chance() {
    if cfg!(not(feature = "sample")) {
        panic!("`#[shed(.., sample = ..)]` needs the feature `sample` of chain-runtime: enable it in Cargo.toml");
    }
}

/// What `detach` needs.
///
/// # Panics
///
/// In a constant, so while compiling.
#[track_caller]
pub const fn needs_tasks() {
    if cfg!(not(feature = "tokio")) {
        panic!("`#[shed(.., detach)]` needs the feature `tokio` of chain-runtime: enable it in Cargo.toml");
    }
}

/// What goes behind the request returns nothing to it, and is not left.
///
/// # Panics
///
/// In a constant, so while compiling.
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

/// Which of what is shed the node at this position is.
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
    let message = Message::new().code(node.name).text(" may go behind the request, from ");
    message.code(shed.from.name()).text(" on")
}
