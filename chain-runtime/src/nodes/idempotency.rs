//! A request that came to its end is not carried out again if it is sent again: the `Idempotency-Key` of
//! draft-ietf-httpapi-idempotency-key-header.
//!
//! The client names each piece of work with a key of its own, and sends the same key when it tries again:
//!
//! | the key | |
//! | --- | --- |
//! | is new | the request runs, and its reply is kept |
//! | has finished, within the window | the kept reply is given, and no node after this one runs |
//! | is under way | 409, `idempotency-running` |
//! | came with another request | 422, `idempotency-mismatch` |
//! | has finished, and its reply was not kept, because it was too large or no whole body | 409, `idempotency-reply-gone` |
//! | is missing, although it is [`required`](Idempotency::required) | 400, `idempotency-key-missing` |
//! | is malformed: empty, over [`MAX_KEY`] bytes, or there twice | 400, `idempotency-key-malformed` |
//! | is new, and there is no room for it | 503, `idempotency-unavailable` |
//!
//! ```
//! use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
//!
//! use bytes::Bytes;
//! use chain_runtime::nodes::idempotency::{Idempotency, Memory};
//! use chain_runtime::nodes::{User, Whole};
//! use chain_runtime::{chain, node};
//! use http::{Request, Response, request::Parts};
//! use http_body_util::Full;
//!
//! struct Paid(AtomicU32);
//!
//! #[node]
//! fn pay(paid: &Paid) -> Response<Full<Bytes>> {
//!     Response::new(format!("payment {}", paid.0.fetch_add(1, Relaxed) + 1).into())
//! }
//!
//! chain! {
//!     struct Payments { once: Idempotency<User>, paid: Paid }
//!     async fn(request: Parts, user: User, body: Whole) -> Response<Full<Bytes>> { once => pay }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let payments = Payments { once: Idempotency::new(Memory::default()), paid: Paid(0.into()) };
//! let send = |key: &str| {
//!     let head = Request::post("/payments").header("idempotency-key", key).body(()).unwrap().into_parts().0;
//!     payments.run(head, User::new("alice").unwrap(), Whole::default())
//! };
//! # use http_body_util::BodyExt as _;
//! let text = async |reply: Response<Full<Bytes>>| reply.into_body().collect().await.unwrap().to_bytes();
//! assert_eq!(text(send("a").await).await, "payment 1");
//! assert_eq!(text(send("a").await).await, "payment 1");
//! assert_eq!(text(send("b").await).await, "payment 2");
//! # });
//! ```

use core::error::Error;
use core::fmt;
use core::hash::{BuildHasher as _, Hash as _, Hasher};
use core::marker::PhantomData;
use core::time::Duration;
use std::hash::RandomState;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use siphasher::sip128::{Hasher128 as _, SipHasher13};

use super::{Key, Whole};
use crate::failure::{Failure, Render};
use crate::flow::IntoReply;
use crate::node;

mod kept;
mod memory;
mod store;

pub use kept::{Keeps, Kept, WholeBody};
pub use memory::Memory;
pub use store::{Begun, Digest, Store, Ticket};

/// The most bytes of a key.
pub const MAX_KEY: usize = 255;

/// The node that lets a request run once. See the [module](self).
///
/// It stands after the node that provides the owner, a `K`, and the node that reads the body, a [`Whole`]: a key
/// belongs to one owner, and the requests that come with it are compared. It looks at `POST` and `PATCH`, since the
/// other methods are idempotent by themselves.
///
/// A request that has begun is finished on the way out, whatever the reply is. But a reply that says that nothing was
/// done, a 429 or a 503, is not kept, and the request may run again. A run that is cancelled, or panics, gives the key
/// back, and the request may run again. Only the nodes know what the run had done by then.
///
/// The owner and the key are hashed to 128 bits, and so is the request that came with them. A request without a key
/// allocates nothing. The first request with a key allocates for its reply.
pub struct Idempotency<K, S: Store = Memory> {
    store: Arc<S>,
    field: HeaderName,
    is_required: bool,
    secret: [u8; 16],
    _owner: PhantomData<fn(K)>,
}

impl<K: Key, S: Store> Idempotency<K, S> {
    /// This store knows which requests have run.
    #[must_use]
    pub fn new(store: S) -> Self {
        // The hasher of std has a random key, and is the only source of random numbers in std.
        let random = |seed: u64| RandomState::new().hash_one(seed).to_ne_bytes();
        let mut secret = [0; 16];
        secret[..8].copy_from_slice(&random(0));
        secret[8..].copy_from_slice(&random(1));
        Self {
            store: Arc::new(store),
            field: HeaderName::from_static("idempotency-key"),
            is_required: false,
            secret,
            _owner: PhantomData,
        }
    }

    /// Sets the key of the hashes. By default it is drawn at random. Processes that share a store share this secret,
    /// and it is for nobody else to know.
    #[must_use]
    pub const fn secret(mut self, secret: [u8; 16]) -> Self {
        self.secret = secret;
        self
    }

    /// Takes keys from this field.
    #[must_use]
    pub fn field(mut self, field: HeaderName) -> Self {
        self.field = field;
        self
    }

    /// Refuses requests without a key.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.store
    }

    fn digest(&self, feed: impl FnOnce(&mut SipHasher13)) -> Digest {
        let mut hasher = SipHasher13::new_with_key(&self.secret);
        feed(&mut hasher);
        Digest(hasher.finish128().as_bytes())
    }
}

