//! [`Timed`]: a body that has to be sent by a given time.
//!
//! A [`Deadline`](crate::around::Deadline) ends when the block has its reply: the head is there then, and the body is
//! still to be sent. [`WholeDeadline`](crate::around::WholeDeadline) lasts to the body's end. It leaves this type
//! around the body, so that nothing is boxed.
//!
//! ```
//! # #[cfg(feature = "tokio")] {
//! use std::time::Duration;
//!
//! use bytes::Bytes;
//! use chain_runtime::around::{Expired, WholeDeadline};
//! use chain_runtime::timed::Timed;
//! use chain_runtime::{chain, node};
//! use http::{Request, Response};
//! use http_body_util::{BodyExt as _, StreamBody, combinators::UnsyncBoxBody};
//! # use http_body::Frame;
//! # use std::convert::Infallible;
//!
//! type Body = UnsyncBoxBody<Bytes, Infallible>;
//!
//! /// Gives the head at once, and a part of the body each second.
//! #[node]
//! fn ticks(_request: &Request<()>) -> Response<Body> {
//!     let ticks = futures_util::stream::unfold((), async |()| {
//!         tokio::time::sleep(Duration::from_secs(1)).await;
//!         Some((Ok(Frame::data(Bytes::from("tick\n"))), ()))
//!     });
//!     Response::new(StreamBody::new(ticks).boxed_unsync())
//! }
//!
//! type Reply = Response<Timed<Body>>;
//!
//! chain! {
//!     struct Clock { deadline: WholeDeadline<Reply> }
//!     async fn(request: Request<()>) -> Reply { deadline { ticks } }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
//! let clock = Clock { deadline: WholeDeadline::within(Duration::from_millis(2_500)) };
//! let reply = clock.run(Request::new(())).await;
//! assert_eq!(reply.status(), 200);
//! let mut body = std::pin::pin!(reply.into_body());
//! assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "tick\n");
//! assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "tick\n");
//! assert!(body.frame().await.unwrap().unwrap_err().is::<Expired>());
//! assert!(body.frame().await.is_none());
//! # });
//! # }
//! ```

use core::error::Error;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::boxed::Box;
use std::time::Instant;

use http::Response;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

#[cfg(feature = "tokio")]
use crate::around::TokioTimer;
use crate::around::{Expired, Timer};
use crate::failure::{Failure, Render};
use crate::flow::IntoReply;
use crate::tailed::{Holds, Tailed};

/// A body, or a reply with one, that can be given a time by which it has to be sent.
///
/// In axum, any body can: it is boxed once more for that, unless it is at its end.
#[diagnostic::on_unimplemented(
    message = "chain[E805]: `{Self}` cannot be told by when it has to be sent",
    note = "let the body of the chain's reply be a `chain_runtime::timed::Timed<B>`"
)]
pub trait Until<T> {
    /// The body breaks off with [`Expired`] if this time comes before its end. Of two times, the sooner one counts.
    fn until(&mut self, at: Instant, timer: T);
}

#[cfg(feature = "tokio")]
pin_project! {
    /// A body that breaks off when its time is up. See the [module](self).
    ///
    /// Its error is the body's own error or [`Expired`], in a box: `error.is::<Expired>()`. A body becomes one by
    /// `From`, without a limit. If the chain's reply is a `Response<Timed<B>>`, so do the replies of nodes that know
    /// nothing of it.
    ///
    /// The clock is read whenever the server polls for more of the body, and a timer wakes the body while it has
    /// nothing. A server does not poll as long as the client takes nothing of what it has: giving up on such a client
    /// is the server's business.
    #[derive(Debug)]
    pub struct Timed<B, T: Timer = TokioTimer> {
        #[pin]
        body: Option<B>,
        limit: Option<(Instant, T)>,
        #[pin]
        sleep: Option<T::Sleep>,
    }
}

#[cfg(not(feature = "tokio"))]
pin_project! {
    /// A body that breaks off when its time is up. See the [module](self). With the feature `tokio`, the timer is
    /// tokio's unless another one is named.
    #[derive(Debug)]
    pub struct Timed<B, T: Timer> {
        #[pin]
        body: Option<B>,
        limit: Option<(Instant, T)>,
        #[pin]
        sleep: Option<T::Sleep>,
    }
}

impl<B, T: Timer> Timed<B, T> {
    /// A body that has no limit yet.
    pub const fn new(body: B) -> Self {
        Self { body: Some(body), limit: None, sleep: None }
    }

    /// The body; `None` after its time was up.
    pub const fn get_ref(&self) -> Option<&B> {
        self.body.as_ref()
    }
}

impl<B, T: Timer> Until<T> for Timed<B, T> {
    fn until(&mut self, at: Instant, timer: T) {
        // No timer runs yet: a body that is borrowed like this is not pinned, and so was not polled.
        if self.limit.as_ref().is_none_or(|(sooner, _)| at < *sooner) {
            self.limit = Some((at, timer));
        }
    }
}

impl<T, B: Until<T>> Until<T> for Response<B> {
    fn until(&mut self, at: Instant, timer: T) {
        self.body_mut().until(at, timer);
    }
}

impl<T, B: Until<T>, X> Until<T> for Tailed<B, X> {
    fn until(&mut self, at: Instant, timer: T) {
        self.get_mut().until(at, timer);
    }
}

impl<B, T: Timer> From<B> for Timed<B, T> {
    fn from(body: B) -> Self {
        Self::new(body)
    }
}

impl<B, T> Body for Timed<B, T>
where
    B: Body<Error: Into<Box<dyn Error + Send + Sync>>>,
    T: Timer,
{
    type Data = B::Data;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, Self::Error>>> {
        let mut this = self.project();
        let Some(body) = this.body.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        if let Some((at, timer)) = this.limit {
            let is_late = *at <= timer.now();
            if !is_late && let Poll::Ready(frame) = body.poll_frame(context) {
                return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
            }
            if !is_late && this.sleep.is_none() {
                this.sleep.set(Some(timer.sleep_until(*at)));
            }
            let woken = |sleep: Pin<&mut T::Sleep>| sleep.poll(context).is_ready();
            if !is_late && !this.sleep.as_mut().as_pin_mut().is_some_and(woken) {
                return Poll::Pending;
            }
            // It lets go of what the body holds now, not only when the server drops it.
            this.body.set(None);
            this.sleep.set(None);
            return Poll::Ready(Some(Err(Expired.into())));
        }
        body.poll_frame(context).map(|frame| frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl<E, B: Holds<E>, T: Timer> Holds<E> for Timed<B, T> {
    fn hold(&mut self, held: E) {
        if let Some(body) = &mut self.body {
            body.hold(held);
        }
    }
}

impl<B: Render, T: Timer> Render for Timed<B, T> {
    fn render(failure: &Failure<'_>) -> Response<Self> {
        B::render(failure).map(Self::new)
    }
}

/// The same reply, without a limit.
impl<B, T: Timer> IntoReply<Response<Timed<B, T>>> for Response<B> {
    fn into_reply(self) -> Response<Timed<B, T>> {
        self.map(Timed::new)
    }
}
