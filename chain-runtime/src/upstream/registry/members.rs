//! What is done to the members of a registry, one at a time.

use core::num::NonZeroU32;
use core::time::Duration;
use std::time::Instant;

use super::Registry;
use crate::upstream::clock::now;
use crate::upstream::member::{Gone, Member, Refused, Registration};
use crate::upstream::snapshot::{Counts, State};
use crate::upstream::totals::Cause;

impl<T> Registry<T> {
    /// Registers a member until `lease` has passed without a [`heartbeat`](Self::heartbeat). A lease that ends beyond
    /// the range of the clock, such as [`Duration::MAX`], does not end.
    ///
    /// It is [`Ready`](State::Ready). The member that had its name before is gone: each registration has a new
    /// generation.
    ///
    /// While a task [keeps](Self::keep) the registry, [`snapshot`](Self::snapshot) shows it up to a spacing later;
    /// [`publish`](Self::publish) shows it at once.
    ///
    /// # Errors
    ///
    /// The name is invalid, or there are too many members.
    pub fn register(&self, member: Member<T>, lease: Duration) -> Result<Registration, Refused> {
        let mut member = Some(member);
        self.change(|book, now| book.register(&mut member, lease, now))
    }

    /// Renews the lease: it ends when its whole length has passed from now. This changes no snapshot.
    ///
    /// # Errors
    ///
    /// The registration is gone. That is also so if its lease ended just now: only a new registration brings the member
    /// back.
    pub fn heartbeat(&self, registration: &Registration) -> Result<(), Gone> {
        self.change(|book, now| book.heartbeat(registration, now))
    }

    /// How long the lease lasts without renewal. `None` if it does not end.
    ///
    /// # Errors
    ///
    /// The registration is gone.
    pub fn lease_left(&self, registration: &Registration) -> Result<Option<Duration>, Gone> {
        let ends = self.lock().book.ends(registration)?;
        let left = ends.map(|ends| ends.saturating_duration_since(now()));
        if left == Some(Duration::ZERO) { Err(Gone) } else { Ok(left) }
    }

    /// Stops new requests to this member. Requests in flight go on, and [`drained`](Self::drained) completes when they
    /// have ended. The member stays while it is renewed, and stays [`Draining`](State::Draining) for good.
    ///
    /// When this has returned, [`begin`](crate::upstream::Seat::begin) refuses, even for a seat from an older snapshot. The
    /// current snapshot may also be such an older one: while a task [keeps](Self::keep) the registry,
    /// [`snapshot`](Self::snapshot) shows the member's old state up to a spacing longer, unless
    /// [`publish`](Self::publish) is called.
    ///
    /// # Errors
    ///
    /// The registration is gone.
    pub fn drain(&self, registration: &Registration) -> Result<(), Gone> {
        self.change_state(registration, |_, _| State::Draining).map(drop)
    }

    /// Takes the member out. No new requests begin there when this has returned; requests in flight go on.
    ///
    /// While a task [keeps](Self::keep) the registry, [`snapshot`](Self::snapshot) has the member up to a spacing
    /// longer, unless [`publish`](Self::publish) is called.
    ///
    /// # Errors
    ///
    /// The registration is gone already.
    pub fn remove(&self, registration: &Registration) -> Result<(), Gone> {
        self.change(|book, _| book.remove(registration))
    }

    /// Changes the state of this generation, by its present state and the number of members in each state. `change`
    /// runs under the registry's lock, so nothing happens between what it is told and what it returns. It should be
    /// short, and must not call the registry. Returns the new state of the member: what `change` returned, or
    /// [`Ready`](State::Ready) for an ejection that would have ended already.
    ///
    /// A member that is [`Draining`](State::Draining) stays so, and `change` is not called.
    ///
    /// While a task [keeps](Self::keep) the registry, [`snapshot`](Self::snapshot) shows it up to a spacing later;
    /// [`publish`](Self::publish) shows it at once.
    ///
    /// # Errors
    ///
    /// The registration is gone.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use chain_runtime::upstream::{Member, Registry, State};
    /// let registry = Registry::new();
    /// let [a, b] = ["a", "b"].map(|name| registry.register(Member::new(name, 80), Duration::MAX).unwrap());
    ///
    /// // At most half of all members may be not ready.
    /// for registration in [a, b] {
    ///     registry.change_state(&registration, |state, counts| {
    ///         if 2 * (counts.ready - 1) >= counts.all() { State::Unhealthy } else { state }
    ///     })?;
    /// }
    /// assert_eq!(registry.snapshot().counts().ready, 1);
    /// # Ok::<(), chain_runtime::upstream::Gone>(())
    /// ```
    pub fn change_state(
        &self,
        registration: &Registration,
        change: impl FnOnce(State, Counts) -> State,
    ) -> Result<State, Gone> {
        self.change(|book, now| book.change_state(registration, now, change))
    }

    /// Ejects this generation for how its requests ended, unless it is not ready, or too many members are out already.
    pub(in crate::upstream) fn eject(
        &self,
        registration: &Registration,
        cause: Cause,
        now: Instant,
    ) -> Result<(), Gone> {
        let chance = fastrand::f64();
        self.change_at(now, |book, _| book.eject(registration, cause, now, chance))
    }

    /// Changes the weight of this generation. Its seat stays as it is.
    ///
    /// While a task [keeps](Self::keep) the registry, [`snapshot`](Self::snapshot) shows it up to a spacing later;
    /// [`publish`](Self::publish) shows it at once.
    ///
    /// # Errors
    ///
    /// The registration is gone.
    pub fn weigh(&self, registration: &Registration, weight: NonZeroU32) -> Result<(), Gone> {
        self.change(|book, _| book.weigh(registration, weight))
    }

    /// Takes out the members whose leases have ended by `now`, and returns how many they were. [`keep`](Self::keep)
    /// does this by the clock.
    pub fn evict(&self, now: Instant) -> usize {
        self.change_at(now, |_, evicted| evicted)
    }

    /// Completes when no request is in flight for this registration, and none can be any more: it was drained, or is
    /// gone, and its requests have ended.
    pub async fn drained(&self, registration: &Registration) {
        let seat = self.lock().book.seat(registration);
        if let Some(seat) = seat {
            seat.drained().await;
        }
    }
}
