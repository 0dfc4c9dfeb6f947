//! What stands between a chain's struct and its `fn`, and does not belong there.

use std::borrow::Cow;

use proc_macro2::{Delimiter, Group, TokenTree};
use syn::Ident;

use super::item::is_group;
use crate::diagnostics::{Code, Diagnostics};

/// The fields of `struct Name; { field: Type } fn ..`. The first one of the tokens is the end of the struct.
pub(super) fn late_fields<'t>(
    name: &Ident,
    tokens: &'t [TokenTree],
    diagnostics: &mut Diagnostics,
) -> Option<&'t Group> {
    let [end @ TokenTree::Punct(_), TokenTree::Group(group), TokenTree::Ident(word), ..] = tokens else { return None };
    let are_fields = group.delimiter() == Delimiter::Brace && (word == "fn" || word == "async");
    are_fields.then(|| {
        let what = format!("the struct `{name}` ends at this `;`, and its fields stand behind it");
        diagnostics.error(Code::E003, end, what, "leave the `;` out");
        group
    })
}

/// The tokens of what runs, without a `;` before them, and without braces around them.
pub(super) fn run_behind<'t>(
    name: &Ident,
    mut tokens: &'t [TokenTree],
    diagnostics: &mut Diagnostics,
) -> Cow<'t, [TokenTree]> {
    while let [TokenTree::Punct(punct), rest @ ..] = tokens {
        if punct.as_char() != ';' {
            break;
        }
        diagnostics.error(Code::E003, punct, "there is no `;` between the chain's struct and its `fn`", "leave it out");
        tokens = rest;
    }
    if let [TokenTree::Group(group)] = tokens {
        let inner: Vec<_> = group.stream().into_iter().collect();
        let is_run = |token: &TokenTree| matches!(token, TokenTree::Ident(word) if word == "fn");
        if inner.iter().any(is_run) && inner.iter().any(|token| is_group(token, Delimiter::Brace)) {
            let what = format!("what runs through `{name}` stands right behind its struct, and not in braces");
            diagnostics.error_at(Code::E005, group.span_open(), what, "leave these braces out");
            return Cow::Owned(inner);
        }
    }
    Cow::Borrowed(tokens)
}
