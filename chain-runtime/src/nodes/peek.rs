//! Reads the beginning of a request's body, which decides where the request goes; the body then gives all of it, the
//! beginning included.
//!
//! ```
//! use bytes::Bytes;
//! use chain_runtime::nodes::peek::{PeekBody, Peeked};
//! use chain_runtime::{chain, node};
//! use http::Response;
//! use http_body_util::{BodyExt as _, Full};
//!
//! type Upload = Peeked<Full<Bytes>>;
//!
//! #[node]
//! fn is_png(upload: &Upload) -> bool {
//!     upload.start().starts_with(b"\x89PNG")
//! }
//!
//! /// Takes the body: whoever reads it gets the beginning first.
//! #[node]
//! async fn image(upload: Upload) -> Response<String> {
//!     let whole = upload.collect().await.expect("a body in memory does not fail").to_bytes();
//!     Response::new(format!("an image of {} bytes", whole.len()))
//! }
//!
//! #[node]
//! async fn other(_upload: Upload) -> Response<String> {
//!     Response::new("something else".to_owned())
//! }
//!
//! chain! {
//!     // The body is found by its type, which stands in the field's.
//!     struct Uploads { peek: PeekBody<Full<Bytes>> }
//!     async fn(body: Full<Bytes>) -> Response<String> {
//!         peek => if is_png { image } else { other }
//!     }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! let uploads = Uploads { peek: PeekBody::up_to(8) };
//! assert_eq!(uploads.run("\u{89}PNG".into()).await.body(), "something else");
//! assert_eq!(uploads.run(Bytes::from_static(b"\x89PNG and more").into()).await.body(), "an image of 13 bytes");
//! # });
//! ```

use core::error::Error;
use core::fmt;
use core::future::{Future as _, poll_fn};
use core::marker::PhantomData;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::boxed::Box;

