//! What a chain expands to itself again for: `#[cfg(..)]` before a node, which only rustc can decide, and a segment, whose nodes only
//! its own declaration knows.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Visibility;
use syn::parse::{ParseStream, Parser};

use crate::ast::Block;
use crate::diagnostics::Diagnostics;
use crate::names;
use crate::parse;
use crate::rewrite::{self, Rewrite};

type Tokens = Vec<TokenTree>;

/// What stands for an item that is not compiled: a piece of nothing but this is none.
pub(crate) const GONE: &str = "chain_is_without_it";

/// What a chain with a `#[cfg(..)]` or a segment in it expands to first; `None` where it has neither.
pub(crate) fn expand(runtime: &TokenStream, declaration: &[TokenTree]) -> Option<TokenStream> {
    cfg(runtime, declaration).or_else(|| segment(runtime, declaration).filter(|_| !is_segment(declaration)))
}

/// The first item under a `#[cfg(..)]`, with it and without it: rustc keeps one of the two.
fn cfg(runtime: &TokenStream, declaration: &[TokenTree]) -> Option<TokenStream> {
    let (predicate, with, without) = match rewrite::input(declaration, cfg_predicate) {
        Some((predicate, with, without)) => (predicate, stream(with), stream(without)),
        None => {
            let mut first = FirstCfg { predicate: None, keeps: true };
            let with = stream(rewrite::body(declaration, &mut first));
            let without = rewrite::body(declaration, &mut FirstCfg { predicate: None, keeps: false });
            (first.predicate?, with, stream(without))
        }
    };
    let is_item = declaration.iter().any(|token| matches!(token, TokenTree::Ident(word) if word == "struct"));
    let is_item = is_item || is_segment(declaration);
    Some(match is_item {
        true => quote! {
            #[cfg(#predicate)]
            #runtime::chain! { #with }
            #[cfg(not(#predicate))]
            #runtime::chain! { #without }
        },
        false => quote! {
            match () {
                #[cfg(#predicate)]
                () => #runtime::chain! { #with },
                #[cfg(not(#predicate))]
                () => #runtime::chain! { #without },
            }
        },
    })
}

struct FirstCfg {
    predicate: Option<TokenStream>,
    keeps: bool,
}

