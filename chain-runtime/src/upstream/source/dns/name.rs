//! Names as they are written in configurations, and what can be asked for.

use core::net::IpAddr;
use std::string::{String, ToString as _};

use hickory_resolver::proto::rr::Name;

use super::DnsError;

/// A text that stands for a host.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// An address is its own answer.
    Address(IpAddr),
    Name(Name),
}

/// Reads a host: an address, an IPv6 one in brackets or without, or a name.
pub(super) fn host(text: &str) -> Result<Host, DnsError> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    match bare.unwrap_or(text).parse() {
        Ok(address @ IpAddr::V6(_)) => Ok(Host::Address(address)),
        Ok(address) if bare.is_none() => Ok(Host::Address(address)),
        _ => name(text).map(Host::Name),
    }
}

/// Reads a name.
pub(super) fn name(text: &str) -> Result<Name, DnsError> {
    let no = |why| Err(DnsError::Name { name: text.to_string(), why });
    if !text.is_ascii() {
        return no("write an international name in its ASCII form, `xn--..`");
    }
    let labels = text.strip_suffix('.').unwrap_or(text);
    if labels.is_empty() || labels.len() > 253 {
        return no("a name has 1 to 253 bytes");
    }
    for label in labels.split('.') {
        if label.is_empty() || label.len() > 63 {
            return no("between its dots, a name has 1 to 63 bytes");
        }
        if !label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
            return no("a name has letters, digits, `-` and `_` between its dots");
        }
    }
    // Some programs take `10.0.0.07`, `127.1` and `0x7f.1` for addresses. They are never the name of a host.
    let last = labels.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if last.bytes().all(|byte| byte.is_ascii_digit()) || last.strip_prefix("0x").is_some_and(is_number) {
        return no("its last part is a number, so it is neither an address nor a name");
    }
    match Name::from_ascii(text) {
        Ok(name) => Ok(name.to_lowercase()),
        Err(_) => no("it is no name"),
    }
}

/// A name as it is written in a `Host` field and a certificate: in lower case, without a dot at its end.
pub(super) fn written(name: &Name) -> String {
    let mut text = name.to_ascii().to_ascii_lowercase();
    if text.ends_with('.') {
        text.pop();
    }
    text
}

#[cfg(all(test, not(chain_loom)))]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_its_own_answer() {
        for text in ["10.0.0.7", "::1", "[::1]", "2001:db8::7"] {
            assert!(matches!(host(text), Ok(Host::Address(_))), "{text}");
        }
    }

    #[test]
    fn a_name_is_read_without_its_case() {
        assert_eq!(host("Orders.Internal").unwrap(), host("orders.internal").unwrap());
        assert_eq!(written(&name("Orders.Internal.").unwrap()), "orders.internal");
        assert!(name("orders.internal.").unwrap().is_fqdn());
        assert!(!name("orders").unwrap().is_fqdn());
        assert!(name("_http._tcp.orders_2.internal").is_ok());
    }

    #[test]
    fn what_is_no_name_is_refused_with_a_reason() {
        let long = "a".repeat(64);
        let longer = "a.".repeat(128);
        for (text, why) in [
            ("bücher.example", "xn--"),
            ("", "1 to 253"),
            (".", "1 to 253"),
            ("a..b", "1 to 63"),
            (&long, "1 to 63"),
            (&longer, "1 to 253"),
            ("a b", "letters"),
            ("a/b", "letters"),
            ("[10.0.0.7]", "letters"),
            ("10.0.0.256", "a number"),
            ("127.1", "a number"),
            ("127.0x1", "a number"),
            ("10.0.0.7:80", "letters"),
        ] {
            let error = host(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
