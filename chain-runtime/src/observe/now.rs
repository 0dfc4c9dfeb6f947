//! The place that a run has come to, in one word.

use super::Way;

/// What a run is doing, or what it did last. Of the nodes that were entered and not left, it names the last.
/// [`NodeInfo::after`](crate::describe::NodeInfo::after) leads to those before it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Now {
    /// Nothing yet.
    Begun,
    /// A node's own code runs on its way in; the node was not entered yet.
    In(usize),
    /// A node waits on its way in.
    InWaits(usize),
    /// The node was entered, and nothing has begun since.
    Entered(usize),
    /// A node's own code runs on its way out.
    Out(usize),
    /// A node waits on its way out.
    OutWaits(usize),
    /// The node was left, or broke.
    Gone(usize),
    /// The run unwinds from the code of a node around a block, which was entered.
    Unwinding(usize),
    /// The run is over.
    Ended,
}

impl Now {
    /// The node at this position runs, on this way.
    pub(super) const fn runs(position: usize, way: Way) -> Self {
        match way {
            Way::In => Self::In(position),
            Way::Out => Self::Out(position),
        }
    }

    /// The node at this position waits, on this way.
    pub(super) const fn waits(position: usize, way: Way) -> Self {
        match way {
            Way::In => Self::InWaits(position),
            Way::Out => Self::OutWaits(position),
        }
    }

    pub(super) const fn packed(self) -> u32 {
        let (kind, position) = match self {
            Self::Begun => (0, 0),
            Self::In(position) => (1, position),
            Self::InWaits(position) => (2, position),
            Self::Entered(position) => (3, position),
            Self::Out(position) => (4, position),
            Self::OutWaits(position) => (5, position),
            Self::Gone(position) => (6, position),
            Self::Unwinding(position) => (7, position),
            Self::Ended => (8, 0),
        };
        kind | (position as u32) << 4
    }

    pub(super) const fn unpacked(word: u32) -> Self {
        let position = (word >> 4) as usize;
        match word & 15 {
            0 => Self::Begun,
            1 => Self::In(position),
            2 => Self::InWaits(position),
            3 => Self::Entered(position),
            4 => Self::Out(position),
            5 => Self::OutWaits(position),
            6 => Self::Gone(position),
            7 => Self::Unwinding(position),
            _ => Self::Ended,
        }
    }

    /// To whom this stretch belongs, if no node wraps a block.
    pub(super) const fn whose(self) -> Whose {
        match self {
            Self::In(position) | Self::Entered(position) => Whose::Running(position, Way::In),
            Self::Out(position) => Whose::Running(position, Way::Out),
            Self::InWaits(position) => Whose::Waiting(position, Way::In),
            Self::OutWaits(position) => Whose::Waiting(position, Way::Out),
            Self::Begun | Self::Gone(_) | Self::Unwinding(_) | Self::Ended => Whose::Chain,
        }
    }
}

/// A [`Stretch`](super::Stretch), by position.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The chain.
    Chain,
    /// A node runs.
    Running(usize, Way),
    /// A node waits.
    Waiting(usize, Way),
}

impl Whose {
    pub(super) const fn packed(self) -> u32 {
        match self {
            Self::Chain => 0,
            Self::Running(position, Way::In) => 1 | (position as u32) << 3,
            Self::Running(position, Way::Out) => 2 | (position as u32) << 3,
            Self::Waiting(position, Way::In) => 3 | (position as u32) << 3,
            Self::Waiting(position, Way::Out) => 4 | (position as u32) << 3,
        }
    }
}
