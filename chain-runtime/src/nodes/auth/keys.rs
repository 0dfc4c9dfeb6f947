//! API keys.

use core::error::Error;
use core::fmt;
use std::boxed::Box;
use std::collections::{HashMap, HashSet};
use std::string::String;
use std::vec::Vec;

use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

use super::super::user::{BadName, User};

/// The least bytes of a key: 16 random letters cannot be guessed.
pub const MIN_KEY: usize = 16;

/// API keys, and their owners.
///
/// A key is compared with all keys, and with each in constant time. The time that this takes shows how many keys there
/// are, and how long they are, but never how much of a key was guessed. So the cost of a request grows with the number
/// of keys, by some nanoseconds for each. For more than some thousands, look keys up elsewhere, by a hash.
///
/// A user may have several, so that keys can be changed one after the other. A key has one owner. Neither `Debug` nor
/// an error shows a key.
#[derive(Clone)]
pub struct ApiKeys {
    keys: Box<[(User, Box<[u8]>)]>,
}

impl ApiKeys {
    /// Reads a line `user key` for each key. Text after a `#` is a comment.
    ///
    /// # Errors
    ///
    /// [`BadKeys`], which names the line: a line of another form, a name that a [`User`] cannot have, a key with less
    /// than [`MIN_KEY`] bytes or with characters other than visible ASCII, a key that is on an earlier line as well, or
    /// no key at all.
    pub fn read(text: &str) -> Result<Self, BadKeys> {
        let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.split('#').next().unwrap_or_default()));
        Self::collect(lines.filter(|(_, line)| !line.trim().is_empty()).map(|(at, line)| {
            let mut words = line.split_whitespace();
            match (words.next(), words.next(), words.next()) {
                (Some(name), Some(key), None) => Ok((at, name, key)),
                _ => Err(BadKeys { line: at, wrong: Wrong::Line }),
            }
        }))
    }

    /// The same, from pairs of a user's name and a key. The error counts them from 1.
    ///
    /// # Errors
    ///
    /// The same as [`read`](Self::read).
    pub fn new<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, BadKeys> {
        Self::collect(pairs.into_iter().enumerate().map(|(at, (name, key))| Ok((at + 1, name, key))))
    }

    fn collect<'a>(pairs: impl Iterator<Item = Result<(usize, &'a str, &'a str), BadKeys>>) -> Result<Self, BadKeys> {
        let (mut keys, mut seen, mut users) = (Vec::new(), HashSet::new(), HashMap::new());
        let mut last = 0;
        for pair in pairs {
            let (line, name, key) = pair?;
            let wrong = |wrong| BadKeys { line, wrong };
            last = line;
            if key.len() < MIN_KEY {
                return Err(wrong(Wrong::Short(name.into())));
            }
            // Other characters cannot arrive in a field, or not in one form only.
            if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(wrong(Wrong::Letters(name.into())));
            }
            if !seen.insert(key) {
                return Err(wrong(Wrong::Twice(name.into())));
            }
            let user = match users.get(name) {
                Some(user) => User::clone(user),
                None => User::new(name).map_err(|bad| wrong(Wrong::Name(bad)))?,
            };
            users.insert(name, user.clone());
            keys.push((user, key.as_bytes().into()));
        }
        if keys.is_empty() {
            return Err(BadKeys { line: last, wrong: Wrong::None });
        }
        Ok(Self { keys: keys.into() })
    }

    /// How many there are. There is at least one.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "it never is")]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// The owner of that key.
    #[must_use]
    pub fn owner(&self, key: &[u8]) -> Option<&User> {
        // No branch depends on whether a key is equal until all were compared.
        let (mut found, mut is_known) = (0, Choice::from(0));
        for (at, (_, known)) in (0_u64..).zip(&self.keys) {
            let is_equal = known.ct_eq(key);
            found.conditional_assign(&at, is_equal);
            is_known |= is_equal;
        }
        let at = usize::try_from(found).ok().filter(|_| is_known.into())?;
        self.keys.get(at).map(|(user, _)| user)
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owners = self.keys.iter().map(|(user, _)| user.name());
        f.debug_list().entries(owners).finish()
    }
}

/// The reason for which keys were not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadKeys {
    line: usize,
    wrong: Wrong,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Wrong {
    Line,
    Name(BadName),
    Short(String),
    Letters(String),
    Twice(String),
    None,
}

impl BadKeys {
    /// The line in which it stands, from 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }
}

impl fmt::Display for BadKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Wrong::None = self.wrong {
            return f.write_str("there is no API key in it");
        }
        write!(f, "line {}: ", self.line)?;
        match &self.wrong {
            Wrong::Line => f.write_str("a user and a key are wanted, with a space between them"),
            Wrong::Name(bad) => bad.fmt(f),
            Wrong::Short(user) => write!(f, "the key of {user:?} can be guessed: it has less than {MIN_KEY} letters"),
            Wrong::Letters(user) => write!(f, "the key of {user:?} has other than visible ASCII characters"),
            Wrong::Twice(user) => write!(f, "the key of {user:?} stands here twice: a key has one owner"),
            Wrong::None => Ok(()),
        }
    }
}

impl Error for BadKeys {}
