//! [`Context`]: the memory of one request, ready made, and [`Respond`]: how what breaks is written into it.

use core::convert::Infallible;
use core::mem;
use std::string::String;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Uri, Version, request, response};

use crate::Reset;

/// What a chain of the short form (`chain!(a => b => c)`) runs over: a request's head, the response to it, and
/// room to work in.
///
/// Its parts are plain public fields, so that nodes can borrow them apart from each other. It knows no server: the
/// request's head is moved in with [`load`](Context::load), the response is moved out with
/// [`take_response`](Context::take_response), and [`Reset`] makes the context as good as new between two requests,
/// in a [`Pool`](crate::Pool) or once for each request of a connection.
///
/// Once warm, this round allocates nothing; see [`load`](Context::load) for how the headers manage.
///
/// ```
/// use chain_runtime::{Context, Reset};
///
/// let (parts, _body) = http::Request::get("/about").body(()).unwrap().into_parts();
/// let mut context = Context::new();
/// context.load(parts);
///
/// context.response.body.extend_from_slice(context.request.uri.path().as_bytes());
///
/// let response = context.take_response();
/// assert_eq!(response.body(), "/about");
/// context.reset();
/// ```
#[derive(Debug, Default, Reset)]
pub struct Context {
    /// What is asked.
    pub request: Request,
    /// What is answered so far.
    pub response: Response,
    /// Buffers for what lasts no longer than the request.
    pub scratch: Scratch,
}

/// The head of a request. A body is left to the server's own type: it is streamed, not kept.
///
/// Fresh, it is `GET / HTTP/1.1` without fields.
#[derive(Clone, Debug, Default, Reset)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The target.
    pub uri: Uri,
    /// The protocol version.
    pub version: Version,
    /// The header fields.
    pub headers: HeaderMap,
    /// What a server or a library attached to the request.
    pub extensions: Extensions,
}

/// The response that nodes write: its head and its body.
///
/// Fresh, it is `200 OK` over HTTP/1.1, with no fields and an empty body.
#[derive(Clone, Debug, Default, Reset)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The protocol version.
    pub version: Version,
    /// The header fields.
    pub headers: HeaderMap,
    /// What is attached for a server or a library.
    pub extensions: Extensions,
    /// The body, as far as it is written. `std::fmt::Write` and `bytes::BufMut` write to it.
    pub body: BytesMut,
}

/// Reusable buffers.
#[derive(Clone, Debug, Default, Reset)]
pub struct Scratch {
    /// For bytes.
    pub bytes: BytesMut,
    /// For text.
    pub text: String,
}

impl Context {
    /// A fresh context. Allocates nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves a request's head in, in place of the one that is there. The response and the scratch buffers are left alone.
    ///
    /// The header map comes from the server and goes where the head goes, while
    /// [`take_response`](Context::take_response) gives a map away. So the map of the request before, emptied,
    /// becomes the response's if that has no room of its own: one map in, one map out, none allocated.
    pub fn load(&mut self, parts: request::Parts) {
        let request = mem::replace(&mut self.request, parts.into());
        if self.response.headers.capacity() == 0 {
            self.response.headers = request.headers;
            self.response.headers.clear();
        }
    }

    /// Moves the request's head out, and leaves a fresh one.
    pub fn take_request(&mut self) -> request::Parts {
        mem::take(&mut self.request).into()
    }

    /// Moves the response out, and leaves a fresh one.
    ///
    /// The body is split off the buffer, not copied; once it is dropped, the buffer can have its memory back.
    pub fn take_response(&mut self) -> http::Response<Bytes> {
        let body = self.response.body.split().freeze();
        let buffer = mem::take(&mut self.response.body);
        let Response { status, version, headers, extensions, body: _ } = mem::take(&mut self.response);
        self.response.body = buffer;
        assemble(status, version, headers, extensions, body)
    }
}

impl From<request::Parts> for Context {
    fn from(parts: request::Parts) -> Self {
        Context { request: parts.into(), ..Context::default() }
    }
}

impl From<request::Parts> for Request {
    fn from(parts: request::Parts) -> Self {
        let request::Parts { method, uri, version, headers, extensions, .. } = parts;
        Request { method, uri, version, headers, extensions }
    }
}

