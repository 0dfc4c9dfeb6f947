//! The level of the process: it rises at once, falls slowly, and does not flap, by a test's clock.
#![cfg(feature = "pressure")]

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chain_runtime::pressure::policy::{AfterCollection, Highest, Judgement, Only, Policy};
use chain_runtime::pressure::source::{Fault, InFlight, Own, Queue, Reading, Unit, own};
use chain_runtime::pressure::{
    BadThresholds, Because, Level, Pressure, Projection, Sampler, Seen, Source, Thresholds, Unbuildable, Watched,
};
use chain_runtime::shed::Override;
use chain_runtime::{Shedding, chain, node};

const MS: Duration = Duration::from_millis(1);
const THRESHOLDS: Thresholds = Thresholds::new([0.80, 0.90, 0.97], [0.75, 0.85, 0.93]);

/// What a source says next; `NAN` is a number as well.
#[derive(Clone, Default)]
struct Dial(Arc<AtomicU64>);

impl Dial {
    fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Relaxed);
    }

    fn source(&self, name: &'static str) -> Own<impl FnMut(Instant) -> Result<f64, Fault> + Send + 'static> {
        let dial = self.clone();
        own(name, THRESHOLDS, move |_| Ok(f64::from_bits(dial.0.load(Relaxed)))).unit(Unit::Share)
    }
}

/// A sampler with its clock.
struct Driven {
    pressure: Pressure,
    sampler: Sampler,
    now: Instant,
}

impl Driven {
    fn new((pressure, sampler): (Pressure, Sampler)) -> Self {
        Self { pressure, sampler, now: Instant::now() }
    }

    /// Samples so long after the sample before.
    fn after(&mut self, passed: Duration) -> Level {
        self.now += passed;
        self.sampler.sample(self.now);
        self.pressure.level()
    }

    fn source(&self, name: &str) -> Seen {
        *self.pressure.status().source(name).expect("a source of that name")
    }
}

fn one(dial: &Dial) -> Driven {
    Driven::new(Pressure::builder().source(dial.source("dial")).build().unwrap())
}

#[test]
fn it_rises_at_once_and_falls_step_by_step() {
    let dial = Dial::default();
    let mut it = one(&dial);
    assert_eq!(it.after(Duration::ZERO), Level::Calm);
    dial.set(0.98);
    assert_eq!(it.after(200 * MS), Level::Critical);
    dial.set(0.1);
    let levels: Vec<_> = (0..9).map(|_| it.after(200 * MS)).collect();
    use Level::{Calm, Critical, Elevated, High};
    assert_eq!(levels, [Critical, Critical, High, High, High, Elevated, Elevated, Elevated, Calm]);
}

#[test]
fn what_trembles_about_a_threshold_stays() {
    let dial = Dial::default();
    let mut it = one(&dial);
    for step in 0..100 {
        dial.set(if step % 2 == 0 { 0.901 } else { 0.86 });
        assert_eq!(it.after(400 * MS), Level::High);
    }
    // Low for less than a dwell, again and again.
    for _ in 0..100 {
        dial.set(0.84);
        assert_eq!(it.after(400 * MS), Level::High);
        dial.set(0.86);
        assert_eq!(it.after(400 * MS), Level::High);
    }
    dial.set(0.84);
    it.after(400 * MS);
    assert_eq!(it.after(400 * MS), Level::Elevated);
}

#[test]
fn the_highest_source_counts_and_the_change_names_it() {
    let (memory, queue) = (Dial::default(), Dial::default());
    let mut it =
        Driven::new(Pressure::builder().source(memory.source("memory")).source(queue.source("queue")).build().unwrap());
    memory.set(0.912);
    queue.set(0.85);
    let change = it.sampler.sample(it.now).unwrap();
    assert_eq!((change.number, change.from, change.to), (1, Level::Calm, Level::High));
    assert_eq!(change.to_string(), "calm -> high: memory is at 91.2 %, high from 90.0 % on");
    memory.set(0.3);
    it.after(400 * MS);
    let change = it.sampler.sample(it.now + 600 * MS).unwrap();
    assert_eq!(change.to_string(), "high -> elevated: memory is at 30.0 %, high ends below 85.0 %");
    it.now += 600 * MS;
    // The queue keeps it elevated for ever.
    for _ in 0..20 {
        assert_eq!(it.after(400 * MS), Level::Elevated);
    }
    assert_eq!((it.source("memory").level, it.source("queue").level), (Level::Calm, Level::Elevated));
}

