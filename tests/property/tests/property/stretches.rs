//! To whom each moment of a run belongs: by a clock that only nodes and waits move, what these report, and what an
//! observer saw.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::task::{Context, Poll};

use chain_runtime::Ending;
use chain_runtime::describe::ChainInfo;
use chain_runtime::observe::{Observer, Stretch, Way};

/// Whom a moment belongs to: `None` is the chain. Of a node: its name, whether it is on its way out, and whether it waits.
type Whose = Option<(&'static str, bool, bool)>;

/// Ticks by owner.
pub(crate) type Ledger = BTreeMap<Whose, u64>;

thread_local! {
    static NOW: Cell<u64> = const { Cell::new(0) };
    static SPENT: RefCell<Ledger> = const { RefCell::new(BTreeMap::new()) };
    static SEEN: RefCell<Option<Ledger>> = const { RefCell::new(None) };
    static WAITER: Cell<Whose> = const { Cell::new(None) };
}

/// Time passes, and the nodes know whose it is. Not while a panic unwinds: that is the stretch of whose code it came from.
pub(crate) fn pass(whose: Whose, ticks: u64) {
    if !std::thread::panicking() {
        NOW.set(NOW.get() + ticks);
        SPENT.with_borrow_mut(|spent| *spent.entry(whose).or_default() += ticks);
    }
}

/// Time passes in the node's own code.
pub(crate) fn runs(name: &'static str, way: Way) {
    // Each time another one, so that two sums are not equal by chance.
    pass(Some((name, way == Way::Out, false)), 1 + NOW.get() % 7);
}

/// From here on, who is not ready is this node.
pub(crate) fn waits(name: &'static str, way: Way) {
    WAITER.set(Some((name, way == Way::Out, true)));
}

/// What the nodes said and what the observer saw, where there was one and the run began.
pub(crate) fn taken() -> (Ledger, Option<Ledger>) {
    (SPENT.take(), SEEN.take())
}

/// A run, between whose polls time passes.
pub(crate) struct Ticking<F> {
    run: Option<Pin<Box<F>>>,
    is_pending: bool,
}

impl<F> Ticking<F> {
    pub(crate) fn new(run: F) -> Self {
        Self { run: Some(Box::pin(run)), is_pending: false }
    }

    fn tick(&mut self) {
        if std::mem::take(&mut self.is_pending) {
            pass(WAITER.get(), 1_000 + NOW.get() % 11);
        }
    }
}

impl<F: Future> Future for Ticking<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.tick();
        let poll = self.run.as_mut().expect("it is there until this is dropped").as_mut().poll(context);
        self.is_pending = poll.is_pending();
        poll
    }
}

impl<F> Drop for Ticking<F> {
    fn drop(&mut self) {
        self.tick();
        self.run = None;
    }
}

/// Adds up stretches.
#[derive(Debug)]
pub(crate) struct Stretches {
    whose: Whose,
    since: u64,
    seen: Ledger,
}

impl Stretches {
    fn ends(&mut self) {
        let now = NOW.get();
        *self.seen.entry(self.whose).or_default() += now - std::mem::replace(&mut self.since, now);
    }
}

impl Observer for Stretches {
    fn begin(_: &'static ChainInfo) -> Self {
        Self { whose: None, since: NOW.get(), seen: Ledger::new() }
    }

    fn stretch(&mut self, next: Stretch) {
        self.ends();
        self.whose = match next {
            Stretch::Chain => None,
            Stretch::Running(node, way) => Some((node.name, way == Way::Out, false)),
            Stretch::Waiting(node, way) => Some((node.name, way == Way::Out, true)),
        };
    }

    fn end(mut self, _: Option<&'static Ending>) {
        self.ends();
        self.seen.retain(|_, ticks| *ticks > 0);
        SEEN.set(Some(self.seen));
    }
}
