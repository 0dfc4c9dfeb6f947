//! [`Whole`]: a request's body, read to its end.

use bytes::Bytes;
use http::HeaderMap;

/// A request's body, whole: what a signature is checked over, what is parsed, what can be sent more than once.
///
/// [`ReadBody`](super::whole_body) provides it; a node of your own may as well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whole {
    bytes: Bytes,
    trailers: Option<HeaderMap>,
}

impl Whole {
    /// A body of these bytes, and trailers if there were any.
    #[must_use]
    pub const fn new(bytes: Bytes, trailers: Option<HeaderMap>) -> Self {
        Self { bytes, trailers }
    }

    /// The bytes. A clone of them shares their memory.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The fields that came behind the content.
    #[must_use]
    pub const fn trailers(&self) -> Option<&HeaderMap> {
        self.trailers.as_ref()
    }

    /// The bytes, to keep.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }
}

impl From<Bytes> for Whole {
    fn from(bytes: Bytes) -> Self {
        Self::new(bytes, None)
    }
}
