//! The names of types whose text does not say enough: a node `store<S>` that provides a `Kept<S>` provides a
//! `Kept<Memory>` in its chain.
//!
//! [`type_name`](core::any::type_name) is not a `const fn`. So a description has a function, which is called when
//! something prints the description.

use core::fmt;

/// The part of a node's or a chain's description to which a type belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A need of a node's `enter`, by its index; for a chain, an input.
    NeededIn(usize),
    /// A need of a node's `exit`.
    NeededOut(usize),
    /// The value that a node provides; for a chain, its reply.
    Given,
    /// What a node breaks with.
    BrokenWith,
}

/// The names of the types that depend on type parameters. Other types are named as they are written.
#[derive(Clone, Copy)]
pub struct Names(Option<fn(Part) -> Option<&'static str>>);

impl Names {
    /// All types are as they are written.
    pub const AS_WRITTEN: Self = Self(None);

    /// Names types by this function. A type that the function does not name is named as it is written.
    #[must_use]
    pub const fn of(names: fn(Part) -> Option<&'static str>) -> Self {
        Self(Some(names))
    }

    /// The name of a type with this text.
    pub(super) fn of_part(self, part: Part, written: &'static str) -> TypeName {
        let name = self.0.and_then(|names| names(part));
        name.map_or(TypeName::Written(written), TypeName::Known)
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "by type" } else { "as written" })
    }
}

/// Compared by the names, since one function may have several addresses.
impl PartialEq for Names {
    fn eq(&self, other: &Self) -> bool {
        let names =
            |names: &Self| names.0.map(|name| (name(Part::NeededIn(0)), name(Part::Given), name(Part::BrokenWith)));
        names(self) == names(other)
    }
}
impl Eq for Names {}

/// A type's name, for a drawing.
#[derive(Clone, Copy)]
pub(super) enum TypeName {
    /// As the author of the node wrote it.
    Written(&'static str),
    /// From rustc, with all paths.
    Known(&'static str),
}

impl fmt::Display for TypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = match *self {
            Self::Written(written) => return f.write_str(written),
            Self::Known(name) => name,
        };
        // The last segment of each path: `alloc::vec::Vec<alloc::string::String>` becomes `Vec<String>`.
        let is_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '{' | '}' | '#');
        while let Some(letter) = rest.chars().next() {
            let end = rest.find(|other| !is_name(other)).unwrap_or(rest.len());
            let (word, behind) = rest.split_at(end.max(letter.len_utf8()));
            match behind.strip_prefix("::").filter(|_| end > 0) {
                Some(segment) => rest = segment,
                None => {
                    f.write_str(word)?;
                    rest = behind;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::TypeName;

    #[test]
    fn a_name_is_its_last_segment_and_so_are_its_arguments() {
        for (name, short) in [
            (core::any::type_name::<std::vec::Vec<std::string::String>>(), "Vec<String>"),
            (core::any::type_name::<Option<&'static str>>(), "Option<&str>"),
            (core::any::type_name::<dyn core::fmt::Debug + Send>(), "dyn Debug + Send"),
            (core::any::type_name::<fn(core::time::Duration) -> [u8; 4]>(), "fn(Duration) -> [u8; 4]"),
            (core::any::type_name::<(u8, core::cell::Cell<()>)>(), "(u8, Cell<()>)"),
            ("kinds::é::Öl", "Öl"),
            ("a::{{closure}}", "{{closure}}"),
            ("", ""),
        ] {
            assert_eq!(std::format!("{}", TypeName::Known(name)), short);
        }
    }
}
