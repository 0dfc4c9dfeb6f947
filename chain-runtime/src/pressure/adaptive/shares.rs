//! How requests share.

use core::hash::{BuildHasher as _, Hasher as _};
use std::hash::RandomState;

use super::priority::SHARES;
use crate::nodes::Key;

/// The hash by which keys fall into shares. Each limit draws it anew, so that a client cannot make up keys that fall
/// into another one's share.
#[derive(Debug, Default)]
pub(super) struct Shares(RandomState);

impl Shares {
    pub(super) fn of(&self, key: &impl Key) -> u8 {
        let mut hasher = self.0.build_hasher();
        key.feed(&mut hasher);
        (hasher.finish() % SHARES as u64) as u8
    }
}
