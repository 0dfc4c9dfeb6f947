//! Where blocks begin and end, what they provide, and which of them no run comes to together.

use crate::describe::{BlockInfo, BlockKind, ChainInfo, Need, NodeInfo, SourceKind};

/// The position of the first node of this block, or of the node whose value says which of its arms runs.
pub(super) const fn first(chain: &ChainInfo, block: usize) -> usize {
    let BlockInfo { first, head, .. } = chain.blocks[block];
    match head {
        Some(head) => head,
        None => first,
    }
}

/// The position behind the last node of this block and of the arms beside it.
pub(super) const fn end(chain: &ChainInfo, block: usize) -> usize {
    let (mut end, mut at) = (chain.blocks[block].end, block + 1);
    while at < chain.blocks.len() {
        let is_beside = matches!(chain.blocks[at].beside, Some(first) if first == block);
        if is_beside && chain.blocks[at].end > end {
            end = chain.blocks[at].end;
        }
        at += 1;
    }
    end
}

/// Whether one of these needs is for what this node gave, through a block that it ends.
pub(super) const fn hand_on(chain: &ChainInfo, position: usize, needs: &[Need]) -> bool {
    let mut block = chain.nodes[position].block;
    while let Some(at) = block {
        let info = &chain.blocks[at];
        if info.end != position + 1 {
            return false;
        }
        if info.provides.is_some() {
            return asks(
                needs,
                match info.beside {
                    Some(first) => first,
                    None => at,
                },
            );
        }
        block = info.parent;
    }
    false
}

const fn asks(needs: &[Need], block: usize) -> bool {
    let mut at = 0;
    while at < needs.len() {
        if matches!(needs[at].from.kind, SourceKind::Block) && needs[at].from.position == block {
            return true;
        }
        at += 1;
    }
    false
}

/// Whether no run comes to both: they stand in two arms of one branch.
pub(super) const fn either_or(chain: &ChainInfo, one: &NodeInfo, other: &NodeInfo) -> bool {
    let mut ones = one.block;
    while let Some(at) = ones {
        let block = &chain.blocks[at];
        if matches!(block.kind, BlockKind::Arm) {
            let mut others = other.block;
            while let Some(beside) = others {
                let arm = &chain.blocks[beside];
                if at != beside && matches!(arm.kind, BlockKind::Arm) && same(block.beside, arm.beside) {
                    return true;
                }
                others = arm.parent;
            }
        }
        ones = block.parent;
    }
    false
}

pub(super) const fn is(position: Option<usize>, other: usize) -> bool {
    matches!(position, Some(position) if position == other)
}

const fn same(one: Option<usize>, other: Option<usize>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if one == other)
}
