//! The header fields that a hop removes, joins and adds.

use std::borrow::Cow;
use std::boxed::Box;
use std::format;

use bytes::BytesMut;
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, COOKIE, EXPECT, HOST,
    MAX_FORWARDS, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, SET_COOKIE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, VIA,
    WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Version};

use super::present::Present;
use super::text::Text;
use super::words::{has_word, words};

/// Fields that must not come in a trailer (RFC 9110, 6.5.1): they frame, route, authenticate, or are needed before the
/// content is read.
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

/// Removes the fields that are meant for this connection only: [those](Present::OF_ONE_HOP) that always are, and those that `Connection` names.
///
/// `Host` stays whatever `Connection` says: every message needs it.
pub(super) fn remove_hop_by_hop(headers: &mut HeaderMap, present: Present) {
    if present.has(Present::CONNECTION) {
        remove_connection(headers);
    }
    if present.has(Present::OF_ONE_HOP) {
        remove_if(headers, |name| Present::kind(name).has(Present::OF_ONE_HOP));
    }
}

/// Removes `Connection`, and the fields that it names.
fn remove_connection(headers: &mut HeaderMap) {
    // Most messages name only fields that are removed in any case, and most of these only the first or the second.
    let plain = |line: &HeaderValue| {
        line == "keep-alive"
            || line == "close"
            || words(line.as_bytes())
                .all(|word| [&b"keep-alive"[..], b"close", b"te"].iter().any(|known| word.eq_ignore_ascii_case(known)))
    };
    // Mostly no field has a second line, and then what is taken out is all of it.
    if headers.len() == headers.keys_len() {
        if let Some(names) = headers.remove(CONNECTION)
            && !plain(&names)
        {
            remove_named(headers, &names);
        }
        return;
    }
    let mut line = 0;
    // A clone shares its memory. Without it, the map could not be changed while the names are read.
    while let Some(names) = headers.get_all(CONNECTION).iter().nth(line).cloned() {
        remove_named(headers, &names);
        line += 1;
    }
    headers.remove(CONNECTION);
}

/// Removes the fields that a line of `Connection` names.
fn remove_named(headers: &mut HeaderMap, names: &HeaderValue) {
    for name in words(names.as_bytes()) {
        if let Ok(name) = HeaderName::from_bytes(name)
            && name != CONNECTION
            && name != HOST
        {
            headers.remove(name);
        }
    }
}

/// Whether the sender can read trailers. `TE` holds for one connection, so it has to be sent anew for the next one.
pub(super) fn accepts_trailers(headers: &HeaderMap) -> bool {
    has_word(headers, &TE, b"trailers")
}

/// States that this side can read trailers.
pub(super) fn accept_trailers(headers: &mut HeaderMap) {
    headers.insert(TE, HeaderValue::from_static("trailers"));
    headers.insert(CONNECTION, HeaderValue::from_static("te"));
}

/// Joins several `Cookie` fields into one line: HTTP/2 may send several, HTTP/1.1 may not (RFC 9113, 8.2.3; RFC 6265,
/// 5.4).
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

/// The name by which a proxy calls itself in `Via` (RFC 9110, 7.6.3), with the field's value for each version.
#[derive(Clone, Debug)]
pub(super) struct Via {
    name: Box<str>,
    http_10: HeaderValue,
    http_11: HeaderValue,
    http_2: HeaderValue,
}

impl Via {
    /// `None` if the name is not a token.
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

    /// Adds the version by which the message came here.
    pub(super) fn add(&self, headers: &mut HeaderMap, version: Version) {
        let value = match version {
            Version::HTTP_2 => &self.http_2,
            Version::HTTP_10 | Version::HTTP_09 => &self.http_10,
            _ => &self.http_11,
        };
        headers.append(VIA, value.clone());
    }
}

/// Removes from a trailer the fields that must not be in it, and those that `is_reserved` names.
pub(super) fn clean_trailers(trailers: &mut HeaderMap, is_reserved: impl Fn(&HeaderName) -> bool) {
    for name in &NO_TRAILER {
        trailers.remove(name);
    }
    remove_hop_by_hop(trailers, Present::of(trailers));
    remove_if(trailers, is_reserved);
}

/// Removes the fields whose names match.
pub(super) fn remove_if(headers: &mut HeaderMap, is_such: impl Fn(&HeaderName) -> bool) {
    remove_found(headers, |name| is_such(name).then(|| Cow::Owned(name.clone())));
}

/// Removes the fields for whose names this gives a name to remove. The clone of a name that is not one of HTTP's own
/// allocates, so who knows that name has it lent.
pub(super) fn remove_found<'n>(headers: &mut HeaderMap, find: impl Fn(&HeaderName) -> Option<Cow<'n, HeaderName>>) {
    // Mostly there are none or few.
    loop {
        let mut names = headers.keys().filter_map(&find);
        let Some(first) = names.next() else { return };
        let mut others: [Option<Cow<'n, HeaderName>>; 3] = [const { None }; 3];
        let count = others.iter_mut().map_while(|place| names.next().map(|name| *place = Some(name))).count();
        headers.remove(&*first);
        for name in others.iter().flatten() {
            headers.remove(&**name);
        }
        if count < others.len() {
            return;
        }
    }
}

/// Writes the entries of earlier proxies, as the beginning of a list.
pub(super) fn earlier(headers: &HeaderMap, name: &HeaderName, text: &mut BytesMut) {
    for line in headers.get_all(name).iter().filter(|line| !line.as_bytes().trim_ascii().is_empty()) {
        text.extend_from_slice(line.as_bytes().trim_ascii());
        text.extend_from_slice(b", ");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_fields_whose_names_match_are_removed() {
        for count in 0..9 {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("a"));
            for name in (0..count).map(|at| HeaderName::try_from(format!("x-{at}")).expect("a name")) {
                headers.append(&name, HeaderValue::from_static("1"));
                headers.append(&name, HeaderValue::from_static("2"));
            }
            remove_if(&mut headers, |name| name.as_str().starts_with("x-"));
            assert_eq!(headers.len(), 1, "{count}");
        }
    }

    #[test]
    fn connection_goes_with_what_it_names_except_for_the_host() {
        for (lines, left) in [
            (&["keep-alive"][..], "host x-a x-b"),
            (&["close, TE"], "host x-a x-b"),
            (&["x-a, host"], "host x-b"),
            (&["keep-alive", "x-a", "x-b"], "host"),
        ] {
            let mut headers = HeaderMap::new();
            for name in ["host", "x-a", "x-b", "keep-alive", "te"] {
                headers.insert(HeaderName::from_static(name), HeaderValue::from_static("1"));
            }
            for line in lines {
                headers.append(CONNECTION, HeaderValue::from_static(line));
            }
            let present = Present::of(&headers);
            remove_hop_by_hop(&mut headers, present);
            let mut names: std::vec::Vec<_> = headers.keys().map(HeaderName::as_str).collect();
            names.sort_unstable();
            assert_eq!(names.join(" "), left, "{lines:?}");
        }
    }
}
