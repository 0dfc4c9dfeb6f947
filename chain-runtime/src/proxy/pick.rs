//! Whose turn it is: [`Pick`] picks an upstream for a request, and its [`Turn`] hears how that ended.

use http::StatusCode;
use http::request::Parts;

use super::streaming::Streaming;
use super::upstream::Upstream;

/// Who picks the upstream for a request.
///
/// What is picked is held as a [`Turn`] until it is known what became of it, and is given back on every way out.
///
/// A [`Rotation`](super::Rotation) is one, and with the feature `upstream` so is a `upstream::Pick` of a registry's members. One that chooses
/// among several passes on what it is asked:
///
/// ```
/// use chain_runtime::proxy::{Pick, Rotation};
/// use http::request::Parts;
///
/// /// One group for what is below a path, and one for all the rest.
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

    /// What is known of a request's tries, from one to the next: whom not to pick again. It begins as its default with each request. `()` where nothing is.
    type Tried: Default + Send;

    /// Picks one, for a request as the client sent it but for the fields that the proxy rewrote: the target is the client's, at each try. `None` where none can
    /// be asked.
    ///
    /// It is called once more for the same request only where the one that was picked before took no connection.
    fn pick(&self, request: &Parts, tried: &mut Self::Tried) -> Option<Self::Turn<'_>>;

    /// To how many upstreams this request is sent at most, one after another, while they refuse connections. It is asked once for each request, before
    /// anything is picked.
    fn tries(&self, request: &Parts) -> usize;
}

/// An upstream that was picked for one try.
///
/// It is told how that ended. Where it is dropped without having been told, the request was cancelled: by the client, which says nothing
/// about the upstream, or by a deadline, which may.
pub trait Turn {
    /// The upstream.
    fn upstream(&self) -> &Upstream;

    /// How it ended.
    fn ended(self, outcome: Outcome);

    /// The head of a reply came. What is returned goes with the reply's body, or with the tunnel, to its end. Where nothing has to, it has [ended](Self::ended).
    fn streams(self, outcome: Outcome) -> Streaming
    where
        Self: Sized,
    {
        self.ended(outcome);
        Streaming::default()
    }
}

/// What became of a try.
///
/// | | outcome |
/// | --- | --- |
/// | a reply | [`Replied`](Outcome::Replied) |
/// | [`Error::Refused`](super::Error::Refused), [`Broken`](super::Error::Broken), [`Reply`](super::Error::Reply) | [`Failed`](Outcome::Failed) |
/// | [`Error::Silent`](super::Error::Silent), and [`Expired`](super::Error::Expired) unless the client was waited for | [`TimedOut`](Outcome::TimedOut) |
/// | all other errors | [`Client`](Outcome::Client) |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The upstream replied.
    Replied {
        /// With this status.
        status: StatusCode,
        /// Whether that is the reply of one that is well: see [`Settings::blames`](super::Settings::blames).
        ok: bool,
    },
    /// It did not: it refused, broke off, or sent what is no reply.
    Failed,
    /// It was silent for too long.
    TimedOut,
    /// It was not the upstream's doing: a body that is too large, too slow or malformed, most of all.
    Client,
}
