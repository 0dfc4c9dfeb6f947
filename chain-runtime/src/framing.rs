//! Framing that is derived from the body that is sent, whatever a field said.
//!
//! How long a message is, its reader has to know: from `Content-Length`, from a transfer coding, or from the frames of HTTP/2. A node that sets a
//! field knows one of these and not the others, and a field that is wrong becomes the next client's reply. So the last thing that happens to a
//! reply is [`sent`]: it takes the fields that do not fit what is sent away, and it leaves nothing of a body that must not be sent.
//!
//! | the reply | what is sent |
//! | --- | --- |
//! | to `HEAD` | no content, also over HTTP/2. `Content-Length` is what it would be for `GET`: the body's, where that knows it and is not empty, otherwise the one that a node set |
//! | 304 | no content; a `Content-Length` that a node set stays |
//! | 1xx, 204, 2xx to `CONNECT` | no content and no `Content-Length` |
//! | 205 | no content, and nothing says that there is any |
//! | with a body that knows its length | that length: a `Content-Length` that says otherwise is removed, and the server writes one from the body |
//! | with a body that does not | to its end. A `Content-Length` that a node set is held: what is past it is not sent, and a body that falls short of it breaks off |
//!
//! `Transfer-Encoding` is always removed: which coding there is, the server chooses that writes the message. `Content-Length` in several fields,
//! or one that is no number, is removed as well. (RFC 9110, 8.6 and 9.3.2; RFC 9112, 6; RFC 9113, 8.1.1.) The version of the reply becomes this
//! hop's, since the one that a node has from elsewhere is of another: HTTP/2, or HTTP/1.1, which the server lowers for a client that knows no more.
//!
//! | adapter | what it does by itself |
//! | --- | --- |
//! | `hyper` | all of this |
//! | `axum`, `tonic` | the same, but that a length which only a field promises is held by hyper, and so over HTTP/1 alone |
//! | `tower` | nothing: it knows no HTTP. Where a service of it is what a server calls, let the last node, or what is around the service, call [`sent`] |
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

/// The reply to a request with this method and version, as it is sent. See the [module](self).
///
/// A server calls it last, with what the *client* asked: after it, nothing may change the body. Allocates only for a `HEAD` whose
/// `Content-Length` no node set.
pub fn sent<B: Body>(method: &Method, version: Version, response: Response<B>) -> Response<Sent<B>> {
    Asked::new(method, version).sent(response)
}

/// What [`sent`] has to know of a request, for where the request is gone by the time there is a reply.
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
    /// With this method, over this version.
    #[must_use]
    pub fn new(method: &Method, version: Version) -> Self {
        let kind = match *method {
            Method::HEAD => Kind::Head,
            Method::CONNECT => Kind::Connect,
            _ => Kind::Other,
        };
        Self { kind, version }
    }

    /// By this request.
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

    /// The reply, as it is sent: see [`sent`].
    pub fn sent<B: Body>(self, mut response: Response<B>) -> Response<Sent<B>> {
        match self.settle(&mut response) {
            Settled::Empty => response.map(|_| Sent { body: None, left: None }),
            Settled::Whole => response.map(|body| Sent { left: body.size_hint().exact(), body: Some(body) }),
            Settled::Promised(length) => response.map(|body| Sent { body: Some(body), left: Some(length) }),
        }
    }

    /// Settles the head, and says what of the body is sent.
    pub(crate) fn settle<B: Body>(self, response: &mut Response<B>) -> Settled {
        if self.version == Version::HTTP_2 {
            *response.version_mut() = self.version;
        } else {
            *response.version_mut() = Version::HTTP_11;
        }
        let status = response.status();
        let exact = response.body().size_hint().exact();
        let headers = response.headers_mut();
        headers.remove(TRANSFER_ENCODING);
        let said = match length(headers) {
            Ok(said) => said,
            Err(Unclear) => {
                headers.remove(CONTENT_LENGTH);
                None
            }
        };
        if self.has_content(status) {
            // The server writes it from the body, which says the same by its size.
            if exact.is_some() && said != exact {
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
    /// So many bytes, as the head says: the body does not say it.
    Promised(u64),
}

/// Whether a final reply with this status never has content.
fn is_bare(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED)
}

/// The length that these fields state, if they do.
///
/// # Errors
///
/// [`Unclear`] where there are several `Content-Length` fields, also of one value, or where the value is not digits alone, or more than a `u64`. What
/// comes from a peer in this form must not be forwarded (RFC 9110, 8.6).
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

/// The fields of a message do not say how long it is: what [`length`] fails with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unclear;

impl fmt::Display for Unclear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the length of the message is not clear from its fields")
    }
}

impl Error for Unclear {}

pin_project! {
    /// What is sent of a body: all of it, so much of it as was promised, or nothing. Made by [`sent`].
    ///
    /// A body that is not sent was dropped.
    #[derive(Debug)]
    pub struct Sent<B> {
        #[pin]
        body: Option<B>,
        // What is left of the length, where there is one.
        left: Option<u64>,
    }
}

impl<B> Sent<B> {
    /// The body, unless nothing of it is sent.
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
                // More than was promised. What is there of the message ends here: short of its length, unless that is reached.
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
