//! Who shares with whom.

use core::hash::{BuildHasher as _, Hasher as _};
use std::hash::RandomState;

use super::priority::SHARES;
use crate::nodes::Key;

/// By which hash keys fall into shares. It is drawn anew for each limit, so that nobody can make up keys that share with one certain other.
#[derive(Debug, Default)]
pub(super) struct Shares(RandomState);

impl Shares {
    pub(super) fn of(&self, key: &impl Key) -> u8 {
        let mut hasher = self.0.build_hasher();
        key.feed(&mut hasher);
        (hasher.finish() % SHARES as u64) as u8
    }
}
