//! `#[node]`: makes a function, or an `impl` block with hooks, a node.
//!
//! The item is kept as it is. The runtime's traits are emitted after it: `Signature` (what the node gives), `Node`
//! (what it asks of a scope) and `Cancel` (what happens to it when its request dies).

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::Parser;
use syn::spanned::Spanned;

use crate::diagnostics::{Code, Diagnostics};
use crate::expand::editor;
use crate::{names, nearby, simple};

mod around;
mod asks;
mod block;
mod cfg;
mod chain;
mod elsewhere;
mod expand;
mod flow;
mod function;
mod handshake;
mod hook;
mod kept;
mod refused;
mod signature;
mod spawns;
mod twice;

pub(crate) use chain::of_chain;
use signature::{Node, Promises};

/// `#[node]` and its options, on an item.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::new();
    let tokens: Vec<_> = item.clone().into_iter().collect();
    if let Some((twice, item)) = twice(&tokens) {
        diagnostics.error(Code::E303, twice, "`#[node]` stands before this item twice", "leave one of them out");
        let errors = diagnostics.verdict();
        let once = expand(options, item);
        return quote!(#once #errors);
    }
    if editor::asks() {
        diagnostics.verdict();
        return in_an_editor(options, item);
    }
    let written = options.clone();
    let options = Options::read(options, &mut diagnostics);
    let mut parsed = parsed(&tokens);
    let mut seen = nearby::Seen::default();
    if let Ok(syn::Item::Fn(function)) = &mut parsed {
        seen = nearby::Seen::of(&function.sig.ident);
        let has = seen.has();
        if has.lifetimes {
            function::show_lifetimes(&mut function.sig);
        }
        if has.hidden_types {
            function::hide_with_its_types(function);
        }
    }
    if let Ok(parsed) = &parsed
        && let Some(again) = cfg::expand(&options.runtime, &written, &item, parsed)
    {
        // Errors in the options are reported by the expansion of that.
        diagnostics.verdict();
        return again;
    }
    if let Ok(whole @ syn::Item::Macro(called)) = &parsed
        && called.mac.path.segments.last().is_some_and(|last| last.ident == "chain")
    {
        diagnostics.error_at(
            Code::E302,
            first_span(whole),
            "`#[node]` stands in the chain, not before `chain!`",
            "write it inside, before `struct`",
        );
        let errors = diagnostics.verdict();
        // As it is meant.
        let (mut inside, tokens) = (called.clone(), &called.mac.tokens);
        inside.mac.tokens = quote!(#[node] #tokens);
        return quote!(#inside #errors);
    }
    if let Ok(syn::Item::Fn(function)) = &parsed
        && seen.has().marked_methods
        && nearby::is_method(&function.sig.ident)
        && function.sig.receiver().is_none()
    {
        let name = &function.sig.ident;
        diagnostics.error(
            Code::E302,
            name,
            format_args!("`{}` is a function of an `impl` block, and no node can be declared there", names::unraw(name)),
            "move the function out of the block; what has state is a node by `#[node]` before the `impl` block, with a method `enter`",
        );
        let errors = diagnostics.verdict();
        return quote!(#[allow(dead_code)] #item #errors);
    }
    match parsed.as_ref().ok().and_then(twice::of) {
        Some(twice::Twice::Function) => {
            diagnostics.verdict();
            return item;
        }
        Some(twice::Twice::Block(rest, error)) => {
            diagnostics.push(error);
            let errors = diagnostics.verdict();
            return quote!(#rest #errors);
        }
        None => {}
    }
    if let Ok(syn::Item::Fn(function)) = &parsed
        && function.sig.receiver().is_some()
        && nearby::is_free(&function.sig.ident)
    {
        // Without the function, rustc has no words about `self` of its own.
        read(&parsed, &tokens, &options, &mut diagnostics);
        let errors = diagnostics.verdict();
        let instead = function::without_self(function);
        return quote!(#instead #errors);
    }
    let named = parsed.as_ref().ok().and_then(named);
    // rustc helps to declare one, as the first parameter.
    let lacks_a_lifetime = matches!(&parsed, Ok(syn::Item::Fn(function)) if function::lacks_a_lifetime(&function.sig));
    let has_unknown = matches!(&parsed, Ok(syn::Item::Fn(function)) if function::has_unknown_arguments(&function.sig));
    // What the body returns has no size either, and rustc would report that once more.
    let gives_no_size = matches!(&parsed, Ok(syn::Item::Fn(function)) if hook::returns_no_size(&function.sig));
    let mut node = read(&parsed, &tokens, &options, &mut diagnostics);
    let without_a_type = node.as_ref().and_then(|node| refused::without_a_type(&parsed, node, &seen));
    if without_a_type.is_some() {
        node = refused::node(&mut parsed, &tokens, &options).or(node);
    }
    // The user's item stays, so that one mistake is one error.
    let errors = diagnostics.verdict();
    // Nothing uses the item then.
    let unused = errors.is_some().then(|| quote!(#[allow(dead_code)]));
    let expansion = match (node, errors) {
        (node, Some(errors)) => {
            let kept_alive = match node {
                Some(node) => Some(node.broken().kept_alive(&options.runtime)),
                None => named.map(|(name, vis)| signature::Handshake::of_broken(&name, &vis).expand(None)),
            };
            quote!(#kept_alive #errors)
        }
        // rustc itself reports what it does not accept.
        (Some(node), None) if node.is_refused => node.broken().kept_alive(&options.runtime),
        (Some(node), None) => node.expand(&options.runtime),
        (None, None) => TokenStream::new(),
    };
    // A parameter's type decides which value the node gets: `&str` in place of `&String` would be another value of the
    // scope. Hooks have `&self`, and whether a node is `async` is part of how it is used.
    let of_clippy = names::is_clippy().then(|| {
        quote! {
            #[allow(
                clippy::ptr_arg, clippy::borrowed_box, clippy::ref_option, clippy::trivially_copy_pass_by_ref, clippy::needless_pass_by_value,
                clippy::unused_self, clippy::unused_async
            )]
        }
    });
    let tokens = if gives_no_size { with_body(tokens, quote!(loop {})) } else { tokens };
    let item = if lacks_a_lifetime { tokens.into_iter().collect() } else { with_parameters(tokens, has_unknown) };
    quote! {
        #of_clippy
        #unused
        #item
        #expansion
        #without_a_type
    }
}

/// The item with `<>` if it has no parameters. Where a type in it does not exist, rustc would help to add a parameter
/// to the user's item, and to none of ours: the error would be there twice. If there is such a type, lifetimes of the
/// user's are no place for that help either.
fn with_parameters(mut tokens: Vec<TokenTree>, has_unknown: bool) -> TokenStream {
    let is_word = |token: &TokenTree, word: &str| matches!(token, TokenTree::Ident(found) if found == word);
    let is_sign = |token: &TokenTree, sign: char| matches!(token, TokenTree::Punct(found) if found.as_char() == sign);
    let keyword = tokens.iter().position(|token| is_word(token, "fn") || is_word(token, "impl"));
    let behind = keyword.map(|at| if is_word(&tokens[at], "fn") { at + 2 } else { at + 1 });
    let Some(at) = behind.filter(|at| *at < tokens.len()) else { return tokens.into_iter().collect() };
    if !is_sign(&tokens[at], '<') {
        tokens.splice(at..at, quote!(<>));
    } else if has_unknown {
        for token in tokens[at..].iter_mut().take_while(|token| !is_sign(token, '>')) {
            token.set_span(Span::call_site().located_at(token.span()));
        }
    }
    tokens.into_iter().collect()
}

/// The item by itself. The items that are emitted for it name it many times, and an editor would take each of these
/// names for what the user means.
pub(crate) fn in_an_editor(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::new();
    let written = options.clone();
    let options = Options::read(options, &mut diagnostics);
    let tokens: Vec<_> = item.clone().into_iter().collect();
    let parsed = parsed(&tokens);
    // With a `#[cfg]` in it, only rustc knows what the item is.
    let needs_rustc = matches!(&parsed, Ok(parsed) if cfg::expand(&options.runtime, &written, &item, parsed).is_some());
    read(&parsed, &tokens, &options, &mut diagnostics);
    let errors = diagnostics.verdict().filter(|_| !needs_rustc);
    quote!(#item #errors)
}

/// Reads the item as a node.
fn read(
    parsed: &syn::Result<syn::Item>,
    item: &[TokenTree],
    options: &Options,
    diagnostics: &mut Diagnostics,
) -> Option<Node> {
    match parsed {
        Ok(syn::Item::Fn(function)) => {
            let spawns = item.last().and_then(|body| spawns::first(body.clone().into()));
            function::of_function(function, options, diagnostics).map(|node| Node { spawns, ..node })
        }
        Ok(syn::Item::Impl(block)) => block::of_impl(block, options.stateless, options.promises, diagnostics),
        Ok(other) => {
            diagnostics.error_at(
                Code::E302,
                first_span(other),
                "`#[node]` goes on a function or on an `impl` block",
                "put it on the `fn`, or on the `impl` block that has `enter`, `exit` or `cancelled`",
            );
            None
        }
        Err(error) => {
            diagnostics.push(error.clone());
            None
        }
    }
}

/// The name by which chains ask an item, and how visible it is.
fn named(item: &syn::Item) -> Option<(proc_macro2::Ident, syn::Visibility)> {
    match item {
        syn::Item::Fn(function) => {
            let name = &function.sig.ident;
            // A method stands where no macro can be declared.
            (names::has_macro(name) && function.sig.receiver().is_none()).then(|| (name.clone(), function.vis.clone()))
        }
        syn::Item::Impl(block) => match crate::types::ungrouped(&block.self_ty) {
            syn::Type::Path(path) => {
                let name = path.path.get_ident().filter(|name| names::may_have_a_macro(name))?;
                Some((name.clone(), syn::parse_quote!(pub)))
            }
            _ => None,
        },
        // A chain that has a field of this type then knows of the error.
        syn::Item::Struct(syn::ItemStruct { ident, .. }) | syn::Item::Enum(syn::ItemEnum { ident, .. }) => {
            names::may_have_a_macro(ident).then(|| (ident.clone(), syn::parse_quote!(pub)))
        }
        _ => None,
    }
}

/// If the attribute stands before the item a second time: that attribute's path, and the item without it.
fn twice(tokens: &[TokenTree]) -> Option<(TokenStream, TokenStream)> {
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

/// A function with another body.
fn with_body(mut tokens: Vec<TokenTree>, instead: TokenStream) -> Vec<TokenTree> {
    if let Some(TokenTree::Group(body)) = tokens.last_mut()
        && body.delimiter() == Delimiter::Brace
    {
        let mut other = Group::new(Delimiter::Brace, instead);
        other.set_span(body.span());
        *body = other;
    }
    tokens
}

/// The item as syn reads it: a function without its body, which a node does not need and which takes time to parse.
fn parsed(item: &[TokenTree]) -> syn::Result<syn::Item> {
    // A `fn` may also stand in the type of an `impl` block.
    let keyword = item.iter().find_map(|token| match token {
        TokenTree::Ident(word) if word == "fn" || word == "impl" => Some(word == "fn"),
        _ => None,
    });
    if keyword == Some(true)
        && let Some(function) = simple::function(item)
    {
        return Ok(syn::Item::Fn(function));
    }
    let tokens = item.to_vec();
    if keyword != Some(true) {
        return syn::parse2(tokens.into_iter().collect());
    }
    let tokens: TokenStream = with_body(tokens, TokenStream::new()).into_iter().collect();
    // syn looks ahead for any other item first, and says what is wrong.
    let function = syn::parse2::<syn::ItemFn>(tokens.clone());
    function.map(syn::Item::Fn).or_else(|_| syn::parse2(tokens))
}

fn first_span(item: &impl ToTokens) -> Span {
    item.to_token_stream().into_iter().next().map_or_else(Span::call_site, |token| token.span())
}

/// The macro of a function under another name, with the same signature.
pub(crate) fn handshake(
    name: &proc_macro2::Ident,
    vis: &syn::Visibility,
    told: Option<&crate::handshake::Told>,
) -> TokenStream {
    signature::Handshake::beside(name, vis).expand(told)
}

/// The content of the parentheses of `#[node(..)]`.
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
                return Err(Code::E304.on(
                    &meta.path,
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
