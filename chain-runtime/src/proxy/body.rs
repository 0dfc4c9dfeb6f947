//! [`Body`]: the body of a reply: a text that is made here, or the upstream's body, passed on as it comes.

use core::error::Error;
use core::fmt;
use core::future::poll_fn;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::boxed::Box;
use std::string::String;
use std::sync::Arc;
use std::vec::{self, Vec};

use ::hyper::body::Incoming;
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Response};
use http_body::{Body as _, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::error::Cause;
use super::fields::clean_trailers;
use super::identity::Reserved;
use super::pace::Pace;
use super::pick::Outcome;
use super::place::Place;
use super::streaming::Streaming;
use crate::Pool;
use crate::failure::{Failure, Render};
use crate::pool::Lease;

/// The body of a reply.
///
/// It is an enum and not a boxed trait object, so that neither kind of body costs an allocation. It is small, since a
/// reply is moved through each level of a chain: the upstream's body stays in memory of its own. It has no `Default`: a
/// [`Failure`] that becomes its reply says in a line of plain text what is wrong.
#[derive(Debug)]
pub struct Body {
    content: Content,
}

#[derive(Debug)]
enum Content {
    Empty,
    /// A text made by this process.
    Text(Option<Bytes>),
    /// There is no client to read it.
    Abandoned,
    /// The upstream's body.
    Relayed(Relayed),
    Gathered(Box<Gathered>),
}

/// The upstream's body, in memory that one body after another uses.
type Relayed = Lease<'static, Place<Relay>>;

/// The part that was read ahead, and the rest that the upstream sends after it.
#[derive(Debug)]
struct Gathered {
    parts: vec::IntoIter<Bytes>,
    left: u64,
    trailers: Option<HeaderMap>,
    rest: Option<Relayed>,
}

impl Body {
    /// The empty body.
    #[must_use]
    pub const fn empty() -> Self {
        Self { content: Content::Empty }
    }

    /// A body with this content.
    #[must_use]
    pub fn full(content: impl Into<Bytes>) -> Self {
        let text: Bytes = content.into();
        if text.is_empty() { Self::empty() } else { Self { content: Content::Text(Some(text)) } }
    }

    /// All of it, if all of it is here: a text, or a body that was read ahead to its end.
    #[must_use]
    pub fn whole(&self) -> Option<Bytes> {
        match &self.content {
            Content::Empty => Some(Bytes::new()),
            Content::Text(text) => text.clone(),
            Content::Gathered(gathered) => match &**gathered {
                Gathered { parts, trailers: None, rest: None, .. } => match parts.as_slice() {
                    [] => Some(Bytes::new()),
                    [part] => Some(part.clone()),
                    parts => Some(Bytes::from(parts.concat())),
                },
                _ => None,
            },
            _ => None,
        }
    }

    /// A body that breaks off at once, since there is no client to read it.
    pub(super) const fn abandoned() -> Self {
        Self { content: Content::Abandoned }
    }

    pub(super) fn relayed(
        incoming: Incoming,
        reserved: &Arc<Reserved>,
        pace: Pace,
        places: &Arc<Pool<Place<Relay>>>,
    ) -> Self {
        if incoming.is_end_stream() {
            return Self::empty();
        }
        let streaming = Streaming::default();
        let relay = || Relay { incoming, reserved: Arc::clone(reserved), pace, streaming };
        Self { content: Content::Relayed(Place::of(relay, places)) }
    }

    /// Whether a part of it is still to come from the upstream.
    pub(super) fn is_relayed(&self) -> bool {
        match &self.content {
            Content::Relayed(_) => true,
            Content::Gathered(gathered) => gathered.rest.is_some(),
            _ => false,
        }
    }

    /// Makes this go with the rest of the upstream's body.
    pub(super) fn keep(&mut self, streaming: Streaming) {
        let rest = match &mut self.content {
            Content::Relayed(relay) => Some(relay),
            Content::Gathered(gathered) => gathered.rest.as_mut(),
            _ => None,
        };
        if let Some(relay) = rest.and_then(|rest| rest.get_mut()) {
            *relay.project().streaming = streaming;
        }
    }

    /// Reads up to so many bytes of the upstream's body ahead. The rest of a longer body is passed on as it comes.
    ///
    /// If the reply breaks off, this sees it while the request can still be sent again, and not when the client has the
    /// first part of the reply.
    pub(super) async fn gathered(self, limit: u64) -> Result<Self, BrokenReply> {
        let Content::Relayed(mut relay) = self.content else { return Ok(self) };
        let (mut parts, mut left, mut trailers) = (Vec::new(), 0_u64, None);
        let rest = loop {
            // Each part takes memory of its own: an upstream that sends one byte at a time would multiply it.
            if left.saturating_add((parts.len() * size_of::<Bytes>()) as u64) >= limit {
                break Some(relay);
            }
            match poll_fn(|context| poll(&mut relay, context)).await.transpose()? {
                None => break None,
                Some(frame) => match frame.into_data() {
                    Ok(part) => {
                        left += part.len() as u64;
                        parts.push(part);
                    }
                    Err(frame) => trailers = frame.into_trailers().ok(),
                },
            }
        };
        let gathered = Gathered { parts: parts.into_iter(), left, trailers, rest };
        Ok(Self { content: Content::Gathered(Box::new(gathered)) })
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::full(text)
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::full(text)
    }
}

impl From<Bytes> for Body {
    fn from(content: Bytes) -> Self {
        Self::full(content)
    }
}

/// The detail as a line of plain text.
impl Render for Body {
    fn render(failure: &Failure<'_>) -> Response<Self> {
        if failure.code == "client-gone" {
            return failure.response(Self::abandoned());
        }
        let mut text = BytesMut::with_capacity(failure.detail.len() + 1);
        text.extend_from_slice(failure.detail.as_bytes());
        text.extend_from_slice(b"\n");
        let mut reply = failure.response(Self::full(text.freeze()));
        reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        reply
    }
}

/// Why a reply did not come to its end.
#[derive(Debug)]
#[non_exhaustive]
pub enum BrokenReply {
    /// The upstream closed the connection or broke the protocol.
    Ended(Cause),
    /// The upstream was silent for too long, or sent too little in its time.
    Slow,
    /// The time for the whole request is over.
    Expired,
    /// The client had left before the reply began.
    Abandoned,
}

impl BrokenReply {
    /// What this says about the upstream.
    pub(super) const fn outcome(&self) -> Outcome {
        match self {
            Self::Ended(_) => Outcome::Failed,
            Self::Slow => Outcome::TimedOut,
            // The wait may have been for the client.
            Self::Expired | Self::Abandoned => Outcome::Client,
        }
    }
}

impl fmt::Display for BrokenReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(error) => write!(f, "the upstream broke off its reply: {error}"),
            Self::Slow => f.write_str("the upstream was too slow in the middle of its reply"),
            Self::Expired => f.write_str("the time for the request was over in the middle of its reply"),
            Self::Abandoned => f.write_str("the client left before its reply"),
        }
    }
}

