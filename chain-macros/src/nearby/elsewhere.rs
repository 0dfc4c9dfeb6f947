//! Types that are certainly no type of this file: they come from another crate, or stand here under another name.
//!
//! Another crate cannot name a type of this one. So whatever such a type is called, it is another one than a `struct` or an
//! `enum` of this file.

use super::scan::{File, Import, Kind};
use super::{Around, OWN};

/// Types of std that are their own, whatever they hold.
const HOLDERS: &[&str] = &["Arc", "Box", "Cell", "Mutex", "Option", "Pin", "Rc", "RefCell", "Result", "RwLock", "Vec"];

/// How many aliases are followed.
const MOST: usize = 4;

impl Around {
    /// Whether this is the name of a `struct` or an `enum` that is declared in this file.
    pub(crate) fn is_of_this_file(&self, name: &str) -> bool {
        let declared = self.declared(name).flatten();
        declared.is_some_and(|ty| ty.is_certain && !ty.is_alias)
    }

    /// Whether the type of this text is certainly another one than the type of this name, which [is of this
    /// file](Self::is_of_this_file), and does not name it among its arguments either.
    pub(crate) fn is_other_than(&self, text: &str, name: &str) -> bool {
        self.is_other(text, name, MOST)
    }

    fn is_other(&self, text: &str, name: &str, depth: usize) -> bool {
        let is_sign = |sign: char| matches!(sign, '<' | '>' | ',' | ' ' | '(' | ')');
        let mut paths = text.split(is_sign).filter(|path| !path.is_empty());
        depth > 0
            && paths.all(|path| self.is_another_path(path, name, depth))
            && !self.may_come_from_its_arguments(text)
    }

    /// Whether a type of another crate has a type of this file among its arguments, and may be another name of what that one
    /// says: `type Out<T> = <T as Says>::It`.
    fn may_come_from_its_arguments(&self, text: &str) -> bool {
        let is_of_a_path = |sign: char| sign.is_alphanumeric() || matches!(sign, '_' | ':');
        let heads = text
            .match_indices('<')
            .map(|(at, _)| text[..at].rsplit(|sign| !is_of_a_path(sign)).next().unwrap_or_default());
        let is_holder =
            |head: &str| HOLDERS.contains(&head.rsplit("::").next().unwrap_or_default()) || self.is_of_this_file(head);
        let mut heads = heads.filter(|head| !is_holder(head));
        heads.next().is_some() && text.split(|sign| !is_of_a_path(sign)).any(|path| self.is_of_this_file(path))
    }

    fn is_another_path(&self, path: &str, name: &str, depth: usize) -> bool {
        let is_path = path.chars().all(|sign| sign.is_alphanumeric() || matches!(sign, '_' | ':'));
        if !is_path || path.split("::").any(|part| part == name) {
            return false;
        }
        if let Some((root, _)) = path.split_once("::") {
            return self.is_a_crate(root);
        }
        match self.declared(path) {
            Some(Some(ty)) if ty.is_certain && ty.is_alias => {
                self.file.stands_for(ty.at).is_some_and(|behind| self.is_other(&behind, name, depth - 1))
            }
            Some(Some(ty)) => ty.is_certain,
            Some(None) => self.comes_from_a_crate(path),
            None => OWN.contains(&path),
        }
    }

    /// Whether what is imported under this name comes from another crate.
    fn comes_from_a_crate(&self, name: &str) -> bool {
        for group in self.file.outer(self.scope) {
            let mut brings = self.file.imports_of(group, name).peekable();
            if brings.peek().is_some() {
                return brings
                    .all(|import| !import.renames() && import.root().is_some_and(|root| self.is_a_crate(root)));
            }
            if self.file.groups[group].kind == Kind::Module {
                return false;
            }
        }
        false
    }

    /// Whether this name at the beginning of a path is that of another crate.
    fn is_a_crate(&self, root: &str) -> bool {
        let is_plain =
            |root: &str| !["", "crate", "self", "super", "Self"].contains(&root) && !self.file.may_declare_module(root);
        // A crate may go by its own name in all of its files: `extern crate self as name`.
        if !is_plain(root) || root == crate::names::compiled_crate() {
            return false;
        }
        // What begins with the crate does not bring another thing of its name, and a glob of a crate brings only what is a crate's.
        let is_harmless = |import: &Import| match import.root() {
            Some(own) if own == root => import.words().filter(|word| *word == root).count() == 1,
            Some(other) => import.is_of_all() && is_plain(other),
            None => false,
        };
        for group in self.file.outer(self.scope) {
            if !self.file.imports_of(group, root).all(is_harmless) {
                return false;
            }
            if self.file.groups[group].kind == Kind::Module {
                return !self.file.groups[group].has_a_macro;
            }
        }
        false
    }
}

impl File {
    /// Whether a module of this name may be declared anywhere in the file, or a crate under this name.
    fn may_declare_module(&self, name: &str) -> bool {
        self.declares_after("mod ", name) || self.declares_after("as ", name) || self.declares_after("crate ", name)
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::super::Around;
    use super::super::scan::File;

    fn is_other(file: &str, text: &str) -> bool {
        let around = Around { file: Rc::new(File::read(file.to_owned())), scope: 0, path: String::new() };
        assert!(around.is_of_this_file("User"), "{file}");
        around.is_other_than(text, "User")
    }

    #[test]
    fn a_type_of_another_crate_is_no_type_of_this_file() {
        let file =
            "use axum::{extract::Request, response::Response}; use http::*; use std::sync::Arc; struct User; struct Db;
            type In = http::Request<String>; type Out = In;";
        for text in [
            "Request",
            "Response",
            "Arc<Db>",
            "http::Request<Vec<u8>>",
            "In",
            "Out",
            "Db",
            "String",
            "Option<In>",
            "()",
            "Body",
        ] {
            assert!(is_other(file, text), "{text}");
        }
        for text in ["User", "Option<User>", "Arc<User>", "&str", "[u8; 2]", "http::Of<User>", "fn() -> u8"] {
            assert!(!is_other(file, text), "{text}");
        }
    }

    #[test]
    fn in_doubt_it_may_be_one() {
        for file in [
            "use crate::Request; struct User;",
            "use self::inner::Request; struct User; mod inner { pub type Request = super::User; }",
            "use inner::Request; struct User; mod inner { pub type Request = super::User; }",
            "use inner::Request; struct User; mod inner;",
            "use a::User as Request; struct User;",
            "use super::*; struct User;",
            "use a::Request; use super::*; struct User;",
            "use a::b; use b::Request; struct User;",
            "use a::{Request, inner::a}; struct User;",
            "extern crate self as a; use a::Request; struct User;",
            "declare! {} use a::Request; struct User;",
            "struct User; type Request = User;",
            "struct User; #[cfg(unix)] type Request = a::B;",
            "struct User; type Request<T = User> = T;",
            "use self::a::*; struct User; mod a {}",
            "use a::Out; struct User; struct Tag; type Request = Out<Tag>;",
            "use a::*; struct User; declare! {}",
        ] {
            assert!(!is_other(file, "Request"), "{file}");
        }
    }
}