#[test]
fn what_will_be_full_soon_is_high_now() {
    let dial = Dial::default();
    let watched = Watched::of(dial.source("memory")).projection(Projection::DEFAULT);
    let mut it = Driven::new(Pressure::builder().source(watched).build().unwrap());
    // By 7 % a second. At 70 % it would be full within 5 s.
    let mut rose = None;
    for step in 0..60 {
        let value = 0.5 + 0.07 * 0.2 * f64::from(step);
        dial.set(value);
        if it.after(200 * MS) == Level::High {
            rose = Some(value);
            break;
        }
    }
    let rose = rose.expect("it rose");
    assert!((0.65..0.78).contains(&rose), "{rose}");
    let change = it.pressure.status().last.unwrap();
    assert!(change.to_string().contains("% and grows by 5."), "{change}");
    assert!(it.source("memory").is_projected);
    // It grows no more, and is below each threshold.
    for _ in 0..100 {
        it.after(200 * MS);
    }
    assert_eq!(it.pressure.level(), Level::Calm);
    assert!(!it.source("memory").is_projected);
}

#[test]
fn one_leap_is_no_slope_and_neither_is_what_grows_where_there_is_room() {
    let dial = Dial::default();
    let watched = Watched::of(dial.source("memory")).projection(Projection::DEFAULT);
    let mut it = Driven::new(Pressure::builder().source(watched).build().unwrap());
    // By 20 % a second, to just below the half: with that speed it would be full in 3 s.
    for step in 0..13 {
        dial.set(0.04 * f64::from(step));
        assert_eq!(it.after(200 * MS), Level::Calm);
    }
    // 15 % at once: with that speed it would be full in half a second.
    dial.set(0.45);
    for _ in 0..100 {
        assert_eq!(it.after(200 * MS), Level::Calm);
    }
    dial.set(0.60);
    for _ in 0..100 {
        assert_eq!(it.after(200 * MS), Level::Calm);
    }
}

#[test]
fn a_forced_level_stands_until_it_is_released() {
    let dial = Dial::default();
    let mut it = one(&dial);
    it.pressure.force(Level::High);
    assert_eq!(it.pressure.level(), Level::High);
    assert_eq!(it.after(10_000 * MS), Level::High);
    dial.set(0.99);
    assert_eq!(it.sampler.sample(it.now + 200 * MS), None, "it is forced");
    let status = it.pressure.status();
    assert_eq!((status.level, status.forced, status.measured), (Level::High, Some(Level::High), Level::Critical));
    assert!(status.to_string().starts_with("level high, forced (critical is measured)"), "{status}");
    it.pressure.release();
    assert_eq!(it.pressure.level(), Level::Critical);
    let last = it.pressure.status().last.unwrap();
    assert_eq!((last.number, last.because), (2, Because::Released));
    it.pressure.release();
    assert_eq!(it.pressure.status().last.unwrap().number, 2, "nothing has changed");
}

#[test]
fn runs_read_the_same_cell() {
    let dial = Dial::default();
    let mut it = one(&dial);
    let cell = it.pressure.clone().cell().clone();
    dial.set(0.95);
    it.after(MS);
    assert_eq!(cell.get(), Level::High);
}

#[test]
fn changes_are_followed_and_one_who_is_slow_sees_the_last_and_how_many_he_missed() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hears = heard.clone();
    let dial = Dial::default();
    let builder = Pressure::builder().source(dial.source("dial"));
    let mut it = Driven::new(builder.on_change(move |change| hears.lock().unwrap().push(change.to)).build().unwrap());
    let mut changes = it.pressure.watch();
    assert_eq!(changes.last(), None);
    dial.set(0.85);
    it.after(MS);
    assert_eq!(pollster::block_on(changes.next()).map(|change| change.number), Some(1));
    dial.set(0.95);
    it.after(MS);
    dial.set(0.98);
    it.after(MS);
    let seen = pollster::block_on(changes.next()).unwrap();
    assert_eq!((seen.number, seen.to), (3, Level::Critical));
    assert_eq!(*heard.lock().unwrap(), [Level::Elevated, Level::High, Level::Critical]);
    drop(it);
    assert_eq!(pollster::block_on(changes.next()).unwrap().because, Because::Stopped);
    assert_eq!(pollster::block_on(changes.next()), None);
}

