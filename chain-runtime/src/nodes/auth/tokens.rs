//! JSON Web Tokens.

use core::error::Error;
use core::fmt;
use core::time::Duration;
use std::borrow::{Cow, ToOwned as _};
use std::format;
use std::string::{String, ToString as _};
use std::sync::Arc;
use std::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::de::{IgnoredAny, Visitor};
use serde::{Deserialize, Deserializer};

use super::super::user::User;

/// The most bytes of a token, unless [`Tokens::longest`] says otherwise.
pub const MAX_TOKEN: usize = 8 * 1024;

/// Checks JSON Web Tokens: their signature, by jsonwebtoken, with one of these keys, and their claims.
///
/// - Each key is bound to one algorithm when it is read. The algorithm in a token's head is only compared with that
///   one. So neither `none` nor a public key used as an HMAC secret is accepted (RFC 8725, 3.1). Keys and addresses in
///   the head (`jwk`, `jku`, `x5u`) are never used.
/// - A head with `crit` is refused, since no extension is understood here (RFC 7515, 4.1.11), and so is a head with
///   `b64` (RFC 7797).
/// - `exp` and `sub` have to be there. `nbf` is respected. The subject has to be the name of a [`User`].
/// - `aud` has to name the [`audience`](Self::audience). If no audience is set, a token with an `aud` is meant for
///   another service (RFC 7519, 4.1.3). `iss` has to be the [`issuer`](Self::issuer), if one is set.
/// - A token over [`MAX_TOKEN`] bytes is not looked at.
///
/// ```
/// use chain_runtime::nodes::auth::{Auth, Tokens};
///
/// let tokens = Tokens::from_secret(b"a secret of at least thirty-two bytes")?.audience("example").issuer("https://login.example");
/// let auth = Auth::new("example").tokens(tokens);
/// # Ok::<(), chain_runtime::nodes::auth::BadTokenKeys>(())
/// ```
#[derive(Clone)]
pub struct Tokens {
    keys: Vec<TokenKey>,
    longest: usize,
}

#[derive(Clone)]
struct TokenKey {
    id: Option<String>,
    key: DecodingKey,
    rules: Validation,
}

/// The parts of a token's head that are read before its key is known.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, default)]
    kid: Option<Cow<'a, str>>,
    #[serde(default)]
    crit: Presence,
    #[serde(default)]
    b64: Presence,
}

#[derive(Deserialize)]
struct Claims {
    sub: Subject,
    #[serde(default)]
    aud: Presence,
}

/// Whether a member is there, whatever its value, even `null`.
#[derive(Clone, Copy, Default, PartialEq)]
enum Presence {
    #[default]
    Absent,
    Present,
}

impl<'de> Deserialize<'de> for Presence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self::Present)
    }
}

