//! The chain's scope: a struct with an `Option<&mut _>` for each input and provided value, and a `Provides` impl for
//! each type in it. A block's scope is a struct around the scope of the outer block.

mod provides;
mod refused;

use proc_macro2::TokenStream;
use quote::quote;

use provides::{context_parts, field_impls, own_lifetimes, slot_impl};

use super::scope_generics;
use super::twice;
use crate::ast::Form;
use crate::names;
use crate::plan::{Level, Plan, Slot, SlotKind};
use crate::types;

pub(super) fn scope(plan: &Plan<'_>) -> TokenStream {
    if !plan.has_scope {
        return (0..plan.levels.len()).map(|index| unique(plan, index)).collect();
    }
    (0..plan.levels.len()).map(|index| level(plan, index)).collect()
}

/// If no node has to find a value by its type, this only checks that each type is there once, where text does not say so.
fn unique(plan: &Plan<'_>, index: usize) -> TokenStream {
    let chain = plan.chain;
    let rt = &names::runtime_alias();
    if plan.known.are_distinct {
        return TokenStream::new();
    }
    let level = &plan.levels[index];
    let Level { scope, slots, .. } = level;
    // Each scope has the chain's ending.
    let ending = slots.iter().any(|slot| slot.text.ends_with("Ending")).then(|| {
        let mut generics = chain.generics.clone();
        generics.params.insert(0, syn::parse_quote!('chain_ends));
        let (impl_generics, _, _) = generics.split_for_impl();
        let (_, ty_generics, clause) = chain.generics.split_for_impl();
        let ending = quote!(impl #impl_generics #rt::scope::Unique<#rt::Ending> for #scope #ty_generics #clause {});
        names::items_as_if_at(ending, chain.name.span())
    });
    // What is around a block is there as well.
    let around = if slots.is_empty() { Vec::new() } else { plan.around(index) };
    let refused = refused::what_none_may_be(plan, level);
    if slots.len() + around.len() < 2 && ending.is_none() && !refused.breaks() {
        return TokenStream::new();
    }
    let (name, run) = (&chain.name, names::run_lifetime());
    let (_, ty_generics, clause) = chain.generics.split_for_impl();
    let declared = &chain.generics;
    let of_chain = (!declared.params.is_empty()).then(|| quote!((#rt::private::PhantomData<#name #ty_generics>)));
    let around = around.into_iter().filter(|slot| twice::first(plan, slot).is_none());
    let (provided, others): (Vec<_>, Vec<_>) = slots.iter().partition(is_of_a_node);
    let impls = around.chain(provided).chain(others).map(|slot| {
        let (cfg, ty, span) = (&slot.cfg, &slot.ty, slot.span);
        if let (SlotKind::Provided, None, None, true) = (slot.kind, &slot.maybe, slot.block, declared.params.is_empty())
        {
            let held = twice::found_as(plan, slot).unwrap_or_else(|| twice::held(plan, slot));
            return names::items_as_if_at(quote!(impl #rt::scope::Unique<#held> for #scope {}), span);
        }
        let mut generics = declared.clone();
        generics.params.insert(0, syn::parse_quote!(#run));
        let (impl_generics, _, _) = generics.split_for_impl();
        let unique = quote!(impl #impl_generics #rt::scope::Unique<#ty> for #scope #ty_generics #clause {});
        let unique = names::items_as_if_at(unique, span);
        quote!(#(#cfg)* #unique)
    });
    let once = twice::once(plan, index);
    let refused = refused.unique();
    quote! {
        struct #scope #declared #of_chain #clause;
        #once
        #refused
        #ending
        #(#impls)*
    }
}

/// Whether a node provides it, and no block whose type the user wrote.
fn is_of_a_node(slot: &&Slot) -> bool {
    slot.kind == SlotKind::Provided && slot.block.is_none()
}

/// The scope struct of the chain or of a block, and the impls by which values are found in it.
fn level(plan: &Plan<'_>, index: usize) -> TokenStream {
    let chain = plan.chain;
    let rt = &names::runtime_alias();
    let level = &plan.levels[index];
    let Level { scope, slots, .. } = level;
    let name = &chain.name;
    let (run, call) = (names::run_lifetime(), names::call_lifetime());
    let generics = scope_generics(chain);
    let (impl_generics, ty_generics, clause) = generics.split_for_impl();
    let (_, chain_ty, _) = chain.generics.split_for_impl();
    let reply = super::in_run(chain, &chain.run.reply);
    let reply = types::with_lifetime_but(&reply, &run, &own_lifetimes(plan));
    let reply = chain.with_hidden(&reply, &run);
    let in_chunks = Level::chunk(level.chunks()).start;
    let of_chunks = |slot: &&Slot| slot.kind == SlotKind::Provided && slot.index < in_chunks;
    let on_their_own = || slots.iter().filter(move |slot| slot.kind != SlotKind::Field && !of_chunks(slot));
    let members = on_their_own().map(|slot| {
        let Slot { loan, member, .. } = slot;
        quote!(#member: #loan)
    });
    let chunks: Vec<_> = (0..level.chunks()).map(|index| names::local("chunk", index)).collect();
    let chunk_types = (0..level.chunks()).map(|index| {
        let chunk = Level::chunk(index);
        let loans = level.provided().filter(|slot| chunk.contains(&slot.index)).map(|slot| &slot.loan);
        quote!((#(#loans),*))
    });
    let chunk_types: Vec<_> = chunk_types.collect();
    let empty_members = on_their_own().map(|slot| {
        let member = &slot.member;
        match slot.kind {
            SlotKind::Context => quote!(#member: #rt::short::Lent::nothing()),
            _ => names::as_if_at(quote!(#member: #rt::private::None), slot.span),
        }
    });
    let (provided, others): (Vec<_>, Vec<_>) = slots.iter().partition(is_of_a_node);
    let [provided, others] = [provided, others]
        .map(|slots| slots.into_iter().map(|slot| slot_impl(plan, level, slot)).collect::<TokenStream>());
    let pages: Vec<_> = (0..level.pages()).map(|index| names::local("page", index)).collect();
    let page_types: Vec<_> = (0..level.pages()).map(|index| names::page_of(scope, index)).collect();
    let page_structs = (0..level.pages()).map(|index| page(plan, level, index));
    let outlives: Vec<_> = slots.iter().filter_map(|slot| slot.outlives.as_ref()).collect();
    let (outlives, empty_outlives) = match outlives.is_empty() {
        true => (None, None),
        false => (
            Some(quote!(outlives: #rt::private::PhantomData<(#(&#call mut #outlives,)*)>,)),
            Some(quote!(outlives: #rt::private::PhantomData,)),
        ),
    };
    let own = quote! {
        #outlives
        #(#pages: #page_types #ty_generics,)*
        #(#chunks: #chunk_types,)*
        #(#members,)*
    };
    let empty_own = quote! {
        #empty_outlives
        #(#pages: #page_types::none(),)*
        #(#chunks: #rt::private::none_lent(),)*
        #(#empty_members,)*
    };
    let bounded = quote!(#run);
    // Each member has the token of the node, input or field that it is for. The last member is certain to have a size,
    // so that the scope is `Sized` whatever the other types turn out to be: otherwise each wrong type would be an error
    // wherever the scope is mentioned.
    let (members, made, around) = match level.outer {
        None => (
            quote! {
                reply: #rt::private::Option<&#call mut #reply>,
                ending: #rt::private::Option<&'static #rt::Ending>,
                #own
                chain: &#bounded #name #chain_ty,
            },
            quote! {
                #[inline(always)]
                fn empty(chain: &#run #name #chain_ty) -> Self {
                    Self { chain, reply: #rt::private::None, ending: #rt::private::None, #empty_own }
                }
            },
            field_impls(plan),
        ),
        Some(outer) => {
            let outer = &plan.levels[outer.level].scope;
            (
                quote!(#own outer: #outer #ty_generics,),
                quote! {
                    #[inline(always)]
                    fn within(outer: #outer #ty_generics) -> Self {
                        Self { outer, #empty_own }
                    }
                },
                what_is_around(plan, index, outer),
            )
        }
    };
    // What is around a block comes before its content: if both provide one type, the inner one is reported. For what is
    // in every scope, see `unique`.
    let (before, behind) = match level.outer {
        Some(_) => (Some(around), None),
        None => (None, Some(around)),
    };
    let parts = (chain.form == Form::Short && index == 0).then(|| context_parts(plan));
    let refused = level.outer.is_none().then(|| refused::what_none_may_be(plan, level).provides());
    let once = twice::once(plan, index);
    let declaration = names::item_at(&quote!(struct #scope), &quote!(#impl_generics #clause), members, name.span());
    quote! {
        #(#page_structs)*
        #declaration
        #once
        impl #impl_generics #scope #ty_generics #clause { #made }
        #refused
        #before
        #provided
        #behind
        #others
        #parts
    }
}

/// A block sees what is around it. For coherence, what is around it provides exactly the types that it says. So a node
/// in the block that provides one of them is refused, as it would be beside the first one.
///
/// Where the block may have something of a type that comes only later around it, it sees each thing by itself.
fn what_is_around(plan: &Plan<'_>, index: usize, outer: &syn::Ident) -> TokenStream {
    let rt = &names::runtime_alias();
    let level = &plan.levels[index];
    let scope = &level.scope;
    let (run, call) = (names::run_lifetime(), names::call_lifetime());
    let generics = scope_generics(plan.chain);
    let (plain_generics, ty_generics, clause) = generics.split_for_impl();
    let with = |parameters: &[TokenStream]| {
        let mut generics = generics.clone();
        generics
            .params
            .extend(parameters.iter().map(|parameter| -> syn::GenericParam { syn::parse_quote!(#parameter) }));
        generics
    };
    let clause_with = |bound: TokenStream| {
        let own = clause.iter().flat_map(|clause| &clause.predicates);
        quote!(where #(#own,)* #bound)
    };
    let (ty, node, reply) =
        (names::single("ChainAsked"), names::single("ChainAsking"), names::single("ChainAskedReply"));
    let found = with(&[quote!(#ty: ?#rt::private::Sized)]);
    let (found_generics, _, _) = found.split_for_impl();
    let found_clause = clause_with(quote!(#outer #ty_generics: #rt::scope::Provides<#run, #call, #ty>));
    let lent = with(&[quote!(#reply), quote!(#node: ?#rt::private::Sized)]);
    let (lent_generics, _, _) = lent.split_for_impl();
    let lend = quote!(#rt::scope::LendReply<#call, #reply, #node>);
    let (bound, lend_reply) = match level.replies {
        true => {
            (quote!(#outer #ty_generics: #lend), quote!(<#outer #ty_generics as #lend>::lend_reply(&mut self.outer)))
        }
        false => (
            quote!(#rt::scope::GoesOn: #rt::scope::HasReply<#node>, #reply: #call),
            quote!(#rt::private::unreachable!()),
        ),
    };
    let lend_clause = clause_with(bound);
    let provides = |generics: &TokenStream, ty: &TokenStream, clause: &TokenStream| {
        let provides = quote!(#rt::scope::Provides<#run, #call, #ty>);
        quote! {
            #[automatically_derived]
            impl #generics #provides for #scope #ty_generics #clause {
                const FROM: #rt::describe::Source = <#outer #ty_generics as #provides>::FROM;
                type Place = <#outer #ty_generics as #provides>::Place;
                #[inline(always)]
                fn place(&mut self) -> Self::Place {
                    <#outer #ty_generics as #provides>::place(&mut self.outer)
                }
            }
        }
    };
    let found = match plan.may_have_what_comes_later(index) {
        false => provides(&quote!(#found_generics), &quote!(#ty), &found_clause),
        true => {
            let each = types_around(plan, index).into_iter().map(|(cfg, ty)| {
                let provides = provides(&quote!(#plain_generics), &ty, &quote!(#clause));
                quote!(#(#cfg)* #provides)
            });
            each.collect()
        }
    };
    let around = quote! {
        #found
        #[automatically_derived]
        impl #lent_generics #lend for #scope #ty_generics #lend_clause {
            #[inline(always)]
            fn lend_reply(&mut self) -> &#call mut #reply { #lend_reply }
        }
        #[automatically_derived]
        impl #plain_generics #rt::scope::Replying for #scope #ty_generics #clause {
            type Reply = <#outer #ty_generics as #rt::scope::Replying>::Reply;
        }
    };
    names::items_as_if_at(around, level.span)
}

/// The types of what a block sees around it.
fn types_around<'a>(plan: &'a Plan<'_>, index: usize) -> Vec<(&'a [syn::Attribute], TokenStream)> {
    let rt = &names::runtime_alias();
    let around = plan.around(index).into_iter().flat_map(|slot| {
        let found = twice::found_as(plan, slot).unwrap_or_else(|| slot.ty.clone());
        [Some(found), slot.maybe.clone()].into_iter().flatten().map(|ty| (slot.cfg.as_slice(), ty))
    });
    let parts = ["Request", "Response", "Scratch"].iter().filter(|_| plan.chain.form == Form::Short);
    let parts = parts.map(|part| names::single(part)).map(|part| quote!(#rt::#part));
    let ending = quote!(#rt::Ending);
    around.chain(parts.chain([ending]).map(|ty| (Default::default(), ty))).collect()
}

/// A page of loans: the values of `PAGE` nodes in a row.
fn page(plan: &Plan<'_>, level: &Level, index: usize) -> TokenStream {
    let rt = &names::runtime_alias();
    let name = &plan.chain.name;
    let page = names::page_of(&level.scope, index);
    let (run, call) = (names::run_lifetime(), names::call_lifetime());
    let again = syn::Lifetime::new("'chain_again", proc_macro2::Span::mixed_site());
    let generics = scope_generics(plan.chain);
    let (impl_generics, ty_generics, clause) = generics.split_for_impl();
    let (_, chain_ty, _) = plan.chain.generics.split_for_impl();
    let arguments = super::chain_arguments(plan.chain, true);
    let on_page = Level::page(index);
    let slots: Vec<_> = level.provided().filter(|slot| on_page.contains(&slot.index)).collect();
    let members: Vec<_> = slots.iter().map(|slot| &slot.member).collect();
    let loans = slots.iter().map(|slot| &slot.loan);
    let outlives = slots.iter().filter_map(|slot| slot.outlives.as_ref());
    quote! {
        struct #page #impl_generics #clause {
            outlives: #rt::private::PhantomData<(#(&#call mut #outlives,)*)>,
            chain: #rt::private::PhantomData<&#run #name #chain_ty>,
            life: #rt::private::PhantomData<&#call ()>,
            #(#members: #loans,)*
        }
        impl #impl_generics #page #ty_generics #clause {
            #[inline(always)]
            fn none() -> Self {
                Self {
                    outlives: #rt::private::PhantomData,
                    chain: #rt::private::PhantomData,
                    life: #rt::private::PhantomData,
                    #(#members: #rt::private::None,)*
                }
            }
            /// The same page, lent for one call.
            #[inline(always)]
            fn again<#again>(&#again mut self) -> #page<#run, #again, #(#arguments),*>
            where
                #call: #again,
                #run: #again,
            {
                #page {
                    outlives: #rt::private::PhantomData,
                    chain: #rt::private::PhantomData,
                    life: #rt::private::PhantomData,
                    #(#members: #rt::private::lent_again(&mut self.#members),)*
                }
            }
        }
    }
}
