//! Framing that is derived from the body that is sent, whatever the fields say.
//!
//! The reader of a message has to know how long it is: from `Content-Length`, from a transfer coding, or from the
//! frames of HTTP/2. A node that sets a field knows one of these and not the others, and a wrong field makes part of
//! one reply the next client's reply. So [`sent`] is the last thing that happens to a reply: it removes fields that do
//! not fit the message, and it removes a body that must not be sent.
//!
//! | the reply | what is sent |
//! | --- | --- |
//! | to `HEAD` | no content, also over HTTP/2. `Content-Length` is what it would be for `GET`: the body's length, if the body knows it and is not empty, and otherwise the one that a node set |
//! | 304 | no content; a `Content-Length` that a node set stays |
//! | 1xx, 204, 2xx to `CONNECT` | no content and no `Content-Length` |
//! | 205 | no content, and no field says that there is any |
//! | with a body that knows its length | that length: a `Content-Length` with another value is removed, and the server writes one from the body |
//! | with a body that does not know its length | the body, to its end. A `Content-Length` that a node set is enforced: bytes past it are not sent, and a body that falls short of it breaks off |
//!
//! `Transfer-Encoding` is always removed, because the server that writes the message chooses the coding.
//! `Content-Length` in several fields, or with a value that is no number, is removed as well. (RFC 9110, 8.6 and 9.3.2;
//! RFC 9112, 6; RFC 9113, 8.1.1.) The version of the reply becomes that of this hop, because a reply that comes from
//! elsewhere has the version of another hop: HTTP/2, or HTTP/1.1, which the server lowers for a client that knows no
//! more.
//!
//! | adapter | what it does by itself |
//! | --- | --- |
//! | `hyper` | all of this |
//! | `axum`, `tonic` | the same, except that hyper enforces a length which only a field states, and so over HTTP/1 alone |
//! | `tower` | nothing: it knows no HTTP. If a server calls a tower service, let the last node, or what is around the service, call [`sent`] |
//! | `actix-web`, `ntex` | nothing: their own servers derive the framing, but over HTTP/2 both send the content of a 304 |
//!
//! ```
//! use chain_runtime::framing;
//! use http::{Method, Response, Version};
//! use http_body::Body as _;
//! use http_body_util::Full;
//!
//! let reply = || {
//!     let body = Full::<bytes::Bytes>::from("hello");
//!     Response::builder().header("content-length", "7").body(body).unwrap()
//! };
//! let sent = framing::sent(&Method::GET, Version::HTTP_2, reply());
//! assert_eq!(sent.body().size_hint().exact(), Some(5));
//! assert!(!sent.headers().contains_key("content-length"));
//!
//! let sent = framing::sent(&Method::HEAD, Version::HTTP_2, reply());
//! assert!(sent.body().is_end_stream());
//! assert_eq!(sent.headers()["content-length"], "5");
//! ```

use core::error::Error;
use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use bytes::Buf;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

/// The reply to a request with this method and version, ready to be sent. See the [module](self).
///
/// A server calls it last, with the method and version of the *client's* request. After it, no code may change the
/// body. It allocates only for a `HEAD` whose `Content-Length` no node set.
pub fn sent<B: Body>(method: &Method, version: Version, response: Response<B>) -> Response<Sent<B>> {
    Asked::new(method, version).sent(response)
}

/// What [`sent`] has to know of a request, for code in which the request is gone when there is a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    kind: Kind,
    version: Version,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Head,
    Connect,
    Other,
}

impl Asked {
    /// A request with this method, over this version.
    #[must_use]
    pub fn new(method: &Method, version: Version) -> Self {
        let kind = match *method {
            Method::HEAD => Kind::Head,
            Method::CONNECT => Kind::Connect,
            _ => Kind::Other,
        };
        Self { kind, version }
    }

    /// This request.
    #[must_use]
    pub fn of<B>(request: &Request<B>) -> Self {
        Self::new(request.method(), request.version())
    }

    /// Whether a reply with this status has content: RFC 9110, 6.4.1.
    #[must_use]
    pub fn has_content(self, status: StatusCode) -> bool {
        let is_tunnel = self.kind == Kind::Connect && status.is_success();
        self.kind != Kind::Head && !is_tunnel && !status.is_informational() && !is_bare(status)
    }

