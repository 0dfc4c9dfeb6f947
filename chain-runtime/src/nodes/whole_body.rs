//! Reads a request's body to its end, within limits of size and of time.
//!
//! ```
//! use bytes::Bytes;
//! use chain_runtime::nodes::Whole;
//! use chain_runtime::nodes::whole_body::ReadBody;
//! use chain_runtime::{chain, node};
//! use http::{Request, Response, request::Parts};
//! use http_body_util::Full;
//!
//! #[node]
//! fn count(whole: &Whole) -> Response<String> {
//!     Response::new(format!("{} bytes", whole.bytes().len()))
//! }
//!
//! chain! {
//!     // The body is found by its type, which is a part of the field's type.
//!     struct Counting { read: ReadBody<Full<Bytes>> }
//!     async fn(request: Parts, body: Full<Bytes>) -> Response<String> { read => count }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! let counting = Counting { read: ReadBody::up_to(8) };
//! let head = || Request::new(()).into_parts().0;
//! assert_eq!(counting.run(head(), "hello".into()).await.body(), "5 bytes");
//! assert_eq!(counting.run(head(), "hello, world".into()).await.status(), 413);
//! # });
//! ```

use core::error::Error;
use core::fmt;
use core::future::{Future as _, poll_fn};
use core::marker::PhantomData;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use core::time::Duration;
use std::boxed::Box;

use bytes::{Buf, Bytes, BytesMut};
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http::{HeaderMap, Response, StatusCode};
use http_body::{Body, Frame};

use super::Whole;
use crate::around::{Timer, TokioTimer};
use crate::failure::{Failure, Render};
use crate::flow::IntoReply;
use crate::node;

/// The most memory that is allocated for a body before any of it has come.
const AHEAD: usize = 64 * 1024;

/// The node that takes the body, an input, and provides the [`Whole`] of it, or breaks with [`BadBody`].
///
/// - A body that declares a size over the limit is refused before any of it is read.
/// - A body that turns out to be larger is refused at that point: no more than the limit and one more piece is ever in
///   memory.
/// - A body of which too few bytes come in a **window** is refused. So the longest time for a body is the window times
///   the number of least amounts in the limit: for 10 MB at 1 kB in 10 s, 28 hours. The clock is read only while the
///   node waits for the body.
///
/// A body that comes in one piece is not copied. Any other body takes memory as it comes. If the node is dropped, at
/// any time, it leaves nothing behind.
#[derive(Debug)]
pub struct ReadBody<B, T = TokioTimer> {
    limit: usize,
    least: usize,
    window: Duration,
    timer: T,
    _body: PhantomData<fn(B)>,
}

impl<B> ReadBody<B> {
    /// Bodies up to this many bytes, of which at least 1,024 bytes come in each ten seconds.
    #[must_use]
    pub const fn up_to(limit: usize) -> Self {
        Self::up_to_on(TokioTimer, limit)
    }
}

impl<B, T> ReadBody<B, T> {
    /// The same as [`up_to`](ReadBody::up_to), with another timer.
    #[must_use]
    pub const fn up_to_on(timer: T, limit: usize) -> Self {
        Self { limit, least: 1_024, window: Duration::from_secs(10), timer, _body: PhantomData }
    }

    /// Sets how many bytes have to come at least in each window, or all that is left of the body.
    #[must_use]
    pub const fn at_least(mut self, bytes: usize, window: Duration) -> Self {
        (self.least, self.window) = (bytes, window);
        self
    }
}

#[node(crate = crate)]
impl<B: Body<Error: Into<Box<dyn Error + Send + Sync>>>, T: Timer> ReadBody<B, T> {
    /// Reads the body to its end.
    ///
    /// # Errors
    ///
    /// [`BadBody`] if the body is too large, comes too slowly, or breaks off.
    pub async fn enter(&self, request: &Parts, body: B) -> Result<Whole, BadBody> {
        let said = request.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let hint = body.size_hint();
        let least = hint.lower().max(said.unwrap_or(0));
        if usize::try_from(least).map_or(true, |least| least > self.limit) {
            return Err(BadBody(Why::TooLarge));
        }
        let mut read = Read { limit: self.limit, least, first: Bytes::new(), rest: BytesMut::new(), trailers: None };
        let (mut body, mut sleep) = (pin!(body), pin!(None));
        let mut came = 0;
        poll_fn(|context| {
            loop {
                match body.as_mut().poll_frame(context) {
                    Poll::Ready(None) => return Poll::Ready(Ok(())),
                    Poll::Ready(Some(Ok(frame))) => came += read.take(frame)?,
                    Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(BadBody(Why::Broken(error.into())))),
                    Poll::Pending => {
                        let slow = self.window_ends(context, sleep.as_mut());
                        if slow.is_ready() && came >= self.least {
                            // A new window begins.
                            came = 0;
                            sleep.set(None);
                            continue;
                        }
                        return slow.map(|()| Err(BadBody(Why::TooSlow)));
                    }
                }
            }
        })
        .await?;
        Ok(read.whole())
    }
}

