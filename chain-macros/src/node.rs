//! `#[node]`: makes a function, or an `impl` block with hooks, a node.
//!
//! The item is kept as it is. Beside it stand the runtime's traits: `Signature` (what it gives),
//! `Node` (what it asks of a scope) and `Cancel` (what becomes of it when its request dies).

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::Parser;
use syn::spanned::Spanned;

use crate::diagnostics::Diagnostics;
use crate::names;

mod around;
mod block;
mod cfg;
mod elsewhere;
mod expand;
mod flow;
mod function;
mod hook;
mod kept;
mod signature;
mod spawns;

use signature::{Node, Promises};

/// `#[node]` and its options, on an item.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::new();
    if let Some((twice, item)) = twice(&item) {
        diagnostics.error(twice, "`#[node]` stands before this item twice", "leave one of them out");
        let errors = diagnostics.verdict();
        let once = expand(options, item);
        return quote!(#once #errors);
    }
    let written = options.clone();
    let options = Options::read(options, &mut diagnostics);
    let parsed = syn::parse2::<syn::Item>(without_body(item.clone()));
    if let Ok(parsed) = &parsed
        && let Some(again) = cfg::expand(&options.runtime, &written, &item, parsed)
    {
        // What is wrong with the options, is wrong there once more.
        diagnostics.verdict();
        return again;
    }
    let node = match parsed {
        Ok(syn::Item::Fn(function)) => {
            let spawns = item.clone().into_iter().last().and_then(|body| spawns::first(body.into()));
            function::of_function(&function, &options, &mut diagnostics).map(|node| Node { spawns, ..node })
        }
        Ok(syn::Item::Impl(block)) => block::of_impl(&block, &options, &mut diagnostics),
        Ok(other) => {
            diagnostics.error_at(
                first_span(&other),
                "`#[node]` goes on a function or on an `impl` block",
                "put it on the `fn`, or on the `impl` block that has `enter`, `exit` or `cancelled`",
            );
            None
        }
        Err(error) => {
            diagnostics.push(error);
            None
        }
    };
    // The user's item stays, so that one mistake is one error.
    let errors = diagnostics.verdict();
    // Nothing uses it then.
    let unused = errors.is_some().then(|| quote!(#[allow(dead_code)]));
    let expansion = match (node, errors) {
        (node, Some(errors)) => {
            let kept_alive = node.map(|node| node.kept_alive(&options.runtime));
            quote!(#kept_alive #errors)
        }
        // What rustc will not have, it says itself.
        (Some(node), None) if node.is_refused => node.kept_alive(&options.runtime),
        (Some(node), None) => node.expand(&options.runtime),
        (None, None) => TokenStream::new(),
    };
    // A parameter's type is the wiring: `&str` in place of `&String` would be another value of the scope. Hooks have `&self`, and whether a node
    // is `async` is part of how it is used.
    quote! {
        #[allow(
            clippy::ptr_arg, clippy::borrowed_box, clippy::ref_option, clippy::trivially_copy_pass_by_ref, clippy::needless_pass_by_value,
            clippy::unused_self, clippy::unused_async
        )]
        #unused
        #item
        #expansion
    }
}

/// Where the attribute stands before the item once more, that, and the item without it.
fn twice(item: &TokenStream) -> Option<(TokenStream, TokenStream)> {
    let tokens: Vec<_> = item.clone().into_iter().collect();
    let mut at = 0;
    while let [TokenTree::Punct(hash), TokenTree::Group(attribute), ..] = &tokens[at..]
        && hash.as_char() == '#'
    {
        let attribute = syn::parse2::<syn::Meta>(attribute.stream()).ok()?;
        if attribute.path().segments.last().is_some_and(|last| last.ident == "node") {
            let rest = tokens.iter().enumerate().filter(|(index, _)| *index != at && *index != at + 1);
            return Some((attribute.path().to_token_stream(), rest.map(|(_, token)| token.clone()).collect()));
        }
        at += 2;
    }
    None
}

/// A function without what it does, which is none of a node's business, and takes its time to parse.
fn without_body(item: TokenStream) -> TokenStream {
    let mut tokens: Vec<_> = item.into_iter().collect();
    // A `fn` may also stand in the type of an `impl` block.
    let keyword = tokens.iter().find_map(|token| match token {
        TokenTree::Ident(word) if word == "fn" || word == "impl" => Some(word == "fn"),
        _ => None,
    });
    let is_function = keyword == Some(true);
    if let (true, Some(TokenTree::Group(body))) = (is_function, tokens.last_mut())
        && body.delimiter() == Delimiter::Brace
    {
        let mut empty = Group::new(Delimiter::Brace, TokenStream::new());
        empty.set_span(body.span());
        *body = empty;
    }
    tokens.into_iter().collect()
}

fn first_span(item: &impl ToTokens) -> Span {
    item.to_token_stream().into_iter().next().map_or_else(Span::call_site, |token| token.span())
}

/// What stands in the parentheses of `#[node(..)]`.
struct Options {
    runtime: TokenStream,
    stateless: bool,
    promises: Promises,
}

impl Options {
    fn read(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Self {
        let mut runtime = None;
        let (mut stateless, mut promises) = (false, Promises::default());
        let parsed = syn::meta::parser(|meta| {
            if meta.path.is_ident("crate") {
                runtime = Some(meta.value()?.parse::<syn::Path>()?.into_token_stream());
            } else if meta.path.is_ident("stateless") {
                stateless = true;
            } else if let Some(promise) = promises.named(&meta.path) {
                *promise = true;
            } else {
                return Err(meta.error(
                    "`#[node]` has no such option\n  help: it has `stateless`, `last`, `rejects`, `wanted`, `once` and `crate = path::to::chain_runtime`",
                ));
            }
            Ok(())
        })
        .parse2(tokens);
        diagnostics.ok(parsed);
        Self { runtime: runtime.unwrap_or_else(names::runtime), stateless, promises }
    }
}
