//! Emits `Around`: how a node wraps a block.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::GenericParam;

use super::super::flow::FlowKind;
use super::super::signature::{Again, Around, Node, block_output};
use super::hidden;
use crate::names;
use crate::types;

impl Around {
    /// `impl Around for ..`
    pub(in crate::node) fn expand(&self, node: &Node, rt: &TokenStream) -> TokenStream {
        let ty = &node.ty;
        let run = names::run_lifetime();
        let (output, block) = (block_output(), names::single("ChainsOwnBlock"));
        let (reply, mut parameters, bounds) = match (&self.again, &self.output) {
            (Some(again), _) => {
                let reply = types::with_lifetime(&again.reply, &run).to_token_stream();
                (reply, again.parameter.iter().map(ToTokens::to_token_stream).collect(), again.bounds.clone())
            }
            (None, Some(output)) => (quote!(#output), Vec::new(), Vec::new()),
            (None, None) => {
                let reply = names::single("ChainsOwnReply");
                (reply.to_token_stream(), vec![reply.to_token_stream()], Vec::new())
            }
        };
        let of = match &self.output {
            Some(output) => quote!(#output),
            None => {
                parameters.push(output.to_token_stream());
                output.to_token_stream()
            }
        };
        let generics = node.generics(&[quote!(#run)], &parameters);
        let clause = node.where_clause(&[node.outlives(), bounds].concat());
        let out = &self.out;
        let kind = match (&self.kind, &self.gives_up) {
            (FlowKind::Result, Some(_)) => quote!(Fails),
            (FlowKind::Result, None) => quote!(NeverFails),
            _ => quote!(Gives),
        };
        let gives_up = self.gives_up.clone().unwrap_or_else(|| quote!(#rt::Never));
        let lent = self.takes_entered.then(|| quote!(entered,));
        let call = match self.is_stub {
            true => quote!(#rt::private::pending()),
            false => quote!(Self::around(self, #lent block)),
        };
        let never = quote! {
            #[inline(always)]
            fn again(&#run self, attempt: u32, reply: &#reply) -> #rt::private::Option<#rt::NeverSuspends<()>> { #rt::private::None }
            #[inline(always)]
            fn pause<ChainPause: #rt::private::Future<Output = ()>>(_: ChainPause) -> #rt::NeverSuspends<()> { #rt::private::never_called() }
        };
        let (again_hook, again) = match &self.again {
            None => (quote!(Absent), never),
            Some(Again { pauses: true, .. }) => {
                // It captures the types and the node, and not the reply.
                let own = node.generics.params.iter().map(|parameter| match parameter {
                    GenericParam::Lifetime(parameter) => parameter.lifetime.to_token_stream(),
                    GenericParam::Type(parameter) => parameter.ident.to_token_stream(),
                    GenericParam::Const(parameter) => parameter.ident.to_token_stream(),
                });
                let captured = quote!(use<#run, #(#own,)* #(#parameters),*>);
                let again = quote! {
                    #[inline(always)]
                    fn again(
                        &#run self,
                        attempt: u32,
                        reply: &#reply,
                    ) -> #rt::private::Option<impl #rt::private::Future<Output = ()> + #captured> {
                        Self::again(self, attempt, reply)
                    }
                };
                (quote!(Suspends), again)
            }
            Some(_) => {
                let again = quote! {
                    #never
                    #[inline(always)]
                    fn again_now(&#run self, attempt: u32, reply: &#reply) -> bool { Self::again(self, attempt, reply) }
                };
                (quote!(Now), again)
            }
        };
        let hidden = hidden(rt);
        let header = quote!(#hidden impl #generics #rt::Around<#run, #reply, #of> for #ty);
        let items = quote! {
            type Outcome = #out;
            type Kind = #rt::flow::kind::#kind;
            type GivesUp = #gives_up;
            const AGAIN: #rt::describe::Hook = #rt::describe::Hook::#again_hook;
            #[inline(always)]
            fn around<#block: #rt::private::Future<Output = #of>>(
                &#run self,
                entered: &mut #rt::node::Gives<#run, Self>,
                block: #rt::private::Pin<&mut #block>,
            ) -> impl #rt::private::Future<Output = Self::Outcome> {
                #call
            }
            #again
        };
        names::impl_at(header, &clause, items, node.span)
    }
}