impl From<Request> for request::Parts {
    fn from(request: Request) -> Self {
        let Request { method, uri, version, headers, extensions } = request;
        let (mut parts, ()) = http::Request::new(()).into_parts();
        parts.method = method;
        parts.uri = uri;
        parts.version = version;
        parts.headers = headers;
        parts.extensions = extensions;
        parts
    }
}

/// The head of the response; its body is empty.
impl From<response::Parts> for Response {
    fn from(parts: response::Parts) -> Self {
        let response::Parts { status, version, headers, extensions, .. } = parts;
        Response { status, version, headers, extensions, body: BytesMut::new() }
    }
}

impl From<Response> for http::Response<Bytes> {
    fn from(response: Response) -> Self {
        let Response { status, version, headers, extensions, body } = response;
        assemble(status, version, headers, extensions, body.freeze())
    }
}

fn assemble(
    status: StatusCode,
    version: Version,
    headers: HeaderMap,
    extensions: Extensions,
    body: Bytes,
) -> http::Response<Bytes> {
    let mut response = http::Response::new(body);
    *response.status_mut() = status;
    *response.version_mut() = version;
    *response.headers_mut() = headers;
    *response.extensions_mut() = extensions;
    response
}

impl Response {
    /// Puts `body` in place of what is written so far, and removes the fields that described the old one
    /// (`Content-Length`, `Content-Encoding`).
    pub fn replace_body(&mut self, body: &[u8]) {
        self.headers.remove(CONTENT_LENGTH);
        self.headers.remove(CONTENT_ENCODING);
        self.body.clear();
        self.body.extend_from_slice(body);
    }

    /// Sets the status, and puts `text` in place of the body, as `text/plain; charset=utf-8`.
    pub fn set_text(&mut self, status: StatusCode, text: &str) {
        self.status = status;
        self.replace_body(text.as_bytes());
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    }
}

/// How what a node breaks with is written into the response of its [`Context`].
///
/// Implement it for your own errors; those of this crate are made from.
///
/// ```
/// use chain_runtime::{Respond, Response};
/// use http::StatusCode;
///
/// struct TooManyRequests { retry_after: u64 }
///
/// impl Respond for TooManyRequests {
///     fn respond(self, response: &mut Response) {
///         (StatusCode::TOO_MANY_REQUESTS, "slow down").respond(response);
///         response.headers.insert("retry-after", self.retry_after.into());
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be written into the context's response",
    label = "a node breaks with this, and `Respond` is not implemented for it",
    note = "implement `Respond` for it, or break with a `StatusCode`, a `(StatusCode, &'static str)`, a `(StatusCode, String)` or an `http::Response<_>`"
)]
pub trait Respond {
    /// Writes `self` into `response`, over what earlier nodes wrote there.
    fn respond(self, response: &mut Response);
}

/// The response stays as it is.
impl Respond for () {
    #[inline]
    fn respond(self, _: &mut Response) {}
}

/// Cannot happen.
impl Respond for Infallible {
    #[inline]
    fn respond(self, _: &mut Response) {
        match self {}
    }
}

/// Sets the status; fields and body stay as they are.
impl Respond for StatusCode {
    #[inline]
    fn respond(self, response: &mut Response) {
        response.status = self;
    }
}

/// As [`Response::set_text`].
impl Respond for (StatusCode, &'static str) {
    fn respond(self, response: &mut Response) {
        response.set_text(self.0, self.1);
    }
}

/// As [`Response::set_text`].
impl Respond for (StatusCode, String) {
    fn respond(self, response: &mut Response) {
        response.set_text(self.0, &self.1);
    }
}

/// Sets status, version and body. Its fields and extensions replace those of the same name or type; the others stay.
impl<B: AsRef<[u8]>> Respond for http::Response<B> {
    fn respond(self, response: &mut Response) {
        let (parts, body) = self.into_parts();
        response.status = parts.status;
        response.version = parts.version;
        response.replace_body(body.as_ref());
        response.headers.extend(parts.headers);
        response.extensions.extend(parts.extensions);
    }
}
