//! Emits `Node`: what a node asks of a scope, and how its hooks are called.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::Type;

use super::super::signature::{Hook, Node, Parameter, Role};
use super::signature::is_bang;
use crate::names;
use crate::told::Access;
use crate::types;

impl Node {
    pub(in crate::node) fn node(&self, rt: &TokenStream) -> TokenStream {
        let ty = &self.ty;
        let (run, call, scope) = (names::run_lifetime(), names::call_lifetime(), names::scope_parameter());
        let mut parameters = vec![scope.to_token_stream()];
        let mut bounds = self.outlives();
        let needs = self.needs(rt, self.enter.as_ref(), &mut bounds);
        let exit_needs = self.needs(rt, self.exit.as_ref(), &mut bounds);
        if let Some(reply) = &self.exit_reply {
            let name = &reply.ident;
            parameters.push(reply.to_token_stream());
            bounds.push(quote!(#scope: #rt::scope::Replying<Reply = #name>));
            bounds.push(quote!(#name: #call));
        }
        let generics = self.generics(&[quote!(#run: #call), quote!(#call)], &parameters);
        let clause = self.where_clause(&bounds);
        let enter = match &self.enter {
            Some(enter) => self.hook(rt, "enter", enter, &self.hook_out(rt)),
            None => self.no_way_in(),
        };
        let exit = self.exit.as_ref().map(|exit| self.hook(rt, "exit", exit, &quote!(())));
        let exit_needs = self
            .exit
            .is_some()
            .then(|| quote!(const EXIT_NEEDS: &'static [#rt::describe::Need] = &[#(#exit_needs),*];));
        let owned = self.enter.as_ref().filter(|enter| enter.is_owned).map(|enter| {
            let header = quote!(impl #generics #rt::node::Owned<#run, #call, #scope> for #ty);
            let items = self.owned(rt, enter);
            names::impl_at(header, &clause, items, self.span)
        });
        let header = quote!(impl #generics #rt::Node<#run, #call, #scope> for #ty);
        let seen = self.seen(rt);
        let items = quote! {
            const NEEDS: &'static [#rt::describe::Need] = &[#(#needs),*];
            #exit_needs
            #seen
            #enter
            #exit
        };
        let node = names::impl_at(header, &clause, items, self.span);
        quote!(#node #owned)
    }

    /// The way in of a node whose future borrows nothing.
    pub(in crate::node) fn owned(&self, rt: &TokenStream, enter: &Hook) -> TokenStream {
        let (run, scope, place) = (names::run_lifetime(), names::scope_parameter(), names::single("scope"));
        let arguments = enter.parameters.iter().map(|parameter| self.argument(rt, parameter));
        let receiver = self.declaration.is_none().then(|| quote!(self,));
        let call = &enter.call;
        quote! {
            #[inline(always)]
            fn enter_owned(&#run self, mut #place: #scope) -> impl #rt::private::Future<Output = Self::Out> + #rt::private::Send + 'static {
                #call(#receiver #(#arguments),*)
            }
        }
    }

    /// What a hook needs, as data, and as the bounds that tell it to rustc.
    pub(in crate::node) fn needs(
        &self,
        rt: &TokenStream,
        hook: Option<&Hook>,
        bounds: &mut Vec<TokenStream>,
    ) -> Vec<TokenStream> {
        let (run, call, scope) = (names::run_lifetime(), names::call_lifetime(), names::scope_parameter());
        let mut needs = Vec::new();
        for parameter in hook.iter().flat_map(|hook| &hook.parameters) {
            let ty = self.asked(rt, parameter);
            let span = parameter.span;
            if parameter.role == Role::Reply {
                bounds.push(names::path_at(quote!(#scope: #rt::scope::LendReply<#call, #ty, Self>), span));
                continue;
            }
            if let Type::Reference(_) = types::ungrouped(&parameter.ty) {
                let in_run = self.in_run_of(parameter);
                let inner = types::referent(&in_run);
                bounds.push(names::path_at(quote!(#scope: #rt::scope::LendsReferences<#inner, Self>), span));
                continue;
            }
            let (access, lends) = match parameter.access {
                Access::Lent if parameter.is_kept => (quote!(Lent), quote!(LendsToKeep)),
                Access::Lent => (quote!(Lent), quote!(Lends)),
                Access::LentMut => (quote!(LentMut), quote!(LendsToWrite)),
                Access::Taken => (quote!(Taken), quote!(LendsToTake)),
            };
            let bound = match (parameter.access, types::option_of_a_reference(&self.in_run_of(parameter))) {
                (Access::Taken, Some(of)) => quote!(#scope: #rt::scope::LendsOption<#run, #call, #ty, #of, Self>),
                _ => quote!(#scope: #rt::scope::#lends<#run, #call, #ty, Self>),
            };
            bounds.push(names::path_at(bound, span));
            let (text, ty) = (types::text(&parameter.ty), self.in_run_of(parameter));
            needs.push(quote! {
                #rt::describe::Need {
                    ty: #text,
                    access: #rt::describe::Access::#access,
                    from: <#scope as #rt::scope::Provides<#run, #call, #ty>>::FROM,
                }
            });
        }
        needs
    }

    /// A hook in the form in which it is called.
    pub(in crate::node) fn hook(&self, rt: &TokenStream, name: &str, hook: &Hook, out: &TokenStream) -> TokenStream {
        let (run, scope) = (names::run_lifetime(), names::scope_parameter());
        // A local that cannot be confused with a node's name.
        let place = names::single("scope");
        let later = format_ident!("{name}");
        let arguments = hook.parameters.iter().map(|parameter| self.argument(rt, parameter));
        let receiver = self.declaration.is_none().then(|| quote!(self,));
        let call = self.called(hook, name);
        let call = quote!(#call(#receiver #(#arguments),*));
        // A future gives exactly the type that it gives. If the value borrows from the node for longer than the run,
        // the await shortens that borrow to the run.
        let future = names::single("future");
        let call = match name == "enter" && self.gives_for_longer {
            true => quote!({ let #future = #call; async move { #future.await } }),
            false => call,
        };
        let call = match hook.is_async && hook.parameters.iter().any(|parameter| parameter.behind > 0) {
            true => self.hook_with_references(rt, hook, name),
            false => call,
        };
        // A future that gives `!` gives any type.
        let never_ends = name == "enter" && is_bang(&self.flow.out) && hook.is_async;
        let call = match never_ends {
            true => quote!({ let #future = #call; async move { #future.await } }),
            false => call,
        };
        if hook.is_async {
            return quote! {
                #[inline(always)]
                fn #later(&#run self, mut #place: #scope) -> impl #rt::private::Future<Output = #out> { #call }
            };
        }
        let now = format_ident!("{name}_now");
        quote! {
            #[inline(always)]
            fn #now(&#run self, mut #place: #scope) -> #out { #call }
        }
    }

    /// The call of a hook that is awaited and meanwhile holds references that are made for the call.
    pub(in crate::node) fn hook_with_references(&self, rt: &TokenStream, hook: &Hook, name: &str) -> TokenStream {
        let locals: Vec<_> = (0..hook.parameters.len()).map(|at| names::local("argument", at)).collect();
        let lent = hook.parameters.iter().zip(&locals).map(|(parameter, local)| {
            let argument = self.argument(rt, &Parameter { behind: 0, ..parameter.clone() });
            quote!(let #local = #argument;)
        });
        let arguments = hook.parameters.iter().zip(&locals).map(|(parameter, local)| {
            let before = parameter.references();
            quote!(#before #local)
        });
        let receiver = self.declaration.is_none().then(|| quote!(self,));
        let call = self.called(hook, name);
        quote!({ #(#lent)* async move { #call(#receiver #(#arguments),*).await } })
    }

    /// The `enter` of a node without one.
    pub(in crate::node) fn no_way_in(&self) -> TokenStream {
        let (run, scope, place) = (names::run_lifetime(), names::scope_parameter(), names::single("scope"));
        quote! {
            #[inline(always)]
            fn enter_now(&#run self, #place: #scope) -> Self::Out {}
        }
    }

    pub(in crate::node) fn argument(&self, rt: &TokenStream, parameter: &Parameter) -> TokenStream {
        // Inside of a body rustc infers a lifetime that is left out.
        let ty = self.in_run_of(parameter);
        let place = names::single("scope");
        if parameter.role == Role::Scope && matches!(types::ungrouped(&parameter.ty), Type::Reference(_)) {
            return quote!(#rt::private::no_node());
        }
        if parameter.role == Role::Reply {
            return quote!(#rt::scope::LendReply::<#ty, Self>::lend_reply(&mut #place));
        }
        let before = parameter.references();
        let how = match parameter.access {
            Access::Lent if parameter.is_kept => quote!(keep),
            Access::Lent => quote!(lend),
            Access::LentMut => quote!(lend_mut),
            Access::Taken => quote!(take),
        };
        quote!(#before #rt::scope::#how::<#ty, Self, _>(&mut #place))
    }

    /// The path that is called for a hook. If the hook says that the node's value borrows for a lifetime of the node's
    /// own type, the path names that type with the run's lifetime, for which the value really borrows.
    pub(in crate::node) fn called(&self, hook: &Hook, name: &str) -> TokenStream {
        let says_so = |parameter: &Parameter| parameter.is_own && self.mentions_own_lifetime(&parameter.ty);
        if !hook.parameters.iter().any(says_so) {
            return hook.call.clone();
        }
        let ty = &self.ty;
        let (ty, name) =
            (types::with_lifetime(&syn::parse_quote!(#ty), &names::run_lifetime()), format_ident!("{name}"));
        quote!(<#ty>::#name)
    }
}
