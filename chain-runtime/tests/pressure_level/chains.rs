//! Sources and levels in chains.

use super::*;

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
