//! [`Table`]: what a machine knows about all keys, in sets of eight places, like a processor's cache.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::boxed::Box;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use super::place::Place;
use super::quota::{Terms, nanos};
use crate::shared::{Answer, Asks, Question};

/// The number of places in a set.
const WAYS: usize = 8;

#[derive(Debug, Default)]
pub(super) struct Set {
    places: Mutex<[Place; WAYS]>,
    /// Wakes the requests that wait for one of its keys, after an answer.
    pub(super) told: Notify,
}

#[derive(Debug)]
pub(super) struct Table<C> {
    sets: Box<[Set]>,
    pub(super) terms: Terms,
    clock: C,
    since: Instant,
    pub(super) forgotten: AtomicU64,
}

impl<C: Fn() -> Instant> Table<C> {
    pub(super) fn new(keys: usize, terms: Terms, clock: C) -> Self {
        let sets = keys.div_ceil(WAYS).max(1);
        let since = clock();
        Self { sets: (0..sets).map(|_| Set::default()).collect(), terms, clock, since, forgotten: AtomicU64::new(0) }
    }

    /// The same table with room for so many keys, and without entries.
    pub(super) fn resized(&self, keys: usize) -> Self
    where
        C: Clone,
    {
        Self::new(keys, self.terms, self.clock.clone())
    }

    /// The time begins at 1, so that nothing has happened at 0.
    pub(super) fn now(&self) -> u64 {
        nanos((self.clock)().saturating_duration_since(self.since)).saturating_add(1)
    }

    pub(super) fn set(&self, hash: u64) -> &Set {
        // The upper half of the product is distributed evenly over all sets, without a division.
        let at = (u128::from(hash) * self.sets.len() as u128) >> 64;
        &self.sets[usize::try_from(at).unwrap_or(0)]
    }

    /// Works on the place of this key. If the key has none, it gets the place of the least worth.
    pub(super) fn with<R>(&self, hash: u64, now: u64, work: impl FnOnce(&mut Place, &Terms) -> R) -> R {
        let mut places = self.set(hash).lock();
        let at = places.iter().position(|place| place.is_taken && place.hash == hash).unwrap_or_else(|| {
            let (at, place) =
                places.iter().enumerate().min_by_key(|(_, place)| place.worth()).unwrap_or((0, &places[0]));
            let (is_taken, is_awaited, until) = place.worth();
            if is_taken && (is_awaited || until > now) {
                self.forgotten.fetch_add(1, Relaxed);
            }
            places[at] = Place::new(hash);
            at
        });
        work(&mut places[at], &self.terms)
    }

    /// Works on the place of this key, if it has one.
    fn with_known(&self, hash: u64, work: impl FnOnce(&mut Place, &Terms)) {
        let mut places = self.set(hash).lock();
        if let Some(place) = places.iter_mut().find(|place| place.is_taken && place.hash == hash) {
            work(place, &self.terms);
        }
    }

    /// Counts a request as waiting until the returned value is dropped.
    pub(super) fn wait(&self, hash: u64) -> Waiting<'_, C> {
        self.with(hash, self.now(), |place, _| place.waiting = place.waiting.saturating_add(1));
        Waiting { table: self, hash }
    }
}

impl Set {
    fn lock(&self) -> MutexGuard<'_, [Place; WAYS]> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that waits for an answer.
pub(super) struct Waiting<'a, C: Fn() -> Instant> {
    table: &'a Table<C>,
    hash: u64,
}

impl<C: Fn() -> Instant> Drop for Waiting<'_, C> {
    fn drop(&mut self) {
        // The place may have become another key's meanwhile.
        self.table.with_known(self.hash, |place, _| place.waiting = place.waiting.saturating_sub(1));
    }
}

impl<C: Fn() -> Instant + Send + Sync> Asks for Table<C> {
    fn answered(&self, Question { hash, at }: Question, answer: Option<Answer>) {
        let now = self.now();
        self.with_known(hash, |place, terms| place.answered(at, now, terms, answer));
        self.set(hash).told.notify_waiters();
    }
}
