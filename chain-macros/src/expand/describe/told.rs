//! The description of functions whose signature is known, as text: see `describe::text` of the runtime.

use std::fmt::Write as _;

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use crate::handshake::{Access, Hooks, Told};
use crate::names;
use crate::plan::{Plan, Role, Slot, SlotKind, Step};

/// All nodes as one text, and the number of their needs. `None` if the chain is more than a row of functions.
pub(super) fn whole(plan: &Plan<'_>) -> Option<(String, usize)> {
    if plan.has_scope || plan.levels.len() > 1 {
        return None;
    }
    let (mut text, mut count) = (String::new(), 0);
    for (at, step) in plan.steps.iter().enumerate() {
        let (told, slots) = (step.told.as_ref()?, plan.wired(at)?);
        let is_plain = step.attributes.is_empty() && !step.may_be_skipped() && step.cancel.is_none() && !step.no_alloc;
        if step.role != Role::Step || !is_plain || plan.after(at) != at.checked_sub(1) || hides(plan, at) {
            return None;
        }
        let line = if proc_macro::is_available() { step.span.unwrap().line() } else { 0 };
        let exit = out(plan, at, told);
        piece(&mut text, &step.name);
        text += &facts(told, line, plan.gives_back(at).is_some());
        // The needs of `exit` come after those of `enter`.
        let counts = match exit.is_empty() {
            true => slots.len().to_string(),
            false => format!("{} {}", slots.len(), exit.len()),
        };
        piece(&mut text, &counts);
        let all = told.parameters.iter().zip(&slots).map(|((access, ty), slot)| (*access, ty.as_str(), *slot));
        text += &needs(all);
        count += slots.len() + exit.len();
        text += &needs(exit.into_iter());
    }
    Some((text, count))
}

/// What the `exit` of this node needs, apart from the reply.
fn out<'a>(plan: &'a Plan<'_>, at: usize, told: &'a Told) -> Vec<(Access, &'a str, &'a Slot)> {
    let exit = told.hooks.as_ref().and_then(|hooks| hooks.exit.as_ref());
    let parameters = exit.into_iter().flat_map(|exit| &exit.parameters);
    let slots = plan.wired_exit(at).unwrap_or_default();
    let all = parameters.zip(slots).filter_map(|((_, access, ty), slot)| Some((*access, ty.as_str(), slot?)));
    all.collect()
}

