//! [`Reply`]: a chain's reply, of which any `IntoResponse` is one.

use core::mem;
use std::time::Instant;

use ::axum::body::Body;
use ::axum::response::{IntoResponse, Response};
use http::StatusCode;
use http_body::Body as _;

use crate::around::{Expired, Overloaded, Panicked, Timer};
use crate::flow::IntoReply;
use crate::private::Probe;
use crate::tailed::{Holds, Tail, Tailed};
use crate::timed::{Timed, Until};

/// A chain's reply. Any [`IntoResponse`] becomes one.
///
/// It is a type of its own, because no crate can define how foreign types become a foreign `Response`. A node with a
/// way out asks for `reply: &mut Reply`, and has the response in its field.
#[derive(Debug)]
pub struct Reply(pub Response);

impl<T: IntoResponse> IntoReply<Reply> for T {
    #[inline]
    fn into_reply(self) -> Reply {
        Reply(self.into_response())
    }
}

impl Probe<Reply> {
    /// `()` is `IntoResponse`, and a chain that ends without a reply would answer `200 OK` to every request.
    pub const IS_ANYTHING: bool = true;
}

/// A reply that can be made of anything that the last node gives.
#[doc(hidden)]
pub trait MadeOfAnything {}
impl MadeOfAnything for Reply {}
impl<E> MadeOfAnything for Result<Reply, E> {}

impl<R: MadeOfAnything> Probe<R> {
    /// It can be made of anything.
    pub const ENDS_WITH_ANYTHING: bool = true;
}

impl<T: IntoResponse, R: MadeOfAnything> Probe<(T, R)> {
    /// axum implements `IntoResponse` only for replies.
    pub const IS_A_REPLY: bool = true;
}

/// 504
impl IntoReply<Reply> for Expired {
    fn into_reply(self) -> Reply {
        StatusCode::GATEWAY_TIMEOUT.into_reply()
    }
}

/// 503
impl IntoReply<Reply> for Overloaded {
    fn into_reply(self) -> Reply {
        StatusCode::SERVICE_UNAVAILABLE.into_reply()
    }
}

/// 500
impl IntoReply<Reply> for Panicked {
    fn into_reply(self) -> Reply {
        StatusCode::INTERNAL_SERVER_ERROR.into_reply()
    }
}

#[doc(hidden)]
impl From<crate::private::NoReply> for Response {
    fn from(reply: crate::private::NoReply) -> Self {
        match reply {}
    }
}

impl From<Reply> for Response {
    #[inline]
    fn from(reply: Reply) -> Self {
        reply.0
    }
}

/// The value goes as a tail of the body.
impl<E: Tail + Send + 'static> Holds<E> for Body {
    fn hold(&mut self, held: E) {
        if !self.is_end_stream() {
            *self = Self::new(Tailed::new(mem::take(self), Some(held)));
        }
    }
}

impl<E: Tail + Send + 'static> Holds<E> for Reply {
    fn hold(&mut self, held: E) {
        self.0.hold(held);
    }
}

impl<T: Timer<Sleep: Send> + Send + 'static> Until<T> for Body {
    fn until(&mut self, at: Instant, timer: T) {
        if !self.is_end_stream() {
            let mut timed = Timed::new(mem::take(self));
            timed.until(at, timer);
            *self = Self::new(timed);
        }
    }
}

impl<T: Timer<Sleep: Send> + Send + 'static> Until<T> for Reply {
    fn until(&mut self, at: Instant, timer: T) {
        self.0.until(at, timer);
    }
}
