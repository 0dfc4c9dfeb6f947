//! The values with which the around nodes give up, as HTTP responses. Listed with the others in [`crate::reply`].

use http::{Response, StatusCode};

use super::{Expired, Overloaded, Panicked};
use crate::failure::{Failure, Render};
use crate::flow::IntoReply;

/// 504 Gateway Timeout, `deadline-expired`.
impl<B: Render> IntoReply<Response<B>> for Expired {
    #[inline]
    fn into_reply(self) -> Response<B> {
        let failure = Failure::new(StatusCode::GATEWAY_TIMEOUT, "deadline-expired", "this took too long");
        B::render(&failure.because(&self))
    }
}

/// 503 Service Unavailable, `overloaded`.
impl<B: Render> IntoReply<Response<B>> for Overloaded {
    #[inline]
    fn into_reply(self) -> Response<B> {
        let failure = Failure::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", "too many requests are under way");
        B::render(&failure.because(&self))
    }
}

/// 500 Internal Server Error, `panicked`: the panic's payload is not for the client.
impl<B: Render> IntoReply<Response<B>> for Panicked {
    #[inline]
    fn into_reply(self) -> Response<B> {
        let failure = Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "panicked", "something went wrong here");
        B::render(&failure.because(&self))
    }
}
