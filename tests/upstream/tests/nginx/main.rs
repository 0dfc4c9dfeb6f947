//! A real nginx in trouble, behind a proxy: how soon it is isolated, what is lost, and how it comes back.
//!
//! Each case prints a line of a table: `cargo test -p chain-upstream-tests --test nginx -- --nocapture --test-threads
//! 1`. The times of [`Health`] are a fifth of their defaults, and so is the time between requests, so that a minute is
//! 12 s. With `UPSTREAM_MEASURE=1` in the environment they are the defaults.

mod nginx;
mod watched;

use std::time::{Duration, Instant};

use chain_runtime::upstream::{Health, PeakEwma, RoundRobin, State};
use nginx::Trouble;
use watched::{Balanced, Try, Watched};

/// Waits, by the world's clock.
pub(crate) async fn until(what: &str, is: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is() {
        assert!(begin.elapsed() < Duration::from_secs(90), "there was never {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// One of these is a second of the story.
fn second() -> Duration {
    let scale = if std::env::var_os("UPSTREAM_MEASURE").is_some() { 1 } else { 5 };
    Duration::from_secs(1) / scale
}

fn health() -> Health {
    let second = second();
    Health::new()
        .failures(5, 10 * second)
        .success(0.5, 20, 30 * second)
        .ejection(5 * second, 300 * second)
        .slow_start(10 * second)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Load {
    /// Eight clients, each of which asks again after 2 ms.
    Many,
    /// One request a second.
    Seldom,
}

/// What a case has shown.
struct Shown {
    /// The tries that went to the one in trouble.
    tries: Vec<Try>,
    /// All of them.
    all: Vec<Try>,
    suffered: Instant,
    isolated: Option<Instant>,
    /// When each ejection began, and until when it was.
    ejections: Vec<(Instant, Instant)>,
    recovered: Instant,
    back: Option<Instant>,
    ended: Instant,
    lost: usize,
}

/// Well for a while, then in trouble until it is isolated and somewhat longer, then well again until it is back and somewhat longer.
async fn shown(trouble: Trouble, load: Load) -> Shown {
    shown_with(trouble, load, PeakEwma::new()).await
}

async fn shown_with(trouble: Trouble, load: Load, balance: impl Balanced) -> Shown {
    let second = second();
    let mut watched = Watched::start(health(), Duration::from_secs(2), balance).await;
    let victim = watched.nginx[0].address;
    match load {
        Load::Many => watched.clients(8, Duration::from_millis(2)),
        Load::Seldom => watched.ticks(second),
    }
    tokio::time::sleep(if load == Load::Many { Duration::from_secs(1) } else { 10 * second }).await;
    assert_eq!(watched.lost.load(std::sync::atomic::Ordering::Relaxed), 0, "all are well");
    watched.nginx[0].suffers(trouble).await;
    let suffered = Instant::now();
    if trouble == Trouble::Slowed {
        tokio::time::sleep(if load == Load::Many { Duration::from_secs(2) } else { 30 * second }).await;
    } else {
        until("an isolation", || watched.is_ejected()).await;
        tokio::time::sleep(2 * second).await;
    }
    watched.nginx[0].recovers(trouble).await;
    let recovered = Instant::now();
    until("a return", || !watched.is_ejected()).await;
    tokio::time::sleep(12 * second).await;
    watched.stop().await;
    let all = watched.tries();
    let states = watched.states();
    let ejections: Vec<_> = states
        .iter()
        .filter_map(|(at, state)| if let State::Ejected { until } = state { Some((*at, *until)) } else { None })
        .collect();
    let isolated = ejections.first().map(|(at, _)| *at);
    // Where it was not isolated, it was never away.
    let back = states.iter().rfind(|(at, state)| *state == State::Ready && Some(*at) > isolated).map(|(at, _)| *at);
    let back = if isolated.is_some() { back } else { Some(recovered) };
    let shown = Shown {
        tries: all.iter().filter(|one| one.to == victim).copied().collect(),
        all,
        suffered,
        isolated,
        ejections,
        recovered,
        back,
        ended: Instant::now(),
        lost: watched.lost.load(std::sync::atomic::Ordering::Relaxed),
    };
    shown.print(trouble, load, watched.sent.load(std::sync::atomic::Ordering::Relaxed));
    shown
}

impl Shown {
    fn first_failure(&self) -> Option<Instant> {
        self.tries.iter().filter(|one| !one.is_good).map(|one| one.ended).min()
    }

    /// Tries that had failed up to the isolation, and since then.
    fn failures(&self) -> (usize, usize) {
        let isolated = self.isolated.unwrap_or(self.ended);
        let failed = self.tries.iter().filter(|one| !one.is_good);
        let (before, after): (Vec<&Try>, Vec<&Try>) = failed.partition(|one| one.began <= isolated);
        (before.len(), after.len())
    }

    /// Its share of the tries that began within this time, of which a quarter is even.
    fn share(&self, from: Instant, to: Instant) -> f64 {
        let within = |tries: &[Try]| tries.iter().filter(|one| (from..to).contains(&one.began)).count() as f64;
        within(&self.tries) / within(&self.all).max(1.0)
    }

    fn print(&self, trouble: Trouble, load: Load, sent: usize) {
        let second = second();
        let seconds =
            |time: Option<Duration>| time.map_or("-".to_owned(), |time| format!("{:.3} s", time.as_secs_f64()));
        let isolated =
            self.isolated.zip(self.first_failure()).map(|(isolated, first)| isolated.saturating_duration_since(first));
        let since = self.isolated.map(|isolated| isolated - self.suffered);
        let back = self.back.map(|back| back.saturating_duration_since(self.recovered));
        let (before, after) = self.failures();
        let in_trouble = self.share(self.suffered, self.recovered);
        let shares = self.back.map_or("-".to_owned(), |back| {
            let slices = [0, 2, 4, 6, 8].map(|at| self.share(back + at * second, back + (at + 2) * second));
            slices.map(|share| format!("{:.0} %", 100.0 * share)).join(", ")
        });
        println!(
            "| {trouble:?} | {load:?} | {} | {} | {before} + {after} | {} of {sent} | {:.1} % | {} | {shares} |",
            seconds(isolated),
            seconds(since),
            self.lost,
            100.0 * in_trouble,
            seconds(back),
        );
    }
}

/// Whatever is the matter: once it is isolated, nobody is sent there before its time is over, and nothing is lost but by the tries that have shown it.
fn nothing_is_lost_beyond_what_shows_it(shown: &Shown) {
    let (before, after) = shown.failures();
    for (isolated, until) in &shown.ejections {
        // Whoever picks at this moment may still look into the snapshot before.
        let settled = *isolated + Duration::from_millis(100);
        let sent = shown.tries.iter().filter(|one| one.began > settled && one.began < *until).count();
        assert_eq!(sent, 0, "requests to one that is isolated");
    }
    assert!(after <= shown.ejections.len(), "{after} tries of {} returns have failed", shown.ejections.len());
    assert!(shown.lost <= before + after, "{} are lost, and {before} + {after} have failed there", shown.lost);
    assert!(shown.back.is_some(), "it is back");
}

/// With eight clients, so many failures are there at most before it is isolated: five, and what is under way with the fifth.
const AT_MOST: usize = 5 + 8;

/// Only that: [`PeakEwma`] may give it much or little then, as long as this machine makes one reply in a while a slow
/// one, which is the longer remembered the shorter the replies are.
fn it_is_asked_again(shown: &Shown) {
    let back = shown.back.expect("it is back");
    assert!(shown.share(back, shown.ended) > 0.0, "nobody asks it after its return");
}

/// With members in turn, its share follows from its weight alone: a tenth at first, and the whole one at the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_returns_gets_its_share_step_by_step() {
    let shown = shown_with(Trouble::Killed, Load::Many, RoundRobin::new()).await;
    nothing_is_lost_beyond_what_shows_it(&shown);
    let back = shown.back.expect("it is back");
    let slices = [0, 8].map(|at| shown.share(back + at * second(), back + (at + 2) * second()));
    assert!(0.0 < slices[0] && slices[0] < slices[1] / 2.0, "of an even share of 25 %, it has {slices:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_killed_at_load_is_isolated_and_nothing_is_lost() {
    let shown = shown(Trouble::Killed, Load::Many).await;
    nothing_is_lost_beyond_what_shows_it(&shown);
    let (failures, _) = shown.failures();
    assert!(failures <= AT_MOST, "{failures}");
    // Where no connection is made, another one is asked; and where one breaks that was kept, too.
    assert!(shown.lost <= 8, "at most what was under way: {}", shown.lost);
    it_is_asked_again(&shown);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_fails_at_load_is_isolated_by_its_first_failures() {
    let shown = shown(Trouble::Failing, Load::Many).await;
    nothing_is_lost_beyond_what_shows_it(&shown);
    let (failures, _) = shown.failures();
    assert!((5..=AT_MOST).contains(&failures), "{failures}");
    it_is_asked_again(&shown);
}

/// Those that hang are few: who has something in flight and is not heard of gets nothing more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_stopped_at_load_gets_little_and_is_isolated() {
    let shown = shown(Trouble::Stopped, Load::Many).await;
    nothing_is_lost_beyond_what_shows_it(&shown);
    let (failures, _) = shown.failures();
    assert!(failures <= AT_MOST, "{failures}");
    assert!(shown.isolated.expect("it is") - shown.suffered < Duration::from_secs(60));
    it_is_asked_again(&shown);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_slow_at_load_gets_little_and_nothing_is_lost() {
    let shown = shown(Trouble::Slowed, Load::Many).await;
    let share = shown.share(shown.suffered, shown.recovered);
    assert!(share < 0.05, "{share} of all");
    assert_eq!(shown.lost, 0);
}

/// The half minute after which a balancer tries again whom it avoids is no setting, so this is within a minute by the clock.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_one_request_at_a_time_it_is_isolated_within_a_minute() {
    let seldom = |trouble| shown(trouble, Load::Seldom);
    let (killed, stopped, failing, slowed) = tokio::join!(
        seldom(Trouble::Killed),
        seldom(Trouble::Stopped),
        seldom(Trouble::Failing),
        seldom(Trouble::Slowed)
    );
    for shown in [&killed, &stopped, &failing] {
        nothing_is_lost_beyond_what_shows_it(shown);
        let first = shown.first_failure().expect("it has failed");
        assert!(shown.isolated.expect("it is") - first < Duration::from_secs(60));
        assert!(shown.failures().0 <= 4, "{:?}", shown.failures());
    }
    assert_eq!((killed.lost, slowed.lost), (0, 0));
}
