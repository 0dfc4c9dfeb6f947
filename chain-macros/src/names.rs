//! The only file that spells a path into the runtime or makes up an identifier.

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Ident, Lifetime};

/// The runtime's path in the crate that uses an attribute or a derive, under whatever name it depends on it.
///
/// `chain!` has no need of this: it comes with `$crate`.
pub(crate) fn runtime() -> TokenStream {
    match crate_name("chain-runtime") {
        Ok(FoundCrate::Name(name)) => {
            let name = Ident::new(&name, Span::call_site());
            quote!(::#name)
        }
        _ => quote!(::chain_runtime),
    }
}

/// The life of one run.
pub(crate) fn run_lifetime() -> Lifetime {
    Lifetime::new("'chain_run", Span::mixed_site())
}

/// The life of one call of a hook.
pub(crate) fn call_lifetime() -> Lifetime {
    Lifetime::new("'chain_call", Span::mixed_site())
}

/// The type parameter that stands for the scope.
pub(crate) fn scope_parameter() -> Ident {
    Ident::new("ChainScope", Span::mixed_site())
}

/// The scope struct of a chain.
pub(crate) fn scope_of(chain: &Ident) -> Ident {
    format_ident!("ScopeOf{}", unraw(chain), span = Span::mixed_site())
}

/// A local of the generated body, which the user's code cannot see.
pub(crate) fn local(name: &str, index: usize) -> Ident {
    Ident::new(&format!("{name}{index}"), Span::mixed_site())
}

/// A local that there is one of.
pub(crate) fn single(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// The label to which the node at this position breaks.
pub(crate) fn label(index: usize) -> Lifetime {
    Lifetime::new(&format!("'node{index}"), Span::mixed_site())
}

/// An identifier as a person writes it in prose: without `r#`.
pub(crate) fn unraw(ident: &Ident) -> String {
    syn::ext::IdentExt::unraw(ident).to_string()
}
