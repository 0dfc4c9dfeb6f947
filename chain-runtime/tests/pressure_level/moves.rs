//! How a level changes, and which code hears of it.

use super::*;

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

/// It samples once, and has nothing to do for ever. It does not end.
#[test]
fn on_a_thread_no_time_between_samples_is_too_long() {
    let dial = Dial::default();
    dial.set(0.95);
    let (pressure, sampler) = Pressure::builder().source(dial.source("dial")).every(Duration::MAX).build().unwrap();
    let mut changes = pressure.watch();
    let sampling = sampler.on_thread().unwrap();
    assert_eq!(pollster::block_on(changes.next()).unwrap().to, Level::High);
    let next = async {
        tokio::select! {
            change = changes.next() => change,
            () = tokio::time::sleep(Duration::from_secs(1)) => None,
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    assert_eq!(runtime.block_on(next), None, "nothing moves it");
    drop(sampling);
}
