//! Rewrites a segment's tokens so that they mean the same wherever they are put.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::{GenericArgument, GenericParam, PathArguments, Type};

use super::meanings::{Branch, Meanings};
use super::paths::{from_within, located, stream, within, without_default};
use super::{Tokens, gone, itself};
use crate::ast::Opens;
use crate::parse::pattern::{self, Typed};
use crate::rewrite::{self, Rewrite};
use crate::told::Told;
use crate::{extent, handshake, names, nearby, parse, types};

impl Rewrite for Meanings<'_> {
    fn item(&mut self, item: &[TokenTree], is_arm: bool) -> Option<Tokens> {
        // This is reported already. A chain that uses the segment has no further error.
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
        if handshake::is_function(&parsed) {
            self.function(index, &handshake::path_of(&parsed));
        }
        rewrite::tokens(self.alias("node", index, &last.ident, &there, false))
    }

    fn scrutinee(&mut self, path: &[TokenTree], labels: Vec<String>) -> Tokens {
        let index = self.branches;
        self.branches += 1;
        let parsed = syn::parse2::<syn::TypePath>(stream(path.to_vec()));
        let (runtime, run) = (self.runtime, names::run_lifetime());
        let (value, span) = match &parsed {
            Ok(parsed) => {
                let span = parsed.path.segments.last().map_or_else(Span::call_site, |last| last.ident.span());
                let node = self.node_there(parsed);
                let value = match self.told_of(parsed) {
                    Some(_) => quote!(<#node as #runtime::told::Gives<#run, ()>>::It),
                    None => quote!(<#node as #runtime::Joins<#run, ()>>::Held<0>),
                };
                (value, span)
            }
            Err(_) => (stream(path.to_vec()), Span::call_site()),
        };
        self.open.push(Branch { index, value, span, arms: Vec::new(), gives: Vec::new(), bindings: 0 });
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
        // The parser reports what cannot be read.
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
        // At the arm's chain: if an arm is missing, rustc says after which one.
        let at = body.and_then(<[TokenTree]>::first).or(head.first()).map_or_else(Span::call_site, TokenTree::span);
        let mut then = Group::new(Delimiter::Brace, quote!(#arms::#variant((#(#names_of,)*))));
        then.set_span(at);
        let branch = self.open.last_mut().expect("it is open");
        branch.arms.push(quote!(#pattern #guard => #then));
        branch.gives.push(gives);
        branch.bindings += in_chain.len();
        if body.is_none() {
            // `if let`: this arm is for all other values.
            let variant = format_ident!("Arm{}", arm + 1);
            branch.arms.push(quote_spanned!(at=> _ => { #arms::#variant(()) }));
            branch.gives.push(quote!(()));
        }
        let module = format_ident!("branch{index}");
        // The name is none that a constant has at the chain's place, since the pattern would then compare with that
        // constant.
        let names_there = names_of.iter().map(names::binding_of_segment);
        rewrite::tokens(quote!($($segment)*::#module::Arms::#variant((#(#names_there: #in_chain,)*))))
    }

    fn branch_ends(&mut self) {
        self.closes();
    }

    fn given(&mut self, ty: &[TokenTree]) -> Tokens {
        let Ok(parsed) = syn::parse2::<Type>(stream(ty.to_vec())) else { return ty.to_vec() };
        let index = self.given;
        self.given += 1;
        let (text, ty) = (types::text(&parsed), self.ty("given", index, &parsed));
        // As written here.
        rewrite::tokens(quote!(#ty as #text))
    }

    fn open(&mut self, breaks: &[TokenTree], path: &[TokenTree]) -> Tokens {
        // The parser reports what cannot be read, and what is not a pattern.
        let Ok(named) = parse::breaks(stream(breaks.to_vec())) else { return breaks.to_vec() };
        let Ok(node) = syn::parse2::<syn::TypePath>(stream(path.to_vec())) else { return breaks.to_vec() };
        let (Opens::Those(pattern, constants), late) = named else { return breaks.to_vec() };
        let index = self.opens;
        self.opens += 1;
        let runtime = self.runtime;
        let run = names::run_lifetime();
        let told = self.told_of(&node);
        let node = self.node_there(&node);
        let broken = match told {
            Some(told) => {
                let kind = format_ident!("{}", told.kind.name());
                let returns = quote!(<#node as #runtime::told::Takes<#run>>::Returns);
                quote!(<#runtime::flow::kind::#kind as #runtime::flow::Reads<#returns>>::Breaks)
            }
            None => quote!(#runtime::node::Breaks<#run, #node>),
        };
        let beside = self.beside("open", index);
        let declared = self.segment.generics.params.iter().map(without_default);
        let clause = &self.segment.generics.where_clause;
        let vis = located(&self.segment.vis);
        let hushed = names::hushed();
        let value = Ident::new("value", Span::mixed_site());
        self.items.push(quote! {
            #hushed
            #[doc(hidden)]
            #[inline(always)]
            #vis fn #beside<#run, #(#declared),*>(#value: &#broken) -> #runtime::private::bool
            #clause
            {
                if false { #(let _ = #constants;)* }
                match *#value {
                    #pattern => true,
                    _ => false,
                }
            }
        });
        let name = format_ident!("open{index}");
        let vis = within(&self.segment.vis, 1);
        self.within.push(quote!(#vis use super::#beside as #name;));
        let all: Vec<_> = self.segment.generics.params.iter().collect();
        let arguments = Self::arguments(&all, false);
        let late = late.then(|| quote!(, late));
        rewrite::tokens(quote!(as $($segment)*::#name #arguments #late))
    }

    fn limit(&mut self, expression: &[TokenTree]) -> Tokens {
        let tokens = stream(expression.to_vec());
        match syn::parse2::<syn::Expr>(tokens.clone()) {
            // A number with a unit means the same everywhere. The parser reports a wrong one.
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
    /// What a function of this path tells, if its macro was asked.
    fn told_of(&self, node: &syn::TypePath) -> Option<&Told> {
        let path = handshake::path_of(node).to_string();
        self.told.iter().find(|(text, _)| *text == path)?.1.as_ref()
    }

    /// The end of a branch, where the meaning of its arms is complete.
    fn closes(&mut self) {
        let Some(Branch { index, value: held, span, arms, gives, .. }) = self.open.pop() else { return };
        let run = names::run_lifetime();
        let (of, arms_type) = (self.beside("of", index), self.beside("Arms", index));
        let variants: Vec<_> = (0..gives.len()).map(|arm| format_ident!("Arm{arm}")).collect();
        let parameters: Vec<_> = (0..gives.len()).map(|arm| format_ident!("Of{arm}")).collect();
        // The node's value may be a reference to the type of a parameter.
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
            #vis fn #of<#run, #(#declared),*>(#value: #held) -> #arms_type<#(#gives),*>
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

    /// A segment in this one, by the path under which a chain finds it.
    fn nested(&mut self, path: &[TokenTree]) -> Tokens {
        let Ok(mut parsed) = syn::parse2::<syn::Path>(stream(path.to_vec())) else { return path.to_vec() };
        let Some(last) = parsed.segments.last_mut() else { return path.to_vec() };
        let arguments = std::mem::take(&mut last.arguments);
        let name = last.ident.clone();
        let index = self.nodes;
        self.nodes += 1;
        let module = format_ident!("node{index}");
        let is_private = parsed.get_ident().is_some() && !matches!(self.segment.vis, syn::Visibility::Inherited);
        let imported = is_private.then(|| nearby::where_imported(&self.segment.name, &name)).flatten();
        let there = from_within(imported.as_ref().unwrap_or(&parsed), 2);
        let (module_vis, vis) = (within(&self.segment.vis, 1), within(&self.segment.vis, 2));
        // If it is less visible, rustc reports that at its name.
        let shown = names::as_if_at(quote!(#vis use #there as #name;), name.span());
        // Nothing else uses what was imported for the segment alone.
        let used = imported.map(|_| {
            let (import, hushed) = (from_within(&parsed, 2), names::hushed());
            quote!(#hushed use #import as imported;)
        });
        self.within.push(quote!(#module_vis mod #module { #shown #used }));
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
