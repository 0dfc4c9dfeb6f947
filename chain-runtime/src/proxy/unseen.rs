//! [`Unseen`]: a request that may be sent once more, whatever it is.

use chain_macros::node;
use http::request::Parts;
use http::{Response, StatusCode};

/// Stands in the extensions of a reply if no upstream has seen the request. The request may then be sent once more,
/// whatever its method.
///
/// It is in the reply that an [`Error`](super::Error) becomes, if [`Error::is_unseen`](super::Error::is_unseen) says
/// so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unseen;

/// Whether no upstream has seen the request of this reply. It is a policy of [`Retry`](crate::around::Retry) for
/// requests that must not be carried out twice.
#[must_use]
pub fn is_unseen<B>(reply: &Response<B>) -> bool {
    reply.extensions().get::<Unseen>().is_some()
}

/// Whether another try may help: no upstream has seen the request, or the reply says that a gateway or a service failed
/// (502, 503, 504). It is a policy of [`Retry`](crate::around::Retry) for requests that may be carried out twice, as an
/// [`idempotent`](fn@idempotent) method says.
#[must_use]
pub fn worth_repeating<B>(reply: &Response<B>) -> bool {
    const WORTH: [StatusCode; 3] =
        [StatusCode::BAD_GATEWAY, StatusCode::SERVICE_UNAVAILABLE, StatusCode::GATEWAY_TIMEOUT];
    WORTH.contains(&reply.status()) || is_unseen(reply)
}

/// Whether the request may be carried out twice (RFC 9110, 9.2.2): for an `if` around a block that runs again.
#[node(crate = crate)]
#[must_use]
pub fn idempotent(request: &Parts) -> bool {
    request.method.is_idempotent()
}