impl Rewrite for FirstCfg {
    fn item(&mut self, item: &[TokenTree], is_arm: bool) -> Option<Tokens> {
        let at = rewrite::attribute_at(item, cfg_predicate).filter(|_| self.predicate.is_none())?;
        self.predicate = cfg_predicate(&item[at]);
        if self.keeps {
            // With the `#` before it.
            return Some([&item[..at - 1], &item[at + 1..]].concat());
        }
        let gone = Ident::new(GONE, Span::call_site());
        Some(if is_arm { Tokens::new() } else { rewrite::tokens(quote!(#[#gone])) })
    }
}

/// What stands in the parentheses of `[cfg(..)]`.
fn cfg_predicate(token: &TokenTree) -> Option<TokenStream> {
    let TokenTree::Group(group) = token else { return None };
    match rewrite::tokens(group.stream()).as_slice() {
        [TokenTree::Ident(name), TokenTree::Group(predicate)] if name == "cfg" => Some(predicate.stream()),
        _ => None,
    }
}

/// The first segment, whose own macro puts its nodes in its place: see [`splice`].
fn segment(runtime: &TokenStream, declaration: &[TokenTree]) -> Option<TokenStream> {
    let mut first = FirstSegment { path: None, nodes: None };
    rewrite::body(declaration, &mut first);
    let path = stream(first.path?);
    let declaration = stream(declaration.to_vec());
    Some(quote!(#path! { [#runtime] [#path] [#declaration] }))
}

/// Puts the nodes of the first segment in its place: `[runtime] [declaration] [nodes]`.
pub(crate) fn splice(tokens: TokenStream) -> TokenStream {
    let groups = rewrite::tokens(tokens);
    let [TokenTree::Group(runtime), TokenTree::Group(declaration), TokenTree::Group(nodes)] = groups.as_slice() else {
        return syn::Error::new(Span::call_site(), "`__splice!` is for `chain!` alone").to_compile_error();
    };
    let declaration = rewrite::tokens(declaration.stream());
    let nodes = rewrite::tokens(nodes.stream());
    let spliced = stream(rewrite::body(&declaration, &mut FirstSegment { path: None, nodes: Some(nodes) }));
    let runtime = TokenTree::Group(runtime.clone());
    crate::compile::chain(quote!(#runtime #spliced))
}

struct FirstSegment {
    path: Option<Tokens>,
    nodes: Option<Tokens>,
}

impl Rewrite for FirstSegment {
    fn item(&mut self, item: &[TokenTree], is_arm: bool) -> Option<Tokens> {
        if is_arm || self.path.is_some() || !rewrite::is_segment(item) {
            return None;
        }
        let path = &item[2..];
        // One whose path cannot be read, the parser has words for.
        syn::parse2::<syn::Path>(stream(path.to_vec())).ok()?;
        self.path = Some(path.to_vec());
        self.nodes.take()
    }
}

fn stream(tokens: Tokens) -> TokenStream {
    tokens.into_iter().collect()
}

/// A declared segment: `pub segment front(log: AccessLog) { log => auth }`.
struct Segment {
    attrs: Vec<syn::Attribute>,
    vis: Visibility,
    name: Ident,
    fields: Vec<Ident>,
    body: proc_macro2::Group,
}

/// Whether it declares a segment: the word behind attributes and visibility says so.
pub(crate) fn is_segment(declaration: &[TokenTree]) -> bool {
    let mut rest = &declaration[rewrite::attributes(declaration)..];
    if let [TokenTree::Ident(word), behind @ ..] = rest
        && word == "pub"
    {
        rest = behind;
        if let [TokenTree::Group(group), behind @ ..] = rest
            && group.delimiter() == proc_macro2::Delimiter::Parenthesis
        {
            rest = behind;
        }
    }
    matches!(rest, [TokenTree::Ident(word), TokenTree::Ident(_), ..] if word == "segment")
}

/// A macro that puts the segment's nodes into a chain, and a module of the same name, in which the chain finds their types.
pub(crate) fn declare(declaration: Tokens, diagnostics: &mut Diagnostics) -> Option<TokenStream> {
    let segment = diagnostics.ok(declaration_of.parse2(stream(declaration)))?;
    let Segment { attrs, vis, name, fields, body } = &segment;
    // The segments in it are checked where they are declared.
    let alone = rewrite::row(&rewrite::tokens(body.stream()), &mut WithoutSegments);
    let block: Block = parse::block(&rewrite::like(body, alone), diagnostics);
    if body.stream().is_empty() {
        diagnostics.error_at(
            block.span,
            "the segment has no nodes",
            "name at least one: `segment name { first => second }`",
        );
    }
    let mut aliases = Aliases { vis, fields, modules: Vec::new() };
    let nodes = stream(rewrite::row(&rewrite::tokens(body.stream()), &mut aliases));
    let modules = aliases.modules;
    let made = unique(name);
    let is_public = matches!(vis, Visibility::Public(_));
    let exported = is_public.then(|| quote!(#[macro_export]));
    let hushed = names::hushed();
    Some(quote! {
        #hushed
        #[doc(hidden)]
        #exported
        macro_rules! #made {
            ([$($runtime:tt)*] [$($segment:tt)*] [$($chain:tt)*]) => {
                $($runtime)*::__splice! { [$($runtime)*] [$($chain)*] [#nodes] }
            };
        }
        #hushed
        #[doc(hidden)]
        #vis use #made as #name;
        #(#attrs)*
        #hushed
        #vis mod #name { #(#modules)* }
    })
}

fn declaration_of(input: ParseStream<'_>) -> syn::Result<Segment> {
    let attrs = input.call(syn::Attribute::parse_outer)?;
    let vis = input.parse()?;
    input.parse::<Ident>()?;
    let name: Ident = input.parse()?;
    let mut fields = Vec::new();
    if input.peek(syn::token::Paren) {
        let inner;
        syn::parenthesized!(inner in input);
        while !inner.is_empty() {
            fields.push(inner.parse()?);
            inner.parse::<syn::Token![:]>().map_err(|_| {
                inner.error("a field that the segment's chains have is written with its type\n  help: write `segment name(log: AccessLog) { .. }`")
            })?;
            inner.parse::<syn::Type>()?;
            if !inner.is_empty() {
                inner.parse::<syn::Token![,]>()?;
            }
        }
    }
    if !input.peek(syn::token::Brace) {
        return Err(input.error("expected the segment's nodes in braces\n  help: write `segment name { first => second }`: it has no inputs and no reply of its own"));
    }
    let body = input.parse()?;
    if !input.is_empty() {
        return Err(
            input.error("nothing comes after the segment's nodes\n  help: declare one segment in each `chain!`")
        );
    }
    Ok(Segment { attrs, vis, name, fields, body })
}

struct WithoutSegments;

impl Rewrite for WithoutSegments {
    fn item(&mut self, item: &[TokenTree], is_arm: bool) -> Option<Tokens> {
        let gone = Ident::new(GONE, Span::call_site());
        (!is_arm && rewrite::is_segment(item)).then(|| rewrite::tokens(quote!(#[#gone])))
    }
}

/// Gives each node of the segment a module of its own, in which its type has the name that it has in the chain.
struct Aliases<'a> {
    vis: &'a Visibility,
    fields: &'a [Ident],
    modules: Vec<TokenStream>,
}

impl Rewrite for Aliases<'_> {
    fn item(&mut self, _: &[TokenTree], _: bool) -> Option<Tokens> {
        None
    }

    fn path(&mut self, path: &[TokenTree], is_segment: bool) -> Tokens {
        let Ok(parsed) = syn::parse2::<syn::Path>(stream(path.to_vec())) else { return path.to_vec() };
        if parsed.get_ident().is_some_and(|name| self.fields.contains(name)) {
            return path.to_vec();
        }
        let Some(last) = parsed.segments.last() else { return path.to_vec() };
        let module = format_ident!("node{}", self.modules.len());
        let name = &last.ident;
        let vis = match self.vis {
            Visibility::Inherited => quote!(pub(in super::super)),
            vis => vis.to_token_stream(),
        };
        self.modules.push(match is_segment {
            true => {
                let there = from_within(&parsed, 2);
                let there = there.unwrap_or_else(|| quote!(super::super::#parsed));
                quote!(pub mod #module { #vis use #there; })
            }
            // An alias, which may stand for what is not visible as far.
            false => {
                let there = from_within(&parsed, 3).unwrap_or_else(|| parsed.to_token_stream());
                let itself = names::single("NodeOfSegment");
                let span = name.span();
                // rustc's word for a node that is not visible where the segment is, here rather than in each chain that uses it.
                let visible = quote_spanned!(span=> #[deny(private_interfaces)] pub fn as_visible_as_the_segment(_: &here::#itself) {});
                quote! {
                    pub mod #module {
                        mod here { use super::super::super::*; pub type #itself = #there; }
                        pub type #name = here::#itself;
                        #visible
                    }
                }
            }
        });
        rewrite::tokens(quote!($($segment)*::#module::#name))
    }
}

/// A path as it is written so many modules further in; `None` where it is the same.
fn from_within(path: &syn::Path, deep: usize) -> Option<TokenStream> {
    let first = path.segments.first().map(|segment| segment.ident.to_string()).unwrap_or_default();
    let up = std::iter::repeat_n(quote!(super), deep);
    if path.leading_colon.is_some() || first == "crate" {
        return Some(path.to_token_stream());
    }
    if first == "self" {
        let rest = path.segments.iter().skip(1);
        return Some(quote!(#(#up::)* #(#rest)::*));
    }
    (first == "super").then(|| quote!(#(#up::)* #path))
}

/// A name that no other segment of the crate has: macros that are exported share one namespace.
fn unique(name: &Ident) -> Ident {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    if proc_macro::is_available() {
        let span = name.span().unwrap();
        (span.file(), span.line(), span.column()).hash(&mut hasher);
    }
    format_ident!("__chain_segment_{}_{:x}", names::unraw(name), hasher.finish(), span = Span::call_site())
}
