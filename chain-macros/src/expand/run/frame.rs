//! Where a reply goes, and which block a node leaves when it breaks.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Ident, Lifetime};

use super::super::{describe, in_run, scope_arguments};
use super::direct;
use super::enter::watched;
use crate::ast::Form;
use crate::names;
use crate::plan::{Plan, Row, Step};
use crate::types;

/// Where a reply goes, and which block a node leaves when it breaks.
#[derive(Clone)]
pub(super) struct Frame {
    pub(super) sink: Sink,
    pub(super) label: Lifetime,
    /// The level of the row whose end decides it.
    pub(super) of: usize,
    /// Where the row's last value goes, if the row ends a block that provides.
    pub(super) gives: Option<Gives>,
}

/// Where the value of a block goes.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Gives {
    /// Into the local of this block.
    Held(usize),
    /// To the place of the replies, which then says that there is none.
    Flow,
}

#[derive(Clone)]
pub(super) enum Sink {
    /// The local `reply`.
    Reply,
    /// A local that can also say that there is no reply.
    Flow(Ident),
}

impl Frame {
    /// For a row whose replies are put aside in this local until its nodes were left.
    pub(super) fn aside(row: &Row, flow: &Ident, label: &Lifetime) -> Self {
        let gives = row.gives.map(|_| Gives::Flow);
        Self { sink: Sink::Flow(flow.clone()), label: label.clone(), of: row.level, gives }
    }

    pub(super) fn within(&self, label: Lifetime) -> Self {
        Self { label, ..self.clone() }
    }

    /// Stores a reply.
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

