//! A chain of more than 128 nodes is several state machines, one inside of the other. This makes no visible difference:
//! the nodes see the same, and leave the same behind, in the same order.

use chain::log::{note, taken};
use chain::poll::{Driven, block_on, drive, suspend};
use chain_runtime::observe::{Event, Recorder, Recording};
use chain_runtime::{Ending, chain, node};

struct Request(u32);

/// What `outer` provides, in the first part.
struct First(u32);
/// What `middle` provides, in the second part.
struct Second(u32);
/// An input, once it was taken.
struct Taken(String);

struct Outer;
#[node]
impl Outer {
    fn enter(&self, request: &Request) -> First {
        First(request.0)
    }
    async fn exit(&self, first: &First, reply: &mut String, ending: &Ending) {
        suspend(1).await;
        reply.push_str(&format!(", {ending}"));
        note(format!("outer left with {}", first.0));
    }
    fn cancelled(&self, _first: &First) {
        note("outer cancelled");
    }
}

struct Middle;
#[node]
impl Middle {
    async fn enter(&self, first: &mut First) -> Second {
        first.0 += 1;
        suspend(1).await;
        Second(first.0)
    }
    fn exit(&self, reply: &mut String) {
        reply.push('!');
        note("middle left");
    }
    fn cancelled(&self, _second: &Second) {
        note("middle cancelled");
    }
}

struct Inner;
#[node]
impl Inner {
    async fn enter(&self, first: &mut First, second: &mut Second) {
        first.0 += 10;
        second.0 += 10;
        suspend(1).await;
    }
    fn exit(&self, second: &Second) {
        note(format!("inner left with {}", second.0));
    }
    fn cancelled(&self) {
        note("inner cancelled");
    }
}

#[node]
fn pass(request: &mut Request) {
    request.0 += 1;
}

#[node]
fn take(name: String) -> Taken {
    Taken(name)
}

#[node]
async fn may_break(request: &Request) -> Result<(), String> {
    suspend(1).await;
    if request.0 >= 1000 { Err("broke".to_owned()) } else { Ok(()) }
}

#[node]
fn answer(request: &Request, taken: &Taken, first: &First, second: &Second) -> String {
    format!("{} {} {} {}", request.0, taken.0, first.0, second.0)
}

macro_rules! long {
    ($(#[$observed:meta])? $name:ident) => {
        chain! {
            $(#[$observed])? struct $name { outer: Outer, middle: Middle, inner: Inner }

            async fn(request: Request, name: String) -> String {
                outer => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass =>
                pass => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass
                => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass =>
                pass => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass
                => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass =>
                pass => pass => pass => pass => take => middle => pass => pass => pass => pass => pass => pass => pass =>
                pass => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass
                => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass =>
                pass => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass
                => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass => pass => inner =>
                may_break => answer
            }
        }
    };
}

long!(Long);
long!(
    #[observe(Recorder)]
    Observed
);

const LONG: Long = Long { outer: Outer, middle: Middle, inner: Inner };
const OBSERVED: Observed = Observed { outer: Outer, middle: Middle, inner: Inner };

#[test]
fn values_inputs_and_the_reply_go_through_all_parts() {
    let reply = block_on(LONG.run(Request(1), "ada".to_owned()));
    assert_eq!(reply, "131 ada 12 12!, replied by `answer`");
    assert_eq!(taken(), ["inner left with 12", "middle left", "outer left with 12"]);
    assert_eq!(Long::NODES.len(), 136);
}

#[test]
fn a_break_in_the_last_part_leaves_what_was_entered_in_the_others() {
    let reply = block_on(LONG.run(Request(900), "ada".to_owned()));
    assert_eq!(reply, "broke!, cut short by `may_break`");
    assert_eq!(taken(), ["inner left with 911", "middle left", "outer left with 911"]);
}

#[test]
fn a_run_that_is_dropped_cancels_what_was_entered_in_reverse() {
    let cancelled = |polls| match drive(LONG.run(Request(1), "ada".to_owned()), polls) {
        Driven::Dropped => taken(),
        _ => panic!("it would have gone on"),
    };
    assert!(cancelled(0).is_empty(), "before the first poll, nothing was entered");
    assert_eq!(cancelled(1), ["outer cancelled"], "in `enter` of `middle`");
    assert_eq!(cancelled(2), ["middle cancelled", "outer cancelled"], "in `enter` of `inner`");
    assert_eq!(cancelled(3), ["inner cancelled", "middle cancelled", "outer cancelled"], "in `may_break`");
    assert_eq!(cancelled(4), ["inner left with 12", "middle left", "outer cancelled"], "in `exit` of `outer`");
}

#[test]
fn an_observer_hears_of_all_parts() {
    let recording = Recording::start();
    let reply = block_on(OBSERVED.run(Request(1), "ada".to_owned()));
    assert_eq!(reply, "131 ada 12 12!, replied by `answer`");
    let events = recording.events();
    let count = |of: fn(&Event) -> bool| events.iter().filter(|event| of(event)).count();
    assert_eq!(count(|event| matches!(event, Event::Entered(_))), 136);
    assert_eq!(count(|event| matches!(event, Event::Left(_))), 136);
    assert!(matches!(events.last(), Some(Event::End(Some(_)))));
    assert_eq!(count(|event| matches!(event, Event::Suspend(..))), 4);
    assert_eq!(taken(), ["inner left with 12", "middle left", "outer left with 12"]);
}

#[test]
fn an_observer_hears_what_is_cancelled_in_all_parts() {
    let recording = Recording::start();
    assert!(matches!(drive(OBSERVED.run(Request(1), "ada".to_owned()), 3), Driven::Dropped));
    let cancelled = |event: &Event| matches!(event, Event::Cancelled("inner" | "middle" | "outer"));
    assert_eq!(recording.events().iter().filter(|event| cancelled(event)).count(), 3);
    assert_eq!(taken(), ["inner cancelled", "middle cancelled", "outer cancelled"]);
}
