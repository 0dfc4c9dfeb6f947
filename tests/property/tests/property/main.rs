//! Chains against a plain interpreter.
//!
//! The chains exist at compile time: [`flat`] declares them in a row, of different lengths, from nodes of every shape;
//! [`nested`] puts blocks, branches, around nodes and attributes into one another; [`long`] makes them so long that
//! they are cut into pieces. A [`Script`] says at run time what the nodes do in one run (suspend, break, panic, decide,
//! abandon a block, ask for it again), and after which poll the future is dropped. [`Interpreter`] reads the same
//! script over the same tree of items, and predicts what happens: every call of a hook, every drop of a value, every
//! call of the observer, and the reply.

mod flat;
mod interpreter;
mod long;
mod nested;
mod nodes;
mod script;
mod stretches;

use std::sync::LazyLock;

use chain::live::live;
use chain::poll::{Driven, dropped_at_every_poll};
use chain_runtime::observe::{Event, Recording};
use chain_runtime::shed::{Level, Override};
use proptest::prelude::*;
use proptest::sample::Index;

use interpreter::{Foretold, Interpreter, Item};
use script::{Happened, LONGEST, Outcome, Part, Reply, Script, name};

/// One chain of the family.
struct Member {
    name: &'static str,
    items: Vec<Item>,
    observed: bool,
    run: fn(&Script, usize) -> Driven<Reply>,
}

static FAMILY: LazyLock<Vec<Member>> =
    LazyLock::new(|| flat::family().into_iter().chain(nested::family()).chain(long::family()).collect());

