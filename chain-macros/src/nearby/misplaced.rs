//! Methods with `#[node]`, which are no nodes. There is an error at each of them, and their chains say nothing more.

use std::cell::RefCell;
use std::collections::HashSet;

use proc_macro2::Ident;

use super::scan::Kind;
use super::{Spot, file_of};
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

/// Whether such a method of this type, or of any type, was noted in the file in which the name stands.
pub(crate) fn is_misplaced(at: &Ident, ty: Option<&Ident>, method: Option<&Ident>) -> bool {
    if NOTED.with_borrow(HashSet::is_empty) {
        return false;
    }
    let Some((path, _)) = file_of(at) else { return false };
    let file = path.to_string_lossy();
    let (ty, method) = (ty.map(names::unraw), method.map(names::unraw));
    let is_it = |(in_file, of, name): &Method| {
        *in_file == file && ty.as_ref().is_none_or(|ty| ty == of) && method.as_ref().is_none_or(|method| method == name)
    };
    NOTED.with_borrow(|noted| noted.iter().any(is_it))
}
