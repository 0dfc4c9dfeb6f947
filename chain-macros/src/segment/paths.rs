//! Names and paths of a segment, seen from where it is used.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{GenericParam, Generics, Type, Visibility};

use super::Tokens;
use crate::names;
use crate::types;

pub(super) fn parameter_name(parameter: &GenericParam) -> &Ident {
    match parameter {
        GenericParam::Type(parameter) => &parameter.ident,
        GenericParam::Const(parameter) => &parameter.ident,
        GenericParam::Lifetime(parameter) => &parameter.lifetime.ident,
    }
}

/// The names of a segment's parameters.
pub(super) fn parameters(generics: &Generics) -> Vec<&Ident> {
    generics.params.iter().map(parameter_name).collect()
}

pub(super) fn without_default(parameter: &GenericParam) -> GenericParam {
    let mut parameter = parameter.clone();
    match &mut parameter {
        GenericParam::Type(parameter) => parameter.default = None,
        GenericParam::Const(parameter) => parameter.default = None,
        GenericParam::Lifetime(_) => {}
    }
    parameter
}

pub(super) fn has_lifetime(tokens: &TokenStream, lifetime: &syn::Lifetime) -> bool {
    let name = lifetime.ident.to_string();
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Group(group) => has_lifetime(&group.stream(), lifetime),
        TokenTree::Ident(ident) => ident == name,
        _ => false,
    })
}

/// The place of the last name in a type.
pub(super) fn types_span(ty: &TokenStream) -> Span {
    let parsed = syn::parse2::<Type>(ty.clone()).ok();
    let last = parsed.as_ref().and_then(types::last_segment).map(|segment| segment.ident.span());
    last.or_else(|| ty.clone().into_iter().next().map(|token| token.span())).unwrap_or_else(Span::call_site)
}

/// A visibility that is not a token of the user's, so that lints about it do not reach the user.
pub(super) fn located(vis: &Visibility) -> TokenStream {
    names::as_if_at(vis.to_token_stream(), Span::call_site())
}

/// A visibility, as written in a module so many levels further in.
pub(super) fn within(vis: &Visibility, deep: usize) -> TokenStream {
    let up = || std::iter::repeat_n(quote!(super), deep);
    match vis {
        Visibility::Public(_) => quote!(pub),
        Visibility::Inherited => {
            let up = up();
            quote!(pub(in #(#up)::*))
        }
        Visibility::Restricted(restricted) => {
            let path = from_within(&restricted.path, deep);
            quote!(pub(in #path))
        }
    }
}

/// A path, as written in a module so many levels further in.
pub(super) fn from_within(path: &syn::Path, deep: usize) -> TokenStream {
    let first = path.segments.first().map(|segment| segment.ident.to_string()).unwrap_or_default();
    let up = std::iter::repeat_n(quote!(super), deep);
    if path.leading_colon.is_some() || first == "crate" || first == "$crate" {
        return path.to_token_stream();
    }
    let rest: Vec<_> = path.segments.iter().skip(usize::from(first == "self")).collect();
    quote!(#(#up)::* #(::#rest)*)
}

pub(super) fn stream(tokens: Tokens) -> TokenStream {
    tokens.into_iter().collect()
}
