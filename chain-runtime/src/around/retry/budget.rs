//! What retries are paid from.

use core::fmt;
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::SeqCst;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a retry costs. A deposit is a share of it, in thousandths.
const RETRY: i32 = 1000;
/// Into how many slices the time to live is divided: what was deposited goes slice by slice.
const SLICES: u32 = 10;

/// Keeps retries to a share of the requests, so that an upstream in trouble is not given a multiple of its load.
///
/// It works as Finagle's `RetryBudget` does. Each request deposits a share of a retry when it begins; each retry withdraws a whole
/// one. What was deposited is good for a time to live, and so is what was withdrawn held against the budget: the balance is a sum over that
/// window. On top of it stands a reserve of so many retries for each second of the window, for those that have just begun or
/// send little.
///
/// Clones are the same budget. Nothing in it locks; deposits and withdrawals are atomic changes of ten words. Under contention a withdrawal may be
/// refused that would just have been covered, and none is ever granted that is not.
///
/// ```
/// use std::time::{Duration, Instant};
///
/// use chain_runtime::around::Budget;
///
/// // One retry for two requests of the last ten seconds, and none besides.
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
    /// How long a slice is. At least 100 ms, so that there are never more than a `u32` can count.
    slice: Duration,
    reserve: i64,
    share: i32,
    /// What was deposited, less what was withdrawn, in each of the last slices. Slice `n` is at `n % SLICES`, and says that it is
    /// `n`: what is older counts as 0, and is overwritten when its turn comes. So nobody has to clear up behind the time.
    slices: [AtomicU64; SLICES as usize],
}

impl Budget {
    /// `share` of a retry for each request of the last `time_to_live`, and `per_second` more.
    ///
    /// # Panics
    ///
    /// Unless `time_to_live` is from 1 s to 60 s, and `share` from 0 to 1000; it is kept to a thousandth.
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

    /// Counts a request. `now` is the same clock's for all calls.
    pub fn deposit(&self, now: Instant) {
        let account = &*self.account;
        account.add(account.slice(now), account.share);
    }

    /// Takes one retry, if there is one: `false` means that there is none.
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

    /// Takes one retry, if there is one, that goes back unless it is spent.
    pub(super) fn begin_withdrawal(&self, now: Instant) -> Option<Withdrawal<'_>> {
        let account = &*self.account;
        let slice = account.slice(now);
        if account.balance(slice) < i64::from(RETRY) {
            return None;
        }
        // Taken first, and looked at again then: of several that take at once, each sees those that took before it (all
        // of this is `SeqCst`), so what they took together is covered when the last of them finds it is.
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

    /// `false` where it comes too late, as its slice is not kept any more, or is full.
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
    /// It does not go back.
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