/// Runs the member for real.
fn observe(member: &Member, script: &Script, polls: usize) -> (Vec<Happened>, Vec<Event>, Outcome) {
    script::taken();
    stretches::taken();
    let recording = Recording::start();
    let outcome = match (member.run)(script, polls) {
        Driven::Ready(reply) => Outcome::Replied(reply),
        Driven::Dropped => Outcome::Dropped,
        Driven::Panicked(payload) => Outcome::Panicked(payload.downcast_ref::<&'static str>().expect("one of ours")),
    };
    (script::taken(), recording.events(), outcome)
}

/// The interpreter and the chain agree, and the chain keeps its promises.
fn check(member: &Member, script: &Script, polls: usize) -> Result<(Outcome, Foretold), TestCaseError> {
    let foretold = Interpreter::foretell(member.name, &member.items, script, polls);
    let (happened, mut told, outcome) = observe(member, script, polls);
    if let (spent, Some(seen)) = stretches::taken() {
        prop_assert_eq!(seen, spent, "whose each moment of {} was", member.name);
    }
    prop_assert_eq!(&happened, &foretold.happened, "hooks and drops of {}", member.name);
    prop_assert_eq!(&outcome, &foretold.outcome, "outcome of {}", member.name);
    prop_assert_eq!(live(), 0, "values of {} that leaked", member.name);
    left_exactly_once(member, &happened)?;
    if !member.observed {
        prop_assert!(told.is_empty(), "an observer where there is none");
        return Ok((outcome, foretold));
    }
    if let Some((by, is_cut_short)) = foretold.ending {
        let Some(Event::End(Some(ending))) = told.pop() else { panic!("a reply without an ending: {told:?}") };
        prop_assert_eq!(ending.is_cut_short(), is_cut_short);
        prop_assert_eq!(ending.by().name, name(by));
    }
    prop_assert_eq!(&told, &foretold.told, "what the observer of {} was told", member.name);
    answered_exactly_once(&told)?;
    Ok((outcome, foretold))
}

/// Of a node that was entered, exactly one of `exit` and `cancelled` ran to its end: said from what happened alone, without
/// the interpreter. The last node of a row, whose value is the reply or nothing, has no `cancelled`.
fn left_exactly_once(member: &Member, happened: &[Happened]) -> Result<(), TestCaseError> {
    let mut held = Vec::new();
    Item::each_held(&member.items, &mut |at, shape| held.push((at, shape)));
    for (at, shape) in held {
        let count = |what| happened.iter().filter(|happened| **happened == what).count();
        if shape.provides && shape.exits && shape.cancels {
            // A value was made exactly where the node was entered.
            let ways_out = count(Happened::Exited(at)) + count(Happened::Cancelled(at));
            prop_assert_eq!(ways_out, count(Happened::Dropped(at)), "the ways out of {}", name(at));
        }
    }
    Ok(())
}

/// Each `enter` is answered by exactly one of `broke`, `left`, `cancelled` and `panicked`, the last one first; and the stretches of nodes
/// neither overlap nor stay open.
fn answered_exactly_once(told: &[Event]) -> Result<(), TestCaseError> {
    let mut open = Vec::new();
    let mut suspended = Vec::new();
    // The stretch that is open, by the recipe of `observe`.
    let mut stretch = None;
    for event in told {
        match *event {
            Event::Enter(name) | Event::Leave(name) | Event::Resume(name, _) => {
                prop_assert_eq!(stretch.replace(name), None);
            }
            Event::Entered(name) | Event::Broke(name) | Event::Suspend(name, _) | Event::Panicked(name, _) => {
                prop_assert_eq!(stretch.take(), Some(name))
            }
            // Of a node around a block, no way out begins.
            Event::Left(name) => prop_assert_eq!(stretch.take(), Some(name)),
            Event::Cancelled(_) => prop_assert_eq!(stretch, None),
            Event::Begin(_) | Event::Shed(_) | Event::End(_) => {}
        }
        match *event {
            Event::Enter(name) => open.push(name),
            Event::Broke(name) | Event::Left(name) | Event::Cancelled(name) | Event::Panicked(name, _) => {
                prop_assert_eq!(open.pop(), Some(name));
                suspended.retain(|(suspended, _)| *suspended != name);
            }
            Event::Suspend(name, way) => suspended.push((name, way)),
            Event::Resume(name, way) => prop_assert_eq!(suspended.pop(), Some((name, way))),
            _ => {}
        }
    }
    prop_assert!(open.is_empty(), "entered and never answered: {:?}", open);
    Ok(())
}

fn part() -> impl Strategy<Value = Part> {
    let rarely = |times: f64| prop::bool::weighted(times);
    let waits = (0..3usize, 0..3usize);
    let ends = (rarely(0.12), rarely(0.05), rarely(0.08), rarely(0.15), rarely(0.04), rarely(0.04), rarely(0.15));
    let decides = (0..3usize, rarely(0.7), prop::option::weighted(0.3, 0..5usize), 1..4u32);
    let level = prop::sample::select(Level::ALL.to_vec());
    let moved = prop_oneof![
        4 => Just(Override::AsDeclared),
        1 => Just(Override::Never),
        2 => level.clone().prop_map(Override::From),
    ];
    (waits, ends, decides, level, moved).prop_map(|(waits, ends, decides, level, moved)| Part {
        suspends_in: waits.0,
        suspends_out: waits.1,
        breaks: ends.0,
        panics_in: ends.1,
        panics_out: ends.2,
        panics_cancelled: ends.3,
        panics_around: ends.4,
        panics_dropped: ends.5,
        panics_replying: ends.6,
        decision: decides.0,
        is_on: decides.1,
        level,
        moved,
        abandons_after: decides.2,
        runs: decides.3,
    })
}

fn script() -> impl Strategy<Value = Script> {
    prop::array::uniform16(part()).prop_map(Script)
}

/// After how many polls the future is dropped: half of the runs are left alone.
fn polls() -> impl Strategy<Value = usize> {
    prop_oneof![Just(usize::MAX), 0..24usize]
}

proptest! {
    #![proptest_config(chain_property::cases(30_000))]

    #[test]
    fn a_chain_does_what_the_interpreter_foretells(member in any::<Index>(), script in script(), polls in polls()) {
        check(member.get(&FAMILY), &script, polls)?;
    }
}

/// The scripts that decide in every way that there is, and otherwise do as `part` says.
fn in_every_way(member: &Member, part: Part) -> impl Iterator<Item = Script> {
    let ways = if Item::decides(&member.items) { 3 } else { 1 };
    let decisions =
        (0..ways).flat_map(move |decision| [false, true].map(|is_on| (decision, is_on)).into_iter().take(ways));
    decisions.map(move |(decision, is_on)| {
        let moved = if is_on { Override::AsDeclared } else { Override::From(Level::Calm) };
        Script([Part { decision, is_on, moved, ..part }; LONGEST])
    })
}

/// Not at random: every chain, every node of it suspended on both ways, dropped at every poll.
#[test]
fn every_chain_can_be_dropped_at_every_poll() {
    let part = Part { suspends_in: 2, suspends_out: 2, runs: 2, ..Part::default() };
    let mut dropped = 0;
    for member in FAMILY.iter() {
        for script in in_every_way(member, part) {
            let polls = dropped_at_every_poll(|polls| driven(member, &script, polls));
            assert!(polls >= 1, "{}", member.name);
            dropped += polls;
        }
    }
    assert!(dropped > 1500, "{dropped}");
}

/// Not at random: every node of every chain panics, on each way; every node of every chain breaks; each `cancelled`
/// panics; every around node panics itself and abandons its block after every poll; all that, dropped at every poll.
#[test]
fn every_node_of_every_chain_can_panic_anywhere() {
    let part = Part { suspends_in: 1, suspends_out: 1, runs: 2, ..Part::default() };
    let changes: [fn(&mut Part); 11] = [
        |part| part.panics_in = true,
        |part| part.panics_out = true,
        |part| part.breaks = true,
        |part| part.panics_cancelled = true,
        |part| part.panics_around = true,
        |part| part.panics_dropped = true,
        |part| (part.breaks, part.panics_replying) = (true, true),
        |part| part.abandons_after = Some(0),
        |part| part.abandons_after = Some(1),
        |part| part.abandons_after = Some(3),
        |part| part.abandons_after = Some(6),
    ];
    let mut panicked = 0;
    for member in FAMILY.iter() {
        let count = Item::count(&member.items);
        for at in 0..count.min(LONGEST) {
            for change in changes {
                for mut script in in_every_way(member, part) {
                    change(&mut script.0[at]);
                    let mut run = |polls| {
                        let driven = driven(member, &script, polls);
                        panicked += usize::from(driven.is_panicked());
                        driven
                    };
                    if count > LONGEST {
                        // It takes long: dropped at every poll where nothing panics, and at random where something does.
                        run(usize::MAX);
                    } else {
                        dropped_at_every_poll(run);
                    }
                }
            }
        }
    }
    assert!(panicked > 1000, "{panicked}");
}

/// [`check`], as [`dropped_at_every_poll`] wants it.
fn driven(member: &Member, script: &Script, polls: usize) -> Driven<Reply> {
    match check(member, script, polls).unwrap_or_else(|error| panic!("{script:?} {polls}: {error}")) {
        (Outcome::Replied(reply), _) => Driven::Ready(reply),
        // A `cancelled` that panics when it is dropped does so at this poll; the next one is still to come.
        (_, Foretold { is_dropped: true, .. }) | (Outcome::Dropped, _) => Driven::Dropped,
        (Outcome::Panicked(what), _) => Driven::Panicked(Box::new(what)),
    }
}
