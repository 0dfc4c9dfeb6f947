//! What can be read off a type as it is written.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::visit_mut::{self, VisitMut};
use syn::{GenericArgument, Lifetime, PathArguments, PathSegment, Type, TypeParamBound};

/// Puts one lifetime in the place of every lifetime of a type, written or elided, but `'static` and the
/// ones that the type itself binds (`for<'a> fn(&'a T)`).
pub(crate) fn with_lifetime(ty: &Type, lifetime: &Lifetime) -> Type {
    with_lifetime_but(ty, lifetime, &[])
}

/// The same, but these lifetimes stay.
pub(crate) fn with_lifetime_but(ty: &Type, lifetime: &Lifetime, stay: &[Lifetime]) -> Type {
    let mut ty = ty.clone();
    // By itself it is what a reference referred to.
    bind_object(&mut ty, lifetime);
    Relabel { lifetime, bound: stay.to_vec() }.visit_type_mut(&mut ty);
    ty
}

/// Behind a reference, `dyn Trait` is `dyn Trait + 'a` for the reference's `'a`; anywhere else it would be `'static`.
fn bind_object(ty: &mut Type, lifetime: &Lifetime) {
    match ty {
        Type::Group(group) => bind_object(&mut group.elem, lifetime),
        Type::Paren(paren) => bind_object(&mut paren.elem, lifetime),
        Type::TraitObject(object)
            if object.bounds.iter().all(|bound| !matches!(bound, TypeParamBound::Lifetime(_))) =>
        {
            object.bounds.push(TypeParamBound::Lifetime(lifetime.clone()));
            *ty = syn::parse_quote!((#ty));
        }
        // It will stand behind a `&`.
        Type::TraitObject(object) if object.bounds.len() > 1 => *ty = syn::parse_quote!((#ty)),
        _ => {}
    }
}

struct Relabel<'a> {
    lifetime: &'a Lifetime,
    bound: Vec<Lifetime>,
}

impl VisitMut for Relabel<'_> {
    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident != "static" && !self.bound.contains(lifetime) {
            *lifetime = Lifetime { apostrophe: lifetime.apostrophe, ident: self.lifetime.ident.clone() };
        }
    }

    fn visit_type_reference_mut(&mut self, reference: &mut syn::TypeReference) {
        if reference.lifetime.is_none() {
            reference.lifetime = Some(self.lifetime.clone());
        }
        if let Some(lifetime) = &reference.lifetime {
            bind_object(&mut reference.elem, lifetime);
        }
        visit_mut::visit_type_reference_mut(self, reference);
    }

    // Inside `fn(&T)` and `Fn(&T)` an elided lifetime is bound there.
    fn visit_type_bare_fn_mut(&mut self, _: &mut syn::TypeBareFn) {}
    fn visit_parenthesized_generic_arguments_mut(&mut self, _: &mut syn::ParenthesizedGenericArguments) {}

    fn visit_trait_bound_mut(&mut self, bound: &mut syn::TraitBound) {
        let before = self.bound.len();
        for parameter in bound.lifetimes.iter().flat_map(|binder| &binder.lifetimes) {
            if let syn::GenericParam::Lifetime(parameter) = parameter {
                self.bound.push(parameter.lifetime.clone());
            }
        }
        visit_mut::visit_path_mut(self, &mut bound.path);
        self.bound.truncate(before);
    }
}

/// A type without the invisible groups that a macro by example puts around `$t:ty`.
pub(crate) fn ungrouped(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => ungrouped(&group.elem),
        Type::Paren(paren) => ungrouped(&paren.elem),
        other => other,
    }
}

/// The last segment of a path type: `Result<T, E>` of `std::result::Result<T, E>`.
pub(crate) fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match ungrouped(ty) {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

/// Whether the type's path ends with this name.
pub(crate) fn is_named(ty: &Type, name: &str) -> bool {
    last_segment(ty).is_some_and(|segment| segment.ident == name)
}

/// The type arguments of a segment.
pub(crate) fn type_arguments(segment: &PathSegment) -> Vec<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return Vec::new();
    };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    types.collect()
}

/// Whether it is `()`.
pub(crate) fn is_unit(ty: &Type) -> bool {
    matches!(ungrouped(ty), Type::Tuple(tuple) if tuple.elems.is_empty())
}

