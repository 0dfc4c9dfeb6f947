//! [`TooManyRequests`]: the error of a limit.

use core::error::Error;
use core::fmt;
use core::time::Duration;

use http::{Response, StatusCode};

use crate::failure::{Failure, Render};
use crate::flow::IntoReply;

/// The quota is used up: a limit of requests breaks with this. As an `http::Response`, a 429 with `Retry-After`,
/// `rate-limited`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyRequests {
    wait: Duration,
}

impl TooManyRequests {
    pub(super) const fn new(wait: Duration) -> Self {
        Self { wait }
    }

    /// The time after which there will be a request in the quota, if none is taken until then.
    #[must_use]
    pub const fn wait(&self) -> Duration {
        self.wait
    }
}

impl fmt::Display for TooManyRequests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too many requests")
    }
}

impl Error for TooManyRequests {}

/// 429 Too Many Requests, `rate-limited`, with `Retry-After`.
impl<B: Render> IntoReply<Response<B>> for TooManyRequests {
    #[inline]
    fn into_reply(self) -> Response<B> {
        let failure = Failure::new(StatusCode::TOO_MANY_REQUESTS, "rate-limited", "too many requests");
        B::render(&failure.retry_after(self.wait).because(&self))
    }
}
