//! The compiler behind `chain-runtime`. Depend on `chain-runtime`; it re-exports all of this.
//!
//! ```text
//! chain!  parse -> check -> plan -> expand      (compile.rs reads as one sentence)
//! #[node] node                                  (a function or an impl block, and the traits beside it)
//! ```
#![forbid(unsafe_code)]

mod again;
mod ast;
mod check;
mod compile;
mod diagnostics;
mod expand;
mod extent;
mod handshake;
mod names;
mod nearby;
mod node;
mod parse;
mod plan;
mod reset;
mod rewrite;
mod segment;
mod simple;
#[cfg(test)]
mod tests;
mod told;
mod types;

use proc_macro::TokenStream;

/// `chain!`. The macro by example in `chain-runtime` calls it, with `$crate` in front.
#[doc(hidden)]
#[proc_macro]
pub fn chain(tokens: TokenStream) -> TokenStream {
    compile::chain(tokens.into()).into()
}

/// Called when the macros of a chain's functions have told their signatures.
#[doc(hidden)]
#[proc_macro]
pub fn planned(tokens: TokenStream) -> TokenStream {
    compile::planned(tokens.into()).into()
}

/// Called by a segment's own macro, to give a chain the segment's nodes.
#[doc(hidden)]
#[proc_macro]
pub fn splice(tokens: TokenStream) -> TokenStream {
    compile::splice(tokens.into()).into()
}

// This is documented where `chain-runtime` re-exports it: the examples compile there.
#[allow(missing_docs, reason = "see above")]
#[proc_macro_attribute]
pub fn node(options: TokenStream, item: TokenStream) -> TokenStream {
    node::expand(options.into(), item.into()).into()
}

/// Resets a value between requests, field by field: see the trait of the same name in `chain-runtime`.
#[proc_macro_derive(Reset, attributes(reset))]
pub fn reset(item: TokenStream) -> TokenStream {
    reset::expand(syn::parse_macro_input!(item as syn::DeriveInput)).into()
}
