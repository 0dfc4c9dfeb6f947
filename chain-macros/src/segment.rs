//! A segment where it is declared: `pub segment front<S: Store>(log: AccessLog) { log => auth::<S> }`.
//!
//! It becomes a macro that puts its nodes into a chain. Beside the macro, in the same module, there is an item for each
//! thing in the segment whose meaning depends on the place: an alias for the type of a node, a field or a binding; a
//! function for the patterns and guards of a `match`, which returns the number of the arm and what the arm binds; and a
//! function for an expression. So names mean what they mean where they are written, in every chain that uses the
//! segment, and they are checked there. A module with the segment's name has all these items, under names that the
//! macro knows.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::quote;
use syn::parse::{ParseStream, Parser};
use syn::{Generics, Type, Visibility};

mod meanings;
mod named;
mod paths;
mod written;

use crate::ast::Block;
use crate::diagnostics::{Code, Diagnostics};
use crate::handshake::{self, Told};
use crate::rewrite::{self, Rewrite};
use crate::{extent, names, nearby, parse, types};
use meanings::Meanings;
pub(crate) use named::without_nodes;
use paths::{located, parameters, stream};

type Tokens = Vec<TokenTree>;

/// A segment, as declared.
struct Segment {
    attrs: Vec<syn::Attribute>,
    vis: Visibility,
    name: Ident,
    generics: Generics,
    fields: Vec<(Ident, Type)>,
    body: Group,
}

