//! A change of the level, and its reason.

use core::fmt;
use std::time::Instant;

use tokio::sync::watch;

use super::source::Unit;
use super::{Level, Thresholds};

/// The level of the process has changed.
///
/// Displayed, it is the line of a log: `calm -> high: memory is at 91.2 %, high from 90.0 % on`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// The first is 1. If a number is missing in what a watcher sees, the watcher was too slow for that change.
    pub number: u64,
    /// The time, by the clock of the sampler, or of the machine if the level was forced.
    pub at: Instant,
    /// The old level.
    pub from: Level,
    /// The new level.
    pub to: Level,
    /// What caused it.
    pub because: Because,
}

/// What caused a [`Change`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Because {
    /// A source. If the level fell, it is the source that had kept it up.
    Source(Cause),
    /// The policy, without a source.
    Policy,
    /// [`Pressure::force`](super::Pressure::force).
    Forced,
    /// [`Pressure::release`](super::Pressure::release): the level is the measured one again.
    Released,
    /// The sampler is gone. If nothing is measured, the level is calm.
    Stopped,
}

/// A source, and its reading.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Cause {
    /// The source's name.
    pub name: &'static str,
    /// The unit of the value.
    pub unit: Unit,
    /// Its last value; `None` if it has none yet.
    pub value: Option<f64>,
    /// Its thresholds.
    pub thresholds: Thresholds,
    /// How much it grows in a second, if that is the reason: it will be full soon.
    pub growth: Option<f64>,
    /// It has failed for so long that it no longer counts.
    pub given_up: bool,
}

impl Change {
    /// What caused it, in words: `memory is at 91.2 %, high from 90.0 % on`.
    pub fn why(&self) -> impl fmt::Display {
        struct Why(Change);
        impl fmt::Display for Why {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let Change { from, to, .. } = self.0;
                match self.0.because {
                    Because::Source(cause) => cause.say(f, from, to),
                    Because::Policy => f.write_str("by the policy"),
                    Because::Forced => f.write_str("forced"),
                    Because::Released => f.write_str("released"),
                    Because::Stopped => f.write_str("nothing is measured any more"),
                }
            }
        }
        Why(*self)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}: {}", self.from, self.to, self.why())
    }
}

impl Cause {
    fn say(&self, f: &mut fmt::Formatter<'_>, from: Level, to: Level) -> fmt::Result {
        let Self { name, unit, thresholds, .. } = self;
        if self.given_up {
            return write!(f, "{name} cannot be read, and counts no more");
        }
        let Some(value) = self.value else { return f.write_str(name) };
        write!(f, "{name} is at {}", unit.show(value))?;
        let bound = |of: [f64; 3], level: Level| of.get((level as usize).wrapping_sub(1)).copied();
        if to < from {
            let below = bound(thresholds.leave(), from).filter(|below| value < *below);
            return below.map_or(Ok(()), |below| write!(f, ", {from} ends below {}", unit.show(below)));
        }
        if let Some(growth) = self.growth {
            return write!(f, " and grows by {} a second", unit.show(growth));
        }
        let above = bound(thresholds.enter(), to).filter(|above| value >= *above);
        above.map_or(Ok(()), |above| write!(f, ", {to} from {} on", unit.show(above)))
    }
}

/// Follows the changes of a [`Pressure`](super::Pressure). [`Pressure::watch`](super::Pressure::watch) makes it.
///
/// It holds only the last change, so a slow watcher misses some: their [numbers](Change::number) show that.
#[derive(Clone, Debug)]
pub struct Changes(pub(super) watch::Receiver<Option<Change>>);

impl Changes {
    /// Waits for a change that was not seen yet. `None` if the pressure and its sampler are gone. A call that is
    /// dropped loses nothing.
    pub async fn next(&mut self) -> Option<Change> {
        loop {
            self.0.changed().await.ok()?;
            let change = *self.0.borrow_and_update();
            if change.is_some() {
                return change;
            }
        }
    }

    /// The last change, seen or not; `None` if there was none.
    #[must_use]
    pub fn last(&self) -> Option<Change> {
        *self.0.borrow()
    }
}
