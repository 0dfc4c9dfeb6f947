//! A switch of protocols that a client asks for (RFC 9110, 7.8).

use ::hyper::upgrade::OnUpgrade;
use http::header::{CONNECTION, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Version};

use super::words::{has_word, words};

/// What is asked for, and the client's side of it.
pub(super) struct Wish {
    pub(super) client: OnUpgrade,
    protocols: HeaderValue,
}

impl Wish {
    /// The request's, where it has one and no body.
    pub(super) fn of(request: &mut Parts, has_body: bool) -> Option<Self> {
        if request.version != Version::HTTP_11 || has_body || !has_word(&request.headers, &CONNECTION, b"upgrade") {
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

    /// Passes it on.
    pub(super) fn say(&self, headers: &mut HeaderMap) {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, self.protocols.clone());
    }

    /// The protocol that the upstream switches to, if it was asked for.
    pub(super) fn granted(&self, reply: &HeaderMap) -> Option<HeaderValue> {
        let mut granted = reply.get_all(UPGRADE).iter();
        let (Some(granted), None) = (granted.next(), granted.next()) else { return None };
        let is_asked_for =
            |wanted: &[u8]| words(self.protocols.as_bytes()).any(|asked| asked.eq_ignore_ascii_case(wanted));
        words(granted.as_bytes()).all(is_asked_for).then(|| granted.clone())
    }
}

/// Says what was switched to.
pub(super) fn say_granted(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, protocol);
}
