//! [`Whole`]: a request's body, read to its end.

#[cfg(feature = "http-body")]
use core::convert::Infallible;
#[cfg(feature = "http-body")]
use core::pin::Pin;
#[cfg(feature = "http-body")]
use core::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;

/// A request's body, whole. A signature can be checked over it, it can be parsed, and it can be sent more than once.
///
/// [`ReadBody`](super::whole_body) provides it; a node of your own may do so as well.
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

    /// The fields that came after the content.
    #[must_use]
    pub const fn trailers(&self) -> Option<&HeaderMap> {
        self.trailers.as_ref()
    }

    /// Takes the bytes.
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

/// Its bytes in one piece, and then its trailers.
#[cfg(feature = "http-body")]
impl http_body::Body for Whole {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        if !self.bytes.is_empty() {
            return Poll::Ready(Some(Ok(http_body::Frame::data(core::mem::take(&mut self.bytes)))));
        }
        Poll::Ready(self.trailers.take().map(|trailers| Ok(http_body::Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty() && self.trailers.is_none()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.bytes.len() as u64)
    }
}
