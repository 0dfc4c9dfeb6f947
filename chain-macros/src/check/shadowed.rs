//! A binding of an arm's pattern that has the name of a node in the arm.
//!
//! A function that is a node is called by its name, and there the name is the binding's: rustc would say, inside of what
//! the macro has written, that a value is no function.

use proc_macro2::{TokenStream, TokenTree};
use syn::Ident;

use super::told::nodes;
use crate::ast::{Arm, Chain, ItemKind};
use crate::diagnostics::{Code, Diagnostics};
use crate::names::unraw;

pub(super) fn check(chain: &Chain, diagnostics: &mut Diagnostics) {
    for item in chain.run.body.items() {
        if let ItemKind::Branch(branch) = &item.kind {
            branch.arms.iter().for_each(|arm| names(arm, diagnostics));
        }
    }
}

fn names(arm: &Arm, diagnostics: &mut Diagnostics) {
    let bound = bound(&arm.pattern);
    for node in arm.body.items().into_iter().flat_map(nodes).filter(|node| node.field.is_none()) {
        let Some(name) = node.path.path.get_ident().filter(|name| bound.contains(name)) else { continue };
        let text = unraw(name);
        diagnostics.error(
            Code::E419,
            name,
            format_args!("in this arm, `{text}` is what the pattern binds, and hides the node `{text}`"),
            format_args!("give the binding another name, or name the node by a path, `self::{text}`"),
        );
    }
}

/// The names that a pattern binds. A name that is a constant or a variant without arguments is among them, but no function
/// can have its name as well.
fn bound(pattern: &TokenStream) -> Vec<Ident> {
    let tokens: Vec<_> = pattern.clone().into_iter().collect();
    let is_colon = |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    let mut bound = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            // The guard.
            TokenTree::Ident(word) if word == "if" => break,
            TokenTree::Ident(word) => {
                let is_in_a_path = at > 1 && is_colon(at - 1) && is_colon(at - 2);
                let goes_on = is_colon(at + 1) || matches!(tokens.get(at + 1), Some(TokenTree::Group(_)));
                if !is_in_a_path && !goes_on {
                    bound.push(word.clone());
                }
            }
            TokenTree::Group(group) => bound.extend(self::bound(&group.stream())),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
    bound
}