#[test]
fn where_nothing_is_measured_any_more_it_is_calm() {
    let dial = Dial::default();
    let mut it = one(&dial);
    dial.set(0.99);
    it.after(MS);
    let Driven { pressure, sampler, .. } = it;
    drop(sampler);
    let status = pressure.status();
    assert_eq!((status.level, status.is_sampled), (Level::Calm, false));
    assert_eq!(status.last.unwrap().to_string(), "critical -> calm: nothing is measured any more");
}

#[test]
fn a_source_that_fails_keeps_its_level_for_a_time_and_then_counts_no_more() {
    let dial = Dial::default();
    let mut it =
        Driven::new(Pressure::builder().source(dial.source("dial")).hold(Duration::from_secs(2)).build().unwrap());
    dial.set(0.95);
    it.after(200 * MS);
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
        dial.set(bad);
        assert_eq!(it.after(500 * MS), Level::High);
    }
    let seen = it.source("dial");
    assert_eq!((seen.fault, seen.faults, seen.given_up), (Some(Fault::NotANumber), 4, false));
    assert_eq!(seen.reading.unwrap().value, 0.95, "the last good one is still shown");
    assert_eq!(it.after(500 * MS), Level::Calm);
    let status = it.pressure.status();
    assert!(status.sources[0].given_up);
    assert_eq!(status.last.unwrap().to_string(), "high -> calm: dial cannot be read, and counts no more");
    assert!(status.to_string().contains("not a finite number (5 times): counts no more"), "{status}");
    // It comes back.
    dial.set(0.91);
    assert_eq!(it.after(200 * MS), Level::High);
    let seen = it.source("dial");
    assert_eq!((seen.fault, seen.faults, seen.given_up), (None, 5, false));
}

#[test]
fn after_a_gap_a_level_falls_only_when_it_was_low_for_a_dwell() {
    let dial = Dial::default();
    let mut it = one(&dial);
    dial.set(0.95);
    it.after(200 * MS);
    dial.set(f64::NAN);
    it.after(2_000 * MS);
    dial.set(0.1);
    assert_eq!(it.after(200 * MS), Level::High, "nobody knows whether it was low");
    assert_eq!(it.after(400 * MS), Level::Elevated);
}

#[test]
fn sources_and_policies_and_listeners_that_panic_do_not_stop_the_sampler() {
    let dial = Dial::default();
    let broken = own("broken", THRESHOLDS, |_| panic!("the source's own fault"));
    let policy = |_: Instant, _: &[Seen]| -> Judgement { panic!("the policy's own fault") };
    let mut it = Driven::new(
        Pressure::builder()
            .source(broken)
            .source(dial.source("dial"))
            .policy(policy)
            .on_change(|_| panic!("the listener's own fault"))
            .build()
            .unwrap(),
    );
    dial.set(0.95);
    assert_eq!(it.after(200 * MS), Level::High);
    let status = it.pressure.status();
    assert_eq!((status.sources[0].fault, status.sources[0].faults), (Some(Fault::Panicked), 1));
    assert_eq!((status.policy_panics, status.samples), (1, 1));
}

#[test]
fn with_a_clock_that_stands_still_levels_rise_and_none_falls() {
    let dial = Dial::default();
    let mut it = one(&dial);
    dial.set(0.85);
    it.after(Duration::ZERO);
    dial.set(0.98);
    assert_eq!(it.after(Duration::ZERO), Level::Critical);
    dial.set(0.0);
    for _ in 0..1_000 {
        assert_eq!(it.after(Duration::ZERO), Level::Critical);
    }
    // Nor with one that goes back.
    it.sampler.sample(it.now - Duration::from_secs(1));
    assert_eq!((it.pressure.level(), it.pressure.status().still), (Level::Critical, 1_002));
    assert_eq!(it.after(500 * MS), Level::High);
}

