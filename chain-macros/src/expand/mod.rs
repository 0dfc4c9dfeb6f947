//! From the plan to tokens. Nothing can fail here any more.

mod describe;
pub(crate) mod editor;
mod embed;
mod run;
mod scope;
mod taken;
mod twice;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{GenericParam, Generics, Ident};

use crate::ast::{Chain, Field, Form, Observer};
use crate::handshake;
use crate::names;
use crate::plan::Plan;
use crate::types;

pub(crate) fn chain(plan: &Plan<'_>) -> TokenStream {
    let declaration = declaration(plan.chain, &[]);
    let items = items(plan);
    let run = run::run(plan);
    let embedded = embed::embedded(plan.chain);
    let hushed = names::hushed_but_the_users();
    let (runtime, alias) = (&plan.chain.runtime, names::runtime_alias());
    let behind = quote! {
        #hushed
        const _: () = {
            use #runtime as #alias;
            #items
            #run
            #embedded
        };
    };
    assemble(plan.chain, &declaration, &behind)
}

/// The items that the body of `run` names, or that check the chain beside it.
fn items(plan: &Plan<'_>) -> TokenStream {
    let scope = scope::scope(plan);
    let ways = taken::ways(plan);
    let searches = describe::searches(plan);
    let description = describe::description(plan);
    let (flow, versions) = (run::reply_flow(plan), run::versions(plan.chain));
    let fields = fields_of_segments(plan.chain);
    let odd_names = odd_names(plan.chain);
    let types = field_types(plan.chain);
    quote! {
        #types
        #flow
        #versions
        #ways
        #scope
        #searches
        #description
        #fields
        #odd_names
    }
}

