//! A task: work that is done until it ends or is to be dropped, and the report of its end.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::shared::Alive;
use crate::around::Panicked;

/// How a task ended.
pub(super) enum Ended<T> {
    Done(T),
    Panicked(Panicked),
    Aborted,
}

pin_project! {
    /// Written by hand, so that it stores the work once: an `async` block would store it where it was captured and
    /// where it is awaited.
    ///
    /// When it is dropped, in whatever state, it drops the work first, and frees its place last.
    pub(super) struct Task<F, G> {
        #[pin]
        work: Option<F>,
        #[pin]
        aborted: WaitForCancellationFutureOwned,
        then: Option<G>,
        alive: Option<Alive>,
    }
}

impl<F, G> Task<F, G> {
    /// Does the work, until `abort` says to drop it. Then it calls `then`, while the task is still alive.
    pub(super) fn new(alive: Alive, abort: CancellationToken, work: F, then: G) -> Self {
        Self { work: Some(work), aborted: abort.cancelled_owned(), then: Some(then), alive: Some(alive) }
    }
}

impl<F: Future, G: FnOnce(Ended<F::Output>) -> R, R> Future for Task<F, G> {
    type Output = R;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<R> {
        let mut this = self.project();
        let polled = Panicked::caught(|| {
            let work = this.work.as_mut().as_pin_mut().expect("it has not ended");
            let ended = match this.aborted.poll(context) {
                Poll::Ready(()) => Ended::Aborted,
                Poll::Pending => Ended::Done(ready!(work.poll(context))),
            };
            // What the drop of the work does belongs to the task.
            this.work.set(None);
            Poll::Ready(ended)
        });
        let ended = match polled {
            Ok(polled) => ready!(polled),
            Err(panicked) => {
                // The drop of the work may panic once more; its first panic was told already.
                drop(Panicked::caught(|| this.work.set(None)));
                Ended::Panicked(panicked)
            }
        };
        let (Some(mut alive), Some(then)) = (this.alive.take(), this.then.take()) else {
            unreachable!("it has not ended")
        };
        alive.saw(&ended);
        // `alive` is dropped after this call, even if the call panics.
        Poll::Ready(then(ended))
    }
}
