//! What a chain says of itself: `NODES`, `CHAIN`, its drawing, the sizes of its future; and the checks that
//! stand on `NODES`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

mod opaque;
mod sheds;
mod tasks;

use super::{chain_arguments, scope_arguments, scope_generics};
use crate::ast::{Chain, Field, Form, Observer, OnCancel};
use crate::names;
use crate::plan::{BlockInfo, BlockKind, Condition, Plan, Role, Step};
use crate::types;

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

/// Under `#[send]`: each node's own future and what it provides are required to move between threads, at the node's token.
fn sends(plan: &Plan<'_>) -> Option<TokenStream> {
    let chain = plan.chain;
    chain.send.as_ref()?;
    let arguments = scope_arguments(chain, false);
    let name = &chain.name;
    let (impl_generics, ty_generics, clause) = chain.generics.split_for_impl();
    let own: Vec<_> = chain.generics.lifetimes().map(|parameter| parameter.lifetime.clone()).collect();
    let anonymous = syn::Lifetime::new("'_", proc_macro2::Span::mixed_site());
    let reply = types::with_lifetime_but(&chain.run.reply, &anonymous, &own);
    let checks = plan.steps.iter().enumerate().map(|(at, step)| {
        let crate::plan::Step { node, span, has_hooks, level, role, .. } = step;
        let rt = &names::alias(*span);
        let level = &plan.levels[*level];
        let scope = &level.scope;
        let is_held = level.providers.contains(&at) || *role != Role::Step;
        let provided =
            is_held.then(|| quote_spanned!(*span=> #rt::check::value_moves::<#rt::node::Gives<'_, (#node)>, #node>();));
        let way_out = has_hooks.then(|| {
            let held = quote_spanned! {*span=>
                <<#node as #rt::Cancel<'_, #name #ty_generics>>::WayOut as #rt::node::way_out::WayOut>::Holds<#reply>
            };
            let exits = matches!(role, Role::Step | Role::Scrutinee { .. });
            let held = exits.then(|| quote_spanned!(*span=> #rt::check::reply_moves::<#held, #node>();));
            quote_spanned! {*span=>
                #rt::check::future_moves::<_, _, _, #node>(<#node as #rt::Node<'_, '_, #scope #arguments>>::exit);
                #held
            }
        });
        let wraps = matches!(role, Role::Around).then(|| {
            let is_wrapped = |block: &&BlockInfo| block.kind == BlockKind::Around && block.head == Some(at);
            let output = match plan.blocks.iter().find(is_wrapped).is_some_and(|block| block.replies) {
                true => reply.to_token_stream(),
                false => quote!(#rt::private::ControlFlow<#reply, ()>),
            };
            let block = quote_spanned!(*span=> #rt::private::Pending<#output>);
            let around = quote_spanned!(*span=> <#node as #rt::Around<'_, #reply, #output>>::around::<#block>);
            quote_spanned!(*span=> #rt::check::around_moves::<_, _, _, _, #node>(#around);)
        });
        quote_spanned! {*span=>
            #provided
            #rt::check::future_moves::<_, _, _, #node>(<#node as #rt::Node<'_, '_, #scope #arguments>>::enter);
            #way_out
            #wraps
        }
    });
    let fields = chain.fields.iter().map(|field| {
        let (cfg, ty) = (field.cfg(), &field.ty);
        let span = syn::spanned::Spanned::span(ty);
        let rt = names::alias(span);
        let check = quote_spanned!(span=> #rt::check::field_moves::<#ty>(););
        quote!(#(#cfg)* { #check })
    });
    let inputs = chain.run.inputs.iter().filter(|_| chain.form == Form::Item).map(|input| {
        let span = syn::spanned::Spanned::span(&input.ty);
        let (rt, ty) = (names::alias(span), types::with_lifetime_but(&input.ty, &anonymous, &own));
        quote_spanned!(span=> #rt::check::input_moves::<#ty>();)
    });
    let checks: Vec<_> = checks.chain(fields).chain(inputs).collect();
    Some(quote! {
        impl #impl_generics #name #ty_generics #clause {
            const fn sends() { #(#checks)* }
        }
    })
}

fn pair(name: &str, ty: &str) -> TokenStream {
    quote!((#name, #ty))
}

/// The same names with nothing behind them, where the chain has errors.
pub(super) fn stub(chain: &Chain) -> TokenStream {
    let rt = &names::runtime_alias();
    let vis = &chain.vis;
    let name = names::unraw(&chain.name);
    let sizes = chain.run.is_async.then(|| {
        quote! {
            #vis const fn future_size() -> usize { 0 }
            #vis const fn node_sizes() -> [usize; 0] { [] }
        }
    });
    let toggles = (!chain.run.body.toggles().is_empty())
        .then(|| quote!(#vis const fn toggles(&self) -> #rt::toggle::Switches<'_> { #rt::private::unreachable!() }));
    let sheds = (!chain.run.body.sheds().is_empty())
        .then(|| quote!(#vis const fn sheds(&self) -> #rt::shed::Sheds<'_> { #rt::private::unreachable!() }));
    quote! {
        #toggles
        #sheds
        #vis const NODES: &'static [#rt::NodeInfo] = &[];
        #vis const CHAIN: &'static #rt::describe::ChainInfo = &#rt::describe::ChainInfo {
            name: #name, inputs: &[], fields: &[], reply: "", nodes: &[], blocks: &[], sheds: &[],
        };
        #vis const fn drawing() -> #rt::Drawing { #rt::Drawing::of(Self::CHAIN) }
        #sizes
    }
}

/// `async fn` sizes through a `const fn` that is generic over what the function returns.
fn sizes(plan: &Plan<'_>) -> TokenStream {
    let chain = plan.chain;
    let rt = &names::runtime_alias();
    let vis = &chain.vis;
    let arguments = scope_arguments(chain, false);
    let count = plan.steps.len();
    let letters: Vec<_> = (0..=chain.run.inputs.len()).map(|index| names::local("Argument", index)).collect();
    let nodes = plan.steps.iter().map(|step| {
        let crate::plan::Step { node, span, level, .. } = step;
        let rt = &names::alias(*span);
        let scope = &plan.levels[*level].scope;
        quote_spanned!(*span=> #rt::private::future_of_2(<#node as #rt::Node<'_, '_, #scope #arguments>>::enter))
    });
    let name = &chain.name;
    let generics = super::observed_generics(chain);
    let (impl_generics, ty_generics, clause) = generics.split_for_impl();
    quote! {
        impl #impl_generics #name #ty_generics #clause {
            /// Bytes of the future that `run` returns.
            #[must_use]
            #vis const fn future_size() -> usize {
                const fn of<#(#letters,)* Future>(_: fn(#(#letters),*) -> Future) -> usize {
                    #rt::private::size_of::<Future>()
                }
                of(Self::run)
            }
            /// Bytes of each node's own future on its way in; 0 for a node that never suspends.
            #[must_use]
            #vis const fn node_sizes() -> [usize; #count] {
                [#(#nodes),*]
            }
        }
    }
}

/// That the inputs, the fields and the bindings show which of them are references.
fn shows(plan: &Plan<'_>) -> TokenStream {
    let chain = plan.chain;
    let rt = &names::runtime_alias();
    let shows = |what: &str, name: &syn::Ident, ty: &syn::Type| {
        let ty = types::referent(ty);
        if !matches!(ty, syn::Type::Path(_)) || types::mentions(ty, &chain.generics) {
            return None;
        }
        let span = syn::spanned::Spanned::span(ty);
        let (name, text, ty) = (names::unraw(name), types::text(ty), types::anonymous(ty));
        let rt = names::alias(span);
        Some(quote_spanned!(span=> #rt::check::shows(#what, #name, #text, #rt::private::Probe::<#ty>::SHOWS);))
    };
    let inputs = chain.run.inputs.iter().filter(|_| chain.form == Form::Item);
    let inputs: Vec<_> = inputs.filter_map(|input| shows("the input ", &input.name, &input.ty)).collect();
    let fields = chain.fields.iter().filter_map(|field| {
        let cfg = field.cfg();
        let ty = types::reloadable(&field.ty).unwrap_or(&field.ty);
        let shows = shows("the field ", &field.name, ty)?;
        Some(quote!(#(#cfg)* { #shows }))
    });
    let bindings = plan.bindings().filter_map(|(name, ty)| shows("the binding ", name, ty));
    let (fields, bindings) = (fields.collect::<Vec<_>>(), bindings.collect::<Vec<_>>());
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

/// The same of what a node provides whose type has arguments, for nobody asked it where it was made; and that what ends the chain gives
/// a reply.
fn shows_of(plan: &Plan<'_>, position: usize) -> Option<TokenStream> {
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
        let found = quote_spanned!(*span=> #rt::private::Probe::<<#node as #rt::Joins<'_, ()>>::As<0>>);
        let shows = quote_spanned!(*span=> [#found::IS_SHARED, #found::IS_MUTABLE]);
        let signature = quote_spanned!(*span=> <#node as #rt::Signature<'_>>);
        let (out, kind) = (
            quote_spanned!(*span=> #rt::private::Probe::<#signature::Out>),
            quote_spanned!(*span=> #rt::private::Probe::<#signature::Kind>),
        );
        let hides =
            quote_spanned!(*span=> #kind::IS_PLAIN && #rt::private::one_is([#out::IS_RESULT, #out::IS_CONTROL_FLOW]));
        let shows = has_arguments.then(|| {
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

/// The chain's reply, where what the node at this position gives could be it, and is not.
fn may_reply(plan: &Plan<'_>, position: usize) -> Option<syn::Type> {
    let step = &plan.steps[position];
    let is_step = step.role == Role::Step && !step.is_detached() && !types::mentions(&step.node, &plan.chain.generics);
    let provides = plan.levels[step.level].providers.contains(&position);
    reply_outside(plan.chain).filter(|_| is_step && provides)
}

/// The same where it is made of that.
fn may_end(plan: &Plan<'_>, position: usize) -> Option<syn::Type> {
    let step = &plan.steps[position];
    let level = &plan.levels[step.level];
    let ends = step.role == Role::Step && level.replies && !level.providers.contains(&position);
    reply_outside(plan.chain).filter(|_| ends && !types::mentions(&step.node, &plan.chain.generics))
}

/// The static that says whether it is, or what it is.
fn is_a_reply(plan: &Plan<'_>, position: usize) -> syn::Ident {
    names::static_of(&format!("Reply{position}"), &plan.chain.name)
}

/// Those. Not in the constants that check: of a node that does not exist rustc says in a constant that it might be a parameter, and so the same
/// once more.
fn replies(plan: &Plan<'_>) -> TokenStream {
    let replies = plan.steps.iter().enumerate().filter_map(|(position, step)| {
        let (span, name) = (step.span, is_a_reply(plan, position));
        let rt = names::alias(span);
        let gives = read_of(&outside(plan, step), span, "Gives");
        let (ty, asked) = match (may_reply(plan, position), may_end(plan, position)) {
            (Some(reply), _) => {
                let two = quote_spanned!(span=> #rt::private::Probe::<(#gives, #reply)>);
                let asked = quote_spanned!(span=> [#two::IS_THE_REPLY, #two::IS_ITS_VALUE, #two::IS_A_REPLY]);
                (quote!(#rt::private::bool), quote_spanned!(span=> #rt::private::one_is(#asked)))
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

/// `node::Gives`, or `Breaks`, of a node.
fn read_of(node: &TokenStream, span: proc_macro2::Span, what: &str) -> TokenStream {
    let (rt, what) = (names::alias(span), syn::Ident::new(what, span));
    let signature = quote_spanned!(span=> <#node as #rt::Signature<'_>>);
    quote_spanned!(span=> <#signature::Kind as #rt::flow::Reads<#signature::Out>>::#what)
}

/// That what a node breaks with whose type has arguments is no `()`.
fn breaks_show(plan: &Plan<'_>, step: &Step, anything: &syn::Ident) -> Option<TokenStream> {
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

/// Whether the reply is a type that whatever can be converted becomes. `None` where it depends on a type parameter, or is `()`.
fn is_anything(chain: &Chain, span: proc_macro2::Span, how: &str) -> Option<TokenStream> {
    let reply = reply_outside(chain)?;
    let (rt, how) = (names::alias(span), syn::Ident::new(how, span));
    Some(quote_spanned!(span=> #rt::private::Probe::<#reply>::#how))
}

/// The reply's type where the chain's own lifetimes are not declared. `None` where it depends on a type parameter, or is `()`.
fn reply_outside(chain: &Chain) -> Option<syn::Type> {
    let reply = &chain.run.reply;
    let is_known = chain.form == Form::Item && !types::mentions(reply, &chain.generics) && !types::is_unit(reply);
    is_known.then(|| types::anonymous(reply))
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

/// What the attributes before a node ask for, at the attributes.
fn features(plan: &Plan<'_>, step: &Step) -> TokenStream {
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

fn condition_features(condition: &Condition) -> Option<TokenStream> {
    match condition {
        Condition::Sampled(span, _) => {
            let rt = names::alias(*span);
            Some(quote_spanned!(*span=> #rt::check::needs_chance();))
        }
        Condition::Split(..) | Condition::Asked(_) | Condition::Toggled(..) | Condition::Kept(_) => None,
    }
}

/// A constant for each node, at its token, and one for the budget, at its number.
fn checks(plan: &Plan<'_>) -> TokenStream {
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
