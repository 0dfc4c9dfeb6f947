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

/// A path or a bound with another place for errors. What stands in its `<..>` keeps its place: a type in there that does
/// not exist is reported where it is written.
pub(crate) fn path_at(path: TokenStream, at: Span) -> TokenStream {
    let mut depth = Depth::default();
    let moved = path.into_iter().map(|token| {
        let is_inside = depth.passes(&token);
        if is_inside { token } else { shown_at(token.into(), at).into_iter().next().expect("one token") }
    });
    moved.collect()
}

/// How many `<..>` are open.
#[derive(Default)]
struct Depth {
    open: usize,
    is_behind_minus: bool,
}

impl Depth {
    /// Whether this token stands inside of a `<..>`.
    fn passes(&mut self, token: &TokenTree) -> bool {
        let before = self.open;
        let is_behind_minus = std::mem::take(&mut self.is_behind_minus);
        if let TokenTree::Punct(punct) = token {
            match punct.as_char() {
                '<' => self.open += 1,
                '>' if !is_behind_minus => self.open = self.open.saturating_sub(1),
                other => self.is_behind_minus = other == '-',
            }
        }
        before > 0 && self.open > 0
    }
}

/// These tokens, as if the user had written them at this place, so that an error about them does not mention a macro.
///
/// This is not for tokens that name a local or a label: these would become the user's.
pub(crate) fn as_if_at(tokens: TokenStream, at: Span) -> TokenStream {
    tokens.into_iter().map(|token| one_as_if_at(token, at, as_if_at)).collect()
}

/// The same for items.
///
/// What the user wrote in a `<..>` keeps its place: a type or a bound that does not exist is reported where it is
/// written. An `impl` has parameters that are not the user's, so that rustc does not help to add one there, in other
/// words for each mention.
pub(crate) fn items_as_if_at(tokens: TokenStream, at: Span) -> TokenStream {
    let (mut depth, mut before, mut is_of_impl) = (Depth::default(), String::new(), false);
    let mut moved = TokenStream::new();
    for mut token in tokens {
        let word = match &token {
            TokenTree::Ident(word) => word.to_string(),
            TokenTree::Punct(sign) => sign.as_char().to_string(),
            _ => String::new(),
        };
        let is_kept = depth.passes(&token);
        is_of_impl = (is_of_impl && is_kept) || (before == "impl" && word == "<");
        match (before.as_str(), word.as_str()) {
            ("const", "_") => token = TokenTree::Ident(crate::names::unnamed(at)),
            _ if is_of_impl => {}
            // Of a lifetime that the macro made.
            (_, "'") | ("'", _) => token.set_span(at),
            _ if is_kept => {}
            _ => {
                moved.extend((before == "impl").then(|| quote!(<>)));
                token = one_as_if_at(token, at, items_as_if_at);
            }
        }
        moved.extend([token]);
        before = word;
    }
    moved
}

fn one_as_if_at(mut token: TokenTree, at: Span, inside: fn(TokenStream, Span) -> TokenStream) -> TokenTree {
    match &token {
        TokenTree::Group(group) => {
            let mut inner = Group::new(group.delimiter(), inside(group.stream(), at));
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
}

/// An impl whose header and end are as if the user had written them at this place. Its items keep their spans.
pub(crate) fn impl_at(header: TokenStream, clause: &TokenStream, items: TokenStream, at: Span) -> TokenStream {
    item_at(&quote!(#[automatically_derived] #header), clause, items, at)
}

/// The same for any item with braces.
pub(crate) fn item_at(header: &TokenStream, clause: &TokenStream, items: TokenStream, at: Span) -> TokenStream {
    let header = items_as_if_at(quote!(#header), at);
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

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::items_as_if_at;

    #[test]
    fn an_impl_has_parameters_of_the_macros() {
        let moved = |tokens| items_as_if_at(tokens, Span::call_site()).to_string();
        // As text, since rustfmt takes `<>` away.
        let read = |text: &str| text.parse::<proc_macro2::TokenStream>().expect("tokens");
        let is_kept = |text: &str| assert_eq!(moved(read(text)), read(text).to_string());
        is_kept("impl<T: A<B>> C<T> for D<fn(E) -> F> { fn f(&self) -> G<H> {} }");
        is_kept("const _: () = f::<A>();");
        assert_eq!(moved(read("#[a] impl C<T> for D {}")), "# [a] impl < > C < T > for D { }");
    }
}
