//! The hooks and the four ways out, one statement in each test. `tests/property/` checks the same for random chains.

use chain::log::{NotesDrop, note, taken};
use chain::poll::{Driven, block_on, drive, panic_silently, suspend};
use chain_runtime::{Ending, chain, node};

/// What a run does, and where.
#[derive(Clone, Copy, PartialEq)]
enum Does {
    Reply,
    Break,
    Wait,
    Panic,
    PanicOnTheWayOut,
    WaitOnTheWayOut,
    PanicInCancelled,
}
use Does::{Break, Panic, PanicInCancelled, PanicOnTheWayOut, Reply, Wait, WaitOnTheWayOut};

/// Shared by the requests, lent to `cancelled`.
struct Name(&'static str);

struct First(#[allow(dead_code, reason = "it notes its drop")] NotesDrop);
struct Second {
    seen: u32,
    _drop: NotesDrop,
}

struct Outer;
#[node]
impl Outer {
    fn enter(&self) -> First {
        note("outer enters");
        First(NotesDrop("first"))
    }
    fn exit(&self, _first: &First, does: &Does, reply: &mut String, ending: &Ending) {
        note("outer exits");
        reply.push_str(&format!(", {ending}"));
        if *does == PanicOnTheWayOut {
            panic_silently("outer");
        }
    }
    fn cancelled(&self, _first: &First, name: &Name) {
        note(format!("outer cancelled in {}", name.0));
    }
}

struct Middle;
#[node]
impl Middle {
    async fn enter(&self, does: &Does) -> Result<(), String> {
        note("middle enters");
        suspend(1).await;
        if *does == Break { Err("broke".to_owned()) } else { Ok(()) }
    }
    async fn exit(&self, reply: &String, first: &mut First, second: &Second) {
        note(format!("middle exits with {reply}, {}", second.seen));
        let _ = first;
    }
}

struct Inner;
#[node]
impl Inner {
    fn enter(&self) -> Second {
        note("inner enters");
        Second { seen: 0, _drop: NotesDrop("second") }
    }
    async fn exit(&self, does: &Does, second: &mut Second) {
        note("inner exits");
        second.seen += 1;
        if *does == WaitOnTheWayOut {
            suspend(1).await;
        }
        note("inner exited");
    }
    fn cancelled(&self, second: &mut Second, name: &Name) {
        second.seen += 10;
        note(format!("inner cancelled, {}", second.seen));
        if name.0 == "panicking" {
            panic_silently("cancelled");
        }
    }
}

#[node]
async fn work(does: &Does) -> String {
    note("work");
    match does {
        Wait | PanicInCancelled => suspend(usize::MAX).await,
        Panic => panic_silently("work"),
        Reply | Break | PanicOnTheWayOut | WaitOnTheWayOut => {}
    }
    "done".to_owned()
}

chain! {
    struct Onion { name: Name, outer: Outer, middle: Middle, inner: Inner }
    async fn(does: Does) -> String { outer => inner => middle => work }
}

const ONION: Onion = Onion { name: Name("onion"), outer: Outer, middle: Middle, inner: Inner };

const WAY_IN: [&str; 4] = ["outer enters", "inner enters", "middle enters", "work"];

/// What a run notes after its way in.
fn after_the_way_in(chain: &Onion, does: Does, polls: usize) -> (Driven<String>, Vec<String>) {
    let _ = taken();
    let driven = drive(chain.run(does), polls);
    let mut lines = taken();
    let rest = lines.split_off(lines.iter().position(|line| line == "work").expect("work is reached") + 1);
    assert_eq!(lines, WAY_IN);
    (driven, rest)
}

#[test]
fn exit_runs_in_reverse_order_and_sees_the_reply() {
    let (driven, lines) = after_the_way_in(&ONION, Reply, 9);
    assert_eq!(
        lines,
        ["middle exits with done, 0", "inner exits", "inner exited", "drop second", "outer exits", "drop first"]
    );
    assert_eq!(driven.ready().expect("a reply"), "done, replied by `work`");
}

#[test]
fn exit_runs_for_entered_nodes_only() {
    let _ = taken();
    let reply = block_on(ONION.run(Break));
    let exits = [
        "outer enters",
        "inner enters",
        "middle enters",
        "inner exits",
        "inner exited",
        "drop second",
        "outer exits",
        "drop first",
    ];
    assert_eq!(taken(), exits, "`middle` broke, so it was never entered");
    assert_eq!(reply, "broke, cut short by `middle`");
}

#[test]
fn cancelled_runs_in_reverse_order_when_the_future_is_dropped() {
    let (driven, lines) = after_the_way_in(&ONION, Wait, 5);
    assert!(driven.is_dropped());
    assert_eq!(lines, ["inner cancelled, 10", "drop second", "outer cancelled in onion", "drop first"]);
}

#[test]
fn cancelled_runs_in_reverse_order_when_a_node_panics_and_the_panic_goes_on() {
    let (driven, lines) = after_the_way_in(&ONION, Panic, 5);
    let Driven::Panicked(panic) = driven else { panic!("it goes on") };
    assert_eq!(panic.downcast_ref(), Some(&"work"));
    assert_eq!(lines, ["inner cancelled, 10", "drop second", "outer cancelled in onion", "drop first"]);
}

#[test]
fn an_exit_that_is_cut_off_by_a_drop_has_not_left_so_cancelled_runs() {
    let (driven, lines) = after_the_way_in(&ONION, WaitOnTheWayOut, 2);
    assert!(driven.is_dropped());
    assert_eq!(
        lines,
        [
            "middle exits with done, 0",
            "inner exits",
            "inner cancelled, 11",
            "drop second",
            "outer cancelled in onion",
            "drop first"
        ]
    );
}

#[test]
fn an_exit_that_panics_keeps_nobody_elses_cleanup_from_running() {
    let (driven, lines) = after_the_way_in(&ONION, PanicOnTheWayOut, 9);
    assert!(driven.is_panicked());
    assert_eq!(
        lines,
        [
            "middle exits with done, 0",
            "inner exits",
            "inner exited",
            "drop second",
            "outer exits",
            "outer cancelled in onion",
            "drop first"
        ]
    );
}

// During unwinding a second panic aborts the process, as everywhere in Rust. Here it is the first.
#[test]
fn a_panic_in_cancelled_keeps_nobody_elses_cleanup_from_running() {
    let chain = Onion { name: Name("panicking"), outer: Outer, middle: Middle, inner: Inner };
    let (driven, lines) = after_the_way_in(&chain, PanicInCancelled, 5);
    let Driven::Panicked(panic) = driven else { panic!("it goes on") };
    assert_eq!(panic.downcast_ref(), Some(&"cancelled"));
    assert_eq!(lines, ["inner cancelled, 10", "drop second", "outer cancelled in panicking", "drop first"]);
}

// ---- the last node

struct Last;
#[node]
impl Last {
    fn enter(&self, does: &Does) -> Result<String, String> {
        if *does == Break { Err("broke".to_owned()) } else { Ok("gave".to_owned()) }
    }
    async fn exit(&self, does: &Does, reply: &mut String) {
        reply.push_str(", last exits");
        suspend(usize::from(*does == Wait)).await;
        note("last exited");
    }
    fn cancelled(&self) {
        note("last cancelled");
    }
}

chain! {
    struct Alone { last: Last }
    async fn(does: Does) -> String { last }
}

#[test]
fn the_last_node_exits_too() {
    let _ = taken();
    assert_eq!(block_on(Alone { last: Last }.run(Reply)), "gave, last exits");
    assert_eq!(taken(), ["last exited"]);
    assert_eq!(block_on(Alone { last: Last }.run(Break)), "broke", "it was never entered");
    assert_eq!(taken(), [] as [&str; 0]);
}

#[test]
fn the_last_node_is_never_cancelled_since_its_value_is_the_reply() {
    let _ = taken();
    assert!(drive(Alone { last: Last }.run(Wait), 1).is_dropped());
    assert_eq!(taken(), [] as [&str; 0]);
}

// ---- an ordinary function

struct Guarded;
#[node]
impl Guarded {
    fn enter(&self) -> First {
        First(NotesDrop("first"))
    }
    fn exit(&self) {
        note("exit");
    }
    fn cancelled(&self) {
        note("cancelled");
    }
}
#[node]
fn may_panic(does: &Does) -> String {
    if *does == Panic { panic_silently("may") } else { String::new() }
}

chain! {
    struct Sync { guarded: Guarded }
    fn(does: Does) -> String { guarded => may_panic }
}

#[test]
fn in_an_ordinary_function_a_panic_is_the_only_way_to_cancelled() {
    let _ = taken();
    let _ = Sync { guarded: Guarded }.run(Reply);
    assert_eq!(taken(), ["exit", "drop first"]);
    assert!(std::panic::catch_unwind(|| Sync { guarded: Guarded }.run(Panic)).is_err());
    assert_eq!(taken(), ["cancelled", "drop first"]);
}
