//! [`Answered`]: a reply on its way back.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Response};

use super::body::{Body, BrokenReply};
use super::error::Error;
use super::pick::{Outcome, Turn};
use super::tunnel::Opening;

/// A reply whose body has not begun to be passed on, and the turn that gave it.
pub(super) struct Answered<T> {
    pub(super) reply: Response<Body>,
    /// It may be silent for a long time.
    pub(super) may_last: bool,
    pub(super) opening: Option<Opening>,
    /// `None` for a reply that this hop gives by itself, and until it is known what the reply says of the upstream.
    pub(super) turn: Option<(T, Outcome)>,
}

impl<T> Answered<T> {
    /// A reply that nobody has to hear of.
    pub(super) const fn of(reply: Response<Body>) -> Self {
        Self { reply, may_last: false, opening: None, turn: None }
    }
}

impl<T: Turn> Answered<T> {
    /// Reads the reply ahead, for the node that may run again. Only after that it is known how the try ended.
    pub(super) async fn gathered(mut self, limit: u64) -> Result<Self, Error> {
        if self.may_last {
            return Ok(self);
        }
        let body = core::mem::replace(self.reply.body_mut(), Body::empty());
        match body.gathered(limit).await {
            Ok(body) => {
                *self.reply.body_mut() = body;
                Ok(self)
            }
            Err(broken) => {
                let outcome = broken.outcome();
                if let Some((turn, _)) = self.turn {
                    turn.ended(outcome);
                }
                Err(match broken {
                    BrokenReply::Ended(cause) => Error::Broken(cause),
                    BrokenReply::Expired => Error::Expired,
                    _ => Error::Silent,
                })
            }
        }
    }

    /// Releases the reply, with what has to hear of its end.
    pub(super) fn go(self) -> Response<Body> {
        let mut reply = self.reply;
        match (self.turn, self.opening) {
            (Some((turn, outcome)), Some(opening)) => opening.open(turn.streams(outcome).noted(false)),
            (Some((turn, outcome)), None) if reply.body().is_relayed() => {
                let streaming = turn.streams(outcome);
                reply.body_mut().keep(if self.may_last { streaming.lasts() } else { streaming });
            }
            (Some((turn, outcome)), None) => turn.ended(outcome),
            (None, _) => {}
        }
        reply
    }
}

/// Whether it may be silent for a long time.
pub(super) fn is_stream_of_events(reply: &HeaderMap) -> bool {
    let kind = reply.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let begins = |with: &[u8]| kind.get(..with.len()).is_some_and(|kind| kind.eq_ignore_ascii_case(with));
    begins(b"text/event-stream") || begins(b"application/grpc")
}
