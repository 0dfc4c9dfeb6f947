//! What nodes are told to do, and what they report.

use std::cell::RefCell;

use chain::live::Live;
use chain::poll::{panic_silently, suspend};
use chain_runtime::around::Panicked;
use chain_runtime::observe::Way;
use chain_runtime::shed::{Level, Override};
use chain_runtime::{Ending, IntoReply};

use crate::stretches;

/// Positions in the longest chain of the family, and more.
pub(crate) const LONGEST: usize = 16;

/// What one node does in one run.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Part {
    pub(crate) suspends_in: usize,
    pub(crate) suspends_out: usize,
    pub(crate) breaks: bool,
    pub(crate) panics_in: bool,
    pub(crate) panics_out: bool,
    pub(crate) panics_cancelled: bool,
    /// Before it runs its block; in the pause before the next run.
    pub(crate) panics_around: bool,
    /// What it provides panics when it is dropped.
    pub(crate) panics_dropped: bool,
    /// What it breaks with panics when it becomes the reply.
    pub(crate) panics_replying: bool,
    /// Which arm it chooses; as a `bool`, whether it is 0.
    pub(crate) decision: usize,
    /// Whether its toggle is.
    pub(crate) is_on: bool,
    /// Of the last one, the level that the run is at.
    pub(crate) level: Level,
    /// From when on it is shed.
    pub(crate) moved: Override,
    /// It abandons its block when that was polled so often, and is not ready.
    pub(crate) abandons_after: Option<usize>,
    /// How often it runs its block, if that replies.
    pub(crate) runs: u32,
}

/// What every node does in one run. It is a field of the chains, so that `cancelled` can read it too.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Script(pub(crate) [Part; LONGEST]);

impl Script {
    /// The level that the run is at.
    pub(crate) fn level(&self) -> Level {
        self.0[LONGEST - 1].level
    }

    /// What the node at this position does. Past the script there are nodes of very long chains, which do nothing of note.
    pub(crate) fn of(&self, at: usize) -> &Part {
        const NOTHING: Part = Part {
            suspends_in: 0,
            suspends_out: 0,
            breaks: false,
            panics_in: false,
            panics_out: false,
            panics_cancelled: false,
            panics_around: false,
            panics_dropped: false,
            panics_replying: false,
            decision: 0,
            is_on: false,
            level: Level::Calm,
            moved: Override::AsDeclared,
            abandons_after: None,
            runs: 1,
        };
        self.0.get(at).unwrap_or(&NOTHING)
    }
}

/// What happened, apart from what the observer was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happened {
    Enter(usize),
    /// With who gave the reply, and whether by a break.
    Exit(usize, usize, bool),
    Exited(usize),
    Cancelled(usize),
    Dropped(usize),
    /// Like `Exit`, of a node that does not ask for the ending.
    Leave(usize),
    /// An around node begins to run its block, is done with it, or abandons it.
    Around(usize),
    Done(usize),
    Abandoned(usize),
    /// It says whether the block runs again.
    Again(usize, bool),
    /// It is lent what another one provided, the so manieth time.
    Reached(usize, usize),
}
use Happened::{Cancelled, Dropped, Exit, Exited, Leave};

thread_local! {
    static LOG: RefCell<Vec<Happened>> = const { RefCell::new(Vec::new()) };
}

pub(crate) fn note(happened: Happened) {
    use Happened::{Abandoned, Again, Around, Done, Enter, Reached};
    match happened {
        Enter(at) | Around(at) | Abandoned(at) => stretches::runs(name(at), Way::In),
        Exit(at, ..) | Exited(at) | Leave(at) | Done(at) | Again(at, _) => stretches::runs(name(at), Way::Out),
        // What is torn down is the chain's.
        Cancelled(_) => stretches::pass(None, 5),
        // On either way.
        Dropped(_) | Reached(..) => {}
    }
    LOG.with_borrow_mut(|log| log.push(happened));
}

/// The node at `AT` is not ready, so many times.
pub(crate) async fn wait<const AT: usize>(way: Way, times: usize) {
    for _ in 0..times {
        stretches::waits(name(AT), way);
        suspend(1).await;
    }
}

