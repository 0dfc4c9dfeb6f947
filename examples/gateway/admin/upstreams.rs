//! Groups of upstreams: their members, and the interface by which services register.

use std::sync::Arc;

use bytes::Bytes;
use chain_runtime::node;
use chain_runtime::proxy::Upstream;
use chain_runtime::upstream::{Registrar, Registry};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use http_body_util::{BodyExt as _, Either, Full, Limited};
use hyper::body::Incoming;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::door::Door;
use super::{Content, To, Watched, reply, text};

/// A group of upstreams, under the name by which an operator knows it.
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) registry: Arc<Registry<Upstream>>,
}

/// The body of a request. `None` if it is too large, or broke off.
pub(super) struct Sent(Option<Bytes>);

impl Sent {
    /// Reads only bodies that are for a registry. How long that takes is limited by the server.
    pub(super) async fn read(request: &Parts, body: Incoming) -> Self {
        if request.method != Method::POST || !request.uri.path().starts_with("/upstreams/") {
            return Self(Some(Bytes::new()));
        }
        let body = Limited::new(body, Registrar::<Upstream>::BODY).collect().await;
        Self(body.ok().map(|body| body.to_bytes()))
    }
}

/// The names of all groups.
#[node]
pub(super) fn groups(watched: &Arc<dyn Watched>) -> Response<Content> {
    let names: Vec<String> = watched.groups().into_iter().map(|group| group.name).collect();
    reply(StatusCode::OK, "application/json", serde_json::to_vec(&names).unwrap_or_default())
}

fn no_group(groups: &[Group]) -> Response<Content> {
    let mut says = "there is no such group; there is:\n".to_owned();
    for group in groups {
        says += &format!("/upstreams/{}/members\n", utf8_percent_encode(&group.name, NON_ALPHANUMERIC));
    }
    text(StatusCode::NOT_FOUND, says)
}

/// Whether the name to be registered is that of a member from the configuration: such a member has no lease, and
/// registered ones have.
fn is_configured(registry: &Registry<Upstream>, body: &[u8]) -> bool {
    let said: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let Some(name) = said.as_ref().and_then(|said| said["name"].as_str()) else { return false };
    let snapshot = registry.snapshot();
    let found = snapshot.get(name).map(|entry| registry.lease_left(entry.seat().registration()));
    matches!(found, Some(Ok(None)))
}

/// The reply of the group's registry. A client that registers decides where requests go, so that needs a token: on this
/// machine there may be others than the operator. The page can drain, which only takes away.
#[node]
pub(super) fn registry(
    to: &To,
    sent: &Sent,
    request: &Parts,
    door: &Door,
    watched: &Arc<dyn Watched>,
) -> Response<Content> {
    let Some(group) = watched.groups().into_iter().find(|group| group.name == to.group) else {
        return no_group(&watched.groups());
    };
    if to.action == "register" && !door.asks() {
        return text(StatusCode::FORBIDDEN, "who registers needs a token, which --admin-token-file names\n");
    }
    let Some(body) = &sent.0 else {
        return text(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large, or broke off\n");
    };
    if to.action == "register" && is_configured(&group.registry, body) {
        let why = "the configuration names this member: who registers in its place would take it out with its lease";
        let json = serde_json::json!({ "code": "configured", "field": "name", "detail": why });
        return reply(StatusCode::CONFLICT, "application/json", json.to_string());
    }
    let registrar = Registrar::new(group.registry, |text| text.parse::<Upstream>());
    registrar.answer(&to.action, request, body).map(|text| Either::Left(Full::new(text.into())))
}
