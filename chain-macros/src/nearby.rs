//! What stands around a declaration, in its file: for mistakes that rustc would report many times over, or in words
//! about macros that the user did not write.
//!
//! The file is read as text, once, and only braces, functions, types and imports are looked for. A name is judged only
//! if its scope is certain: no macro other than `chain!` stands around it. In doubt, rustc reports the mistake.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use proc_macro2::Ident;

use crate::ast::NodeUse;
use crate::names;
use crate::types;

mod arguments;
mod asked;
mod associated;
mod elsewhere;
mod hidden;
mod imported;
mod judged;
mod misplaced;
mod nowhere;
mod own;
mod scan;
mod seen;
mod spelt;
mod there;

pub(crate) use arguments::is_misapplied;
pub(crate) use asked::{bounds_asked, note_bounds};
pub(crate) use associated::lacks_a_type_of;
pub(crate) use hidden::{
    imported_unmarked, is_private, is_private_beside, is_private_type, is_segment_private, is_unmarked_in, less_visible,
};
pub(crate) use imported::where_imported;
pub(crate) use judged::{is_unmarked, least_visible, may_be_no_node};
pub(crate) use misplaced::{has_a_broken_block, is_method, is_misplaced, note_block};
pub(crate) use nowhere::{is_nowhere, type_called};
pub(crate) use own::{may_be_own, own, place_among_namesakes};
pub(crate) use seen::{Called, Seen, called};
pub(crate) use spelt::are_one;

use scan::{Declared, File, Kind};

/// A place in a file.
struct Spot {
    file: String,
    text: Rc<File>,
    at: usize,
    line: usize,
}

impl Spot {
    /// The place of a name that stands in the user's file as it is written here.
    fn of(name: &Ident) -> Option<Self> {
        let (path, text) = file_of(name)?;
        let span = name.span().unwrap();
        let (line, column) = (span.line(), span.column());
        let at = text.offset(line, column)?;
        text.has_word(at, &name.to_string()).then(|| Self { file: path.to_string_lossy().into_owned(), text, at, line })
    }

    /// The scope in which the declaration stands that this name is a part of.
    fn scope(&self, is_in_a_chain: bool) -> Option<usize> {
        let inner = self.text.group_at(self.at);
        let scope = match is_in_a_chain {
            true => self.text.outer(inner).find(|group| self.text.groups[*group].kind != Kind::Other)?,
            false => inner,
        };
        let scope = match (is_in_a_chain, &self.text.groups[scope].kind) {
            (true, Kind::Chain) => self.text.groups[scope].parent?,
            (true, _) => return None,
            (false, _) => scope,
        };
        let is_plain = |group: usize| !matches!(self.text.groups[group].kind, Kind::Macro | Kind::Chain);
        self.text.outer(scope).all(is_plain).then_some(scope)
    }
}

/// The file in which a name stands.
fn file_of(name: &Ident) -> Option<(std::path::PathBuf, Rc<File>)> {
    if !proc_macro::is_available() {
        return None;
    }
    let path = name.span().unwrap().local_file()?;
    let text = read(&path)?;
    Some((path, text))
}

/// The path of that file, as text.
fn path_of(name: &Ident) -> Option<String> {
    file_of(name).map(|(path, _)| path.to_string_lossy().into_owned())
}

/// Each file is read once. Most names that are looked up one after another stand in the same file.
fn read(path: &std::path::Path) -> Option<Rc<File>> {
    type Read = Option<Rc<File>>;
    thread_local! {
        static FILES: RefCell<HashMap<std::ffi::OsString, Read>> = RefCell::default();
        static LAST: RefCell<(std::ffi::OsString, Read)> = RefCell::default();
    }
    LAST.with_borrow_mut(|(last, file)| {
        if last.as_os_str() != path.as_os_str() {
            let read = || std::fs::read_to_string(path).ok().map(|text| Rc::new(File::read(text)));
            *file = FILES.with_borrow_mut(|files| files.entry(path.into()).or_insert_with(read).clone());
            *last = path.into();
        }
        file.clone()
    })
}

