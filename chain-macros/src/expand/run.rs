//! The body of `run`: one flat state machine.
//!
//! ```text
//! let mut reply;
//! 'row0: {
//!     let mut held0 = match auth.enter(scope).await { Continue(value) => hold(value),
//!                                                     Break(broken) => { reply = broken.into(); break 'row0 } };
//!     'behind0: {
//!         let mut held1 = ..;                       // entered: what is behind its block is its way out
//!         reply = last;
//!         held1's exit(scope, &mut reply).await; held1.left();
//!     }
//!     held0's exit(scope, &mut reply).await; held0.left();
//! }
//! reply
//! ```
//!
//! Each node that may have a way out is followed by a block. Leaving the block in any way drops what was provided in
//! it, in reverse, and a node that breaks leaves exactly the blocks of the nodes that were entered. So drop order,
//! cancellation and unwinding are the language's own.
//!
//! A chain inside of the chain is a block in the same body. If other nodes come after it, it ends in one of two ways,
//! with a reply or without one, once its nodes were left. If leaving them does anything, its replies are put aside
//! until then (`flow`). Only the block of an around node is a future of its own.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::{in_run, run_lifetime, scope_arguments};
use crate::ast::{Chain, Form, Observer};
use crate::names;
use crate::plan::{Plan, SlotKind};
use crate::types;

mod around;
mod branch;
mod conditions;
mod direct;
mod enter;
mod frame;
mod leave;
mod open;
mod parts;
mod scope;
mod step;

pub(super) use direct::returns;
use frame::{Frame, Sink, endings};
use parts::row;

