//! What can be read off a type as it is written.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::visit_mut::{self, VisitMut};
use syn::{GenericArgument, PathArguments, PathSegment, Type};

mod lifetimes;

pub(crate) use lifetimes::{
    anonymous, at, bounds_in, bounds_without, has_a_lifetime, has_several_bounds, inferred, may_hide_a_lifetime,
    with_lifetime, with_lifetime_but, without_lifetimes,
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
