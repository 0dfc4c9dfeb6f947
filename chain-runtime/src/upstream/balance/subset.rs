//! [`Subset`]: each machine uses only a part of the members.

use core::hash::Hasher as _;
use std::vec::Vec;

use siphasher::sip::SipHasher13;

use super::part::Part;
use super::{Ask, Balance, Candidate};

/// Picks among a part of the members, if there are many, so that not every machine keeps connections to every member:
/// Finagle's deterministic aperture.
///
/// Members stand on a circle, in the order of the hashes of their names, each with an arc as long as its weight says.
/// So all machines with the same members have the same circle. Each machine picks within its own arc. A member that is
/// partly in the arc counts by that part.
///
/// - The arcs of **machines that are [numbered](Self::numbered)** begin at equal distances, and an arc is a whole
///   number of these distances. So each point of the circle is in the same number of arcs: if the machines send equally
///   much, each member gets exactly its share by weight.
/// - The arcs of **machines that are [named](Self::named)** begin at the hashes of their names. The machines need not
///   know of each other, and the load is less even: if, on the average, `n` machines have a member in their arcs, it is
///   off by roughly `1/√n`.
///
/// When a member comes or goes, all others move on the circle by at most one place, so a machine's part changes by a
/// member or two at each end.
///
/// [`PeakEwma`](super::PeakEwma) and [`RoundRobin`](super::RoundRobin) respect the parts.
/// [`LeastRequests`](super::LeastRequests) picks any member with nothing in flight, however small its part in the arc.
/// So members at the ends get up to a third more if there are fewer requests than members.
///
/// ```text
///   members   a   b   c   d   e   f   g   h   (weight 1 each)
///             ├───┼───┼───┼───┼───┼───┼───┤
///   machine 0 ████████████                    3 machines, 2 members at least: arcs of one third,
///   machine 1           ████████████          so each has 2 and two thirds
///   machine 2                     ██████████
/// ```
///
/// **With zones**, put the `Zoned` outside: `Zoned::new("a", Subset::numbered(..))` picks in a part of the zone's
/// members, and spills over to a part of the others. `number` and `machines` are then those of the zone, whose machines
/// share its members among them. A subset of a `Zoned` would have whatever part of the zone falls into its arc.
///
/// **If all members of the part were [tried](super::super::Tried)** or none of them is open, any other member is taken.
///
/// ```
/// use chain_runtime::upstream::{PeakEwma, Subset};
///
/// // This is the third of eight gateways, and each uses at least 50 members.
/// let balance = Subset::numbered(2, 8, PeakEwma::new()).members(50);
/// ```
#[derive(Debug)]
pub struct Subset<B> {
    start: Start,
    members: usize,
    balance: B,
}

/// Where a machine's arc begins.
#[derive(Debug)]
enum Start {
    Numbered { number: u32, machines: u32 },
    Hashed(u64),
}

/// The least number of members in a part by default.
const MEMBERS: usize = 100;

impl<B> Subset<B> {
    /// The part of machine `number`, from 0, of so many machines. It depends on the number of machines: when that
    /// changes, make another one.
    ///
    /// # Panics
    ///
    /// Unless `number` is less than `machines`.
    #[must_use]
    pub fn numbered(number: u32, machines: u32, balance: B) -> Self {
        assert!(number < machines, "machine {number} of {machines}: the first one is 0");
        Self { start: Start::Numbered { number, machines }, members: MEMBERS, balance }
    }

    /// The part of the machine with this name. Another machine needs another name.
    #[must_use]
    pub fn named(name: &str, balance: B) -> Self {
        Self { start: Start::Hashed(hash(name)), members: MEMBERS, balance }
    }

    /// Sets how many members a part has at least, if their weights are equal. The default is 100. If there are no more
    /// members than that, each machine has all of them.
    ///
    /// If there are few machines, a part is larger, so that every member is in some part.
    ///
    /// # Panics
    ///
    /// If it is 0.
    #[must_use]
    pub fn members(mut self, at_least: usize) -> Self {
        assert!(at_least > 0, "a part without members");
        self.members = at_least;
        self
    }

    /// The beginning and the length of the arc, and the length of the circle.
    fn arc(&self, members: usize, weights: u128) -> Arc {
        let (members, least) = (members as u128, self.members as u128);
        match self.start {
            Start::Numbered { number, machines } => {
                let machines = u128::from(machines);
                let steps = (least * machines).div_ceil(members);
                Arc { from: u128::from(number) * weights, length: steps * weights, unit: machines }
            }
            Start::Hashed(hash) => {
                let circle = weights * members;
                // A weight is less than 2³², and there are fewer than 2³² members.
                Arc { from: (circle * u128::from(hash >> 32)) >> 32, length: least * weights, unit: members }
            }
        }
    }
}

/// An arc of a circle. The circle has so many units for each unit of weight.
struct Arc {
    from: u128,
    length: u128,
    unit: u128,
}

impl Arc {
    /// How much of the stretch between two points, in units of weight, is in the arc.
    fn covers(&self, from: u128, to: u128, circle: u128) -> f64 {
        let (from, to, circle) = (from * self.unit, to * self.unit, circle * self.unit);
        let overlap = |begin: u128| to.min(begin + self.length).saturating_sub(from.max(begin));
        // What lies after the end of the circle is at its beginning.
        let behind = (self.from + self.length).saturating_sub(circle);
        let covered = overlap(self.from) + to.min(behind).saturating_sub(from);
        covered as f64 / (to - from) as f64
    }
}

fn hash(name: &str) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(name.as_bytes());
    hasher.finish()
}

/// What a [`Subset`] derives from the members.
#[derive(Debug)]
pub struct Within<T, P>(Option<Part<T, P>>);

impl<T, B: Balance<T>> Balance<T> for Subset<B> {
    type Table = Within<T, B::Table>;

    fn table(&self, candidates: &[Candidate<T>]) -> Self::Table {
        if candidates.len() <= self.members {
            return Within(Part::of(candidates.iter().cloned(), &self.balance));
        }
        let mut circle: Vec<(u64, &Candidate<T>)> =
            candidates.iter().map(|candidate| (hash(candidate.seat().name()), candidate)).collect();
        circle.sort_unstable_by_key(|(hash, candidate)| (*hash, candidate.seat().name()));
        // The whole weights are used, so that members that return do not move the others.
        let weight = |candidate: &Candidate<T>| u128::from(candidate.whole_weight().get());
        let weights = candidates.iter().map(weight).sum();
        let arc = self.arc(candidates.len(), weights);
        let place = |end: &mut u128, (_, candidate): (u64, &Candidate<T>)| {
            let from = *end;
            *end += weight(candidate);
            let covered = arc.covers(from, *end, weights);
            Some((covered > 0.0).then(|| candidate.in_part(covered)))
        };
        Within(Part::of(circle.into_iter().scan(0, place).flatten(), &self.balance))
    }

    fn pick<'a>(&'a self, candidates: &'a [Candidate<T>], within: &'a Self::Table, ask: &Ask<'_>) -> &'a Candidate<T> {
        within.0.as_ref().map_or(&candidates[0], |part| part.pick(&self.balance, ask))
    }
}
