//! [`Kept`]: a reply that can be given again.

use core::pin::pin;
use core::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::header::{CONNECTION, DATE, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, Response, StatusCode};
use http_body::Body as _;
use http_body_util::Full;

use super::super::Reply;
use crate::around::Timer;
use crate::tailed::Tailed;
use crate::timed::Timed;

/// A reply that can be given again: its status, its fields, and its body, whole.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The status.
    pub status: StatusCode,
    /// The fields, without those that belong to one connection or one moment.
    pub fields: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Kept {
    /// Roughly how much memory it takes.
    #[must_use]
    pub fn size(&self) -> usize {
        let fields = self.fields.iter().map(|(name, value)| name.as_str().len() + value.len() + 64);
        self.body.len() + fields.sum::<usize>() + 256
    }

    pub(super) fn response<B: WholeBody>(&self) -> Response<B> {
        let mut response = Response::new(B::of(self.body.clone()));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.fields.clone();
        response
    }
}

/// A body that is there as a whole: its bytes can be read, and a body can be made of bytes. It is implemented for
/// `Bytes`, `Full<Bytes>`, `proxy::Body` as far as it was read ahead, and for these with a tail or a time limit.
#[diagnostic::on_unimplemented(
    message = "chain[E809]: a reply with the body `{Self}` cannot be kept: its bytes are not all there",
    note = "let the reply's body be `Full<Bytes>`, or implement `chain_runtime::nodes::idempotency::WholeBody` for `{Self}`"
)]
pub trait WholeBody: Sized {
    /// All of its bytes; `None` if they are not there.
    fn whole(&self) -> Option<Bytes>;
    /// A body of these bytes.
    fn of(bytes: Bytes) -> Self;
}

impl WholeBody for Bytes {
    fn whole(&self) -> Option<Bytes> {
        Some(self.clone())
    }
    fn of(bytes: Bytes) -> Self {
        bytes
    }
}

impl WholeBody for Full<Bytes> {
    fn whole(&self) -> Option<Bytes> {
        // A clone is polled, since the body shows its bytes in no other way. It is never pending.
        match pin!(self.clone()).poll_frame(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(Ok(frame))) => frame.into_data().ok(),
            Poll::Ready(None) => Some(Bytes::new()),
            _ => None,
        }
    }
    fn of(bytes: Bytes) -> Self {
        Self::new(bytes)
    }
}

/// For a text, and for a body that [`Repeatable`](crate::proxy::Repeatable) read to its end.
#[cfg(feature = "proxy")]
impl WholeBody for crate::proxy::Body {
    fn whole(&self) -> Option<Bytes> {
        self.whole()
    }
    fn of(bytes: Bytes) -> Self {
        Self::full(bytes)
    }
}

impl<B: WholeBody, T: Timer> WholeBody for Timed<B, T> {
    fn whole(&self) -> Option<Bytes> {
        self.get_ref()?.whole()
    }
    fn of(bytes: Bytes) -> Self {
        Self::new(B::of(bytes))
    }
}

impl<B: WholeBody, T: Default> WholeBody for Tailed<B, T> {
    fn whole(&self) -> Option<Bytes> {
        self.get_ref().whole()
    }
    fn of(bytes: Bytes) -> Self {
        B::of(bytes).into()
    }
}

/// A reply that can be kept: an `http::Response<B>`, whose body is a [`WholeBody`].
#[diagnostic::on_unimplemented(
    message = "chain[E809]: `{Self}` cannot be kept, to be given again",
    label = "its body is not whole",
    note = "let the chain's reply be `http::Response<Full<Bytes>>`, or implement `chain_runtime::nodes::idempotency::WholeBody` for its body"
)]
pub trait Keeps: Reply {
    /// A copy of the reply, if its body is whole.
    fn keep(&self) -> Option<Kept>;
}

impl<B: WholeBody> Keeps for Response<B> {
    fn keep(&self) -> Option<Kept> {
        let body = self.body().whole()?;
        let mut fields = self.headers().clone();
        for name in [CONNECTION, DATE, TRANSFER_ENCODING, UPGRADE, HeaderName::from_static("keep-alive")] {
            fields.remove(name);
        }
        Some(Kept { status: self.status(), fields, body })
    }
}
