//! How a child ended: with an output, with a panic, or dropped.

use core::error::Error;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::sync::Arc;

use tokio::sync::oneshot;

use super::run::Run;
use crate::around::Panicked;
use crate::flow::IntoReply;

/// A child of a run: a future that gives the child's output. [`Work::spawn`](super::Work::spawn) makes it.
///
/// A child runs whether or not it is awaited. Dropping the `Child` does not end the child, which belongs to the run.
///
/// # Errors
///
/// [`ChildFailed`]. With `?`, a child's panic becomes a break of the node that awaits the child.
#[must_use = "a child runs without being awaited, but then its output is lost: `drop(..)` says that this is meant"]
pub struct Child<T> {
    name: &'static str,
    /// `None` if the child never began.
    hears: Option<(Hears<T>, Arc<Run>)>,
}

/// How it ended, once it has.
pub(super) type Hears<T> = oneshot::Receiver<Result<T, ChildPanicked>>;

impl<T> Child<T> {
    pub(super) const fn new(name: &'static str, hears: Hears<T>, run: Arc<Run>) -> Self {
        Self { name, hears: Some((hears, run)) }
    }

    pub(super) const fn never_begun(name: &'static str) -> Self {
        Self { name, hears: None }
    }

    /// The child's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl<T> Future for Child<T> {
    type Output = Result<T, ChildFailed>;

    /// # Panics
    ///
    /// If it is polled again after it was ready.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let cancelled = ChildFailed::Cancelled(Cancelled { name: self.name });
        let Some((hears, _)) = &mut self.hears else { return Poll::Ready(Err(cancelled)) };
        Poll::Ready(match ready!(Pin::new(hears).poll(context)) {
            Ok(ended) => ended.map_err(ChildFailed::Panicked),
            Err(_) => Err(cancelled),
        })
    }
}

/// Code that drops it unawaited has not seen how the child ended.
impl<T> Drop for Child<T> {
    fn drop(&mut self) {
        let Some((hears, run)) = &mut self.hears else { return };
        hears.close();
        if let Ok(Err(panicked)) = hears.try_recv() {
            run.nobody_saw(panicked);
        }
    }
}

impl<T> fmt::Debug for Child<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Why a child has no output.
#[derive(Debug)]
pub enum ChildFailed {
    /// It panicked.
    Panicked(ChildPanicked),
    /// It was dropped where it stood, or never began, because its `Tasks` was stopped or its runtime was shut down.
    Cancelled(Cancelled),
}

/// A child panicked. As an `http::Response`, a 500 that does not say why.
#[derive(Debug)]
pub struct ChildPanicked {
    name: &'static str,
    panicked: Panicked,
}

impl ChildPanicked {
    pub(super) const fn new(name: &'static str, panicked: Panicked) -> Self {
        Self { name, panicked }
    }

    /// The child's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The panic.
    #[must_use]
    pub const fn panicked(&self) -> &Panicked {
        &self.panicked
    }

    /// Goes on with the panic, without calling the panic hook again.
    pub fn resume(self) -> ! {
        self.panicked.resume()
    }
}

/// A child was dropped before it had an output. As an `http::Response`, a 503.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled {
    name: &'static str,
}

impl Cancelled {
    /// The child's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl fmt::Display for ChildFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked(panicked) => panicked.fmt(f),
            Self::Cancelled(cancelled) => cancelled.fmt(f),
        }
    }
}

impl fmt::Display for ChildPanicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the child `{}` {}", self.name, self.panicked)
    }
}

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the child `{}` was dropped before it was done", self.name)
    }
}

impl Error for ChildFailed {}
impl Error for ChildPanicked {}
impl Error for Cancelled {}

/// A reply that can tell of a child which panicked and which no code awaited. [`ChildPanicked`] becomes such a reply
/// through [`IntoReply`], or the reply is a `Result` whose error it becomes through `From`. It is implemented here for
/// all of these.
#[diagnostic::on_unimplemented(
    message = "chain[E708]: a child that panics takes the reply's place, and `ChildPanicked` cannot become this chain's reply, `{Self}`",
    label = "would have to become the reply",
    note = "implement `IntoReply<{Self}>` for `chain_runtime::tasks::ChildPanicked`; where the reply is a `Result<_, X>`, implement `From<ChildPanicked>` for `X`"
)]
pub trait MadeOfAPanic {
    /// Makes the reply.
    fn made_of(panicked: ChildPanicked) -> Self;
}

#[diagnostic::do_not_recommend]
impl<R> MadeOfAPanic for R
where
    ChildPanicked: IntoReply<R>,
{
    fn made_of(panicked: ChildPanicked) -> Self {
        panicked.into_reply()
    }
}

#[diagnostic::do_not_recommend]
impl<T, X: From<ChildPanicked>> MadeOfAPanic for Result<T, X> {
    fn made_of(panicked: ChildPanicked) -> Self {
        Err(X::from(panicked))
    }
}

#[cfg(feature = "http")]
mod replies {
    use http::{Response, StatusCode};

    use super::{Cancelled, ChildFailed, ChildPanicked};
    use crate::failure::{Failure, Render};
    use crate::flow::IntoReply;

    /// 500 Internal Server Error, `child-panicked`: the panic's payload is not for the client.
    impl<B: Render> IntoReply<Response<B>> for ChildPanicked {
        fn into_reply(self) -> Response<B> {
            let failure =
                Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "child-panicked", "something went wrong here");
            B::render(&failure.because(&self))
        }
    }

    /// 503 Service Unavailable, `stopping`.
    impl<B: Render> IntoReply<Response<B>> for Cancelled {
        fn into_reply(self) -> Response<B> {
            let failure = Failure::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", "this is being shut down");
            B::render(&failure.because(&self))
        }
    }

    /// The response of the variant.
    impl<B: Render> IntoReply<Response<B>> for ChildFailed {
        fn into_reply(self) -> Response<B> {
            match self {
                Self::Panicked(panicked) => panicked.into_reply(),
                Self::Cancelled(cancelled) => cancelled.into_reply(),
            }
        }
    }

    /// 503 Service Unavailable, `overloaded` or `stopping`.
    impl<B: Render> IntoReply<Response<B>> for crate::tasks::Refused {
        fn into_reply(self) -> Response<B> {
            let (code, detail) = match self {
                Self::Full => ("overloaded", "too many requests are under way"),
                Self::Stopped => ("stopping", "this is being shut down"),
            };
            let failure = Failure::new(StatusCode::SERVICE_UNAVAILABLE, code, detail);
            B::render(&failure.because(&self))
        }
    }
}
