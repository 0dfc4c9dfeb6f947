//! Which requests are sent and when, and how they ended.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use chain_runtime::pressure::Priority;

/// How much a request matters. A third of the requests each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Critical,
    Default,
    Sheddable,
}

impl Class {
    pub(crate) const ALL: [Self; 3] = [Self::Critical, Self::Default, Self::Sheddable];

    pub(crate) const fn priority(self) -> Priority {
        Priority::ALL[self as usize]
    }

    /// The value of the field `x-priority`.
    pub(crate) const fn name(self) -> &'static str {
        self.priority().name()
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Due {
    pub at: Duration,
    pub class: Class,
}

/// Requests in the order in which they are due, with gaps as those of independent users (exponential). The same for all that are compared.
pub(crate) struct Plan {
    pub due: Vec<Due>,
    random: fastrand::Rng,
    until: Duration,
}

impl Plan {
    pub(crate) fn new() -> Self {
        Self { due: Vec::new(), random: fastrand::Rng::with_seed(37), until: Duration::ZERO }
    }

    /// Then so many requests a second, for so long.
    pub(crate) fn then(mut self, rate: f64, lasts: Duration) -> Self {
        let mut at = self.until.as_secs_f64();
        self.until += lasts;
        loop {
            at += -(1.0 - self.random.f64()).ln() / rate;
            if at >= self.until.as_secs_f64() {
                return self;
            }
            let class = Class::ALL[self.random.usize(..3)];
            self.due.push(Due { at: Duration::from_secs_f64(at), class });
        }
    }

    pub(crate) const fn lasts(&self) -> Duration {
        self.until
    }
}

/// What became of each request, by its number.
pub(crate) struct Ends(Vec<AtomicU64>);

/// What a client was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    Served,
    TurnedAway,
    /// Something that nobody wants: a broken connection, a client that gave up.
    Failed,
}

impl Ends {
    pub(crate) fn of(plan: &Plan) -> Self {
        Self(plan.due.iter().map(|_| AtomicU64::new(0)).collect())
    }

    pub(crate) fn ended(&self, number: usize, took: Duration, reply: Reply) {
        let kind = match reply {
            Reply::Served => 1,
            Reply::TurnedAway => 2,
            Reply::Failed => 3,
        };
        self.0[number].store((took.as_micros() as u64) << 2 | kind, Relaxed);
    }

    /// How many were served in this stretch of time.
    pub(crate) fn served_between(&self, plan: &Plan, from: Duration, to: Duration) -> f64 {
        let ended = plan.due.iter().enumerate().filter_map(|(number, due)| Some((due.at, self.get(number)?)));
        let served = ended.filter(|(at, (took, reply))| *reply == Reply::Served && (from..to).contains(&(*at + *took)));
        served.count() as f64
    }

    /// `None` where it has not ended.
    fn get(&self, number: usize) -> Option<(Duration, Reply)> {
        let word = self.0[number].load(Relaxed);
        let reply = match word & 3 {
            0 => return None,
            1 => Reply::Served,
            2 => Reply::TurnedAway,
            _ => Reply::Failed,
        };
        Some((Duration::from_micros(word >> 2), reply))
    }
}

/// The requests that were due in a stretch of time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretch {
    /// Replies within the deadline, a second.
    pub goodput: f64,
    /// Milliseconds, of the critical requests that were not turned away. One that never had a reply took `deadline` twice.
    pub critical_p99: f64,
    /// Shares of the requests of a class that were replied to within the deadline.
    pub served: [f64; 3],
    /// The share of all requests that were replied to within the deadline.
    pub good: f64,
}

pub(crate) fn judge(plan: &Plan, ends: &Ends, from: Duration, to: Duration, deadline: Duration) -> Stretch {
    let first = plan.due.partition_point(|due| due.at < from);
    let last = plan.due.partition_point(|due| due.at < to);
    let (mut offered, mut served) = ([0.0; 3], [0.0; 3]);
    let mut critical = Vec::new();
    for number in first..last {
        let class = plan.due[number].class;
        let end = ends.get(number);
        offered[class as usize] += 1.0;
        if matches!(end, Some((took, Reply::Served)) if took <= deadline) {
            served[class as usize] += 1.0;
        }
        if class == Class::Critical && !matches!(end, Some((_, Reply::TurnedAway))) {
            critical.push(match end {
                Some((took, Reply::Served)) => took.as_secs_f64() * 1e3,
                _ => deadline.as_secs_f64() * 2e3,
            });
        }
    }
    critical.sort_by(f64::total_cmp);
    let rank = (critical.len() as f64 * 0.99).ceil() as usize;
    let critical_p99 = critical.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN);
    let shares = std::array::from_fn(|class| if offered[class] > 0.0 { served[class] / offered[class] } else { 1.0 });
    let (all, good) = (offered.iter().sum::<f64>(), served.iter().sum::<f64>());
    Stretch {
        goodput: good / (to - from).as_secs_f64(),
        critical_p99,
        served: shares,
        good: if all > 0.0 { good / all } else { 1.0 },
    }
}

/// A window of a run in time.
const WINDOW: Duration = Duration::from_millis(200);
/// So many good windows in a row are no accident.
const IN_A_ROW: usize = 5;

/// Seconds from the end of a burst until five windows of 200 ms in a row are as the time before it: nine tenths as many of their requests are replied
/// to within the deadline, and the slowest tenth begins no later than twice the calm p99. `None`: not while it was watched.
pub(crate) fn recovered(plan: &Plan, ends: &Ends, calm: Duration, after: Duration, deadline: Duration) -> Option<f64> {
    let before = judge(plan, ends, Duration::ZERO, calm, deadline);
    let mut row = 0;
    let mut at = after;
    while at + WINDOW <= plan.lasts() {
        let now = judge(plan, ends, at, at + WINDOW, deadline);
        let slow = slowest_tenth(plan, ends, at, at + WINDOW) <= 2.0 * before.critical_p99;
        row = if now.good >= 0.9 * before.good && slow { row + 1 } else { 0 };
        at += WINDOW;
        if row == IN_A_ROW {
            return Some((at - WINDOW * IN_A_ROW as u32 - after).as_secs_f64());
        }
    }
    None
}

/// Milliseconds, of what was let in.
fn slowest_tenth(plan: &Plan, ends: &Ends, from: Duration, to: Duration) -> f64 {
    let first = plan.due.partition_point(|due| due.at < from);
    let last = plan.due.partition_point(|due| due.at < to);
    let served = (first..last).filter_map(|number| ends.get(number)).filter(|(_, reply)| *reply == Reply::Served);
    let mut took: Vec<_> = served.map(|(took, _)| took).collect();
    took.sort();
    took.get(took.len() * 9 / 10).map_or(0.0, |took| took.as_secs_f64() * 1e3)
}

/// Goodput over time, in steps of this length: for the picture.
pub(crate) fn course(plan: &Plan, ends: &Ends, step: Duration, deadline: Duration) -> Vec<(f64, f64)> {
    let steps = plan.lasts().as_millis() / step.as_millis();
    (0..steps as u32)
        .map(|index| {
            let from = step * index;
            (from.as_secs_f64(), judge(plan, ends, from, from + step, deadline).goodput)
        })
        .collect()
}