    /// Stores that there is no reply, but a value of the block.
    pub(super) fn gave(&self, plan: &Plan<'_>, value_is: &TokenStream) -> TokenStream {
        let rt = &names::runtime_alias();
        match (self.gives, &self.sink) {
            (Some(Gives::Held(block)), _) => {
                let held = names::given(block, plan.provided_by(block).ty.span());
                match plan.way_of_block(block) {
                    Some(way) => {
                        quote!(#held = #rt::held::Bare { value: <#way as #rt::taken::Way>::hold(#value_is) };)
                    }
                    None => quote!(#held = #rt::held::Bare { value: #value_is };),
                }
            }
            (Some(Gives::Flow), Sink::Flow(flow)) => quote!(#flow = #rt::private::ControlFlow::Continue(#value_is);),
            _ => unreachable!("a row that gives something is in a block that provides it"),
        }
    }

    /// The same, for the local of this block.
    pub(super) fn giving(&self, block: Option<usize>) -> Self {
        match block {
            Some(block) => Self { gives: Some(Gives::Held(block)), ..self.clone() },
            None => self.clone(),
        }
    }

    /// Stores that there is none: what comes after goes on.
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

/// The node broke with `value`, which becomes the reply.
pub(super) fn broke(plan: &Plan<'_>, at: usize, frame: &Frame) -> TokenStream {
    let broke = watched(plan.chain, "broke", &quote!(#at));
    let label = &frame.label;
    let assign = match is_cut_plainly(plan, at) {
        true => cut_to(plan, at, frame),
        false => {
            let (kind, of) = read_as(plan, at, "Breaks");
            assign(plan, at, "Cut", &kind, &of, at * 2 + 1, frame)
        }
    };
    quote!(#broke #assign break #label;)
}

/// The around node gave up with `value`, which becomes the reply.
pub(super) fn gave_up(plan: &Plan<'_>, at: usize, as_around: &TokenStream, frame: &Frame) -> TokenStream {
    let broke = watched(plan.chain, "broke", &quote!(#at));
    let label = &frame.label;
    let span = &plan.steps[at].span;
    let kind = quote_spanned!(*span=> #as_around::Kind);
    let of = quote_spanned!(*span=> #as_around::GivesUp);
    let assign = assign(plan, at, "Cut", &kind, &of, at * 2 + 1, frame);
    quote!(#broke #assign break #label;)
}

/// The last node gave `value`, which becomes the reply.
pub(super) fn gave(plan: &Plan<'_>, at: usize, frame: &Frame) -> TokenStream {
    let (kind, of) = read_as(plan, at, "Gives");
    assign(plan, at, "End", &kind, &of, at * 2, frame)
}

/// The way in which a node's result is read, and the type of this part of it.
pub(super) fn read_as(plan: &Plan<'_>, at: usize, part: &str) -> (TokenStream, TokenStream) {
    let Step { node, span, told, .. } = &plan.steps[at];
    let (rt, part) = (&names::alias(*span), Ident::new(part, *span));
    match told {
        // rustc knows the type of the value. For an error that `?` would convert, it would expect the converted type.
        Some(told) if types::is_named(&plan.chain.run.reply, "Result") => {
            let kind = direct::kind(plan, at, told);
            let out = direct::returns(node, *span, told);
            (kind.clone(), quote_spanned!(*span=> <#kind as #rt::flow::Reads<#out>>::#part))
        }
        Some(told) => (direct::kind(plan, at, told), quote!(_)),
        None => (
            quote_spanned!(*span=> <#node as #rt::Signature<'_>>::Kind),
            quote_spanned!(*span=> #rt::node::#part<'_, (#node)>),
        ),
    }
}

/// The last node of a block that goes on gave `value`, which has to be nothing.
pub(super) fn goes_on(plan: &Plan<'_>, at: usize) -> TokenStream {
    let Step { node, span, told, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let value = names::value_at(*span);
    let gives = match told {
        Some(told) => direct::gives(plan, at, told),
        None => quote_spanned!(*span=> #rt::node::Gives<'_, (#node)>),
    };
    quote_spanned!(*span=> <#gives as #rt::flow::GoOn<#node>>::go_on(#value);)
}

/// The last node of a block that provides gave `value`.
pub(super) fn gives(plan: &Plan<'_>, at: usize, block: usize, frame: &Frame) -> TokenStream {
    let Step { node, span, told, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let value = names::single("value");
    let ty = given_ty(plan, block);
    let (kind, of) = read_as(plan, at, "Gives");
    let of = match told {
        None => of,
        Some(told) if told.provides.is_empty() => quote!(()),
        Some(_) => plan.steps[at].value(node),
    };
    let given = quote_spanned!(*span=> <#kind as #rt::flow::Give<#of, (#node), #ty, #rt::flow::Itself>>::give(#value));
    frame.gave(plan, &given)
}

/// The type of this block's value.
pub(super) fn given_ty(plan: &Plan<'_>, block: usize) -> syn::Type {
    in_run(plan.chain, &plan.provided_by(block).ty)
}

/// The endings of the chain.
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
    let (value, ending) = (names::value_at(span), names::single("ending"));
    let kind = Ident::new(what, span);
    let function = Ident::new(&what.to_lowercase(), span);
    let endings = endings(plan);
    let ended = plan.tells_ending().then(|| quote!(#ending = &#endings[#ending_index];));
    if chain.form == Form::Short {
        let context = &chain.run.locals.inputs[0];
        let into = Ident::new(&format!("{what}Into"), span);
        let call = quote_spanned! {span=>
            <#reading as #rt::short::#into<#of, (#node)>>::write(#value, &mut #context.response)
        };
        let replied = frame.replied(&quote!(*#ending));
        return quote!(#ended #call; #replied);
    }
    let mode = if what == "End" { mode_of_end(plan, at) } else { mode(plan) };
    let reply_ty = in_run(chain, &chain.run.reply);
    let call = quote_spanned! {span=>
        <#reading as #rt::flow::#kind<#of, (#node), #reply_ty, #mode>>::#function(#value)
    };
    let replied = frame.replied(&call);
    quote!(#ended #replied)
}

/// The value with which a function breaks becomes the reply, which is a plain type.
pub(super) fn cut_to(plan: &Plan<'_>, at: usize, frame: &Frame) -> TokenStream {
    let Step { node, span, .. } = &plan.steps[at];
    let (rt, span, chain) = (&names::alias(*span), *span, plan.chain);
    let (value, reply_ty) = (names::value_at(span), in_run(chain, &chain.run.reply));
    let ended = plan.tells_ending().then(|| {
        let (ending, endings, index) = (names::single("ending"), endings(plan), at * 2 + 1);
        quote!(#ending = &#endings[#index];)
    });
    // As `Frame::replied` has it, in one go: most nodes that break do it here, and tokens within tokens take time.
    match &frame.sink {
        Sink::Reply => {
            let reply = names::single("reply");
            quote_spanned! {span=>
                #ended #reply = <_ as #rt::flow::CutsTo<#reply_ty, (#node)>>::cut_to(#value);
            }
        }
        Sink::Flow(_) => {
            let replied =
                frame.replied(&quote_spanned!(span=> <_ as #rt::flow::CutsTo<#reply_ty, (#node)>>::cut_to(#value)));
            quote!(#ended #replied)
        }
    }
}

/// Whether this is a function, and the name of the reply's type says that the reply is made through `IntoReply`.
pub(super) fn is_cut_plainly(plan: &Plan<'_>, at: usize) -> bool {
    let chain = plan.chain;
    let is_plain = !types::is_named(&chain.run.reply, "Result") && !plan.known.reply_may_hide_a_break;
    plan.steps[at].told.is_some() && chain.form == Form::Item && is_plain
}

/// How the reply is made. A reply under another name may be a `Result`, too.
pub(super) fn mode(plan: &Plan<'_>) -> TokenStream {
    let (chain, rt) = (plan.chain, &names::runtime_alias());
    let reply = &chain.run.reply;
    if types::is_named(reply, "Result") {
        return quote!(#rt::flow::reply::Fallible);
    }
    if types::is_named(reply, "ControlFlow") {
        return quote!(#rt::flow::reply::Flowing);
    }
    if chain.form == Form::Short || !plan.known.reply_may_hide_a_break || types::mentions(reply, &chain.generics) {
        return quote!(#rt::flow::reply::Plain);
    }
    let flow = names::static_of("Flow", &chain.name);
    quote!(<#rt::flow::reply::By<#flow> as #rt::flow::reply::Is>::Mode)
}

/// The same for the end of the chain: a value that is the reply already, under another name, is not converted.
pub(super) fn mode_of_end(plan: &Plan<'_>, at: usize) -> TokenStream {
    let Step { node, .. } = &plan.steps[at];
    let (chain, rt) = (plan.chain, &names::runtime_alias());
    let mode = mode(plan);
    if types::mentions(node, &chain.generics) || mode.to_string().ends_with("Plain") {
        return mode;
    }
    let node = describe::outside(plan, &plan.steps[at]);
    if let Some(told) = &plan.steps[at].told {
        if told.provides.is_empty() || plan.gives_what_is_known(at) {
            return mode;
        }
        let value = plan.steps[at].value(&node);
        let probe = quote!(#rt::private::Probe::<#value>);
        let asked = quote!([#probe::IS_RESULT, #probe::IS_CONTROL_FLOW]);
        let hides = quote!({ use #rt::private::Plainly as _; #rt::private::one_is(#asked) });
        return quote!(<#rt::flow::reply::Ends<#hides, #mode> as #rt::flow::reply::Is>::Mode);
    }
    quote!(<#rt::flow::reply::Ends<{ <#node as #rt::Signature<'_>>::FACTS.hides.a_break() }, #mode> as #rt::flow::reply::Is>::Mode)
}
