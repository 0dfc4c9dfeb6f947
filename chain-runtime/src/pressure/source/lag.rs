//! The time that the runtime takes from a wake to the poll.

use core::convert::Infallible;
use core::future::poll_fn;
use core::task::Poll;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use super::{Fault, Reading, Source, Unit};
use crate::pressure::Thresholds;

/// Timers of tokio have a resolution of a millisecond.
const TIMER: Duration = Duration::from_millis(1);

const FAR: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 30);

/// The time from a wake to the poll that follows it: how long a task that is ready waits in the runtime's queue, in
/// seconds.
///
/// A [`Probe`] on the runtime measures it, several times between two samples. The value is the mean of these, as DAGOR
/// takes the mean of its queue's waiting times: one hiccup is not a queue. If the probe itself waits longer than that
/// to be polled, that time is the value. So a runtime that does not poll at all is noticed, too, but only by a sampler
/// that is not on it: [`Sampler::on_thread`](crate::pressure::Sampler::on_thread).
///
/// The thresholds are 20, 50 and 200 ms.
#[derive(Clone, Debug)]
pub struct Lag(Arc<Noted>);

/// The reports of the probe. Times are nanoseconds since `began`.
#[derive(Debug)]
struct Noted {
    began: Instant,
    sum: AtomicU64,
    count: AtomicU64,
    /// When the probe should have been polled; [`IDLE`]: it is not waiting; [`GONE`]: there is none.
    due: AtomicU64,
}

const IDLE: u64 = u64::MAX;
const GONE: u64 = u64::MAX - 1;

impl Lag {
    /// The source and its probe. The probe has to be spawned on the runtime that it is to measure.
    ///
    /// ```
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    /// # runtime.block_on(async {
    /// use std::time::Duration;
    ///
    /// use chain_runtime::pressure::source::Lag;
    ///
    /// let (lag, probe) = Lag::new();
    /// tokio::spawn(probe.run(Duration::from_millis(20)));
    /// # });
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn new() -> (Self, Probe) {
        let noted = Arc::new(Noted {
            began: Instant::now(),
            sum: AtomicU64::new(0),
            count: AtomicU64::new(0),
            due: AtomicU64::new(IDLE),
        });
        (Self(noted.clone()), Probe(noted))
    }
}

impl Noted {
    fn nanos(&self, at: Instant) -> u64 {
        nanos(at.saturating_duration_since(self.began))
    }

    fn add(&self, lag: Duration) {
        self.sum.fetch_add(nanos(lag), Relaxed);
        self.count.fetch_add(1, Relaxed);
    }
}

fn nanos(time: Duration) -> u64 {
    // The number is large enough for 500 years.
    u64::try_from(time.as_nanos()).unwrap_or(GONE - 1).min(GONE - 1)
}

impl Source for Lag {
    fn name(&self) -> &'static str {
        "lag"
    }

    fn unit(&self) -> Unit {
        Unit::Seconds
    }

    fn thresholds(&self) -> Thresholds {
        Thresholds::new([0.020, 0.050, 0.200], [0.010, 0.030, 0.100])
    }

    /// # Errors
    ///
    /// [`Fault::Unavailable`] if the probe is gone.
    fn read(&mut self, now: Instant) -> Result<Reading, Fault> {
        let waits = match self.0.due.load(Relaxed) {
            GONE => return Err(Fault::Unavailable),
            IDLE => 0,
            due => self.0.nanos(now).saturating_sub(due),
        };
        let mean = self.0.sum.swap(0, Relaxed).checked_div(self.0.count.swap(0, Relaxed)).unwrap_or(0);
        Ok(Reading::of(Duration::from_nanos(mean.max(waits)).as_secs_f64()))
    }
}

/// Measures a [`Lag`]. When it is dropped, the source has no reading any more.
#[derive(Debug)]
pub struct Probe(Arc<Noted>);

impl Probe {
    /// Sleeps for `every`, and notes how late it was woken. Then it wakes itself, and notes how long it waited in the
    /// queue. It ends when it is dropped.
    pub async fn run(self, every: Duration) -> Infallible {
        loop {
            let now = tokio::time::Instant::now();
            // No program runs longer than this.
            let due = now.checked_add(every).unwrap_or(now + FAR);
            let in_time = due.into_std() + TIMER;
            self.0.due.store(self.0.nanos(in_time), Relaxed);
            tokio::time::sleep_until(due).await;
            let woken = tokio::time::Instant::now().into_std();
            self.0.due.store(self.0.nanos(woken), Relaxed);
            yielded().await;
            let polled = tokio::time::Instant::now().into_std();
            self.0.due.store(IDLE, Relaxed);
            self.0.add(woken.saturating_duration_since(in_time) + polled.saturating_duration_since(woken));
        }
    }

    /// Notes a lag that was measured in another way: on another runtime, or by a connection's own wakes.
    pub fn note(&self, lag: Duration) {
        self.0.add(lag);
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.0.due.store(GONE, Relaxed);
    }
}

/// Goes to the end of the runtime's queue and back.
async fn yielded() {
    let mut woken = false;
    poll_fn(|context| {
        if woken {
            return Poll::Ready(());
        }
        woken = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
