//! Reads a function as a node.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, FnArg, GenericParam, Generics, ItemFn, ReturnType, Signature, Type};

use super::Options;
use super::flow::read_flow;
use super::hook::{read_hook, refuse_odd_functions, returned};
use super::signature::{Node, Place};
use crate::diagnostics::Diagnostics;
use crate::names;
use crate::types;

pub(super) fn of_function(function: &ItemFn, options: &Options, diagnostics: &mut Diagnostics) -> Option<Node> {
    let signature = &function.sig;
    let name = &signature.ident;
    let (generics, bare, arguments) = node_generics(&signature.generics);
    let turbofish = (!arguments.is_empty()).then(|| quote!(::<#(#arguments),*>));
    let angle = (!arguments.is_empty()).then(|| quote!(<#(#arguments),*>));
    refuse_odd_functions(signature, diagnostics);
    if let Some(receiver) = signature.receiver() {
        diagnostics.error(
            receiver,
            "a node function has no `self`",
            "put `#[node]` on the `impl` block and call the method `enter`",
        );
        return None;
    }
    if options.stateless {
        diagnostics.error(name, "a function has no state anyway", "write `#[node]` alone");
    }
    let hook = read_hook(signature, quote!(#name #turbofish), Place::Function, diagnostics);
    let flow = read_flow(&returned(signature));
    let flow = if generics.params.is_empty() { flow.by_type(&returned(signature)) } else { flow };
    let has_no_size = has_no_size(signature);
    let flow = if has_no_size { read_flow(&ReturnType::Default) } else { flow };
    let declaration = declare(function, &arguments, &bare);
    Some(Node {
        ty: quote!(#name #angle),
        name: names::unraw(name),
        span: name.span(),
        generics,
        bare,
        is_function: true,
        declaration: Some(declaration),
        stateless: true,
        promises: options.promises,
        spawns: None,
        enter: Some(hook),
        exit: None,
        exit_reply: None,
        cancelled: None,
        around: None,
        flow,
        is_stub: false,
        gives_for_longer: false,
        is_refused: is_ambiguous(signature) || has_no_size,
    })
}

/// Whether a function returns what has no size.
fn has_no_size(signature: &Signature) -> bool {
    let ReturnType::Type(_, returned) = returned(signature) else { return false };
    let is_unsized = |ty: &Type| match types::ungrouped(ty) {
        Type::Path(path) => path.path.is_ident("str"),
        Type::Slice(_) | Type::TraitObject(_) => true,
        _ => false,
    };
    let in_result = types::last_segment(&returned)
        .filter(|last| last.ident == "Result" || last.ident == "Option")
        .is_some_and(|last| types::type_arguments(last).into_iter().any(is_unsized));
    is_unsized(&returned) || in_result
}

/// Whether a lifetime is left out in what a function returns, and in more than one place of what it takes.
fn is_ambiguous(signature: &Signature) -> bool {
    let ReturnType::Type(_, returned) = returned(signature) else { return false };
    let taken = signature.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(input) => Some(elided(&input.ty)),
        FnArg::Receiver(_) => None,
    });
    elided(&returned) > 0 && taken.sum::<usize>() > 1
}

/// How many lifetimes are left out in it, as far as one can see.
fn elided(ty: &Type) -> usize {
    use syn::visit::{self, Visit};
    struct Count(usize);
    impl<'ast> Visit<'ast> for Count {
        fn visit_lifetime(&mut self, lifetime: &'ast syn::Lifetime) {
            self.0 += usize::from(lifetime.ident == "_");
        }
        fn visit_type_reference(&mut self, reference: &'ast syn::TypeReference) {
            self.0 += usize::from(reference.lifetime.is_none());
            visit::visit_type_reference(self, reference);
        }
        // What is left out in these is bound there.
        fn visit_type_bare_fn(&mut self, _: &'ast syn::TypeBareFn) {}
        fn visit_parenthesized_generic_arguments(&mut self, _: &'ast syn::ParenthesizedGenericArguments) {}
    }
    let mut count = Count(0);
    count.visit_type(ty);
    count.0
}

/// A braced struct of the function's name. It lives among types only: a unit struct would also be a value,
/// and then no binding in this module could have that name.
fn declare(function: &ItemFn, arguments: &[TokenStream], generics: &Generics) -> TokenStream {
    // Of a node that nobody uses, rustc says so of the function, and not of this as well: its name is not a token of the user's.
    let name = &names::emitted(&function.sig.ident);
    let vis = &function.vis;
    let docs = function.attrs.iter().filter(|attribute| is_kept_on_struct(attribute));
    let types: Vec<_> = generics.type_params().map(|parameter| &parameter.ident).collect();
    let marker = (!types.is_empty()).then(|| quote!(marker: ::core::marker::PhantomData<fn() -> (#(#types,)*)>));
    let (parameters, _, _) = generics.split_for_impl();
    let parameters = (!arguments.is_empty()).then(|| parameters.to_token_stream());
    quote! {
        #(#docs)*
        #[allow(non_camel_case_types, missing_debug_implementations, missing_copy_implementations, unreachable_pub, clippy::all, clippy::pedantic)]
        #vis struct #name #parameters { #marker }
    }
}

fn is_kept_on_struct(attribute: &Attribute) -> bool {
    ["doc", "cfg", "cfg_attr", "deprecated"].iter().any(|name| attribute.path().is_ident(name))
}

/// The node's own generics, types and constants, in a run and outside of one, and its arguments. Lifetimes are the run's.
fn node_generics(generics: &Generics) -> (Generics, Generics, Vec<TokenStream>) {
    let mut kept = generics.clone();
    kept.params = kept.params.into_iter().filter(|parameter| !matches!(parameter, GenericParam::Lifetime(_))).collect();
    let arguments = kept.params.iter().filter_map(|parameter| match parameter {
        GenericParam::Type(parameter) => Some(parameter.ident.to_token_stream()),
        GenericParam::Const(parameter) => Some(parameter.ident.to_token_stream()),
        GenericParam::Lifetime(_) => None,
    });
    let arguments: Vec<_> = arguments.collect();
    if let Some(clause) = &mut kept.where_clause {
        let predicates = std::mem::take(&mut clause.predicates);
        let is_of_types = |predicate: &syn::WherePredicate| matches!(predicate, syn::WherePredicate::Type(_));
        clause.predicates = predicates.into_iter().filter(is_of_types).collect();
    }
    let own: Vec<_> = generics.lifetimes().map(|parameter| parameter.lifetime.clone()).collect();
    let (mut in_run, mut bare) = (kept.clone(), kept);
    types::bounds_in(&mut in_run, &own, &names::run_lifetime());
    types::bounds_without(&mut bare, &own);
    (in_run, bare, arguments)
}
