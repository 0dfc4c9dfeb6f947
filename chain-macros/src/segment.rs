//! A segment where it is declared: `pub segment front<S: Store>(log: AccessLog) { log => auth::<S> }`.
//!
//! It becomes a macro that puts its nodes into a chain, and, beside it in the same module, an item for each thing in it that means
//! something there: an alias for the type of a node, of a field, of a binding; a function for the patterns and guards of a `match`,
//! which gives the number of the arm and what it binds; a function for an expression. So names mean what they mean where they
//! are written, whoever uses the segment, and are checked there. A module of the segment's name has them all under names that the macro
//! knows.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::quote;
use syn::parse::{ParseStream, Parser};
use syn::{Generics, Type, Visibility};

mod meanings;
mod paths;

use crate::again::GONE;
use crate::ast::Block;
use crate::diagnostics::Diagnostics;
use crate::rewrite::{self, Rewrite};
use crate::{names, parse, types};
use meanings::Meanings;
use paths::{located, parameters, stream, unique};

type Tokens = Vec<TokenTree>;

/// A segment, as it is declared.
struct Segment {
    attrs: Vec<syn::Attribute>,
    vis: Visibility,
    name: Ident,
    generics: Generics,
    fields: Vec<(Ident, Type)>,
    body: Group,
}

/// Whether it declares a segment: the word behind attributes and visibility says so.
pub(crate) fn is_segment(declaration: &[TokenTree]) -> bool {
    let mut rest = &declaration[rewrite::attributes(declaration)..];
    if let [TokenTree::Ident(word), behind @ ..] = rest
        && word == "pub"
    {
        rest = behind;
        if let [TokenTree::Group(group), behind @ ..] = rest
            && group.delimiter() == Delimiter::Parenthesis
        {
            rest = behind;
        }
    }
    matches!(rest, [TokenTree::Ident(word), TokenTree::Ident(_), ..] if word == "segment")
}

