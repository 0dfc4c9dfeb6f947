//! Cuts a row into its items, and an item into its parts. Any of them may be unfinished.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

use super::look::{is_group, is_punct, is_word};
use super::stream;
use crate::{extent, rewrite};

/// The characters of `=>`, and of what people type in place of it.
const JOINTS: [char; 5] = ['=', '-', '>', ',', ';'];

/// Cuts a row at its arrows, and at what was typed in place of one.
pub(super) fn items(tokens: &[TokenTree]) -> Vec<&[TokenTree]> {
    let (mut items, mut begin) = (Vec::new(), 0);
    let known = extent::items(tokens);
    let mut known = known.iter().peekable();
    while begin < tokens.len() {
        while known.next_if(|item| item.start < begin).is_some() {}
        let rest = &tokens[begin..];
        let length = known.next_if(|item| item.start == begin).map(|item| item.len());
        let end = length.unwrap_or_else(|| end_by_look(rest));
        let end = end + end_of_given(rest, end);
        items.push(&rest[..end]);
        begin += end;
        begin += tokens[begin..].iter().take_while(|token| JOINTS.iter().any(|joint| is_punct(token, *joint))).count();
    }
    items
}

/// Where an item ends that the parser cannot read.
fn end_by_look(tokens: &[TokenTree]) -> usize {
    let arrow = rewrite::arrow(tokens).unwrap_or(tokens.len());
    let item = &tokens[..arrow];
    let begin = rewrite::attributes(item);
    let is_branch = item.get(begin).is_some_and(|token| is_word(token, "if") || is_word(token, "match"));
    let other = item[begin..].iter().position(|token| ['-', ',', ';'].iter().any(|joint| is_punct(token, *joint)));
    other.filter(|_| !is_branch && !has_state(&item[begin..])).map_or(arrow, |at| begin + at)
}

/// How many tokens `-> User` has, which may stand behind the braces that end here.
fn end_of_given(tokens: &[TokenTree], end: usize) -> usize {
    let is_behind_braces = end > 0 && is_group(&tokens[end - 1], Delimiter::Brace);
    match &tokens[end..] {
        [minus, head, rest @ ..] if is_behind_braces && is_punct(minus, '-') && is_punct(head, '>') => {
            2 + rewrite::arrow(rest).unwrap_or(rest.len())
        }
        _ => 0,
    }
}

/// Cuts an item in two: what stands before `-> User`, and the type.
pub(super) fn given(item: &[TokenTree]) -> (&[TokenTree], Option<TokenStream>) {
    let is_arrow = |at: &usize| is_punct(&item[*at], '-') && item.get(at + 1).is_some_and(|token| is_punct(token, '>'));
    let arrow = (1..item.len()).find(|at| is_arrow(at) && is_group(&item[at - 1], Delimiter::Brace));
    match arrow {
        Some(at) if at + 2 < item.len() => (&item[..at], Some(stream(item[at + 2..].to_vec()))),
        Some(at) => (&item[..at], None),
        None => (item, None),
    }
}

/// Whether it is `name: Type = value`.
pub(super) fn has_state(item: &[TokenTree]) -> bool {
    matches!(item, [TokenTree::Ident(_), TokenTree::Punct(colon), ..]
        if colon.as_char() == ':' && colon.spacing() == Spacing::Alone)
}

/// Where the node's path begins and ends in an item that the parser cannot read.
pub(super) fn head_by_look(tokens: &[TokenTree]) -> (usize, usize) {
    let keyword = usize::from(is_word(&tokens[0], "match") || is_word(&tokens[0], "if"));
    let is_let = tokens.get(keyword).is_some_and(|token| is_word(token, "let"));
    let equals = tokens.iter().position(|token| is_punct(token, '=')).filter(|_| is_let);
    let begin = match (is_let, equals) {
        (true, None) => tokens.len(),
        (_, equals) => equals.map_or(keyword, |at| at + 1),
    };
    let end = tokens[begin..].iter().position(|token| is_group(token, Delimiter::Brace) || is_word(token, "else"));
    (begin, end.map_or(tokens.len(), |at| begin + at))
}

/// The path that these tokens begin with. It may be unfinished: `pages::`.
pub(super) fn path_by_look(tokens: &[TokenTree]) -> &[TokenTree] {
    let mut depth = 0usize;
    let end = tokens.iter().position(|token| {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '<' => depth += 1,
            TokenTree::Punct(punct) if punct.as_char() == '>' => depth = depth.saturating_sub(1),
            TokenTree::Punct(punct) => return depth == 0 && punct.as_char() != ':',
            TokenTree::Ident(_) => {}
            _ => return depth == 0,
        }
        false
    });
    &tokens[..end.unwrap_or(tokens.len())]
}
