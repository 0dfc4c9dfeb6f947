//! A row of nodes, piece by piece. A long row is cut into several state machines.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::spanned::Spanned as _;

use super::super::in_run;
use super::around::around;
use super::branch::branch;
use super::conditions::holds;
use super::direct::value_of;
use super::enter::watched;
use super::frame::{Frame, Gives, given_ty};
use super::step::{behind, step};
use crate::names;
use crate::plan::{Level, Piece, Plan, Row, Slot};

/// A whole row.
pub(super) fn row(plan: &Plan<'_>, row: &Row, frame: &Frame) -> TokenStream {
    pieces(plan, row, 0, frame)
}

/// The pieces of a row, from this one on.
pub(super) fn pieces(plan: &Plan<'_>, row: &Row, at: usize, frame: &Frame) -> TokenStream {
    match plan.begins_part(row, at) {
        true => part(plan, row, at, frame),
        false => pieces_here(plan, row, at, frame),
    }
}

/// The rest of a very long row, in a state machine of its own that gives the reply.
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

pub(super) fn pieces_here(plan: &Plan<'_>, row: &Row, mut at: usize, frame: &Frame) -> TokenStream {
    // Nodes that need not be left are statements one after the other. So the code that follows is not copied once more
    // for each.
    let mut before = TokenStream::new();
    while let Some(Piece::Node(position)) = row.pieces.get(at)
        && at + 1 < row.pieces.len()
        && !plan.is_left(*position)
        && !plan.begins_part(row, at + 1)
    {
        step(plan, row, at, *position, frame, TokenStream::new()).to_tokens(&mut before);
        at += 1;
    }
    if !before.is_empty() {
        pieces(plan, row, at, frame).to_tokens(&mut before);
        return before;
    }
    let Some(piece) = row.pieces.get(at) else {
        let goes_on = !row.replies && row.gives.is_none();
        return (goes_on && frame.of == row.level).then(|| frame.goes_on()).flatten().unwrap_or_default();
    };
    match piece {
        Piece::Node(position) => {
            let rest = behind(plan, row, at, *position, frame);
            step(plan, row, at, *position, frame, rest)
        }
        Piece::Block(inner) => {
            let given = given(plan, row, at);
            let block = inner_row(plan, inner, &frame.giving(row.given[at]));
            let rest = after(plan, row, at, frame);
            quote!(#given #block #rest)
        }
        Piece::Around(position, inner) => around(plan, row, at, *position, inner, frame),
        Piece::Branch(position, arms) => branch(plan, row, at, *position, arms, frame),
        Piece::If(all, then, otherwise) => {
            let given = given(plan, row, at);
            let all = holds(plan, all, frame);
            let giving = frame.giving(row.given[at]);
            let then = inner_row(plan, then, &giving);
            let otherwise = otherwise.as_ref().map(|otherwise| inner_row(plan, otherwise, &giving));
            let rest = after(plan, row, at, frame);
            quote!(#given if #all { #then } else { #otherwise } #rest)
        }
    }
}

/// The local for the value of this piece, if it is a block that provides. It lives as long as the row, like the values
/// of the row's nodes.
pub(super) fn given(plan: &Plan<'_>, row: &Row, at: usize) -> Option<TokenStream> {
    let rt = &names::runtime_alias();
    let block = row.given[at]?;
    let ty = given_ty(plan, block);
    let held = names::given(block, plan.provided_by(block).ty.span());
    Some(match plan.way_of_block(block) {
        Some(way) => quote!(let mut #held: #rt::held::Bare<<#way as #rt::taken::Way>::Value<#ty>>;),
        None => quote!(let mut #held: #rt::held::Bare<#ty>;),
    })
}

/// The code after this piece, which is a block or contains blocks.
pub(super) fn after(plan: &Plan<'_>, row: &Row, at: usize, frame: &Frame) -> TokenStream {
    let is_it = |slot: &&Slot| slot.block.is_some() && slot.block == row.given[at];
    let slot = plan.levels[row.level].provided().find(is_it);
    let page = slot.and_then(|slot| page_behind(plan, row.level, slot.position));
    let rest = pieces(plan, row, at + 1, frame);
    quote!(#page #rest)
}

/// The page that ends with the value of this position. It is made once that value is there.
pub(super) fn page_behind(plan: &Plan<'_>, in_level: usize, at: usize) -> Option<TokenStream> {
    let rt = &names::runtime_alias();
    let level = &plan.levels[in_level];
    let slot = level.provided().find(|slot| slot.position == at)?;
    let index = level.page_of(slot.index).filter(|index| Level::page(*index).end == slot.index + 1)?;
    let (page, ty) = (names::page_local(in_level, index), names::page_of(&level.scope, index));
    let on_page = Level::page(index);
    let slots = level.provided().filter(|slot| on_page.contains(&slot.index));
    let lent = slots.map(|slot| {
        let (member, value) = (&slot.member, value_of(plan, slot));
        quote!(#page.#member = #rt::private::Some(&mut #value);)
    });
    Some(quote! {
        let mut #page = #ty::none();
        #(#lent)*
    })
}

/// A block in the row's own body. If its nodes have to be left before the row can go on, its reply is put aside until
/// then.
pub(super) fn inner_row(plan: &Plan<'_>, inner: &Row, frame: &Frame) -> TokenStream {
    let begins = block_begins(plan, inner);
    // It ends with what was put aside already.
    let is_aside = inner.gives.is_some() && frame.gives == Some(Gives::Flow);
    if inner.replies || is_aside || !plan.leaves(inner) {
        let body = row(plan, inner, frame);
        return quote!({ #begins #body });
    }
    let chain = plan.chain;
    let rt = &names::runtime_alias();
    let flow = names::local("flow", inner.level);
    let value = names::single("value");
    let reply_ty = in_run(chain, &chain.run.reply);
    let label = names::row_label(inner.level);
    let body = row(plan, inner, &Frame::aside(inner, &flow, &label));
    let replied = frame.replied(&value.to_token_stream());
    let outer = &frame.label;
    let (output, goes_on) = output(plan, inner, frame);
    quote! {
        let #flow: #rt::private::ControlFlow<#reply_ty, #output>;
        #begins
        #label: { #body }
        match #flow {
            #goes_on
            #rt::private::ControlFlow::Break(#value) => { #replied break #outer; }
        }
    }
}

/// The end of a row that has no reply, and what happens then.
pub(super) fn output(plan: &Plan<'_>, inner: &Row, frame: &Frame) -> (TokenStream, TokenStream) {
    let rt = &names::runtime_alias();
    let Some(block) = inner.gives else {
        return (quote!(()), quote!(#rt::private::ControlFlow::Continue(()) => {}));
    };
    let value = names::single("value");
    let gave = frame.gave(plan, &value.to_token_stream());
    let ty = given_ty(plan, block);
    (quote!(#ty), quote!(#rt::private::ControlFlow::Continue(#value) => { #gave }))
}

/// Tells the watch that a block begins.
pub(super) fn block_begins(plan: &Plan<'_>, inner: &Row) -> Option<TokenStream> {
    // A block's level comes after the chain's level, 0.
    let block = inner.level - 1;
    watched(plan.chain, "block", &quote!(#block))
}
