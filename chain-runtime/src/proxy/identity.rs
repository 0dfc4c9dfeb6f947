//! The fields that only the gateway may write, and the sender for which it forwards.

use core::fmt::Write as _;
use std::borrow::Cow;
use std::vec::Vec;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::error::Error;
use super::fields::remove_found;
use super::text::Text;
use crate::proxy::Client;

/// The sender of a request. The node [`Forward`](super::Forward) asks the chain for it.
///
/// The smallest sender is a [`Client`]: a request that came from an address. A chain that knows more, such as a user,
/// provides a value of its own that states it:
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
    /// The client that the request came from.
    fn client(&self) -> &Client;

    /// States what the upstream is told besides, as fields.
    ///
    /// # Errors
    ///
    /// The errors of [`Statements`]. The request is then refused: if a field were left out, the request would look as
    /// if it came from nobody.
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

/// A value that cannot stand in a field, such as a name with a line break, or a field that is not reserved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unstatable {
    /// The field.
    pub name: HeaderName,
    /// Whether the field is reserved with the node. If it is not, that is a mistake in the program, and no request
    /// passes.
    pub is_reserved: bool,
}

/// The fields by which the upstream learns what only the gateway knows about a request.
#[derive(Debug)]
pub struct Statements<'a> {
    pub(super) headers: &'a mut HeaderMap,
    pub(super) reserved: &'a Reserved,
    pub(super) text: &'a mut Text,
    /// A bit for each of the first names that may be stated: whether it was.
    said: u64,
}

impl<'a> Statements<'a> {
    pub(super) const fn new(headers: &'a mut HeaderMap, reserved: &'a Reserved, text: &'a mut Text) -> Self {
        Self { headers, reserved, text, said: 0 }
    }

    /// States this value, in the only field of that name.
    ///
    /// # Errors
    ///
    /// [`Unstatable`] if the name is not reserved.
    pub fn value(&mut self, name: &HeaderName, value: HeaderValue) -> Result<(), Unstatable> {
        let Some(at) = self.reserved.stated.iter().position(|stated| stated == name) else {
            return Err(Unstatable { name: name.clone(), is_reserved: false });
        };
        if at < SAID {
            self.said |= 1 << at;
        }
        self.headers.insert(name, value);
        Ok(())
    }

    /// States this text, in the only field of that name. It copies the text into memory that is reused.
    ///
    /// # Errors
    ///
    /// [`Unstatable`] if the name is not reserved, and if a receiver would not read this text: if it is empty, has
    /// control characters, or has a space at its beginning or end. Characters outside of ASCII are sent in UTF-8.
    pub fn text(&mut self, name: &HeaderName, text: &str) -> Result<(), Unstatable> {
        let is_plain = !text.is_empty() && text.trim() == text && !text.chars().any(char::is_control);
        let value = if is_plain { self.text.value(|memory| memory.write_str(text)) } else { None };
        match value {
            Some(value) => self.value(name, value),
            None => Err(Unstatable { name: name.clone(), is_reserved: self.reserved.is_stated(name) }),
        }
    }

    /// Removes what the client sent under the names that were not stated. Statements have replaced the others.
    pub(super) fn end(self) {
        for (at, name) in self.reserved.stated.iter().take(SAID).enumerate() {
            if self.said >> at & 1 == 0 {
                self.headers.remove(name);
            }
        }
    }
}

/// Of so many names it is known whether they were stated.
const SAID: usize = u64::BITS as usize;

impl From<Unstatable> for Error {
    fn from(unstatable: Unstatable) -> Self {
        Self::Identity(unstatable)
    }
}

/// The names that no client may write: those that are written here, those that are not passed on, and those that a sender
/// may state. They are meant in any spelling that a server may take for these names.
///
/// CGI turned every `-` into `_`, and programs that follow it (WSGI, Rack, PHP) cannot tell `X_Forwarded_User` from
/// `X-Forwarded-User`. Some servers do this with every character that is not a letter or a digit. So all of these count
/// as one name here.
#[derive(Clone, Debug)]
pub(super) struct Reserved {
    /// Fields that a sender may state.
    stated: Vec<HeaderName>,
    /// All of them, by their lengths: most fields of a request are as long as few of them.
    by_length: Vec<Vec<HeaderName>>,
}

