//! Many in a row: lent in chunks, and on pages, and cut into parts.

use super::*;

#[node]
fn length(event: &Event) -> Length {
    Length(event.0.len())
}
struct Length(usize);
#[node]
fn answer(length: Length, queue: &Queue) -> usize {
    length.0 + queue.0.borrow().len()
}
#[node]
fn pushed(event: Event, queue: &Queue) {
    push(event, queue);
}

chain! {
    struct Nine { queue: Queue }

    async fn(line: Line) -> usize {
        nothing => read => nothing => nothing => length => nothing => nothing => nothing => pushed => answer
    }
}

chain! {
    struct Long { queue: Queue }

    async fn(line: Line) -> usize {
        nothing => read => nothing => length =>
        nothing => nothing => nothing => nothing => nothing => nothing => nothing => nothing => nothing =>
        nothing => nothing => nothing => nothing => nothing => nothing => nothing => nothing => nothing =>
        nothing => nothing => nothing => nothing => nothing => nothing => nothing => nothing => nothing =>
        nothing => nothing => nothing => nothing => nothing => nothing => nothing => nothing => nothing =>
        nothing => nothing => nothing => nothing => nothing => nothing => nothing => nothing => nothing =>
        nothing => nothing => nothing => nothing => nothing => nothing => nothing => nothing => nothing =>
        nothing => nothing => nothing => nothing => nothing => nothing => nothing => nothing => nothing =>
        nothing => nothing => nothing => nothing => nothing => nothing => nothing => nothing => nothing =>
        nothing => nothing => nothing => nothing => nothing => nothing => nothing => nothing => nothing =>
        nothing => nothing => nothing => nothing => nothing => nothing => nothing => nothing => nothing =>
        nothing => nothing => nothing => nothing => nothing => nothing => nothing => nothing => nothing =>
        nothing => nothing => nothing => nothing => nothing => nothing => nothing => nothing => nothing =>
        nothing => nothing => nothing => nothing => nothing => nothing => nothing => nothing => nothing =>
        nothing => nothing => nothing => nothing => nothing => nothing => nothing => nothing => nothing =>
        pushed => answer
    }
}

#[test]
fn however_long_the_row_is() {
    let nine = Nine { queue: Queue::default() };
    assert_eq!(block_on(nine.run(Line("nine"))), 5);
    let long = Long { queue: Queue::default() };
    assert_eq!(block_on(long.run(Line("longer"))), 7);
    assert!(Long::NODES.len() > 128, "a long row has pages: {}", Long::NODES.len());
}
