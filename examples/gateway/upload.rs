//! The body of a request on its way to the upstream: passed on as it comes, and not past its limit.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

/// A request's body, as the upstream's connection reads it.
#[derive(Debug)]
pub(crate) struct Upload {
    incoming: Incoming,
    left: u64,
    progress: Arc<Progress>,
}

impl Upload {
    /// Refuses at once what says that it is too large.
    pub(crate) fn new(incoming: Incoming, limit: u64, progress: &Arc<Progress>) -> Result<Self, UploadError> {
        if incoming.size_hint().lower() > limit {
            return Err(UploadError::TooLarge);
        }
        Ok(Self { incoming, left: limit, progress: Arc::clone(progress) })
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = UploadError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, UploadError>>> {
        let polled = Pin::new(&mut self.incoming).poll_frame(cx);
        self.progress.seen(polled.is_pending());
        polled.map(|frame| {
            let frame = match frame? {
                Ok(frame) => frame,
                Err(error) => return Some(Err(UploadError::Client(error))),
            };
            let size = frame.data_ref().map_or(0, |bytes| bytes.len() as u64);
            match self.left.checked_sub(size) {
                Some(left) => {
                    self.left = left;
                    Some(Ok(frame))
                }
                None => Some(Err(UploadError::TooLarge)),
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

/// Why a body cannot be passed on.
#[derive(Debug)]
pub(crate) enum UploadError {
    /// It is larger than it may be.
    TooLarge,
    /// The client broke it off, or sent it malformed.
    Client(hyper::Error),
}

impl UploadError {
    /// Whether the client left in the middle of it. Everything else that is wrong with a body, it can still be told.
    pub(crate) fn is_hang_up(&self) -> bool {
        let Self::Client(error) = self else {
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
            Self::Client(error) => write!(f, "the client broke off the request's body: {error}"),
        }
    }
}

impl Error for UploadError {}

/// How a request's body comes along, as seen by the task that waits for the reply.
///
/// The body itself is read by the task of the upstream's connection. Without this, a long upload would look like a silent
/// upstream.
#[derive(Debug)]
pub(crate) struct Progress {
    began: Instant,
    /// When the body was last asked for, in milliseconds since then.
    asked: AtomicU64,
    /// Whether it had nothing: it is the client that is being waited for.
    starved: AtomicBool,
}

impl Default for Progress {
    fn default() -> Self {
        Self { began: Instant::now(), asked: AtomicU64::new(0), starved: AtomicBool::new(false) }
    }
}

impl Progress {
    fn seen(&self, starved: bool) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        // Both are hints about when to give up; nothing else is read by way of them.
        self.asked.store(now, Ordering::Relaxed);
        self.starved.store(starved, Ordering::Relaxed);
    }

    /// When the body was last asked for, or the request began.
    pub(crate) fn last(&self) -> Instant {
        self.began + Duration::from_millis(self.asked.load(Ordering::Relaxed))
    }

    /// Whether the client is being waited for, and not the upstream.
    pub(crate) fn is_starved(&self) -> bool {
        self.starved.load(Ordering::Relaxed)
    }

    /// Makes it as good as new; in the same memory, unless the body of an earlier request still has a hold of it.
    pub(crate) fn renew(progress: &mut Arc<Self>) {
        match Arc::get_mut(progress) {
            Some(mine) => *mine = Self::default(),
            None => *progress = Arc::default(),
        }
    }
}
