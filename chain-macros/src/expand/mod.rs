//! From the plan to tokens. Nothing can go wrong here any more.

mod describe;
mod embed;
mod run;
mod scope;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{GenericParam, Generics, Ident};

use crate::ast::{Chain, Field, Form, Observer};
use crate::names;
use crate::plan::Plan;
use crate::types;

pub(crate) fn chain(plan: &Plan<'_>) -> TokenStream {
    let declaration = declaration(plan.chain);
    let scope = scope::scope(plan);
    let description = describe::description(plan);
    let run = run::run(plan);
    let (flow, versions) = (run::reply_flow(plan.chain), run::versions(plan.chain));
    let embedded = embed::embedded(plan.chain);
    let fields = fields_of_segments(plan.chain);
    let odd_names = odd_names(plan.chain);
    let hushed = names::hushed_but_the_users();
    let (runtime, alias) = (&plan.chain.runtime, names::runtime_alias());
    let behind = quote! {
        #hushed
        const _: () = {
            use #runtime as #alias;
            #flow
            #versions
            #scope
            #description
            #run
            #embedded
            #fields
            #odd_names
        };
    };
    assemble(plan.chain, &declaration, &behind)
}

/// Inputs that are not named as rustc would have it, once more under names of the user's: those of `run` are the macro's, of which it says nothing.
fn odd_names(chain: &Chain) -> Option<TokenStream> {
    let inputs = chain.run.inputs.iter().filter(|_| chain.form == Form::Item);
    let is_odd = |input: &&crate::ast::Input| names::unraw(&input.name).chars().any(char::is_uppercase);
    let odd = inputs.filter(is_odd).map(|input| {
        let crate::ast::Input { attrs, name, .. } = input;
        quote!(#(#attrs)* #name: ())
    });
    let odd: Vec<_> = odd.collect();
    let lints = chain.run.attrs.iter().filter(|attribute| attribute.path().is_ident("allow"));
    (!odd.is_empty()).then(|| quote!(#(#lints)* #[allow(unused_variables)] fn odd_names(#(#odd),*) {}))
}

/// A reference to the switches, if there are any.
fn switches(chain: &Chain) -> Option<TokenStream> {
    let found = || found(chain, chain.switches(), "toggles", "WithoutToggles");
    (!chain.run.body.toggles().is_empty()).then(found)
}

/// A reference to the field by which the chain knows what to shed, if it sheds anything.
fn shedding(chain: &Chain) -> Option<TokenStream> {
    let found = || found(chain, chain.shedding(), "shedding", "WithoutShedding");
    (!chain.run.body.sheds().is_empty()).then(found)
}

/// A reference to the field that is of a certain type: by its name, or under whatever name it is known there. What is asked of each field then is this
/// method; the trait is that of the fields that are of other types.
fn found(chain: &Chain, by_name: Option<&Field>, method: &str, otherwise: &str) -> TokenStream {
    if let Some(Field { name, ty, .. }) = by_name {
        // One expression wherever it is asked for, so that a type of the user's own that is called so is one error, at that type.
        let (at, mut name, is_it) = (ty.span(), name.clone(), format!("is_{method}"));
        name.set_span(name.span().located_at(at));
        let at = Span::call_site().located_at(at);
        let (rt, is_it) = (names::alias(at), Ident::new(&is_it, at));
        return quote_spanned!(at=> #rt::private::#is_it(&self.#name));
    }
    let rt = names::runtime_alias();
    let (method, otherwise) = (names::single(method), names::single(otherwise));
    let fields = chain.may_have_it().into_iter().map(|field| {
        let (cfg, name) = (field.cfg(), &field.name);
        quote!(#(#cfg)* #rt::private::FieldOf(&self.#name).#method())
    });
    quote!({
        use #rt::private::#otherwise as _;
        #rt::private::one_of([#(#fields),*])
    })
}

/// A reference to what counts the work that outlives its request: the chain's `Tasks`, or the process's.
fn tasks(chain: &Chain) -> TokenStream {
    let rt = names::runtime_alias();
    let fields = chain.may_be_tasks().into_iter().map(|field| {
        let (cfg, name) = (field.cfg(), &field.name);
        quote!(#(#cfg)* #rt::private::FieldOf(&self.#name).tasks())
    });
    quote!({
        use #rt::private::WithoutTasks as _;
        #rt::private::tasks_among([#(#fields),*])
    })
}

/// That the fields which segments need are of the types that they declare, and their arguments what they ask for.
fn fields_of_segments(chain: &Chain) -> Option<TokenStream> {
    let (impl_generics, ty_generics, clause) = chain.generics.split_for_impl();
    let name = &chain.name;
    let rt = names::runtime_alias();
    let checks = chain.needs.iter().filter_map(|need| {
        let field = chain.fields.iter().find(|field| field.name == need.name)?;
        let (has, needs, cfg) = (&field.ty, &need.ty, field.cfg());
        let check = quote!(<#has as #rt::private::FieldOfSegment<#needs>>::is_one(););
        let check = names::as_if_at(check, need.at);
        Some(quote!(#(#cfg)* { #check }))
    });
    let own: Vec<_> = chain.run.lifetime.iter().cloned().collect();
    let bounds = chain.bounds.iter().map(|bounds| {
        let bounds = types::inferred(bounds.to_token_stream(), &own);
        quote!(#bounds();)
    });
    let checks: Vec<_> = checks.chain(bounds).collect();
    (!checks.is_empty()).then(|| {
        quote! {
            impl #impl_generics #name #ty_generics #clause {
                fn fields_of_segments() { #(#checks)* }
            }
        }
    })
}

/// The chain's type with a `run` that nobody gets to call, beside errors that stand already.
pub(crate) fn kept_alive(chain: &Chain, errors: &TokenStream) -> TokenStream {
    let declaration = declaration(chain);
    let hushed = names::hushed();
    let stub = describe::stub(chain);
    let signature = run::signature(chain);
    // Who gives it to an adapter has no other error.
    let embedded = embed::embedded(chain);
    let (impl_generics, ty_generics, clause) = chain.generics.split_for_impl();
    let name = &chain.name;
    let rt = &names::runtime_alias();
    let runtime = &chain.runtime;
    let behind = quote! {
        #hushed
        const _: () = {
            use #runtime as #rt;
            impl #impl_generics #name #ty_generics #clause {
                #signature { #rt::private::unreachable!() }
                #stub
            }
            #embedded
        };
        #errors
    };
    assemble(chain, &declaration, &behind)
}

/// The short form is an expression: its nodes' state is made before any generated item can be seen.
fn assemble(chain: &Chain, declaration: &TokenStream, behind: &TokenStream) -> TokenStream {
    if chain.form == Form::Item {
        return quote!(#declaration #behind);
    }
    let name = &chain.name;
    let values = chain.fields.iter().filter_map(|field| field.value.as_ref());
    let fields: Vec<_> = chain.fields.iter().map(|field| &field.name).collect();
    // Each at the value that it stands for: a value of another type is wrong there.
    let locals = chain.fields.iter().filter_map(|field| field.value.as_ref()).enumerate().map(|(index, value)| {
        let local = names::local("value", index);
        syn::Ident::new(&local.to_string(), local.span().located_at(syn::spanned::Spanned::span(value)))
    });
    let locals: Vec<_> = locals.collect();
    quote! {
        match (#(#values,)*) {
            (#(#locals,)*) => {
                #declaration
                #behind
                #name { #(#fields: #locals),* }
            }
        }
    }
}

/// The struct, as the user wrote it.
fn declaration(chain: &Chain) -> TokenStream {
    let Chain { attrs, vis, name, generics, is_unit, fields, .. } = chain;
    let clause = &generics.where_clause;
    let hushed = (chain.form == Form::Short).then(names::hushed);
    if *is_unit {
        return quote!(#(#attrs)* #vis struct #name #generics #clause;);
    }
    let fields = fields.iter().map(|field| {
        let crate::ast::Field { attrs, vis, name, ty, .. } = field;
        quote!(#(#attrs)* #vis #name: #ty)
    });
    quote!(#hushed #(#attrs)* #vis struct #name #generics #clause { #(#fields),* })
}

/// The chain's generics, where its observers are ones: what depends on them need not be declared to be one.
fn observed_generics(chain: &Chain) -> Generics {
    let mut generics = chain.generics.clone();
    for observer in &chain.observers {
        let (ty, span, what) = match observer {
            Observer::Type(ty) => (ty, syn::spanned::Spanned::span(ty), "Observer"),
            Observer::Field(name) => (&chain.field(name).ty, name.span(), "Observes"),
            Observer::NoAlloc(_) => continue,
        };
        if types::mentions(ty, &chain.generics) {
            let (rt, what) = (names::alias(span), syn::Ident::new(what, span));
            let bound = syn::parse_quote_spanned!(span=> #ty: #rt::observe::#what);
            generics.make_where_clause().predicates.push(bound);
        }
    }
    generics
}

/// The scope's generics: the chain's own, behind the lives of the run and of a call.
fn scope_generics(chain: &Chain) -> Generics {
    let (run, call) = (names::run_lifetime(), names::call_lifetime());
    let mut generics = chain.generics.clone();
    let mut lives: Vec<GenericParam> = vec![syn::parse_quote!(#run: #call), syn::parse_quote!(#call)];
    lives.extend(generics.params);
    generics.params = lives.into_iter().collect();
    generics
}

/// `<'_, '_, 'k, C>`: the scope's arguments where its own lives are inferred.
fn scope_arguments(chain: &Chain, own_lifetimes: bool) -> TokenStream {
    let arguments = chain_arguments(chain, own_lifetimes);
    quote!(<'_, '_, #(#arguments),*>)
}

/// The chain's own arguments, its lifetimes by name or inferred.
fn chain_arguments(chain: &Chain, own_lifetimes: bool) -> Vec<TokenStream> {
    let arguments = chain.generics.params.iter().map(|parameter| match parameter {
        GenericParam::Lifetime(parameter) if own_lifetimes => parameter.lifetime.to_token_stream(),
        GenericParam::Lifetime(_) => quote!('_),
        GenericParam::Type(parameter) => parameter.ident.to_token_stream(),
        GenericParam::Const(parameter) => parameter.ident.to_token_stream(),
    });
    arguments.collect()
}

/// A type among the inputs or the reply, with the run's lifetime for what is elided or declared on the `fn`.
fn in_run(chain: &Chain, ty: &syn::Type) -> syn::Type {
    let own: Vec<_> = chain.generics.lifetimes().map(|parameter| parameter.lifetime.clone()).collect();
    types::with_lifetime_but(ty, &run_lifetime(chain), &own)
}

/// The user's name for it, where there is one: rustdoc shows it.
fn run_lifetime(chain: &Chain) -> syn::Lifetime {
    chain.run.lifetime.clone().unwrap_or_else(names::run_lifetime)
}
