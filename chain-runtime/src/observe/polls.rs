//! Polls a node's own future, and tells of it.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::now::Whose;
use super::{Tells, Way};

/// See [`Tells::polls`].
#[derive(Debug)]
pub struct Polls<'a, F, T: Tells> {
    watch: &'a mut T,
    future: Pin<&'a mut F>,
    position: usize,
    way: Way,
    /// Its last poll was `Pending`.
    waits: bool,
}

impl<'a, F, T: Tells> Polls<'a, F, T> {
    #[inline(always)]
    pub(super) fn new(watch: &'a mut T, future: Pin<&'a mut F>, position: usize, way: Way) -> Self {
        Self { watch, future, position, way, waits: false }
    }
}

impl<F: Future, T: Tells> Future for Polls<'_, F, T> {
    type Output = F::Output;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Self { watch, future, position, way, waits } = &mut *self;
        if T::HEARS && *waits {
            *waits = false;
            watch.resume(*position, *way);
        }
        let poll = future.as_mut().poll(context);
        if T::HEARS && poll.is_pending() {
            *waits = true;
            watch.suspend(*position, *way);
        }
        poll
    }
}

impl<F, T: Tells> Drop for Polls<'_, F, T> {
    #[inline]
    fn drop(&mut self) {
        // Tearing down a run belongs to the chain.
        if T::HEARS && self.waits {
            self.watch.stretch(Whose::Chain);
        }
    }
}
