//! The level of the process, and how to read, force and follow it.

use core::fmt;
use std::boxed::Box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::vec::Vec;

use tokio::sync::watch;

use super::source::Absent;
use super::{Because, Builder, Change, Changes, Level, LevelCell, Report, Seen};
use crate::shed::Shedding;

/// The pressure on the process: one [`Level`], which a [`Sampler`](super::Sampler) finds by its sources. A clone is the
/// same pressure.
///
/// See [the module](super) for an example.
#[derive(Clone)]
pub struct Pressure {
    pub(super) shared: Arc<Shared>,
}

/// What the pressure's clones and its sampler share.
pub(super) struct Shared {
    /// The one atomic that runs read.
    cell: Arc<LevelCell>,
    /// Everything else. The cell is only written while this is locked, so that changes are reported in their order.
    state: Mutex<State>,
    changes: watch::Sender<Option<Change>>,
    on_change: Option<OnChange>,
    absent: Vec<Absent>,
    every: Duration,
}

pub(super) type OnChange = Box<dyn Fn(&Change) + Send + Sync>;

/// What is known, and who is told of changes.
pub(super) struct State {
    pub(super) measured: Level,
    pub(super) forced: Option<Level>,
    pub(super) seen: Vec<Seen>,
    pub(super) samples: u64,
    pub(super) still: u64,
    pub(super) policy_panics: u64,
    pub(super) sampled: Option<Instant>,
    pub(super) is_sampled: bool,
    last: Option<Change>,
}

impl Pressure {
    /// Begins a pressure, without sources.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// The present level: one relaxed load.
    #[must_use]
    pub fn level(&self) -> Level {
        self.shared.cell.get()
    }

    /// The cell of the level. Only this pressure writes it.
    #[must_use]
    pub fn cell(&self) -> &Arc<LevelCell> {
        &self.shared.cell
    }

    /// The field that a chain with `#[shed(..)]` needs: its runs read this pressure's level. Each chain has one of its
    /// own, with its own overrides and counts.
    ///
    /// ```
    /// use chain_runtime::pressure::{Level, Pressure};
    /// use chain_runtime::{Shedding, chain, node};
    ///
    /// #[node]
    /// fn log(path: &str) {}
    /// #[node]
    /// fn greet(path: &str) -> String { format!("Hello from {path}") }
    ///
    /// chain! {
    ///     struct Greets { shedding: Shedding }
    ///     fn(path: &str) -> String { #[shed(high)] log => greet }
    /// }
    ///
    /// let (pressure, _sampler) = Pressure::builder().build()?;
    /// let greets = Greets { shedding: pressure.shedding() };
    /// greets.run("here");
    /// assert_eq!(greets.sheds().count("log"), Ok(0));
    /// pressure.force(Level::High);
    /// greets.run("here");
    /// assert_eq!(greets.sheds().count("log"), Ok(1));
    /// # Ok::<(), chain_runtime::pressure::Unbuildable>(())
    /// ```
    #[must_use]
    pub fn shedding(&self) -> Shedding {
        Shedding::shared(self.cell().clone())
    }

    /// Sets the level to `level`, whatever is measured, until [`release`](Self::release): for a drill, or if an
    /// operator knows better.
    pub fn force(&self, level: Level) {
        self.shared.change(Instant::now(), Because::Forced, |state| state.forced = Some(level));
    }

    /// Makes the level the measured one again, at once.
    pub fn release(&self) {
        self.shared.change(Instant::now(), Because::Released, |state| state.forced = None);
    }

    /// Follows the changes from now on.
    #[must_use]
    pub fn watch(&self) -> Changes {
        Changes(self.shared.changes.subscribe())
    }

    /// Everything that is known.
    #[must_use]
    pub fn status(&self) -> Report {
        let state = self.shared.state();
        Report {
            level: self.shared.cell.get(),
            forced: state.forced,
            measured: state.measured,
            samples: state.samples,
            still: state.still,
            policy_panics: state.policy_panics,
            sampled: state.sampled,
            is_sampled: state.is_sampled,
            every: self.shared.every,
            sources: state.seen.clone(),
            absent: self.shared.absent.clone(),
            last: state.last,
        }
    }
}

/// The same as [`Pressure::shedding`].
impl From<&Pressure> for Shedding {
    fn from(pressure: &Pressure) -> Self {
        pressure.shedding()
    }
}

impl Shared {
    pub(super) fn new(seen: Vec<Seen>, absent: Vec<Absent>, every: Duration, on_change: Option<OnChange>) -> Self {
        let state = State {
            measured: Level::Calm,
            forced: None,
            seen,
            samples: 0,
            still: 0,
            policy_panics: 0,
            sampled: None,
            is_sampled: true,
            last: None,
        };
        let (changes, _) = watch::channel(None);
        Self { cell: Arc::default(), state: Mutex::new(state), changes, on_change, absent, every }
    }

    /// No code of others runs under this lock, so a poisoned lock holds nothing half done.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and reports it if that changes the level.
    pub(super) fn change(&self, at: Instant, because: Because, set: impl FnOnce(&mut State)) -> Option<Change> {
        let change = {
            let mut state = self.state();
            set(&mut state);
            let (from, to) = (self.cell.get(), state.forced.unwrap_or(state.measured));
            if from == to {
                return None;
            }
            let number = state.last.map_or(0, |last| last.number) + 1;
            let change = Change { number, at, from, to, because };
            self.cell.set(to);
            state.last = Some(change);
            self.changes.send_replace(Some(change));
            change
        };
        tell(&change);
        if let Some(on_change) = &self.on_change {
            // The function is code of others, and the sampler has to go on. The panic hook has reported the panic.
            let _ = catch_unwind(AssertUnwindSafe(|| on_change(&change)));
        }
        Some(change)
    }
}

/// Logs the change: a rise as a warning.
#[cfg(feature = "tracing")]
fn tell(change: &Change) {
    if change.to > change.from {
        tracing::warn!(target: "chain::pressure", level = change.to.name(), "{change}");
    } else {
        tracing::info!(target: "chain::pressure", level = change.to.name(), "{change}");
    }
}

#[cfg(not(feature = "tracing"))]
fn tell(_: &Change) {}

impl fmt::Debug for Pressure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pressure").field("level", &self.level()).finish_non_exhaustive()
    }
}
