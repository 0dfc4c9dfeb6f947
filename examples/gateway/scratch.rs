//! A request's reusable memory: the context of this chain.
//!
//! An HTTP/1 connection serves one request at a time, so it owns one scratch and lends it to each; no pool is needed.
//! The requests of an HTTP/2 connection overlap, so each takes one from a pool.

use std::fmt;
use std::sync::Arc;

use bytes::BytesMut;
use chain_runtime::Reset;
use http::HeaderValue;

use super::upload::Progress;
use super::visit::Visit;

/// What is made for one request after another in the same memory.
#[derive(Debug, Reset)]
pub(crate) struct Scratch {
    /// Where field values are written. They share its memory; once the last of them is gone, it is used again.
    text: BytesMut,
    /// The log's beginning, until the node `log` takes it over. What is still here after the chain ended was refused
    /// before it came to `log`.
    pub(crate) visit: Option<Visit>,
    /// How far the request's body has come.
    #[reset(with = Progress::renew)]
    pub(crate) progress: Arc<Progress>,
}

/// Room for the values of several requests.
const ROOM: usize = 2_048;

/// The most that one value may take without new memory.
const VALUE: usize = 256;

impl Default for Scratch {
    fn default() -> Self {
        Self { text: BytesMut::with_capacity(ROOM), visit: None, progress: Arc::default() }
    }
}

impl Scratch {
    /// Takes the memory for values back, if those of the last request are gone, as they mostly are.
    pub(crate) fn make_room(&mut self) {
        // Where they are not, `value` goes on behind them, and asks for new memory only when that is used up.
        let _ = self.text.try_reclaim(ROOM);
    }

    /// Writes a field's value. `None` if it came out as something that no field may hold.
    pub(crate) fn value(&mut self, write: impl FnOnce(&mut BytesMut) -> fmt::Result) -> Option<HeaderValue> {
        if self.text.capacity() < VALUE {
            self.text.reserve(ROOM);
        }
        let written = write(&mut self.text);
        let value = self.text.split().freeze();
        written.ok().and_then(|()| HeaderValue::from_maybe_shared(value).ok())
    }
}
