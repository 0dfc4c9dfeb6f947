//! Says who sent the request, by a JSON Web Token (RFC 7519) after `Authorization: Bearer`, or by an API key in a field
//! of its own.
//!
//! [`Auth`] is one node for both, since it has to notice a request with two credentials. It provides the [`User`], or
//! breaks with [`Unauthorized`].
//!
//! ```
//! use chain_runtime::nodes::User;
//! use chain_runtime::nodes::auth::{ApiKeys, Auth};
//! use chain_runtime::{chain, node};
//! use http::{Request, Response, request::Parts};
//!
//! #[node]
//! fn greet(user: &User) -> Response<String> {
//!     Response::new(format!("hello, {user}"))
//! }
//!
//! chain! {
//!     struct Greeting { auth: Auth }
//!     fn(request: Parts) -> Response<String> { auth => greet }
//! }
//!
//! let keys = ApiKeys::read("alice 0123456789abcdef\nbob fedcba9876543210 # to be gone by June\n").unwrap();
//! let greeting = Greeting { auth: Auth::new("example").api_keys(keys) };
//! let with = |key| Request::get("/").header("x-api-key", key).body(()).unwrap().into_parts().0;
//! assert_eq!(greeting.run(with("fedcba9876543210")).body(), "hello, bob");
//! let reply = greeting.run(with("guessed"));
//! assert_eq!(reply.status(), 401);
//! assert_eq!(reply.headers()["www-authenticate"], r#"ApiKey realm="example""#);
//! ```
//!
//! # What is refused
//!
//! | code | where |
//! | --- | --- |
//! | `credentials-missing` | there are no credentials, or credentials of another scheme |
//! | `credentials-ambiguous` | there are two: one reader could check the first, and another one believe the second |
//! | `key-unknown` | the API key belongs to no user |
//! | `token-expired` | the token was valid earlier |
//! | `token-invalid` | any other error in the token |
//!
//! All of them are a 401 with a challenge in `WWW-Authenticate` (RFC 6750, 3). The client is told what is wrong with
//! its token.
//!
//! # Keys that change
//!
//! To change keys while requests run, lend the `Auth` as a whole: with a field `credentials: Reloadable<Auth>`, and the
//! node function [`auth()`].

use core::error::Error;
use core::fmt;
#[cfg(feature = "jsonwebtoken")]
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use std::format;

use super::user::User;
use crate::failure::{Failure, Render};
use crate::flow::IntoReply;
use crate::node;

#[cfg(feature = "subtle")]
mod keys;
#[cfg(feature = "jsonwebtoken")]
mod tokens;

#[cfg(feature = "subtle")]
pub use keys::{ApiKeys, BadKeys, MIN_KEY};
#[cfg(feature = "jsonwebtoken")]
pub use tokens::{BadTokenKeys, MAX_TOKEN, Tokens};

/// The node that says who sent the request. See the [module](self).
///
/// It looks only at the fields that it is told to accept: without [`api_keys`](Self::api_keys), for example, it ignores
/// a field with an API key. It removes no field: the node that sends the request on decides which fields go along.
///
/// An API key costs no allocation. A token costs those of jsonwebtoken, and one for the name.
#[derive(Debug)]
pub struct Auth {
    #[cfg(feature = "jsonwebtoken")]
    tokens: Option<(HeaderName, Tokens)>,
    #[cfg(feature = "subtle")]
    keys: Option<(HeaderName, ApiKeys)>,
    #[cfg(feature = "jsonwebtoken")]
    realm: std::string::String,
    challenges: Challenges,
}

/// The values of `WWW-Authenticate`. They are made once, and shared.
#[derive(Debug)]
struct Challenges {
    /// For a request without credentials, whose challenge names no error (RFC 6750, 3.1), and for a scheme that has no
    /// errors.
    plain: HeaderValue,
    #[cfg(feature = "jsonwebtoken")]
    invalid_token: HeaderValue,
    #[cfg(feature = "jsonwebtoken")]
    invalid_request: HeaderValue,
}

