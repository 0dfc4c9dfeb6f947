//! `chain!` expands to itself again in two cases: for a `#[cfg(..)]` before a node, since only rustc can decide that,
//! and for a segment, since only the segment's declaration knows its nodes.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Path, PathArguments};

use crate::ast::NeededField;
use crate::diagnostics::{Code, Diagnostics};
use crate::names;
use crate::rewrite::{self, Rewrite};
pub(crate) use crate::rewrite::{GONE, declares_a_segment as is_segment};

type Tokens = Vec<TokenTree>;

/// The first expansion of a chain with a `#[cfg(..)]` or a segment in it; `None` if it has neither.
pub(crate) fn expand(runtime: &TokenStream, needs: &TokenStream, declaration: &[TokenTree]) -> Option<TokenStream> {
    // Most chains have neither, and to read each item of theirs for it takes as long as to read the chain.
    if !may_expand(declaration) {
        return None;
    }
    cfg(runtime, needs, declaration)
        .or_else(|| segment(runtime, needs, declaration).filter(|_| !is_segment(declaration)))
}

/// Whether there is a word `cfg` or a `..` among the tokens.
fn may_expand(tokens: &[TokenTree]) -> bool {
    let mut was_dot = false;
    tokens.iter().any(|token| {
        let is_dot = matches!(token, TokenTree::Punct(punct) if punct.as_char() == '.');
        let is_second = is_dot && was_dot;
        was_dot = is_dot;
        match token {
            TokenTree::Ident(word) => word == "cfg",
            TokenTree::Group(group) => may_expand(&rewrite::tokens(group.stream())),
            _ => is_second,
        }
    })
}

