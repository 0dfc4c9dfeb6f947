//! A meter reports what each node took, however the run ends: all parts are found, and add up to the whole.
//!
//! The clock is the test's own. A node lets it pass and notes in a book what it took. The code that drives the run does
//! so while the run waits. Snapshots have to say what the book says.

#![cfg(feature = "telemetry")]

#[path = "telemetry/book.rs"]
mod book;
#[path = "telemetry/paused.rs"]
mod paused;
#[path = "telemetry/snapshots.rs"]
mod snapshots;
#[cfg(feature = "tokio")]
#[path = "telemetry/timed_out.rs"]
mod timed_out;

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::num::NonZeroU32;
use std::panic::{catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use book::{Book, Driven, drive, key};
use chain_runtime::observe::Way::{self, In, Out};
use chain_runtime::telemetry::{Keeps, Kept, Manual, Meter, NoClock, Outcome, Sampled, Snapshot};
use chain_runtime::{IntoReply, Toggles, chain, node};

// ---- the nodes

/// What a run is to do.
#[derive(Clone, Copy, Debug, Default)]
struct Script {
    /// The node that does not do what it should, and what it does.
    fails: Option<(&'static str, Fails)>,
    /// How often the block of `again` is run once more.
    retries: u32,
    right: bool,
    /// The node around the block does not wait for it.
    impatient: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fails {
    Breaks,
    Panics(Way),
}

impl Script {
    fn says(&self, book: &Book, name: &str, way: Way) -> Result<(), Refused> {
        match self.fails {
            Some((who, Fails::Breaks)) if who == name && way == In => Err(Refused(book.clone())),
            Some((who, Fails::Panics(then))) if who == name && way == then => resume_unwind(Box::new("as it is told")),
            _ => Ok(()),
        }
    }
}

struct Refused(Book);

impl IntoReply<u32> for Refused {
    fn into_reply(self) -> u32 {
        self.0.own(7);
        403
    }
}

struct Hooks;
#[node]
impl Hooks {
    async fn enter(&self, script: &Script, book: &Book) -> Result<(), Refused> {
        book.works("hooks", In, 10);
        book.waits("hooks", In, 1).await;
        book.works("hooks", In, 11);
        script.says(book, "hooks", In)
    }
    async fn exit(&self, script: &Script, book: &Book) {
        book.works("hooks", Out, 12);
        book.waits("hooks", Out, 2).await;
        book.works("hooks", Out, 13);
        let _ = script.says(book, "hooks", Out);
    }
}

#[node]
fn extra(book: &Book) {
    book.works("extra", In, 20);
}

/// What `again` needs while it wraps.
struct Asks(Script, Book);

/// Around a block: works before it, between its polls and after it.
struct Again;
#[node]
impl Again {
    fn enter(&self, script: &Script, book: &Book) -> Asks {
        book.works("again", In, 29);
        Asks(*script, book.clone())
    }
    async fn around<B: Future>(&self, asks: &Asks, mut block: Pin<&mut B>) -> Result<B::Output, Refused> {
        let Asks(script, book) = asks;
        book.works("again", In, 30);
        book.waits("again", In, 1).await;
        script.says(book, "again", In)?;
        let mut polls = 0;
        let output = poll_fn(|context| {
            book.works("again", In, 31);
            polls += 1;
            match block.as_mut().poll(context) {
                Poll::Pending if script.impatient && polls == 2 => Poll::Ready(None),
                poll => poll.map(Some),
            }
        })
        .await;
        let Some(output) = output else { return Err(Refused(book.clone())) };
        book.works("again", Out, 32);
        book.waits("again", Out, 1).await;
        let _ = script.says(book, "again", Out);
        Ok(output)
    }
    /// A reply says how often it wants to be given.
    fn again(&self, attempt: u32, reply: &u32) -> bool {
        *reply != 403 && attempt <= reply / 10
    }
}

#[node]
async fn slow(script: &Script, book: &Book) -> Result<(), Refused> {
    book.works("slow", In, 40);
    book.waits("slow", In, 1).await;
    book.works("slow", In, 41);
    script.says(book, "slow", In)
}
#[node]
fn tried(script: &Script, book: &Book) -> Result<(), Refused> {
    book.works("tried", In, 42);
    script.says(book, "tried", In)
}

enum Route {
    Left,
    Right,
}
#[node]
fn route(script: &Script, book: &Book) -> Route {
    book.works("route", In, 50);
    if script.right { Route::Right } else { Route::Left }
}
#[node]
fn left(script: &Script, book: &Book) -> Result<u32, Refused> {
    book.works("left", In, 60);
    script.says(book, "left", In).map(|()| 10 * script.retries + 1)
}
#[node]
async fn right(script: &Script, book: &Book) -> Result<u32, Refused> {
    book.works("right", In, 70);
    book.waits("right", In, 3).await;
    script.says(book, "right", In).map(|()| 10 * script.retries + 2)
}

chain! {
    #[observe(meter)]
    #[send]
    struct Shop { meter: Meter<Manual>, toggles: Toggles, hooks: Hooks, again: Again }
    async fn(script: Script, book: Book) -> u32 {
        hooks => #[toggle] extra => again {
            slow => tried => match route { Route::Left => left, Route::Right => right }
        }
    }
}

const NAMES: [&str; 8] = ["hooks", "extra", "again", "slow", "tried", "route", "left", "right"];

fn shop(book: &Book) -> Shop {
    Shop {
        meter: Meter::builder(Shop::CHAIN).clock(book.clock.clone()).build(),
        toggles: Toggles::default(),
        hooks: Hooks,
        again: Again,
    }
}

// ---- what there can be of runs

fn scripts() -> Vec<Script> {
    let mut all = Vec::new();
    let fails = NAMES
        .into_iter()
        .flat_map(|name| [Fails::Breaks, Fails::Panics(In), Fails::Panics(Out)].map(|fails| Some((name, fails))));
    for fails in std::iter::once(None).chain(fails) {
        for (retries, right, impatient) in [(0, false, false), (2, true, false), (1, true, true)] {
            all.push(Script { fails, retries, right, impatient });
        }
    }
    all
}

/// What a snapshot says is what the book says.
fn agrees(snapshot: &Snapshot, book: &Book, what: &str) {
    assert_eq!(NAMES.map(Some), std::array::from_fn(|index| snapshot.nodes.get(index).map(|node| node.info.name)));
    for node in &snapshot.nodes {
        let name = node.info.name;
        for way in [In, Out] {
            let (totals, of) = (node.way(way), |waiting| book.of(name, way, waiting));
            assert_eq!(totals.running.sum(), of(false), "`{name}` runs {way:?}: {what}");
            assert_eq!(totals.waiting.sum(), of(true), "`{name}` waits {way:?}: {what}");
        }
        assert_eq!(node.entered, node.broke + node.left() + node.cancelled + node.panicked, "`{name}`: {what}");
    }
    assert_eq!(snapshot.own, book.of("", In, false), "the chain's own: {what}");
    assert_eq!(snapshot.attributed(), snapshot.took.sum(), "{what}");
    assert_eq!(snapshot.took.sum(), book.sum(), "{what}");
    assert_eq!((snapshot.in_flight(), snapshot.took.count()), (0, snapshot.started), "{what}");
    assert_eq!(snapshot.replied() + snapshot.cancelled + snapshot.panicked, snapshot.ended, "{what}");
}

/// The stretches of a run have no gap, and are the book's as well. Says whether all of them were kept.
fn agrees_too(kept: &Kept, book: &Book, what: &str) -> bool {
    let mut end = Duration::ZERO;
    let mut took = BTreeMap::<_, u64>::new();
    for stretch in &kept.stretches {
        assert_eq!(stretch.start, end, "{what}");
        end += stretch.length;
        *took.entry(key(stretch.whose, &NAMES)).or_default() += stretch.length.as_nanos() as u64;
    }
    if kept.is_truncated {
        assert!(end <= kept.took, "{what}");
        let all = book.all();
        assert!(
            took.iter().all(|(whose, took)| all.get(whose).is_some_and(|all| took <= all)),
            "{what}: {took:?} of {all:?}"
        );
    } else {
        assert_eq!((end, took), (kept.took, book.all()), "{what}");
    }
    !kept.is_truncated
}

#[test]
fn all_parts_of_a_run_add_up_to_the_whole_whatever_becomes_of_it() {
    let (mut replied, mut dropped, mut panicked, mut whole) = (0, 0, 0, 0);
    for script in scripts() {
        for (on, moves) in [(true, false), (false, true)] {
            for polls in 0.. {
                let book = Book::default();
                let shop = shop(&book);
                shop.toggles().set("extra", on).expect("a toggle");
                let driven = drive(&book, Box::pin(shop.run(script, book.clone())), polls, moves);
                let what = format!("{script:?}, {on}, {polls} polls: {driven:?}");
                let snapshot = shop.meter.snapshot();
                agrees(&snapshot, &book, &what);
                if polls > 0 {
                    let Keeps { slowest, failed, missed, .. } = shop.meter.kept();
                    assert_eq!((slowest.len(), missed), (1, 0), "{what}");
                    whole += u32::from(agrees_too(&slowest[0], &book, &what));
                    assert_eq!(failed, if slowest[0].outcome.is_replied() { vec![] } else { slowest }, "{what}");
                }
                match driven {
                    Driven::Ready(_) => replied += 1,
                    Driven::Panicked => panicked += 1,
                    Driven::Dropped => {
                        dropped += 1;
                        continue;
                    }
                }
                break;
            }
        }
    }
    let all = format!("{replied} replied, {panicked} panicked, {dropped} dropped, {whole} were kept as a whole");
    assert!(replied > 60 && panicked > 30 && dropped > 500 && whole > 500, "{all}");
}

#[test]
fn runs_add_up_over_threads() {
    let book = Book::default();
    let shop = shop(&book);
    let (shop, book) = (&shop, &book);
    for _ in 0..3 {
        thread::scope(|scope| {
            for script in scripts() {
                let drives = move || drive(book, Box::pin(shop.run(script, book.clone())), 6, false);
                // One after another, since they have one clock.
                scope.spawn(drives).join().expect("panics are caught");
            }
        });
    }
    let snapshot = shop.meter.snapshot();
    assert_eq!(snapshot.started, 3 * scripts().len() as u64);
    agrees(&snapshot, book, "all of them");
}

// ---- what is counted

/// One run, alone.
fn after(script: Script, polls: u64) -> (Snapshot, Keeps, Driven) {
    let book = Book::default();
    let shop = shop(&book);
    let driven = drive(&book, Box::pin(shop.run(script, book.clone())), polls, false);
    (shop.meter.snapshot(), shop.meter.kept(), driven)
}

fn count(snapshot: &Snapshot, name: &str) -> [u64; 8] {
    let node = snapshot.nodes.iter().find(|node| node.info.name == name).expect("a node");
    [node.entered, node.broke, node.cancelled, node.panicked, node.skipped, node.tries, node.replied, node.cut_short]
}

#[test]
fn a_node_that_runs_once_more_counts_as_often_and_its_times_are_apart() {
    let (snapshot, ..) = after(Script { retries: 2, ..Script::default() }, 99);
    assert_eq!(count(&snapshot, "again"), [1, 0, 0, 0, 0, 3, 0, 0]);
    assert_eq!(count(&snapshot, "slow"), [3, 0, 0, 0, 0, 0, 0, 0]);
    let slow = &snapshot.nodes[3];
    assert_eq!((slow.way_in.running.count(), slow.way_in.running.sum()), (3, 3 * 81));
    assert_eq!(slow.way_in.running.quantiles([0.0, 1.0]), [Some(81); 2], "not one of 243");
    assert_eq!(slow.way_in.waiting.count(), 3);
    assert_eq!(slow.way_out.running.count(), 0, "it has no way out");
    let hooks = &snapshot.nodes[0];
    assert_eq!((hooks.way_out.running.count(), hooks.way_out.waiting.count()), (1, 1), "two waits of one way out");
}

#[test]
fn the_reply_is_counted_for_the_node_that_gave_it() {
    let (snapshot, keeps, driven) = after(Script::default(), 99);
    assert_eq!((driven, count(&snapshot, "left")), (Driven::Ready(1), [1, 0, 0, 0, 0, 0, 1, 0]));
    assert_eq!(count(&snapshot, "right"), [0; 8]);
    assert_eq!(keeps.slowest[0].outcome, Outcome::Replied(&Shop::NODES[6]));
    assert_eq!(snapshot.blocks, [1, 1, 0], "the wrapped block, the left arm and the right one");

    let script = Script { fails: Some(("tried", Fails::Breaks)), ..Script::default() };
    let (snapshot, keeps, driven) = after(script, 99);
    assert_eq!((driven, count(&snapshot, "tried")), (Driven::Ready(403), [1, 1, 0, 0, 0, 0, 0, 1]));
    assert_eq!(keeps.failed[0].outcome, Outcome::CutShort(&Shop::NODES[4]));
}

#[test]
fn a_run_dies_in_one_node() {
    // After two polls it waits in `again`; after three, in the block.
    for (polls, name, all) in [(1, "hooks", 1), (2, "again", 3), (3, "slow", 4)] {
        let (snapshot, keeps, driven) = after(Script::default(), polls);
        assert_eq!((driven, snapshot.cancelled, snapshot.panicked), (Driven::Dropped, 1, 0));
        let died = snapshot.nodes.iter().filter(|node| node.died > 0).map(|node| node.info.name);
        assert_eq!(died.collect::<Vec<_>>(), [name]);
        assert_eq!(snapshot.nodes.iter().map(|node| node.cancelled).sum::<u64>(), all);
        assert_eq!(keeps.failed[0].outcome.node().map(|node| node.name), Some(name));
        assert!(matches!(keeps.failed[0].outcome, Outcome::Cancelled(_)));
    }
    // `right` died with the block before, and the run went on to the way out of `hooks`.
    let (snapshot, keeps, _) = after(Script { impatient: true, right: true, ..Script::default() }, 4);
    let died = snapshot.nodes.iter().map(|node| (node.cancelled, node.died));
    assert_eq!(died.collect::<Vec<_>>(), [(1, 1), (0, 0), (0, 0), (1, 0), (1, 0), (1, 0), (0, 0), (1, 0)]);
    assert_eq!(keeps.failed[0].outcome, Outcome::Cancelled(Some(&Shop::NODES[0])));
}

#[test]
fn a_panic_is_of_the_node_whose_code_it_was() {
    for (name, way) in [("slow", In), ("again", In), ("again", Out), ("hooks", Out)] {
        let script = Script { fails: Some((name, Fails::Panics(way))), ..Script::default() };
        let (snapshot, keeps, driven) = after(script, 99);
        assert_eq!((driven, snapshot.panicked, snapshot.cancelled), (Driven::Panicked, 1, 0));
        assert_eq!(count(&snapshot, name)[3], 1);
        assert!(matches!(keeps.failed[0].outcome, Outcome::Panicked(Some(node)) if node.name == name));
    }
}

#[test]
fn what_is_skipped_is_counted_as_that() {
    let book = Book::default();
    let shop = shop(&book);
    shop.toggles().set("extra", false).expect("a toggle");
    drive(&book, Box::pin(shop.run(Script::default(), book.clone())), 99, false);
    assert_eq!(count(&shop.meter.snapshot(), "extra"), [0, 0, 0, 0, 1, 0, 0, 0]);
}

// ---- what is kept

#[test]
fn the_slowest_are_kept_and_the_last_that_failed() {
    let book = Book::default();
    let meter = Meter::builder(Shop::CHAIN).clock(book.clock.clone()).keep(2, 3).build();
    let shop = Shop { meter, ..shop(&book) };
    let run = |script: Script| drive(&book, Box::pin(shop.run(script, book.clone())), 99, false);
    for retries in [3, 1, 5, 0, 4] {
        run(Script { retries, ..Script::default() });
    }
    let tries =
        |kept: &Kept| kept.stretches.iter().filter(|stretch| key(stretch.whose, &NAMES) == key_of_tried()).count();
    assert_eq!(shop.meter.kept().slowest.iter().map(tries).collect::<Vec<_>>(), [6, 5]);

    for name in ["hooks", "slow", "tried", "left"] {
        run(Script { fails: Some((name, Fails::Breaks)), ..Script::default() });
    }
    let by = |kept: &Kept| kept.outcome.node().expect("a node").name;
    assert_eq!(shop.meter.kept().failed.iter().map(by).collect::<Vec<_>>(), ["left", "tried", "slow"]);
    assert_eq!(shop.meter.kept().slowest.len(), 2);

    shop.meter.forget_kept();
    assert_eq!(shop.meter.kept(), Keeps::default());
    run(Script::default());
    assert_eq!(shop.meter.kept().slowest.len(), 1);
}

fn key_of_tried() -> (&'static str, u8, bool) {
    key(chain_runtime::telemetry::Whose::Running(4, In), &NAMES)
}

#[test]
fn of_a_run_with_too_many_stretches_the_first_are_kept() {
    let (snapshot, keeps, _) = after(Script { retries: 60, ..Script::default() }, 999);
    let kept = &keeps.slowest[0];
    assert!(kept.is_truncated);
    let longest = kept.stretches.iter().map(|stretch| stretch.length).max();
    assert!(longest < Some(Duration::from_micros(2)), "nobody is said to have taken the rest: {longest:?}");
    assert_eq!(u128::from(snapshot.took.sum()), kept.took.as_nanos(), "what is counted is all of it");
    assert_eq!(count(&snapshot, "slow")[0], 61);
}

// ---- other meters

#[node]
fn quick(input: &u32) -> Result<(), Refused> {
    if *input == 0 { Err(Refused(Book::default())) } else { Ok(()) }
}
#[node]
fn reply(input: &u32) -> u32 {
    *input
}

macro_rules! chain_of_quick {
    ($name:ident, $meter:ty) => {
        chain! {
            #[observe(meter)]
            struct $name { meter: $meter }
            fn(input: u32) -> u32 { quick => reply }
        }
    };
}
chain_of_quick!(Counts, Meter<NoClock>);
chain_of_quick!(Samples, Sampled<Meter<NoClock>>);
chain_of_quick!(Shares, std::sync::Arc<Meter>);

#[test]
fn counters_alone_have_no_times() {
    let counts = Counts { meter: Meter::builder(Counts::CHAIN).clock(NoClock).build() };
    assert_eq!([1, 0, 2].map(|input| counts.run(input)), [1, 403, 2]);
    let snapshot = counts.meter.snapshot();
    assert_eq!((snapshot.ended, snapshot.is_timed, snapshot.took.count()), (3, false, 0));
    assert_eq!(
        (count(&snapshot, "quick"), count(&snapshot, "reply")),
        ([3, 1, 0, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 0, 2, 0])
    );
    assert_eq!(counts.meter.kept(), Keeps::default());
}

#[test]
fn one_of_so_many_runs_is_measured() {
    let meter = Meter::builder(Samples::CHAIN).clock(NoClock).build();
    let samples = Samples { meter: Sampled::new(NonZeroU32::new(10).expect("not 0"), meter) };
    (0..10_000).for_each(|input| _ = samples.run(input));
    let snapshot = samples.meter.snapshot();
    // A thousand is expected; that it is as few as these or as many does not happen in the age of the universe.
    assert!((600..1_500).contains(&snapshot.ended), "{}", snapshot.ended);
    assert_eq!(snapshot.one_in, 10);
}

#[test]
fn a_meter_is_of_one_chain() {
    let shares = Shares { meter: std::sync::Arc::new(Meter::of(Counts::CHAIN)) };
    assert_eq!(shares.run(3), 3);
    let snapshot = shares.meter.snapshot();
    assert_eq!((snapshot.started, snapshot.foreign), (0, 1));
}

#[test]
fn a_thread_that_ends_leaves_its_counters_to_the_next() {
    let counts = &Counts { meter: Meter::builder(Counts::CHAIN).clock(NoClock).build() };
    for input in 0..500 {
        thread::scope(|scope| scope.spawn(move || counts.run(input)).join().expect("no panic"));
    }
    assert_eq!(counts.meter.snapshot().ended, 500);
    // Other tests have threads as well, at the same time, whose places are not this one's.
    assert!(counts.meter.shards() < 100, "{}", counts.meter.shards());
}

#[test]
fn a_panic_of_code_that_is_no_node_s_is_a_panic() {
    struct Bang;
    impl IntoReply<u32> for Bang {
        fn into_reply(self) -> u32 {
            resume_unwind(Box::new("bang"))
        }
    }
    #[node]
    fn bangs() -> Result<u32, Bang> {
        Err(Bang)
    }
    chain! {
        #[observe(meter)]
        struct Bangs { meter: Meter }
        fn() -> u32 { bangs }
    }
    let bangs = Bangs { meter: Meter::of(Bangs::CHAIN) };
    let panic = catch_unwind(std::panic::AssertUnwindSafe(|| bangs.run()));
    assert!(panic.is_err());
    let (snapshot, keeps) = (bangs.meter.snapshot(), bangs.meter.kept());
    assert_eq!((snapshot.panicked, snapshot.nodes[0].broke, snapshot.nodes[0].panicked), (1, 1, 0));
    assert_eq!(keeps.failed[0].outcome, Outcome::Panicked(None));
}