#[test]
fn thresholds_are_checked() {
    let checked = Thresholds::checked;
    assert_eq!(checked([1.0, 3.0, 2.0], [0.0, 0.0, 0.0]), Err(BadThresholds::Descending));
    assert_eq!(checked([1.0, 2.0, 3.0], [0.5, 0.4, 0.6]), Err(BadThresholds::Descending));
    assert_eq!(checked([1.0, 1.0, 3.0], [0.5, 0.5, 0.6]), Err(BadThresholds::Descending));
    assert_eq!(checked([1.0, 2.0, 3.0], [0.5, 2.0, 2.0]), Err(BadThresholds::NoGap));
    assert_eq!(checked([1.0, f64::NAN, 3.0], [0.5, 0.6, 2.0]), Err(BadThresholds::NotANumber));
    let never_critical = checked([1.0, 2.0, f64::INFINITY], [0.5, 1.5, 1.5]).unwrap();
    assert_eq!((never_critical.entered(1e300), never_critical.entered(f64::NAN)), (Level::High, Level::Calm));
    assert_eq!(Thresholds::leaving_at([10.0, 20.0, f64::INFINITY], 0.5).leave(), [5.0, 10.0, 10.0]);
    let message = std::panic::catch_unwind(|| Thresholds::new([1.0; 3], [1.0; 3])).unwrap_err();
    assert_eq!(*message.downcast::<&str>().unwrap(), "a level must be left below where it is entered");
}

#[test]
fn two_sources_of_one_name_are_refused_and_so_is_no_time() {
    let dial = Dial::default();
    let twice = || Pressure::builder().source(dial.source("memory"));
    let refused = twice().source(dial.source("memory")).build().unwrap_err();
    assert_eq!(refused, Unbuildable::SameName("memory"));
    assert_eq!(refused.to_string(), "two sources are called `memory`: give one another name with `Watched::named`");
    assert!(twice().source(Watched::of(dial.source("memory")).named("memory of all")).build().is_ok());
    assert_eq!(twice().every(Duration::ZERO).build().unwrap_err(), Unbuildable::NoTime);
}

/// A source that shows bytes.
struct Memory(Arc<AtomicU64>);

impl Source for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn read(&mut self, _: Instant) -> Result<Reading, Fault> {
        Reading::memory(self.0.load(Relaxed), 0, Some(10_000_000_000))
    }
}

#[test]
fn the_first_rule_sheds_after_a_collection_where_much_is_in_use() {
    let (used, stall) = (Arc::new(AtomicU64::new(700_000_000)), Dial::default());
    let mut it = Driven::new(
        Pressure::builder()
            .source(Memory(used.clone()))
            .source(stall.source("memory stall"))
            .policy(AfterCollection::default())
            .build()
            .unwrap(),
    );
    stall.set(0.001);
    assert_eq!(it.after(200 * MS), Level::Calm, "a collection, and not much in use");
    stall.set(0.0);
    used.store(900_000_000, Relaxed);
    assert_eq!(it.after(200 * MS), Level::High, "that was less than 5 s ago");
    assert_eq!(it.after(4_500 * MS), Level::High);
    assert_eq!(it.after(300 * MS), Level::Calm, "no collection for 5 s");
    stall.set(0.001);
    let change = it.sampler.sample(it.now + 200 * MS).unwrap();
    assert!(change.to_string().starts_with("calm -> high: memory is at 9.0 %"), "{change}");
}

#[test]
fn policies_combine() {
    let (a, b) = (Dial::default(), Dial::default());
    let build = |builder: chain_runtime::pressure::Builder| {
        let mut it = Driven::new(builder.build().unwrap());
        it.after(MS)
    };
    a.set(0.99);
    b.set(0.85);
    let two = || Pressure::builder().source(a.source("a")).source(b.source("b"));
    assert_eq!(build(two().policy(Only("b"))), Level::Elevated);
    assert_eq!(build(two().policy(Only("c"))), Level::Calm);
    assert_eq!(build(two().policy(Only("a").and(Only("b")))), Level::Elevated);
    assert_eq!(build(two().policy(Only("b").or(Only("a")))), Level::Critical);
    assert_eq!(build(two().policy(Highest.at_most(Level::High))), Level::High);
}

/// Says high and calm in turn.
#[test]
fn a_policy_that_flaps_is_held_as_well() {
    let mut calls = 0;
    let policy = move |_: Instant, _: &[Seen]| {
        calls += 1;
        Judgement { level: if calls % 2 == 1 { Level::High } else { Level::Calm }, by: None }
    };
    let mut it = Driven::new(Pressure::builder().policy(policy).build().unwrap());
    assert_eq!(it.after(MS), Level::High);
    assert_eq!(it.after(200 * MS), Level::High);
    assert_eq!(it.pressure.status().last.unwrap().to_string(), "calm -> high: by the policy");
}

