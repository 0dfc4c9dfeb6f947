//! A layer, cut in two where it calls its inner service.

use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::boxed::Box;
use std::sync::Arc;

use tower_service::Service;

use super::relay::{Line, on};
use crate::IntoReply;

/// A layer that is cut in two, of whatever type.
pub(super) trait Cut<Q, R> {
    /// Whether the layer's service is ready.
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), R>>;
    /// Calls it.
    fn begin(&mut self, request: Q);
    /// The request with which the inner service is called, or the layer's reply without that call.
    fn poll_arrived(&mut self, context: &mut Context<'_>) -> Poll<Result<Q, R>>;
    /// Gives the layer this reply of the inner service.
    fn answer(&mut self, reply: R, context: &Context<'_>);
    /// The layer's reply.
    fn poll_reply(&mut self, context: &mut Context<'_>) -> Poll<R>;
    /// The request is over.
    fn reset(&mut self);
}

pub(super) struct Halves<S: Service<Q>, Q, R, V> {
    /// The layer's service, as it was made.
    first: Arc<S>,
    /// A clone of that service, for one request. Dropping it gives back what it reserved.
    service: Option<S>,
    future: Pin<Box<Option<S::Future>>>,
    line: Arc<Line<Q, V>>,
    replies: PhantomData<fn() -> R>,
}

const BEGUN: &str = "the layer was called";

impl<S, Q, R, V> Halves<S, Q, R, V>
where
    S: Service<Q, Response: IntoReply<R>, Error: IntoReply<R>>,
    Q: Send + 'static,
    V: Send + 'static,
{
    pub(super) fn new(first: Arc<S>) -> Self {
        Self { first, service: None, future: Box::pin(None), line: Arc::default(), replies: PhantomData }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<R> {
        let polled = on(&self.line, || self.future.as_mut().as_pin_mut().expect(BEGUN).poll(context));
        polled.map(|outcome| match outcome {
            Ok(response) => response.into_reply(),
            Err(error) => error.into_reply(),
        })
    }
}

impl<S, Q, R, V> Cut<Q, R> for Halves<S, Q, R, V>
where
    S: Service<Q, Response: IntoReply<R>, Error: IntoReply<R>> + Clone,
    Q: Send + 'static,
    R: Into<V>,
    V: Send + 'static,
{
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), R>> {
        let service = self.service.get_or_insert_with(|| S::clone(&self.first));
        service.poll_ready(context).map_err(IntoReply::into_reply)
    }

    fn begin(&mut self, request: Q) {
        let service = self.service.as_mut().expect("it said that it is ready");
        let future = on(&self.line, || service.call(request));
        self.future.set(Some(future));
    }

    fn poll_arrived(&mut self, context: &mut Context<'_>) -> Poll<Result<Q, R>> {
        if !self.line.lock().is_called
            && let Poll::Ready(reply) = self.poll(context)
        {
            return Poll::Ready(Err(reply));
        }
        match self.line.lock().request.take() {
            Some(request) => Poll::Ready(Ok(request)),
            None => Poll::Pending,
        }
    }

    fn answer(&mut self, reply: R, context: &Context<'_>) {
        let mut on_line = self.line.lock();
        on_line.reply = Some(reply.into());
        let waker = on_line.waker.take();
        drop(on_line);
        // The layer is polled next, under this context. If the waker belongs to another context, it has to be woken.
        if let Some(waker) = waker.filter(|waker| !waker.will_wake(context.waker())) {
            waker.wake();
        }
    }

    fn poll_reply(&mut self, context: &mut Context<'_>) -> Poll<R> {
        self.poll(context)
    }

    fn reset(&mut self) {
        self.future.set(None);
        self.service = None;
        match Arc::get_mut(&mut self.line) {
            Some(line) => *line = Line::default(),
            // The layer has kept a relay's future longer than its own. That future must not hear of another request.
            None => self.line = Arc::default(),
        }
    }
}
