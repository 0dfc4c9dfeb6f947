//! [`User`]: who sent the request, as a name that can stand in a field and in a line of a log.

use core::error::Error;
use core::fmt;
use std::sync::Arc;

/// The most bytes that a user's name may have. OpenID Connect allows subjects of this length.
pub const MAX_NAME: usize = 255;

/// The user who sent the request, by name. [`auth`](super::auth) provides it; a node of your own may provide it as
/// well.
///
/// The name is shared, so that a clone allocates nothing. It can be a field's value unchanged: it is not empty, has at
/// most [`MAX_NAME`] bytes, begins and ends with no space, and each of its characters is printable, in the sense of
/// [`char::escape_debug`]. So it has no control character, no line break, and nothing that is invisible or changes the
/// direction of a line.
///
/// ```
/// use chain_runtime::nodes::User;
///
/// assert_eq!(User::new("alice").unwrap().name(), "alice");
/// for name in ["", " root", "root ", "a\nb", "a\0b", "a\u{202e}b", &"a".repeat(256)] {
///     assert!(User::new(name).is_err(), "{name:?}");
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct User(Arc<str>);

impl User {
    /// A user with this name. It allocates unless it is given an `Arc<str>`.
    ///
    /// # Errors
    ///
    /// [`BadName`] if the name is not as [`User`] says.
    pub fn new(name: impl Into<Arc<str>> + AsRef<str>) -> Result<Self, BadName> {
        check(name.as_ref())?;
        Ok(Self(name.into()))
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check(name: &str) -> Result<(), BadName> {
    if name.is_empty() {
        return Err(BadName::Empty);
    }
    if name.len() > MAX_NAME {
        return Err(BadName::TooLong);
    }
    // Servers strip the spaces around a field's value, which would make it another name.
    if name.starts_with(' ') || name.ends_with(' ') {
        return Err(BadName::SpaceAround);
    }
    if name.chars().all(is_printable) { Ok(()) } else { Err(BadName::Unprintable) }
}

fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return matches!(c, ' '..='~');
    }
    // std knows what is printable, and shows it by what it escapes. It also escapes a combining mark at the beginning,
    // hence the `a`.
    let mut after_a = [b'a'; 5];
    let length = 1 + c.encode_utf8(&mut after_a[1..]).len();
    core::str::from_utf8(&after_a[..length]).is_ok_and(|text| text.escape_debug().nth(1) == Some(c))
}

/// Why a text is not the name of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadName {
    /// It is empty.
    Empty,
    /// It has more than [`MAX_NAME`] bytes.
    TooLong,
    /// It begins or ends with a space.
    SpaceAround,
    /// It has a character that is not visible.
    Unprintable,
}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the name is empty",
            Self::TooLong => "the name is too long",
            Self::SpaceAround => "the name begins or ends with a space",
            Self::Unprintable => "the name has a character that is not printable",
        })
    }
}

impl Error for BadName {}
