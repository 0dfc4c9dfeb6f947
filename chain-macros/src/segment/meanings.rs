//! What a segment's tokens mean where they stand, written so that they mean it wherever they are put.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::{GenericArgument, GenericParam, Generics, PathArguments, Type, Visibility};

use super::paths::{from_within, has_lifetime, located, parameter_name, stream, types_span, within, without_default};
use super::{Segment, Tokens, gone, itself};
use crate::parse::pattern::{self, Typed};
use crate::rewrite::{self, Rewrite};
use crate::{extent, names, types};

/// Gives each thing in a segment that means something where it stands an item there, and the name of that in its place.
pub(super) struct Meanings<'a> {
    pub(super) runtime: &'a TokenStream,
    pub(super) segment: &'a Segment,
    /// Beside the segment.
    pub(super) items: Vec<TokenStream>,
    /// In the module of its name.
    pub(super) within: Vec<TokenStream>,
    pub(super) nodes: usize,
    pub(super) arguments: usize,
    pub(super) limits: usize,
    /// The branches so far, and those in whose arms the walk is.
    pub(super) branches: usize,
    pub(super) open: Vec<Branch>,
}

/// A `match` or an `if let` that is walked.
pub(super) struct Branch {
    pub(super) index: usize,
    /// The type of its node, there.
    pub(super) node: TokenStream,
    pub(super) span: Span,
    pub(super) arms: Vec<TokenStream>,
    pub(super) gives: Vec<TokenStream>,
    pub(super) bindings: usize,
}

impl<'a> Meanings<'a> {
    pub(super) fn of(runtime: &'a TokenStream, segment: &'a Segment) -> Self {
        Self {
            runtime,
            segment,
            items: Vec::new(),
            within: Vec::new(),
            nodes: 0,
            arguments: 0,
            limits: 0,
            branches: 0,
            open: Vec::new(),
        }
    }

    /// The name of an item beside the segment.
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

