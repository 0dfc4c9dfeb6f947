//! [`Book`]: the registered members, for the write side. It knows no lock and no clock.

use core::num::NonZeroU32;
use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Instant;
use std::vec::Vec;

use super::health::{Care, Ejections, Health, Noticed};
use super::member::{Changes, Generation, Gone, Member, Refused, Registration, is_name};
use super::seat::Seat;
use super::snapshot::{Counts, Entry, Snapshot, State};
use super::totals::{Cause, RegistryTotals};

/// All members, and when their leases end.
pub(super) struct Book<T> {
    members: BTreeMap<Arc<str>, Record<T>>,
    counts: Counts,
    /// The leases that end, the earliest first, with one entry for each such member.
    ends: BTreeMap<(Instant, Generation), Arc<str>>,
    /// The ejections that end, in the same way.
    returns: BTreeMap<(Instant, Generation), Arc<str>>,
    care: Option<Care<T>>,
    /// Seats that no member has any more, and that had requests in flight when that happened.
    leaving: BTreeMap<Generation, Weak<Seat<T>>>,
    /// When there are this many of them, those that have nothing in flight any more are removed.
    sweep_at: usize,
    next: Generation,
    pub(super) limit: usize,
    version: u64,
    pub(super) totals: RegistryTotals,
    /// What has to be dropped after the lock is released: a member's own `Drop` may take long.
    pub(super) dropped: Vec<Arc<Seat<T>>>,
}

struct Record<T> {
    seat: Arc<Seat<T>>,
    state: State,
    weight: NonZeroU32,
    lease: Duration,
    /// When the lease ends, if it does.
    ends: Option<Instant>,
    ejections: Ejections,
    /// When the member became ready again.
    back: Option<Instant>,
}

/// How many of these seats are kept before the drained ones are looked for.
const LEAVING: usize = 64;

impl<T> Book<T> {
    pub(super) const fn new(first: Generation, limit: usize) -> Self {
        Self {
            members: BTreeMap::new(),
            counts: Counts { ready: 0, draining: 0, ejected: 0, unhealthy: 0 },
            ends: BTreeMap::new(),
            returns: BTreeMap::new(),
            care: None,
            leaving: BTreeMap::new(),
            sweep_at: LEAVING,
            next: first,
            limit,
            version: 0,
            totals: RegistryTotals::NONE,
            dropped: Vec::new(),
        }
    }

    /// Grows with each change that a snapshot shows.
    pub(super) const fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn starts_at(&mut self, first: Generation) {
        assert!(self.version == 0, "somebody was registered already, and no generation may be given twice");
        self.next = first;
    }

    pub(super) fn cares(&mut self, care: Care<T>) {
        assert!(self.version == 0, "somebody was registered already, and of those nothing was noticed");
        self.care = Some(care);
    }

    fn health(&self) -> Option<&Health> {
        self.care.as_ref().map(|care| &*care.settings)
    }

    /// When the next lease or ejection ends.
    pub(super) fn next_end(&self) -> Option<Instant> {
        let first = |ends: &BTreeMap<(Instant, Generation), _>| ends.first_key_value().map(|((end, _), _)| *end);
        first(&self.ends).into_iter().chain(first(&self.returns)).min()
    }

    pub(super) fn snapshot(&self) -> Snapshot<T> {
        let entry = |record: &Record<T>| Entry {
            seat: Arc::clone(&record.seat),
            state: record.state,
            weight: record.weight,
            back: record.back,
        };
        Snapshot::new(self.members.values().map(entry).collect(), self.counts, self.version, self.health())
    }

    /// Removes the members whose leases have ended by now, and returns how many they were. Members whose ejections have
    /// ended become ready.
    pub(super) fn expire(&mut self, now: Instant) -> usize {
        let before = self.members.len();
        while let Some(end) = self.ends.first_entry().filter(|end| end.key().0 <= now) {
            let name = end.remove();
            self.take(&name);
            self.totals.evicted += 1;
        }
        while let Some(end) = self.returns.first_entry().filter(|end| end.key().0 <= now) {
            let ((until, generation), name) = end.remove_entry();
            let back = self.change_state(&Registration { name, generation }, until, |_, _| State::Ready);
            debug_assert_eq!(back, Ok(State::Ready), "whoever leaves, or is not ejected any more, does not return");
        }
        before - self.members.len()
    }

    /// Registers the member. A refused member stays where it is, since it must not be dropped under the lock.
    pub(super) fn register(
        &mut self,
        member: &mut Option<Member<T>>,
        lease: Duration,
        now: Instant,
    ) -> Result<Registration, Refused> {
        let admitted = member.take_if(|member| is_name(&member.name) && self.has_room(&member.name));
        match (admitted, member) {
            (Some(admitted), _) => Ok(self.insert(admitted, lease, now)),
            (None, Some(refused)) if !is_name(&refused.name) => {
                self.totals.misnamed += 1;
                Err(Refused::Name(Arc::clone(&refused.name)))
            }
            (None, _) => {
                self.totals.full += 1;
                Err(Refused::Full { limit: self.limit })
            }
        }
    }