/// See [`names::field_type`].
fn field_types(chain: &Chain) -> TokenStream {
    let asked = handshake::imported_fields(chain);
    let types = chain.fields.iter().enumerate().filter_map(|(index, field)| {
        let (alias, cfg) = (names::field_type(chain, index)?, field.cfg());
        if asked.contains(&index) {
            let ty = handshake::imported_field(chain, index);
            return Some(quote!(#(#cfg)* #[allow(nonstandard_style)] type #alias = #ty;));
        }
        let ty = chain.with_hidden(&field.ty, &syn::Lifetime::new("'static", Span::mixed_site()));
        Some(quote!(#(#cfg)* #[allow(deprecated, nonstandard_style)] type #alias = #ty;))
    });
    types.collect()
}

/// The chain with a `run` whose body first asks the chain's functions for their signatures. The other items of the
/// expansion stand in that body.
pub(crate) fn asking(chain: &Chain, asked: &TokenStream) -> TokenStream {
    let declaration = declaration(chain, &handshake::imported_fields(chain));
    let signature = run::signature(chain);
    let embedded = embed::embedded(chain);
    let hushed = names::hushed_but_the_users();
    let generics = observed_generics(chain);
    let (impl_generics, ty_generics, clause) = generics.split_for_impl();
    let (name, runtime, alias) = (&chain.name, &chain.runtime, names::runtime_alias());
    // Another macro of a node's name would be called in its place, and give something else.
    let reply = names::single("reply");
    let body = quote!(let #alias::private::Answered(#reply) = { #asked }; #reply);
    let run = quote! {
        impl #impl_generics #name #ty_generics #clause {
            #signature { #body }
        }
    };
    let run = match handshake::imports(chain) {
        Some((instead, imports)) => quote! {
            #instead
            {
                #imports
                #run
            }
        },
        None => run,
    };
    let behind = quote! {
        #hushed
        const _: () = {
            use #runtime as #alias;
            #embedded
            #run
        };
    };
    assemble(chain, &declaration, &behind)
}

/// The body of `run` that [`asking`] leaves open.
pub(crate) fn body(plan: &Plan<'_>) -> TokenStream {
    let rt = names::runtime_alias();
    let (items, body) = (items(plan), run::body(plan));
    quote!({
        #items
        #rt::private::Answered({ #body })
    })
}

/// The same beside errors: a body that never runs.
pub(crate) fn broken_body(chain: &Chain, errors: &TokenStream) -> TokenStream {
    let (impl_generics, ty_generics, clause) = chain.generics.split_for_impl();
    let (name, rt, stub) = (&chain.name, names::runtime_alias(), describe::stub(chain));
    quote!({
        impl #impl_generics #name #ty_generics #clause { #stub }
        #errors
        #rt::private::unreachable!()
    })
}

/// Repeats inputs whose names rustc would warn about, under names that are the user's tokens: the inputs of `run` are
/// the macro's, and rustc does not warn about those.
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

/// A reference to the field of a certain type: found by the name of the type, or under whatever name the chain knows
/// the type. In the latter case each field is asked by this method, and the trait answers for the fields of other
/// types.
fn found(chain: &Chain, by_name: Option<&Field>, method: &str, otherwise: &str) -> TokenStream {
    let this = &chain.run.locals.this;
    if let Some(Field { name, ty, .. }) = by_name {
        // It is the same expression at each place, so that a type of the user's with that name is one error, at that
        // type.
        let (at, mut name, is_it) = (ty.span(), name.clone(), format!("is_{method}"));
        name.set_span(name.span().located_at(at));
        let at = Span::call_site().located_at(at);
        let (rt, is_it) = (names::alias(at), Ident::new(&is_it, at));
        return quote_spanned!(at=> #rt::private::#is_it(&#this.#name));
    }
    let rt = names::runtime_alias();
    let (method, otherwise) = (names::single(method), names::single(otherwise));
    let fields = chain.may_have_it().into_iter().map(|field| {
        let (cfg, name) = (field.cfg(), &field.name);
        quote!(#(#cfg)* #rt::private::FieldOf(&#this.#name).#method())
    });
    quote!({
        use #rt::private::#otherwise as _;
        #rt::private::one_of([#(#fields),*])
    })
}

/// A reference to the `Tasks` that counts the work that outlives its request: the chain's, or the process's.
fn tasks(chain: &Chain) -> TokenStream {
    let (rt, this) = (names::runtime_alias(), &chain.run.locals.this);
    let fields = chain.may_be_tasks().into_iter().map(|field| {
        let (cfg, name) = (field.cfg(), &field.name);
        quote!(#(#cfg)* #rt::private::FieldOf(&#this.#name).tasks())
    });
    quote!({
        use #rt::private::WithoutTasks as _;
        #rt::private::tasks_among([#(#fields),*])
    })
}

/// Checks that the fields which segments need have the types that the segments declare, and that the segments'
/// arguments meet their bounds.
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

/// The chain as the `impl` block of a node: the parameters of `enter` are its inputs, and the result of `enter` is its
/// reply.
pub(crate) fn as_block(chain: &Chain) -> syn::ItemImpl {
    let generics = observed_generics(chain);
    let (impl_generics, ty_generics, clause) = generics.split_for_impl();
    let (name, life) = (&chain.name, run_lifetime(chain));
    let inputs = chain.run.inputs.iter().map(|input| {
        let (name, ty) = (&input.name, in_run(chain, &input.ty));
        quote!(#name: #ty)
    });
    let is_async = chain.run.is_async.then(|| quote!(async));
    let reply = in_run(chain, &chain.run.reply);
    syn::parse_quote! {
        impl #impl_generics #name #ty_generics #clause {
            #is_async fn enter<#life>(&#life self, #(#inputs),*) -> #reply {}
        }
    }
}

/// The chain's type with a `run` that cannot be called, beside errors that are reported already.
pub(crate) fn kept_alive(chain: &Chain, errors: &TokenStream) -> TokenStream {
    assemble(chain, &declaration(chain, &[]), &beside(chain, errors))
}

/// The same without the type.
pub(crate) fn beside(chain: &Chain, errors: &TokenStream) -> TokenStream {
    let hushed = names::hushed();
    let stub = describe::stub(chain);
    let signature = run::signature(chain);
    // So code that gives the chain to an adapter has no further error.
    let embedded = embed::embedded(chain);
    let (impl_generics, ty_generics, clause) = chain.generics.split_for_impl();
    let name = &chain.name;
    let rt = &names::runtime_alias();
    let runtime = &chain.runtime;
    quote! {
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
    }
}

/// The short form is an expression: the state of its nodes is made before any generated item is in sight.
fn assemble(chain: &Chain, declaration: &TokenStream, behind: &TokenStream) -> TokenStream {
    if chain.form == Form::Item {
        return quote!(#declaration #behind);
    }
    let name = &chain.name;
    let values = chain.fields.iter().filter_map(|field| field.value.as_ref());
    let fields: Vec<_> = chain.fields.iter().map(|field| &field.name).collect();
    // Each local is at the token of its value: a value of another type is reported there.
    let locals = chain.fields.iter().filter_map(|field| field.value.as_ref()).enumerate().map(|(index, value)| {
        let local = names::local("value", index);
        syn::Ident::new(&local.to_string(), local.span().located_at(syn::spanned::Spanned::span(value)))
    });
    let locals: Vec<_> = locals.collect();
    let runtime = &chain.runtime;
    // Only the runtime's features say whether there is a `Context`.
    quote! {
        #runtime::__short! {
            match (#(#values,)*) {
                (#(#locals,)*) => {
                    #declaration
                    #behind
                    #name { #(#fields: #locals),* }
                }
            }
        }
    }
}

/// The struct, as the user wrote it. The types of these fields are imported first.
fn declaration(chain: &Chain, imported: &[usize]) -> TokenStream {
    let Chain { attrs, vis, name, generics, is_unit, fields, .. } = chain;
    let clause = &generics.where_clause;
    let hushed = (chain.form == Form::Short).then(names::hushed);
    if *is_unit {
        return quote!(#(#attrs)* #vis struct #name #generics #clause;);
    }
    let imports = imported.iter().map(|index| {
        let (field, alias) = (&fields[*index], handshake::imported_field(chain, *index));
        let (cfg, ty) = (field.cfg(), handshake::named_type(chain, *index));
        quote!(#(#cfg)* #[allow(deprecated, nonstandard_style, unused_imports, unused_qualifications)] use #ty as #alias;)
    });
    let imports: TokenStream = imports.collect();
    let fields = fields.iter().enumerate().map(|(index, field)| {
        let crate::ast::Field { attrs, vis, name, ty, .. } = field;
        if imported.contains(&index) && names::field_type(chain, index).is_some() {
            let ty = handshake::imported_field(chain, index);
            return quote!(#(#attrs)* #vis #name: #ty);
        }
        quote!(#(#attrs)* #vis #name: #ty)
    });
    // Where a type in a field does not exist, rustc would help to add a parameter, in other words for each mention.
    let has_arguments = fields.clone().any(|field| field.to_string().contains('<'));
    let no_parameters = (generics.params.is_empty() && has_arguments).then(|| quote!(<>));
    quote!(#imports #hushed #(#attrs)* #vis struct #name #no_parameters #generics #clause { #(#fields),* })
}

/// The chain's generics, with the bound that its observers are observers. If an observer's type depends on a parameter,
/// the user need not write that bound.
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

/// The scope's generics: the lifetimes of the run and of a call, and then the chain's own.
fn scope_generics(chain: &Chain) -> Generics {
    let (run, call) = (names::run_lifetime(), names::call_lifetime());
    let mut generics = chain.generics.clone();
    let mut lives: Vec<GenericParam> = vec![syn::parse_quote!(#run: #call), syn::parse_quote!(#call)];
    lives.extend(generics.params);
    generics.params = lives.into_iter().collect();
    generics
}

/// `<'_, '_, 'k, C>`: the scope's arguments, where its own two lifetimes are inferred.
fn scope_arguments(chain: &Chain, own_lifetimes: bool) -> TokenStream {
    let arguments = chain_arguments(chain, own_lifetimes);
    quote!(<'_, '_, #(#arguments),*>)
}

/// The chain's own arguments; its lifetimes are named or inferred.
fn chain_arguments(chain: &Chain, own_lifetimes: bool) -> Vec<TokenStream> {
    let arguments = chain.generics.params.iter().map(|parameter| match parameter {
        GenericParam::Lifetime(parameter) if own_lifetimes => parameter.lifetime.to_token_stream(),
        GenericParam::Lifetime(_) => quote!('_),
        GenericParam::Type(parameter) => parameter.ident.to_token_stream(),
        GenericParam::Const(parameter) => parameter.ident.to_token_stream(),
    });
    arguments.collect()
}

/// A type of the inputs or of the reply, with the run's lifetime for every lifetime that is elided or declared on the
/// `fn`.
fn in_run(chain: &Chain, ty: &syn::Type) -> syn::Type {
    let own: Vec<_> = chain.generics.lifetimes().map(|parameter| parameter.lifetime.clone()).collect();
    types::with_lifetime_but(ty, &run_lifetime(chain), &own)
}

/// The user's name for the run's lifetime, if there is one: rustdoc shows it.
fn run_lifetime(chain: &Chain) -> syn::Lifetime {
    chain.run.lifetime.as_ref().unwrap_or(&chain.run.locals.lifetime).clone()
}
