//! Thresholds, names and policies.

use super::*;

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
