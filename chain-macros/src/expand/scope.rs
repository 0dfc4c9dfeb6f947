//! The chain's scope: a struct with an `Option<&mut _>` for each input and provided value, and a `Provides` impl for
//! each type in it. A block's scope is a struct around that of the block around it.

use proc_macro2::TokenStream;
use quote::quote;

use super::scope_generics;
use crate::ast::Form;
use crate::names;
use crate::plan::{By, Level, Plan, Slot, SlotKind};
use crate::types;

pub(super) fn scope(plan: &Plan<'_>) -> TokenStream {
    (0..plan.levels.len()).map(|index| level(plan, index)).collect()
}

/// The scope struct of the chain or of a block, and what can be found in it.
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
    let slot_impls = slots.iter().map(|slot| slot_impl(plan, level, slot));
    let pages: Vec<_> = (0..level.pages()).map(|index| names::local("page", index)).collect();
    let page_types: Vec<_> = (0..level.pages()).map(|index| names::page_of(scope, index)).collect();
    let page_structs = (0..level.pages()).map(|index| page(plan, level, index));
    let own = quote! {
        #(#pages: #page_types #ty_generics,)*
        #(#chunks: #chunk_types,)*
        #(#members,)*
    };
    let empty_own = quote! {
        #(#pages: #page_types::none(),)*
        #(#chunks: #rt::private::none_lent(),)*
        #(#empty_members,)*
    };
    let bounded = quote!(#run);
    // The members stay at the tokens of what they are members for. Last is what is certain to have a size, so that the scope is
    // `Sized` whatever the others turn out to be: else each mistake of a type would be one wherever the scope is mentioned.
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
                what_is_around(plan, level, outer),
            )
        }
    };
    let parts = (chain.form == Form::Short && index == 0).then(|| context_parts(plan));
    let declaration = names::item_at(&quote!(struct #scope), &quote!(#impl_generics #clause), members, name.span());
    quote! {
        #(#page_structs)*
        #declaration
        impl #impl_generics #scope #ty_generics #clause { #made }
        // Before what stands in the block: where the two provide one type, it is the inner that is too many.
        #around
        #(#slot_impls)*
        #parts
    }
}

/// A block sees what is around it. To coherence, what is around it provides what it says and nothing else: a node in the block that
/// provides the same type is refused, as it would be beside the first.
fn what_is_around(plan: &Plan<'_>, level: &Level, outer: &syn::Ident) -> TokenStream {
    let rt = &names::runtime_alias();
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
    let (ty, node, reply) = (names::single("Asked"), names::single("AskingNode"), names::single("AskedReply"));
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
    let around = quote! {
        #[automatically_derived]
        impl #found_generics #rt::scope::Provides<#run, #call, #ty> for #scope #ty_generics #found_clause {
            const FROM: #rt::describe::Source = <#outer #ty_generics as #rt::scope::Provides<#run, #call, #ty>>::FROM;
            type Place = <#outer #ty_generics as #rt::scope::Provides<#run, #call, #ty>>::Place;
            #[inline(always)]
            fn place(&mut self) -> Self::Place {
                <#outer #ty_generics as #rt::scope::Provides<#run, #call, #ty>>::place(&mut self.outer)
            }
        }
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
    names::as_if_at(around, level.span)
}

/// A page of loans: what `PAGE` nodes in a row have provided.
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
    quote! {
        struct #page #impl_generics #clause {
            chain: #rt::private::PhantomData<&#run #name #chain_ty>,
            life: #rt::private::PhantomData<&#call ()>,
            #(#members: #loans,)*
        }
        impl #impl_generics #page #ty_generics #clause {
            #[inline(always)]
            fn none() -> Self {
                Self {
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
                    chain: #rt::private::PhantomData,
                    life: #rt::private::PhantomData,
                    #(#members: #rt::private::lent_again(&mut self.#members),)*
                }
            }
        }
    }
}

fn own_lifetimes(plan: &Plan<'_>) -> Vec<syn::Lifetime> {
    plan.chain.generics.lifetimes().map(|parameter| parameter.lifetime.clone()).collect()
}

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
    // A second provider is reported at both impls: they stand at the tokens of the two.
    let provides = quote! {
        #[automatically_derived]
        impl #impl_generics #rt::scope::Provides<#run, #call, #ty> for #scope #ty_generics #clause {
            const FROM: #rt::describe::Source = #from;
            type Place = #place_ty;
            #[inline(always)]
            fn place(&mut self) -> #place_ty { #place }
        }
    };
    names::as_if_at(provides, span)
}

