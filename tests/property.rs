//! Chains against a plain interpreter.
//!
//! The chains exist at compile time: `family!` declares them, of different lengths, from nodes of every shape. What their
//! nodes do in one run (suspend, break, panic, on the way in and on the way out), a [`Script`] says at run time, together with
//! the poll after which the future is dropped. [`Interpreter`] reads the same script over the same list of shapes, in
//! a loop and a stack, and foretells what happens: every call of a hook, every drop of a value, every word to the observer, and the reply.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use chain::live::{Live, live};
use chain::poll::{Driven, drive, dropped_at_every_poll, panic_silently, suspend};
use chain_runtime::observe::{Event, Recorder, Recording, Way};
use chain_runtime::{Ending, IntoReply, chain, node};
use proptest::prelude::*;
use proptest::sample::Index;

/// The longest chain of the family.
const LONGEST: usize = 8;

/// What one node does in one run.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    suspends_in: usize,
    suspends_out: usize,
    breaks: bool,
    panics_in: bool,
    panics_out: bool,
    panics_cancelled: bool,
}

/// What every node does in one run. It is a field of the chains, so that `cancelled` can read it too.
#[derive(Clone, Copy, Debug, Default)]
struct Script([Part; LONGEST]);

/// What happened, apart from what the observer was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Happened {
    Enter(usize),
    /// With who gave the reply, and whether by a break.
    Exit(usize, usize, bool),
    Exited(usize),
    Cancelled(usize),
    Dropped(usize),
}
use Happened::{Cancelled, Dropped, Enter, Exit, Exited};

thread_local! {
    static LOG: RefCell<Vec<Happened>> = const { RefCell::new(Vec::new()) };
}

fn note(happened: Happened) {
    LOG.with_borrow_mut(|log| log.push(happened));
}

