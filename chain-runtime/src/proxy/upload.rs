//! The body of a request on its way to the upstream: passed on as it comes, within its limits.

use core::error::Error;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::task::{Context, Poll, Waker, ready};
use core::time::Duration;
use std::boxed::Box;
use std::io::{self, ErrorKind};
use std::string::ToString as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use super::error::{Cause, Error as RequestError};
use super::fields::clean_trailers;
use super::identity::Reserved;
use super::limits::{Limits, Rate};
use super::pace::Pace;

/// A request's body, as the upstream's connection reads it.
///
/// It is in the [`Passage`] until the upstream asks for it. A body for which the upstream has not asked can be sent
/// once more.
#[derive(Debug)]
pub(super) struct Upload<B> {
    passage: Arc<Passage<B>>,
    reserved: Arc<Reserved>,
    body: Option<B>,
    hint: SizeHint,
    is_over: bool,
    left: u64,
    /// How long, and how slowly, the client may send. All limits would be moved with each request several times.
    silence: Duration,
    rate: Option<Rate>,
    until: Option<Instant>,
    /// Holds the body back until the upstream asks for it, or this time has passed.
    held_back: Option<Pin<Box<Sleep>>>,
    /// Made when the client is waited for. hyper's client wants a body that can be moved.
    pace: Option<Pin<Box<Pace>>>,
}

impl<B: Body> Upload<B> {
    /// Makes the body that is in the passage.
    pub(super) fn new(
        passage: &Arc<Passage<B>>,
        reserved: &Arc<Reserved>,
        limits: &Limits,
        until: Option<Instant>,
        waits: bool,
    ) -> Self {
        let (hint, is_over) = match &*passage.lock() {
            Some(body) => (body.size_hint(), body.is_end_stream()),
            None => (SizeHint::with_exact(0), true),
        };
        Self {
            passage: Arc::clone(passage),
            reserved: Arc::clone(reserved),
            body: None,
            hint,
            is_over,
            left: limits.body,
            silence: limits.silence,
            rate: limits.upload,
            until,
            held_back: waits.then(|| Box::pin(sleep(limits.expect))),
            pace: None,
        }
    }
}

impl<B> Upload<B> {
    /// The body ends here. The error is left in the passage, too: over HTTP/2, hyper resets the stream for it, and
    /// reports it to no one.
    fn broken(&self, error: UploadError) -> Poll<Option<Result<Frame<Bytes>, UploadError>>> {
        self.passage.broke(error.told());
        Poll::Ready(Some(Err(error)))
    }
}

impl<B> Body for Upload<B>
where
    B: Body<Data = Bytes, Error: Into<Cause>> + Unpin,
{
    type Data = Bytes;
    type Error = UploadError;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, UploadError>>> {
        let this = self.get_mut();
        if let Some(timer) = &mut this.held_back {
            if timer.as_mut().poll(context).is_pending() && !this.passage.poll_go_on(context) {
                return Poll::Pending;
            }
            this.held_back = None;
        }
        if this.body.is_none() && !this.is_over {
            this.body = this.passage.begin();
        }
        let Some(body) = &mut this.body else {
            // A body that was taken back has not come to its end.
            return Poll::Ready(if this.is_over { None } else { Some(Err(UploadError::TakenBack)) });
        };
        let polled = Pin::new(body).poll_frame(context);
        this.passage.seen(polled.is_pending());
        let frame = match polled {
            Poll::Pending => {
                let pace = this.pace.get_or_insert_with(|| Box::pin(Pace::new(this.silence, this.rate, this.until)));
                ready!(pace.as_mut().poll_wait(context));
                let slow = if pace.is_over() { UploadError::Expired } else { UploadError::TooSlow };
                return this.broken(slow);
            }
            Poll::Ready(None) => {
                this.is_over = true;
                return Poll::Ready(None);
            }
            Poll::Ready(Some(Err(error))) => return this.broken(UploadError::Client(error.into())),
            Poll::Ready(Some(Ok(frame))) => frame,
        };
        let frame = match frame.into_trailers() {
            Ok(mut trailers) => {
                clean_trailers(&mut trailers, |name| this.reserved.has(name));
                return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
            }
            Err(frame) => frame,
        };
        let size = frame.data_ref().map_or(0, Bytes::len);
        if let Some(pace) = &mut this.pace {
            pace.as_mut().moved(size);
        }
        let Some(left) = this.left.checked_sub(size as u64) else { return this.broken(UploadError::TooLarge) };
        this.left = left;
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        match &self.body {
            Some(body) => body.is_end_stream(),
            None => self.is_over,
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| self.hint, Body::size_hint)
    }
}

/// Why a body is not passed on to its end.
#[derive(Debug)]
pub(super) enum UploadError {
    /// It is larger than the limit.
    TooLarge,
    /// It comes too slowly.
    TooSlow,
    /// The time for the whole request is over.
    Expired,
    /// The request was given up before the body began.
    TakenBack,
    /// The client broke it off, or sent a malformed one.
    Client(Cause),
}

