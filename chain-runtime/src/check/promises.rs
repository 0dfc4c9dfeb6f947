//! Checks what `#[node(..)]` promises of a node against the chain in which the node stands.

use super::blocks;
use super::blocks::either_or;
use super::message::Message;
use crate::describe::{Access, BlockKind, ChainInfo, Need, NodeInfo, SourceKind, Wraps};

/// A node that turns requests away has to do so before any work is done for them. A value that was taken before would
/// have been taken in vain.
#[track_caller]
pub(super) const fn rejects(chain: &ChainInfo, node: &NodeInfo) {
    let mut position = 0;
    while node.facts.rejects && position < node.position {
        let before = &chain.nodes[position];
        let mut at = 0;
        while at < before.needs.len() {
            let need = &before.needs[at];
            let takes_an_input = matches!((need.access, need.from.kind), (Access::Taken, SourceKind::Input));
            if takes_an_input && !either_or(chain, before, node) {
                let message = Message::of("E704").code(node.name).text(" turns requests away, but ").code(before.name);
                let message = message.text(" before it has taken ").code(need.ty).text(": put ").code(node.name);
                panic!("{}", message.text(" before ").code(before.name).as_str());
            }
            at += 1;
        }
        position += 1;
    }
}

/// A value that is provided for other nodes has to be asked for by one.
#[track_caller]
pub(super) const fn wanted(chain: &ChainInfo, node: &NodeInfo) {
    let Some(provides) = node.facts.provides else { return };
    if !node.facts.wanted {
        return;
    }
    let mut position = node.position + 1;
    while position < chain.nodes.len() {
        let later = &chain.nodes[position];
        let is_handed_on = blocks::hand_on(chain, node.position, later.needs)
            || blocks::hand_on(chain, node.position, later.exit_needs);
        if is_handed_on || has(later.needs, node.position) || has(later.exit_needs, node.position) {
            return;
        }
        position += 1;
    }
    let message = Message::of("E705")
        .code(node.name)
        .text(" provides a ")
        .code(provides)
        .text(", which no node after it asks for: ");
    panic!("{}", message.text("add the one that does, or leave ").code(node.name).text(" out").as_str());
}

/// Whether one of these needs is met by the node at this position.
const fn has(needs: &[Need], position: usize) -> bool {
    let mut at = 0;
    while at < needs.len() {
        let from = needs[at].from;
        if matches!(from.kind, SourceKind::Node | SourceKind::Skippable) && from.position == position {
            return true;
        }
        at += 1;
    }
    false
}

/// A node that stands for the whole request has to stand before the blocks that run again.
#[track_caller]
pub(super) const fn once(chain: &ChainInfo, node: &NodeInfo) {
    let mut block = node.block;
    while let (true, Some(at)) = (node.facts.once, block) {
        let around = &chain.blocks[at];
        if let (BlockKind::Around, Some(head)) = (around.kind, around.head) {
            let head = &chain.nodes[head];
            if matches!(head.facts.around, Wraps::Again) {
                let message =
                    Message::of("E706").code(node.name).text(" would begin anew each time that ").code(head.name);
                let message = message.text(" runs its block again: put ").code(node.name).text(" before ");
                panic!("{}", message.code(head.name).as_str());
            }
        }
        block = around.parent;
    }
}
