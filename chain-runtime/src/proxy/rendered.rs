//! [`Rendered`]: the proxy's replies, with failures in the application's own form.

use core::fmt;
use core::marker::PhantomData;
use core::pin::Pin;
use core::task::{Context, Poll};

use bytes::Bytes;
use http::Response;
use http_body::{Frame, SizeHint};
use pin_project_lite::pin_project;

use super::body::{Body, BrokenReply};
use crate::failure::{Failure, Render};
use crate::flow::IntoReply;
use crate::tailed::Tailed;

/// How failures are rendered: the parameter of a [`Rendered`] body.
pub trait Renderer {
    /// Makes the reply that tells the client of this failure. [`Failure::response`] makes one with the status and the
    /// fields that belong to it.
    fn render(failure: &Failure<'_>) -> Response<Body>;
}

pin_project! {
    /// A [`Body`] whose [`Failure`]s are all rendered by an `R`, in one place.
    ///
    /// A chain with a [`Forward`](super::Forward) in it has `Response<Rendered<R>>` as its reply, or
    /// `Response<Tailed<Rendered<R>, T>>`. Replies with a `Body` are converted by themselves.
    ///
    /// ```
    /// use chain_runtime::proxy::{Body, Client, Forward, Rendered, Renderer, Rotation};
    /// use chain_runtime::{Failure, chain};
    /// use http::header::{CONTENT_TYPE, HeaderValue};
    /// use http::{Response, request::Parts};
    /// use http_body_util::{BodyExt as _, Full};
    ///
    /// /// RFC 9457.
    /// struct Problems;
    ///
    /// impl Renderer for Problems {
    ///     fn render(failure: &Failure<'_>) -> Response<Body> {
    ///         let title = match failure.code {
    ///             "upstream-refused" | "upstream-broke-off" => "our fault",
    ///             "upstream-silent" => "our fault, and slowly",
    ///             _ => failure.detail,
    ///         };
    ///         let text = format!(r#"{{"type":"about:blank#{}","title":"{title}","status":{}}}"#, failure.code, failure.status.as_u16());
    ///         let mut reply = failure.response(Body::from(text));
    ///         reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    ///         reply
    ///     }
    /// }
    ///
    /// chain! {
    ///     struct Proxy { forward: Forward<Rotation, Full<bytes::Bytes>> }
    ///     async fn(request: Parts, body: Full<bytes::Bytes>, client: Client) -> Response<Rendered<Problems>> { forward }
    /// }
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// // No server listens there.
    /// let proxy = Proxy { forward: Forward::to(Rotation::new(["http://127.0.0.1:1".parse().unwrap()])) };
    /// let request = http::Request::get("/").header("host", "a.example").body(()).unwrap();
    /// let reply = proxy.run(request.into_parts().0, Full::default(), Client::unknown()).await;
    /// assert_eq!(reply.status(), 502);
    /// let said = reply.into_body().collect().await.unwrap().to_bytes();
    /// assert_eq!(said, r#"{"type":"about:blank#upstream-refused","title":"our fault","status":502}"#);
    /// # });
    /// ```
    pub struct Rendered<R> {
        #[pin]
        body: Body,
        renderer: PhantomData<fn() -> R>,
    }
}

impl<R> Rendered<R> {
    /// The body.
    pub fn into_inner(self) -> Body {
        self.body
    }
}

impl<R> From<Body> for Rendered<R> {
    fn from(body: Body) -> Self {
        Self { body, renderer: PhantomData }
    }
}

impl<R> fmt::Debug for Rendered<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.body.fmt(f)
    }
}

impl<R: Renderer> Render for Rendered<R> {
    fn render(failure: &Failure<'_>) -> Response<Self> {
        R::render(failure).map(Self::from)
    }
}

/// The same reply.
impl<R> IntoReply<Response<Rendered<R>>> for Response<Body> {
    fn into_reply(self) -> Response<Rendered<R>> {
        self.map(Rendered::from)
    }
}

/// The same reply, with the tail's `Default`.
impl<R, T: Default> IntoReply<Response<Tailed<Rendered<R>, T>>> for Response<Body> {
    fn into_reply(self) -> Response<Tailed<Rendered<R>, T>> {
        self.map(|body| Tailed::from(Rendered::from(body)))
    }
}

impl<R> http_body::Body for Rendered<R> {
    type Data = Bytes;
    type Error = BrokenReply;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenReply>>> {
        self.project().body.poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
