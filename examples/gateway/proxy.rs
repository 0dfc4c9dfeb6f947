//! Passes the request on to an upstream, and the reply back.

use std::error::Error;
use std::fmt::Write as _;

use chain_runtime::{IntoReply, node};
use http::header::{EXPECT, HOST};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderName, Method, Request, Response, StatusCode, Version};
use hyper::body::Incoming;

use super::auth::{API_KEY, User};
use super::body::{self, Body};
use super::fields;
use super::hop;
use super::log::Started;
use super::scratch::Scratch;
use super::upload::{Upload, UploadError};
use super::upstream::{Upstream, Upstreams};
use super::visit::{REQUEST_ID, Visit};

/// The field that tells the upstream who the user is. What a client puts there is replaced.
const FORWARDED_USER: HeaderName = HeaderName::from_static("x-forwarded-user");

/// Gives the upstream's reply, or breaks with what was wrong. Both bodies are streamed.
#[node]
pub(crate) async fn proxy(
    request: Parts,
    body: Incoming,
    user: &User,
    started: &Started,
    scratch: &mut Scratch,
    upstreams: &Upstreams,
) -> Result<Response<Body>, BadGateway> {
    let upload = Upload::new(body, upstreams.max_body, &scratch.progress)?;
    let onward = onward(request, upstreams.next(), user, started.visit(), scratch)?;
    let reply = upstreams.ask(Request::from_parts(onward, upload), &scratch.progress).await?;
    let (mut head, incoming) = reply.into_parts();
    // Nothing was asked for that could be switched to: `Upgrade` is not passed on.
    if head.status == StatusCode::SWITCHING_PROTOCOLS {
        return Err(BadGateway::Protocol);
    }
    hop::remove(&mut head.headers);
    fields::add_via(&mut head.headers, head.version);
    Ok(Response::from_parts(head, body::passed_on(incoming, upstreams.patience)))
}

/// The head of the request to the upstream: the client's, rewritten where it stands.
pub(crate) fn onward(
    mut request: Parts,
    upstream: &Upstream,
    user: &User,
    visit: Option<&Visit>,
    scratch: &mut Scratch,
) -> Result<Parts, BadGateway> {
    if request.method == Method::CONNECT {
        return Err(BadGateway::Tunnel);
    }
    let headers = &mut request.headers;
    let trailers = fields::accepts_trailers(headers);
    hop::remove(headers);
    if trailers {
        fields::accept_trailers(headers);
    }
    if request.version == Version::HTTP_2 {
        fields::join_cookies(headers);
    }
    // hyper answers `100 Continue` itself, as soon as the body is read.
    headers.remove(EXPECT);
    // An API key is a secret between the client and the gateway. `Authorization` has to be passed on as it is
    // (RFC 9110, 11.6.2).
    headers.remove(&API_KEY);
    match scratch.value(|text| text.write_str(&user.0)) {
        Some(name) => headers.insert(FORWARDED_USER, name),
        None => headers.remove(&FORWARDED_USER),
    };
    if let Some(visit) = visit {
        fields::add_forwarded(headers, &request.uri, visit.peer, scratch);
        headers.insert(REQUEST_ID, visit.id.clone());
    }
    fields::add_via(headers, request.version);
    headers.insert(HOST, upstream.host());

    let path = request.uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
    request.uri = upstream.uri(path).map_err(|_| BadGateway::Target)?;
    request.version = Version::HTTP_11;
    // What hyper's server noted for itself means something else to its client.
    request.extensions.clear();
    Ok(request)
}

/// Why there is no reply from the upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadGateway {
    /// It does not take connections.
    Refused,
    /// It ended the connection before the head of its reply, or sent something that is none.
    Protocol,
    /// It was silent for too long.
    Silent,
    /// The client was, in the middle of its body.
    SlowClient,
    /// The client's body is too large.
    TooLarge,
    /// The client's body is malformed.
    BadBody,
    /// The client left in the middle of its body.
    Gone,
    /// `CONNECT` asks for a tunnel, and this is not a forward proxy.
    Tunnel,
    /// The client asks for something that cannot be named to the upstream.
    Target,
}

impl From<UploadError> for BadGateway {
    fn from(error: UploadError) -> Self {
        Self::from(&error)
    }
}

impl From<&UploadError> for BadGateway {
    fn from(error: &UploadError) -> Self {
        match error {
            UploadError::TooLarge => Self::TooLarge,
            error if error.is_hang_up() => Self::Gone,
            UploadError::Client(_) => Self::BadBody,
        }
    }
}

impl From<hyper_util::client::legacy::Error> for BadGateway {
    fn from(error: hyper_util::client::legacy::Error) -> Self {
        tracing::debug!(error = &error as &dyn Error, "no reply from the upstream");
        if error.is_connect() {
            return Self::Refused;
        }
        // An upload that was broken off on this side comes back as the cause of the client's error.
        let mut cause = error.source();
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<UploadError>() {
                return Self::from(error);
            }
            cause = error.source();
        }
        Self::Protocol
    }
}

impl IntoReply<Response<Body>> for BadGateway {
    fn into_reply(self) -> Response<Body> {
        let (status, text) = match self {
            Self::Refused => (StatusCode::BAD_GATEWAY, "the upstream refuses connections\n"),
            Self::Protocol => (StatusCode::BAD_GATEWAY, "the upstream broke off before its reply\n"),
            Self::Silent => (StatusCode::GATEWAY_TIMEOUT, "the upstream was silent for too long\n"),
            Self::SlowClient => (StatusCode::REQUEST_TIMEOUT, "the request's body did not come in time\n"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "the request's body is too large\n"),
            Self::BadBody => (StatusCode::BAD_REQUEST, "the request's body is malformed\n"),
            Self::Gone => return body::abandoned(StatusCode::BAD_REQUEST),
            Self::Tunnel => (StatusCode::NOT_IMPLEMENTED, "there are no tunnels here\n"),
            Self::Target => (StatusCode::BAD_REQUEST, "this target cannot be passed on\n"),
        };
        body::text(status, text)
    }
}
