//! A request's body, parsed as JSON.
//!
//! ```
//! use bytes::Bytes;
//! use chain_runtime::nodes::Whole;
//! use chain_runtime::nodes::json::{Json, ReadJson};
//! use chain_runtime::{chain, node};
//! use http::{Request, Response, request::Parts};
//!
//! #[node]
//! fn sum(numbers: &Json<Vec<u64>>) -> Response<String> {
//!     Response::new(numbers.0.iter().sum::<u64>().to_string())
//! }
//!
//! chain! {
//!     struct Sums { read: ReadJson<Vec<u64>> }
//!     fn(request: Parts, body: Whole) -> Response<String> { read => sum }
//! }
//!
//! let sums = Sums { read: ReadJson::new() };
//! let ask = |body: &'static str| {
//!     let head = Request::post("/").header("content-type", "application/json").body(()).unwrap().into_parts().0;
//!     sums.run(head, Bytes::from(body).into())
//! };
//! assert_eq!(ask("[1, 2, 3]").body(), "6");
//! assert_eq!(ask("[1, 2").status(), 400);
//! assert_eq!(ask(r#"{"numbers": 1}"#).status(), 422);
//! ```

use core::error::Error;
use core::fmt;
use core::marker::PhantomData;
use std::string::{String, ToString as _};

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, Response, StatusCode};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;

use super::Whole;
use crate::failure::{Failure, Render};
use crate::flow::IntoReply;
use crate::node;

/// The value in the request's body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Json<T>(pub T);

/// The node that reads JSON from the [`Whole`] body, and provides the [`Json`]; or breaks with [`BadJson`].
///
/// The body's type has to be `application/json`, or one that ends in `+json`, in UTF-8, and not compressed. The node
/// that reads the body has limited its size. It may be nested 128 deep.
pub struct ReadJson<T>(PhantomData<fn() -> T>);

impl<T> ReadJson<T> {
    /// Reads `T`s.
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> Default for ReadJson<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for ReadJson<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReadJson")
    }
}

#[node(crate = crate)]
impl<T: DeserializeOwned> ReadJson<T> {
    /// Reads the body.
    ///
    /// # Errors
    ///
    /// [`BadJson`] if the body is not declared as JSON, is no JSON, or is not a `T`.
    pub fn enter(&self, request: &Parts, body: &Whole) -> Result<Json<T>, BadJson> {
        if !is_json(&request.headers) {
            return Err(BadJson {
                why: Why::OtherType,
                detail: "a body of the type application/json is wanted".into(),
            });
        }
        let error = match serde_json::from_slice(body.bytes()) {
            Ok(wanted) => return Ok(Json(wanted)),
            Err(error) => error,
        };
        // The body was read only up to the first mismatch.
        let is_json = || serde_json::from_slice::<IgnoredAny>(body.bytes()).is_ok();
        let why = if error.classify() == Category::Data && is_json() { Why::Unexpected } else { Why::Malformed };
        Err(BadJson { why, detail: error.to_string() })
    }
}

/// Whether the fields say that the body is JSON as it comes.
pub(crate) fn is_json(fields: &HeaderMap) -> bool {
    let mut types = fields.get_all(CONTENT_TYPE).iter();
    let (Some(only), None) = (types.next(), types.next()) else { return false };
    let Ok(only) = only.to_str() else { return false };
    let mut parts = only.split(';').map(|part| part.trim_matches([' ', '\t']));
    let essence = parts.next().unwrap_or_default();
    let Some((kind, name)) = essence.split_once('/') else { return false };
    let ends_in_json = name.len() > 5 && name.as_bytes()[name.len() - 5..].eq_ignore_ascii_case(b"+json");
    let is_type = kind.eq_ignore_ascii_case("application") && name.eq_ignore_ascii_case("json") || ends_in_json;
    // JSON has no parameters (RFC 8259, 11), but clients send this one, and mean it.
    let is_utf8 = parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
            value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    });
    is_type && is_utf8 && fields.get(CONTENT_ENCODING).is_none_or(|coding| coding == "identity")
}

/// The body is not the expected JSON: [`ReadJson`] breaks with this.
///
/// | code | as an `http::Response` | where |
/// | --- | --- | --- |
/// | `json-wanted` | 415 | it is declared as another type, or as compressed |
/// | `json-malformed` | 400 | it is not JSON |
/// | `json-unexpected` | 422 | it is JSON, but not of the expected type |
///
/// The client is told the place in serde_json's words, which name fields of the expected type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadJson {
    why: Why,
    detail: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    OtherType,
    Malformed,
    Unexpected,
}

impl BadJson {
    /// The reason, as a name for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self.why {
            Why::OtherType => "json-wanted",
            Why::Malformed => "json-malformed",
            Why::Unexpected => "json-unexpected",
        }
    }

    /// The status of the response.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self.why {
            Why::OtherType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Why::Malformed => StatusCode::BAD_REQUEST,
            Why::Unexpected => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }
}

impl fmt::Display for BadJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl Error for BadJson {}

/// 415, 400 or 422. See [`BadJson`].
impl<B: Render> IntoReply<Response<B>> for BadJson {
    #[inline]
    fn into_reply(self) -> Response<B> {
        B::render(&Failure::new(self.status(), self.code(), &self.detail).because(&self))
    }
}