    /// `::<$($S)*>`: a chain's arguments for these.
    pub(super) fn arguments(mentioned: &[&GenericParam], lifetime: bool) -> Option<TokenStream> {
        let lifetime = lifetime.then(|| quote!('_,));
        let names = mentioned.iter().map(|parameter| parameter_name(parameter));
        (lifetime.is_some() || !mentioned.is_empty()).then(|| quote!(::<#lifetime #($($#names)*),*>))
    }

    /// An alias beside the segment, under `name` in the module of its name: what a chain writes for it.
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
        // rustc's word for a type that is not visible where the segment is, here rather than in each chain that uses it.
        if !matches!(self.segment.vis, Visibility::Inherited) {
            let at = types_span(ty);
            let used = Self::used(&mentioned, has_lifetime.then_some(&run));
            let clause = self.clause(&mentioned);
            let visible = format_ident!("{beside}_as_visible_as_the_segment");
            let head = names::as_if_at(
                quote! {
                    #[deny(private_interfaces)]
                    #[allow(non_snake_case, dead_code, type_alias_bounds)]
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

    pub(super) fn used(mentioned: &[&GenericParam], lifetime: Option<&syn::Lifetime>) -> Option<TokenStream> {
        let names = mentioned.iter().map(|parameter| parameter_name(parameter));
        let lifetime = lifetime.map(|lifetime| quote!(#lifetime,));
        (lifetime.is_some() || !mentioned.is_empty()).then(|| quote!(<#lifetime #(#names),*>))
    }

    /// The part of the where-clause that is about these alone.
    pub(super) fn clause(&self, mentioned: &[&GenericParam]) -> TokenStream {
        let clause = self.segment.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
        let clause = clause.filter(|predicate| {
            let of = self.mentioned(&predicate.to_token_stream());
            of.iter().all(|parameter| mentioned.iter().any(|other| parameter_name(other) == parameter_name(parameter)))
        });
        let clause: Vec<_> = clause.collect();
        if clause.is_empty() { TokenStream::new() } else { quote!(where #(#clause,)*) }
    }

    /// What the segment asks of its arguments, as a function that has its bounds; a chain names it with them.
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

    /// A type of a field or a binding: an alias of what it is found by, with the `&` before it.
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

    /// The end of a branch: what its arms mean.
    pub(super) fn closes(&mut self) {
        let Some(Branch { index, node, span, arms, gives, .. }) = self.open.pop() else { return };
        let runtime = self.runtime;
        let run = names::run_lifetime();
        let (of, arms_type) = (self.beside("of", index), self.beside("Arms", index));
        let variants: Vec<_> = (0..gives.len()).map(|arm| format_ident!("Arm{arm}")).collect();
        let parameters: Vec<_> = (0..gives.len()).map(|arm| format_ident!("Of{arm}")).collect();
        // What the node gives may be a reference to what it is about.
        let declared = self.segment.generics.params.iter().map(without_default).map(|mut parameter| {
            if let GenericParam::Type(parameter) = &mut parameter {
                parameter.bounds.push(syn::parse_quote!(#run));
            }
            parameter
        });
        let clause = &self.segment.generics.where_clause;
        let value = Ident::new("value", Span::mixed_site().located_at(span));
        let vis = located(&self.segment.vis);
        let hushed = names::hushed();
        let matched = quote_spanned!(span=> match #value { #(#arms)* });
        self.items.push(quote! {
            #hushed
            #[doc(hidden)]
            #vis enum #arms_type<#(#parameters),*> { #(#variants(#parameters)),* }
            #[doc(hidden)]
            #[inline(always)]
            #vis fn #of<#run, #(#declared),*>(#value: #runtime::node::Gives<#run, #node>) -> #arms_type<#(#gives),*>
            #clause
            {
                #matched
            }
        });
        let module = format_ident!("branch{index}");
        let (module_vis, vis) = (within(&self.segment.vis, 1), within(&self.segment.vis, 2));
        self.within.push(quote! {
            #module_vis mod #module { #vis use super::super::{#of as of, #arms_type as Arms}; }
        });
    }
}

impl Rewrite for Meanings<'_> {
    fn item(&mut self, item: &[TokenTree], is_arm: bool) -> Option<Tokens> {
        // Said already. A chain that uses the segment has no further error.
        (!is_arm && rewrite::is_segment(item) && itself(item, &self.segment.name).is_some()).then(gone)
    }

    fn path(&mut self, path: &[TokenTree], is_segment: bool) -> Tokens {
        if is_segment {
            return self.nested(path);
        }
        let Ok(parsed) = syn::parse2::<syn::TypePath>(stream(path.to_vec())) else { return path.to_vec() };
        if self.is_field(&parsed) {
            return path.to_vec();
        }
        let Some(last) = parsed.path.segments.last() else { return path.to_vec() };
        let index = self.nodes;
        self.nodes += 1;
        let there = parsed.to_token_stream();
        rewrite::tokens(self.alias("node", index, &last.ident, &there, false))
    }

    fn scrutinee(&mut self, path: &[TokenTree], labels: Vec<String>) -> Tokens {
        let index = self.branches;
        self.branches += 1;
        let parsed = syn::parse2::<syn::TypePath>(stream(path.to_vec()));
        let (node, span) = match &parsed {
            Ok(parsed) => {
                let span = parsed.path.segments.last().map_or_else(Span::call_site, |last| last.ident.span());
                let run = names::run_lifetime();
                let field = self.segment.fields.iter().find(|(name, _)| parsed.path.is_ident(name));
                let node = field.map_or_else(
                    || parsed.to_token_stream(),
                    |(_, ty)| types::with_lifetime(ty, &run).to_token_stream(),
                );
                (node, span)
            }
            Err(_) => (stream(path.to_vec()), Span::call_site()),
        };
        self.open.push(Branch { index, node, span, arms: Vec::new(), gives: Vec::new(), bindings: 0 });
        let node = stream(self.path(path, false));
        let module = format_ident!("branch{index}");
        let all: Vec<_> = self.segment.generics.params.iter().collect();
        let arguments = Self::arguments(&all, false);
        rewrite::tokens(quote!(#node as $($segment)*::#module::of #arguments [#(#labels),*]))
    }

    fn pattern(&mut self, head: &[TokenTree], body: Option<&[TokenTree]>) -> Tokens {
        let Some(branch) = self.open.last() else { return head.to_vec() };
        let (index, arm, before) = (branch.index, branch.gives.len(), branch.bindings);
        let end = extent::pattern(head).unwrap_or(head.len());
        let (pattern, guard) = head.split_at(end);
        let mut typed = Typed::default();
        let read = |input: ParseStream<'_>| pattern::read(input, &mut typed);
        // What cannot be read, the parser has words for.
        let Ok(pattern) = Parser::parse2(read, stream(pattern.to_vec())) else { return head.to_vec() };
        let run = names::run_lifetime();
        let names_of: Vec<_> = typed.bindings.iter().map(|binding| binding.name.clone()).collect();
        let gives = typed.bindings.iter().map(|binding| types::with_lifetime(&binding.ty, &run));
        let gives = quote!((#(#gives,)*));
        let in_chain = typed
            .bindings
            .iter()
            .enumerate()
            .map(|(at, binding)| self.ty(&format!("branch{index}_"), before + at, &binding.ty));
        let in_chain: Vec<_> = in_chain.collect();
        let arms = self.beside("Arms", index);
        let variant = format_ident!("Arm{arm}");
        let guard = stream(guard.to_vec());
        // At the arm's chain: where an arm is missing, rustc says behind which.
        let at = body.and_then(<[TokenTree]>::first).or(head.first()).map_or_else(Span::call_site, TokenTree::span);
        let mut then = Group::new(Delimiter::Brace, quote!(#arms::#variant((#(#names_of,)*))));
        then.set_span(at);
        let branch = self.open.last_mut().expect("it is open");
        branch.arms.push(quote!(#pattern #guard => #then));
        branch.gives.push(gives);
        branch.bindings += in_chain.len();
        if body.is_none() {
            // `if let`: and all the rest.
            let variant = format_ident!("Arm{}", arm + 1);
            branch.arms.push(quote_spanned!(at=> _ => { #arms::#variant(()) }));
            branch.gives.push(quote!(()));
        }
        let module = format_ident!("branch{index}");
        // Under no name that a constant has where the chain stands, which it would be compared with.
        let names_there = names_of.iter().map(names::binding_of_segment);
        rewrite::tokens(quote!($($segment)*::#module::Arms::#variant((#(#names_there: #in_chain,)*))))
    }

    fn branch_ends(&mut self) {
        self.closes();
    }

    fn limit(&mut self, expression: &[TokenTree]) -> Tokens {
        let tokens = stream(expression.to_vec());
        match syn::parse2::<syn::Expr>(tokens.clone()) {
            // A number of a unit means the same everywhere; what is wrong with one, the parser says.
            Ok(syn::Expr::Lit(_)) | Err(_) => return expression.to_vec(),
            Ok(_) => {}
        }
        let index = self.limits;
        self.limits += 1;
        let runtime = self.runtime;
        let beside = self.beside("limit", index);
        let declared = self.segment.generics.params.iter().map(without_default);
        let clause = &self.segment.generics.where_clause;
        let vis = located(&self.segment.vis);
        self.items.push(quote! {
            #[doc(hidden)]
            #[inline(always)]
            #vis fn #beside<#(#declared),*>() -> #runtime::private::Duration #clause { #tokens }
        });
        let name = format_ident!("limit{index}");
        let vis = within(&self.segment.vis, 1);
        self.within.push(quote!(#vis use super::#beside as #name;));
        let all: Vec<_> = self.segment.generics.params.iter().collect();
        let arguments = Self::arguments(&all, false);
        rewrite::tokens(quote!($($segment)*::#name #arguments ()))
    }
}

impl Meanings<'_> {
    pub(super) fn is_field(&self, path: &syn::TypePath) -> bool {
        path.qself.is_none() && self.segment.fields.iter().any(|(field, _)| path.path.is_ident(field))
    }

    /// A segment in this one, by the path at which a chain finds it.
    pub(super) fn nested(&mut self, path: &[TokenTree]) -> Tokens {
        let Ok(mut parsed) = syn::parse2::<syn::Path>(stream(path.to_vec())) else { return path.to_vec() };
        let Some(last) = parsed.segments.last_mut() else { return path.to_vec() };
        let arguments = std::mem::take(&mut last.arguments);
        let name = last.ident.clone();
        let index = self.nodes;
        self.nodes += 1;
        let module = format_ident!("node{index}");
        let there = from_within(&parsed, 2);
        let (module_vis, vis) = (within(&self.segment.vis, 1), within(&self.segment.vis, 2));
        // Where it is not visible as far, rustc says so at its name.
        let shown = names::as_if_at(quote!(#vis use #there;), name.span());
        self.within.push(quote!(#module_vis mod #module { #shown }));
        let arguments = match arguments {
            PathArguments::AngleBracketed(arguments) => {
                let arguments = arguments.args.iter().map(|argument| match argument {
                    GenericArgument::Type(ty) => {
                        let at = self.arguments;
                        self.arguments += 1;
                        self.ty("argument", at, ty)
                    }
                    other => other.to_token_stream(),
                });
                let arguments: Vec<_> = arguments.collect();
                Some(quote!(::<#(#arguments),*>))
            }
            _ => None,
        };
        rewrite::tokens(quote!($($segment)*::#module::#name #arguments))
    }
}
