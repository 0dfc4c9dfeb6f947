//! In arms, in blocks, in blocks that run again.

use super::*;

struct Other(Event);
enum Kind {
    Push,
    Moved(Other),
    Drop,
}
#[node]
fn kind(event: &Event) -> Kind {
    match event.0 {
        "push" => Kind::Push,
        "moved" => Kind::Moved(Other(Event("bound"))),
        _ => Kind::Drop,
    }
}
#[node]
fn let_go(_event: Event) -> usize {
    0
}
#[node]
fn push_other(other: Other, queue: &Queue) -> usize {
    push(other.0, queue)
}

chain! {
    struct Arms { queue: Queue }

    async fn(line: Line) -> usize {
        read => match kind {
            Kind::Push => push_later,
            Kind::Moved(other: Other) => nothing => push_other,
            Kind::Drop => let_go,
        }
    }
}

#[test]
fn each_arm_may_take_it_and_what_its_pattern_binds() {
    let arms = Arms { queue: Queue::default() };
    let runs = ["push", "moved", "else"].map(|line| block_on(arms.run(Line(line))));
    assert_eq!(runs, [1, 2, 0]);
    assert_eq!(arms.queue.names(), ["push", "bound"]);
}

/// Runs its block until there are three events.
struct Tries;
#[node]
impl Tries {
    async fn around<B: Future>(&self, block: Pin<&mut B>) -> B::Output {
        block.await
    }
    fn again(&self, _attempt: u32, count: &usize) -> bool {
        *count < 3
    }
}
struct Wraps;
#[node]
impl Wraps {
    async fn around<B: Future>(&self, block: Pin<&mut B>) -> B::Output {
        block.await
    }
}

chain! {
    struct Again { queue: Queue, tries: Tries }

    async fn(line: Line) -> usize {
        tries { read => push_later }
    }
}

#[test]
fn a_block_that_runs_again_takes_what_it_provides_anew() {
    let again = Again { queue: Queue::default(), tries: Tries };
    assert_eq!(block_on(again.run(Line("again"))), 3);
    assert_eq!(again.queue.names(), ["again"; 3]);
}

chain! {
    struct Wrapped { queue: Queue, wraps: Wraps }

    async fn(line: Line) -> usize {
        read => nothing => wraps { nothing => { nothing => push_later } }
    }
}

#[test]
fn a_block_takes_what_was_provided_around_it() {
    let wrapped = Wrapped { queue: Queue::default(), wraps: Wraps };
    assert_eq!(block_on(wrapped.run(Line("inside"))), 1);
}
