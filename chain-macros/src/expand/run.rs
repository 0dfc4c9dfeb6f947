//! The body of `run`: one flat state machine.
//!
//! ```text
//! let mut reply;
//! 'node0: {
//!     let mut held0 = match auth.enter(scope).await { Continue(value) => hold(value),
//!                                                     Break(broken) => { reply = broken.into(); break 'node0 } };
//!     'node1: {
//!         let mut held1 = ..;                       // entered: what is behind its block is its way out
//!         reply = last;
//!         held1's exit(scope, &mut reply).await; held1.left();
//!     }
//!     held0's exit(scope, &mut reply).await; held0.left();
//! }
//! reply
//! ```
//!
//! A block for each node: leaving it in any way drops what the node provided, in reverse, and a node that
//! breaks leaves just the blocks of the nodes that were entered. Drop order, cancellation and unwinding
//! are the language's own.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};

use super::{in_run, run_lifetime, scope_arguments};
use crate::ast::{Chain, Form};
use crate::names;
use crate::plan::{Plan, SlotKind, Step};
use crate::types;

pub(super) fn signature(chain: &Chain) -> TokenStream {
    let vis = &chain.vis;
    let attrs = &chain.run.attrs;
    let is_async = chain.run.is_async.then(|| quote!(async));
    let lifetime = run_lifetime(chain);
    let inputs = chain.run.inputs.iter().map(|input| {
        let name = &input.name;
        let ty = in_run(chain, &input.ty);
        quote!(#name: #ty)
    });
    let reply = in_run(chain, &chain.run.reply);
    let docs = (!attrs.iter().any(|attribute| attribute.path().is_ident("doc"))).then(|| {
        let nodes = chain.run.nodes.iter().map(|node| names::unraw(node.name()));
        let line = format!("Runs a request through `{}`.", nodes.collect::<Vec<_>>().join(" => "));
        quote!(#[doc = #line])
    });
    quote! {
        #docs
        #(#attrs)*
        #vis #is_async fn run<#lifetime>(&#lifetime self, #(#inputs),*) -> #reply
    }
}

pub(super) fn run(plan: &Plan<'_>) -> TokenStream {
    let chain = plan.chain;
    let rt = &names::runtime_alias();
    let name = &chain.name;
    let scope = &plan.scope;
    let generics = super::observed_generics(chain);
    let (impl_generics, ty_generics, clause) = generics.split_for_impl();
    let signature = signature(chain);
    let reply = names::single("reply");
    let ending = names::single("ending");
    let watch = names::single("watch");
    let reply_ty = in_run(chain, &chain.run.reply);
    let scope_arguments = scope_arguments(chain, true);
    let wired = plan.is_generic.then(|| quote!(let () = <#scope #scope_arguments>::WIRED;));
    let budget = (plan.is_generic && chain.budget.is_some()).then(|| quote!(let () = Self::WITHIN_BUDGET;));
    let inputs = plan.slots.iter().filter_map(|slot| {
        let input = chain.run.inputs.get(slot.index)?;
        let (member, user) = (&slot.member, &input.name);
        match slot.kind {
            SlotKind::OwnedInput => Some(quote!(let mut #member = #rt::private::Some(#user);)),
            // A reference stays where it is: each local that lives across an await has its place in the future.
            SlotKind::SharedInput | SlotKind::BorrowedInput | SlotKind::Context => None,
            SlotKind::Field | SlotKind::Provided => None,
        }
    });
    let observer = observer(chain);
    let begin = observer
        .as_ref()
        .map(|observer| quote!(let mut #watch = #rt::observe::Watch::<#observer>::begin(Self::CHAIN);));
    let ending_declared = plan.tells_ending().then(|| quote!(let #ending: &'static #rt::Ending;));
    let end = observer.as_ref().map(|_| quote!(#watch.end(#ending);));
    let body = (0..plan.steps.len()).rev().fold(TokenStream::new(), |inner, at| step(plan, at, &inner));
    quote! {
        impl #impl_generics #name #ty_generics #clause {
            #signature {
                #wired
                #budget
                #(#inputs)*
                let mut #reply: #reply_ty;
                #ending_declared
                #begin
                #body
                #end
                #reply
            }
        }
    }
}

fn observer(chain: &Chain) -> Option<TokenStream> {
    let observers = &chain.observers;
    match observers.as_slice() {
        [] => None,
        [one] => Some(quote!(#one)),
        several => Some(quote!((#(#several),*))),
    }
}

/// Makes the scope of the node at this position, in the local `scope`: what stands before it, and on its way out
/// the reply as well.
fn scope_at(plan: &Plan<'_>, at: usize, way_out: bool) -> TokenStream {
    let chain = plan.chain;
    let rt = &names::runtime_alias();
    let scope_ty = &plan.scope;
    let scope = names::single("scope");
    let visible = if way_out { at + 1 } else { at };
    let pages = plan.pages_before(at);
    let page_names: Vec<_> = (0..pages).map(|index| names::local("page", index)).collect();
    let chunks = plan.chunks().min(visible / plan.chunk(0).len());
    let elsewhere = plan.page(pages).start.max(plan.chunk(chunks).start);
    let members = plan.slots.iter().filter_map(|slot| {
        let member = &slot.member;
        let input = chain.run.inputs.get(slot.index).map(|input| &input.name);
        let value = match slot.kind {
            SlotKind::Field => return None,
            SlotKind::Provided if slot.index >= visible || elsewhere > slot.index => return None,
            SlotKind::Provided => {
                let held = names::held(slot.index, slot.span);
                quote!(#rt::private::Some(&mut #held.value))
            }
            SlotKind::OwnedInput => quote!(#rt::private::Some(&mut #member)),
            SlotKind::SharedInput => quote!(#rt::private::Some(#input)),
            SlotKind::BorrowedInput => quote!(#rt::private::Some(&mut *#input)),
            SlotKind::Context => quote!(#rt::short::Lent::new(&mut *#input)),
        };
        // At the slot's token: if its type is an error, the error is there.
        Some(names::assign_at(&scope, &plan.loan_of(slot), &value, slot.span))
    });
    let chunks = (0..chunks).map(|index| {
        let (chunk, refs) = (names::local("chunk", index), names::single("refs"));
        let held = plan.chunk(index).map(|position| names::held(position, plan.steps[position].span));
        // A `let` of its own: with an expected type, each reference would be borrowed again.
        quote! {
            let #refs = (#(&mut #held.value,)*);
            #scope.#chunk = #rt::private::all_lent(#refs);
        }
    });
    let (reply, ending) = (names::single("reply"), names::single("ending"));
    let outward = way_out.then(|| {
        quote! {
            #scope.reply = #rt::private::Some(&mut #reply);
            #scope.ending = #rt::private::Some(#ending);
        }
    });
    quote! {
        let mut #scope = #scope_ty::empty(self);
        #outward
        #(#scope.#page_names = #page_names.again();)*
        #(#chunks)*
        #(#members)*
    }
}

/// The page whose last node this is, made once that was entered.
fn page_behind(plan: &Plan<'_>, at: usize) -> Option<TokenStream> {
    let rt = &names::runtime_alias();
    let index = plan.page_of(at).filter(|index| plan.page(*index).end == at + 1)?;
    let (page, ty) = (names::local("page", index), names::page_of(&plan.chain.name, index));
    let on_page = plan.page(index);
    let slots = plan.slots.iter().filter(|slot| slot.kind == SlotKind::Provided && on_page.contains(&slot.index));
    let lent = slots.map(|slot| {
        let (member, held) = (&slot.member, names::held(slot.index, slot.span));
        quote!(#page.#member = #rt::private::Some(&mut #held.value);)
    });
    Some(quote! {
        let mut #page = #ty::none();
        #(#lent)*
    })
}

/// The block of one node, around the blocks of those after it.
fn step(plan: &Plan<'_>, at: usize, inner: &TokenStream) -> TokenStream {
    let chain = plan.chain;
    let Step { node, place, span, has_hooks, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let span = *span;
    let is_last = at + 1 == plan.steps.len();
    let label = names::label(plan.block_of(at));
    let out = names::local("out", at);
    let held = names::held(at, span);
    let value = names::single("value");
    let entered = watched(chain, &quote!(entered(#at)));
    let enter = enter(plan, at);
    let exit = exit(plan, at);
    let give_reply = broke(plan, at);
    let kind = quote_spanned!(span=> <#node as #rt::Signature<'_>>::Kind);
    let flow = quote_spanned!(span=> <#kind as #rt::flow::Reads<_>>::read(#out));
    let control = quote!(#rt::private::ControlFlow);
    let way = if is_last {
        let reply = gave(plan, at);
        quote! {
            match #flow {
                #control::Continue(#value) => { #reply }
                #control::Break(#value) => { #give_reply break #label; }
            }
            #entered
            #exit
        }
    } else {
        let hold = quote_spanned!(span=> <#node as #rt::Cancel<'_, Self>>::hold::<#at>);
        let key = quote_spanned!(span=> <<#node as #rt::Signature<'_>>::Key<#at> as #rt::flow::KeyOf<_>>::key_of);
        let left = quote_spanned!(span=> <#node as #rt::Cancel<'_, Self>>::leave::<#at>(&mut #held););
        let page = page_behind(plan, at);
        let this = quote!(self);
        let hold_it = match has_hooks {
            true => quote_spanned!(span=> #hold(#place, #key(#value), #this)),
            false => quote!(#rt::held::Bare { value: #key(#value) }),
        };
        let left = has_hooks.then_some(left);
        quote! {
            let mut #held = match #flow {
                #control::Continue(#value) => #hold_it,
                #control::Break(#value) => { #give_reply break #label; }
            };
            #entered
            #page
            #inner
            #exit
            #left
        }
    };
    let through = quote! {
        let #out = #enter;
        #way
    };
    if plan.begins_block(at) { quote!(#label: { #through }) } else { through }
}

/// A call on the watch, where the chain is observed.
fn watched(chain: &Chain, call: &TokenStream) -> Option<TokenStream> {
    let watch = names::single("watch");
    (!chain.observers.is_empty()).then(|| quote!(#watch.#call;))
}

/// Awaits a hook, or calls it: which, the node's type says.
fn called(plan: &Plan<'_>, at: usize, hook: &str, suspends: &TokenStream) -> TokenStream {
    let chain = plan.chain;
    let Step { node, place, span, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let span = *span;
    let way_out = hook == "exit";
    let scope_local = names::single("scope");
    let scope = scope_at(plan, at, way_out);
    let as_node = quote_spanned!(span=> <#node as #rt::Node<'_, '_, _>>);
    let later = syn::Ident::new(hook, span);
    let now = syn::Ident::new(&format!("{hook}_now"), span);
    if !chain.run.is_async {
        return quote!({ #scope #as_node::#now(#place, #scope_local) });
    }
    let awaited = if chain.observers.is_empty() {
        quote_spanned!(span=> #as_node::#later(#place, #scope_local).await)
    } else {
        let watch = names::single("watch");
        let future = names::single("future");
        let way = if way_out { quote!(Out) } else { quote!(In) };
        quote_spanned! {span=> {
            let mut #future = #rt::private::pin!(#as_node::#later(#place, #scope_local));
            #watch.polls(#future, #at, #rt::observe::Way::#way).await
        }}
    };
    quote! {{
        #scope
        if #suspends { #awaited } else { #as_node::#now(#place, #scope_local) }
    }}
}

fn enter(plan: &Plan<'_>, at: usize) -> TokenStream {
    let chain = plan.chain;
    let Step { node, span, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let span = *span;
    let fits = (!chain.run.is_async)
        .then(|| quote_spanned!(span=> #rt::private::fits_fn::<<#node as #rt::Signature<'_>>::Pace, (#node)>();));
    let suspends = quote_spanned!(span=> <<#node as #rt::Signature<'_>>::Pace as #rt::node::pace::Pace>::SUSPENDS);
    let entering = watched(chain, &quote!(enter(#at)));
    let call = called(plan, at, "enter", &suspends);
    quote!({ #fits #entering #call })
}

fn exit(plan: &Plan<'_>, at: usize) -> TokenStream {
    let chain = plan.chain;
    let Step { node, span, has_hooks, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let hook = quote_spanned!(*span=> <#node as #rt::Signature<'_>>::FACTS.exit);
    // For a node without `exit` this cannot return, and rustc drops what stands behind it, scope and all.
    let way = quote_spanned!(*span=> <<#node as #rt::Cancel<'_, Self>>::WayOut as #rt::node::way_out::WayOut>::go());
    let call = called(plan, at, "exit", &quote!(#hook.suspends()));
    let leaving = watched(chain, &quote!(leave(#at)));
    let left = watched(chain, &quote!(left(#at)));
    if !has_hooks {
        return quote!(#leaving #left);
    }
    quote! {
        #leaving
        if #hook.is_present() {
            let _ = #way;
            #call
        }
        #left
    }
}

/// What the reply is made with.
fn mode(chain: &Chain) -> TokenStream {
    let rt = &names::runtime_alias();
    if types::is_named(&chain.run.reply, "Result") {
        quote!(#rt::flow::reply::Fallible)
    } else {
        quote!(#rt::flow::reply::Plain)
    }
}

/// The node broke with `value`: that becomes the reply.
fn broke(plan: &Plan<'_>, at: usize) -> TokenStream {
    let index = at * 2 + 1;
    let broke = watched(plan.chain, &quote!(broke(#at)));
    let assign = assign(plan, at, "Cut", index);
    quote!(#broke #assign)
}

/// The last node gave `value`: that becomes the reply.
fn gave(plan: &Plan<'_>, at: usize) -> TokenStream {
    assign(plan, at, "End", at * 2)
}

fn assign(plan: &Plan<'_>, at: usize, what: &str, ending_index: usize) -> TokenStream {
    let chain = plan.chain;
    let scope = &plan.scope;
    let Step { node, span, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let span = *span;
    let value = names::single("value");
    let (reply, ending) = (names::single("reply"), names::single("ending"));
    let scope_arguments = scope_arguments(chain, true);
    let kind = syn::Ident::new(what, span);
    let of = syn::Ident::new(if what == "Cut" { "Breaks" } else { "Gives" }, span);
    let of = quote_spanned!(span=> #rt::node::#of<'_, (#node)>);
    let function = syn::Ident::new(&what.to_lowercase(), span);
    let endings = match plan.is_generic {
        true => quote!(<#scope #scope_arguments>::ENDINGS),
        false => names::static_of("Endings", &chain.name).into_token_stream(),
    };
    let ended = plan.tells_ending().then(|| quote!(#ending = &#endings[#ending_index];));
    let as_signature = quote_spanned!(span=> <#node as #rt::Signature<'_>>);
    if chain.form == Form::Short {
        let context = &chain.run.inputs[0].name;
        let into = syn::Ident::new(&format!("{what}Into"), span);
        let call = quote_spanned! {span=>
            <#as_signature::Kind as #rt::short::#into<#of, (#node)>>::write(#value, &mut #context.response)
        };
        return quote!(#ended #call; #reply = *#ending;);
    }
    let mode = mode(chain);
    let reply_ty = in_run(chain, &chain.run.reply);
    let call = quote_spanned! {span=>
        <#as_signature::Kind as #rt::flow::#kind<#of, (#node), #reply_ty, #mode>>::#function(#value)
    };
    quote!(#ended #reply = #call;)
}
