//! The block of an around node: a future of its own.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};

use super::super::in_run;
use super::enter::{awaited, entered, watched};
use super::frame::{Frame, Sink, gave_up};
use super::parts::{after, block_begins, given, output, row};
use crate::ast::Form;
use crate::names;
use crate::plan::{Plan, Row, Step};

/// A node that wraps a block. The block is a future in this body, and the node is lent it. If the node asks for it, the
/// block is made and run again.
pub(super) fn around(
    plan: &Plan<'_>,
    in_row: &Row,
    row_at: usize,
    at: usize,
    inner: &Row,
    frame: &Frame,
) -> TokenStream {
    let chain = plan.chain;
    let Step { node, place, span, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let span = *span;
    let (out, value, attempt) = (names::local("out", at), names::single("value"), names::local("attempt", at));
    let (reply, watch, block) = (names::single("reply"), names::single("watch"), names::single("block"));
    let own = names::held(at, span);
    let (enter, entered) = entered(plan, at, frame, &value.to_token_stream());
    let control = quote!(#rt::private::ControlFlow);
    let reply_ty = in_run(chain, &chain.run.reply);
    let held = given(plan, in_row, row_at);
    let rest = after(plan, in_row, row_at, frame);
    let giving = &frame.giving(in_row.given[row_at]);
    let label = names::row_label(inner.level);
    let flow = names::local("flow", inner.level);
    let is_observed = !chain.observers.is_empty();
    let (turn, within, future) = (names::single("turn"), names::single("within"), names::single("future"));
    let shared = names::single("shared");
    let begins = block_begins(plan, inner);
    let done = is_observed.then(|| quote!(#turn.done(&#shared, #at);));
    let turns = is_observed.then(|| quote!(let #turn = #rt::observe::Turn::new();));
    // It comes first in the block, and so is dropped last.
    let watches = is_observed.then(|| {
        quote! {
            let #within = #rt::observe::Within::begin(&#shared, &#turn, #at);
            let mut #watch = &#shared;
            #begins
        }
    });
    let over = is_observed.then(|| quote!(#within.over();));
    let seen = is_observed.then(|| quote!(let #block = #rt::private::pin!(#turn.block(&#shared, #at, #block));));
    let wraps = watched(chain, "wraps", &quote!(#at));
    let wrapped = watched(chain, "wrapped", &quote!(#at));
    let left = watched(chain, "left", &quote!(#at));
    let (goes_on_ty, goes_on) = if inner.replies { Default::default() } else { output(plan, inner, giving) };
    let output_ty = match inner.replies {
        true => quote!(#reply_ty),
        false => quote!(#rt::private::ControlFlow<#reply_ty, #goes_on_ty>),
    };
    let as_around = quote_spanned!(span=> <#node as #rt::Around<'_, #reply_ty, #output_ty>>);
    let (inner_frame, declared, ended) = match inner.replies {
        true => {
            let replies = Frame { sink: Sink::Reply, label: label.clone(), of: inner.level, gives: None };
            (replies, quote!(let mut #reply: #reply_ty;), reply.clone())
        }
        false => (Frame::aside(inner, &flow, &label), quote!(let #flow: #output_ty;), flow),
    };
    let body = row(plan, inner, &inner_frame);
    // A block that goes on may have no reply to ask about.
    let outer = &frame.label;
    let (asked, replied) = match inner.replies {
        true => (quote!(#rt::private::Some(&#value)), frame.replied(&value.to_token_stream())),
        false => {
            let replied = frame.replied(&value.to_token_stream());
            (
                quote!(#rt::around::reply_in(&#value)),
                quote! {
                    match #value {
                        #goes_on
                        #control::Break(#value) => { #replied #left break #outer; }
                    }
                },
            )
        }
    };
    let pause = names::single("pause");
    // In the short form the reply is written into the context, so each try begins with what was written before the
    // block.
    let before = names::local("before", at);
    let (remembered, clean) = match chain.form {
        Form::Item => (None, None),
        Form::Short => {
            let context = &chain.run.locals.inputs[0];
            (
                Some(quote!(let #before = #rt::short::before(&#context.response, #as_around::AGAIN.is_present());)),
                Some(quote!(#rt::short::put_back(&#before, &mut #context.response);)),
            )
        }
    };
    let paused = awaited(plan, at, &quote_spanned!(span=> #as_around::pause(#pause)), "Out");
    let drops = watched(chain, "drops", &quote!(#at));
    // The reply is dropped before the pause and before the next run, since it may hold something that the next run
    // needs.
    let again = quote_spanned! {span=>
        if #as_around::AGAIN.suspends() {
            let #pause = match #asked {
                #rt::private::Some(#reply) => #as_around::again(#place, #attempt, #reply),
                #rt::private::None => #rt::private::None,
            };
            if let #rt::private::Some(#pause) = #pause {
                #drops
                #rt::private::drop(#value);
                #clean
                #wrapped
                #paused;
                #attempt += 1;
                continue;
            }
        } else if #as_around::AGAIN.is_present() {
            if let #rt::private::Some(#reply) = #asked {
                if #as_around::again_now(#place, #attempt, #reply) {
                    #drops
                    #rt::private::drop(#value);
                    #clean
                    #attempt += 1;
                    continue;
                }
            }
        }
    };
    let run = match is_observed {
        false => quote_spanned!(span=> #as_around::around(#place, &mut #own, #block).await),
        true => quote_spanned! {span=> {
            let #future = #rt::private::pin!(#as_around::around(#place, &mut #own, #block));
            #turn.polls(&#shared, #at, #future).await
        }},
    };
    let kind = quote_spanned!(span=> <#as_around::Kind as #rt::flow::Reads<_>>::read);
    let gave_up = gave_up(plan, at, &as_around, frame);
    // In braces, so that the value of the node's `enter` is dropped with the block.
    quote! { #held {
        #enter
        let mut #own = #entered;
        #remembered
        let mut #attempt = 1u32;
        let #value = loop {
            #wraps
            #turns
            let #out = {
                let #block = #rt::private::pin!(async {
                    #watches
                    #declared
                    #label: { #body }
                    #over
                    #ended
                });
                #seen
                #run
            };
            #done
            match #kind(#out) {
                #control::Continue(#value) => {
                    #again
                    break #value;
                }
                #control::Break(#value) => { #gave_up }
            }
        };
        #replied
        #left
    } #rest}
}
