//! The checks that use `NODES`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::super::run::returns;
use super::super::{chain_arguments, scope_arguments, scope_generics};
use super::opaque::opaque;
use super::shows::{breaks_show, is_a_reply, is_anything, may_end, may_reply, replies, reply_outside, shows, shows_of};
use super::{outside, told};
use crate::ast::Form;
use crate::names;
use crate::plan::{Condition, Plan, Role, Step};
use crate::types;

/// The requirements of the attributes before a node, at the attributes. What a function's known signature does not
/// meet is reported already, by `check::told`.
pub(super) fn features(plan: &Plan<'_>, at: usize) -> TokenStream {
    let step = &plan.steps[at];
    let Step { name, .. } = step;
    let of = |span: proc_macro2::Span, what: &str| {
        let (rt, function) = (names::alias(span), syn::Ident::new(what, span));
        quote_spanned!(span=> #rt::check::#function();)
    };
    let timeout = step.timeout.as_ref().map(|(span, _)| {
        let needs = of(*span, "needs_a_timer");
        let is_late = step.told.is_none().then(|| {
            let (rt, node) = (names::alias(*span), outside(plan, step));
            quote_spanned!(*span=> #rt::check::can_be_late(#name, &<#node as #rt::Signature<'_>>::FACTS);)
        });
        quote!(#needs #is_late)
    });
    let open = step.open.as_ref().filter(|_| step.told.is_none()).map(|open| {
        let rt = names::alias(open.span);
        let (node, late) = (outside(plan, step), step.timeout.is_some());
        quote_spanned!(open.span=> #rt::check::can_break(#name, &<#node as #rt::Signature<'_>>::FACTS, #late);)
    });
    let conditions = step.conditions.iter().map(condition_features);
    quote!(#timeout #open #(#conditions)*)
}

pub(super) fn condition_features(condition: &Condition) -> Option<TokenStream> {
    match condition {
        Condition::Sampled(span, _) => {
            let rt = names::alias(*span);
            Some(quote_spanned!(*span=> #rt::check::needs_chance();))
        }
        Condition::Held(..)
        | Condition::Split(..)
        | Condition::Asked(_)
        | Condition::Toggled(..)
        | Condition::Kept(_) => None,
    }
}

/// That no function breaks with `()` under another name, where that would be a reply.
fn breaks_told(plan: &Plan<'_>) -> Option<TokenStream> {
    let chain = plan.chain;
    let checks = plan.steps.iter().enumerate().filter_map(|(at, step)| {
        let told = step.told.as_ref().filter(|told| !told.breaks.is_empty() && told.breaks != "()")?;
        if plan.breaks_with_what_is_known(at) {
            return None;
        }
        let (name, span, node) = (&step.name, step.span, outside(plan, step));
        if types::mentions(&node, &chain.generics) {
            return None;
        }
        let kind = syn::Ident::new(told.kind.name(), span);
        let (rt, out) = (names::alias(span), returns(&node, span, told));
        // The check stands at the node, and so does its error.
        Some(quote_spanned!(span=> [(#rt::check::breaks_show) #name #kind #out]))
    });
    let checks: Vec<_> = checks.collect();
    let runtime = &chain.runtime;
    let reply = reply_outside(chain)?;
    (!checks.is_empty()).then(|| quote!(#runtime::__where_anything_replies! { [#reply] #(#checks)* }))
}

/// Whether a constant has to check anything about a node. For a function whose signature is known, there is little to
/// check.
fn is_checked(plan: &Plan<'_>, at: usize) -> bool {
    plan.has_scope || plan.takes() || !is_plain(plan, at) || told::hides(plan, at)
}

/// Whether nothing is said about a node but its name, so that its signature tells all that could be wrong with it.
fn is_plain(plan: &Plan<'_>, at: usize) -> bool {
    let step = &plan.steps[at];
    let is_odd = step.role != Role::Step || step.timeout.is_some() || step.cancel.is_some() || step.may_be_skipped();
    let breaks_with_nothing = step.told.as_ref().is_some_and(|told| told.breaks == "()");
    !is_odd && !breaks_with_nothing && may_end(plan, at).is_none()
}

/// Whether this is a plain function, called with what text has found, in a chain whose other nodes ask by type. Such a
/// node can take what the function needs. What the function provides may hide a break. All else is as in a chain of
/// functions.
fn is_plain_among_others(plan: &Plan<'_>, at: usize) -> bool {
    // What nobody asks for by name may be meant to be the reply.
    let may_be_the_reply = may_reply(plan, at).is_some();
    plan.has_scope
        && plan.wired(at).is_some()
        && is_plain(plan, at)
        && plan.gives_back(at).is_none()
        && !may_be_the_reply
}

/// A constant for each node, at its token, and one for the budget, at the budget's number.
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
        // On the way in this is a bound, which rustc can report earlier.
        let way_out =
            (!chain.run.is_async).then(|| quote_spanned!(span=> #rt::check::way_out_of_fn(#this::NODES, #position);));
        let step = &plan.steps[position];
        let function = (step.told.is_none() && !step.has_hooks && !matches!(step.role, Role::Around | Role::Predicate))
            .then(|| quote_spanned!(span=> #rt::check::function(#this::NODES, #position);));
        let provides = plan.levels[step.level].providers.contains(&position);
        // A function that takes what it provides, and cannot give it back.
        let cannot = matches!(plan.gives_back(position), Some(None));
        let provides =
            (provides || cannot).then(|| quote_spanned!(span=> #rt::check::provides(#this::NODES, #position);));
        let is_around = matches!(step.role, Role::Around);
        let decides = (provides.is_some() || is_around)
            .then(|| quote_spanned!(span=> #rt::check::decides(#this::CHAIN, #position);));
        let gives = plan.gives(position).map(|_| quote_spanned!(span=> #rt::check::gives(#this::NODES, #position);));
        let role = match step.role {
            Role::Step => quote_spanned! {span=>
                #rt::check::step(#this::NODES, #position);
                #rt::check::last(#this::CHAIN, #position);
                #provides
                #decides
                #gives
            },
            Role::Around => quote_spanned!(span=> #rt::check::around(#this::CHAIN, #position); #decides),
            Role::Predicate => quote_spanned!(span=> #rt::check::predicate(#this::NODES, #position);),
            Role::Scrutinee { .. } => quote_spanned!(span=> #rt::check::scrutinee(#this::NODES, #position);),
        };
        if is_plain_among_others(plan, position) {
            return quote_spanned!(span=> { #decides #gives if #takes { #rt::check::node(#this::CHAIN, #position, #takes); } });
        }
        let features = features(plan, position);
        let spawns = (chain.denies_spawn && step.told.is_none()).then(|| {
            let node = outside(plan, step);
            quote_spanned!(span=> let () = <#node as #rt::Signature<'_>>::SPAWNS;)
        });
        let behind =
            step.goes_behind(plan).then(|| quote_spanned!(span=> #rt::check::shed::behind(#this::CHAIN, #position);));
        let shows = shows_of(plan, position);
        let in_vain = may_reply(plan, position).map(|_| {
            let is_a_reply = is_a_reply(plan, position);
            quote_spanned!(span=> #rt::check::given_in_vain(#this::CHAIN, #position, #is_a_reply);)
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
    let breaks_told = breaks_told(plan);
    let replies = quote!(#replies #breaks_told);
    if plan.is_generic {
        // The results can depend on the parameters, so they are evaluated where `run` is used.
        let generics = scope_generics(chain);
        let (impl_generics, ty_generics, clause) = generics.split_for_impl();
        let checked = plan.steps.iter().enumerate().filter(|(at, _)| is_checked(plan, *at));
        let checks = checked.map(|(at, step)| nodes(&quote!(<#name #chain_ty>), step.span, at));
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
        // rustc says of a function which bound a type does not meet, and then looks for nothing in the scope. It has the
        // name of the chain, whose bounds these are.
        let in_scope = scope_arguments(chain, false);
        let checked = chain.checked_with.iter().map(|arguments| {
            let within = chain.budget.as_ref().map(|_| quote!(let () = <#name #chain_ty>::WITHIN_BUDGET;));
            let wired = plan.has_scope.then(|| quote!(let () = <#scope #in_scope>::WIRED;));
            quote! {
                const _: () = {
                    #[allow(non_snake_case)]
                    const fn #name #chain_generics () #chain_clause { #wired #within }
                    #name::<#(#arguments),*>()
                };
            }
        });
        if !plan.has_scope {
            return quote!(#shows #replies #(#checked)* #budget);
        }
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
    let checked = plan.steps.iter().enumerate().filter(|(at, _)| is_checked(plan, *at));
    // What is checked only if something is taken, is checked in one constant: each costs rustc something.
    let (together, apart): (Vec<_>, Vec<_>) =
        checked.partition(|(at, _)| is_plain_among_others(plan, *at) && !told::hides(plan, *at));
    let together: Vec<_> = together.into_iter().map(|(at, step)| nodes(&this, step.span, at)).collect();
    let together = (!together.is_empty()).then(|| quote!(const _: () = if #takes { #(#together)* };));
    let checks = apart.into_iter().map(|(at, step)| {
        let check = nodes(&this, step.span, at);
        let unnamed = names::unnamed(step.span);
        quote_spanned!(step.span=> const #unnamed: () = #check;)
    });
    let checks: Vec<_> = checks.chain(together).collect();
    let budget = budget(&this).map(|check| quote!(const _: () = #check;));
    let shows = shows(plan);
    if checks.is_empty() {
        return quote!(#shows #replies #budget);
    }
    quote! {
        #shows
        #replies
        const #takes: #rt::private::bool = #rt::check::takes(#this::NODES);
        const #anything: #rt::private::bool = #is_anything;
        #(#checks)*
        #budget
    }
}