pub(super) fn signature(chain: &Chain) -> TokenStream {
    let vis = &chain.vis;
    let attrs = &chain.run.attrs;
    let is_async = chain.run.is_async.then(|| quote!(async));
    let lifetime = run_lifetime(chain);
    let this = &chain.run.locals.this;
    let inputs = chain.run.inputs.iter().zip(&chain.run.locals.inputs).map(|(input, name)| {
        let ty = in_run(chain, &input.ty);
        let attrs = &input.attrs;
        quote!(#(#attrs)* #name: #ty)
    });
    let reply = in_run(chain, &chain.run.reply);
    let docs = (!attrs.iter().any(|attribute| attribute.path().is_ident("doc"))).then(|| {
        let line = format!("Runs a request through `{}`.", chain.run.body.outline());
        quote!(#[doc = #line])
    });
    quote! {
        #docs
        #(#attrs)*
        #vis #is_async fn run<#lifetime>(&#lifetime #this, #(#inputs),*) -> #reply
    }
}

pub(super) fn run(plan: &Plan<'_>) -> TokenStream {
    let chain = plan.chain;
    let name = &chain.name;
    let generics = super::observed_generics(chain);
    let (impl_generics, ty_generics, clause) = generics.split_for_impl();
    let signature = signature(chain);
    let body = body(plan);
    quote! {
        impl #impl_generics #name #ty_generics #clause {
            #signature { #body }
        }
    }
}

/// The content of the braces of `run`.
pub(super) fn body(plan: &Plan<'_>) -> TokenStream {
    let chain = plan.chain;
    let rt = &names::runtime_alias();
    let scope = &plan.levels[0].scope;
    let reply = names::single("reply");
    let ending = names::single("ending");
    let watch = names::single("watch");
    let reply_ty = in_run(chain, &chain.run.reply);
    let scope_arguments = scope_arguments(chain, true);
    let wired = (plan.is_generic && plan.has_scope).then(|| quote!(let () = <#scope #scope_arguments>::WIRED;));
    let budget = (plan.is_generic && chain.budget.is_some()).then(|| quote!(let () = Self::WITHIN_BUDGET;));
    let inputs = plan.levels[0].slots.iter().filter_map(|slot| {
        let user = chain.run.locals.inputs.get(slot.index)?;
        let member = &slot.member;
        match slot.kind {
            SlotKind::OwnedInput if !plan.keeps_inputs() => Some(quote!(let mut #member = #rt::private::Some(#user);)),
            SlotKind::OwnedInput => Some(quote!(let mut #member = #user;)),
            // A reference stays where it is, because each local that lives across an await takes a place in the future.
            SlotKind::SharedInput | SlotKind::BorrowedInput | SlotKind::Context => None,
            SlotKind::Field | SlotKind::Version | SlotKind::Binding | SlotKind::Provided => None,
        }
    });
    let this = &chain.run.locals.this;
    let versions = plan.levels[0].slots.iter().filter(|slot| slot.kind == SlotKind::Version).map(|slot| {
        let (member, field) = (&slot.member, &chain.fields[slot.index]);
        let (cfg, name) = (field.cfg(), &field.name);
        if types::reloadable(&field.ty).is_none() {
            let (by, index) = (names::version_by(&chain.name, slot.index), slot.index);
            let load = quote!(<#rt::private::VersionBy<#by> as #rt::private::Versioned<_, Self, #index>>::load);
            return quote!(#(#cfg)* let #member = #load(&#this.#name););
        }
        quote!(#(#cfg)* let #member = #this.#name.load();)
    });
    let toggles = super::switches(chain).map(|switches| {
        let toggles = names::single("toggles");
        quote!(let #toggles = #rt::Toggles::snapshot(#switches);)
    });
    let sheds = super::shedding(chain).map(|shedding| {
        let sheds = names::single("sheds");
        quote!(let #sheds = #rt::Shedding::snapshot(#shedding);)
    });
    let observer = observer(plan);
    let words = plan.skippable_words();
    let cancelling = names::single("cancelling");
    let begin = observer.as_ref().map(|observer| {
        let begun = quote!(#rt::observe::Watch::<_, Self, #words>::begin(#observer, &#cancelling));
        let watch = match plan.wraps() {
            // The blocks and the code around them reach it in turn.
            true => {
                let shared = names::single("shared");
                quote!(let #shared = #begun; let mut #watch = &#shared;)
            }
            false => quote!(let mut #watch = #begun;),
        };
        quote! {
            use #rt::observe::Otherwise as _;
            let #cancelling = #rt::observe::Cancelling::new();
            #watch
        }
    });
    let ending_declared = plan.tells_ending().then(|| match plan.levels.len() > 1 || plan.has_parts() {
        // With blocks and parts, rustc cannot see that it is written once.
        true => {
            let endings = endings(plan);
            quote!(let mut #ending: &'static #rt::Ending = &#endings[0];)
        }
        false => quote!(let #ending: &'static #rt::Ending;),
    });
    let end = observer.as_ref().map(|_| {
        let watch = if plan.wraps() { names::single("shared") } else { watch };
        quote!(#watch.end(#ending);)
    });
    let label = names::row_label(0);
    let body = row(plan, &plan.body, &Frame { sink: Sink::Reply, label: label.clone(), of: 0, gives: None });
    let sends = super::describe::sends(plan);
    quote! {
        #sends
        #wired
        #budget
        #(#inputs)*
        #(#versions)*
        #toggles
        #sheds
        let mut #reply: #reply_ty;
        #ending_declared
        #begin
        #label: { #body }
        #end
        #reply
    }
}

/// The chain's observer: a single one, or pairs of observers.
fn observer(plan: &Plan<'_>) -> Option<TokenStream> {
    let chain = plan.chain;
    let this = &chain.run.locals.this;
    let by_type = names::single(if plan.wraps() { "by_type_shared" } else { "by_type" });
    let each = chain.observers.iter().map(|observer| match observer {
        Observer::Type(ty) => {
            let rt = names::alias(ty.span());
            quote_spanned!(ty.span()=> #rt::observe::Asked::<#ty>::NEW.#by_type())
        }
        Observer::Field(name) => {
            let ty = &chain.field(name).ty;
            let rt = names::alias(name.span());
            let field = quote!(&#this.#name);
            quote_spanned!(name.span()=> #rt::observe::Asked::<#ty>::NEW.field(#field))
        }
        Observer::NoAlloc(_) => {
            let rt = &names::runtime_alias();
            quote!(#rt::observe::Asked::<#rt::private::NoAlloc>::NEW.field(&#rt::private::NoAlloc))
        }
    });
    each.reduce(|first, second| quote!((#first, #second)))
}

/// The constant that says what the reply is, if the name of its type does not.
pub(super) fn reply_flow(plan: &Plan<'_>) -> TokenStream {
    let chain = plan.chain;
    let (rt, flow, reply) =
        (&names::runtime_alias(), names::static_of("Flow", &chain.name), types::anonymous(&chain.run.reply));
    let is = match types::mentions(&reply, &chain.generics)
        || chain.form == Form::Short
        || !plan.known.reply_may_hide_a_break
    {
        true => return TokenStream::new(),
        false => quote!({ use #rt::private::Plainly as _; #rt::private::Probe::<#reply>::FLOW }),
    };
    quote!(const #flow: usize = #is;)
}

/// The constants that say whether a field is a `Reloadable`, if the name of its type does not.
pub(super) fn versions(chain: &Chain) -> TokenStream {
    let rt = &names::runtime_alias();
    let fields = chain.fields.iter().enumerate().filter(|(index, _)| chain.may_be_reloadable(*index));
    let versions = fields.map(|(index, field)| {
        let (cfg, by, ty) = (field.cfg(), names::version_by(&chain.name, index), &field.ty);
        quote! {
            #(#cfg)*
            const #by: #rt::private::bool = { use #rt::private::Plainly as _; #rt::private::Probe::<#ty>::IS_RELOADABLE };
        }
    });
    versions.collect()
}
