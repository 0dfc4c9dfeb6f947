//! Looks for what nodes need where text does not find it, of a type parameter.
//!
//! If something is missing, rustc says of each type but a type parameter, in lines of its own, which trait it does not
//! implement. So what a node needs is asked of a type parameter, in functions beside the scope.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};

use super::super::{chain_arguments, scope_arguments, scope_generics};
use crate::handshake::{Access, Of, Told};
use crate::names;
use crate::plan::{Plan, Slot, Step};
use crate::told;
use crate::types;

/// Where the scope finds what a function needs: what [`searches`] declares, called.
pub(super) fn sources(plan: &Plan<'_>, at: usize) -> TokenStream {
    let Step { span, level, .. } = &plan.steps[at];
    let (scope, arguments) = (&plan.levels[*level].scope, scope_arguments(plan.chain, false));
    let sources = names::local("sources", at);
    names::as_if_at(quote!(<#scope #arguments>::#sources::<()>()), *span)
}

/// For each node whose needs text does not find, but whose signatures are told: a function that looks for them. And for each
/// scope its type, if all of them are there. If not, that type is an error for rustc, and what names it has no further error.
pub(in crate::expand) fn searches(plan: &Plan<'_>) -> TokenStream {
    let mut all: Vec<Vec<Search>> = plan.levels.iter().map(|_| Vec::new()).collect();
    for (at, step) in plan.steps.iter().enumerate() {
        let search = match (&step.told, &step.untold) {
            (_, Some(hooks)) if plan.in_doubt[at] => hooks_search(plan, at, hooks),
            (Some(told), _) if told.hooks.is_none() && !told.parameters.is_empty() && plan.wired(at).is_none() => {
                function_search(plan, at, told)
            }
            _ => continue,
        };
        all[step.level].push(search);
    }
    let searched = all.iter().enumerate().filter(|(_, searches)| !searches.is_empty());
    searched.map(|(level, searches)| beside(plan, level, searches)).collect()
}

/// What looks for the needs of a node.
struct Search {
    /// A function beside the scope.
    function: TokenStream,
    /// A call of it, as a member of the scope, that comes to 0.
    none: TokenStream,
}

/// Functions beside a scope, and the scope's type.
fn beside(plan: &Plan<'_>, level: usize, searches: &[Search]) -> TokenStream {
    let (rt, generics) = (names::runtime_alias(), scope_generics(plan.chain));
    let (impl_generics, ty_generics, clause) = generics.split_for_impl();
    let (scope, arguments) = (&plan.levels[level].scope, scope_arguments(plan.chain, false));
    let functions = searches.iter().map(|Search { function, .. }| function);
    let is_asked =
        !plan.is_generic || (0..plan.steps.len()).any(|at| plan.steps[at].level == level && plan.in_doubt[at]);
    let sound = is_asked.then(|| {
        let sound = names::local("Sound", level);
        let none = searches.iter().map(|Search { none, .. }| quote!(<#scope #arguments>::#none));
        // A length cannot have type parameters in it. Opaque types stand for them.
        let none = match plan.is_generic {
            true => super::opaque::opaque_looks(plan),
            false => quote!(#(#none)+*),
        };
        let generics = scope_generics(plan.chain);
        let generics = types::unbounded(&generics);
        let impl_generics = generics.split_for_impl().0;
        let asks = |at: usize| plan.steps[at].level == level && sound_chain(plan, at).is_some();
        let of_chain = (0..plan.steps.len()).any(asks).then(|| {
            let (name, sound) = (&plan.chain.name, names::local("SoundChain", level));
            let generics = types::unbounded(&plan.chain.generics);
            let (own, own_ty, _) = generics.split_for_impl();
            quote!(type #sound #own = <[(); #none] as #rt::told::search::Sound<#name #own_ty>>::It;)
        });
        quote! {
            type #sound #impl_generics = <[(); #none] as #rt::told::search::Sound<#scope #ty_generics>>::It;
            #of_chain
        }
    });
    quote! {
        impl #impl_generics #scope #ty_generics #clause { #(#functions)* }
        #sound
    }
}

/// What is asked of which type, and of which scope.
struct Asks {
    who: TokenStream,
    scope: TokenStream,
    way_out: bool,
}

impl Asks {
    /// A type parameter of a function beside the scope.
    fn beside(way_out: bool) -> Self {
        Self { who: names::any_parameter().into_token_stream(), scope: quote!(Self), way_out }
    }

    /// The trait that says that the scope has a thing of this type for the node at this position.
    fn found(&self, plan: &Plan<'_>, at: usize, text: &str, of: &TokenStream) -> TokenStream {
        let Self { who, scope, way_out } = self;
        let Step { node, span, .. } = &plan.steps[at];
        let rt = &names::alias(*span);
        let mut own: Vec<_> = plan.chain.generics.lifetimes().map(|own| own.lifetime.clone()).collect();
        own.push(names::run_lifetime());
        // The lifetime of a trait object would be shown, and `'static` is not what the chain has.
        let life = |slot: &Slot| if slot.text.contains("dyn ") { "_" } else { "static" };
        let near = plan.near(at, text).map(|slot| types::at(slot.ty.clone(), &own, life(slot)));
        let found = match near {
            Some(near) => quote!(FoundAnd<'_, '_, #of, #near, #scope, #node, _>),
            // No node returns a trait object by itself.
            None if text.starts_with("dyn ") => quote!(FoundObject<'_, '_, #of, #scope, #node, _>),
            None if text == "str" || (text.starts_with('[') && !text.contains(';')) => {
                quote!(FoundPart<'_, '_, #of, #scope, #node, _>)
            }
            None if *way_out => quote!(FoundOut<'_, '_, #of, #scope, #node, _>),
            None => quote!(Found<'_, '_, #of, #scope, #node, _>),
        };
        names::as_if_at(quote!(<#who as #rt::told::search::#found>), *span)
    }

    /// Takes the thing out of its place, in the way in which the node wants it.
    fn out(&self, plan: &Plan<'_>, at: usize, access: Access, of: &TokenStream, like: &str) -> TokenStream {
        let who = &self.who;
        let Step { node, span, .. } = &plan.steps[at];
        let rt = &names::alias(*span);
        let [write, take] = ["write", "take"].map(|how| quote::format_ident!("{how}{like}"));
        let out = match access {
            Access::Lent => quote!(#rt::scope::Place::share),
            Access::LentMut => quote!(<#who as #rt::told::search::Writes<'_, _, #of, #node>>::#write),
            Access::Taken => quote!(<#who as #rt::told::search::TakesOut<_, #of, #node>>::#take),
        };
        names::as_if_at(out, *span)
    }

    /// What a function needs, for each parameter.
    fn needs<'a>(&'a self, plan: &'a Plan<'_>, at: usize, told: &'a Told) -> impl Iterator<Item = Need> + 'a {
        let Step { node, span, .. } = &plan.steps[at];
        let rt = names::alias(*span);
        told.parameters.iter().enumerate().map(move |(index, (access, text))| {
            let ty = quote_spanned!(*span=> <<#node as #rt::told::Takes<'_>>::Takes as #rt::told::Nth<#index>>::It);
            let of = match access {
                Access::Taken => ty,
                Access::Lent | Access::LentMut => quote!(<#ty as #rt::told::Refers>::To),
            };
            let (found, out) = (self.found(plan, at, text, &of), self.out(plan, at, *access, &of, ""));
            Need { access: *access, found, out }
        })
    }
}

/// A need of a function.
struct Need {
    access: Access,
    /// The trait by which it is found.
    found: TokenStream,
    /// The function that takes it out of its place.
    out: TokenStream,
}

/// The values of a function from the scope in the local `scope`.
pub(in crate::expand) fn asked(plan: &Plan<'_>, at: usize, told: &Told) -> Vec<TokenStream> {
    let span = plan.steps[at].span;
    let parameters = plan.chain.generics.type_params();
    let who = parameters.map(|parameter| parameter.ident.to_token_stream()).next();
    let (scope, value) = (names::single("scope"), names::value_at(span));
    let asks = Asks { who: who.unwrap_or_else(|| quote!(())), scope: scope_type(plan, at), way_out: false };
    let value_of =
        |Need { found, out, .. }| quote_spanned!(span=> match #found::given(&mut #scope) { #value => #out(#value) });
    asks.needs(plan, at, told).map(value_of).collect()
}

/// What looks for the needs of all hooks in a chain with type parameters, as a number: 0 if all is there.
pub(super) fn looks(plan: &Plan<'_>) -> TokenStream {
    let arguments = scope_arguments(plan.chain, false);
    let looks = plan.steps.iter().enumerate().filter(|(at, _)| plan.in_doubt[*at]).map(|(at, step)| {
        let (scope, looks) = (&plan.levels[step.level].scope, names::local("looks", at));
        quote!(+ <#scope #arguments>::#looks::<()>())
    });
    quote!(0 #(#looks)*)
}

/// The type of the scope of a node whose needs are looked for.
fn scope_type(plan: &Plan<'_>, at: usize) -> TokenStream {
    let arguments = scope_arguments(plan.chain, false);
    let level = plan.steps[at].level;
    let is_sound = !plan.is_generic || plan.in_doubt[at];
    let scope = if is_sound { names::local("Sound", level) } else { plan.levels[level].scope.clone() };
    quote!(#scope #arguments)
}

/// The chain's type, for what the node at this position asks of it, if that is looked for.
pub(in crate::expand) fn sound_chain(plan: &Plan<'_>, at: usize) -> Option<TokenStream> {
    let Step { level, untold, .. } = &plan.steps[at];
    let asks = untold.iter().flat_map(|told| &told.hooks).any(|hooks| hooks.asks_for_fields());
    let (sound, arguments) = (names::local("SoundChain", *level), chain_arguments(plan.chain, false));
    (plan.in_doubt[at] && asks).then(|| quote!(#sound<#(#arguments),*>))
}

/// See [`searches`].
fn function_search(plan: &Plan<'_>, at: usize, told: &Told) -> Search {
    let Step { span, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let (any, others, asks) = (names::any_parameter(), others(plan, at), Asks::beside(false));
    let needs: Vec<_> = asks.needs(plan, at, told).collect();
    let hands = needs.iter().filter(|Need { access, .. }| *access != Access::Lent);
    let hands =
        hands.map(|Need { found, out, .. }| quote_spanned!(*span=> #rt::told::search::hands(#found::given, #out);));
    let sources = needs.iter().map(|Need { found, .. }| quote_spanned!(*span=> #found::FROM));
    let (from, count) = (names::local("sources", at), told.parameters.len());
    let function = quote! {
        const fn #from<#any>() -> [#rt::describe::Source; #count] {
            #others
            #(#hands)*
            [#(#sources),*]
        }
    };
    Search { function, none: quote!(#from::<()>().len() - #count) }
}

/// What a node provides that is none, nobody knows. It is reported at its own place; and where a value is searched that
/// it may be, in the same words.
fn others(plan: &Plan<'_>, at: usize) -> TokenStream {
    let is_one = |other: &usize| plan.steps[*other].told.is_none();
    let others = (0..at).filter(is_one).map(|other| {
        let Step { node, span, .. } = &plan.steps[other];
        let rt = names::alias(*span);
        let seen = match plan.in_doubt[other] {
            // Its scope is known only when all is found.
            true => quote_spanned!(*span=> <#node as #rt::Signature<'_>>::FACTS),
            false => seen(plan, other),
        };
        quote_spanned!(*span=> let _ = #seen;)
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
    let scope = &plan.levels[*level].scope;
    let scope = if plan.in_doubt[at] { scope_type(plan, at) } else { quote!(#scope #arguments) };
    quote_spanned!(*span=> <#node as #rt::Node<'_, '_, #scope>>)
}

/// What a node says of itself that is found through its traits.
pub(super) fn seen(plan: &Plan<'_>, at: usize) -> TokenStream {
    let as_node = as_node(plan, at, &super::outside(plan, &plan.steps[at]));
    quote_spanned!(plan.steps[at].span=> #as_node::SEEN)
}

/// See [`searches`].
fn hooks_search(plan: &Plan<'_>, at: usize, told: &Told) -> Search {
    let Step { node, span, level, .. } = &plan.steps[at];
    let (rt, any, with) = (&names::alias(*span), names::any_parameter(), names::single("with"));
    let search = quote_spanned!(*span=> #rt::told::search);
    let found = |index: usize, access: Access, text: &str, way_out: bool| {
        let (asks, any) = (Asks::beside(way_out), quote!(_));
        let (is_kept, text) = told::kept(text);
        let (found, out) = (asks.found(plan, at, text, &any), asks.out(plan, at, access, &any, "_like"));
        let who = &asks.who;
        if text.starts_with('&') {
            let none = names::as_if_at(quote!(<#who as #search::FoundReferences<_, #node>>::NONE), *span);
            return quote_spanned!(*span=> #with.nth::<#index>().to().to().is(#none););
        }
        if access == Access::Taken && text.starts_with("Option<&") {
            let found = names::as_if_at(quote!(<#who as #search::FoundOption<'_, '_, _, _, Self, #node, _>>), *span);
            return quote_spanned!(*span=> #with.nth::<#index>().hands_option(#found::given_like, #out););
        }
        if is_kept {
            let keeps = names::as_if_at(quote!(<#who as #search::Keeps<'_, _, _, #node>>::keep_like), *span);
            return quote_spanned!(*span=> #with.nth::<#index>().to().hands(#found::given_like, #keeps););
        }
        match access {
            Access::Lent => quote_spanned!(*span=> #with.nth::<#index>().to().given(#found::given_like);),
            Access::LentMut => quote_spanned!(*span=> #with.nth::<#index>().to().hands(#found::given_like, #out);),
            Access::Taken => quote_spanned!(*span=> #with.nth::<#index>().hands(#found::given_like, #out);),
        }
    };
    let hooks = told.hooks.as_ref();
    let shape = hooks.map(|hooks| hooks.shape);
    let arguments = |of: &str, name: &str| {
        if told.is_in_part() {
            let of = match name {
                "enter" => "AsksIn",
                "exit" => "AsksOut",
                _ => "AsksForFields",
            };
            let of = syn::Ident::new(of, *span);
            let asks = names::as_if_at(quote!(<#node as #search::#of<'_, '_, _, #shape>>::ARGUMENTS), *span);
            return quote_spanned!(*span=> let #with = #asks;);
        }
        let (of, name) = (syn::Ident::new(of, *span), syn::Ident::new(name, *span));
        quote_spanned!(*span=> let #with = #search::arguments(<#node as #rt::told::hook::#of<'_, _, #shape>>::#name);)
    };
    let enter = hooks.filter(|hooks| hooks.enters && !told.parameters.is_empty()).map(|_| {
        let asked = arguments(if told.is_async { "EntersLater" } else { "EntersNow" }, "enter");
        let all = told.parameters.iter().enumerate().filter(|(_, (_, text))| !text.is_empty());
        let all = all.map(|(index, (access, text))| found(index, *access, text, false));
        quote!({ #asked #(#all)* })
    });
    let exit = hooks.and_then(|hooks| hooks.exit.as_ref()).filter(|exit| !exit.parameters.is_empty()).map(|exit| {
        let asked = arguments(if exit.is_async { "ExitsLater" } else { "ExitsNow" }, "exit");
        let all = exit.parameters.iter().enumerate().filter(|(_, (.., text))| !text.is_empty());
        let all = all.map(|(index, (of, access, text))| match of {
            Of::Scope => found(index, *access, text, true),
            Of::Reply if plan.levels[*level].replies => {
                let sees = names::as_if_at(quote!(<#any as #search::SeesReply<_, Self, #node>>::REPLY), *span);
                quote_spanned!(*span=> #with.nth::<#index>().to().is(#sees);)
            }
            Of::Reply => {
                let sees = names::as_if_at(quote!(<#any as #search::SeesNoReply<#node>>::NONE), *span);
                quote_spanned!(*span=> let _ = #sees;)
            }
        });
        quote!({ #asked #(#all)* })
    });
    let cancelled = hooks.filter(|hooks| hooks.asks_for_fields()).map(|hooks| {
        let asked = arguments("", "cancelled");
        let (name, arguments) = (&plan.chain.name, chain_arguments(plan.chain, false));
        let all = hooks.cancelled.iter().enumerate().filter(|(_, text)| !text.is_empty()).map(|(index, _)| {
            let field = quote!(<#any as #search::FoundField<_, #name<#(#arguments),*>, #node>>::field_like);
            let field = names::as_if_at(field, *span);
            quote_spanned!(*span=> #with.nth::<#index>().to().field(#field);)
        });
        quote!({ #asked #(#all)* })
    });
    let (looks, others) = (names::local("looks", at), others(plan, at));
    let function = quote!(const fn #looks<#any>() -> usize { #others #enter #exit #cancelled 0 });
    Search { function, none: quote!(#looks::<()>()) }
}
