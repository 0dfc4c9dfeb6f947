//! The requests of HTTP/2 connections: each is a task that hyper spawns.
//!
//! hyper asks a body for more only when the client's window has room, so a body cannot see that its client does not
//! read. The task can: it sees that the body is not polled.

use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use core::task::{Context, Poll};
use std::sync::{Arc, OnceLock};

use ::hyper::rt::Executor;
use pin_project_lite::pin_project;
use tokio_util::task::TaskTracker;

use super::super::limits::Rate;
use super::super::pace::Pace;
use crate::tailed::Cut;

/// Spawns the requests' tasks, so that stopping waits for them, and each is watched.
#[derive(Clone, Debug)]
pub(super) struct Streams {
    tasks: TaskTracker,
    reading: Option<Rate>,
}

impl Streams {
    pub(super) fn new(tasks: &TaskTracker, reading: Option<Rate>) -> Self {
        Self { tasks: tasks.clone(), reading }
    }
}

impl<F: Future<Output: Send> + Send + 'static> Executor<F> for Streams {
    fn execute(&self, future: F) {
        let watch = Arc::new(Watch::default());
        let pace = self.reading.map(|rate| Pace::new(rate.window, Some(rate), None));
        let watched = Watched { future: Some(future), watch: Arc::clone(&watch), seen: 0, pace };
        self.tasks.spawn(WATCH.scope(watch, watched));
    }
}

tokio::task_local! {
    static WATCH: Arc<Watch>;
}

/// The watch over the request that is being polled, if it came over HTTP/2. It reports through this that it ended the
/// request.
pub(super) fn watch(cut: Cut) -> Option<Arc<Watch>> {
    let watch = WATCH.try_with(Arc::clone).ok()?;
    let _ = watch.cut.set(cut);
    Some(watch)
}

/// What the task waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Stage {
    /// The chain, or the reply's body, which have limits of their own.
    Body = 0,
    /// The client, which has to take what there is.
    Client = 1,
}

/// What the task of a request knows of the reply's body, which hyper holds. All of it happens in one task.
#[derive(Debug, Default)]
pub(super) struct Watch {
    stage: AtomicU8,
    taken: AtomicU64,
    cut: OnceLock<Cut>,
}

impl Watch {
    pub(super) fn is_at(&self, stage: Stage) {
        self.stage.store(stage as u8, Ordering::Relaxed);
    }

    pub(super) fn took(&self, bytes: usize) {
        self.taken.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

pin_project! {
    struct Watched<F> {
        #[pin]
        future: Option<F>,
        watch: Arc<Watch>,
        seen: u64,
        #[pin]
        pace: Option<Pace>,
    }
}

impl<F: Future> Future for Watched<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else { return Poll::Ready(()) };
        if future.poll(context).is_ready() {
            return Poll::Ready(());
        }
        let Some(mut pace) = this.pace.as_mut().as_pin_mut() else { return Poll::Pending };
        let taken = this.watch.taken.load(Ordering::Relaxed);
        let client_is_waited_for = this.watch.stage.load(Ordering::Relaxed) == Stage::Client as u8;
        if taken > *this.seen || !client_is_waited_for {
            pace.as_mut().moved(usize::try_from(taken - *this.seen).unwrap_or(usize::MAX));
            *this.seen = taken;
        }
        if client_is_waited_for && pace.as_mut().poll_wait(context).is_ready() {
            if let Some(cut) = this.watch.cut.get() {
                cut.cut();
            }
            // The stream is reset when its parts are dropped.
            this.future.set(None);
            return Poll::Ready(());
        }
        Poll::Pending
    }
}