impl Auth {
    /// Accepts no credentials yet. The realm is the name under which a client keeps the credentials (RFC 9110, 11.5).
    ///
    /// # Panics
    ///
    /// If the realm cannot stand in a quoted string: it has a quote, a backslash, or a character that is no visible
    /// ASCII character or space.
    #[must_use]
    pub fn new(realm: &str) -> Self {
        let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !b"\"\\".contains(&byte);
        assert!(realm.bytes().all(is_plain), "a realm that no quoted string can hold: {realm:?}");
        Self {
            #[cfg(feature = "jsonwebtoken")]
            tokens: None,
            #[cfg(feature = "subtle")]
            keys: None,
            #[cfg(feature = "jsonwebtoken")]
            realm: realm.into(),
            challenges: Challenges::new("ApiKey", realm),
        }
    }

    /// Accepts such tokens, in `Authorization`.
    #[cfg(feature = "jsonwebtoken")]
    #[must_use]
    pub fn tokens(self, tokens: Tokens) -> Self {
        self.tokens_in(AUTHORIZATION, tokens)
    }

    /// Accepts such tokens in this field, after `Bearer`.
    #[cfg(feature = "jsonwebtoken")]
    #[must_use]
    pub fn tokens_in(mut self, field: HeaderName, tokens: Tokens) -> Self {
        self.challenges = Challenges::new("Bearer", &self.realm);
        self.tokens = Some((field, tokens));
        self
    }

    /// Accepts these keys, in `X-Api-Key`.
    #[cfg(feature = "subtle")]
    #[must_use]
    pub fn api_keys(self, keys: ApiKeys) -> Self {
        self.api_keys_in(HeaderName::from_static("x-api-key"), keys)
    }

    /// Accepts these keys, in this field.
    #[cfg(feature = "subtle")]
    #[must_use]
    pub fn api_keys_in(mut self, field: HeaderName, keys: ApiKeys) -> Self {
        self.keys = Some((field, keys));
        self
    }

    /// The fields that it reads credentials from. Their values are secrets of the client and of the owner of this
    /// chain.
    pub fn fields(&self) -> impl Iterator<Item = &HeaderName> {
        let (tokens, keys): (Option<&HeaderName>, Option<&HeaderName>) = (None, None);
        #[cfg(feature = "jsonwebtoken")]
        let tokens = tokens.or(self.tokens.as_ref().map(|(field, _)| field));
        #[cfg(feature = "subtle")]
        let keys = keys.or(self.keys.as_ref().map(|(field, _)| field));
        tokens.into_iter().chain(keys)
    }

    /// The user who sent this request.
    ///
    /// # Errors
    ///
    /// [`Unauthorized`] if that is not known.
    pub fn user(&self, request: &Parts) -> Result<User, Unauthorized> {
        self.find(request).map_err(|why| {
            let challenge = match why {
                #[cfg(feature = "jsonwebtoken")]
                Why::Token(_) => &self.challenges.invalid_token,
                #[cfg(feature = "jsonwebtoken")]
                Why::Ambiguous => &self.challenges.invalid_request,
                _ => &self.challenges.plain,
            };
            Unauthorized { why, challenge: challenge.clone() }
        })
    }

    fn find(&self, request: &Parts) -> Result<User, Why> {
        #[cfg(feature = "jsonwebtoken")]
        let token = self.tokens.as_ref().map(|(field, tokens)| Ok((only(request, field)?, tokens))).transpose()?;
        #[cfg(feature = "subtle")]
        let key = self.keys.as_ref().map(|(field, keys)| Ok((only(request, field)?, keys))).transpose()?;
        #[cfg(all(feature = "jsonwebtoken", feature = "subtle"))]
        if let (Some((Some(_), _)), Some((Some(_), _))) = (&token, &key) {
            return Err(Why::Ambiguous);
        }
        #[cfg(feature = "jsonwebtoken")]
        if let Some((Some(value), tokens)) = token {
            return tokens.user(bearer(value).ok_or(Why::Missing)?).map_err(Why::Token);
        }
        #[cfg(feature = "subtle")]
        if let Some((Some(value), keys)) = key {
            return keys.owner(value.as_bytes()).cloned().ok_or(Why::UnknownKey);
        }
        Err(Why::Missing)
    }
}

