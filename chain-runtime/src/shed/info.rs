//! What a chain declares of the items that it may shed.

use core::fmt;

use super::Level;

/// An item of a chain that is shed from a level on, as it was declared. They are in
/// [`ChainInfo::sheds`](crate::describe::ChainInfo::sheds).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShedInfo {
    /// Its name: the node's, that of the first node of a `match` or an `if`, the nodes of a block, or the name in the
    /// attribute.
    pub name: &'static str,
    /// The first level at which it is shed.
    pub from: Level,
    /// What happens to it then.
    pub how: How,
    /// What the item is.
    pub of: Of,
}

/// What happens to an item that is shed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It is skipped.
    Skipped,
    /// It runs for a share of the requests, drawn anew for each, and is skipped for all others.
    Sampled {
        /// The numerator of the share.
        part: u64,
        /// The denominator of the share.
        whole: u64,
    },
    /// Its work goes on behind the request, which does not wait for it. If there is no room for more such work, it is
    /// dropped.
    Behind,
}

/// What an item that is shed is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// The node at this position.
    Node(usize),
    /// All nodes in this block: an index in [`ChainInfo::blocks`](crate::describe::ChainInfo::blocks).
    Block(usize),
}

impl ShedInfo {
    /// What happens to it at this level, as it is declared. `None`: it runs as usual.
    #[must_use]
    pub const fn at(&self, level: Level) -> Option<How> {
        if level as u8 >= self.from as u8 { Some(self.how) } else { None }
    }

    /// The position of its node, or of its first node.
    #[must_use]
    pub const fn first(&self, blocks: &[crate::describe::BlockInfo]) -> usize {
        match self.of {
            Of::Node(position) => position,
            Of::Block(block) => blocks[block].first,
        }
    }
}

/// In a word, as in a table: `off`, `1/100`, `behind`.
impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Skipped => f.write_str("off"),
            Self::Sampled { part, whole } => write!(f, "{part}/{whole}"),
            Self::Behind => f.write_str("behind"),
        }
    }
}