use bytes::{Buf, Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use super::whole_body::BadBody;
use crate::around::{Timer, TokioTimer};
use crate::node;

/// The node that takes the body, an input, and provides it as [`Peeked`]; or breaks with [`BadBody`].
///
/// - It reads until it has as many bytes as it was made for, or all of the body, whichever comes first. So no more than
///   that and one piece of the body is in memory.
/// - A body of which this takes longer than ten seconds, or than [`within`](Self::within) says, is refused. Where that
///   time is past what the clock can show, there is no limit. The clock is only asked where the body is waited for.
/// - A body that gives an error meanwhile is refused. An error that comes later is the body's, for whoever reads it.
///
/// A beginning that comes in one piece is not copied, and nothing is allocated for it. A beginning in several pieces is
/// copied into one, of at most the limit. Dropped at any time, the node leaves nothing behind.
#[derive(Debug)]
pub struct PeekBody<B, T = TokioTimer> {
    limit: usize,
    within: Duration,
    timer: T,
    _body: PhantomData<fn(B)>,
}

impl<B> PeekBody<B> {
    /// The first so many bytes, which have to be there in ten seconds.
    #[must_use]
    pub const fn up_to(limit: usize) -> Self {
        Self::up_to_on(TokioTimer, limit)
    }
}

impl<B, T> PeekBody<B, T> {
    /// [`up_to`](PeekBody::up_to), by another timer.
    #[must_use]
    pub const fn up_to_on(timer: T, limit: usize) -> Self {
        Self { limit, within: Duration::from_secs(10), timer, _body: PhantomData }
    }

    /// How long the beginning may take to come, all of it together.
    #[must_use]
    pub const fn within(mut self, duration: Duration) -> Self {
        self.within = duration;
        self
    }
}

#[node(crate = crate)]
impl<B: Body<Error: Into<Box<dyn Error + Send + Sync>>> + Unpin, T: Timer> PeekBody<B, T> {
    /// Reads the beginning.
    ///
    /// # Errors
    ///
    /// [`BadBody`] where it comes too slowly, or the body breaks off before it is there: 408 or 400.
    pub async fn enter(&self, body: B) -> Result<Peeked<B>, BadBody> {
        let mut peeked = Peeked::new(body, self.limit);
        // The beginning, where it comes in several pieces.
        let mut joined = BytesMut::new();
        let mut sleep = pin!(None);
        poll_fn(|context| {
            while !peeked.is_ended && peeked.start.len().max(joined.len()) < self.limit {
                let Poll::Ready(read) = peeked.poll_more(&mut joined, context) else {
                    return self.is_late(context, sleep.as_mut()).map(|()| Err(BadBody::too_slow()));
                };
                read.map_err(|error| BadBody::broken(error.into()))?;
            }
            Poll::Ready(Ok(()))
        })
        .await?;
        if !joined.is_empty() {
            peeked.start = joined.freeze();
        }
        Ok(peeked)
    }
}

impl<B, T: Timer> PeekBody<B, T> {
    /// Ready where the time is over. It begins where the body is waited for, for the first time.
    fn is_late(&self, context: &mut Context<'_>, mut sleep: Pin<&mut Option<T::Sleep>>) -> Poll<()> {
        if sleep.is_none() {
            let end = self.timer.now().checked_add(self.within);
            let Some(end) = end else { return Poll::Pending };
            sleep.set(Some(self.timer.sleep_until(end)));
        }
        match sleep.as_pin_mut() {
            Some(sleep) => sleep.poll(context),
            None => Poll::Pending,
        }
    }
}

/// A body whose beginning was read, and which gives it once more, before the rest. Trailers are given at the end.
///
/// It is a [`Body`] as the one that it is made of: what is not read yet is read where this is, piece by piece.
pub struct Peeked<B> {
    limit: usize,
    /// The beginning. Where it came in one piece, that may be longer than the limit.
    start: Bytes,
    /// What was behind the limit in the piece with which the limit was reached.
    next: Bytes,
    trailers: Option<HeaderMap>,
    rest: B,
    is_ended: bool,
}

impl<B> Peeked<B> {
    const fn new(body: B, limit: usize) -> Self {
        Self { limit, start: Bytes::new(), next: Bytes::new(), trailers: None, rest: body, is_ended: false }
    }

    /// The beginning of the body: as many bytes as were to be read, or less where the body
    /// [`is_whole`](Self::is_whole). It does not depend on the pieces in which the body comes. Once this is read as a
    /// body, the bytes that were given are no longer here.
    #[must_use]
    pub fn start(&self) -> &[u8] {
        &self.start[..self.start.len().min(self.limit)]
    }
}

impl<B: Body + Unpin> Peeked<B> {
    /// Whether it is known that no more will come than what [`start`](Self::start) shows.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let shows_all = self.start.len() <= self.limit && self.next.is_empty();
        shows_all && (self.is_ended || self.rest.is_end_stream())
    }

    /// Reads one more piece of the beginning. The second one joins the first in memory that has room for the others.
    fn poll_more(&mut self, joined: &mut BytesMut, context: &mut Context<'_>) -> Poll<Result<(), B::Error>> {
        let Some(frame) = ready!(Pin::new(&mut self.rest).poll_frame(context)?) else {
            self.is_ended = true;
            return Poll::Ready(Ok(()));
        };
        match frame.into_data() {
            Ok(mut data) => {
                let mut piece = data.copy_to_bytes(data.remaining());
                if self.start.is_empty() {
                    self.start = piece;
                } else if !piece.is_empty() {
                    if joined.is_empty() {
                        joined.reserve(self.limit);
                        joined.extend_from_slice(&self.start);
                    }
                    joined.extend_from_slice(&piece.split_to(piece.len().min(self.limit - joined.len())));
                    self.next = piece;
                }
            }
            // Nothing comes after trailers.
            Err(frame) => {
                self.trailers = frame.into_trailers().ok();
                self.is_ended = true;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<B: Body + Unpin> Body for Peeked<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.get_mut();
        for read in [&mut this.start, &mut this.next] {
            if !read.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(core::mem::take(read)))));
            }
        }
        if this.is_ended {
            return Poll::Ready(this.trailers.take().map(|trailers| Ok(Frame::trailers(trailers))));
        }
        let frame = ready!(Pin::new(&mut this.rest).poll_frame(context)?);
        this.is_ended = frame.is_none();
        Poll::Ready(frame.map(|frame| Ok(frame.map_data(|mut data| data.copy_to_bytes(data.remaining())))))
    }

    fn is_end_stream(&self) -> bool {
        let has_given = self.start.is_empty() && self.next.is_empty() && self.trailers.is_none();
        has_given && (self.is_ended || self.rest.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        let read = (self.start.len() + self.next.len()) as u64;
        let rest = if self.is_ended { SizeHint::with_exact(0) } else { self.rest.size_hint() };
        let mut hint = SizeHint::new();
        if let Some(upper) = rest.upper() {
            hint.set_upper(read.saturating_add(upper));
        }
        hint.set_lower(read.saturating_add(rest.lower()));
        hint
    }
}

/// Says how much was read; what the body holds may be anybody's secret.
impl<B> fmt::Debug for Peeked<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { start, next, is_ended, .. } = self;
        f.debug_struct("Peeked")
            .field("read", &(start.len() + next.len()))
            .field("is_ended", is_ended)
            .finish_non_exhaustive()
    }
}
