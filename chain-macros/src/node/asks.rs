//! What hooks ask for that a chain finds by their traits. A chain that lacks some of it looks for it by these types
//! (`expand/describe/search.rs`), and rustc then says nothing about our traits.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{GenericArgument, Ident, Type};

use super::expand::generics_with;
use super::flow::Gives;
use super::handshake::MOST;
use super::signature::{Hook, Node, Parameter, Role};
use crate::handshake::{Access, Exit, Hooks, Kind, Of, Told};
use crate::names;
use crate::told;
use crate::types;

/// Stands for a type whose text says nothing to a chain: a type parameter of the node is in it.
const ANY: &str = "?";

impl Node {
    /// What is told of hooks that cannot be called by text.
    pub(super) fn told_in_part(&self) -> Option<Told> {
        let is_odd = self.is_stub || self.gives_for_longer || self.is_refused;
        if is_odd || self.gives_what_it_keeps() || self.gives_what_it_takes() {
            return None;
        }
        let text = |parameter: &Parameter| {
            let text = self.text_of(&parameter.ty);
            match self.is_looked_for(parameter) {
                false => String::new(),
                true if parameter.is_kept => told::to_keep(&text),
                true => text,
            }
        };
        let of = |hook: &Hook| {
            let parameters = hook.parameters.iter().map(|parameter| {
                let of = if parameter.role == Role::Reply { Of::Reply } else { Of::Scope };
                (of, parameter.access, text(parameter))
            });
            parameters.collect::<Vec<_>>()
        };
        let exit = self.exit.as_ref().map(|exit| Exit { is_async: exit.is_async, parameters: of(exit) });
        let enter = self.enter.iter().flat_map(of).map(|(_, access, text)| (access, text));
        let provides = match &self.flow.gives {
            // A reference is found by the type to which it refers.
            Gives::Value(.., Some(ty)) if !self.is_function => self.text_of(types::referent(ty)),
            _ => String::new(),
        };
        let cancelled = self.cancelled.iter().flat_map(of).map(|(.., text)| text).collect();
        let hooks = Hooks { is_whole: false, enters: self.enter.is_some(), exit, cancelled, shape: 0 };
        let told = Told {
            name: self.name.clone(),
            is_async: false,
            is_owned: false,
            kind: Kind::Gives,
            provides,
            breaks: String::new(),
            parameters: enter.collect(),
            hooks: Some(hooks),
        };
        let exits = told.hooks.iter().flat_map(|hooks| &hooks.exit).flat_map(|exit| &exit.parameters);
        let cancelled = told.hooks.iter().flat_map(|hooks| &hooks.cancelled);
        let mut texts =
            told.parameters.iter().map(|(_, text)| text).chain(exits.map(|(.., text)| text)).chain(cancelled);
        let asks = texts.any(|text| !text.is_empty());
        let is_short =
            [&self.enter, &self.exit, &self.cancelled].into_iter().flatten().all(|hook| hook.parameters.len() <= MOST);
        (asks && is_short).then(|| told.with_a_shape())
    }

    /// The text of a type. For a type parameter of the node it has the argument of the node's type.
    fn text_of(&self, ty: &Type) -> String {
        if !types::mentions(ty, &self.generics) {
            return types::text(ty);
        }
        let own: Vec<_> = self.arguments().unwrap_or_default();
        let with_arguments = with(ty.to_token_stream(), &own);
        match syn::parse2::<Type>(with_arguments) {
            Ok(ty) if !types::mentions(&ty, &self.generics) => types::text(&ty),
            _ => ANY.to_owned(),
        }
    }

    /// The type parameters of the node that its type has as arguments, in their order there.
    fn arguments(&self) -> Option<Vec<Ident>> {
        let Ok(Type::Path(path)) = syn::parse2::<Type>(self.ty.clone()) else { return None };
        let syn::PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else { return None };
        let arguments = arguments.args.iter().filter(|argument| !matches!(argument, GenericArgument::Lifetime(_)));
        // Anything else in its place is none.
        let name = |argument: &GenericArgument| match argument {
            GenericArgument::Type(Type::Path(path)) => path.path.get_ident().cloned(),
            _ => None,
        };
        Some(arguments.map(|argument| name(argument).unwrap_or_else(|| names::single("none"))).collect())
    }

    /// Whether a chain that lacks this can look for it. For the others the scope has words of its own.
    fn is_looked_for(&self, parameter: &Parameter) -> bool {
        let Parameter { ty, access, .. } = parameter;
        let is_of_any_reply = self.exit_reply.as_ref().is_some_and(|reply| mentions(ty, &reply.ident));
        let is_a_reference = matches!(types::ungrouped(ty), Type::Reference(_));
        let is_an_option = *access == Access::Taken && types::option_of_a_reference(ty).is_some();
        // Such a type is known by its text.
        let has_a_text = !(is_a_reference || is_an_option) || !types::mentions(ty, &self.generics);
        let is_of_one = types::option_of_a_reference(ty).is_none_or(|of| !matches!(of, Type::Reference(_)));
        let needs_a_bound = self.is_function && !types::asks_for_no_bound(ty, &self.generics);
        parameter.role != Role::Own && !is_of_any_reply && has_a_text && is_of_one && !needs_a_bound
    }

    /// The types of it.
    pub(super) fn asks(&self, rt: &TokenStream, told: &Told) -> TokenStream {
        let Some(Hooks { shape, .. }) = &told.hooks else { return TokenStream::new() };
        let (ty, run, call) = (&self.ty, names::run_lifetime(), names::call_lifetime());
        let lives = [quote!(#run: #call), quote!(#call)];
        // A function's own bounds are asked where it is a node of a scope.
        let (generics, clause) = match (self.is_function, self.outlives()) {
            (true, outlives) => {
                (generics_with(&types::unbounded(&self.generics), &lives, &[]), quote!(where #(#outlives,)*))
            }
            (false, outlives) => (self.generics(&lives, &[]), self.where_clause(&outlives)),
        };
        let asks = |hook: &Option<Hook>, name: &str| {
            let hook = hook.as_ref().filter(|hook| !hook.parameters.is_empty())?;
            let types = hook.parameters.iter().map(|parameter| {
                let ty = self.asked(rt, parameter);
                match parameter.access {
                    _ if !self.is_looked_for(parameter) => quote!(()),
                    Access::Taken => ty,
                    Access::LentMut => quote!(&#call mut #ty),
                    Access::Lent => quote!(&#call #ty),
                }
            });
            let name = Ident::new(name, proc_macro2::Span::call_site());
            Some(quote! {
                #[automatically_derived]
                impl #generics #rt::told::search::#name<#run, #call, (#(#types,)*), #shape> for #ty #clause {}
            })
        };
        let (enter, exit) = (asks(&self.enter, "AsksIn"), asks(&self.exit, "AsksOut"));
        let cancelled = asks(&self.cancelled, "AsksForFields");
        quote!(#enter #exit #cancelled)
    }
}

/// These tokens, with arguments in place of these names.
fn with(tokens: TokenStream, own: &[Ident]) -> TokenStream {
    let tokens = tokens.into_iter().map(|token| match token {
        TokenTree::Group(group) => Group::new(group.delimiter(), with(group.stream(), own)).into(),
        TokenTree::Ident(name) => match own.iter().position(|other| *other == name) {
            Some(at) => Ident::new(&told::argument(at), name.span()).into(),
            None => TokenTree::Ident(name),
        },
        other => other,
    });
    tokens.collect()
}

/// Whether a type has this name in it.
fn mentions(ty: &Type, name: &Ident) -> bool {
    types::idents(ty).into_iter().any(|part| part == name)
}
