//! The contents of a chain's rows, as they are written: for its drawings.

use super::{BlockInfo, BlockKind, ChainInfo};

/// An item of a row. The numbers are the positions of nodes, and then the indices of blocks.
#[derive(Clone, Copy)]
pub(crate) enum Item {
    Node(usize),
    Around(usize, usize),
    Braces(usize),
    /// With the node whose value decides, if a node's value does, and with the first arm.
    Branch(Option<usize>, usize),
}

/// The items of a row, in order.
pub(crate) struct Items<'a> {
    chain: &'a ChainInfo,
    of: Option<usize>,
    /// The positions that are not visited yet.
    next: usize,
    end: usize,
    /// The blocks that are not visited yet.
    block: usize,
}

impl<'a> Items<'a> {
    pub(crate) fn of(chain: &'a ChainInfo, of: Option<usize>) -> Self {
        let (next, end) = of.map_or((0, chain.nodes.len()), |of| (chain.blocks[of].first, chain.blocks[of].end));
        Self { chain, of, next, end, block: of.map_or(0, |of| of + 1) }
    }

    /// The next block of this row.
    fn next_block(&self) -> Option<(usize, &'a BlockInfo)> {
        let blocks = self.chain.blocks.iter().enumerate().skip(self.block);
        blocks.into_iter().find(|(_, block)| block.parent == self.of)
    }

    /// Goes on after this block and the arms beside it.
    fn behind(&mut self, first: usize) {
        for (at, block) in self.chain.blocks.iter().enumerate().skip(first) {
            if at == first || (block.beside == Some(first) && block.parent == self.of) {
                self.block = at + 1;
                self.next = self.next.max(block.end);
            }
        }
    }
}

impl Iterator for Items<'_> {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        let node = self.chain.nodes[..self.end].get(self.next);
        match (self.next_block(), node) {
            // A block that begins here, and that no node of this row heads.
            (Some((at, block)), _) if block.head.is_none() && block.first <= self.next => {
                self.behind(at);
                Some(if block.kind == BlockKind::Arm { Item::Branch(None, at) } else { Item::Braces(at) })
            }
            (Some((at, block)), Some(node)) if block.head == Some(node.position) => {
                self.next = node.position + 1;
                self.behind(at);
                let head = node.position;
                Some(if block.kind == BlockKind::Around {
                    Item::Around(head, at)
                } else {
                    Item::Branch(Some(head), at)
                })
            }
            (_, Some(node)) => {
                self.next = node.position + 1;
                Some(Item::Node(node.position))
            }
            (_, None) => None,
        }
    }
}

/// The arms of a branch.
pub(crate) fn arms(chain: &ChainInfo, first: usize) -> impl Iterator<Item = (usize, &BlockInfo)> {
    chain.blocks.iter().enumerate().skip(first).filter(move |(_, block)| block.beside == Some(first))
}
