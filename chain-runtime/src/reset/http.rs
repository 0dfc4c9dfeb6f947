//! [`Reset`] for the types of the crates `http` and `bytes`.

use bytes::{Bytes, BytesMut};
use http::header::HeaderName;
use http::{Extensions, HeaderMap, Method, Request, Response, StatusCode, Uri, Version};

use super::{Reset, assigned};

assigned! {
    StatusCode::OK => StatusCode;
    Method::GET => Method;
    Uri::default() => Uri;
    Version::HTTP_11 => Version;
    Bytes::new() => Bytes;
}

/// Empties it. A part that was split off and is still held takes its memory with it until it is dropped.
impl Reset for BytesMut {
    #[inline]
    fn reset(&mut self) {
        self.clear();
    }

    #[inline]
    fn trim(&mut self, limit: usize) {
        let room = limit.max(self.len());
        if self.capacity() > room {
            let mut smaller = BytesMut::with_capacity(room);
            smaller.extend_from_slice(self);
            *self = smaller;
        }
    }
}

/// Empties it; the room for fields and the index over them are kept.
///
/// An empty map that has room for more than `limit` bytes is trimmed by replacing it, since a `HeaderMap` cannot
/// shrink. A map with entries is left alone.
impl<T> Reset for HeaderMap<T> {
    #[inline]
    fn reset(&mut self) {
        self.clear();
    }

    #[inline]
    fn trim(&mut self, limit: usize) {
        if self.is_empty() && self.capacity() > super::elements::<(HeaderName, T)>(limit) {
            *self = HeaderMap::default();
        }
    }
}

impl Reset for Extensions {
    #[inline]
    fn reset(&mut self) {
        self.clear();
    }
}

/// Resets the head and the body: `GET / HTTP/1.1` without fields.
impl<B: Reset> Reset for Request<B> {
    fn reset(&mut self) {
        self.method_mut().reset();
        self.uri_mut().reset();
        self.version_mut().reset();
        self.headers_mut().reset();
        self.extensions_mut().reset();
        self.body_mut().reset();
    }

    fn trim(&mut self, limit: usize) {
        self.headers_mut().trim(limit);
        self.body_mut().trim(limit);
    }

    fn renew(&mut self) {
        self.body_mut().renew();
    }
}

/// Resets the head and the body: `200 OK` without fields.
impl<B: Reset> Reset for Response<B> {
    fn reset(&mut self) {
        self.status_mut().reset();
        self.version_mut().reset();
        self.headers_mut().reset();
        self.extensions_mut().reset();
        self.body_mut().reset();
    }

    fn trim(&mut self, limit: usize) {
        self.headers_mut().trim(limit);
        self.body_mut().trim(limit);
    }

    fn renew(&mut self) {
        self.body_mut().renew();
    }
}
