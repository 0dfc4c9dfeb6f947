//! What has its meaning at a segment's place: an item there for each such thing, and what a chain writes for it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{GenericParam, Generics, Type, Visibility};

use super::Segment;
use super::paths::{has_lifetime, located, parameter_name, types_span, within, without_default};
use crate::handshake::Told;
use crate::{names, node, types};

/// For each thing in a segment whose meaning depends on its place, this makes an item at that place, and writes the
/// item's name in place of the thing.
pub(super) struct Meanings<'a> {
    pub(super) runtime: &'a TokenStream,
    pub(super) segment: &'a Segment,
    /// The signatures of its functions, by path.
    pub(super) told: &'a [(String, Option<Told>)],
    /// Items beside the segment.
    pub(super) items: Vec<TokenStream>,
    /// Items in the module with the segment's name.
    pub(super) within: Vec<TokenStream>,
    pub(super) nodes: usize,
    pub(super) arguments: usize,
    pub(super) limits: usize,
    pub(super) given: usize,
    pub(super) opens: usize,
    /// The number of branches so far, and the branches in whose arms the walk is.
    pub(super) branches: usize,
    pub(super) open: Vec<Branch>,
}

/// A `match` or an `if let` in which the walk is.
pub(super) struct Branch {
    pub(super) index: usize,
    /// The type of its node's value, at the segment's place.
    pub(super) value: TokenStream,
    pub(super) span: Span,
    pub(super) arms: Vec<TokenStream>,
    pub(super) gives: Vec<TokenStream>,
    pub(super) bindings: usize,
}

impl<'a> Meanings<'a> {
    pub(super) fn of(runtime: &'a TokenStream, segment: &'a Segment, told: &'a [(String, Option<Told>)]) -> Self {
        Self {
            runtime,
            segment,
            told,
            items: Vec::new(),
            within: Vec::new(),
            nodes: 0,
            arguments: 0,
            limits: 0,
            given: 0,
            opens: 0,
            branches: 0,
            open: Vec::new(),
        }
    }

    /// The name for an item beside the segment.
    pub(super) fn beside(&self, what: &str, index: usize) -> Ident {
        format_ident!("__chain_{}_{what}{index}", names::unraw(&self.segment.name), span = Span::call_site())
    }

