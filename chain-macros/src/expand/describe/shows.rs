//! Checks that replies and breaks are what the macro takes them for. The checks ask the types behind the names.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};

use super::outside;
use crate::ast::{Chain, Form};
use crate::handshake::{self, Told};
use crate::names;
use crate::plan::{Plan, Role, Step};
use crate::types;

/// Checks that the names of the types of inputs, fields and bindings show which of them are references.
pub(super) fn shows(plan: &Plan<'_>) -> TokenStream {
    let chain = plan.chain;
    let rt = &names::runtime_alias();
    let shows_as = |what: &str, name: &syn::Ident, ty: &syn::Type, named: Option<&syn::Ident>| {
        let ty = types::referent(ty);
        if !matches!(ty, syn::Type::Path(_)) || types::mentions(ty, &chain.generics) || plan.known.is_type(ty) {
            return None;
        }
        let span = syn::spanned::Spanned::span(ty);
        let (name, text) = (names::unraw(name), types::text(ty));
        let ty = named.map_or_else(|| types::anonymous(ty).into_token_stream(), ToTokens::to_token_stream);
        let rt = names::alias(span);
        Some(quote_spanned!(span=> #rt::check::shows(#what, #name, #text, #rt::private::Probe::<#ty>::SHOWS);))
    };
    let shows = |what: &str, name: &syn::Ident, ty: &syn::Type| shows_as(what, name, ty, None);
    let inputs = chain.run.inputs.iter().filter(|_| chain.form == Form::Item);
    let inputs: Vec<_> = inputs.filter_map(|input| shows("the input ", &input.name, &input.ty)).collect();
    let (imported, told) = (handshake::called_fields(chain), plan.told_fields());
    let fields = chain.fields.iter().enumerate().filter_map(|(index, field)| {
        // A type with hooks is no reference.
        if told.contains(&index) {
            return None;
        }
        let cfg = field.cfg();
        let ty = types::reloadable(&field.ty).unwrap_or(&field.ty);
        let is_named = imported.contains(&index) && names::field_type(chain, index).is_some();
        let named = is_named.then(|| handshake::imported_field(chain, index));
        let shows = shows_as("the field ", &field.name, ty, named.as_ref())?;
        Some(quote!(#(#cfg)* { #shows }))
    });
    let bindings = plan.bindings().filter_map(|(name, ty)| shows("the binding ", name, ty));
    let given = chain.run.body.items().into_iter().filter_map(|item| item.given.as_ref());
    let given = given.filter_map(|given| {
        let name = types::last_segment(&given.ty)?;
        shows("the block's ", &name.ident, &given.ty)
    });
    let (fields, bindings) = (fields.collect::<Vec<_>>(), bindings.chain(given).collect::<Vec<_>>());
    if inputs.is_empty() && fields.is_empty() && bindings.is_empty() {
        return TokenStream::new();
    }
    quote! {
        const _: () = {
            use #rt::private::Plainly as _;
            #(#inputs)* #(#fields)* #(#bindings)*
        };
    }
}

/// The same check for the value of a node whose type has arguments, since nothing asked about it where the node was
/// made. And a check that the node at the end of the chain gives a reply.
pub(super) fn shows_of(plan: &Plan<'_>, position: usize) -> Option<TokenStream> {
    let chain = plan.chain;
    let step = &plan.steps[position];
    let Step { name, span, level, has_arguments, .. } = step;
    if types::mentions(&step.node, &chain.generics) {
        return None;
    }
    let node = outside(plan, step);
    let rt = names::alias(*span);
    let level = &plan.levels[*level];
    let check = if level.providers.contains(&position) {
        let shows = (*has_arguments && step.told.is_none()).then(|| {
            let found = quote_spanned!(*span=> #rt::private::Probe::<<#node as #rt::Joins<'_, ()>>::As<0>>);
            let shows = quote_spanned!(*span=> [#found::IS_SHARED, #found::IS_MUTABLE]);
            let signature = quote_spanned!(*span=> <#node as #rt::Signature<'_>>);
            let (out, kind) = (
                quote_spanned!(*span=> #rt::private::Probe::<#signature::Out>),
                quote_spanned!(*span=> #rt::private::Probe::<#signature::Kind>),
            );
            let hides = quote_spanned!(*span=> #kind::IS_PLAIN && #rt::private::one_is([#out::IS_RESULT, #out::IS_CONTROL_FLOW]));
            quote_spanned! {*span=>
                #rt::check::shows_itself(#name, #rt::private::one_is(#shows));
                #rt::check::shows_a_break(#name, #signature::FACTS.gives(), #hides);
            }
        });
        shows?
    } else {
        may_end(plan, position)?;
        let (gives, anything) = (is_a_reply(plan, position), is_anything(chain, *span, "ENDS_WITH_ANYTHING")?);
        quote_spanned!(*span=> #rt::check::ends(#name, #gives, #anything);)
    };
    Some(quote_spanned! {*span=>
        use #rt::private::Plainly as _;
        #check
    })
}

/// The chain's reply, if the node at this position provides a value that could be meant to be the reply.
pub(super) fn may_reply(plan: &Plan<'_>, position: usize) -> Option<syn::Type> {
    let step = &plan.steps[position];
    if plan.by_name[position] {
        return None;
    }
    let is_step = step.role == Role::Step && !step.is_detached();
    let provides = plan.levels[step.level].providers.contains(&position);
    let may_reply = is_step && provides && !types::mentions(&step.node, &plan.chain.generics);
    may_reply.then(|| reply_outside(plan.chain)).flatten()
}

/// The same, if the reply is made of the node's value.
pub(super) fn may_end(plan: &Plan<'_>, position: usize) -> Option<syn::Type> {
    let step = &plan.steps[position];
    let level = &plan.levels[step.level];
    let ends = step.role == Role::Step && level.replies && plan.ends_its_row(position);
    if !ends || types::mentions(&step.node, &plan.chain.generics) {
        return None;
    }
    // A function whose signature says that it gives the reply does give it.
    let gives_it = |told: &Told| told.provides == types::text(&plan.chain.run.reply);
    if step.told.as_deref().is_some_and(gives_it) {
        return None;
    }
    reply_outside(plan.chain)
}

/// The static that holds the answer.
pub(super) fn is_a_reply(plan: &Plan<'_>, position: usize) -> syn::Ident {
    names::static_of(&format!("Reply{position}"), &plan.chain.name)
}

/// The statics for those nodes. They are not part of the constants that check: for a node that does not exist, rustc
/// says in a constant that it might be a parameter, and so would report the same once more.
pub(super) fn replies(plan: &Plan<'_>) -> TokenStream {
    let replies = plan.steps.iter().enumerate().filter_map(|(position, step)| {
        let (reply, end) = (may_reply(plan, position), may_end(plan, position));
        if reply.is_none() && end.is_none() {
            return None;
        }
        let (span, name) = (step.span, is_a_reply(plan, position));
        let rt = names::alias(span);
        let node = outside(plan, step);
        let gives = match &step.told {
            None => read_of(&node, span, "Gives"),
            Some(told) if told.provides.is_empty() => quote!(()),
            Some(_) => step.value(&node),
        };
        let (ty, asked) = match (reply, end) {
            (Some(reply), _) => {
                let two = quote_spanned!(span=> #rt::private::Probe::<(#gives, #reply)>);
                let reply = quote_spanned!(span=> [#two::IS_THE_REPLY, #two::IS_ITS_VALUE, #two::IS_A_REPLY]);
                let value = quote_spanned!(span=> #rt::private::Probe::<#gives>);
                // What a function gives of the types that the chain names is no answer of its own: `take::<Job>`.
                let is_of_the_chain = step.field.is_none() && step.told.is_none() && step.has_arguments;
                let is_an_option = match is_of_the_chain {
                    true => quote_spanned!(span=> false),
                    false => quote_spanned!(span=> #value::IS_AN_OPTION),
                };
                let answer = quote_spanned!(span=> [#value::IS_A_BOOL, #is_an_option]);
                (quote!(#rt::private::Meant), quote_spanned!(span=> #rt::private::meant(#reply, #answer)))
            }
            (None, Some(_)) => {
                (quote!(#rt::private::bool), quote_spanned!(span=> #rt::private::Probe::<#gives>::IS_NOTHING))
            }
            (None, None) => return None,
        };
        Some(quote!(static #name: #ty = { use #rt::private::Plainly as _; #asked };))
    });
    replies.collect()
}

/// `node::Gives` of a node, or `Breaks`.
pub(super) fn read_of(node: &TokenStream, span: proc_macro2::Span, what: &str) -> TokenStream {
    let (rt, what) = (names::alias(span), syn::Ident::new(what, span));
    let signature = quote_spanned!(span=> <#node as #rt::Signature<'_>>);
    quote_spanned!(span=> <#signature::Kind as #rt::flow::Reads<#signature::Out>>::#what)
}

/// Checks that a node whose type has arguments does not break with a `()`.
pub(super) fn breaks_show(plan: &Plan<'_>, step: &Step, anything: &syn::Ident) -> Option<TokenStream> {
    let Step { name, span, has_arguments, .. } = step;
    if !has_arguments || types::mentions(&step.node, &plan.chain.generics) {
        return None;
    }
    let (breaks, rt) = (read_of(&outside(plan, step), *span, "Breaks"), names::alias(*span));
    Some(quote_spanned! {*span=> {
        use #rt::private::Plainly as _;
        #rt::check::breaks_show(#name, #rt::private::Probe::<#breaks>::IS_NOTHING, #anything);
    }})
}

/// Whether every value that can be converted can become the reply. `None` if the reply depends on a type parameter, or
/// is `()`.
pub(super) fn is_anything(chain: &Chain, span: proc_macro2::Span, how: &str) -> Option<TokenStream> {
    let reply = reply_outside(chain)?;
    let (rt, how) = (names::alias(span), syn::Ident::new(how, span));
    Some(quote_spanned!(span=> #rt::private::Probe::<#reply>::#how))
}

/// The reply's type, for a place where the chain's own lifetimes are not declared. `None` if it depends on a type
/// parameter, or is `()`.
pub(super) fn reply_outside(chain: &Chain) -> Option<syn::Type> {
    let reply = &chain.run.reply;
    let is_known = chain.form == Form::Item && !types::mentions(reply, &chain.generics) && !types::is_unit(reply);
    is_known.then(|| types::anonymous(reply))
}
