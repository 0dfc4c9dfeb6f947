//! [`RoundRobin`]: one member after another, each as often as its weight says.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::boxed::Box;
use std::vec::Vec;

use super::{Ask, Balance, Candidate};

/// Picks one member after another, each as often as its weight says, with the heavier ones spread out between the
/// others: smooth weighted round robin.
///
/// A round has as many picks as the sum of the weights, divided by their greatest common divisor. In it, each member is
/// picked exactly in proportion. The round is derived once for each snapshot, and a pick is one step of a counter. A
/// round has at most 65,536 picks, or one for each member. If the weights add up to more, they are rounded, and every
/// member still gets at least one.
///
/// It does not see how busy or how slow a member is.
#[derive(Debug, Default)]
pub struct RoundRobin {
    turn: AtomicUsize,
}

/// The most picks in a round.
const ROUND: u64 = 1 << 16;

/// How many parts of a unit of weight are told apart.
const PARTS: f64 = 16.0;

impl RoundRobin {
    /// The balancer.
    #[must_use]
    pub const fn new() -> Self {
        Self { turn: AtomicUsize::new(0) }
    }
}

impl<T> Balance<T> for RoundRobin {
    type Table = Box<[u32]>;

    fn table(&self, candidates: &[Candidate<T>]) -> Box<[u32]> {
        // A member that has just returned has a part of its weight.
        round(candidates.iter().map(|candidate| ((candidate.weight() * PARTS).round() as u64).max(1)))
    }

    fn pick<'a>(&'a self, candidates: &'a [Candidate<T>], round: &'a Box<[u32]>, ask: &Ask<'_>) -> &'a Candidate<T> {
        // A member that is closed or was tried is passed over, for at most a whole round: there may be as many in a
        // row.
        let turns = (0..candidates.len()).map(|_| self.turn.fetch_add(1, Relaxed) % round.len());
        let picked = turns.map(|turn| &candidates[round[turn] as usize]).find(|candidate| ask.takes(candidate));
        // One tried member may have all of these turns, by its weight.
        picked.or_else(|| ask.any(candidates)).unwrap_or(&candidates[0])
    }
}

/// The order of the members in a round.
///
/// Each turn of a member has a moment in the round, and a member's turns are at equal distances. The first turn differs
/// from member to member, by the golden ratio, which spreads any number of points evenly: many members of weight 1 are
/// not all in the middle.
fn round(weights: impl Iterator<Item = u64> + Clone) -> Box<[u32]> {
    let divisor = weights.clone().fold(0, gcd).max(1);
    let all: u64 = weights.clone().map(|weight| weight / divisor).sum();
    let mut turns = Vec::new();
    for (index, weight) in (0_u32..).zip(weights) {
        let weight = weight / divisor;
        let times =
            if all > ROUND { (u128::from(weight) * u128::from(ROUND) / u128::from(all)).max(1) as u64 } else { weight };
        let first = (f64::from(index) * 0.618_033_988_749_894_9).fract();
        turns.extend((0..times).map(|time| ((time as f64 + first) / times as f64, index)));
    }
    turns.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    turns.into_iter().map(|(_, index)| index).collect()
}

const fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_has_each_as_often_as_its_weight_says() {
        for weights in [&[1][..], &[1, 1, 1], &[5, 1, 1], &[6, 4, 2], &[100, 1, 1, 1], &[7, 3, 2, 2, 1, 1, 1, 50]] {
            let round = round(weights.iter().copied());
            let divisor = weights.iter().copied().fold(0, gcd);
            for (index, weight) in (0..).zip(weights) {
                let times = round.iter().filter(|turn| **turn == index).count();
                assert_eq!(times, (weight / divisor) as usize, "{weights:?}");
            }
        }
    }

    #[test]
    fn the_heavy_are_spread_out_between_the_others() {
        assert_eq!(*round([5, 1, 1].into_iter()), [0, 0, 2, 0, 0, 1, 0]);
        // A member that has half of all picks beside fifty others never has four in a row, and neither have the others.
        let round = round([50].into_iter().chain([1; 50]));
        assert!(round.windows(4).all(|turns| turns.contains(&0) && turns.iter().any(|turn| *turn != 0)), "{round:?}");
    }

    #[test]
    fn weights_that_add_up_to_too_much_are_rounded_and_nobody_gets_none() {
        let round = round([16 * u64::from(u32::MAX), 8 * u64::from(u32::MAX), 16].into_iter());
        let times = |index| round.iter().filter(|turn| **turn == index).count();
        assert!(round.len() <= ROUND as usize + 1);
        assert_eq!(times(2), 1);
        assert!(times(0).abs_diff(2 * times(1)) <= 2);
    }
}