#[node]
fn counts(in_flight: &InFlight) -> usize {
    in_flight.now()
}

#[node]
async fn breaks(breaks: &bool) -> Result<(), usize> {
    tokio::task::yield_now().await;
    if *breaks { Err(0) } else { Ok(()) }
}

chain! {
    struct Served { in_flight: InFlight }
    async fn(breaks_off: bool) -> usize { in_flight => breaks => counts }
}

#[test]
fn requests_in_flight_are_counted_and_given_back_on_each_way_out() {
    let in_flight = InFlight::new(4);
    let mut it = Driven::new(Pressure::builder().source(in_flight.clone()).build().unwrap());
    let served = Served { in_flight: in_flight.clone() };
    let mut runs: Vec<_> = (0..4).map(|_| Box::pin(served.run(false))).collect();
    for run in &mut runs {
        assert!(
            std::future::Future::poll(run.as_mut(), &mut std::task::Context::from_waker(std::task::Waker::noop()))
                .is_pending()
        );
    }
    assert_eq!((in_flight.now(), it.after(MS)), (4, Level::Critical));
    drop(runs);
    assert_eq!(in_flight.now(), 0);
    assert_eq!(pollster::block_on(served.run(false)), 1);
    assert_eq!(pollster::block_on(served.run(true)), 0);
    assert_eq!(in_flight.now(), 0);
    assert_eq!(it.after(600 * MS), Level::High);
}

struct Logged;

#[node]
fn logs() -> Logged {
    Logged
}

#[node]
fn was_logged(logged: &Option<Logged>) -> bool {
    logged.is_some()
}

chain! {
    struct Sheds { shedding: Shedding }
    fn() -> bool { #[shed(high)] logs => was_logged }
}

#[test]
fn what_a_chain_sheds_follows_the_sources_and_each_chain_has_its_own_overrides() {
    let dial = Dial::default();
    let mut it = one(&dial);
    let chain = Sheds { shedding: it.pressure.shedding() };
    let other = Sheds { shedding: (&it.pressure).into() };
    let both = || (chain.run(), other.run());
    dial.set(0.85);
    it.after(MS);
    assert_eq!(both(), (true, true), "elevated is below high");
    dial.set(0.95);
    it.after(MS);
    assert_eq!(both(), (false, false));
    chain.sheds().set("logs", Override::Never).unwrap();
    assert_eq!(both(), (true, false));
    dial.set(0.0);
    it.after(500 * MS);
    assert_eq!(both(), (true, true));
    assert_eq!((chain.sheds().count("logs"), other.sheds().count("logs")), (Ok(1), Ok(2)));
}

#[test]
fn a_queue_is_asked_for_its_length() {
    let length = Arc::new(AtomicU64::new(0));
    let asked = length.clone();
    let queue = Queue::new("lines", 200, move || usize::try_from(asked.load(Relaxed)).unwrap());
    let mut it = Driven::new(Pressure::builder().source(queue).build().unwrap());
    assert_eq!(it.after(MS), Level::Calm);
    length.store(181, Relaxed);
    assert_eq!(it.after(MS), Level::High);
    assert_eq!(it.source("lines").reading.unwrap().value, 0.905);
}

#[tokio::test(start_paused = true)]
async fn as_a_task_it_samples_in_its_time() {
    let dial = Dial::default();
    let (pressure, sampler) = Pressure::builder().source(dial.source("dial")).build().unwrap();
    let mut changes = pressure.watch();
    let task = tokio::spawn(sampler.run());
    tokio::time::sleep(1_050 * MS).await;
    assert_eq!(pressure.status().samples, 6);
    dial.set(0.95);
    assert_eq!(changes.next().await.unwrap().to, Level::High);
    task.abort();
    assert_eq!(changes.next().await.unwrap().because, Because::Stopped);
    assert_eq!(pressure.level(), Level::Calm);
}

#[test]
fn on_a_thread_it_samples_until_the_guard_is_dropped() {
    let dial = Dial::default();
    dial.set(0.95);
    let (pressure, sampler) = Pressure::builder().source(dial.source("dial")).every(MS).build().unwrap();
    let mut changes = pressure.watch();
    let sampling = sampler.on_thread().unwrap();
    assert_eq!(pollster::block_on(changes.next()).unwrap().to, Level::High);
    drop(sampling);
    assert_eq!((pressure.level(), pressure.status().is_sampled), (Level::Calm, false));
}
