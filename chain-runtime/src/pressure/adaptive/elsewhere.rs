//! Marks a block whose waiting is not the gateway's fault.

use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Wake;
use std::time::{Duration, Instant};
use std::vec::Vec;

use chain_macros::node;

use super::own;
use crate::around::{Timer, TokioTimer};

/// Says that its block waits for something outside of the process: an upstream, a database.
///
/// An [`Adaptive`](super::Adaptive) around it then judges by the gateway's *own* time. So an upstream that becomes slow
/// does not lower the global limit, and the requests to all other upstreams go on. The upstream has a limit of its own,
/// inside, which judges by the time that the upstream takes:
///
/// ```text
/// global { auth => match route {
///     Route::A => elsewhere { limit_a { proxy_a } },
///     Route::B => elsewhere { limit_b { proxy_b } },
/// } }
/// ```
///
/// # Contract
///
/// - **Elsewhere** is the time between a poll in which the block was pending and the wake that follows it. The
///   computations of the block, and the time from a wake to the next poll, are the gateway's own. That time grows when
///   the processor has too much to do.
/// - Events in the block do not count for the limits around it: a [`Deadline`](crate::around::Deadline) that expires in
///   it, or an `Adaptive` that turns away.
/// - If something inside of the outer limit abandons the block, such as a `Deadline`, the waiting counts up to that
///   moment.
/// - A request is still in flight while it is elsewhere. The global limit grows as long as its own time stays good, and
///   the limit's maximum bounds the memory.
/// - It never gives up. Outside of a limit it only passes polls on.
///
/// Nothing is allocated after as many wakers were made as blocks are elsewhere at once; 1,024 are kept.
pub struct Elsewhere<T = TokioTimer> {
    timer: T,
    began: Instant,
    spare: Mutex<Vec<Stamped<T>>>,
}

/// How many wakers are kept.
const SPARE: usize = 1024;

/// A waker that notes when it was first used.
struct Stamp<T> {
    timer: T,
    began: Instant,
    /// In nanoseconds since `began`, plus one; 0 if it was not used.
    woken: AtomicU64,
    wakes: Mutex<Option<Waker>>,
}

/// A stamp, and a waker of it.
struct Stamped<T> {
    stamp: Arc<Stamp<T>>,
    waker: Waker,
}

impl Elsewhere {
    /// Uses tokio's clock.
    #[must_use]
    pub fn new() -> Self {
        Self::new_on(TokioTimer)
    }
}

impl Default for Elsewhere {
    fn default() -> Self {
        Self::new()
    }
}

#[node(crate = crate)]
impl<T: Timer + Clone + Send + Sync + 'static> Elsewhere<T> {
    /// The same as [`new`](Elsewhere::new), with another clock.
    #[must_use]
    pub fn new_on(timer: T) -> Self {
        Self { began: timer.now(), timer, spare: Mutex::default() }
    }

    /// Polls the block. See [`Elsewhere`].
    pub async fn around<B: Future>(&self, mut block: Pin<&mut B>) -> B::Output {
        let mut away = Away { node: self, whose: None, stamped: None, since: None };
        poll_fn(|context| away.poll(block.as_mut(), context)).await
    }
}

impl<T: Timer + Clone + Send + Sync + 'static> Elsewhere<T> {
    fn stamped(&self) -> Stamped<T> {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        spare.unwrap_or_else(|| {
            let (timer, began) = (self.timer.clone(), self.began);
            let stamp = Arc::new(Stamp { timer, began, woken: AtomicU64::new(0), wakes: Mutex::new(None) });
            Stamped { waker: Waker::from(Arc::clone(&stamp)), stamp }
        })
    }
}

impl<T> Elsewhere<T> {
    fn take_back(&self, stamped: Stamped<T>) {
        drop(stamped.stamp.set(None));
        // Code that still holds a waker of this stamp would wake another block than the one it means.
        if Arc::strong_count(&stamped.stamp) > 2 {
            return;
        }
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < SPARE {
            spare.push(stamped);
        }
    }
}

impl<T> Stamp<T> {
    fn set(&self, waker: Option<Waker>) -> Option<Waker> {
        let mut wakes = self.wakes.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*wakes, &waker) {
            (Some(known), Some(waker)) if known.will_wake(waker) => None,
            _ => core::mem::replace(&mut *wakes, waker),
        }
    }
}

impl<T: Timer + Send + Sync + 'static> Wake for Stamp<T> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let since = self.timer.now().saturating_duration_since(self.began).as_nanos();
        let stamp = u64::try_from(since).unwrap_or(u64::MAX).saturating_add(1);
        let _ = self.woken.compare_exchange(0, stamp, Relaxed, Relaxed);
        // It is called without the lock, since it runs code of others.
        let wakes = self.wakes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(waker) = wakes {
            waker.wake();
        }
    }
}

/// A block that is elsewhere, or will be.
struct Away<'a, T: Timer> {
    node: &'a Elsewhere<T>,
    /// The run that the time is added to.
    whose: Option<usize>,
    stamped: Option<Stamped<T>>,
    /// The time since which the block has been pending.
    since: Option<Instant>,
}

impl<T: Timer + Clone + Send + Sync + 'static> Away<'_, T> {
    fn poll<B: Future>(&mut self, block: Pin<&mut B>, context: &mut Context<'_>) -> Poll<B::Output> {
        self.whose = own::whose();
        if self.whose.is_none() {
            self.since = None;
            return block.poll(context);
        }
        self.note();
        let stamped = self.stamped.get_or_insert_with(|| self.node.stamped());
        drop(stamped.stamp.set(Some(context.waker().clone())));
        // This comes before the poll, so that a wake during the poll is not lost.
        stamped.stamp.woken.store(0, Relaxed);
        let polled = own::hidden(|| block.poll(&mut Context::from_waker(&stamped.waker)));
        if polled.is_pending() {
            let now = self.node.timer.now();
            self.since = Some(now);
            own::waits_elsewhere(now);
        }
        polled
    }
}

impl<T: Timer> Away<'_, T> {
    /// Adds the time from the last poll to the wake of the block.
    fn note(&mut self) {
        let (Some(whose), Some(since), Some(stamped)) = (self.whose, self.since.take(), &self.stamped) else { return };
        let until = match stamped.stamp.woken.load(Relaxed) {
            0 => self.node.timer.now(),
            stamp => self.node.began + Duration::from_nanos(stamp - 1),
        };
        own::add_elsewhere(whose, since, until);
    }
}

impl<T: Timer> Drop for Away<'_, T> {
    fn drop(&mut self) {
        self.note();
        if let Some(stamped) = self.stamped.take() {
            self.node.take_back(stamped);
        }
    }
}

impl<T> fmt::Debug for Elsewhere<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Elsewhere").finish_non_exhaustive()
    }
}
