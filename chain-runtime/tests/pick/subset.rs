//! Each machine asks a part of the members, and all machines together ask all of them evenly.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chain_runtime::upstream::{
    Ask, Balance, Candidate, LeastRequests, Member, PeakEwma, Pick, Registry, RoundRobin, Subset, Zoned,
};

use crate::{registry, seats};

/// Keeps what it was given: the names and weights of a part.
#[derive(Clone, Default)]
struct Given(Arc<Mutex<HashMap<String, f64>>>);

impl<T> Balance<T> for Given {
    type Table = ();

    fn table(&self, candidates: &[Candidate<T>]) {
        let weights = candidates.iter().map(|candidate| (candidate.seat().name().to_owned(), candidate.weight()));
        *self.0.lock().unwrap() = weights.collect();
    }

    fn pick<'a>(&'a self, candidates: &'a [Candidate<T>], (): &'a (), _: &Ask<'_>) -> &'a Candidate<T> {
        &candidates[0]
    }
}

/// What a machine asks, and by which weights.
fn part(registry: &Arc<Registry<usize>>, subset: impl FnOnce(Given) -> Subset<Given>) -> HashMap<String, f64> {
    let given = Given::default();
    drop(Pick::new(Arc::clone(registry), subset(given.clone())));
    given.0.lock().unwrap().clone()
}

/// The parts of all machines.
fn parts(registry: &Arc<Registry<usize>>, machines: u32, members: usize) -> Vec<HashMap<String, f64>> {
    let part = |number| part(registry, |given| Subset::numbered(number, machines, given).members(members));
    (0..machines).map(part).collect()
}

/// For each member, the load that it gets for its weight where each machine sends as much, beside the average.
fn loads(registry: &Registry<usize>, parts: &[HashMap<String, f64>]) -> Vec<f64> {
    let snapshot = registry.snapshot();
    let whole: f64 = snapshot.members().iter().map(|entry| f64::from(entry.weight().get())).sum();
    let sums: Vec<f64> = parts.iter().map(|part| part.values().sum()).collect();
    let load = |name: &str, weight: u32| {
        let sent: f64 = parts.iter().zip(&sums).map(|(part, sum)| part.get(name).map_or(0.0, |part| part / sum)).sum();
        sent / parts.len() as f64 * whole / f64::from(weight)
    };
    snapshot.members().iter().map(|entry| load(entry.seat().name(), entry.weight().get())).collect()
}

fn weighed(members: usize) -> Arc<Registry<usize>> {
    let registry = Registry::new();
    for number in 0..members {
        let member = Member::new(format!("{number:04}"), number).weight(1 + number as u32 % 5);
        registry.register(member, Duration::MAX).unwrap();
    }
    Arc::new(registry)
}

#[test]
fn all_machines_together_ask_each_member_by_its_weight() {
    for (members, machines, least) in [(1_000, 20, 100), (3_000, 7, 100), (301, 64, 30), (200, 3, 1), (101, 1, 100)] {
        for registry in [registry(members), weighed(members)] {
            let parts = parts(&registry, machines, least);
            for load in loads(&registry, &parts) {
                assert!((load - 1.0).abs() < 1e-9, "{load} of {members} by {machines}");
            }
        }
    }
}

#[test]
fn a_part_has_as_many_as_it_should_and_few_more() {
    for part in parts(&registry(1_000), 20, 100) {
        assert!((100..=102).contains(&part.len()), "{}", part.len());
    }
    // Three machines have to ask all of them, so that each has a third.
    for part in parts(&registry(1_000), 3, 100) {
        assert!((333..=336).contains(&part.len()), "{}", part.len());
    }
}

#[test]
fn where_there_are_few_each_machine_asks_all_of_them_by_their_weights() {
    for part in parts(&weighed(100), 20, 100) {
        assert_eq!(part.len(), 100);
        assert!(part.iter().all(|(name, weight)| *weight == f64::from(1 + name.parse::<u32>().unwrap() % 5)));
    }
}

/// How many members each machine asks that it did not before, and how many not any more; the most of all machines.
fn moved(before: &[HashMap<String, f64>], after: &[HashMap<String, f64>]) -> (usize, usize) {
    let names = |part: &HashMap<String, f64>| part.keys().cloned().collect::<HashSet<_>>();
    let moved = before.iter().zip(after).map(|(before, after)| {
        let (before, after) = (names(before), names(after));
        (after.difference(&before).count(), before.difference(&after).count())
    });
    moved.reduce(|most, each| (most.0.max(each.0), most.1.max(each.1))).unwrap()
}