/// The first item under a `#[cfg(..)]`, with it and without it: rustc keeps one of the two.
fn cfg(runtime: &TokenStream, needs: &TokenStream, declaration: &[TokenTree]) -> Option<TokenStream> {
    let is_item = declaration.iter().any(|token| matches!(token, TokenTree::Ident(word) if word == "struct"));
    let is_item = is_item || is_segment(declaration);
    // A `#[cfg(..)]` on the whole declaration, which is more than the struct that it stands on.
    if let (true, Some(at)) = (is_item, rewrite::attribute_at(declaration, cfg_predicate)) {
        let predicate = cfg_predicate(&declaration[at]);
        let declaration = stream([&declaration[..at - 1], &declaration[at + 1..]].concat());
        return Some(quote!(#[cfg(#predicate)] #runtime::chain! { #needs #declaration }));
    }
    let (predicate, with, without) = match rewrite::input(declaration, cfg_predicate) {
        Some((predicate, with, without)) => (predicate, stream(with), stream(without)),
        None => {
            let mut first = FirstCfg { predicate: None, keeps: true };
            let with = stream(rewrite::body(declaration, &mut first));
            let without = rewrite::body(declaration, &mut FirstCfg { predicate: None, keeps: false });
            (first.predicate?, with, stream(without))
        }
    };
    Some(match is_item {
        true => quote! {
            #[cfg(#predicate)]
            #runtime::chain! { #needs #with }
            #[cfg(not(#predicate))]
            #runtime::chain! { #needs #without }
        },
        false => quote! {
            match () {
                #[cfg(#predicate)]
                () => #runtime::chain! { #needs #with },
                #[cfg(not(#predicate))]
                () => #runtime::chain! { #needs #without },
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
            // The `#` before it belongs to it.
            return Some([&item[..at - 1], &item[at + 1..]].concat());
        }
        let gone = Ident::new(GONE, Span::call_site());
        Some(if is_arm { Tokens::new() } else { rewrite::tokens(quote!(#[#gone])) })
    }
}

/// The content of the parentheses of `[cfg(..)]`.
fn cfg_predicate(token: &TokenTree) -> Option<TokenStream> {
    let TokenTree::Group(group) = token else { return None };
    match rewrite::tokens(group.stream()).as_slice() {
        [TokenTree::Ident(name), TokenTree::Group(predicate)] if name == "cfg" => Some(predicate.stream()),
        _ => None,
    }
}

/// The first segment, whose own macro puts its nodes in its place: see [`splice`].
fn segment(runtime: &TokenStream, needs: &TokenStream, declaration: &[TokenTree]) -> Option<TokenStream> {
    let mut first = FirstSegment { path: None, nodes: None };
    rewrite::body(declaration, &mut first);
    let mut path = first.path?;
    let arguments = match path.segments.last_mut().map(|last| std::mem::take(&mut last.arguments)) {
        Some(PathArguments::AngleBracketed(arguments)) => {
            let arguments = arguments.args.iter();
            quote!(#([#arguments])*)
        }
        _ => TokenStream::new(),
    };
    let declaration = stream(declaration.to_vec());
    // A name that is no segment's passes this on to `splice`, as it would a chain's question. `splice` reports it.
    Some(quote!(#path! { { segment [#runtime] [#path] [#arguments] [#needs #declaration] } [#runtime::__splice] }))
}

/// Puts the nodes of the first segment in its place: `[runtime] [segment] [fields] [declaration] [nodes] "crate"`. Or
/// reports a mistake: `[runtime] [segment] "error" [declaration]`; `{ segment [runtime] [segment] .. }` from a node
/// that is named like a segment; `name { declaration }` from a segment that is named like a node.
///
/// Returns the tokens of the chain; `None` if there is none.
pub(crate) fn splice(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Option<TokenStream> {
    let mut groups = rewrite::tokens(tokens);
    let mut code = Code::E603;
    if let Some(said) = of_a_node(&groups) {
        (code, groups) = (Code::E607, said);
    }
    let gone = Ident::new(GONE, Span::call_site());
    let (runtime, segment, needed, declaration, nodes) = match groups.as_slice() {
        [
            TokenTree::Group(runtime),
            TokenTree::Group(segment),
            TokenTree::Group(needed),
            TokenTree::Group(chain),
            TokenTree::Group(nodes),
            TokenTree::Literal(from),
        ] => {
            // An error about a node of another crate is shown where the chain names the segment.
            let nodes = match text(from) == names::compiled_crate() {
                true => nodes.stream(),
                false => names::shown_at(nodes.stream(), named_at(&segment.stream())),
            };
            (runtime, segment, needed.stream(), chain, rewrite::tokens(nodes))
        }
        [TokenTree::Group(runtime), TokenTree::Group(segment), TokenTree::Literal(wrong), TokenTree::Group(chain)] => {
            match text(wrong) {
                // It is reported where the segment is declared.
                wrong if wrong.is_empty() => diagnostics.known(),
                wrong => diagnostics.push(code.at(named_at(&segment.stream()), wrong)),
            }
            (runtime, segment, TokenStream::new(), chain, rewrite::tokens(quote!(#[#gone])))
        }
        [TokenTree::Ident(name), TokenTree::Group(before)] => {
            diagnostics.push(without_dots(name, before.stream()));
            return None;
        }
        _ => {
            diagnostics.error_at(
                Code::E002,
                Span::call_site(),
                "`__splice!` is for `chain!` alone",
                "write `..segment` in a chain",
            );
            return None;
        }
    };
    let (needs, declaration) = needs(rewrite::tokens(declaration.stream()));
    let too_deep = nested(&segment.stream()) > DEEPEST;
    let nodes = match too_deep {
        true => {
            let what = "this segment contains itself, by way of others";
            diagnostics.error_at(
                Code::E602,
                named_at(&segment.stream()),
                what,
                "leave it out of one of them: a chain has no loops",
            );
            rewrite::tokens(quote!(#[#gone]))
        }
        false => nodes,
    };
    let spliced = stream(rewrite::body(&declaration, &mut FirstSegment { path: None, nodes: Some(nodes) }));
    let runtime = TokenTree::Group(runtime.clone());
    let segment = segment.stream();
    let needs = quote!(#needs [#NEEDS [#segment] #needed]);
    Some(quote!(#runtime #needs #spliced))
}

/// The report about a node that is named like a segment: its own macro passes on the tokens that it was given.
fn of_a_node(groups: &[TokenTree]) -> Option<Tokens> {
    let [TokenTree::Group(passed)] = groups else { return None };
    let passed = rewrite::tokens(passed.stream());
    let [TokenTree::Ident(_), runtime, TokenTree::Group(path), _, chain, ..] = passed.as_slice() else { return None };
    let node = crate::types::text(&path.stream());
    let wrong = format!("`{node}` is a node, and `..` stands before a segment\n  help: leave out the `..`");
    let wrong = TokenTree::Literal(proc_macro2::Literal::string(&wrong));
    Some(vec![runtime.clone(), TokenTree::Group(path.clone()), wrong, chain.clone()])
}

/// The error about a segment that is named like a node. `given` are the tokens that a node's macro would have been
/// given.
fn without_dots(name: &Ident, given: TokenStream) -> syn::Error {
    fn find(name: &Ident, tokens: TokenStream) -> Option<Span> {
        let mut is_behind_dots = false;
        for token in tokens {
            match token {
                TokenTree::Ident(word) if word == *name && !is_behind_dots => return Some(word.span()),
                TokenTree::Group(group) => {
                    if let Some(found) = find(name, group.stream()) {
                        return Some(found);
                    }
                    is_behind_dots = false;
                }
                TokenTree::Punct(punct) => is_behind_dots = punct.as_char() == '.',
                _ => is_behind_dots = false,
            }
        }
        None
    }
    let at = find(name, given).unwrap_or_else(Span::call_site);
    Code::E607.at(at, format_args!("`{name}` is a segment, and is named like a node\n  help: write `..{name}`"))
}

fn text(literal: &proc_macro2::Literal) -> String {
    syn::parse2::<syn::LitStr>(literal.to_token_stream()).map_or_else(|_| String::new(), |text| text.value())
}

/// The most segments that may stand in each other.
const DEEPEST: usize = 24;

/// In how many segments the segment at this path stands.
fn nested(path: &TokenStream) -> usize {
    path.clone().into_iter().filter(|token| matches!(token, TokenTree::Ident(name) if is_module_of_node(name))).count()
}

/// A segment in another one is found in a module of the outer one. Whether this is the name of such a module.
fn is_module_of_node(name: &Ident) -> bool {
    name.to_string().strip_prefix("node").is_some_and(|index| index.parse::<usize>().is_ok())
}

/// The token at which the chain names the segment at this path, or the outer segment that names it.
fn named_at(path: &TokenStream) -> Span {
    let names = path.clone().into_iter().filter_map(|token| match token {
        TokenTree::Ident(name) => Some(name),
        _ => None,
    });
    let names: Vec<_> = names.collect();
    let end = names.iter().position(is_module_of_node).unwrap_or(names.len());
    names[..end].last().map_or_else(Span::call_site, Ident::span)
}

/// The mark before the fields that segments need, which stand before a declaration.
struct NeedsMark;

const NEEDS: NeedsMark = NeedsMark;

impl ToTokens for NeedsMark {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        Ident::new("chain_needs", Span::call_site()).to_tokens(tokens);
    }
}

/// Cuts off what segments need from the declaration after it.
pub(crate) fn needs(declaration: Tokens) -> (TokenStream, Tokens) {
    let is_need = |token: &TokenTree| match token {
        TokenTree::Group(group) => {
            matches!(group.stream().into_iter().next(), Some(TokenTree::Ident(mark)) if mark == "chain_needs")
        }
        _ => false,
    };
    let end = declaration.iter().position(|token| !is_need(token)).unwrap_or(declaration.len());
    let (needs, declaration) = declaration.split_at(end);
    (stream(needs.to_vec()), declaration.to_vec())
}

/// The fields that the segments of a chain need, and the bounds on the segments' arguments.
pub(crate) fn needed(needs: TokenStream) -> (Vec<NeededField>, Vec<Path>) {
    let groups = needs.into_iter().filter_map(|token| match token {
        TokenTree::Group(group) => syn::parse::Parser::parse2(needed_of_one, group.stream()).ok(),
        _ => None,
    });
    let (fields, bounds): (Vec<_>, Vec<_>) = groups.unzip();
    (fields.into_iter().flatten().collect(), bounds.into_iter().flatten().collect())
}

fn needed_of_one(input: syn::parse::ParseStream<'_>) -> syn::Result<(Vec<NeededField>, Option<Path>)> {
    input.parse::<Ident>()?;
    let segment;
    syn::bracketed!(segment in input);
    let path: TokenStream = segment.parse()?;
    let at = named_at(&path);
    let segment = path.into_iter().filter_map(|token| match token {
        TokenTree::Ident(name) => Some(names::unraw(&name)),
        _ => None,
    });
    let segment = segment.last().unwrap_or_default();
    let mut bounds = None;
    if input.parse::<Option<syn::Token![<]>>()?.is_some() {
        let path: Path = input.parse()?;
        bounds = Some(syn::parse2(names::shown_at(path.into_token_stream(), at))?);
        input.parse::<syn::Token![>]>()?;
    }
    let mut fields = Vec::new();
    while !input.is_empty() {
        let (name, ty);
        syn::bracketed!(name in input);
        syn::bracketed!(ty in input);
        let text: syn::LitStr = input.parse()?;
        input.parse::<Option<syn::Token![,]>>()?;
        fields.push(NeededField {
            segment: segment.clone(),
            at,
            name: name.parse()?,
            ty: ty.parse()?,
            text: text.value(),
        });
    }
    Ok((fields, bounds))
}

struct FirstSegment {
    path: Option<syn::Path>,
    nodes: Option<Tokens>,
}

impl Rewrite for FirstSegment {
    fn item(&mut self, item: &[TokenTree], is_arm: bool) -> Option<Tokens> {
        if is_arm || self.path.is_some() || !rewrite::is_segment(item) {
            return None;
        }
        // The parser reports a path that cannot be read.
        self.path = Some(syn::parse2::<syn::Path>(stream(item[2..].to_vec())).ok()?);
        self.nodes.take()
    }
}

fn stream(tokens: Tokens) -> TokenStream {
    tokens.into_iter().collect()
}
