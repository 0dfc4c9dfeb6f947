//! [`Kept`]: single runs, kept with all of their stretches.

use core::fmt;
use std::time::{Duration, SystemTime};
use std::vec::Vec;

use super::TraceContext;
use super::pauses::{Cause, Evidence};
use crate::describe::{ChainInfo, NodeInfo};
use crate::observe::Way;

/// A run that was kept, as a waterfall. It contains nothing of the request's content.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Kept {
    /// Its chain.
    pub chain: &'static ChainInfo,
    /// How many runs the meter kept before this one. The number tells it from the others.
    pub number: u64,
    /// When it began. This is computed from the time of its end, so it moves with the system's clock.
    pub began: SystemTime,
    /// How long it took.
    pub took: Duration,
    /// How it ended.
    pub outcome: Outcome,
    /// Its trace, if the chain has a node [`TraceContexts`](super::trace_context) and the run came to it.
    pub trace: Option<TraceContext>,
    /// Its request's method, if it has a trace: a known method, or `_OTHER`.
    pub method: Option<&'static str>,
    /// The status of its reply, if that node was left.
    pub status: Option<u16>,
    /// Its stretches in order, without a gap: the first begins with the run, and the last ends with it, unless the list
    /// [is truncated](Self::is_truncated).
    pub stretches: Vec<KeptStretch>,
    /// Whether there were more stretches than a meter keeps. Then those after the last kept one are missing.
    pub is_truncated: bool,
    /// What paused it, in order, followed by what the machine was short of meanwhile. At most 16 of its own.
    pub pauses: Vec<KeptPause>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// This node, the last one, replied.
    Replied(&'static NodeInfo),
    /// This node broke, and its break was the reply.
    CutShort(&'static NodeInfo),
    /// Its future was dropped: while it waited in this node, or, if `None`, while no node was entered.
    Cancelled(Option<&'static NodeInfo>),
    /// Something panicked: this node's own code, or, if `None`, code that belongs to no node.
    Panicked(Option<&'static NodeInfo>),
}

impl Outcome {
    /// Whether it ended with a reply that the last node gave.
    pub const fn is_replied(&self) -> bool {
        matches!(self, Self::Replied(_))
    }

    /// The node in which it ended.
    pub const fn node(&self) -> Option<&'static NodeInfo> {
        match self {
            Self::Replied(node) | Self::CutShort(node) => Some(node),
            Self::Cancelled(node) | Self::Panicked(node) => *node,
        }
    }
}

/// For example "cut short by `auth`".
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
    /// Its owner.
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
    /// The owner of the pause's stretch. `None` if the pause is that of the whole machine.
    pub whose: Option<Whose>,
    /// The pause did not begin before this, counted from the run's beginning. A pause of the machine that began earlier
    /// is shown as beginning with the run.
    pub start: Duration,
    /// The pause did not end after this.
    pub end: Duration,
    /// Its cause.
    pub cause: Cause,
    /// The least time of the pause between `start` and `end`.
    pub least: Duration,
    /// The most time of the pause between `start` and `end`.
    pub most: Duration,
    /// The likely time of the pause.
    pub likely: Duration,
    /// How it is known.
    pub evidence: Evidence,
}

/// The owner of a stretch. Nodes are given by their position.
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
    /// The position of the node to which it belongs.
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
    /// The slowest since the list was last cleared, the slowest first.
    pub slowest: Vec<Kept>,
    /// The last runs that were cut short, cancelled or panicked, the latest first.
    pub failed: Vec<Kept>,
    /// Runs that would have been kept, but another thread was keeping one at that moment: a run never waits for
    /// another.
    pub missed: u64,
}
