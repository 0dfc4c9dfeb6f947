//! Emits `Cancel`: what happens to a node when its request dies.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use super::super::signature::{Node, Role};
use crate::names;

impl Node {
    pub(in crate::node) fn cancel(&self, rt: &TokenStream) -> TokenStream {
        let ty = &self.ty;
        let run = names::run_lifetime();
        let chain = Ident::new("ChainItself", Span::mixed_site());
        let way_out = match &self.exit {
            Some(exit) if exit.is_async => quote!(Awaited),
            Some(_) => quote!(Open),
            None => quote!(Absent),
        };
        let Some(hook) = &self.cancelled else {
            let generics = self.generics(&[quote!(#run)], &[quote!(#chain: #run)]);
            let clause = self.where_clause(&[self.outlives(), vec![quote!(Self: #run)]].concat());
            return quote! {
                #[automatically_derived]
                impl #generics #rt::Cancel<#run, #chain> for #ty #clause {
                    type WayOut = #rt::node::way_out::#way_out;
                    type Held<const CHAIN_POSITION: usize> = #rt::held::Bare<Self::Key<CHAIN_POSITION>>;
                    type MaybeHeld<const CHAIN_POSITION: usize> = #rt::held::Bare<#rt::private::Option<Self::Key<CHAIN_POSITION>>>;
                }
            };
        };
        let fields = hook.parameters.iter().filter(|parameter| parameter.role == Role::Scope);
        let mut bounds: Vec<_> = fields
            .map(|parameter| {
                let ty = self.asked(rt, parameter);
                names::path_at(quote!(#chain: #rt::scope::FieldOf<#ty, Self>), parameter.span)
            })
            .collect();
        bounds.extend(self.outlives());
        bounds.push(quote!(Self: #run));
        let generics = self.generics(&[quote!(#run)], &[quote!(#chain: #run)]);
        let clause = self.where_clause(&bounds);
        let arguments = hook.parameters.iter().map(|parameter| match parameter.role {
            Role::Own if parameter.behind > 0 => {
                let (before, ty) = (parameter.references(), self.in_run_of(parameter));
                quote!(#before #rt::private::shared::<#ty>(value))
            }
            Role::Own => quote!(value),
            _ => {
                let (before, ty) = (parameter.references(), self.in_run_of(parameter));
                quote!(#before #rt::scope::FieldOf::<#ty, Self>::field(chain))
            }
        });
        let call = self.called(hook, "cancelled");
        let header = quote!(impl #generics #rt::Cancel<#run, #chain> for #ty);
        let items = quote! {
            type WayOut = #rt::node::way_out::#way_out;
            type Held<const CHAIN_POSITION: usize> = #rt::held::Guard<#run, Self, #chain, CHAIN_POSITION>;
            type MaybeHeld<const CHAIN_POSITION: usize> = #rt::held::MaybeGuard<#run, Self, #chain, CHAIN_POSITION>;
        };
        let cancel = names::impl_at(header, &clause, items, self.span);
        let arguments: Vec<_> = arguments.collect();
        // The value of a node whose hook does not ask for it may be taken by a later node.
        let lends = hook.parameters.iter().any(|parameter| parameter.role == Role::Own);
        let without = (!lends).then(|| {
            quote! {
                fn on_cancel_of<const CHAIN_POSITION: usize>(&#run self, value: &mut #rt::private::Option<Self::Key<CHAIN_POSITION>>, chain: &#run #chain) {
                    #call(self, #(#arguments),*)
                }
            }
        });
        quote! {
            #cancel
            #[automatically_derived]
            impl #generics #rt::OnCancel<#run, #chain> for #ty #clause {
                fn on_cancel<const CHAIN_POSITION: usize>(&#run self, value: &mut Self::Key<CHAIN_POSITION>, chain: &#run #chain) {
                    #call(self, #(#arguments),*)
                }
                #without
            }
        }
    }
}
