//! What brings names from elsewhere.

use crate::names;

/// A `use`, or a macro by example: it may bring a name.
pub(in crate::nearby) struct Import {
    pub(super) words: Vec<String>,
    /// Where its `;` stands.
    pub(in crate::nearby) ends: usize,
}

impl Import {
    pub(in crate::nearby) fn may_bring(&self, name: &str) -> bool {
        self.words.iter().any(|word| word == name || word == "*")
    }

    /// The names in it.
    pub(in crate::nearby) fn words(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(String::as_str)
    }

    /// The first part of its path, if it is a `use`.
    pub(in crate::nearby) fn root(&self) -> Option<&str> {
        let path = self.words.strip_prefix(&["use".to_owned()])?;
        path.iter().map(String::as_str).find(|word| *word != ",")
    }

    /// Whether a name in it stands for another one.
    pub(in crate::nearby) fn renames(&self) -> bool {
        self.words.iter().any(|word| word == "as")
    }

    /// Whether it is a `use ..::*`.
    pub(in crate::nearby) fn is_of_all(&self) -> bool {
        self.words.iter().any(|word| word == "*")
    }

    /// Whether it brings what is declared in a type: `use Event::*`.
    pub(in crate::nearby) fn is_of_a_type(&self) -> bool {
        self.words.windows(3).any(|words| words[1] == "," && words[2] == "," && names::begins_like_a_type(&words[0]))
    }

    /// Whether it is `use super::*`.
    pub(in crate::nearby) fn is_of_outer(&self) -> bool {
        self.words.iter().map(String::as_str).eq(["use", "super", ",", ",", "*"])
    }
}
