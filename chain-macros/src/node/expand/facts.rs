//! Emits what a node says of itself as constants.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::Type;

use super::super::flow::{FlowKind, Gives, by_type};
use super::super::signature::{Around, Hook, Node, Promises};
use crate::names;
use crate::types;

impl Node {
    pub(in crate::node) fn facts(&self, rt: &TokenStream, name: &str) -> TokenStream {
        let hook = |hook: &Option<Hook>| match hook {
            None => quote!(#rt::describe::Hook::Absent),
            Some(hook) if hook.is_async => quote!(#rt::describe::Hook::Suspends),
            Some(_) => quote!(#rt::describe::Hook::Now),
        };
        let enter = hook(&self.enter);
        let exit = hook(&self.exit);
        let cancelled = self.cancelled.as_ref().map(|_| quote!(.cancelled()));
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
        let (shows, breaks_show) = self.decides(rt);
        let probes = (shows.is_some() || breaks_show.is_some()).then(|| quote!(use #rt::private::Plainly as _;));
        let facts = quote!(#rt::describe::Facts::new(#name) #(#promises)* #keeps .enter(#enter).exit(#exit) #cancelled #provides #breaks #around #shows #breaks_show);
        if probes.is_some() { quote!({ #probes #facts }) } else { facts }
    }

    /// What the types behind the names are, where that decides something: whether what is provided is a `Result` after all, and what breaks, `()`.
    pub(in crate::node) fn decides(&self, rt: &TokenStream) -> (Option<TokenStream>, Option<TokenStream>) {
        if self.is_stub {
            return (None, None);
        }
        let run = names::run_lifetime();
        let is_by_type = matches!(self.flow.kind, FlowKind::ByType(_));
        // One in another, written out, is meant to be one.
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

    /// A constant that refuses a name which hides a reference, or nothing.
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
        Some(names::as_if_at(shows, span))
    }
}
