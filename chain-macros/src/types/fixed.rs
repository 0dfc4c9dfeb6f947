//! Types of type parameters that a bound decides: with `S: Store<Row = Row>`, the type `S::Row` is `Row`.
//!
//! rustc does not look at bounds where it compares the types of two impls. So what is found by such a type is found by
//! the one that the bound names.

use syn::punctuated::Punctuated;
use syn::{GenericArgument, Generics, Ident, Path, PathArguments, Type, TypeParamBound, TypePath, WherePredicate};

use super::{has_a_lifetime, last_segment, named, type_arguments, ungrouped};
use crate::told::Open;

/// The type that this one certainly is by a bound of these parameters.
pub(crate) fn fixed(ty: &Type, generics: &Generics) -> Option<Type> {
    if generics.params.is_empty() {
        return None;
    }
    // Each step leaves one bound behind, and a circle is rustc's error.
    let most = generics.params.len() + 1;
    let next = |ty: &Type| step(ty, generics);
    let fixed = std::iter::successors(next(ty), next).take(most).last();
    // What is a reference is found by the type to which it refers, and lent in another way.
    fixed.filter(|ty| !has_a_lifetime(ty) && !matches!(ungrouped(ty), Type::Reference(_)))
}

/// The type that a function gives whose result is a type of one of its parameters, where this path names a parameter of the
/// chain for that one.
pub(crate) fn given(open: &Open, path: &Path, generics: &Generics) -> Option<Type> {
    let Open { parameter, text, of } = open;
    let argument = named(type_arguments(path.segments.last()?).get(*parameter)?)?;
    generics.type_params().find(|own| own.ident == *argument)?;
    let given = of_parameter(&syn::parse_str(text).ok()?, argument);
    // It is a type of that trait, or of one that the trait comes with.
    let name = last_segment(&given).map(|last| &last.ident);
    let of: Option<Path> = syn::parse_str(of).ok();
    let exact = of.map(|of| -> Type { syn::parse_quote!(<#argument as #of>::#name) });
    Some(exact.filter(|exact| step(exact, generics).is_some()).unwrap_or(given))
}

/// The parameter that this is a type of, as `S::Row` or `<S as Store>::Row` is one of `S`.
pub(crate) fn parameter(ty: &Type) -> Option<&Ident> {
    match ungrouped(ty) {
        Type::Path(TypePath { qself: Some(qself), .. }) => parameter(&qself.ty),
        Type::Path(TypePath { path, .. }) if path.leading_colon.is_none() => {
            path.segments.first().filter(|first| first.arguments.is_none()).map(|first| &first.ident)
        }
        _ => None,
    }
}

/// The same type of another parameter.
fn of_parameter(ty: &Type, argument: &Ident) -> Type {
    let mut ty = ungrouped(ty).clone();
    if let Type::Path(TypePath { qself, path }) = &mut ty {
        match qself {
            Some(qself) => *qself.ty = of_parameter(&qself.ty, argument),
            None => path.segments.iter_mut().take(1).for_each(|first| first.ident = argument.clone()),
        }
    }
    ty
}

fn step(ty: &Type, generics: &Generics) -> Option<Type> {
    let Type::Path(TypePath { qself, path }) = ungrouped(ty) else { return None };
    let segments: Vec<_> = path.segments.iter().collect();
    let (own, of, name) = match (qself, segments.as_slice()) {
        (None, [own, name]) if path.leading_colon.is_none() => (&own.ident, None, name),
        (Some(qself), [of @ .., name]) if qself.position == of.len() => (named(&qself.ty)?, Some(of), name),
        _ => return None,
    };
    let bounds = bounds_of(own, generics)?;
    let decided = bounds.into_iter().flatten().filter_map(|bound| match bound {
        TypeParamBound::Trait(bound) => {
            let last = bound.path.segments.last()?;
            let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
            arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::AssocType(decided) if decided.ident == name.ident => Some((&bound.path, &decided.ty)),
                _ => None,
            })
        }
        _ => None,
    });
    let decided: Vec<_> = decided.collect();
    // The same trait may be named by another path. Which one of two traits is meant then, only rustc knows.
    let only = |is_it: &dyn Fn(&Path) -> bool| {
        let mut all = decided.iter().filter(|(path, _)| is_it(path)).map(|(_, ty)| *ty);
        all.next().filter(|_| all.next().is_none()).cloned()
    };
    let Some(of) = of else { return only(&|_| true) };
    only(&|path| path.segments.iter().map(|part| &part.ident).eq(of.iter().map(|part| &part.ident)))
        .or_else(|| only(&|path| path.segments.last().map(|part| &part.ident) == of.last().map(|part| &part.ident)))
}

/// Whether the arguments of a type are parameters of the block for it, so that the type has no other block of this kind.
pub(crate) fn are_parameters(ty: &syn::PathSegment, generics: &Generics) -> bool {
    let PathArguments::AngleBracketed(arguments) = &ty.arguments else { return false };
    arguments.args.iter().all(|argument| match argument {
        GenericArgument::Lifetime(_) => true,
        GenericArgument::Type(ty) => named(ty).is_some_and(|own| {
            generics.type_params().any(|parameter| parameter.ident == *own)
                || generics.const_params().any(|parameter| parameter.ident == *own)
        }),
        _ => false,
    })
}

/// Whether nothing is asked of these type parameters that a type may lack.
pub(crate) fn are_unlimited(generics: &Generics) -> bool {
    let is_asked =
        |own: &Ident| bounds_of(own, generics).is_some_and(|all| !all.into_iter().flatten().all(is_harmless));
    let clauses = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let mut of_others = clauses.filter(|predicate| match predicate {
        WherePredicate::Type(predicate) => named(&predicate.bounded_ty).is_none(),
        _ => false,
    });
    of_others.next().is_none() && !generics.type_params().any(|own| is_asked(&own.ident))
}

/// The trait that a result like `S::Row` is of, if its parameter has one trait bound that may have such a type.
pub(crate) fn trait_of(ty: &Type, generics: &Generics) -> Option<String> {
    let Type::Path(TypePath { qself, path }) = ungrouped(ty) else { return None };
    if let Some(qself) = qself {
        let of: Vec<_> = path.segments.iter().take(qself.position).map(|part| &part.ident).collect();
        return Some(super::text(&quote::quote!(#(#of)::*)));
    }
    let own = path.segments.first().filter(|_| path.segments.len() == 2)?;
    let bounds = bounds_of(&own.ident, generics)?.into_iter().flatten();
    let mut traits = bounds.filter(|bound| !is_harmless(bound)).filter_map(|bound| match bound {
        TypeParamBound::Trait(bound) => Some(&bound.path),
        _ => None,
    });
    let mut only = traits.next().filter(|_| traits.next().is_none())?.clone();
    only.segments.iter_mut().for_each(|part| part.arguments = PathArguments::None);
    Some(super::text(&Type::Path(TypePath { qself: None, path: only })))
}

/// Bounds that imply no other, and are not judged.
pub(crate) fn is_harmless(bound: &TypeParamBound) -> bool {
    match bound {
        TypeParamBound::Trait(bound) => {
            let last = bound.path.segments.last().map(|last| crate::names::unraw(&last.ident)).unwrap_or_default();
            matches!(bound.modifier, syn::TraitBoundModifier::Maybe(_))
                || ["Send", "Sync", "Sized", "Unpin"].contains(&last.as_str())
        }
        _ => true,
    }
}

/// All that is asked of a parameter.
pub(crate) fn bounds_of<'g>(
    own: &Ident,
    generics: &'g Generics,
) -> Option<Vec<&'g Punctuated<TypeParamBound, syn::Token![+]>>> {
    let declared = generics.type_params().find(|parameter| parameter.ident == *own)?;
    let clauses = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let asked = clauses.filter_map(|predicate| match predicate {
        WherePredicate::Type(predicate) => {
            named(&predicate.bounded_ty).filter(|bounded| *bounded == own).map(|_| &predicate.bounds)
        }
        _ => None,
    });
    Some(std::iter::once(&declared.bounds).chain(asked).collect())
}

#[cfg(test)]
mod tests {
    use super::{fixed, of_parameter, parameter};
    use crate::types::text;

    fn fixed_in(chain: &str, ty: &str) -> Option<String> {
        let chain: syn::ItemStruct = syn::parse_str(chain).expect("a struct");
        fixed(&syn::parse_str(ty).expect("a type"), &chain.generics).map(|ty| text(&ty))
    }

    #[test]
    fn a_bound_says_what_a_type_is() {
        for chain in [
            "struct App<S: Store<Row = Row>>(S);",
            "struct App<S: Send + a::Store<u8, Row = Row>>(S);",
            "struct App<S>(S) where S: Store<Row = Row>;",
            "struct App<S: Store<Row = T::Row>, T: Store<Row = Row>>(S, T);",
        ] {
            assert_eq!(fixed_in(chain, "S::Row").as_deref(), Some("Row"), "{chain}");
            assert_eq!(fixed_in(chain, "<S as Store>::Row").as_deref(), Some("Row"), "{chain}");
        }
    }

    #[test]
    fn other_bounds_say_nothing() {
        let two = "struct App<S: M<Row = A> + N<Row = B>>(S);";
        assert_eq!((fixed_in(two, "S::Row"), fixed_in(two, "<S as N>::Row").as_deref()), (None, Some("B")));
        let chain = "struct App<S: Store<Row = Row>, T: Store, F: Store<Row = &'static str>>(S, T, F);";
        for ty in [
            "S",
            "S::Other",
            "<S as Other>::Row",
            "T::Row",
            "U::Row",
            "Row",
            "Vec<S::Row>",
            "<S::Of as Store>::Row",
            "S::Row::Row",
            "F::Row",
        ] {
            assert_eq!(fixed_in(chain, ty), None, "{ty}");
        }
        // One trait may have two paths.
        let paths = "struct App<S: m::Store<Row = A> + n::Store<Row = B>>(S);";
        for (ty, decided) in
            [("<S as m::Store>::Row", Some("A")), ("<S as n::Store>::Row", Some("B")), ("<S as Store>::Row", None)]
        {
            assert_eq!(fixed_in(paths, ty).as_deref(), decided, "{ty}");
        }
        // It stops at a circle.
        let circle = "struct App<S: Store<Row = T::Row>, T: Store<Row = S::Row>>(S, T);";
        assert!(fixed_in(circle, "S::Row").is_some_and(|ty| ty.ends_with("::Row")));
    }

    #[test]
    fn a_chain_names_another_parameter_than_the_function() {
        let of = |ty: &str| {
            let ty: syn::Type = syn::parse_str(ty).expect("a type");
            let own = parameter(&ty).map(ToString::to_string);
            (own, text(&of_parameter(&ty, &syn::parse_str("T").expect("a name"))))
        };
        assert_eq!(of("S::Row"), (Some("S".to_owned()), "T::Row".to_owned()));
        assert_eq!(of("<S as Store>::Row"), (Some("S".to_owned()), "<T as Store>::Row".to_owned()));
    }
}
