//! The time and memory of a chain as folded stacks: the text from which flame graphs are drawn.
//!
//! ```
//! use chain_runtime::telemetry::Meter;
//! use chain_runtime::telemetry::folded::{Weight, folded};
//! use chain_runtime::{chain, node};
//!
//! #[node]
//! fn answer(input: &u32) -> u32 { *input }
//!
//! chain! {
//!     #[observe(meter)]
//!     struct Small { meter: Meter }
//!     fn(input: u32) -> u32 { answer }
//! }
//!
//! let small = Small { meter: Meter::of(Small::CHAIN) };
//! small.run(1);
//! // "Small 31\nSmall;answer 57\n"
//! let text = folded(&small.meter.snapshot(), Weight::Running);
//! assert!(text.lines().any(|line| line.starts_with("Small;answer ")));
//! ```
//!
//! A line is a stack, a blank, and a whole number. A stack begins with the chain. Below it are the nodes and arms that
//! contain a node, then the node itself, and `out` for its way out. The chain's own part has the chain's name alone,
//! and the part of a node around a block has the node's name alone. So the widths in a flame graph are whole times, and
//! the tops are own times. A node that is in no other node's block is not nested: a node does not call the one after
//! it.
//!
//! [inferno](https://docs.rs/inferno) draws flame graphs from it, as do speedscope and Brendan Gregg's `flamegraph.pl`.

use core::fmt::Write as _;
use std::string::String;
use std::vec;
use std::vec::Vec;

use super::{NodeTotals, Snapshot, WayTotals};
use crate::describe::{BlockInfo, BlockKind, ChainInfo, NodeInfo};
use crate::observe::Way;

/// The weight of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Weight {
    /// Nanoseconds in which the node's own code ran.
    Running,
    /// Nanoseconds in which the node waited.
    Waiting,
    /// Both.
    Time,
    /// Bytes that were allocated while it ran.
    Bytes,
    /// How often memory was allocated while it ran.
    Allocations,
}

impl Weight {
    /// The unit of the weight, as a viewer writes it.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Running | Self::Waiting | Self::Time => "ns",
            Self::Bytes => "bytes",
            Self::Allocations => "allocations",
        }
    }

    const fn of(self, way: &WayTotals) -> u64 {
        match self {
            Self::Running => way.running.sum(),
            Self::Waiting => way.waiting.sum(),
            Self::Time => way.running.sum().saturating_add(way.waiting.sum()),
            Self::Bytes => way.allocated.bytes,
            Self::Allocations => way.allocated.calls,
        }
    }

    const fn of_the_chain(self, snapshot: &Snapshot) -> u64 {
        match self {
            Self::Running | Self::Time => snapshot.own,
            Self::Waiting => 0,
            Self::Bytes => snapshot.own_allocated.bytes,
            Self::Allocations => snapshot.own_allocated.calls,
        }
    }
}

/// The stacks with a weight, one in each line. They add up to what all runs took.
#[must_use]
pub fn folded(snapshot: &Snapshot, weight: Weight) -> String {
    let mut text = String::new();
    for stack in stacks(snapshot) {
        let weight = stack.weighs(weight);
        if weight > 0 {
            for (index, frame) in stack.frames.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { ";" });
                frame.write(&mut text);
            }
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, " {weight}");
        }
    }
    text
}

/// The chain's own part, and each way of each node.
pub(super) fn stacks(snapshot: &Snapshot) -> impl Iterator<Item = Stack<'_>> {
    let own = Stack { frames: vec![Frame::Chain(snapshot.chain)], of: Of::Chain(snapshot) };
    let nodes =
        snapshot.nodes.iter().flat_map(|node| [Way::In, Way::Out].map(|way| Stack::of(snapshot.chain, node, way)));
    core::iter::once(own).chain(nodes)
}

pub(super) struct Stack<'a> {
    /// From the outermost to the innermost.
    pub(super) frames: Vec<Frame>,
    of: Of<'a>,
}

enum Of<'a> {
    Chain(&'a Snapshot),
    Way(&'a WayTotals),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Frame {
    Chain(&'static ChainInfo),
    Node(&'static NodeInfo),
    /// With the node whose value the arm is for.
    Arm(&'static BlockInfo, Option<&'static NodeInfo>),
    /// The way out of the node before it.
    Out,
}

impl<'a> Stack<'a> {
    fn of(chain: &'static ChainInfo, node: &'a NodeTotals, way: Way) -> Self {
        // From the inside to the outside.
        let mut frames = vec![];
        if way == Way::Out {
            frames.push(Frame::Out);
        }
        frames.push(Frame::Node(node.info));
        let mut next = node.info.block;
        while let Some(block) = next.and_then(|block| chain.blocks.get(block)) {
            let head = block.head.and_then(|head| chain.nodes.get(head));
            match (block.kind, head) {
                (BlockKind::Around, Some(head)) => frames.push(Frame::Node(head)),
                (BlockKind::Arm, head) => frames.push(Frame::Arm(block, head)),
                _ => {}
            }
            next = block.parent;
        }
        frames.push(Frame::Chain(chain));
        frames.reverse();
        Self { frames, of: Of::Way(node.way(way)) }
    }

    pub(super) const fn weighs(&self, weight: Weight) -> u64 {
        match self.of {
            Of::Chain(snapshot) => weight.of_the_chain(snapshot),
            Of::Way(way) => weight.of(way),
        }
    }
}

impl Frame {
    /// Without the characters that would end a frame or a line.
    pub(super) fn write(&self, text: &mut String) {
        let mut plain = |name: &str| {
            text.extend(name.chars().map(|letter| match letter {
                ';' => ',',
                letter if letter.is_control() => ' ',
                letter => letter,
            }));
        };
        match self {
            Self::Chain(chain) => plain(chain.name),
            Self::Node(node) => plain(node.name),
            Self::Arm(arm, head) => {
                plain(head.map_or("", |head| head.name));
                plain(" = ");
                plain(arm.label);
            }
            Self::Out => plain("out"),
        }
    }
}
