//! A name for each request, which goes with the request and its reply, and stands in the logs of all that handle it.
//!
//! ```
//! use chain_runtime::nodes::request_id::{RequestId, RequestIds};
//! use chain_runtime::{chain, node};
//! use http::{Request, Response, request::Parts};
//!
//! #[node]
//! fn answer(id: &RequestId, request: &Parts) -> Response<String> {
//!     assert_eq!(request.headers["x-request-id"], id.value());
//!     Response::new(String::new())
//! }
//!
//! chain! {
//!     struct Site { ids: RequestIds }
//!     fn(request: Parts) -> Response<String> { ids => answer }
//! }
//!
//! let site = Site { ids: RequestIds::with_run(0xc0ffee) };
//! let ask = |id| site.run(Request::get("/").header("x-request-id", id).body(()).unwrap().into_parts().0);
//! assert_eq!(ask("taken-over").headers()["x-request-id"], "taken-over");
//! assert_eq!(ask("not plain: \" and spaces").headers()["x-request-id"], "00c0ffee-000001");
//! ```

use core::cell::RefCell;
use core::fmt::Write as _;
use core::hash::{BuildHasher as _, Hasher as _};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::hash::RandomState;
use std::thread_local;

use bytes::BytesMut;
use http::request::Parts;
use http::{HeaderName, HeaderValue};

use super::reply::Reply;
use crate::node;

/// The most bytes of an id that is accepted from a client.
pub const MAX_ID: usize = 64;

/// The request's id, which is also in the request's fields.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The value of the field. A clone shares its memory.
    #[must_use]
    pub const fn value(&self) -> &HeaderValue {
        &self.0
    }

    /// As a text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // The id is plain ASCII, so this cannot fail.
        self.0.to_str().unwrap_or_default()
    }
}

/// The node that gives each request an id, and tells the client.
///
/// An id that came with the request is kept if it consists of at most [`MAX_ID`] letters, digits, `-`, `_` and `.`: it
/// ends in logs, and a client must not be able to break their lines. Any other id is replaced by the number of the
/// process's run, which is drawn at random, and a count.
///
/// The node puts the id on the request, and on the reply on the way out. If the request is cancelled, nothing is left
/// behind.
///
/// Making an id costs one atomic addition. Its memory is cut from a piece that a thread keeps, and reuses when the
/// requests for which it was cut are gone. If they are not gone in time, every sixtieth id costs a new piece of 1 KiB.
#[derive(Debug)]
pub struct RequestIds {
    field: HeaderName,
    run: u32,
    next: AtomicU64,
    takes_over: bool,
}

impl RequestIds {
    /// Takes ids from `X-Request-Id`.
    #[must_use]
    pub fn new() -> Self {
        // The hasher of std has a random key, and is the only source of random numbers in std.
        Self::with_run(RandomState::new().build_hasher().finish() as u32)
    }

    /// The same, with a number for the process's run.
    #[must_use]
    pub const fn with_run(run: u32) -> Self {
        Self { field: HeaderName::from_static("x-request-id"), run, next: AtomicU64::new(1), takes_over: true }
    }

    /// Takes ids from this field.
    #[must_use]
    pub fn field(mut self, field: HeaderName) -> Self {
        self.field = field;
        self
    }

    /// Replaces every id of a client, even a plain one.
    #[must_use]
    pub const fn own_only(mut self) -> Self {
        self.takes_over = false;
        self
    }

    /// A new id.
    pub fn make(&self) -> RequestId {
        let number = self.next.fetch_add(1, Relaxed);
        RequestId(value(self.run, number).unwrap_or(HeaderValue::from_static("-")))
    }
}

impl Default for RequestIds {
    fn default() -> Self {
        Self::new()
    }
}

#[node(crate = crate)]
impl RequestIds {
    /// Provides the id, which is then on the request exactly once.
    pub fn enter(&self, request: &mut Parts) -> RequestId {
        let mut said = request.headers.get_all(&self.field).iter();
        match (said.next(), said.next()) {
            (Some(id), None) if self.takes_over && is_plain(id) => return RequestId(id.clone()),
            _ => {}
        }
        let id = self.make();
        request.headers.insert(self.field.clone(), id.0.clone());
        id
    }

    /// Puts the id on the reply.
    pub fn exit<R: Reply>(&self, id: &RequestId, reply: &mut R) {
        reply.headers_mut().insert(self.field.clone(), id.0.clone());
    }
}

fn is_plain(id: &HeaderValue) -> bool {
    (1..=MAX_ID).contains(&id.len()) && id.as_bytes().iter().all(|&b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// The size of a piece of memory from which ids are cut.
const PIECE: usize = 1024;
/// The most bytes of a made id: 8 and 16 hexadecimal digits with a hyphen.
const ROOM: usize = 25;

fn value(run: u32, number: u64) -> Option<HeaderValue> {
    thread_local! {
        static MEMORY: RefCell<BytesMut> = RefCell::new(BytesMut::with_capacity(PIECE));
    }
    // The thread may be ending, and its memory gone.
    MEMORY
        .try_with(|memory| {
            let memory = &mut *memory.borrow_mut();
            if memory.capacity() < ROOM && !memory.try_reclaim(PIECE) {
                *memory = BytesMut::with_capacity(PIECE);
            }
            write!(memory, "{run:08x}-{number:06x}").ok()?;
            HeaderValue::from_maybe_shared(memory.split().freeze()).ok()
        })
        .ok()?
}
