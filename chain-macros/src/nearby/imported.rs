//! What imports lead to. A segment that a module imports for itself is taken in from where it stands, since nothing can be
//! handed on under a name that is private.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::{ItemUse, Path, UseTree};

use super::Around;
use super::scan::{File, Import, Kind};
use crate::names;

/// The path, beside the name of the segment that takes it in, of a segment with this name, if its module imports it.
pub(crate) fn where_imported(at: &Ident, name: &Ident) -> Option<Path> {
    let Around { file, scope, .. } = Around::of(at)?;
    let path = file.where_imported(scope, &names::unraw(name))?;
    let mut path = syn::parse_str::<Path>(&path).ok()?;
    path.segments.iter_mut().for_each(|part| part.ident.set_span(name.span()));
    Some(path)
}

impl Around {
    /// Whether the file imports variants of this name, or all of a type.
    pub(crate) fn may_import_variants(&self, name: &str) -> bool {
        self.file.imports.iter().any(|import| import.is_of_a_type() && import.may_bring(name))
    }
}

impl File {
    fn where_imported(&self, scope: usize, name: &str) -> Option<String> {
        let is_module = |group: &usize| self.groups[*group].kind == Kind::Module;
        if !is_module(&scope) || self.declares_segment(scope, name) {
            return None;
        }
        let (globs, mut named): (Vec<_>, Vec<_>) =
            self.imports_of(scope, name).partition(|import| import.words().all(|word| word != name));
        let outer = self.groups[scope].parent.filter(is_module);
        if let Some(import) = named.pop() {
            let path = self.path_of(import, name).filter(|_| named.is_empty())?;
            // The module around may have imported it for itself, too.
            let further = path.strip_prefix("super::").zip(outer);
            let further = further.and_then(|(name, outer)| self.where_imported(outer, name)).map(|path| outward(&path));
            return Some(further.unwrap_or_else(|| self.as_seen_here(scope, &path, 0)));
        }
        if globs.iter().any(|glob| glob.is_of_outer()) {
            let outer = outer?;
            let is_there = self.declares_segment(outer, name).then(|| format!("super::{name}"));
            if let Some(path) = is_there.or_else(|| self.where_imported(outer, name).map(|path| outward(&path))) {
                return Some(path);
            }
        }
        // These have no segments.
        let has_none = |glob: &&Import| glob.is_of_outer() || glob.root().is_some_and(|root| WITHOUT.contains(&root));
        let mut globs = globs.into_iter().filter(|glob| !has_none(glob));
        let path = globs.next().filter(|_| globs.next().is_none()).and_then(|glob| self.path_of(glob, "*"))?;
        Some(self.as_seen_here(scope, &format!("{path}::{name}"), 0))
    }

    /// This path, if it is not one that begins with what the module imports or with another crate.
    fn as_seen_here(&self, scope: usize, path: &str, steps: usize) -> String {
        let (first, rest) = path.split_once("::").map_or((path, None), |(first, rest)| (first, Some(rest)));
        if ["crate", "self", "super", ""].contains(&first) || self.declares_after("mod ", first) || steps == 4 {
            return path.to_owned();
        }
        let imported = self.imports_of(scope, first).find_map(|import| self.any_path_of(import, first));
        match (imported, rest) {
            (Some(imported), Some(rest)) => self.as_seen_here(scope, &format!("{imported}::{rest}"), steps + 1),
            // A name alone is that of another crate.
            _ => format!("::{path}"),
        }
    }

    /// The path by which this `use` names something, if nothing else can see the name.
    fn path_of(&self, import: &Import, name: &str) -> Option<String> {
        let before = self.before(import.ends);
        let is_private = !before[..before.rfind("use ")?].trim_end().ends_with(['b', ')']);
        self.any_path_of(import, name).filter(|_| is_private)
    }

    /// The path of what a `use` of this scope brings under this name.
    pub(super) fn imported_as(&self, scope: usize, name: &str) -> Option<String> {
        let mut named = self.imports_of(scope, name).filter(|import| import.words().any(|word| word == name));
        let only = named.next().filter(|_| named.next().is_none())?;
        self.any_path_of(only, name)
    }

    fn any_path_of(&self, import: &Import, name: &str) -> Option<String> {
        let before = self.before(import.ends);
        let item: ItemUse = syn::parse_str(&format!("{};", &before[before.rfind("use ")?..])).ok()?;
        let mut path = if item.leading_colon.is_some() { vec![String::new()] } else { Vec::new() };
        leads_to(&item.tree, name, &mut path).then(|| path.join("::"))
    }

    /// Whether there is one segment of this name in this scope, and it is private.
    pub(super) fn declares_a_private_segment(&self, scope: usize, name: &str) -> bool {
        let mut all = self.segments(scope).filter(|(_, called)| called == name);
        all.next().is_some_and(|(is_private, _)| is_private) && all.next().is_none()
    }

    fn declares_segment(&self, scope: usize, name: &str) -> bool {
        self.segments(scope).any(|(_, called)| called == name)
    }