#[node(crate = crate)]
impl Auth {
    /// Provides the user, or breaks.
    ///
    /// # Errors
    ///
    /// [`Unauthorized`] if it is not known who sent the request.
    pub fn enter(&self, request: &Parts) -> Result<User, Unauthorized> {
        self.user(request)
    }
}

/// Provides the user, or breaks, by an [`Auth`] that is lent by its type, such as that of a field
/// `credentials: Reloadable<Auth>`.
///
/// # Errors
///
/// [`Unauthorized`] if it is not known who sent the request.
#[node(crate = crate)]
pub fn auth(request: &Parts, credentials: &Auth) -> Result<User, Unauthorized> {
    credentials.user(request)
}

impl Challenges {
    fn new(scheme: &str, realm: &str) -> Self {
        let value = |rest| {
            let text = format!(r#"{scheme} realm="{realm}"{rest}"#);
            HeaderValue::try_from(text).expect("a realm of visible characters")
        };
        Self {
            plain: value(""),
            #[cfg(feature = "jsonwebtoken")]
            invalid_token: value(r#", error="invalid_token""#),
            #[cfg(feature = "jsonwebtoken")]
            invalid_request: value(r#", error="invalid_request""#),
        }
    }
}

/// The field's value, if there is one. Two fields are an attempt to have one checked and the other believed.
fn only<'a>(request: &'a Parts, field: &HeaderName) -> Result<Option<&'a HeaderValue>, Why> {
    let mut values = request.headers.get_all(field).iter();
    match (values.next(), values.next()) {
        (Some(_), Some(_)) => Err(Why::Ambiguous),
        (value, _) => Ok(value),
    }
}

/// The text after `Bearer`, whose case does not matter (RFC 9110, 11.1).
#[cfg(feature = "jsonwebtoken")]
fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then_some(token.trim_matches(' '))
}

/// It is not known who sent the request: [`Auth`] breaks with this. As an `http::Response`, a 401.
#[derive(Clone, Debug)]
pub struct Unauthorized {
    why: Why,
    challenge: HeaderValue,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    Missing,
    Ambiguous,
    #[cfg(feature = "subtle")]
    UnknownKey,
    #[cfg(feature = "jsonwebtoken")]
    Token(tokens::BadToken),
}

impl Unauthorized {
    /// The reason, as a name for programs. The [module](self) lists all of them.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self.why {
            Why::Missing => "credentials-missing",
            Why::Ambiguous => "credentials-ambiguous",
            #[cfg(feature = "subtle")]
            Why::UnknownKey => "key-unknown",
            #[cfg(feature = "jsonwebtoken")]
            Why::Token(bad) => bad.code(),
        }
    }

    /// The value of `WWW-Authenticate`.
    #[must_use]
    pub const fn challenge(&self) -> &HeaderValue {
        &self.challenge
    }

    const fn detail(&self) -> &'static str {
        match self.why {
            Why::Missing => "credentials are needed",
            Why::Ambiguous => "there are several credentials",
            #[cfg(feature = "subtle")]
            Why::UnknownKey => "this API key is nobody's",
            #[cfg(feature = "jsonwebtoken")]
            Why::Token(bad) => bad.detail(),
        }
    }
}

impl fmt::Display for Unauthorized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail())
    }
}

impl Error for Unauthorized {}

/// 401 Unauthorized, with a challenge.
impl<B: Render> IntoReply<Response<B>> for Unauthorized {
    #[inline]
    fn into_reply(self) -> Response<B> {
        let failure = Failure::new(StatusCode::UNAUTHORIZED, self.code(), self.detail());
        B::render(&failure.challenge(&self.challenge).because(&self))
    }
}
