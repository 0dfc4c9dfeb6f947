//! Which bounds of type parameters a type needs in order to be named.

use syn::visit::{self, Visit};
use syn::{Generics, Ident, Type, TypeParamBound};

/// These generics without bounds and without a where-clause. `?Sized` stays, which asks for less.
pub(crate) fn unbounded(generics: &Generics) -> Generics {
    let is_relaxed = |bound: &TypeParamBound| matches!(bound, TypeParamBound::Trait(bound) if matches!(bound.modifier, syn::TraitBoundModifier::Maybe(_)));
    let clause = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let in_clause: Vec<_> = clause
        .filter_map(|predicate| match predicate {
            syn::WherePredicate::Type(predicate) => Some((&predicate.bounded_ty, &predicate.bounds)),
            _ => None,
        })
        .collect();
    let mut unbounded = generics.clone();
    unbounded.where_clause = None;
    for parameter in unbounded.type_params_mut() {
        let is_it = |ty: &Type| matches!(ty, Type::Path(path) if path.path.is_ident(&parameter.ident));
        let elsewhere = in_clause.iter().filter(|(ty, _)| is_it(ty)).flat_map(|(_, bounds)| bounds.iter());
        parameter.bounds =
            parameter.bounds.iter().chain(elsewhere).filter(|bound| is_relaxed(bound)).cloned().collect();
        if parameter.bounds.is_empty() {
            parameter.colon_token = None;
        }
    }
    unbounded
}

/// Whether the bounds of these parameters are traits of core that the runtime's opaque type has, as far as their names say.
/// Such a type stands for a parameter while a chain is checked.
pub(crate) fn are_of_core(generics: &Generics) -> bool {
    const MET: [&str; 11] =
        ["Clone", "Copy", "Debug", "Default", "Display", "Eq", "Hash", "Ord", "PartialEq", "PartialOrd", "Error"];
    const OF_ALL: [&str; 4] = ["Send", "Sized", "Sync", "Unpin"];
    let is_met = |bound: &TypeParamBound| match bound {
        TypeParamBound::Trait(bound) => {
            let last = bound.path.segments.last();
            last.is_some_and(|last| MET.iter().chain(&OF_ALL).any(|met| last.ident == met) && last.arguments.is_none())
        }
        _ => true,
    };
    let is_known = |parameter: &syn::GenericParam| match parameter {
        syn::GenericParam::Type(parameter) => parameter.bounds.iter().all(is_met),
        syn::GenericParam::Lifetime(_) => true,
        syn::GenericParam::Const(_) => false,
    };
    generics.where_clause.is_none() && generics.params.iter().all(is_known)
}

/// Whether a type can be named whatever its type parameters are. Each of them stands in it by itself, or in a type of
/// Rust's own that asks nothing of it. Other types may have bounds, and `S::Item` needs one.
pub(crate) fn asks_for_no_bound(ty: &Type, generics: &Generics) -> bool {
    let mut find = Find { parameters: generics.type_params().map(|parameter| &parameter.ident).collect(), asks: false };
    find.visit_type(ty);
    !find.asks
}

struct Find<'a> {
    parameters: Vec<&'a Ident>,
    asks: bool,
}

impl<'ast> Visit<'ast> for Find<'_> {
    fn visit_type_path(&mut self, path: &'ast syn::TypePath) {
        const OPEN: [&str; 7] = ["Arc", "Box", "ControlFlow", "Option", "Rc", "Result", "Vec"];
        if path.qself.is_none() && path.path.get_ident().is_some_and(|name| self.parameters.contains(&name)) {
            return;
        }
        let last = path.path.segments.last();
        match last.is_some_and(|last| OPEN.iter().any(|open| last.ident == open)) && path.qself.is_none() {
            true => visit::visit_type_path(self, path),
            false => self.asks |= super::mentions(path, &self.generics()),
        }
    }

    fn visit_type_trait_object(&mut self, object: &'ast syn::TypeTraitObject) {
        self.asks |= super::mentions(object, &self.generics());
    }

    fn visit_type_macro(&mut self, _: &'ast syn::TypeMacro) {
        self.asks = true;
    }
}

impl Find<'_> {
    fn generics(&self) -> Generics {
        let parameters = self.parameters.iter().map(|name| -> syn::GenericParam { syn::parse_quote!(#name) });
        Generics { params: parameters.collect(), ..Generics::default() }
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::{asks_for_no_bound, unbounded};

    #[test]
    fn a_parameter_by_itself_needs_no_bound() {
        let generics = parse_quote!(<S: Store, T>);
        for open in [parse_quote!(S), parse_quote!(Result<Vec<S>, (T, u8)>), parse_quote!(&'a [S]), parse_quote!(Other)]
        {
            assert!(asks_for_no_bound(&open, &generics));
        }
        for bound in [
            parse_quote!(S::Item),
            parse_quote!(<S as Store>::Item),
            parse_quote!(Of<S>),
            parse_quote!(Option<Of<S>>),
            parse_quote!(Box<dyn Of<S>>),
            parse_quote!(name!(S)),
        ] {
            assert!(!asks_for_no_bound(&bound, &generics));
        }
    }

    #[test]
    fn only_a_relaxed_bound_stays() {
        let generics = unbounded(&parse_quote!(<S: Store + ?Sized, T: Clone = u8, const N: usize>));
        let expected: syn::Generics = parse_quote!(<S: ?Sized, T = u8, const N: usize>);
        assert!(generics == expected);
    }
}
