//! [`Part`]: some of the members, with a balancer's table of these.

use std::boxed::Box;

use super::{Ask, Balance, Candidate};

/// What a balancer over some of the members derives from them.
#[derive(Debug)]
pub(super) struct Part<T, P> {
    candidates: Box<[Candidate<T>]>,
    table: P,
}

impl<T, P> Part<T, P> {
    /// `None` if there are none.
    pub(super) fn of(
        candidates: impl Iterator<Item = Candidate<T>>,
        balance: &impl Balance<T, Table = P>,
    ) -> Option<Self> {
        let candidates: Box<[Candidate<T>]> = candidates.collect();
        let table = (!candidates.is_empty()).then(|| balance.table(&candidates))?;
        Some(Self { candidates, table })
    }

    /// Picks one of them.
    pub(super) fn pick<'a>(&'a self, balance: &'a impl Balance<T, Table = P>, ask: &Ask<'_>) -> &'a Candidate<T> {
        balance.pick(&self.candidates, &self.table, ask)
    }
}