/// What the node at `AT` provides.
struct Value<const AT: usize>(#[allow(dead_code, reason = "it is counted")] Live);

impl<const AT: usize> Drop for Value<AT> {
    fn drop(&mut self) {
        note(Dropped(AT));
    }
}

/// Who gave the reply, how, and who saw it on its way out.
#[derive(Debug, Default, PartialEq, Eq)]
struct Reply {
    cut_short_by: Option<usize>,
    given: Option<usize>,
    seen_by: Vec<usize>,
}

struct Cut(usize);

impl IntoReply<Reply> for Cut {
    fn into_reply(self) -> Reply {
        Reply { cut_short_by: Some(self.0), ..Reply::default() }
    }
}

impl<const AT: usize> IntoReply<Reply> for Value<AT> {
    fn into_reply(self) -> Reply {
        Reply { given: Some(AT), ..Reply::default() }
    }
}

impl IntoReply<Reply> for () {
    fn into_reply(self) -> Reply {
        Reply::default()
    }
}

fn come_in<const AT: usize>(script: &Script) {
    if script.0[AT].panics_in {
        panic_silently("in");
    }
}

fn go_on<const AT: usize>(script: &Script) -> Result<(), Cut> {
    come_in::<AT>(script);
    if script.0[AT].breaks { Err(Cut(AT)) } else { Ok(()) }
}

fn begin_exit<const AT: usize>(ending: &Ending) {
    note(Exit(AT, ending.by().position, ending.is_cut_short()));
}

fn end_exit<const AT: usize>(script: &Script, reply: &mut Reply) {
    if script.0[AT].panics_out {
        panic_silently("out");
    }
    reply.seen_by.push(AT);
    note(Exited(AT));
}

fn cancel<const AT: usize>(script: &Script) {
    note(Cancelled(AT));
    // A second panic while one is under way aborts the process, in Rust at large.
    if script.0[AT].panics_cancelled && !std::thread::panicking() {
        panic_silently("cancelled");
    }
}

// The shapes of node. Each is generic over its position, so that each provides a type of its own.

/// A plain function's shape: provides, no hook.
struct Plain<const AT: usize>;
#[node]
impl<const AT: usize> Plain<AT> {
    fn enter(&self, script: &Script) -> Value<AT> {
        note(Enter(AT));
        come_in::<AT>(script);
        Value(Live::new())
    }
}

/// An async function's shape: suspends, breaks or provides, no hook.
struct Waits<const AT: usize>;
#[node]
impl<const AT: usize> Waits<AT> {
    async fn enter(&self, script: &Script) -> Result<Value<AT>, Cut> {
        note(Enter(AT));
        suspend(script.0[AT].suspends_in).await;
        go_on::<AT>(script)?;
        Ok(Value(Live::new()))
    }
}

/// Breaks, and provides nothing.
struct Gate<const AT: usize>;
#[node]
impl<const AT: usize> Gate<AT> {
    fn enter(&self, script: &Script) -> Result<(), Cut> {
        note(Enter(AT));
        go_on::<AT>(script)
    }
}

/// All hooks, none of which suspends.
struct Hooks<const AT: usize>;
#[node]
impl<const AT: usize> Hooks<AT> {
    fn enter(&self, script: &Script) -> Result<Value<AT>, Cut> {
        note(Enter(AT));
        go_on::<AT>(script)?;
        Ok(Value(Live::new()))
    }
    fn exit(&self, script: &Script, ending: &Ending, reply: &mut Reply) {
        begin_exit::<AT>(ending);
        end_exit::<AT>(script, reply);
    }
    fn cancelled(&self, _value: &Value<AT>, script: &Script) {
        cancel::<AT>(script);
    }
}

/// All hooks, all of which suspend that can.
struct Slow<const AT: usize>;
#[node]
impl<const AT: usize> Slow<AT> {
    async fn enter(&self, script: &Script) -> Result<Value<AT>, Cut> {
        note(Enter(AT));
        suspend(script.0[AT].suspends_in).await;
        go_on::<AT>(script)?;
        Ok(Value(Live::new()))
    }
    async fn exit(&self, script: &Script, ending: &Ending, reply: &mut Reply) {
        begin_exit::<AT>(ending);
        suspend(script.0[AT].suspends_out).await;
        end_exit::<AT>(script, reply);
    }
    fn cancelled(&self, _value: &mut Value<AT>, script: &Script) {
        cancel::<AT>(script);
    }
}

/// Nothing but a way out.
struct Out<const AT: usize>;
#[node]
impl<const AT: usize> Out<AT> {
    async fn exit(&self, script: &Script, ending: &Ending, reply: &mut Reply) {
        begin_exit::<AT>(ending);
        suspend(script.0[AT].suspends_out).await;
        end_exit::<AT>(script, reply);
    }
}

/// Nothing but `cancelled`.
struct Dies<const AT: usize>;
#[node]
impl<const AT: usize> Dies<AT> {
    fn cancelled(&self, script: &Script) {
        cancel::<AT>(script);
    }
}

/// A way in that suspends, a way out that does not, no `cancelled`.
struct Mixed<const AT: usize>;
#[node]
impl<const AT: usize> Mixed<AT> {
    async fn enter(&self, script: &Script) -> Value<AT> {
        note(Enter(AT));
        suspend(script.0[AT].suspends_in).await;
        come_in::<AT>(script);
        Value(Live::new())
    }
    fn exit(&self, script: &Script, ending: &Ending, reply: &mut Reply) {
        begin_exit::<AT>(ending);
        end_exit::<AT>(script, reply);
    }
}

/// `ControlFlow` in place of `Result`; no way out.
struct Flow<const AT: usize>;
#[node]
impl<const AT: usize> Flow<AT> {
    fn enter(&self, script: &Script) -> ControlFlow<Cut, Value<AT>> {
        note(Enter(AT));
        match go_on::<AT>(script) {
            Ok(()) => ControlFlow::Continue(Value(Live::new())),
            Err(cut) => ControlFlow::Break(cut),
        }
    }
    fn cancelled(&self, _value: &Value<AT>, script: &Script) {
        cancel::<AT>(script);
    }
}

/// A way in that does not suspend, a way out that does; provides nothing.
struct Late<const AT: usize>;
#[node]
impl<const AT: usize> Late<AT> {
    fn enter(&self, script: &Script) -> Result<(), Cut> {
        note(Enter(AT));
        go_on::<AT>(script)
    }
    async fn exit(&self, script: &Script, ending: &Ending, reply: &mut Reply) {
        begin_exit::<AT>(ending);
        suspend(script.0[AT].suspends_out).await;
        end_exit::<AT>(script, reply);
    }
    fn cancelled(&self, script: &Script) {
        cancel::<AT>(script);
    }
}

/// A shape as data, for the interpreter.
#[derive(Clone, Copy, Debug)]
struct Shape {
    enters: bool,
    suspends_in: bool,
    breaks: bool,
    provides: bool,
    exits: bool,
    suspends_out: bool,
    cancels: bool,
}

const fn shape(letters: &str) -> Shape {
    const fn has(letters: &str, letter: u8) -> bool {
        let (bytes, mut at) = (letters.as_bytes(), 0);
        while at < bytes.len() {
            if bytes[at] == letter {
                return true;
            }
            at += 1;
        }
        false
    }
    Shape {
        enters: has(letters, b'i'),
        suspends_in: has(letters, b'I'),
        breaks: has(letters, b'b'),
        provides: has(letters, b'p'),
        exits: has(letters, b'o'),
        suspends_out: has(letters, b'O'),
        cancels: has(letters, b'c'),
    }
}

macro_rules! shape_of {
    (Plain) => {
        shape("ip")
    };
    (Waits) => {
        shape("iIbp")
    };
    (Gate) => {
        shape("ib")
    };
    (Hooks) => {
        shape("ibpoc")
    };
    (Slow) => {
        shape("iIbpoOc")
    };
    (Out) => {
        shape("oO")
    };
    (Dies) => {
        shape("c")
    };
    (Mixed) => {
        shape("iIpo")
    };
    (Flow) => {
        shape("ibpc")
    };
    (Late) => {
        shape("iboOc")
    };
}

type Run = fn(&Script, usize) -> Driven<Reply>;

/// One chain of the family.
struct Member {
    name: &'static str,
    shapes: &'static [Shape],
    observed: bool,
    run: Run,
}

/// Declares chains: `name how observed: shape shape ..;`, and a list of them.
macro_rules! family {
    ($($name:ident $how:ident $observed:ident: $($shape:ident)+;)+) => {
        $(family!(@number $name $how $observed [$($shape)+] [n0 0 n1 1 n2 2 n3 3 n4 4 n5 5 n6 6 n7 7] []);)+
        static FAMILY: &[Member] = &[$(Member {
            name: stringify!($name),
            shapes: &[$(shape_of!($shape)),+],
            observed: family!(@observed $observed),
            run: $name::driven,
        }),+];
    };
    (@observed observed) => { true };
    (@observed silent) => { false };
    (@number $name:ident $how:ident $observed:ident [$shape:ident $($more:ident)*] [$field:ident $at:tt $($rest:tt)*] [$($done:tt)*]) => {
        family!(@number $name $how $observed [$($more)*] [$($rest)*] [$($done)* ($field $at $shape)]);
    };
    (@number $name:ident $how:ident $observed:ident [] $rest:tt [$(($field:ident $at:tt $shape:ident))+]) => {
        family!(@declare $name $how $observed $($field $at $shape)+);
        impl $name {
            fn scripted(script: &Script) -> Self {
                Self { script: *script, $($field: $shape),+ }
            }
        }
        family!(@drive $name $how);
    };
    (@declare $name:ident suspending observed $first:ident $at0:tt $shape0:ident $($field:ident $at:tt $shape:ident)*) => {
        chain! {
            #[observe(Recorder)]
            struct $name { script: Script, $first: $shape0<$at0>, $($field: $shape<$at>),* }
            async fn() -> Reply { $first $(=> $field)* }
        }
    };
    (@declare $name:ident suspending silent $first:ident $at0:tt $shape0:ident $($field:ident $at:tt $shape:ident)*) => {
        chain! {
            struct $name { script: Script, $first: $shape0<$at0>, $($field: $shape<$at>),* }
            async fn() -> Reply { $first $(=> $field)* }
        }
    };
    (@declare $name:ident immediate observed $first:ident $at0:tt $shape0:ident $($field:ident $at:tt $shape:ident)*) => {
        chain! {
            #[observe(Recorder)]
            struct $name { script: Script, $first: $shape0<$at0>, $($field: $shape<$at>),* }
            fn() -> Reply { $first $(=> $field)* }
        }
    };
    (@declare $name:ident immediate silent $first:ident $at0:tt $shape0:ident $($field:ident $at:tt $shape:ident)*) => {
        chain! {
            struct $name { script: Script, $first: $shape0<$at0>, $($field: $shape<$at>),* }
            fn() -> Reply { $first $(=> $field)* }
        }
    };
    (@drive $name:ident suspending) => {
        impl $name {
            fn driven(script: &Script, polls: usize) -> Driven<Reply> {
                drive(Self::scripted(script).run(), polls)
            }
        }
    };
    // A function is not polled, so it cannot be dropped midway either.
    (@drive $name:ident immediate) => {
        impl $name {
            fn driven(script: &Script, polls: usize) -> Driven<Reply> {
                if polls == 0 {
                    return Driven::Dropped;
                }
                let chain = Self::scripted(script);
                match catch_unwind(AssertUnwindSafe(|| chain.run())) {
                    Ok(reply) => Driven::Ready(reply),
                    Err(panic) => Driven::Panicked(panic),
                }
            }
        }
    };
}

family! {
    C00 suspending observed: Slow;
    C01 suspending observed: Out;
    C02 suspending silent: Mixed;
    C03 suspending observed: Late;
    C04 suspending observed: Waits;
    C05 suspending silent: Out Gate;
    C06 suspending observed: Dies Plain;
    C07 suspending observed: Waits Flow;
    C08 suspending silent: Waits Out;
    C09 suspending observed: Late Plain;
    C10 suspending observed: Flow Hooks;
    C11 suspending silent: Plain Waits;
    C12 suspending observed: Dies Dies;
    C13 suspending observed: Waits Hooks Waits;
    C14 suspending silent: Flow Dies Plain;
    C15 suspending observed: Late Waits Hooks;
    C16 suspending observed: Late Plain Late;
    C17 suspending silent: Late Dies Plain;
    C18 suspending observed: Hooks Plain Flow;
    C19 suspending observed: Gate Slow Dies;
    C20 suspending silent: Gate Flow Waits;
    C21 suspending observed: Late Slow Flow Gate;
    C22 suspending observed: Waits Late Late Hooks;
    C23 suspending silent: Out Waits Flow Waits;
    C24 suspending observed: Late Plain Late Hooks;
    C25 suspending observed: Mixed Flow Dies Out;
    C26 suspending silent: Mixed Late Mixed Out;
    C27 suspending observed: Slow Hooks Gate Hooks;
    C28 suspending observed: Waits Late Slow Flow;
    C29 suspending silent: Mixed Out Mixed Slow Late;
    C30 suspending observed: Waits Waits Flow Dies Gate;
    C31 suspending observed: Out Gate Mixed Dies Plain;
    C32 suspending silent: Waits Flow Late Out Out;
    C33 suspending observed: Out Late Mixed Late Mixed;
    C34 suspending observed: Waits Waits Slow Mixed Waits;
    C35 suspending silent: Plain Slow Late Mixed Slow;
    C36 suspending observed: Dies Out Plain Mixed Out Gate;
    C37 suspending observed: Late Waits Mixed Plain Hooks Slow;
    C38 suspending silent: Gate Hooks Dies Dies Mixed Waits;
    C39 suspending observed: Gate Mixed Dies Flow Slow Gate;
    C40 suspending observed: Dies Flow Slow Dies Out Dies;
    C41 suspending silent: Hooks Gate Waits Gate Gate Hooks;
    C42 suspending observed: Hooks Plain Mixed Late Gate Slow Slow;
    C43 suspending observed: Plain Gate Dies Flow Out Late Late;
    C44 suspending silent: Out Gate Flow Late Plain Mixed Flow;
    C45 suspending observed: Dies Dies Dies Dies Waits Mixed Dies;
    C46 suspending observed: Plain Hooks Waits Hooks Mixed Gate Waits;
    C47 suspending silent: Out Late Plain Waits Plain Late Gate Flow;
    C48 suspending observed: Waits Out Late Plain Waits Hooks Late Dies;
    C49 suspending observed: Gate Slow Out Late Out Mixed Waits Waits;
    C50 suspending silent: Mixed Mixed Mixed Mixed Slow Waits Gate Waits;
    C51 suspending observed: Out Slow Mixed Gate Flow Plain Hooks Flow;
    C52 suspending observed: Slow Slow Slow Slow Slow Slow Slow Slow;
    C53 immediate silent: Hooks;
    C54 immediate observed: Gate;
    C55 immediate observed: Flow Plain;
    C56 immediate silent: Flow Hooks Plain;
    C57 immediate observed: Hooks Flow Hooks Gate;
    C58 immediate observed: Hooks Gate Flow Flow Flow;
    C59 immediate silent: Hooks Gate Flow Gate Gate Dies;
    C60 immediate observed: Gate Gate Flow Dies Hooks Plain Plain;
    C61 immediate observed: Hooks Dies Hooks Gate Flow Hooks Dies Hooks;
    C62 immediate silent: Hooks Plain Gate Plain Gate Dies Gate Hooks;
    C63 immediate observed: Hooks Hooks Hooks Hooks Hooks Hooks Hooks Hooks;
}

/// How a run ends.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Replied(Reply),
    Dropped,
    Panicked(&'static str),
}

/// The run is over, without a reply.
struct Over;

/// A chain as one would explain it: a loop on the way in, a loop on the way out, a stack of what was entered.
struct Interpreter<'a> {
    shapes: &'a [Shape],
    script: &'a Script,
    /// How often the future is still polled.
    polls: usize,
    /// Entered, not left.
    entered: Vec<usize>,
    happened: Vec<Happened>,
    told: Vec<Event>,
    /// Where the run was cut off, and the word for it.
    at: Option<(usize, Event)>,
    panicked: Option<&'static str>,
}

