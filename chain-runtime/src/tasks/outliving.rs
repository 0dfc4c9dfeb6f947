//! Work that outlives its request on purpose: the base of `#[cancel(finish)]`, `#[cancel(detach)]` and
//! `#[shed(.., detach)]`.

use core::future::{Future, pending};
use std::sync::Arc;

use tokio::runtime::Handle;

use super::task::{Ended, Task};
use super::{Refused, Tasks};

const STOPPED: &str = "the tasks were stopped before the work was done";
const SHUT_DOWN: &str = "the runtime was shut down before the work was done";

impl Tasks {
    /// Waits for a place, does the work as a task of its own, and waits for its output. `#[cancel(finish)]` does this
    /// with a node's work.
    ///
    /// - A future that is dropped before the work has begun drops the work unpolled. Once the work has begun, it goes
    ///   on to its end even if the future is dropped.
    /// - A panic of the work is resumed in the code that waits. If nothing waits, the panic hook has been told, and the
    ///   panic is [counted](Tasks::counts).
    /// - While [`stop`](Tasks::stop) waits, work of this kind still begins, since a request waits for it. After that it
    ///   does not.
    ///
    /// # Panics
    ///
    /// If the work panics; if the `Tasks` is stopped, or the runtime is shut down, before the work was done; outside of
    /// a tokio runtime, in tokio's words.
    #[allow(
        clippy::manual_async_fn,
        reason = "in an `async fn` the work would lie in the future twice, as a parameter and as a local that waits"
    )]
    pub fn finish<F>(&self, node: &'static str, work: F) -> impl Future<Output = F::Output> + use<'_, F>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        async move {
            let shared = self.shared();
            let begun = match shared.place().await {
                Ok(place) => shared.begin(node, place, None, true),
                Err(refused) => Err(refused),
            };
            let Ok(alive) = begun else {
                shared.count_refused();
                panic!("{STOPPED}");
            };
            match tokio::spawn(Task::new(alive, shared.abort.clone(), work, |ended| ended)).await {
                Ok(Ended::Done(output)) => output,
                Ok(Ended::Panicked(panicked)) => panicked.resume(),
                Ok(Ended::Aborted) => panic!("{STOPPED}"),
                // This is not a panic of the work: those were caught.
                Err(_) => panic!("{SHUT_DOWN}"),
            }
        }
    }

    /// Waits for a place, and begins the work as a task of its own. `#[cancel(detach)]` does this with a node's work.
    ///
    /// A future that is dropped while it waits drops the work unpolled. If the `Tasks` was stopped, the work is dropped
    /// unpolled, too, and counted as refused. The panic hook is told of a panic of the work, which is also
    /// [counted](Tasks::counts).
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime, in tokio's words.
    #[allow(
        clippy::manual_async_fn,
        reason = "in an `async fn` the work would lie in the future twice, as a parameter and as a local that waits"
    )]
    pub fn detach<F>(&self, node: &'static str, work: F) -> impl Future<Output = ()> + use<'_, F>
    where
        F: Future + Send + 'static,
    {
        async move {
            let shared = self.shared();
            let begun = match shared.place().await {
                Ok(place) => shared.begin(node, place, None, false),
                Err(refused) => Err(refused),
            };
            match begun {
                Ok(alive) => drop(tokio::spawn(Task::new(alive, shared.abort.clone(), work, drop))),
                Err(_) => shared.count_refused(),
            }
        }
    }

    /// Puts work on the queue behind the requests, and returns whether there was a place in the queue.
    /// `#[shed(.., detach)]` does this with a node's work.
    ///
    /// The queue holds at most [`Builder::queue`](super::Builder::queue). Of these,
    /// [`Builder::at_once`](super::Builder::at_once) run at once, in the order in which they came. Work that does not
    /// fit is dropped unpolled, and counted. The same happens after a stop has begun, and outside of a tokio runtime.
    #[must_use = "work that found no place was dropped"]
    pub fn behind<F>(&self, node: &'static str, work: F) -> bool
    where
        F: Future + Send + 'static,
    {
        let shared = self.shared();
        let place = Arc::clone(&shared.queue).try_acquire_owned();
        let begun = match (place, Handle::try_current()) {
            (Ok(place), Ok(runtime)) => shared.begin(node, place, None, false).map(|alive| (alive, runtime)),
            _ => Err(Refused::Full),
        };
        let Ok((alive, runtime)) = begun else {
            shared.count(|counts| counts.dropped += 1);
            return false;
        };
        let turns = Arc::clone(&shared.turns);
        let in_turn = async move {
            // After the turns are closed, this work is dropped where it stands.
            let Ok(_turn) = turns.acquire_owned().await else { return pending().await };
            drop(work.await);
        };
        drop(runtime.spawn(Task::new(alive, shared.abort.clone(), in_turn, drop)));
        true
    }
}
