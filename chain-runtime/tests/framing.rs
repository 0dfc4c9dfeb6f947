//! How a reply is sent, whatever its fields say.
#![cfg(feature = "http-body")]

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use chain_runtime::framing::{Asked, Unclear, length, sent};
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, Method, Response, StatusCode, Version};
use http_body::{Body, Frame, SizeHint};
use proptest::prelude::*;

/// A body of these parts, which says how long it is or does not.
struct Parts {
    parts: Vec<&'static str>,
    says: SizeHint,
}

impl Body for Parts {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.parts.is_empty() {
            return Poll::Ready(None);
        }
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(self.parts.remove(0).as_bytes())))))
    }

    fn size_hint(&self) -> SizeHint {
        self.says
    }
}

fn streamed(parts: &[&'static str]) -> Parts {
    Parts { parts: parts.to_vec(), says: SizeHint::new() }
}

fn known(parts: &[&'static str]) -> Parts {
    let bytes = parts.iter().map(|part| part.len() as u64).sum();
    Parts { parts: parts.to_vec(), says: SizeHint::with_exact(bytes) }
}

fn reply(status: u16, lengths: &[&str], body: Parts) -> Response<Parts> {
    let mut reply = Response::builder().status(status);
    for length in lengths {
        reply = reply.header(CONTENT_LENGTH, *length);
    }
    reply.body(body).unwrap()
}

/// The `Content-Length` fields of what is sent, what the body says of itself, and its bytes.
fn read<B: Body<Data = Bytes, Error = Infallible> + Unpin>(reply: Response<B>) -> (Vec<String>, Option<u64>, String) {
    let (head, mut body) = reply.into_parts();
    let lengths = head.headers.get_all(CONTENT_LENGTH).iter().map(|field| field.to_str().unwrap().to_owned()).collect();
    let says = if body.is_end_stream() { Some(0) } else { body.size_hint().exact() };
    let mut text = String::new();
    let mut context = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(frame)) = Pin::new(&mut body).poll_frame(&mut context) {
        text.push_str(std::str::from_utf8(&frame.unwrap().into_data().unwrap()).unwrap());
    }
    (lengths, says, text)
}

fn told(lengths: &[&str], says: Option<u64>, text: &str) -> (Vec<String>, Option<u64>, String) {
    (lengths.iter().map(|&length| length.to_owned()).collect(), says, text.to_owned())
}

#[test]
fn a_body_that_knows_its_length_is_believed_and_no_field_is() {
    for (lengths, kept) in
        [(&[] as &[_], &[] as &[_]), (&["5"], &["5"]), (&["7"], &[]), (&["x"], &[]), (&["5", "5"], &[])]
    {
        let sent = sent(&Method::GET, Version::HTTP_11, reply(200, lengths, known(&["he", "llo"])));
        assert_eq!(read(sent), told(kept, Some(5), "hello"), "{lengths:?}");
    }
}

#[test]
fn a_body_that_does_not_know_its_length_is_held_to_the_one_that_a_node_set() {
    let ask = |lengths: &[&str], parts: &[&'static str]| {
        read(sent(&Method::GET, Version::HTTP_2, reply(200, lengths, streamed(parts))))
    };
    assert_eq!(ask(&[], &["he", "llo"]), told(&[], None, "hello"));
    assert_eq!(ask(&["5"], &["he", "llo"]), told(&["5"], Some(5), "hello"));
    assert_eq!(ask(&["5"], &["hello", " and more"]), told(&["5"], Some(5), "hello"), "what is past it is not sent");
    assert_eq!(ask(&["4"], &["he", "llo"]), told(&["4"], Some(4), "he"), "what does not fit is not cut to fit");
    for unclear in [&["5", "6"] as &[_], &["5", "5"], &["5, 5"], &["+5"], &["99999999999999999999"], &[""]] {
        assert_eq!(ask(unclear, &["hello"]), told(&[], None, "hello"), "{unclear:?}");
    }
}

#[test]
fn a_body_that_gives_more_than_it_said_ends_where_it_said() {
    let body = Parts { parts: vec!["hello", "smuggled"], says: SizeHint::with_exact(5) };
    let sent = sent(&Method::GET, Version::HTTP_2, reply(200, &[], body));
    assert_eq!(read(sent), told(&[], Some(5), "hello"));
}

#[test]
fn head_has_no_content_and_the_length_that_get_would_have() {
    let ask = |lengths: &[&str], body| read(sent(&Method::HEAD, Version::HTTP_2, reply(200, lengths, body)));
    assert_eq!(ask(&[], known(&["hello"])), told(&["5"], Some(0), ""));
    assert_eq!(ask(&["7"], known(&["hello"])), told(&["5"], Some(0), ""), "the body knows better");
    assert_eq!(ask(&["7"], streamed(&["hello"])), told(&["7"], Some(0), ""));
    assert_eq!(ask(&["7"], known(&[])), told(&["7"], Some(0), ""), "a node that answered `HEAD` itself has no body");
    assert_eq!(ask(&["7", "8"], known(&[])), told(&[], Some(0), ""));
}

#[test]
fn replies_without_content_have_none() {
    for (status, kept) in [(204, &[] as &[_]), (205, &[]), (304, &["7"]), (101, &[])] {
        for method in [Method::GET, Method::HEAD, Method::POST] {
            let sent = sent(&method, Version::HTTP_2, reply(status, &["7"], known(&["content"])));
            assert_eq!(read(sent), told(kept, Some(0), ""), "{method} {status}");
        }
    }
    let tunnel = sent(&Method::CONNECT, Version::HTTP_11, reply(200, &["7"], known(&["content"])));
    assert_eq!(read(tunnel), told(&[], Some(0), ""));
    let refused = sent(&Method::CONNECT, Version::HTTP_11, reply(407, &["7"], known(&["content"])));
    assert_eq!(read(refused), told(&["7"], Some(7), "content"));
}

#[test]
fn the_version_is_that_of_the_request_and_the_coding_is_the_servers() {
    let mut upstream = reply(200, &["5"], known(&["hello"]));
    *upstream.version_mut() = Version::HTTP_10;
    upstream.headers_mut().insert(TRANSFER_ENCODING, "gzip, chunked".parse().unwrap());
    let sent = sent(&Method::GET, Version::HTTP_11, upstream);
    assert_eq!(sent.version(), Version::HTTP_11);
    assert!(!sent.headers().contains_key(TRANSFER_ENCODING));
}

proptest! {
    /// Whatever fields, body and request there are: nothing contradicts what is sent.
    #[test]
    fn no_field_contradicts_what_is_sent(
        lengths in prop::collection::vec(prop_oneof!["[0-9]{1,3}", "[0-9, +x]{0,4}"], 0..3),
        is_chunked in any::<bool>(),
        is_known in any::<bool>(),
        count in 0_usize..4,
        status in prop_oneof![Just(200_u16), Just(204), Just(205), Just(206), Just(304), Just(404), 200_u16..600],
        method in prop_oneof![Just(Method::GET), Just(Method::HEAD), Just(Method::POST), Just(Method::CONNECT)],
    ) {
        let parts = vec!["abc"; count];
        let lengths: Vec<&str> = lengths.iter().map(|length| length.trim()).collect();
        let mut reply = reply(status, &lengths, if is_known { known(&parts) } else { streamed(&parts) });
        if is_chunked {
            reply.headers_mut().insert(TRANSFER_ENCODING, "chunked".parse().unwrap());
        }
        let asked = Asked::new(&method, Version::HTTP_2);
        let has_content = asked.has_content(StatusCode::from_u16(status).unwrap());
        let sent = asked.sent(reply);
        prop_assert!(!sent.headers().contains_key(TRANSFER_ENCODING));
        let (fields, says, text) = read(sent);
        prop_assert!(fields.len() <= 1);
        if has_content {
            if let Some(field) = fields.first() {
                prop_assert_eq!(Some(field.parse().unwrap()), says, "the field is what the body says");
            }
            prop_assert!(says.is_none_or(|says| text.len() as u64 <= says), "never more than it says");
            prop_assert!(!is_known || text.len() == 3 * count);
        } else {
            prop_assert_eq!((says, text.as_str()), (Some(0), ""));
        }
    }
}

#[test]
fn a_length_is_one_field_of_digits() {
    let read = |fields: &[&str]| {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(CONTENT_LENGTH, field.parse().unwrap());
        }
        length(&headers)
    };
    assert_eq!(read(&[]), Ok(None));
    assert_eq!(read(&["0"]), Ok(Some(0)));
    assert_eq!(read(&["18446744073709551615"]), Ok(Some(u64::MAX)));
    for unclear in [&["18446744073709551616"] as &[_], &["5", "5"], &["5,5"], &["-1"], &["0x5"], &[""], &["5 5"]] {
        assert_eq!(read(unclear), Err(Unclear), "{unclear:?}");
    }
}