const NAMES: [&str; LONGEST] = ["n0", "n1", "n2", "n3", "n4", "n5", "n6", "n7"];

/// What `chain` would do.
struct Foretold {
    happened: Vec<Happened>,
    told: Vec<Event>,
    outcome: Outcome,
}

impl<'a> Interpreter<'a> {
    fn foretell(member: &'a Member, script: &'a Script, polls: usize) -> Foretold {
        let mut this = Self {
            shapes: member.shapes,
            script,
            polls,
            entered: Vec::new(),
            happened: Vec::new(),
            told: Vec::new(),
            at: None,
            panicked: None,
        };
        if polls == 0 {
            // A future that was never polled has done nothing at all.
            return Foretold { happened: Vec::new(), told: Vec::new(), outcome: Outcome::Dropped };
        }
        this.polls -= 1;
        this.told.push(Event::Begin(member.name));
        let outcome = match this.run() {
            Ok(reply) => Outcome::Replied(reply),
            Err(Over) => this.die(),
        };
        Foretold { happened: this.happened, told: this.told, outcome }
    }

    fn run(&mut self) -> Result<Reply, Over> {
        let mut reply = Reply::default();
        let mut by = self.shapes.len() - 1;
        for at in 0..self.shapes.len() {
            if self.go_in(at)? {
                by = at;
                reply.cut_short_by = Some(at);
                break;
            }
        }
        if reply.cut_short_by.is_none() && self.shapes[by].provides {
            reply.given = Some(by);
        }
        while let Some(&at) = self.entered.last() {
            self.go_out(at, by, &mut reply)?;
            self.entered.pop();
            self.told.push(Event::Left(NAMES[at]));
            self.drop_value_of(at);
        }
        Ok(reply)
    }

