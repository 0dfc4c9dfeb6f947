//! Where replies go, and where a node that breaks leaves to.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::{Ident, Lifetime};

use super::super::{describe, in_run, scope_arguments};
use super::enter::watched;
use crate::ast::{Chain, Form};
use crate::names;
use crate::plan::{Plan, Step};
use crate::types;

/// Where replies go, and where a node that breaks leaves to.
#[derive(Clone)]
pub(super) struct Frame {
    pub(super) sink: Sink,
    pub(super) label: Lifetime,
    /// The level of the row at whose end it is decided.
    pub(super) of: usize,
}

#[derive(Clone)]
pub(super) enum Sink {
    /// The local `reply`.
    Reply,
    /// A local that also says where there is none.
    Flow(Ident),
}

impl Frame {
    pub(super) fn within(&self, label: Lifetime) -> Self {
        Self { label, ..self.clone() }
    }

    /// There is a reply.
    pub(super) fn replied(&self, reply_is: &TokenStream) -> TokenStream {
        match &self.sink {
            Sink::Reply => {
                let reply = names::single("reply");
                quote!(#reply = #reply_is;)
            }
            Sink::Flow(flow) => {
                let rt = &names::runtime_alias();
                quote!(#flow = #rt::private::ControlFlow::Break(#reply_is);)
            }
        }
    }

    /// There is none: what comes after goes on.
    pub(super) fn goes_on(&self) -> Option<TokenStream> {
        match &self.sink {
            Sink::Reply => None,
            Sink::Flow(flow) => {
                let rt = &names::runtime_alias();
                Some(quote!(#flow = #rt::private::ControlFlow::Continue(());))
            }
        }
    }
}

/// The node broke with `value`: that becomes the reply.
pub(super) fn broke(plan: &Plan<'_>, at: usize, frame: &Frame) -> TokenStream {
    let broke = watched(plan.chain, "broke", &quote!(#at));
    let label = &frame.label;
    let Step { node, span, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let kind = quote_spanned!(*span=> <#node as #rt::Signature<'_>>::Kind);
    let of = quote_spanned!(*span=> #rt::node::Breaks<'_, (#node)>);
    let assign = assign(plan, at, "Cut", &kind, &of, at * 2 + 1, frame);
    quote!(#broke #assign break #label;)
}

/// The around node gave up with `value`: that becomes the reply.
pub(super) fn gave_up(plan: &Plan<'_>, at: usize, as_around: &TokenStream, frame: &Frame) -> TokenStream {
    let broke = watched(plan.chain, "broke", &quote!(#at));
    let label = &frame.label;
    let span = &plan.steps[at].span;
    let kind = quote_spanned!(*span=> #as_around::Kind);
    let of = quote_spanned!(*span=> #as_around::GivesUp);
    let assign = assign(plan, at, "Cut", &kind, &of, at * 2 + 1, frame);
    quote!(#broke #assign break #label;)
}

/// The last node gave `value`: that becomes the reply.
pub(super) fn gave(plan: &Plan<'_>, at: usize, frame: &Frame) -> TokenStream {
    let Step { node, span, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let kind = quote_spanned!(*span=> <#node as #rt::Signature<'_>>::Kind);
    let of = quote_spanned!(*span=> #rt::node::Gives<'_, (#node)>);
    assign(plan, at, "End", &kind, &of, at * 2, frame)
}

/// The last node of a block that goes on gave `value`, which is nothing.
pub(super) fn goes_on(plan: &Plan<'_>, at: usize) -> TokenStream {
    let Step { node, span, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let value = names::single("value");
    quote_spanned!(*span=> <#rt::node::Gives<'_, (#node)> as #rt::flow::GoOn<#node>>::go_on(#value);)
}

/// How the chain can end.
pub(super) fn endings(plan: &Plan<'_>) -> TokenStream {
    let scope = &plan.levels[0].scope;
    let scope_arguments = scope_arguments(plan.chain, true);
    match plan.is_generic {
        true => quote!(<#scope #scope_arguments>::ENDINGS),
        false => names::static_of("Endings", &plan.chain.name).into_token_stream(),
    }
}

pub(super) fn assign(
    plan: &Plan<'_>,
    at: usize,
    what: &str,
    reading: &TokenStream,
    of: &TokenStream,
    ending_index: usize,
    frame: &Frame,
) -> TokenStream {
    let chain = plan.chain;
    let Step { node, span, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let span = *span;
    let (value, ending) = (names::single("value"), names::single("ending"));
    let kind = Ident::new(what, span);
    let function = Ident::new(&what.to_lowercase(), span);
    let endings = endings(plan);
    let ended = plan.tells_ending().then(|| quote!(#ending = &#endings[#ending_index];));
    if chain.form == Form::Short {
        let context = names::input(&chain.run.inputs[0].name);
        let into = Ident::new(&format!("{what}Into"), span);
        let call = quote_spanned! {span=>
            <#reading as #rt::short::#into<#of, (#node)>>::write(#value, &mut #context.response)
        };
        let replied = frame.replied(&quote!(*#ending));
        return quote!(#ended #call; #replied);
    }
    let mode = if what == "End" { mode_of_end(plan, at) } else { mode(chain) };
    let reply_ty = in_run(chain, &chain.run.reply);
    let call = quote_spanned! {span=>
        <#reading as #rt::flow::#kind<#of, (#node), #reply_ty, #mode>>::#function(#value)
    };
    let replied = frame.replied(&call);
    quote!(#ended #replied)
}

/// What the reply is made with. A reply by another name may be a `Result`, too.
pub(super) fn mode(chain: &Chain) -> TokenStream {
    let rt = &names::runtime_alias();
    let reply = &chain.run.reply;
    if types::is_named(reply, "Result") {
        return quote!(#rt::flow::reply::Fallible);
    }
    if chain.form == Form::Short || !types::may_hide_a_break(reply) || types::mentions(reply, &chain.generics) {
        return quote!(#rt::flow::reply::Plain);
    }
    let flow = names::static_of("Flow", &chain.name);
    quote!(<#rt::flow::reply::By<#flow> as #rt::flow::reply::Is>::Mode)
}

/// The same of what ends the chain: what is the reply already, under another name, is not made one.
pub(super) fn mode_of_end(plan: &Plan<'_>, at: usize) -> TokenStream {
    let Step { node, .. } = &plan.steps[at];
    let (chain, rt) = (plan.chain, &names::runtime_alias());
    let mode = mode(chain);
    if types::mentions(node, &chain.generics) || mode.to_string().ends_with("Plain") {
        return mode;
    }
    let node = describe::outside(plan, &plan.steps[at]);
    quote!(<#rt::flow::reply::Ends<{ <#node as #rt::Signature<'_>>::FACTS.hides.a_break() }, #mode> as #rt::flow::reply::Is>::Mode)
}