    /// The segments that this scope declares: whether each is private, and its name.
    fn segments(&self, scope: usize) -> impl Iterator<Item = (bool, String)> {
        let chains = self.groups.iter().filter(move |group| group.kind == Kind::Chain && group.parent == Some(scope));
        chains.filter_map(|group| segment(self.within(group)))
    }
}

/// Whether the segment in these tokens of `chain!` is private, and its name.
fn segment(text: &str) -> Option<(bool, String)> {
    let tokens: TokenStream = text.parse().ok()?;
    let mut tokens = tokens.into_iter().peekable();
    while matches!(tokens.peek(), Some(TokenTree::Punct(_))) {
        tokens.next();
        tokens.next();
    }
    let mut words = tokens.filter_map(|token| match token {
        TokenTree::Ident(word) => Some(names::unraw(&word)),
        _ => None,
    });
    let first = words.next()?;
    let is_private = first == "segment";
    let is_one = is_private || words.next()? == "segment";
    is_one.then_some((is_private, words.next()?))
}

/// Crates whose names are imported all at once and that declare no segments.
const WITHOUT: [&str; 4] = ["std", "core", "alloc", "chain_runtime"];

/// A path, as written one module further in.
fn outward(path: &str) -> String {
    match path.split("::").next() {
        Some("crate" | "") => path.to_owned(),
        Some("self") => format!("super{}", &path["self".len()..]),
        _ => format!("super::{path}"),
    }
}

/// Adds the rest of the path to this name.
fn leads_to(tree: &UseTree, name: &str, path: &mut Vec<String>) -> bool {
    match tree {
        UseTree::Path(part) => {
            path.push(part.ident.to_string());
            leads_to(&part.tree, name, path) || {
                path.pop();
                false
            }
        }
        UseTree::Name(last) if names::unraw(&last.ident) == name => {
            path.push(last.ident.to_string());
            true
        }
        UseTree::Rename(last) if names::unraw(&last.rename) == name => {
            path.push(last.ident.to_string());
            true
        }
        UseTree::Glob(_) => name == "*",
        UseTree::Group(group) => group.items.iter().any(|tree| leads_to(tree, name, path)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::File;

    #[test]
    fn a_segment_is_private_without_pub() {
        for (text, found) in [
            ("segment front { auth }", Some((true, "front"))),
            ("/// A segment in a segment.\n #[allow(unused)] segment inner(log: Log) { log }", Some((true, "inner"))),
            ("/// A segment in a segment.\n pub segment inner { auth }", Some((false, "inner"))),
            ("pub(in crate::a) segment inner { auth }", Some((false, "inner"))),
            ("struct App; fn() -> u8 { auth }", None),
            ("pub struct segment; fn() -> u8 { auth }", None),
        ] {
            let segment = super::segment(text);
            assert_eq!(segment.as_ref().map(|(is_private, name)| (*is_private, name.as_str())), found, "{text}");
        }
    }

    #[test]
    fn an_import_of_a_module_leads_to_the_segment() {
        let path = |text: &str| {
            let file = File::read(text.to_owned());
            let scope = file.groups.iter().rposition(|group| group.kind == super::Kind::Module).unwrap_or_default();
            file.where_imported(scope, "front")
        };
        let outer = "chain! { pub segment front { auth } } ";
        for (text, found) in [
            ("mod s { use super::front; }", Some("super::front")),
            ("mod s { use super::{chain, a::{b, front}, User}; }", Some("super::a::front")),
            ("mod s { use crate::all::other as front; }", Some("crate::all::other")),
            ("mod s { use super::*; }", Some("super::front")),
            ("mod s { use nodes::front; }", Some("::nodes::front")),
            ("mod s { use inner::front; mod inner; }", Some("inner::front")),
            ("mod s { use super::*; chain! { segment front { auth } } }", None),
            ("mod s { use std::fmt::*; use super::front; }", Some("super::front")),
            ("mod s { use std::fmt::*; use super::*; }", Some("super::front")),
            ("mod s { use super::nodes::*; }", Some("super::nodes::front")),
            ("mod s { use super::v2 as all; use all::front; }", Some("super::v2::front")),
            ("mod s { pub use super::v2; use v2::front; }", Some("super::v2::front")),
            ("mod a { use super::front as f; mod s { use super::f as front; } }", Some("super::super::front")),
            ("mod s { use super::a::*; use super::b::*; }", None),
            ("mod s { pub use super::front; }", None),
            ("mod s { pub(crate) use super::front; }", None),
            ("mod s { use other::*; }", Some("::other::front")),
            ("mod s { }", None),
        ] {
            assert_eq!(path(&format!("{outer}{text}")).as_deref(), found, "{text}");
        }
        assert_eq!(path("mod s { use super::*; }"), None);
        assert_eq!(path("use nodes::front; mod s { use super::*; }").as_deref(), Some("::nodes::front"));
    }
}