    fn is_last(&self, at: usize) -> bool {
        at + 1 == self.shapes.len()
    }

    /// Whether the node broke.
    fn go_in(&mut self, at: usize) -> Result<bool, Over> {
        let (shape, part) = (self.shapes[at], self.script.0[at]);
        self.told.push(Event::Enter(NAMES[at]));
        if shape.enters {
            self.happened.push(Enter(at));
            if shape.suspends_in {
                self.suspend(at, part.suspends_in, Way::In)?;
            }
            if part.panics_in {
                return self.panic(at, "in", Way::In);
            }
            if shape.breaks && part.breaks {
                self.told.push(Event::Broke(NAMES[at]));
                return Ok(true);
            }
        }
        if self.is_last(at) && shape.provides {
            // It became the reply.
            self.happened.push(Dropped(at));
        }
        self.told.push(Event::Entered(NAMES[at]));
        self.entered.push(at);
        Ok(false)
    }

    fn go_out(&mut self, at: usize, by: usize, reply: &mut Reply) -> Result<(), Over> {
        let (shape, part) = (self.shapes[at], self.script.0[at]);
        self.told.push(Event::Leave(NAMES[at]));
        if shape.exits {
            self.happened.push(Exit(at, by, reply.cut_short_by.is_some()));
            if shape.suspends_out {
                self.suspend(at, part.suspends_out, Way::Out)?;
            }
            if part.panics_out {
                return self.panic(at, "out", Way::Out);
            }
            reply.seen_by.push(at);
            self.happened.push(Exited(at));
        }
        Ok(())
    }

