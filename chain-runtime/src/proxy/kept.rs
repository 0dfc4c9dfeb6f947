//! [`Kept`]: the parts of a request that are kept, so that it can be sent once more.

use std::sync::Arc;
use std::vec::Vec;

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};

use super::alarm::Alarm;
use super::connections::Asking;
use super::text::Text;
use super::upload::Passage;
use crate::Reset;

/// Values that are made anew for each request, in the same memory.
pub(super) struct Scratch<B> {
    pub(super) text: Text,
    pub(super) kept: Kept,
    pub(super) asking: Asking,
    pub(super) alarm: Alarm,
    pub(super) passage: Option<Arc<Passage<B>>>,
}

impl<B> Default for Scratch<B> {
    fn default() -> Self {
        Self {
            text: Text::default(),
            kept: Kept::default(),
            asking: Asking::default(),
            alarm: Alarm::default(),
            passage: None,
        }
    }
}

impl<B: Send> Reset for Scratch<B> {
    fn reset(&mut self) {
        self.kept.clear();
        self.alarm.forget();
        if let Some(passage) = self.passage.as_mut().and_then(Arc::get_mut) {
            passage.clear();
        }
    }

    fn trim(&mut self, limit: usize) {
        if self.kept.names.capacity() + self.kept.fields.capacity() * size_of::<(usize, HeaderValue)>() > limit {
            self.kept = Kept::default();
        }
    }
}

/// The fields of a request that may have to be sent again. The values share their memory with those that are sent. A
/// name that is not one of HTTP's own is copied, since sharing it would allocate.
#[derive(Default)]
pub(super) struct Kept {
    names: Vec<u8>,
    /// The lengths of the name and the value.
    fields: Vec<(usize, HeaderValue)>,
}

impl Kept {
    pub(super) fn keep(&mut self, headers: &HeaderMap, is_wanted: bool) {
        self.clear();
        if is_wanted {
            for (name, value) in headers {
                self.names.extend_from_slice(name.as_str().as_bytes());
                self.fields.push((name.as_str().len(), value.clone()));
            }
        }
    }

    /// The head, once more, with the client's target.
    pub(super) fn again(&self, method: &Method, uri: &Uri) -> Parts {
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.method = method.clone();
        parts.uri = uri.clone();
        parts.headers.reserve(self.fields.len());
        let mut names = &self.names[..];
        for (length, value) in &self.fields {
            let (name, rest) = names.split_at(*length);
            names = rest;
            if let Ok(name) = HeaderName::from_bytes(name) {
                parts.headers.append(name, value.clone());
            }
        }
        parts
    }

    fn clear(&mut self) {
        self.names.clear();
        self.fields.clear();
    }
}
