//! How many are inside.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use chain_runtime::node;

/// Lets so many be inside at a time. A field: `limit: Limit`, or `limit: Arc<Limit>` for several chains.
#[derive(Debug)]
pub struct Limit {
    most: usize,
    inside: AtomicUsize,
}

impl Limit {
    /// For `most` at a time.
    #[must_use]
    pub const fn new(most: usize) -> Self {
        Self { most, inside: AtomicUsize::new(0) }
    }

    /// How many are inside.
    #[must_use]
    pub fn inside(&self) -> usize {
        self.inside.load(Relaxed)
    }
}

/// A place inside. It is given back when it is dropped, and so on each way out of a run.
#[derive(Debug)]
pub struct Place<'r>(&'r Limit);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Relaxed);
    }
}

/// Nobody else has room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Full;

#[node(rejects)]
impl Limit {
    /// Takes a place.
    fn enter(&self) -> Result<Place<'_>, Full> {
        let has_room = |inside| (inside < self.most).then_some(inside + 1);
        self.inside.fetch_update(Relaxed, Relaxed, has_room).map(|_| Place(self)).map_err(|_| Full)
    }
}
