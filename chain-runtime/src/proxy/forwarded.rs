//! The client of a request, in fields: `Forwarded` (RFC 7239) and its older relatives `X-Forwarded-*`.

use core::fmt::{self, Write as _};
use std::net::IpAddr;

use bytes::BytesMut;
use http::header::FORWARDED;
use http::uri::Scheme;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::client::{Client, Fields};
use super::fields::earlier;
use super::identity::Reserved;
use super::present::Present;
use super::text::Text;
use crate::dotted::write_address;

pub(super) const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// States the client of the request, and removes what else the client sent in the reserved fields.
///
/// The client's entries about those before it are kept, and the client itself is added after them: only what the last
/// proxy added can be believed. They are kept only if they are a well-formed list: an open quotation mark would swallow
/// what is added after it. The host and the protocol are those of this request, whatever the client sent.
pub(super) fn add(
    headers: &mut HeaderMap,
    present: Present,
    reserved: &Reserved,
    client: &Client,
    host: Option<&HeaderValue>,
    text: &mut Text,
) {
    let is_first = !present.has(Present::FORWARDED | Present::X_FORWARDED_FOR);
    let mut write = || fields(headers, present, client, host, text);
    let Fields { forwarded, forwarded_for } = match host {
        Some(host) if is_first => client.said(host.as_bytes(), write),
        _ => write(),
    };
    reserved.remove_from(headers);
    if let Some(forwarded) = forwarded {
        headers.insert(FORWARDED, forwarded);
    }
    if let Some(forwarded_for) = forwarded_for {
        headers.insert(X_FORWARDED_FOR, forwarded_for);
    }
    if let Some(host) = host {
        headers.insert(X_FORWARDED_HOST, host.clone());
    }
    let proto = if *client.scheme() == Scheme::HTTPS { "https" } else { "http" };
    headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(proto));
}

/// Writes the lists, each with its entries so far.
fn fields(
    headers: &HeaderMap,
    present: Present,
    client: &Client,
    host: Option<&HeaderValue>,
    text: &mut Text,
) -> Fields {
    let peer = client.peer().map(|peer| peer.ip().to_canonical());
    let forwarded = text.value(|text| {
        if present.has(Present::FORWARDED)
            && headers.get_all(FORWARDED).iter().all(|line| is_list_of_pairs(line.as_bytes()))
        {
            earlier(headers, &FORWARDED, text);
        }
        match peer {
            // An IPv6 address has colons, which are allowed only in a quoted string.
            Some(IpAddr::V6(peer)) => write!(text, "for=\"[{peer}]\"")?,
            _ => {
                text.extend_from_slice(b"for=");
                address(peer, text)?;
            }
        }
        if let Some(host) = host.and_then(|host| host.to_str().ok()) {
            text.extend_from_slice(b";host=\"");
            text.extend_from_slice(host.as_bytes());
            text.extend_from_slice(b"\"");
        }
        text.extend_from_slice(b";proto=");
        text.extend_from_slice(client.scheme().as_str().as_bytes());
        Ok(())
    });
    let forwarded_for = text.value(|text| {
        if present.has(Present::X_FORWARDED_FOR)
            && headers.get_all(&X_FORWARDED_FOR).iter().all(|line| line.as_bytes().iter().all(is_of_addresses))
        {
            earlier(headers, &X_FORWARDED_FOR, text);
        }
        address(peer, text)
    });
    Fields { forwarded, forwarded_for }
}

/// Writes the address of a client, which may be unknown.
fn address(peer: Option<IpAddr>, text: &mut BytesMut) -> fmt::Result {
    match peer {
        Some(peer) => write_address(text, peer),
        None => text.write_str("unknown"),
    }
}

/// Whether this byte may stand in a list of addresses: of names and numbers, with ports, in brackets or quotation marks
/// or not.
fn is_of_addresses(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b".:-_[], ".contains(byte)
}

/// `Forwarded`: elements with commas between them. Each consists of pairs `token=token` or `token="quoted"`, with
/// semicolons between them (RFC 7239, 4).
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
            // Many proxies write an address with its port without quotation marks.
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

/// The length of the quoted string with which this begins, if it ends.
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
