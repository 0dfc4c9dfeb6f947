//! What happens to a request that is not let in.

use core::error::Error;
use core::fmt;
use core::time::Duration;

use super::priority::Priority;

/// Why a request was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Reason {
    /// As many requests wait as are allowed.
    Full = 0,
    /// It waited as long as is allowed.
    Late = 1,
    /// It waited, and a request that matters more needed its place.
    Outranked = 2,
    /// Its user, or whatever the key is, already has its share of the places, and others have theirs. Only this reason
    /// is the requester's own fault.
    Share = 3,
    /// At this level of pressure its priority is not served.
    Level = 4,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Self; 5] = [Self::Full, Self::Late, Self::Outranked, Self::Share, Self::Level];

    /// `full`, `late`, `outranked`, `share`, `level`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Late => "late",
            Self::Outranked => "outranked",
            Self::Share => "share",
            Self::Level => "level",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A request was not let in: an [`Adaptive`](super::Adaptive) gives up with this.
///
/// As an `http::Response` it is a 503 `overloaded`, or, if the reason is [`Reason::Share`], a 429 `share-used-up`. Both
/// say in `Retry-After` when another try is worth while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TurnedAway {
    /// The reason.
    pub reason: Reason,
    /// The priority of the request.
    pub priority: Priority,
    /// When to try again: at least one second, longer if the queue has not been empty for long, and partly random, so
    /// that not all come back at once.
    pub retry_after: Duration,
}

impl TurnedAway {
    /// `busy` says for how long some request has always been waiting.
    pub(super) fn new(reason: Reason, priority: Priority, busy: Duration) -> Self {
        let spread = busy.as_secs().clamp(1, MAX_SPREAD);
        let retry_after = Duration::from_secs(1 + fastrand::u64(0..=spread));
        Self { reason, priority, retry_after }
    }
}

/// `Retry-After` is at most this many seconds and one.
const MAX_SPREAD: u64 = 15;

impl fmt::Display for TurnedAway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason {
            Reason::Full => f.write_str("too many wait already"),
            Reason::Late => f.write_str("there was no room in time"),
            Reason::Outranked => f.write_str("one that matters more needed the place"),
            Reason::Share => f.write_str("its share of what is there is used up"),
            Reason::Level => write!(f, "the pressure is too high for what is {}", self.priority),
        }
    }
}

impl Error for TurnedAway {}

#[cfg(feature = "http")]
mod reply {
    use http::{Response, StatusCode};

    use super::{Reason, TurnedAway};
    use crate::failure::{Failure, Render};
    use crate::flow::IntoReply;

    /// 503 Service Unavailable, `overloaded`, or 429 Too Many Requests, `share-used-up`; with `Retry-After`.
    impl<B: Render> IntoReply<Response<B>> for TurnedAway {
        #[inline]
        fn into_reply(self) -> Response<B> {
            let failure = match self.reason {
                Reason::Share => {
                    let detail = "too many requests of yours are under way";
                    Failure::new(StatusCode::TOO_MANY_REQUESTS, "share-used-up", detail)
                }
                _ => {
                    let detail = "too many requests are under way";
                    Failure::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail)
                }
            };
            B::render(&failure.retry_after(self.retry_after).because(&self))
        }
    }
}
