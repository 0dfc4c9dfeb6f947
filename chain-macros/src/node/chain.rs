//! Reads a chain as a node: its inputs are the node's needs, and its reply is what the node gives.

use std::rc::Rc;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, ItemImpl, Meta};

use super::block::of_impl;
use super::signature::{Handshake, Node, Promises};
use crate::ast::Chain;
use crate::diagnostics::{Code, Diagnostics};
use crate::names;
use crate::told::Untold;

/// A chain as a node of other chains.
pub(crate) struct ChainAsNode(Node);

/// Reads a chain with `#[node]` before it: as the block that a person would write around its `run`, with `run` in place
/// of `enter`.
pub(crate) fn of_chain(
    chain: &Chain,
    block: impl FnOnce(&Chain) -> ItemImpl,
    diagnostics: &mut Diagnostics,
) -> Option<ChainAsNode> {
    let promises = promises(chain.as_node.as_ref()?, diagnostics);
    let node = of_impl(&block(chain), false, promises, diagnostics)?;
    let mut node = Node { is_chain: true, stateless: chain.fields.is_empty(), name: names::unraw(&chain.name), ..node };
    if let Some(enter) = &mut node.enter {
        enter.call = quote!(Self::run);
    }
    // A chain in a chain is found by its traits.
    let handshake = node.handshake.take().filter(|handshake| handshake.told.is_none());
    let sought = node.told_in_part().filter(|_| names::may_have_a_macro(&chain.name));
    node.handshake = match sought {
        Some(told) => {
            let untold = Untold { sought: Some(Rc::new(told)), ..Untold::default() };
            Some(Handshake { untold, ..Handshake::beside(&chain.name, &syn::parse_quote!(pub)) })
        }
        None => handshake,
    };
    Some(ChainAsNode(node))
}

impl ChainAsNode {
    /// The traits of a node.
    pub(crate) fn expand(&self, rt: &TokenStream) -> TokenStream {
        self.0.expand(rt)
    }

    /// The same beside errors that are reported already.
    pub(crate) fn kept_alive(self, rt: &TokenStream) -> TokenStream {
        self.0.kept_alive(rt)
    }
}

/// The content of the parentheses of `#[node(..)]`.
fn promises(attribute: &Attribute, diagnostics: &mut Diagnostics) -> Promises {
    let mut promises = Promises::default();
    if let Meta::List(_) = &attribute.meta {
        let read = attribute.parse_nested_meta(|meta| match promises.named(&meta.path) {
            Some(promise) => {
                *promise = true;
                Ok(())
            }
            None => Err(Code::E304.on(
                &meta.path,
                "a chain that is a node has no such option\n  help: it has `last`, `rejects`, `wanted` and `once`",
            )),
        });
        diagnostics.ok(read);
    }
    promises
}