    fn has_room(&self, name: &str) -> bool {
        self.members.len() < self.limit || self.members.contains_key(name)
    }

    pub(super) fn heartbeat(&mut self, registration: &Registration, now: Instant) -> Result<(), Gone> {
        let found = find(&mut self.members, registration);
        let record = found.inspect_err(|Gone| self.totals.late += 1)?;
        let Some(ends) = record.ends else { return Ok(()) };
        let later = now.checked_add(record.lease);
        // A heartbeat that was long on its way does not shorten a lease that another one has extended meanwhile.
        if later.is_none_or(|later| later > ends) {
            record.ends = later;
            self.ends.remove(&(ends, registration.generation));
            if let Some(later) = later {
                self.ends.insert((later, registration.generation), Arc::clone(record.seat.shared_name()));
            }
        }
        Ok(())
    }

    pub(super) fn change_state(
        &mut self,
        registration: &Registration,
        now: Instant,
        change: impl FnOnce(State, Counts) -> State,
    ) -> Result<State, Gone> {
        self.change_state_for(Cause::Told, registration, now, change)
    }

    fn change_state_for(
        &mut self,
        cause: Cause,
        registration: &Registration,
        now: Instant,
        change: impl FnOnce(State, Counts) -> State,
    ) -> Result<State, Gone> {
        let record = find(&mut self.members, registration)?;
        let before = record.state;
        if before == State::Draining {
            return Ok(State::Draining);
        }
        // This comes first, since it may panic.
        let state = match change(before, self.counts) {
            State::Ejected { until } if until <= now => State::Ready,
            state => state,
        };
        if state == before {
            return Ok(state);
        }
        *self.counts.of(before) -= 1;
        *self.counts.of(state) += 1;
        record.state = state;
        self.version += 1;
        if let State::Ejected { until } = before {
            self.returns.remove(&(until, registration.generation));
        }
        match state {
            State::Ready => {
                record.back = Some(now);
                record.seat.latency.forget();
            }
            State::Ejected { until } => {
                self.returns.insert((until, registration.generation), Arc::clone(record.seat.shared_name()));
                record.seat.counters.count_ejection();
                *self.totals.ejected.of(cause) += 1;
            }
            State::Draining => record.seat.close(),
            State::Unhealthy => self.totals.unhealthy += 1,
        }
        if let Some(noticed) = record.seat.noticed() {
            noticed.is(state, now);
        }
        Ok(state)
    }

    /// Ejects the member if it is ready, and if one more may be ejected. `chance` makes the ejection longer.
    pub(super) fn eject(
        &mut self,
        registration: &Registration,
        cause: Cause,
        now: Instant,
        chance: f64,
    ) -> Result<(), Gone> {
        let record = find(&mut self.members, registration)?;
        let Some(health) = self.care.as_ref().map(|care| &*care.settings) else { return Ok(()) };
        if record.state != State::Ready || !health.has_room(self.counts) {
            return Ok(());
        }
        let until = record.ejections.next(health, now, chance);
        self.change_state_for(cause, registration, now, |_, _| State::Ejected { until }).map(drop)
    }

