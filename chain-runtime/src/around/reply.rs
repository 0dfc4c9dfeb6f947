//! What the around nodes give up with, as HTTP responses. Listed with the others in [`crate::reply`].

use http::{Response, StatusCode};

use super::{Expired, Overloaded, Panicked};
use crate::flow::IntoReply;

/// 504 Gateway Timeout, with the empty body.
impl<B: Default> IntoReply<Response<B>> for Expired {
    #[inline]
    fn into_reply(self) -> Response<B> {
        StatusCode::GATEWAY_TIMEOUT.into_reply()
    }
}

/// 503 Service Unavailable, with the empty body.
impl<B: Default> IntoReply<Response<B>> for Overloaded {
    #[inline]
    fn into_reply(self) -> Response<B> {
        StatusCode::SERVICE_UNAVAILABLE.into_reply()
    }
}

/// 500 Internal Server Error, with the empty body: what was panicked with is not the client's to know.
impl<B: Default> IntoReply<Response<B>> for Panicked {
    #[inline]
    fn into_reply(self) -> Response<B> {
        StatusCode::INTERNAL_SERVER_ERROR.into_reply()
    }
}
