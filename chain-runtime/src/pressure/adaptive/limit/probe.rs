//! Measures, from time to time, the round trip of a system in which nothing waits.

use fastrand::Rng;

use super::Sample;

/// A probe lets this part of the limit run. A system that is used at up to twice its capacity then has no queue.
const PART: f64 = 0.5;

/// When to measure the round trip of a system in which nothing waits.
///
/// A baseline that is only learned under full load follows the load's own queue. A baseline that is the least value
/// ever seen becomes outdated. So, once in so many windows, one window is measured with fewer blocks at once. If few
/// blocks run anyway, the limit is not lowered. Otherwise the limit is halved for two windows: in the first, earlier
/// blocks end; the second is measured. The limit is never set to one for this, which would turn away nearly all
/// requests meanwhile (envoy#9007). The time to the next probe is random, so that many processes do not probe at once.
#[derive(Clone, Debug)]
pub(super) struct Probe {
    every: u32,
    left: u32,
    state: State,
    random: Rng,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Draining,
    Measuring,
}

/// What to do with a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Adjust the limit by the window. `calm` says whether nothing waited in the window, as far as is known.
    Adjust { calm: bool },
    /// The window belongs to a probe: so many blocks at once in the next one, and nothing is learned.
    Hold(usize),
    /// This is the measured window.
    Measured,
}

impl Probe {
    pub(super) fn every(windows: u32) -> Self {
        Self::with(windows, Rng::new())
    }

    fn with(every: u32, random: Rng) -> Self {
        let mut probe = Self { every, left: 0, state: State::Idle, random };
        probe.soon();
        probe
    }

    /// The next probe comes early: what was learned until now was learned under load, and possibly still is.
    pub(super) fn soon(&mut self) {
        self.left = (self.draw() / 8).max(1);
    }

    pub(super) fn seed(&mut self, seed: u64) {
        *self = Self::with(self.every, Rng::with_seed(seed));
    }

    fn draw(&mut self) -> u32 {
        let every = self.every.max(2);
        self.random.u32(every / 2..=every)
    }

    pub(super) fn step(&mut self, limit: f64, min: usize, sample: &Sample) -> Step {
        let part = limit * PART;
        match self.state {
            State::Draining => {
                self.state = State::Measuring;
                Step::Hold(lowered(part, min))
            }
            State::Measuring => {
                self.state = State::Idle;
                self.left = self.draw();
                Step::Measured
            }
            State::Idle => {
                let calm = (sample.in_flight as f64) <= part;
                self.left = self.left.saturating_sub(1);
                if self.left > 0 {
                    return Step::Adjust { calm };
                }
                if calm {
                    self.left = self.draw();
                    return Step::Measured;
                }
                self.state = State::Draining;
                Step::Hold(lowered(part, min))
            }
        }
    }
}

/// Whether a measured round trip is so much shorter than the known one that the next may be shorter again.
pub(super) fn is_news(known: Option<f64>, measured: f64) -> bool {
    known.is_some_and(|known| measured < known * 0.9)
}

fn lowered(part: f64, min: usize) -> usize {
    (part as usize).max(min).max(1)
}
