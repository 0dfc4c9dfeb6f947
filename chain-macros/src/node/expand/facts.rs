//! Emits what is known of a node in every chain, as constants.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::Type;

use super::super::flow::{FlowKind, Gives, by_type};
use super::super::signature::{Around, Hook, Node, Promises, Role};
use crate::names;
use crate::types;

impl Node {
    pub(in crate::node) fn facts(&self, rt: &TokenStream, name: &str, has_names: bool) -> TokenStream {
        let hook = |hook: &Option<Hook>| match hook {
            None => quote!(#rt::describe::Hook::Absent),
            Some(hook) if hook.is_async => quote!(#rt::describe::Hook::Suspends),
            Some(_) => quote!(#rt::describe::Hook::Now),
        };
        let enter = hook(&self.enter);
        let exit = hook(&self.exit);
        let lends = |hook: &Hook| hook.parameters.iter().any(|parameter| parameter.role == Role::Own);
        let cancelled = self.cancelled.as_ref().map(|hook| match lends(hook) {
            true => quote!(.cancelled().lends_to_cancelled()),
            false => quote!(.cancelled()),
        });
        let provides = match &self.flow.gives {
            Gives::Value(_, text, _) if matches!(self.flow.kind, FlowKind::ByType(_)) => {
                let (flow, nothing) = by_type();
                let (value, broken) = (format!("the value of {text}"), format!("the error of {text}"));
                Some(quote!(.by_type(#flow, #nothing, #text, #value, #broken)))
            }
            Gives::Value(_, text, _) => Some(quote!(.provides(#text))),
            _ => None,
        };
        let breaks = self.flow.breaks.as_ref().map(|(_, text)| quote!(.breaks(#text)));
        let around = self.around.as_ref().map(|around| {
            let wraps = around.wraps(rt);
            quote!(.around(#wraps))
        });
        let Promises { last, rejects, wanted, once } = self.promises;
        let promises = [("last", last), ("rejects", rejects), ("wanted", wanted), ("once", once)];
        let promises = promises.into_iter().filter(|(_, holds)| *holds).map(|(name, _)| {
            let name = format_ident!("{name}");
            quote!(.#name())
        });
        let keeps = self.gives_what_it_keeps().then(|| quote!(.gives_what_it_keeps()));
        let takes = self.gives_what_it_takes().then(|| quote!(.gives_what_it_takes()));
        let run = names::run_lifetime();
        let names = has_names.then(|| quote!(.names(<Self as #rt::Signature<#run>>::type_name)));
        let (shows, breaks_show) = self.decides(rt);
        let probes = (shows.is_some() || breaks_show.is_some()).then(|| quote!(use #rt::private::Plainly as _;));
        let facts = quote!(#rt::describe::Facts::new(#name) #(#promises)* #keeps #takes .enter(#enter).exit(#exit) #cancelled #provides #breaks #around #names #shows #breaks_show);
        if probes.is_some() { quote!({ #probes #facts }) } else { facts }
    }

    /// The names of the types that depend on the node's type parameters: a function, which is called when something
    /// asks for a drawing.
    pub(in crate::node) fn names(&self, rt: &TokenStream) -> Option<TokenStream> {
        let (part, name) = (names::single("part"), self.name_of_a_part(rt).filter(|_| !self.is_function)?);
        Some(quote! {
            fn type_name(#part: #rt::describe::Part) -> #rt::private::Option<&'static #rt::private::str> { #name }
        })
    }

    /// The same for a function. To name what it asks for may need the bounds of its type parameters, and those are met
    /// where it is a node of a scope.
    pub(in crate::node) fn seen(&self, rt: &TokenStream) -> Option<TokenStream> {
        let (part, name) = (names::single("part"), self.name_of_a_part(rt).filter(|_| self.is_function)?);
        let (run, call, scope) = (names::run_lifetime(), names::call_lifetime(), names::scope_parameter());
        let node = quote!(<Self as #rt::Node<#run, #call, #scope>>);
        Some(quote! {
            fn seen_name(#part: #rt::describe::Part) -> #rt::private::Option<&'static #rt::private::str> { #name }
            const SEEN: #rt::describe::Seen = #rt::describe::Seen {
                facts: <Self as #rt::Signature<#run>>::FACTS.names(#node::seen_name),
                needs: #node::NEEDS,
                exit_needs: #node::EXIT_NEEDS,
            };
        })
    }

    /// What names a part of the node by its type.
    fn name_of_a_part(&self, rt: &TokenStream) -> Option<TokenStream> {
        let run = names::run_lifetime();
        let generics = types::without_lifetime_parameters(&self.generics);
        let depends = |ty: &TokenStream| types::mentions(ty, &generics);
        let needs = |hook: &Option<Hook>, part: &str| {
            let part = format_ident!("{part}");
            let needed = hook.iter().flat_map(|hook| &hook.parameters).filter(|parameter| parameter.is_found());
            let needed = needed.enumerate().filter(|(_, parameter)| depends(&parameter.ty.to_token_stream()));
            let named = needed.map(|(at, parameter)| {
                let ty = self.asked(rt, parameter);
                quote!(#rt::describe::Part::#part(#at) => #rt::private::type_name::<#ty>())
            });
            named.collect::<Vec<_>>()
        };
        let given = match &self.flow.gives {
            Gives::Value(ty, ..) if depends(ty) => Some(("Given", quote!(#rt::node::Gives<#run, Self>))),
            _ => None,
        };
        let broken = self.flow.breaks.as_ref().filter(|(ty, _)| depends(ty)).map(|(ty, _)| ("BrokenWith", ty.clone()));
        let results = given.into_iter().chain(broken).map(|(part, ty)| {
            let part = format_ident!("{part}");
            quote!(#rt::describe::Part::#part => #rt::private::type_name::<#ty>())
        });
        let (enter, exit) = (needs(&self.enter, "NeededIn"), needs(&self.exit, "NeededOut"));
        let all: Vec<_> = enter.into_iter().chain(exit).chain(results).collect();
        let part = names::single("part");
        (!all.is_empty() && !self.is_stub)
            .then(|| quote!(#rt::private::Some(match #part { #(#all,)* _ => return #rt::private::None })))
    }

    /// Asks what the types behind the names are, if that decides something: whether a provided value is a `Result`
    /// after all, and whether a break is `()`.
    pub(in crate::node) fn decides(&self, rt: &TokenStream) -> (Option<TokenStream>, Option<TokenStream>) {
        if self.is_stub {
            return (None, None);
        }
        let run = names::run_lifetime();
        let is_by_type = matches!(self.flow.kind, FlowKind::ByType(_));
        // A `Result` that is written out inside of another one is meant.
        let may_hide = |ty: &Type| match (types::ungrouped(ty), &self.flow.kind) {
            (Type::Path(_), FlowKind::Plain) => true,
            (Type::Path(_), _) => !types::is_named(ty, "Result") && !types::is_named(ty, "ControlFlow"),
            (Type::Macro(_), _) => true,
            _ => false,
        };
        let shows = match &self.flow.gives {
            Gives::Value(_, _, ty) if ty.as_deref().map_or(is_by_type, may_hide) => {
                let probe = quote!(#rt::private::Probe::<#rt::node::Gives<#run, Self>>);
                Some(quote!(.shows(#probe::IS_RESULT, #probe::IS_CONTROL_FLOW, #probe::IS_POLL, #probe::IS_FUTURE)))
            }
            _ => None,
        };
        let breaks = (self.flow.breaks.is_some() || is_by_type).then(|| {
            let probe = quote!(#rt::private::Probe::<#rt::node::Breaks<#run, Self>>);
            quote!(.breaks_show(#probe::IS_NOTHING))
        });
        let gives_up = self
            .around
            .as_ref()
            .and_then(Around::gives_up)
            .map(|ty| quote!(.breaks_show(#rt::private::Probe::<#ty>::IS_NOTHING)));
        (shows, (breaks.is_some() || gives_up.is_some()).then(|| quote!(#breaks #gives_up)))
    }

    /// A constant that refuses a name which hides that the type is a reference or `()`.
    pub(in crate::node) fn shows(&self, rt: &TokenStream) -> Option<TokenStream> {
        let Gives::Value(value, text, ty) = &self.flow.gives else { return None };
        if self.generics.params.iter().next().is_some()
            || matches!(ty.as_deref().map(types::ungrouped), Some(Type::Reference(_)))
        {
            return None;
        }
        let (name, text) = (&self.name, text.as_str());
        let ty = match ty {
            Some(ty) => types::anonymous(ty).to_token_stream(),
            None if matches!(self.flow.kind, FlowKind::ByType(_)) => {
                let FlowKind::ByType(ty) = &self.flow.kind else { return None };
                let ((flow, _), ty) = (by_type(), types::anonymous(ty));
                quote!(<<#rt::flow::kind::By<#flow> as #rt::flow::kind::Is>::Kind as #rt::flow::Reads<#ty>>::Gives)
            }
            None if value.is_empty() => {
                let out = syn::parse2::<Type>(self.flow.out.clone()).ok()?;
                let out = types::anonymous(&out);
                quote!(<#out as #rt::flow::ResultLike>::Value)
            }
            None => return None,
        };
        let span = self.flow.span;
        let shows = quote! {
            const _: () = {
                use #rt::private::Plainly as _;
                #rt::check::shows("what is provided by ", #name, #text, #rt::private::Probe::<#ty>::SHOWS)
            };
        };
        Some(names::items_as_if_at(shows, span))
    }
}
