//! Replies: the list of members, and the errors in a request.

use core::fmt;
use core::ops::Bound;
use core::time::Duration;
use std::collections::BTreeMap;
use std::format;
use std::string::{String, ToString as _};
use std::vec::Vec;

use http::header::{ALLOW, CONTENT_TYPE, ETAG, IF_NONE_MATCH, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde::Serialize;

use crate::upstream::member::Registration;
use crate::upstream::snapshot::{Entry, Snapshot};

/// The most members in one list.
const MEMBERS: usize = 1_000;

/// The most bytes of an error's text, which may contain text of the request.
const DETAIL: usize = 300;

#[derive(Serialize)]
pub(super) struct Registered<'a> {
    name: &'a str,
    generation: u64,
    lease_ms: u64,
}

impl<'a> Registered<'a> {
    pub(super) fn of(registration: &'a Registration, lease: Duration) -> Self {
        let lease_ms = u64::try_from(lease.as_millis()).unwrap_or(u64::MAX);
        Self { name: &registration.name, generation: registration.generation.get(), lease_ms }
    }
}

#[derive(Serialize)]
pub(super) struct Draining {
    pub(super) in_flight: usize,
}

/// A part of the members, sorted by name. It contains only what the snapshot says, so the snapshot's version stands for
/// it.
#[derive(Serialize)]
pub(super) struct Members<'a> {
    version: u64,
    is_panic: bool,
    members: Vec<Listed<'a>>,
    next: Option<&'a str>,
}

#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    generation: u64,
    endpoint: String,
    zone: Option<&'a str>,
    weight: u32,
    state: &'static str,
    metadata: &'a BTreeMap<String, String>,
}

impl<'a> Members<'a> {
    pub(super) fn of<T: fmt::Display>(snapshot: &'a Snapshot<T>, after: Option<&str>) -> Self {
        let all = snapshot.members();
        let begin = after.map_or(0, |after| all.partition_point(|entry| entry.seat().name() <= after));
        let end = (begin + MEMBERS).min(all.len());
        let members = all.get((Bound::Included(begin), Bound::Excluded(end))).unwrap_or_default();
        Self {
            version: snapshot.version(),
            is_panic: snapshot.is_panic(),
            members: members.iter().map(Listed::of).collect(),
            next: members.last().filter(|_| end < all.len()).map(|entry| entry.seat().name()),
        }
    }

    pub(super) fn reply(&self, tag: HeaderValue) -> Response<String> {
        let mut reply = json(StatusCode::OK, self);
        reply.headers_mut().insert(ETAG, tag);
        reply
    }
}

impl<'a> Listed<'a> {
    fn of<T: fmt::Display>(entry: &'a Entry<T>) -> Self {
        let seat = entry.seat();
        Self {
            name: seat.name(),
            generation: seat.generation().get(),
            endpoint: seat.endpoint().to_string(),
            zone: seat.zone(),
            weight: entry.weight().get(),
            state: entry.state().name(),
            metadata: seat.metadata(),
        }
    }
}

/// The tag of a version of one registry.
pub(super) fn etag(registry: u64, version: u64) -> HeaderValue {
    HeaderValue::try_from(format!("\"{registry:x}-{version}\"")).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// Whether the client has it already (RFC 9110, 13.1.2).
pub(super) fn is_known(fields: &HeaderMap, tag: &HeaderValue) -> bool {
    let known = fields.get_all(IF_NONE_MATCH).iter().filter_map(|known| known.to_str().ok());
    let is_it = |known: &str| known == "*" || known.strip_prefix("W/").unwrap_or(known).as_bytes() == tag.as_bytes();
    known.flat_map(|known| known.split(',')).any(|known| is_it(known.trim()))
}

pub(super) fn unchanged(tag: HeaderValue) -> Response<String> {
    let mut reply = nothing();
    *reply.status_mut() = StatusCode::NOT_MODIFIED;
    reply.headers_mut().insert(ETAG, tag);
    reply
}

pub(super) fn nothing() -> Response<String> {
    let mut reply = Response::new(String::new());
    *reply.status_mut() = StatusCode::NO_CONTENT;
    reply
}

pub(super) fn json(status: StatusCode, says: &impl Serialize) -> Response<String> {
    // Only maps with keys that are not text, and errors of `Serialize` itself, could fail. The types here have neither.
    let mut reply = Response::new(serde_json::to_string(says).unwrap_or_default());
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}

/// Why a request is refused.
pub(super) struct Wrong {
    status: StatusCode,
    code: &'static str,
    field: Option<String>,
    detail: String,
    allow: Option<&'static str>,
}

#[derive(Serialize)]
struct Told<'a> {
    code: &'static str,
    field: Option<&'a str>,
    detail: &'a str,
}

impl Wrong {
    fn new(status: StatusCode, code: &'static str, detail: impl fmt::Display) -> Self {
        Self { status, code, field: None, detail: detail.to_string(), allow: None }
    }

    pub(super) fn path() -> Self {
        let what = "there is POST register, heartbeat, drain and remove, and GET members";
        Self::new(StatusCode::NOT_FOUND, "not-found", what)
    }

    pub(super) fn method(allow: &'static str) -> Self {
        let wrong = Self::new(StatusCode::METHOD_NOT_ALLOWED, "method", format_args!("it is there for {allow}"));
        Self { allow: Some(allow), ..wrong }
    }

    pub(super) fn kind() -> Self {
        let what = "a body of the type application/json is wanted";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "json-wanted", what)
    }

    pub(super) fn size(most: usize) -> Self {
        let what = format_args!("a body of at most {most} bytes is wanted");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", what)
    }

    pub(super) fn object() -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "json-unexpected", "an object is wanted")
    }

    /// In serde_json's words, which include the line and the column.
    pub(super) fn json(field: Option<String>, error: &serde_json::Error) -> Self {
        if error.is_data() {
            return Self { field, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "json-unexpected", error) };
        }
        Self { field, ..Self::new(StatusCode::BAD_REQUEST, "json-malformed", error) }
    }

    pub(super) fn field(field: &str, detail: impl fmt::Display) -> Self {
        Self {
            field: Some(field.to_string()),
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "json-unexpected", detail)
        }
    }

    pub(super) fn gone(registration: &Registration, is_superseded: bool) -> Self {
        let (status, code, what) = if is_superseded {
            (StatusCode::CONFLICT, "superseded", "its name was registered anew")
        } else {
            (StatusCode::GONE, "gone", "its lease ran out, or it was removed")
        };
        let detail = format!("the generation {} is gone: {what}", registration.generation);
        Self { field: Some("generation".to_string()), ..Self::new(status, code, detail) }
    }

    pub(super) fn full(refused: &impl fmt::Display) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "full", format_args!("there is no room for {refused}"))
    }

    pub(super) fn reply(mut self) -> Response<String> {
        if self.detail.len() > DETAIL {
            let end = (0..=DETAIL).rfind(|end| self.detail.is_char_boundary(*end));
            self.detail.truncate(end.unwrap_or_default());
            self.detail.push_str(" ..");
        }
        let told = Told { code: self.code, field: self.field.as_deref(), detail: &self.detail };
        let mut reply = json(self.status, &told);
        if let Some(allow) = self.allow {
            reply.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            reply.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        reply
    }
}
