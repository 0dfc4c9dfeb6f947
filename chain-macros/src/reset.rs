//! `#[derive(Reset)]`: one exhaustive pattern, one statement for each field.
//!
//! The phases are `check` (it turns attributes into [`How`]s, and collects every mistake), and then `expand` (it cannot
//! fail). After a mistake the type still implements `Reset`, so that the mistake is reported once, at its place.

mod attributes;

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{Data, DataEnum, DeriveInput, Expr, Fields, Ident, Type};

use crate::diagnostics::Code;
use crate::names;
use attributes::{Errors, How, Ways, attributes, mark_of, place_of_runtime};

pub(crate) fn expand(input: DeriveInput) -> TokenStream {
    let mut errors = Errors::default();
    let at = place_of_runtime(&input.attrs, &mut errors);
    let body = match &input.data {
        Data::Struct(data) => reset_struct(&data.fields, &input, &at, &mut errors),
        Data::Enum(data) => reset_enum(data, &input.ident, &mut errors),
        Data::Union(data) => {
            errors.push(
                Code::E906,
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

/// The bodies of the methods, and the bounds of the fields on the type's parameters.
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
        // It goes through a local of the field's type, so that an error about a wrong value or function names the
        // field.
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
    // A type with nothing to trim or to renew keeps the trait's own empty method.
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
                    Code::E905,
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
                Code::E905,
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
                Code::E905,
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
            Code::E905,
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
