//! [`Alarm`]: a timer that one request after another uses.

use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use std::boxed::Box;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Wake;

use tokio::task::coop::unconstrained;
use tokio::time::{Instant, Sleep, sleep_until};

use super::server::Here;

/// Wakes who waits when it is late.
///
/// A timer of its own for each request takes more than all the rest of waiting: it is put into the runtime's wheel and
/// taken out again, though nearly every reply comes long before its time. This one stays in the wheel. When a request
/// begins to wait, its time is later than that of the requests before it. So the timer goes off too early, sees that,
/// and is set anew: once in the time of a whole wait, and not once for a request.
#[derive(Default)]
pub(super) struct Alarm(Option<Set>);

struct Set {
    /// Whose runtime drives the timer. The memory of requests goes from one worker to another.
    by: Here,
    at: Instant,
    sleep: Pin<Box<Sleep>>,
    bell: Arc<Bell>,
    rings: Waker,
}

/// Who is woken. The timer knows the bell, and nothing of the requests that wait one after another.
#[derive(Default)]
struct Bell(Mutex<Option<Waker>>);

impl Bell {
    fn lock(&self) -> MutexGuard<'_, Option<Waker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let waits = self.lock().take();
        if let Some(waker) = waits {
            waker.wake();
        }
    }
}

impl Set {
    fn new(at: Instant) -> Self {
        let bell = Arc::<Bell>::default();
        let rings = Waker::from(Arc::clone(&bell));
        let mut set = Self { by: Here::new(), at, sleep: Box::pin(sleep_until(at)), bell, rings };
        set.to(at);
        set
    }

    fn to(&mut self, at: Instant) {
        self.at = at;
        self.sleep.as_mut().reset(at);
        // This leaves the bell with the timer. The task's budget must not prevent that.
        let polled = unconstrained(poll_fn(|context| self.sleep.as_mut().poll(context)));
        let _ = pin!(polled).poll(&mut Context::from_waker(&self.rings));
    }
}

impl Alarm {
    /// Ready when it is that late. Until then the task is woken at that time, and perhaps earlier.
    pub(super) fn poll(&mut self, due: Instant, context: &mut Context<'_>) -> Poll<()> {
        let set = match &mut self.0 {
            Some(set) if set.by.is_here() => set,
            other => other.insert(Set::new(due)),
        };
        if set.at > due {
            set.to(due);
        }
        // This comes before the look at the timer: if it goes off in between, it finds the waker.
        match &mut *set.bell.lock() {
            Some(waits) => waits.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        while set.sleep.is_elapsed() {
            if Instant::now() >= due {
                return Poll::Ready(());
            }
            set.to(due);
        }
        Poll::Pending
    }

    /// Nobody waits any more.
    pub(super) fn forget(&mut self) {
        if let Some(set) = &self.0 {
            let waits = set.bell.lock().take();
            drop(waits);
        }
    }
}

#[cfg(test)]
mod tests {
    use core::future::poll_fn;
    use core::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Waits until this much later with the alarm, but no longer than for ten seconds. Returns how long that was.
    async fn waits(alarm: &mut Alarm, by: Duration) -> Duration {
        let begun = Instant::now();
        let _ = timeout(10 * SECOND, poll_fn(|context| alarm.poll(begun + by, context))).await;
        begun.elapsed().max(Duration::from_millis(1))
    }

    #[tokio::test(start_paused = true)]
    async fn each_wait_has_its_own_time_whatever_was_waited_for_before() {
        let mut alarm = Alarm::default();
        for (by, is_ended_after) in [(5, 5), (60, 10), (3, 3), (4, 4), (20, 10), (8, 8), (8, 8), (1, 1)] {
            let took = waits(&mut alarm, by * SECOND).await;
            assert_eq!(took.as_secs(), is_ended_after, "{by} s");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_later_wait_is_not_cut_short_by_the_time_of_one_that_was_given_up() {
        let mut alarm = Alarm::default();
        let (first, begun) = (Instant::now() + 5 * SECOND, Instant::now());
        assert!(poll_fn(|context| Poll::Ready(alarm.poll(first, context))).await.is_pending());
        tokio::time::advance(4 * SECOND).await;
        let second = Instant::now() + 5 * SECOND;
        poll_fn(|context| alarm.poll(second, context)).await;
        assert_eq!(begun.elapsed().as_secs(), 9);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_kept_of_one_that_does_not_wait_any_more() {
        struct Task;
        impl Wake for Task {
            fn wake(self: Arc<Self>) {}
        }
        let (mut alarm, task) = (Alarm::default(), Arc::new(Task));
        let waker = Waker::from(Arc::clone(&task));
        let due = Instant::now() + SECOND;
        assert!(alarm.poll(due, &mut Context::from_waker(&waker)).is_pending());
        drop(waker);
        assert_eq!(Arc::strong_count(&task), 2);
        alarm.forget();
        assert_eq!(Arc::strong_count(&task), 1);
    }

    #[test]
    fn an_alarm_whose_runtime_has_ended_is_made_anew() {
        let mut alarm = Alarm::default();
        for _ in 0..2 {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
            let took = runtime.expect("a runtime").block_on(waits(&mut alarm, 2 * SECOND));
            assert_eq!(took.as_secs(), 2);
        }
    }
}
