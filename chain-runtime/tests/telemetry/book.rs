//! What the nodes note about themselves, and the code that drives a run.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use chain_runtime::observe::Way;
use chain_runtime::telemetry::{Manual, Whose};

/// A clock, and who let it pass. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Book {
    pub(crate) clock: Manual,
    took: Arc<Mutex<Took>>,
}

#[derive(Default)]
struct Took {
    /// By the name of the node; "" is the chain. Running, or waiting.
    by: BTreeMap<(&'static str, Way2, bool), u64>,
    waits: Option<(&'static str, Way2)>,
}

/// [`Way`], in an order.
type Way2 = u8;

const fn order(way: Way) -> Way2 {
    match way {
        Way::In => 0,
        Way::Out => 1,
    }
}

impl Book {
    /// The node runs for so many nanoseconds.
    pub(crate) fn works(&self, name: &'static str, way: Way, nanos: u64) {
        self.passes((name, order(way), false), nanos);
    }

    /// The chain's own code does.
    pub(crate) fn own(&self, nanos: u64) {
        self.passes(("", 0, false), nanos);
    }

    fn passes(&self, whose: (&'static str, Way2, bool), nanos: u64) {
        self.clock.advance(Duration::from_nanos(nanos));
        *self.took().by.entry(whose).or_default() += nanos;
    }

    /// The node waits so many times.
    pub(crate) fn waits(&self, name: &'static str, way: Way, times: u32) -> impl Future<Output = ()> + Send + use<> {
        let (book, mut left) = (self.clone(), times);
        std::future::poll_fn(move |_| {
            if left == 0 {
                return Poll::Ready(());
            }
            left -= 1;
            book.took().waits = Some((name, order(way)));
            Poll::Pending
        })
    }

    /// Time passes between two polls.
    fn between(&self, nanos: u64) {
        let waits = self.took().waits.take();
        if let Some((name, way)) = waits {
            self.passes((name, way, true), nanos);
        }
    }

    fn took(&self) -> std::sync::MutexGuard<'_, Took> {
        self.took.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the node took, as it wrote down.
    pub(crate) fn of(&self, name: &'static str, way: Way, waiting: bool) -> u64 {
        self.took().by.get(&(name, order(way), waiting)).copied().unwrap_or_default()
    }

    /// What everybody took, where it was something.
    pub(crate) fn all(&self) -> BTreeMap<(&'static str, Way2, bool), u64> {
        self.took().by.clone()
    }

    /// All that anybody took.
    pub(crate) fn sum(&self) -> u64 {
        self.took().by.values().sum()
    }
}

/// The name under which a stretch is in the book.
pub(crate) fn key(whose: Whose, names: &[&'static str]) -> (&'static str, Way2, bool) {
    match whose {
        Whose::Chain => ("", 0, false),
        Whose::Running(position, way) => (names[position], order(way), false),
        Whose::Waiting(position, way) => (names[position], order(way), true),
    }
}

type Run<'a> = Pin<Box<dyn Future<Output = u32> + Send + 'a>>;

fn polled(mut run: Run<'_>) -> (Run<'_>, thread::Result<Poll<u32>>) {
    let poll = catch_unwind(AssertUnwindSafe(|| run.as_mut().poll(&mut Context::from_waker(Waker::noop()))));
    (run, poll)
}

#[derive(Debug, PartialEq)]
pub(crate) enum Driven {
    Ready(u32),
    Dropped,
    Panicked,
}

/// Polls so many times, on a new thread each time or on this one, and drops what is not ready then.
pub(crate) fn drive(book: &Book, mut run: Run<'_>, polls: u64, moves: bool) -> Driven {
    for count in 0..polls {
        let (back, poll) = if moves {
            thread::scope(|scope| scope.spawn(move || polled(run)).join().expect("panics are caught"))
        } else {
            polled(run)
        };
        run = back;
        match poll {
            Ok(Poll::Ready(reply)) => return Driven::Ready(reply),
            Ok(Poll::Pending) => book.between(1_000 + count),
            Err(_) => return Driven::Panicked,
        }
    }
    drop(run);
    Driven::Dropped
}
