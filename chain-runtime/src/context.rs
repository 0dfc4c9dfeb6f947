//! [`Context`]: the ready-made memory of one request; and [`Respond`]: how a break is written into it.

use core::convert::Infallible;
use core::mem;
use std::string::String;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Uri, Version, request, response};

use crate::Reset;

/// The input of a chain in the short form (`chain!(a => b => c)`): a request's head, the response to it, and room to
/// work in.
///
/// Its parts are public fields, so that nodes can borrow them apart from each other. It knows no server.
/// [`load`](Context::load) moves a request's head in, and [`take_response`](Context::take_response) moves the response
/// out. Between two requests, [`Reset`] makes the context as good as new, in a [`Pool`](crate::Pool) or on a
/// connection.
///
/// Once the context is warm, this round allocates nothing. [`load`](Context::load) says how the headers manage that.
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
    /// The request.
    pub request: Request,
    /// The response, as far as it is written.
    pub response: Response,
    /// Buffers for values that last no longer than the request.
    pub scratch: Scratch,
}

/// The head of a request. The body stays in the server's own type: it is streamed, not kept.
///
/// A fresh one is `GET / HTTP/1.1` without fields.
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
    /// What a server or a library has attached to the request.
    pub extensions: Extensions,
}

/// The response that nodes write: its head and its body.
///
/// A fresh one is `200 OK` over HTTP/1.1, with no fields and an empty body.
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
    /// The body, as far as it is written. `std::fmt::Write` and `bytes::BufMut` append to it.
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
    /// A fresh context. It allocates nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves a request's head in, and replaces the one that is there. The response and the scratch buffers are left
    /// alone.
    ///
    /// The header map comes from the server and leaves with the head, while [`take_response`](Context::take_response)
    /// gives another map away. So the map of the last request is emptied, and becomes the response's if that has no
    /// room of its own: one map comes in, one goes out, none is allocated.
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
    /// The body is split off the buffer, not copied. Once the body is dropped, the buffer can have its memory back.
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
    /// Replaces the body that is written so far by `body`, and removes the fields that described the old one
    /// (`Content-Length`, `Content-Encoding`).
    pub fn replace_body(&mut self, body: &[u8]) {
        self.headers.remove(CONTENT_LENGTH);
        self.headers.remove(CONTENT_ENCODING);
        self.body.clear();
        self.body.extend_from_slice(body);
    }

    /// Sets the status, and replaces the body by `text`, as `text/plain; charset=utf-8`.
    pub fn set_text(&mut self, status: StatusCode, text: &str) {
        self.status = status;
        self.replace_body(text.as_bytes());
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    }
}

/// How the value with which a node breaks is written into the response of its [`Context`].
///
/// Implement it for your own errors; the types below have it already, and are building blocks for it.
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
    message = "chain[E201]: `{Self}` cannot be written into the context's response",
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

/// The same as [`Response::set_text`].
impl Respond for (StatusCode, &'static str) {
    fn respond(self, response: &mut Response) {
        response.set_text(self.0, self.1);
    }
}

/// The same as [`Response::set_text`].
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
