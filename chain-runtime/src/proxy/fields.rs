//! The header fields that a hop removes, joins and adds.

use core::fmt::Write as _;
use std::boxed::Box;
use std::format;

use bytes::BytesMut;
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, COOKIE, EXPECT, HOST,
    MAX_FORWARDS, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, SET_COOKIE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, VIA,
    WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Version};

use super::text::Text;
use super::words::{has_word, words};

/// What is meant for one connection only, whether or not `Connection` names it (RFC 9110, 7.6.1), and for a proxy (11.7).
const HOP_BY_HOP: [HeaderName; 9] = [
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("http2-settings"),
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-authentication-info"),
];

/// What must not come in a trailer (RFC 9110, 6.5.1): it frames, routes, authenticates, or is asked for before the content is read.
const NO_TRAILER: [HeaderName; 19] = [
    AUTHORIZATION,
    CONNECTION,
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    CONTENT_RANGE,
    CONTENT_TYPE,
    COOKIE,
    EXPECT,
    HOST,
    MAX_FORWARDS,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    SET_COOKIE,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    VIA,
    WWW_AUTHENTICATE,
];

/// Removes what is meant for this connection only: the above, and what `Connection` names.
///
/// `Host` stays whatever `Connection` says: no message is without it.
pub(super) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    // Most messages name nothing but what is removed all the same.
    let plain = |line: &HeaderValue| {
        words(line.as_bytes())
            .all(|word| [&b"keep-alive"[..], b"close", b"te"].iter().any(|known| word.eq_ignore_ascii_case(known)))
    };
    if !headers.get_all(CONNECTION).iter().all(plain) {
        let mut line = 0;
        // A clone shares its memory; without it, the map could not be changed while the names are read.
        while let Some(names) = headers.get_all(CONNECTION).iter().nth(line).cloned() {
            for name in words(names.as_bytes()) {
                if let Ok(name) = HeaderName::from_bytes(name)
                    && name != CONNECTION
                    && name != HOST
                {
                    headers.remove(name);
                }
            }
            line += 1;
        }
    }
    headers.remove(CONNECTION);
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
}

/// Whether the sender can read trailers. `TE` says so for one connection, so it has to be said anew for the next.
pub(super) fn accepts_trailers(headers: &HeaderMap) -> bool {
    has_word(headers, &TE, b"trailers")
}

/// Says that trailers can be read.
pub(super) fn accept_trailers(headers: &mut HeaderMap) {
    headers.insert(TE, HeaderValue::from_static("trailers"));
    headers.insert(CONNECTION, HeaderValue::from_static("te"));
}

/// One `Cookie` goes on in one line: HTTP/2 may send it in several, HTTP/1.1 may not (RFC 9113, 8.2.3; RFC 6265, 5.4).
pub(super) fn join_cookies(headers: &mut HeaderMap, text: &mut Text) {
    if headers.get_all(COOKIE).iter().nth(1).is_none() {
        return;
    }
    let joined = text.value(|text| {
        for (at, line) in headers.get_all(COOKIE).iter().enumerate() {
            if at > 0 {
                text.extend_from_slice(b"; ");
            }
            text.extend_from_slice(line.as_bytes());
        }
        Ok(())
    });
    if let Some(joined) = joined {
        headers.insert(COOKIE, joined);
    }
}

/// Who speaks: the name by which a proxy calls itself in `Via` (RFC 9110, 7.6.3), with the value for each version.
#[derive(Clone, Debug)]
pub(super) struct Via {
    name: Box<str>,
    http_10: HeaderValue,
    http_11: HeaderValue,
    http_2: HeaderValue,
}

impl Via {
    /// `None` where it is not a token.
    pub(super) fn new(name: &str) -> Option<Self> {
        let is_token = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:".contains(&byte));
        let value = |version: &str| HeaderValue::try_from(format!("{version} {name}")).ok();
        if !is_token {
            return None;
        }
        Some(Self { name: name.into(), http_10: value("1.0")?, http_11: value("1.1")?, http_2: value("2")? })
    }

    /// Whether the message has been here before.
    pub(super) fn is_in(&self, headers: &HeaderMap) -> bool {
        let by_me = |element: &[u8]| {
            let received_by = element.split(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty()).nth(1);
            received_by.is_some_and(|by| by.eq_ignore_ascii_case(self.name.as_bytes()))
        };
        headers.get_all(VIA).iter().any(|line| words(line.as_bytes()).any(by_me))
    }

    /// Says by which version the message came here.
    pub(super) fn add(&self, headers: &mut HeaderMap, version: Version) {
        let value = match version {
            Version::HTTP_2 => &self.http_2,
            Version::HTTP_10 | Version::HTTP_09 => &self.http_10,
            _ => &self.http_11,
        };
        headers.append(VIA, value.clone());
    }
}

/// Takes out of a trailer what must not be in it, and what `is_reserved` names.
pub(super) fn clean_trailers(trailers: &mut HeaderMap, is_reserved: impl Fn(&HeaderName) -> bool) {
    for name in &NO_TRAILER {
        trailers.remove(name);
    }
    remove_hop_by_hop(trailers);
    remove_if(trailers, is_reserved);
}

/// Removes the fields with such names.
pub(super) fn remove_if(headers: &mut HeaderMap, is_such: impl Fn(&HeaderName) -> bool) {
    // Mostly there is none, and then nothing is changed. A name that is no standard one is cloned by a count.
    while let Some(name) = headers.keys().find(|name| is_such(name)).cloned() {
        headers.remove(name);
    }
}

/// Writes what earlier proxies said, as the beginning of a list.
pub(super) fn earlier(headers: &HeaderMap, name: &HeaderName, text: &mut BytesMut) {
    for line in headers.get_all(name).iter().filter(|line| !line.as_bytes().trim_ascii().is_empty()) {
        text.extend_from_slice(line.as_bytes().trim_ascii());
        let _ = text.write_str(", ");
    }
}