/// The line in which the same thing is declared already, in the same scope. This declaration is noted.
///
/// What a `#[cfg]` takes away is never expanded, and so never noted.
fn declared_before(what: &str, is_in_a_chain: bool, name: &Ident) -> Option<usize> {
    /// What, in which file, and in which scope: the place and its line.
    type Noted = HashMap<(String, String, usize), (usize, usize)>;
    thread_local! {
        static NOTED: RefCell<Noted> = RefCell::default();
    }
    let spot = Spot::of(name)?;
    let scope = spot.scope(is_in_a_chain)?;
    NOTED.with_borrow_mut(|noted| {
        let (at, line) = *noted.entry((what.to_owned(), spot.file, scope)).or_insert((spot.at, spot.line));
        // One declaration may be expanded several times.
        (at != spot.at).then_some(line)
    })
}

/// The line in which a chain of this name is declared already.
pub(crate) fn chain_before(name: &Ident) -> Option<usize> {
    declared_before(&format!("struct {}", names::unraw(name)), true, name)
}

/// The line in which a type of this name is declared beside the chain.
pub(crate) fn type_beside(name: &Ident) -> Option<usize> {
    let Around { file, scope, .. } = Around::of(name)?;
    let declared = file.type_in(scope, &names::unraw(name)).filter(|ty| ty.is_certain)?;
    Some(file.line(declared.at))
}

/// Whether a function of this name, with `#[node]`, stands in the same scope already.
pub(crate) fn function_before(name: &Ident) -> bool {
    declared_before(&format!("fn {}", names::unraw(name)), false, name).is_some()
}

/// Whether a function of this name is no method.
pub(crate) fn is_free(name: &Ident) -> bool {
    let scope = Spot::of(name).and_then(|spot| Some(spot.text.groups[spot.scope(false)?].kind != Kind::Methods));
    scope == Some(true)
}

/// Whether nothing in this file declares or imports a type of this name. (What a derive declares is not seen.)
pub(crate) fn is_unknown(ty: &Ident) -> bool {
    Around::here(ty).is_some_and(|around| around.is_declared(&names::unraw(ty)).is_none())
}

/// How many lifetimes the type of this name has, if it is declared in this file.
pub(crate) fn lifetimes_of(ty: &Ident) -> usize {
    let Some(around) = Around::here(ty) else { return 0 };
    let declared = around.declared(&names::unraw(ty)).flatten().filter(|ty| ty.is_certain && !ty.is_alias);
    declared.map_or(0, |ty| around.file.lifetimes_behind(ty.at))
}

/// Whether a type beside a chain names a type that nothing in this file declares or imports. (What a derive declares is
/// not seen, so this decides about words alone.)
pub(crate) fn names_what_is_unknown(chain: &Ident, ty: &syn::Type) -> bool {
    let Some(around) = Around::of(chain) else { return false };
    let is_unknown = |name: &str| around.is_declared(name).is_none() && !OWN.contains(&name);
    types::names(ty).iter().any(|name| is_unknown(name))
}

/// The line in which an `impl` block of this type has `#[node]` already. The name is a part of the type.
pub(crate) fn block_before(ty: &str, name: &Ident) -> Option<usize> {
    declared_before(&format!("impl {ty}"), false, name)
}

/// Types of Rust's own.
const OWN: [&str; 22] = [
    "Option", "Result", "String", "Vec", "bool", "char", "f32", "f64", "i128", "i16", "i32", "i64", "i8", "isize",
    "str", "u128", "u16", "u32", "u64", "u8", "usize", "Box",
];

/// What stands in the same scope as a chain or a declaration, and around it.
pub(crate) struct Around {
    file: Rc<File>,
    scope: usize,
    path: String,
}

impl Around {
    /// What is around the chain in which this name stands.
    pub(crate) fn of(chain: &Ident) -> Option<Self> {
        Self::at(chain, true)
    }

    /// What is around the declaration in which this name stands.
    fn here(name: &Ident) -> Option<Self> {
        Self::at(name, false)
    }

