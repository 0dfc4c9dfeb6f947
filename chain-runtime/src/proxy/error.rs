//! [`Error`]: why there is no reply from an upstream, as a value that a chain can turn into a reply of its own.

use core::error::Error as StdError;
use core::fmt;
use std::boxed::Box;

use http::{Response, StatusCode};

use super::identity::Unstatable;
use super::pick::Outcome;
use super::unseen::Unseen;
use crate::failure::{Failure, Render};
use crate::flow::IntoReply;

/// Why [`Forward`](super::Forward) has no reply to give.
///
/// As an `http::Response`, by [`Render`]:
///
/// | | status | code |
/// | --- | --- | --- |
/// | [`Request`](Error::Request) | 400; 417, 431, 501 for some | `bad-request` |
/// | [`Loop`](Error::Loop) | 508 | `loop-detected` |
/// | [`Identity`](Error::Identity) | 400; 500 if a name is not reserved | `unspeakable-identity` |
/// | [`TooLarge`](Error::TooLarge) | 413 | `body-too-large` |
/// | [`SlowClient`](Error::SlowClient) | 408 | `body-too-slow` |
/// | [`BadBody`](Error::BadBody), [`Gone`](Error::Gone) | 400 | `bad-body`, `client-gone` |
/// | [`NoUpstream`](Error::NoUpstream) | 503 | `no-upstream` |
/// | [`Refused`](Error::Refused) | 502 | `upstream-refused` |
/// | [`Broken`](Error::Broken) | 502 | `upstream-broke-off` |
/// | [`Reply`](Error::Reply) | 502 | `bad-reply` |
/// | [`Exhausted`](Error::Exhausted) | 503 | `no-descriptors` |
/// | [`Tunnels`](Error::Tunnels) | 503 | `too-many-tunnels` |
/// | [`Silent`](Error::Silent) | 504 | `upstream-silent` |
/// | [`Expired`](Error::Expired) | 504 | `request-expired` |
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The request cannot be passed on.
    Request(BadRequest),
    /// The request has been here before.
    Loop,
    /// What the upstream has to be told about the sender cannot stand in a field.
    Identity(Unstatable),
    /// The request's body is larger than the limit.
    TooLarge,
    /// The request's body comes too slowly.
    SlowClient,
    /// The request's body is malformed.
    BadBody(Cause),
    /// The client left in the middle of its body. The reply is read by no client.
    Gone,
    /// There is no upstream to ask.
    NoUpstream,
    /// The upstream accepts no connections, or not in time. Or it accepted one, and said that it does not process the
    /// request (over HTTP/2: `REFUSED_STREAM`, or a `GOAWAY` before it), or closed it before anything was sent.
    Refused(Cause),
    /// This process has no descriptors left for a connection to the upstream.
    Exhausted(Cause),
    /// The upstream ended the connection before the head of its reply.
    Broken(Cause),
    /// The upstream's reply cannot be passed on.
    Reply(BadReply),
    /// The upstream was silent for too long.
    Silent,
    /// The whole request took too long.
    Expired,
    /// There are as many tunnels as are allowed: see [`Tunnels`](super::Tunnels).
    Tunnels,
}

/// The underlying error.
pub type Cause = Box<dyn StdError + Send + Sync>;

/// The error in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadRequest {
    /// The target is in a form that is not allowed here: `*` or `host:port` without the method for it, or no path at
    /// all.
    Target,
    /// There is no `Host` (RFC 9112, 3.2).
    NoHost,
    /// There are several `Host` fields, or `Host` and `:authority` differ.
    TwoHosts,
    /// `Host` is malformed.
    Host,
    /// The request has more fields than are allowed.
    Fields,
    /// `Max-Forwards` is no number.
    MaxForwards,
    /// `Expect` asks for something unknown.
    Expectation,
    /// `CONNECT` asks for a tunnel, and this is no forward proxy.
    Tunnel,
    /// The path cannot be brought into normal form, or is not in it. See [`Paths`](super::Paths).
    Path,
    /// The body has an unknown coding.
    Coding,
    /// A `TRACE` has a body (RFC 9110, 9.3.8).
    Trace,
    /// The body has a length and a coding (RFC 9112, 6.3).
    TwoLengths,
}

/// The error in an upstream's reply.
#[derive(Debug)]
#[non_exhaustive]
pub enum BadReply {
    /// It has two lengths, several, or one that is no number; or an unknown coding, or a coding and a length (RFC 9112,
    /// 6.3). It is uncertain where such a reply ends, so its connection is not used again.
    Framing,
    /// Its head is larger than the limit: see [`Limits`](super::Limits).
    TooLarge,
    /// It is malformed.
    Malformed(Cause),
    /// It switches to a protocol for which the client did not ask.
    Switch,
}

