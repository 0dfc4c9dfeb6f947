//! Looks for what nodes need where text does not find it, of a type parameter.
//!
//! If something is missing, rustc says of each type but a type parameter, in lines of its own, which trait it does not
//! implement. So what a node needs is asked of a type parameter, in functions beside the scope.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::super::{scope_arguments, scope_generics};
use crate::handshake::{Access, Of, Told};
use crate::names;
use crate::plan::{Plan, Slot, Step};
use crate::types;

/// Where the scope finds what a function needs: what [`searches`] declares, called.
pub(super) fn sources(plan: &Plan<'_>, at: usize) -> TokenStream {
    let Step { span, level, .. } = &plan.steps[at];
    let (scope, arguments) = (&plan.levels[*level].scope, scope_arguments(plan.chain, false));
    let sources = names::local("sources", at);
    names::as_if_at(quote!(<#scope #arguments>::#sources::<()>()), *span)
}

/// For each function that finds its values by their types, a function that says where they are, and one that hands them
/// out. A missing value is reported in both, of a type parameter and in the same words, so rustc says it once.
pub(in crate::expand) fn searches(plan: &Plan<'_>) -> TokenStream {
    let searched = plan.steps.iter().enumerate().filter_map(|(at, step)| match (&step.told, &step.untold) {
        (_, Some(hooks)) if plan.in_doubt[at] => Some(looks(plan, at, hooks)),
        (Some(told), _) if told.hooks.is_none() && !told.parameters.is_empty() => {
            plan.wired(at).is_none().then(|| search(plan, at, told))
        }
        _ => None,
    });
    searched.collect()
}

fn search(plan: &Plan<'_>, at: usize, told: &Told) -> TokenStream {
    let Step { node, span, level, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    // What a node provides that is none, nobody knows. It is reported at its own place, and here in the same words.
    let others = others(plan, at);
    let (any, place, value) = (names::single("Any"), names::single("scope"), names::value_at(*span));
    let call = names::call_lifetime();
    let found = told.parameters.iter().enumerate().map(|(index, (access, text))| {
        let ty = taken(plan, at, index);
        let of = match access {
            Access::Taken => ty,
            Access::Lent | Access::LentMut => quote!(<#ty as #rt::told::Refers>::To),
        };
        let found = names::as_if_at(trait_of(plan, at, text, &of, false), *span);
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

/// The trait that says that the scope has a thing of this type for the node at this position, as a path of a type parameter.
fn trait_of(plan: &Plan<'_>, at: usize, text: &str, of: &TokenStream, way_out: bool) -> TokenStream {
    let Step { node, span, .. } = &plan.steps[at];
    let (rt, any) = (&names::alias(*span), names::single("Any"));
    let mut own: Vec<_> = plan.chain.generics.lifetimes().map(|own| own.lifetime.clone()).collect();
    own.push(names::run_lifetime());
    // The lifetime of a trait object would be shown, and `'static` is not what the chain has.
    let life = |slot: &Slot| if slot.text.contains("dyn ") { "_" } else { "static" };
    let near = plan.near(at, text).map(|slot| types::at(slot.ty.clone(), &own, life(slot)));
    let found = match near {
        Some(near) => quote!(FoundAnd<'_, '_, #of, #near, Self, #node, _>),
        // No node returns a trait object by itself.
        None if text.starts_with("dyn ") => quote!(FoundObject<'_, '_, #of, Self, #node, _>),
        None if way_out => quote!(FoundOut<'_, '_, #of, Self, #node, _>),
        None => quote!(Found<'_, '_, #of, Self, #node, _>),
    };
    quote!(<#any as #rt::told::#found>)
}

/// What a node provides that is none, nobody knows. It is reported at its own place; and where a value is searched that
/// it may be, in the same words.
fn others(plan: &Plan<'_>, at: usize) -> TokenStream {
    let is_one = |other: &usize| plan.steps[*other].told.is_none() && !plan.in_doubt[*other];
    let others = (0..at).filter(is_one).map(|other| {
        let seen = super::seen(plan, other);
        quote_spanned!(plan.steps[other].span=> let _ = #seen;)
    });
    others.collect()
}

/// A node found by its traits, as a node in its scope. It is written in one way wherever it is: if a bound of the node is
/// not met, rustc reports that in the same words, and so only once.
///
/// If its hooks need what text does not find, [`searches`] looks for it. Where it is not there, the scope's type is an
/// error for rustc, which says nothing more about the node.
pub(in crate::expand) fn as_node(plan: &Plan<'_>, at: usize, node: &TokenStream) -> TokenStream {
    let Step { span, level, .. } = &plan.steps[at];
    let (rt, arguments) = (&names::alias(*span), scope_arguments(plan.chain, false));
    let scope = match plan.in_doubt[at] {
        true => names::local("Sound", at),
        false => plan.levels[*level].scope.clone(),
    };
    quote_spanned!(*span=> <#node as #rt::Node<'_, '_, #scope #arguments>>)
}

/// What hooks need whose signatures are told, looked for of a type parameter. It is never called: rustc evaluates the
/// length that it gives, to know a scope's type.
fn looks(plan: &Plan<'_>, at: usize, told: &Told) -> TokenStream {
    let Step { node, span, level, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let (any, place, value, with) =
        (names::single("Any"), names::single("scope"), names::value_at(*span), names::single("with"));
    let level = &plan.levels[*level];
    let found = |index: usize, access: Access, text: &str, way_out: bool| {
        let index = syn::Index::from(index);
        let found = names::as_if_at(trait_of(plan, at, text, &quote!(_), way_out), *span);
        let (like, out) = match access {
            Access::Lent => (quote!(#with.#index), quote!(#rt::scope::Place::share)),
            Access::LentMut => {
                (quote!(&*#with.#index), quote!(<#any as #rt::told::Writes<'_, _, _, #node>>::write_like))
            }
            Access::Taken => (quote!(&#with.#index), quote!(<#any as #rt::told::TakesOut<_, _, #node>>::take_like)),
        };
        let (out, again) = (names::as_if_at(out, *span), (access != Access::Lent).then(|| quote!(#like,)));
        quote_spanned!(*span=> match #found::given_like(#place, #like) { #value => { #out(#again #value); } })
    };
    let hooks = told.hooks.as_ref();
    let shape = hooks.map(|hooks| hooks.shape);
    let arguments = |of: &str, name: &str| {
        let (of, name) = (syn::Ident::new(of, *span), syn::Ident::new(name, *span));
        quote_spanned!(*span=> let #with = #rt::told::hook::arguments(<#node as #rt::told::hook::#of<'_, _, #shape>>::#name);)
    };
    let enter = hooks.filter(|hooks| hooks.enters && !told.parameters.is_empty()).map(|_| {
        let asked = arguments(if told.is_async { "EntersLater" } else { "EntersNow" }, "enter");
        let all = told.parameters.iter().enumerate().map(|(index, (access, text))| found(index, *access, text, false));
        quote!({ #asked #(#all)* })
    });
    let exit = hooks.and_then(|hooks| hooks.exit.as_ref()).filter(|exit| !exit.parameters.is_empty()).map(|exit| {
        let asked = arguments(if exit.is_async { "ExitsLater" } else { "ExitsNow" }, "exit");
        let all = exit.parameters.iter().enumerate().map(|(index, (of, access, text))| {
            let at = syn::Index::from(index);
            match of {
                Of::Scope => found(index, *access, text, true),
                Of::Reply if level.replies => {
                    let sees = names::as_if_at(quote!(<#any as #rt::told::SeesReply<_, Self, #node>>::REPLY), *span);
                    quote_spanned!(*span=> #rt::told::hook::is_of(&*#with.#at, #sees);)
                }
                Of::Reply => {
                    let sees = names::as_if_at(quote!(<#any as #rt::told::SeesNoReply<#node>>::NONE), *span);
                    quote_spanned!(*span=> let _ = #sees;)
                }
            }
        });
        quote!({ #asked #(#all)* })
    });
    let generics = scope_generics(plan.chain);
    let (impl_generics, ty_generics, clause) = generics.split_for_impl();
    let (scope, looks, sound) = (&level.scope, names::local("looks", at), names::local("Sound", at));
    let (others, arguments) = (others(plan, at), scope_arguments(plan.chain, false));
    quote! {
        impl #impl_generics #scope #ty_generics #clause {
            const fn #looks<#any>() -> usize {
                #others
                let _ = |#place: &mut Self| { #enter #exit };
                0
            }
        }
        type #sound #impl_generics = <[(); <#scope #arguments>::#looks::<()>()] as #rt::told::Sound<#scope #ty_generics>>::It;
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
