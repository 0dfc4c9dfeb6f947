//! The work of one run, and the node that lends it.

use core::fmt;
use core::future::Future;
use core::mem;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, OnceLock};

use chain_macros::node;
use tokio::sync::{Notify, OwnedSemaphorePermit, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::child::{Child, ChildPanicked, MadeOfAPanic};
use super::shared::{LEAKED, Shared, lock};
use super::task::{Ended, Task};
use super::{Refused, Tasks};
use crate::around::Panicked;

/// The work of one run, which the node [`Tasks`] provides. A later node asks for `&Work`, and spawns children through
/// it.
///
/// A child belongs to the run. [The module](super) says what happens to it on each way out.
///
/// A `Work` allocates nothing before the first child.
pub struct Work {
    shared: Arc<Shared>,
    run: OnceLock<Arc<Run>>,
}

impl Work {
    pub(super) fn new(tasks: &Tasks) -> Self {
        Self { shared: Arc::clone(tasks.shared()), run: OnceLock::new() }
    }

    /// Waits for a place, and begins a child. [`Tasks::stop`] calls the child by this `name`.
    ///
    /// Places are given out first come, first served. A run that is dropped while it waits drops `work` unpolled. If
    /// the `Tasks` is stopped, `work` is dropped unpolled, and the child gives
    /// [`ChildFailed::Cancelled`](super::ChildFailed::Cancelled).
    ///
    /// A run that has all places and waits for one more waits for its own children, so none of them may wait for what
    /// the run does afterwards.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime, in tokio's words.
    #[allow(
        clippy::manual_async_fn,
        clippy::async_yields_async,
        reason = "in an `async fn` the work would lie in the future twice, as a parameter and as a local that waits"
    )]
    pub fn spawn<F>(&self, name: &'static str, work: F) -> impl Future<Output = Child<F::Output>> + use<'_, F>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        async move {
            let begun = match self.shared.place().await {
                Ok(place) => self.begin(name, place, work),
                Err(refused) => Err(refused),
            };
            begun.unwrap_or_else(|_| self.never_begun(name))
        }
    }

    /// Does what [`spawn`](Self::spawn) does, if there is a place right now. A node that is a plain `fn` can call this,
    /// too.
    ///
    /// # Errors
    ///
    /// [`Refused`] if as many tasks are alive as are allowed, and if the `Tasks` was stopped. `work` is then dropped
    /// unpolled, and counted.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime, in tokio's words.
    pub fn try_spawn<F>(&self, name: &'static str, work: F) -> Result<Child<F::Output>, Refused>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let begun = self.shared.place_now().and_then(|place| self.begin(name, place, work));
        begun.inspect_err(|_| self.shared.count_refused())
    }

    /// Does what [`spawn`](Self::spawn) does, for work that blocks its thread: it runs on the threads that tokio has
    /// for that.
    ///
    /// Such work cannot be dropped where it stands. Once it has begun it goes on to its end, even when its run is over,
    /// and counts in [`Tasks::leaked`] from then on.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime, in tokio's words.
    pub async fn spawn_blocking<F, T>(&self, name: &'static str, work: F) -> Child<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let run = self.run();
        let begun = match self.shared.place().await {
            Ok(place) => self.shared.begin(name, place, Some(run), false),
            Err(refused) => Err(refused),
        };
        let Ok(alive) = begun else { return self.never_begun(name) };
        let (told, hears) = oneshot::channel();
        let of = Arc::clone(run);
        drop(tokio::task::spawn_blocking(move || {
            let (mut alive, work) = (alive, work);
            // Work that still waited for a thread when its run ended is not done.
            let ended = match of.abort.is_cancelled() {
                true => Panicked::caught(|| drop(work)).map_or_else(Ended::Panicked, |()| Ended::Aborted),
                false => Panicked::caught(work).map_or_else(Ended::Panicked, Ended::Done),
            };
            alive.saw(&ended);
            of.tells(name, told, ended);
            drop(alive);
        }));
        Child::new(name, hears, Arc::clone(run))
    }

    /// It is cancelled when the run is replied, if its `Tasks` [says so](super::Builder::tells_at_reply), and when the
    /// `Tasks` is stopped: the work then has time to come to an end. A child takes it along, and awaits
    /// `stopping.cancelled()` beside its work.
    #[must_use]
    pub fn stopping(&self) -> CancellationToken {
        self.run().stop.clone()
    }

    /// How many children of the run are alive.
    #[must_use]
    pub fn alive(&self) -> usize {
        self.run.get().map_or(0, |run| run.alive())
    }

    fn never_begun<T>(&self, name: &'static str) -> Child<T> {
        self.shared.count_refused();
        Child::never_begun(name)
    }

    fn run(&self) -> &Arc<Run> {
        self.run.get_or_init(|| Arc::new(Run::of(&self.shared)))
    }

    fn begin<F>(&self, name: &'static str, place: OwnedSemaphorePermit, work: F) -> Result<Child<F::Output>, Refused>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let run = self.run();
        let alive = self.shared.begin(name, place, Some(run), false)?;
        let (told, hears) = oneshot::channel();
        let of = Arc::clone(run);
        let then = move |ended| of.tells(name, told, ended);
        drop(tokio::spawn(Task::new(alive, run.abort.clone(), work, then)));
        Ok(Child::new(name, hears, Arc::clone(run)))
    }
}

