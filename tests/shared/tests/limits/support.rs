use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chain_runtime::nodes::shared_rate_limit::{
    Bound, Closed, Limited, Quota, SharedRateLimit, TooManyRequests, Trouble, WhenAway,
};
use chain_runtime::shared::{Redis, Settings};

/// Machines in all tests.
pub(crate) const MACHINES: u32 = 3;

/// A limit as the tests have it.
pub(crate) type Limit<A> = SharedRateLimit<String, A>;

pub(crate) fn number(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap()
}

pub(crate) fn quota(rate: u32, burst: u32) -> Quota {
    Quota::per_second(number(rate), number(MACHINES)).burst(number(burst))
}

/// A machine with a connection of its own, that is up.
pub(crate) async fn machine(url: &str) -> Redis {
    let redis = Redis::start(settings(url));
    up(&redis).await;
    redis
}

/// As a busy machine of tests needs it: it waits as long as it may.
pub(crate) fn settings(url: &str) -> Settings {
    Settings::at(url).unwrap().patience(Duration::from_millis(40))
}

pub(crate) async fn up(redis: &Redis) {
    tokio::time::timeout(Duration::from_secs(30), redis.ready()).await.expect("it is up again");
}

/// What the quota says: a machine of tests may be too busy to hear an answer in time, and then there is none yet.
pub(crate) async fn decided<C>(limit: &SharedRateLimit<String, Closed, C>, key: &str) -> Result<(), TooManyRequests>
where
    C: Fn() -> Instant + Clone + Send + Sync + 'static,
{
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        match limit.check(&key.to_owned()).await {
            Ok(()) => return Ok(()),
            Err(Limited::TooMany(too_many)) => return Err(too_many),
            Err(Limited::Away) => assert!(Instant::now() < until, "Redis stays away"),
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// As many machines as there are, each with this limit.
pub(crate) async fn machines<A: WhenAway>(url: &str, quota: Quota) -> Vec<(Redis, Arc<Limit<A>>)> {
    let mut machines = Vec::new();
    for _ in 0..MACHINES {
        let redis = machine(url).await;
        let limit = Arc::new(SharedRateLimit::new(&redis, "by_key", quota).unwrap());
        machines.push((redis, limit));
    }
    machines
}

/// A request that was let through: it was so between these two moments.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Admitted {
    began: Instant,
    ended: Instant,
}

/// What became of a load.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) admitted: Vec<Admitted>,
    pub(crate) refused: usize,
    pub(crate) away: usize,
    /// The longest that a request has taken.
    pub(crate) slowest: Duration,
}

impl Told {
    pub(crate) fn note(&mut self, began: Instant, said: Result<(), Limited>) {
        let ended = Instant::now();
        self.slowest = self.slowest.max(ended - began);
        match said {
            Ok(()) => self.admitted.push(Admitted { began, ended }),
            Err(Limited::TooMany(_)) => self.refused += 1,
            Err(Limited::Away) => self.away += 1,
        }
    }

    pub(crate) fn join(mut self, other: Self) -> Self {
        self.admitted.extend(other.admitted);
        self.refused += other.refused;
        self.away += other.away;
        self.slowest = self.slowest.max(other.slowest);
        self
    }

    pub(crate) fn all(&self) -> usize {
        self.admitted.len() + self.refused + self.away
    }
}

/// How often it is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// So many at once.
    pub(crate) at_once: usize,
    /// Each at random intervals of up to this.
    pub(crate) apart: Duration,
    /// Nobody asks in each second stretch of this length, so that permits are left over and the quota grows beside them.
    pub(crate) stretch: Duration,
    pub(crate) until: Instant,
}

impl Pace {
    pub(crate) fn new(at_once: usize, apart: Duration, time: Duration) -> Self {
        Self { at_once, apart, stretch: Duration::ZERO, until: Instant::now() + time }
    }

    fn rests(&self) -> bool {
        let left = self.until.saturating_duration_since(Instant::now());
        !self.stretch.is_zero() && left.as_nanos() / self.stretch.as_nanos() % 2 == 1
    }
}

/// Asks for this key.
pub(crate) async fn load<A: WhenAway>(limit: Arc<Limit<A>>, key: &str, pace: Pace) -> Told {
    let tasks: Vec<_> = (0..pace.at_once)
        .map(|_| {
            let (limit, key) = (Arc::clone(&limit), key.to_owned());
            tokio::spawn(async move {
                let mut told = Told::default();
                let Pace { apart, until, .. } = pace;
                while Instant::now() < until {
                    if pace.rests() {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                        continue;
                    }
                    let began = Instant::now();
                    let said = limit.check(&key).await;
                    told.note(began, said);
                    match apart.mul_f64(fastrand::f64()) {
                        short if short < Duration::from_micros(500) => tokio::task::yield_now().await,
                        pause => tokio::time::sleep(pause).await,
                    }
                }
                told
            })
        })
        .collect();
    let mut told = Told::default();
    for task in tasks {
        told = told.join(task.await.unwrap());
    }
    told
}

/// The same on all machines at once.
pub(crate) async fn load_all<A: WhenAway>(machines: &[(Redis, Arc<Limit<A>>)], key: &str, pace: Pace) -> Told {
    let loads: Vec<_> = machines
        .iter()
        .map(|(_, limit)| {
            let (limit, key) = (Arc::clone(limit), key.to_owned());
            tokio::spawn(async move { load(limit, &key, pace).await })
        })
        .collect();
    let mut told = Told::default();
    for load in loads {
        told = told.join(load.await.unwrap());
    }
    told
}

/// How far over `rate * t + burst` the worst of all times is; and fails where it is over the bound.
///
/// In a time from `s` to `e` there are those that began at `s` or later and ended at `e` or before, so that each was let through in it.
pub(crate) fn worst(bound: &Bound, trouble: Trouble, told: &Told) -> i64 {
    let Some(first) = told.admitted.iter().map(|one| one.began).min() else { return i64::MIN };
    let since = |at: Instant| at.duration_since(first);
    let mut all: Vec<_> = told.admitted.iter().map(|one| (since(one.ended), since(one.began))).collect();
    all.sort_unstable();
    let mut begins: Vec<_> = all.iter().map(|&(_, began)| began).collect();
    begins.sort_unstable();
    let every = begins.len().div_ceil(500);
    let mut worst = i64::MIN;
    for &start in begins.iter().step_by(every) {
        let mut count = 0_u64;
        for &(ended, began) in all.iter().filter(|&&(_, began)| began >= start) {
            debug_assert!(began <= ended);
            count += 1;
            let time = ended - start;
            let most = bound.admitted_in_trouble(time, trouble);
            assert!(count <= most, "{count} in {time:?}, and {most} is the most: {bound}");
            let plain = bound.admitted(time) - bound.overshoot();
            worst = worst.max(count as i64 - plain as i64);
        }
    }
    worst
}
