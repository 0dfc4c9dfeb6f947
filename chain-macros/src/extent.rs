//! Finds where a piece of Rust ends, with syn's own parsers.
//!
//! A chain's tokens are cut into pieces before they are parsed, so that a mistake in one piece does not hide a mistake
//! in another. This module knows the end of a piece that is well formed. For one that is not it says `None`, and the
//! caller cuts by the look of the tokens, so that it can report what is wrong.

use std::ops::Range;

use proc_macro2::{TokenStream, TokenTree};
use syn::buffer::Cursor;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Expr, Generics, Ident, Token, Type, TypePath, Visibility, WhereClause, token};

use crate::diagnostics::Code;
use crate::parse::{given, pattern};
use crate::simple;

/// How many tokens there are from one place to another; `None` if the other place is inside of a group.
fn count(begin: Cursor<'_>, end: Cursor<'_>) -> Option<usize> {
    let (mut at, mut count) = (begin, 0);
    while at != end {
        at = at.token_tree()?.1;
        count += 1;
    }
    Some(count)
}

/// Runs a parser over these tokens. The parser need not read all of them.
fn over<T>(tokens: &[TokenTree], parse: impl FnOnce(ParseStream<'_>) -> syn::Result<T>) -> Option<T> {
    let parser = |input: ParseStream<'_>| {
        let read = parse(input);
        input.parse::<TokenStream>()?;
        read
    };
    parser.parse2(tokens.iter().cloned().collect()).ok()
}

/// How many tokens a parser reads, if these are well formed.
fn read(input: ParseStream<'_>, parse: impl FnOnce(ParseStream<'_>) -> syn::Result<()>) -> Option<usize> {
    let ahead = input.fork();
    parse(&ahead).ok()?;
    let read = count(input.cursor(), ahead.cursor())?;
    input.advance_to(&ahead);
    Some(read)
}

/// The items of a row, as far as they can be read.
pub(crate) fn items(tokens: &[TokenTree]) -> Vec<Range<usize>> {
    let items = over(tokens, |input| {
        let (mut found, mut at) = (Vec::new(), 0);
        while !input.is_empty() {
            if let Some(length) = read(input, item).filter(|length| *length > 0) {
                found.push(at..at + length);
                at += length;
            }
            at += behind_arrow(input)?;
        }
        Ok(found)
    });
    items.unwrap_or_default()
}

/// Moves past the next arrow.
fn behind_arrow(input: ParseStream<'_>) -> syn::Result<usize> {
    let mut passed = 0;
    while !input.is_empty() {
        if input.peek(Token![=>]) {
            input.parse::<Token![=>]>()?;
            return Ok(passed + 2);
        }
        input.parse::<TokenTree>()?;
        passed += 1;
    }
    Ok(passed)
}

/// An arm of a `match`: the place of its pattern, with attributes and guard, and the place of its chain.
pub(crate) struct Arm {
    pub(crate) head: Range<usize>,
    pub(crate) body: Range<usize>,
}

