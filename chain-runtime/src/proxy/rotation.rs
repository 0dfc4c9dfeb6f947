//! [`Rotation`]: upstreams that take turns, and no more than that.

use core::fmt;
use core::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use core::time::Duration;
use std::boxed::Box;
use std::time::Instant;
use std::vec::Vec;

use http::request::Parts;

use super::pick::{Outcome, Pick, Turn};
use super::upstream::Upstream;
use crate::around::Deadline;

/// How long an upstream that failed is not asked, the first time and at most. Each failure in a row doubles it.
const REST: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// This many replies in a row that say that a gateway or a service failed (502, 503, 504) count as a failure.
const TROUBLED: u32 = 5;

/// Upstreams that take turns. An upstream that failed rests for a while, unless all of its group rest.
///
/// - An upstream fails if it refuses a connection, breaks off, sends a malformed reply, or is silent for too long. It
///   also fails if a [`Deadline`](crate::around::Deadline) around the node ends the wait for it.
/// - The first rest takes 500 ms. Each one after another failure in a row takes twice as long, at most 30 s. A reply
///   ends the row.
/// - If all rest, all take turns, because some upstream has to be asked.
///
/// Picking takes no lock and allocates nothing.
///
/// This is for a fixed group without the feature `upstream`. With that feature, a `upstream::Pick` of a registry's
/// members does all of this and more: its members change while it runs, and it picks by load.
///
/// ```
/// use chain_runtime::proxy::{Pick, Rotation, Turn, Outcome};
///
/// let group = Rotation::new(["http://10.0.0.1:80".parse()?, "http://10.0.0.2:80".parse()?]);
/// let (request, ()) = http::Request::new(()).into_parts();
/// let first = group.pick(&request, &mut ()).unwrap();
/// assert_eq!(first.upstream().to_string(), "http://10.0.0.1:80");
/// first.ended(Outcome::Failed);
/// for _ in 0..5 {
///     assert_eq!(group.pick(&request, &mut ()).unwrap().upstream().to_string(), "http://10.0.0.2:80");
/// }
/// # Ok::<(), String>(())
/// ```
#[derive(Debug)]
pub struct Rotation {
    members: Box<[Member]>,
    turn: AtomicUsize,
    since: Instant,
}

#[derive(Debug)]
struct Member {
    upstream: Upstream,
    /// In milliseconds since the group was made.
    rests_until: AtomicU64,
    /// Failures in a row.
    failures: AtomicU32,
    /// Replies in a row that say that a gateway or a service failed.
    troubled: AtomicU32,
}

impl Rotation {
    /// A group of these.
    pub fn new(upstreams: impl IntoIterator<Item = Upstream>) -> Self {
        let member = |upstream| Member {
            upstream,
            rests_until: AtomicU64::new(0),
            failures: AtomicU32::new(0),
            troubled: AtomicU32::new(0),
        };
        Self {
            members: upstreams.into_iter().map(member).collect::<Vec<_>>().into(),
            turn: AtomicUsize::new(0),
            since: Instant::now(),
        }
    }

    /// The upstreams.
    pub fn upstreams(&self) -> impl Iterator<Item = &Upstream> {
        self.members.iter().map(|member| &member.upstream)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Pick for Rotation {
    type Turn<'a> = Rotated<'a>;
    /// An upstream that refused a connection rests, so nothing has to be remembered.
    type Tried = ();

    fn pick(&self, _: &Parts, (): &mut ()) -> Option<Rotated<'_>> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let count = self.members.len();
        let first = turn.checked_rem(count)?;
        // The clock is read only if an upstream has failed lately.
        let rests = |member: &Member| member.rests_until.load(Ordering::Relaxed) != 0;
        let mut chosen = first;
        if self.members.iter().any(rests) {
            let now = self.now();
            let awake = |at: &usize| self.members[*at].rests_until.load(Ordering::Relaxed) <= now;
            chosen = (0..count).map(|index| (first + index) % count).find(awake).unwrap_or(first);
        }
        Some(Rotated { group: self, member: &self.members[chosen], until: Deadline::current(), is_told: false })
    }

    fn tries(&self, _: &Parts) -> usize {
        self.members.len()
    }
}

impl fmt::Display for Rotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, member) in self.members.iter().enumerate() {
            write!(f, "{}{}", if at == 0 { "" } else { " " }, member.upstream)?;
        }
        Ok(())
    }
}

/// The turn of an upstream of a [`Rotation`].
#[derive(Debug)]
pub struct Rotated<'a> {
    group: &'a Rotation,
    member: &'a Member,
    /// The deadline of the try.
    until: Option<Instant>,
    is_told: bool,
}

impl Rotated<'_> {
    fn rest(&self) {
        let before = self.member.failures.fetch_add(1, Ordering::Relaxed).min(16);
        let rest = REST.0.saturating_mul(1 << before).min(REST.1);
        let until = self.group.now().saturating_add(u64::try_from(rest.as_millis()).unwrap_or(u64::MAX));
        self.member.rests_until.store(until.max(1), Ordering::Relaxed);
    }

    fn recovered(&self) {
        if self.member.failures.load(Ordering::Relaxed) != 0 {
            self.member.failures.store(0, Ordering::Relaxed);
            self.member.rests_until.store(0, Ordering::Relaxed);
        }
    }
}

impl Turn for Rotated<'_> {
    fn upstream(&self) -> &Upstream {
        &self.member.upstream
    }

    fn ended(mut self, outcome: Outcome) {
        self.is_told = true;
        match outcome {
            Outcome::Replied { status, .. } if matches!(status.as_u16(), 502..=504) => {
                if self.member.troubled.fetch_add(1, Ordering::Relaxed) + 1 >= TROUBLED {
                    self.rest();
                }
            }
            Outcome::Replied { .. } => {
                if self.member.troubled.load(Ordering::Relaxed) != 0 {
                    self.member.troubled.store(0, Ordering::Relaxed);
                }
                self.recovered();
            }
            Outcome::Failed | Outcome::TimedOut => self.rest(),
            Outcome::Client => {}
        }
    }
}

impl Drop for Rotated<'_> {
    fn drop(&mut self) {
        // The try was abandoned. Its deadline tells whose fault that was.
        if !self.is_told && self.until.is_some_and(|until| until <= Instant::now()) {
            self.rest();
        }
    }
}
