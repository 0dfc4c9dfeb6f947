//! The bounds that `#[node]` blocks ask of their type parameters. A chain with type parameters that lacks one has an error here;
//! rustc would report it once for each thing that is emitted about the node.

use std::cell::RefCell;

use proc_macro2::Ident;
use syn::{ItemImpl, TypeParamBound};

use super::scan::File;
use super::{Around, path_of};
use crate::names;
use crate::types;

/// What a block asks.
struct Block {
    file: String,
    ty: String,
    /// For each bound: the place of the parameter among the type's arguments, the bound, and the name of its trait.
    bounds: Vec<(usize, String, String)>,
}

thread_local! {
    static BLOCKS: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
}

/// Traits that std implements for some types and not for others.
const OF_SOME: [(&str, &str); 14] = [
    ("Clone", ""),
    ("Copy", ""),
    ("Debug", "fmt"),
    ("Default", ""),
    ("Display", "fmt"),
    ("Eq", ""),
    ("Error", "error"),
    ("Fn", ""),
    ("FnMut", ""),
    ("FnOnce", ""),
    ("Hash", "hash"),
    ("Ord", ""),
    ("PartialEq", ""),
    ("PartialOrd", ""),
];

/// Notes what this block asks of its type parameters.
pub(crate) fn note_bounds(block: &ItemImpl) {
    let Some(last) = types::last_segment(&block.self_ty).filter(|_| block.generics.type_params().next().is_some())
    else {
        return;
    };
    let mut bounds = Vec::new();
    for (at, argument) in types::type_arguments(last).into_iter().enumerate() {
        let asked = types::named(argument).and_then(|own| types::bounds_of(own, &block.generics)).unwrap_or_default();
        let traits =
            asked.into_iter().flatten().filter(|bound| !types::is_harmless(bound)).filter_map(|bound| match bound {
                TypeParamBound::Trait(bound) => Some(&bound.path),
                _ => None,
            });
        bounds.extend(
            traits.filter_map(|path| Some((at, types::text(path), names::unraw(&path.segments.last()?.ident)))),
        );
    }
    if let (Some(file), false) = (path_of(&last.ident), bounds.is_empty()) {
        let ty = names::unraw(&last.ident);
        BLOCKS.with_borrow_mut(|blocks| blocks.push(Block { file, ty, bounds }));
    }
}

/// The bounds that the `#[node]` block of this type asks of its parameters, if this file has one such block, and the traits are
/// certainly not those of all types. Each with the place of the parameter among the type's arguments.
pub(crate) fn bounds_asked(at: &Ident, ty: &Ident) -> Vec<(usize, String)> {
    if BLOCKS.with_borrow(Vec::is_empty) {
        return Vec::new();
    }
    let (Some(around), ty) = (Around::of(at), names::unraw(ty)) else { return Vec::new() };
    let Around { file, path, .. } = &around;
    // Another type of this name may be meant.
    if !around.is_of_this_file(&ty) || file.imports(&ty) || file.count_after(&["struct ", "enum ", "type "], &ty) != 1 {
        return Vec::new();
    }
    BLOCKS.with_borrow(|blocks| {
        let mut blocks = blocks.iter().filter(|block| block.file == *path && block.ty == ty);
        let (Some(only), None) = (blocks.next(), blocks.next()) else { return Vec::new() };
        let certain = only.bounds.iter().filter(|(_, _, of)| file.is_of_some(of));
        certain.map(|(at, text, _)| (*at, text.clone())).collect()
    })
}

impl File {
    /// Whether the trait of this name is certainly not implemented for all types: it is one of std, or declared in this file.
    fn is_of_some(&self, name: &str) -> bool {
        if self.declares_after("trait ", name) {
            return !self.imports(name) && !self.is_of_all(name);
        }
        let std = OF_SOME.iter().find(|(of, _)| *of == name);
        std.is_some_and(|(_, module)| match module.is_empty() {
            true => !self.imports(name),
            false => [format!("std::{module}"), format!("core::{module}")].iter().any(|path| self.has_text(path)),
        })
    }

    /// Whether an `impl` of this trait may be for each type: `impl<T> Name for T`.
    fn is_of_all(&self, name: &str) -> bool {
        let is_of_a_word = |sign: char| sign.is_alphanumeric() || sign == '_';
        let words = |text: &str| text.split(|sign| !is_of_a_word(sign)).map(str::to_owned).collect::<Vec<_>>();
        self.headers_of_impls().any(|header| {
            let Some((before, of)) = header.rsplit_once(" for ") else { return false };
            let of = words(of.trim_start()).into_iter().next().unwrap_or_default();
            // What comes from a macro is read nowhere.
            before.contains('$')
                || (words(before).iter().any(|word| word == name) && (of.is_empty() || words(before).contains(&of)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::File;

    #[test]
    fn a_trait_is_of_some_types_where_the_file_shows_it() {
        let is_of_some = |text: &str, name: &str| File::read(text.to_owned()).is_of_some(name);
        assert!(is_of_some("", "Clone") && is_of_some("use std::fmt::Display;", "Display"));
        assert!(is_of_some("trait Store {} impl Store for u8 {} impl<T: Store> Store for Vec<T> {}", "Store"));
        assert!(
            !is_of_some("use a::Clone;", "Clone")
                && !is_of_some("use a::Display;", "Display")
                && !is_of_some("", "Store")
        );
        for text in [
            "trait Store {} impl<T> Store for T {}",
            "trait Store {} impl<T: ?Sized> Store for T where T: Sized {}",
            "trait Store<R> {} impl<R, Of> self::Store<R> for Of {}",
            "trait Store {} macro_rules! all { ($t:ident) => { impl<$t> Store for $t {} } }",
        ] {
            assert!(!is_of_some(text, "Store"), "{text}");
        }
    }
}
