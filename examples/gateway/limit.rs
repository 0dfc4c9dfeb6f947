//! How often a user may ask: the generic cell rate algorithm (GCRA), one cell a user.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use chain_runtime::{IntoReply, node};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use http::header::RETRY_AFTER;
use http::{Response, StatusCode};

use super::auth::User;
use super::body::{self, Body};

/// Breaks with 429 once the user's quota is used up. Provides nothing.
#[node]
pub(crate) fn ratelimit(user: &User, limiter: &Limiter) -> Result<(), TooManyRequests> {
    limiter.check(user)
}

type Name = Arc<str>;

/// A quota for each user, by name.
pub(crate) struct Limiter<C: Clock + Clone = DefaultClock> {
    users: RateLimiter<Name, DashMapStateStore<Name>, C, NoOpMiddleware<C::Instant>>,
    clock: C,
}

impl Limiter {
    /// `rate` requests a second in the long run, `burst` at once.
    pub(crate) fn new(rate: NonZeroU32, burst: NonZeroU32) -> Self {
        Self::with_clock(rate, burst, DefaultClock::default())
    }
}

impl<C: Clock + Clone> Limiter<C> {
    pub(crate) fn with_clock(rate: NonZeroU32, burst: NonZeroU32, clock: C) -> Self {
        let quota = Quota::per_second(rate).allow_burst(burst);
        Self { users: RateLimiter::dashmap_with_clock(quota, clock.clone()), clock }
    }

    pub(crate) fn check(&self, user: &User) -> Result<(), TooManyRequests> {
        self.users.check_key(&user.0).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.clock.now());
            TooManyRequests { user: user.clone(), wait }
        })
    }

    /// Forgets the users whose quota is full again, which is what an unknown user has: nothing is lost by it.
    ///
    /// Without this, whoever can make up names fills the memory.
    pub(crate) fn sweep(&self) {
        self.users.retain_recent();
        self.users.shrink_to_fit();
    }

    /// How many users are remembered.
    pub(crate) fn remembered(&self) -> usize {
        self.users.len()
    }
}

/// The user asked too often, and may ask again after this time.
#[derive(Debug)]
pub(crate) struct TooManyRequests {
    user: User,
    wait: Duration,
}

impl IntoReply<Response<Body>> for TooManyRequests {
    fn into_reply(self) -> Response<Body> {
        // The field counts in whole seconds (RFC 9110, 10.2.3); rounded down, the client would come back too early.
        let seconds = self.wait.as_millis().div_ceil(1_000).max(1);
        let mut reply = body::text(StatusCode::TOO_MANY_REQUESTS, "too many requests\n");
        reply.headers_mut().insert(RETRY_AFTER, u64::try_from(seconds).unwrap_or(u64::MAX).into());
        // For the log's line: the node `log`, which would know, is not reached.
        reply.extensions_mut().insert(self.user);
        reply
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn user(name: &str) -> User {
        User(name.into())
    }

    fn limiter(clock: &FakeRelativeClock) -> Limiter<FakeRelativeClock> {
        let number = |number| NonZeroU32::new(number).expect("not nought");
        Limiter::with_clock(number(2), number(3), clock.clone())
    }

    #[test]
    fn a_user_may_ask_again_when_they_were_told_to() {
        let clock = FakeRelativeClock::default();
        let limiter = limiter(&clock);
        let alice = user("alice");
        for _ in 0..3 {
            limiter.check(&alice).expect("a burst of three");
        }
        let TooManyRequests { wait, .. } = limiter.check(&alice).expect_err("a fourth");
        assert_eq!(wait, Duration::from_millis(500));
        clock.advance(wait);
        limiter.check(&alice).expect("two a second");
        limiter.check(&user("bob")).expect("bob has a quota of his own");
    }

    #[test]
    fn who_has_a_full_quota_again_is_forgotten() {
        let clock = FakeRelativeClock::default();
        let limiter = limiter(&clock);
        for name in 0..1_000 {
            limiter.check(&user(&name.to_string())).expect("the first request");
        }
        limiter.sweep();
        assert_eq!(limiter.remembered(), 1_000, "their quotas are not full yet");
        clock.advance(Duration::from_secs(10));
        limiter.check(&user("alice")).expect("the first request");
        limiter.sweep();
        assert_eq!(limiter.remembered(), 1, "alice has just asked");
    }
}