impl Error for BrokenReply {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Ended(cause) => Some(&**cause),
            _ => None,
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BrokenReply;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenReply>>> {
        match &mut self.get_mut().content {
            Content::Empty => Poll::Ready(None),
            Content::Text(text) => Poll::Ready(text.take().map(|text| Ok(Frame::data(text)))),
            Content::Abandoned => Poll::Ready(Some(Err(BrokenReply::Abandoned))),
            Content::Relayed(relay) => poll(relay, context),
            Content::Gathered(gathered) => {
                if let Some(part) = gathered.parts.next() {
                    gathered.left -= part.len() as u64;
                    return Poll::Ready(Some(Ok(Frame::data(part))));
                }
                match (&mut gathered.rest, gathered.trailers.take()) {
                    (Some(rest), _) => poll(rest, context),
                    (None, trailers) => Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers)))),
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Empty => true,
            Content::Text(text) => text.is_none(),
            Content::Abandoned => false,
            Content::Relayed(relay) => incoming(relay).is_none_or(Incoming::is_end_stream),
            Content::Gathered(gathered) => {
                let rest = gathered.rest.as_ref().and_then(incoming);
                gathered.left == 0 && gathered.trailers.is_none() && rest.is_none_or(Incoming::is_end_stream)
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        let hint = |relay| incoming(relay).map_or(SizeHint::with_exact(0), Incoming::size_hint);
        match &self.content {
            Content::Empty => SizeHint::with_exact(0),
            Content::Text(text) => SizeHint::with_exact(text.as_ref().map_or(0, |text| text.len() as u64)),
            Content::Abandoned => SizeHint::default(),
            Content::Relayed(relay) => hint(relay),
            Content::Gathered(gathered) => match gathered.rest.as_ref().map_or(Some(0), |rest| hint(rest).exact()) {
                Some(rest) => SizeHint::with_exact(gathered.left + rest),
                None => SizeHint::default(),
            },
        }
    }
}

/// The next part of the upstream's body.
fn poll(relay: &mut Relayed, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenReply>>> {
    relay.get_mut().map_or(Poll::Ready(None), |relay| relay.poll_frame(context))
}

/// What hyper gives of it.
fn incoming(relay: &Relayed) -> Option<&Incoming> {
    relay.get().map(|relay| &relay.incoming)
}

pin_project! {
    /// The upstream's body, while it is sent.
    #[derive(Debug)]
    pub(super) struct Relay {
        incoming: Incoming,
        reserved: Arc<Reserved>,
        #[pin]
        pace: Pace,
        streaming: Streaming,
    }
}

impl Relay {
    /// The next part. What goes with the reply hears of the reply's end.
    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenReply>>> {
        let frame = ready!(self.as_mut().poll_next(context));
        match &frame {
            None => *self.project().streaming = Streaming::default(),
            Some(Err(broken)) => self.project().streaming.broke(broken.outcome()),
            Some(Ok(_)) => self.project().streaming.goes_on(),
        }
        Poll::Ready(frame)
    }

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenReply>>> {
        let mut this = self.project();
        let frame = match Pin::new(this.incoming).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => frame,
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(BrokenReply::Ended(error.into())))),
            Poll::Pending => {
                ready!(this.pace.as_mut().poll_wait(context));
                let late = if this.pace.is_over() { BrokenReply::Expired } else { BrokenReply::Slow };
                return Poll::Ready(Some(Err(late)));
            }
        };
        this.pace.moved(frame.data_ref().map_or(0, Bytes::len));
        Poll::Ready(Some(Ok(match frame.into_trailers() {
            Ok(mut trailers) => {
                clean_trailers(&mut trailers, |name| this.reserved.has(name));
                Frame::trailers(trailers)
            }
            Err(frame) => frame,
        })))
    }
}
