//! Types that stand for a chain's parameters while the chain is checked and nobody knows the real ones: a type of the
//! runtime's, or one of core's for a bound that only core's types meet. If a stand-in does not meet the bounds after
//! all, nothing is checked.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{GenericParam, Generics, PathArguments, ReturnType, TypeParam, TypeParamBound};

use super::super::chain_arguments;
use super::search;
use crate::names;
use crate::plan::Plan;
use crate::types;

/// The nodes of a chain with type parameters, with opaque types in their place, if such types meet the bounds.
pub(in crate::expand) fn opaque_nodes(plan: &Plan<'_>) -> TokenStream {
    let rt = &names::runtime_alias();
    match arguments(&plan.chain.generics) {
        None => quote!(#rt::private::None),
        Some(arguments) => {
            let checked = names::static_of("Checked", &plan.chain.name);
            quote!({
                use #rt::private::Unchecked as _;
                <#checked<#(#arguments),*>>::NODES
            })
        }
    }
}

/// What looks for the needs of hooks, with opaque types in place of the chain's parameters.
pub(super) fn opaque_looks(plan: &Plan<'_>) -> TokenStream {
    let rt = &names::runtime_alias();
    let Some(arguments) = arguments(&plan.chain.generics) else { return quote!(0) };
    let checked = names::static_of("Checked", &plan.chain.name);
    quote!({
        use #rt::private::Unchecked as _;
        <#checked<#(#arguments),*>>::LOOKS
    })
}

/// The checks of a chain with type parameters. An opaque type stands for each parameter, if such a type meets the
/// bounds: an inherent constant whose bounds hold takes precedence over that of a trait.
pub(super) fn opaque(plan: &Plan<'_>) -> Option<TokenStream> {
    let chain = plan.chain;
    let rt = &names::runtime_alias();
    let scope = &plan.levels[0].scope;
    let arguments = arguments(&chain.generics)?;
    let (checked, name) = (names::static_of("Checked", &chain.name), &chain.name);
    let own = chain_arguments(chain, true);
    let declared = chain.generics.params.iter().map(|parameter| {
        let mut parameter = parameter.clone();
        match &mut parameter {
            syn::GenericParam::Lifetime(parameter) => parameter.bounds.clear(),
            // Whether a type has a size is said by the bounds, in the impl.
            syn::GenericParam::Type(parameter) => {
                parameter.bounds.clear();
                parameter.bounds.push(syn::parse_quote!(?#rt::private::Sized));
                parameter.default = None;
            }
            syn::GenericParam::Const(parameter) => parameter.default = None,
        }
        parameter
    });
    let lifetimes: Vec<_> = chain.generics.lifetimes().map(|parameter| &parameter.lifetime).collect();
    let types: Vec<_> = chain.generics.type_params().map(|parameter| &parameter.ident).collect();
    // A struct implies for its fields that their types live as long as what they borrow.
    let lives = lifetimes.iter().flat_map(|life| types.iter().map(move |ty| quote!(&#life #ty)));
    let (impl_generics, ty_generics, clause) = chain.generics.split_for_impl();
    let looks = plan.in_doubt.contains(&true).then(|| {
        let looks = search::looks(plan);
        quote!(const LOOKS: usize = #looks;)
    });
    Some(quote! {
        struct #checked<#(#declared),*>(
            #(#rt::private::PhantomData<&#lifetimes ()>,)*
            #(#rt::private::PhantomData<#types>,)*
            #(#rt::private::PhantomData<#lives>,)*
        );
        impl #impl_generics #checked #ty_generics #clause {
            const WIRED: () = <#scope<'_, '_, #(#own),*>>::WIRED;
            const NODES: #rt::private::Option<&'static [#rt::NodeInfo]> =
                #rt::private::Some(<#name<#(#own),*>>::NODES);
            #looks
        }
        const _: () = {
            use #rt::private::Unchecked as _;
            <#checked<#(#arguments),*>>::WIRED
        };
    })
}

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
