//! The target of a request in its four forms (RFC 9112, 3.2), and the host.

use core::fmt::Write as _;

use http::header::HOST;
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, Version};

use super::error::BadRequest;
use super::text::Text;

/// Stands in a request's extensions if the client sent a fragment with the target, which is not allowed (RFC 9112,
/// 3.2). The server saw it; `http::Uri` leaves it out.
#[derive(Clone, Copy, Debug)]
pub(super) struct HasFragment;

/// The target of a request.
pub(super) struct Target {
    /// The path and the query; `*` for the server itself. `None` if the request's own target is that and nothing else,
    /// as it is over HTTP/1.1.
    pub(super) path: Option<PathAndQuery>,
    /// The host for which the client asked. HTTP/1.0 needs none.
    pub(super) host: Option<HeaderValue>,
}

/// Reads the target and the host, or returns the error in them.
///
/// The target's own host counts, if it has one (RFC 9112, 3.2.2). `Host` must be there, once, all the same (3.2). Over
/// HTTP/2 the two must not differ (RFC 9113, 8.3.1).
pub(super) fn read(request: &Parts, text: &mut Text) -> Result<Target, BadRequest> {
    let named = check_hosts(request)?;
    let host = match request.uri.authority() {
        None => named.cloned(),
        Some(authority) => text.value(|text| text.write_str(authority.as_str())),
    };
    Ok(Target { path: path(request)?, host })
}

/// Whether [`read`] would succeed. It copies nothing.
pub(super) fn check(request: &Parts) -> Result<(), BadRequest> {
    check_hosts(request)?;
    path(request).map(drop)
}

/// The `Host` field, if there is one and all is well but the path.
fn check_hosts(request: &Parts) -> Result<Option<&HeaderValue>, BadRequest> {
    let named = host_field(request)?;
    if request.method == Method::CONNECT {
        return Err(BadRequest::Tunnel);
    }
    if request.extensions.get::<HasFragment>().is_some() {
        return Err(BadRequest::Target);
    }
    let authority = request.uri.authority().map(|authority| authority.as_str().as_bytes());
    match (authority, named) {
        (Some(authority), _) if !is_host(authority) => Err(BadRequest::Host),
        (Some(authority), Some(named))
            if request.version == Version::HTTP_2 && !named.as_bytes().eq_ignore_ascii_case(authority) =>
        {
            Err(BadRequest::TwoHosts)
        }
        (None, None) if request.version != Version::HTTP_10 => Err(BadRequest::NoHost),
        _ => Ok(named),
    }
}

/// See [`Target::path`]. The target has one of the allowed forms.
fn path(request: &Parts) -> Result<Option<PathAndQuery>, BadRequest> {
    let uri = &request.uri;
    let has_more = uri.scheme().is_some() || uri.authority().is_some();
    let is_options = request.method == Method::OPTIONS;
    match uri.path_and_query() {
        Some(path) if path.as_str() == "*" && !is_options => Err(BadRequest::Target),
        Some(path) if path.as_str() == "*" || path.as_str().starts_with('/') => Ok(has_more.then(|| path.clone())),
        // `http://host?query`: the path is empty, which is `/`.
        Some(path) if uri.scheme().is_some() => match path.query() {
            Some(query) => PathAndQuery::try_from(std::format!("/?{query}")).map_err(|_| BadRequest::Target).map(Some),
            None => Ok(Some(PathAndQuery::from_static("/"))),
        },
        // `host:port`, the form for CONNECT; over HTTP/2, a request without `:path`.
        _ => Err(BadRequest::Target),
    }
}

/// The one `Host` field, if there is one, in good form.
fn host_field(request: &Parts) -> Result<Option<&HeaderValue>, BadRequest> {
    let mut hosts = request.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if request.version == Version::HTTP_11 => Err(BadRequest::NoHost),
        (None, _) => Ok(None),
        (Some(_), Some(_)) => Err(BadRequest::TwoHosts),
        (Some(host), None) if is_host(host.as_bytes()) => Ok(Some(host)),
        (Some(_), None) => Err(BadRequest::Host),
    }
}

/// The bytes of which a host's name may consist.
static PLAIN: [bool; 256] = {
    let (mut plain, mut byte) = ([false; 256], 0_u8);
    while byte < 128 {
        plain[byte as usize] = byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'.' | b'-' | b'_' | b'~' | b'%' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b';' | b'='
            );
        byte += 1;
    }
    plain
};

/// Whether this is `host` or `host:port` (RFC 9110, 7.2), with nothing in it that could end a quoted string or begin another part of a URI.
fn is_host(host: &[u8]) -> bool {
    // Mostly it is a name without encodings, and one pass shows that.
    let plain = host.iter().position(|&byte| !PLAIN[usize::from(byte)] || byte == b'%').unwrap_or(host.len());
    match host.split_at(plain) {
        (&[], _) => {}
        (_, []) => return true,
        (_, [b':', port @ ..]) => return is_port(port),
        _ => {}
    }
    is_other_host(host)
}

fn is_port(port: &[u8]) -> bool {
    port.len() <= 5 && port.iter().all(u8::is_ascii_digit)
}

/// The same, for a host of any form.
fn is_other_host(host: &[u8]) -> bool {
    let (name, rest) = match host.split_first() {
        Some((b'[', literal)) => {
            let Some(end) = literal.iter().position(|&byte| byte == b']') else { return false };
            let is_address = literal[..end].iter().all(|byte| byte.is_ascii_hexdigit() || b".:%vV".contains(byte));
            (if is_address { &literal[..end] } else { &[] }, &literal[end + 1..])
        }
        _ => host.split_at(host.iter().position(|&byte| byte == b':').unwrap_or(host.len())),
    };
    let is_literal = host.starts_with(b"[");
    let is_port = match rest.split_first() {
        None => true,
        Some((b':', port)) => is_port(port),
        Some(_) => false,
    };
    // An encoding is two digits after a percent sign.
    let is_encoded = !name.contains(&b'%')
        || name
            .split(|&byte| byte == b'%')
            .skip(1)
            .all(|rest| rest.iter().take(2).filter(|byte| byte.is_ascii_hexdigit()).count() == 2);
    !name.is_empty() && is_port && (is_literal || (is_encoded && name.iter().all(|&byte| PLAIN[usize::from(byte)])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_host_and_perhaps_a_port() {
        for host in ["a", "a.example", "a.example:80", "a:", "1.2.3.4", "[::1]", "[::1]:80", "a_b", "a%4f", "%4f:1"] {
            assert!(is_host(host.as_bytes()) && is_other_host(host.as_bytes()), "{host}");
        }
        for host in [
            "", ":80", "a b", "a/b", "a@b", "a?b", "a#b", "a,b", "a\"b", "[::1", "a:b", "a\\b", "http://a", "a%",
            "a%4", "a%zz", "a:123456", "%zz:1",
        ] {
            assert!(!is_host(host.as_bytes()), "{host}");
            assert!(!is_other_host(host.as_bytes()), "{host}");
        }
    }
}
