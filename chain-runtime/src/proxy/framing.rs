//! The framing of messages: read strictly from an upstream's reply, and derived anew for each message that is sent.
//!
//! hyper frames a message by the fields that are there, and by the body only if there are none. So no field about
//! framing is passed on: a message has the length or the coding of the body that is sent (RFC 9112, 6.3; RFC 9113,
//! 8.1.1).

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::request::Parts as RequestParts;
use http::response::Parts;
use http::{HeaderValue, Method, StatusCode, Version};
use http_body::Body;

use super::error::{BadReply, BadRequest};
use super::present::Present;

/// Refuses a coding that the server removes and that would be lost on the way, and framing that could be read in two
/// ways.
pub(super) fn check_request(request: &RequestParts, present: Present) -> Result<(), BadRequest> {
    if !present.has(Present::CONTENT_LENGTH | Present::TRANSFER_ENCODING) {
        return Ok(());
    }
    let has_length = request.headers.get(CONTENT_LENGTH).is_some_and(|length| length != "0");
    if request.method == Method::TRACE && (has_length || request.headers.contains_key(TRANSFER_ENCODING)) {
        return Err(BadRequest::Trace);
    }
    let codings = request.headers.get_all(TRANSFER_ENCODING).iter();
    match is_chunked(codings) {
        None => Ok(()),
        Some(true) if request.headers.contains_key(CONTENT_LENGTH) => Err(BadRequest::TwoLengths),
        Some(true) => Ok(()),
        Some(false) => Err(BadRequest::Coding),
    }
}

/// `None` if there is no coding; otherwise whether it is `chunked`, once, and nothing else.
fn is_chunked<'a>(mut codings: impl Iterator<Item = &'a HeaderValue>) -> Option<bool> {
    let first = codings.next()?;
    Some(codings.next().is_none() && first.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked"))
}

/// The request's framing, for this body.
pub(super) fn frame_request(request: &mut RequestParts, present: Present, body: &impl Body) {
    let headers = &mut request.headers;
    if present.has(Present::CONTENT_LENGTH | Present::TRANSFER_ENCODING) {
        headers.remove(CONTENT_LENGTH);
        headers.remove(TRANSFER_ENCODING);
    }
    let expects_content = [Method::POST, Method::PUT, Method::PATCH].contains(&request.method);
    if body.is_end_stream() {
        // If a method expects content, its absence is stated (RFC 9110, 8.6).
        if expects_content {
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
    } else if body.size_hint().exact().is_none() && !expects_content {
        // hyper takes a GET without a length for one without a body. Over HTTP/2 it leaves the field out.
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
}

/// Checks the framing of an upstream's reply, and takes it out of the head. A length that describes content which is
/// not sent stays.
///
/// # Errors
///
/// [`BadReply::Framing`] if another reader might see another end (RFC 9112, 6.3; RFC 9110, 8.6). The connection must
/// not be used again.
pub(super) fn check_reply(reply: &mut Parts, present: Present, method: &Method) -> Result<(), BadReply> {
    if !present.has(Present::CONTENT_LENGTH | Present::TRANSFER_ENCODING) {
        return Ok(());
    }
    let headers = &mut reply.headers;
    let has_length = present.has(Present::CONTENT_LENGTH);
    let describes = (*method == Method::HEAD || reply.status == StatusCode::NOT_MODIFIED)
        && !matches!(reply.status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT)
        && !reply.status.is_informational();
    if has_length && !describes && headers.len() == headers.keys_len() {
        // No field has a second line, so what is taken out is all of it: one search instead of two.
        check_length(headers.remove(CONTENT_LENGTH).iter())?;
    } else if has_length {
        check_length(headers.get_all(CONTENT_LENGTH).iter())?;
        if !describes {
            headers.remove(CONTENT_LENGTH);
        }
    }
    if present.has(Present::TRANSFER_ENCODING) {
        let is_chunked = is_chunked(headers.get_all(TRANSFER_ENCODING).iter()) == Some(true);
        if !is_chunked || has_length || reply.version != Version::HTTP_11 || reply.status == StatusCode::NO_CONTENT {
            return Err(BadReply::Framing);
        }
        headers.remove(TRANSFER_ENCODING);
    }
    Ok(())
}

/// Whether there is one length, and a number.
fn check_length<'a>(mut lengths: impl Iterator<Item = &'a HeaderValue>) -> Result<(), BadReply> {
    let (first, second) = (lengths.next(), lengths.next());
    let is_number = |length: &HeaderValue| {
        !length.is_empty() && length.len() < 20 && length.as_bytes().iter().all(u8::is_ascii_digit)
    };
    if second.is_none() && first.is_some_and(is_number) { Ok(()) } else { Err(BadReply::Framing) }
}
