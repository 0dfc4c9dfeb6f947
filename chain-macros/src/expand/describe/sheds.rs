//! What a chain sheds: its description, the method that gives access to it, and its checks.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Ident;

use crate::ast::{Chain, How, Share};
use crate::names;
use crate::plan::{Plan, Shed, ShedOf};

/// The description of an item.
pub(super) fn info(shed: &Shed<'_>) -> TokenStream {
    let rt = names::runtime_alias();
    let name = &shed.declared.name;
    let level = names::level(shed.declared.level);
    let how = match shed.declared.how {
        How::Skipped => quote!(Skipped),
        How::Sampled(_, Share { part, whole }) => quote!(Sampled { part: #part, whole: #whole }),
        How::Behind(_) => quote!(Behind),
    };
    let of = match shed.of {
        ShedOf::Node(position) => quote!(Node(#position)),
        ShedOf::Block(block) => quote!(Block(#block)),
    };
    quote! {
        #rt::shed::ShedInfo {
            name: #name,
            from: #rt::shed::Level::#level,
            how: #rt::shed::How::#how,
            of: #rt::shed::Of::#of,
        }
    }
}

/// The method that gives access to what the chain sheds.
pub(super) fn handle(plan: &Plan<'_>) -> Option<TokenStream> {
    let chain = plan.chain;
    let shedding = super::super::shedding(chain)?;
    // A field that is found by its type is reached through a trait.
    let is_const = chain.shedding().map(|_| quote!(const));
    let (rt, vis, this) = (&names::runtime_alias(), &chain.vis, &chain.run.locals.this);
    Some(quote! {
        /// What this chain sheds under pressure, to be read and set by name. A request sees it as it was when it began.
        #vis #is_const fn sheds(&#this) -> #rt::shed::Sheds<'_> {
            #rt::shed::Sheds::new(#shedding, Self::CHAIN.sheds)
        }
    })
}

/// Checks that one of the fields knows the chain's level, and that one has a queue, if the name of none says so.
pub(super) fn places(chain: &Chain) -> TokenStream {
    let sheds = chain.run.body.sheds();
    let level = sheds.first().filter(|_| chain.shedding().is_none());
    let level = level.map(|first| {
        let check = quote_spanned!(first.span=> shed::place);
        super::one_of(&chain.may_have_it(), "IS_SHEDDING", first.span, &check, &first.name)
    });
    let first_behind = sheds.iter().find_map(|shed| match shed.how {
        How::Behind(span) => Some((span, &shed.name)),
        _ => None,
    });
    let queue = first_behind.map(|(span, name)| {
        let check = quote_spanned!(span=> shed::queue);
        super::one_of(&chain.may_be_tasks(), "IS_TASKS", span, &check, name)
    });
    quote!(#level #queue)
}

/// Checks that there are not too many, and that what they need is there.
pub(super) fn checks(plan: &Plan<'_>) -> TokenStream {
    let checks = plan.sheds.iter().enumerate().map(|(index, shed)| {
        let span = shed.declared.span;
        let rt = names::alias(span);
        let unnamed = names::unnamed(span);
        let fits = quote_spanned!(span=> const #unnamed: () = #rt::check::shed::fits(#index););
        let needs = match shed.declared.how {
            How::Skipped => None,
            How::Sampled(span, _) => Some((span, "needs_chance")),
            How::Behind(span) => Some((span, "needs_tasks")),
        };
        let needs = needs.map(|(span, what)| {
            let (rt, what) = (names::alias(span), Ident::new(what, span));
            quote_spanned!(span=> const #unnamed: () = #rt::check::shed::#what();)
        });
        quote!(#fits #needs)
    });
    checks.collect()
}