/// The arms at the beginning of these tokens, up to one that cannot be read.
pub(crate) fn arms(tokens: &[TokenTree]) -> Vec<Arm> {
    let arms = over(tokens, |input| {
        let (mut found, mut at) = (Vec::new(), 0);
        while !input.is_empty() {
            let Some(head) = read(input, arm_head).filter(|_| input.peek(Token![=>])) else { break };
            input.parse::<Token![=>]>()?;
            let Some(body) = read(input, arm_body) else { break };
            let begin = at + head + 2;
            found.push(Arm { head: at..at + head, body: begin..begin + body });
            at = begin + body + usize::from(input.peek(Token![,]));
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(found)
    });
    arms.unwrap_or_default()
}

fn arm_body(input: ParseStream<'_>) -> syn::Result<()> {
    loop {
        let begin = input.cursor();
        item(input)?;
        if !input.peek(Token![=>]) {
            // After braces the next arm may begin, as in Rust.
            let is_done = input.is_empty() || input.peek(Token![,]) || ends_with_brace(begin, input.cursor());
            return if is_done { Ok(()) } else { Err(input.error("no end")) };
        }
        input.parse::<Token![=>]>()?;
    }
}

fn ends_with_brace(begin: Cursor<'_>, end: Cursor<'_>) -> bool {
    let (mut at, mut last) = (begin, None);
    while at != end {
        let Some((token, next)) = at.token_tree() else { return false };
        (at, last) = (next, Some(token));
    }
    matches!(last, Some(TokenTree::Group(group)) if group.delimiter() == proc_macro2::Delimiter::Brace)
}

fn arm_head(input: ParseStream<'_>) -> syn::Result<()> {
    input.call(Attribute::parse_outer)?;
    pattern::read(input, &mut pattern::Typed::default())?;
    if input.peek(Token![if]) {
        input.parse::<Token![if]>()?;
        input.parse::<Expr>()?;
    }
    Ok(())
}

/// The length of the pattern at the beginning of these tokens.
pub(crate) fn pattern(tokens: &[TokenTree]) -> Option<usize> {
    over(tokens, |input| {
        let read = read(input, |input| pattern::read(input, &mut pattern::Typed::default()).map(drop));
        read.ok_or_else(|| input.error("no pattern"))
    })
}

/// The beginning of an item, after its attributes.
pub(crate) struct Head {
    /// The tokens before the path: keywords, a pattern, the dots of a segment; for a node that is written with its
    /// state, all of it.
    pub(crate) lead: usize,
    /// The path of the node, or of the segment.
    pub(crate) path: usize,
}

/// The head of the item at the beginning of these tokens, after its attributes.
pub(crate) fn head(tokens: &[TokenTree]) -> Option<Head> {
    over(tokens, |input| {
        let no_head = |input: ParseStream<'_>| input.error("no head");
        let lead = read(input, lead).ok_or_else(|| no_head(input))?;
        if input.is_empty() || input.peek(token::Brace) {
            return Ok(Head { lead, path: 0 });
        }
        let path = read(input, |input| input.parse::<TypePath>().map(drop)).ok_or_else(|| no_head(input))?;
        Ok(Head { lead, path })
    })
}

/// The part before a node's path.
fn lead(input: ParseStream<'_>) -> syn::Result<()> {
    if input.peek(Token![match]) {
        input.parse::<Token![match]>()?;
    } else if input.peek(Token![if]) {
        input.parse::<Token![if]>()?;
        if input.peek(Token![let]) {
            input.parse::<Token![let]>()?;
            pattern::read(input, &mut pattern::Typed::default())?;
            input.parse::<Token![=]>()?;
        }
    } else if input.peek(Token![..]) {
        input.parse::<Token![..]>()?;
    } else if input.peek(Ident) && input.peek2(Token![:]) && !input.peek2(Token![::]) {
        input.parse::<Ident>()?;
        input.parse::<Token![:]>()?;
        input.parse::<Type>()?;
        input.parse::<Token![=]>()?;
        input.parse::<Expr>()?;
    }
    Ok(())
}

/// The part between two arrows.
fn item(input: ParseStream<'_>) -> syn::Result<()> {
    input.call(Attribute::parse_outer)?;
    let begin = input.cursor();
    kind(input)?;
    if input.peek(Token![else]) {
        input.parse::<Token![else]>()?;
        braces(input)?;
    }
    given::extent(input, ends_with_brace(begin, input.cursor()))
}

fn kind(input: ParseStream<'_>) -> syn::Result<()> {
    if input.peek(token::Brace) {
        return braces(input);
    }
    let (is_match, is_if) = (input.peek(Token![match]), input.peek(Token![if]));
    let has_state = input.peek(Ident) && input.peek2(Token![:]) && !input.peek2(Token![::]);
    lead(input)?;
    if has_state {
        return Ok(());
    }
    input.parse::<TypePath>()?;
    if (is_match || is_if) && input.peek(Token![as]) {
        input.parse::<Token![as]>()?;
        input.parse::<syn::Path>()?;
        input.parse::<TokenTree>()?;
    }
    if is_match || is_if || input.peek(token::Brace) {
        braces(input)?;
    }
    if is_if && input.peek(Token![else]) {
        input.parse::<Token![else]>()?;
        return if input.peek(Token![if]) { kind(input) } else { braces(input) };
    }
    Ok(())
}

fn braces(input: ParseStream<'_>) -> syn::Result<()> {
    if !input.peek(token::Brace) {
        return Err(input.error("expected braces"));
    }
    input.parse::<TokenTree>().map(drop)
}

/// Where the fields of a struct stand, or the `;` of one without fields, in these tokens, which begin with `struct`.
pub(crate) fn of_struct(tokens: &[TokenTree]) -> Option<usize> {
    simple::of_struct(tokens).or_else(|| of_any_struct(tokens))
}

pub(crate) fn of_any_struct(tokens: &[TokenTree]) -> Option<usize> {
    over(tokens, |input| {
        let header = read(input, |input| {
            input.parse::<Token![struct]>()?;
            input.parse::<Ident>()?;
            input.parse::<Generics>()?;
            if input.peek(Token![where]) {
                input.parse::<WhereClause>()?;
            }
            if input.peek(token::Brace) || input.peek(Token![;]) { Ok(()) } else { Err(input.error("no fields")) }
        });
        header.ok_or_else(|| input.error("no struct"))
    })
}

/// Where the inputs of a chain's `fn` and its body stand in these tokens.
pub(crate) fn of_fn(tokens: &[TokenTree]) -> Option<(usize, Option<usize>)> {
    simple::of_fn(tokens).map(|(inputs, body)| (inputs, Some(body))).or_else(|| of_any_fn(tokens))
}

pub(crate) fn of_any_fn(tokens: &[TokenTree]) -> Option<(usize, Option<usize>)> {
    over(tokens, |input| {
        let inputs = read(input, |input| {
            input.call(Attribute::parse_outer)?;
            input.parse::<Visibility>()?;
            input.parse::<Option<Token![async]>>()?;
            input.parse::<Token![fn]>()?;
            input.parse::<Option<Ident>>()?;
            input.parse::<Generics>()?;
            if input.peek(token::Paren) { Ok(()) } else { Err(input.error("no inputs")) }
        });
        let inputs = inputs.ok_or_else(|| input.error("no fn"))?;
        input.parse::<TokenTree>()?;
        let reply = read(input, |input| {
            if input.peek(Token![->]) {
                input.parse::<Token![->]>()?;
                input.parse::<Type>()?;
            }
            if input.peek(Token![where]) {
                input.parse::<WhereClause>()?;
            }
            if input.peek(token::Brace) { Ok(()) } else { Err(input.error("no body")) }
        });
        Ok((inputs, reply.map(|reply| inputs + 1 + reply)))
    })
}

/// The parts between commas, which are called by this word. A parser reads each one; a part that it cannot read is cut by
/// the look of the tokens. The first comma that is missed is reported.
pub(crate) fn parts<T>(
    tokens: TokenStream,
    called: &str,
    parse: fn(ParseStream<'_>) -> syn::Result<T>,
    by_look: fn(&[TokenTree]) -> usize,
) -> Vec<syn::Result<T>> {
    let parser = |input: ParseStream<'_>| {
        let (mut parts, mut missed) = (Vec::new(), None);
        while !input.is_empty() {
            if input.peek(Token![,]) {
                input.parse::<Token![,]>()?;
                continue;
            }
            let ahead = input.fork();
            match parse(&ahead) {
                Ok(part) if ahead.is_empty() || ahead.peek(Token![,]) => {
                    input.advance_to(&ahead);
                    parts.push(Ok(part));
                }
                Ok(part) if ahead.peek(Token![;]) || parse(&ahead.fork()).is_ok() => {
                    input.advance_to(&ahead);
                    parts.push(Ok(part));
                    missed = missed.or_else(|| Some(misses_comma(input, called)));
                    input.parse::<Option<Token![;]>>()?;
                }
                _ => {
                    let rest: Vec<TokenTree> = input.fork().parse::<TokenStream>()?.into_iter().collect();
                    let part = &rest[..by_look(&rest)];
                    for _ in part {
                        input.parse::<TokenTree>()?;
                    }
                    let whole = |input: ParseStream<'_>| {
                        let part = parse(input)?;
                        if input.is_empty() { Ok(part) } else { Err(input.error("expected `,`")) }
                    };
                    parts.push(whole.parse2(part.iter().cloned().collect()));
                }
            }
        }
        parts.extend(missed.map(Err));
        Ok(parts)
    };
    parser.parse2(tokens).unwrap_or_else(|error| vec![Err(error)])
}

