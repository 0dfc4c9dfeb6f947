//! The attributes of `#[derive(Reset)]`: every one becomes a [`How`], and every mistake is collected.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{Attribute, Expr, Ident, Meta, Token};

use crate::diagnostics::Code;
use crate::names;

/// What happens to one field when the value comes back, and when it is lent.
pub(super) struct Ways {
    pub(super) reset: How,
    pub(super) renew: Option<Expr>,
}

/// How one field is reset.
pub(super) enum How {
    Itself,
    Value(Expr),
    With(syn::ExprPath),
    Keep,
}

impl Ways {
    pub(super) fn of(attrs: &[Attribute], errors: &mut Errors) -> Ways {
        const KNOWN: &str = "a field takes `value = ..`, `with = path::to_fn`, `keep` or `renew = ..`";
        let mut chosen: Option<(Ident, How)> = None;
        let mut renew: Option<(Ident, Expr)> = None;
        for entry in entries(attrs, KNOWN, errors) {
            let how = match (entry.name.to_string().as_str(), entry.value) {
                ("value", Some(value)) => {
                    if let Some(clock) = clock_in(&value) {
                        errors.push(
                            Code::E904,
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
                        Some(_) => {
                            errors.push(Code::E903, entry.name.span(), "`renew` is already given for this field")
                        }
                    }
                    continue;
                }
                ("renew", None) => {
                    errors.push(
                        Code::E902,
                        entry.name.span(),
                        "`renew` wants what the field is set to when it is lent: `renew = ..`",
                    );
                    continue;
                }
                ("value", None) => {
                    errors.push(Code::E902, entry.name.span(), "`value` wants what the field is set to: `value = ..`");
                    continue;
                }
                ("with", other) => {
                    let span = other.map_or(entry.name.span(), |other| other.span());
                    errors.push(Code::E902, span, "`with` wants the path of a function: `with = path::to_fn`");
                    continue;
                }
                ("keep", Some(value)) => {
                    errors.push(Code::E902, value.span(), "`keep` takes nothing: the field is left as it is");
                    continue;
                }
                (unknown, _) => {
                    errors.push(
                        Code::E902,
                        entry.name.span(),
                        &format!("`reset` does not know `{unknown}`\nhelp: {KNOWN}"),
                    );
                    continue;
                }
            };
            match &chosen {
                None => chosen = Some((entry.name, how)),
                Some((first, _)) if *first == entry.name => {
                    errors.push(Code::E903, entry.name.span(), &format!("`{first}` is already given for this field"));
                }
                Some((first, _)) => errors.push(
                    Code::E903,
                    entry.name.span(),
                    &format!("a field is reset in one way: `{first}` and `{}` exclude each other", entry.name),
                ),
            }
        }
        if let (Some((keep, How::Keep)), Some(_)) = (&chosen, &renew) {
            errors.push(
                Code::E903,
                keep.span(),
                "`keep` leaves the field as it is, and `renew` sets it: they exclude each other",
            );
        }
        // A field that is set when it is lent need not be set when it comes back.
        let otherwise = if renew.is_some() { How::Keep } else { How::Itself };
        Ways { reset: chosen.map_or(otherwise, |(_, how)| how), renew: renew.map(|(_, value)| value) }
    }
}

/// Where this expression asks for the time, under the names that clocks have for it.
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
pub(super) fn mark_of(attrs: &[Attribute], errors: &mut Errors) -> Option<Ident> {
    const KNOWN: &str = "a variant takes `to`: it is the one that the enum is reset to";
    let mut mark = None;
    for Entry { name, value } in entries(attrs, KNOWN, errors) {
        if name != "to" {
            errors.push(Code::E902, name.span(), &format!("`reset` does not know `{name}`\nhelp: {KNOWN}"));
        } else if let Some(value) = value {
            errors.push(Code::E902, value.span(), "`to` takes nothing: it marks the variant that the enum is reset to");
        } else if mark.is_some() {
            errors.push(Code::E903, name.span(), "`to` is already given for this variant");
        } else {
            mark = Some(name);
        }
    }
    mark
}

/// The path from `#[reset(crate = path)]` on the type, or the one that Cargo gives for the runtime.
pub(super) fn place_of_runtime(attrs: &[Attribute], errors: &mut Errors) -> TokenStream {
    const KNOWN: &str =
        "a type takes `crate = path::to::chain_runtime`; `value`, `with`, `keep` and `renew` belong on a field";
    let mut place = None;
    for entry in entries(attrs, KNOWN, errors) {
        match (entry.name, entry.value) {
            (name, Some(Expr::Path(path))) if name == "crate" => {
                if place.replace(path.path).is_some() {
                    errors.push(Code::E903, name.span(), "`crate` is already given for this type");
                }
            }
            (name, value) if name == "crate" => {
                let span = value.map_or(name.span(), |value| value.span());
                errors.push(
                    Code::E902,
                    span,
                    "`crate` wants the path of the runtime: `crate = path::to::chain_runtime`",
                );
            }
            (name, _) => {
                errors.push(Code::E902, name.span(), &format!("`reset` does not know `{name}` here\nhelp: {KNOWN}"))
            }
        }
    }
    place.map_or_else(names::runtime, |place: syn::Path| quote!(#place))
}

/// `name` or `name = value` in `#[reset(..)]`.
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

pub(super) fn attributes(attrs: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attrs.iter().filter(|attribute| attribute.path().is_ident("reset"))
}

fn entries(attrs: &[Attribute], known: &str, errors: &mut Errors) -> Vec<Entry> {
    let mut all = Vec::new();
    for attribute in attributes(attrs) {
        let Meta::List(list) = &attribute.meta else {
            errors.push(
                Code::E902,
                attribute.path().span(),
                &format!("`#[reset]` wants to know how: `#[reset(..)]`\nhelp: {known}"),
            );
            continue;
        };
        match list.parse_args_with(Punctuated::<Entry, Token![,]>::parse_terminated) {
            Ok(list) if list.is_empty() => {
                errors.push(Code::E902, attribute.path().span(), &format!("`#[reset()]` says nothing\nhelp: {known}"));
            }
            Ok(list) => all.extend(list),
            Err(error) => {
                errors.push(Code::E902, error.span(), &format!("`#[reset(..)]` cannot be read: {error}\nhelp: {known}"))
            }
        }
    }
    all
}

/// Every mistake of one type, so that they are all reported in one build.
#[derive(Default)]
pub(super) struct Errors(pub(super) Vec<syn::Error>);

impl Errors {
    pub(super) fn push(&mut self, code: Code, span: Span, message: &str) {
        self.0.push(code.at(span, message));
    }

    pub(super) fn into_tokens(self) -> Option<TokenStream> {
        let all = self.0.into_iter().reduce(|mut all, one| {
            all.combine(one);
            all
        })?;
        Some(all.into_compile_error())
    }
}
