//! What a request asks for, and of whom: the four forms of a target (RFC 9112, 3.2), and the host.

use http::header::HOST;
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, Version};

use super::error::BadRequest;
use super::text::Text;

/// What a request asks for.
pub(super) struct Target {
    /// The path and the query; `*` for the server itself.
    pub(super) path: PathAndQuery,
    /// The host that the client asked for. HTTP/1.0 needs none.
    pub(super) host: Option<HeaderValue>,
}

/// Reads the target and the host, or says what is wrong with them.
///
/// The target's own host counts, where it has one (RFC 9112, 3.2.2), and `Host` must be there, once, all the same (3.2). Over HTTP/2 the two
/// must not differ (RFC 9113, 8.3.1).
pub(super) fn read(request: &Parts, text: &mut Text) -> Result<Target, BadRequest> {
    let named = host_field(request)?;
    let uri = &request.uri;
    if request.method == Method::CONNECT {
        return Err(BadRequest::Tunnel);
    }
    let host = match uri.authority() {
        None => named.cloned(),
        Some(authority) => {
            if !is_host(authority.as_str().as_bytes()) {
                return Err(BadRequest::Host);
            }
            if request.version == Version::HTTP_2
                && named.is_some_and(|named| !named.as_bytes().eq_ignore_ascii_case(authority.as_str().as_bytes()))
            {
                return Err(BadRequest::TwoHosts);
            }
            text.value(|text| {
                text.extend_from_slice(authority.as_str().as_bytes());
                Ok(())
            })
        }
    };
    if host.is_none() && request.version != Version::HTTP_10 {
        return Err(BadRequest::NoHost);
    }
    Ok(Target { path: path(request)?, host })
}

/// The path and the query, of a target in one of the forms that may stand here.
fn path(request: &Parts) -> Result<PathAndQuery, BadRequest> {
    let uri = &request.uri;
    let is_options = request.method == Method::OPTIONS;
    match uri.path_and_query() {
        // An absolute target without a path and a query asks, with OPTIONS, for the server itself (RFC 9112, 3.2.4).
        Some(path) if is_options && uri.authority().is_some() && path.as_str() == "*" => {
            Ok(PathAndQuery::from_static("*"))
        }
        Some(path) if path.as_str() == "*" => {
            if is_options {
                Ok(path.clone())
            } else {
                Err(BadRequest::Target)
            }
        }
        Some(path) if path.as_str().starts_with('/') => Ok(path.clone()),
        // `http://host?query`: the path is empty, which is `/`.
        Some(path) if uri.scheme().is_some() => match path.query() {
            Some(query) => PathAndQuery::try_from(std::format!("/?{query}")).map_err(|_| BadRequest::Target),
            None => Ok(PathAndQuery::from_static("/")),
        },
        // `host:port`, the form for CONNECT; over HTTP/2, a request without `:path`.
        _ => Err(BadRequest::Target),
    }
}

/// The one `Host` that is there, if there is one, in good form.
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

/// Whether this is `host` or `host:port` (RFC 9110, 7.2), with nothing in it that could end a quoted string or begin another part of a URI.
fn is_host(host: &[u8]) -> bool {
    let (name, rest) = match host.split_first() {
        Some((b'[', literal)) => {
            let Some(end) = literal.iter().position(|&byte| byte == b']') else { return false };
            let is_address = literal[..end].iter().all(|byte| byte.is_ascii_hexdigit() || b".:%vV".contains(byte));
            (if is_address { &literal[..end] } else { &[] }, &literal[end + 1..])
        }
        _ => host.split_at(host.iter().position(|&byte| byte == b':').unwrap_or(host.len())),
    };
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_~%!$&'()*+;=".contains(byte);
    let is_literal = host.starts_with(b"[");
    let is_port = match rest.split_first() {
        None => true,
        Some((b':', port)) => port.len() <= 5 && port.iter().all(u8::is_ascii_digit),
        Some(_) => false,
    };
    !name.is_empty() && is_port && (is_literal || name.iter().all(is_plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_host_and_perhaps_a_port() {
        for host in ["a", "a.example", "a.example:80", "1.2.3.4", "[::1]", "[::1]:80", "a_b"] {
            assert!(is_host(host.as_bytes()), "{host}");
        }
        for host in ["", ":80", "a b", "a/b", "a@b", "a?b", "a#b", "a,b", "a\"b", "[::1", "a:b", "a\\b", "http://a"] {
            assert!(!is_host(host.as_bytes()), "{host}");
        }
    }
}
