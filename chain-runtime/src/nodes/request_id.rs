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
use core::hash::{BuildHasher as _, Hasher as _};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::hash::RandomState;
use std::thread_local;

use bytes::BytesMut;
use http::header::Entry;
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
    run: [u8; RUN],
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
        Self {
            field: HeaderName::from_static("x-request-id"),
            run: run_digits(run),
            next: AtomicU64::new(1),
            takes_over: true,
        }
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
        RequestId(value(&self.run, number).unwrap_or(HeaderValue::from_static("-")))
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
        match request.headers.entry(&self.field) {
            Entry::Occupied(mut said) => {
                let mut values = said.iter();
                if let (Some(id), None) = (values.next(), values.next())
                    && self.takes_over
                    && is_plain(id)
                {
                    return RequestId(id.clone());
                }
                let id = self.make();
                said.insert(id.0.clone());
                id
            }
            Entry::Vacant(place) => {
                let id = self.make();
                place.insert(id.0.clone());
                id
            }
        }
    }

    /// Puts the id on the reply.
    pub fn exit<R: Reply>(&self, id: &RequestId, reply: &mut R) {
        reply.headers_mut().insert(&self.field, id.0.clone());
    }
}

fn is_plain(id: &HeaderValue) -> bool {
    (1..=MAX_ID).contains(&id.len()) && id.as_bytes().iter().all(|&b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// The size of a piece of memory from which ids are cut.
const PIECE: usize = 1024;
/// The bytes of a run's number: 8 hexadecimal digits, and a hyphen.
const RUN: usize = 9;
/// The least and the most digits of a request's number.
const LEAST: usize = 6;
const MOST: usize = 16;
/// The most bytes of a made id.
const ROOM: usize = RUN + MOST;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

const fn run_digits(run: u32) -> [u8; RUN] {
    let (mut text, mut at, mut left) = ([b'-'; RUN], RUN - 1, run);
    while at > 0 {
        at -= 1;
        text[at] = DIGITS[(left & 15) as usize];
        left >>= 4;
    }
    text
}

/// It is written by hand: `write!` takes ten times as long.
fn value(run: &[u8; RUN], number: u64) -> Option<HeaderValue> {
    let (mut digits, mut at, mut left) = ([0; MOST], MOST, number);
    while left > 0 || at > MOST - LEAST {
        at -= 1;
        digits[at] = DIGITS[(left & 15) as usize];
        left >>= 4;
    }
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
            memory.extend_from_slice(run);
            memory.extend_from_slice(&digits[at..]);
            HeaderValue::from_maybe_shared(memory.split().freeze()).ok()
        })
        .ok()?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_run_and_the_count_in_hexadecimal() {
        for (run, number) in [(0, 0), (7, 1), (u32::MAX, 0xfff_ffff), (0xdead_beef, u64::MAX), (0x10, 0xab_cdef)] {
            let id = value(&run_digits(run), number).expect("an id");
            assert_eq!(id, std::format!("{run:08x}-{number:06x}"));
        }
    }
}