impl<B, T: Timer> ReadBody<B, T> {
    /// Becomes ready at the end of the window.
    fn window_ends(&self, context: &mut Context<'_>, mut sleep: Pin<&mut Option<T::Sleep>>) -> Poll<()> {
        if sleep.is_none() {
            let end = self.timer.now().checked_add(self.window);
            // A window whose end no clock can show has no end.
            let Some(end) = end else { return Poll::Pending };
            sleep.set(Some(self.timer.sleep_until(end)));
        }
        match sleep.as_pin_mut() {
            Some(sleep) => sleep.poll(context),
            None => Poll::Pending,
        }
    }
}

/// The bytes that have come.
struct Read {
    limit: usize,
    /// The least number of bytes that will come.
    least: u64,
    /// The first piece, while it is the only one.
    first: Bytes,
    rest: BytesMut,
    trailers: Option<HeaderMap>,
}

impl Read {
    /// Returns how many bytes it was.
    fn take<D: Buf>(&mut self, frame: Frame<D>) -> Result<usize, BadBody> {
        let mut data = match frame.into_data() {
            Ok(data) => data,
            Err(frame) => {
                if let Ok(trailers) = frame.into_trailers() {
                    self.trailers = Some(trailers);
                }
                return Ok(0);
            }
        };
        let size = data.remaining();
        let have = self.first.len() + self.rest.len();
        if size > self.limit.saturating_sub(have) {
            return Err(BadBody(Why::TooLarge));
        }
        if have == 0 {
            self.first = data.copy_to_bytes(size);
            return Ok(size);
        }
        if self.rest.is_empty() {
            let least = usize::try_from(self.least).unwrap_or(usize::MAX).min(AHEAD);
            self.rest.reserve(least.max(have + size));
            self.rest.extend_from_slice(&core::mem::take(&mut self.first));
        }
        while data.has_remaining() {
            let chunk = data.chunk();
            self.rest.extend_from_slice(chunk);
            let length = chunk.len();
            data.advance(length);
        }
        Ok(size)
    }

    fn whole(self) -> Whole {
        let bytes = if self.rest.is_empty() { self.first } else { self.rest.freeze() };
        Whole::new(bytes, self.trailers)
    }
}

/// The body could not be read: [`ReadBody`] breaks with this.
///
/// | code | as an `http::Response` | where |
/// | --- | --- | --- |
/// | `body-too-large` | 413 | it is larger than the limit |
/// | `body-too-slow` | 408 | too little of it came in a window |
/// | `body-broken` | 400 | it broke off, or is malformed; [`source`](Error::source) says how |
#[derive(Debug)]
pub struct BadBody(Why);

#[derive(Debug)]
enum Why {
    TooLarge,
    TooSlow,
    Broken(Box<dyn Error + Send + Sync>),
}

impl BadBody {
    pub(super) const fn too_slow() -> Self {
        Self(Why::TooSlow)
    }

    pub(super) const fn broken(cause: Box<dyn Error + Send + Sync>) -> Self {
        Self(Why::Broken(cause))
    }

    /// The reason, as a name for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self.0 {
            Why::TooLarge => "body-too-large",
            Why::TooSlow => "body-too-slow",
            Why::Broken(_) => "body-broken",
        }
    }

    /// The status of the response.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self.0 {
            Why::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Why::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Why::Broken(_) => StatusCode::BAD_REQUEST,
        }
    }

    const fn detail(&self) -> &'static str {
        match self.0 {
            Why::TooLarge => "the request's body is too large",
            Why::TooSlow => "the request's body came too slowly",
            Why::Broken(_) => "the request's body broke off",
        }
    }
}

impl fmt::Display for BadBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail())
    }
}

impl Error for BadBody {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            Why::Broken(cause) => Some(&**cause),
            _ => None,
        }
    }
}

/// 413, 408 or 400. See [`BadBody`].
impl<B: Render> IntoReply<Response<B>> for BadBody {
    #[inline]
    fn into_reply(self) -> Response<B> {
        B::render(&Failure::new(self.status(), self.code(), self.detail()).because(&self))
    }
}
