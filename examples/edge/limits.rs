//! What one client may ask for. The limits can be changed while requests run.

use std::num::NonZeroU32;

use chain_runtime::{IntoReply, node};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http::StatusCode;

use super::edge::Reply;
use super::nodes::{Client, text};

/// One version of the limits; a request sees one and the same to its end.
pub(crate) struct Limits {
    /// Requests a second in the long run, and at once.
    pub(crate) rate: NonZeroU32,
    pub(crate) burst: NonZeroU32,
    /// Bytes of a request's body.
    pub(crate) max_body: usize,
    /// How much of that each client has used up.
    used: DefaultKeyedRateLimiter<Client>,
}

impl Limits {
    pub(crate) fn new(rate: NonZeroU32, burst: NonZeroU32, max_body: usize) -> Self {
        Self { rate, burst, max_body, used: RateLimiter::keyed(Quota::per_second(rate).allow_burst(burst)) }
    }
}

impl std::fmt::Display for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "rate {}/s, burst {}, max-body {} bytes", self.rate, self.burst, self.max_body)
    }
}

/// Breaks where the client asks for more than its share.
#[node]
pub(crate) fn quota(client: &Client, limits: &Limits) -> Result<(), TooMany> {
    limits.used.check_key(client).map_err(|_| TooMany)
}

/// The client has used up its share.
pub(crate) struct TooMany;

impl IntoReply<Reply> for TooMany {
    fn into_reply(self) -> Reply {
        text(StatusCode::TOO_MANY_REQUESTS, "too many requests\n")
    }
}
