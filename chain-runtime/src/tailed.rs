//! [`Tailed`]: a reply's body with something that follows it to its end, such as a line of a log, a permit or a count.
//!
//! A chain's run is over when it has the head of the reply. The server sends the body after that. A value that has to
//! be kept until the body is sent has to go with it. It goes as the body's *tail*, a type, so that nothing is boxed:
//!
//! ```
//! use chain_runtime::tailed::{Tail, Tailed};
//! use http_body::Body as _;
//! use http_body_util::{BodyExt as _, Full};
//!
//! /// Counts what is sent. `Default` is the tail of a reply that is not counted.
//! #[derive(Default)]
//! struct Count(u64);
//!
//! impl Tail for Count {
//!     fn sent(&mut self, bytes: usize) {
//!         self.0 += bytes as u64;
//!     }
//! }
//!
//! impl Drop for Count {
//!     fn drop(&mut self) {
//!         println!("{} bytes", self.0);
//!     }
//! }
//!
//! let body: Tailed<Full<bytes::Bytes>, Count> = Full::from("hello").into();
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let whole = body.collect().await.unwrap();
//! # assert_eq!(whole.to_bytes(), "hello");
//! # });
//! ```

use core::fmt;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use core::task::{Context, Poll, ready};
use std::boxed::Box;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Buf;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::failure::{Failure, Render};
use crate::flow::IntoReply;

/// What follows a reply's body to its end, and is dropped there.
///
/// The tail is told of each part of the body that the server takes, and of the body's end if it comes. It is dropped
/// right after the end. If the body is dropped before its end, the tail is dropped with it: because the client is gone,
/// or because no body is sent, as for `HEAD`.
pub trait Tail {
    /// The server took this many bytes of the body, to send them.
    fn sent(&mut self, bytes: usize) {
        let _ = bytes;
    }

    /// The body came to its end, and all of it was taken.
    fn done(&mut self) {}

    /// The body broke off: it gave an error, which ends it.
    fn broken(&mut self) {}
}

impl<T: Tail> Tail for Option<T> {
    fn sent(&mut self, bytes: usize) {
        if let Some(tail) = self {
            tail.sent(bytes);
        }
    }

    fn done(&mut self) {
        if let Some(tail) = self {
            tail.done();
        }
    }

    fn broken(&mut self) {
        if let Some(tail) = self {
            tail.broken();
        }
    }
}

impl<A: Tail, B: Tail> Tail for (A, B) {
    fn sent(&mut self, bytes: usize) {
        self.0.sent(bytes);
        self.1.sent(bytes);
    }

    fn done(&mut self) {
        self.0.done();
        self.1.done();
    }

    fn broken(&mut self) {
        self.0.broken();
        self.1.broken();
    }
}

/// A tail that has room for an `E`, or a body or reply with such a tail. A node hands over the `E` on its way out, to
/// go with the body.
///
/// It is implemented for `Option<E>`. A tail of several things is a struct, or a pair, with an implementation for each.
/// In axum, any body has room: it gets a tail, and is boxed once more for that, unless it is at its end.
#[diagnostic::on_unimplemented(
    message = "chain[E805]: `{Self}` has no room for a `{E}`, which goes with a reply's body to its end",
    note = "let the chain's reply be a `Response<Tailed<B, Option<{E}>>>`, or a tail of your own that implements `Holds<{E}>`"
)]
pub trait Holds<E> {
    /// Takes over the value, in place of the one that is there.
    fn hold(&mut self, held: E);
}

impl<E> Holds<E> for Option<E> {
    fn hold(&mut self, held: E) {
        *self = Some(held);
    }
}

/// Says that a limit has ended something under way, on a connection or elsewhere. A clone is the same `Cut`.
#[derive(Clone, Debug, Default)]
pub struct Cut(Arc<AtomicBool>);

impl Cut {
    /// From now on, everything that has not come to its end counts as cut.
    pub fn cut(&self) {
        self.0.store(true, Relaxed);
    }

