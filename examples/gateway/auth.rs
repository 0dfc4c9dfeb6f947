//! Who sent the request: a JWT (RFC 7519) behind `Authorization: Bearer`, or an API key behind `X-Api-Key`.

use std::sync::Arc;

use chain_runtime::{IntoReply, node};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use subtle::ConstantTimeEq;

use super::body::{self, Body};

/// The field that carries an API key.
pub(crate) const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Clocks of different machines differ; a token may be this much older than it says, in seconds.
const LEEWAY: u64 = 5;

/// The user who sent the request, by name.
///
/// For an API key the name is shared, not copied, so that the request allocates nothing for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User(pub(crate) Arc<str>);

/// Provides the user, or breaks with 401.
#[node]
pub(crate) async fn auth(request: &Parts, keys: &Keys) -> Result<User, Unauthorized> {
    let mut credentials = request.headers.get_all(AUTHORIZATION).iter();
    match (credentials.next(), credentials.next()) {
        // Two of them are an attempt to have one checked and the other believed.
        (Some(_), Some(_)) => Err(Unauthorized::Token("there is more than one Authorization field\n")),
        (Some(value), None) => keys.user_of_token(bearer_token(value).ok_or(Unauthorized::Missing)?),
        (None, _) => {
            let key = request.headers.get(&API_KEY).ok_or(Unauthorized::Missing)?;
            keys.user_of_key(key.as_bytes())
        }
    }
}

/// What stands behind `Bearer`, whose case does not matter (RFC 9110, 11.1).
fn bearer_token(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then_some(token.trim())
}

/// All that requests are checked against.
#[derive(Debug)]
pub(crate) struct Keys {
    bearer: Option<Bearer>,
    api: Vec<ApiKey>,
}

impl Keys {
    pub(crate) fn new(bearer: Option<Bearer>, api: Vec<ApiKey>) -> Self {
        Self { bearer, api }
    }

    fn user_of_token(&self, token: &str) -> Result<User, Unauthorized> {
        self.bearer.as_ref().ok_or(Unauthorized::Token("tokens are not accepted here\n"))?.user(token)
    }

    /// Compares with every key, and each in constant time: how long it takes says how many keys there are and how long
    /// they are, never how much of one was guessed.
    fn user_of_key(&self, key: &[u8]) -> Result<User, Unauthorized> {
        let mut found = None;
        for known in &self.api {
            if known.key.as_bytes().ct_eq(key).into() {
                found = Some(&known.user);
            }
        }
        found.cloned().ok_or(Unauthorized::ApiKey)
    }
}

/// An API key and whose it is.
#[derive(Debug)]
pub(crate) struct ApiKey {
    user: User,
    key: Box<str>,
}

impl ApiKey {
    pub(crate) fn new(user: &str, key: &str) -> Self {
        Self { user: User(user.into()), key: key.into() }
    }

    /// Reads `user key`.
    pub(crate) fn parse(line: &str) -> Result<Self, String> {
        let mut words = line.split_whitespace();
        let (Some(user), Some(key), None) = (words.next(), words.next(), words.next()) else {
            return Err("a user and a key are wanted, with a space between them".to_owned());
        };
        if key.len() < 16 {
            return Err(format!("the key of {user} can be guessed: it has less than 16 letters"));
        }
        Ok(Self::new(user, key))
    }
}

/// How JWTs are checked.
///
/// Each key is bound to one algorithm when it is read. What a token's head says of its algorithm is only ever compared
/// with that, so that neither `none` nor a public key used as an HMAC secret gets anyone in (RFC 8725, 3.1).
#[derive(Debug)]
pub(crate) struct Bearer {
    keys: Vec<TokenKey>,
}

struct TokenKey {
    id: Option<String>,
    key: DecodingKey,
    rules: Validation,
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenKey").field("id", &self.id).field("rules", &self.rules).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
}

impl Bearer {
    /// Tokens signed with this secret, by HS256.
    pub(crate) fn from_secret(secret: &[u8], audience: &str) -> Result<Self, String> {
        // RFC 7518, 3.2: a key shorter than the hash makes the signature weaker than it looks.
        if secret.len() < 32 {
            return Err(format!("the secret has {} bytes, and HS256 needs at least 32", secret.len()));
        }
        let key = DecodingKey::from_secret(secret);
        Ok(Self { keys: vec![TokenKey { id: None, key, rules: rules(Algorithm::HS256, audience) }] })
    }

