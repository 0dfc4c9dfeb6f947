//! Facts about a type that can be read from its text.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::spanned::Spanned as _;
use syn::visit_mut::{self, VisitMut};
use syn::{GenericArgument, PathArguments, PathSegment, Type};

mod bounds;
mod fixed;
mod lifetimes;

pub(crate) use bounds::{are_of_core, asks_for_no_bound, unbounded};
pub(crate) use fixed::{are_parameters, are_unlimited, bounds_of, fixed, given, is_harmless, parameter, trait_of};
pub(crate) use lifetimes::{
    anonymous, at, bounds_in, bounds_without, has_a_lifetime, has_several_bounds, inferred, may_hide_a_lifetime,
    reference_to_an_object, with_lifetime, with_lifetime_but, without_lifetimes,
};

use lifetimes::{WITHOUT_LIFETIME, bind_object};

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

/// The type's name, if it is a name alone.
pub(crate) fn named(ty: &Type) -> Option<&syn::Ident> {
    match ungrouped(ty) {
        Type::Path(path) if path.qself.is_none() => path.path.get_ident(),
        _ => None,
    }
}

/// What the reference in an `Option<&T>` refers to.
pub(crate) fn option_of_a_reference(ty: &Type) -> Option<Type> {
    let option = last_segment(ty).filter(|last| last.ident == "Option")?;
    match type_arguments(option).as_slice() {
        [held] => match ungrouped(held) {
            Type::Reference(held) => Some((*held.elem).clone()),
            _ => None,
        },
        _ => None,
    }
}

/// The names in a type that are no parts of a path.
pub(crate) fn names(ty: &Type) -> Vec<String> {
    idents(ty).into_iter().map(crate::names::unraw).collect()
}

/// The same, where they stand.
pub(crate) fn idents(ty: &Type) -> Vec<&syn::Ident> {
    struct Names<'t>(Vec<&'t syn::Ident>);
    impl<'ast> syn::visit::Visit<'ast> for Names<'ast> {
        fn visit_path(&mut self, path: &'ast syn::Path) {
            if path.segments.len() == 1 && path.leading_colon.is_none() {
                self.0.extend(path.segments.iter().map(|part| &part.ident));
            }
            syn::visit::visit_path(self, path);
        }
        // The length of an array is no part of the type.
        fn visit_expr(&mut self, _: &'ast syn::Expr) {}
    }
    let mut names = Names(Vec::new());
    syn::visit::Visit::visit_type(&mut names, ty);
    names.0
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

/// Whether its name says that no value of it exists.
pub(crate) fn is_never(ty: &Type) -> bool {
    matches!(ungrouped(ty), Type::Never(_)) || is_named(ty, "Infallible")
}

/// Whether two types have the same text.
pub(crate) fn same_text(one: &Type, other: &Type) -> bool {
    text(one) == text(other)
}

/// A type, or any other tokens, as a person would write it.
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
                // The second `:` of `::` is also alone.
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
                // Two words in a row need a space between them, and so do a lifetime and what follows it.
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

/// Whether it has no size, as far as one can see: `str`, a slice, a trait object, or an `Option` or `Result` of one.
pub(crate) fn has_no_size(ty: &Type) -> bool {
    let is_unsized = |ty: &Type| match ungrouped(ty) {
        Type::Path(path) => path.path.is_ident("str"),
        Type::Slice(_) | Type::TraitObject(_) => true,
        _ => false,
    };
    let inside = last_segment(ty)
        .filter(|last| !last.arguments.is_none() && (last.ident == "Result" || last.ident == "Option"))
        .is_some_and(|last| type_arguments(last).into_iter().any(is_unsized));
    is_unsized(ty) || inside
}

/// The type to which a reference refers; any other type is itself. Parentheses around it are kept: it will stand after
/// another `&`, where `dyn Trait + 'a` needs them.
pub(crate) fn referent(ty: &Type) -> &Type {
    match ungrouped(ty) {
        Type::Reference(reference) => &reference.elem,
        _ => ty,
    }
}

/// The type in the pointers and the `Option` that hold a field's node.
pub(crate) fn held(ty: &Type) -> &Type {
    let ty = referent(ty);
    held_once(ty).map_or(ty, held)
}

/// The type in one of them.
pub(crate) fn held_once(ty: &Type) -> Option<&Type> {
    let holder = last_segment(ty).filter(|last| ["Arc", "Rc", "Box", "Option"].iter().any(|name| last.ident == name));
    match holder.map(type_arguments).as_deref() {
        Some([inner]) => Some(*inner),
        _ => None,
    }
}

/// The type by which a value is found: the type itself, or the type to which it refers. A trait object behind a
/// reference lives as long as the reference.
pub(crate) fn found_by(ty: &Type) -> Type {
    let mut ty = ungrouped(ty).clone();
    if let Type::Reference(reference) = &mut ty
        && let Some(lifetime) = &reference.lifetime
    {
        bind_object(&mut reference.elem, lifetime);
    }
    referent(&ty).clone()
}

/// A block whose methods name its type in place of `Self`, in their parameters and results.
pub(crate) fn without_self(block: &syn::ItemImpl) -> syn::ItemImpl {
    struct Replace<'a>(&'a Type);
    impl VisitMut for Replace<'_> {
        fn visit_type_mut(&mut self, ty: &mut Type) {
            match ty {
                Type::Path(path) if path.qself.is_none() && path.path.is_ident("Self") => *ty = self.0.clone(),
                _ => visit_mut::visit_type_mut(self, ty),
            }
        }
        // For example the length of an array.
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

/// Whether these tokens mention a type parameter of these generics.
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
    !parameters.is_empty() && any(tokens.to_token_stream(), &mut |ident| parameters.contains(&ident))
}

/// Whether a type depends on the type and const parameters of these generics.
pub(crate) fn depends(ty: &Type, generics: &syn::Generics) -> bool {
    mentions(ty, &without_lifetime_parameters(generics))
}

/// The type and const parameters of these generics.
pub(crate) fn without_lifetime_parameters(generics: &syn::Generics) -> syn::Generics {
    let is_lifetime = |parameter: &syn::GenericParam| matches!(parameter, syn::GenericParam::Lifetime(_));
    let params = generics.params.iter().filter(|parameter| !is_lifetime(parameter)).cloned().collect();
    syn::Generics { params, ..generics.clone() }
}

/// Whether it is written as `Option<..>`, or as a reference to one.
pub(crate) fn is_option(ty: &Type) -> bool {
    is_named(referent(ty), "Option")
}

/// The `T` of `Reloadable<T>`.
pub(crate) fn reloadable(ty: &Type) -> Option<&Type> {
    let segment = last_segment(ty).filter(|segment| segment.ident == "Reloadable")?;
    type_arguments(segment).first().copied()
}

/// Whether it may be a `Reloadable<T>` under another name.
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

/// Further types whose names say that they are no `Result`, unless the user has an alias of that name.
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

/// An expression in parentheses, so that what another macro passed as one (`$e:expr`) stays together: rustc forgets the
/// invisible groups.
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

/// The span of a type's name: stable Rust cannot make a span of several tokens.
pub(crate) fn name_span(ty: &Type) -> Span {
    last_segment(ty).map_or_else(|| ty.span(), |segment| segment.ident.span())
}
