//! What a machine does not have.

use core::error::Error;
use core::fmt;
use std::string::String;

/// A source that this machine, or this process, does not have. Says what was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    name: &'static str,
    why: String,
}

impl Absent {
    /// That there is no source `name`, since `why`: a half sentence.
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
