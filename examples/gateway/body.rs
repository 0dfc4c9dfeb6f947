//! The body of a reply: a text of ours, or what the upstream sends, passed on as it comes.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};

use super::log::{Entry, Outcome};

/// A short reply of the gateway's own.
pub(crate) fn text(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut reply = Response::new(Body::new(Content::Text { text: Some(Bytes::from_static(text.as_bytes())) }));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    reply
}

/// A reply that there is nobody to read.
pub(crate) fn abandoned(status: StatusCode) -> Response<Body> {
    let mut reply = Response::new(Body::new(Content::Abandoned));
    *reply.status_mut() = status;
    reply
}

/// A reply that comes from the upstream, which may be silent for as long as `patience`.
pub(crate) fn passed_on(incoming: Incoming, patience: Duration) -> Body {
    Body::new(Content::PassedOn { incoming, patience, silence: None })
}

pin_project! {
    /// The body of a reply. Counts what is sent, and carries the log's entry until it is known how much that was.
    ///
    /// An enum in place of a boxed trait object, so that a reply costs no allocation for being one or the other.
    #[derive(Debug)]
    pub(crate) struct Body {
        #[pin]
        content: Content,
        entry: Option<Entry>,
    }
}

pin_project! {
    #[project = ContentNow]
    #[derive(Debug)]
    enum Content {
        Text { text: Option<Bytes> },
        Abandoned,
        PassedOn {
            incoming: Incoming,
            patience: Duration,
            // Runs while the upstream is being waited for, and only then.
            #[pin]
            silence: Option<Sleep>,
        },
    }
}

impl Body {
    fn new(content: Content) -> Self {
        Self { content, entry: None }
    }

    /// Hands over the log's entry, which is written when the body has been sent or is given up.
    pub(crate) fn carry(&mut self, entry: Entry) {
        self.entry = Some(entry);
    }
}

/// Why a reply does not come to its end.
#[derive(Debug)]
pub(crate) enum BrokenReply {
    /// The upstream closed the connection or broke the protocol.
    Ended(hyper::Error),
    /// The upstream was silent for too long.
    Silent,
    /// The client had left before it began.
    Abandoned,
}

impl fmt::Display for BrokenReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(error) => write!(f, "the upstream broke off its reply: {error}"),
            Self::Silent => f.write_str("the upstream was silent in the middle of its reply"),
            Self::Abandoned => f.write_str("the client left before its reply"),
        }
    }
}

impl std::error::Error for BrokenReply {}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BrokenReply;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenReply>>> {
        let mut this = self.project();
        let frame = ready!(this.content.as_mut().poll_frame(cx));
        if let Some(entry) = this.entry {
            match &frame {
                Some(Ok(frame)) => entry.sent(frame.data_ref().map_or(0, Bytes::len)),
                Some(Err(BrokenReply::Abandoned)) => entry.outcome(Outcome::Cancelled),
                Some(Err(_)) => entry.outcome(Outcome::Broken),
                None => entry.outcome(Outcome::Done),
            }
            // hyper does not ask for an end that it can see, so it is looked for here.
            if matches!(frame, Some(Ok(_))) && this.content.is_end_stream() {
                entry.outcome(Outcome::Done);
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.content.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.content.size_hint()
    }
}

impl http_body::Body for Content {
    type Data = Bytes;
    type Error = BrokenReply;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenReply>>> {
        match self.project() {
            ContentNow::Text { text } => Poll::Ready(text.take().map(|text| Ok(Frame::data(text)))),
            ContentNow::Abandoned => Poll::Ready(Some(Err(BrokenReply::Abandoned))),
            ContentNow::PassedOn { incoming, patience, mut silence } => match Pin::new(incoming).poll_frame(cx) {
                Poll::Ready(frame) => {
                    silence.set(None);
                    Poll::Ready(frame.map(|frame| frame.map_err(BrokenReply::Ended)))
                }
                Poll::Pending => {
                    if silence.is_none() {
                        silence.set(Some(sleep(*patience)));
                    }
                    if let Some(silence) = silence.as_mut().as_pin_mut() {
                        ready!(silence.poll(cx));
                    }
                    Poll::Ready(Some(Err(BrokenReply::Silent)))
                }
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Text { text } => text.is_none(),
            Self::Abandoned => false,
            Self::PassedOn { incoming, .. } => incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Text { text } => SizeHint::with_exact(text.as_ref().map_or(0, |text| text.len() as u64)),
            Self::Abandoned => SizeHint::default(),
            Self::PassedOn { incoming, .. } => incoming.size_hint(),
        }
    }
}