    fn at(name: &Ident, is_in_a_chain: bool) -> Option<Self> {
        let spot = Spot::of(name)?;
        let scope = spot.scope(is_in_a_chain)?;
        Some(Self { file: spot.text, scope, path: spot.file })
    }

    /// The same as [`has_function`](Self::has_function), for a node that is named without a path.
    pub(crate) fn has_node(&self, node: &NodeUse) -> bool {
        node.path.path.get_ident().is_some_and(|name| self.has_function(name))
    }

    /// Whether one function of this name stands in the same scope as the chain: a type in its signature means the same
    /// there.
    pub(crate) fn has_function(&self, name: &Ident) -> bool {
        let name = names::unraw(name);
        let mut all = self.file.functions_in(self.scope, &name);
        all.next().is_some_and(|function| !function.may_be_absent) && all.next().is_none()
    }

    /// Whether the chain stands in a module, and not in a function, where another macro may hide a name of the module.
    pub(crate) fn is_module(&self) -> bool {
        self.file.groups[self.scope].kind == Kind::Module
    }

    /// Whether all `impl` blocks of this type stand in the same scope as the chain.
    pub(crate) fn has_hooks(&self, ty: &Ident) -> bool {
        let ty = names::unraw(ty);
        let mut blocks = self.file.groups.iter().filter(|group| group.of == ty).peekable();
        blocks.peek().is_some() && blocks.all(|group| group.parent == Some(self.scope))
    }

    /// The parameters of a function in the same scope, as text, if it has no result.
    pub(crate) fn parameters_of_what_gives_nothing(&self, name: &Ident) -> Option<String> {
        let function = self.file.functions_in(self.scope, &names::unraw(name)).next();
        let function = function.filter(|_| self.has_function(name))?;
        self.file.parameters_without_a_result(function.at)
    }

    /// Whether two types are certainly different if this text is one of them, and the other one is such a text that is
    /// written in another way: it names types that are declared here, or Rust's own.
    pub(crate) fn is_type(&self, text: &str) -> bool {
        let is_sign = |sign: char| matches!(sign, '<' | '>' | ',' | ' ');
        let mut names = text.split(is_sign).filter(|name| !name.is_empty()).peekable();
        names.peek().is_some() && names.all(|name| self.is_declared(name).unwrap_or_else(|| OWN.contains(&name)))
    }

    /// The same, and two types of which one is this text are certainly different also if they are written with a different
    /// number of arguments: a type that is declared here may have arguments by default.
    pub(crate) fn is_one_type(&self, text: &str) -> bool {
        let name = |before: &str| before.rsplit(['<', ',', ' ']).next().unwrap_or_default().to_owned();
        let is_own = |(at, _): (usize, &str)| self.is_declared(&name(&text[..at])).is_none();
        text.match_indices('<').all(is_own) && self.is_type(text)
    }

    /// Whether the type of this name is a type of its own. `None` if nothing declares the name.
    fn is_declared(&self, name: &str) -> Option<bool> {
        Some(self.declared(name)?.is_some_and(|declared| declared.is_certain && !declared.is_alias))
    }

    /// The declaration of the type of this name, or `Some(None)` if it may stand elsewhere. `None` if nothing declares the
    /// name.
    fn declared(&self, name: &str) -> Option<Option<&Declared>> {
        for group in self.file.outer(self.scope) {
            if let Some(declared) = self.file.type_in(group, name) {
                return Some(Some(declared));
            }
            let is_module = |group: usize| self.file.groups[group].kind == Kind::Module;
            let mut brings = self.file.imports_of(group, name).peekable();
            let is_imported = brings.peek().is_some();
            // `use super::*` brings what the module around has.
            let goes_on = is_imported
                && brings.all(scan::Import::is_of_outer)
                && self.file.groups[group].parent.is_some_and(is_module);
            if is_imported && !goes_on {
                return Some(None);
            }
            // Another macro may declare anything.
            if is_module(group) && self.file.groups[group].has_a_macro {
                return Some(None);
            }
            if is_module(group) && !goes_on {
                return None;
            }
        }
        None
    }
}

