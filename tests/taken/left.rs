//! Nodes with a way out, whose values can be taken where that way does not need them; and what an observer hears of it.

use chain_runtime::observe::Event as Heard;

use super::*;

struct Count(usize);
#[node]
fn counted() -> Count {
    Count(7)
}

struct Reads;
#[node]
impl Reads {
    fn enter(&self, line: &Line) -> Event {
        note(format!("read {}", line.0));
        Event(line.0)
    }
    fn exit(&self, line: &Line, count: &Count) {
        note(format!("left {} with {}", line.0, count.0));
    }
}

/// The same chain twice: its last node takes the event, or is lent it.
macro_rules! ends {
    ($module:ident: $event:ty) => {
        mod $module {
            use super::*;

            #[node]
            async fn end(event: $event) -> usize {
                suspend(1).await;
                event.0.len()
            }

            chain! {
                #[observe(Recorder)]
                pub(super) struct Ingest { pub(super) reads: Reads }

                async fn(line: Line) -> usize {
                    counted => reads => end
                }
            }
        }
    };
}
ends!(takes: Event);
ends!(lends: &Event);

#[test]
fn a_node_is_left_whose_value_was_taken() {
    assert_eq!(block_on(takes::Ingest { reads: Reads }.run(Line("a"))), 1);
    assert_eq!(taken(), ["read a", "left a with 7"]);
}

/// What an observer heard of a run that was polled so often. (An ending points to its node, which says what it needs.)
fn heard(run: impl Future, polls: usize, recording: &Recording) -> Vec<String> {
    drop(drive(run, polls));
    let said = |event: &Heard| match event {
        Heard::End(ending) => format!("the end, {}", ending.map_or_else(String::new, |ending| ending.to_string())),
        other => format!("{other:?}"),
    };
    recording.events().iter().map(said).collect()
}

#[test]
fn an_observer_hears_the_same_whether_it_is_taken_or_lent() {
    for polls in 0..3 {
        let recording = Recording::start();
        let lent = heard(lends::Ingest { reads: Reads }.run(Line("a")), polls, &recording);
        drop(recording);
        let recording = Recording::start();
        let taken = heard(takes::Ingest { reads: Reads }.run(Line("a")), polls, &recording);
        assert_eq!(taken, lent, "after {polls} polls");
        assert!(polls == 0 || lent.len() > 4, "{lent:?}");
    }
}
