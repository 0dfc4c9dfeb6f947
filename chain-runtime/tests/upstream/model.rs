//! Any sequence of registrations, heartbeats, drains, removals, lists, picks and passing time, against a plain model
//! that counts time by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chain_runtime::upstream::{Generation, InFlight, Member, Refused, Registration, Registry, Snapshot, State};
use futures_util::FutureExt as _;
use proptest::prelude::*;

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// Fewer than there are names, so that it is reached.
const LIMIT: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    /// Time passes, in milliseconds. Nothing else happens.
    Pass(u64),
    Evict,
    /// `None` is a lease without an end.
    Register(usize, Option<u64>),
    /// These name one of all registrations there ever were.
    Heartbeat(usize),
    Drain(usize),
    Remove(usize),
    Weigh(usize, u32),
    Mark(usize, usize),
    /// A list: for each name, its endpoint and weight.
    Replace([Option<(u8, u32)>; 4]),
    /// A reader keeps the snapshot.
    Keep,
    /// A request begins, at a member of the snapshot that is current, or of one that was kept.
    Begin(usize, Option<usize>),
    /// A request ends.
    End(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let any = any::<usize>();
    let (name, weight) = (0..NAMES.len(), 1..3_u32);
    let listed = proptest::option::of((0..2_u8, weight.clone()));
    prop_oneof![
        3 => (0..5_u64).prop_map(Step::Pass),
        2 => Just(Step::Evict),
        5 => (name.clone(), proptest::option::weighted(0.8, 0..8_u64)).prop_map(|(name, lease)| Step::Register(name, lease)),
        4 => any.prop_map(Step::Heartbeat),
        2 => any.prop_map(Step::Drain),
        2 => any.prop_map(Step::Remove),
        1 => (any, weight).prop_map(|(which, weight)| Step::Weigh(which, weight)),
        2 => (any, 0..3_usize).prop_map(|(which, state)| Step::Mark(which, state)),
        2 => [listed.clone(), listed.clone(), listed.clone(), listed].prop_map(Step::Replace),
        1 => Just(Step::Keep),
        5 => (name, proptest::option::of(any)).prop_map(|(name, kept)| Step::Begin(name, kept)),
        4 => any.prop_map(Step::End),
    ]
}

/// A member, as a reader sees it.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    generation: u64,
    state: State,
    weight: u32,
    endpoint: u8,
}

#[derive(Clone, Debug)]
struct Lease {
    length: Option<u64>,
    ends: Option<u64>,
}

/// What the registry is to be.
struct Model {
    begun: Instant,
    now: u64,
    given: u64,
    members: BTreeMap<&'static str, (Seen, Lease)>,
    /// Generations at which nothing begins any more.
    closed: BTreeSet<u64>,
    in_flight: BTreeMap<u64, usize>,
    listed: BTreeMap<&'static str, u64>,
}

impl Model {
    fn new(begun: Instant) -> Self {
        Self {
            begun,
            now: 0,
            given: 0,
            members: BTreeMap::new(),
            closed: BTreeSet::new(),
            in_flight: BTreeMap::new(),
            listed: BTreeMap::new(),
        }
    }

    fn seen(&self) -> BTreeMap<&'static str, Seen> {
        self.members.iter().map(|(name, (seen, _))| (*name, seen.clone())).collect()
    }

    fn expire(&mut self) {
        let now = self.now;
        let over: Vec<_> = self
            .members
            .iter()
            .filter(|(_, (_, lease))| lease.ends.is_some_and(|ends| ends <= now))
            .map(|(name, _)| *name)
            .collect();
        over.into_iter().for_each(|name| self.take(name));
        for (seen, _) in self.members.values_mut() {
            if matches!(seen.state, State::Ejected { until } if until <= self.begun + Duration::from_millis(now)) {
                seen.state = State::Ready;
            }
        }
    }

    fn take(&mut self, name: &'static str) {
        if let Some((seen, _)) = self.members.remove(name) {
            self.closed.insert(seen.generation);
        }
    }

    fn insert(&mut self, name: &'static str, endpoint: u8, weight: u32, length: Option<u64>) -> u64 {
        self.take(name);
        self.given += 1;
        let seen = Seen { generation: self.given, state: State::Ready, weight, endpoint };
        self.members.insert(name, (seen, Lease { length, ends: length.map(|length| self.now + length) }));
        self.given
    }

    fn of(&mut self, registration: &Registration) -> Option<(&'static str, &mut (Seen, Lease))> {
        let name = NAMES.into_iter().find(|name| **name == *registration.name).unwrap();
        let member = self.members.get_mut(name)?;
        (member.0.generation == registration.generation.get()).then_some((name, member))
    }

    /// Whether the list is taken.
    fn replace(&mut self, list: &[Option<(u8, u32)>; 4]) -> bool {
        let list: BTreeMap<_, _> =
            NAMES.into_iter().zip(list).filter_map(|(name, said)| Some((name, (*said)?))).collect();
        let owns = |model: &Self, name: &str| {
            model
                .listed
                .get(name)
                .is_some_and(|own| model.members.get(name).is_some_and(|(seen, _)| seen.generation == *own))
        };
        let stay = NAMES
            .into_iter()
            .filter(|name| list.contains_key(name) || self.members.contains_key(name) && !owns(self, name));
        if stay.count() > LIMIT {
            return false;
        }
        for name in NAMES {
            let is_own = owns(self, name);
            match list.get(name) {
                None => {
                    if is_own {
                        self.take(name);
                    }
                    self.listed.remove(name);
                }
                Some(&(endpoint, weight)) if is_own && self.members[name].0.endpoint == endpoint => {
                    self.members.get_mut(name).unwrap().0.weight = weight;
                }
                Some(&(endpoint, weight)) => {
                    let generation = self.insert(name, endpoint, weight, None);
                    self.listed.insert(name, generation);
                }
            }
        }
        true
    }
}

