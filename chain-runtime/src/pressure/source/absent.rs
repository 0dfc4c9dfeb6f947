//! Sources that a machine does not have.

use core::error::Error;
use core::fmt;
use std::string::String;

/// A source that this machine, or this process, does not have. It says what was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    name: &'static str,
    why: String,
}

impl Absent {
    /// There is no source `name`. `why` is the reason, as half a sentence.
    #[must_use]
    pub fn new(name: &'static str, why: String) -> Self {
        Self { name, why }
    }

    /// The source's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Why it is not there.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.why
    }
}

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no source `{}`: {}", self.name, self.why)
    }
}

impl Error for Absent {}
