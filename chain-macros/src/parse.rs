//! From tokens to `ast`. This is the only folder that reads the user's tokens as syntax.
//!
//! The declaration is cut into its sections first (struct, fields, signature, inputs, nodes), and each
//! is parsed by itself, so that a mistake in one does not hide a mistake in another.

use proc_macro2::{Span, TokenStream, TokenTree};

mod between;
mod branch;
mod expression;
pub(crate) mod given;
mod item;
mod modifiers;
mod open;
pub(crate) mod pattern;
mod pieces;
mod run;
mod shed;
mod short;

pub(crate) use item::attributes_of_a_segment;
pub(crate) use open::named as breaks;
pub(crate) use pieces::block;

use crate::ast::Chain;
use crate::diagnostics::{Code, Diagnostics};
use item::{is_item, item};
use short::short;

/// Cuts `[$crate] declaration` in two.
pub(crate) fn declaration(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Option<(TokenStream, Vec<TokenTree>)> {
    let mut tokens = tokens.into_iter();
    let Some(TokenTree::Group(runtime)) = tokens.next() else {
        diagnostics.error_at(
            Code::E002,
            Span::call_site(),
            "`chain!` was called without its crate",
            "use `chain_runtime::chain!`",
        );
        return None;
    };
    Some((runtime.stream(), tokens.collect()))
}

/// Parses a declaration. `None` if not even its outline can be seen.
pub(crate) fn chain(runtime: TokenStream, declaration: Vec<TokenTree>, diagnostics: &mut Diagnostics) -> Option<Chain> {
    if is_item(&declaration) {
        item(runtime, declaration, diagnostics)
    } else {
        short(runtime, declaration, diagnostics)
    }
}
