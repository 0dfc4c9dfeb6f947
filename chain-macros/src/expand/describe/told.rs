//! The description of functions whose signature is known, as text: see `describe::text` of the runtime.

use std::fmt::Write as _;

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::super::{scope_arguments, scope_generics};
use crate::handshake::{Access, Hooks, Told};
use crate::names;
use crate::plan::{Plan, Role, Slot, SlotKind, Step};
use crate::types;

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
            let sources = sources(plan, at);
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

/// Where the scope finds what a function needs: what [`searches`] declares, called.
fn sources(plan: &Plan<'_>, at: usize) -> TokenStream {
    let Step { span, level, .. } = &plan.steps[at];
    let (scope, arguments) = (&plan.levels[*level].scope, scope_arguments(plan.chain, false));
    let sources = names::local("sources", at);
    names::as_if_at(quote!(<#scope #arguments>::#sources::<()>()), *span)
}

/// For each function that finds its values by their types, a function that says where they are, and one that hands them
/// out. A missing value is reported in both, of a type parameter and in the same words, so rustc says it once.
pub(in crate::expand) fn searches(plan: &Plan<'_>) -> TokenStream {
    let is_told = |(at, step): (usize, &'_ Step)| {
        let told = step.told.as_ref().filter(|told| told.hooks.is_none() && !told.parameters.is_empty())?;
        plan.wired(at).is_none().then(|| search(plan, at, told))
    };
    plan.steps.iter().enumerate().filter_map(is_told).collect()
}

fn search(plan: &Plan<'_>, at: usize, told: &Told) -> TokenStream {
    let Step { node, span, level, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    // What a node provides that is none, nobody knows. It is reported at its own place, and here in the same words.
    let others = plan.steps[..at].iter().filter(|other| other.told.is_none()).map(|other| {
        let seen = super::seen(plan, other);
        quote_spanned!(other.span=> let _ = #seen;)
    });
    let others: TokenStream = others.collect();
    let (any, place, value) = (names::single("Any"), names::single("scope"), names::value_at(*span));
    let call = names::call_lifetime();
    let found = told.parameters.iter().enumerate().map(|(index, (access, text))| {
        let ty = taken(plan, at, index);
        let of = match access {
            Access::Taken => ty,
            Access::Lent | Access::LentMut => quote!(<#ty as #rt::told::Refers>::To),
        };
        let mut own: Vec<_> = plan.chain.generics.lifetimes().map(|own| own.lifetime.clone()).collect();
        own.push(names::run_lifetime());
        // The lifetime of a trait object would be shown, and `'static` is not what the chain has.
        let life = |slot: &Slot| if slot.text.contains("dyn ") { "_" } else { "static" };
        let near = plan.near(at, text).map(|slot| types::at(slot.ty.clone(), &own, life(slot)));
        let found = match near {
            Some(near) => quote!(FoundAnd<'_, '_, #of, #near, Self, #node, _>),
            // No node returns a trait object by itself.
            None if text.starts_with("dyn ") => quote!(FoundObject<'_, '_, #of, Self, #node, _>),
            None => quote!(Found<'_, '_, #of, Self, #node, _>),
        };
        let found = names::as_if_at(quote!(<#any as #rt::told::#found>), *span);
        let out = match access {
            Access::Lent => quote!(#rt::scope::Place::share),
            Access::LentMut => quote!(<#any as #rt::told::Writes<'_, _, #of, #node>>::write),
            Access::Taken => quote!(<#any as #rt::told::TakesOut<_, #of, #node>>::take_out),
        };
        let out = names::as_if_at(out, *span);
        let given = quote_spanned!(*span=> match #found::given(#place) { #value => #out(#value) });
        (quote_spanned!(*span=> #found::FROM), given)
    });
    let (sources, given): (Vec<_>, Vec<_>) = found.unzip();
    let generics = scope_generics(plan.chain);
    let (impl_generics, ty_generics, clause) = generics.split_for_impl();
    let scope = &plan.levels[*level].scope;
    let [from, asks] = ["sources", "asks"].map(|name| names::local(name, at));
    let count = told.parameters.len();
    let takes = quote_spanned!(*span=> <#node as #rt::told::Takes<#call>>::Takes);
    quote! {
        impl #impl_generics #scope #ty_generics #clause {
            const fn #from<#any>() -> [#rt::describe::Source; #count] { #others [#(#sources),*] }
            #[inline(always)]
            fn #asks<#any>(#place: &mut Self) -> #takes { #others (#(#given,)*) }
        }
    }
}

/// The values of a function from the scope in the local `scope`, as a tuple: what [`searches`] declares, called.
pub(in crate::expand) fn asked(plan: &Plan<'_>, at: usize) -> TokenStream {
    let Step { span, level, .. } = &plan.steps[at];
    let (scope, asks, place) = (&plan.levels[*level].scope, names::local("asks", at), names::single("scope"));
    let asks = names::as_if_at(quote!(#scope::#asks::<()>), *span);
    quote_spanned!(*span=> #asks(&mut #place))
}

/// The type of a function's parameter.
fn taken(plan: &Plan<'_>, at: usize, index: usize) -> TokenStream {
    let Step { node, span, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    quote_spanned!(*span=> <<#node as #rt::told::Takes<'_>>::Takes as #rt::told::Nth<#index>>::It)
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