impl BadRequest {
    const fn status(self) -> StatusCode {
        match self {
            Self::Fields => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Expectation => StatusCode::EXPECTATION_FAILED,
            Self::Tunnel | Self::Coding => StatusCode::NOT_IMPLEMENTED,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    const fn detail(self) -> &'static str {
        match self {
            Self::Target => "this target cannot be passed on",
            Self::NoHost => "the request has no Host",
            Self::TwoHosts => "the request names more than one host",
            Self::Host => "the request's Host is malformed",
            Self::Fields => "the request has too many fields",
            Self::MaxForwards => "Max-Forwards is not a number",
            Self::Expectation => "this expectation is not known here",
            Self::Tunnel => "there are no tunnels here",
            Self::Path => "this path cannot be passed on",
            Self::Coding => "this transfer coding is not known here",
            Self::Trace => "a TRACE has no body",
            Self::TwoLengths => "the request's body has a length and a coding",
        }
    }
}

impl Error {
    /// What a client may be told. See [`Failure`].
    #[must_use]
    pub fn failure(&self) -> Failure<'_> {
        const OFF: StatusCode = StatusCode::BAD_GATEWAY;
        let failure = match self {
            Self::Request(bad) => bad.failure(),
            Self::Loop => Failure::new(StatusCode::LOOP_DETECTED, "loop-detected", "the request has been here before"),
            Self::Identity(Unstatable { is_reserved: true, .. }) => Failure::new(
                StatusCode::BAD_REQUEST,
                "unspeakable-identity",
                "the sender's name cannot be said in a field",
            ),
            Self::Identity(_) => {
                Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "unspeakable-identity", "something is wrong here")
            }
            Self::TooLarge => {
                Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "the request's body is too large")
            }
            Self::SlowClient => {
                Failure::new(StatusCode::REQUEST_TIMEOUT, "body-too-slow", "the request's body did not come in time")
            }
            Self::BadBody(_) => Failure::new(StatusCode::BAD_REQUEST, "bad-body", "the request's body is malformed"),
            Self::Gone => {
                Failure::new(StatusCode::BAD_REQUEST, "client-gone", "the client left in the middle of its body")
            }
            Self::NoUpstream => {
                Failure::new(StatusCode::SERVICE_UNAVAILABLE, "no-upstream", "no upstream can be asked")
            }
            Self::Refused(_) => Failure::new(OFF, "upstream-refused", "the upstream does not take the request"),
            Self::Exhausted(_) => {
                Failure::new(StatusCode::SERVICE_UNAVAILABLE, "no-descriptors", "no connection can be made right now")
            }
            Self::Broken(_) => Failure::new(OFF, "upstream-broke-off", "the upstream broke off before its reply"),
            Self::Reply(BadReply::Framing) => {
                Failure::new(OFF, "bad-reply", "where the upstream's reply ends cannot be told for sure")
            }
            Self::Reply(BadReply::TooLarge) => {
                Failure::new(OFF, "bad-reply", "the head of the upstream's reply is too large")
            }
            Self::Reply(BadReply::Malformed(_)) => Failure::new(OFF, "bad-reply", "the upstream's reply is malformed"),
            Self::Reply(BadReply::Switch) => {
                Failure::new(OFF, "bad-reply", "the upstream switches to a protocol that nobody asked for")
            }
            Self::Silent => {
                Failure::new(StatusCode::GATEWAY_TIMEOUT, "upstream-silent", "the upstream was silent for too long")
            }
            Self::Tunnels => Failure::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "too-many-tunnels",
                "there are too many open connections of this kind",
            ),
            Self::Expired => Failure::new(StatusCode::GATEWAY_TIMEOUT, "request-expired", "this took too long"),
        };
        failure.because(self)
    }

    /// Whether no upstream has seen the request. Then it may be sent once more, whatever its method. The reply carries
    /// an [`Unseen`] in this case.
    #[must_use]
    pub const fn is_unseen(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::NoUpstream | Self::Exhausted(_))
    }

    /// Whether the upstream failed, and not the client.
    #[must_use]
    pub const fn is_upstreams(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Broken(_) | Self::Reply(_) | Self::Silent)
    }
}

impl Error {
    /// What this says about the upstream.
    pub(super) const fn outcome(&self) -> Outcome {
        match self {
            Self::Refused(_) | Self::Broken(_) | Self::Reply(_) => Outcome::Failed,
            Self::Silent | Self::Expired => Outcome::TimedOut,
            _ => Outcome::Client,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.failure().detail)?;
        match self {
            Self::Refused(cause) | Self::Exhausted(cause) | Self::Broken(cause) | Self::BadBody(cause) => {
                write!(f, ": {cause}")
            }
            Self::Reply(BadReply::Malformed(cause)) => write!(f, ": {cause}"),
            _ => Ok(()),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Refused(cause) | Self::Exhausted(cause) | Self::Broken(cause) | Self::BadBody(cause) => {
                Some(&**cause)
            }
            Self::Reply(BadReply::Malformed(cause)) => Some(&**cause),
            _ => None,
        }
    }
}

impl From<BadRequest> for Error {
    fn from(bad: BadRequest) -> Self {
        Self::Request(bad)
    }
}

#[cfg(feature = "upstream")]
impl From<crate::upstream::NoUpstream> for Error {
    fn from(_: crate::upstream::NoUpstream) -> Self {
        Self::NoUpstream
    }
}

impl From<BadReply> for Error {
    fn from(bad: BadReply) -> Self {
        Self::Reply(bad)
    }
}

/// The status and the detail of the [`Failure`], and an [`Unseen`] if no upstream has seen the request.
impl<B: Render> IntoReply<Response<B>> for Error {
    fn into_reply(self) -> Response<B> {
        let mut reply = B::render(&self.failure());
        if self.is_unseen() {
            reply.extensions_mut().insert(Unseen);
        }
        reply
    }
}

impl BadRequest {
    const fn failure(self) -> Failure<'static> {
        Failure::new(self.status(), "bad-request", self.detail())
    }
}

impl fmt::Display for BadRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail())
    }
}

impl StdError for BadRequest {}

/// The status and the detail of the [`Failure`].
impl<B: Render> IntoReply<Response<B>> for BadRequest {
    fn into_reply(self) -> Response<B> {
        B::render(&self.failure().because(&self))
    }
}
