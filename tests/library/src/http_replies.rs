//! What becomes an `http::Response`. Whoever uses this library cannot say so: neither the errors nor the response is of their crate.

use chain_runtime::IntoReply;
use http::{Response, StatusCode};

use crate::{Full, Refused, Stranger};

fn reply<B: Default>(status: StatusCode) -> Response<B> {
    let mut reply = Response::new(B::default());
    *reply.status_mut() = status;
    reply
}

impl<B: Default> IntoReply<Response<B>> for Full {
    fn into_reply(self) -> Response<B> {
        reply(StatusCode::SERVICE_UNAVAILABLE)
    }
}

impl<B: Default> IntoReply<Response<B>> for Stranger {
    fn into_reply(self) -> Response<B> {
        reply(StatusCode::UNAUTHORIZED)
    }
}

impl<B: Default> IntoReply<Response<B>> for Refused {
    fn into_reply(self) -> Response<B> {
        match self {
            Self::Full => Full.into_reply(),
            Self::Stranger => Stranger.into_reply(),
        }
    }
}
