//! The way out.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::direct;
use super::enter::{called, watched};
use super::scope::with_fields;
use crate::names;
use crate::plan::{Plan, Step};

pub(super) fn exit(plan: &Plan<'_>, at: usize) -> TokenStream {
    let chain = plan.chain;
    let Step { node, span, has_hooks, told, .. } = &plan.steps[at];
    if !has_hooks {
        return watched(chain, "passed", &quote!(#at)).unwrap_or_default();
    }
    if let Some(hooks) = told.as_ref().and_then(|told| told.hooks.as_ref()) {
        return direct::exit(plan, at, hooks).unwrap_or_default();
    }
    let rt = &names::alias(*span);
    let itself = with_fields(plan, at);
    let hook = quote_spanned!(*span=> <#node as #rt::Signature<'_>>::FACTS.exit);
    // For a node without `exit` this cannot return, so rustc drops the code after it, and the scope with it.
    let way = quote_spanned!(*span=> <<#node as #rt::Cancel<'_, #itself>>::WayOut as #rt::node::way_out::WayOut>::go());
    let call = called(plan, at, "exit", &quote!(#hook.suspends()));
    let [leaving, left, passed] = ["leave", "left", "passed"].map(|what| watched(chain, what, &quote!(#at)));
    let otherwise = passed.map(|passed| quote!(else { #passed }));
    quote! {
        if #hook.is_present() {
            let _ = #way;
            #leaving
            #call
            #left
        } #otherwise
    }
}
