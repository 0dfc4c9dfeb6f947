//! Refuses what stands in the place of a node and is none: operators, macros, keywords. Each error says what to write
//! in its place.

use std::ops::Range;

use proc_macro2::{Delimiter, Spacing, TokenTree};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, Token};

use crate::diagnostics::Code;
use crate::extent;

/// Refuses tokens at this place that are not the path of a node.
pub(super) fn refuse_before(input: ParseStream<'_>) -> syn::Result<()> {
    let (what, help) = if input.peek(Token![!]) {
        (
            "a node is named, and `!` is an operator".to_owned(),
            "leave it out; to branch on what a node gives, write `if node { a } else { b }`",
        )
    } else if input.peek(Token![&]) {
        ("a node is named, and not referred to".to_owned(), "leave out the `&`: a chain borrows its fields by itself")
    } else if input.peek(syn::token::Paren) {
        ("a chain has no parentheses around nodes".to_owned(), "leave them out, or write a block: `{ a => b }`")
    } else if input.peek(syn::token::Bracket) {
        ("a chain is no list".to_owned(), "write the nodes in a row: `a => b`")
    } else if input.peek(Token![let]) {
        (
            "a chain has no variables".to_owned(),
            "name the node alone: what it returns is found by its type, by the nodes after it",
        )
    } else if input.peek(Token![return]) {
        ("the last node gives the reply by itself".to_owned(), "leave out `return`")
    } else if is_keyword(input) {
        let word = input.call(Ident::parse_any)?;
        let what = format!("a node is named, and `{word}` is a word of Rust's");
        return Err(Code::E013.on(word, format!("{what}\n  help: name a `#[node]` function or a field")));
    } else {
        return Ok(());
    };
    Err(Code::E013.here(input, format!("{what}\n  help: {help}")))
}

/// Whether it is a word with which no path begins.
fn is_keyword(input: ParseStream<'_>) -> bool {
    let in_a_path =
        input.peek(Token![self]) || input.peek(Token![Self]) || input.peek(Token![super]) || input.peek(Token![crate]);
    input.peek(Ident::peek_any) && !input.peek(Ident) && !in_a_path
}

/// Refuses tokens after a node of this name that do not join it to the next one.
pub(super) fn refuse_behind(input: ParseStream<'_>, name: &str) -> syn::Result<()> {
    if input.peek(Token![.]) && input.peek2(Token![await]) {
        return Err(Code::E013.here(input, "an `async` node is awaited by itself\n  help: leave out `.await`"));
    }
    if name == "self" && input.peek(Token![.]) {
        return Err(Code::E013.here(input, "a field is named without `self`\n  help: leave out `self.`"));
    }
    if input.peek(Token![as]) {
        let ahead = input.fork();
        ahead.parse::<Token![as]>()?;
        let other = ahead.call(Ident::parse_any).map_or_else(|_| "other".to_owned(), |other| other.to_string());
        let what = format!("a chain gives `{name}` no second name");
        let from = if name.contains("::") { "" } else { "module::" };
        let help = format!(
            "import it under that name, `use {from}{name} as {other};`, and write `{other}`, or rename the function or the field"
        );
        return Err(Code::E013.here(input, format!("{what}\n  help: {help}")));
    }
    if input.peek(Token![!]) && !input.peek(Token![!=]) {
        let what = format!("`{name}!` is a macro, and a node is a function or a field");
        return Err(Code::E013.here(input, format!("{what}\n  help: call it in a `#[node]` function, and name that")));
    }
    for (operator, is_next) in OPERATORS {
        if is_next(input) {
            let help = match *operator {
                "&&" => "write `=>`: where a node breaks, the nodes after it do not run",
                _ => "write `=>`",
            };
            return Err(Code::E009.here(input, format!("`{operator}` does not join nodes\n  help: {help}")));
        }
    }
    Ok(())
}

/// Whether something is next.
type IsNext = fn(ParseStream<'_>) -> bool;

/// Operators, and whether one is next. Longer ones come first.
const OPERATORS: &[(&str, IsNext)] = &[
    ("&&", |input| input.peek(Token![&&])),
    ("||", |input| input.peek(Token![||])),
    ("==", |input| input.peek(Token![==])),
    ("!=", |input| input.peek(Token![!=])),
    ("<=", |input| input.peek(Token![<=])),
    (">=", |input| input.peek(Token![>=])),
    ("..", |input| input.peek(Token![..])),
    ("=", |input| input.peek(Token![=])),
    ("&", |input| input.peek(Token![&])),
    ("|", |input| input.peek(Token![|])),
    ("+", |input| input.peek(Token![+])),
    (",", |input| input.peek(Token![,])),
];

/// Whether a second node follows the first in a place for one.
pub(super) fn asks_more(input: ParseStream<'_>) -> bool {
    input.peek(Token![,]) || input.peek(Token![&&]) || input.peek(Token![||]) || input.peek(Token![==])
}

/// Where the body of an arm ends, and the pattern of the next arm, which follows without a comma.
///
/// `a b => c` may also lack an arrow. So the tokens after the node have to look like a pattern, and not like a node.
pub(super) fn next_arm(body: &[TokenTree]) -> Option<(usize, Range<usize>)> {
    let is_arrow = |at: &usize| match &body[*at..] {
        [TokenTree::Punct(equals), TokenTree::Punct(head), ..] => {
            equals.as_char() == '=' && equals.spacing() == Spacing::Joint && head.as_char() == '>'
        }
        _ => false,
    };
    let mut begin = 0;
    for arrow in (0..body.len()).filter(is_arrow) {
        for at in begin + 1..arrow {
            let (node, behind) = (&body[begin..at], &body[at..arrow]);
            let is_semicolon = matches!(&behind[0], TokenTree::Punct(punct) if punct.as_char() == ';');
            let next = if is_semicolon { at + 1 } else { at };
            let node: proc_macro2::TokenStream = node.iter().cloned().collect();
            let pattern = &body[next..arrow];
            let ends =
                |end: usize| end == pattern.len() || matches!(&pattern[end], TokenTree::Ident(word) if word == "if");
            if syn::parse2::<syn::Path>(node).is_ok()
                && extent::pattern(pattern).is_some_and(ends)
                && looks_like_a_pattern(pattern)
            {
                return Some((at, next..arrow));
            }
        }
        begin = arrow + 2;
    }
    None
}

/// Whether it cannot be the path of a node: a literal, `_`, something in parentheses or braces, or a name in the form
/// of a variant or a constant.
fn looks_like_a_pattern(tokens: &[TokenTree]) -> bool {
    tokens.iter().any(|token| match token {
        TokenTree::Literal(_) => true,
        TokenTree::Group(group) => group.delimiter() != Delimiter::None,
        TokenTree::Ident(word) => word == "_" || word.to_string().starts_with(char::is_uppercase),
        TokenTree::Punct(_) => false,
    })
}
