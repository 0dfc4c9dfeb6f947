//! What a scope provides: an impl of `Provides` for each thing in it.

use proc_macro2::TokenStream;
use quote::quote;

use super::super::{scope_generics, twice};
use crate::names;
use crate::plan::{By, Level, Plan, Slot, SlotKind};
use crate::types;

/// `impl Provides<'run, 'call, T> for Scope`
fn slot_for(
    plan: &Plan<'_>,
    level: &Level,
    ty: &TokenStream,
    from: &TokenStream,
    place_ty: &TokenStream,
    place: &TokenStream,
    span: proc_macro2::Span,
) -> TokenStream {
    let rt = &names::runtime_alias();
    let scope = &level.scope;
    let (run, call) = (names::run_lifetime(), names::call_lifetime());
    let generics = scope_generics(plan.chain);
    let (impl_generics, ty_generics, clause) = generics.split_for_impl();
    // A second provider is reported at both impls, and these stand at the tokens of the two providers.
    let provides = quote! {
        #[automatically_derived]
        impl #impl_generics #rt::scope::Provides<#run, #call, #ty> for #scope #ty_generics #clause {
            const FROM: #rt::describe::Source = #from;
            type Place = #place_ty;
            #[inline(always)]
            fn place(&mut self) -> #place_ty { #place }
        }
    };
    names::items_as_if_at(provides, span)
}

