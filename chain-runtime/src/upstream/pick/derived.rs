//! [`Derived`]: what a balancer derives from a snapshot, kept until there is another snapshot.

use core::sync::atomic::{
    AtomicBool,
    Ordering::{Acquire, Release},
};
use std::boxed::Box;
use std::sync::Arc;
use std::time::Instant;

use arc_swap::{ArcSwap, Guard};

use crate::upstream::balance::{Balance, Candidate, Candidates};
use crate::upstream::clock::now;
use crate::upstream::registry::Registry;
use crate::upstream::snapshot::Snapshot;

/// The candidates of one snapshot and what was derived from them. They always stay together, so that an index never
/// means a member of another snapshot (tower#856).
pub(super) struct Of<T, P> {
    pub(super) candidates: Box<[Candidate<T>]>,
    pub(super) table: P,
    version: u64,
    until: Option<Instant>,
}

impl<T, P> Of<T, P> {
    fn snapshot(snapshot: &Snapshot<T>, balance: &impl Balance<T, Table = P>, now: Instant) -> Self {
        let Candidates { all: candidates, until } = Candidates::of(snapshot, now);
        let table = balance.table(&candidates);
        Self { candidates, table, version: snapshot.version(), until }
    }

    /// Whether it is what would be derived from this snapshot now, or from a later one.
    fn is_of(&self, snapshot: &Snapshot<T>, now: Instant) -> bool {
        self.version > snapshot.version()
            || self.version == snapshot.version() && self.until.is_none_or(|until| now < until)
    }
}

pub(super) struct Derived<T, P> {
    of: ArcSwap<Of<T, P>>,
    /// Whether a thread is deriving: others do not wait for it.
    is_deriving: AtomicBool,
}

impl<T, P> Derived<T, P> {
    pub(super) fn new(registry: &Registry<T>, balance: &impl Balance<T, Table = P>) -> Self {
        let of = Of::snapshot(&registry.snapshot(), balance, now());
        Self { of: ArcSwap::from_pointee(of), is_deriving: AtomicBool::new(false) }
    }

    /// That of the current snapshot, or of the previous one while another thread derives.
    #[inline]
    pub(super) fn current(
        &self,
        registry: &Registry<T>,
        balance: &impl Balance<T, Table = P>,
        now: Instant,
    ) -> Guard<Arc<Of<T, P>>> {
        let snapshot = registry.snapshot();
        let of = self.of.load();
        if of.is_of(&snapshot, now) { of } else { self.derive(&snapshot, balance, now, of) }
    }

    #[cold]
    fn derive(
        &self,
        snapshot: &Snapshot<T>,
        balance: &impl Balance<T, Table = P>,
        now: Instant,
        known: Guard<Arc<Of<T, P>>>,
    ) -> Guard<Arc<Of<T, P>>> {
        if self.is_deriving.swap(true, Acquire) {
            return known;
        }
        let turn = Turn(&self.is_deriving);
        // Another thread may have had its turn since `known` was loaded.
        if !self.of.load().is_of(snapshot, now) {
            let before = self.of.swap(Arc::new(Of::snapshot(snapshot, balance, now)));
            drop(turn);
            drop(before);
        }
        self.of.load()
    }
}

/// The turn ends when this is dropped, even if a balancer panics.
struct Turn<'a>(&'a AtomicBool);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.store(false, Release);
    }
}
