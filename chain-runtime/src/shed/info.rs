//! What a chain writes down of what it may shed.

use core::fmt;

use super::Level;

/// An item of a chain that is shed from a level on, as it was declared. They are in [`ChainInfo::sheds`](crate::describe::ChainInfo::sheds).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShedInfo {
    /// What it is called: the node's name, that of the first node of a `match` or an `if`, the nodes of a block, or the name in the attribute.
    pub name: &'static str,
    /// The first level at which it is shed.
    pub from: Level,
    /// What becomes of it then.
    pub how: How,
    /// What is shed.
    pub of: Of,
}

/// What becomes of what is shed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It is skipped.
    Skipped,
    /// It runs for so many of so many requests, drawn anew for each, and is skipped for all others.
    Sampled {
        /// So many.
        part: u64,
        /// Of so many.
        whole: u64,
    },
    /// Its work goes on behind the request, which does not wait for it. Where there is no room for more of that, it is dropped.
    Behind,
}

/// What is shed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// The node at this position.
    Node(usize),
    /// All that is in this block: an index in [`ChainInfo::blocks`](crate::describe::ChainInfo::blocks).
    Block(usize),
}

impl ShedInfo {
    /// What becomes of it at this level, as it is declared. `None`: it runs as usual.
    #[must_use]
    pub const fn at(&self, level: Level) -> Option<How> {
        if level as u8 >= self.from as u8 { Some(self.how) } else { None }
    }

    /// The position of the node that it is, or of the first one in it.
    #[must_use]
    pub const fn first(&self, blocks: &[crate::describe::BlockInfo]) -> usize {
        match self.of {
            Of::Node(position) => position,
            Of::Block(block) => blocks[block].first,
        }
    }
}

/// In a word, as a table has it: `off`, `1/100`, `behind`.
impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Skipped => f.write_str("off"),
            Self::Sampled { part, whole } => write!(f, "{part}/{whole}"),
            Self::Behind => f.write_str("behind"),
        }
    }
}
