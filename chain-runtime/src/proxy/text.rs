//! The memory in which field values are written.

use core::fmt;

use bytes::BytesMut;
use http::HeaderValue;

/// Room for the values of several requests.
const ROOM: usize = 2_048;

/// The most bytes of one value that are written without a look at the remaining room.
const VALUE: usize = 256;

/// Memory that values share. When the last of them is gone, the memory is reused.
#[derive(Debug)]
pub(super) struct Text(BytesMut);

impl Default for Text {
    fn default() -> Self {
        Self(BytesMut::with_capacity(ROOM))
    }
}

impl Text {
    /// Takes the memory back, if the values of the last request are gone, as is mostly the case.
    ///
    /// If they are not gone, [`value`](Text::value) goes on after them, and asks for new memory only when the old one
    /// is used up.
    pub(super) fn make_room(&mut self) {
        let _ = self.0.try_reclaim(ROOM);
    }

    /// Writes a value. `None` if a field cannot hold the result.
    pub(super) fn value(&mut self, write: impl FnOnce(&mut BytesMut) -> fmt::Result) -> Option<HeaderValue> {
        if self.0.capacity() < VALUE {
            self.0.reserve(ROOM);
        }
        let written = write(&mut self.0);
        let value = self.0.split().freeze();
        written.ok().and_then(|()| HeaderValue::from_maybe_shared(value).ok())
    }
}
