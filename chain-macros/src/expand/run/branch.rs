//! `match`, `if` and `if let`.

use proc_macro2::{Delimiter, Group, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Ident;

use super::conditions::holds;
use super::enter::{enter, read, watched};
use super::frame::{Frame, broke};
use super::leave::exit;
use super::parts::{inner_row, pieces};
use crate::names;
use crate::plan::{Arm, Plan, Role, Row, Step};

/// Whether a node that may be skipped is not: the local that knows, and what it is.
pub(super) fn goes(plan: &Plan<'_>, at: usize, frame: &Frame) -> (Ident, TokenStream) {
    let goes = names::local("goes", at);
    let holds = holds(plan, &plan.steps[at].conditions, frame);
    let told = watched(plan.chain, "skips", &quote!(#at, !#goes));
    (goes.clone(), quote!({ let #goes = #holds; #told #goes }))
}

/// A node whose value says which arm runs. It is left where its row ends, as any node.
pub(super) fn branch(
    plan: &Plan<'_>,
    in_row: &Row,
    row_at: usize,
    at: usize,
    arms: &[Arm],
    frame: &Frame,
) -> TokenStream {
    let chain = plan.chain;
    let Step { node, span, role, through, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let span = *span;
    let out = names::local("out", at);
    let value = names::single("value");
    let given = names::held(at, span);
    let entered = watched(chain, "entered", &quote!(#at));
    let enter = enter(plan, at, frame);
    let exit = exit(plan, at);
    let broke = broke(plan, at, frame);
    let read = read(plan, at, &out);
    let control = quote!(#rt::private::ControlFlow);
    let label = names::label(at);
    let is_left = plan.is_left(at);
    let inner = if is_left { frame.within(label.clone()) } else { frame.clone() };
    let rest = pieces(plan, in_row, row_at + 1, &inner);
    let arms = arms.iter().map(|arm| {
        let Arm { pattern, bindings, span, row } = arm;
        let body = inner_row(plan, row, &inner);
        // With its type, as it is written: another one is wrong there.
        let bindings = bindings.iter().map(|(name, local, ty)| {
            let local = quote!(mut #local);
            quote_spanned!(name.span()=> let #local: #ty = #name;)
        });
        // At the arm: where one is missing, rustc says behind which.
        let mut group = Group::new(Delimiter::Brace, quote!(#(#bindings)* #body));
        group.set_span(*span);
        quote_spanned!(*span=> #pattern => #group)
    });
    let given_value = match role {
        Role::Scrutinee { is_bool: true } => quote_spanned! {span=>
            <#rt::node::Gives<'_, (#node)> as #rt::check::Condition<#node>>::holds(#value)
        },
        _ => match through {
            Some(through) => quote_spanned!(span=> #through(#value)),
            None => value.to_token_stream(),
        },
    };
    let body = quote_spanned! {span=>
        match #given { #(#arms)* }
        #rest
    };
    let body = if is_left { quote!(#label: { #body }) } else { body };
    quote! {
        #enter
        let #given = match #read {
            #control::Continue(#value) => #given_value,
            #control::Break(#value) => { #broke }
        };
        #entered
        #body
        #exit
    }
}
