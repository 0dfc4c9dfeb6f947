//! What a chain says of itself: `NODES`, `CHAIN`, its drawing, the sizes of its future; and the checks that
//! stand on `NODES`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

mod checks;
mod opaque;
mod sends;
mod sheds;
mod shows;
mod sizes;
mod tasks;

pub(super) use sizes::stub;

use super::{chain_arguments, scope_arguments, scope_generics};
use crate::ast::{Chain, Field, Form, Observer, OnCancel};
use crate::names;
use crate::plan::{BlockInfo, BlockKind, Plan, Role, Step};
use crate::types;
use checks::checks;
use sends::{pair, sends};
use sizes::sizes;

pub(super) fn description(plan: &Plan<'_>) -> TokenStream {
    let chain = plan.chain;
    let rt = &names::runtime_alias();
    let scope = &plan.levels[0].scope;
    let name = &chain.name;
    let vis = &chain.vis;
    let generics = scope_generics(chain);
    let (impl_generics, ty_generics, clause) = generics.split_for_impl();
    let (chain_generics, chain_ty, chain_clause) = chain.generics.split_for_impl();
    let arguments = scope_arguments(chain, false);
    let count = plan.steps.len();
    let infos = plan.steps.iter().enumerate().map(|(position, step)| {
        let Step { name, span, level, block, attributes, .. } = step;
        let node = &outside(plan, step);
        let rt = &names::alias(*span);
        let scope = &plan.levels[*level].scope;
        let facts = quote_spanned!(*span=> <#node as #rt::Node<'_, '_, #scope #arguments>>::SEEN);
        let described = quote_spanned!(*span=> #rt::NodeInfo::of(#name, #position, #facts));
        // What is so for most nodes is what `of` says.
        let role = match step.role {
            Role::Step => None,
            Role::Around => Some(quote!(.role(#rt::describe::Role::Around))),
            Role::Scrutinee { .. } => Some(quote!(.role(#rt::describe::Role::Branch))),
            Role::Predicate => Some(quote!(.role(#rt::describe::Role::Condition))),
        };
        let block = block.map(|block| quote!(.block(#block)));
        let after = plan.after(position);
        let after = (after != position.checked_sub(1)).then(|| {
            let after = option(after);
            quote!(.after(#after))
        });
        let attributes = (!attributes.is_empty()).then(|| quote!(.attributes(#attributes)));
        let skipped = step.may_be_skipped().then(|| quote!(.may_be_skipped()));
        let finishes = matches!(step.cancel, Some((_, OnCancel::Finish))).then(|| quote!(.finishes()));
        let no_alloc = step.no_alloc.then(|| quote!(.no_alloc()));
        quote!(#described #role #block #after #attributes #skipped #finishes #no_alloc)
    });
    // Statics, which the backend names; a constant it would write out, with all that it points to, at each mention.
    let (node_static, ending_static) = (names::static_of("Nodes", name), names::static_of("Endings", name));
    let nodes = match plan.is_generic {
        true => quote!(<#name #chain_ty>::NODES),
        false => quote!(#node_static),
    };
    let two_for_each = count * 2;
    let (statics, infos, endings) = match plan.is_generic {
        true => (
            None,
            quote!(&[#(#infos),*]),
            plan.tells_ending().then(|| {
                quote! {
                    impl #impl_generics #scope #ty_generics #clause {
                        const ENDINGS: &'static [#rt::Ending] = &#rt::Ending::of_all::<#two_for_each>(#nodes);
                    }
                }
            }),
        ),
        false => {
            let endings = plan
                .tells_ending()
                .then(|| quote!(static #ending_static: [#rt::Ending; #two_for_each] = #rt::Ending::of_all(&#nodes);));
            (
                Some(quote! {
                    static #node_static: [#rt::NodeInfo; #count] = [#(#infos),*];
                    #endings
                }),
                quote!(&#node_static),
                None,
            )
        }
    };
    let inputs = chain.run.inputs.iter().map(|input| pair(&names::unraw(&input.name), &types::text(&input.ty)));
    let inputs: Vec<_> = match chain.form {
        Form::Item => inputs.collect(),
        Form::Short => vec![quote!(("context", "&mut Context"))],
    };
    let fields = chain.fields.iter().map(|field| {
        let cfg = field.cfg();
        let pair = pair(&names::unraw(&field.name), &types::text(&field.ty));
        quote!(#(#cfg)* #pair)
    });
    let reply = match chain.form {
        Form::Item => types::text(&chain.run.reply),
        Form::Short => "Ending".to_owned(),
    };
    let blocks = plan.blocks.iter().map(block);
    let chain_name = names::unraw(name);
    let toggles = toggles(plan);
    let sheds = plan.sheds.iter().map(sheds::info);
    let shedding = sheds::handle(plan);
    let places_of_sheds = sheds::places(chain);
    let sheds_checked = sheds::checks(plan);
    let owner_of_tasks = tasks::owner(chain);
    let observed = observed(chain);
    let sizes = chain.run.is_async.then(|| sizes(plan));
    let checks = checks(plan);
    let place = place_of_switches(plan.chain);
    let sends = sends(plan);
    quote! {
        #statics
        #endings
        impl #chain_generics #name #chain_ty #chain_clause {
            /// The nodes of this chain, in order, with what each needs and provides.
            #vis const NODES: &'static [#rt::NodeInfo] = #infos;
            /// This chain, described.
            #vis const CHAIN: &'static #rt::describe::ChainInfo = &#rt::describe::ChainInfo {
                name: #chain_name,
                inputs: &[#(#inputs),*],
                fields: &[#(#fields),*],
                reply: #reply,
                nodes: Self::NODES,
                blocks: &[#(#blocks),*],
                sheds: &[#(#sheds),*],
            };
            /// A drawing of this chain: print it, or its `.mermaid()`.
            #vis const fn drawing() -> #rt::Drawing { #rt::Drawing::of(Self::CHAIN) }
            #toggles
            #shedding
        }
        #observed
        #sizes
        #place
        #places_of_sheds
        #sheds_checked
        #owner_of_tasks
        #checks
        #sends
    }
}

/// The description, for whoever watches a run.
fn observed(chain: &Chain) -> Option<TokenStream> {
    let rt = &names::runtime_alias();
    let name = &chain.name;
    let (impl_generics, ty_generics, clause) = chain.generics.split_for_impl();
    let asked = chain.observers.iter().filter_map(|observer| {
        let (ty, span, question, text) = match observer {
            Observer::Type(ty) => (ty, syn::spanned::Spanned::span(ty), "IS_OBSERVER", None),
            Observer::Field(name) => (&chain.field(name).ty, name.span(), "OBSERVES", Some(names::unraw(name))),
            Observer::NoAlloc(span) => {
                let rt = names::alias(*span);
                return Some(quote_spanned!(*span=> #rt::check::needs_counters();));
            }
        };
        if types::mentions(ty, &chain.generics) {
            return None;
        }
        let (rt, question, written) = (names::alias(span), syn::Ident::new(question, span), types::text(ty));
        let ty = types::anonymous(ty);
        let answer = quote_spanned!(span=> #rt::observe::Asked::<#ty>::#question);
        Some(match text {
            None => quote_spanned!(span=> #rt::check::is_observer(#written, #answer);),
            Some(name) => quote_spanned!(span=> #rt::check::observes(#name, #written, #answer);),
        })
    });
    let asked: Vec<_> = asked.collect();
    (!chain.observers.is_empty()).then(|| {
        quote! {
            const _: () = {
                use #rt::observe::Otherwise as _;
                #(#asked)*
            };
            impl #impl_generics #rt::observe::Observed for #name #ty_generics #clause {
                const CHAIN: &'static #rt::describe::ChainInfo = Self::CHAIN;
            }
        }
    })
}

/// That one of the fields has the switches, where the name of none says so.
fn place_of_switches(chain: &Chain) -> Option<TokenStream> {
    let toggles = chain.run.body.toggles();
    let first = toggles.first().filter(|_| chain.switches().is_none())?;
    let check = quote_spanned!(first.span=> switches);
    Some(one_of(&chain.may_have_it(), "IS_TOGGLES", first.span, &check, &first.name))
}

/// That one of these fields is what the constant of this name says, by a check that is told the first that needs it.
fn one_of(fields: &[&Field], is_it: &str, span: Span, check: &TokenStream, first: &str) -> TokenStream {
    let (rt, is_it) = (names::alias(span), syn::Ident::new(is_it, span));
    let fields = fields.iter().map(|field| {
        let (cfg, ty) = (field.cfg(), types::anonymous(&field.ty));
        quote_spanned!(span=> #(#cfg)* #rt::private::Probe::<#ty>::#is_it)
    });
    quote_spanned! {span=>
        const _: () = {
            use #rt::private::Plainly as _;
            #rt::check::#check(#first, &[#(#fields),*]);
        };
    }
}

/// The chain's handle to its switches.
fn toggles(plan: &Plan<'_>) -> Option<TokenStream> {
    let chain = plan.chain;
    let toggles = chain.run.body.toggles();
    let switches = super::switches(chain)?;
    // What is found by its type is asked of a trait.
    let is_const = chain.switches().map(|_| quote!(const));
    let rt = &names::runtime_alias();
    let vis = &chain.vis;
    let infos = toggles.iter().map(|toggle| {
        let crate::ast::Toggle { name, on, .. } = toggle;
        quote!(#rt::toggle::ToggleInfo { name: #name, on: #on })
    });
    Some(quote! {
        /// The toggles of this chain, to be read and set by name. A request sees them as they were when it began.
        #vis #is_const fn toggles(&self) -> #rt::toggle::Switches<'_> {
            #rt::toggle::Switches::new(#switches, &[#(#infos),*])
        }
    })
}

fn option(position: Option<usize>) -> TokenStream {
    let rt = &names::runtime_alias();
    position.map_or_else(|| quote!(#rt::private::None), |position| quote!(#rt::private::Some(#position)))
}

fn block(block: &BlockInfo) -> TokenStream {
    let rt = &names::runtime_alias();
    let BlockInfo { label, first, end, replies, beside, .. } = block;
    let kind = match block.kind {
        BlockKind::Braces => quote!(Braces),
        BlockKind::Around => quote!(Around),
        BlockKind::Arm => quote!(Arm),
    };
    let (parent, head, beside) = (option(block.parent), option(block.head), option(*beside));
    quote! {
        #rt::describe::BlockInfo {
            kind: #rt::describe::BlockKind::#kind,
            label: #label,
            parent: #parent,
            head: #head,
            beside: #beside,
            first: #first,
            end: #end,
            replies: #replies,
        }
    }
}

/// A node's type where the chain's own lifetimes are not declared.
pub(super) fn outside(plan: &Plan<'_>, step: &Step) -> TokenStream {
    let own: Vec<_> = plan.chain.generics.lifetimes().map(|parameter| parameter.lifetime.clone()).collect();
    if own.is_empty() { step.node.clone() } else { types::inferred(step.node.clone(), &own) }
}

/// The checks of a chain with type parameters, each of which stands for an opaque type, where such a type meets the bounds: an inherent constant
/// whose bounds hold goes before that of a trait.
fn opaque(plan: &Plan<'_>) -> Option<TokenStream> {
    let chain = plan.chain;
    let rt = &names::runtime_alias();
    let scope = &plan.levels[0].scope;
    let arguments = opaque::arguments(&chain.generics)?;
    let checked = names::single("Checked");
    let own = chain_arguments(chain, true);
    let declared = chain.generics.params.iter().map(|parameter| {
        let mut parameter = parameter.clone();
        match &mut parameter {
            syn::GenericParam::Lifetime(parameter) => parameter.bounds.clear(),
            // What has a size or may have none, its bounds say, in the impl.
            syn::GenericParam::Type(parameter) => {
                parameter.bounds.clear();
                parameter.bounds.push(syn::parse_quote!(?#rt::private::Sized));
                parameter.default = None;
            }
            syn::GenericParam::Const(parameter) => parameter.default = None,
        }
        parameter
    });
    let lifetimes: Vec<_> = chain.generics.lifetimes().map(|parameter| &parameter.lifetime).collect();
    let types: Vec<_> = chain.generics.type_params().map(|parameter| &parameter.ident).collect();
    // That what the chain is about lives as long as what its fields borrow, a struct implies of its fields.
    let lives = lifetimes.iter().flat_map(|life| types.iter().map(move |ty| quote!(&#life #ty)));
    let (impl_generics, ty_generics, clause) = chain.generics.split_for_impl();
    Some(quote! {
        struct #checked<#(#declared),*>(
            #(#rt::private::PhantomData<&#lifetimes ()>,)*
            #(#rt::private::PhantomData<#types>,)*
            #(#rt::private::PhantomData<#lives>,)*
        );
        impl #impl_generics #checked #ty_generics #clause {
            const WIRED: () = <#scope<'_, '_, #(#own),*>>::WIRED;
        }
        const _: () = {
            use #rt::private::Unchecked as _;
            <#checked<#(#arguments),*>>::WIRED
        };
    })
}
