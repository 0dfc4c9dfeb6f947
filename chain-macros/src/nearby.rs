//! What stands around a declaration, in its file: for mistakes that rustc would report many times over, or in words
//! about macros that the user did not write.
//!
//! The file is read as text, once, and only braces, functions, types and imports are looked for. A name is judged only
//! if its scope is certain: no macro other than `chain!` stands around it. In case of doubt nothing is said here, and
//! rustc reports the mistake.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use proc_macro2::Ident;

use crate::names;

mod scan;

use scan::{File, Kind};

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
        if !proc_macro::is_available() {
            return None;
        }
        let span = name.span().unwrap();
        let path = span.local_file()?;
        let (line, column) = (span.line(), span.column());
        let text = read(&path)?;
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

/// Each file is read once.
fn read(path: &std::path::Path) -> Option<Rc<File>> {
    thread_local! {
        static FILES: RefCell<HashMap<std::ffi::OsString, Option<Rc<File>>>> = RefCell::default();
    }
    FILES.with_borrow_mut(|files| {
        let read = || std::fs::read_to_string(path).ok().map(|text| Rc::new(File::read(text)));
        files.entry(path.into()).or_insert_with(read).clone()
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
    let spot = Spot::of(name)?;
    let scope = spot.scope(true)?;
    let declared = spot.text.type_in(scope, &names::unraw(name)).filter(|ty| ty.is_certain)?;
    Some(spot.text.line(declared.at))
}

/// Whether a function of this name, with `#[node]`, stands in the same scope already.
pub(crate) fn function_before(name: &Ident) -> bool {
    declared_before(&format!("fn {}", names::unraw(name)), false, name).is_some()
}

/// The line in which an `impl` block of this type has `#[node]` already. The name is a part of the type.
pub(crate) fn block_before(ty: &str, name: &Ident) -> Option<usize> {
    declared_before(&format!("impl {ty}"), false, name)
}

/// Whether this name in a chain is that of a function without `#[node]`.
pub(crate) fn is_plain_function(name: &Ident) -> bool {
    let Some(spot) = Spot::of(name) else { return false };
    let Some(scope) = spot.scope(true) else { return false };
    let (named, file) = (names::unraw(name), &spot.text);
    for group in file.outer(scope) {
        let is_module = file.groups[group].kind == Kind::Module;
        if file.groups[group].kind == Kind::Methods {
            continue;
        }
        let found: Vec<_> =
            file.functions.iter().filter(|function| function.scope == group && function.name == named).collect();
        if !found.is_empty() {
            // A node that is written by hand may be a type of that name.
            return found.iter().all(|function| function.is_certain) && file.type_in(group, &named).is_none();
        }
        // The name may be another one there.
        if is_module || file.imports.iter().any(|import| import.scope == group && import.may_bring(&named)) {
            return false;
        }
    }
    false
}
