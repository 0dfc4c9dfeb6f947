//! The call of a function whose signature is known.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};

use super::super::describe;
use super::scope::{holder, scope_at};
use crate::handshake::{Access, Hooks, Kind, Told};
use crate::names;
use crate::plan::{By, Plan, Slot, SlotKind, Step};

/// The call itself, without an await.
pub(super) fn call(plan: &Plan<'_>, at: usize, told: &Told) -> TokenStream {
    let Step { node, span, .. } = &plan.steps[at];
    let span = *span;
    if let Some(hooks) = &told.hooks {
        let of = if told.is_async { "EntersLater" } else { "EntersNow" };
        let slots = plan.wired(at).unwrap_or_default();
        let arguments = slots.iter().zip(&told.parameters).map(|(slot, (access, _))| argument(plan, slot, *access));
        return match hooks.enters {
            true => hook(plan, at, hooks, of, "enter", &arguments.collect::<Vec<_>>()),
            false => quote_spanned!(span=> ()),
        };
    }
    if let Some(slots) = plan.wired(at) {
        let arguments = slots.iter().zip(&told.parameters).map(|(slot, (access, _))| argument(plan, slot, *access));
        // As the arguments of a call, what is lent could turn into something else: a `&String` into a `&str`. The types
        // of the two are compared as they are where the function comes last.
        let call = format_ident!("call_{}", slots.len(), span = span);
        let rt = &names::alias(span);
        return match slots.is_empty() {
            true => quote_spanned!(span=> #node()),
            false => quote_spanned!(span=> #rt::told::#call(#(#arguments,)* #node)),
        };
    }
    let (scope, arguments) = (scope_at(plan, at, false), describe::asked(plan, at, told));
    // In braces, so that the scope is dropped before anything is awaited.
    quote_spanned!(span=> { #scope #node(#(#arguments),*) })
}

/// The call of a hook. Its arguments are a local first: where a tuple's type is expected, each thing in it could turn into
/// something else.
fn hook(plan: &Plan<'_>, at: usize, hooks: &Hooks, of: &str, name: &str, arguments: &[TokenStream]) -> TokenStream {
    let Step { node, place, span, .. } = &plan.steps[at];
    let (rt, span, shape) = (&names::alias(*span), *span, hooks.shape);
    let (of, name) = (syn::Ident::new(of, span), syn::Ident::new(name, span));
    let (with, call) =
        (names::single("with"), quote_spanned!(span=> <#node as #rt::told::hook::#of<'_, _, #shape>>::#name));
    match arguments.is_empty() {
        true => quote_spanned!(span=> #call(#place, ())),
        false => quote_spanned!(span=> { let #with = (#(#arguments,)*); #call(#place, #with) }),
    }
}

/// The way out of a node whose hooks are called by text.
pub(super) fn exit(plan: &Plan<'_>, at: usize, hooks: &Hooks) -> Option<TokenStream> {
    let exit = hooks.exit.as_ref()?;
    let slots = plan.wired_exit(at).unwrap_or_default();
    let reply = names::single("reply");
    let arguments = slots.iter().zip(&exit.parameters).map(|(slot, (_, access, _))| match (slot, access) {
        (Some(slot), access) => argument(plan, slot, *access),
        (None, Access::LentMut) => quote!(&mut #reply),
        (None, _) => quote!(&#reply),
    });
    let of = if exit.is_async { "ExitsLater" } else { "ExitsNow" };
    let call = hook(plan, at, hooks, of, "exit", &arguments.collect::<Vec<_>>());
    let awaited = exit.is_async.then(|| quote_spanned!(plan.steps[at].span=> .await));
    Some(quote!(#call #awaited;))
}

/// The type that a node returns whose signature is told.
pub(in crate::expand) fn returns(node: &TokenStream, span: proc_macro2::Span, told: &Told) -> TokenStream {
    let rt = &names::alias(span);
    match told.hooks {
        Some(_) => quote_spanned!(span=> <#node as #rt::Signature<'_>>::Out),
        None => quote_spanned!(span=> <#node as #rt::told::Takes<'_>>::Returns),
    }
}

/// The argument for a parameter.
fn argument(plan: &Plan<'_>, slot: &Slot, access: Access) -> TokenStream {
    let rt = &names::runtime_alias();
    let locals = &plan.chain.run.locals;
    let (this, member) = (&locals.this, &slot.member);
    let lent = |place: TokenStream| match access {
        Access::Lent => quote!(&#place),
        Access::LentMut => quote!(&mut #place),
        Access::Taken => place,
    };
    match slot.kind {
        SlotKind::OwnedInput if !plan.keeps_inputs() => {
            let how = match access {
                Access::Lent => "whole",
                Access::LentMut => "whole_mut",
                Access::Taken => "whole_taken",
            };
            let how = names::single(how);
            quote!(#rt::private::#how(&mut #member))
        }
        SlotKind::OwnedInput => lent(member.to_token_stream()),
        SlotKind::SharedInput | SlotKind::BorrowedInput | SlotKind::Context => {
            let input = &locals.inputs[slot.index];
            lent(quote!(*#input))
        }
        SlotKind::Version if slot.by != By::Itself => quote!(&**#member),
        SlotKind::Version => quote!(&*#member),
        SlotKind::Field => {
            let field = &plan.chain.fields[slot.index].name;
            match slot.by {
                By::Itself => quote!(&#this.#field),
                By::Shared | By::Borrowed => quote!(&*#this.#field),
            }
        }
        SlotKind::Binding => {
            let binding = &slot.binding;
            match slot.by {
                By::Itself if slot.takable => taken_or_lent(&slot.way(), &binding.to_token_stream(), access),
                By::Itself => lent(binding.to_token_stream()),
                By::Shared | By::Borrowed => lent(quote!(*#binding)),
            }
        }
        SlotKind::Provided => {
            let value = value_of(plan, slot);
            match (slot.takable, access) {
                (true, _) => taken_or_lent(&slot.way(), &value, access),
                // A value that may be skipped is an `Option`. If there is a scope, an empty one stays in it.
                (false, Access::Taken) if plan.has_scope => quote!(#rt::private::Option::take(&mut #value)),
                _ => lent(value),
            }
        }
    }
}

/// Stores `value` where the function took a value of its type.
pub(super) fn given_back(plan: &Plan<'_>, at: usize, slot: Option<&Slot>, value: &TokenStream) -> TokenStream {
    let rt = &names::alias(plan.steps[at].span);
    let Some(slot) = slot else { return quote!({ let _ = #value; }) };
    let place = match slot.kind {
        SlotKind::OwnedInput => slot.member.to_token_stream(),
        SlotKind::Binding => slot.binding.to_token_stream(),
        _ => value_of(plan, slot),
    };
    let value = match slot.kind {
        SlotKind::OwnedInput if !plan.keeps_inputs() => quote!(#rt::private::Some(#value)),
        SlotKind::OwnedInput => value.clone(),
        _ if slot.takable => {
            let way = slot.way();
            quote!(<#way as #rt::taken::Way>::hold(#value))
        }
        _ => value.clone(),
    };
    // Perhaps no node asks for it.
    quote!({ #place = #value; let _ = &#place; })
}

/// A value for which a constant says how it is held.
fn taken_or_lent(way: &syn::Ident, value: &TokenStream, access: Access) -> TokenStream {
    let rt = &names::runtime_alias();
    let how = names::single(match access {
        Access::Lent => "whole",
        Access::LentMut => "whole_mut",
        Access::Taken => "whole_taken",
    });
    let is_mut = (access != Access::Lent).then(|| quote!(mut));
    quote!(<#way as #rt::taken::Way>::#how(&#is_mut #value))
}

/// The value that this slot lends, where it is held: a node or a block provided it.
pub(super) fn value_of(plan: &Plan<'_>, slot: &Slot) -> TokenStream {
    if let Some(block) = slot.block {
        let held = names::given(block, slot.span);
        return quote!(#held.value);
    }
    let (step, position) = (&plan.steps[slot.position], slot.position);
    match step.told {
        Some(_) => names::held(position, step.span).into_token_stream(),
        None => {
            let held = holder(plan, position, step.span);
            quote!(#held.value)
        }
    }
}

/// Takes apart what a function returned. `goes_on` finds the value under the name `value`, and `broke` finds the error
/// under the same name.
pub(super) fn taken_apart(
    plan: &Plan<'_>,
    at: usize,
    told: &Told,
    returned: &TokenStream,
    goes_on: &TokenStream,
    broke: &TokenStream,
) -> TokenStream {
    let span = plan.steps[at].span;
    let rt = &names::alias(span);
    let value = names::value_at(span);
    match told.kind {
        Kind::Gives => quote_spanned!(span=> match #returned { #value => #goes_on }),
        Kind::Fails => quote_spanned! {span=>
            match #returned { #rt::private::Ok(#value) => #goes_on, #rt::private::Err(#value) => { #broke } }
        },
        Kind::Breaks => quote_spanned! {span=> match #returned {
            #rt::private::ControlFlow::Continue(#value) => #goes_on,
            #rt::private::ControlFlow::Break(#value) => { #broke }
        }},
    }
}

/// The type of the function's value.
pub(super) fn gives(plan: &Plan<'_>, at: usize, told: &Told) -> TokenStream {
    let Step { node, span, .. } = &plan.steps[at];
    match told.provides.is_empty() {
        true => quote_spanned!(*span=> ()),
        false => plan.steps[at].value(node),
    }
}

/// The way in which the result is read, as a type.
pub(super) fn kind(plan: &Plan<'_>, at: usize, told: &Told) -> TokenStream {
    let span = plan.steps[at].span;
    let (rt, kind) = (names::alias(span), format_ident!("{}", told.kind.name(), span = span));
    quote_spanned!(span=> #rt::flow::kind::#kind)
}
