//! [`Failure`]: why a ready node gave up; and [`Render`]: how that becomes a response.
//!
//! Each ready node breaks with a value of its own type: `Expired`, `Overloaded`, `TooManyRequests`, `proxy::Error`, ..
//! A chain can turn each of them into a reply of its own, by `IntoReply` if the reply is a type of its own, or by
//! `From` if the reply is a `Result`. For a chain whose reply is an `http::Response<B>`, all of them become a
//! [`Failure`], and **`B` renders it**, in one place:
//!
//! | `B` | the response |
//! | --- | --- |
//! | has a `Default`: `Full<Bytes>`, `String`, `()`, .. | the status and its fields, with the empty body |
//! | `proxy::Body` | the same, with the detail as a line of plain text |
//! | `proxy::Rendered<R>` | the proxy's bodies, and the body that your `R` makes of a failure: problem+json, a page, .. |
//! | a type of yours without a `Default` | what its [`Render`] says |
//!
//! A node of your own breaks in the same way if its error becomes a reply by
//! `B::render(&Failure::new(status, "code", "detail"))` in an `impl<B: Render> IntoReply<Response<B>>`.
//!
//! ```
//! use chain_runtime::around::Deadline;
//! use chain_runtime::{Failure, Render, chain, node};
//! use http::{Request, Response, header::CONTENT_TYPE};
//! # use std::time::Duration;
//!
//! /// The application's own body. It has no `Default`.
//! struct Page(String);
//!
//! impl Render for Page {
//!     fn render(failure: &Failure<'_>) -> Response<Self> {
//!         let help = match failure.code {
//!             "deadline-expired" => "try again in a minute",
//!             _ => failure.detail,
//!         };
//!         let mut reply = failure.response(Page(format!(r#"{{"title":"{}","detail":"{help}"}}"#, failure.code)));
//!         reply.headers_mut().insert(CONTENT_TYPE, "application/problem+json".parse().unwrap());
//!         reply
//!     }
//! }
//!
//! #[node]
//! async fn sleeps(_request: &Request<()>) -> Response<Page> {
//!     std::future::pending().await
//! }
//!
//! chain! {
//!     struct Slow { deadline: Deadline }
//!     async fn(request: Request<()>) -> Response<Page> { deadline { sleeps } }
//! }
//! # #[cfg(feature = "tokio")]
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! let slow = Slow { deadline: Deadline::within(Duration::from_millis(5)) };
//! let reply = slow.run(Request::new(())).await;
//! assert_eq!(reply.status(), 504);
//! assert_eq!(reply.body().0, r#"{"title":"deadline-expired","detail":"try again in a minute"}"#);
//! # });
//! ```

use core::error::Error;
use core::time::Duration;

use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};

/// Why a ready node gave up, in terms that a client may be told.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Failure<'a> {
    /// The status of the response.
    pub status: StatusCode,
    /// A name for programs, which stays the same from release to release: `deadline-expired`. The documentation of each
    /// ready node's error lists its codes.
    pub code: &'static str,
    /// One line for a person, without a full stop. It says nothing that only the server should know.
    pub detail: &'a str,
    /// The time after which another try is worth while. [`response`](Failure::response) rounds it up to whole seconds.
    pub retry_after: Option<Duration>,
    /// The value of `WWW-Authenticate`.
    pub challenge: Option<&'a HeaderValue>,
    /// The error itself, for code that needs more detail: `cause.downcast_ref::<proxy::Error>()`.
    pub cause: Option<&'a (dyn Error + 'static)>,
}

impl<'a> Failure<'a> {
    /// A failure with a status, a code and a line for a person.
    #[must_use]
    pub const fn new(status: StatusCode, code: &'static str, detail: &'a str) -> Self {
        Self { status, code, detail, retry_after: None, challenge: None, cause: None }
    }

    /// The same, worth another try after this time.
    #[must_use]
    pub const fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// The same, which asks for credentials.
    #[must_use]
    pub const fn challenge(mut self, challenge: &'a HeaderValue) -> Self {
        self.challenge = Some(challenge);
        self
    }

    /// The same, because of this error.
    #[must_use]
    pub const fn because(mut self, cause: &'a (dyn Error + 'static)) -> Self {
        self.cause = Some(cause);
        self
    }

    /// A response with this body, and with the head that the failure asks for: the status, `Retry-After`,
    /// `WWW-Authenticate`.
    pub fn response<B>(&self, body: B) -> Response<B> {
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        if let Some(after) = self.retry_after {
            // The field counts in whole seconds (RFC 9110, 10.2.3); rounded down, the client would come back too early.
            let seconds = after.as_millis().div_ceil(1_000).max(1);
            response.headers_mut().insert(RETRY_AFTER, u64::try_from(seconds).unwrap_or(u64::MAX).into());
        }
        if let Some(challenge) = self.challenge {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge.clone());
        }
        response
    }
}

/// A body to which a [`Failure`] can be written. The [module](self) lists the types that implement it.
#[diagnostic::on_unimplemented(
    message = "chain[E806]: `{Self}` cannot be the body of a reply that says why a ready node gave up",
    label = "needs a `Default`, or an `impl Render`",
    note = "implement `chain_runtime::Render` for `{Self}`, or give it a `Default`: then the body of such a reply is empty"
)]
pub trait Render: Sized {
    /// Makes the response for the client.
    fn render(failure: &Failure<'_>) -> Response<Self>;
}

/// The status and its fields, with the empty body.
impl<B: Default> Render for B {
    fn render(failure: &Failure<'_>) -> Response<Self> {
        failure.response(B::default())
    }
}