/// The error about a comma that is missed here, between two parts or behind the last one.
pub(crate) fn misses_comma(input: ParseStream<'_>, called: &str) -> syn::Error {
    if input.peek(Token![;]) {
        let what = format!("`;` does not part {called}\n  help: write `,`");
        return Code::E018.here(input, what);
    }
    let next = input.fork();
    let is_read = next.call(Attribute::parse_outer).is_ok() && next.parse::<Visibility>().is_ok();
    let name = is_read.then(|| next.fork().call(Ident::parse_any).ok()).flatten();
    match name {
        Some(name) => {
            let what = format!("two {called} are parted by `,`\n  help: write `,` before `{name}`");
            Code::E018.at(name.span(), what)
        }
        None => Code::E018.here(input, format!("two {called} are parted by `,`\n  help: write `,` before this")),
    }
}

/// The inputs in the parentheses of a `fn`, each with its attributes; none if they cannot be read.
pub(crate) fn inputs(tokens: &[TokenTree]) -> Vec<Range<usize>> {
    let inputs = over(tokens, |input| {
        let (mut found, mut at) = (Vec::new(), 0);
        while !input.is_empty() {
            let length = read(input, |input| {
                input.call(Attribute::parse_outer)?;
                input.parse::<Option<Token![mut]>>()?;
                input.call(Ident::parse_any)?;
                input.parse::<Token![:]>()?;
                input.parse::<Type>().map(drop)
            });
            let length = length.ok_or_else(|| input.error("no input"))?;
            found.push(at..at + length);
            at += length + 1;
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(found)
    });
    inputs.unwrap_or_default()
}
