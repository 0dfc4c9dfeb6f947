//! [`Paths`]: the path that is routed is the path that is passed on.

use std::string::String;

use chain_macros::node;
use http::request::Parts;
use http::uri::{PathAndQuery, Uri};

use super::error::BadRequest;

/// A node that brings a request's path into normal form before anything is decided by it, or refuses a path that is not
/// in normal form.
///
/// If a chain decides by the path, `/static/../api` and `/static/%2e%2e/api` must not mean one thing to the chain and
/// another to the upstream. Normal form is that of RFC 3986, 6.2.2: no dot segments, no unnecessarily encoded
/// characters, and upper-case digits in the remaining encodings.
///
/// Both kinds refuse a malformed encoding, an encoded NUL, slash or backslash and a backslash (servers differ in what
/// these mean), and a path that climbs above its root. Two slashes in a row stay two slashes: the upstream decides what
/// they mean.
///
/// ```
/// use chain_runtime::proxy::Paths;
///
/// let (mut request, ()) = http::Request::get("/a/./b/../%7euser?q=%7e").body(()).unwrap().into_parts();
/// Paths::normalised().enter(&mut request).unwrap();
/// assert_eq!(request.uri, "/a/~user?q=%7e");
/// assert!(Paths::refused().enter(&mut request).is_ok());
///
/// let (mut request, ()) = http::Request::get("/a/%2e%2e/b").body(()).unwrap().into_parts();
/// assert!(Paths::refused().enter(&mut request).is_err());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Paths {
    is_mended: bool,
}

#[node(crate = crate)]
impl Paths {
    /// Brings paths into normal form.
    #[must_use]
    pub const fn normalised() -> Self {
        Self { is_mended: true }
    }

    /// Refuses paths that are not in normal form.
    #[must_use]
    pub const fn refused() -> Self {
        Self { is_mended: false }
    }

    /// Looks at the path. It copies the path only if it has to be changed. The query stays as it is.
    ///
    /// # Errors
    ///
    /// [`BadRequest::Path`].
    pub fn enter(&self, request: &mut Parts) -> Result<(), BadRequest> {
        let path = request.uri.path();
        if path == "*" || is_plain(path) {
            return Ok(());
        }
        let normal = normal(path).ok_or(BadRequest::Path)?;
        if normal == path {
            return Ok(());
        }
        if !self.is_mended {
            return Err(BadRequest::Path);
        }
        let normal = match request.uri.query() {
            Some(query) => std::format!("{normal}?{query}"),
            None => normal,
        };
        let mut parts = request.uri.clone().into_parts();
        parts.path_and_query = Some(PathAndQuery::try_from(normal).map_err(|_| BadRequest::Path)?);
        request.uri = Uri::from_parts(parts).map_err(|_| BadRequest::Path)?;
        Ok(())
    }
}

/// Whether the path needs no closer look: no encoding, no backslash, and no segment that begins with a dot.
fn is_plain(path: &str) -> bool {
    !path.bytes().any(|byte| matches!(byte, b'%' | b'\\')) && !path.contains("/.")
}

/// The path in normal form. `None` if it has no normal form.
fn normal(path: &str) -> Option<String> {
    let decoded = decoded(path)?;
    let mut normal = String::with_capacity(decoded.len());
    let mut segments = decoded.strip_prefix('/')?.split('/').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    normal.truncate(normal.rfind('/')?);
                }
                // `/a/..` is `/`, with the slash at its end.
                if is_last {
                    normal.push('/');
                }
            }
            segment => {
                normal.push('/');
                normal.push_str(segment);
            }
        }
    }
    Some(normal)
}

/// The path without unnecessary encodings, and with upper-case digits in the others.
fn decoded(path: &str) -> Option<String> {
    let mut decoded = String::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => return None,
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let byte = u8::try_from(digit()? * 16 + digit()?).ok()?;
                match byte {
                    0 | b'/' | b'\\' => return None,
                    byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => decoded.push(char::from(byte)),
                    byte => {
                        decoded.push('%');
                        for digit in [byte >> 4, byte & 15] {
                            decoded.push(char::from_digit(digit.into(), 16)?.to_ascii_uppercase());
                        }
                    }
                }
            }
            // A path may have bytes outside of ASCII. They stay as they are, one character at a time.
            byte if byte.is_ascii() => decoded.push(char::from(byte)),
            _ => return None,
        }
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::normal;

    #[test]
    fn the_normal_form_is_that_of_rfc_3986() {
        for (path, wanted) in [
            ("/", "/"),
            ("/a/b", "/a/b"),
            ("/a/./b", "/a/b"),
            ("/a/../b", "/b"),
            ("/a/b/..", "/a/"),
            ("/a/.", "/a/"),
            ("/a/%2e%2E/b", "/b"),
            ("/a/%7Eb", "/a/~b"),
            ("/a%c3%a9", "/a%C3%A9"),
            ("/a/...", "/a/..."),
            ("/.well-known/x", "/.well-known/x"),
            ("//a//b/", "//a//b/"),
            ("/%41%20", "/A%20"),
        ] {
            assert_eq!(normal(path).as_deref(), Some(wanted), "{path}");
            assert_eq!(normal(wanted).as_deref(), Some(wanted), "once more: {wanted}");
        }
    }

    #[test]
    fn what_servers_read_in_two_ways_has_none() {
        for path in
            ["/..", "/../a", "/a/../..", "/a%2fb", "/a%5Cb", "/a\\b", "/%00", "/%", "/%4", "/%zz", "/a/%2e%2e/%2e%2e"]
        {
            assert_eq!(normal(path), None, "{path}");
        }
    }
}
