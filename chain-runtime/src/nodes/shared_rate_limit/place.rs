//! [`Place`]: what a machine knows about one key.

use super::quota::{Terms, nanos};
use crate::shared::Answer;

/// Permits that were taken ahead of need. Times are nanoseconds since the limit was made, by this machine's monotonic
/// clock.
#[derive(Clone, Copy, Debug, Default)]
struct Grant {
    left: u32,
    of: u32,
    /// The life begins before the grant was asked for.
    from: u64,
    until: u64,
}

impl Grant {
    /// Permits that are still good. A clock that was set back ends the grant.
    const fn left(&self, now: u64) -> u32 {
        if self.from <= now && now < self.until { self.left } else { 0 }
    }

    const fn take(&mut self, now: u64) -> bool {
        let any = self.left(now) > 0;
        if any {
            self.left -= 1;
        }
        any
    }
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    pub(super) hash: u64,
    /// Whether a key is here.
    pub(super) is_taken: bool,
    /// A question is under way, since [`asked_at`](Self::asked_at).
    asking: bool,
    /// The last question had no answer.
    failed: bool,
    /// Requests that wait for the answer.
    pub(super) waiting: u32,
    /// How many permits are asked for ahead of need.
    size: u32,
    asked_at: u64,
    older: Grant,
    newer: Grant,
    denied_from: u64,
    denied_until: u64,
    /// When this machine's own share is full again.
    share_full_at: u64,
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It has a permit. If there is a number, so many more permits are to be asked for.
    Taken(Option<u32>),
    /// There is no permit. There will be one after so many nanoseconds.
    Denied(u64),
    /// So many permits are to be asked for, and the request waits.
    Ask(u32),
    /// The request waits: a question is under way.
    Wait,
    /// The question for which it waited had no answer.
    Failed,
}

impl Place {
    pub(super) fn new(hash: u64) -> Self {
        Self { hash, is_taken: true, ..Self::default() }
    }

    /// Takes a permit that this machine has.
    pub(super) const fn take_granted(&mut self, now: u64) -> bool {
        self.older.take(now) || self.newer.take(now)
    }

    /// Takes a permit, or returns what else is to be done. `has_waited` says that this is no new request.
    pub(super) fn take(&mut self, now: u64, terms: &Terms, has_waited: bool) -> Step {
        if self.take_granted(now) {
            let left = self.newer.left(now);
            let runs_out = self.older.left(now) == 0 && self.size >= 4 && left <= self.size / 4;
            let more = runs_out && !self.asking && !self.is_denied(now);
            return Step::Taken(more.then(|| self.begin(now, terms)));
        }
        if self.is_denied(now) {
            Step::Denied(self.denied_until - now)
        } else if self.asking {
            Step::Wait
        } else if has_waited && self.failed {
            Step::Failed
        } else {
            Step::Ask(self.begin(now, terms))
        }
    }

    const fn is_denied(&self, now: u64) -> bool {
        self.denied_from <= now && now < self.denied_until
    }

    /// Begins a question, and returns for how many permits.
    fn begin(&mut self, now: u64, terms: &Terms) -> u32 {
        let Grant { left, of, from, until } = self.newer;
        let age = now.saturating_sub(from);
        self.size = if of == 0 || age >= 2 * terms.lives {
            1
        } else if now >= until && left > 0 {
            self.size.saturating_sub(left)
        } else if age < terms.lives / 2 {
            // The last grant was used up in half of its life: twice as many permits would have been used.
            self.size.saturating_mul(2)
        } else {
            self.size
        }
        .clamp(1, terms.ahead);
        self.asking = true;
        self.failed = false;
        self.asked_at = now;
        let left = self.newer.left(now);
        // A request that waits is counted before it awaits, and the first one was not counted yet.
        self.size.saturating_sub(left).max(self.waiting).max(1).min(terms.most.saturating_sub(left).max(1))
    }

    /// The answer to the question of this time.
    pub(super) fn answered(&mut self, asked_at: u64, now: u64, terms: &Terms, answer: Option<Answer>) {
        // The place has become another key's since then.
        if !self.asking || self.asked_at != asked_at {
            return;
        }
        self.asking = false;
        let Some(Answer { granted, wait }) = answer else {
            self.failed = true;
            return;
        };
        if granted > 0 {
            // The rest of the earlier grant is used first.
            self.older = self.newer;
            let from = self.asked_at;
            self.newer = Grant { left: granted, of: granted, from, until: from.saturating_add(terms.lives) };
        } else {
            self.denied_from = now;
            self.denied_until = now.saturating_add(nanos(wait)).saturating_add(terms.pause);
        }
    }

    /// Takes a permit from this machine's own share, or returns after how long there will be one.
    pub(super) fn take_share(&mut self, now: u64, terms: &Terms) -> Result<(), u64> {
        let full = u64::from(terms.share).saturating_mul(terms.share_step);
        // More than the whole share can be missing only if the clock was set back.
        let full_at = self.share_full_at.clamp(now, now.saturating_add(full)).saturating_add(terms.share_step);
        let wait = full_at.saturating_sub(now).saturating_sub(full);
        if wait > 0 {
            return Err(wait);
        }
        self.share_full_at = full_at;
        Ok(())
    }

    /// How long this place is worth something, and whether a request waits for it. The place of the least worth makes
    /// room for another key.
    pub(super) fn worth(&self) -> (bool, bool, u64) {
        let until = self.newer.until.max(self.denied_until).max(self.share_full_at);
        (self.is_taken, self.asking || self.waiting > 0, until)
    }
}

#[cfg(test)]
mod tests;
