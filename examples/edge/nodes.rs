//! The small nodes.

use std::hash::{Hash as _, Hasher};

use bytes::Bytes;
use chain_runtime::nodes::Key;
use chain_runtime::nodes::whole_body::BadBody;
use chain_runtime::proxy::Body;
use chain_runtime::share::StickyKey;
use chain_runtime::{IntoReply, node};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use hyper::body::Incoming;

use super::edge::{Payload, Reply};
use super::limits::Limits;

/// Where a request goes.
pub(crate) enum Route {
    Files,
    Api(Api),
    Unknown,
}

/// A request to the API: the version that it asks for.
pub(crate) struct Api {
    pub(crate) version: u32,
}

/// By the path: `/static/..`, or `/api/v1/..`.
#[node]
pub(crate) fn route(request: &Parts) -> Route {
    let path = request.uri.path();
    if path.starts_with("/static/") {
        return Route::Files;
    }
    let version = path.strip_prefix("/api/v").and_then(|rest| rest.split('/').next());
    // A number in its usual form: `parse` reads `+1` and `01` as one, and an upstream may read them as something else.
    let is_number = |version: &&str| !version.starts_with('0') && version.bytes().all(|byte| byte.is_ascii_digit());
    match version.filter(is_number).and_then(|version| version.parse().ok()) {
        Some(version) => Route::Api(Api { version }),
        None => Route::Unknown,
    }
}

/// Only known versions are passed on.
#[node]
pub(crate) fn version(api: &Api) -> Result<(), UnknownVersion> {
    if (1..=2).contains(&api.version) { Ok(()) } else { Err(UnknownVersion(api.version)) }
}

/// Nobody speaks this version.
pub(crate) struct UnknownVersion(u32);

impl IntoReply<Reply> for UnknownVersion {
    fn into_reply(self) -> Reply {
        let version = self.0;
        text(StatusCode::NOT_FOUND, format!("there is no version {version} of the API; there are 1 and 2\n"))
            .into_reply()
    }
}

/// The client, as `x-client-id` names it, which is not checked.
pub(crate) struct Who(HeaderValue);

impl Key for Who {
    fn feed<H: Hasher>(&self, hasher: &mut H) {
        self.0.as_bytes().hash(hasher);
    }
}

#[node]
pub(crate) fn who(request: &Parts) -> Who {
    Who(request.headers.get("x-client-id").cloned().unwrap_or(HeaderValue::from_static("anonymous")))
}

/// The key by which always the same clients come to the canary.
#[node]
pub(crate) fn key(who: &Who) -> StickyKey {
    StickyKey::of(who.0.as_bytes())
}

/// Reads the body, within the limits.
#[node]
pub(crate) async fn payload(request: &Parts, body: Incoming, limits: &Limits) -> Result<Payload, BadBody> {
    limits.read.enter(request, body).await.map(|whole| Payload::new(whole.into_bytes()))
}

/// Shows what happens to a panic and to a request that hangs; it is off unless an operator switches it on.
#[node]
pub(crate) async fn faults(request: &Parts) {
    match request.headers.get("x-fault").map(http::HeaderValue::as_bytes) {
        Some(b"panic") => panic!("asked for by x-fault"),
        Some(b"hang") => std::future::pending().await,
        _ => {}
    }
}

/// Neither of the two routes.
#[node]
pub(crate) fn unknown() -> Response<Body> {
    text(StatusCode::NOT_FOUND, "there is /static/.. and /api/v1/..\n")
}

/// A reply of the edge's own.
pub(crate) fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let mut reply = Response::new(Body::full(text));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    reply
}
