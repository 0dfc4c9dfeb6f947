//! A bounded list of pauses: the oldest makes way.

use std::collections::VecDeque;

use super::Pause;

#[derive(Debug)]
pub(super) struct Ring {
    pauses: VecDeque<Pause>,
    capacity: usize,
}

impl Ring {
    pub(super) fn new(capacity: usize) -> Self {
        let capacity = capacity.max(1);
        Self { pauses: VecDeque::with_capacity(capacity), capacity }
    }

    pub(super) fn push(&mut self, pause: Pause) {
        if self.pauses.len() == self.capacity {
            self.pauses.pop_front();
        }
        self.pauses.push_back(pause);
    }

    #[cfg(target_os = "linux")]
    pub(super) fn last_mut(&mut self) -> Option<&mut Pause> {
        self.pauses.back_mut()
    }

    /// Those that touch the time from `start` to `end`, oldest first.
    pub(super) fn during(&self, start: u64, end: u64, told: &mut impl FnMut(&Pause)) {
        self.pauses.iter().filter(|pause| pause.start <= end && pause.end >= start).for_each(told);
    }
}
