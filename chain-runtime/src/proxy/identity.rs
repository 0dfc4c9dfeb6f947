//! The fields that only the gateway may write, and the sender for which it forwards.

use core::fmt::Write as _;
use std::vec::Vec;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::error::Error;
use super::fields::remove_if;
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
}

impl Statements<'_> {
    /// States this value, in the only field of that name.
    ///
    /// # Errors
    ///
    /// [`Unstatable`] if the name is not reserved.
    pub fn value(&mut self, name: &HeaderName, value: HeaderValue) -> Result<(), Unstatable> {
        if !self.reserved.is_stated(name) {
            return Err(Unstatable { name: name.clone(), is_reserved: false });
        }
        self.headers.insert(name.clone(), value);
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
}

impl From<Unstatable> for Error {
    fn from(unstatable: Unstatable) -> Self {
        Self::Identity(unstatable)
    }
}

/// The names that no client may write, in any spelling that a server may take for these names.
///
/// CGI turned every `-` into `_`, and programs that follow it (WSGI, Rack, PHP) cannot tell `X_Forwarded_User` from
/// `X-Forwarded-User`. Some servers do this with every character that is not a letter or a digit. So all of these count
/// as one name here.
#[derive(Clone, Debug)]
pub(super) struct Reserved {
    /// Fields that are written here, and fields that are not passed on.
    closed: Vec<HeaderName>,
    /// Fields that a sender may state.
    stated: Vec<HeaderName>,
    /// A bit for each of these names, as [`place`] says.
    marks: [u64; MARKS],
}

const MARKS: usize = 4;

/// The place of a name's bit: most fields of a request have another one than all reserved names. It depends on nothing
/// that a server may take for the same: on the length, and on the letters and digits at both ends and in the middle.
fn place(name: &HeaderName) -> (usize, u64) {
    let name = name.as_str().as_bytes();
    let at = |place: usize| name.get(place).map_or(0, |&byte| usize::from(fold(byte)));
    let mixed =
        name.len().wrapping_mul(59) ^ at(0) ^ at(name.len() / 2).wrapping_mul(5) ^ at(name.len().wrapping_sub(1)) << 3;
    (mixed / 64 % MARKS, 1 << (mixed % 64))
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
        let mut reserved = Self { closed: Vec::new(), stated: Vec::new(), marks: [0; MARKS] };
        reserved.hide(OF_PROXIES.map(HeaderName::from_static));
        reserved
    }
}

impl Reserved {
    pub(super) fn state(&mut self, more: impl IntoIterator<Item = HeaderName>) {
        self.stated.extend(more);
        self.mark();
    }

    pub(super) fn hide(&mut self, more: impl IntoIterator<Item = HeaderName>) {
        self.closed.extend(more);
        self.mark();
    }

    fn mark(&mut self) {
        for name in self.closed.iter().chain(&self.stated) {
            let (mark, bit) = place(name);
            self.marks[mark] |= bit;
        }
    }

    /// Whether a sender may state this name.
    fn is_stated(&self, name: &HeaderName) -> bool {
        self.stated.contains(name)
    }

    /// Whether this name is reserved, or would be taken for a reserved one.
    pub(super) fn has(&self, name: &HeaderName) -> bool {
        let (mark, bit) = place(name);
        if self.marks[mark] & bit == 0 {
            return false;
        }
        let name = name.as_str().as_bytes();
        let is_it = |reserved: &HeaderName| {
            reserved.as_str().len() == name.len() && conflated(reserved.as_str().as_bytes(), name)
        };
        self.closed.iter().chain(&self.stated).any(is_it)
    }

    /// Removes what the client sent under these names. `Forwarded` and its relatives are composed anew before that.
    pub(super) fn remove_from(&self, headers: &mut HeaderMap) {
        remove_if(headers, |name| self.has(name));
    }
}

/// Whether the names are the same to a server that turns all characters except letters and digits into one character.
/// Both are lower-case, as names here are.
fn conflated(a: &[u8], b: &[u8]) -> bool {
    a.iter().zip(b).all(|(&a, &b)| fold(a) == fold(b))
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