/// In these fields, a proxy tells servers who the client is, or what it asked for. Some of them are written here. The
/// others are not, and so no upstream gets them.
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
    // CGI turns it into the variable that names a proxy to be used.
    "proxy",
];

impl Default for Reserved {
    fn default() -> Self {
        let mut reserved = Self { stated: Vec::new(), by_length: Vec::new() };
        reserved.hide(OF_PROXIES.map(HeaderName::from_static));
        reserved
    }
}

impl Reserved {
    pub(super) fn state(&mut self, more: impl IntoIterator<Item = HeaderName>) {
        for name in more {
            self.add(&name);
            self.stated.push(name);
        }
    }

    pub(super) fn hide(&mut self, more: impl IntoIterator<Item = HeaderName>) {
        more.into_iter().for_each(|name| self.add(&name));
    }

    fn add(&mut self, name: &HeaderName) {
        let length = name.as_str().len();
        if self.by_length.len() <= length {
            self.by_length.resize(length + 1, Vec::new());
        }
        self.by_length[length].push(name.clone());
    }

    /// Whether a sender may state this name.
    fn is_stated(&self, name: &HeaderName) -> bool {
        self.stated.contains(name)
    }

    /// Whether this name is reserved, or would be taken for a reserved one.
    pub(super) fn has(&self, name: &HeaderName) -> bool {
        self.alike(name).is_some()
    }

    /// The reserved name that it is, or would be taken for.
    fn alike(&self, name: &HeaderName) -> Option<&HeaderName> {
        let name = name.as_str().as_bytes();
        let alike = self.by_length.get(name.len())?;
        alike.iter().find(|reserved| conflated(reserved.as_str().as_bytes(), name))
    }

    /// Removes what the client sent under these names. `Forwarded` and its relatives are composed anew before that.
    ///
    /// A field whose very name may be stated is left to [`Statements`]: it mostly is the gateway's own, such as the id of
    /// a request, and would be removed and written once more.
    pub(super) fn remove_from(&self, headers: &mut HeaderMap) {
        remove_found(headers, |name| {
            let reserved = self.alike(name)?;
            if self.stated.iter().take(SAID).any(|stated| stated == name) {
                return None;
            }
            Some(if reserved == name { Cow::Borrowed(reserved) } else { Cow::Owned(name.clone()) })
        });
    }
}

/// Whether the names are the same to a server that turns all characters except letters and digits into one character.
/// Both are lower-case, as names here are.
fn conflated(a: &[u8], b: &[u8]) -> bool {
    a.iter().zip(b).all(|(&a, &b)| a == b || fold(a) == fold(b))
}

fn fold(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() { byte } else { b'_' }
}

#[cfg(test)]
mod tests {
    use std::borrow::ToOwned as _;

    use super::*;

    #[test]
    fn what_a_server_takes_for_a_reserved_name_is_one_and_nothing_else_is() {
        let mut reserved = Reserved::default();
        reserved.state([HeaderName::from_static("x-user")]);
        let like = |reserved: &str| {
            ["-", "_", ".", "!"].map(|other| HeaderName::try_from(reserved.replace('-', other)).expect("a name"))
        };
        for name in OF_PROXIES.iter().chain(&["x-user"]).flat_map(|name| like(name)) {
            assert!(reserved.has(&name), "{name}");
        }
        let near = |name: &str| [name[1..].to_owned(), std::format!("{name}s"), std::format!("z{}", &name[1..])];
        let others = OF_PROXIES.iter().flat_map(|name| near(name));
        for name in others.chain(["accept", "host", "user-agent", "cookie", "x-users", "a"].map(str::to_owned)) {
            let name = HeaderName::try_from(name).expect("a name");
            let is_one = OF_PROXIES.iter().any(|reserved| like(reserved).contains(&name));
            assert_eq!(reserved.has(&name), is_one, "{name}");
        }
    }
}
