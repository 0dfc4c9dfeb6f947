//! Where a node may stand: at the end, before a block, in a condition, in a chain that is a plain `fn`.

use super::blocks::is;
use super::message::Message;
use super::taken;
use crate::describe::{BlockKind, ChainInfo, NodeInfo, SourceKind, Wraps};

/// A node that gives the reply has to end the chain.
///
/// # Panics
///
/// It panics in a constant, so while compiling.
#[track_caller]
pub const fn last(chain: &ChainInfo, position: usize) {
    let node = &chain.nodes[position];
    let (end, replies) = match node.block {
        Some(block) => (chain.blocks[block].end, chain.blocks[block].replies),
        None => (chain.nodes.len(), true),
    };
    if node.facts.last && !(replies && position + 1 == end) {
        let message = Message::of("E209").code(node.name).text(" gives the reply, but the chain goes on after it: ");
        let message = message.text("end the chain with ").code(node.name);
        panic!("{}", message.text(", and do what comes after in the `exit` of a node before it").as_str());
    }
}

/// In a block that goes on there is no ending.
#[track_caller]
pub(super) const fn ending(chain: &ChainInfo, node: &NodeInfo) {
    let goes_on = match node.block {
        Some(block) => !chain.blocks[block].replies,
        None => false,
    };
    let mut at = 0;
    while goes_on && at < node.exit_needs.len() {
        if matches!(node.exit_needs[at].from.kind, SourceKind::Ending) {
            let message =
                Message::of("E314").code(node.name).text(" asks how the chain ended, but it is left before that: ");
            panic!("{}", message.text("its block goes on. Move it before the block").as_str());
        }
        at += 1;
    }
}

/// A node that wraps a block has to stand before one.
///
/// # Panics
///
/// It panics in a constant, so while compiling.
#[track_caller]
pub const fn step(nodes: &[NodeInfo], position: usize) {
    let node = &nodes[position];
    if node.facts.around.a_block() {
        let message = Message::of("E410").code(node.name).text(" wraps a block, and has none here: write `");
        panic!("{}", message.text(node.name).text(" { .. }` around the nodes that it is for").as_str());
    }
}

/// A node that runs a block again has to find the scope as it was.
///
/// # Panics
///
/// It panics in a constant, so while compiling.
#[track_caller]
pub const fn around(chain: &ChainInfo, position: usize) {
    let node = &chain.nodes[position];
    if !matches!(node.facts.around, Wraps::Again) {
        return;
    }
    let mut at = 0;
    while at < chain.blocks.len() {
        let block = &chain.blocks[at];
        if is(block.head, position) && matches!(block.kind, BlockKind::Around) {
            let mut inner = block.first;
            while inner < block.end {
                let needs = chain.nodes[inner].needs;
                let mut need = 0;
                while need < needs.len() {
                    if taken::would_be_gone(chain, block, &chain.nodes[inner], &needs[need]) {
                        let message = Message::of("E412").code(node.name).text(" may run its block again, but ");
                        let message = message.code(chain.nodes[inner].name).text(" in it takes ").code(needs[need].ty);
                        let message =
                            message.text(" by value, so it would be gone: let ").code(chain.nodes[inner].name);
                        panic!("{}", message.text(" borrow it").as_str());
                    }
                    need += 1;
                }
                inner += 1;
            }
        }
        at += 1;
    }
}

/// A node whose value is taken apart cannot have a hook that needs the value.
///
/// # Panics
///
/// It panics in a constant, so while compiling.
#[track_caller]
pub const fn scrutinee(nodes: &[NodeInfo], position: usize) {
    let node = &nodes[position];
    step(nodes, position);
    if node.facts.cancelled {
        let message =
            Message::of("E409").code(node.name).text(" has `cancelled`, but what it gives is taken apart here: ");
        panic!("{}", message.text("branch on what a node without `cancelled` gives").as_str());
    }
}

/// A node that only decides whether another one runs is left at once, so it cannot have a hook that runs later.
///
/// # Panics
///
/// It panics in a constant, so while compiling.
#[track_caller]
pub const fn predicate(nodes: &[NodeInfo], position: usize) {
    let node = &nodes[position];
    step(nodes, position);
    if node.facts.exit.is_present() || node.facts.cancelled {
        let hook = if node.facts.cancelled { "cancelled" } else { "exit" };
        let message =
            Message::of("E413").code(node.name).text(" only says whether another node runs, but has ").code(hook);
        panic!("{}", message.text(": ask a node that has neither `exit` nor `cancelled`").as_str());
    }
    if cfg!(not(feature = "split")) && is_split(node.facts.name) {
        panic!("chain[E512]: `#[split(..)]` needs the feature `split` of chain-runtime: enable it in Cargo.toml");
    }
}

const fn is_split(name: &str) -> bool {
    matches!(name.as_bytes(), b"split")
}

/// A node that is named like a function has no `exit` and no `cancelled`: the chain has no way out for it.
///
/// # Panics
///
/// It panics in a constant, so while compiling.
#[track_caller]
pub const fn function(nodes: &[NodeInfo], position: usize) {
    let node = &nodes[position];
    if node.facts.exit.is_present() || node.facts.cancelled {
        let hook = if node.facts.cancelled { "cancelled" } else { "exit" };
        let message = Message::of("E322").code(node.name).text(" is named like a function, but has ").code(hook);
        panic!("{}", message.text(": begin its type's name with a capital letter, or make it a field").as_str());
    }
}

/// Refuses a way out that would have to be awaited, in a chain that is a plain `fn`.
///
/// # Panics
///
/// It panics in a constant, so while compiling.
#[track_caller]
pub const fn way_out_of_fn(nodes: &[NodeInfo], position: usize) {
    let node = &nodes[position];
    if node.facts.exit.suspends() {
        let message =
            Message::of("E210").text("`exit` of ").code(node.name).text(" is `async`, but this chain is declared ");
        panic!("{}", message.text("`fn`: declare the chain `async fn(..)`, or make `exit` a plain `fn`").as_str());
    }
}
