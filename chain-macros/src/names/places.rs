//! Where tokens stand, for errors about them.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::Ident;

/// These tokens with another place for errors. The meaning of their names does not change.
pub(crate) fn shown_at(tokens: TokenStream, at: Span) -> TokenStream {
    let moved = tokens.into_iter().map(|mut token| {
        if let TokenTree::Group(group) = &token {
            let mut inner = Group::new(group.delimiter(), shown_at(group.stream(), at));
            inner.set_span(group.span().located_at(at));
            return inner.into();
        }
        token.set_span(token.span().located_at(at));
        token
    });
    moved.collect()
}

/// These tokens, as if the user had written them at this place, so that an error about them does not mention a macro.
///
/// This is not for tokens that name a local or a label: these would become the user's.
pub(crate) fn as_if_at(tokens: TokenStream, at: Span) -> TokenStream {
    let moved = tokens.into_iter().map(|mut token| {
        match &token {
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), as_if_at(group.stream(), at));
                inner.set_span(at);
                return inner.into();
            }
            // Only its span says which crate `$crate` is.
            TokenTree::Ident(word) if word == "$crate" => {
                let span = word.span().located_at(at);
                token.set_span(span);
            }
            _ => token.set_span(at),
        }
        token
    });
    moved.collect()
}

/// An impl whose header and end are as if the user had written them at this place. Its items keep their spans.
pub(crate) fn impl_at(header: TokenStream, clause: &TokenStream, items: TokenStream, at: Span) -> TokenStream {
    item_at(&quote!(#[automatically_derived] #header), clause, items, at)
}

/// The same for any item with braces.
pub(crate) fn item_at(header: &TokenStream, clause: &TokenStream, items: TokenStream, at: Span) -> TokenStream {
    let header = as_if_at(quote!(#header), at);
    let mut items = Group::new(Delimiter::Brace, items);
    items.set_span(at);
    quote!(#header #clause #items)
}

/// `local.member = value;`, as if the user had written it at this place, except for the names of locals. rustc takes
/// the place of the whole expression from the parentheses.
pub(crate) fn assign_at(local: &Ident, member: &TokenStream, value: &TokenStream, at: Span) -> TokenStream {
    let in_parentheses = |tokens: TokenStream| {
        let mut group = Group::new(Delimiter::Parenthesis, tokens);
        group.set_span(at);
        group
    };
    let local = in_parentheses(quote!(#local));
    let value = in_parentheses(value.clone());
    let member = as_if_at(member.clone(), at);
    quote_spanned!(at=> #local.#member = #value;)
}
