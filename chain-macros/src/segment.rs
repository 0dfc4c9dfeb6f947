//! A segment where it is declared: `pub segment front<S: Store>(log: AccessLog) { log => auth::<S> }`.
//!
//! It becomes a macro that puts its nodes into a chain, and, beside it in the same module, an item for each thing in it that means
//! something there: an alias for the type of a node, of a field, of a binding; a function for the patterns and guards of a `match`,
//! which gives the number of the arm and what it binds; a function for an expression. So names mean what they mean where they
//! are written, whoever uses the segment, and are checked there. A module of the segment's name has them all under names that the macro
//! knows.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::{GenericArgument, GenericParam, Generics, PathArguments, Type, Visibility};

use crate::again::GONE;
use crate::ast::Block;
use crate::diagnostics::Diagnostics;
use crate::parse::pattern::{self, Typed};
use crate::rewrite::{self, Rewrite};
use crate::{extent, names, parse, types};

type Tokens = Vec<TokenTree>;

/// A segment, as it is declared.
struct Segment {
    attrs: Vec<syn::Attribute>,
    vis: Visibility,
    name: Ident,
    generics: Generics,
    fields: Vec<(Ident, Type)>,
    body: Group,
}

/// Whether it declares a segment: the word behind attributes and visibility says so.
pub(crate) fn is_segment(declaration: &[TokenTree]) -> bool {
    let mut rest = &declaration[rewrite::attributes(declaration)..];
    if let [TokenTree::Ident(word), behind @ ..] = rest
        && word == "pub"
    {
        rest = behind;
        if let [TokenTree::Group(group), behind @ ..] = rest
            && group.delimiter() == Delimiter::Parenthesis
        {
            rest = behind;
        }
    }
    matches!(rest, [TokenTree::Ident(word), TokenTree::Ident(_), ..] if word == "segment")
}

