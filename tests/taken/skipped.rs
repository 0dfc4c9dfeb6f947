//! Nodes that may be skipped: those that provide, and those that take.

use super::*;

#[node]
fn push_if_there(event: Option<Event>, queue: &Queue) -> usize {
    event.map_or(0, |event| push(event, queue))
}
#[node]
fn is_long(line: &Line) -> bool {
    line.0.len() > 2
}

chain! {
    struct Ingest { queue: Queue }

    async fn(line: Line) -> usize {
        #[when(is_long)] read => nothing => push_if_there
    }
}

#[test]
fn what_may_be_skipped_is_taken_as_an_option() {
    let ingest = Ingest { queue: Queue::default() };
    let runs = ["long", "no", "longer"].map(|line| block_on(ingest.run(Line(line))));
    assert_eq!(runs, [1, 0, 2]);
    assert_eq!(ingest.queue.names(), ["long", "longer"]);
}

struct Noted(#[allow(dead_code, reason = "it is dropped")] NotesDrop);
#[node]
fn made() -> Noted {
    Noted(NotesDrop("noted"))
}
#[node]
fn keep(noted: Noted) -> Kept {
    Kept(noted)
}
struct Kept(#[allow(dead_code, reason = "it is dropped")] Noted);
#[node]
fn end() {
    note("end");
}

chain! {
    struct MayTake { toggles: Toggles }

    fn() -> () {
        made => #[toggle] keep => end
    }
}

#[test]
fn a_node_that_is_skipped_takes_nothing() {
    let chain = MayTake { toggles: Toggles::new() };
    for on in [true, false] {
        chain.toggles().set("keep", on).expect("there is such a toggle");
        chain.run();
        assert_eq!(taken(), ["end", "drop noted"], "{on}");
    }
}
