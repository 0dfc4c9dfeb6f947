//! [`Pick`] picks an upstream for a request, and its [`Turn`] hears how the try ended.

use http::StatusCode;
use http::request::Parts;

use super::streaming::Streaming;
use super::upstream::Upstream;

/// Picks the upstream for a request.
///
/// The picked upstream is held as a [`Turn`] until its try has ended, and is given back on every way out.
///
/// A [`Rotation`](super::Rotation) is a `Pick`, and with the feature `upstream` so is a `upstream::Pick` of a
/// registry's members. A `Pick` that chooses among several passes its calls on:
///
/// ```
/// use chain_runtime::proxy::{Pick, Rotation};
/// use http::request::Parts;
///
/// /// One group for requests below a path, and one for all others.
/// struct ByPath { path: String, there: Rotation, elsewhere: Rotation }
///
/// impl ByPath {
///     fn group(&self, request: &Parts) -> &Rotation {
///         if request.uri.path().starts_with(&self.path) { &self.there } else { &self.elsewhere }
///     }
/// }
///
/// impl Pick for ByPath {
///     type Turn<'a> = <Rotation as Pick>::Turn<'a>;
///     type Tried = <Rotation as Pick>::Tried;
///
///     fn pick(&self, request: &Parts, tried: &mut Self::Tried) -> Option<Self::Turn<'_>> {
///         self.group(request).pick(request, tried)
///     }
///
///     fn tries(&self, request: &Parts) -> usize {
///         self.group(request).tries(request)
///     }
/// }
/// ```
pub trait Pick {
    /// An upstream's turn.
    type Turn<'a>: Turn
    where
        Self: 'a;

    /// What is remembered of a request's tries, such as the upstreams not to pick again. It is its default at the
    /// beginning of each request. It is `()` if nothing is remembered.
    type Tried: Default + Send;

    /// Picks one, for a request as the client sent it, except for the fields that the proxy rewrote. The target is the
    /// client's, at each try. `None` if no upstream can be asked.
    ///
    /// It is called again for the same request only if the upstream that was picked before accepted no connection.
    fn pick(&self, request: &Parts, tried: &mut Self::Tried) -> Option<Self::Turn<'_>>;

    /// The most upstreams to which this request is sent, one after another, while they refuse connections. It is called
    /// once for each request, before the first pick.
    fn tries(&self, request: &Parts) -> usize;
}

/// An upstream that was picked for one try.
///
/// It is told how the try ended. If it is dropped without having been told, the request was cancelled: by the client,
/// which says nothing about the upstream, or by a deadline, which may.
pub trait Turn {
    /// The upstream.
    fn upstream(&self) -> &Upstream;

    /// The try ended in this way.
    fn ended(self, outcome: Outcome);

    /// The head of a reply came. The returned value goes with the reply's body, or with the tunnel, to its end. If
    /// nothing has to go with it, the try has [ended](Self::ended).
    fn streams(self, outcome: Outcome) -> Streaming
    where
        Self: Sized,
    {
        self.ended(outcome);
        Streaming::default()
    }
}

/// How a try ended.
///
/// | | outcome |
/// | --- | --- |
/// | a reply | [`Replied`](Outcome::Replied) |
/// | [`Error::Refused`](super::Error::Refused), [`Broken`](super::Error::Broken), [`Reply`](super::Error::Reply) | [`Failed`](Outcome::Failed) |
/// | [`Error::Silent`](super::Error::Silent), and [`Expired`](super::Error::Expired) unless the wait was for the client | [`TimedOut`](Outcome::TimedOut) |
/// | all other errors | [`Client`](Outcome::Client) |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The upstream replied.
    Replied {
        /// With this status.
        status: StatusCode,
        /// Whether that is the reply of a healthy upstream: see [`Settings::blames`](super::Settings::blames).
        ok: bool,
    },
    /// The upstream did not reply: it refused, broke off, or sent a malformed reply.
    Failed,
    /// The upstream was silent for too long.
    TimedOut,
    /// The upstream was not at fault: mostly, a body was too large, too slow or malformed.
    Client,
}
