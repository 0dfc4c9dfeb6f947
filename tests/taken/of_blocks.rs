//! What a block provides can be taken, like what a node provides.

use chain::poll::dropped_at_every_poll;

use super::*;

struct Opened(&'static str);

impl Drop for Opened {
    fn drop(&mut self) {
        note(format!("drop {}", self.0));
    }
}

#[node]
fn has_key(line: &Line) -> bool {
    line.0.starts_with("key")
}

#[node]
async fn by_key() -> Opened {
    suspend(1).await;
    Opened("by key")
}

#[node]
async fn by_force(line: &Line) -> Result<Opened, usize> {
    suspend(1).await;
    if line.0 == "weak" { Err(0) } else { Ok(Opened("by force")) }
}

#[node]
async fn keep(opened: Opened) -> usize {
    suspend(1).await;
    note("kept");
    assert!(!opened.0.ends_with("panics"));
    opened.0.len()
}

#[node]
async fn end(length: &usize) -> usize {
    suspend(1).await;
    *length
}

/// A way out, so that the chain has a scope, and the block puts its replies aside.
struct Logs;

#[node]
impl Logs {
    fn enter(&self) {}
    fn exit(&self) {
        note("left");
    }
}

chain! {
    struct Told;
    async fn(line: Line) -> usize {
        if has_key { by_key } else { by_force } -> Opened => keep => end
    }
}
chain! {
    struct Scoped { logs: Logs }
    async fn(line: Line) -> usize {
        logs => if has_key { logs => by_key } else { by_force } -> Opened => keep => end
    }
}

#[test]
fn a_later_node_takes_what_a_block_provided() {
    for (line, length, said) in [("key", 6, "drop by key"), ("strong", 8, "drop by force")] {
        assert_eq!(block_on(Told.run(Line(line))), length);
        assert_eq!(taken(), ["kept", said]);
        assert_eq!(block_on(Scoped { logs: Logs }.run(Line(line))), length);
        let inner = (line == "key").then_some("left");
        assert_eq!(taken(), inner.into_iter().chain(["kept", said, "left"]).collect::<Vec<_>>());
    }
    assert_eq!(block_on(Told.run(Line("weak"))), 0);
    assert_eq!(taken(), [] as [&str; 0]);
    assert_eq!(block_on(Scoped { logs: Logs }.run(Line("weak"))), 0);
    assert_eq!(taken(), ["left"]);
}

#[test]
fn whoever_has_it_drops_it_when_the_run_is_dropped() {
    let expected = |polls: usize| match polls {
        0 | 1 => vec![],
        2 => vec!["drop by force"],
        3 | 4 => vec!["kept", "drop by force"],
        _ => unreachable!(),
    };
    let dropped = dropped_at_every_poll(|polls| {
        let driven = drive(Told.run(Line("strong")), polls);
        assert_eq!(taken(), expected(polls), "after {polls} polls");
        driven
    });
    assert_eq!(dropped, 4);
    dropped_at_every_poll(|polls| {
        let driven = drive(Scoped { logs: Logs }.run(Line("strong")), polls);
        let mut log = taken();
        if matches!(driven, chain::poll::Driven::Ready(_)) {
            assert_eq!(log.pop().as_deref(), Some("left"));
        }
        assert_eq!(log, expected(polls), "after {polls} polls");
        driven
    });
}

#[test]
fn the_drawings_say_who_takes_it() {
    for drawing in [Told::drawing().to_string(), Scoped::drawing().to_string()] {
        assert!(drawing.contains("takes Opened of "), "{drawing}");
    }
}

/// In an arm, in a block that runs again, and by a node that hands it on.
mod in_blocks {
    use super::*;

    pub(super) struct Wrapped(Opened);

    #[node]
    pub(super) fn wrap(opened: Opened) -> Wrapped {
        Wrapped(opened)
    }
    #[node]
    fn look(opened: &mut Opened) -> usize {
        opened.0 = "looked at";
        opened.0.len()
    }
    #[node]
    pub(super) fn give(wrapped: Wrapped) -> usize {
        wrapped.0.0.len()
    }

    chain! {
        struct Arms;
        async fn(line: Line) -> usize {
            { by_key } -> Opened => if has_key { look } else { wrap => give }
        }
    }
    chain! {
        struct Inner { logs: Logs }
        async fn(line: Line) -> usize {
            logs => { { by_force } -> Opened => wrap } -> Wrapped => give
        }
    }

    #[test]
    fn one_arm_takes_it_and_the_other_is_lent_it() {
        assert_eq!(block_on(Arms.run(Line("key"))), 9);
        assert_eq!(taken(), ["drop looked at"]);
        assert_eq!(block_on(Arms.run(Line("none"))), 6);
        assert_eq!(taken(), ["drop by key"]);
    }

    #[test]
    fn a_block_gives_on_what_the_block_in_it_provided() {
        assert_eq!(block_on(Inner { logs: Logs }.run(Line("strong"))), 8);
        assert_eq!(taken(), ["drop by force", "left"]);
    }
}

/// The type of the value depends on a parameter of the chain.
mod generic {
    use super::*;

    struct Of<T>(T);

    #[node]
    fn of<T: Clone>(values: &Vec<T>) -> Of<T> {
        Of(values[0].clone())
    }
    #[node]
    fn out<T>(of: Of<T>) -> T {
        of.0
    }

    chain! {
        struct Generic<T: Clone + 'static> { values: Vec<T> }
        fn() -> T { { of::<T> } -> Of<T> => out::<T> }
    }

    #[test]
    fn a_chain_with_parameters_takes_it_as_well() {
        assert_eq!(Generic { values: vec!["a".to_owned()] }.run(), "a");
    }
}

/// What a block in a block that runs again provides is there anew each time.
mod again {
    use super::in_blocks::{Wrapped, give, wrap};
    use super::*;

    struct Tries(std::cell::Cell<u32>);

    #[node]
    impl Tries {
        async fn around<B: Future>(&self, block: Pin<&mut B>) -> B::Output {
            block.await
        }
        fn again(&self, _attempt: u32, _length: &usize) -> bool {
            self.0.replace(self.0.get() + 1) < 2
        }
    }

    chain! {
        struct Again { tries: Tries }
        async fn(line: Line) -> usize {
            tries { { { by_force } -> Opened => wrap } -> Wrapped => give }
        }
    }

    #[test]
    fn a_block_that_runs_again_takes_what_a_block_in_it_provides() {
        assert_eq!(block_on(Again { tries: Tries(0.into()) }.run(Line("strong"))), 8);
        assert_eq!(taken(), ["drop by force"; 3]);
    }
}
