//! What a node takes by value is needed by no node after it, and by no way out of a node before it.

use super::blocks::either_or;
use super::message::Message;
use crate::describe::{Access, BlockInfo, BlockKind, ChainInfo, Need, NodeInfo, Source, SourceKind};

/// Nothing is needed after it was taken.
#[track_caller]
pub(super) const fn gone(chain: &ChainInfo, node: &NodeInfo) {
    let mut at = 0;
    while at < node.needs.len() {
        let need = &node.needs[at];
        if let Some(taker) = taker(chain, need, node, node.position, false) {
            // The error goes to the next node that needs it. An error at the nodes after that would say the same, and
            // so would one beside that of a node that provides anew what it takes.
            if !taker.facts.gives_what_it_takes && !is_needed_between(chain, need, taker.position, node) {
                let message = Message::of("E107").code(node.name).text(" needs ").code(need.ty).text(", but ");
                let message = message.code(taker.name).text(" before it takes it by value: let ").code(taker.name);
                panic!("{}", message.text(" borrow it, or come after ").code(node.name).as_str());
            }
        }
        at += 1;
    }
    // A node is left at the end of its block.
    let end = match node.block {
        Some(block) => chain.blocks[block].end,
        None => chain.nodes.len(),
    };
    let mut at = 0;
    while at < node.exit_needs.len() {
        let need = &node.exit_needs[at];
        if let Some(taker) = taker(chain, need, node, end, true) {
            if is_of(&need.from, node) {
                let message = Message::of("E108").code(node.name).text(" needs the ").code(need.ty);
                let message = message.text(" that it provides on its way out, but ").code(taker.name);
                let message = message.text(" takes it by value: let ").code(taker.name);
                let message = message.text(" borrow it, or let a node before ").code(node.name);
                panic!("{}", message.text(" provide what the way out needs").as_str());
            }
            let message =
                Message::of("E108").code(node.name).text(" needs ").code(need.ty).text(" on its way out, but ");
            let message = message.code(taker.name).text(" takes it by value: let ").code(taker.name);
            let message = message.text(" borrow it, or let ").code(node.name);
            panic!("{}", message.text(" provide what it needs of it").as_str());
        }
        at += 1;
    }
}

/// What the `cancelled` of a node asks for of what the node provides, stays with the node until it is left.
#[track_caller]
pub(super) const fn cancelled(chain: &ChainInfo, node: &NodeInfo) {
    if !node.facts.lends_to_cancelled {
        return;
    }
    let mut position = node.position + 1;
    while position < chain.nodes.len() {
        let taker = &chain.nodes[position];
        let mut at = 0;
        while at < taker.needs.len() {
            let need = &taker.needs[at];
            // A hook's value cannot be given back, which is reported there.
            let is_taken = matches!(need.access, Access::Taken) && !is_back(taker, need, false);
            if is_taken && is_of(&need.from, node) {
                let message = Message::of("E122").code(taker.name).text(" takes the ").code(need.ty).text(" that ");
                let message = message.code(node.name).text(" provides, but ").code(node.name);
                let message = message.text(" has a `cancelled` that is lent it until ").code(node.name);
                let message = message.text(" is left: let ").code(taker.name);
                panic!("{}", message.text(" borrow it, or let `cancelled` do without it").as_str());
            }
            at += 1;
        }
        position += 1;
    }
}

/// Whether what `need` takes, would be gone when `block` runs again: it comes from outside of it. (A node in a wrapped block
/// that gives back what it takes from outside is refused by itself.)
pub(super) const fn would_be_gone(chain: &ChainInfo, block: &BlockInfo, node: &NodeInfo, need: &Need) -> bool {
    let from = &need.from;
    if is_back(node, need, false) {
        return false;
    }
    match (need.access, from.kind) {
        (Access::Taken, SourceKind::Node | SourceKind::Skippable) => from.position < block.first,
        // A pattern in the block binds it anew, and one around the block does not. Where there is none around, it is
        // one in it.
        (Access::Taken, SourceKind::Binding) => {
            let mut around = block.parent;
            while let Some(at) = around {
                if matches!(chain.blocks[at].kind, BlockKind::Arm) {
                    return true;
                }
                around = chain.blocks[at].parent;
            }
            false
        }
        (Access::Taken, SourceKind::Block) => chain.blocks[from.position].first < block.first,
        (Access::Taken, _) => true,
        (Access::Lent | Access::LentMut, _) => false,
    }
}

/// Whether the node provides it.
const fn is_of(from: &Source, node: &NodeInfo) -> bool {
    matches!(from.kind, SourceKind::Node | SourceKind::Skippable) && from.position == node.position
}

/// Whether both are one thing that can be taken: an input, what a node or a block provides, or what a pattern binds.
const fn is_one_thing(one: &Source, other: &Source) -> bool {
    use SourceKind::{Binding, Block, Input, Node, Skippable};
    let kinds = (one.kind, other.kind);
    let is_one_kind =
        matches!(kinds, (Input, Input) | (Block, Block) | (Binding, Binding) | (Node | Skippable, Node | Skippable));
    is_one_kind && one.position == other.position
}

/// The first node in this range that takes the value for which `need` of `node` asks, in a run that comes to `node`.
const fn taker(
    chain: &ChainInfo,
    need: &Need,
    node: &NodeInfo,
    end: usize,
    way_out: bool,
) -> Option<&'static NodeInfo> {
    let mut position = 0;
    while position < end {
        let needs = chain.nodes[position].needs;
        let mut at = 0;
        while at < needs.len() {
            let other = &needs[at];
            let takes = matches!(other.access, Access::Taken) && is_one_thing(&other.from, &need.from);
            if takes
                && !is_back(&chain.nodes[position], other, way_out && position > node.position)
                && !either_or(chain, &chain.nodes[position], node)
            {
                return Some(&chain.nodes[position]);
            }
            at += 1;
        }
        position += 1;
    }
    None
}

/// Whether the value that `need` takes is there again after the node. For the way out of a node before it, it is so only if
/// the node cannot break.
const fn is_back(node: &NodeInfo, need: &Need, way_out: bool) -> bool {
    let Some(provides) = node.facts.provides else { return false };
    let (one, other) = (provides.as_bytes(), need.ty.as_bytes());
    let mut is_back = node.facts.gives_back && one.len() == other.len() && !(way_out && node.facts.breaks.is_some());
    let mut at = 0;
    while is_back && at < one.len() {
        is_back = one[at] == other[at];
        at += 1;
    }
    is_back
}

/// Whether a node between this position and `node` needs the same thing, in a run that comes to `node`.
const fn is_needed_between(chain: &ChainInfo, need: &Need, after: usize, node: &NodeInfo) -> bool {
    let mut position = after + 1;
    while position < node.position {
        let needs = chain.nodes[position].needs;
        let mut at = 0;
        while at < needs.len() {
            let other = &needs[at].from;
            if is_one_thing(other, &need.from) && !either_or(chain, &chain.nodes[position], node) {
                return true;
            }
            at += 1;
        }
        position += 1;
    }
    false
}
