//! Any sequence of outcomes, of states that others set, and of passing time, against a plain model that keeps
//! everything that was noted.

use std::sync::Arc;
use std::time::Duration;

use chain_runtime::upstream::{Entry, Health, Member, Outcome, Registry, Seat, State};
use proptest::prelude::*;
use tokio::time::{Instant, advance};

const MEMBERS: usize = 4;

/// Milliseconds of a bucket, and of the window.
const BUCKET: u64 = 10;
const WINDOW: u64 = 64 * BUCKET;

const FAILURES: usize = 3;
const LASTING: u64 = 100;
const SAMPLES: usize = 6;
const FIRST: u64 = 40;
const LONGEST: u64 = 150;
const SLOW_START: u64 = 100;

fn health(replies: bool) -> Health {
    let ms = Duration::from_millis;
    Health::new()
        .failures(FAILURES as u32, ms(LASTING))
        .success(0.5, SAMPLES as u32, ms(WINDOW))
        .replies(replies)
        .ejection(ms(FIRST), ms(LONGEST))
        .jitter(0.0)
        .at_most(0.5)
        .panic_below(0.5)
        .slow_start(ms(SLOW_START))
}

#[derive(Clone, Debug)]
enum Step {
    Pass(u64),
    /// A member, how a request to it ended, and how many milliseconds it took.
    Note(usize, Outcome, u64),
    /// Others say how it is.
    Mark(usize, bool),
    Drain(usize),
    /// Nothing is changed but what is over by now.
    Evict,
}