/// The facts in a function's signature, as a `Seen`.
pub(super) fn seen(plan: &Plan<'_>, at: usize, told: &Told) -> TokenStream {
    let Step { node, span, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let Told { name, provides, breaks, is_async, .. } = told;
    let count = told.parameters.len();
    let needs = match plan.wired(at) {
        _ if count == 0 => quote!(&[]),
        Some(slots) => {
            let all = told.parameters.iter().zip(slots).map(|((access, ty), slot)| (*access, ty.as_str(), slot));
            pieces_of(rt, all)
        }
        None => {
            let sources = super::search::sources(plan, at);
            let needs = found(told);
            quote!(&#rt::describe::found_needs::<#count>(#needs, #sources))
        }
    };
    let shows = hides(plan, at).then(|| {
        let value = plan.steps[at].value(node);
        let probe = quote_spanned!(*span=> #rt::private::Probe::<#value>);
        quote!(.shows(#probe::IS_RESULT, #probe::IS_CONTROL_FLOW, #probe::IS_POLL, #probe::IS_FUTURE))
    });
    let back = plan.gives_back(at).map(|_| quote!(.gives_back()));
    let hooks = told.hooks.as_ref().map(|hooks| {
        let (enters, needs) = (hooks.enters, pieces_of(rt, out(plan, at, told).into_iter()));
        let exit = syn::Ident::new(
            match &hooks.exit {
                None => "Absent",
                Some(exit) if exit.is_async => "Suspends",
                Some(_) => "Now",
            },
            proc_macro2::Span::call_site(),
        );
        quote!(.hooks(#enters, #rt::describe::Hook::#exit, #needs))
    });
    let seen = quote_spanned!(*span=> #rt::describe::Seen::told([#name, #provides, #breaks], #is_async, #needs) #back #hooks #shows);
    match shows {
        Some(_) => quote!({ use #rt::private::Plainly as _; #seen }),
        None => seen,
    }
}

/// Needs with their sources, as data.
fn pieces_of<'a>(rt: &syn::Ident, needs: impl Iterator<Item = (Access, &'a str, &'a Slot)>) -> TokenStream {
    let needs = needs.map(|(access, ty, slot)| {
        let (kind, position) = source(slot);
        let (access, kind) = (access_of(access), syn::Ident::new(kind, proc_macro2::Span::call_site()));
        let (name, describe) = (&slot.name, quote!(#rt::describe));
        let from = quote!(#describe::Source { kind: #describe::SourceKind::#kind, position: #position, name: #name });
        quote!(#describe::Need { ty: #ty, access: #describe::Access::#access, from: #from })
    });
    quote!(&[#(#needs),*])
}

/// Whether a function's value may be something other than its name says, and no node asks for it by that name.
pub(super) fn hides(plan: &Plan<'_>, at: usize) -> bool {
    let step = &plan.steps[at];
    let provides = plan.levels[step.level].providers.contains(&at) || plan.gives(at).is_some();
    provides && step.told.as_ref().is_some_and(|told| !told.provides.is_empty()) && !plan.all_by_name
}

/// Appends a piece, with its length before it.
fn piece(text: &mut String, piece: &str) {
    // To write to a `String` cannot fail.
    let _ = write!(text, "{}:{piece}", piece.len());
}

/// The pieces of one need.
fn need(head: &str, ty: &str, source: &str) -> String {
    pieces(&[head, ty, source])
}

fn pieces(all: &[&str]) -> String {
    let mut text = String::new();
    all.iter().for_each(|one| piece(&mut text, one));
    text
}

/// The pieces of the function itself, without its name in the chain.
fn facts(told: &Told, line: usize, gives_back: bool) -> String {
    let Told { name, provides, breaks, is_async, hooks, .. } = told;
    let pace = match (is_async, gives_back, hooks) {
        (_, _, Some(Hooks { enters: false, .. })) => 'a',
        (true, false, _) => 's',
        (false, false, _) => 'n',
        (true, true, _) => 'S',
        (false, true, _) => 'N',
    };
    let exit = match hooks.as_ref().and_then(|hooks| hooks.exit.as_ref()) {
        None => "",
        Some(exit) if exit.is_async => " s",
        Some(_) => " n",
    };
    pieces(&[name, provides, breaks, &format!("{pace}{line}{exit}")])
}

/// The pieces of its needs.
fn needs<'a>(needs: impl Iterator<Item = (Access, &'a str, &'a Slot)>) -> String {
    let needs = needs.map(|(access, ty, slot)| {
        let (kind, position) = source(slot);
        let kind = if kind == "Block" { 'k' } else { kind.to_ascii_lowercase().as_bytes()[0] as char };
        need(&format!("{}{kind}{position}", letter(access)), ty, &slot.name)
    });
    needs.collect()
}

/// The pieces of its needs, without their sources.
fn found(told: &Told) -> String {
    told.parameters.iter().map(|(access, ty)| need(&format!("{}i0", letter(*access)), ty, "")).collect()
}

/// What a need is found in, and its index among its kind.
const fn source(slot: &Slot) -> (&'static str, usize) {
    match (slot.kind, slot.block) {
        (SlotKind::Field | SlotKind::Version, _) => ("Field", slot.position),
        (SlotKind::Provided, Some(block)) => ("Block", block),
        (SlotKind::Provided, None) => ("Node", slot.position),
        (SlotKind::Binding, _) => ("Binding", slot.position),
        (SlotKind::OwnedInput | SlotKind::SharedInput | SlotKind::BorrowedInput | SlotKind::Context, _) => {
            ("Input", slot.position)
        }
    }
}

fn access_of(access: Access) -> syn::Ident {
    let name = match access {
        Access::Lent => "Lent",
        Access::LentMut => "LentMut",
        Access::Taken => "Taken",
    };
    syn::Ident::new(name, proc_macro2::Span::call_site())
}

const fn letter(access: Access) -> char {
    match access {
        Access::Lent => 'l',
        Access::LentMut => 'm',
        Access::Taken => 't',
    }
}
