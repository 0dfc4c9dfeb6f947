//! [`Subset`]: not all members from each machine.

use core::hash::Hasher as _;
use std::vec::Vec;

use siphasher::sip::SipHasher13;

use super::part::Part;
use super::{Ask, Balance, Candidate};

/// Picks among a part of the members, where there are many, so that not each machine keeps connections to each member: Finagle's deterministic aperture.
///
/// Members stand on a circle, in the order of the hashes of their names, each with an arc as long as its weight says. So all machines that know the same members see the same circle. Each machine picks within an
/// arc of its own. A member that stands in it by a part counts by that part.
///
/// - **Machines that are [numbered](Self::numbered)** begin at equal distances, and the arc is a whole number of these distances. So each point of the circle is in the arcs of equally many machines: where
///   these send as much, each member gets just its share by its weight.
/// - **Machines that are [named](Self::named)** begin where the hashes of their names fall. They need not know of each other, and the load is less even: where `n` machines have a member in their arcs on the average, it is
///   off by about `1/√n`.
///
/// Where a member comes or goes, all others move on the circle by one place at most, so a machine's part changes by a member or two at each end.
///
/// [`PeakEwma`](super::PeakEwma) and [`RoundRobin`](super::RoundRobin) keep to that. [`LeastRequests`](super::LeastRequests) takes whoever has nothing in flight, by however small a part it stands in the arc, so that
/// members at the ends get up to a third more where requests are fewer than members.
///
/// ```text
///   members   a   b   c   d   e   f   g   h   (weight 1 each)
///             ├───┼───┼───┼───┼───┼───┼───┤
///   machine 0 ████████████                    3 machines, 2 members at least: arcs of one third,
///   machine 1           ████████████          so each has 2 and two thirds
///   machine 2                     ██████████
/// ```
///
/// **With zones**, wrap it the other way round: `Zoned::new("a", Subset::numbered(..))` picks in a part of the zone's members, and spills over to a part of the others. Then `number` and `machines` are those
/// of the zone, whose machines share its members among them. A subset of a `Zoned` has whatever of the zone falls into its arc.
///
/// **Where all of the part were [tried](super::super::Tried)** or none of it is open any more, any other member is taken.
///
/// ```
/// use chain_runtime::upstream::{PeakEwma, Subset};
///
/// // This is the third of eight gateways, and each asks 50 members at least.
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

/// Members in a part, at least, unless it is said otherwise.
const MEMBERS: usize = 100;

impl<B> Subset<B> {
    /// The part of machine `number`, from 0, of so many. It is made for so many machines: where there are more or fewer, make another.
    ///
    /// # Panics
    ///
    /// Unless `number` is less than `machines`.
    #[must_use]
    pub fn numbered(number: u32, machines: u32, balance: B) -> Self {
        assert!(number < machines, "machine {number} of {machines}: the first one is 0");
        Self { start: Start::Numbered { number, machines }, members: MEMBERS, balance }
    }

    /// The part of the machine of this name, which is another one's on another machine.
    #[must_use]
    pub fn named(name: &str, balance: B) -> Self {
        Self { start: Start::Hashed(hash(name)), members: MEMBERS, balance }
    }

    /// Sets of how many members a part is made at least, where their weights are equal. 100 where nothing is said. Where there are no more members than that, each machine has all of them.
    ///
    /// Where machines are few, a part is larger: all members stand in some.
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

    /// Where the arc begins and how long it is, and how long the circle is.
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
                // A weight is less than 2³², and there are less than 2³² members.
                Arc { from: (circle * u128::from(hash >> 32)) >> 32, length: least * weights, unit: members }
            }
        }
    }
}

/// An arc of a circle, which has so many units for each unit of weight.
struct Arc {
    from: u128,
    length: u128,
    unit: u128,
}

impl Arc {
    /// What part of the stretch between two points, in units of weight, is in it.
    fn covers(&self, from: u128, to: u128, circle: u128) -> f64 {
        let (from, to, circle) = (from * self.unit, to * self.unit, circle * self.unit);
        let overlap = |begin: u128| to.min(begin + self.length).saturating_sub(from.max(begin));
        // What is behind the end of the circle is at its beginning.
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

/// What a [`Subset`] derives of the members.
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
        // By the whole weights, so that members that return do not move the others.
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