/// The subject, in the memory that the user keeps.
struct Subject(Arc<str>);

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Subject;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Subject, E> {
                if text.len() > super::super::user::MAX_NAME {
                    return Err(E::custom("too long"));
                }
                Ok(Subject(text.into()))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl Tokens {
    /// Tokens that are signed with this secret, by HS256.
    ///
    /// # Errors
    ///
    /// [`BadTokenKeys`] if the secret has less than 32 bytes: a key shorter than the hash makes the signature weaker
    /// than it looks (RFC 7518, 3.2).
    pub fn from_secret(secret: &[u8]) -> Result<Self, BadTokenKeys> {
        if secret.len() < 32 {
            return Err(BadTokenKeys(format!("the secret has {} bytes, and HS256 needs at least 32", secret.len())));
        }
        Ok(Self::with(std::vec![TokenKey::new(None, DecodingKey::from_secret(secret), Algorithm::HS256)]))
    }

    /// Tokens that are signed with one of the keys of a JWK set (RFC 7517), which is JSON.
    ///
    /// The algorithm of a key is the one that it names, or the one with which its type is commonly used: RS256, ES256,
    /// ES384, EdDSA. Of several keys a token names its own, by `kid`. Keys that are not for signatures, or of an
    /// unknown kind, are left out, as RFC 7517, 5, says. A symmetric key does not belong into a set of public ones, and
    /// is left out, too.
    ///
    /// # Errors
    ///
    /// [`BadTokenKeys`] if the text is no JWK set, if a key in it is broken, if two keys have one `kid` or one of
    /// several keys has none, and if no key is left.
    pub fn from_jwks(text: &str) -> Result<Self, BadTokenKeys> {
        let set: JwkSet =
            serde_json::from_str(text).map_err(|error| BadTokenKeys(format!("not a JWK set: {error}")))?;
        let mut keys: Vec<TokenKey> = Vec::new();
        for (at, jwk) in set.keys.iter().enumerate() {
            let id = jwk.common.key_id.as_deref();
            let Some(algorithm) = algorithm(jwk) else { continue };
            let key = DecodingKey::from_jwk(jwk).map_err(|error| match id {
                Some(id) => BadTokenKeys(format!("key {id:?}: {error}")),
                None => BadTokenKeys(format!("key number {}: {error}", at + 1)),
            })?;
            if let Some(id) = id.filter(|_| keys.iter().any(|key| key.id.as_deref() == id)) {
                return Err(BadTokenKeys(format!("two keys have the `kid` {id:?}")));
            }
            keys.push(TokenKey::new(id.map(str::to_owned), key, algorithm));
        }
        match &keys[..] {
            [] => Err(BadTokenKeys("there is no key in it that can be used here".to_owned())),
            [_, _, ..] if keys.iter().any(|key| key.id.is_none()) => {
                Err(BadTokenKeys("of several keys each needs a `kid`".to_owned()))
            }
            _ => Ok(Self::with(keys)),
        }
    }

    fn with(keys: Vec<TokenKey>) -> Self {
        Self { keys, longest: MAX_TOKEN }
    }

    /// Sets for whom tokens have to be: `aud` has to be this, or to contain it.
    #[must_use]
    pub fn audience(self, audience: &str) -> Self {
        self.rule(|rules| {
            rules.set_audience(&[audience]);
            rules.required_spec_claims.insert("aud".to_owned());
        })
    }

    /// Sets who has to have issued the tokens: `iss` has to be this.
    #[must_use]
    pub fn issuer(self, issuer: &str) -> Self {
        self.rule(|rules| {
            rules.set_issuer(&[issuer]);
            rules.required_spec_claims.insert("iss".to_owned());
        })
    }

    /// Sets by how much the clocks of different machines may differ: `exp` may be past, and `nbf` ahead, by this much.
    /// It is in whole seconds. The default is five.
    #[must_use]
    pub fn leeway(self, leeway: Duration) -> Self {
        self.rule(|rules| rules.leeway = leeway.as_secs())
    }

    /// The most bytes of a token.
    #[must_use]
    pub const fn longest(mut self, bytes: usize) -> Self {
        self.longest = bytes;
        self
    }

    fn rule(mut self, change: impl Fn(&mut Validation)) -> Self {
        self.keys.iter_mut().for_each(|key| change(&mut key.rules));
        self
    }

    pub(super) fn user(&self, token: &str) -> Result<User, BadToken> {
        if token.len() > self.longest {
            return Err(BadToken::TooLong);
        }
        let TokenKey { key, rules, .. } = self.key_for(token)?;
        let Claims { sub, aud } = jsonwebtoken::decode(token, key, rules).map_err(BadToken::from)?.claims;
        // jsonwebtoken reports nothing if it cannot read an `aud`.
        if rules.aud.is_none() && aud == Presence::Present {
            return Err(BadToken::Audience);
        }
        User::new(sub.0).map_err(|_| BadToken::Subject)
    }

    /// The only key, or the one that the token names.
    fn key_for(&self, token: &str) -> Result<&TokenKey, BadToken> {
        let (head, _) = token.split_once('.').ok_or(BadToken::Malformed)?;
        let head = URL_SAFE_NO_PAD.decode(head).map_err(|_| BadToken::Malformed)?;
        let Head { kid, crit, b64 } = serde_json::from_slice(&head).map_err(|_| BadToken::Malformed)?;
        if crit == Presence::Present || b64 == Presence::Present {
            return Err(BadToken::Critical);
        }
        if let [key] = &self.keys[..] {
            return Ok(key);
        }
        let named = kid.ok_or(BadToken::NoKey)?;
        self.keys.iter().find(|key| key.id.as_deref() == Some(&*named)).ok_or(BadToken::UnknownKey)
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.keys.iter().map(|key| (key.id.as_deref().unwrap_or("-"), &key.rules.algorithms[..]));
        f.debug_map().entries(keys).finish()
    }
}

impl TokenKey {
    fn new(id: Option<String>, key: DecodingKey, algorithm: Algorithm) -> Self {
        let mut rules = Validation::new(algorithm);
        rules.set_required_spec_claims(&["exp", "sub"]);
        rules.validate_nbf = true;
        rules.leeway = 5;
        Self { id, key, rules }
    }
}

/// The one algorithm of a key: the one that the key names, or the one with which its type is commonly used.
fn algorithm(jwk: &Jwk) -> Option<Algorithm> {
    if !matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature)) {
        return None;
    }
    let said: Option<Algorithm> = match jwk.common.key_algorithm {
        Some(algorithm) => Some(algorithm.to_string().parse().ok()?),
        None => None,
    };
    let of_type = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => match said {
            Some(said) if said.family() == Algorithm::RS256.family() => said,
            _ => Algorithm::RS256,
        },
        AlgorithmParameters::EllipticCurve(curve) => match curve.curve {
            EllipticCurve::P256 => Algorithm::ES256,
            EllipticCurve::P384 => Algorithm::ES384,
            _ => return None,
        },
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => Algorithm::EdDSA,
        _ => return None,
    };
    said.is_none_or(|said| said == of_type).then_some(of_type)
}