/// What happened since the last time.
pub(crate) fn taken() -> Vec<Happened> {
    LOG.take()
}

/// What the node at `AT` provides.
pub(crate) struct Value<const AT: usize> {
    panics: bool,
    reached: usize,
    _live: Live,
}

impl<const AT: usize> Value<AT> {
    pub(crate) fn new(script: &Script) -> Self {
        Self { panics: script.of(AT).panics_dropped, reached: 0, _live: Live::new() }
    }

    /// The node `by` is lent it.
    pub(crate) fn reach(&mut self, by: usize) {
        self.reached += 1;
        note(Happened::Reached(by, self.reached));
    }
}

impl<const AT: usize> Drop for Value<AT> {
    fn drop(&mut self) {
        note(Dropped(AT));
        if self.panics && !std::thread::panicking() {
            panic_silently("drop");
        }
    }
}

/// Who gave the reply, how, and who saw it on its way out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) cut_short_by: Option<usize>,
    pub(crate) given: Option<usize>,
    pub(crate) seen_by: Vec<usize>,
}

pub(crate) struct Cut {
    by: usize,
    panics: bool,
}

impl Cut {
    pub(crate) fn new(by: usize, part: &Part) -> Self {
        Self { by, panics: part.panics_replying }
    }
}

impl IntoReply<Reply> for Cut {
    fn into_reply(self) -> Reply {
        if self.panics {
            panic_silently("reply");
        }
        Reply { cut_short_by: Some(self.by), ..Reply::default() }
    }
}

impl<const AT: usize> IntoReply<Reply> for Value<AT> {
    fn into_reply(self) -> Reply {
        Reply { given: Some(AT), ..Reply::default() }
    }
}

/// Who cuts the chain short where a panic is caught.
pub(crate) const CAUGHT: usize = usize::MAX;

impl IntoReply<Reply> for Panicked {
    fn into_reply(self) -> Reply {
        Reply { cut_short_by: Some(CAUGHT), ..Reply::default() }
    }
}

impl IntoReply<Reply> for () {
    fn into_reply(self) -> Reply {
        Reply::default()
    }
}

pub(crate) fn come_in<const AT: usize>(script: &Script) {
    if script.of(AT).panics_in {
        panic_silently("in");
    }
}

pub(crate) fn go_on<const AT: usize>(script: &Script) -> Result<(), Cut> {
    come_in::<AT>(script);
    if script.of(AT).breaks { Err(Cut::new(AT, script.of(AT))) } else { Ok(()) }
}

pub(crate) fn begin_exit<const AT: usize>(ending: &Ending) {
    note(Exit(AT, number(ending.by().name), ending.is_cut_short()));
}

pub(crate) fn end_exit<const AT: usize>(script: &Script, reply: &mut Reply) {
    go_out::<AT>(script);
    reply.seen_by.push(AT);
    note(Exited(AT));
}

/// A way out that sees neither the ending nor the reply.
pub(crate) async fn exit_unseen<const AT: usize>(script: &Script) {
    note(Leave(AT));
    wait::<AT>(Way::Out, script.of(AT).suspends_out).await;
    go_out::<AT>(script);
    note(Exited(AT));
}

pub(crate) fn go_out<const AT: usize>(script: &Script) {
    if script.of(AT).panics_out {
        panic_silently("out");
    }
}

pub(crate) fn cancel<const AT: usize>(script: &Script) {
    note(Cancelled(AT));
    // A second panic while one is under way aborts the process, in Rust at large.
    if script.of(AT).panics_cancelled && !std::thread::panicking() {
        panic_silently("cancelled");
    }
}

const NAMES: [&str; LONGEST] =
    ["n0", "n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8", "n9", "n10", "n11", "n12", "n13", "n14", "n15"];

/// What the node at this position is called in its chain.
pub(crate) fn name(at: usize) -> &'static str {
    NAMES.get(at).copied().unwrap_or("fill")
}

/// The position of the node with this name.
pub(crate) fn number(name: &str) -> usize {
    NAMES.iter().position(|one| *one == name).expect("nodes past the script give no reply")
}

/// How a run ends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Replied(Reply),
    Dropped,
    Panicked(&'static str),
}