/// What a segment becomes.
pub(crate) fn declare(
    runtime: &TokenStream,
    declaration: Tokens,
    diagnostics: &mut Diagnostics,
) -> Option<TokenStream> {
    let mut segment = diagnostics.ok(read.parse2(stream(declaration)))?;
    parse::attributes_of_a_segment(&mut segment.attrs, diagnostics);
    let Segment { attrs, vis, name, generics, fields, body } = &segment;
    // The segments in it are checked where they are declared.
    let alone = rewrite::row(&rewrite::tokens(body.stream()), &mut WithoutSegments { name, diagnostics });
    let block: Block = parse::block(&rewrite::like(body, alone), diagnostics);
    if body.stream().is_empty() {
        diagnostics.error_at(
            block.span,
            "the segment has no nodes",
            "name at least one: `segment name { first => second }`",
        );
    }
    let mut meanings = Meanings::of(runtime, &segment);
    let nodes = stream(rewrite::row(&rewrite::tokens(body.stream()), &mut meanings));
    let needed = fields.iter().enumerate().map(|(index, (field, ty))| {
        let text = types::text(ty);
        let ty = meanings.ty("field", index, ty);
        quote!([#field] [#ty] #text)
    });
    let needed: Vec<_> = needed.collect();
    let bounds = meanings.bounds();
    let from = names::compiled_crate();
    let Meanings { items, within, .. } = meanings;
    let made = unique(name);
    let exported = matches!(vis, Visibility::Public(_)).then(|| quote!(#[macro_export]));
    let parameters = parameters(generics);
    let is_one = if parameters.len() == 1 { "one argument" } else { "arguments" };
    let shape = types::text(&generics.params);
    let wrong = match parameters.is_empty() {
        true => format!("the segment `{name}` has no parameters\n  help: write `..{name}`"),
        false => format!(
            "the segment `{name}` is declared with `<{shape}>`, and needs {is_one}\n  help: write `..{name}::<..>`"
        ),
    };
    let hushed = names::hushed();
    let vis = located(vis);
    Some(quote! {
        #hushed
        #[doc(hidden)]
        #exported
        macro_rules! #made {
            ([$($runtime:tt)*] [$($segment:tt)*] [#([$($#parameters:tt)*])*] [$($chain:tt)*]) => {
                $($runtime)*::__splice! { [$($runtime)*] [$($segment)*] [#bounds #(#needed),*] [$($chain)*] [#nodes] #from }
            };
            ([$($runtime:tt)*] [$($segment:tt)*] [$($arguments:tt)*] [$($chain:tt)*]) => {
                $($runtime)*::__splice! { [$($runtime)*] [$($segment)*] #wrong [$($chain)*] }
            };
        }
        #hushed
        #[doc(hidden)]
        #vis use #made as #name;
        #(#items)*
        #(#attrs)*
        #hushed
        #vis mod #name { #(#within)* }
    })
}

fn read(input: ParseStream<'_>) -> syn::Result<Segment> {
    let attrs = input.call(syn::Attribute::parse_outer)?;
    let vis = input.parse()?;
    input.parse::<Ident>()?;
    let name: Ident = input.parse()?;
    let mut generics: Generics = input.parse()?;
    if let Some(lifetime) = generics.lifetimes().next() {
        return Err(syn::Error::new_spanned(
            lifetime,
            "a segment declares no lifetimes: all of its are those of the run\n  help: leave it out, and write any name, or `'_`, where one is needed",
        ));
    }
    let mut fields = Vec::new();
    if input.peek(syn::token::Paren) {
        let inner;
        syn::parenthesized!(inner in input);
        while !inner.is_empty() {
            let field: Ident = inner.parse()?;
            inner.parse::<syn::Token![:]>().map_err(|_| {
                inner.error("a field that the segment's chains have is written with its type\n  help: write `segment name(log: AccessLog) { .. }`")
            })?;
            fields.push((field, inner.parse()?));
            if !inner.is_empty() {
                inner.parse::<syn::Token![,]>()?;
            }
        }
    }
    generics.where_clause = input.parse()?;
    if !input.peek(syn::token::Brace) {
        return Err(input.error("expected the segment's nodes in braces\n  help: write `segment name { first => second }`: it has no inputs and no reply of its own"));
    }
    let body = input.parse()?;
    if !input.is_empty() {
        return Err(
            input.error("nothing comes after the segment's nodes\n  help: declare one segment in each `chain!`")
        );
    }
    Ok(Segment { attrs, vis, name, generics, fields, body })
}

struct WithoutSegments<'a> {
    name: &'a Ident,
    diagnostics: &'a mut Diagnostics,
}

impl Rewrite for WithoutSegments<'_> {
    fn item(&mut self, item: &[TokenTree], is_arm: bool) -> Option<Tokens> {
        if is_arm || !rewrite::is_segment(item) {
            return None;
        }
        if let Some(path) = itself(item, self.name) {
            let name = self.name;
            self.diagnostics.error(
                path,
                format_args!("the segment `{name}` contains itself"),
                "leave it out: a chain has no loops",
            );
        }
        Some(gone())
    }
}

/// What stands for an item that is not there.
fn gone() -> Tokens {
    let gone = Ident::new(GONE, Span::call_site());
    rewrite::tokens(quote!(#[#gone]))
}

/// The path of the segment in this item, where it is the segment of this name itself.
fn itself(item: &[TokenTree], name: &Ident) -> Option<syn::Path> {
    let path = syn::parse2::<syn::Path>(stream(item[2..].to_vec())).ok()?;
    let names: Vec<_> = path.segments.iter().map(|segment| &segment.ident).collect();
    let is_itself = match names.as_slice() {
        [named] => *named == name,
        [this, named] => *this == "self" && *named == name,
        _ => false,
    };
    is_itself.then_some(path)
}