    fn suspend(&mut self, at: usize, times: usize, way: Way) -> Result<(), Over> {
        for _ in 0..times {
            self.told.push(Event::Suspend(NAMES[at], way));
            if self.polls == 0 {
                self.at = Some((at, Event::Cancelled(NAMES[at])));
                return Err(Over);
            }
            self.polls -= 1;
            self.told.push(Event::Resume(NAMES[at], way));
        }
        Ok(())
    }

    fn panic<T>(&mut self, at: usize, what: &'static str, way: Way) -> Result<T, Over> {
        self.panicked = Some(what);
        self.at = Some((at, Event::Panicked(NAMES[at], way)));
        Err(Over)
    }

    fn drop_value_of(&mut self, at: usize) {
        if self.shapes[at].provides && !self.is_last(at) {
            self.happened.push(Dropped(at));
        }
    }

    /// What is left of the request is cleaned up, from the last that was entered to the first.
    fn die(&mut self) -> Outcome {
        let (cut_off, word) = self.at.expect("a run that dies, dies somewhere");
        self.told.push(word);
        for at in std::mem::take(&mut self.entered).into_iter().rev() {
            if self.shapes[at].cancels && !self.is_last(at) {
                self.happened.push(Cancelled(at));
                if self.script.0[at].panics_cancelled && self.panicked.is_none() {
                    self.panicked = Some("cancelled");
                }
            }
            self.drop_value_of(at);
            if at != cut_off {
                self.told.push(Event::Cancelled(NAMES[at]));
            }
        }
        self.told.push(Event::End(None));
        match self.panicked {
            Some(what) => Outcome::Panicked(what),
            None => Outcome::Dropped,
        }
    }
}