/// The error in a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadToken {
    Malformed,
    TooLong,
    Critical,
    NoKey,
    UnknownKey,
    Expired,
    Immature,
    Audience,
    Issuer,
    Signature,
    Algorithm,
    Claim,
    Subject,
}

impl BadToken {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Expired => "token-expired",
            _ => "token-invalid",
        }
    }

    pub(super) const fn detail(self) -> &'static str {
        match self {
            Self::Malformed => "this is not a token",
            Self::TooLong => "the token is too long",
            Self::Critical => "the token has extensions that are not understood here",
            Self::NoKey => "the token does not name its key",
            Self::UnknownKey => "the token names an unknown key",
            Self::Expired => "the token has expired",
            Self::Immature => "the token is not valid yet",
            Self::Audience => "the token is for another audience",
            Self::Issuer => "the token is of another issuer",
            Self::Signature => "the signature is wrong",
            Self::Algorithm => "the algorithm is not accepted",
            Self::Claim => "a required claim is missing or malformed",
            Self::Subject => "the token's subject is not the name of a user",
        }
    }
}

impl From<jsonwebtoken::errors::Error> for BadToken {
    fn from(error: jsonwebtoken::errors::Error) -> Self {
        match error.kind() {
            ErrorKind::ExpiredSignature => Self::Expired,
            ErrorKind::ImmatureSignature => Self::Immature,
            ErrorKind::InvalidAudience => Self::Audience,
            ErrorKind::InvalidIssuer => Self::Issuer,
            ErrorKind::InvalidSignature => Self::Signature,
            ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => Self::Algorithm,
            ErrorKind::MissingRequiredClaim(_) | ErrorKind::InvalidClaimFormat(_) => Self::Claim,
            _ => Self::Malformed,
        }
    }
}

/// The reason for which keys cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadTokenKeys(String);

impl fmt::Display for BadTokenKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for BadTokenKeys {}
