//! [`Registry::check`]: the task that checks members.

use core::future::{Future as _, poll_fn};
use core::pin::pin;
use core::task::{Context, Poll};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

use tokio::task::{Id, JoinSet};
use tokio::time::{sleep_until, timeout};

use super::checks::{Check, Checks, Found, Ill};
use super::standing::Standing;
use crate::upstream::clock::now;
use crate::upstream::member::Generation;
use crate::upstream::registry::Registry;
use crate::upstream::seat::Seat;
use crate::upstream::snapshot::{Snapshot, State};

impl<T: Send + Sync + 'static> Registry<T> {
    /// Checks all members again and again, for as long as it is polled: a task for the life of the process. A member
    /// that is not well is [`Unhealthy`](State::Unhealthy) until it is well again. `found` is told of each such change.
    ///
    /// - A registered member counts as well, until [so many](Checks::rise_and_fall) checks in a row have found
    ///   something else.
    /// - A drained member is no longer checked. An ejected member is checked, and stays ejected until its time is over,
    ///   unless it is not well either.
    /// - At most [so many](Checks::at_once) checks are under way at once. A check that panics counts as a failed check.
    /// - If this future is dropped, no check goes on. The members stay as they are.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with its timer.
    ///
    /// ```no_run
    /// use std::net::SocketAddr;
    /// use std::time::Duration;
    ///
    /// use chain_runtime::upstream::{Checks, Connect, Registry};
    ///
    /// # async fn example() {
    /// let registry: Registry<SocketAddr> = Registry::new();
    /// let checks = Checks::new().interval(Duration::from_secs(1), 0.2).rise_and_fall(2, 3);
    /// registry.check(Connect::to(|address: &SocketAddr| *address), checks, |found| eprintln!("{found}")).await;
    /// # }
    /// ```
    pub async fn check<C: Check<T>>(&self, check: C, checks: Checks, mut found: impl FnMut(&Found<C::Error>)) -> ! {
        let mut rounds = Rounds::new(check, checks);
        let mut snapshot = self.snapshot().keep();
        rounds.knows(&snapshot);
        loop {
            rounds.begin(now());
            match rounds.next(self, &snapshot).await {
                Next::Members(new) => {
                    snapshot = new;
                    rounds.knows(&snapshot);
                }
                Next::Due => {}
                Next::Ended(generation, ended) => {
                    if let Some(news) = rounds.ended(self, generation, ended) {
                        found(&news);
                    }
                }
            }
        }
    }
}

/// All checked members, and the checks under way.
struct Rounds<T, C: Check<T>> {
    check: Arc<C>,
    checks: Checks,
    members: BTreeMap<Generation, Asked<T>>,
    /// The members that are not being checked, the next one first.
    due: BTreeSet<(Instant, Generation)>,
    /// The checks end when this is dropped.
    running: JoinSet<Result<(), Ill<C::Error>>>,
    of: HashMap<Id, Generation>,
}

struct Asked<T> {
    seat: Arc<Seat<T>>,
    standing: Standing,
    /// When the member is checked next, or, while it is being checked, when it became due.
    next: Instant,
}

enum Next<T, E> {
    Members(Arc<Snapshot<T>>),
    Due,
    Ended(Generation, Result<(), Ill<E>>),
}

impl<T: Send + Sync + 'static, C: Check<T>> Rounds<T, C> {
    fn new(check: C, checks: Checks) -> Self {
        Self {
            check: Arc::new(check),
            checks,
            members: BTreeMap::new(),
            due: BTreeSet::new(),
            running: JoinSet::new(),
            of: HashMap::new(),
        }
    }

    /// Checks exactly the members of this snapshot from now on.
    fn knows(&mut self, snapshot: &Snapshot<T>) {
        let now = now();
        let mut before = core::mem::take(&mut self.members);
        for entry in snapshot.members().iter().filter(|entry| entry.state != State::Draining) {
            let generation = entry.seat.generation();
            let asked = before.remove(&generation).unwrap_or_else(|| {
                let next = now + self.checks.first_pause(fastrand::f64());
                self.due.insert((next, generation));
                Asked { seat: Arc::clone(&entry.seat), standing: Standing::default(), next }
            });
            self.members.insert(generation, asked);
        }
        // A check of one of these that is under way goes on to its end, and its result is ignored.
        for (generation, asked) in before {
            self.due.remove(&(asked.next, generation));
        }
    }

    /// Begins the checks that are due, as far as there is room.
    fn begin(&mut self, now: Instant) {
        while self.has_room()
            && let Some((_, generation)) = self.due.first().copied().filter(|(next, _)| *next <= now)
        {
            self.due.pop_first();
            let Some(asked) = self.members.get_mut(&generation) else { continue };
            asked.next = now + self.checks.pause(fastrand::f64());
            let (check, seat, limit) = (Arc::clone(&self.check), Arc::clone(&asked.seat), self.checks.time_limit);
            let task = self.running.spawn(async move {
                let ended = timeout(limit, check.check(&seat)).await.map_err(|_| Ill::TimedOut)?;
                ended.map_err(Ill::Failed)
            });
            self.of.insert(task.id(), generation);
        }
    }

    fn has_room(&self) -> bool {
        self.running.len() < self.checks.at_once
    }

    /// Completes when there is something to do.
    async fn next(&mut self, registry: &Registry<T>, seen: &Snapshot<T>) -> Next<T, C::Error> {
        let mut changed = pin!(registry.changed(seen.version()));
        let due = if self.has_room() { self.due.first().map(|(next, _)| *next) } else { None };
        let mut due = pin!(due.map(|next| sleep_until(next.into())));
        poll_fn(|context| {
            if let Poll::Ready(ended) = self.poll_ended(context) {
                return Poll::Ready(ended);
            }
            if let Poll::Ready(new) = changed.as_mut().poll(context) {
                return Poll::Ready(Next::Members(new));
            }
            match due.as_mut().as_pin_mut() {
                Some(due) => due.poll(context).map(|()| Next::Due),
                None => Poll::Pending,
            }
        })
        .await
    }

    fn poll_ended(&mut self, context: &mut Context<'_>) -> Poll<Next<T, C::Error>> {
        while let Poll::Ready(Some(ended)) = self.running.poll_join_next_with_id(context) {
            let (id, ended) = match ended {
                Ok(ended) => ended,
                Err(error) => (error.id(), Err(Ill::Panicked)),
            };
            if let Some(generation) = self.of.remove(&id) {
                return Poll::Ready(Next::Ended(generation, ended));
            }
        }
        Poll::Pending
    }

    /// Applies the result of a check to its member, and returns what has changed.
    fn ended(
        &mut self,
        registry: &Registry<T>,
        generation: Generation,
        ended: Result<(), Ill<C::Error>>,
    ) -> Option<Found<C::Error>> {
        let asked = self.members.get_mut(&generation)?;
        self.due.insert((asked.next, generation));
        let is_well = asked.standing.hears(ended.is_ok(), &self.checks)?;
        let member = asked.seat.registration().clone();
        let mut is_news = false;
        let state = registry.change_state(&member, |state, _| {
            is_news = is_well == (state == State::Unhealthy);
            match is_news {
                true if is_well => State::Ready,
                true => State::Unhealthy,
                false => state,
            }
        });
        let state = state.ok().filter(|_| is_news)?;
        Some(Found { member, state, why: ended.err() })
    }
}
