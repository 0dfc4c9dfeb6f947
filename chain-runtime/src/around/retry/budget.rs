//! The budget that pays for retries.

use core::fmt;
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::SeqCst;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The price of a retry. A deposit is a share of it, in thousandths.
const RETRY: i32 = 1000;
/// The number of slices into which the time to live is divided: deposits expire slice by slice.
const SLICES: u32 = 10;

/// Keeps retries to a share of the requests, so that an upstream in trouble does not get a multiple of its load.
///
/// It works as Finagle's `RetryBudget` does. Each request deposits a share of a retry when it begins; each retry
/// withdraws a whole one. A deposit counts for a time to live, and a withdrawal counts against the budget for as long:
/// the balance is a sum over that window. In addition there is a reserve of so many retries for each second of the
/// window, for programs that have just begun or send little.
///
/// Clones are the same budget. Nothing in it locks; deposits and withdrawals are atomic changes of ten words. Under
/// contention a withdrawal may be refused that would just have been covered. An uncovered one is never granted.
///
/// ```
/// use std::time::{Duration, Instant};
///
/// use chain_runtime::around::Budget;
///
/// // One retry for two requests of the last ten seconds, and no others.
/// let budget = Budget::new(Duration::from_secs(10), 0, 0.5);
/// let now = Instant::now();
/// budget.deposit(now);
/// assert!(!budget.withdraw(now));
/// budget.deposit(now);
/// assert!(budget.withdraw(now));
/// assert!(!budget.withdraw(now));
/// ```
#[derive(Clone)]
pub struct Budget {
    account: Arc<Account>,
}

struct Account {
    began: Instant,
    /// The length of a slice. It is at least 100 ms, so that a `u32` can count them.
    slice: Duration,
    reserve: i64,
    share: i32,
    /// The deposits less the withdrawals, in each of the last slices. Slice `n` is at `n % SLICES`, and says that it is
    /// `n`. An older value counts as 0, and is overwritten when its turn comes. So nothing has to be cleared when time
    /// passes.
    slices: [AtomicU64; SLICES as usize],
}

impl Budget {
    /// `share` of a retry for each request of the last `time_to_live`, and `per_second` retries more for each second.
    ///
    /// # Panics
    ///
    /// Unless `time_to_live` is from 1 s to 60 s, and `share` from 0 to 1000. The share is kept to a thousandth.
    #[must_use]
    pub fn new(time_to_live: Duration, per_second: u32, share: f64) -> Self {
        assert!(
            (Duration::from_secs(1)..=Duration::from_secs(60)).contains(&time_to_live),
            "a deposit lives for 1 s to 60 s"
        );
        assert!((0.0..=1000.0).contains(&share), "the share of requests that may be tried again is from 0 to 1000");
        let window = i64::try_from(time_to_live.as_millis()).unwrap_or(i64::MAX);
        let account = Account {
            began: Instant::now(),
            slice: time_to_live / SLICES,
            // A retry costs as many units as a second has milliseconds.
            reserve: i64::from(per_second) * window,
            share: (share * f64::from(RETRY)).round() as i32,
            slices: [const { AtomicU64::new(0) }; SLICES as usize],
        };
        Self { account: Arc::new(account) }
    }

    /// Counts a request. All calls have to take `now` from the same clock.
    pub fn deposit(&self, now: Instant) {
        let account = &*self.account;
        account.add(account.slice(now), account.share);
    }

    /// Takes one retry, if there is one. `false` means that there is none.
    #[must_use = "without it, no retry is covered"]
    pub fn withdraw(&self, now: Instant) -> bool {
        self.begin_withdrawal(now).map(Withdrawal::spend).is_some()
    }

    /// How many retries there are.
    #[must_use]
    pub fn balance(&self, now: Instant) -> u64 {
        let account = &*self.account;
        u64::try_from(account.balance(account.slice(now)) / i64::from(RETRY)).unwrap_or(0)
    }

    /// Takes one retry, if there is one. It goes back unless it is spent.
    pub(super) fn begin_withdrawal(&self, now: Instant) -> Option<Withdrawal<'_>> {
        let account = &*self.account;
        let slice = account.slice(now);
        if account.balance(slice) < i64::from(RETRY) {
            return None;
        }
        // The retry is taken first, and the balance is read again after that. Of several threads that take at once,
        // each sees those that took before it (all of this is `SeqCst`). So what they took together is covered if the
        // last of them finds it covered.
        let withdrawal = account.add(slice, -RETRY).then_some(Withdrawal { account, slice })?;
        (account.balance(slice) >= 0).then_some(withdrawal)
    }
}

impl Account {
    fn slice(&self, now: Instant) -> u32 {
        let slices = now.saturating_duration_since(self.began).as_nanos() / self.slice.as_nanos();
        u32::try_from(slices).unwrap_or(u32::MAX)
    }

    fn balance(&self, now: u32) -> i64 {
        let counts = |slice: u32| u64::from(slice) + u64::from(SLICES) > u64::from(now);
        let in_window = self.slices.iter().map(|word| unpack(word.load(SeqCst)));
        self.reserve + in_window.filter(|(slice, _)| counts(*slice)).map(|(_, sum)| i64::from(sum)).sum::<i64>()
    }

    /// `false` if it comes too late, when its slice is not kept any more, or if the slice is full.
    fn add(&self, slice: u32, units: i32) -> bool {
        self.slices[(slice % SLICES) as usize]
            .fetch_update(SeqCst, SeqCst, |word| match unpack(word) {
                (newer, _) if newer > slice => None,
                (same, sum) if same == slice => sum.checked_add(units).map(|sum| pack(slice, sum)),
                _ => Some(pack(slice, units)),
            })
            .is_ok()
    }
}

fn pack(slice: u32, sum: i32) -> u64 {
    u64::from(slice) << 32 | u64::from(sum as u32)
}

fn unpack(word: u64) -> (u32, i32) {
    ((word >> 32) as u32, word as u32 as i32)
}

/// One retry that was taken. It goes back when this is dropped.
pub(super) struct Withdrawal<'a> {
    account: &'a Account,
    slice: u32,
}

impl Withdrawal<'_> {
    /// The retry does not go back.
    pub(super) fn spend(self) {
        core::mem::forget(self);
    }
}

impl Drop for Withdrawal<'_> {
    fn drop(&mut self) {
        self.account.add(self.slice, RETRY);
    }
}

impl Default for Budget {
    /// Finagle's: one retry for five requests of the last 10 s, and 10 for each second.
    fn default() -> Self {
        Self::new(Duration::from_secs(10), 10, 0.2)
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Account { slice, reserve, share, .. } = &*self.account;
        f.debug_struct("Budget")
            .field("time_to_live", &(*slice * SLICES))
            .field("reserve", &(reserve / i64::from(RETRY)))
            .field("share", &(f64::from(*share) / f64::from(RETRY)))
            .finish_non_exhaustive()
    }
}