#[test]
fn a_change_of_members_moves_few() {
    let registry = registry(1_000);
    let mut before = parts(&registry, 20, 100);
    let mut most = (0, 0);
    for change in 0..20 {
        if change % 2 == 0 {
            registry.register(Member::new(format!("another-{change}"), 0), Duration::MAX).unwrap();
        } else {
            registry.remove(seats(&registry)[change * 37].registration()).unwrap();
        }
        let after = parts(&registry, 20, 100);
        let (come, gone) = moved(&before, &after);
        most = (most.0.max(come), most.1.max(gone));
        before = after;
    }
    println!("of 100 members, {} come and {} go at most", most.0, most.1);
    assert!(most.0 <= 2 && most.1 <= 2, "{most:?}");
    assert!(most.0 >= 1, "or this shows nothing");
}

#[test]
fn machines_that_have_names_only_ask_all_members_less_evenly() {
    let registry = registry(1_000);
    let part = |machine| part(&registry, |given| Subset::named(&format!("gateway-{machine}"), given).members(100));
    let parts: Vec<_> = (0..200).map(part).collect();
    assert!(parts.iter().all(|part| (100..=101).contains(&part.len())));
    let loads = loads(&registry, &parts);
    let deviation = (loads.iter().map(|load| (load - 1.0).powi(2)).sum::<f64>() / loads.len() as f64).sqrt();
    println!("with names only, 20 machines to a member: {deviation:.3}");
    // 1/√20 is 0.22.
    assert!((0.02..0.4).contains(&deviation), "{deviation}");
}

/// Twenty machines with 40 requests under way each, which end one after another: the largest deviation of a member's requests from the average.
fn simulated<B: Balance<usize>>(balance: impl Fn() -> B) -> f64 {
    const MACHINES: u32 = 20;
    // So that parts begin and end within members.
    const MEMBERS: usize = 1_007;
    fastrand::seed(7);
    let mut requests = vec![0_u32; MEMBERS];
    for number in 0..MACHINES {
        let pick = Pick::new(registry(MEMBERS), Subset::numbered(number, MACHINES, balance()).members(100));
        let mut under_way = std::collections::VecDeque::new();
        for _ in 0..50_000 {
            let lease = pick.lease().unwrap();
            requests[*lease.endpoint()] += 1;
            under_way.push_back(lease);
            if under_way.len() > 40 {
                drop(under_way.pop_front());
            }
        }
    }
    let average = 50_000.0 * f64::from(MACHINES) / MEMBERS as f64;
    requests.into_iter().map(|requests| (f64::from(requests) / average - 1.0).abs()).fold(0.0, f64::max)
}

#[test]
fn the_load_of_many_machines_is_even_whoever_picks_in_a_part() {
    let (peak, least) = (simulated(PeakEwma::new), simulated(LeastRequests::new));
    let round = simulated(RoundRobin::new);
    println!("largest deviation of 1,007: peak EWMA {peak:.4}, least requests {least:.4}, round robin {round:.4}");
    // A member has 1,000 requests, so chance alone lets one of them be off by a tenth.
    assert!(peak < 0.12 && round < 0.02, "{peak} {round}");
    // Where many have nothing in flight, a member that stands in a part's end is one of these like any other.
    assert!(least < 0.5, "{least}");
}

#[test]
fn a_zone_is_divided_among_its_machines() {
    let registry = Arc::new(Registry::new());
    for number in 0..600_usize {
        let zone = if number % 2 == 0 { "a" } else { "b" };
        registry.register(Member::new(format!("{number:04}"), number).zone(zone), Duration::MAX).unwrap();
    }
    let mut asked = HashSet::new();
    for machine in 0..10 {
        let subset = Subset::numbered(machine, 10, RoundRobin::new()).members(30);
        let pick = Pick::new(Arc::clone(&registry), Zoned::new("a", subset));
        let seen: HashSet<usize> = (0..1_000).map(|_| *pick.lease().unwrap().endpoint()).collect();
        assert!((30..=31).contains(&seen.len()) && seen.iter().all(|number| number % 2 == 0), "{seen:?}");
        asked.extend(seen);
    }
    assert_eq!(asked.len(), 300);
}

#[test]
fn where_a_part_is_closed_others_are_asked() {
    let registry = registry(300);
    let part = part(&registry, |given| Subset::numbered(1, 3, given).members(10));
    let pick = Pick::new(Arc::clone(&registry), Subset::numbered(1, 3, PeakEwma::new()).members(10));
    for seat in seats(&registry).iter().filter(|seat| part.contains_key(seat.name())) {
        registry.drain(seat.registration()).unwrap();
    }
    assert!(!part.contains_key(pick.lease().unwrap().seat().name()));
}
