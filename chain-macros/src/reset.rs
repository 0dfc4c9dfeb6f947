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

/// What the methods do, and what the fields ask of the type's parameters.
#[derive(Default)]
struct Body {
    reset: TokenStream,
    trim: TokenStream,
    renew: TokenStream,
    bounds: Vec<TokenStream>,
}

fn implement(input: &DeriveInput, at: &TokenStream, body: Body) -> TokenStream {
    let Body { reset, trim, renew, bounds } = body;
    let name = &input.ident;
    let mut generics = input.generics.clone();
    if !bounds.is_empty() {
        let clause = generics.make_where_clause();
        clause.predicates.extend(bounds.into_iter().map(|bound| -> syn::WherePredicate { syn::parse_quote!(#bound) }));
    }
    let (parameters, arguments, clause) = generics.split_for_impl();
    let limit = names::single("__chain_limit");
    let trim = (!trim.is_empty()).then(|| {
        quote! {
            #[inline]
            fn trim(&mut self, #limit: ::core::primitive::usize) { #trim }
        }
    });
    let renew = (!renew.is_empty()).then(|| {
        quote! {
            #[inline]
            fn renew(&mut self) { #renew }
        }
    });
    quote! {
        #[automatically_derived]
        #[allow(deprecated, reason = "a deprecated field is reset like any other")]
        impl #parameters #at::Reset for #name #arguments #clause {
            #[inline]
            fn reset(&mut self) { #reset }
            #trim
            #renew
        }
    }
}

fn reset_struct(fields: &Fields, input: &DeriveInput, at: &TokenStream, errors: &mut Errors) -> Body {
    let mut body = Body::default();
    let (mut reset, mut trimmed, mut renewed) = (Places::default(), Places::default(), Places::default());
    let given = names::single("__chain_given");
    let limit = names::single("__chain_limit");
    for (position, field) in fields.iter().enumerate() {
        let (ty, member) = (&field.ty, member(position, field));
        let binding = names::local("__chain_field", position);
        let Ways { reset: how, renew } = Ways::of(&field.attrs, errors);
        // Through a local of the field's type, so that a wrong value or function is told which field it is for.
        let assigned = |value: Expr| quote!({ let #given: #ty = #value; *#binding = #given; });
        let (mut at_reset, mut at_trim, mut at_renew) = Default::default();
        match how {
            How::Itself => {
                at_reset = quote!(<#ty as #at::Reset>::reset(#binding););
                at_trim = quote!(<#ty as #at::Reset>::trim(#binding, #limit););
                at_renew = quote!(<#ty as #at::Reset>::renew(#binding););
                if mentions_a_parameter(ty, &input.generics) {
                    body.bounds.push(quote!(#ty: #at::Reset));
                }
            }
            How::Value(value) => at_reset = assigned(value),
            How::With(function) => {
                let signature = quote_spanned!(ty.span()=> fn(&mut #ty));
                at_reset = quote!({ let #given: #signature = #function; #given(#binding); });
            }
            How::Keep => {}
        }
        if let Some(value) = renew {
            at_renew = assigned(value);
        }
        reset.push(&member, &binding, at_reset);
        trimmed.push(&member, &binding, at_trim);
        renewed.push(&member, &binding, at_renew);
    }
    body.reset = reset.taken_apart();
    // A type that has nothing to trim or to renew keeps the trait's own empty method.
    body.trim = if trimmed.is_idle { TokenStream::new() } else { trimmed.taken_apart() };
    body.renew = if renewed.is_idle { TokenStream::new() } else { renewed.taken_apart() };
    body
}

/// What one method does with each field.
struct Places {
    pattern: Vec<TokenStream>,
    statements: TokenStream,
    is_idle: bool,
}

impl Default for Places {
    fn default() -> Self {
        Self { pattern: Vec::new(), statements: TokenStream::new(), is_idle: true }
    }
}

impl Places {
    fn push(&mut self, member: &syn::Member, binding: &Ident, statement: TokenStream) {
        let lent = if statement.is_empty() { quote!(_) } else { quote!(#binding) };
        self.is_idle &= statement.is_empty();
        self.pattern.push(quote!(#member: #lent));
        self.statements.extend(statement);
    }

    fn taken_apart(&self) -> TokenStream {
        let Self { pattern, statements, .. } = self;
        quote!(let Self { #(#pattern),* } = self; #statements)
    }
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

/// What happens to one field when the value comes back, and when it is lent.
struct Ways {
    reset: How,
    renew: Option<Expr>,
}

/// How one field is reset.
enum How {
    Itself,
    Value(Expr),
    With(syn::ExprPath),
    Keep,
}

impl Ways {
    fn of(attrs: &[Attribute], errors: &mut Errors) -> Ways {
        const KNOWN: &str = "a field takes `value = ..`, `with = path::to_fn`, `keep` or `renew = ..`";
        let mut chosen: Option<(Ident, How)> = None;
        let mut renew: Option<(Ident, Expr)> = None;
        for entry in entries(attrs, KNOWN, errors) {
            let how = match (entry.name.to_string().as_str(), entry.value) {
                ("value", Some(value)) => {
                    if let Some(clock) = clock_in(&value) {
                        errors.push(
                            clock,
                            "a field is reset when its value comes back, so this is the time at which the last request ended\n\
                             help: `renew = ..` is evaluated when the value is lent",
                        );
                    }
                    How::Value(value)
                }
                ("with", Some(Expr::Path(function))) => How::With(function),
                ("keep", None) => How::Keep,
                ("renew", Some(value)) => {
                    match &renew {
                        None => renew = Some((entry.name, value)),
                        Some(_) => errors.push(entry.name.span(), "`renew` is already given for this field"),
                    }
                    continue;
                }
                ("renew", None) => {
                    errors.push(
                        entry.name.span(),
                        "`renew` wants what the field is set to when it is lent: `renew = ..`",
                    );
                    continue;
                }
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
        if let (Some((keep, How::Keep)), Some(_)) = (&chosen, &renew) {
            errors.push(keep.span(), "`keep` leaves the field as it is, and `renew` sets it: they exclude each other");
        }
        // What is set when it is lent need not be set when it comes back.
        let otherwise = if renew.is_some() { How::Keep } else { How::Itself };
        Ways { reset: chosen.map_or(otherwise, |(_, how)| how), renew: renew.map(|(_, value)| value) }
    }
}

/// Where this asks what time it is, by the name that clocks have for it.
fn clock_in(value: &Expr) -> Option<Span> {
    #[derive(Default)]
    struct Search(Option<Span>);
    impl Search {
        fn see(&mut self, name: &Ident) {
            let text = name.to_string();
            if text == "now" || text.starts_with("now_") {
                self.0.get_or_insert(name.span());
            }
        }
    }
    impl<'ast> Visit<'ast> for Search {
        fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
            if let Expr::Path(function) = &*call.func
                && let Some(last) = function.path.segments.last()
            {
                self.see(&last.ident);
            }
            syn::visit::visit_expr_call(self, call);
        }
        fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
            self.see(&call.method);
            syn::visit::visit_expr_method_call(self, call);
        }
    }
    let mut search = Search::default();
    search.visit_expr(value);
    search.0
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
    const KNOWN: &str =
        "a type takes `crate = path::to::chain_runtime`; `value`, `with`, `keep` and `renew` belong on a field";
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