impl UploadError {
    /// The error with which the request fails.
    pub(super) fn told(&self) -> RequestError {
        match self {
            Self::TooLarge => RequestError::TooLarge,
            Self::TooSlow => RequestError::SlowClient,
            Self::Expired => RequestError::Expired,
            Self::TakenBack => RequestError::Gone,
            error if error.is_hang_up() => RequestError::Gone,
            Self::Client(error) => RequestError::BadBody(error.to_string().into()),
        }
    }

    /// Whether the client left in the middle of the body. A client can still be told of every other error.
    fn is_hang_up(&self) -> bool {
        let Self::Client(error) = self else {
            return false;
        };
        let Some(error) = error.downcast_ref::<::hyper::Error>() else {
            return false;
        };
        let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
        let left = [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
        cause.map_or(error.is_closed() || error.is_canceled(), |cause| left.contains(&cause.kind()))
    }
}

impl fmt::Display for UploadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => f.write_str("the request's body is too large"),
            Self::TooSlow => f.write_str("the request's body comes too slowly"),
            Self::Expired => f.write_str("the time for the request is over"),
            Self::TakenBack => f.write_str("the request was given up"),
            Self::Client(error) => write!(f, "the client broke off the request's body: {error}"),
        }
    }
}

impl Error for UploadError {}

/// Stands between the task of a request and the task of the upstream's connection, which reads the body.
///
/// Without its reports, a long upload would look like a silent upstream.
#[derive(Debug)]
pub(super) struct Passage<B> {
    /// The body, until the upstream asks for it.
    body: Mutex<Option<B>>,
    began: Instant,
    /// When the upstream last asked for the body, in milliseconds since then.
    asked: AtomicU64,
    /// Whether the body had nothing to give: then the client is being waited for.
    starved: AtomicBool,
    /// Whether the upstream said `100 Continue`.
    goes_on: AtomicBool,
    /// The waker of the body, while the body is held back until then.
    waits: Mutex<Option<Waker>>,
    /// The error in the body.
    fault: Mutex<Option<RequestError>>,
}

impl<B> Passage<B> {
    /// A passage without a body.
    pub(super) fn empty() -> Self {
        Self {
            body: Mutex::new(None),
            began: Instant::now(),
            asked: AtomicU64::new(0),
            starved: AtomicBool::new(false),
            goes_on: AtomicBool::new(false),
            waits: Mutex::new(None),
            fault: Mutex::new(None),
        }
    }

    /// Begins the passage of a body, now. It uses the same memory, unless an earlier request's connection still holds
    /// it.
    pub(super) fn renew(passage: &mut Option<Arc<Self>>, body: B) -> Arc<Self> {
        let mine = passage.get_or_insert_with(|| Arc::new(Self::empty()));
        match Arc::get_mut(mine) {
            Some(mine) => {
                mine.began = Instant::now();
                *mine.asked.get_mut() = 0;
                *mine.starved.get_mut() = false;
                *mine.goes_on.get_mut() = false;
                *mine.waits.get_mut().unwrap_or_else(PoisonError::into_inner) = None;
                *mine.fault.get_mut().unwrap_or_else(PoisonError::into_inner) = None;
            }
            None => *mine = Arc::new(Self::empty()),
        }
        *mine.lock() = Some(body);
        Arc::clone(mine)
    }

    /// Drops a body for which the upstream has not asked.
    pub(super) fn clear(&self) {
        let body = self.lock().take();
        drop(body);
    }

    fn lock(&self) -> MutexGuard<'_, Option<B>> {
        self.body.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self) -> Option<B> {
        self.lock().take()
    }

    /// Whether the body can still be sent from its beginning.
    pub(super) fn is_untouched(&self) -> bool {
        self.lock().is_some()
    }

    fn broke(&self, error: RequestError) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    /// The error in the body, if there was one.
    pub(super) fn fault(&self) -> Option<RequestError> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn seen(&self, starved: bool) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        // Both are hints about when to give up; nothing else is published by them.
        self.asked.store(now, Ordering::Relaxed);
        self.starved.store(starved, Ordering::Relaxed);
    }

    /// When the upstream last asked for the body, or the passage began.
    pub(super) fn last(&self) -> Instant {
        self.began + Duration::from_millis(self.asked.load(Ordering::Relaxed))
    }

    /// Whether the client is being waited for, and not the upstream.
    pub(super) fn is_starved(&self) -> bool {
        self.starved.load(Ordering::Relaxed)
    }

    /// The upstream asks for the body.
    pub(super) fn go_on(&self) {
        self.goes_on.store(true, Ordering::Release);
        let waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waker) = waits {
            waker.wake();
        }
    }

    /// Whether it did. Only a client that sent `Expect` makes the body wait for this.
    fn poll_go_on(&self, context: &mut Context<'_>) -> bool {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *waits {
            Some(waker) => waker.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        drop(waits);
        // This is read after the waker is there: code that continues in between finds the waker.
        self.goes_on.load(Ordering::Acquire)
    }
}
