//! Replies that are HTTP responses: the types that a node may break with, or give, if the chain's reply is an
//! [`http::Response<B>`].
//!
//! | a node breaks with, or gives | the response |
//! | --- | --- |
//! | `StatusCode` | with that status and the empty body, `B::default()` |
//! | `(StatusCode, &'static str)`, `(StatusCode, String)` | with that status, `content-type: text/plain; charset=utf-8`, and the text as its body |
//! | `(StatusCode, HeaderMap)` | with that status, these fields, and the empty body |
//! | `http::response::Parts` | with that head and the empty body |
//! | `http::Response<B>` | itself |
//! | `Infallible` | none: this cannot happen |
//! | `Expired`, `Overloaded`, `Panicked` of the nodes in [`around`](crate::around) | 504, 503, 500, with the empty body |
//!
//! The body is the chain's. It may be any `B` that has a `Default` or can be made `From` the text (`String`, `Bytes`,
//! `http_body_util::Full<Bytes>`, ..). With the feature `http-body` it may also be a `Tailed` or a `Timed` around such
//! a body, except for text.
//!
//! ```
//! use chain_runtime::{chain, node};
//! use http::{Request, Response, StatusCode};
//!
//! struct User(&'static str);
//!
//! #[node]
//! fn auth(request: &Request<()>) -> Result<User, (StatusCode, &'static str)> {
//!     match request.uri().path() {
//!         "/ada" => Ok(User("Ada")),
//!         _ => Err((StatusCode::UNAUTHORIZED, "who is there?")),
//!     }
//! }
//!
//! #[node]
//! fn greet(user: &User) -> Response<String> {
//!     Response::new(format!("Hello, {}", user.0))
//! }
//!
//! chain! {
//!     struct Greeting;
//!     fn(request: Request<()>) -> Response<String> { auth => greet }
//! }
//!
//! let reply = Greeting.run(Request::get("/ada").body(()).unwrap());
//! assert_eq!(reply.body(), "Hello, Ada");
//! let reply = Greeting.run(Request::get("/").body(()).unwrap());
//! assert_eq!((reply.status(), reply.body().as_str()), (StatusCode::UNAUTHORIZED, "who is there?"));
//! assert_eq!(reply.headers()["content-type"], "text/plain; charset=utf-8");
//! ```

use core::convert::Infallible;
use std::string::String;

use http::header::CONTENT_TYPE;
use http::response::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use crate::flow::IntoReply;
#[cfg(feature = "http-body")]
use crate::{around::Timer, tailed::Tailed, timed::Timed};

/// This cannot happen.
impl<B> IntoReply<Response<B>> for Infallible {
    #[inline]
    fn into_reply(self) -> Response<B> {
        match self {}
    }
}

/// That status, with the empty body.
impl<B: Default> IntoReply<Response<B>> for StatusCode {
    #[inline]
    fn into_reply(self) -> Response<B> {
        let mut response = Response::new(B::default());
        *response.status_mut() = self;
        response
    }
}

/// That status and text.
impl<B: From<&'static str>> IntoReply<Response<B>> for (StatusCode, &'static str) {
    #[inline]
    fn into_reply(self) -> Response<B> {
        text(self.0, self.1.into())
    }
}

/// That status and text.
impl<B: From<String>> IntoReply<Response<B>> for (StatusCode, String) {
    #[inline]
    fn into_reply(self) -> Response<B> {
        text(self.0, self.1.into())
    }
}

/// That status and these fields, with the empty body: `WWW-Authenticate`, `Retry-After`, `Location`.
impl<B: Default> IntoReply<Response<B>> for (StatusCode, HeaderMap) {
    #[inline]
    fn into_reply(self) -> Response<B> {
        let mut response: Response<B> = self.0.into_reply();
        *response.headers_mut() = self.1;
        response
    }
}

/// That head, with the empty body.
impl<B: Default> IntoReply<Response<B>> for Parts {
    #[inline]
    fn into_reply(self) -> Response<B> {
        Response::from_parts(self, B::default())
    }
}

/// The same replies for bodies that are around such a body and have no `Default` of their own. The inner body can then
/// say why a node gave up.
#[cfg(feature = "http-body")]
macro_rules! around_their_bodies {
    ($($ty:ident where $bound:path, by $made:path: $reply:ty;)+) => {$(
        impl<B: Default, T: $bound> IntoReply<Response<$ty<B, T>>> for $reply {
            #[inline]
            fn into_reply(self) -> Response<$ty<B, T>> {
                IntoReply::<Response<B>>::into_reply(self).map($made)
            }
        }
    )+};
}

#[cfg(feature = "http-body")]
around_their_bodies! {
    Tailed where Default, by Tailed::from: StatusCode;
    Tailed where Default, by Tailed::from: (StatusCode, HeaderMap);
    Tailed where Default, by Tailed::from: Parts;
    Timed where Timer, by Timed::new: StatusCode;
    Timed where Timer, by Timed::new: (StatusCode, HeaderMap);
    Timed where Timer, by Timed::new: Parts;
}

fn text<B>(status: StatusCode, body: B) -> Response<B> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