    /// Tokens signed with one of these public keys.
    pub(crate) fn from_jwks(text: &str, audience: &str) -> Result<Self, String> {
        let set: JwkSet = serde_json::from_str(text).map_err(|error| format!("not a JWKS: {error}"))?;
        let mut keys = Vec::new();
        for (at, jwk) in set.keys.iter().enumerate() {
            let name =
                jwk.common.key_id.as_deref().map_or_else(|| format!("number {}", at + 1), |id| format!("{id:?}"));
            let algorithm = algorithm(jwk).ok_or_else(|| format!("key {name}: no algorithm that can be used here"))?;
            let key = DecodingKey::from_jwk(jwk).map_err(|error| format!("key {name}: {error}"))?;
            keys.push(TokenKey { id: jwk.common.key_id.clone(), key, rules: rules(algorithm, audience) });
        }
        if keys.is_empty() {
            return Err("there is no key in it".to_owned());
        }
        if keys.len() > 1 && keys.iter().any(|key| key.id.is_none()) {
            return Err("of several keys each needs a `kid`".to_owned());
        }
        Ok(Self { keys })
    }

    fn user(&self, token: &str) -> Result<User, Unauthorized> {
        let key = self.key_for(token)?;
        let token = jsonwebtoken::decode::<Claims>(token, &key.key, &key.rules).map_err(Unauthorized::from)?;
        Ok(User(token.claims.sub.into()))
    }

    /// The only key, or the one that the token names.
    fn key_for(&self, token: &str) -> Result<&TokenKey, Unauthorized> {
        if let [key] = &self.keys[..] {
            return Ok(key);
        }
        let named = jsonwebtoken::decode_header(token).map_err(Unauthorized::from)?.kid;
        let named = named.ok_or(Unauthorized::Token("the token does not name its key\n"))?;
        let key = self.keys.iter().find(|key| key.id.as_ref() == Some(&named));
        key.ok_or(Unauthorized::Token("the token names an unknown key\n"))
    }
}

fn rules(algorithm: Algorithm, audience: &str) -> Validation {
    let mut rules = Validation::new(algorithm);
    rules.set_audience(&[audience]);
    rules.set_required_spec_claims(&["exp", "aud", "sub"]);
    rules.validate_nbf = true;
    rules.leeway = LEEWAY;
    rules
}

/// The one algorithm of a key: what the key says, or what its type is commonly used with. A symmetric key does not
/// belong in a set of public ones.
fn algorithm(jwk: &Jwk) -> Option<Algorithm> {
    let said = match jwk.common.key_algorithm {
        Some(algorithm) => Some(algorithm.to_string().parse().ok()?),
        None => None,
    };
    let of_type = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(curve) => match curve.curve {
            EllipticCurve::P256 => Algorithm::ES256,
            EllipticCurve::P384 => Algorithm::ES384,
            _ => return None,
        },
        AlgorithmParameters::OctetKeyPair(_) => Algorithm::EdDSA,
        _ => return None,
    };
    match said {
        None => Some(of_type),
        Some(said) => (Algorithm::family(said) == of_type.family()).then_some(said),
    }
}

/// Why the sender is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unauthorized {
    /// There are no credentials.
    Missing,
    /// There is an API key, and it is nobody's.
    ApiKey,
    /// There is a token, and this is wrong with it.
    Token(&'static str),
}

impl From<jsonwebtoken::errors::Error> for Unauthorized {
    fn from(error: jsonwebtoken::errors::Error) -> Self {
        Self::Token(match error.kind() {
            ErrorKind::ExpiredSignature => "the token has expired\n",
            ErrorKind::ImmatureSignature => "the token is not valid yet\n",
            ErrorKind::InvalidAudience => "the token is for another audience\n",
            ErrorKind::InvalidSignature => "the signature is wrong\n",
            ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => "the algorithm is not accepted\n",
            ErrorKind::MissingRequiredClaim(_) => "a required claim is missing\n",
            _ => "this is not a token\n",
        })
    }
}

impl IntoReply<Response<Body>> for Unauthorized {
    fn into_reply(self) -> Response<Body> {
        // RFC 6750, 3: an error is named only where there were credentials.
        let (challenge, text) = match self {
            Self::Missing => {
                (r#"Bearer realm="gateway""#, "send `Authorization: Bearer <JWT>` or `X-Api-Key: <key>`\n")
            }
            Self::ApiKey => (r#"Bearer realm="gateway""#, "this API key is nobody's\n"),
            Self::Token(wrong) => (r#"Bearer realm="gateway", error="invalid_token""#, wrong),
        };
        let mut reply = body::text(StatusCode::UNAUTHORIZED, text);
        reply.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        reply
    }
}
