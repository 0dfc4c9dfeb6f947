//! Emits `Signature` and `Joins`: what a node gives in every chain.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Ident, Type};

use super::super::flow::{FlowKind, Gives, by_type};
use super::super::signature::Node;
use super::super::spawns;
use super::generics_with;
use crate::names;
use crate::told::Access;
use crate::types;

impl Node {
    pub(in crate::node) fn signature(&self, rt: &TokenStream) -> TokenStream {
        let Self { ty, name, flow, .. } = self;
        let run = names::run_lifetime();
        let chain = names::single("ChainItself");
        let joins = quote!(#chain: ?#rt::private::Sized);
        let [(generics, clause), (joining, _)] =
            [vec![], vec![joins]].map(|types| self.bounded(&[quote!(#run)], &types));
        let out = self.with_hidden(rt, self.out(rt), &quote!(()));
        let (key, never_gives) = match &flow.gives {
            Gives::Nothing => (quote!(#rt::Nothing<CHAIN_POSITION>), false),
            Gives::Never => (quote!(#rt::Nothing<CHAIN_POSITION>), true),
            Gives::Value(..) if matches!(flow.kind, FlowKind::ByType(_)) => (self.key_by_type(rt, &quote!(())), false),
            // Of an alias nothing is known except the type that it stands for.
            Gives::Value(value, ..) if value.is_empty() => (quote!(<#out as #rt::flow::ResultLike>::Value), false),
            Gives::Value(value, ..) => (value.clone(), false),
        };
        let (key, held) = match &flow.kind {
            FlowKind::ByType(_) => (key, self.key_by_type(rt, &quote!(#chain))),
            _ => (self.with_hidden(rt, key.clone(), &quote!(())), self.with_hidden(rt, key, &quote!(#chain))),
        };
        // A reference is found by the type to which it refers.
        let (found, lent) = match &flow.gives {
            Gives::Value(_, _, Some(ty)) => match types::ungrouped(ty) {
                Type::Reference(reference) => {
                    let lent = if reference.mutability.is_some() { quote!(ByMut) } else { quote!(ByRef) };
                    let found = match types::reference_to_an_object(types::referent(ty), &run, &[]) {
                        Some(reference) => quote!(<#reference as #rt::private::Referred<#chain>>::It),
                        None => {
                            let ty = types::with_lifetime(types::referent(ty), &run);
                            self.with_hidden(rt, ty.to_token_stream(), &quote!(#chain))
                        }
                    };
                    (found, lent)
                }
                _ => (held.clone(), quote!(Itself)),
            },
            _ => (held.clone(), quote!(Itself)),
        };
        // Under its own type the node would find itself, and rustc would report a second error about the first one:
        // that the type is taken.
        let (found, lent) = match self.gives_what_it_keeps() || self.gives_what_it_takes() {
            true => (quote!(#rt::Nothing<CHAIN_POSITION>), quote!(Unfound)),
            false => (found, lent),
        };
        let kind = match (&flow.kind, &flow.breaks, never_gives) {
            (FlowKind::ByType(_), ..) => quote!(),
            (FlowKind::Plain, _, false) => quote!(Gives),
            (FlowKind::Plain, _, true) => quote!(Never),
            (FlowKind::Result, None, _) => quote!(NeverFails),
            (FlowKind::Result, _, false) => quote!(Fails),
            (FlowKind::Result, _, true) => quote!(OnlyFails),
            (FlowKind::ControlFlow, None, _) => quote!(NeverBreaks),
            (FlowKind::ControlFlow, _, false) => quote!(Breaks),
            (FlowKind::ControlFlow, _, true) => quote!(OnlyBreaks),
        };
        let kind = match &flow.kind {
            FlowKind::ByType(_) => {
                let (flow, _) = by_type();
                quote!(<#rt::flow::kind::By<#flow> as #rt::flow::kind::Is>::Kind)
            }
            _ => quote!(#rt::flow::kind::#kind),
        };
        let suspends = self.enter.as_ref().is_some_and(|hook| hook.is_async);
        let pace = if suspends { quote!(Suspending) } else { quote!(Immediate) };
        let names = self.names(rt);
        let facts = self.facts(rt, name, names.is_some());
        let spawns = self.spawns.as_ref().map(|spawns| spawns::constant(rt, name, spawns));
        quote! {
            #[automatically_derived]
            impl #joining #rt::Joins<#run, #chain> for #ty #clause {
                type As<const CHAIN_POSITION: usize> = #found;
                type Held<const CHAIN_POSITION: usize> = #held;
                type Lent = #rt::scope::lent::#lent;
            }
            #[automatically_derived]
            impl #generics #rt::Signature<#run> for #ty #clause {
                type Out = #out;
                type Kind = #kind;
                type Key<const CHAIN_POSITION: usize> = #key;
                type Pace = #rt::node::pace::#pace;
                const FACTS: #rt::describe::Facts = #facts;
                #spawns
                #names
            }
        }
    }

    /// The generics and the where-clause of what a node is in every chain. A function has its bounds only where they
    /// are needed: one that a chain does not meet is then one error, of the node in that chain.
    fn bounded(&self, lifetimes: &[TokenStream], types: &[TokenStream]) -> (TokenStream, TokenStream) {
        match self.is_function && self.is_open() {
            true => {
                let outlives = self.outlives();
                (generics_with(&types::unbounded(&self.generics), lifetimes, types), quote!(where #(#outlives,)*))
            }
            false => (self.generics(lifetimes, types), self.where_clause(&self.outlives())),
        }
    }

    /// Whether nothing in its results needs a bound of its type parameters.
    pub(in crate::node) fn is_open(&self) -> bool {
        let given = [Some(self.flow.out.clone()), self.flow.breaks.as_ref().map(|(breaks, _)| breaks.clone())];
        let mut given = given.into_iter().flatten().map(|ty| syn::parse2(ty).unwrap_or(syn::parse_quote!(unknown!())));
        given.all(|ty: Type| types::asks_for_no_bound(&ty, &self.generics))
    }

    /// The type of its value, or the type for nothing.
    pub(in crate::node) fn key_by_type(&self, rt: &TokenStream, chain: &TokenStream) -> TokenStream {
        let ((flow, nothing), out) = (by_type(), &self.flow.out);
        quote!(<#rt::flow::KeyBy<#flow, #nothing> as #rt::flow::KeyIn<#out, #chain>>::Key<CHAIN_POSITION>)
    }

    /// A type in the node's result. A lifetime that is hidden in it is the run's. (With the chain's type as a
    /// parameter, rustc knows the result.)
    pub(in crate::node) fn with_hidden(&self, rt: &TokenStream, ty: TokenStream, chain: &TokenStream) -> TokenStream {
        let is_parameter =
            |name: &Ident| name == "Self" || self.generics.type_params().any(|parameter| parameter.ident == *name);
        let may_hide = syn::parse2::<Type>(ty.clone()).is_ok_and(|ty| types::may_hide_a_lifetime(&ty, &is_parameter));
        // For a function, its parameters would have to be kept in case there is such a lifetime; rustc requires that it
        // is written.
        if self.is_function || self.is_stub || !may_hide || !matches!(self.flow.gives, Gives::Value(..)) {
            return ty;
        }
        let run = names::run_lifetime();
        quote!(<fn(&#run ()) -> #ty as #rt::private::Returned<#chain>>::It)
    }

    /// The return type of the way in. It is named, since rustc would have to look up `Self::Out` at each mention.
    pub(in crate::node) fn out(&self, rt: &TokenStream) -> TokenStream {
        let out = &self.flow.out;
        if is_bang(out) { quote!(#rt::Never) } else { out.clone() }
    }

    /// The same for the hook. A lifetime hidden in it would become that of the function's `&self`, and so cause a
    /// second error: rustc reports the first one where the type is named.
    pub(in crate::node) fn hook_out(&self, rt: &TokenStream) -> TokenStream {
        let out = self.out(rt);
        let is_parameter = |name: &Ident| self.generics.type_params().any(|parameter| parameter.ident == *name);
        let may_hide = syn::parse2(out.clone()).is_ok_and(|out| types::may_hide_a_lifetime(&out, &is_parameter));
        let is_async = self.enter.as_ref().is_some_and(|hook| hook.is_async);
        if self.is_function && !is_async && may_hide { quote!(Self::Out) } else { out }
    }

    /// Whether it returns a `&T` and keeps a borrow of the scope's `T`.
    pub(in crate::node) fn gives_what_it_keeps(&self) -> bool {
        let Gives::Value(_, _, Some(ty)) = &self.flow.gives else { return false };
        let is_reference = matches!(types::ungrouped(ty), Type::Reference(_));
        let mut kept = self.enter.iter().flat_map(|hook| &hook.parameters).filter(|parameter| parameter.is_kept);
        is_reference && kept.any(|parameter| types::same_text(&parameter.ty, types::referent(ty)))
    }

    /// Whether it takes a `T` and returns a `T`.
    pub(in crate::node) fn gives_what_it_takes(&self) -> bool {
        let Gives::Value(_, _, Some(ty)) = &self.flow.gives else { return false };
        let mut taken =
            self.enter.iter().flat_map(|hook| &hook.parameters).filter(|parameter| parameter.access == Access::Taken);
        taken.any(|parameter| types::same_text(&parameter.ty, ty))
    }

    /// Constants that say what the return type is, if its name does not.
    pub(in crate::node) fn read_by_type(&self, rt: &TokenStream) -> Option<TokenStream> {
        let FlowKind::ByType(ty) = &self.flow.kind else { return None };
        let (flow, nothing) = by_type();
        let ty = types::anonymous(ty);
        Some(quote! {
            const #flow: usize = {
                use #rt::private::Plainly as _;
                #rt::private::Probe::<#ty>::FLOW
            };
            const #nothing: #rt::private::bool = {
                use #rt::private::Plainly as _;
                #rt::private::is_nothing(
                    #rt::private::Probe::<<<#rt::flow::kind::By<#flow> as #rt::flow::kind::Is>::Kind as #rt::flow::Reads<#ty>>::Gives>::SHOWS,
                )
            };
        })
    }
}

pub(super) fn is_bang(tokens: &TokenStream) -> bool {
    let mut tokens = tokens.clone().into_iter();
    matches!(tokens.next(), Some(TokenTree::Punct(bang)) if bang.as_char() == '!') && tokens.next().is_none()
}
