//! [`Draw`]: draws a member at random, by weight.

use std::boxed::Box;

use super::Candidate;

/// Draws indices of candidates.
#[derive(Debug)]
pub struct Draw {
    /// For each candidate, the sum of the weights up to it. `None` if all weights are the same.
    sums: Option<Box<[f64]>>,
    len: usize,
}

impl Draw {
    pub(super) fn of<T>(candidates: &[Candidate<T>]) -> Self {
        let differ = candidates.windows(2).any(|pair| pair[0].weight() != pair[1].weight());
        let sums = differ.then(|| {
            let add = |sum: &mut f64, candidate: &Candidate<T>| {
                *sum += candidate.weight();
                Some(*sum)
            };
            candidates.iter().scan(0.0, add).collect()
        });
        Self { sums, len: candidates.len() }
    }

    /// Draws one.
    #[inline]
    pub(super) fn one(&self) -> usize {
        match &self.sums {
            None => fastrand::usize(..self.len),
            Some(sums) => {
                let drawn = fastrand::f64() * sums[self.len - 1];
                // Rounding may give the sum itself.
                sums.partition_point(|sum| *sum <= drawn).min(self.len - 1)
            }
        }
    }

    /// Draws two that differ, unless there is only one.
    #[inline]
    pub(super) fn two(&self) -> (usize, usize) {
        let first = self.one();
        if self.len == 1 {
            return (first, first);
        }
        if self.sums.is_some() {
            // A member that outweighs all others is drawn again and again. So after some draws any other one will do.
            let other = (0..4).map(|_| self.one()).find(|other| *other != first);
            if let Some(other) = other {
                return (first, other);
            }
        }
        let other = fastrand::usize(..self.len - 1);
        (first, other + usize::from(other >= first))
    }
}
