//! `#[open]`, `#[open(Unavailable | Full)]`, `#[open(Unavailable, late)]`: if the node breaks, the run goes on without
//! it.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Ident, Meta, Pat, Token};

use super::pattern;
use crate::ast::{Open, Opens};
use crate::diagnostics::Code;
use crate::names;

const SHAPE: &str = "write `#[open]` for all breaks, `#[open(Unavailable)]` for those that match a pattern, or `#[open(Unavailable, late)]` for these and its `#[timeout(..)]`";

pub(super) fn open(attribute: &Attribute) -> syn::Result<Open> {
    let span = attribute.path().span();
    match &attribute.meta {
        Meta::Path(_) => Ok(Open { span, breaks: Opens::All, late: true }),
        Meta::List(list) if !list.tokens.is_empty() => {
            let (breaks, late) = attribute.parse_args_with(breaks)?;
            Ok(Open { span, breaks, late })
        }
        _ => Err(Code::E503.on(attribute, format_args!("this does not say which breaks it is for\n  help: {SHAPE}"))),
    }
}

/// The content of the parentheses: the breaks, and whether the node's timeout counts, too.
pub(crate) fn named(tokens: TokenStream) -> syn::Result<(Opens, bool)> {
    breaks.parse2(tokens)
}

fn breaks(input: ParseStream<'_>) -> syn::Result<(Opens, bool)> {
    if is_late(input)? {
        return Ok((Opens::None, true));
    }
    // What a segment adds about its own breaks.
    if input.peek(Token![as]) {
        input.parse::<Token![as]>()?;
        let of = input.parse()?;
        let late = input.parse::<Option<Token![,]>>()?.is_some() && is_late(input)?;
        return Ok((Opens::Through(of), late));
    }
    let pattern = Pat::parse_multi_with_leading_vert(input)?;
    let constants = constants(&pattern)?;
    let mut late = false;
    if input.peek(Token![,]) {
        input.parse::<Token![,]>()?;
        late = input.is_empty() || is_late(input)?;
    }
    if input.peek(Token![if]) {
        let what =
            "a pattern of `#[open(..)]` has no guard\n  help: let the node break with an enum, and name its variants";
        return Err(Code::E503.here(input, what));
    }
    if !input.is_empty() {
        return Err(Code::E503.here(input, format_args!("not how breaks are named\n  help: {SHAPE}")));
    }
    Ok((Opens::Those(pattern.to_token_stream(), constants), late))
}

/// Whether only the word `late` is left. If so, it is read.
fn is_late(input: ParseStream<'_>) -> syn::Result<bool> {
    let ahead = input.fork();
    let is_late = ahead.parse::<Ident>().is_ok_and(|word| word == "late") && ahead.is_empty();
    if is_late {
        input.parse::<Ident>()?;
    }
    Ok(is_late)
}

/// The single names in it. They have to be constants or variants, since a binding would match every break.
fn constants(pattern: &Pat) -> syn::Result<Vec<Ident>> {
    let bound = pattern::bound(pattern);
    match bound.iter().find(|name| !names::unraw(name).starts_with(char::is_uppercase)) {
        None => Ok(bound),
        Some(name) => {
            let text = names::unraw(name);
            let what = format!("nobody is lent `{text}`, and it matches every break");
            Err(Code::E503.on(name, format_args!("{what}\n  help: write `_` for it, or `#[open]` for all breaks")))
        }
    }
}
