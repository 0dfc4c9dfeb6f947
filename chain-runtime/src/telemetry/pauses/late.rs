//! Finds polls that come late.

use core::convert::Infallible;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Wake;

use super::Ledger;
use crate::around::Timer;
use crate::telemetry::Clock;

pin_project_lite::pin_project! {
    /// A future that notes when it was woken. If its poll then comes late, it tells the [`Ledger`] of the polling
    /// thread.
    ///
    /// Put it around a spawned future: a connection, a task. It allocates once, when it is made. Each poll then costs
    /// two readings of the clock, and each wake one. It measures the time from the first wake to the poll that follows,
    /// without the time in which this future itself was running.
    ///
    /// It does not see a timer that fires late, since the wake is late as well. [`lag`] sees that.
    #[derive(Debug)]
    pub struct Woken<F, C: Clock> {
        #[pin]
        future: F,
        ledger: Arc<Ledger<C>>,
        note: Arc<Note<C>>,
        waker: Waker,
        // The end of the last poll.
        left: u64,
    }
}

/// The waker that notes the time.
#[derive(Debug)]
struct Note<C> {
    clock: C,
    /// When the task was woken, in ticks; 0 if it was not woken since its last poll.
    woken: AtomicU64,
    /// The runtime's waker.
    wakes: Mutex<Waker>,
}

impl<C: Clock> Wake for Note<C> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // The first of several wakes counts. It is noted before the runtime is told, since the runtime's poll reads it.
        let _ = self.woken.compare_exchange(0, self.clock.now().max(1), Relaxed, Relaxed);
        let waker = self.wakes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        waker.wake();
    }
}

impl<F, C: Clock> Woken<F, C> {
    /// Notes for `ledger` when `future` is woken.
    pub fn new(future: F, ledger: Arc<Ledger<C>>) -> Self {
        let clock = ledger.clock().clone();
        let note = Arc::new(Note { clock, woken: AtomicU64::new(0), wakes: Mutex::new(Waker::noop().clone()) });
        Self { future, ledger, waker: note.clone().into(), note, left: 0 }
    }
}

impl<F: Future, C: Clock> Future for Woken<F, C> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        // The runtime's waker is in place before the note of the wake is taken, so that a wake that comes now reaches
        // the runtime.
        this.note.wakes.lock().unwrap_or_else(PoisonError::into_inner).clone_from(context.waker());
        let woken = this.note.woken.swap(0, Relaxed);
        if woken != 0 {
            // A wake during the last poll could not be answered before that poll was over.
            this.ledger.late(woken.max(*this.left), this.ledger.clock().now());
        }
        let polled = this.future.poll(&mut Context::from_waker(this.waker));
        *this.left = this.ledger.clock().now();
        polled
    }
}

/// A probe: it sleeps for `every`, and tells the ledger if it is polled late. Spawn it on a runtime. It ends when it is
/// dropped.
///
/// It measures the thread that polls it, and so, by inference, whatever else runs there. Timers have a resolution of a
/// millisecond, which is subtracted. On a runtime of several threads, each thread is measured when the probe comes to
/// it.
pub async fn lag<C: Clock, T: Timer>(ledger: Arc<Ledger<C>>, timer: T, every: Duration) -> Infallible {
    let clock = ledger.clock().clone();
    let slept = clock.ticks(every.saturating_add(Duration::from_millis(1)));
    loop {
        let began = clock.now();
        timer.sleep_until(timer.now() + every).await;
        let (due, now) = (began.saturating_add(slept), clock.now());
        if now > due {
            ledger.watch().late_by_probe(due, now);
        }
    }
}
