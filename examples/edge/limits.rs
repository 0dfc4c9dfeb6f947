//! How much one client may ask for. The limits can be changed while requests run.

use std::num::NonZeroU32;

use chain_runtime::node;
use chain_runtime::nodes::Peer;
use chain_runtime::nodes::rate_limit::{RateLimit, TooManyRequests};
use chain_runtime::nodes::whole_body::ReadBody;
use hyper::body::Incoming;

use super::nodes::Who;

/// One version of the limits; a request sees the same one to its end.
pub(crate) struct Limits {
    /// Requests a second in the long run, and at once.
    pub(crate) rate: NonZeroU32,
    pub(crate) burst: NonZeroU32,
    /// Bytes of a request's body.
    pub(crate) max_body: usize,
    /// Reads one.
    pub(crate) read: ReadBody<Incoming>,
    /// How much of that each client has used up, by the name that the client states.
    names: RateLimit<Who>,
    /// The same for each address, which several clients may share, and which a client cannot make up.
    peers: RateLimit<Peer>,
}

/// So many clients may come from one address.
const CLIENTS: u32 = 10;

impl Limits {
    pub(crate) fn new(rate: NonZeroU32, burst: NonZeroU32, max_body: usize) -> Self {
        let times = |number: NonZeroU32| number.saturating_mul(NonZeroU32::new(CLIENTS).expect("not nought"));
        Self {
            rate,
            burst,
            max_body,
            read: ReadBody::up_to(max_body),
            names: RateLimit::per_second(rate).burst(burst),
            peers: RateLimit::per_second(times(rate)).burst(times(burst)),
        }
    }
}

impl std::fmt::Display for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "rate {}/s, burst {}, max-body {} bytes", self.rate, self.burst, self.max_body)
    }
}

/// Breaks if the client asks for more than its share, or its address for more than that of several clients.
#[node]
pub(crate) fn quota(who: &Who, peer: &Peer, limits: &Limits) -> Result<(), TooManyRequests> {
    limits.peers.check(peer)?;
    limits.names.check(who)
}