/// Whether no value of it exists, as far as its name tells.
pub(crate) fn is_never(ty: &Type) -> bool {
    matches!(ungrouped(ty), Type::Never(_)) || is_named(ty, "Infallible")
}

/// Whether two types are written alike.
pub(crate) fn same_text(one: &Type, other: &Type) -> bool {
    text(one) == text(other)
}

/// A type, or whatever else, as a person would write it.
pub(crate) fn text(tokens: &impl ToTokens) -> String {
    let mut out = String::new();
    write(tokens.to_token_stream(), &mut out);
    out
}

fn write(tokens: TokenStream, out: &mut String) {
    use proc_macro2::{Delimiter, Spacing, TokenTree};
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace if out.ends_with(|last: char| last.is_alphanumeric()) => (" { ", " }"),
                    Delimiter::Brace => ("{ ", " }"),
                    Delimiter::None => ("", ""),
                };
                out.push_str(open);
                write(group.stream(), out);
                out.push_str(close);
            }
            TokenTree::Punct(punct) => match punct.as_char() {
                ',' => out.push_str(", "),
                ';' => out.push_str("; "),
                // The second of `::` is alone as well.
                ':' if punct.spacing() == Spacing::Alone && !out.ends_with(':') => out.push_str(": "),
                '+' | '=' => {
                    let joint = punct.spacing() == Spacing::Joint;
                    out.push(' ');
                    out.push(punct.as_char());
                    if !joint {
                        out.push(' ');
                    }
                }
                '-' => out.push_str(" -"),
                '>' if out.ends_with(" -") => out.push_str("> "),
                other => out.push(other),
            },
            word => {
                // Two words in a row, or a lifetime and what follows it, need a space between them.
                let text = word.to_string();
                let after_word = out.ends_with(|last: char| last.is_alphanumeric() || matches!(last, '_' | '}'));
                if after_word {
                    out.push(' ');
                }
                out.push_str(&text);
                let is_keyword = matches!(text.as_str(), "dyn" | "mut" | "impl" | "const" | "for");
                if is_keyword && tokens.peek().is_some() {
                    out.push(' ');
                    while out.ends_with("  ") {
                        out.pop();
                    }
                }
            }
        }
    }
}

/// What a reference refers to; any other type is itself. In parentheses, if it is: it will stand behind another `&`, where
/// `dyn Trait + 'a` needs them.
pub(crate) fn referent(ty: &Type) -> &Type {
    match ungrouped(ty) {
        Type::Reference(reference) => &reference.elem,
        _ => ty,
    }
}

/// What a type is found by: itself, or what it refers to. An object behind a reference lives as long as that.
pub(crate) fn found_by(ty: &Type) -> Type {
    let mut ty = ungrouped(ty).clone();
    if let Type::Reference(reference) = &mut ty
        && let Some(lifetime) = &reference.lifetime
    {
        bind_object(&mut reference.elem, lifetime);
    }
    referent(&ty).clone()
}

/// Where a type is only mentioned: with each of its lifetimes left to rustc.
pub(crate) fn anonymous(ty: &Type) -> Type {
    with_lifetime(ty, &Lifetime::new("'_", proc_macro2::Span::mixed_site()))
}

/// Whether a type parameter of these is mentioned.
pub(crate) fn mentions(tokens: &impl ToTokens, generics: &syn::Generics) -> bool {
    fn any(tokens: TokenStream, is: &mut impl FnMut(&proc_macro2::Ident) -> bool) -> bool {
        tokens.into_iter().any(|token| match token {
            proc_macro2::TokenTree::Group(group) => any(group.stream(), is),
            proc_macro2::TokenTree::Ident(ident) => is(&ident),
            _ => false,
        })
    }
    let parameters: Vec<_> = generics
        .params
        .iter()
        .filter_map(|parameter| match parameter {
            syn::GenericParam::Type(parameter) => Some(&parameter.ident),
            syn::GenericParam::Const(parameter) => Some(&parameter.ident),
            syn::GenericParam::Lifetime(_) => None,
        })
        .collect();
    any(tokens.to_token_stream(), &mut |ident| parameters.contains(&ident))
}

/// The `T` of `Reloadable<T>`.
pub(crate) fn reloadable(ty: &Type) -> Option<&Type> {
    let segment = last_segment(ty).filter(|segment| segment.ident == "Reloadable")?;
    type_arguments(segment).first().copied()
}
