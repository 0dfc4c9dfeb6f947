//! Polling by hand: a test decides how often a future is polled before it is dropped.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

/// Suspends so many times, then goes on. Whoever polls it needs no waker: it is ready whenever it is asked.
#[must_use]
pub fn suspend(times: usize) -> Suspend {
    Suspend(times)
}

/// See [`suspend`].
#[derive(Debug)]
pub struct Suspend(usize);

impl Future for Suspend {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Polls to the end. Nothing is allocated.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

/// How a driven future ended.
#[derive(Debug)]
pub enum Driven<T> {
    /// It was ready.
    Ready(T),
    /// It was dropped while it was pending, or before it was polled at all.
    Dropped,
    /// It panicked, in a poll or in its drop.
    Panicked(Box<dyn Any + Send>),
}

impl<T> Driven<T> {
    /// The output, where there is one.
    pub fn ready(self) -> Option<T> {
        match self {
            Self::Ready(output) => Some(output),
            Self::Dropped | Self::Panicked(_) => None,
        }
    }
    /// Whether it was dropped while it was pending.
    #[must_use]
    pub fn is_dropped(&self) -> bool {
        matches!(self, Self::Dropped)
    }
    /// Whether it panicked.
    #[must_use]
    pub fn is_panicked(&self) -> bool {
        matches!(self, Self::Panicked(_))
    }
}

/// Polls at most so many times, then drops the future. A panic is caught, wherever it comes from.
pub fn drive<F: Future>(future: F, polls: usize) -> Driven<F::Output> {
    let mut future = Box::pin(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..polls {
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut context))) {
            Ok(Poll::Ready(output)) => return Driven::Ready(output),
            Ok(Poll::Pending) => {}
            Err(panic) => return Driven::Panicked(panic),
        }
    }
    match catch_unwind(AssertUnwindSafe(|| drop(future))) {
        Ok(()) => Driven::Dropped,
        Err(panic) => Driven::Panicked(panic),
    }
}

/// Drops a fresh future after 0, 1, 2, .. polls, until one of them is ready or panics before that; says how many
/// were dropped.
pub fn dropped_at_every_poll<T>(mut driven: impl FnMut(usize) -> Driven<T>) -> usize {
    (0..).find(|polls| !driven(*polls).is_dropped()).expect("a future that never ends")
}

/// Panics without a line on the terminal: for panics that a test wants.
pub fn panic_silently(what: &'static str) -> ! {
    std::panic::resume_unwind(Box::new(what))
}
