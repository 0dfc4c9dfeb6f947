//! Balancers that compare how busy members are: [`PeakEwma`], [`LeastRequests`].

use core::ptr;

use super::draw::Draw;
use super::{Ask, Balance, Candidate};

/// Draws two members and takes the better one: the power of two choices (Mitzenmacher 2001), by peak EWMA as in Finagle
/// and Linkerd.
///
/// The better one has the smaller expected latency, multiplied by its requests in flight for each unit of its weight
/// and one more. The expected latency follows peaks at once, falls to 1/e in ten seconds without news, is forgotten
/// after thirty, and counts a failure as at least a second. So a member that fails fast gets fewer requests, and not
/// all of them, as it would by latency alone (ingress-nginx#5540).
///
/// Members are drawn by their weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeakEwma;

impl PeakEwma {
    /// The balancer.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

fn expected<T>(candidate: &Candidate<T>, ask: &Ask<'_>) -> f64 {
    if !candidate.is_open() {
        return f64::INFINITY;
    }
    let load = candidate.load();
    candidate.seat().latency.expected(load > 0.0, ask.now) * (1.0 + load)
}

/// Draws two members that take the request. They differ, unless there is only one, or the others have almost no weight.
/// `None` if there is none.
#[cold]
fn beside<'a, T>(
    candidates: &'a [Candidate<T>],
    table: &Draw,
    ask: &Ask<'_>,
) -> Option<(&'a Candidate<T>, &'a Candidate<T>)> {
    let mut drawn = (0..DRAWS).map(|_| &candidates[table.one()]).filter(|candidate| ask.takes(candidate));
    let one = drawn.next().or_else(|| ask.any(candidates))?;
    let other = drawn.find(|other| other.seat().generation() != one.seat().generation());
    Some((one, other.unwrap_or(one)))
}

/// How often two members are drawn if some were tried.
const DRAWS: usize = 16;

impl<T> Balance<T> for PeakEwma {
    type Table = Draw;

    fn table(&self, candidates: &[Candidate<T>]) -> Draw {
        Draw::of(candidates)
    }

    #[inline]
    fn pick<'a>(&'a self, candidates: &'a [Candidate<T>], table: &'a Draw, ask: &Ask<'_>) -> &'a Candidate<T> {
        let (one, other) = table.two();
        let (mut one, mut other) = (&candidates[one], &candidates[other]);
        if ask.tried(one.seat()) || ask.tried(other.seat()) {
            (one, other) = beside(candidates, table, ask).unwrap_or((one, other));
        }
        // Of one with itself there is nothing to compare.
        if !ptr::eq(one, other) && expected(other, ask) < expected(one, ask) { other } else { one }
    }
}

/// Picks the member that has the fewest requests in flight for each unit of its weight. It begins to look at a random
/// member, drawn by weight, which decides among equals.
///
/// It looks at all members, which takes some nanoseconds each: for more than some hundreds, use [`PeakEwma`]. It does
/// not see latencies or failures: a member that fails fast has few requests in flight, and gets many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeastRequests;

impl LeastRequests {
    /// The balancer.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl<T> Balance<T> for LeastRequests {
    type Table = Draw;

    fn table(&self, candidates: &[Candidate<T>]) -> Draw {
        Draw::of(candidates)
    }

    fn pick<'a>(&'a self, candidates: &'a [Candidate<T>], table: &'a Draw, ask: &Ask<'_>) -> &'a Candidate<T> {
        let (before, behind) = candidates.split_at(table.one());
        let (mut best, mut least) = (&behind[0], f64::INFINITY);
        for candidate in behind.iter().chain(before).filter(|candidate| ask.takes(candidate)) {
            let load = candidate.load();
            if load < least {
                (best, least) = (candidate, load);
            }
            if load == 0.0 {
                break;
            }
        }
        best
    }
}
