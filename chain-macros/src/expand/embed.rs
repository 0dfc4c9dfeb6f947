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
    let run = &names::run_lifetime();
    let over = match (chain.form, lent.as_slice()) {
        (Form::Short, _) => Some(quote!(#rt::Context)),
        (Form::Item, []) => None,
        (Form::Item, [Type::Reference(reference)]) if owns(&reference.elem) => {
            let elem = &reference.elem;
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
    let (itself, over_it) = (names::single("chain"), names::single("over"));
    let local = |index| names::local("input", index);
    let taken = inputs
        .iter()
        .enumerate()
        .filter(|(_, ty)| chain.form == Form::Item && !is_lent(ty))
        .map(|(index, _)| local(index));
    let given = inputs.iter().enumerate().map(|(index, ty)| match chain.form == Form::Short || is_lent(ty) {
        true => quote!(#over_it),
        false => {
            let local = local(index);
            quote!(#local)
        }
    });
    let inputs = quote!((#(#taken,)*): (#(#owned,)*));
    let call = quote!(#itself.run(#(#given),*));
    // The runtime's traits have the `async fn` that owns what the run borrows: rustc checks it once, and not for each
    // chain.
    let call = match (chain.run.is_async, types::is_never(&chain.run.reply)) {
        (true, false) => call,
        (false, false) => quote!(#rt::private::ready(#call)),
        // Only an expression of that type becomes the reply that cannot be made.
        (true, true) => quote!(async move { #call.await }),
        (false, true) => quote!(async move { #call }),
    };
    let (of, over) = match over {
        None => (quote!(#rt::Chain<(#(#owned,)*), #reply>), None),
        Some(over) => {
            let of = quote!(#rt::ChainOver<#over, (#(#owned,)*), #reply>);
            (of, Some(quote!(#over_it: &#run mut #over,)))
        }
    };
    Some(quote! {
        impl #impl_generics #of for #name #ty_generics #clause {
            #[inline]
            fn run_lent<#run>(&#run self, #over #inputs) -> impl #rt::private::Future<Output = #reply> {
                let #itself = self;
                #call
            }
        }
    })
}