/// What a segment becomes.
pub(crate) fn declare(
    runtime: &TokenStream,
    declaration: Tokens,
    diagnostics: &mut Diagnostics,
) -> Option<TokenStream> {
    let mut segment = diagnostics.ok(read.parse2(stream(declaration)))?;
    parse::attributes_of_a_segment(&mut segment.attrs, diagnostics);
    let Segment { attrs, vis, name, generics, fields, body } = &segment;
    // The segments in it are checked where they are declared.
    let alone = rewrite::row(&rewrite::tokens(body.stream()), &mut WithoutSegments { name, diagnostics });
    let block: Block = parse::block(&rewrite::like(body, alone), diagnostics);
    if body.stream().is_empty() {
        diagnostics.error_at(
            block.span,
            "the segment has no nodes",
            "name at least one: `segment name { first => second }`",
        );
    }
    let mut meanings = Meanings::of(runtime, &segment);
    let nodes = stream(rewrite::row(&rewrite::tokens(body.stream()), &mut meanings));
    let needed = fields.iter().enumerate().map(|(index, (field, ty))| {
        let text = types::text(ty);
        let ty = meanings.ty("field", index, ty);
        quote!([#field] [#ty] #text)
    });
    let needed: Vec<_> = needed.collect();
    let bounds = meanings.bounds();
    let from = names::compiled_crate();
    let Meanings { items, within, .. } = meanings;
    let made = unique(name);
    let exported = matches!(vis, Visibility::Public(_)).then(|| quote!(#[macro_export]));
    let parameters = parameters(generics);
    let is_one = if parameters.len() == 1 { "one argument" } else { "arguments" };
    let shape = types::text(&generics.params);
    let wrong = match parameters.is_empty() {
        true => format!("the segment `{name}` has no parameters\n  help: write `..{name}`"),
        false => format!(
            "the segment `{name}` is declared with `<{shape}>`, and needs {is_one}\n  help: write `..{name}::<..>`"
        ),
    };
    let hushed = names::hushed();
    let vis = located(vis);
    Some(quote! {
        #hushed
        #[doc(hidden)]
        #exported
        macro_rules! #made {
            ([$($runtime:tt)*] [$($segment:tt)*] [#([$($#parameters:tt)*])*] [$($chain:tt)*]) => {
                $($runtime)*::__splice! { [$($runtime)*] [$($segment)*] [#bounds #(#needed),*] [$($chain)*] [#nodes] #from }
            };
            ([$($runtime:tt)*] [$($segment:tt)*] [$($arguments:tt)*] [$($chain:tt)*]) => {
                $($runtime)*::__splice! { [$($runtime)*] [$($segment)*] #wrong [$($chain)*] }
            };
        }
        #hushed
        #[doc(hidden)]
        #vis use #made as #name;
        #(#items)*
        #(#attrs)*
        #hushed
        #vis mod #name { #(#within)* }
    })
}

fn read(input: ParseStream<'_>) -> syn::Result<Segment> {
    let attrs = input.call(syn::Attribute::parse_outer)?;
    let vis = input.parse()?;
    input.parse::<Ident>()?;
    let name: Ident = input.parse()?;
    let mut generics: Generics = input.parse()?;
    if let Some(lifetime) = generics.lifetimes().next() {
        return Err(syn::Error::new_spanned(
            lifetime,
            "a segment declares no lifetimes: all of its are those of the run\n  help: leave it out, and write any name, or `'_`, where one is needed",
        ));
    }
    let mut fields = Vec::new();
    if input.peek(syn::token::Paren) {
        let inner;
        syn::parenthesized!(inner in input);
        while !inner.is_empty() {
            let field: Ident = inner.parse()?;
            inner.parse::<syn::Token![:]>().map_err(|_| {
                inner.error("a field that the segment's chains have is written with its type\n  help: write `segment name(log: AccessLog) { .. }`")
            })?;
            fields.push((field, inner.parse()?));
            if !inner.is_empty() {
                inner.parse::<syn::Token![,]>()?;
            }
        }
    }
    generics.where_clause = input.parse()?;
    if !input.peek(syn::token::Brace) {
        return Err(input.error("expected the segment's nodes in braces\n  help: write `segment name { first => second }`: it has no inputs and no reply of its own"));
    }
    let body = input.parse()?;
    if !input.is_empty() {
        return Err(
            input.error("nothing comes after the segment's nodes\n  help: declare one segment in each `chain!`")
        );
    }
    Ok(Segment { attrs, vis, name, generics, fields, body })
}

struct WithoutSegments<'a> {
    name: &'a Ident,
    diagnostics: &'a mut Diagnostics,
}

impl Rewrite for WithoutSegments<'_> {
    fn item(&mut self, item: &[TokenTree], is_arm: bool) -> Option<Tokens> {
        if is_arm || !rewrite::is_segment(item) {
            return None;
        }
        if let Some(path) = itself(item, self.name) {
            let name = self.name;
            self.diagnostics.error(
                path,
                format_args!("the segment `{name}` contains itself"),
                "leave it out: a chain has no loops",
            );
        }
        Some(gone())
    }
}

/// What stands for an item that is not there.
fn gone() -> Tokens {
    let gone = Ident::new(GONE, Span::call_site());
    rewrite::tokens(quote!(#[#gone]))
}

/// The path of the segment in this item, where it is the segment of this name itself.
fn itself(item: &[TokenTree], name: &Ident) -> Option<syn::Path> {
    let path = syn::parse2::<syn::Path>(stream(item[2..].to_vec())).ok()?;
    let names: Vec<_> = path.segments.iter().map(|segment| &segment.ident).collect();
    let is_itself = match names.as_slice() {
        [named] => *named == name,
        [this, named] => *this == "self" && *named == name,
        _ => false,
    };
    is_itself.then_some(path)
}

/// Gives each thing in a segment that means something where it stands an item there, and the name of that in its place.
struct Meanings<'a> {
    runtime: &'a TokenStream,
    segment: &'a Segment,
    /// Beside the segment.
    items: Vec<TokenStream>,
    /// In the module of its name.
    within: Vec<TokenStream>,
    nodes: usize,
    arguments: usize,
    limits: usize,
    /// The branches so far, and those in whose arms the walk is.
    branches: usize,
    open: Vec<Branch>,
}

/// A `match` or an `if let` that is walked.
struct Branch {
    index: usize,
    /// The type of its node, there.
    node: TokenStream,
    span: Span,
    arms: Vec<TokenStream>,
    gives: Vec<TokenStream>,
    bindings: usize,
}

impl<'a> Meanings<'a> {
    fn of(runtime: &'a TokenStream, segment: &'a Segment) -> Self {
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
    fn beside(&self, what: &str, index: usize) -> Ident {
        format_ident!("__chain_{}_{what}{index}", names::unraw(&self.segment.name), span = Span::call_site())
    }

    /// The parameters of the segment that these tokens mention.
    fn mentioned(&self, tokens: &TokenStream) -> Vec<&'a GenericParam> {
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
    fn arguments(mentioned: &[&GenericParam], lifetime: bool) -> Option<TokenStream> {
        let lifetime = lifetime.then(|| quote!('_,));
        let names = mentioned.iter().map(|parameter| parameter_name(parameter));
        (lifetime.is_some() || !mentioned.is_empty()).then(|| quote!(::<#lifetime #($($#names)*),*>))
    }

    /// An alias beside the segment, under `name` in the module of its name: what a chain writes for it.
    fn alias(&mut self, what: &str, index: usize, name: &Ident, ty: &TokenStream, has_lifetime: bool) -> TokenStream {
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

    fn used(mentioned: &[&GenericParam], lifetime: Option<&syn::Lifetime>) -> Option<TokenStream> {
        let names = mentioned.iter().map(|parameter| parameter_name(parameter));
        let lifetime = lifetime.map(|lifetime| quote!(#lifetime,));
        (lifetime.is_some() || !mentioned.is_empty()).then(|| quote!(<#lifetime #(#names),*>))
    }

    /// The part of the where-clause that is about these alone.
    fn clause(&self, mentioned: &[&GenericParam]) -> TokenStream {
        let clause = self.segment.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
        let clause = clause.filter(|predicate| {
            let of = self.mentioned(&predicate.to_token_stream());
            of.iter().all(|parameter| mentioned.iter().any(|other| parameter_name(other) == parameter_name(parameter)))
        });
        let clause: Vec<_> = clause.collect();
        if clause.is_empty() { TokenStream::new() } else { quote!(where #(#clause,)*) }
    }

    /// What the segment asks of its arguments, as a function that has its bounds; a chain names it with them.
    fn bounds(&mut self) -> Option<TokenStream> {
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
    fn ty(&mut self, what: &str, index: usize, ty: &Type) -> TokenStream {
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
    fn closes(&mut self) {
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
    fn is_field(&self, path: &syn::TypePath) -> bool {
        path.qself.is_none() && self.segment.fields.iter().any(|(field, _)| path.path.is_ident(field))
    }

    /// A segment in this one, by the path at which a chain finds it.
    fn nested(&mut self, path: &[TokenTree]) -> Tokens {
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

fn parameter_name(parameter: &GenericParam) -> &Ident {
    match parameter {
        GenericParam::Type(parameter) => &parameter.ident,
        GenericParam::Const(parameter) => &parameter.ident,
        GenericParam::Lifetime(parameter) => &parameter.lifetime.ident,
    }
}

/// The names of a segment's parameters.
fn parameters(generics: &Generics) -> Vec<&Ident> {
    generics.params.iter().map(parameter_name).collect()
}

fn without_default(parameter: &GenericParam) -> GenericParam {
    let mut parameter = parameter.clone();
    match &mut parameter {
        GenericParam::Type(parameter) => parameter.default = None,
        GenericParam::Const(parameter) => parameter.default = None,
        GenericParam::Lifetime(_) => {}
    }
    parameter
}

fn has_lifetime(tokens: &TokenStream, lifetime: &syn::Lifetime) -> bool {
    let name = lifetime.ident.to_string();
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Group(group) => has_lifetime(&group.stream(), lifetime),
        TokenTree::Ident(ident) => ident == name,
        _ => false,
    })
}

/// Where a type is named last.
fn types_span(ty: &TokenStream) -> Span {
    let parsed = syn::parse2::<Type>(ty.clone()).ok();
    let last = parsed.as_ref().and_then(types::last_segment).map(|segment| segment.ident.span());
    last.or_else(|| ty.clone().into_iter().next().map(|token| token.span())).unwrap_or_else(Span::call_site)
}

/// A visibility that is not the user's token: lints about it are not for the user.
fn located(vis: &Visibility) -> TokenStream {
    names::as_if_at(vis.to_token_stream(), Span::call_site())
}

/// A visibility as it is written so many modules further in.
fn within(vis: &Visibility, deep: usize) -> TokenStream {
    let up = || std::iter::repeat_n(quote!(super), deep);
    match vis {
        Visibility::Public(_) => quote!(pub),
        Visibility::Inherited => {
            let up = up();
            quote!(pub(in #(#up)::*))
        }
        Visibility::Restricted(restricted) => {
            let path = from_within(&restricted.path, deep);
            quote!(pub(in #path))
        }
    }
}

/// A path as it is written so many modules further in.
fn from_within(path: &syn::Path, deep: usize) -> TokenStream {
    let first = path.segments.first().map(|segment| segment.ident.to_string()).unwrap_or_default();
    let up = std::iter::repeat_n(quote!(super), deep);
    if path.leading_colon.is_some() || first == "crate" || first == "$crate" {
        return path.to_token_stream();
    }
    let rest: Vec<_> = path.segments.iter().skip(usize::from(first == "self")).collect();
    quote!(#(#up)::* #(::#rest)*)
}

/// A name that no other segment of the crate has: macros that are exported share one namespace.
///
/// The place in the source tells them apart, and for those that another macro makes at one place, which expansion of `chain!` this is. That
/// is a number of rustc's, the same in each build of the same source.
fn unique(name: &Ident) -> Ident {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    if proc_macro::is_available() {
        let span = name.span().unwrap();
        (span.file(), span.line(), span.column()).hash(&mut hasher);
        format!("{:?}", proc_macro::Span::call_site()).hash(&mut hasher);
    }
    format_ident!("__chain_segment_{}_{:x}", names::unraw(name), hasher.finish(), span = Span::call_site())
}

fn stream(tokens: Tokens) -> TokenStream {
    tokens.into_iter().collect()
}
