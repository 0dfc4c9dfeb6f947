//! Methods with `#[node]`, which are no nodes, and blocks of types that do not exist. There is an error at each of them, and
//! their chains say nothing more.

use std::cell::RefCell;
use std::collections::HashSet;

use proc_macro2::Ident;

use super::nowhere::is_like;
use super::scan::Kind;
use super::{Spot, path_of};
use crate::names;

/// A file, the type of an `impl` block in it, and a method there.
type Method = (String, String, String);

thread_local! {
    static NOTED: RefCell<HashSet<Method>> = RefCell::default();
}

/// Whether this function with `#[node]` is a method. If so, it is noted.
pub(crate) fn is_method(name: &Ident) -> bool {
    let Some(spot) = Spot::of(name) else { return false };
    let Some(scope) = spot.scope(false) else { return false };
    let group = &spot.text.groups[scope];
    let is_one = group.kind == Kind::Methods;
    if is_one {
        let method = (spot.file, group.of.clone(), names::unraw(name));
        NOTED.with_borrow_mut(|noted| noted.insert(method));
    }
    is_one
}

thread_local! {
    static BLOCKS: RefCell<Vec<(String, String)>> = RefCell::default();
}

/// Notes the type of an `impl` block with `#[node]` in which a type does not exist. There is an error about that.
pub(crate) fn note_block(ty: &Ident) {
    if let Some(path) = path_of(ty) {
        BLOCKS.with_borrow_mut(|blocks| blocks.push((path, names::unraw(ty))));
    }
}

/// Whether such a block in this file is that of this type. If `or_like` is true, the block's type may be a misspelling of this
/// one.
pub(crate) fn has_a_broken_block(at: &Ident, ty: &Ident, or_like: bool) -> bool {
    if BLOCKS.with_borrow(Vec::is_empty) {
        return false;
    }
    let (Some(file), ty) = (path_of(at), names::unraw(ty)) else { return false };
    let is_it = |of: &str| of == ty || (or_like && is_like(of, &ty));
    BLOCKS.with_borrow(|blocks| blocks.iter().any(|(in_file, of)| *in_file == file && is_it(of)))
}

/// Whether such a method of this type, or of any type, was noted in the file in which the name stands.
pub(crate) fn is_misplaced(at: &Ident, ty: Option<&Ident>, method: Option<&Ident>) -> bool {
    if NOTED.with_borrow(HashSet::is_empty) {
        return false;
    }
    let Some(file) = path_of(at) else { return false };
    let (ty, method) = (ty.map(names::unraw), method.map(names::unraw));
    let is_it = |(in_file, of, name): &Method| {
        *in_file == file && ty.as_ref().is_none_or(|ty| ty == of) && method.as_ref().is_none_or(|method| method == name)
    };
    NOTED.with_borrow(|noted| noted.iter().any(is_it))
}
