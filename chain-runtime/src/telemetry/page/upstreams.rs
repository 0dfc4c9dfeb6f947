//! What the page shows of upstreams: groups, and the members of each.

use std::collections::{BTreeMap, VecDeque};
use std::string::String;
use std::vec::Vec;

use serde::Serialize;

/// What the page shows of a group of upstreams. It is plain data, which the program fills in: with the feature
/// `upstream`, `Group::of` does so.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// How many members are in each state: ready, draining, ejected, unhealthy.
    pub counts: [u64; 4],
    /// Whether so few members are ready that all are asked.
    pub is_panic: bool,
    /// The shown members, at most 100, sorted by name.
    pub members: Vec<Member>,
    /// How many requests have ended so far, including those of members that are not shown.
    pub ended: u64,
}

/// What the page shows of a member.
#[derive(Clone, Debug, Default)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// The generation of its registration.
    pub generation: u64,
    /// Its endpoint.
    pub endpoint: String,
    /// Its zone.
    pub zone: Option<String>,
    /// Its weight.
    pub weight: u32,
    /// Its state: `ready`, `draining`, `ejected`, `unhealthy`.
    pub state: &'static str,
    /// How many more milliseconds it is ejected.
    pub ejected_for: Option<u64>,
    /// Requests under way.
    pub in_flight: u64,
    /// The expected time of a request in nanoseconds, if it is known.
    pub expected: Option<u64>,
    /// How many requests have ended well so far.
    pub well: u64,
    /// How many failed: without a reply, without one in time, or with a reply that shows that the member is not well.
    pub failed: u64,
    /// How many ended otherwise: cancelled, or with a panic.
    pub other: u64,
    /// How often it was ejected.
    pub ejections: u64,
    /// How many more milliseconds its lease lasts. `None` if it does not end.
    pub lease: Option<u64>,
}

/// The most members of a group that are shown.
const SHOWN: usize = 100;

/// The most groups that are shown.
const GROUPS: usize = 32;

#[cfg(feature = "upstream")]
impl Group {
    /// The present state of this registry. If there are more than 100 members, those that are not ready are shown
    /// first, then the first by name.
    pub fn of<T: core::fmt::Display>(name: impl Into<String>, registry: &crate::upstream::Registry<T>) -> Self {
        use crate::upstream::State;

        let snapshot = registry.snapshot().keep();
        let counts = snapshot.counts();
        let all = snapshot.members();
        let is_ready = |at: &usize| all[*at].state() == State::Ready;
        let mut shown: Vec<usize> = (0..all.len()).filter(|at| !is_ready(at)).take(SHOWN).collect();
        shown.extend((0..all.len()).filter(is_ready).take(SHOWN - shown.len()));
        shown.sort_unstable();
        Self {
            name: name.into(),
            counts: [counts.ready, counts.draining, counts.ejected, counts.unhealthy].map(|count| count as u64),
            is_panic: snapshot.is_panic(),
            members: shown.into_iter().map(|at| Member::of(registry, &all[at])).collect(),
            ended: all.iter().map(|entry| entry.seat().totals().all()).sum(),
        }
    }
}

#[cfg(feature = "upstream")]
impl Member {
    fn of<T: core::fmt::Display>(registry: &crate::upstream::Registry<T>, entry: &crate::upstream::Entry<T>) -> Self {
        use std::string::ToString as _;
        use std::time::{Duration, Instant};

        use crate::upstream::State;

        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let (seat, state) = (entry.seat(), entry.state());
        let totals = seat.totals();
        let failed = totals.not_ok + totals.failed + totals.timed_out;
        // A member that is gone meanwhile has no lease.
        let lease = registry.lease_left(seat.registration()).unwrap_or(Some(Duration::ZERO));
        Self {
            name: seat.name().into(),
            generation: seat.generation().get(),
            endpoint: seat.endpoint().to_string(),
            zone: seat.zone().map(String::from),
            weight: entry.weight().get(),
            state: state.name(),
            ejected_for: match state {
                State::Ejected { until } => Some(milliseconds(until.saturating_duration_since(Instant::now()))),
                _ => None,
            },
            in_flight: seat.in_flight() as u64,
            expected: seat.expected().map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)),
            well: totals.ok,
            failed,
            other: totals.cancelled + totals.panicked,
            ejections: seat.ejections(),
            lease: lease.map(milliseconds),
        }
    }
}

