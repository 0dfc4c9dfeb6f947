//! Names that nothing in a file declares or imports.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use proc_macro2::Ident;

use super::Around;
use super::scan::{File, Kind};
use crate::names;

/// Attributes that declare nothing of another name, and derives that do not either: rustc's own, and those of crates that most
/// programs have.
#[rustfmt::skip]
const KNOWN: &[&str] = &[
    "allow", "arg", "async_trait", "automatically_derived", "cfg", "cold", "collapse_debuginfo",
    "command", "default", "deny", "deprecated", "derive", "do_not_recommend", "doc", "error", "expect",
    "export_name", "forbid", "from", "global_allocator", "ignore", "inline", "instrument", "link", "link_name",
    "link_ordinal", "link_section", "macro_export", "macro_use", "main", "must_use", "no_mangle", "node",
    "non_exhaustive", "on_unimplemented", "path", "repr", "reset", "rustfmt", "serde", "should_panic", "source",
    "target_feature", "test", "track_caller", "unsafe", "used", "value", "warn",
];
#[rustfmt::skip]
const KNOWN_DERIVES: &[&str] = &[
    "Args", "Clone", "Copy", "Debug", "Default", "Deserialize", "Eq", "Error", "Hash", "Ord", "Parser",
    "PartialEq", "PartialOrd", "Reset", "Serialize", "Subcommand", "ValueEnum",
];

/// The types and traits that are in sight everywhere.
pub(super) const PRELUDE: &[&str] = &[
    "AsMut",
    "AsRef",
    "AsyncFn",
    "AsyncFnMut",
    "AsyncFnOnce",
    "Box",
    "Clone",
    "Copy",
    "Default",
    "DoubleEndedIterator",
    "Drop",
    "Eq",
    "Err",
    "ExactSizeIterator",
    "Extend",
    "Fn",
    "FnMut",
    "FnOnce",
    "From",
    "FromIterator",
    "Future",
    "Into",
    "IntoFuture",
    "IntoIterator",
    "Iterator",
    "None",
    "Ok",
    "Option",
    "Ord",
    "PartialEq",
    "PartialOrd",
    "Result",
    "Self",
    "Send",
    "Sized",
    "Some",
    "String",
    "Sync",
    "ToOwned",
    "ToString",
    "TryFrom",
    "TryInto",
    "Unpin",
    "Vec",
];

impl File {
    /// Whether something right in this group may be what a name stands for, other than a function.
    fn may_have(&self, group: usize, name: &str) -> bool {
        self.groups[group].has_a_macro
            || self.imports_of(group, name).next().is_some()
            || self.type_in(group, name).is_some()
    }

    /// Whether an attribute in this file may declare anything.
    fn may_declare_more(&self) -> bool {
        self.attributes_of_all().any(|(name, arguments)| !is_known(name, arguments))
    }
}

fn is_known(name: &str, arguments: &str) -> bool {
    let last = |path: &str| path.rsplit("::").next().unwrap_or_default().trim().to_owned();
    match name {
        "derive" => arguments.split(',').map(last).all(|name| name.is_empty() || KNOWN_DERIVES.contains(&&*name)),
        "cfg_attr" => {
            let (_, attribute) = arguments.split_once(',').unwrap_or_default();
            let (path, arguments) = attribute.split_once('(').unwrap_or((attribute, ""));
            is_known(&last(path), arguments)
        }
        name => KNOWN.contains(&name),
    }
}

impl Around {
    /// Whether nothing is in sight that the text of the file does not show.
    pub(super) fn shows_all(&self) -> bool {
        !self.file.may_declare_more() && !may_be_included(Path::new(&self.path))
    }
}

/// The type beside a chain that has this name in the form of a type's, if it has hooks: `RateLimit` for `rate_limit`.
pub(crate) fn type_called(name: &Ident) -> Option<String> {
    let Around { file, scope, .. } = Around::of(name)?;
    let text = names::unraw(name).replace('_', "");
    let mut types = file.groups[scope].types.iter().map(|at| &file.types[*at].name);
    types.find(|ty| ty.to_lowercase() == text && file.has_a_node_anywhere(ty)).cloned()
}