    pub(super) fn weigh(&mut self, registration: &Registration, weight: NonZeroU32) -> Result<(), Gone> {
        let record = find(&mut self.members, registration)?;
        if record.weight != weight {
            record.weight = weight;
            self.version += 1;
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, registration: &Registration) -> Result<(), Gone> {
        find(&mut self.members, registration)?;
        self.take(&registration.name);
        self.totals.removed += 1;
        Ok(())
    }

    /// Makes the members of a list what the list says. `listed` is what the list has registered so far. Only members
    /// that are registered are taken out of the list: the others must not be dropped under the lock.
    pub(super) fn replace(
        &mut self,
        listed: &mut BTreeMap<Arc<str>, Generation>,
        list: &mut BTreeMap<Arc<str>, Option<Member<T>>>,
        now: Instant,
    ) -> Result<Changes, Refused>
    where
        T: PartialEq,
    {
        let mut changes = Changes::default();
        let is_current = |members: &BTreeMap<Arc<str>, Record<T>>, name: &Arc<str>, generation: &Generation| {
            members.get(name).is_some_and(|record| record.seat.generation() == *generation)
        };
        let gone = |(name, generation): &(&Arc<str>, &Generation)| {
            !list.contains_key(*name) && is_current(&self.members, name, generation)
        };
        let removed: Vec<Arc<str>> = listed.iter().filter(gone).map(|(name, _)| Arc::clone(name)).collect();
        let new = list.keys().filter(|name| !self.members.contains_key(*name)).count();
        if self.members.len() - removed.len() + new > self.limit {
            return Err(Refused::Full { limit: self.limit });
        }
        for name in &removed {
            self.take(name);
        }
        changes.removed = removed.len();
        self.totals.removed += removed.len() as u64;
        listed.retain(|name, _| list.contains_key(name));
        for (name, place) in list {
            let Some(member) = place else { continue };
            let own = listed.get(name).filter(|generation| is_current(&self.members, name, generation));
            let record = own.and_then(|_| self.members.get_mut(name));
            changes.removed += usize::from(record.as_ref().is_some_and(|record| !record.seat.is_same(member)));
            match record.filter(|record| record.seat.is_same(member)) {
                Some(record) if record.weight == member.weight => changes.kept += 1,
                Some(record) => {
                    record.weight = member.weight;
                    self.version += 1;
                    changes.reweighed += 1;
                }
                None => {
                    // The member has no lease: the list decides when it goes.
                    let registration = place.take().map(|member| self.insert(member, Duration::MAX, now));
                    listed.extend(registration.map(|registration| (registration.name, registration.generation)));
                    changes.added += 1;
                }
            }
        }
        Ok(changes)
    }

    /// When the lease of this registration ends, if it does.
    pub(super) fn ends(&self, registration: &Registration) -> Result<Option<Instant>, Gone> {
        let record = self.members.get(&registration.name).ok_or(Gone)?;
        if record.seat.generation() == registration.generation { Ok(record.ends) } else { Err(Gone) }
    }

    /// Whether a member has this name.
    #[cfg(feature = "upstream-http")]
    pub(super) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// The seat of this registration, while the member is there or has requests in flight.
    pub(super) fn seat(&self, registration: &Registration) -> Option<Arc<Seat<T>>> {
        let registered = self.members.get(&registration.name).map(|record| &record.seat);
        match registered.filter(|seat| seat.generation() == registration.generation) {
            Some(seat) => Some(Arc::clone(seat)),
            None => self.leaving.get(&registration.generation)?.upgrade(),
        }
    }

    fn insert(&mut self, member: Member<T>, lease: Duration, now: Instant) -> Registration {
        self.totals.registered += 1;
        self.totals.superseded += u64::from(self.take(&member.name));
        let generation = self.next;
        self.next = generation.next();
        let (name, weight) = (Arc::clone(&member.name), member.weight);
        let ends = now.checked_add(lease);
        if let Some(ends) = ends {
            self.ends.insert((ends, generation), Arc::clone(&name));
        }
        let noticed = self.care.as_ref().map(|care| Noticed::new(care, now));
        let seat = Arc::new(Seat::new(member, generation, noticed));
        let registration = seat.registration().clone();
        let (ejections, back) = (Ejections::default(), None);
        self.members.insert(name, Record { seat, state: State::Ready, weight, lease, ends, ejections, back });
        self.counts.ready += 1;
        self.version += 1;
        registration
    }

    /// Takes out the member with this name, and returns whether there was one. No request begins there any more.
    fn take(&mut self, name: &str) -> bool {
        let Some(record) = self.members.remove(name) else { return false };
        let generation = record.seat.generation();
        if let Some(ends) = record.ends {
            self.ends.remove(&(ends, generation));
        }
        if let State::Ejected { until } = record.state {
            self.returns.remove(&(until, generation));
        }
        *self.counts.of(record.state) -= 1;
        self.version += 1;
        record.seat.close();
        if !record.seat.is_drained() {
            self.leaving.insert(generation, Arc::downgrade(&record.seat));
            if self.leaving.len() >= self.sweep_at {
                self.sweep();
            }
        }
        self.dropped.push(record.seat);
        true
    }

    /// Removes the seats that have nothing in flight any more. This is done when their number has doubled, so its cost
    /// for each of them is constant.
    fn sweep(&mut self) {
        // Only the strong count is looked at: holding a seat here might be holding the last reference, which would then
        // be dropped under the lock.
        self.leaving.retain(|_, seat| seat.strong_count() != 0);
        self.sweep_at = (2 * self.leaving.len()).max(LEAVING);
    }
}

/// The member with this registration, and not with another one of its name.
fn find<'a, T>(
    members: &'a mut BTreeMap<Arc<str>, Record<T>>,
    registration: &Registration,
) -> Result<&'a mut Record<T>, Gone> {
    let record = members.get_mut(&registration.name).ok_or(Gone)?;
    if record.seat.generation() == registration.generation { Ok(record) } else { Err(Gone) }
}

#[cfg(all(test, not(chain_loom)))]
mod tests;
