//! `Context`: heads move in and out, nothing of one request is left for the next, and a warm round allocates nothing.
#![cfg(all(feature = "http", feature = "pool"))]

mod support;

use std::convert::Infallible;
use std::fmt::Write;

use chain_runtime::{Context, Pool, Request, Reset, Respond, Response};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, SET_COOKIE, USER_AGENT};
use http::{HeaderValue, Method, StatusCode, Version};
use support::ALLOCATIONS;

fn parts() -> http::request::Parts {
    let request =
        http::Request::put("http://upstream/a?b").version(Version::HTTP_2).header("x-user", "somebody").extension(7_u8);
    request.body(()).unwrap().into_parts().0
}

/// One request: a head comes in, nodes write, the response goes out. Gives back the header map that went out.
fn round(context: &mut Context, mut head: http::request::Parts) -> http::HeaderMap {
    head.headers.insert(USER_AGENT, HeaderValue::from_static("somebody"));
    context.load(head);
    context.scratch.text.push_str("a line for the log");
    context.scratch.bytes.extend_from_slice(&[7; 300]);
    context.response.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    write!(context.response.body, "hello, {:?}", context.request.headers[USER_AGENT]).unwrap();
    let (parts, body) = context.take_response().into_parts();
    assert_eq!(body, "hello, \"somebody\"");
    parts.headers
}

#[test]
fn a_warm_round_allocates_nothing() {
    let pool = Pool::new(Context::new);
    // A server makes a head for each request. Here it is made from what went out, so that only ours is counted.
    let mut spare = http::HeaderMap::with_capacity(8);
    let mut go = |turns: usize| {
        for _ in 0..turns {
            let mut head = http::Request::new(()).into_parts().0;
            spare.clear();
            std::mem::swap(&mut head.headers, &mut spare);
            spare = round(&mut pool.get(), head);
        }
    };
    go(100);
    let before = ALLOCATIONS.get();
    go(10_000);
    assert_eq!(ALLOCATIONS.get() - before, 0);
}

#[test]
fn after_reset_nothing_is_left_of_the_request() {
    let mut context = Context::from(parts());
    context.response.status = StatusCode::IM_A_TEAPOT;
    context.response.version = Version::HTTP_09;
    context.response.headers.insert(SET_COOKIE, HeaderValue::from_static("a"));
    context.response.extensions.insert(1_u8);
    context.response.body.extend_from_slice(b"body");
    context.scratch.bytes.extend_from_slice(b"bytes");
    context.scratch.text.push_str("text");
    context.reset();
    assert_eq!(format!("{context:?}"), format!("{:?}", Context::new()));
}

#[test]
fn a_head_goes_in_and_out_whole() {
    let mut context = Context::new();
    context.load(parts());
    let Request { method, uri, version, headers, extensions } = &context.request;
    assert_eq!((method, uri.path(), *version), (&Method::PUT, "/a", Version::HTTP_2));
    assert_eq!((headers["x-user"].as_bytes(), extensions.get()), (&b"somebody"[..], Some(&7_u8)));
    assert_eq!(format!("{:?}", context.take_request()), format!("{:?}", parts()));
    assert_eq!(format!("{context:?}"), format!("{:?}", Context::new()));
}

#[test]
fn a_response_goes_out_whole_and_leaves_a_fresh_one() {
    let mut context = Context::new();
    (StatusCode::CREATED, "made").respond(&mut context.response);
    context.response.extensions.insert(3_u8);
    let response = context.take_response();
    assert_eq!((response.status(), &response.body()[..]), (StatusCode::CREATED, &b"made"[..]));
    assert_eq!(response.headers()[CONTENT_TYPE], "text/plain; charset=utf-8");
    assert_eq!(response.extensions().get(), Some(&3_u8));
    assert_eq!(format!("{context:?}"), format!("{:?}", Context::new()));

    let (parts, _) = response.into_parts();
    let response = http::Response::from(Response::from(parts));
    assert_eq!((response.status(), response.body().len()), (StatusCode::CREATED, 0));
}

#[test]
fn loading_keeps_the_headers_that_nodes_wrote() {
    let mut context = Context::from(parts());
    context.response.headers.insert(SET_COOKIE, HeaderValue::from_static("a"));
    context.load(parts());
    assert_eq!(context.response.headers[SET_COOKIE], "a");
}

#[test]
fn a_request_header_never_turns_up_in_a_response() {
    let mut context = Context::from(parts());
    context.load(parts());
    assert!(context.response.headers.is_empty() && context.response.headers.capacity() > 0);
}

#[test]
fn what_breaks_is_written_over_what_was_there() {
    let written = || {
        let mut response = Response::default();
        response.headers.insert("x-request-id", HeaderValue::from_static("1"));
        response.headers.insert(CONTENT_LENGTH, HeaderValue::from_static("9"));
        response.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        response.headers.insert(SET_COOKIE, HeaderValue::from_static("old"));
        response.body.extend_from_slice(b"nine byte");
        response
    };

    let mut response = written();
    ().respond(&mut response);
    assert_eq!(format!("{response:?}"), format!("{:?}", written()));

    let mut response = written();
    StatusCode::NO_CONTENT.respond(&mut response);
    assert_eq!((response.status, response.body.len()), (StatusCode::NO_CONTENT, 9));

    for respond in [(|r| (StatusCode::FORBIDDEN, "no").respond(r)) as fn(&mut Response), |r| {
        (StatusCode::FORBIDDEN, String::from("no")).respond(r)
    }] {
        let mut response = written();
        respond(&mut response);
        assert_eq!((response.status, &response.body[..]), (StatusCode::FORBIDDEN, &b"no"[..]));
        assert_eq!(response.headers[CONTENT_TYPE], "text/plain; charset=utf-8");
        assert_eq!(response.headers["x-request-id"], "1");
        assert!(!response.headers.contains_key(CONTENT_LENGTH));
        assert!(!response.headers.contains_key(CONTENT_ENCODING));
    }

    let mut response = written();
    let reply = http::Response::builder()
        .status(503)
        .header(SET_COOKIE, "new")
        .header(SET_COOKIE, "newer")
        .body("later")
        .unwrap();
    reply.respond(&mut response);
    assert_eq!((response.status.as_u16(), &response.body[..]), (503, &b"later"[..]));
    let cookies: Vec<_> = response.headers.get_all(SET_COOKIE).iter().collect();
    assert_eq!(cookies, ["new", "newer"]);
    assert_eq!(response.headers["x-request-id"], "1");

    let never: Option<Infallible> = None;
    if let Some(never) = never {
        never.respond(&mut response);
    }
}

#[test]
fn large_buffers_are_trimmed_in_a_pool() {
    let pool = Pool::<Context>::builder().high_water(1024).build(Context::new);
    let mut context = pool.get();
    context.scratch.text.reserve(10_000);
    context.response.body.reserve(10_000);
    context.request.headers.reserve(1000);
    drop(context);
    let context = pool.get();
    assert_eq!((context.scratch.text.capacity(), context.response.body.capacity()), (1024, 1024));
    assert_eq!(context.request.headers.capacity(), 0);
}
