//! [`Zoned`]: prefers members in the same zone.

use std::sync::Arc;

use super::part::Part;
use super::{Ask, Balance, Candidate};

/// Picks among the members of one zone while they are not too busy, and then among the others as well.
///
/// An inner balancer picks a member of the zone. If that member has as many requests in flight for each unit of its
/// weight as [`spill_over_at`](Self::spill_over_at) says, a second member is picked outside of the zone, and the one
/// with fewer requests in flight for each unit of its weight is taken. So the zone takes what it can, and only the rest
/// goes elsewhere. If no member of the zone can be asked, all requests go elsewhere.
///
/// ```
/// use chain_runtime::upstream::{PeakEwma, Zoned};
///
/// let balance = Zoned::new("a", PeakEwma::new()).spill_over_at(50);
/// ```
#[derive(Debug)]
pub struct Zoned<B> {
    zone: Arc<str>,
    limit: f64,
    balance: B,
}

impl<B> Zoned<B> {
    /// Prefers the members of this zone, up to 100 requests in flight for each unit of weight.
    #[must_use]
    pub fn new(zone: impl Into<Arc<str>>, balance: B) -> Self {
        Self { zone: zone.into(), limit: 100.0, balance }
    }

    /// Sets how many requests in flight, for each unit of its weight, a member of the zone has before others are
    /// considered.
    #[must_use]
    pub fn spill_over_at(mut self, in_flight: u32) -> Self {
        self.limit = f64::from(in_flight);
        self
    }
}

/// What a [`Zoned`] derives from the members.
#[derive(Debug)]
pub struct Parts<T, P> {
    near: Option<Part<T, P>>,
    far: Option<Part<T, P>>,
}

impl<B> Zoned<B> {
    fn part<T>(&self, candidates: &[Candidate<T>], is_near: bool) -> Option<Part<T, B::Table>>
    where
        B: Balance<T>,
    {
        let is_in = |candidate: &&Candidate<T>| (candidate.seat().zone() == Some(&self.zone)) == is_near;
        Part::of(candidates.iter().filter(is_in).cloned(), &self.balance)
    }
}

impl<T, B: Balance<T>> Balance<T> for Zoned<B> {
    type Table = Parts<T, B::Table>;

    fn table(&self, candidates: &[Candidate<T>]) -> Self::Table {
        Parts { near: self.part(candidates, true), far: self.part(candidates, false) }
    }

    fn pick<'a>(&'a self, candidates: &'a [Candidate<T>], parts: &'a Self::Table, ask: &Ask<'_>) -> &'a Candidate<T> {
        let pick = |part: &'a Part<T, B::Table>| part.pick(&self.balance, ask);
        let near = parts.near.as_ref().map(pick);
        match near {
            Some(near) if ask.takes(near) && near.load() < self.limit => near,
            _ => match (near, parts.far.as_ref().map(pick)) {
                (Some(near), Some(far)) if ask.takes(near) && !(ask.takes(far) && far.load() < near.load()) => near,
                (_, Some(far)) => far,
                (near, None) => near.unwrap_or(&candidates[0]),
            },
        }
    }
}
