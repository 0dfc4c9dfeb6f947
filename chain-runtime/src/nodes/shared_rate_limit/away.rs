//! What a limit does while Redis is away, and its errors.

use core::error::Error;
use core::fmt;
use core::time::Duration;

use http::{Response, StatusCode};

use crate::failure::{Failure, Render};
use crate::flow::IntoReply;
use crate::nodes::too_many_requests::TooManyRequests;

/// What a limit does while Redis is away: [`LocalShare`], [`Closed`] or [`Open`]. It is a part of the limit's type.
pub trait WhenAway: sealed::Kind {}

/// While Redis is away, each machine lets through its own share: *rate* / *machines*, with a burst of ⌈*burst* /
/// *machines*⌉.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalShare;

/// While Redis is away, no request is let through: 503.
#[derive(Clone, Copy, Debug, Default)]
pub struct Closed;

/// While Redis is away, all requests are let through.
#[derive(Clone, Copy, Debug, Default)]
pub struct Open;

mod sealed {
    pub trait Kind: Send + Sync + 'static {
        const KIND: super::Does;
    }
}

/// The same, as a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    LocalShare,
    Closed,
    Open,
}

impl sealed::Kind for LocalShare {
    const KIND: Does = Does::LocalShare;
}
impl sealed::Kind for Closed {
    const KIND: Does = Does::Closed;
}
impl sealed::Kind for Open {
    const KIND: Does = Does::Open;
}
impl<A: sealed::Kind> WhenAway for A {}

/// What a [`SharedRateLimit`](super::SharedRateLimit) breaks with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limited {
    /// The quota is used up: 429, `rate-limited`.
    TooMany(TooManyRequests),
    /// Redis is away, and the limit is [`Closed`]: 503, `limit-unavailable`, with `Retry-After: 1`.
    Away,
}

impl fmt::Display for Limited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany(too_many) => too_many.fmt(f),
            Self::Away => f.write_str("what limits requests is away"),
        }
    }
}

impl Error for Limited {}

impl<B: Render> IntoReply<Response<B>> for Limited {
    fn into_reply(self) -> Response<B> {
        match self {
            Self::TooMany(too_many) => too_many.into_reply(),
            Self::Away => {
                let failure = Failure::new(StatusCode::SERVICE_UNAVAILABLE, "limit-unavailable", "try again later");
                B::render(&failure.retry_after(Duration::from_secs(1)).because(&self))
            }
        }
    }
}
