//! Emits a node: the traits for the item.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{GenericParam, Generics, Ident, Type};

mod around;
mod cancel;
mod facts;
mod hooks;
mod signature;

use super::kept::mentions;
use super::signature::{Around, Hook, Node, Parameter, Role};
use crate::names;
use crate::types;

impl Node {
    /// The node without any needs, beside errors that are reported already: a chain that uses it has no further errors.
    pub(super) fn kept_alive(mut self, rt: &TokenStream) -> TokenStream {
        self.enter = Some(Hook {
            call: quote!(#rt::private::no_node),
            is_async: false,
            is_owned: false,
            parameters: Vec::new(),
        });
        self.exit = None;
        self.exit_reply = None;
        self.cancelled = None;
        self.around = self.around.map(|_| Around::kept_alive());
        self.spawns = None;
        if let Some(handshake) = &mut self.handshake {
            handshake.told = None;
            handshake.untold.sought = None;
        }
        // It is called like a function, without `self`.
        self.stateless &= self.declaration.is_some();
        self.declaration.get_or_insert_default();
        self.is_stub = true;
        self.expand(rt)
    }

    pub(super) fn expand(&self, rt: &TokenStream) -> TokenStream {
        let declaration = &self.declaration;
        let told = self.told();
        if let (Some(told), Some(handshake)) = (told.filter(|told| told.hooks.is_none()), &self.handshake) {
            return self.expand_told(rt, told, handshake);
        }
        let handshake = self.handshake.as_ref().map(|handshake| handshake.expand(told));
        let by_text = told.map(|told| self.hooks_by_text(rt, told));
        let sought = self.handshake.as_ref().and_then(|handshake| handshake.untold.sought.as_deref());
        let sought = sought.filter(|_| told.is_none() && !self.is_stub).map(|sought| self.asks(rt, sought));
        let is_bounded = self.handshake.as_ref().is_some_and(|handshake| handshake.untold.is_bounded) && !self.is_stub;
        let meets = is_bounded.then(|| self.meets(rt));
        let is_node = (!self.is_function).then(|| self.is_node(rt));
        let signature = self.signature(rt);
        let node = self.node(rt);
        let cancel = (!self.is_function).then(|| self.cancel(rt));
        let around = self.around.as_ref().map(|around| around.expand(self, rt));
        let stateless = self.stateless.then(|| self.stateless(rt));
        let shows = (!self.is_stub).then(|| self.shows(rt));
        let elsewhere = (!self.is_function && !self.is_chain && !self.is_stub).then(|| self.refuse_hooks_elsewhere());
        let hushed = if self.is_stub { names::hushed() } else { names::hushed_of_a_node() };
        let read = self.read_by_type(rt);
        quote! {
            #declaration
            #handshake
            #hushed
            const _: () = { #read #is_node #meets #signature #node #cancel #around #stateless #shows #by_text #sought #elsewhere };
        }
    }

    pub(super) fn is_node(&self, rt: &TokenStream) -> TokenStream {
        let ty = &self.ty;
        let chain = names::single("ChainItself");
        let generics = self.generics(&[], &[quote!(#chain: ?#rt::private::Sized)]);
        let clause = self.where_clause(&[]);
        let hidden = hidden(rt);
        quote! {
            #hidden
            #[automatically_derived]
            impl #generics #rt::IsNode<#chain> for #ty #clause {
                type Itself = Self;
                #[inline(always)]
                fn itself(&self) -> &Self { self }
            }
        }
    }

    /// A function whose results need the bounds of its parameters: a chain that does not meet them finds that here, once.
    fn meets(&self, rt: &TokenStream) -> TokenStream {
        let (ty, chain) = (&self.ty, names::single("ChainItself"));
        let generics = generics_with(&self.bare, &[], &[quote!(#chain: ?#rt::private::Sized)]);
        let clause = self.bare.where_clause.iter().flat_map(|clause| &clause.predicates);
        let clause = quote!(where #(#clause,)*);
        quote! {
            #[automatically_derived]
            impl #generics #rt::node::Meets<#chain> for #ty #clause {
                type Itself = Self;
            }
        }
    }

    pub(super) fn stateless(&self, rt: &TokenStream) -> TokenStream {
        let ty = &self.ty;
        let bare = if self.is_function { types::unbounded(&self.bare) } else { self.bare.clone() };
        let generics = generics_with(&bare, &[], &[]);
        let clause = bare.where_clause.iter().flat_map(|clause| &clause.predicates);
        let clause = quote!(where #(#clause,)*);
        let marker = (self.declaration.is_some() && self.generics.type_params().next().is_some())
            .then(|| quote!(marker: #rt::private::PhantomData));
        let hidden = hidden(rt);
        quote! {
            #hidden
            impl #generics #rt::Stateless for #ty #clause {
                const NODE: Self = Self { #marker };
            }
        }
    }

    /// The node's generics, with the run's lifetime and further parameters in front.
    pub(super) fn generics(&self, lifetimes: &[TokenStream], types: &[TokenStream]) -> TokenStream {
        generics_with(&self.generics, lifetimes, types)
    }

    pub(super) fn where_clause(&self, more: &[TokenStream]) -> TokenStream {
        let own = self.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
        quote!(where #(#own,)* #(#more,)*)
    }

    /// If a reference to the node's type parameters may be among what it asks for or gives, they have to live as long
    /// as the run. For a function, rustc takes this from the types of the parameters.
    pub(super) fn outlives(&self) -> Vec<TokenStream> {
        let run = names::run_lifetime();
        let hooks = [&self.enter, &self.exit, &self.cancelled];
        let asked = hooks.into_iter().flatten().flat_map(|hook| &hook.parameters).map(|parameter| &parameter.ty);
        let given = syn::parse2::<Type>(self.flow.out.clone()).ok();
        // A lifetime may be hidden in a parameter's type: `&Token` for `&Token<'_>`.
        let is_parameter = |name: &Ident| self.generics.type_params().any(|parameter| parameter.ident == *name);
        let refers =
            asked.chain(&given).any(|ty| types::has_a_lifetime(ty) || types::may_hide_a_lifetime(ty, &is_parameter));
        let parameters = self.generics.type_params().filter(|_| refers).map(|parameter| &parameter.ident);
        parameters.map(|parameter| quote!(#parameter: #run)).collect()
    }

    /// A parameter's type in a run: the lifetimes of the node's own type stay as they are.
    pub(super) fn in_run(&self, ty: &Type) -> Type {
        let own: Vec<_> = self.generics.lifetimes().map(|parameter| parameter.lifetime.clone()).collect();
        let run = names::run_lifetime();
        match types::reference_to_an_object(ty, &run, &own) {
            Some(reference) => syn::parse_quote!(<#reference as ::core::ops::Deref>::Target),
            None => types::with_lifetime_but(ty, &run, &own),
        }
    }

    pub(super) fn mentions_own_lifetime(&self, ty: &Type) -> bool {
        mentions(ty, &self.generics)
    }

    pub(super) fn in_run_of(&self, parameter: &Parameter) -> Type {
        match parameter.is_own {
            true => types::with_lifetime(&parameter.ty, &names::run_lifetime()),
            false => self.in_run(&parameter.ty),
        }
    }

    /// The type that a hook asks for. A lifetime may be hidden in it (`&Token` for `&Token<'_>`), which only rustc
    /// knows.
    pub(super) fn asked(&self, rt: &TokenStream, parameter: &Parameter) -> TokenStream {
        let ty = &parameter.ty;
        let in_run = self.in_run_of(parameter);
        let is_parameter =
            |name: &Ident| name == "Self" || self.generics.type_params().any(|parameter| parameter.ident == *name);
        if parameter.role == Role::Reply || !types::may_hide_a_lifetime(ty, &is_parameter) {
            return in_run.into_token_stream();
        }
        // In the type of a function, a lifetime that the result leaves out is that of the argument.
        let run = names::run_lifetime();
        quote!(<fn(&#run ()) -> #in_run as #rt::private::Returned>::It)
    }
}

/// These generics, with further parameters in front.
pub(super) fn generics_with(generics: &Generics, lifetimes: &[TokenStream], types: &[TokenStream]) -> TokenStream {
    let own = generics.params.iter().map(|parameter| match parameter {
        GenericParam::Type(parameter) => {
            let mut parameter = parameter.clone();
            parameter.default = None;
            parameter.eq_token = None;
            parameter.to_token_stream()
        }
        other => other.to_token_stream(),
    });
    let own_lifetimes = generics.lifetimes().count();
    let own: Vec<_> = own.collect();
    let (before, after) = own.split_at(own_lifetimes);
    quote!(<#(#lifetimes,)* #(#before,)* #(#types,)* #(#after,)*>)
}

/// An error about a type that is no node lists types that are nodes. The runtime's own nodes should not be in that
/// list. (Under `no_implicit_prelude`, which a user's crate may have, the attribute does not exist.)
pub(super) fn hidden(rt: &TokenStream) -> Option<TokenStream> {
    (rt.to_string() == "crate").then(|| quote!(#[diagnostic::do_not_recommend]))
}
