//! Turns a row into statements that name each node once.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::Ident;
use syn::parse::{ParseStream, Parser};

use super::cut::{given, has_state, head_by_look, items, path_by_look};
use super::look::{begins_with, cfg_attributes, is_punct, is_word};
use super::{Tokens, located, stream};
use crate::parse::pattern::{self, Typed};
use crate::{extent, rewrite, types};

/// To complete a name, rust-analyzer expands the chain once more with this word at the cursor.
const MARKER: &str = "raCompletionMarker";

pub(super) struct Row<'a> {
    /// The names of the chain's fields.
    pub(super) fields: &'a [String],
    pub(super) at: Span,
}

impl Row<'_> {
    /// The fields as locals. So completion offers them where a node can stand.
    pub(super) fn locals(&self) -> Option<TokenStream> {
        let at = self.at;
        let fields: Vec<_> = self.fields.iter().map(|name| ident(name, at)).collect();
        (!fields.is_empty()).then(|| quote_spanned!(at=> let Self { #(#fields,)* .. } = self;))
    }

    /// `a => b`
    pub(super) fn statements(&self, tokens: &[TokenTree]) -> TokenStream {
        items(tokens).into_iter().map(|item| self.item(item)).collect()
    }

    /// The nodes of the short form that are written with their state: name, type and value.
    pub(super) fn with_state(&self, tokens: &[TokenTree]) -> Vec<(Ident, TokenStream, TokenStream)> {
        let states = items(tokens).into_iter().filter_map(|item| {
            let item = &item[rewrite::attributes(item)..];
            let [TokenTree::Ident(name), colon, rest @ ..] = item else { return None };
            if !has_state(item) || !is_punct(colon, ':') {
                return None;
            }
            let equals = rest.iter().position(|token| is_punct(token, '=')).unwrap_or(rest.len());
            let value = rest.get(equals + 1..).unwrap_or_default();
            Some((name.clone(), stream(rest[..equals].to_vec()), stream(value.to_vec())))
        });
        states.collect()
    }

    /// The types and fields that `#[observe(..)]` and `#[check(..)]` name.
    pub(super) fn named_by_attributes(&self, named: &[TokenTree]) -> TokenStream {
        let at = self.at;
        let each = named.split(|token| is_punct(token, ',')).filter(|each| !each.is_empty());
        let each = each.map(|each| match each {
            [TokenTree::Ident(name)] if self.is_field(name) => self.named(each),
            _ => {
                let ty = stream(each.to_vec());
                quote_spanned!(at=> let _: #ty;)
            }
        });
        each.collect()
    }

    fn item(&self, item: &[TokenTree]) -> TokenStream {
        let at = self.at;
        let (attributes, rest) = item.split_at(rewrite::attributes(item));
        let cfg = stream(cfg_attributes(attributes));
        let (rest, given) = given(rest);
        let given = given.map(|ty| quote_spanned!(at=> let _: #ty;));
        let conditions = attributes.iter().map(|attribute| self.attribute(attribute));
        let kind = match rest {
            [] => TokenStream::new(),
            rest if has_state(rest) => TokenStream::new(),
            rest if rewrite::is_segment(rest) => self.segment(&rest[2..]),
            rest => self.kind(rest),
        };
        match cfg.is_empty() {
            true => quote_spanned!(at=> #(#conditions)* #kind #given),
            false => quote_spanned!(at=> #cfg { #(#conditions)* #kind #given }),
        }
    }

    /// `#[when(is_internal)]` names a node, `#[timeout(limit)]` a value, `#[open(Unavailable)]` a pattern.
    fn attribute(&self, attribute: &TokenTree) -> TokenStream {
        let at = self.at;
        let TokenTree::Group(group) = attribute else { return TokenStream::new() };
        let inner = rewrite::tokens(group.stream());
        let [_, TokenTree::Group(named)] = inner.as_slice() else { return TokenStream::new() };
        let named = rewrite::tokens(named.stream());
        match named.first() {
            Some(_) if begins_with(attribute, "when") => self.named(&named),
            Some(_) if begins_with(attribute, "open") => {
                let (value, (pattern, _)) = (self.unknown(), self.pattern(&named));
                quote_spanned!(at=> match #value { #pattern => {} _ => {} })
            }
            Some(TokenTree::Ident(_)) if begins_with(attribute, "timeout") => {
                let limit = stream(named);
                quote_spanned!(at=> #limit;)
            }
            _ => TokenStream::new(),
        }
    }

    /// The part after the attributes: a node, a block, a branch.
    fn kind(&self, tokens: &[TokenTree]) -> TokenStream {
        let at = self.at;
        let is_match = is_word(&tokens[0], "match");
        let is_if = is_word(&tokens[0], "if");
        let (begin, end) = match extent::head(tokens) {
            Some(head) => (head.lead, head.lead + head.path),
            None => head_by_look(tokens),
        };
        let node = self.named(&tokens[begin..end]);
        let rest = &tokens[end..];
        if is_match {
            let arms = rest.iter().find_map(brace);
            let arms = arms.map(|arms| self.arms(&arms));
            let keyword = &tokens[0];
            let value = self.unknown();
            return quote_spanned!(at=> #keyword { #node #value } { _ => { #arms } });
        }
        if is_if {
            let keyword = &tokens[0];
            let mut blocks = rest.iter();
            let then = blocks.find_map(brace).map(|then| self.statements(&then));
            let otherwise = self.otherwise(&rest[rest.len() - blocks.len()..]);
            let value = self.unknown();
            let value = quote_spanned!(at=> { #node #value });
            let pattern = tokens[1..begin].split_last().filter(|_| begin > 2);
            let Some((_, [word, pattern @ ..])) = pattern else {
                return quote_spanned!(at=> #keyword #value { #then } #otherwise);
            };
            let (pattern, bindings) = self.pattern(pattern);
            return quote_spanned!(at=> #keyword #word #pattern = #value { #bindings #then } #otherwise);
        }
        // Blocks after a node that wraps them, after `else`, or by themselves.
        let blocks = rest.iter().filter_map(brace).map(|block| {
            let block = self.statements(&block);
            quote_spanned!(at=> { #block })
        });
        quote_spanned!(at=> #node #(#blocks)*)
    }

    /// What a node gives. rust-analyzer infers an unknown type from the patterns, and reports no error about it.
    fn unknown(&self) -> TokenStream {
        quote_spanned!(self.at=> (loop {}) as UnknownToAnEditor)
    }

    /// `else { .. }`, `else if ..`
    fn otherwise(&self, tokens: &[TokenTree]) -> Option<TokenStream> {
        let at = self.at;
        let (word, rest) = tokens.split_first().filter(|(word, _)| is_word(word, "else"))?;
        Some(match rest {
            [next, ..] if is_word(next, "if") => {
                let inner = self.kind(rest);
                quote_spanned!(at=> #word #inner)
            }
            rest => {
                let block = rest.iter().find_map(brace).map(|block| self.statements(&block));
                quote_spanned!(at=> #word { #block })
            }
        })
    }

    fn arms(&self, tokens: &[TokenTree]) -> TokenStream {
        let at = self.at;
        let (arms, end) = rewrite::cut_arms(tokens);
        // The type of the node's value is not known here. Each pattern gets a value of its own: else rust-analyzer
        // would take the type of the first pattern for all of them.
        let value = self.unknown();
        let read = arms.iter().map(|extent::Arm { head, body }| {
            let (head, body) = (&tokens[head.clone()], &tokens[body.clone()]);
            let (attributes, head) = head.split_at(rewrite::attributes(head));
            let cfg = stream(cfg_attributes(attributes));
            let (pattern, bindings) = self.pattern(head);
            let body = match body {
                [TokenTree::Group(group)] if group.delimiter() == Delimiter::Brace => rewrite::tokens(group.stream()),
                body => body.to_vec(),
            };
            let body = self.statements(&body);
            quote_spanned!(at=> match #value { #cfg #pattern => { #bindings #body } _ => {} })
        });
        // An arm without its arrow has a pattern already.
        let begun = (end < tokens.len()).then(|| {
            let (pattern, bindings) = self.pattern(&tokens[end..]);
            quote_spanned!(at=> match #value { #pattern => { #bindings } _ => {} })
        });
        quote_spanned!(at=> #(#read)* #begun)
    }

    /// A pattern with its guard, for Rust, and the types of its bindings.
    fn pattern(&self, head: &[TokenTree]) -> (TokenStream, TokenStream) {
        let at = self.at;
        let end = extent::pattern(head).unwrap_or(head.len());
        let mut typed = Typed::default();
        let read = |input: ParseStream<'_>| pattern::read(input, &mut typed);
        let Ok(pattern) = read.parse2(stream(head[..end].to_vec())) else {
            return (stream(head.to_vec()), TokenStream::new());
        };
        let guard = stream(head[end..].to_vec());
        let bindings = typed.bindings.iter().map(|binding| {
            let (ty, name) = (&binding.ty, located(&binding.name, at));
            quote_spanned!(at=> let _: #ty = #name;)
        });
        (quote!(#pattern #guard), bindings.collect())
    }

    /// A node, by its path.
    fn named(&self, path: &[TokenTree]) -> TokenStream {
        let at = self.at;
        let path = path_by_look(path);
        let mut outer = path;
        if let Some(arguments) = path.iter().position(|token| is_punct(token, '<')).filter(|at| *at > 0) {
            outer = &path[..arguments];
        }
        let Some(last) = outer.iter().rev().find_map(word) else { return TokenStream::new() };
        // Behind a call, completion inserts the name alone. Behind a path it would add parentheses and arguments.
        let is_asked_for = path.iter().filter_map(word).any(|word| word.to_string().contains(MARKER));
        let written = stream(path.to_vec());
        match path {
            [TokenTree::Ident(name)] if self.is_field(name) => quote_spanned!(at=> self.#name;),
            _ if is_asked_for => quote_spanned!(at=> #written();),
            _ if is_type(last) => quote_spanned!(at=> let _: #written;),
            _ => quote_spanned!(at=> #written;),
        }
    }

    /// `..path::front`: a segment is a module.
    fn segment(&self, path: &[TokenTree]) -> TokenStream {
        let at = self.at;
        let end = path.iter().position(|token| is_punct(token, '<')).unwrap_or(path.len());
        let (name, arguments) = path.split_at(end);
        let is_colon = |token: &TokenTree| is_punct(token, ':');
        let begin = name.len() - name.iter().rev().take_while(|token| is_colon(token)).count();
        let name = stream(name[..if arguments.is_empty() { name.len() } else { begin }].to_vec());
        let arguments = (arguments.len() > 2).then(|| {
            let arguments = stream(arguments[1..arguments.len() - 1].to_vec());
            quote_spanned!(at=> let _: UnknownToAnEditor<#arguments>;)
        });
        quote_spanned!(at=> use #name as _; #arguments)
    }

    fn is_field(&self, name: &Ident) -> bool {
        self.fields.iter().any(|field| name == field)
    }
}

/// A row as a person would write it, without the content of its blocks.
pub(super) fn outline(tokens: &[TokenTree]) -> String {
    let items = items(tokens).into_iter().map(|item| {
        let item = &item[rewrite::attributes(item)..];
        let outer = item.iter().map(|token| match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => quote!({ .. }),
            token => quote!(#token),
        });
        types::text(&outer.collect::<TokenStream>()).replace(MARKER, "")
    });
    items.filter(|item| !item.is_empty()).collect::<Vec<_>>().join(" => ")
}

fn is_type(name: &Ident) -> bool {
    name.to_string().starts_with(char::is_uppercase)
}

fn word(token: &TokenTree) -> Option<&Ident> {
    match token {
        TokenTree::Ident(word) => Some(word),
        _ => None,
    }
}

fn brace(token: &TokenTree) -> Option<Tokens> {
    match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(rewrite::tokens(group.stream())),
        _ => None,
    }
}

/// A name as it was written, raw or not.
fn ident(name: &str, at: Span) -> Ident {
    match name.strip_prefix("r#") {
        Some(raw) => Ident::new_raw(raw, at),
        None => Ident::new(name, at),
    }
}