/// The expansion of a segment.
///
/// The functions of this segment have told their signatures, by path.
pub(crate) fn declare(
    runtime: &TokenStream,
    declaration: Tokens,
    told: &[(String, Option<Told>)],
    diagnostics: &mut Diagnostics,
) -> Option<TokenStream> {
    let Some(mut segment) = diagnostics.ok(read.parse2(stream(declaration.clone()))) else {
        return name_of(&declaration).map(|name| kept_alive(&quote!(pub(crate)), name));
    };
    parse::attributes_of_a_segment(&mut segment.attrs, diagnostics);
    let Segment { attrs, vis, name, generics, fields, body } = &segment;
    // Inner segments are checked where they are declared.
    let alone = rewrite::row(&rewrite::tokens(body.stream()), &mut WithoutSegments { name, vis, diagnostics });
    let block: Block = parse::block(&rewrite::like(body, alone), diagnostics);
    if body.stream().is_empty() {
        diagnostics.error_at(
            Code::E011,
            block.span,
            "the segment has no nodes",
            "name at least one: `segment name { first => second }`",
        );
    }
    if diagnostics.is_any() {
        let vis = match vis {
            // Only what is exported can be seen by other crates.
            Visibility::Public(_) => quote!(pub(crate)),
            vis => located(vis),
        };
        return Some(kept_alive(&vis, name));
    }
    let mut meanings = Meanings::of(runtime, &segment, told);
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
    let made = names::unique("segment", name);
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
            ({ segment [$($runtime:tt)*] [$($segment:tt)*] [#([$($#parameters:tt)*])*] [$($chain:tt)*] } $($next:tt)*) => {
                $($runtime)*::__splice! { [$($runtime)*] [$($segment)*] [#bounds #(#needed),*] [$($chain)*] [#nodes] #from }
            };
            ({ segment [$($runtime:tt)*] [$($segment:tt)*] [$($arguments:tt)*] [$($chain:tt)*] } $($next:tt)*) => {
                $($runtime)*::__splice! { [$($runtime)*] [$($segment)*] #wrong [$($chain)*] }
            };
            // In the form in which a chain asks a node.
            ({ $($asked:tt)* } $($next:tt)*) => { #runtime::__splice! { #name { $($asked)* } } };
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

/// The name behind the word `segment`.
fn name_of(declaration: &[TokenTree]) -> Option<&Ident> {
    declaration.windows(2).find_map(|two| match two {
        [TokenTree::Ident(word), TokenTree::Ident(name)] if word == "segment" => Some(name),
        _ => None,
    })
}

/// A segment with a mistake. A chain that takes it in has no error of its own.
fn kept_alive(vis: &TokenStream, name: &Ident) -> TokenStream {
    let (made, hushed) = (names::unique("segment", name), names::hushed());
    quote! {
        #hushed
        #[doc(hidden)]
        macro_rules! #made {
            ({ segment [$($runtime:tt)*] [$($segment:tt)*] [$($arguments:tt)*] [$($chain:tt)*] } $($next:tt)*) => {
                $($runtime)*::__splice! { [$($runtime)*] [$($segment)*] "" [$($chain)*] }
            };
        }
        #hushed
        #[doc(hidden)]
        #vis use #made as #name;
        #hushed
        #vis mod #name {}
    }
}

/// The functions in a segment, each once, if the segment can be read.
pub(crate) fn functions(declaration: Tokens) -> Vec<(String, TokenStream)> {
    struct Functions {
        fields: Vec<Ident>,
        found: Vec<(String, TokenStream)>,
    }
    impl Rewrite for Functions {
        fn item(&mut self, _: &[TokenTree], _: bool) -> Option<Tokens> {
            None
        }
        fn path(&mut self, path: &[TokenTree], is_segment: bool) -> Tokens {
            if let (false, Ok(parsed)) = (is_segment, syn::parse2::<syn::TypePath>(stream(path.to_vec()))) {
                let is_field = self.fields.iter().any(|field| parsed.path.is_ident(field));
                let path = handshake::path_of(&parsed);
                let text = path.to_string();
                if !is_field && handshake::is_function(&parsed) && self.found.iter().all(|(other, _)| *other != text) {
                    self.found.push((text, path));
                }
            }
            path.to_vec()
        }
    }
    let Ok(segment) = read.parse2(stream(declaration)) else { return Vec::new() };
    let fields = segment.fields.iter().map(|(name, _)| name.clone()).collect();
    let mut functions = Functions { fields, found: Vec::new() };
    rewrite::row(&rewrite::tokens(segment.body.stream()), &mut functions);
    functions.found
}

fn read(input: ParseStream<'_>) -> syn::Result<Segment> {
    let attrs = input.call(syn::Attribute::parse_outer)?;
    let vis = input.parse()?;
    input.parse::<Ident>()?;
    let name: Ident = input.parse()?;
    let mut generics: Generics = input.parse()?;
    if let Some(lifetime) = generics.lifetimes().next() {
        return Err(Code::E601.on(
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
                Code::E601.here(&inner, "a field that the segment's chains have is written with its type\n  help: write `segment name(log: AccessLog) { .. }`")
            })?;
            fields.push((field, inner.parse()?));
            if !(inner.is_empty() || inner.peek(syn::Token![,])) {
                return Err(extent::misses_comma(&inner, "fields"));
            }
            inner.parse::<Option<syn::Token![,]>>()?;
        }
    }
    generics.where_clause = input.parse()?;
    if !input.peek(syn::token::Brace) {
        return Err(Code::E601.here(input, "expected the segment's nodes in braces\n  help: write `segment name { first => second }`: it has no inputs and no reply of its own"));
    }
    let body = input.parse()?;
    if !input.is_empty() {
        return Err(Code::E601
            .here(input, "nothing comes after the segment's nodes\n  help: declare one segment in each `chain!`"));
    }
    Ok(Segment { attrs, vis, name, generics, fields, body })
}

struct WithoutSegments<'a> {
    name: &'a Ident,
    vis: &'a Visibility,
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
                Code::E602,
                path,
                format_args!("the segment `{name}` contains itself"),
                "leave it out: a chain has no loops",
            );
        }
        if let [_, _, TokenTree::Ident(inner)] = item
            && is_seen_around(self.vis)
            && nearby::is_segment_private(self.name, inner)
        {
            let (name, shown) = (self.name, types::text(self.vis));
            self.diagnostics.error(
                Code::E327,
                inner,
                format_args!("the segment `{name}` is `{shown}`, and the segment `{inner}` in it is less visible"),
                format_args!("write `{shown} segment {inner}`"),
            );
        }
        Some(gone())
    }

    /// All chains that use the segment see its nodes.
    fn path(&mut self, path: &[TokenTree], _: bool) -> Tokens {
        let Self { name, vis, diagnostics } = self;
        if let [TokenTree::Ident(node)] = path
            && is_seen_around(vis)
            && nearby::is_private_beside(name, node)
        {
            let shown = types::text(vis);
            diagnostics.error(
                Code::E327,
                node,
                format_args!("the segment `{name}` is `{shown}`, and its node `{node}` is less visible"),
                format_args!("write `{shown}` before `fn {node}`"),
            );
        }
        path.to_vec()
    }
}

/// Whether a module around this one sees it for certain.
fn is_seen_around(vis: &Visibility) -> bool {
    match vis {
        Visibility::Public(_) => true,
        Visibility::Restricted(restricted) => restricted.path.is_ident("crate") || restricted.path.is_ident("super"),
        Visibility::Inherited => false,
    }
}

/// The mark of an item that is not there.
fn gone() -> Tokens {
    let gone = Ident::new(rewrite::GONE, Span::call_site());
    rewrite::tokens(quote!(#[#gone]))
}

/// The path of the segment in this item, if it is the segment of this name itself.
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
