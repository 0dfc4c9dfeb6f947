//! A row of nodes, piece by piece; what is long is cut into state machines of its own.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use super::super::in_run;
use super::around::around;
use super::branch::branch;
use super::conditions::holds;
use super::enter::watched;
use super::frame::{Frame, Sink};
use super::scope::holder;
use super::step::step;
use crate::names;
use crate::plan::{Level, Piece, Plan, Row};

/// All of a row.
pub(super) fn row(plan: &Plan<'_>, row: &Row, frame: &Frame) -> TokenStream {
    pieces(plan, row, 0, frame)
}

/// The pieces of a row from this one on.
pub(super) fn pieces(plan: &Plan<'_>, row: &Row, at: usize, frame: &Frame) -> TokenStream {
    match plan.begins_part(row, at) {
        true => part(plan, row, at, frame),
        false => pieces_here(plan, row, at, frame),
    }
}

/// The rest of a very long row, in a state machine of its own, which gives the reply.
pub(super) fn part(plan: &Plan<'_>, row: &Row, at: usize, frame: &Frame) -> TokenStream {
    let reply = names::single("reply");
    let reply_ty = in_run(plan.chain, &plan.chain.run.reply);
    let label = names::part_label(at);
    let rest = pieces_here(plan, row, at, &frame.within(label.clone()));
    quote! {
        #reply = async {
            let mut #reply: #reply_ty;
            #label: { #rest }
            #reply
        }
        .await;
    }
}

pub(super) fn pieces_here(plan: &Plan<'_>, row: &Row, at: usize, frame: &Frame) -> TokenStream {
    let Some(piece) = row.pieces.get(at) else {
        return (!row.replies && frame.of == row.level).then(|| frame.goes_on()).flatten().unwrap_or_default();
    };
    match piece {
        Piece::Node(position) => {
            let is_last = at + 1 == row.pieces.len();
            step(plan, row, at, *position, is_last, frame)
        }
        Piece::Block(inner) => {
            let block = inner_row(plan, inner, frame);
            let rest = pieces(plan, row, at + 1, frame);
            quote!(#block #rest)
        }
        Piece::Around(position, inner) => around(plan, row, at, *position, inner, frame),
        Piece::Branch(position, arms) => branch(plan, row, at, *position, arms, frame),
        Piece::If(all, then, otherwise) => {
            let all = holds(plan, all, frame);
            let then = inner_row(plan, then, frame);
            let otherwise = otherwise.as_ref().map(|otherwise| inner_row(plan, otherwise, frame));
            let rest = pieces(plan, row, at + 1, frame);
            quote!(if #all { #then } else { #otherwise } #rest)
        }
    }
}

/// The page whose last node this is, made once that was entered.
pub(super) fn page_behind(plan: &Plan<'_>, at: usize) -> Option<TokenStream> {
    let rt = &names::runtime_alias();
    let in_level = plan.steps[at].level;
    let level = &plan.levels[in_level];
    let slot = level.provided().find(|slot| slot.position == at)?;
    let index = level.page_of(slot.index).filter(|index| Level::page(*index).end == slot.index + 1)?;
    let (page, ty) = (names::page_local(in_level, index), names::page_of(&level.scope, index));
    let on_page = Level::page(index);
    let slots = level.provided().filter(|slot| on_page.contains(&slot.index));
    let lent = slots.map(|slot| {
        let (member, held) = (&slot.member, holder(plan, slot.position, slot.span));
        quote!(#page.#member = #rt::private::Some(&mut #held.value);)
    });
    Some(quote! {
        let mut #page = #ty::none();
        #(#lent)*
    })
}

/// A block in the row's own body. Where its nodes have to be left before what comes after it can go on, its reply is put aside until
/// they are.
pub(super) fn inner_row(plan: &Plan<'_>, inner: &Row, frame: &Frame) -> TokenStream {
    let begins = block_begins(plan, inner);
    if inner.replies || !plan.leaves(inner) {
        let body = row(plan, inner, frame);
        return quote!({ #begins #body });
    }
    let chain = plan.chain;
    let rt = &names::runtime_alias();
    let flow = names::local("flow", inner.level);
    let value = names::single("value");
    let reply_ty = in_run(chain, &chain.run.reply);
    let label = names::row_label(inner.level);
    let body = row(plan, inner, &Frame { sink: Sink::Flow(flow.clone()), label: label.clone(), of: inner.level });
    let replied = frame.replied(&value.to_token_stream());
    let outer = &frame.label;
    quote! {
        let #flow: #rt::private::ControlFlow<#reply_ty, ()>;
        #begins
        #label: { #body }
        match #flow {
            #rt::private::ControlFlow::Continue(()) => {}
            #rt::private::ControlFlow::Break(#value) => { #replied break #outer; }
        }
    }
}

/// The row of a block begins.
pub(super) fn block_begins(plan: &Plan<'_>, inner: &Row) -> Option<TokenStream> {
    // A block has a level of its own, behind the chain's.
    let block = inner.level - 1;
    watched(plan.chain, "block", &quote!(#block))
}
