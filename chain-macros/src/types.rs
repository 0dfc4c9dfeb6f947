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

/// A block whose methods say its type in place of `Self`, in what they ask for and give.
pub(crate) fn without_self(block: &syn::ItemImpl) -> syn::ItemImpl {
    struct Replace<'a>(&'a Type);
    impl VisitMut for Replace<'_> {
        fn visit_type_mut(&mut self, ty: &mut Type) {
            match ty {
                Type::Path(path) if path.qself.is_none() && path.path.is_ident("Self") => *ty = self.0.clone(),
                _ => visit_mut::visit_type_mut(self, ty),
            }
        }
        // The length of an array, say.
        fn visit_expr_path_mut(&mut self, path: &mut syn::ExprPath) {
            let is_of_self = path.path.segments.first().is_some_and(|first| first.ident == "Self");
            if path.qself.is_none() && is_of_self && path.path.segments.len() > 1 {
                let (itself, rest) = (self.0, path.path.segments.iter().skip(1));
                *path = syn::parse_quote!(<#itself> #(::#rest)*);
            }
        }
    }
    let mut block = block.clone();
    let itself = block.self_ty.clone();
    let mut replace = Replace(&itself);
    for item in &mut block.items {
        let syn::ImplItem::Fn(method) = item else { continue };
        for argument in &mut method.sig.inputs {
            if let syn::FnArg::Typed(argument) = argument {
                replace.visit_type_mut(&mut argument.ty);
            }
        }
        replace.visit_return_type_mut(&mut method.sig.output);
    }
    block
}

/// Puts one lifetime in the place of these in what generics ask for.
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

/// Leaves out what generics ask for with one of these.
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

/// Whether it is a trait object that stands in parentheses behind a `&`.
pub(crate) fn has_several_bounds(ty: &Type) -> bool {
    matches!(ungrouped(ty), Type::TraitObject(object) if object.bounds.len() > 1)
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

/// Whether it may be a `Reloadable<T>` by another name.
pub(crate) fn may_be_reloadable(ty: &Type) -> bool {
    reloadable(ty).is_none()
        && may_hide_a_break(ty)
        && last_segment(ty).is_some_and(|last| type_arguments(last).len() == 1)
        && !has_a_lifetime(ty)
}

/// The first `impl Trait` in it.
pub(crate) fn find_impl_trait(ty: &Type) -> Option<TokenStream> {
    use syn::visit::Visit;
    struct Find(Option<TokenStream>);
    impl<'ast> Visit<'ast> for Find {
        fn visit_type_impl_trait(&mut self, found: &'ast syn::TypeImplTrait) {
            self.0.get_or_insert_with(|| found.to_token_stream());
        }
    }
    let mut find = Find(None);
    find.visit_type(ty);
    find.0
}

/// Whether a reference or another lifetime is in it, that of the hook's own `&` aside.
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

/// What is known to have no lifetime by its name, unless the user's own type is called so; then it has to be written.
const WITHOUT_LIFETIME: [&str; 24] = [
    "bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize",
    "f32", "f64", "String", "Vec", "Option", "Result", "Box", "Arc", "Rc",
];

/// More that is known to be no `Result` by its name, unless the user's own alias is called so.
const VALUES: [&str; 16] = [
    "Cow",
    "HashMap",
    "HashSet",
    "BTreeMap",
    "BTreeSet",
    "VecDeque",
    "Mutex",
    "RwLock",
    "Cell",
    "RefCell",
    "Response",
    "Request",
    "Pin",
    "Poll",
    "NonNull",
    "PhantomData",
];

/// Whether the name of a type may be an alias of a `Result` or a `ControlFlow`.
pub(crate) fn may_hide_a_break(ty: &Type) -> bool {
    let Type::Path(path) = ungrouped(ty) else { return false };
    let last = path.path.segments.last();
    last.is_some_and(|last| !WITHOUT_LIFETIME.iter().chain(&VALUES).any(|name| last.ident == name))
}

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
        // There, it is another one each time.
        fn visit_type_bare_fn(&mut self, _: &'ast syn::TypeBareFn) {}
        fn visit_parenthesized_generic_arguments(&mut self, _: &'ast syn::ParenthesizedGenericArguments) {}
    }
    let mut find = Find(false, is_parameter);
    find.visit_type(ty);
    find.0
}

/// These tokens where the lifetimes of the chain are not declared: rustc finds them.
pub(crate) fn inferred(tokens: TokenStream, own: &[Lifetime]) -> TokenStream {
    at(tokens, own, "_")
}

/// These tokens with another lifetime in the place of these.
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

/// A type without the lifetimes that are written in it, to compare it with one in which they are hidden.
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

/// An expression that keeps together what another macro passed as one (`$e:expr`), in parentheses: rustc forgets the invisible ones.
pub(crate) fn kept_together(mut expression: syn::Expr) -> syn::Expr {
    struct Parentheses;
    impl VisitMut for Parentheses {
        fn visit_expr_mut(&mut self, expression: &mut syn::Expr) {
            visit_mut::visit_expr_mut(self, expression);
            if let syn::Expr::Group(group) = expression
                && !matches!(*group.expr, syn::Expr::Path(_) | syn::Expr::Lit(_) | syn::Expr::Block(_))
            {
                let inner = &group.expr;
                *expression = syn::parse_quote!((#inner));
            }
        }
    }
    Parentheses.visit_expr_mut(&mut expression);
    expression
}
