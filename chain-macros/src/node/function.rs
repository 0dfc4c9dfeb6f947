//! Reads a function as a node.

use std::rc::Rc;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, FnArg, GenericParam, Generics, ItemFn, ReturnType, Signature, Type};

use super::Options;
use super::flow::read_flow;
use super::hook::{read_hook, refuse_odd_functions, returned, returns_no_size, takes_no_size};
use super::signature::{Handshake, Node, Place};
use crate::diagnostics::{Code, Diagnostics};
use crate::names;
use crate::nearby;
use crate::told::{Open, Untold};
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
            Code::E307,
            receiver,
            "a node function has no `self`",
            "put `#[node]` on the `impl` block and call the method `enter`",
        );
        return None;
    }
    if options.stateless {
        diagnostics.error(Code::E304, name, "a function has no state anyway", "write `#[node]` alone");
    }
    let hook = read_hook(signature, quote!(#name #turbofish), Place::Function, diagnostics);
    let flow = read_flow(&returned(signature));
    let flow = if generics.params.is_empty() { flow.by_type(&returned(signature)) } else { flow };
    let gives_no_size = returns_no_size(signature);
    let flow = if gives_no_size { read_flow(&ReturnType::Default) } else { flow };
    let handshake = Handshake::of(function, &hook, &flow);
    let is_told = handshake.as_ref().is_some_and(|handshake| handshake.told.is_some());
    let docs = docs(function, is_told);
    let declaration = declare(function, &arguments, &bare, &docs);
    let handshake = handshake.map(|handshake| Handshake { docs, ..handshake });
    let has_lifetimes = generics.lifetimes().next().is_some();
    let mut node = Node {
        ty: quote!(#name #angle),
        name: names::unraw(name),
        span: name.span(),
        generics,
        bare,
        is_function: true,
        is_chain: false,
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
        is_refused: is_ambiguous(signature) || gives_no_size || takes_no_size(signature),
        handshake,
    };
    let (is_last, is_generic) = (options.promises.last, node.generics.type_params().next().is_some());
    let (open, is_bounded) = (open_result(&node), is_generic && !has_lifetimes && !node.is_open() && !is_last);
    // Where a bound that its result needs is not met, nothing else is reported.
    let is_sought = node.told().is_none() && !is_bounded;
    let sought = if is_sought { node.told_in_part().map(Rc::new) } else { None };
    if let Some(handshake) = &mut node.handshake {
        let is_bounded = is_bounded && handshake.told.is_none();
        handshake.untold = Untold { is_last, is_generic, is_bounded, is_limited: false, open, sought };
    }
    Some(node)
}

/// If what the function provides is one of its type parameters or a type of one (`S`, `S::Row`): which parameter, and the
/// text.
fn open_result(node: &Node) -> Option<Open> {
    let super::flow::Gives::Value(_, text, Some(ty)) = &node.flow.gives else { return None };
    let of = types::parameter(ty)?;
    let is_it = |parameter: &GenericParam| matches!(parameter, GenericParam::Type(own) if own.ident == *of);
    Some(Open::new(node.generics.params.iter().position(is_it)?, text, ty, &node.generics))
}

/// Whether an argument of a type in the signature does not exist, in a function that has lifetimes alone.
pub(super) fn has_unknown_arguments(signature: &Signature) -> bool {
    use syn::visit::{self, Visit};
    struct Find(bool);
    impl<'ast> Visit<'ast> for Find {
        fn visit_generic_argument(&mut self, argument: &'ast syn::GenericArgument) {
            if let syn::GenericArgument::Type(Type::Path(path)) = argument {
                self.0 |= path.path.get_ident().is_some_and(nearby::is_unknown);
            }
            visit::visit_generic_argument(self, argument);
        }
    }
    let has_lifetimes_alone = signature.generics.type_params().next().is_none()
        && signature.generics.const_params().next().is_none()
        && signature.generics.lifetimes().next().is_some();
    let mut find = Find(false);
    if has_lifetimes_alone {
        find.visit_signature(signature);
    }
    find.0
}

/// Writes the lifetimes that the result hides, `Name<'_>` for `Name`, where the file declares that type: rustc hears of
/// the result in traits, too, where they have to be written.
pub(super) fn show_lifetimes(signature: &mut Signature) {
    use syn::visit_mut::{self, VisitMut};
    struct Show;
    impl VisitMut for Show {
        fn visit_path_mut(&mut self, path: &mut syn::Path) {
            visit_mut::visit_path_mut(self, path);
            let Some(part) = path.segments.last_mut().filter(|_| path.leading_colon.is_none()) else { return };
            let hidden = nearby::lifetimes_of(&part.ident);
            let elided = || (0..hidden).map(|_| syn::Lifetime::new("'_", part.ident.span()));
            match &mut part.arguments {
                _ if hidden == 0 => {}
                syn::PathArguments::None => {
                    let elided = elided();
                    part.arguments = syn::PathArguments::AngleBracketed(syn::parse_quote!(<#(#elided),*>));
                }
                syn::PathArguments::AngleBracketed(written) => {
                    let is_shown =
                        written.args.iter().any(|argument| matches!(argument, syn::GenericArgument::Lifetime(_)));
                    for lifetime in elided().filter(|_| !is_shown).collect::<Vec<_>>() {
                        written.args.insert(0, syn::GenericArgument::Lifetime(lifetime));
                    }
                }
                syn::PathArguments::Parenthesized(_) => {}
            }
        }
    }
    if let ReturnType::Type(_, ty) = &mut signature.output {
        Show.visit_type_mut(ty);
    }
}

/// Makes what is emitted for a function as visible as the least visible type in its signature, if the file shows that.
/// rustc only warns about such a function, and would refuse the traits that name its types.
pub(super) fn hide_with_its_types(function: &mut ItemFn) {
    use syn::visit::{self, Visit};
    struct Find<'f>(Vec<&'f syn::Ident>);
    impl<'ast> Visit<'ast> for Find<'ast> {
        fn visit_path(&mut self, path: &'ast syn::Path) {
            if let (None, Some(first), 1) = (path.leading_colon, path.segments.first(), path.segments.len()) {
                self.0.push(&first.ident);
            }
            visit::visit_path(self, path);
        }
    }
    if matches!(function.vis, syn::Visibility::Inherited) {
        return;
    }
    let mut find = Find(Vec::new());
    find.visit_signature(&function.sig);
    let is_own = |name: &syn::Ident| function.sig.generics.type_params().any(|own| own.ident == *name);
    find.0.retain(|name| !is_own(name));
    let vis = nearby::least_visible(&function.sig.ident, &find.0).and_then(|vis| syn::parse_str(&vis).ok());
    match (&vis, &function.vis) {
        (Some(syn::Visibility::Inherited), _) | (Some(_), syn::Visibility::Public(_)) => {
            function.vis = vis.unwrap_or(syn::Visibility::Inherited);
        }
        _ => {}
    }
}

/// What stands for a function that has a `self` and is no method: a function without, and its macro, by which its chains
/// know that there is an error about it.
pub(super) fn without_self(function: &ItemFn) -> TokenStream {
    let (name, vis) = (&function.sig.ident, &function.vis);
    let handshake = names::has_macro(name).then(|| Handshake::of_broken(name, vis).expand(None));
    quote! {
        #[allow(dead_code)]
        #vis fn #name() {}
        #[allow(non_camel_case_types, dead_code)]
        #vis struct #name {}
        #handshake
    }
}

/// Whether the result leaves out a lifetime, and more than one place in the parameters does so, too.
fn is_ambiguous(signature: &Signature) -> bool {
    left_out(signature).is_some_and(|places| places > 1)
}

/// Whether the result leaves out a lifetime, and not exactly one place in the parameters does so, too.
pub(super) fn lacks_a_lifetime(signature: &Signature) -> bool {
    left_out(signature).is_some_and(|places| places != 1)
}

/// How many places in the parameters leave out a lifetime, if the result does.
fn left_out(signature: &Signature) -> Option<usize> {
    let ReturnType::Type(_, returned) = returned(signature) else { return None };
    let taken = signature.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(input) => Some(elided(&input.ty)),
        FnArg::Receiver(_) => None,
    });
    (elided(&returned) > 0).then(|| taken.sum())
}