    /// Whether [`cut`](Self::cut) was called.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.0.load(Relaxed)
    }
}

/// Stands in the extensions of a reply of `101`, for the tunnel that begins with the reply and outlives the run.
///
/// The body of such a reply is empty, so a tail would be dropped at once. A node that has to know how the tunnel ends,
/// such as an access log, leaves here the function that is to be called then.
#[derive(Clone, Default)]
pub struct Tunnel(Arc<Mutex<Option<AtEnd>>>);

type AtEnd = Box<dyn FnOnce(Carried) + Send>;

/// What a tunnel carried, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carried {
    /// From the client.
    pub up: u64,
    /// To the client.
    pub down: u64,
    /// Whether this side ended it: because nothing was sent for too long, or because the server stops.
    pub was_cut: bool,
}

impl Tunnel {
    /// Calls this when the tunnel ends, in place of the function that was left before. If the tunnel does not begin,
    /// the function is never called, and is dropped.
    pub fn at_end(&self, then: impl FnOnce(Carried) + Send + 'static) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(then));
    }

    /// The tunnel ended. The code that carries the tunnel's bytes calls this.
    pub fn ended(&self, carried: Carried) {
        let then = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(then) = then {
            then(carried);
        }
    }
}

impl fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tunnel").finish_non_exhaustive()
    }
}

impl<E, B: Holds<E>> Holds<E> for Response<B> {
    fn hold(&mut self, held: E) {
        self.body_mut().hold(held);
    }
}

impl<E, B, T: Holds<E>> Holds<E> for Tailed<B, T> {
    fn hold(&mut self, held: E) {
        self.tail.hold(held);
    }
}

pin_project! {
    /// A body and its tail. See the [module](self).
    ///
    /// A body becomes one by `From`, with the tail's `Default`. If the chain's reply is a `Response<Tailed<B, T>>`, so
    /// do the replies of nodes that know nothing of the tail.
    #[derive(Debug)]
    pub struct Tailed<B, T> {
        #[pin]
        body: B,
        tail: T,
    }
}

impl<B, T> Tailed<B, T> {
    /// A body with this tail.
    pub const fn new(body: B, tail: T) -> Self {
        Self { body, tail }
    }

    /// The tail.
    pub const fn tail_mut(&mut self) -> &mut T {
        &mut self.tail
    }

    /// The body.
    pub const fn get_ref(&self) -> &B {
        &self.body
    }

    /// The body, mutable.
    pub const fn get_mut(&mut self) -> &mut B {
        &mut self.body
    }
}

impl<B, T: Default> From<B> for Tailed<B, T> {
    fn from(body: B) -> Self {
        Self::new(body, T::default())
    }
}

impl<B: Body, T: Tail + Default> Body for Tailed<B, T> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.body.as_mut().poll_frame(context));
        match &frame {
            Some(Ok(frame)) => this.tail.sent(frame.data_ref().map_or(0, Buf::remaining)),
            Some(Err(_)) => this.tail.broken(),
            None => {}
        }
        // A server does not poll for an end that it can see, so the end is looked for here. No frame comes after
        // trailers.
        let is_done = match &frame {
            Some(Ok(frame)) => frame.is_trailers() || this.body.is_end_stream(),
            Some(Err(_)) => false,
            None => true,
        };
        if is_done {
            this.tail.done();
        }
        if is_done || matches!(frame, Some(Err(_))) {
            // The tail lets go of what it holds now, not only when the server drops the body.
            *this.tail = T::default();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B: Render, T: Default> Render for Tailed<B, T> {
    fn render(failure: &Failure<'_>) -> Response<Self> {
        B::render(failure).map(Self::from)
    }
}

/// The same reply, with the tail's `Default`.
impl<B, T: Default> IntoReply<Response<Tailed<B, T>>> for Response<B> {
    fn into_reply(self) -> Response<Tailed<B, T>> {
        self.map(Tailed::from)
    }
}
