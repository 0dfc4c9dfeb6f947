//! An observer for tests.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::vec::Vec;

use super::{Observer, Way};
use crate::describe::{ChainInfo, Ending, NodeInfo};

/// One thing that an observer was told, with the node's name in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the method of `Observer` of the same name")]
pub enum Event {
    Begin(&'static str),
    Enter(&'static str),
    Entered(&'static str),
    Broke(&'static str),
    Leave(&'static str),
    Left(&'static str),
    Suspend(&'static str, Way),
    Resume(&'static str, Way),
    Cancelled(&'static str),
    Panicked(&'static str, Way),
    /// With the name of the node or block that is shed.
    Shed(&'static str),
    /// `None` if there was no reply.
    End(Option<Ending>),
}

type Events = Arc<Mutex<Vec<Event>>>;

std::thread_local! {
    static CURRENT: RefCell<Option<Events>> = const { RefCell::new(None) };
}

/// Records what happens in the runs that begin on this thread while the recording lives, even if they move to other
/// threads.
///
/// ```
/// use chain_runtime::observe::{Event, Recorder, Recording};
/// use chain_runtime::{chain, node};
///
/// #[node]
/// fn double(input: &u32) -> u64 { u64::from(*input) * 2 }
///
/// chain! {
///     #[observe(Recorder)]
///     struct Doubling;
///     fn(input: u32) -> u64 { double }
/// }
///
/// let recording = Recording::start();
/// assert_eq!(Doubling.run(21), 42);
/// assert_eq!(recording.events()[..3], [Event::Begin("Doubling"), Event::Enter("double"), Event::Entered("double")]);
/// ```
#[derive(Debug)]
pub struct Recording {
    events: Events,
    before: Option<Events>,
}

impl Recording {
    /// Begins to record. Another recording of this thread pauses until this one is dropped.
    #[must_use]
    pub fn start() -> Self {
        let events = Events::default();
        let before = CURRENT.replace(Some(events.clone()));
        Self { events, before }
    }

    /// What was recorded so far, in order.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        lock(&self.events).clone()
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        CURRENT.set(self.before.take());
    }
}

// A panic in a node leaves nothing half-written here: each event is pushed whole.
fn lock(events: &Events) -> MutexGuard<'_, Vec<Event>> {
    events.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The observer that writes into the [`Recording`] of the thread on which the run began. Without a recording it does
/// nothing.
#[derive(Debug)]
pub struct Recorder {
    events: Option<Events>,
    chain: &'static ChainInfo,
}

impl Recorder {
    fn record(&self, event: Event) {
        if let Some(events) = &self.events {
            lock(events).push(event);
        }
    }
}

impl Observer for Recorder {
    fn begin(chain: &'static ChainInfo) -> Self {
        let this = Self { events: CURRENT.with_borrow(Clone::clone), chain };
        this.record(Event::Begin(chain.name));
        this
    }
    fn enter(&mut self, node: &'static NodeInfo) {
        self.record(Event::Enter(node.name));
    }
    fn entered(&mut self, node: &'static NodeInfo) {
        self.record(Event::Entered(node.name));
    }
    fn broke(&mut self, node: &'static NodeInfo) {
        self.record(Event::Broke(node.name));
    }
    fn leave(&mut self, node: &'static NodeInfo) {
        self.record(Event::Leave(node.name));
    }
    fn left(&mut self, node: &'static NodeInfo) {
        self.record(Event::Left(node.name));
    }
    fn suspend(&mut self, node: &'static NodeInfo, way: Way) {
        self.record(Event::Suspend(node.name, way));
    }
    fn resume(&mut self, node: &'static NodeInfo, way: Way) {
        self.record(Event::Resume(node.name, way));
    }
    fn cancelled(&mut self, node: &'static NodeInfo) {
        self.record(Event::Cancelled(node.name));
    }
    fn panicked(&mut self, node: &'static NodeInfo, way: Way) {
        self.record(Event::Panicked(node.name, way));
    }
    fn shed(&mut self, index: usize) {
        self.record(Event::Shed(self.chain.sheds[index].name));
    }
    fn end(self, ending: Option<&'static Ending>) {
        self.record(Event::End(ending.copied()));
    }
}
