//! One type that is spelt in two ways: by an alias, by an import under another name, by its path.

use syn::visit_mut::{self, VisitMut};
use syn::{Path, Type, TypePath};

use super::Around;
use crate::names;
use crate::types;

/// Types of the prelude, which have paths as well.
const OF_THE_PRELUDE: [&str; 5] =
    ["std::boxed::Box", "std::option::Option", "std::result::Result", "std::string::String", "std::vec::Vec"];

/// Whether these types are one, read beside this block: whatever their lifetimes, and by whatever names.
pub(crate) fn are_one(block: &Type, one: &Type, other: &Type) -> bool {
    let Some(around) = types::last_segment(block).and_then(|last| Around::here(&last.ident)) else { return false };
    let [one, other] = [one, other].map(|ty| around.spelt_out(ty));
    one == other
}

impl Around {
    /// The text of a type, with the path of each name in it as far as this file has it.
    fn spelt_out(&self, ty: &Type) -> String {
        let mut ty = types::without_lifetimes(ty);
        // An alias may stand for another one.
        for _ in 0..4 {
            let alias = self.alias(&types::text(&ty)).and_then(|alias| syn::parse_str::<Type>(&alias).ok());
            match alias {
                Some(alias) => ty = types::without_lifetimes(&alias),
                None => break,
            }
        }
        SpellOut(self).visit_type_mut(&mut ty);
        types::text(&ty)
    }

    /// The path of a type that this name alone stands for.
    fn path_of_name(&self, name: &str) -> Option<Path> {
        let path = self.file.outer(self.scope).find_map(|group| self.file.imported_as(group, name));
        let of_std =
            || OF_THE_PRELUDE.iter().find(|path| path.rsplit("::").next() == Some(name)).map(|path| (*path).to_owned());
        let is_declared = || self.declared(name).is_some();
        syn::parse_str(&path.or_else(|| of_std().filter(|_| !is_declared()))?).ok()
    }
}

struct SpellOut<'a>(&'a Around);

impl VisitMut for SpellOut<'_> {
    fn visit_type_path_mut(&mut self, ty: &mut TypePath) {
        visit_mut::visit_type_path_mut(self, ty);
        // `<S as Source>::Row` is `S::Row`.
        if let Some(qself) = &ty.qself {
            let own = types::named(&qself.ty).filter(|_| qself.position + 1 == ty.path.segments.len());
            if let (Some(own), Some(last)) = (own, ty.path.segments.last()) {
                *ty = syn::parse_quote!(#own::#last);
            }
            return;
        }
        let Some(first) = ty.path.segments.first() else { return };
        let first = names::unraw(&first.ident);
        if first == "self" {
            ty.path.segments = std::mem::take(&mut ty.path.segments).into_iter().skip(1).collect();
        } else if let Some(mut path) = self.0.path_of_name(&first) {
            let mut own = std::mem::take(&mut ty.path.segments).into_iter();
            if let (Some(last), Some(first)) = (path.segments.last_mut(), own.next()) {
                last.arguments = first.arguments;
            }
            path.segments.extend(own);
            ty.path = path;
        }
        ty.path.leading_colon = None;
        if let Some(root) = ty.path.segments.first_mut().filter(|root| root.ident == "core" || root.ident == "alloc") {
            root.ident = syn::Ident::new("std", root.ident.span());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::super::scan::File;
    use super::Around;

    #[test]
    fn a_type_is_spelt_out_as_far_as_the_file_has_it() {
        let text =
            "use std::time::Instant; use m::User as U; use core::fmt; type Who = U; struct Own; type List = Vec<Own>;";
        let around = Around { file: Rc::new(File::read(text.to_owned())), scope: 0, path: String::new() };
        let spelt = |ty: &str| around.spelt_out(&syn::parse_str(ty).expect("a type"));
        for (one, other) in [
            ("Instant", "std::time::Instant"),
            ("Who", "m::User"),
            ("U", "m::User"),
            ("self::Own", "Own"),
            ("fmt::Error", "::std::fmt::Error"),
            ("Option<U>", "std::option::Option<m::User>"),
            ("<S as Store>::Row", "S::Row"),
            ("List", "std::vec::Vec<self::Own>"),
            ("m::Token<'_>", "m::Token"),
        ] {
            assert_eq!(spelt(one), spelt(other), "{one} {other}");
        }
        for (one, other) in [("Own", "m::Own"), ("User", "m::User"), ("Option<U>", "U"), ("S::Row", "T::Row")] {
            assert_ne!(spelt(one), spelt(other), "{one} {other}");
        }
    }
}
