//! A name for each request, which goes with it and with its reply, and stands in the logs of all that it passes.
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

/// The most bytes of an id that is taken over.
pub const MAX_ID: usize = 64;

/// The request's id, which is also on the request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// As the field has it. A clone shares its memory.
    #[must_use]
    pub const fn value(&self) -> &HeaderValue {
        &self.0
    }

    /// As a text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // It is plain, so it is one.
        self.0.to_str().unwrap_or_default()
    }
}

/// The node that sees to it that a request has an id, and tells the client.
///
/// An id that came with the request is taken over where there is one, of at most [`MAX_ID`] letters, digits, `-`, `_` and `.`: it ends in logs,
/// whose lines nobody from outside shall be able to break. Any other is replaced: by the number of the run of this process, which is drawn at
/// random, and a count.
///
/// It is put on the request, and on the reply on the way out. Where the request is cancelled, nothing is left behind.
///
/// A made id costs one atomic addition. Its memory is cut from a piece that a thread keeps, and uses again once the requests that it was cut for are
/// gone; where they are not gone in time, every sixtieth id costs a piece of 1 KiB.
#[derive(Debug)]
pub struct RequestIds {
    field: HeaderName,
    run: u32,
    next: AtomicU64,
    takes_over: bool,
}

impl RequestIds {
    /// Ids in `X-Request-Id`.
    #[must_use]
    pub fn new() -> Self {
        // std's hasher has a random key, and is the only thing random that std lends.
        Self::with_run(RandomState::new().build_hasher().finish() as u32)
    }

    /// The same, where the process numbers its runs itself.
    #[must_use]
    pub const fn with_run(run: u32) -> Self {
        Self { field: HeaderName::from_static("x-request-id"), run, next: AtomicU64::new(1), takes_over: true }
    }

    /// Ids in this field.
    #[must_use]
    pub fn field(mut self, field: HeaderName) -> Self {
        self.field = field;
        self
    }

    /// Replaces also what a client says that is plain.
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
    /// Provides the id, which is then on the request, once.
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

/// A piece of memory for ids, of which each is cut off.
const PIECE: usize = 1024;
/// The most bytes of a made id: 8 and 16 hexadecimal digits with a hyphen.
const ROOM: usize = 25;

fn value(run: u32, number: u64) -> Option<HeaderValue> {
    thread_local! {
        static MEMORY: RefCell<BytesMut> = RefCell::new(BytesMut::with_capacity(PIECE));
    }
    // The thread may be about to end, and its memory gone.
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