/// How many lifetimes are left out in a type, as far as can be seen.
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
        // A lifetime that is left out in these is bound by them.
        fn visit_type_bare_fn(&mut self, _: &'ast syn::TypeBareFn) {}
        fn visit_parenthesized_generic_arguments(&mut self, _: &'ast syn::ParenthesizedGenericArguments) {}
    }
    let mut count = Count(0);
    count.visit_type(ty);
    count.0
}

/// A struct with braces and the function's name. It is a type and no value: the name of a unit struct would also be a
/// value, and then no binding in this module could have that name.
fn declare(function: &ItemFn, arguments: &[TokenStream], generics: &Generics, docs: &TokenStream) -> TokenStream {
    // If nobody uses a node, rustc reports the function. It does not report the struct as well, since the struct's name
    // is not a token of the user's.
    let name = &names::emitted(&function.sig.ident);
    let vis = names::vis_beside(&function.vis);
    let types: Vec<_> = generics.type_params().map(|parameter| &parameter.ident).collect();
    let marker = (!types.is_empty()).then(|| quote!(marker: ::core::marker::PhantomData<fn() -> (#(#types,)*)>));
    // The node's impl has the bounds. With bounds here too, one that is not met would be an error at each mention.
    let unbounded = types::unbounded(generics);
    let (parameters, _, _) = unbounded.split_for_impl();
    let parameters = (!arguments.is_empty()).then(|| parameters.to_token_stream());
    quote! {
        #docs
        #[allow(non_camel_case_types, missing_debug_implementations, missing_copy_implementations, unreachable_pub)]
        #vis struct #name #parameters { #marker }
    }
}

/// The attributes of that struct which are the function's own.
///
/// rustc warns at a call of the function itself that it is deprecated.
fn docs(function: &ItemFn, is_called: bool) -> TokenStream {
    let docs = function
        .attrs
        .iter()
        .filter(|attribute| is_kept_on_struct(attribute) && !(is_called && attribute.path().is_ident("deprecated")));
    let of_clippy = names::is_clippy().then(|| quote!(#[allow(clippy::all, clippy::pedantic)]));
    quote!(#(#docs)* #of_clippy)
}

fn is_kept_on_struct(attribute: &Attribute) -> bool {
    ["doc", "cfg", "cfg_attr", "deprecated"].iter().any(|name| attribute.path().is_ident(name))
}

/// The node's own generics (types and constants) in a run and outside of one, and its arguments. Its lifetimes are the
/// run's.
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