fn step() -> impl Strategy<Value = Step> {
    let outcome = prop_oneof![
        4 => Just(Outcome::Replied { ok: true }),
        3 => Just(Outcome::Replied { ok: false }),
        4 => Just(Outcome::Failed),
        2 => Just(Outcome::TimedOut),
        1 => Just(Outcome::Cancelled),
        1 => Just(Outcome::Panicked),
    ];
    let member = 0..MEMBERS;
    prop_oneof![
        6 => prop_oneof![4 => 0..8_u64, 2 => 0..60_u64, 1 => 0..800_u64].prop_map(Step::Pass),
        20 => (member.clone(), outcome, prop_oneof![3 => Just(0), 1 => 0..50_u64])
            .prop_map(|(member, outcome, took)| Step::Note(member, outcome, took)),
        2 => (member.clone(), any::<bool>()).prop_map(|(member, well)| Step::Mark(member, well)),
        1 => prop_oneof![3 => Just(Step::Evict), 1 => member.prop_map(Step::Drain)],
    ]
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Is {
    Ready,
    Draining,
    Ejected(u64),
    Unhealthy,
}

#[derive(Debug)]
struct One {
    is: Is,
    /// All that counted: when, and whether it failed.
    noted: Vec<(u64, bool)>,
    /// How many failed in a row, and when the first did.
    row: (usize, u64),
    back: Option<u64>,
    refused: Option<u64>,
    /// How long the last ejection was, in doublings and milliseconds, and when it ended.
    last: Option<(u64, u64, u64)>,
}

struct Model {
    now: u64,
    replies: bool,
    members: Vec<One>,
}

impl Model {
    fn new(replies: bool) -> Self {
        let one = || One { is: Is::Ready, noted: Vec::new(), row: (0, 0), back: None, refused: None, last: None };
        Self { now: 0, replies, members: (0..MEMBERS).map(|_| one()).collect() }
    }

    fn count(&self, which: fn(Is) -> bool) -> usize {
        self.members.iter().filter(|one| which(one.is)).count()
    }

    fn become_ready(one: &mut One, now: u64) {
        one.is = Is::Ready;
        one.back = Some(now);
        one.row = (FAILURES - 1, now);
        one.refused = None;
    }

    /// What is over by now is seen with whatever changes the registry.
    fn expire(&mut self) {
        for one in &mut self.members {
            if let Is::Ejected(until) = one.is
                && until <= self.now
            {
                // What counted after the return has counted, whether or not anybody saw that it was ready.
                one.is = Is::Ready;
                one.back = Some(until);
            }
        }
    }

    fn note(&mut self, member: usize, outcome: Outcome, took: u64) {
        let (now, replies) = (self.now, self.replies);
        let one = &mut self.members[member];
        let failed = match outcome {
            Outcome::Replied { ok } => replies && !ok,
            Outcome::Failed | Outcome::TimedOut => true,
            Outcome::Cancelled | Outcome::Panicked => return,
        };
        let from = match one.is {
            Is::Ready => one.back.unwrap_or(0),
            Is::Ejected(until) => until,
            Is::Draining | Is::Unhealthy => return,
        };
        if now.saturating_sub(took) < from {
            return;
        }
        one.noted.push((now, failed));
        if !failed {
            one.row = (0, 0);
            return;
        }
        one.row = if one.row.0 == 0 { (1, now) } else { (one.row.0 + 1, one.row.1) };
        let lasts = one.row.0 >= 2 && now - one.row.1 >= LASTING;
        let is_suspect = one.row.0 >= FAILURES || lasts || Self::fails_mostly(&one.noted, now, from);
        if !is_suspect || one.refused.is_some_and(|at| now < at + 50) {
            return;
        }
        one.refused = Some(now);
        self.expire();
        let out = self.count(|is| matches!(is, Is::Ejected(_) | Is::Unhealthy));
        let all = self.count(|is| is != Is::Draining);
        let one = &mut self.members[member];
        if one.is != Is::Ready || 2 * (out + 1) > all {
            return;
        }
        let doublings = one.last.map_or(0, |(doublings, length, ended)| {
            (doublings + u64::from(length < LONGEST)).saturating_sub(now.saturating_sub(ended) / length)
        });
        let length = (FIRST << doublings).min(LONGEST);
        let until = now + length;
        one.last = Some((doublings, length, until));
        one.is = Is::Ejected(until);
        one.row = (FAILURES - 1, until);
        one.refused = None;
    }

    fn fails_mostly(noted: &[(u64, bool)], now: u64, from: u64) -> bool {
        let newest = now / BUCKET;
        let oldest = (from / BUCKET).max((newest + 1).saturating_sub(64));
        let since = |bucket: u64| noted.iter().filter(move |(at, _)| at / BUCKET >= bucket);
        let mut buckets = noted.iter().rev().map(|(at, _)| at / BUCKET).take_while(|bucket| *bucket >= oldest);
        let enough = buckets.find(|bucket| since(*bucket).count() >= SAMPLES);
        enough.is_some_and(|bucket| 2 * since(bucket).filter(|(_, failed)| !failed).count() < since(bucket).count())
    }

    fn share(&self, one: &One, is_panic: bool) -> f32 {
        let back = match one.is {
            Is::Draining => return 0.0,
            _ if is_panic => return 1.0,
            Is::Ready => one.back,
            Is::Ejected(until) if until <= self.now => Some(until),
            Is::Ejected(_) | Is::Unhealthy => return 0.0,
        };
        back.map_or(1.0, |back| ((self.now - back) as f32 / SLOW_START as f32).clamp(0.1, 1.0))
    }
}

async fn holds(replies: bool, steps: Vec<Step>) {
    let registry: Registry<usize> = Registry::new().with_health(health(replies));
    for member in 0..MEMBERS {
        registry.register(Member::new(member.to_string(), member), Duration::MAX).unwrap();
    }
    let begun = Instant::now();
    let seats: Vec<Arc<Seat<usize>>> =
        registry.snapshot().members().iter().map(|entry| Arc::clone(entry.seat())).collect();
    let mut model = Model::new(replies);
    for step in steps {
        match step {
            Step::Pass(milliseconds) => {
                advance(Duration::from_millis(milliseconds)).await;
                model.now += milliseconds;
            }
            Step::Note(member, outcome, took) => {
                seats[member].note(outcome, Duration::from_millis(took));
                model.note(member, outcome, took);
            }
            Step::Mark(member, well) => {
                let mark = if well { State::Ready } else { State::Unhealthy };
                registry.change_state(seats[member].registration(), |_, _| mark).unwrap();
                model.expire();
                let now = model.now;
                let one = &mut model.members[member];
                match (one.is, well) {
                    (Is::Draining, _) | (Is::Ready, true) | (Is::Unhealthy, false) => {}
                    (_, true) => Model::become_ready(one, now),
                    (_, false) => one.is = Is::Unhealthy,
                }
            }
            Step::Drain(member) => {
                registry.drain(seats[member].registration()).unwrap();
                model.expire();
                model.members[member].is = Is::Draining;
            }
            Step::Evict => {
                registry.evict(Instant::now().into_std());
                model.expire();
            }
        }
        let now = registry.snapshot();
        let is = |entry: &Entry<usize>| match entry.state() {
            State::Ready => Is::Ready,
            State::Draining => Is::Draining,
            State::Ejected { until } => Is::Ejected((until - begun.into_std()).as_millis() as u64),
            State::Unhealthy => Is::Unhealthy,
        };
        let seen: Vec<_> = now.members().iter().map(is).collect();
        let expected: Vec<_> = model.members.iter().map(|one| one.is).collect();
        assert_eq!(seen, expected, "after {step:?} at {}", model.now);
        let ready = model.count(|is| is == Is::Ready);
        let all = model.count(|is| is != Is::Draining);
        assert_eq!(now.is_panic(), 2 * ready < all);
        for (entry, one) in now.members().iter().zip(&model.members) {
            let (share, expected) = (now.share(entry, Instant::now().into_std()), model.share(one, now.is_panic()));
            assert!((share - expected).abs() < 0.001, "{share} {expected} after {step:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn members_are_as_well_as_the_model_says(replies: bool, steps in proptest::collection::vec(step(), 1..150)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(holds(replies, steps));
    }
}
