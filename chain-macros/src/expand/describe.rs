//! A chain's description of itself: `NODES`, `CHAIN`, its drawing and the sizes of its future; and the checks that use
//! `NODES`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

mod checks;
mod opaque;
mod search;
mod sends;
mod sheds;
mod shows;
mod sizes;
mod tasks;
mod told;

pub(super) use opaque::opaque_nodes;
pub(super) use search::{as_node, asked, searches, sound_chain};
pub(super) use sizes::stub;

use super::{scope_arguments, scope_generics};
use crate::ast::{Chain, Field, Form, Observer, OnCancel};
use crate::names;
use crate::plan::{BlockInfo, BlockKind, Plan, Role, Step};
use crate::types;
use checks::checks;
use sends::pair;
pub(super) use sends::sends;
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
    let count = plan.steps.len();
    let infos = plan.steps.iter().enumerate().map(|(position, step)| {
        let Step { name, span, block, attributes, .. } = step;
        let rt = &names::alias(*span);
        let facts = match &step.told {
            Some(told) => told::seen(plan, position, told),
            None => search::seen(plan, position),
        };
        let described = quote_spanned!(*span=> #rt::NodeInfo::of(#name, #position, #facts));
        // `of` says what holds for most nodes.
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
        let opens = step.open.is_some().then(|| quote!(.opens()));
        let finishes = matches!(step.cancel, Some((_, OnCancel::Finish))).then(|| quote!(.finishes()));
        let no_alloc = step.no_alloc.then(|| quote!(.no_alloc()));
        quote!(#described #role #block #after #attributes #skipped #opens #finishes #no_alloc)
    });
    // Statics, because the backend refers to a static by name. It would write out a constant, with all that the
    // constant points to, at each mention.
    let (node_static, ending_static) = (names::static_of("Nodes", name), names::static_of("Endings", name));
    let whole = told::whole(plan);
    let told = whole.as_ref().map(|(text, _)| {
        quote! {
            const TEXT: &'static #rt::private::str = #text;
            const FILE: &'static #rt::private::str = ::core::file!();
        }
    });
    let nodes = match plan.is_generic || whole.is_some() {
        true => quote!(<#name #chain_ty>::NODES),
        false => quote!(#node_static),
    };
    let two_for_each = count * 2;
    let (statics, infos, endings) = match (plan.is_generic, &whole) {
        (_, Some((_, needs))) => (
            None,
            quote!(#rt::describe::told_nodes::<Self, #count, #needs>()),
            plan.tells_ending()
                .then(|| quote!(static #ending_static: [#rt::Ending; #two_for_each] = #rt::Ending::of_all(#nodes);)),
        ),
        (true, None) => (
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
        (false, None) => {
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
    let (names_of_types, type_names) = type_names(plan);
    let chain_name = names::unraw(name);
    let toggles = toggles(plan);
    let sheds = plan.sheds.iter().map(sheds::info);
    let shedding = sheds::handle(plan);
    let places_of_sheds = sheds::places(chain);
    let sheds_checked = sheds::checks(plan);
    let owner_of_tasks = tasks::owner(chain);
    let observed = observed(chain);
    let (sizes, sizes_of_observed) = sizes(plan);
    let checks = checks(plan);
    let place = place_of_switches(plan.chain);
    quote! {
        #statics
        #endings
        impl #chain_generics #name #chain_ty #chain_clause {
            /// The nodes of this chain, in order, with what each needs and provides.
            #vis const NODES: &'static [#rt::NodeInfo] = #infos;
            /// This chain, described.
            #vis const CHAIN: &'static #rt::describe::ChainInfo = #rt::describe::chain_of::<Self>();
            /// A drawing of this chain: print it, or its `.mermaid()`.
            #vis const fn drawing() -> #rt::Drawing { #rt::Drawing::of_chain::<Self>() }
            #toggles
            #shedding
            #sizes
        }
        impl #chain_generics #rt::describe::Described for #name #chain_ty #chain_clause {
            const CHAIN: #rt::describe::ChainInfo = #rt::describe::ChainInfo {
                name: #chain_name,
                inputs: &[#(#inputs),*],
                fields: &[#(#fields),*],
                reply: #reply,
                nodes: #infos,
                blocks: &[#(#blocks),*],
                sheds: &[#(#sheds),*],
                names: #rt::describe::Names::#type_names,
            };
            #told
        }
        #names_of_types
        #observed
        #sizes_of_observed
        #place
        #places_of_sheds
        #sheds_checked
        #owner_of_tasks
        #checks
    }
}

/// The names of the types of the inputs and of the reply that depend on the chain's type parameters: a function of the
/// scope, and its path.
fn type_names(plan: &Plan<'_>) -> (Option<TokenStream>, TokenStream) {
    let chain = plan.chain;
    let rt = &names::runtime_alias();
    let depends = |ty: &syn::Type| types::depends(ty, &chain.generics);
    let named = |part: TokenStream, ty: &syn::Type| {
        let ty = types::anonymous(ty);
        quote!(#rt::describe::Part::#part => #rt::private::type_name::<#ty>())
    };
    let inputs = chain.run.inputs.iter().enumerate().filter(|(_, input)| depends(&input.ty));
    let inputs = inputs.map(|(at, input)| named(quote!(NeededIn(#at)), &input.ty));
    let reply = Some(&chain.run.reply).filter(|reply| depends(reply)).map(|reply| named(quote!(Given), reply));
    let all: Vec<_> = inputs.chain(reply).collect();
    if all.is_empty() {
        return (None, quote!(AS_WRITTEN));
    }
    let (scope, arguments, part) = (&plan.levels[0].scope, scope_arguments(chain, false), names::single("part"));
    let generics = scope_generics(chain);
    let (impl_generics, ty_generics, clause) = generics.split_for_impl();
    let function = quote! {
        impl #impl_generics #scope #ty_generics #clause {
            fn type_names(#part: #rt::describe::Part) -> #rt::private::Option<&'static #rt::private::str> {
                #rt::private::Some(match #part { #(#all,)* _ => return #rt::private::None })
            }
        }
    };
    (Some(function), quote!(of(<#scope #arguments>::type_names)))
}

/// The description, for the observers of a run.
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

/// Checks that one of the fields has the switches, if the name of none says so.
fn place_of_switches(chain: &Chain) -> Option<TokenStream> {
    let toggles = chain.run.body.toggles();
    let first = toggles.first().filter(|_| chain.switches().is_none())?;
    let check = quote_spanned!(first.span=> switches);
    Some(one_of(&chain.may_have_it(), "IS_TOGGLES", first.span, &check, &first.name))
}

/// Checks that one of these fields answers this constant with yes. The check gets the name of the first item that needs
/// such a field.
fn one_of(fields: &[&Field], is_it: &str, span: Span, check: &TokenStream, first: &str) -> TokenStream {
    let (rt, is_it, unnamed) = (names::alias(span), syn::Ident::new(is_it, span), names::unnamed(span));
    let fields = fields.iter().map(|field| {
        let (cfg, ty) = (field.cfg(), types::anonymous(&field.ty));
        quote_spanned!(span=> #(#cfg)* #rt::private::Probe::<#ty>::#is_it)
    });
    quote_spanned! {span=>
        const #unnamed: () = {
            use #rt::private::Plainly as _;
            #rt::check::#check(#first, &[#(#fields),*]);
        };
    }
}

/// The method that gives access to the chain's switches.
fn toggles(plan: &Plan<'_>) -> Option<TokenStream> {
    let chain = plan.chain;
    let toggles = chain.run.body.toggles();
    let switches = super::switches(chain)?;
    // A field that is found by its type is reached through a trait.
    let is_const = chain.switches().map(|_| quote!(const));
    let (rt, this) = (&names::runtime_alias(), &chain.run.locals.this);
    let vis = &chain.vis;
    let infos = toggles.iter().map(|toggle| {
        let crate::ast::Toggle { name, on, .. } = toggle;
        quote!(#rt::toggle::ToggleInfo { name: #name, on: #on })
    });
    Some(quote! {
        /// The toggles of this chain, to be read and set by name. A request sees them as they were when it began.
        #vis #is_const fn toggles(&#this) -> #rt::toggle::Switches<'_> {
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
    let provides = match &block.provides {
        Some(given) => {
            let text = &given.text;
            quote!(#rt::private::Some(#text))
        }
        None => quote!(#rt::private::None),
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
            provides: #provides,
        }
    }
}

/// A node's type, for a place where the chain's own lifetimes are not declared.
pub(super) fn outside(plan: &Plan<'_>, step: &Step) -> TokenStream {
    let own: Vec<_> = plan.chain.generics.lifetimes().map(|parameter| parameter.lifetime.clone()).collect();
    if own.is_empty() { step.node.clone() } else { types::inferred(step.node.clone(), &own) }
}
