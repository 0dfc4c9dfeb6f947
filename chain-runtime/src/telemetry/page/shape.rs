//! The chain as it is written.

use std::vec::Vec;

use serde::Serialize;

use crate::describe::rows::{Item, Items, arms};
use crate::describe::{ChainInfo, NodeInfo, Role};

/// Everything that does not change while the chain serves.
#[derive(Serialize)]
pub(super) struct Shape<'a> {
    name: &'static str,
    reply: &'static str,
    inputs: Vec<&'static str>,
    nodes: Vec<Node>,
    row: Vec<Place>,
    notice: &'a str,
    links: &'a [(&'a str, &'a str)],
}

#[derive(Serialize)]
struct Node {
    name: &'static str,
    role: &'static str,
    /// Whether it has a way out.
    exits: bool,
    attributes: &'static str,
    provides: Option<&'static str>,
    breaks: Option<&'static str>,
    at: (&'static str, u32),
}

/// An item of a row: a node, a node around a block, a block alone, or a node with its arms.
#[derive(Serialize)]
struct Place {
    node: Option<usize>,
    blocks: Vec<Block>,
    /// Whether the blocks are arms, of which one runs.
    arms: bool,
}

#[derive(Serialize)]
struct Block {
    index: usize,
    label: &'static str,
    row: Vec<Place>,
}

impl<'a> Shape<'a> {
    pub(super) fn of(chain: &'static ChainInfo, notice: &'a str, links: &'a [(&'a str, &'a str)]) -> Self {
        Self {
            name: chain.name,
            reply: chain.reply,
            inputs: chain.inputs.iter().map(|(name, _)| *name).collect(),
            nodes: chain.nodes.iter().map(Node::of).collect(),
            row: row(chain, None),
            notice,
            links,
        }
    }
}

impl Node {
    fn of(info: &'static NodeInfo) -> Self {
        let role = match info.role {
            Role::Step => "step",
            Role::Around => "around",
            Role::Branch => "branch",
            Role::Condition => "condition",
        };
        Self {
            name: info.name,
            role,
            exits: info.facts.exit.is_present(),
            attributes: info.attributes,
            provides: info.facts.provides.filter(|_| info.role != Role::Condition),
            breaks: info.facts.breaks,
            at: (info.file, info.line),
        }
    }
}

fn row(chain: &'static ChainInfo, of: Option<usize>) -> Vec<Place> {
    let block = |index: usize| Block { index, label: chain.blocks[index].label, row: row(chain, Some(index)) };
    let place = |item| match item {
        Item::Node(node) => Place { node: Some(node), blocks: Vec::new(), arms: false },
        Item::Around(node, of_it) => Place { node: Some(node), blocks: [block(of_it)].into(), arms: false },
        Item::Braces(alone) => Place { node: None, blocks: [block(alone)].into(), arms: false },
        Item::Branch(node, first) => {
            Place { node, blocks: arms(chain, first).map(|(index, _)| block(index)).collect(), arms: true }
        }
    };
    Items::of(chain, of).map(place).collect()
}
