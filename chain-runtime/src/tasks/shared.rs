//! What a `Tasks` and everything that runs in it share: the places, the living tasks, and the two tokens.

use core::pin::pin;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::run::Run;
use super::task::Ended;
use super::{Counts, Refused};

/// How many tasks outlived what they belonged to, and are still alive.
pub(super) static LEAKED: AtomicUsize = AtomicUsize::new(0);

/// How many names are told apart. Names are literals of the program; the bound is for a program that makes them up.
const NAMES: usize = 256;
/// The name of all tasks with further names.
const OTHERS: &str = "(others)";

/// Locks it. Nothing panics while it is locked.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) struct Shared {
    /// Places for children, and for the work of `#[cancel(..)]`.
    pub(super) places: Arc<Semaphore>,
    /// Places for work that waits or runs behind requests.
    pub(super) queue: Arc<Semaphore>,
    /// Turns for work that runs behind requests.
    pub(super) turns: Arc<Semaphore>,
    pub(super) settings: super::Builder,
    /// Tells all work to come to its end.
    pub(super) stop: CancellationToken,
    /// Drops all work where it stands.
    pub(super) abort: CancellationToken,
    state: Mutex<State>,
    none_left: Notify,
}

#[derive(Default)]
struct State {
    /// How many tasks of each name are alive. An entry stays, so that a name allocates once.
    names: BTreeMap<&'static str, usize>,
    counts: Counts,
    /// How many tasks belong to the `Tasks` itself, and to no run.
    own: usize,
    /// Nothing new begins.
    is_closed: bool,
    /// The owner of the tasks is gone.
    is_over: bool,
}

impl Shared {
    pub(super) fn new(settings: super::Builder) -> Self {
        let semaphore = |permits: usize| Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS)));
        Self {
            places: semaphore(settings.at_most),
            queue: semaphore(settings.queue),
            turns: semaphore(settings.at_once.max(1)),
            settings,
            stop: CancellationToken::new(),
            abort: CancellationToken::new(),
            state: Mutex::default(),
            none_left: Notify::new(),
        }
    }

    /// Takes a place at once.
    pub(super) fn place_now(&self) -> Result<OwnedSemaphorePermit, Refused> {
        if self.is_closed() { Err(Refused::Stopped) } else { self.free_place() }
    }

    pub(super) fn count_refused(&self) {
        self.count(|counts| counts.refused += 1);
    }

    fn free_place(&self) -> Result<OwnedSemaphorePermit, Refused> {
        Arc::clone(&self.places).try_acquire_owned().map_err(|_| Refused::Full)
    }

    /// Waits for a place, first come, first served.
    pub(super) async fn place(&self) -> Result<OwnedSemaphorePermit, Refused> {
        match self.free_place() {
            Ok(place) => Ok(place),
            Err(_) => Arc::clone(&self.places).acquire_owned().await.map_err(|_| Refused::Stopped),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        lock(&self.state).is_closed
    }

    pub(super) fn counts(&self) -> Counts {
        lock(&self.state).counts
    }

    pub(super) fn count(&self, count: impl FnOnce(&mut Counts)) {
        count(&mut lock(&self.state).counts);
    }

    /// Begins a task: it is alive until what this returns is dropped.
    ///
    /// # Errors
    ///
    /// If no new work may begin. Work that its request waits for (`is_awaited`) may begin up to the end of a stop.
    pub(super) fn begin(
        self: &Arc<Self>,
        name: &'static str,
        place: OwnedSemaphorePermit,
        run: Option<&Arc<Run>>,
        is_awaited: bool,
    ) -> Result<Alive, Refused> {
        let mut state = lock(&self.state);
        if state.is_over || state.is_closed && !is_awaited {
            return Err(Refused::Stopped);
        }
        let is_known = state.names.contains_key(name) || state.names.len() < NAMES;
        let name = if is_known { name } else { OTHERS };
        *state.names.entry(name).or_default() += 1;
        state.own += usize::from(run.is_none());
        state.counts.alive += 1;
        state.counts.begun += 1;
        drop(state);
        if let Some(run) = run {
            run.begins();
        }
        Ok(Alive { shared: Arc::clone(self), name, place: Some(place), run: run.map(Arc::clone), has_ended: false })
    }

    /// No new work may begin, and all work is told.
    pub(super) fn close(&self) {
        lock(&self.state).is_closed = true;
        self.stop.cancel();
    }

    pub(super) async fn until_none_is_left(&self) {
        loop {
            let mut told = pin!(self.none_left.notified());
            told.as_mut().enable();
            if lock(&self.state).counts.alive == 0 {
                return;
            }
            told.await;
        }
    }

    /// The tasks that belonged to the `Tasks` belong to nothing now. Returns the living ones.
    pub(super) fn end(&self) -> std::vec::Vec<(&'static str, usize)> {
        let mut state = lock(&self.state);
        state.is_closed = true;
        if !core::mem::replace(&mut state.is_over, true) {
            LEAKED.fetch_add(state.own, Relaxed);
        }
        state.names.iter().filter(|(_, alive)| **alive > 0).map(|(name, alive)| (*name, *alive)).collect()
    }

    /// Drops all work where it stands. Code that waits for a place gets none.
    pub(super) fn abort(&self) {
        self.abort.cancel();
        [&self.places, &self.queue, &self.turns].into_iter().for_each(|semaphore| semaphore.close());
    }
}

/// A task that has begun, with its place.
pub(super) struct Alive {
    pub(super) shared: Arc<Shared>,
    name: &'static str,
    place: Option<OwnedSemaphorePermit>,
    run: Option<Arc<Run>>,
    /// Whether its end was counted.
    has_ended: bool,
}

impl Alive {
    /// Counts how the task ended.
    pub(super) fn saw<T>(&mut self, ended: &Ended<T>) {
        self.has_ended = true;
        match ended {
            Ended::Done(_) => {}
            Ended::Panicked(_) => self.shared.count(|counts| counts.panicked += 1),
            Ended::Aborted => self.shared.count(|counts| counts.aborted += 1),
        }
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        // Code that waits for the task to be gone then finds its place free.
        drop(self.place.take());
        let mut state = lock(&self.shared.state);
        // The task did not end: its runtime was shut down, and dropped it.
        state.counts.aborted += u64::from(!self.has_ended);
        if let Some(alive) = state.names.get_mut(self.name) {
            *alive -= 1;
        }
        state.counts.alive -= 1;
        if self.run.is_none() {
            state.own -= 1;
            if state.is_over {
                LEAKED.fetch_sub(1, Relaxed);
            }
        }
        let is_last = state.counts.alive == 0;
        // This happens under the lock: code that finds no task alive finds none that leaked, either.
        let run = self.run.as_ref().filter(|run| run.ends());
        drop(state);
        if is_last {
            self.shared.none_left.notify_waiters();
        }
        if let Some(run) = run {
            run.tells_that_none_is_left();
        }
    }
}
