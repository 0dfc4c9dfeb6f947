//! Types that stand for a chain's parameters while the chain is checked and nobody knows the real ones: a type of the
//! runtime's, or one of core's for a bound that only core's types meet. If a stand-in does not meet the bounds after
//! all, nothing is checked.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{GenericParam, Generics, PathArguments, ReturnType, TypeParam, TypeParamBound};

use crate::names;
use crate::types;

/// An argument for each parameter; `None` if none can be made up for one of them.
pub(super) fn arguments(generics: &Generics) -> Option<Vec<TokenStream>> {
    let rt = &names::runtime_alias();
    // A parameter that comes later and needs a type of core's is not known yet. Then the bounds are not met.
    let parameters = generics.params.iter().enumerate().filter_map(|(at, parameter)| match parameter {
        GenericParam::Type(parameter) => Some((&parameter.ident, quote!(#rt::private::Opaque<#at>))),
        GenericParam::Const(parameter) => Some((&parameter.ident, constant(&parameter.ty)?)),
        GenericParam::Lifetime(_) => None,
    });
    let mut known: Vec<(&syn::Ident, TokenStream)> = parameters.collect();
    let own: Vec<_> = generics.lifetimes().map(|parameter| parameter.lifetime.clone()).collect();
    let arguments = generics.params.iter().map(|parameter| match parameter {
        GenericParam::Lifetime(_) => Some(quote!('_)),
        GenericParam::Type(parameter) => {
            let of_core = bounds(generics, parameter).into_iter().find_map(|bound| of_core(bound, &known, &own));
            let (_, argument) = known.iter_mut().find(|(name, _)| **name == parameter.ident)?;
            if let Some(of_core) = of_core {
                *argument = of_core;
            }
            Some(argument.clone())
        }
        GenericParam::Const(parameter) => constant(&parameter.ty),
    });
    arguments.collect()
}

/// Any value would do.
fn constant(ty: &syn::Type) -> Option<TokenStream> {
    const NUMBERS: [&str; 12] =
        ["usize", "u8", "u16", "u32", "u64", "u128", "isize", "i8", "i16", "i32", "i64", "i128"];
    let is = |name: &str| types::is_named(ty, name);
    match (NUMBERS.into_iter().any(is), is("bool"), is("char")) {
        (true, ..) => Some(quote!(1)),
        (_, true, _) => Some(quote!(false)),
        (.., true) => Some(quote!('a')),
        _ => None,
    }
}

/// The bounds of a parameter, from its declaration and from the where-clause, each with the lifetimes of its `for<..>`.
fn bounds<'a>(
    generics: &'a Generics,
    parameter: &'a TypeParam,
) -> Vec<(Option<&'a syn::BoundLifetimes>, &'a syn::TraitBound)> {
    let clause = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let clause = clause.filter_map(|predicate| match predicate {
        syn::WherePredicate::Type(of) => match types::ungrouped(&of.bounded_ty) {
            syn::Type::Path(path) if path.path.is_ident(&parameter.ident) => Some((of.lifetimes.as_ref(), &of.bounds)),
            _ => None,
        },
        _ => None,
    });
    let all = std::iter::once((None, &parameter.bounds)).chain(clause);
    let bounds = all.flat_map(|(lifetimes, bounds)| bounds.iter().map(move |bound| (lifetimes, bound)));
    let bounds = bounds.filter_map(|(lifetimes, bound)| match bound {
        TypeParamBound::Trait(bound) => Some((lifetimes.or(bound.lifetimes.as_ref()), bound)),
        _ => None,
    });
    bounds.collect()
}

/// A type that has a trait of core's which only types of core's have, or which names a type.
fn of_core(
    (lifetimes, bound): (Option<&syn::BoundLifetimes>, &syn::TraitBound),
    known: &[(&syn::Ident, TokenStream)],
    own: &[syn::Lifetime],
) -> Option<TokenStream> {
    let rt = names::runtime_alias();
    let last = bound.path.segments.last()?;
    let name = last.ident.to_string();
    let argument = match (name.as_str(), &last.arguments) {
        ("Fn" | "FnMut" | "FnOnce" | "AsyncFn" | "AsyncFnMut" | "AsyncFnOnce", PathArguments::Parenthesized(of)) => {
            let inputs = &of.inputs;
            let output = match &of.output {
                ReturnType::Default => quote!(()),
                ReturnType::Type(_, ty) => ty.to_token_stream(),
            };
            match name.starts_with("Async") {
                true => quote!(#lifetimes fn(#inputs) -> #rt::private::Pending<#output>),
                false => quote!(#lifetimes fn(#inputs) -> #output),
            }
        }
        ("Future", arguments) => {
            let output = assigned(arguments, "Output").unwrap_or_else(|| quote!(()));
            quote!(#rt::private::Pending<#output>)
        }
        ("Iterator" | "IntoIterator" | "DoubleEndedIterator" | "ExactSizeIterator", arguments) => {
            let item = assigned(arguments, "Item").unwrap_or_else(|| quote!(()));
            quote!(#rt::private::Empty<#item>)
        }
        ("Deref", arguments) => {
            let target = assigned(arguments, "Target").unwrap_or_else(|| quote!(()));
            quote!(&'static #target)
        }
        // Each type can be made of itself.
        ("Into" | "From" | "TryInto" | "TryFrom" | "Borrow" | "BorrowMut", PathArguments::AngleBracketed(of)) => {
            of.args.first()?.to_token_stream()
        }
        _ => return None,
    };
    Some(types::at(with(argument, known), own, "static"))
}

/// The type that a bound assigns: `Item = u8`.
fn assigned(arguments: &PathArguments, name: &str) -> Option<TokenStream> {
    let PathArguments::AngleBracketed(arguments) = arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        syn::GenericArgument::AssocType(assigned) if assigned.ident == name => Some(assigned.ty.to_token_stream()),
        _ => None,
    })
}

/// These tokens, with the known stand-ins in place of the parameters.
fn with(tokens: TokenStream, known: &[(&syn::Ident, TokenStream)]) -> TokenStream {
    let tokens = tokens.into_iter().flat_map(|token| match token {
        TokenTree::Group(group) => {
            let mut inner = proc_macro2::Group::new(group.delimiter(), with(group.stream(), known));
            inner.set_span(group.span());
            TokenTree::Group(inner).to_token_stream()
        }
        TokenTree::Ident(name) => {
            let argument =
                known.iter().find(|(parameter, _)| **parameter == name).map(|(_, argument)| argument.clone());
            argument.unwrap_or_else(|| name.to_token_stream())
        }
        other => other.to_token_stream(),
    });
    tokens.collect()
}
