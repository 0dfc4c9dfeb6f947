//! [`Kept`]: single runs, kept with all of their stretches.

use core::fmt;
use std::time::{Duration, SystemTime};
use std::vec::Vec;

use super::TraceContext;
use super::pauses::{Cause, Evidence};
use crate::describe::{ChainInfo, NodeInfo};
use crate::observe::Way;

/// A run that was kept, as a waterfall. Nothing of its request's content is in it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Kept {
    /// Its chain.
    pub chain: &'static ChainInfo,
    /// How many runs of the meter were kept before this one: what tells it from others.
    pub number: u64,
    /// When it began. It is reckoned back from when it ended, so it moves with the system's clock.
    pub began: SystemTime,
    /// How long it took.
    pub took: Duration,
    /// How it ended.
    pub outcome: Outcome,
    /// Its trace, where the chain has a node [`TraceContexts`](super::trace_context), and the run came that far.
    pub trace: Option<TraceContext>,
    /// Its request's method, where it has a trace: one of those that are known, or `_OTHER`.
    pub method: Option<&'static str>,
    /// The status of its reply, where that node was left.
    pub status: Option<u16>,
    /// Its stretches in order, without a gap: the first begins with the run, the last ends with it, unless it [is truncated](Self::is_truncated).
    pub stretches: Vec<KeptStretch>,
    /// Whether there were more of them than a meter keeps. Then those after the last one that is kept are missing.
    pub is_truncated: bool,
    /// What paused it, in order, and behind these what the machine was short of meanwhile. At most 16 of its own.
    pub pauses: Vec<KeptPause>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// This node replied, as the last.
    Replied(&'static NodeInfo),
    /// This node broke, and its break was the reply.
    CutShort(&'static NodeInfo),
    /// Its future was dropped: while it waited in this node, or, where it is `None`, while no node was entered.
    Cancelled(Option<&'static NodeInfo>),
    /// Something panicked: this node's own code, or, where it is `None`, code that is no node's.
    Panicked(Option<&'static NodeInfo>),
}

impl Outcome {
    /// Whether it ended with a reply that the last node gave.
    pub const fn is_replied(&self) -> bool {
        matches!(self, Self::Replied(_))
    }

    /// The node that it ended in.
    pub const fn node(&self) -> Option<&'static NodeInfo> {
        match self {
            Self::Replied(node) | Self::CutShort(node) => Some(node),
            Self::Cancelled(node) | Self::Panicked(node) => *node,
        }
    }
}

/// As "cut short by `auth`".
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (how, node) = match self {
            Self::Replied(node) => ("replied by", Some(node)),
            Self::CutShort(node) => ("cut short by", Some(node)),
            Self::Cancelled(node) => ("cancelled in", node.as_ref()),
            Self::Panicked(node) => ("panicked in", node.as_ref()),
        };
        write!(f, "{how} `{}`", node.map_or("the chain", |node| node.name))
    }
}

/// A stretch of a run that was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeptStretch {
    /// Whose it is.
    pub whose: Whose,
    /// When it began, from the run's beginning.
    pub start: Duration,
    /// How long it lasted.
    pub length: Duration,
}

/// A pause in a run that was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeptPause {
    /// Whose stretch it was in. `None`: it is of the whole machine.
    pub whose: Option<Whose>,
    /// It was not before this, from the run's beginning. One of the machine that began before is said to begin with the run.
    pub start: Duration,
    /// It was not after this.
    pub end: Duration,
    /// What it was.
    pub cause: Cause,
    /// How long it was between `start` and `end`, at least.
    pub least: Duration,
    /// How long it was between `start` and `end`, at most.
    pub most: Duration,
    /// How long it probably was.
    pub likely: Duration,
    /// How it is known.
    pub evidence: Evidence,
}

/// Whom a stretch belongs to. Nodes by their position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Whose {
    /// The chain itself.
    Chain,
    /// The node's own code ran.
    Running(usize, Way),
    /// The node waited to be polled again.
    Waiting(usize, Way),
}

impl Whose {
    /// The position of the node whose it is.
    pub const fn position(self) -> Option<usize> {
        match self {
            Self::Chain => None,
            Self::Running(position, _) | Self::Waiting(position, _) => Some(position),
        }
    }

    /// Whether the run waited.
    pub const fn is_waiting(self) -> bool {
        matches!(self, Self::Waiting(..))
    }
}

/// The runs that a meter has kept.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Keeps {
    /// The slowest since they were last cleared, the slowest first.
    pub slowest: Vec<Kept>,
    /// The last that were cut short, cancelled or panicked; the last one first.
    pub failed: Vec<Kept>,
    /// Runs that would have been kept, but another thread was keeping one at that moment: none waits for another.
    pub missed: u64,
}