/// The run is over: the children that are left are dropped where they stand.
impl Drop for Work {
    fn drop(&mut self) {
        if let Some(run) = self.run.get() {
            run.end();
        }
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Work").field("alive", &self.alive()).finish_non_exhaustive()
    }
}

/// A run that has spawned something.
pub(super) struct Run {
    stop: CancellationToken,
    abort: CancellationToken,
    state: Mutex<State>,
    none_left: Notify,
}

#[derive(Default)]
struct State {
    alive: usize,
    is_over: bool,
    /// The first child that panicked and that no code awaited.
    unseen: Option<ChildPanicked>,
}

impl Run {
    fn of(shared: &Shared) -> Self {
        Self {
            stop: shared.stop.child_token(),
            abort: shared.abort.child_token(),
            state: Mutex::default(),
            none_left: Notify::new(),
        }
    }

    fn alive(&self) -> usize {
        lock(&self.state).alive
    }

    pub(super) fn begins(&self) {
        lock(&self.state).alive += 1;
    }

    /// A child is gone. Returns whether it was the last one.
    pub(super) fn ends(&self) -> bool {
        let mut state = lock(&self.state);
        state.alive -= 1;
        if state.is_over {
            LEAKED.fetch_sub(1, Relaxed);
        }
        state.alive == 0
    }

    pub(super) fn tells_that_none_is_left(&self) {
        self.none_left.notify_one();
    }

    /// Tells the child how it ended, or tells the run, if no code awaits the child.
    fn tells<T>(&self, name: &'static str, told: oneshot::Sender<Result<T, ChildPanicked>>, ended: Ended<T>) {
        match ended {
            Ended::Done(output) => drop(told.send(Ok(output))),
            Ended::Panicked(panicked) => {
                if let Err(Err(panicked)) = told.send(Err(ChildPanicked::new(name, panicked))) {
                    self.nobody_saw(panicked);
                }
            }
            Ended::Aborted => {}
        }
    }

    pub(super) fn nobody_saw(&self, panicked: ChildPanicked) {
        let mut state = lock(&self.state);
        // The payload is dropped without the lock, because its drop may run any code.
        let further = match state.unseen {
            None => state.unseen.replace(panicked),
            Some(_) => Some(panicked),
        };
        drop(state);
        drop(further);
    }

    /// Only the run's way out waits for this, so one permit is enough.
    async fn until_none_is_left(&self) {
        while self.alive() > 0 {
            self.none_left.notified().await;
        }
    }

    fn end(&self) {
        let mut state = lock(&self.state);
        if !mem::replace(&mut state.is_over, true) {
            LEAKED.fetch_add(state.alive, Relaxed);
        }
        drop(state);
        self.abort.cancel();
    }
}

#[node(crate = crate)]
impl Tasks {
    /// Lends the run its `Work`.
    #[must_use]
    pub fn enter(&self) -> Work {
        Work::new(self)
    }

    /// Waits for the run's children, up to the limit of [`Builder::join_within`](super::Builder::join_within), and then
    /// drops them where they stand. The panic of a child that no code awaited takes the reply's place.
    ///
    /// # Panics
    ///
    /// If there is a child to wait for, and the runtime has no timers.
    pub async fn exit<R: MadeOfAPanic>(&self, work: &mut Work, reply: &mut R) {
        let Some(run) = work.run.get() else { return };
        let settings = &self.shared().settings;
        if settings.tells_at_reply {
            run.stop.cancel();
        }
        // A timer is made only if there is something to wait for.
        if run.alive() > 0 && timeout(settings.join_within, run.until_none_is_left()).await.is_err() {
            run.abort.cancel();
        }
        let unseen = lock(&run.state).unseen.take();
        if let Some(panicked) = unseen {
            *reply = R::made_of(panicked);
        }
    }
}
