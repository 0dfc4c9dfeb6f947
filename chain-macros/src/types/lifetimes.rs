//! Lifetimes in types: those that are written, left out or hidden.

use proc_macro2::TokenStream;
use syn::visit_mut::{self, VisitMut};
use syn::{GenericArgument, Lifetime, PathArguments, Type, TypeParamBound};

use super::ungrouped;

/// Puts one lifetime in place of every lifetime of a type, written or elided, except `'static` and the ones that the
/// type itself binds (`for<'a> fn(&'a T)`).
pub(crate) fn with_lifetime(ty: &Type, lifetime: &Lifetime) -> Type {
    with_lifetime_but(ty, lifetime, &[])
}

/// The same, but these lifetimes stay as they are.
pub(crate) fn with_lifetime_but(ty: &Type, lifetime: &Lifetime, stay: &[Lifetime]) -> Type {
    let mut ty = ty.clone();
    // A type by itself is what a reference referred to.
    bind_object(&mut ty, lifetime);
    Relabel { lifetime, bound: stay.to_vec() }.visit_type_mut(&mut ty);
    ty
}

/// After a reference, `dyn Trait` means `dyn Trait + 'a` with the reference's `'a`; anywhere else it would mean
/// `'static`.
pub(crate) fn bind_object(ty: &mut Type, lifetime: &Lifetime) {
    match ty {
        Type::Group(group) => bind_object(&mut group.elem, lifetime),
        Type::Paren(paren) => bind_object(&mut paren.elem, lifetime),
        Type::TraitObject(object)
            if object.bounds.iter().all(|bound| !matches!(bound, TypeParamBound::Lifetime(_))) =>
        {
            object.bounds.push(TypeParamBound::Lifetime(lifetime.clone()));
            *ty = syn::parse_quote!((#ty));
        }
        // It will stand after a `&`.
        Type::TraitObject(object) if object.bounds.len() > 1 => *ty = syn::parse_quote!((#ty)),
        _ => {}
    }
}

/// For a trait object whose lifetime is not written: the reference for this lifetime that refers to it. Only rustc knows whether
/// the trait has a bound that says otherwise, `trait Store: 'static`.
pub(crate) fn reference_to_an_object(ty: &Type, lifetime: &Lifetime, stay: &[Lifetime]) -> Option<Type> {
    let Type::TraitObject(object) = ungrouped(ty) else { return None };
    let is_written = object.bounds.iter().any(|bound| matches!(bound, TypeParamBound::Lifetime(_)));
    (!is_written).then(|| {
        let object = if object.bounds.len() > 1 { quote::quote!((#object)) } else { quote::quote!(#object) };
        with_lifetime_but(&syn::parse_quote!(&#lifetime #object), lifetime, stay)
    })
}

pub(crate) struct Relabel<'a> {
    pub(crate) lifetime: &'a Lifetime,
    pub(crate) bound: Vec<Lifetime>,
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
        visit_mut::visit_type_reference_mut(self, reference);
    }

    // Inside of `fn(&T)` and `Fn(&T)` an elided lifetime is bound by the type itself.
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

/// Puts one lifetime in place of these in the bounds of generics.
pub(crate) fn bounds_in(generics: &mut syn::Generics, own: &[Lifetime], lifetime: &Lifetime) {
    struct Rename<'a>(&'a [Lifetime], &'a Lifetime);
    impl VisitMut for Rename<'_> {
        fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
            if self.0.contains(lifetime) {
                *lifetime = self.1.clone();
            }
        }
    }
    Rename(own, lifetime).visit_generics_mut(generics);
}

/// Leaves out the bounds of generics that mention one of these.
pub(crate) fn bounds_without(generics: &mut syn::Generics, own: &[Lifetime]) {
    use syn::punctuated::Punctuated;
    use syn::visit::Visit;
    struct Find<'a>(&'a [Lifetime], bool);
    impl<'ast> Visit<'ast> for Find<'_> {
        fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
            self.1 |= self.0.contains(lifetime);
        }
    }
    let is_without = |bound: &TypeParamBound| {
        let mut find = Find(own, false);
        find.visit_type_param_bound(bound);
        !find.1
    };
    let without = |bounds: &mut Punctuated<TypeParamBound, syn::Token![+]>| {
        *bounds = std::mem::take(bounds).into_iter().filter(is_without).collect();
    };
    generics.type_params_mut().for_each(|parameter| without(&mut parameter.bounds));
    let Some(clause) = &mut generics.where_clause else { return };
    for predicate in &mut clause.predicates {
        if let syn::WherePredicate::Type(predicate) = predicate {
            without(&mut predicate.bounds);
        }
    }
    let is_about = |predicate: &syn::WherePredicate| {
        let mut find = Find(own, false);
        find.visit_where_predicate(predicate);
        find.1
    };
    let predicates = std::mem::take(&mut clause.predicates);
    clause.predicates = predicates.into_iter().filter(|predicate| !is_about(predicate)).collect();
}

/// Whether it is a trait object that needs parentheses after a `&`.
pub(crate) fn has_several_bounds(ty: &Type) -> bool {
    matches!(ungrouped(ty), Type::TraitObject(object) if object.bounds.len() > 1)
}

/// The type, for a mere mention: each of its lifetimes is left to rustc.
pub(crate) fn anonymous(ty: &Type) -> Type {
    with_lifetime(ty, &Lifetime::new("'_", proc_macro2::Span::mixed_site()))
}

/// Whether it contains a reference or another lifetime, apart from the hook's own `&`.
pub(crate) fn has_a_lifetime(ty: &Type) -> bool {
    use syn::visit::{self, Visit};
    struct Find(bool);
    impl<'ast> Visit<'ast> for Find {
        fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
            self.0 |= lifetime.ident != "static";
        }
        fn visit_type_reference(&mut self, reference: &'ast syn::TypeReference) {
            self.0 |= reference.lifetime.is_none();
            visit::visit_type_reference(self, reference);
        }
    }
    let mut find = Find(false);
    find.visit_type(ty);
    find.0
}

/// Types whose names say that they have no lifetime. If the user has a type of that name with a lifetime, the lifetime
/// has to be written.
pub(crate) const WITHOUT_LIFETIME: [&str; 24] = [
    "bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize",
    "f32", "f64", "String", "Vec", "Option", "Result", "Box", "Arc", "Rc",
];

/// Whether a path in it may stand for a type with a lifetime that is not written.
pub(crate) fn may_hide_a_lifetime(ty: &Type, is_parameter: &dyn Fn(&syn::Ident) -> bool) -> bool {
    use syn::visit::{self, Visit};
    struct Find<'a>(bool, &'a dyn Fn(&syn::Ident) -> bool);
    impl<'ast> Visit<'ast> for Find<'_> {
        fn visit_type_path(&mut self, path: &'ast syn::TypePath) {
            let (first, last) = (path.path.segments.first(), path.path.segments.last());
            let of_parameter = first.is_some_and(|first| (self.1)(&first.ident)) || path.qself.is_some();
            let is_known = last.is_some_and(|last| WITHOUT_LIFETIME.iter().any(|name| last.ident == name));
            let is_written = last.is_some_and(|last| match &last.arguments {
                PathArguments::AngleBracketed(arguments) => {
                    arguments.args.iter().any(|argument| matches!(argument, GenericArgument::Lifetime(_)))
                }
                _ => false,
            });
            self.0 |= !(of_parameter || is_known || is_written);
            visit::visit_type_path(self, path);
        }
        // There, it is another lifetime each time.
        fn visit_type_bare_fn(&mut self, _: &'ast syn::TypeBareFn) {}
        fn visit_parenthesized_generic_arguments(&mut self, _: &'ast syn::ParenthesizedGenericArguments) {}
    }
    let mut find = Find(false, is_parameter);
    find.visit_type(ty);
    find.0
}

/// These tokens, for a place where the chain's lifetimes are not declared: rustc infers them.
pub(crate) fn inferred(tokens: TokenStream, own: &[Lifetime]) -> TokenStream {
    at(tokens, own, "_")
}

/// These tokens, with another lifetime in place of these.
pub(crate) fn at(tokens: TokenStream, own: &[Lifetime], instead: &str) -> TokenStream {
    use proc_macro2::{Group, Ident, TokenTree};
    let mut behind_tick = false;
    let inferred = tokens.into_iter().map(|token| {
        let is_name = std::mem::replace(&mut behind_tick, false);
        match token {
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), at(group.stream(), own, instead));
                inner.set_span(group.span());
                inner.into()
            }
            TokenTree::Ident(name) if is_name && own.iter().any(|lifetime| lifetime.ident == name) => {
                Ident::new(instead, name.span()).into()
            }
            TokenTree::Punct(punct) => {
                behind_tick = punct.as_char() == '\'';
                punct.into()
            }
            other => other,
        }
    });
    inferred.collect()
}

/// A type without the lifetimes that are written in it, for comparing it with one in which they are hidden.
pub(crate) fn without_lifetimes(ty: &Type) -> Type {
    struct Without;
    impl VisitMut for Without {
        fn visit_type_reference_mut(&mut self, reference: &mut syn::TypeReference) {
            reference.lifetime = None;
            visit_mut::visit_type_reference_mut(self, reference);
        }
        fn visit_path_arguments_mut(&mut self, arguments: &mut PathArguments) {
            if let PathArguments::AngleBracketed(inner) = arguments {
                let kept = std::mem::take(&mut inner.args).into_iter();
                inner.args = kept.filter(|argument| !matches!(argument, GenericArgument::Lifetime(_))).collect();
                inner.colon2_token = None;
                if inner.args.is_empty() {
                    *arguments = PathArguments::None;
                    return;
                }
            }
            visit_mut::visit_path_arguments_mut(self, arguments);
        }
    }
    let mut ty = ty.clone();
    Without.visit_type_mut(&mut ty);
    ty
}
