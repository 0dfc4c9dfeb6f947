//! The checks that stand on `NODES`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::super::{chain_arguments, scope_generics};
use super::shows::{breaks_show, is_a_reply, is_anything, may_reply, replies, shows, shows_of};
use super::{opaque, outside};
use crate::ast::Form;
use crate::names;
use crate::plan::{Condition, Plan, Role, Step};

/// What the attributes before a node ask for, at the attributes.
pub(super) fn features(plan: &Plan<'_>, step: &Step) -> TokenStream {
    let Step { name, .. } = step;
    let of = |span: proc_macro2::Span, what: &str| {
        let (rt, function) = (names::alias(span), syn::Ident::new(what, span));
        quote_spanned!(span=> #rt::check::#function();)
    };
    let timeout = step.timeout.as_ref().map(|(span, _)| {
        let rt = names::alias(*span);
        let node = outside(plan, step);
        let needs = of(*span, "needs_a_timer");
        quote_spanned!(*span=> #needs #rt::check::can_be_late(#name, &<#node as #rt::Signature<'_>>::FACTS);)
    });
    let cancel = step.cancel.as_ref().map(|(span, _)| of(*span, "needs_a_spawner"));
    let conditions = step.conditions.iter().map(condition_features);
    quote!(#timeout #cancel #(#conditions)*)
}

pub(super) fn condition_features(condition: &Condition) -> Option<TokenStream> {
    match condition {
        Condition::Sampled(span, _) => {
            let rt = names::alias(*span);
            Some(quote_spanned!(*span=> #rt::check::needs_chance();))
        }
        Condition::Split(..) | Condition::Asked(_) | Condition::Toggled(..) | Condition::Kept(_) => None,
    }
}

/// A constant for each node, at its token, and one for the budget, at its number.
pub(super) fn checks(plan: &Plan<'_>) -> TokenStream {
    let chain = plan.chain;
    let scope = &plan.levels[0].scope;
    let name = &chain.name;
    let (_, chain_ty, _) = chain.generics.split_for_impl();
    let rt = &names::runtime_alias();
    let takes = names::static_of("Takes", name);
    let anything = names::static_of("IsAnything", name);
    let is_anything = match chain.form {
        Form::Item => is_anything(chain, name.span(), "IS_ANYTHING"),
        Form::Short => None,
    };
    let is_anything = match is_anything {
        Some(is_anything) => quote!({ use #rt::private::Plainly as _; #is_anything }),
        None => quote!(false),
    };
    let nodes = |this: &TokenStream, span: proc_macro2::Span, position: usize| {
        let rt = names::alias(span);
        // That of the way in is a bound: rustc can say it earlier.
        let way_out =
            (!chain.run.is_async).then(|| quote_spanned!(span=> #rt::check::way_out_of_fn(#this::NODES, #position);));
        let step = &plan.steps[position];
        let function = (!step.has_hooks && !matches!(step.role, Role::Around | Role::Predicate))
            .then(|| quote_spanned!(span=> #rt::check::function(#this::NODES, #position);));
        let provides = plan.levels[step.level].providers.contains(&position);
        let provides = provides.then(|| quote_spanned!(span=> #rt::check::provides(#this::NODES, #position);));
        let is_around = matches!(step.role, Role::Around);
        let decides = (provides.is_some() || is_around)
            .then(|| quote_spanned!(span=> #rt::check::decides(#this::CHAIN, #position);));
        let role = match step.role {
            Role::Step => quote_spanned! {span=>
                #rt::check::step(#this::NODES, #position);
                #rt::check::last(#this::CHAIN, #position);
                #provides
                #decides
            },
            Role::Around => quote_spanned!(span=> #rt::check::around(#this::CHAIN, #position); #decides),
            Role::Predicate => quote_spanned!(span=> #rt::check::predicate(#this::NODES, #position);),
            Role::Scrutinee { .. } => quote_spanned!(span=> #rt::check::scrutinee(#this::NODES, #position);),
        };
        let features = features(plan, step);
        let spawns = chain.denies_spawn.then(|| {
            let node = outside(plan, step);
            quote_spanned!(span=> let () = <#node as #rt::Signature<'_>>::SPAWNS;)
        });
        let behind =
            step.goes_behind(plan).then(|| quote_spanned!(span=> #rt::check::shed::behind(#this::CHAIN, #position);));
        let shows = shows_of(plan, position);
        let in_vain = may_reply(plan, position).map(|_| {
            let is_a_reply = is_a_reply(plan, position);
            quote_spanned!(span=> #rt::check::replies_in_vain(#this::CHAIN, #position, #is_a_reply);)
        });
        let breaks = quote_spanned!(span=> #rt::check::breaks(#this::NODES, #position, #anything););
        let breaks_show = breaks_show(plan, step, &anything);
        quote_spanned!(span=> { #behind #shows #rt::check::node(#this::CHAIN, #position, #takes); #in_vain #breaks #breaks_show #way_out #function #role #features #spawns })
    };
    let budget = |this: &TokenStream| {
        let limit = chain.budget.as_ref()?;
        let text = names::unraw(name);
        let span = limit.span();
        let rt = names::alias(span);
        Some(quote_spanned! {span=>
            #rt::check::budget(#text, #this::NODES, &#this::node_sizes(), #this::future_size(), #limit)
        })
    };
    let replies = replies(plan);
    if plan.is_generic {
        // What these say can depend on the parameters: they are evaluated where `run` is used.
        let generics = scope_generics(chain);
        let (impl_generics, ty_generics, clause) = generics.split_for_impl();
        let checks = plan.steps.iter().enumerate().map(|(at, step)| nodes(&quote!(<#name #chain_ty>), step.span, at));
        let (chain_generics, chain_ty, chain_clause) = chain.generics.split_for_impl();
        let budget = budget(&quote!(Self)).map(|check| {
            let doc = "Evaluated by rustc for each chain that is built from this one.";
            quote! {
                impl #chain_generics #name #chain_ty #chain_clause {
                    #[doc = #doc]
                    const WITHIN_BUDGET: () = #check;
                }
            }
        });
        let shows = shows(plan);
        let checked = chain.checked_with.iter().map(|arguments| {
            let lifetimes: Vec<_> = chain.generics.lifetimes().map(|_| quote!('_)).collect();
            let this = quote!(#name<#(#lifetimes,)* #(#arguments),*>);
            let within = chain.budget.as_ref().map(|_| quote!(<#this>::WITHIN_BUDGET));
            quote! {
                const _: () = { <#scope<'_, '_, #(#lifetimes,)* #(#arguments),*>>::WIRED; #within };
            }
        });
        let opaque = opaque(plan);
        return quote! {
            #shows
            #replies
            #(#checked)*
            #opaque
            impl #impl_generics #scope #ty_generics #clause {
                const WIRED: () = {
                    let #takes = #rt::check::takes(<#name #chain_ty>::NODES);
                    let #anything = #is_anything;
                    #(#checks;)*
                };
            }
            #budget
        };
    }
    let chain_arguments = chain_arguments(chain, false);
    let this = quote!(<#name <#(#chain_arguments),*>>);
    let checks = plan.steps.iter().enumerate().map(|(at, step)| {
        let check = nodes(&this, step.span, at);
        quote_spanned!(step.span=> const _: () = #check;)
    });
    let budget = budget(&this).map(|check| quote!(const _: () = #check;));
    let shows = shows(plan);
    quote! {
        #shows
        #replies
        const #takes: #rt::private::bool = #rt::check::takes(#this::NODES);
        const #anything: #rt::private::bool = #is_anything;
        #(#checks)*
        #budget
    }
}
