//! [`Answering`]: a request that is answered.

use core::convert::Infallible;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::sync::Arc;

use http::Response;
use http::header::{CONNECTION, HeaderValue};
use http_body::Body;

use super::connection::Underway;
use super::{sent, streams};
use crate::Pool;
use crate::framing::Asked;
use crate::pool::Lease;
use crate::proxy::place::Place;
use crate::tailed::Cut;

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
    pub(super) fn to(answer: impl FnOnce() -> F, places: &Arc<Pool<Place<F>>>) -> Self {
        Self(Place::of(answer, places))
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<F::Output>
    where
        F: Future,
    {
        let answer = self.0.get_mut().expect("it is not polled after its end");
        let reply = ready!(answer.poll(context));
        self.0.clear();
        Poll::Ready(reply)
    }
}
