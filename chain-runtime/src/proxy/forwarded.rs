//! For whom a request is: `Forwarded` (RFC 7239) and its older relatives `X-Forwarded-*`.

use core::fmt::Write as _;
use std::net::IpAddr;

use http::header::FORWARDED;
use http::uri::Scheme;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::fields::earlier;
use super::identity::Reserved;
use super::text::Text;

pub(super) const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Says for whom the request is, and removes what else the client says in the reserved fields.
///
/// What the client says of those before it is kept, with the client itself after it: only what the last proxy added can be believed. It is
/// kept only where it is a list in good form: an open quotation mark would swallow what is added behind it. The host and the protocol are
/// those of this request, whatever the client says.
pub(super) fn add(
    headers: &mut HeaderMap,
    reserved: &Reserved,
    peer: Option<IpAddr>,
    host: Option<&HeaderValue>,
    scheme: &Scheme,
    text: &mut Text,
) {
    let forwarded = text.value(|text| {
        if headers.get_all(FORWARDED).iter().all(|line| is_list_of_pairs(line.as_bytes())) {
            earlier(headers, &FORWARDED, text);
        }
        match peer {
            Some(IpAddr::V4(peer)) => write!(text, "for={peer}")?,
            // An IPv6 address has colons, which only a quoted string may have.
            Some(IpAddr::V6(peer)) => write!(text, "for=\"[{peer}]\"")?,
            None => text.write_str("for=unknown")?,
        }
        if let Some(host) = host.and_then(|host| host.to_str().ok()) {
            write!(text, ";host=\"{host}\"")?;
        }
        write!(text, ";proto={scheme}")
    });
    let forwarded_for = text.value(|text| {
        if headers.get_all(&X_FORWARDED_FOR).iter().all(|line| line.as_bytes().iter().all(is_of_addresses)) {
            earlier(headers, &X_FORWARDED_FOR, text);
        }
        match peer {
            Some(peer) => write!(text, "{peer}"),
            None => text.write_str("unknown"),
        }
    });
    reserved.remove_from(headers);
    let host = host.cloned();
    for (name, value) in [(FORWARDED, forwarded), (X_FORWARDED_FOR, forwarded_for), (X_FORWARDED_HOST, host)] {
        if let Some(value) = value {
            headers.insert(name, value);
        }
    }
    let proto = if *scheme == Scheme::HTTPS { "https" } else { "http" };
    headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(proto));
}

/// Whether this may stand in a list of addresses: names and numbers, with ports, in brackets or quotation marks or not.
fn is_of_addresses(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b".:-_[], ".contains(byte)
}

/// `Forwarded`: elements with commas between them, each of `token=token` or `token="quoted"` with semicolons between them (RFC 7239, 4).
fn is_list_of_pairs(line: &[u8]) -> bool {
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let mut rest = line.trim_ascii();
    if rest.is_empty() {
        return true;
    }
    loop {
        let name = rest.iter().take_while(|byte| is_token(byte)).count();
        let Some((b'=', value)) = rest[name..].split_first() else { return false };
        let length = match value.first() {
            _ if name == 0 => return false,
            Some(b'"') => match quoted(value) {
                Some(length) => length,
                None => return false,
            },
            // Many a proxy writes an address with its port without quotation marks.
            _ => value.iter().take_while(|byte| is_token(byte) || b":[]".contains(byte)).count(),
        };
        if length == 0 {
            return false;
        }
        rest = value[length..].trim_ascii_start();
        match rest.split_first() {
            None => return true,
            Some((b',' | b';', after)) => rest = after.trim_ascii_start(),
            Some(_) => return false,
        }
    }
}

/// How long the quoted string is with which this begins, if it ends.
fn quoted(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_in_good_form_is_kept() {
        for line in [
            "for=1.2.3.4",
            "for=1.2.3.4:80",
            "For=\"[2001:db8::1]:80\";proto=http, for=_x;by=\"a\\\"b\"",
            "",
            " for=a , for=b ",
            "for=[::1]",
        ] {
            assert!(is_list_of_pairs(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn what_could_swallow_what_follows_is_not() {
        for line in [
            "for=6.6.6.6;by=\"",
            "for=\"a\\\"",
            "for",
            "=a",
            "for=",
            "for=a b",
            "for=a;",
            "for=a,",
            "for=\"a\"b",
            "for=a;;by=b",
        ] {
            assert!(!is_list_of_pairs(line.as_bytes()), "{line}");
        }
    }
}