/// The last readings of upstreams. The page shows their difference: shares and rates.
///
/// It keeps as many readings as it was made for. Each has at most 32 groups of 100 members.
#[derive(Debug)]
pub struct UpstreamWindow {
    readings: VecDeque<Ended>,
    length: usize,
}

/// How many requests had ended: for each group, and for each member by group and generation.
#[derive(Debug, Default)]
struct Ended {
    groups: BTreeMap<String, u64>,
    members: BTreeMap<(String, u64), [u64; 3]>,
}

impl UpstreamWindow {
    /// A window of so many readings: with a reading every second, of so many seconds. It has at least 1.
    pub fn new(length: usize) -> Self {
        Self { readings: VecDeque::new(), length: length.max(1) }
    }

    /// The figures from the oldest reading to this one, as JSON. This reading is kept. The first figures are all 0.
    pub fn figures(&mut self, mut groups: Vec<Group>) -> String {
        groups.truncate(GROUPS);
        groups.iter_mut().for_each(|group| group.members.truncate(SHOWN));
        let shown: Vec<ShownGroup<'_>> = groups.iter().map(|group| self.shown(group)).collect();
        let json = super::json(&shown);
        let mut now = Ended::default();
        for group in &groups {
            now.groups.insert(group.name.clone(), group.ended);
            let ended = |member: &Member| ((group.name.clone(), member.generation), ended(member));
            now.members.extend(group.members.iter().map(ended));
        }
        while self.readings.len() >= self.length {
            self.readings.pop_front();
        }
        self.readings.push_back(now);
        json
    }

    /// Drops all readings, after a time in which the page was not open.
    pub fn clear(&mut self) {
        self.readings.clear();
    }

    fn shown<'a>(&self, group: &'a Group) -> ShownGroup<'a> {
        let deltas: Vec<[u64; 3]> = group.members.iter().map(|member| self.delta(group, member)).collect();
        let of_shown: u64 = deltas.iter().flatten().sum();
        let before = self.readings.iter().find_map(|reading| reading.groups.get(&group.name));
        // A member that has left takes its counts along.
        let of_all = before.map_or(0, |before| group.ended.saturating_sub(*before)).max(of_shown);
        let members = group.members.iter().zip(deltas).map(|(member, delta)| ShownMember::of(member, delta, of_all));
        let more = group.counts.iter().sum::<u64>().saturating_sub(group.members.len() as u64);
        let [ready, draining, ejected, unhealthy] = group.counts;
        ShownGroup {
            name: &group.name,
            ready,
            draining,
            ejected,
            unhealthy,
            panic: group.is_panic,
            more,
            members: members.collect(),
        }
    }

    /// What has ended since the oldest reading with this member.
    fn delta(&self, group: &Group, member: &Member) -> [u64; 3] {
        let key = (group.name.clone(), member.generation);
        let now = ended(member);
        let before = self.readings.iter().find_map(|reading| reading.members.get(&key)).unwrap_or(&now);
        core::array::from_fn(|at| now[at].saturating_sub(before[at]))
    }
}

const fn ended(member: &Member) -> [u64; 3] {
    [member.well, member.failed, member.other]
}

#[derive(Serialize)]
struct ShownGroup<'a> {
    name: &'a str,
    ready: u64,
    draining: u64,
    ejected: u64,
    unhealthy: u64,
    panic: bool,
    /// How many members are not shown.
    more: u64,
    members: Vec<ShownMember<'a>>,
}

#[derive(Serialize)]
struct ShownMember<'a> {
    name: &'a str,
    generation: u64,
    endpoint: &'a str,
    zone: Option<&'a str>,
    weight: u32,
    state: &'static str,
    ejected_for: Option<u64>,
    in_flight: u64,
    expected: Option<u64>,
    /// Its share of all requests of the group that ended.
    share: f64,
    /// The failed share of its requests that say something about it; `null` if there are none.
    failing: Option<f64>,
    ejections: u64,
    lease: Option<u64>,
}

impl<'a> ShownMember<'a> {
    fn of(member: &'a Member, [well, failed, other]: [u64; 3], of_all: u64) -> Self {
        let part = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        Self {
            name: &member.name,
            generation: member.generation,
            endpoint: &member.endpoint,
            zone: member.zone.as_deref(),
            weight: member.weight,
            state: member.state,
            ejected_for: member.ejected_for,
            in_flight: member.in_flight,
            expected: member.expected,
            share: part(well + failed + other, of_all).unwrap_or(0.0),
            failing: part(failed, well + failed),
            ejections: member.ejections,
            lease: member.lease,
        }
    }
}