/// Whether this name in a chain is that of a function without `#[node]`.
fn is_plain_function(name: &Ident, named: &str) -> bool {
    let Some(Around { file, scope, .. }) = Around::of(name) else { return false };
    for group in file.outer(scope) {
        let is_module = file.groups[group].kind == Kind::Module;
        if file.groups[group].kind == Kind::Methods {
            continue;
        }
        let found: Vec<_> = file.functions_in(group, named).collect();
        if !found.is_empty() {
            // A node that is written by hand may be a type of that name.
            return found.iter().all(|function| function.is_certain) && file.type_in(group, named).is_none();
        }
        // The name may be another one there.
        if is_module || file.imports_of(group, named).next().is_some() {
            return false;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::Around;
    use super::scan::File;

    fn around(text: &str) -> Around {
        Around { file: Rc::new(File::read(text.to_owned())), scope: 0, path: String::new() }
    }

    #[test]
    fn a_type_is_known_if_it_has_no_other_name() {
        let text = "use a::Imported; struct Own; type Alias = Own; mod inner { struct Other; }";
        let is_type = |text: &str, of: &str| around(text).is_type(of);
        for known in ["Own", "u8", "Option<Own>", "Result<Vec<Own>, String>"] {
            assert!(is_type(text, known), "{known}");
        }
        for doubt in ["Imported", "Alias", "Other", "Option<Imported>", "inner::Other", "&Own", "(Own,)", ""] {
            assert!(!is_type(text, doubt), "{doubt}");
        }
        assert!(!is_type("declare! { struct Alias; } struct Own; ", "u8"));
        assert!(is_type("declare! { struct Alias; } struct Own; ", "Own"));
        assert!(!is_type("use a::*;", "Vec<u8>"));
    }

    #[test]
    fn an_alias_stands_for_what_is_behind_it() {
        let text = "type Out = Result<User, No>; type Of<T> = Pin<Box<dyn Future<Output = T>>>; struct Own;";
        let alias = |of: &str| around(text).alias(of);
        assert_eq!(alias("Out").as_deref(), Some("Result<User, No>"));
        assert_eq!(alias("Of").as_deref(), Some("Pin<Box<dyn Future<Output = T>>>"));
        assert_eq!(alias("Own"), None);
    }

    #[test]
    fn a_module_has_all_that_it_takes_from_the_one_around_it() {
        let is_type = |text: &str, of: &str| {
            let whole = around(text);
            let scope = whole.file.groups.len() - 1;
            Around { scope, ..whole }.is_type(of)
        };
        assert!(is_type("struct Outer; mod inner { use super::*; struct Inner; }", "Outer"));
        assert!(is_type("struct Outer; mod inner { use super::*; struct Inner; }", "Inner"));
        assert!(is_type("mod outer { struct Own; mod inner { use super::*; } }", "Own"));
        for doubt in [
            "struct Outer; mod inner { use super::*; use other::*; }",
            "struct Outer; mod inner { use super::other::*; }",
            "use other::*; mod inner { use super::*; }",
            "type Outer = u8; mod inner { use super::*; }",
            "fn outer() { struct Outer; mod inner { use super::*; } }",
            "struct Outer; mod inner { }",
            "use super::*;",
        ] {
            assert!(!is_type(doubt, "Outer"), "{doubt}");
        }
    }

    #[test]
    fn a_type_with_arguments_may_have_more_of_them() {
        let text = "struct Own; struct Of<T = Own>(T);";
        let is_one = |of: &str| around(text).is_one_type(of);
        assert!(is_one("Own") && is_one("Option<Own>") && is_one("Result<Vec<Own>, u8>"));
        assert!(!is_one("Of<Own>") && !is_one("Option<Of<Own>>"));
    }

    #[test]
    fn a_function_that_may_be_absent_may_be_another_one() {
        let has = |text: &str| {
            let name = proc_macro2::Ident::new("a", proc_macro2::Span::call_site());
            around(text).has_function(&name)
        };
        assert!(has("#[node] fn a() {}"));
        assert!(!has("#[cfg(unix)] #[node] fn a() {}") && !has("#[cfg_attr(unix, node)] fn a() {}"));
        assert!(!has("fn a() {} fn a() {}"));
    }
}
