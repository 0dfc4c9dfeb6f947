//! The compiler behind `chain-runtime`. Depend on `chain-runtime`; it re-exports all of this.
//!
//! ```text
//! chain!  parse -> check -> plan -> expand      (compile.rs reads as one sentence)
//! #[node] node                                  (a function or an impl block, and the traits beside it)
//! ```
#![forbid(unsafe_code)]

mod ast;
mod check;
mod compile;
mod diagnostics;
mod expand;
mod names;
mod node;
mod parse;
mod plan;
mod reset;
mod types;

use proc_macro::TokenStream;

/// `chain!`, behind the macro by example in `chain-runtime` that puts `$crate` in front.
#[doc(hidden)]
#[proc_macro]
pub fn chain(tokens: TokenStream) -> TokenStream {
    compile::chain(tokens.into()).into()
}

/// Makes a function, or an `impl` block with hooks, a node of chains.
///
/// On a function, which stays callable as it is:
///
/// ```ignore
/// #[node]
/// async fn auth(request: &Parts, keys: &Keys) -> Result<User, Unauthorized> { .. }
/// ```
///
/// On an `impl` block, any of three hooks make the type a node:
///
/// ```ignore
/// #[node]
/// impl AccessLog {
///     fn enter(&self) -> Started { .. }
///     fn exit(&self, started: &Started, request: &Parts, reply: &Response<Body>) { .. }
///     fn cancelled(&self, started: &Started) { .. }
/// }
/// ```
///
/// - A parameter is found by its type in the scope: `&T` is lent, `&mut T` lent for writing, `T` takes an
///   input. In `exit`, the parameter called `reply` is the chain's reply.
/// - The result is read by its name: `Result<T, E>` and `ControlFlow<R, T>` may break; `()` provides nothing.
/// - Options: `#[node(stateless)]` lets a chain name a type without fields without a value;
///   `#[node(crate = path)]` says where `chain_runtime` is.
#[proc_macro_attribute]
pub fn node(options: TokenStream, item: TokenStream) -> TokenStream {
    node::expand(options.into(), item.into()).into()
}

/// Resets a value between requests, field by field.
#[proc_macro_derive(Reset, attributes(reset))]
pub fn reset(item: TokenStream) -> TokenStream {
    reset::expand(syn::parse_macro_input!(item as syn::DeriveInput)).into()
}
