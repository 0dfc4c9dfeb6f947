//! Nodes that belong together: as a segment, and as a chain that is a node.

use chain_runtime::chain;

use crate::{Full, Limit, Store, Stranger, Visitor, Visitors, known};

chain! {
    /// Whoever has a place and is known comes in. A chain that uses it has a field `limit: Limit` and a field of the type `Visitors<S>`.
    pub segment entrance<R: crate::Carries, S: Store>(limit: Limit) { limit => crate::visitor::<R, S> }
}

/// Why somebody does not come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// There is no room.
    Full,
    /// Nobody knows the visitor.
    Stranger,
}

impl From<Full> for Refused {
    fn from(_: Full) -> Self {
        Self::Full
    }
}

impl From<Stranger> for Refused {
    fn from(_: Stranger) -> Self {
        Self::Stranger
    }
}

/// Checks the order of the nodes here, and not only where a store of somebody's is used.
struct Nobody;

impl Store for Nobody {
    fn find(&self, _: &str) -> Option<Visitor> {
        None
    }
}

chain! {
    /// The same as a node. Its place is given back as soon as the visitor is known.
    #[node(rejects)]
    #[check(Nobody)]
    #[derive(Debug)]
    pub struct Door<S: Store> {
        /// How many may ask at a time.
        pub limit: Limit,
        /// Who may come in.
        pub visitors: Visitors<S>,
    }

    fn(token: &str) -> Result<Visitor, Refused> { limit => known::<S> }
}
