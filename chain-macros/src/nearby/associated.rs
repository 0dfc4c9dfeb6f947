//! Types of a trait that the trait does not have: `S::Rwo` for `S::Row`. rustc says so at that name.

use proc_macro2::Ident;
use syn::{Generics, PathArguments, Type, TypeParamBound};

use super::scan::{File, Kind};
use super::{Around, file_of};
use crate::names::unraw;
use crate::types;

/// Whether rustc certainly finds no such type of one of these parameters, or none that a bound of it names. The parameters are
/// those of a chain or of a node of this name. The parameter's traits are declared in the file, and nothing in it has a type of
/// that name.
pub(crate) fn lacks_a_type_of(name: &Ident, generics: &Generics, ty: &Type) -> bool {
    let lacks = |file: &File| {
        file.lacks_a_type_of(generics, ty)
            && !file.groups.iter().any(|group| group.kind == Kind::Methods && group.has_a_macro)
    };
    file_of(name).is_some_and(|(_, file)| lacks(&file))
        && Around::of(name).or_else(|| Around::here(name)).is_some_and(|around| around.shows_all())
}

impl File {
    fn lacks_a_type_of(&self, generics: &Generics, ty: &Type) -> bool {
        let Some(parameter) = types::parameter(ty) else { return false };
        let bounds = types::bounds_of(parameter, generics).unwrap_or_default();
        let bounds = bounds.into_iter().flatten().filter_map(|bound| match bound {
            TypeParamBound::Trait(bound) => Some(&bound.path),
            _ => None,
        });
        let bounds: Vec<_> = bounds.collect();
        let is_here = |path: &&syn::Path| {
            path.segments.len() == 1 && path.segments.iter().all(|part| self.has_a_plain_trait(&unraw(&part.ident)))
        };
        let assigned = bounds.iter().flat_map(|path| path.segments.last()).flat_map(|part| match &part.arguments {
            PathArguments::AngleBracketed(arguments) => arguments.args.iter().collect(),
            _ => Vec::new(),
        });
        let assigned = assigned.filter_map(|argument| match argument {
            syn::GenericArgument::AssocType(assigned) => Some(&assigned.ident),
            _ => None,
        });
        let of_it = match types::ungrouped(ty) {
            Type::Path(path) if path.qself.is_none() && path.path.segments.len() == 2 => path.path.segments.last(),
            _ => None,
        };
        let mut named = assigned.chain(of_it.map(|part| &part.ident));
        // Without a bound, a parameter has no types.
        let has_none = |name: &Ident| bounds.is_empty() || !self.declares_after("type ", &unraw(name));
        bounds.iter().all(is_here) && named.any(has_none)
    }

    /// Whether a trait of this name stands in the file, and no trait of it stands behind another one.
    fn has_a_plain_trait(&self, name: &str) -> bool {
        let begins = format!("trait {name}");
        self.count_after(&["trait "], name) == 1 && self.has_text(&format!("{begins} {{"))
    }
}

#[cfg(test)]
mod tests {
    use super::File;

    #[test]
    fn a_trait_of_the_file_has_the_types_that_stand_in_it() {
        let lacks = |file: &str, generics: &str, ty: &str| {
            let generics = syn::parse_str(generics).expect("generics");
            File::read(file.to_owned()).lacks_a_type_of(&generics, &syn::parse_str(ty).expect("a type"))
        };
        let file = "pub trait Store { type Row; } trait Sub: Store { fn a(); }";
        assert!(lacks(file, "<S: Store>", "S::Rwo") && lacks(file, "<S: Store<Rwo = u8>>", "S::Row"));
        assert!(lacks(file, "<S>", "S::Row"));
        assert!(!lacks(file, "<S: Store>", "S::Row") && !lacks(file, "<S: Sub>", "S::Rwo"));
        assert!(!lacks(file, "<S: Other>", "S::Rwo") && !lacks(file, "<S: a::Store>", "S::Rwo"));
        assert!(!lacks(file, "<S: Store<Row = u8>>", "S") && !lacks(file, "<S>", "S"));
    }
}