    /// The reply, ready to be sent: see [`sent`].
    pub fn sent<B: Body>(self, mut response: Response<B>) -> Response<Sent<B>> {
        match self.settle(&mut response) {
            Settled::Empty => response.map(|_| Sent { body: None, left: None }),
            Settled::Whole => response.map(|body| Sent { left: body.size_hint().exact(), body: Some(body) }),
            Settled::Promised(length) => response.map(|body| Sent { body: Some(body), left: Some(length) }),
        }
    }

    /// Settles the head, and decides what of the body is sent.
    pub(crate) fn settle<B: Body>(self, response: &mut Response<B>) -> Settled {
        if self.version == Version::HTTP_2 {
            *response.version_mut() = self.version;
        } else {
            *response.version_mut() = Version::HTTP_11;
        }
        let status = response.status();
        let exact = response.body().size_hint().exact();
        let headers = response.headers_mut();
        // Mostly neither is there, and one look at the names takes less than to search for both.
        if headers.keys().any(|name| *name == TRANSFER_ENCODING) {
            headers.remove(TRANSFER_ENCODING);
        }
        let said = match headers.keys().any(|name| *name == CONTENT_LENGTH).then(|| length(headers)) {
            Some(Ok(said)) => said,
            Some(Err(Unclear)) => {
                headers.remove(CONTENT_LENGTH);
                None
            }
            None => None,
        };
        if self.has_content(status) {
            // The server writes the field from the body, whose size says the same.
            if exact.is_some() && said.is_some() && said != exact {
                headers.remove(CONTENT_LENGTH);
            }
            return match (exact, said) {
                (None, Some(length)) => Settled::Promised(length),
                _ => Settled::Whole,
            };
        }
        if self.kind == Kind::Head && !status.is_informational() && !is_bare(status) {
            if let Some(length) = exact.filter(|&length| length > 0 && said != Some(length)) {
                headers.insert(CONTENT_LENGTH, length.into());
            }
        } else if status != StatusCode::NOT_MODIFIED {
            headers.remove(CONTENT_LENGTH);
        }
        Settled::Empty
    }
}

/// What of a body is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// Nothing.
    Empty,
    /// All of it.
    Whole,
    /// This many bytes, as the head says. The body does not state its length.
    Promised(u64),
}

/// Whether a final reply with this status never has content.
fn is_bare(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED)
}

/// The length that these fields state, if they state one.
///
/// # Errors
///
/// [`Unclear`] if there are several `Content-Length` fields, even with the same value, or if the value is not digits
/// alone, or is more than a `u64`. A message from a peer in this form must not be forwarded (RFC 9110, 8.6).
pub fn length(headers: &HeaderMap) -> Result<Option<u64>, Unclear> {
    let mut fields = headers.get_all(CONTENT_LENGTH).iter();
    let Some(field) = fields.next() else { return Ok(None) };
    let digits = field.as_bytes();
    if fields.next().is_some() || digits.is_empty() {
        return Err(Unclear);
    }
    digits
        .iter()
        .try_fold(0_u64, |length, digit| {
            let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
            length.checked_mul(10)?.checked_add(digit)
        })
        .map(Some)
        .ok_or(Unclear)
}

/// The fields of a message do not say how long it is: [`length`] fails with this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unclear;

impl fmt::Display for Unclear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the length of the message is not clear from its fields")
    }
}

impl Error for Unclear {}

pin_project! {
    /// The part of a body that is sent: all of it, as many bytes as were promised, or nothing. [`sent`] makes it.
    ///
    /// A body that is not sent was dropped.
    #[derive(Debug)]
    pub struct Sent<B> {
        #[pin]
        body: Option<B>,
        // The rest of the promised length, if there is one.
        left: Option<u64>,
    }
}

impl<B> Sent<B> {
    /// The body, unless no part of it is sent.
    pub const fn get_ref(&self) -> Option<&B> {
        self.body.as_ref()
    }
}

impl<B: Body> Body for Sent<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let Some(body) = this.body.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let frame = ready!(body.poll_frame(context));
        if let (Some(left), Some(Ok(frame))) = (&mut *this.left, &frame) {
            let bytes = frame.data_ref().map_or(0, |data| data.remaining() as u64);
            let Some(rest) = left.checked_sub(bytes) else {
                // The body has more than was promised. The message ends here: short of its length, unless that is
                // reached.
                this.body.set(None);
                return Poll::Ready(None);
            };
            *left = rest;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.body, self.left) {
            (None, _) => SizeHint::with_exact(0),
            (Some(_), Some(left)) => SizeHint::with_exact(left),
            (Some(body), None) => body.size_hint(),
        }
    }
}
