//! `#[derive(Reset)]`: one exhaustive pattern, one statement for each field.
//!
//! The phases are `check` (attributes become [`How`]s; every mistake is collected), then `expand` (cannot
//! fail). After a mistake the type still implements `Reset`, so that it is reported once and where it is.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{Attribute, Data, DataEnum, DeriveInput, Expr, Fields, Ident, Meta, Token, Type};

use crate::names;

pub(crate) fn expand(input: DeriveInput) -> TokenStream {
    let mut errors = Errors::default();
    let at = place_of_runtime(&input.attrs, &mut errors);
    let body = match &input.data {
        Data::Struct(data) => reset_struct(&data.fields, &input, &at, &mut errors),
        Data::Enum(data) => reset_enum(data, &input.ident, &mut errors),
        Data::Union(data) => {
            errors.push(
                data.union_token.span,
                "`Reset` cannot be derived for a union: nothing says which of its fields is alive\n\
                 help: use an enum, or implement `Reset` by hand",
            );
            Body::default()
        }
    };
    let (body, errors) = match errors.into_tokens() {
        None => (body, None),
        Some(errors) => (Body::default(), Some(errors)),
    };
    let implementation = implement(&input, &at, body);
    quote!(#implementation #errors)
}

/// What the two methods do, and what the fields ask of the type's parameters.
#[derive(Default)]
struct Body {
    reset: TokenStream,
    trim: TokenStream,
    bounds: Vec<TokenStream>,
}

fn implement(input: &DeriveInput, at: &TokenStream, body: Body) -> TokenStream {
    let Body { reset, trim, bounds } = body;
    let name = &input.ident;
    let mut generics = input.generics.clone();
    if !bounds.is_empty() {
        let clause = generics.make_where_clause();
        clause.predicates.extend(bounds.into_iter().map(|bound| -> syn::WherePredicate { syn::parse_quote!(#bound) }));
    }
    let (parameters, arguments, clause) = generics.split_for_impl();
    let limit = names::single("__chain_limit");
    // A type that has nothing to trim keeps the trait's own empty method.
    let trim = (!trim.is_empty()).then(|| {
        quote! {
            #[inline]
            fn trim(&mut self, #limit: ::core::primitive::usize) { #trim }
        }
    });
    quote! {
        #[automatically_derived]
        #[allow(deprecated, reason = "a deprecated field is reset like any other")]
        impl #parameters #at::Reset for #name #arguments #clause {
            #[inline]
            fn reset(&mut self) { #reset }
            #trim
        }
    }
}

fn reset_struct(fields: &Fields, input: &DeriveInput, at: &TokenStream, errors: &mut Errors) -> Body {
    let mut body = Body::default();
    let mut trimmed = Vec::new();
    let mut pattern = Vec::new();
    let given = names::single("__chain_given");
    let limit = names::single("__chain_limit");
    for (position, field) in fields.iter().enumerate() {
        let (ty, member) = (&field.ty, member(position, field));
        let binding = names::local("__chain_field", position);
        let how = How::of(&field.attrs, errors);
        let lent = if matches!(how, How::Keep) { quote!(_) } else { quote!(#binding) };
        pattern.push(quote!(#member: #lent));
        match how {
            How::Itself => {
                body.reset.extend(quote!(<#ty as #at::Reset>::reset(#binding);));
                trimmed.push((member, quote!(#binding), quote!(<#ty as #at::Reset>::trim(#binding, #limit);)));
                if mentions_a_parameter(ty, &input.generics) {
                    body.bounds.push(quote!(#ty: #at::Reset));
                }
                continue;
            }
            // Through a local of the field's type, so that a wrong value or function is told which field it is for.
            How::Value(value) => body.reset.extend(quote!({ let #given: #ty = #value; *#binding = #given; })),
            How::With(function) => {
                let signature = quote_spanned!(ty.span()=> fn(&mut #ty));
                body.reset.extend(quote!({ let #given: #signature = #function; #given(#binding); }));
            }
            How::Keep => {}
        }
        trimmed.push((member, quote!(_), TokenStream::new()));
    }
    let statements = &body.reset;
    body.reset = quote!(let Self { #(#pattern),* } = self; #statements);
    if trimmed.iter().any(|(_, _, statement)| !statement.is_empty()) {
        let pattern = trimmed.iter().map(|(member, lent, _)| quote!(#member: #lent));
        let statements = trimmed.iter().map(|(_, _, statement)| statement);
        body.trim = quote!(let Self { #(#pattern),* } = self; #(#statements)*);
    }
    body
}

fn reset_enum(data: &DataEnum, name: &Ident, errors: &mut Errors) -> Body {
    let mut marked: Option<&syn::Variant> = None;
    let mut mistaken = false;
    for variant in &data.variants {
        let before = errors.0.len();
        if let Some(mark) = mark_of(&variant.attrs, errors) {
            match marked {
                None => marked = Some(variant),
                Some(first) => errors.push(
                    mark.span(),
                    &format!(
                        "both `{}` and `{}` are marked `#[reset(to)]`\nhelp: a fresh `{name}` is one of them",
                        first.ident.unraw(),
                        variant.ident.unraw(),
                    ),
                ),
            }
        }
        for attribute in variant.fields.iter().flat_map(|field| attributes(&field.attrs)) {
            errors.push(
                attribute.path().span(),
                "a variant's fields are dropped, not reset\n\
                 help: a field that has its own way of being reset belongs in a struct",
            );
        }
        mistaken |= errors.0.len() > before;
    }
    let defaults = || data.variants.iter().find(|variant| variant.attrs.iter().any(|a| a.path().is_ident("default")));
    let Some(target) = marked.or_else(defaults) else {
        // A mark that is misspelt is one mistake, not two.
        if !mistaken {
            errors.push(
                name.span(),
                &format!(
                    "`{name}` has no variant that it is reset to\n\
                     help: mark one without fields with `#[reset(to)]`, or with `#[default]` beside `#[derive(Default)]`",
                    name = name.unraw(),
                ),
            );
        }
        return Body::default();
    };
    if !target.fields.is_empty() {
        errors.push(
            target.fields.span(),
            &format!(
                "`{}` carries fields, which a reset from another variant has nothing to fill with\n\
                 help: mark a variant without fields, or implement `Reset` by hand",
                target.ident.unraw(),
            ),
        );
    }
    let variant = &target.ident;
    Body { reset: quote!(*self = Self::#variant {};), ..Body::default() }
}

fn member(position: usize, field: &syn::Field) -> syn::Member {
    match &field.ident {
        Some(name) => syn::Member::Named(name.clone()),
        None => syn::Member::Unnamed(syn::Index { index: position as u32, span: field.ty.span() }),
    }
}

fn mentions_a_parameter(ty: &Type, generics: &syn::Generics) -> bool {
    struct Search<'a> {
        generics: &'a syn::Generics,
        found: bool,
    }
    impl<'ast> Visit<'ast> for Search<'_> {
        fn visit_path(&mut self, path: &'ast syn::Path) {
            let first = path.segments.first().filter(|_| path.leading_colon.is_none());
            self.found |=
                first.is_some_and(|first| self.generics.type_params().any(|known| known.ident == first.ident));
            syn::visit::visit_path(self, path);
        }
    }
    let mut search = Search { generics, found: false };
    search.visit_type(ty);
    search.found
}

/// How one field is reset.
enum How {
    Itself,
    Value(Expr),
    With(syn::ExprPath),
    Keep,
}

impl How {
    fn of(attrs: &[Attribute], errors: &mut Errors) -> How {
        const KNOWN: &str = "a field takes `value = ..`, `with = path::to_fn` or `keep`";
        let mut chosen: Option<(Ident, How)> = None;
        for entry in entries(attrs, KNOWN, errors) {
            let how = match (entry.name.to_string().as_str(), entry.value) {
                ("value", Some(value)) => How::Value(value),
                ("with", Some(Expr::Path(function))) => How::With(function),
                ("keep", None) => How::Keep,
                ("value", None) => {
                    errors.push(entry.name.span(), "`value` wants what the field is set to: `value = ..`");
                    continue;
                }
                ("with", other) => {
                    let span = other.map_or(entry.name.span(), |other| other.span());
                    errors.push(span, "`with` wants the path of a function: `with = path::to_fn`");
                    continue;
                }
                ("keep", Some(value)) => {
                    errors.push(value.span(), "`keep` takes nothing: the field is left as it is");
                    continue;
                }
                (unknown, _) => {
                    errors.push(entry.name.span(), &format!("`reset` does not know `{unknown}`\nhelp: {KNOWN}"));
                    continue;
                }
            };
            match &chosen {
                None => chosen = Some((entry.name, how)),
                Some((first, _)) if *first == entry.name => {
                    errors.push(entry.name.span(), &format!("`{first}` is already given for this field"));
                }
                Some((first, _)) => errors.push(
                    entry.name.span(),
                    &format!("a field is reset in one way: `{first}` and `{}` exclude each other", entry.name),
                ),
            }
        }
        chosen.map_or(How::Itself, |(_, how)| how)
    }
}

/// The `to` of a variant's `#[reset(to)]`.
fn mark_of(attrs: &[Attribute], errors: &mut Errors) -> Option<Ident> {
    const KNOWN: &str = "a variant takes `to`: it is the one that the enum is reset to";
    let mut mark = None;
    for Entry { name, value } in entries(attrs, KNOWN, errors) {
        if name != "to" {
            errors.push(name.span(), &format!("`reset` does not know `{name}`\nhelp: {KNOWN}"));
        } else if let Some(value) = value {
            errors.push(value.span(), "`to` takes nothing: it marks the variant that the enum is reset to");
        } else if mark.is_some() {
            errors.push(name.span(), "`to` is already given for this variant");
        } else {
            mark = Some(name);
        }
    }
    mark
}

/// `#[reset(crate = path)]` on the type, else where Cargo says that the runtime is.
fn place_of_runtime(attrs: &[Attribute], errors: &mut Errors) -> TokenStream {
    const KNOWN: &str = "a type takes `crate = path::to::chain_runtime`; `value`, `with` and `keep` belong on a field";
    let mut place = None;
    for entry in entries(attrs, KNOWN, errors) {
        match (entry.name, entry.value) {
            (name, Some(Expr::Path(path))) if name == "crate" => {
                if place.replace(path.path).is_some() {
                    errors.push(name.span(), "`crate` is already given for this type");
                }
            }
            (name, value) if name == "crate" => {
                let span = value.map_or(name.span(), |value| value.span());
                errors.push(span, "`crate` wants the path of the runtime: `crate = path::to::chain_runtime`");
            }
            (name, _) => errors.push(name.span(), &format!("`reset` does not know `{name}` here\nhelp: {KNOWN}")),
        }
    }
    place.map_or_else(names::runtime, |place: syn::Path| quote!(#place))
}

/// `name` or `name = value`, as it stands in `#[reset(..)]`.
struct Entry {
    name: Ident,
    value: Option<Expr>,
}

impl Parse for Entry {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.call(Ident::parse_any)?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Some(input.parse()?)
        } else {
            None
        };
        Ok(Entry { name, value })
    }
}

fn attributes(attrs: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attrs.iter().filter(|attribute| attribute.path().is_ident("reset"))
}

fn entries(attrs: &[Attribute], known: &str, errors: &mut Errors) -> Vec<Entry> {
    let mut all = Vec::new();
    for attribute in attributes(attrs) {
        let Meta::List(list) = &attribute.meta else {
            errors
                .push(attribute.path().span(), &format!("`#[reset]` wants to know how: `#[reset(..)]`\nhelp: {known}"));
            continue;
        };
        match list.parse_args_with(Punctuated::<Entry, Token![,]>::parse_terminated) {
            Ok(list) if list.is_empty() => {
                errors.push(attribute.path().span(), &format!("`#[reset()]` says nothing\nhelp: {known}"));
            }
            Ok(list) => all.extend(list),
            Err(error) => errors.push(error.span(), &format!("`#[reset(..)]` cannot be read: {error}\nhelp: {known}")),
        }
    }
    all
}

/// Every mistake of one type, so that they are all reported in one build.
#[derive(Default)]
struct Errors(Vec<syn::Error>);

impl Errors {
    fn push(&mut self, span: Span, message: &str) {
        self.0.push(syn::Error::new(span, message));
    }

    fn into_tokens(self) -> Option<TokenStream> {
        let all = self.0.into_iter().reduce(|mut all, one| {
            all.combine(one);
            all
        })?;
        Some(all.into_compile_error())
    }
}
