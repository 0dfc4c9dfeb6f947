//! [`Answering`]: a request that is answered.

use core::convert::Infallible;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::boxed::Box;
use std::sync::Arc;

use http::Response;
use http::header::{CONNECTION, HeaderValue};
use http_body::Body;

use super::connection::Underway;
use super::{sent, streams};
use crate::framing::Asked;
use crate::pool::Lease;
use crate::tailed::Cut;
use crate::{Pool, Reset};

/// Gives the reply, framed and watched.
pub(super) struct Answering<F: Send + 'static> {
    pub(super) reply: Reply<F>,
    pub(super) ends: bool,
    /// Over HTTP/2, what cuts the request.
    pub(super) cut: Option<Cut>,
    pub(super) asked: Asked,
    /// Goes with the reply.
    pub(super) underway: Option<Underway>,
}

impl<F, B> Future for Answering<F>
where
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body,
{
    type Output = Result<Response<sent::Sent<B>>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let mut reply = ready!(this.reply.poll(context));
        if this.ends {
            reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        let watch = this.cut.take().and_then(streams::watch);
        let underway = this.underway.take().expect("it is not polled after its end");
        Poll::Ready(Ok(sent::sent(reply, this.asked, watch, underway)))
    }
}

/// A chain that runs, in memory that its worker's requests use one after another.
///
/// hyper moves what it is given: over HTTP/1 two times, and over HTTP/2 as often as tokio's `spawn` and what stands
/// around it do, sixteen times. The future of a chain has some thousand bytes.
pub(super) struct Reply<F: Send + 'static>(Lease<'static, Place<F>>);

impl<F: Send + 'static> Reply<F> {
    pub(super) fn to(answer: F, places: &Arc<Pool<Place<F>>>) -> Self {
        let mut place = places.get_owned();
        place.0.as_mut().set(Some(answer));
        Self(place)
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<F::Output>
    where
        F: Future,
    {
        let mut place = self.0.0.as_mut();
        let answer = place.as_mut().as_pin_mut().expect("it is not polled after its end");
        let reply = ready!(answer.poll(context));
        place.set(None);
        Poll::Ready(reply)
    }
}

/// Room for one answer.
pub(super) struct Place<F>(Pin<Box<Option<F>>>);

impl<F> Default for Place<F> {
    fn default() -> Self {
        Self(Box::pin(None))
    }
}

impl<F> Reset for Place<F> {
    /// The request was given up.
    fn reset(&mut self) {
        self.0.as_mut().set(None);
    }
}
