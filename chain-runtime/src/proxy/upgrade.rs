//! A switch of protocols for which a client asks (RFC 9110, 7.8).

use ::hyper::upgrade::OnUpgrade;
use http::header::{CONNECTION, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Version};

use super::present::Present;
use super::words::{has_word, words};

/// The protocols, and the client's side of the connection.
pub(super) struct Wish {
    pub(super) client: OnUpgrade,
    protocols: HeaderValue,
}

impl Wish {
    /// The wish of the request, if it has one and no body.
    pub(super) fn of(request: &mut Parts, present: Present, has_body: bool) -> Option<Self> {
        if !present.has(Present::UPGRADE) || request.version != Version::HTTP_11 || has_body {
            return None;
        }
        if !has_word(&request.headers, &CONNECTION, b"upgrade") {
            return None;
        }
        let mut protocols = request.headers.get_all(UPGRADE).iter();
        let (Some(protocols), None) = (protocols.next(), protocols.next()) else { return None };
        // HTTP/2 is spoken on a connection of its own, or not at all.
        if words(protocols.as_bytes()).any(|protocol| protocol.eq_ignore_ascii_case(b"h2c")) {
            return None;
        }
        let protocols = protocols.clone();
        let client = request.extensions.remove::<OnUpgrade>()?;
        Some(Self { client, protocols })
    }

    /// Passes the wish on.
    pub(super) fn say(&self, headers: &mut HeaderMap) {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, self.protocols.clone());
    }

    /// The protocol to which the upstream switches, if the client asked for it.
    pub(super) fn granted(&self, reply: &HeaderMap) -> Option<HeaderValue> {
        let mut granted = reply.get_all(UPGRADE).iter();
        let (Some(granted), None) = (granted.next(), granted.next()) else { return None };
        let is_asked_for =
            |wanted: &[u8]| words(self.protocols.as_bytes()).any(|asked| asked.eq_ignore_ascii_case(wanted));
        words(granted.as_bytes()).all(is_asked_for).then(|| granted.clone())
    }
}

/// States the protocol to which the connection was switched.
pub(super) fn say_granted(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, protocol);
}
