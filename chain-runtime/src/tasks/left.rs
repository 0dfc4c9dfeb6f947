//! A graceful stop, and what it had to leave behind.

use core::fmt;
use std::time::Duration;
use std::vec::Vec;

use super::Tasks;

impl Tasks {
    /// Stops gracefully: nothing new begins, what runs is told ([`Work::stopping`](super::Work::stopping)) and waited for, up to `limit`. What is left then is
    /// dropped where it stands, and named in what this returns; with the feature `tracing`, a warning for each name is logged.
    ///
    /// Call it once no more requests are taken and those in flight have their replies, after the graceful stop of the server. What a request that is
    /// still there does for its reply, the work of `#[cancel(finish)]`, begins also while this waits.
    ///
    /// It may be called again, and then waits once more. A future of it that is dropped has begun the stop all the same, and dropped nothing.
    /// Dropped work is gone once its runtime comes to it; work that holds its thread up until then is counted in [`Tasks::leaked`].
    ///
    /// # Panics
    ///
    /// Where there is work to wait for, and the runtime has no timers.
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

/// What a stop had to drop: how many tasks of which node. `Display` says `2 of audit, 1 of charge`, or `nothing`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "it names what was dropped where it stood"]
pub struct Left {
    of: Vec<(&'static str, usize)>,
}

impl Left {
    /// Whether all work had come to its end.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// How many tasks were dropped.
    #[must_use]
    pub fn total(&self) -> usize {
        self.of.iter().map(|(_, left)| left).sum()
    }

    /// The names, in alphabetical order, each with how many tasks were dropped of it.
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