    /// The parameters of the segment that these tokens mention.
    pub(super) fn mentioned(&self, tokens: &TokenStream) -> Vec<&'a GenericParam> {
        let parameters = self.segment.generics.params.iter();
        parameters
            .filter(|parameter| {
                let mut alone = Generics::default();
                alone.params.push((*parameter).clone());
                types::mentions(tokens, &alone)
            })
            .collect()
    }

    /// `::<$($S)*>`: a chain's arguments for these parameters.
    pub(super) fn arguments(mentioned: &[&GenericParam], lifetime: bool) -> Option<TokenStream> {
        let lifetime = lifetime.then(|| quote!('_,));
        let names = mentioned.iter().map(|parameter| parameter_name(parameter));
        (lifetime.is_some() || !mentioned.is_empty()).then(|| quote!(::<#lifetime #($($#names)*),*>))
    }

    /// An alias beside the segment, and under `name` in the module with its name. Returns what a chain writes for it.
    pub(super) fn alias(
        &mut self,
        what: &str,
        index: usize,
        name: &Ident,
        ty: &TokenStream,
        has_lifetime: bool,
    ) -> TokenStream {
        let mentioned = self.mentioned(ty);
        let beside = self.beside(what, index);
        let run = names::run_lifetime();
        let lifetime = has_lifetime.then(|| quote!(#run,));
        let declared = (has_lifetime || !mentioned.is_empty()).then(|| quote!(<#lifetime #(#mentioned),*>));
        let vis = located(&self.segment.vis);
        let hushed = names::hushed();
        self.items.push(quote!(#hushed #[doc(hidden)] #vis type #beside #declared = #ty;));
        // With this, rustc reports a type that is less visible than the segment here, and not in each chain that uses
        // it.
        if !matches!(self.segment.vis, Visibility::Inherited) {
            let at = types_span(ty);
            let used = Self::used(&mentioned, has_lifetime.then_some(&run));
            let clause = self.clause(&mentioned);
            let visible = format_ident!("{beside}_as_visible_as_the_segment");
            let head = names::as_if_at(
                quote! {
                    #[deny(private_interfaces)]
                    #[allow(non_snake_case, dead_code, type_alias_bounds, unreachable_pub)]
                    #[doc(hidden)]
                    #vis fn #visible
                },
                at,
            );
            let parameters = names::as_if_at(quote!((_: &#beside #used)), at);
            let body = names::as_if_at(quote!({}), at);
            self.items.push(quote!(#head #declared #parameters #clause #body));
        }
        let module = format_ident!("{what}{index}");
        let vis = within(&self.segment.vis, 2);
        let module_vis = within(&self.segment.vis, 1);
        self.within.push(quote!(#module_vis mod #module { #vis use super::super::#beside as #name; }));
        let arguments = Self::arguments(&mentioned, has_lifetime);
        quote!($($segment)*::#module::#name #arguments)
    }

    /// A function that is as visible as the segment, whatever the visibility of the segment's imports: beside the alias
    /// of its type there is a function that calls it, and a macro that tells the same signature.
    pub(super) fn function(&mut self, index: usize, path: &TokenStream) {
        let beside = self.beside("node", index);
        let told = self.told.iter().find(|(text, _)| *text == path.to_string()).and_then(|(_, told)| told.as_ref());
        self.items.push(node::handshake(&beside, &self.segment.vis, told));
        let Some(told) = told else { return };
        let (runtime, vis, hushed) = (self.runtime, located(&self.segment.vis), names::hushed());
        let call = names::call_lifetime();
        let takes = quote!(<#path as #runtime::told::Takes<#call>>);
        let names: Vec<_> = (0..told.parameters.len()).map(|at| names::local("argument", at)).collect();
        let types = (0..told.parameters.len()).map(|at| quote!(<#takes::Takes as #runtime::told::Nth<#at>>::It));
        let returns = match told.is_async {
            true => quote!(impl #runtime::private::Future<Output = #takes::Returns> + use<#call>),
            false => quote!(#takes::Returns),
        };
        self.items.push(quote! {
            #hushed
            #[doc(hidden)]
            #[inline(always)]
            #vis fn #beside<#call>(#(#names: #types),*) -> #returns { #path(#(#names),*) }
        });
    }

    pub(super) fn used(mentioned: &[&GenericParam], lifetime: Option<&syn::Lifetime>) -> Option<TokenStream> {
        let names = mentioned.iter().map(|parameter| parameter_name(parameter));
        let lifetime = lifetime.map(|lifetime| quote!(#lifetime,));
        (lifetime.is_some() || !mentioned.is_empty()).then(|| quote!(<#lifetime #(#names),*>))
    }

    /// The part of the where-clause that is only about these parameters.
    pub(super) fn clause(&self, mentioned: &[&GenericParam]) -> TokenStream {
        let clause = self.segment.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
        let clause = clause.filter(|predicate| {
            let of = self.mentioned(&predicate.to_token_stream());
            of.iter().all(|parameter| mentioned.iter().any(|other| parameter_name(other) == parameter_name(parameter)))
        });
        let clause: Vec<_> = clause.collect();
        if clause.is_empty() { TokenStream::new() } else { quote!(where #(#clause,)*) }
    }

    /// The segment's bounds on its arguments, as a function with these bounds. A chain names the function with its
    /// arguments.
    pub(super) fn bounds(&mut self) -> Option<TokenStream> {
        let generics = &self.segment.generics;
        let has_bounds = generics.type_params().any(|parameter| !parameter.bounds.is_empty());
        if !has_bounds && generics.where_clause.is_none() {
            return None;
        }
        let beside = self.beside("bounds", 0);
        let declared = generics.params.iter().map(without_default);
        let clause = &generics.where_clause;
        let vis = located(&self.segment.vis);
        let hushed = names::hushed();
        self.items.push(quote! {
            #hushed
            #[doc(hidden)]
            #vis const fn #beside<#(#declared),*>() #clause {}
        });
        let vis = within(&self.segment.vis, 1);
        self.within.push(quote!(#vis use super::#beside as bounds;));
        let all: Vec<_> = generics.params.iter().collect();
        let arguments = Self::arguments(&all, false);
        Some(quote!(<$($segment)*::bounds #arguments>))
    }

    /// The type of a field or a binding: an alias of the type by which it is found, with the `&` before it.
    pub(super) fn ty(&mut self, what: &str, index: usize, ty: &Type) -> TokenStream {
        let run = names::run_lifetime();
        let (reference, referent) = match types::ungrouped(ty) {
            Type::Reference(reference) => {
                let mutability = &reference.mutability;
                let lifetime = match &reference.lifetime {
                    Some(lifetime) if lifetime.ident == "static" => lifetime.to_token_stream(),
                    _ => quote!('_),
                };
                (Some(quote!(& #lifetime #mutability)), types::found_by(ty))
            }
            _ => (None, ty.clone()),
        };
        let in_run = types::with_lifetime(&referent, &run);
        let has_lifetime = has_lifetime(&in_run.to_token_stream(), &run);
        let name = format_ident!("Type{index}");
        let alias = self.alias(what, index, &name, &in_run.to_token_stream(), has_lifetime);
        quote!(#reference #alias)
    }

    pub(super) fn is_field(&self, path: &syn::TypePath) -> bool {
        path.qself.is_none() && self.segment.fields.iter().any(|(field, _)| path.path.is_ident(field))
    }

    /// The type of the node of this name, or of this field, at the segment's place.
    pub(super) fn node_there(&self, node: &syn::TypePath) -> TokenStream {
        let field = self.segment.fields.iter().find(|(name, _)| node.path.is_ident(name));
        field.map_or_else(
            || node.to_token_stream(),
            |(_, ty)| types::with_lifetime(ty, &names::run_lifetime()).to_token_stream(),
        )
    }
}
