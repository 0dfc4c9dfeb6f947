//! Names the type of a node's value.

use proc_macro2::TokenStream;
use quote::quote_spanned;

use super::Step;
use crate::names;

impl Step {
    /// Whether it is a function that tells its signature. Its value has one type, by which it is held and found.
    pub(crate) fn is_told_function(&self) -> bool {
        self.told.as_ref().is_some_and(|told| told.hooks.is_none())
    }

    /// The type of the value that this node, whose signature is told, gives this chain, for the value at a position in
    /// the scope.
    pub(crate) fn value_in(
        &self,
        node: &TokenStream,
        lifetime: &TokenStream,
        chain: &TokenStream,
        position: usize,
    ) -> TokenStream {
        let rt = names::alias(self.span);
        match self.is_told_function() {
            true => quote_spanned!(self.span=> <#node as #rt::told::Gives<#lifetime, #chain>>::It),
            false => quote_spanned!(self.span=> <#node as #rt::Joins<#lifetime, #chain>>::Held<#position>),
        }
    }

    /// The same, where it is no matter for which chain.
    pub(crate) fn value(&self, node: &TokenStream) -> TokenStream {
        let (lifetime, chain) = (quote_spanned!(self.span=> '_), quote_spanned!(self.span=> ()));
        self.value_in(node, &lifetime, &chain, 0)
    }
}
