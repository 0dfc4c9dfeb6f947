//! Decides who reaches the admin address: no page of another site in the operator's browser, and from other machines
//! only clients with the token.

use std::net::IpAddr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chain_runtime::{IntoReply, node};
use http::header::{AUTHORIZATION, HOST, ORIGIN, WWW_AUTHENTICATE};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderValue, Method, Response, StatusCode};
use subtle::ConstantTimeEq as _;

use super::{Content, text};

/// The least length of a token, since clients can try to guess it.
const SHORTEST: usize = 16;

/// Asks for a token, if there is one.
pub(crate) struct Door {
    token: Option<String>,
}

impl Door {
    /// Asks for none: this is for an address that only this machine reaches.
    pub(crate) const fn open() -> Self {
        Self { token: None }
    }

    /// Asks everyone, on this machine as well, since another server on it may pass requests on.
    pub(crate) fn with(token: &str) -> Result<Self, &'static str> {
        let token = token.trim();
        if token.len() < SHORTEST || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("a token of at least 16 letters, digits and signs is wanted");
        }
        Ok(Self { token: Some(token.to_owned()) })
    }

    /// The people who can open the page, for the page to say.
    pub(crate) const fn notice(&self) -> &'static str {
        match self.token {
            Some(_) => "Who opens this page needs its token, from wherever it is.",
            None => {
                "Only this machine can open this page. Whoever is not on it needs a token, which --admin-token-file names."
            }
        }
    }

    /// Whether everyone has to send a token.
    pub(super) const fn asks(&self) -> bool {
        self.token.is_some()
    }

    fn knows(&self, request: &Parts) -> bool {
        let Some(token) = &self.token else { return true };
        let said = request.headers.get(AUTHORIZATION).and_then(|said| said.to_str().ok());
        let Some((scheme, said)) = said.and_then(|said| said.split_once(' ')) else { return false };
        let is_it = |said: &[u8]| bool::from(said.ct_eq(token.as_bytes()));
        if scheme.eq_ignore_ascii_case("bearer") {
            return is_it(said.trim().as_bytes());
        }
        // A browser sends this after it has asked its user: the token is the password.
        let said = scheme.eq_ignore_ascii_case("basic").then(|| BASE64_STANDARD.decode(said.trim()).ok()).flatten();
        let password = said.as_deref().and_then(|said| said.splitn(2, |byte| *byte == b':').nth(1));
        password.is_some_and(is_it)
    }
}

#[node]
impl Door {
    /// "Alive" and "ready" are no secrets, and programs that ask for them often have no credentials.
    fn enter(&self, request: &Parts) -> Result<(), Denied> {
        let is_health = matches!(request.uri.path(), "/healthz" | "/readyz");
        if is_health || self.knows(request) { Ok(()) } else { Err(Denied::NoToken) }
    }
}

/// Checks the name under which the address was reached. A page of another site can let its own name point to this
/// machine (DNS rebinding), and would then read all of this as its own. It cannot do so with an address, or with
/// `localhost`, or if a token is required, which its visitor's browser keeps for another name.
#[node]
pub(super) fn host(request: &Parts, door: &Door) -> Result<(), Denied> {
    let authority = authority(request).ok_or(Denied::Host)?;
    let name = authority.host();
    let is_address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
    if is_address || name.eq_ignore_ascii_case("localhost") || door.token.is_some() {
        Ok(())
    } else {
        Err(Denied::Host)
    }
}

fn authority(request: &Parts) -> Option<Authority> {
    if let Some(authority) = request.uri.authority() {
        return Some(authority.clone());
    }
    let mut hosts = request.headers.get_all(HOST).iter();
    let (host, other) = (hosts.next()?, hosts.next());
    Authority::try_from(host.as_bytes()).ok().filter(|_| other.is_none())
}

/// Whether the page of another site lets the operator's browser ask. Such a page may link here, but it may not switch
/// anything, and is told nothing.
#[node]
pub(super) fn site(request: &Parts) -> Result<(), Denied> {
    let field = |name: &str| request.headers.get(name).map(HeaderValue::as_bytes);
    let reads = matches!(request.method, Method::GET | Method::HEAD);
    let is_own = match field("sec-fetch-site") {
        Some(b"same-origin" | b"none") => true,
        Some(_) => {
            let is_alone = matches!(field("sec-fetch-dest"), None | Some(b"document"));
            reads && is_alone && field("sec-fetch-mode") == Some(b"navigate")
        }
        None => true,
    };
    // A browser sends this with each POST, even one that is too old for the field above.
    let is_from_here = field(ORIGIN.as_str()).is_none_or(|origin| {
        let host = authority(request);
        // It is the other scheme if a server that speaks TLS passes the request on.
        let origin = origin.strip_prefix(b"http://").or_else(|| origin.strip_prefix(b"https://"));
        host.is_some_and(|host| origin == Some(host.as_str().as_bytes()))
    });
    if is_own && is_from_here { Ok(()) } else { Err(Denied::OtherSite) }
}

/// Why a client is refused.
pub(crate) enum Denied {
    Host,
    OtherSite,
    NoToken,
}

impl IntoReply<Response<Content>> for Denied {
    fn into_reply(self) -> Response<Content> {
        match self {
            Self::Host => text(
                StatusCode::MISDIRECTED_REQUEST,
                "without a token, this is reached by its address or as localhost, and by no other name\n",
            ),
            Self::OtherSite => text(StatusCode::FORBIDDEN, "another site's page asks for this\n"),
            Self::NoToken => {
                let mut reply = text(
                    StatusCode::UNAUTHORIZED,
                    "this needs the token that --admin-token-file names: as a password, with any name, or as \
                     Authorization: Bearer\n",
                );
                reply.headers_mut().insert(
                    WWW_AUTHENTICATE,
                    HeaderValue::from_static(r#"Basic realm="admin: the token is the password", charset="UTF-8""#),
                );
                reply
            }
        }
    }
}
