//! An item that is a node already: all that is emitted for it would collide with what is there.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{ImplItem, Item};

use super::elsewhere;
use crate::diagnostics::Code;
use crate::nearby;
use crate::types;

pub(super) enum Twice {
    /// A second function of this name. rustc reports it.
    Function,
    /// A second `impl` block with `#[node]`: the block without its hooks, and the error.
    Block(TokenStream, syn::Error),
}

pub(super) fn of(item: &Item) -> Option<Twice> {
    match item {
        Item::Fn(function) => nearby::function_before(&function.sig.ident).then_some(Twice::Function),
        Item::Impl(block) if block.trait_.is_none() => {
            let last = types::last_segment(&block.self_ty)?;
            let text = types::text(&block.self_ty);
            let line = nearby::block_before(&text, &last.ident)?;
            let mut rest = block.clone();
            rest.items.retain(|item| !matches!(item, ImplItem::Fn(method) if elsewhere::is_hook(&method.sig.ident)));
            let error = Code::E325.at(
                types::name_span(&block.self_ty),
                format_args!(
                    "`{text}` is a node already: another `impl` block with `#[node]` is in line {line}\n  help: put all hooks into one `impl` block; a second kind of node is a type of its own"
                ),
            );
            let rest = rest.to_token_stream();
            Some(Twice::Block(quote!(#[allow(dead_code)] #rest), error))
        }
        _ => None,
    }
}
