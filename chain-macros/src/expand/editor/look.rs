//! Questions about tokens that need no parser, since the tokens may be unfinished.

use proc_macro2::{Delimiter, Punct, Spacing, TokenTree};

use super::Tokens;
use crate::rewrite;

/// The attributes that are kept, and what the chain's own attributes name: `Recorder` in `#[observe(Recorder)]`.
pub(super) fn own_attributes(attributes: &[TokenTree]) -> (Tokens, Tokens) {
    let (mut kept, mut own) = (Tokens::new(), Tokens::new());
    for attribute in attributes.chunks(2) {
        let [_, TokenTree::Group(group)] = attribute else { continue };
        let inner = rewrite::tokens(group.stream());
        let word = match inner.first() {
            Some(TokenTree::Ident(word)) => word.to_string(),
            _ => String::new(),
        };
        match (word.as_str(), inner.get(1)) {
            ("observe" | "check", Some(TokenTree::Group(named))) => {
                own.extend(named.stream());
                own.push(TokenTree::Punct(Punct::new(',', Spacing::Alone)));
            }
            ("observe" | "check" | "budget" | "send" | "no_alloc" | "shed", _) => {}
            ("deny" | "allow", Some(TokenTree::Group(lints))) if lints.stream().to_string() == "spawn" => {}
            _ if is_node(&inner) => {}
            _ => kept.extend_from_slice(attribute),
        }
    }
    (kept, own)
}

/// Whether the attribute's path ends with `node`.
fn is_node(attribute: &[TokenTree]) -> bool {
    let path = attribute.iter().take_while(|token| matches!(token, TokenTree::Ident(_)) || is_punct(token, ':'));
    path.last().is_some_and(|last| is_word(last, "node"))
}

/// Those of the attributes that are `#[cfg(..)]`.
pub(super) fn cfg_attributes(attributes: &[TokenTree]) -> Tokens {
    attributes
        .chunks(2)
        .filter(|attribute| begins_with(&attribute[attribute.len() - 1], "cfg"))
        .flatten()
        .cloned()
        .collect()
}

/// Whether there is a `#[cfg(..)]` in this group.
pub(super) fn has_cfg(token: &TokenTree) -> bool {
    let TokenTree::Group(group) = token else { return false };
    group.stream().into_iter().any(|token| begins_with(&token, "cfg"))
}

/// Whether it is a group that begins with this word.
pub(super) fn begins_with(token: &TokenTree, word: &str) -> bool {
    let TokenTree::Group(group) = token else { return false };
    group.stream().into_iter().next().is_some_and(|first| is_word(&first, word))
}

/// The names of the fields: each name with a `:` behind it that begins a field.
pub(super) fn field_names(fields: &[TokenTree]) -> Vec<String> {
    let is_name = |(at, pair): (usize, &[TokenTree])| match pair {
        [TokenTree::Ident(name), TokenTree::Punct(colon)] => {
            let is_colon = colon.as_char() == ':' && colon.spacing() == Spacing::Alone;
            let begins = at == 0 || !matches!(&fields[at - 1], TokenTree::Punct(before) if before.as_char() != ',');
            (is_colon && begins).then(|| name.to_string())
        }
        _ => None,
    };
    fields.windows(2).enumerate().filter_map(is_name).collect()
}

pub(super) fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(found) if found == word)
}

pub(super) fn is_punct(token: &TokenTree, punct: char) -> bool {
    matches!(token, TokenTree::Punct(found) if found.as_char() == punct)
}

pub(super) fn is_group(token: &TokenTree, delimiter: Delimiter) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == delimiter)
}
