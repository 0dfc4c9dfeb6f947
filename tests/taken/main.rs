//! What a node provides, a later one can take. Then it is that node's, which drops it or hands it on; what nobody took is dropped as ever.

mod cancelled;
mod drops;
mod generic;
mod given_back;
mod in_blocks;
mod in_other_ways;
mod left;
mod many;
mod of_blocks;
mod skipped;

use std::cell::RefCell;
use std::marker::PhantomData;
use std::pin::Pin;

use chain::log::{NotesDrop, note, taken};
use chain::poll::{block_on, drive, suspend};
use chain_runtime::observe::{Recorder, Recording};
use chain_runtime::{Toggles, chain, node};

/// An event: neither `Clone` nor `Default`, so it is moved or not there.
struct Event(&'static str);
struct Line(&'static str);

#[derive(Default)]
struct Queue(RefCell<Vec<Event>>);

impl Queue {
    fn names(&self) -> Vec<&'static str> {
        self.0.borrow().iter().map(|event| event.0).collect()
    }
}

#[node]
fn read(line: &Line) -> Event {
    Event(line.0)
}

#[node]
fn push(event: Event, queue: &Queue) -> usize {
    queue.0.borrow_mut().push(event);
    queue.0.borrow().len()
}

#[node]
async fn push_later(event: Event, queue: &Queue) -> usize {
    suspend(1).await;
    push(event, queue)
}

#[node]
fn nothing() {}

mod by_itself {
    use super::*;

    chain! {
        struct Ingest { queue: Queue }

        fn(line: Line) -> usize {
            read => push
        }
    }

    #[test]
    fn a_later_node_takes_what_an_earlier_one_provided() {
        let ingest = Ingest { queue: Queue::default() };
        assert_eq!((ingest.run(Line("a")), ingest.run(Line("b"))), (1, 2));
        assert_eq!(ingest.queue.names(), ["a", "b"]);
    }

    #[test]
    fn the_drawings_say_who_takes_what() {
        let drawing = Ingest::drawing();
        assert_eq!(
            drawing.to_string(),
            "Ingest (line: Line)\n   => read  needs &Line  provides Event\n   => push  needs &Queue  takes Event of read  provides usize\n   -> usize"
        );
        let chart = drawing.mermaid().to_string();
        assert!(chart.contains("n0 -. \"takes Event\" .-> n1"), "{chart}");
    }
}

/// One in a row takes what the one before it provided; each gives it on in a type of its own.
mod in_a_row {
    use super::*;

    struct Counted(Event, usize);
    struct Scanned(Counted);

    #[node]
    fn count(event: Event) -> Counted {
        let length = event.0.len();
        Counted(event, length)
    }
    #[node]
    fn look(counted: &mut Counted) {
        counted.1 += 1;
    }
    #[node]
    async fn scan(counted: Counted) -> Result<Scanned, String> {
        suspend(1).await;
        if counted.0.0 == "virus" { Err("refused".to_owned()) } else { Ok(Scanned(counted)) }
    }
    #[node]
    fn give(scanned: Scanned) -> String {
        format!("{} of {}", scanned.0.0.0, scanned.0.1)
    }

    chain! {
        struct Row;

        async fn(line: Line) -> String {
            read => count => look => scan => give
        }
    }

    #[test]
    fn a_value_goes_through_several_nodes_that_take_it() {
        assert_eq!(block_on(Row.run(Line("four"))), "four of 5");
        assert_eq!(block_on(Row.run(Line("virus"))), "refused");
    }
}

/// References are found by what they refer to, and are lent: there is nothing to take.
mod borrowed {
    use super::*;

    struct Token<'r>(&'r str);
    #[node]
    fn token<'r>(line: &'r Line) -> Token<'r> {
        Token(line.0)
    }
    #[node]
    fn length(token: Token<'_>) -> usize {
        token.0.len()
    }

    chain! {
        struct Borrows;
        async fn<'r>(line: &'r Line) -> usize { token => length }
    }

    #[test]
    fn what_borrows_from_an_input_is_taken_as_well() {
        assert_eq!(block_on(Borrows.run(&Line("four"))), 4);
    }
}

/// Who takes a `T` and returns a `T` can be the last: then it is the reply.
mod given_as_the_reply {
    use super::*;

    #[node]
    fn shout(line: Line) -> Line {
        Line(if line.0.is_empty() { "?" } else { "!" })
    }

    chain! {
        struct Back;
        fn(line: Line) -> Line { nothing => shout }
    }

    #[test]
    fn what_is_taken_may_be_of_the_replys_type() {
        assert_eq!(Back.run(Line("a")).0, "!");
    }
}