pub(super) fn slot_impl(plan: &Plan<'_>, level: &Level, slot: &Slot) -> TokenStream {
    let rt = &names::runtime_alias();
    let (run, call) = (names::run_lifetime(), names::call_lifetime());
    let Slot { ty, name, index, position, member, span, .. } = slot;
    let kind = match slot.kind {
        SlotKind::Field | SlotKind::Version => quote!(Field),
        SlotKind::Provided if slot.block.is_some() => quote!(Block),
        SlotKind::Provided => quote!(Node),
        SlotKind::Binding => quote!(Binding),
        _ => quote!(Input),
    };
    let from = source(rt, &kind, slot.block.unwrap_or(*position), name);
    let loan = level.loan_of(slot);
    let taken = quote!(#rt::private::taken(&mut self.#loan));
    let (place_ty, place) = match slot.kind {
        SlotKind::OwnedInput => (quote!(Owned<#call, #ty>), quote!(Owned(#taken))),
        SlotKind::SharedInput => (quote!(Shared<#run, #ty>), quote!(Shared(#taken))),
        SlotKind::BorrowedInput => (quote!(Borrowed<#call, #ty>), quote!(Borrowed(#taken))),
        SlotKind::Version => (quote!(Version<#call, #ty>), quote!(Version(#taken))),
        SlotKind::Binding if slot.by == By::Shared => (quote!(Shared<#run, #ty>), quote!(Shared(#taken))),
        SlotKind::Binding => {
            let way = slot.way();
            let lent = quote!(<#rt::scope::lent::Itself as #rt::scope::LentFrom<#run, #call, #ty, #ty>>);
            let place = quote!(#lent::place_by::<#way>(#taken));
            return slot_for(plan, level, ty, &from, &quote!(#lent::Place), &place, *span);
        }
        SlotKind::Context => (quote!(Borrowed<#call, #ty>), quote!(Borrowed(self.#member.whole()))),
        SlotKind::Provided => {
            let place = match level.page_of(*index) {
                None => taken,
                Some(page) => {
                    let page = names::local("page", page);
                    quote!(#rt::private::taken_of_two(&mut self.#loan, &mut self.#page.#member))
                }
            };
            match (&slot.lent, &slot.maybe) {
                // As its node says, or as the type of its block says.
                (Some(lent), None) => {
                    let way = slot.way();
                    let place = match slot.block.is_some() && !slot.takable {
                        true => quote!(place(#place)),
                        false => quote!(place_by::<#way>(#place)),
                    };
                    return lent_impl(plan, level, slot, ty, &from, lent, &place);
                }
                _ => {
                    let held = &slot.held;
                    (quote!(Maybe<#call, #held>), quote!(Maybe(#place)))
                }
            }
        }
        SlotKind::Field => {
            let field = &plan.chain.fields[*index].name;
            let place = match slot.by {
                By::Itself => quote!(Field(&self.chain.#field)),
                By::Shared | By::Borrowed => quote!(Field(&*self.chain.#field)),
            };
            (quote!(Field<#run, #ty>), place)
        }
    };
    let place_ty = quote!(#rt::scope::place::#place_ty);
    let place = quote!(#rt::scope::place::#place);
    let provides = slot_for(plan, level, ty, &from, &place_ty, &place, *span);
    // On its way out the node itself was not skipped. A node that asks for the plain value is told that it may have
    // been skipped.
    let maybe = slot.maybe.as_ref().map(|ty| {
        let from = source(rt, &quote!(Skippable), *position, name);
        let place = quote!(place(#rt::private::not_skipped(#place)));
        let lent = slot.lent.as_ref().expect("a node provides it");
        lent_impl(plan, level, slot, ty, &from, lent, &place)
    });
    let cfg = &slot.cfg;
    quote!(#(#cfg)* #provides #maybe)
}

/// The value of a node is lent as the node says, by this call.
fn lent_impl(
    plan: &Plan<'_>,
    level: &Level,
    slot: &Slot,
    ty: &TokenStream,
    from: &TokenStream,
    lent: &TokenStream,
    place: &TokenStream,
) -> TokenStream {
    let (found, place_ty, place) = (ty, quote!(#lent::Place), quote!(#lent::#place));
    match twice::second(plan, slot, &place_ty, &place) {
        Some((found, place_ty, place)) => slot_for(plan, level, &found, from, &place_ty, &place, slot.span),
        None => slot_for(plan, level, found, from, &place_ty, &place, slot.span),
    }
}

fn source(rt: &syn::Ident, kind: &TokenStream, index: usize, name: &str) -> TokenStream {
    quote! {
        #rt::describe::Source { kind: #rt::describe::SourceKind::#kind, position: #index, name: #name }
    }
}

/// The slots that every scope has, or that come with the context.
pub(super) fn context_parts(plan: &Plan<'_>) -> TokenStream {
    let rt = &names::runtime_alias();
    let call = names::call_lifetime();
    let member = names::local("input", 0);
    let parts = [("Request", "request"), ("Response", "response"), ("Scratch", "scratch")];
    let impls = parts.iter().enumerate().map(|(index, (ty, part))| {
        let ty = names::single(ty);
        let part_name = syn::Ident::new(part, proc_macro2::Span::mixed_site());
        let ty = quote!(#rt::#ty);
        let from = source(rt, &quote!(Part), index, part);
        let place_ty = quote!(#rt::scope::place::Borrowed<#call, #ty>);
        let place = quote!(#rt::scope::place::Borrowed(self.#member.#part_name()));
        slot_for(plan, &plan.levels[0], &ty, &from, &place_ty, &place, proc_macro2::Span::mixed_site())
    });
    quote!(#(#impls)*)
}

/// The ending, the reply, and the fields that can be lent to a `cancelled` hook.
pub(super) fn field_impls(plan: &Plan<'_>) -> TokenStream {
    let chain = plan.chain;
    let rt = &names::runtime_alias();
    let scope = &plan.levels[0].scope;
    let name = &chain.name;
    let (run, call) = (names::run_lifetime(), names::call_lifetime());
    let node = names::single("ChainAsking");
    let generics = scope_generics(chain);
    let (plain_generics, ty_generics, clause) = generics.split_for_impl();
    let mut asked = generics.clone();
    asked.params.push(syn::parse_quote!(#node: ?#rt::private::Sized));
    let (impl_generics, _, _) = asked.split_for_impl();
    let reply = types::with_lifetime_but(&chain.run.reply, &run, &own_lifetimes(plan));
    let reply = chain.with_hidden(&reply, &run);
    let ending = slot_for(
        plan,
        &plan.levels[0],
        &quote!(#rt::Ending),
        &source(rt, &quote!(Ending), 0, "ending"),
        &quote!(#rt::scope::place::Shared<'static, #rt::Ending>),
        &quote!(#rt::scope::place::Shared(#rt::private::taken(&mut self.ending))),
        name.span(),
    );
    let (_, chain_ty, chain_clause) = chain.generics.split_for_impl();
    let mut chain_asked = chain.generics.clone();
    chain_asked.params.push(syn::parse_quote!(#node: ?#rt::private::Sized));
    let (chain_generics, _, _) = chain_asked.split_for_impl();
    let fields = chain.fields.iter().enumerate().filter(|(index, _)| chain.is_lent(*index)).map(|(index, field)| {
        let cfg = field.cfg();
        let crate::ast::Field { name: field, ty, .. } = field;
        let (ty, lent) = match types::ungrouped(ty) {
            syn::Type::Reference(_) => (types::found_by(ty), quote!(&*self.#field)),
            _ => {
                let alias = names::field_type(chain, index).map(|alias| syn::parse_quote!(#alias));
                (alias.unwrap_or_else(|| ty.clone()), quote!(&self.#field))
            }
        };
        let ty = types::fixed(&ty, &chain.generics).unwrap_or(ty);
        let is_in_parentheses = types::has_several_bounds(&ty);
        let ty = chain.with_hidden(&ty, &syn::Lifetime::new("'static", proc_macro2::Span::mixed_site()));
        let given = if is_in_parentheses { quote!((#ty)) } else { quote!(#ty) };
        let field_of = quote! {
            #[automatically_derived]
            impl #chain_generics #rt::scope::FieldOf<#ty, #node> for #name #chain_ty #chain_clause {
                #[inline(always)]
                fn field(&self) -> &#given { #lent }
            }
        };
        let field_of = names::items_as_if_at(field_of, field.span());
        quote!(#(#cfg)* #field_of)
    });
    let reply_span = types::last_segment(&chain.run.reply).map_or(name.span(), |segment| segment.ident.span());
    let lend_reply = quote! {
        #[automatically_derived]
        impl #impl_generics #rt::scope::LendReply<#call, #reply, #node> for #scope #ty_generics #clause {
            #[inline(always)]
            fn lend_reply(&mut self) -> &#call mut #reply { #rt::private::taken(&mut self.reply) }
        }
    };
    let lend_reply = names::items_as_if_at(lend_reply, reply_span);
    quote! {
        #ending
        #lend_reply
        #[automatically_derived]
        impl #plain_generics #rt::scope::Replying for #scope #ty_generics #clause {
            type Reply = #reply;
        }
        #(#fields)*
    }
}

pub(super) fn own_lifetimes(plan: &Plan<'_>) -> Vec<syn::Lifetime> {
    plan.chain.generics.lifetimes().map(|parameter| parameter.lifetime.clone()).collect()
}