/// Runs the member for real.
fn observe(member: &Member, script: &Script, polls: usize) -> (Vec<Happened>, Vec<Event>, Outcome) {
    LOG.take();
    let recording = Recording::start();
    let outcome = match (member.run)(script, polls) {
        Driven::Ready(reply) => Outcome::Replied(reply),
        Driven::Dropped => Outcome::Dropped,
        Driven::Panicked(payload) => Outcome::Panicked(payload.downcast_ref::<&'static str>().expect("one of ours")),
    };
    (LOG.take(), recording.events(), outcome)
}

/// The interpreter and the chain agree, and the chain keeps its promises.
fn check(member: &Member, script: &Script, polls: usize) -> Result<Outcome, TestCaseError> {
    let foretold = Interpreter::foretell(member, script, polls);
    let (happened, mut told, outcome) = observe(member, script, polls);
    prop_assert_eq!(&happened, &foretold.happened, "hooks and drops of {}", member.name);
    prop_assert_eq!(&outcome, &foretold.outcome, "outcome of {}", member.name);
    prop_assert_eq!(live(), 0, "values of {} that leaked", member.name);
    left_exactly_once(member, &happened)?;
    if !member.observed {
        prop_assert!(told.is_empty(), "an observer where there is none");
        return Ok(outcome);
    }
    if let Outcome::Replied(reply) = &outcome {
        let Some(Event::End(Some(ending))) = told.pop() else { panic!("a reply without an ending: {told:?}") };
        prop_assert_eq!(ending.is_cut_short(), reply.cut_short_by.is_some());
        prop_assert_eq!(ending.by().position, reply.cut_short_by.unwrap_or(member.shapes.len() - 1));
    }
    prop_assert_eq!(&told, &foretold.told, "what the observer of {} was told", member.name);
    answered_exactly_once(&told)?;
    Ok(outcome)
}

/// Of a node that was entered, exactly one of `exit` and `cancelled` ran to its end: said from what happened alone, without
/// the interpreter. The last node, whose value is the reply, has no `cancelled`.
fn left_exactly_once(member: &Member, happened: &[Happened]) -> Result<(), TestCaseError> {
    for (at, shape) in member.shapes.iter().enumerate() {
        let count = |what| happened.iter().filter(|happened| **happened == what).count();
        let provided = shape.provides.then(|| count(Dropped(at)));
        prop_assert!(count(Exited(at)) + count(Cancelled(at)) <= 1);
        let whole = shape.exits && shape.cancels && at + 1 < member.shapes.len();
        if let (true, Some(provided)) = (whole, provided) {
            // A value was made exactly where the node was entered.
            prop_assert_eq!(count(Exited(at)) + count(Cancelled(at)), provided, "the ways out of {}", NAMES[at]);
        }
    }
    Ok(())
}

/// Each `enter` is answered by exactly one of `broke`, `left`, `cancelled` and `panicked`, the last one first.
fn answered_exactly_once(told: &[Event]) -> Result<(), TestCaseError> {
    let mut open = Vec::new();
    let mut suspended = None;
    for event in told {
        match *event {
            Event::Enter(name) => open.push(name),
            Event::Broke(name) | Event::Left(name) | Event::Cancelled(name) | Event::Panicked(name, _) => {
                prop_assert_eq!(open.pop(), Some(name));
            }
            Event::Suspend(name, way) => {
                prop_assert_eq!(suspended.replace((name, way)), None);
                continue;
            }
            Event::Resume(name, way) => prop_assert_eq!(suspended.take(), Some((name, way))),
            _ => {}
        }
    }
    prop_assert!(open.is_empty(), "entered and never answered: {:?}", open);
    Ok(())
}

fn part() -> impl Strategy<Value = Part> {
    let rarely = |times: f64| prop::bool::weighted(times);
    (0..3usize, 0..3usize, rarely(0.12), rarely(0.05), rarely(0.08), rarely(0.15)).prop_map(
        |(suspends_in, suspends_out, breaks, panics_in, panics_out, panics_cancelled)| Part {
            suspends_in,
            suspends_out,
            breaks,
            panics_in,
            panics_out,
            panics_cancelled,
        },
    )
}

fn script() -> impl Strategy<Value = Script> {
    prop::array::uniform8(part()).prop_map(Script)
}

/// After how many polls the future is dropped: half of the runs are left alone.
fn polls() -> impl Strategy<Value = usize> {
    prop_oneof![Just(usize::MAX), 0..12usize]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_chain_does_what_the_interpreter_foretells(member in any::<Index>(), script in script(), polls in polls()) {
        check(member.get(FAMILY), &script, polls)?;
    }
}

/// Not at random: every chain, every node of it suspended on both ways, dropped at every poll.
#[test]
fn every_chain_can_be_dropped_at_every_poll() {
    let part = Part { suspends_in: 2, suspends_out: 2, ..Part::default() };
    let mut dropped = 0;
    for member in FAMILY {
        let awaits: usize =
            member.shapes.iter().map(|s| 2 * usize::from(s.suspends_in) + 2 * usize::from(s.suspends_out)).sum();
        for polls in 0..=awaits + 1 {
            let outcome = check(member, &Script([part; LONGEST]), polls).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(outcome == Outcome::Dropped, polls <= awaits, "{} after {polls} polls", member.name);
            dropped += usize::from(polls <= awaits);
        }
    }
    assert!(dropped > 300, "{dropped}");
}

/// Not at random: every node of every chain panics, on each way; every node of every chain breaks; and each `cancelled`
/// panics, at every poll.
#[test]
fn every_node_of_every_chain_can_panic_anywhere() {
    let part = Part { suspends_in: 1, suspends_out: 1, ..Part::default() };
    let mut panicked = 0;
    for member in FAMILY {
        for at in 0..member.shapes.len() {
            let changes: [fn(&mut Part); 4] = [
                |part| part.panics_in = true,
                |part| part.panics_out = true,
                |part| part.breaks = true,
                |part| part.panics_cancelled = true,
            ];
            for change in changes {
                let mut script = Script([part; LONGEST]);
                change(&mut script.0[at]);
                dropped_at_every_poll(|polls| {
                    match check(member, &script, polls).unwrap_or_else(|error| panic!("{error}")) {
                        Outcome::Replied(reply) => Driven::Ready(reply),
                        // A `cancelled` that panics does so at this poll; the next one is still to come.
                        Outcome::Panicked("cancelled") | Outcome::Dropped => Driven::Dropped,
                        Outcome::Panicked(what) => {
                            panicked += 1;
                            Driven::Panicked(Box::new(what))
                        }
                    }
                });
            }
        }
    }
    assert!(panicked > 200, "{panicked}");
}
