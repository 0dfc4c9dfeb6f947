//! A bounded list of pauses: the oldest makes way for the newest.

use std::collections::VecDeque;

use super::Pause;

#[derive(Debug)]
pub(super) struct Ring {
    pauses: VecDeque<Pause>,
    capacity: usize,
    /// The latest end of all of them. Most requests begin after it, and then none of the pauses is looked at.
    latest: u64,
}

impl Ring {
    pub(super) fn new(capacity: usize) -> Self {
        let capacity = capacity.max(1);
        Self { pauses: VecDeque::with_capacity(capacity), capacity, latest: 0 }
    }

    pub(super) fn push(&mut self, pause: Pause) {
        if self.pauses.len() == self.capacity {
            self.pauses.pop_front();
        }
        self.latest = self.latest.max(pause.end);
        self.pauses.push_back(pause);
    }

    /// The newest pause, which goes on until this time, if it ended at `start`.
    #[cfg(target_os = "linux")]
    pub(super) fn goes_on(&mut self, start: u64, end: u64) -> Option<&mut Pause> {
        let pause = self.pauses.back_mut().filter(|pause| pause.end == start)?;
        pause.end = end;
        self.latest = self.latest.max(end);
        Some(pause)
    }

    /// The pauses that touch the time from `start` to `end`, the oldest first.
    pub(super) fn during(&self, start: u64, end: u64, told: &mut impl FnMut(&Pause)) {
        if start > self.latest {
            return;
        }
        self.pauses.iter().filter(|pause| pause.start <= end && pause.end >= start).for_each(told);
    }
}
