//! The header fields that go no further than one connection.

use http::header::{CONNECTION, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName};

/// The fields that are meant for one connection only, whether or not `Connection` names them (RFC 9110, 7.6.1), and the
/// two that are meant for a proxy (11.7).
const HOP_BY_HOP: [HeaderName; 7] = [
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("keep-alive"),
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
];

/// Removes what is meant for this connection only: the above, and what `Connection` names.
pub(crate) fn remove(headers: &mut HeaderMap) {
    // A clone shares its memory; without it, the map could not be changed while the names are read.
    let mut line = 0;
    while let Some(names) = headers.get_all(CONNECTION).iter().nth(line).cloned() {
        for name in names.as_bytes().split(|&byte| byte == b',') {
            let name = name.trim_ascii();
            if let (false, Ok(name)) = (name.eq_ignore_ascii_case(b"connection"), std::str::from_utf8(name)) {
                headers.remove(name);
            }
        }
        line += 1;
    }
    headers.remove(CONNECTION);
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
}
