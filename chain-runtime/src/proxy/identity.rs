//! The fields that only the gateway may write, and for whom it forwards.

use core::fmt::Write as _;
use std::vec::Vec;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::error::Error;
use super::fields::remove_if;
use super::text::Text;
use crate::proxy::Client;

/// For whom a request is forwarded: what the node [`Forward`](super::Forward) asks the chain for.
///
/// The smallest is a [`Client`]: a request that came from an address. A chain that knows more, a user say, provides a value of its own
/// that says so:
///
/// ```
/// use chain_runtime::proxy::{Client, Sender, Statements, Unstatable};
/// use http::HeaderName;
///
/// const USER: HeaderName = HeaderName::from_static("x-forwarded-user");
///
/// struct Visitor {
///     client: Client,
///     user: String,
/// }
///
/// impl Sender for Visitor {
///     fn client(&self) -> &Client {
///         &self.client
///     }
///
///     fn state(&self, statements: &mut Statements<'_>) -> Result<(), Unstatable> {
///         statements.text(&USER, &self.user)
///     }
/// }
/// ```
///
/// The names have to be [reserved](super::Settings::reserves) with the node, so that no client can write them.
pub trait Sender {
    /// Where the request came from.
    fn client(&self) -> &Client;

    /// What the upstream is told besides, as fields.
    ///
    /// # Errors
    ///
    /// What [`Statements`] says. The request is refused then: a field that is left out would be read as nobody's request.
    fn state(&self, statements: &mut Statements<'_>) -> Result<(), Unstatable> {
        let _ = statements;
        Ok(())
    }
}

impl Sender for Client {
    fn client(&self) -> &Client {
        self
    }
}

/// What cannot be said in a field: a line break in a name, a name that is not reserved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unstatable {
    /// The field.
    pub name: HeaderName,
    /// Whether the name is reserved with the node. Where it is not, that is a mistake in the program, and no request passes.
    pub is_reserved: bool,
}

/// The fields by which the upstream learns of a request what only the gateway knows.
#[derive(Debug)]
pub struct Statements<'a> {
    pub(super) headers: &'a mut HeaderMap,
    pub(super) reserved: &'a Reserved,
    pub(super) text: &'a mut Text,
}

impl Statements<'_> {
    /// Says this, in the only field of that name.
    ///
    /// # Errors
    ///
    /// [`Unstatable`] where the name is not reserved.
    pub fn value(&mut self, name: &HeaderName, value: HeaderValue) -> Result<(), Unstatable> {
        if !self.reserved.is_stated(name) {
            return Err(Unstatable { name: name.clone(), is_reserved: false });
        }
        self.headers.insert(name.clone(), value);
        Ok(())
    }

    /// Says this text, in the only field of that name. Copies it, into memory that is used again.
    ///
    /// # Errors
    ///
    /// [`Unstatable`] where the name is not reserved, and where the text is not what a receiver would read: empty, with control characters, or with
    /// a space at its beginning or end. What is not ASCII is said in UTF-8.
    pub fn text(&mut self, name: &HeaderName, text: &str) -> Result<(), Unstatable> {
        let is_plain = !text.is_empty() && text.trim() == text && !text.chars().any(char::is_control);
        let value = if is_plain { self.text.value(|memory| memory.write_str(text)) } else { None };
        match value {
            Some(value) => self.value(name, value),
            None => Err(Unstatable { name: name.clone(), is_reserved: self.reserved.is_stated(name) }),
        }
    }
}

impl From<Unstatable> for Error {
    fn from(unstatable: Unstatable) -> Self {
        Self::Identity(unstatable)
    }
}

/// The names that no client may write, in any spelling that a server may take for them.
///
/// CGI made `_` of every `-`, and what follows it (WSGI, Rack, PHP) cannot tell `X_Forwarded_User` from `X-Forwarded-User`; some servers
/// make it of every character that is not a letter or a digit. So all of these are one name here.
#[derive(Clone, Debug)]
pub(super) struct Reserved {
    /// What is written here, and what goes no further.
    closed: Vec<HeaderName>,
    /// What a sender may state.
    stated: Vec<HeaderName>,
}

/// By these, servers learn from a proxy who the client is, or what it asked for. Some of them are written here; the others are not, and so nobody writes
/// them.
const OF_PROXIES: [&str; 29] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-port",
    "x-forwarded-server",
    "x-forwarded-ssl",
    "x-forwarded-scheme",
    "x-forwarded-prefix",
    "x-forwarded-by",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "true-client-ip",
    "x-original-host",
    "x-original-url",
    "x-original-uri",
    "x-rewrite-url",
    "x-forwarded",
    "x-forwarded-client-cert",
    "x-forwarded-path",
    "x-forwarded-uri",
    "x-forwarded-method",
    "forwarded-for",
    "client-ip",
    "cf-connecting-ip",
    "fastly-client-ip",
    "x-azure-clientip",
    // CGI makes the variable of it that names a proxy to be used.
    "proxy",
];

impl Default for Reserved {
    fn default() -> Self {
        let closed = OF_PROXIES.iter().map(|name| HeaderName::from_static(name)).collect();
        Self { closed, stated: Vec::new() }
    }
}

impl Reserved {
    pub(super) fn state(&mut self, more: impl IntoIterator<Item = HeaderName>) {
        self.stated.extend(more);
    }

    pub(super) fn hide(&mut self, more: impl IntoIterator<Item = HeaderName>) {
        self.closed.extend(more);
    }

    /// Whether a sender may state it.
    fn is_stated(&self, name: &HeaderName) -> bool {
        self.stated.contains(name)
    }

    /// Whether this name is one of them, or would be taken for one.
    pub(super) fn has(&self, name: &HeaderName) -> bool {
        let name = name.as_str().as_bytes();
        let is_it = |reserved: &HeaderName| {
            reserved.as_str().len() == name.len() && conflated(reserved.as_str().as_bytes(), name)
        };
        self.closed.iter().chain(&self.stated).any(is_it)
    }

    /// Removes what the client says in their place. What it says as `Forwarded` and its relatives is composed anew before that.
    pub(super) fn remove_from(&self, headers: &mut HeaderMap) {
        remove_if(headers, |name| self.has(name));
    }
}

/// Whether a server that makes one character of all that are no letters or digits reads the same. Both are lower-case, as names here are.
fn conflated(a: &[u8], b: &[u8]) -> bool {
    let fold = |byte: u8| if byte.is_ascii_alphanumeric() { byte } else { b'_' };
    a.iter().zip(b).all(|(&a, &b)| fold(a) == fold(b))
}