/// Those at `which`, if there are any, by wrapping around.
fn one_of<T>(all: &[T], which: usize) -> Option<&T> {
    all.get(which.checked_rem(all.len())?)
}

async fn holds(steps: Vec<Step>) {
    let registry: Registry<u8> = Registry::new().with_limit(LIMIT).starting_at(Generation::new(1));
    let mut listed = registry.listed();
    let mut model = Model::new(tokio::time::Instant::now().into_std());
    let mut registrations: Vec<Registration> = Vec::new();
    let mut requests: Vec<InFlight<u8>> = Vec::new();
    let mut kept: Vec<Arc<Snapshot<u8>>> = Vec::new();
    let mut before = (model.seen(), registry.snapshot().version());
    for step in steps {
        let registration = |which| one_of(&registrations, which).cloned();
        let changes_nothing = match &step {
            Step::Pass(_) | Step::Keep | Step::Begin(..) | Step::End(_) => true,
            // It is refused before anybody looks at the members.
            Step::Replace(list) => list.iter().flatten().count() > LIMIT,
            _ => false,
        };
        if !changes_nothing {
            model.expire();
        }
        match &step {
            Step::Pass(milliseconds) => {
                tokio::time::advance(Duration::from_millis(*milliseconds)).await;
                model.now += milliseconds;
            }
            Step::Evict => {
                registry.evict(tokio::time::Instant::now().into_std());
            }
            Step::Register(name, lease) => {
                let name = NAMES[*name];
                let registered =
                    registry.register(Member::new(name, 0), lease.map_or(Duration::MAX, Duration::from_millis));
                if model.members.len() == LIMIT && !model.members.contains_key(name) {
                    assert_eq!(registered, Err(Refused::Full { limit: LIMIT }));
                } else {
                    let registration = registered.unwrap();
                    assert_eq!(registration.generation.get(), model.insert(name, 0, 1, *lease));
                    registrations.push(registration);
                }
            }
            Step::Heartbeat(which) => {
                let Some(registration) = registration(*which) else { continue };
                let now = model.now;
                let member = model.of(&registration);
                assert_eq!(registry.heartbeat(&registration).is_ok(), member.is_some(), "{step:?} {registration}");
                if let Some((_, (_, lease))) = member {
                    lease.ends = lease.length.map(|length| now + length);
                }
            }
            Step::Drain(which) => {
                let Some(registration) = registration(*which) else { continue };
                let member = model.of(&registration);
                assert_eq!(registry.drain(&registration).is_ok(), member.is_some());
                if let Some((_, (seen, _))) = member {
                    seen.state = State::Draining;
                    model.closed.insert(registration.generation.get());
                }
            }
            Step::Remove(which) => {
                let Some(registration) = registration(*which) else { continue };
                let name = model.of(&registration).map(|(name, _)| name);
                assert_eq!(registry.remove(&registration).is_ok(), name.is_some());
                name.into_iter().for_each(|name| model.take(name));
            }
            Step::Weigh(which, weight) => {
                let Some(registration) = registration(*which) else { continue };
                let member = model.of(&registration);
                let weighed = registry.weigh(&registration, NonZeroU32::new(*weight).unwrap());
                assert_eq!(weighed.is_ok(), member.is_some());
                if let Some((_, (seen, _))) = member {
                    seen.weight = *weight;
                }
            }
            Step::Mark(which, state) => {
                let Some(registration) = registration(*which) else { continue };
                let now = model.begun + Duration::from_millis(model.now);
                let until = now + Duration::from_millis((*which % 5) as u64);
                let state = [State::Ready, State::Unhealthy, State::Ejected { until }][*state];
                let all = model.members.len();
                let member = model.of(&registration);
                let marked = registry.change_state(&registration, |before, counts| {
                    assert_eq!(counts.all(), all);
                    assert_eq!(Some(before), member.as_ref().map(|(_, (seen, _))| seen.state));
                    state
                });
                assert_eq!(marked.is_ok(), member.is_some());
                if let Some((_, (seen, _))) = member
                    && seen.state != State::Draining
                {
                    // An ejection that is over as it begins is none.
                    let is_over = matches!(state, State::Ejected { until } if until <= now);
                    seen.state = if is_over { State::Ready } else { state };
                }
            }
            Step::Replace(list) => {
                let members = NAMES.into_iter().zip(list).filter_map(|(name, said)| {
                    let (endpoint, weight) = (*said)?;
                    Some(Member::new(name, endpoint).weight(weight))
                });
                assert_eq!(listed.replace(members).is_ok(), model.replace(list));
                // Those of lists are known by what is read of them, as by whoever drains one by a click.
                let now = registry.snapshot();
                let of_list = now.members().iter().map(|entry| entry.seat().registration());
                let new: Vec<_> =
                    of_list.filter(|registration| !registrations.contains(registration)).cloned().collect();
                registrations.extend(new);
            }
            Step::Keep => kept.push(registry.snapshot().keep()),
            Step::Begin(name, of) => {
                let snapshot = match of.and_then(|of| one_of(&kept, of)) {
                    Some(kept) => Arc::clone(kept),
                    None => registry.snapshot().keep(),
                };
                let Some(entry) = snapshot.get(NAMES[*name]) else { continue };
                let generation = entry.seat().generation().get();
                let request = entry.seat().begin();
                assert_eq!(request.is_none(), model.closed.contains(&generation), "{step:?} of {generation}");
                if let Some(request) = request {
                    *model.in_flight.entry(generation).or_default() += 1;
                    requests.push(request);
                }
            }
            Step::End(which) => {
                let Some(which) = which.checked_rem(requests.len()) else { continue };
                let request = requests.swap_remove(which);
                *model.in_flight.get_mut(&request.seat().generation().get()).unwrap() -= 1;
            }
        }

        let now = registry.snapshot();
        let of_entry = |entry: &chain_runtime::upstream::Entry<u8>| {
            let name = NAMES.into_iter().find(|name| *name == entry.seat().name()).unwrap();
            let generation = entry.seat().generation().get();
            assert_eq!(entry.seat().in_flight(), model.in_flight.get(&generation).copied().unwrap_or(0));
            (
                name,
                Seen {
                    generation,
                    state: entry.state(),
                    weight: entry.weight().get(),
                    endpoint: *entry.seat().endpoint(),
                },
            )
        };
        let seen: Vec<_> = now.members().iter().map(of_entry).collect();
        let expected: Vec<_> = model.seen().into_iter().collect();
        assert_eq!(seen, expected, "after {step:?}");
        let counted = |state: fn(&State) -> bool| seen.iter().filter(|(_, seen)| state(&seen.state)).count();
        assert_eq!(now.counts().ready, counted(|state| matches!(state, State::Ready)));
        assert_eq!(now.counts().draining, counted(|state| matches!(state, State::Draining)));
        assert_eq!(now.counts().ejected, counted(|state| matches!(state, State::Ejected { .. })));
        assert_eq!(now.counts().unhealthy, counted(|state| matches!(state, State::Unhealthy)));
        // There is a new snapshot where something else is seen in it, and only there.
        assert_eq!(now.version() != before.1, model.seen() != before.0, "after {step:?}");
        assert!(now.version() >= before.1);
        before = (model.seen(), now.version());
        drop(now);
        for registration in &registrations {
            let generation = registration.generation.get();
            let is_drained =
                model.closed.contains(&generation) && model.in_flight.get(&generation).copied().unwrap_or(0) == 0;
            assert_eq!(
                registry.drained(registration).now_or_never().is_some(),
                is_drained,
                "{registration} after {step:?}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn it_is_what_the_model_says_after_each_step(steps in proptest::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(holds(steps));
    }
}
