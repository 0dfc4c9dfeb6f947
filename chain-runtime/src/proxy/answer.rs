//! The replies that this hop gives by itself: to a `TRACE` and an `OPTIONS` that may go no further (RFC 9110, 7.6.2).

use core::fmt::Write as _;

use bytes::BytesMut;
use http::header::{ALLOW, CONTENT_TYPE, MAX_FORWARDS};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Response};

use super::body::Body;
use super::error::BadRequest;

/// The fields that a reply to `TRACE` shows of its request. A script of a page should not get to read more (RFC 9110,
/// 9.3.8). These fields identify the request, not the user.
const SHOWN: [&str; 6] = ["host", "max-forwards", "user-agent", "via", "accept", "content-type"];

/// Counts `Max-Forwards` down, and gives the reply if it has come to its end. For other methods the field is passed on
/// unchanged.
pub(super) fn answer(request: &mut Parts) -> Result<Option<Response<Body>>, BadRequest> {
    if request.method != Method::TRACE && request.method != Method::OPTIONS {
        return Ok(None);
    }
    let mut counts = request.headers.get_all(MAX_FORWARDS).iter();
    let Some(count) = counts.next() else { return Ok(None) };
    let is_number = !count.is_empty() && count.as_bytes().iter().all(u8::is_ascii_digit);
    if counts.next().is_some() || !is_number {
        return Err(BadRequest::MaxForwards);
    }
    // A number that does not fit counts down from the largest one, which is larger than any chain of proxies.
    let count = count.to_str().ok().and_then(|count| count.parse::<u32>().ok()).unwrap_or(u32::MAX);
    if let Some(left) = count.checked_sub(1) {
        request.headers.insert(MAX_FORWARDS, HeaderValue::from(left));
        return Ok(None);
    }
    Ok(Some(if request.method == Method::OPTIONS {
        let mut reply = Response::new(Body::empty());
        reply
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE"));
        reply
    } else {
        let mut reply = Response::new(Body::full(trace(request).freeze()));
        reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("message/http"));
        reply
    }))
}

fn trace(request: &Parts) -> BytesMut {
    let mut text = BytesMut::new();
    let _ = write!(text, "TRACE {} {:?}\r\n", request.uri, request.version);
    for (name, value) in &request.headers {
        if is_shown(name) {
            let _ = write!(text, "{name}: ");
            text.extend_from_slice(value.as_bytes());
            text.extend_from_slice(b"\r\n");
        }
    }
    text.extend_from_slice(b"\r\n");
    text
}

fn is_shown(name: &HeaderName) -> bool {
    SHOWN.contains(&name.as_str())
}
