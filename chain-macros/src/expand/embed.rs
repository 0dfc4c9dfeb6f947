//! The view of this chain for code that is generic over chains.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Type;

use super::observed_generics;
use crate::ast::{Chain, Form};
use crate::names;
use crate::types;

/// An impl of `Chain`, or of `ChainOver` if the chain has one input by `&mut`. There is none if it borrows anything
/// else: a future that owns all that it runs on cannot lend it.
pub(super) fn embedded(chain: &Chain) -> Option<TokenStream> {
    let rt = &names::runtime_alias();
    let name = &chain.name;
    let generics = observed_generics(chain);
    let (impl_generics, ty_generics, clause) = generics.split_for_impl();
    let own: Vec<_> = chain.generics.lifetimes().map(|parameter| parameter.lifetime.clone()).collect();
    let owns = |ty: &Type| types::same_text(ty, &types::with_lifetime_but(ty, &names::run_lifetime(), &own));
    let inputs: Vec<_> = chain.run.inputs.iter().map(|input| types::ungrouped(&input.ty)).collect();
    let is_lent = |ty: &Type| matches!(ty, Type::Reference(reference) if reference.mutability.is_some());
    let lent: Vec<_> = inputs.iter().filter(|ty| is_lent(ty)).collect();
    let owned: Vec<_> = inputs.iter().filter(|ty| !is_lent(ty)).collect();
    let mut target = quote!(#rt::Context);
    let over = match (chain.form, lent.as_slice()) {
        (Form::Short, _) => Some(quote!(#rt::Context)),
        (Form::Item, []) => None,
        (Form::Item, [Type::Reference(reference)]) if owns(&reference.elem) => {
            let elem = &reference.elem;
            target = chain.with_hidden(elem, &syn::Lifetime::new("'static", proc_macro2::Span::mixed_site()));
            Some(quote!(#elem))
        }
        _ => return None,
    };
    let (owned, reply) = match chain.form {
        Form::Short => (Vec::new(), quote!(#rt::Ending)),
        Form::Item if owned.iter().all(|ty| owns(ty)) && owns(&chain.run.reply) => {
            let reply = &chain.run.reply;
            // The reply could not be read.
            let reply = if types::is_never(reply) { quote!(#rt::private::NoReply) } else { quote!(#reply) };
            (owned, reply)
        }
        Form::Item => return None,
    };
    let awaited = chain.run.is_async.then(|| quote!(.await));
    let (handle, context_ty) = (names::single("ChainHandle"), names::single("ChainContext"));
    let (itself, context) = (names::single("chain"), names::single("context"));
    let local = |index| names::local("input", index);
    let taken = inputs
        .iter()
        .enumerate()
        .filter(|(_, ty)| chain.form == Form::Item && !is_lent(ty))
        .map(|(index, _)| local(index));
    let given = inputs.iter().enumerate().map(|(index, ty)| match chain.form == Form::Short || is_lent(ty) {
        true => quote!(&mut *#context),
        false => {
            let local = local(index);
            quote!(#local)
        }
    });
    let held = quote!(#handle: #rt::private::Deref<Target = Self>);
    let inputs = quote!((#(#taken,)*): (#(#owned,)*));
    let call = quote!(#itself.run(#(#given),*) #awaited);
    Some(match over {
        None => quote! {
            impl #impl_generics #rt::Chain<(#(#owned,)*), #reply> for #name #ty_generics #clause {
                #[inline]
                async fn run_owned<#held>(#itself: #handle, #inputs) -> #reply {
                    #call
                }
            }
        },
        Some(over) => quote! {
            impl #impl_generics #rt::ChainOver<#over, (#(#owned,)*), #reply> for #name #ty_generics #clause {
                #[inline]
                async fn run_owned<#held, #context_ty: #rt::private::DerefMut<Target = #target>>(
                    #itself: #handle,
                    mut #context: #context_ty,
                    #inputs,
                ) -> (#reply, #context_ty) {
                    (#call, #context)
                }
            }
        },
    })
}
