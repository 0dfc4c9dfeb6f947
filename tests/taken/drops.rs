//! Who drops what, and when, against a model: a run that is dropped at each of its awaits, that breaks, that replies.

use chain::log::{note, taken};
use chain::poll::{Driven, drive, dropped_at_every_poll, suspend};
use chain_runtime::{chain, node};

/// A value that says when it is dropped.
struct Value<const NAME: char>;

impl<const NAME: char> Drop for Value<NAME> {
    fn drop(&mut self) {
        note(format!("drop {NAME}"));
    }
}

/// What was taken, in a type of its own: given on.
struct Wrapped<const NAME: char>(#[allow(dead_code, reason = "it is dropped")] Value<NAME>);

#[node]
async fn provide<const NAME: char>() -> Value<NAME> {
    suspend(1).await;
    Value
}

/// Has it while it waits, and then lets go of it.
#[node]
async fn let_go<const NAME: char>(value: Value<NAME>) {
    suspend(1).await;
    drop(value);
    note("let go");
}

/// Has it while it waits, and then gives it on.
#[node]
async fn wrap<const NAME: char>(value: Value<NAME>) -> Wrapped<NAME> {
    suspend(1).await;
    Wrapped(value)
}

#[node]
async fn lend<const NAME: char>(_value: &Value<NAME>) {
    suspend(1).await;
}

/// Takes what was wrapped, and breaks.
#[node]
async fn refuse<const NAME: char>(_wrapped: Wrapped<NAME>) -> Result<(), ()> {
    suspend(1).await;
    note("refused");
    Err(())
}

#[node]
async fn end() {
    suspend(1).await;
    note("end");
}

/// What a node of a chain does, for the model.
#[derive(Clone, Copy)]
enum Does {
    Provide(char),
    LetGo(char),
    Wrap(char),
    Lend,
    Refuse(char),
    End,
}

/// What is logged by a run of these nodes that is dropped at the await of the node at this position, or not at all.
fn expected(nodes: &[Does], dropped_at: Option<usize>) -> Vec<String> {
    let mut lines = Vec::new();
    // What the run holds, oldest first.
    let mut held: Vec<char> = Vec::new();
    for (at, does) in nodes.iter().enumerate() {
        let takes = match does {
            Does::LetGo(name) | Does::Wrap(name) | Does::Refuse(name) => Some(*name),
            _ => None,
        };
        held.retain(|name| Some(*name) != takes);
        if dropped_at == Some(at) {
            // The node's own future goes first, with what it took.
            lines.extend(takes.map(|name| format!("drop {name}")));
            break;
        }
        match does {
            Does::Provide(name) | Does::Wrap(name) => held.push(*name),
            Does::LetGo(name) => lines.extend([format!("drop {name}"), "let go".to_owned()]),
            Does::Refuse(name) => {
                lines.extend(["refused".to_owned(), format!("drop {name}")]);
                break;
            }
            Does::End => lines.push("end".to_owned()),
            Does::Lend => {}
        }
    }
    lines.extend(held.iter().rev().map(|name| format!("drop {name}")));
    lines
}

macro_rules! against_the_model {
    ($($test:ident: $chain:ident of [$($does:expr),*];)*) => {
        $(
            #[test]
            fn $test() {
                let nodes = [$($does),*];
                // A node that breaks is the last that runs.
                let run = nodes.iter().position(|does| matches!(does, Refuse(_))).map_or(nodes.len(), |at| at + 1);
                let dropped = dropped_at_every_poll(|polls| {
                    let _ = taken();
                    let driven = drive($chain.run(), polls);
                    let dropped_at = match (&driven, polls.checked_sub(1)) {
                        (Driven::Dropped, None) => {
                            assert_eq!(taken(), [] as [&str; 0], "nothing has begun");
                            return driven;
                        }
                        (Driven::Dropped, at) => at,
                        _ => None,
                    };
                    assert_eq!(taken(), expected(&nodes, dropped_at), "after {polls} polls");
                    driven
                });
                assert_eq!(dropped, run + 1, "before the first poll, and at each await");
            }
        )*
    };
}
use Does::*;

chain! {
    struct LetsGo;
    async fn() -> () {
        provide::<'a'> => provide::<'b'> => provide::<'c'> => let_go::<'b'> => provide::<'d'> => lend::<'c'> => end
    }
}
chain! {
    struct Wraps;
    async fn() -> () {
        provide::<'a'> => provide::<'b'> => wrap::<'a'> => provide::<'c'> => wrap::<'c'> => lend::<'b'> => let_go::<'b'> => end
    }
}
chain! {
    struct Refuses;
    async fn() -> () {
        provide::<'a'> => provide::<'b'> => provide::<'c'> => lend::<'a'> => wrap::<'b'> => wrap::<'a'> => refuse::<'b'> => end
    }
}
chain! {
    struct TakesAll;
    async fn() -> () {
        provide::<'a'> => provide::<'b'> => let_go::<'a'> => wrap::<'b'> => refuse::<'b'> => end
    }
}

against_the_model! {
    one_that_lets_go: LetsGo of [Provide('a'), Provide('b'), Provide('c'), LetGo('b'), Provide('d'), Lend, End];
    two_that_give_it_on: Wraps of
        [Provide('a'), Provide('b'), Wrap('a'), Provide('c'), Wrap('c'), Lend, LetGo('b'), End];
    one_that_takes_it_and_breaks: Refuses of
        [Provide('a'), Provide('b'), Provide('c'), Lend, Wrap('b'), Wrap('a'), Refuse('b'), End];
    all_is_taken: TakesAll of [Provide('a'), Provide('b'), LetGo('a'), Wrap('b'), Refuse('b'), End];
}
