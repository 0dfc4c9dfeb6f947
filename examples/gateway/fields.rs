//! The header fields that a proxy removes, and those it adds.

use std::fmt::Write as _;
use std::net::IpAddr;

use bytes::BytesMut;
use http::header::{CONNECTION, COOKIE, FORWARDED, HOST, TE, VIA};
use http::{HeaderMap, HeaderName, HeaderValue, Uri, Version};

use super::scratch::Scratch;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Whether the client can read trailers. `TE` says so for one connection, so it has to be said anew for the next.
pub(crate) fn accepts_trailers(headers: &HeaderMap) -> bool {
    let words = headers.get_all(TE).iter().flat_map(|line| line.as_bytes().split(|&byte| byte == b','));
    words.map(<[u8]>::trim_ascii).any(|word| word.eq_ignore_ascii_case(b"trailers"))
}

/// Says that trailers can be read.
pub(crate) fn accept_trailers(headers: &mut HeaderMap) {
    headers.insert(TE, HeaderValue::from_static("trailers"));
    headers.insert(CONNECTION, HeaderValue::from_static("te"));
}

/// HTTP/2 may send one `Cookie` in several lines, HTTP/1.1 may not (RFC 9113, 8.2.3).
pub(crate) fn join_cookies(headers: &mut HeaderMap) {
    if headers.get_all(COOKIE).iter().nth(1).is_some() {
        let lines: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
        if let Ok(joined) = HeaderValue::from_bytes(&lines.join(&b"; "[..])) {
            headers.insert(COOKIE, joined);
        }
    }
}

/// Says by which version the message came here (RFC 9110, 7.6.3).
pub(crate) fn add_via(headers: &mut HeaderMap, version: Version) {
    headers.append(
        VIA,
        HeaderValue::from_static(match version {
            Version::HTTP_2 => "2 chain-gateway",
            Version::HTTP_10 => "1.0 chain-gateway",
            _ => "1.1 chain-gateway",
        }),
    );
}

/// Says for whom the request is: `Forwarded` (RFC 7239) and its older relatives `X-Forwarded-*`.
///
/// What the client says of those before it is kept, with the client itself after it: only what the last proxy added can
/// be believed. The host and the protocol are those of this request, whatever the client says.
pub(crate) fn add_forwarded(headers: &mut HeaderMap, uri: &Uri, peer: IpAddr, scratch: &mut Scratch) {
    let host = host(headers, uri, scratch);
    let forwarded = scratch.value(|text| {
        earlier(headers, &FORWARDED, text);
        // An IPv6 address has colons, which only a quoted string may have.
        match peer {
            IpAddr::V4(peer) => write!(text, "for={peer}")?,
            IpAddr::V6(peer) => write!(text, "for=\"[{peer}]\"")?,
        }
        if let Some(host) = host.as_ref().and_then(|host| host.to_str().ok()) {
            write!(text, ";host=\"{host}\"")?;
        }
        text.write_str(";proto=http")
    });
    let forwarded_for = scratch.value(|text| {
        earlier(headers, &X_FORWARDED_FOR, text);
        write!(text, "{peer}")
    });
    for (name, value) in [(FORWARDED, forwarded), (X_FORWARDED_FOR, forwarded_for), (X_FORWARDED_HOST, host)] {
        match value {
            Some(value) => headers.insert(name, value),
            None => headers.remove(name),
        };
    }
    headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static("http"));
}

/// Writes what earlier proxies said, as the beginning of a list.
fn earlier(headers: &HeaderMap, name: &HeaderName, text: &mut BytesMut) {
    for line in headers.get_all(name).iter().filter(|line| !line.is_empty()) {
        text.extend_from_slice(line.as_bytes());
        text.extend_from_slice(b", ");
    }
}

/// The host that the client asked for: the target's own, or `Host` (RFC 9112, 3.2.2). `None` if it has letters that could
/// end a quoted string.
fn host(headers: &HeaderMap, uri: &Uri, scratch: &mut Scratch) -> Option<HeaderValue> {
    let host = match uri.authority() {
        // Only with HTTP/2 and with a target in absolute form.
        Some(authority) => scratch.value(|text| text.write_str(authority.as_str()))?,
        None => headers.get(HOST)?.clone(),
    };
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b".:-_[]".contains(byte);
    host.as_bytes().iter().all(plain).then_some(host)
}
