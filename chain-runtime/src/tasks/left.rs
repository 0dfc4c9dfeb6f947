//! A graceful stop, and the work that it had to drop.

use core::fmt;
use std::time::Duration;
use std::vec::Vec;

use super::Tasks;

impl Tasks {
    /// Stops gracefully: no new work begins, and running work is told ([`Work::stopping`](super::Work::stopping)) and
    /// waited for, up to `limit`. Work that is left then is dropped where it stands, and named in the return value.
    /// With the feature `tracing`, a warning is logged for each name.
    ///
    /// Call it when no more requests are taken and those in flight have their replies, after the graceful stop of the
    /// server. A request that is still there may need work for its reply, that of `#[cancel(finish)]`: such work begins
    /// even while this waits.
    ///
    /// It may be called again, and then waits again. If its future is dropped, the stop has begun all the same, and no
    /// work was dropped. Dropped work is gone when its runtime comes to it. Until then, work that blocks its thread
    /// counts in [`Tasks::leaked`].
    ///
    /// # Panics
    ///
    /// If there is work to wait for, and the runtime has no timers.
    pub async fn stop(&self, limit: Duration) -> Left {
        let shared = self.shared();
        shared.close();
        if shared.counts().alive > 0 {
            let _ = tokio::time::timeout(limit, shared.until_none_is_left()).await;
        }
        let left = Left { of: shared.end() };
        shared.abort();
        left.log();
        left
    }
}

/// The work that a stop had to drop: how many tasks of which node. `Display` says `2 of audit, 1 of charge`, or
/// `nothing`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "it names what was dropped where it stood"]
pub struct Left {
    of: Vec<(&'static str, usize)>,
}

impl Left {
    /// Whether all work came to its end.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// How many tasks were dropped.
    #[must_use]
    pub fn total(&self) -> usize {
        self.of.iter().map(|(_, left)| left).sum()
    }

    /// The names, in alphabetical order, each with the number of its tasks that were dropped.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'static str, usize)> + '_ {
        self.of.iter().copied()
    }

    #[cfg(feature = "tracing")]
    fn log(&self) {
        for (node, left) in self.iter() {
            tracing::warn!(
                node,
                left,
                "work was dropped where it stood, since it did not end within the limit of the stop"
            );
        }
    }

    #[cfg(not(feature = "tracing"))]
    #[allow(clippy::unused_self, reason = "there is nothing to log to")]
    const fn log(&self) {}
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(((node, left), further)) = self.of.split_first() else { return f.write_str("nothing") };
        write!(f, "{left} of {node}")?;
        further.iter().try_for_each(|(node, left)| write!(f, ", {left} of {node}"))
    }
}