fn slot_impl(plan: &Plan<'_>, level: &Level, slot: &Slot) -> TokenStream {
    let rt = &names::runtime_alias();
    let (run, call) = (names::run_lifetime(), names::call_lifetime());
    let Slot { ty, name, index, position, member, span, .. } = slot;
    let kind = match slot.kind {
        SlotKind::Field | SlotKind::Version => quote!(Field),
        SlotKind::Provided => quote!(Node),
        SlotKind::Binding => quote!(Binding),
        _ => quote!(Input),
    };
    let from = source(rt, &kind, *position, name);
    let loan = level.loan_of(slot);
    let taken = quote!(#rt::private::taken(&mut self.#loan));
    let (place_ty, place) = match slot.kind {
        SlotKind::OwnedInput => (quote!(Owned<#call, #ty>), quote!(Owned(#taken))),
        SlotKind::SharedInput => (quote!(Shared<#run, #ty>), quote!(Shared(#taken))),
        SlotKind::BorrowedInput => (quote!(Borrowed<#call, #ty>), quote!(Borrowed(#taken))),
        SlotKind::Version => (quote!(Version<#call, #ty>), quote!(Version(#taken))),
        SlotKind::Binding if slot.by == By::Shared => (quote!(Shared<#run, #ty>), quote!(Shared(#taken))),
        SlotKind::Binding => (quote!(Provided<#call, #ty>), quote!(Provided(#taken))),
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
                // As its node says.
                (Some(lent), None) => {
                    return lent_impl(plan, level, slot, ty, &from, lent, &place);
                }
                _ => (quote!(Provided<#call, #ty>), quote!(Provided(#place))),
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
    // The node itself, on its way out, was not skipped; who else asks for the value alone is told that it may have been.
    let maybe = slot.maybe.as_ref().map(|ty| {
        let from = source(rt, &quote!(Skippable), *position, name);
        let place = quote!(#rt::private::not_skipped(#place));
        let lent = slot.lent.as_ref().expect("a node provides it");
        lent_impl(plan, level, slot, ty, &from, lent, &place)
    });
    let cfg = &slot.cfg;
    quote!(#(#cfg)* #provides #maybe)
}

/// What a node provided is lent as the node says.
fn lent_impl(
    plan: &Plan<'_>,
    level: &Level,
    slot: &Slot,
    ty: &TokenStream,
    from: &TokenStream,
    lent: &TokenStream,
    held: &TokenStream,
) -> TokenStream {
    slot_for(plan, level, ty, from, &quote!(#lent::Place), &quote!(#lent::place(#held)), slot.span)
}

fn source(rt: &syn::Ident, kind: &TokenStream, index: usize, name: &str) -> TokenStream {
    quote! {
        #rt::describe::Source { kind: #rt::describe::SourceKind::#kind, position: #index, name: #name }
    }
}

/// The slots that every scope has, or that the context brings along.
fn context_parts(plan: &Plan<'_>) -> TokenStream {
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

/// The ending, the reply, and the fields that a `cancelled` hook can be lent.
fn field_impls(plan: &Plan<'_>) -> TokenStream {
    let chain = plan.chain;
    let rt = &names::runtime_alias();
    let scope = &plan.levels[0].scope;
    let name = &chain.name;
    let (run, call) = (names::run_lifetime(), names::call_lifetime());
    let node = names::single("AskingNode");
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
    let fields = chain.fields.iter().enumerate().filter(|(index, _)| chain.is_lent(*index)).map(|(_, field)| {
        let cfg = field.cfg();
        let crate::ast::Field { name: field, ty, .. } = field;
        let (ty, lent) = match types::ungrouped(ty) {
            syn::Type::Reference(_) => (types::found_by(ty), quote!(&*self.#field)),
            _ => (ty.clone(), quote!(&self.#field)),
        };
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
        let field_of = names::as_if_at(field_of, field.span());
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
    let lend_reply = names::as_if_at(lend_reply, reply_span);
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
