//! The chain.

use chain_runtime::chain;
use http::Response;
use http::request::Parts;
use hyper::body::Incoming;

use super::auth::{Keys, auth};
use super::body::Body;
use super::limit::{Limiter, ratelimit};
use super::log::AccessLog;
use super::proxy::proxy;
use super::scratch::Scratch;
use super::upstream::Upstreams;

chain! {
    /// Every request to the gateway passes through here.
    pub(crate) struct Gateway {
        pub(crate) keys: Keys,
        pub(crate) limiter: Limiter,
        pub(crate) upstreams: Upstreams,
        pub(crate) log: AccessLog,
    }

    async fn<'r>(request: Parts, body: Incoming, scratch: &'r mut Scratch) -> Response<Body> {
        auth => ratelimit => log => proxy
    }
}
