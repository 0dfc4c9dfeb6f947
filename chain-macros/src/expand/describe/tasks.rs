//! Checks which field owns the work that outlives its request: one field does, and none only holds a `Tasks` in another
//! type.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::Type;

use crate::ast::{Chain, Field, How, Item};
use crate::names;
use crate::types;

/// Types that lend their content, and yet are types of their own.
const HOLDERS: [&str; 7] = ["Arc", "Box", "LazyLock", "OnceLock", "Option", "Rc", "Reloadable"];

/// Checks that the owner is known, at the first attribute that lets work outlive its request.
pub(super) fn owner(chain: &Chain) -> Option<TokenStream> {
    let (behind, span) = first(chain)?;
    let rt = names::alias(span);
    let name = |field: &Field| names::unraw(&field.name);
    let candidates = chain.may_be_tasks().into_iter().map(|field| {
        let (cfg, ty, name) = (field.cfg(), types::anonymous(&field.ty), name(field));
        quote_spanned!(span=> #(#cfg)* (#name, #rt::private::Probe::<#ty>::IS_TASKS))
    });
    // A missing queue behind the request is an error of its own.
    let held = chain.fields.iter().filter(|_| !behind).filter_map(|field| {
        let held = held(&field.ty).filter(|held| !types::mentions(held, &chain.generics))?;
        let (cfg, ty, name) = (field.cfg(), types::anonymous(held), name(field));
        Some(quote_spanned!(span=> #(#cfg)* (#name, #rt::private::Probe::<#ty>::IS_TASKS)))
    });
    Some(quote_spanned! {span=>
        const _: () = {
            #[allow(unused_imports)]
            use #rt::private::Plainly as _;
            #rt::check::tasks::owner(&[#(#candidates),*], &[#(#held),*]);
        };
    })
}

/// Whether some work goes behind the request, and the place of the first attribute.
fn first(chain: &Chain) -> Option<(bool, Span)> {
    let items = chain.run.body.items();
    let behind = |item: &&Item| match item.shed().map(|shed| shed.how) {
        Some(How::Behind(span)) => Some(span),
        _ => None,
    };
    let first =
        items.iter().find_map(|item| item.modifiers.cancel.as_ref().map(|(span, _)| *span).or_else(|| behind(item)))?;
    Some((items.iter().any(|item| behind(item).is_some()), first))
}

/// The `Tasks` that a field may hold inside of another type.
fn held(ty: &Type) -> Option<&Type> {
    let innermost = |ty| held(ty).or_else(|| types::is_named(ty, "Tasks").then_some(ty));
    match types::ungrouped(ty) {
        Type::Reference(reference) => innermost(&reference.elem),
        other => {
            let last = types::last_segment(other).filter(|last| HOLDERS.iter().any(|holder| last.ident == holder))?;
            types::type_arguments(last).into_iter().find_map(innermost)
        }
    }
}