/// Whether nothing in the file in which it stands can be what this name in a chain is. If so: a function there whose name
/// is almost the same.
pub(crate) fn is_nowhere(name: &Ident) -> Option<Option<String>> {
    let around = Around::of(name)?;
    let (text, file) = (names::unraw(name), &around.file);
    if file.has_segment(&text) {
        return None;
    }
    let mut like = None;
    for group in file.outer(around.scope) {
        let of = &file.groups[group];
        if file.may_have(group, &text) {
            return None;
        }
        // A method is no name around its block.
        if of.kind == Kind::Methods {
            continue;
        }
        if file.functions_in(group, &text).next().is_some() {
            return None;
        }
        let imported = of.imports.iter().flat_map(|at| file.imports[*at].words());
        let declared = of.functions.iter().map(|at| file.functions[*at].name.as_str());
        let mut others = declared.chain(imported).filter(|other| !names::begins_like_a_type(other));
        like = like.or_else(|| others.find(|other| is_like(&text, other)).map(str::to_owned));
        if of.kind == Kind::Module {
            break;
        }
    }
    around.shows_all().then_some(like)
}

/// Whether nothing in the file in which this function stands can be the type of this name, as the function sees it.
pub(super) fn is_no_type(function: &Ident, ty: &str) -> bool {
    let Some(around) = Around::here(function) else { return false };
    let file = &around.file;
    for group in file.outer(around.scope) {
        if file.may_have(group, ty) {
            return false;
        }
        if file.groups[group].kind == Kind::Module {
            break;
        }
    }
    around.shows_all()
}

/// Whether another file of the crate may include this one by `include!`: then the names of the other one are in sight, too.
/// The crate's files are read for it, since there is an error otherwise.
pub(super) fn may_be_included(file: &Path) -> bool {
    let Ok(file) = file.canonicalize() else { return true };
    let folder = |name: &str| std::env::var_os(name).and_then(|folder| PathBuf::from(folder).canonicalize().ok());
    let (Some(beside), Some(name)) = (file.parent(), file.file_name().and_then(OsStr::to_str)) else { return true };
    if folder("OUT_DIR").is_some_and(|out| file.starts_with(out)) {
        return true;
    }
    let mut all = sources(beside, false);
    if let Some(root) = folder("CARGO_MANIFEST_DIR") {
        ["src", "tests", "examples", "benches"].iter().for_each(|part| all.extend(sources(&root.join(part), true)));
    }
    let includes = |text: String| {
        let mut others = text.split("include!").skip(1).map(|behind| behind.split(';').next().unwrap_or_default());
        others.any(|file| file.contains(name) || file.contains('!'))
    };
    all.iter().any(|other| std::fs::read_to_string(other).is_ok_and(includes))
}

/// The sources in a folder.
fn sources(folder: &Path, and_below: bool) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let sources = entries.flat_map(|path| match path.is_dir() {
        true if and_below => sources(&path, true),
        _ if path.extension().is_some_and(|extension| extension == "rs") => vec![path],
        _ => Vec::new(),
    });
    sources.collect()
}

/// Whether one of two names may be a misspelling of the other.
pub(super) fn is_like(one: &str, other: &str) -> bool {
    let plain = |name: &str| name.replace('_', "").to_lowercase();
    let (one, other) = (plain(one), plain(other));
    let most = one.len().max(other.len()) / 4;
    let letters = |name: &str| {
        let mut letters: Vec<_> = name.chars().collect();
        letters.sort_unstable();
        letters
    };
    let is_swapped = letters(&one) == letters(&other);
    one.len() > 2 && (is_swapped || distance(&one, &other) <= most.max(1))
}

/// How many letters have to be put in, left out or replaced.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (index, with) in other.chars().enumerate() {
            let replaced = diagonal + usize::from(letter != with);
            diagonal = row[index + 1];
            row[index + 1] = replaced.min(diagonal + 1).min(row[index] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::scan::File;
    use super::is_like;

    #[test]
    fn a_misspelling_is_like_the_name() {
        assert!(is_like("auht_user", "auth_user") && is_like("ratelimit", "rate_limit") && is_like("lgo", "log"));
        assert!(!is_like("auth", "limit") && !is_like("a", "b"));
    }

    #[test]
    fn an_attribute_of_another_crate_may_declare_anything() {
        let may = |text: &str| File::read(text.to_owned()).may_declare_more();
        assert!(!may(
            "#[derive(Clone, serde::Serialize)] struct A; #[node] fn a() {} #[tokio::main] async fn main() {}"
        ));
        assert!(!may("#[cfg_attr(unix, derive(Clone, Copy))] #[unsafe(no_mangle)] #[cfg_attr(test, allow(unused))]"));
        assert!(may("#[cfg_attr(unix, derive(Builder))]") && may("#[cfg_attr(any(unix, windows), a)]"));
        assert!(
            may("#[derive(Builder)] struct A;")
                && may("#[entity(a)] struct A;")
                && may("#[cfg_attr(unix, a)] struct A;")
        );
    }
}
