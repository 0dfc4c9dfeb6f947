//! A request, as the log sees it: known before the chain begins, and kept until its reply has been sent.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Uri};

use super::scratch::Scratch;

/// The field that carries a request's id, on all of its way.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Who came, when, and for what. What is copied out of the head shares its memory.
#[derive(Debug)]
pub(crate) struct Visit {
    pub(crate) began: Instant,
    pub(crate) peer: IpAddr,
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) id: HeaderValue,
}

impl Visit {
    /// Begins the log of a request, in its scratch.
    pub(crate) fn begin(request: &Parts, peer: IpAddr, ids: &RequestIds, scratch: &mut Scratch) {
        scratch.make_room();
        let id = match request.headers.get(&REQUEST_ID) {
            Some(id) if is_plain(id) => id.clone(),
            _ => ids.next(scratch),
        };
        let (method, uri) = (request.method.clone(), request.uri.clone());
        scratch.visit = Some(Self { began: Instant::now(), peer, method, uri, id });
    }
}

/// Whether a client's own id is passed on: it ends in log lines, which it shall not be able to break.
fn is_plain(id: &HeaderValue) -> bool {
    (1..=64).contains(&id.len()) && id.as_bytes().iter().all(|&b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// Makes the ids: one part says which run of the gateway, the other counts.
#[derive(Debug)]
pub(crate) struct RequestIds {
    run: u32,
    next: AtomicU64,
}

impl RequestIds {
    /// `run` should differ from run to run.
    pub(crate) fn new(run: u32) -> Self {
        Self { run, next: AtomicU64::new(1) }
    }

    fn next(&self, scratch: &mut Scratch) -> HeaderValue {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let id = scratch.value(|text| write!(text, "{:08x}-{number:06x}", self.run));
        id.unwrap_or(HeaderValue::from_static("-"))
    }
}