#[node(crate = crate)]
impl<K: Key, S: Store> Idempotency<K, S> {
    /// Provides the turn of a request that runs, or breaks.
    ///
    /// # Errors
    ///
    /// [`Repeated`], with the reply that was kept, or with the reason why there is none.
    pub async fn enter(&self, request: &Parts, owner: &K, body: &Whole) -> Result<Turn<S>, Repeated> {
        let is_looked_at = request.method == Method::POST || request.method == Method::PATCH;
        let mut keys = request.headers.get_all(&self.field).iter().filter(|_| is_looked_at);
        let key = match (keys.next(), keys.next()) {
            (Some(key), None) => text(key).ok_or(Refusal::Malformed)?,
            (None, _) if is_looked_at && self.is_required => return Err(Refusal::Missing.into()),
            (None, _) => return Ok(Turn { begun: None }),
            (Some(_), Some(_)) => return Err(Refusal::Malformed.into()),
        };
        let id = self.digest(|hasher| {
            owner.feed(hasher);
            key.hash(hasher);
        });
        let print = self.digest(|hasher| {
            request.method.hash(hasher);
            request.uri.hash(hasher);
            hasher.write(body.bytes());
        });
        match self.store.begin(id, print).await {
            Begun::First(ticket) => Ok(Turn { begun: Some((Arc::clone(&self.store), id, ticket)) }),
            Begun::Finished(Some(kept)) => Err(Repeated(What::Kept(kept))),
            Begun::Finished(None) => Err(Refusal::ReplyGone.into()),
            Begun::Running => Err(Refusal::Running.into()),
            Begun::Another => Err(Refusal::Mismatch.into()),
            Begun::Unavailable => Err(Refusal::Unavailable.into()),
        }
    }

    /// Keeps the reply.
    pub async fn exit<R: Keeps>(&self, turn: &mut Turn<S>, reply: &mut R) {
        if matches!(reply.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            // The turn gives the key back.
            return;
        }
        if let Some((store, id, ticket)) = &turn.begun {
            let kept = reply.keep().map(Arc::new);
            store.finish(*id, *ticket, kept).await;
            // This comes after the await: if the hook were cut off while it waits, the key would otherwise stay under
            // way for good.
            turn.begun = None;
        }
    }
}

impl<K, S: Store> fmt::Debug for Idempotency<K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Idempotency").field("field", &self.field).finish_non_exhaustive()
    }
}

/// The text of a key that is written plainly, or as a structured field, in quotes.
fn text(key: &HeaderValue) -> Option<&str> {
    let text = key.to_str().ok()?.trim_matches([' ', '\t']);
    let text = match text.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"')?,
        None => text,
    };
    (1..=MAX_KEY).contains(&text.len()).then_some(text)
}

/// A request's turn to run. If it is dropped before the reply was kept, it gives the key back.
pub struct Turn<S: Store> {
    begun: Option<(Arc<S>, Digest, Ticket)>,
}

impl<S: Store> Drop for Turn<S> {
    fn drop(&mut self) {
        if let Some((store, id, ticket)) = self.begun.take() {
            store.give_back(id, ticket);
        }
    }
}

impl<S: Store> fmt::Debug for Turn<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").field("has_key", &self.begun.is_some()).finish()
    }
}

/// The request does not run: [`Idempotency`] breaks with this. As an `http::Response`, it is the kept reply, or one
/// that says why there is none. See the [module](self).
#[derive(Clone, Debug)]
pub struct Repeated(What);

#[derive(Clone, Debug)]
enum What {
    Kept(Arc<Kept>),
    Refused(Refusal),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    Missing,
    Malformed,
    Running,
    Mismatch,
    ReplyGone,
    Unavailable,
}

impl From<Refusal> for Repeated {
    fn from(refusal: Refusal) -> Self {
        Self(What::Refused(refusal))
    }
}

impl Refusal {
    const fn failure(self) -> Failure<'static> {
        let (status, code, detail) = match self {
            Self::Missing => (StatusCode::BAD_REQUEST, "idempotency-key-missing", "an idempotency key is needed"),
            Self::Malformed => (StatusCode::BAD_REQUEST, "idempotency-key-malformed", "this is no idempotency key"),
            Self::Running => (StatusCode::CONFLICT, "idempotency-running", "the request with this key is under way"),
            Self::Mismatch => {
                (StatusCode::UNPROCESSABLE_ENTITY, "idempotency-mismatch", "this key came with another request")
            }
            Self::ReplyGone => (
                StatusCode::CONFLICT,
                "idempotency-reply-gone",
                "the request with this key is done, and its reply was not kept",
            ),
            Self::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "idempotency-unavailable", "no more keys can be remembered now")
            }
        };
        let failure = Failure::new(status, code, detail);
        match self {
            Self::Running | Self::Unavailable => failure.retry_after(Duration::from_secs(1)),
            _ => failure,
        }
    }
}

impl Repeated {
    /// The kept reply, if there is one.
    #[must_use]
    pub fn kept(&self) -> Option<&Kept> {
        match &self.0 {
            What::Kept(kept) => Some(kept),
            What::Refused(_) => None,
        }
    }

    /// The reason why there is no kept reply, as a name for programs; `idempotency-replayed` if there is one.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match &self.0 {
            What::Kept(_) => "idempotency-replayed",
            What::Refused(refusal) => refusal.failure().code,
        }
    }
}

impl fmt::Display for Repeated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            What::Kept(_) => "the request with this key is done",
            What::Refused(refusal) => refusal.failure().detail,
        })
    }
}

impl Error for Repeated {}

/// The kept reply; or 400, 409, 422, 503.
impl<B: Render + WholeBody> IntoReply<Response<B>> for Repeated {
    #[inline]
    fn into_reply(self) -> Response<B> {
        match &self.0 {
            What::Kept(kept) => kept.response(),
            What::Refused(refusal) => B::render(&refusal.failure().because(&self)),
        }
    }
}
