//! What a chain has beside `run`, for code that mentions it elsewhere.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Ident;

use super::super::embed;
use crate::ast::Chain;
use crate::names;

/// The constants and functions of a chain. Go to definition on one of them leads to `shown`.
pub(super) fn public(chain: &Chain, rt: &TokenStream, at: Span, shown: Span) -> TokenStream {
    let name = |name: &str| Ident::new(name, shown);
    let vis = names::shown_at(
        {
            let vis = &chain.vis;
            quote!(#vis)
        },
        at,
    );
    let (future_size, node_sizes) = (name("future_size"), name("node_sizes"));
    let sizes = chain.run.is_async.then(|| {
        quote_spanned! {at=>
            /// How many bytes the future of `run` takes.
            #vis const fn #future_size() -> usize { 0 }
            /// How many bytes the future of each node takes.
            #vis const fn #node_sizes() -> [usize; 0] { [] }
        }
    });
    let toggles = chain.switches().map(|_| {
        let toggles = name("toggles");
        quote_spanned! {at=>
            /// The toggles of this chain, to be read and set by name. A request sees them as they were when it began.
            #vis const fn #toggles(&self) -> #rt::toggle::Switches<'_> { loop {} }
        }
    });
    let sheds = chain.shedding().map(|_| {
        let sheds = name("sheds");
        quote_spanned! {at=>
            /// What this chain sheds under pressure, to be read and set by name. A request sees it as it was when it
            /// began.
            #vis const fn #sheds(&self) -> #rt::shed::Sheds<'_> { loop {} }
        }
    });
    let (nodes, described, drawing) = (name("NODES"), name("CHAIN"), name("drawing"));
    quote_spanned! {at=>
        /// The nodes of this chain, in order, with what each needs and provides.
        #vis const #nodes: &'static [#rt::NodeInfo] = Self::CHAIN.nodes;
        /// This chain, described.
        #vis const #described: &'static #rt::describe::ChainInfo = loop {};
        /// A drawing of this chain: print it, or its `.mermaid()`.
        #vis const fn #drawing() -> #rt::Drawing { #rt::Drawing::of(Self::CHAIN) }
        #sizes
        #toggles
        #sheds
    }
}

/// The impls of `Chain`, `ChainOver` and `Observed`.
pub(super) fn embedded(chain: &Chain, runtime: &TokenStream, at: Span) -> TokenStream {
    let (rt, name) = (names::runtime_alias(), &chain.name);
    let (generics, arguments, clause) = chain.generics.split_for_impl();
    let embedded = embed::embedded(chain);
    let observed = (!chain.observers.is_empty()).then(|| {
        quote! {
            impl #generics #rt::observe::Observed for #name #arguments #clause {
                const CHAIN: &'static #rt::describe::ChainInfo = Self::CHAIN;
            }
        }
    });
    let hushed = names::hushed();
    names::shown_at(
        quote! {
            #hushed
            const _: () = {
                use #runtime as #rt;
                #embedded
                #observed
            };
        },
        at,
    )
}
