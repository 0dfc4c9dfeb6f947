//! `#[node]`: makes a function, or an `impl` block with hooks, a node.
//!
//! The item is kept as it is. Beside it stand the runtime's traits: `Signature` (what it gives),
//! `Node` (what it asks of a scope) and `Cancel` (what becomes of it when its request dies).

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::parse::Parser;
use syn::spanned::Spanned;
use syn::{
    Attribute, FnArg, GenericParam, Generics, Ident, ImplItem, ItemFn, ItemImpl, Pat, ReturnType, Signature, Type,
};

use crate::diagnostics::Diagnostics;
use crate::names;
use crate::types;

mod around;
mod cfg;
mod elsewhere;
mod spawns;

/// `#[node]` and its options, on an item.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::new();
    if let Some((twice, item)) = twice(&item) {
        diagnostics.error(twice, "`#[node]` stands before this item twice", "leave one of them out");
        let errors = diagnostics.verdict();
        let once = expand(options, item);
        return quote!(#once #errors);
    }
    let written = options.clone();
    let options = Options::read(options, &mut diagnostics);
    let parsed = syn::parse2::<syn::Item>(without_body(item.clone()));
    if let Ok(parsed) = &parsed
        && let Some(again) = cfg::expand(&options.runtime, &written, &item, parsed)
    {
        // What is wrong with the options, is wrong there once more.
        diagnostics.verdict();
        return again;
    }
    let node = match parsed {
        Ok(syn::Item::Fn(function)) => {
            let spawns = item.clone().into_iter().last().and_then(|body| spawns::first(body.into()));
            of_function(&function, &options, &mut diagnostics).map(|node| Node { spawns, ..node })
        }
        Ok(syn::Item::Impl(block)) => of_impl(&block, &options, &mut diagnostics),
        Ok(other) => {
            diagnostics.error_at(
                first_span(&other),
                "`#[node]` goes on a function or on an `impl` block",
                "put it on the `fn`, or on the `impl` block that has `enter`, `exit` or `cancelled`",
            );
            None
        }
        Err(error) => {
            diagnostics.push(error);
            None
        }
    };
    // The user's item stays, so that one mistake is one error.
    let errors = diagnostics.verdict();
    // Nothing uses it then.
    let unused = errors.is_some().then(|| quote!(#[allow(dead_code)]));
    let expansion = match (node, errors) {
        (node, Some(errors)) => {
            let kept_alive = node.map(|node| node.kept_alive(&options.runtime));
            quote!(#kept_alive #errors)
        }
        // What rustc will not have, it says itself.
        (Some(node), None) if node.is_refused => node.kept_alive(&options.runtime),
        (Some(node), None) => node.expand(&options.runtime),
        (None, None) => TokenStream::new(),
    };
    // A parameter's type is the wiring: `&str` in place of `&String` would be another value of the scope. Hooks have `&self`, and whether a node
    // is `async` is part of how it is used.
    quote! {
        #[allow(
            clippy::ptr_arg, clippy::borrowed_box, clippy::ref_option, clippy::trivially_copy_pass_by_ref, clippy::needless_pass_by_value,
            clippy::unused_self, clippy::unused_async
        )]
        #unused
        #item
        #expansion
    }
}

/// Where the attribute stands before the item once more, that, and the item without it.
fn twice(item: &TokenStream) -> Option<(TokenStream, TokenStream)> {
    let tokens: Vec<_> = item.clone().into_iter().collect();
    let mut at = 0;
    while let [TokenTree::Punct(hash), TokenTree::Group(attribute), ..] = &tokens[at..]
        && hash.as_char() == '#'
    {
        let attribute = syn::parse2::<syn::Meta>(attribute.stream()).ok()?;
        if attribute.path().segments.last().is_some_and(|last| last.ident == "node") {
            let rest = tokens.iter().enumerate().filter(|(index, _)| *index != at && *index != at + 1);
            return Some((attribute.path().to_token_stream(), rest.map(|(_, token)| token.clone()).collect()));
        }
        at += 2;
    }
    None
}

/// A function without what it does, which is none of a node's business, and takes its time to parse.
fn without_body(item: TokenStream) -> TokenStream {
    let mut tokens: Vec<_> = item.into_iter().collect();
    // A `fn` may also stand in the type of an `impl` block.
    let keyword = tokens.iter().find_map(|token| match token {
        TokenTree::Ident(word) if word == "fn" || word == "impl" => Some(word == "fn"),
        _ => None,
    });
    let is_function = keyword == Some(true);
    if let (true, Some(TokenTree::Group(body))) = (is_function, tokens.last_mut())
        && body.delimiter() == Delimiter::Brace
    {
        let mut empty = Group::new(Delimiter::Brace, TokenStream::new());
        empty.set_span(body.span());
        *body = empty;
    }
    tokens.into_iter().collect()
}

fn first_span(item: &impl ToTokens) -> Span {
    item.to_token_stream().into_iter().next().map_or_else(Span::call_site, |token| token.span())
}

/// What stands in the parentheses of `#[node(..)]`.
struct Options {
    runtime: TokenStream,
    stateless: bool,
    last: bool,
    rejects: bool,
}

impl Options {
    fn read(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Self {
        let mut runtime = None;
        let (mut stateless, mut last, mut rejects) = (false, false, false);
        let parsed = syn::meta::parser(|meta| {
            if meta.path.is_ident("crate") {
                runtime = Some(meta.value()?.parse::<syn::Path>()?.into_token_stream());
            } else if meta.path.is_ident("stateless") {
                stateless = true;
            } else if meta.path.is_ident("last") {
                last = true;
            } else if meta.path.is_ident("rejects") {
                rejects = true;
            } else {
                return Err(meta.error(
                    "`#[node]` has no such option\n  help: it has `stateless`, `last`, `rejects` and `crate = path::to::chain_runtime`",
                ));
            }
            Ok(())
        })
        .parse2(tokens);
        diagnostics.ok(parsed);
        Self { runtime: runtime.unwrap_or_else(names::runtime), stateless, last, rejects }
    }
}

/// A node as data, before any token of it is emitted.
struct Node {
    /// How the traits' impls name it: `auth<T>`, `AccessLog`.
    ty: TokenStream,
    name: String,
    /// Of that name, where errors about the node as a whole stand.
    span: Span,
    generics: Generics,
    /// The same where no run is known: without what is asked of a function's parameters for one of its lifetimes.
    bare: Generics,
    /// A function is named in a chain by itself, and has no way out: it needs less.
    is_function: bool,
    /// For a function: the struct of the same name.
    declaration: Option<TokenStream>,
    stateless: bool,
    /// It gives the reply, and nothing may come after it.
    last: bool,
    /// It turns requests away, so nothing is taken before it.
    rejects: bool,
    /// The first call in a hook that begins a task which nobody waits for, and how it is written.
    spawns: Option<(Ident, String)>,
    enter: Option<Hook>,
    exit: Option<Hook>,
    /// The type parameter of `exit` that stands for the reply, with its bounds.
    exit_reply: Option<syn::TypeParam>,
    cancelled: Option<Hook>,
    around: Option<around::Around>,
    flow: Flow,
    /// It stands beside errors.
    is_stub: bool,
    /// `enter` is awaited, and gives what borrows for a lifetime of the node's own type.
    gives_for_longer: bool,
    /// rustc refuses the function: from which of its parameters the result borrows, nothing says.
    is_refused: bool,
}

/// A hook: what is called, and with what.
struct Hook {
    call: TokenStream,
    is_async: bool,
    /// Its future borrows nothing.
    is_owned: bool,
    parameters: Vec<Parameter>,
}

#[derive(Clone)]
struct Parameter {
    ty: Type,
    /// How many more references there are before the type: of `&&T`, which is lent by a reference to the `&T` that is found, it is one.
    behind: usize,
    access: Access,
    role: Role,
    /// It is what the node itself provided, by its look, lifetimes aside: that borrows for the run, whatever a hook says.
    is_own: bool,
    /// Of the parameter's type, for errors about it.
    span: Span,
}

#[derive(Clone, Copy, PartialEq)]
enum Access {
    Lent,
    LentMut,
    /// Lent for the whole run, because what the node provides borrows from it.
    Kept,
    Taken,
}

#[derive(Clone, Copy, PartialEq)]
enum Role {
    Scope,
    Reply,
    /// In `cancelled`: what the node itself provided.
    Own,
}

/// What the way in returns, taken apart.
struct Flow {
    out: TokenStream,
    kind: FlowKind,
    /// The value: type, as tokens, and as text; `None` for `()`.
    gives: Gives,
    breaks: Option<(TokenStream, String)>,
    /// Of what is returned.
    span: Span,
}

enum FlowKind {
    Plain,
    /// It may be an alias of a `Result` or a `ControlFlow`: rustc knows.
    ByType(Box<Type>),
    Result,
    ControlFlow,
}

enum Gives {
    Nothing,
    Never,
    Value(TokenStream, String, Option<Box<Type>>),
}

fn of_function(function: &ItemFn, options: &Options, diagnostics: &mut Diagnostics) -> Option<Node> {
    let signature = &function.sig;
    let name = &signature.ident;
    let (generics, bare, arguments) = node_generics(&signature.generics);
    let turbofish = (!arguments.is_empty()).then(|| quote!(::<#(#arguments),*>));
    let angle = (!arguments.is_empty()).then(|| quote!(<#(#arguments),*>));
    refuse_odd_functions(signature, diagnostics);
    if let Some(receiver) = signature.receiver() {
        diagnostics.error(
            receiver,
            "a node function has no `self`",
            "put `#[node]` on the `impl` block and call the method `enter`",
        );
        return None;
    }
    if options.stateless {
        diagnostics.error(name, "a function has no state anyway", "write `#[node]` alone");
    }
    let hook = read_hook(signature, quote!(#name #turbofish), Place::Function, diagnostics);
    let flow = read_flow(&returned(signature));
    let flow = if generics.params.is_empty() { flow.by_type(&returned(signature)) } else { flow };
    let has_no_size = has_no_size(signature);
    let flow = if has_no_size { read_flow(&ReturnType::Default) } else { flow };
    let declaration = declare(function, &arguments, &bare);
    Some(Node {
        ty: quote!(#name #angle),
        name: names::unraw(name),
        span: name.span(),
        generics,
        bare,
        is_function: true,
        declaration: Some(declaration),
        stateless: true,
        last: options.last,
        rejects: options.rejects,
        spawns: None,
        enter: Some(hook),
        exit: None,
        exit_reply: None,
        cancelled: None,
        around: None,
        flow,
        is_stub: false,
        gives_for_longer: false,
        is_refused: is_ambiguous(signature) || has_no_size,
    })
}

/// Whether a function returns what has no size.
fn has_no_size(signature: &Signature) -> bool {
    let ReturnType::Type(_, returned) = returned(signature) else { return false };
    let is_unsized = |ty: &Type| match types::ungrouped(ty) {
        Type::Path(path) => path.path.is_ident("str"),
        Type::Slice(_) | Type::TraitObject(_) => true,
        _ => false,
    };
    let in_result = types::last_segment(&returned)
        .filter(|last| last.ident == "Result" || last.ident == "Option")
        .is_some_and(|last| types::type_arguments(last).into_iter().any(is_unsized));
    is_unsized(&returned) || in_result
}

/// Whether a lifetime is left out in what a function returns, and in more than one place of what it takes.
fn is_ambiguous(signature: &Signature) -> bool {
    let ReturnType::Type(_, returned) = returned(signature) else { return false };
    let taken = signature.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(input) => Some(elided(&input.ty)),
        FnArg::Receiver(_) => None,
    });
    elided(&returned) > 0 && taken.sum::<usize>() > 1
}

/// How many lifetimes are left out in it, as far as one can see.
fn elided(ty: &Type) -> usize {
    use syn::visit::{self, Visit};
    struct Count(usize);
    impl<'ast> Visit<'ast> for Count {
        fn visit_lifetime(&mut self, lifetime: &'ast syn::Lifetime) {
            self.0 += usize::from(lifetime.ident == "_");
        }
        fn visit_type_reference(&mut self, reference: &'ast syn::TypeReference) {
            self.0 += usize::from(reference.lifetime.is_none());
            visit::visit_type_reference(self, reference);
        }
        // What is left out in these is bound there.
        fn visit_type_bare_fn(&mut self, _: &'ast syn::TypeBareFn) {}
        fn visit_parenthesized_generic_arguments(&mut self, _: &'ast syn::ParenthesizedGenericArguments) {}
    }
    let mut count = Count(0);
    count.visit_type(ty);
    count.0
}

/// A braced struct of the function's name. It lives among types only: a unit struct would also be a value,
/// and then no binding in this module could have that name.
fn declare(function: &ItemFn, arguments: &[TokenStream], generics: &Generics) -> TokenStream {
    // Of a node that nobody uses, rustc says so of the function, and not of this as well: its name is not a token of the user's.
    let name = &names::emitted(&function.sig.ident);
    let vis = &function.vis;
    let docs = function.attrs.iter().filter(|attribute| is_kept_on_struct(attribute));
    let types: Vec<_> = generics.type_params().map(|parameter| &parameter.ident).collect();
    let marker = (!types.is_empty()).then(|| quote!(marker: ::core::marker::PhantomData<fn() -> (#(#types,)*)>));
    let (parameters, _, _) = generics.split_for_impl();
    let parameters = (!arguments.is_empty()).then(|| parameters.to_token_stream());
    quote! {
        #(#docs)*
        #[allow(non_camel_case_types, missing_debug_implementations, missing_copy_implementations, unreachable_pub, clippy::all, clippy::pedantic)]
        #vis struct #name #parameters { #marker }
    }
}

fn is_kept_on_struct(attribute: &Attribute) -> bool {
    ["doc", "cfg", "cfg_attr", "deprecated"].iter().any(|name| attribute.path().is_ident(name))
}

/// The node's own generics, types and constants, in a run and outside of one, and its arguments. Lifetimes are the run's.
fn node_generics(generics: &Generics) -> (Generics, Generics, Vec<TokenStream>) {
    let mut kept = generics.clone();
    kept.params = kept.params.into_iter().filter(|parameter| !matches!(parameter, GenericParam::Lifetime(_))).collect();
    let arguments = kept.params.iter().filter_map(|parameter| match parameter {
        GenericParam::Type(parameter) => Some(parameter.ident.to_token_stream()),
        GenericParam::Const(parameter) => Some(parameter.ident.to_token_stream()),
        GenericParam::Lifetime(_) => None,
    });
    let arguments: Vec<_> = arguments.collect();
    if let Some(clause) = &mut kept.where_clause {
        let predicates = std::mem::take(&mut clause.predicates);
        let is_of_types = |predicate: &syn::WherePredicate| matches!(predicate, syn::WherePredicate::Type(_));
        clause.predicates = predicates.into_iter().filter(is_of_types).collect();
    }
    let own: Vec<_> = generics.lifetimes().map(|parameter| parameter.lifetime.clone()).collect();
    let (mut in_run, mut bare) = (kept.clone(), kept);
    types::bounds_in(&mut in_run, &own, &names::run_lifetime());
    types::bounds_without(&mut bare, &own);
    (in_run, bare, arguments)
}

fn refuse_odd_functions(signature: &Signature, diagnostics: &mut Diagnostics) {
    if let Some(token) = &signature.unsafety {
        diagnostics.error(token, "a node cannot be an `unsafe fn`", "call the unsafe function inside a safe node");
    }
    if let Some(token) = &signature.variadic {
        diagnostics.error(token, "a node cannot be variadic", "name each parameter");
    }
    if let Some(abi) = &signature.abi {
        diagnostics.error(abi, "a node cannot be an `extern fn`", "call it inside a node of your own");
    }
    if let ReturnType::Type(_, ty) = &returned(signature)
        && let Some(token) = types::find_impl_trait(ty)
    {
        diagnostics.error(
            token,
            "what a node provides is found by its type, which `impl Trait` does not name",
            "name the type, or wrap the value in a type of its own",
        );
    }
}

/// Where a hook stands, for its errors.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Function,
    Enter,
    Exit,
    Cancelled,
    Around,
    Again,
}

impl Place {
    const fn name(self) -> &'static str {
        match self {
            Self::Function => "a node",
            Self::Enter => "`enter`",
            Self::Exit => "`exit`",
            Self::Cancelled => "`cancelled`",
            Self::Around => "`around`",
            Self::Again => "`again`",
        }
    }
}

fn read_hook(signature: &Signature, call: TokenStream, place: Place, diagnostics: &mut Diagnostics) -> Hook {
    let kept = lifetimes_kept(signature);
    let mut parameters: Vec<Parameter> = Vec::new();
    for argument in &signature.inputs {
        let FnArg::Typed(argument) = argument else {
            continue;
        };
        let parameter = read_parameter(argument, &kept, place, diagnostics);
        let Some(parameter) = parameter else { continue };
        let twin =
            parameters.iter().find(|other| other.role == parameter.role && types::same_text(&other.ty, &parameter.ty));
        if twin.is_some() {
            let ty = types::text(&parameter.ty);
            diagnostics.error(
                &argument.ty,
                format_args!("{} asks for `{ty}` twice", place.name()),
                format_args!("a scope has one `{ty}`; wrap the other in a type of its own"),
            );
        }
        parameters.push(parameter);
    }
    let future = future_of(signature);
    let is_async = signature.asyncness.is_some() || future.is_some();
    let is_owned = future.is_some_and(|(_, is_owned)| is_owned);
    Hook { call, is_async, is_owned, parameters }
}

/// Of a function that returns a future, and is not an `async fn`: what the future gives, and whether it is `'static` and `Send`.
fn future_of(signature: &Signature) -> Option<(Type, bool)> {
    let ReturnType::Type(_, ty) = &signature.output else { return None };
    let Type::ImplTrait(bounds) = types::ungrouped(ty) else { return None };
    let mut output = None;
    let (mut is_static, mut is_send) = (false, false);
    for bound in &bounds.bounds {
        match bound {
            syn::TypeParamBound::Lifetime(lifetime) => is_static |= lifetime.ident == "static",
            syn::TypeParamBound::Trait(bound) => {
                let segment = bound.path.segments.last()?;
                is_send |= segment.ident == "Send";
                let syn::PathArguments::AngleBracketed(arguments) = &segment.arguments else { continue };
                let of_future = arguments.args.iter().find_map(|argument| match argument {
                    syn::GenericArgument::AssocType(assigned) if assigned.ident == "Output" => {
                        Some(assigned.ty.clone())
                    }
                    _ => None,
                });
                if segment.ident == "Future" {
                    output = of_future;
                }
            }
            _ => {}
        }
    }
    output.map(|output| (output, is_static && is_send))
}

/// What a hook returns once it was awaited.
fn returned(signature: &Signature) -> ReturnType {
    match future_of(signature) {
        Some((output, _)) => ReturnType::Type(<syn::Token![->]>::default(), Box::new(output)),
        None => signature.output.clone(),
    }
}

fn read_parameter(
    argument: &syn::PatType,
    kept: &Kept,
    place: Place,
    diagnostics: &mut Diagnostics,
) -> Option<Parameter> {
    let ty = types::ungrouped(&argument.ty);
    let span = name_span(types::referent(ty));
    if let Some(token) = types::find_impl_trait(ty) {
        diagnostics.error(
            token,
            "a node's parameter is found by its type, which `impl Trait` does not name",
            "name the type, or add a type parameter and name the node with it: `node::<Type>`",
        );
        return None;
    }
    let is_reply = place == Place::Exit && matches!(&*argument.pat, Pat::Ident(pat) if pat.ident == "reply");
    let role = if is_reply { Role::Reply } else { Role::Scope };
    let Type::Reference(reference) = ty else {
        if matches!(place, Place::Exit | Place::Cancelled) {
            let text = types::text(ty);
            diagnostics.error(
                ty,
                format_args!("{} borrows what it needs, it cannot take `{text}` by value", place.name()),
                format_args!("write `&{text}` or `&mut {text}`"),
            );
            return None;
        }
        return Some(Parameter { ty: ty.clone(), behind: 0, access: Access::Taken, role, is_own: false, span });
    };
    let (reference, behind) = match is_reply {
        false => innermost(reference, kept, place, diagnostics)?,
        true => (reference, 0),
    };
    let span = name_span(types::ungrouped(&reference.elem));
    if let Some(lifetime) = reference.lifetime.as_ref().filter(|lifetime| !is_reply && lifetime.ident == "static") {
        let text = types::text(&reference.elem);
        diagnostics.error(
            lifetime,
            format_args!("a node is lent `{text}` for its run, and not for `'static`"),
            format_args!(
                "ask for `&{text}`; what is `'static` is found in a type of its own, `struct Name(&'static {text})`"
            ),
        );
        return None;
    }
    let is_kept = matches!(place, Place::Function | Place::Enter) && kept.keeps(reference.lifetime.as_ref());
    let is_kept = is_kept || (reference.mutability.is_none() && kept.is_written_through(reference.lifetime.as_ref()));
    let access = match (reference.mutability, is_kept) {
        (Some(_), true) => {
            diagnostics.error(
                ty,
                "what a node provides cannot borrow from what it was lent for writing",
                "borrow it as `&T`, or return a value of its own",
            );
            return None;
        }
        (Some(_), false) => Access::LentMut,
        (None, true) => Access::Kept,
        (None, false) => Access::Lent,
    };
    Some(Parameter { ty: (*reference.elem).clone(), behind, access, role, is_own: false, span })
}

/// The last of shared references to each other, and how many are before it. A value is found by what references to it refer to, so `&&T` asks
/// for a `T`, too.
fn innermost<'a>(
    reference: &'a syn::TypeReference,
    kept: &Kept,
    place: Place,
    diagnostics: &mut Diagnostics,
) -> Option<(&'a syn::TypeReference, usize)> {
    let (mut reference, mut behind) = (reference, 0);
    while let Type::Reference(inner) = types::ungrouped(&reference.elem)
        && reference.mutability.is_none()
        && inner.mutability.is_none()
    {
        // The reference itself is made for the call.
        if let Some(lifetime) = &reference.lifetime
            && lifetime.ident != "_"
            && matches!(place, Place::Function | Place::Enter)
            && kept.keeps(Some(lifetime))
        {
            let text = types::text(&inner.elem);
            diagnostics.error(
                lifetime,
                format_args!("a node cannot keep a reference to a `&{text}`, which is made for the call"),
                format_args!("ask for `&{lifetime} {text}`, or keep the inner reference: `&&{lifetime} {text}`"),
            );
            return None;
        }
        (reference, behind) = (inner, behind + 1);
    }
    Some((reference, behind))
}

/// Of a type's name: a span of several tokens cannot be made on stable.
fn name_span(ty: &Type) -> Span {
    types::last_segment(ty).map_or_else(|| ty.span(), |segment| segment.ident.span())
}

/// The lifetimes that what a hook returns borrows for.
struct Kept {
    named: Vec<Ident>,
    elided: bool,
    /// Those of what stands behind a `&mut`: there, a lifetime is just that of the run, and no shorter one.
    written_through: Vec<Ident>,
}

impl Kept {
    fn keeps(&self, lifetime: Option<&syn::Lifetime>) -> bool {
        match lifetime {
            Some(lifetime) if lifetime.ident == "_" => self.elided,
            Some(lifetime) => self.named.contains(&lifetime.ident),
            None => self.elided,
        }
    }

    fn is_written_through(&self, lifetime: Option<&syn::Lifetime>) -> bool {
        lifetime.is_some_and(|lifetime| self.written_through.contains(&lifetime.ident))
    }
}

fn lifetimes_kept(signature: &Signature) -> Kept {
    use syn::visit::{self, Visit};
    #[derive(Default)]
    struct Collect {
        named: Vec<Ident>,
        elided: bool,
    }
    impl<'ast> Visit<'ast> for Collect {
        fn visit_lifetime(&mut self, lifetime: &'ast syn::Lifetime) {
            if lifetime.ident == "_" {
                self.elided = true;
            } else if lifetime.ident != "static" {
                self.named.push(lifetime.ident.clone());
            }
        }
        fn visit_type_reference(&mut self, reference: &'ast syn::TypeReference) {
            self.elided |= reference.lifetime.is_none();
            visit::visit_type_reference(self, reference);
        }
        // What is elided in these is bound there.
        fn visit_type_bare_fn(&mut self, function: &'ast syn::TypeBareFn) {
            let elided = self.elided;
            visit::visit_type_bare_fn(self, function);
            self.elided = elided;
        }
        fn visit_parenthesized_generic_arguments(&mut self, arguments: &'ast syn::ParenthesizedGenericArguments) {
            let elided = self.elided;
            visit::visit_parenthesized_generic_arguments(self, arguments);
            self.elided = elided;
        }
    }
    let mut output = Collect::default();
    output.visit_return_type(&signature.output);
    // With `&self`, an elided lifetime of the output is that of `self`, which lives as long as the run.
    output.elided &= signature.receiver().is_none();
    let mut behind_mut = Collect::default();
    for argument in &signature.inputs {
        if let FnArg::Typed(argument) = argument
            && let Type::Reference(reference) = types::ungrouped(&argument.ty)
            && reference.mutability.is_some()
        {
            behind_mut.visit_type(&reference.elem);
        }
    }
    outlive(&signature.generics, &mut output.named);
    outlive(&signature.generics, &mut behind_mut.named);
    Kept { named: output.named, elided: output.elided, written_through: behind_mut.named }
}

/// Adds what lives at least as long as one of these.
fn outlive(generics: &Generics, named: &mut Vec<Ident>) {
    let declared = generics.lifetimes().map(|parameter| (&parameter.lifetime, &parameter.bounds));
    let clause = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let clause = clause.filter_map(|predicate| match predicate {
        syn::WherePredicate::Lifetime(predicate) => Some((&predicate.lifetime, &predicate.bounds)),
        _ => None,
    });
    let bounds: Vec<_> = declared.chain(clause).collect();
    loop {
        let before = named.len();
        for (lifetime, bounds) in &bounds {
            let outlives = bounds.iter().any(|bound| named.contains(&bound.ident));
            if outlives && !named.contains(&lifetime.ident) {
                named.push(lifetime.ident.clone());
            }
        }
        if named.len() == before {
            return;
        }
    }
}

fn read_flow(output: &ReturnType) -> Flow {
    let run = names::run_lifetime();
    let ReturnType::Type(_, ty) = output else {
        return Flow {
            out: quote!(()),
            kind: FlowKind::Plain,
            gives: Gives::Nothing,
            breaks: None,
            span: Span::call_site(),
        };
    };
    let ty = types::ungrouped(ty);
    if types::find_impl_trait(ty).is_some() {
        // Refused already.
        return Flow {
            out: quote!(()),
            kind: FlowKind::Plain,
            gives: Gives::Nothing,
            breaks: None,
            span: Span::call_site(),
        };
    }
    let out = types::with_lifetime(ty, &run);
    let span = name_span(ty);
    let arguments = types::last_segment(ty).map(types::type_arguments).unwrap_or_default();
    let written = |ty: &Type| {
        let relabelled = types::with_lifetime(ty, &run);
        (relabelled.to_token_stream(), types::text(ty))
    };
    if types::is_named(ty, "Result") {
        let gives = match arguments.first() {
            Some(value) => gives(value),
            None => Gives::Value(TokenStream::new(), format!("the value of {}", types::text(ty)), None),
        };
        let breaks = match arguments.get(1) {
            Some(error) if types::is_never(error) => None,
            Some(error) => Some(written(error)),
            None => Some((TokenStream::new(), format!("the error of {}", types::text(ty)))),
        };
        return Flow { out: out.to_token_stream(), kind: FlowKind::Result, gives, breaks, span };
    }
    if types::is_named(ty, "ControlFlow") {
        let gives = arguments.get(1).map_or(Gives::Nothing, |value| gives(value));
        let breaks = arguments.first().filter(|broken| !types::is_never(broken)).map(|broken| written(broken));
        return Flow { out: out.to_token_stream(), kind: FlowKind::ControlFlow, gives, breaks, span };
    }
    Flow { out: out.to_token_stream(), kind: FlowKind::Plain, gives: gives(ty), breaks: None, span }
}

impl Flow {
    /// What has type arguments under a name that is nobody's in particular is read by what it is: `Outcome<User>` may be a `Result`. (A name without arguments
    /// mostly is what is provided; to ask about each would cost each node.)
    fn by_type(self, output: &ReturnType) -> Self {
        let ReturnType::Type(_, ty) = output else { return self };
        let has_arguments = types::last_segment(ty).is_some_and(|last| !types::type_arguments(last).is_empty());
        if !matches!(self.kind, FlowKind::Plain) || !has_arguments || !types::may_hide_a_break(ty) {
            return self;
        }
        let gives = Gives::Value(TokenStream::new(), types::text(ty), None);
        Self { kind: FlowKind::ByType(ty.clone()), gives, ..self }
    }
}

fn gives(ty: &Type) -> Gives {
    if types::is_unit(ty) {
        Gives::Nothing
    } else if types::is_never(ty) {
        Gives::Never
    } else {
        let relabelled = types::with_lifetime(ty, &names::run_lifetime());
        Gives::Value(relabelled.to_token_stream(), types::text(ty), Some(Box::new(ty.clone())))
    }
}

fn of_impl(block: &ItemImpl, options: &Options, diagnostics: &mut Diagnostics) -> Option<Node> {
    if let Some((_, path, _)) = &block.trait_ {
        diagnostics.error(
            path,
            "`#[node]` goes on an inherent `impl` block, not on one of a trait",
            "write `#[node] impl Type { fn enter(&self, ..) { .. } }`",
        );
        return None;
    }
    // What is emitted stands elsewhere, where `Self` is something else, or nothing.
    let block = &types::without_self(block);
    let see_spawns = |first: &mut Option<_>, method: &syn::ImplItemFn| {
        *first = first.take().or_else(|| spawns::first(method.block.to_token_stream()));
    };
    let mut enter = None;
    let mut enter_gives = None;
    let mut exit = None;
    let mut exit_reply = None;
    let mut cancelled = None;
    let mut around = None;
    let mut is_almost_one = false;
    let mut again = None;
    let mut spawns = None;
    let mut flow = read_flow(&ReturnType::Default);
    for item in &block.items {
        let ImplItem::Fn(method) = item else { continue };
        let signature = &method.sig;
        let name = &signature.ident;
        let place = match name.to_string().as_str() {
            "enter" => Place::Enter,
            "exit" => Place::Exit,
            "cancelled" => Place::Cancelled,
            "around" => {
                see_spawns(&mut spawns, method);
                refuse_odd_functions(signature, diagnostics);
                check_receiver(signature, Place::Around, diagnostics);
                // One that cannot be read is one all the same: what wraps a block is no other error.
                around = Some(around::read(signature, diagnostics).unwrap_or_else(around::Around::kept_alive));
                continue;
            }
            "again" => {
                see_spawns(&mut spawns, method);
                check_receiver(signature, Place::Again, diagnostics);
                again = Some((name, around::read_again(signature, diagnostics)));
                continue;
            }
            _ => {
                is_almost_one |= elsewhere::refuse_almost_a_hook(method, diagnostics);
                continue;
            }
        };
        see_spawns(&mut spawns, method);
        refuse_odd_functions(signature, diagnostics);
        check_receiver(signature, place, diagnostics);
        if place != Place::Enter {
            check_returns_nothing(signature, place, diagnostics);
        }
        let hook = read_hook(signature, quote!(Self::#name), place, diagnostics);
        let reply = check_generics(signature, place, &hook, diagnostics);
        match place {
            Place::Enter => {
                let returned = returned(signature);
                flow = read_flow(&returned);
                if let ReturnType::Type(_, ty) = returned {
                    enter_gives = Some(*ty);
                }
                enter = Some(hook);
            }
            Place::Exit => {
                exit_reply = reply;
                exit = Some(hook);
            }
            _ => {
                if let Some(token) = &signature.asyncness {
                    diagnostics.error(
                        token,
                        "`cancelled` cannot be `async`: it runs while the request's future is being dropped",
                        "make it a plain `fn`; hand longer work to a task of its own",
                    );
                }
                cancelled = Some(hook);
            }
        }
    }
    if let Some((name, again)) = again {
        match &mut around {
            Some(around) => around.again = again,
            None => diagnostics.error(
                name,
                "`again` belongs to a node that wraps a block, and this one has no `around`",
                "add `around`, which may just await the block: `async fn around<B: Future>(&self, block: Pin<&mut B>) -> B::Output { block.await }`",
            ),
        }
    }
    if let (Some(ty), None, true) = (&enter_gives, &cancelled, block.generics.params.is_empty()) {
        flow = flow.by_type(&ReturnType::Type(<syn::Token![->]>::default(), Box::new(ty.clone())));
    }
    if around.is_some() && (exit.is_some() || cancelled.is_some()) {
        diagnostics.error(
            &block.self_ty,
            "a node that wraps a block sees its end, so it has neither `exit` nor `cancelled`",
            "do it in `around`, behind `block.await`; what has to happen in any case, in the `Drop` of a local there",
        );
    }
    if enter.is_none() && exit.is_none() && cancelled.is_none() && around.is_none() {
        if is_almost_one {
            return None;
        }
        diagnostics.error(
            &block.self_ty,
            "a node needs a hook, and this `impl` block has none",
            "give it `fn enter(&self, ..)`, `fn exit(&self, ..)`, `fn cancelled(&self, ..)` or `async fn around(&self, ..)`",
        );
        return None;
    }
    if let Gives::Value(_, _, Some(own)) = &flow.gives {
        // Whatever its lifetimes are called in either hook, and whether or not they are written.
        let own = types::without_lifetimes(own);
        let hooks = [&mut exit, &mut cancelled].into_iter().flatten();
        for parameter in hooks.flat_map(|hook| &mut hook.parameters) {
            parameter.is_own = types::same_text(&types::without_lifetimes(&parameter.ty), types::referent(&own));
        }
        for parameter in cancelled.iter_mut().flat_map(|hook| &mut hook.parameters).filter(|parameter| parameter.is_own)
        {
            parameter.role = Role::Own;
        }
    }
    for parameter in cancelled.iter().flat_map(|hook| &hook.parameters) {
        if parameter.access == Access::LentMut && parameter.role == Role::Scope {
            let ty = types::text(&parameter.ty);
            diagnostics.error_at(
                parameter.span,
                format_args!("`cancelled` asks for `&mut {ty}`, but a field of the chain is shared between requests"),
                format_args!("ask for `&{ty}`; only the node's own provided value can be `&mut` here"),
            );
        }
    }
    let self_ty = &block.self_ty;
    let generics = block.generics.clone();
    let bare = generics.clone();
    let gives_for_longer = match (&enter, &enter_gives) {
        (Some(enter), Some(ty)) => enter.is_async && mentions(ty, &generics),
        _ => false,
    };
    let name = types::last_segment(self_ty).map_or_else(|| types::text(self_ty), |last| names::unraw(&last.ident));
    Some(Node {
        ty: self_ty.to_token_stream(),
        name,
        span: name_span(self_ty),
        generics,
        bare,
        is_function: false,
        declaration: None,
        stateless: options.stateless,
        last: options.last,
        rejects: options.rejects,
        spawns,
        enter,
        exit,
        exit_reply,
        cancelled,
        around,
        flow,
        is_stub: false,
        gives_for_longer,
        is_refused: false,
    })
}

/// Whether a lifetime of these is in a type.
fn mentions(ty: &Type, generics: &Generics) -> bool {
    use syn::visit::Visit;
    struct Find<'a>(&'a Generics, bool);
    impl<'ast> Visit<'ast> for Find<'_> {
        fn visit_lifetime(&mut self, lifetime: &'ast syn::Lifetime) {
            self.1 |= self.0.lifetimes().any(|parameter| parameter.lifetime == *lifetime);
        }
    }
    let mut find = Find(generics, false);
    find.visit_type(ty);
    find.1
}

fn check_receiver(signature: &Signature, place: Place, diagnostics: &mut Diagnostics) {
    let name = place.name();
    match signature.receiver() {
        None => diagnostics.error(
            &signature.ident,
            format_args!("{name} has no `&self`"),
            format_args!("write `fn {}(&self, ..)`", signature.ident),
        ),
        Some(receiver) => {
            // Of `self: &Self` as of `&self`.
            let mutability = match types::ungrouped(&receiver.ty) {
                Type::Reference(reference) => Some(reference.mutability.is_some()),
                _ => None,
            };
            match mutability {
                Some(false) => {}
                Some(true) => diagnostics.error(
                    receiver,
                    format_args!("{name} takes `&mut self`, but a node is shared between requests"),
                    "write `&self`, and keep what changes in an atomic, a `Mutex`, or the value that the node provides",
                ),
                None => diagnostics.error(
                    receiver,
                    format_args!("{name} takes the node by value, but a node serves every request"),
                    "write `&self`",
                ),
            }
        }
    }
}

fn check_returns_nothing(signature: &Signature, place: Place, diagnostics: &mut Diagnostics) {
    if let ReturnType::Type(_, ty) = &signature.output
        && !types::is_unit(ty)
    {
        diagnostics.error(
            ty,
            format_args!("{} returns `{}`, but nobody would see it", place.name(), types::text(ty)),
            "let it return nothing; `exit` changes the reply through `reply: &mut Reply`",
        );
    }
}

/// A hook has no generics of its own, but for the type of the reply in `exit`.
fn check_generics(
    signature: &Signature,
    place: Place,
    hook: &Hook,
    diagnostics: &mut Diagnostics,
) -> Option<syn::TypeParam> {
    let mut reply = None;
    for parameter in signature.generics.type_params() {
        let stands_for_reply = hook.parameters.iter().any(|other| {
            other.role == Role::Reply
                && matches!(types::ungrouped(&other.ty), Type::Path(path) if path.path.is_ident(&parameter.ident))
        });
        if stands_for_reply && reply.is_none() {
            let mut parameter = parameter.clone();
            parameter.bounds.extend(where_bounds(&signature.generics, &parameter.ident));
            reply = Some(parameter);
        } else {
            diagnostics.error(
                parameter,
                format_args!("nothing says which `{}` {} is meant for", parameter.ident, place.name()),
                "put the type parameter on the `impl` block, so that the node's type names it",
            );
        }
    }
    reply
}

fn where_bounds(generics: &Generics, name: &Ident) -> Vec<syn::TypeParamBound> {
    let predicates = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let bounds = predicates.filter_map(|predicate| match predicate {
        syn::WherePredicate::Type(predicate) => match types::ungrouped(&predicate.bounded_ty) {
            Type::Path(path) if path.path.is_ident(name) => Some(predicate.bounds.iter().cloned()),
            _ => None,
        },
        _ => None,
    });
    bounds.flatten().collect()
}

impl Parameter {
    /// `&`, once for each reference that is made to what is lent.
    fn references(&self) -> TokenStream {
        std::iter::repeat_n(quote!(&), self.behind).collect()
    }
}

impl Node {
    /// The node without any needs, beside errors that stand already: a chain that uses it has no further ones.
    fn kept_alive(mut self, rt: &TokenStream) -> TokenStream {
        self.enter = Some(Hook {
            call: quote!(#rt::private::no_node),
            is_async: false,
            is_owned: false,
            parameters: Vec::new(),
        });
        self.exit = None;
        self.exit_reply = None;
        self.cancelled = None;
        self.around = self.around.map(|_| around::Around::kept_alive());
        self.spawns = None;
        // It is called like a function: without `self`.
        self.stateless &= self.declaration.is_some();
        self.declaration.get_or_insert_default();
        self.is_stub = true;
        self.expand(rt)
    }

    fn expand(&self, rt: &TokenStream) -> TokenStream {
        let declaration = &self.declaration;
        let is_node = (!self.is_function).then(|| self.is_node(rt));
        let signature = self.signature(rt);
        let node = self.node(rt);
        let cancel = (!self.is_function).then(|| self.cancel(rt));
        let around = self.around.as_ref().map(|around| around.expand(self, rt));
        let stateless = self.stateless.then(|| self.stateless(rt));
        let shows = (!self.is_stub).then(|| self.shows(rt));
        let elsewhere = (!self.is_function && !self.is_stub).then(|| self.refuse_hooks_elsewhere());
        let hushed = if self.is_stub { names::hushed() } else { names::hushed_of_a_node() };
        let read = self.read_by_type(rt);
        quote! {
            #declaration
            #hushed
            const _: () = { #read #is_node #signature #node #cancel #around #stateless #shows #elsewhere };
        }
    }

    /// What is returned, as constants say, where its name does not.
    fn read_by_type(&self, rt: &TokenStream) -> Option<TokenStream> {
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

    /// Whether it returns a `&T` and keeps a borrow of the scope's `T`.
    fn gives_what_it_keeps(&self) -> bool {
        let Gives::Value(_, _, Some(ty)) = &self.flow.gives else { return false };
        let is_reference = matches!(types::ungrouped(ty), Type::Reference(_));
        let mut kept =
            self.enter.iter().flat_map(|hook| &hook.parameters).filter(|parameter| parameter.access == Access::Kept);
        is_reference && kept.any(|parameter| types::same_text(&parameter.ty, types::referent(ty)))
    }

    /// A constant that refuses a name which hides a reference, or nothing.
    fn shows(&self, rt: &TokenStream) -> Option<TokenStream> {
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

    /// A parameter's type, in a run: the lifetimes that the node's own type has stay.
    fn in_run(&self, ty: &Type) -> Type {
        let own: Vec<_> = self.generics.lifetimes().map(|parameter| parameter.lifetime.clone()).collect();
        types::with_lifetime_but(ty, &names::run_lifetime(), &own)
    }

    fn mentions_own_lifetime(&self, ty: &Type) -> bool {
        mentions(ty, &self.generics)
    }

    fn in_run_of(&self, parameter: &Parameter) -> Type {
        match parameter.is_own {
            true => types::with_lifetime(&parameter.ty, &names::run_lifetime()),
            false => self.in_run(&parameter.ty),
        }
    }

    /// What is called of a hook. Where it says that what the node provided borrows for a lifetime of the node's own type, it is called of that type as it is in the
    /// run, for which it borrows.
    fn called(&self, hook: &Hook, name: &str) -> TokenStream {
        let says_so = |parameter: &Parameter| parameter.is_own && self.mentions_own_lifetime(&parameter.ty);
        if !hook.parameters.iter().any(says_so) {
            return hook.call.clone();
        }
        let ty = &self.ty;
        let (ty, name) =
            (types::with_lifetime(&syn::parse_quote!(#ty), &names::run_lifetime()), format_ident!("{name}"));
        quote!(<#ty>::#name)
    }

    /// What a hook asks for. A lifetime may be hidden in it (`&Token` for `&Token<'_>`): only rustc knows.
    fn asked(&self, rt: &TokenStream, parameter: &Parameter) -> TokenStream {
        let ty = &parameter.ty;
        let in_run = self.in_run_of(parameter);
        let is_parameter =
            |name: &Ident| name == "Self" || self.generics.type_params().any(|parameter| parameter.ident == *name);
        if parameter.role == Role::Reply || !types::may_hide_a_lifetime(ty, &is_parameter) {
            return in_run.into_token_stream();
        }
        // In a function's type the lifetimes that are left out in what it returns are those of what it takes.
        let run = names::run_lifetime();
        quote!(<fn(&#run ()) -> #in_run as #rt::private::Returned>::It)
    }

    /// That what the node's types are about lives for the run, where a reference to it may be among what is asked for or given. A function would
    /// have that from the look of its parameters.
    fn outlives(&self) -> Vec<TokenStream> {
        let run = names::run_lifetime();
        let hooks = [&self.enter, &self.exit, &self.cancelled];
        let asked = hooks.into_iter().flatten().flat_map(|hook| &hook.parameters).map(|parameter| &parameter.ty);
        let given = syn::parse2::<Type>(self.flow.out.clone()).ok();
        // A lifetime may be hidden in what is asked for: `&Token` for `&Token<'_>`.
        let is_parameter = |name: &Ident| self.generics.type_params().any(|parameter| parameter.ident == *name);
        let refers =
            asked.chain(&given).any(|ty| types::has_a_lifetime(ty) || types::may_hide_a_lifetime(ty, &is_parameter));
        let parameters = self.generics.type_params().filter(|_| refers).map(|parameter| &parameter.ident);
        parameters.map(|parameter| quote!(#parameter: #run)).collect()
    }

    /// The node's generics with the run's lifetime, and what else is asked for, in front.
    fn generics(&self, lifetimes: &[TokenStream], types: &[TokenStream]) -> TokenStream {
        generics_with(&self.generics, lifetimes, types)
    }

    fn where_clause(&self, more: &[TokenStream]) -> TokenStream {
        let own = self.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
        quote!(where #(#own,)* #(#more,)*)
    }

    fn is_node(&self, rt: &TokenStream) -> TokenStream {
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

    fn stateless(&self, rt: &TokenStream) -> TokenStream {
        let ty = &self.ty;
        let generics = generics_with(&self.bare, &[], &[]);
        let clause = self.bare.where_clause.iter().flat_map(|clause| &clause.predicates);
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

    fn signature(&self, rt: &TokenStream) -> TokenStream {
        let Self { ty, name, flow, .. } = self;
        let run = names::run_lifetime();
        let generics = self.generics(&[quote!(#run)], &[]);
        let clause = self.where_clause(&self.outlives());
        let chain = names::single("ChainItself");
        let out = self.with_hidden(rt, self.out(rt), &quote!(()));
        let (key, never_gives) = match &flow.gives {
            Gives::Nothing => (quote!(#rt::Nothing<CHAIN_POSITION>), false),
            Gives::Never => (quote!(#rt::Nothing<CHAIN_POSITION>), true),
            Gives::Value(..) if matches!(flow.kind, FlowKind::ByType(_)) => (self.key_by_type(rt, &quote!(())), false),
            // Of an alias nothing is known but what it stands for.
            Gives::Value(value, ..) if value.is_empty() => (quote!(<#out as #rt::flow::ResultLike>::Value), false),
            Gives::Value(value, ..) => (value.clone(), false),
        };
        let (key, held) = match &flow.kind {
            FlowKind::ByType(_) => (key, self.key_by_type(rt, &quote!(#chain))),
            _ => (self.with_hidden(rt, key.clone(), &quote!(())), self.with_hidden(rt, key, &quote!(#chain))),
        };
        // A reference is found by what it refers to.
        let (found, lent) = match &flow.gives {
            Gives::Value(_, _, Some(ty)) => match types::ungrouped(ty) {
                Type::Reference(reference) => {
                    let lent = if reference.mutability.is_some() { quote!(ByMut) } else { quote!(ByRef) };
                    let ty = types::with_lifetime(types::referent(ty), &run);
                    (self.with_hidden(rt, ty.to_token_stream(), &quote!(#chain)), lent)
                }
                _ => (held.clone(), quote!(Itself)),
            },
            _ => (held.clone(), quote!(Itself)),
        };
        // Under its type, it would be found by itself, and rustc had a second error about the first: that its type is taken.
        let (found, lent) = match self.gives_what_it_keeps() {
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
        let facts = self.facts(rt, name);
        let spawns = self.spawns.as_ref().map(|spawns| spawns::constant(rt, name, spawns));
        let joining = self.generics(&[quote!(#run)], &[quote!(#chain: ?#rt::private::Sized)]);
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
            }
        }
    }

    /// The type of its value, or of nothing.
    fn key_by_type(&self, rt: &TokenStream, chain: &TokenStream) -> TokenStream {
        let ((flow, nothing), out) = (by_type(), &self.flow.out);
        quote!(<#rt::flow::KeyBy<#flow, #nothing> as #rt::flow::KeyIn<#out, #chain>>::Key<CHAIN_POSITION>)
    }

    /// A type in what it returns, in which a lifetime may be hidden: that is the run's. (With the chain's type as a parameter, it is settled what that stands for.)
    fn with_hidden(&self, rt: &TokenStream, ty: TokenStream, chain: &TokenStream) -> TokenStream {
        let is_parameter =
            |name: &Ident| name == "Self" || self.generics.type_params().any(|parameter| parameter.ident == *name);
        let may_hide = syn::parse2::<Type>(ty.clone()).is_ok_and(|ty| types::may_hide_a_lifetime(&ty, &is_parameter));
        // A function's parameters would have to be kept for it, if there is one: rustc asks that it is written.
        if self.is_function || self.is_stub || !may_hide || !matches!(self.flow.gives, Gives::Value(..)) {
            return ty;
        }
        let run = names::run_lifetime();
        quote!(<fn(&#run ()) -> #ty as #rt::private::Returned<#chain>>::It)
    }

    /// What the way in returns. Named rather than `Self::Out`, which rustc would have to look up at each mention.
    fn out(&self, rt: &TokenStream) -> TokenStream {
        let out = &self.flow.out;
        if is_bang(out) { quote!(#rt::Never) } else { out.clone() }
    }

    /// The same where a lifetime that is hidden in it would be that of the function's `&self`, and so a second error: rustc asks where the type is named.
    fn hook_out(&self, rt: &TokenStream) -> TokenStream {
        let out = self.out(rt);
        let is_parameter = |name: &Ident| self.generics.type_params().any(|parameter| parameter.ident == *name);
        let may_hide = syn::parse2(out.clone()).is_ok_and(|out| types::may_hide_a_lifetime(&out, &is_parameter));
        let is_async = self.enter.as_ref().is_some_and(|hook| hook.is_async);
        if self.is_function && !is_async && may_hide { quote!(Self::Out) } else { out }
    }

    fn facts(&self, rt: &TokenStream, name: &str) -> TokenStream {
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
        let last = self.last.then(|| quote!(.last()));
        let rejects = self.rejects.then(|| quote!(.rejects()));
        let keeps = self.gives_what_it_keeps().then(|| quote!(.gives_what_it_keeps()));
        let (shows, breaks_show) = self.decides(rt);
        let probes = (shows.is_some() || breaks_show.is_some()).then(|| quote!(use #rt::private::Plainly as _;));
        let facts = quote!(#rt::describe::Facts::new(#name) #last #rejects #keeps .enter(#enter).exit(#exit) #cancelled #provides #breaks #around #shows #breaks_show);
        if probes.is_some() { quote!({ #probes #facts }) } else { facts }
    }

    /// What the types behind the names are, where that decides something: whether what is provided is a `Result` after all, and what breaks, `()`.
    fn decides(&self, rt: &TokenStream) -> (Option<TokenStream>, Option<TokenStream>) {
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
            .and_then(around::Around::gives_up)
            .map(|ty| quote!(.breaks_show(#rt::private::Probe::<#ty>::IS_NOTHING)));
        (shows, (breaks.is_some() || gives_up.is_some()).then(|| quote!(#breaks #gives_up)))
    }

    fn node(&self, rt: &TokenStream) -> TokenStream {
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
            None => self.no_way_in(rt),
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
        let items = quote! {
            const NEEDS: &'static [#rt::describe::Need] = &[#(#needs),*];
            #exit_needs
            #enter
            #exit
        };
        let node = names::impl_at(header, &clause, items, self.span);
        quote!(#node #owned)
    }

    /// The way in whose future borrows nothing.
    fn owned(&self, rt: &TokenStream, enter: &Hook) -> TokenStream {
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

    /// The data about what a hook needs, and the bounds that say so to rustc.
    fn needs(&self, rt: &TokenStream, hook: Option<&Hook>, bounds: &mut Vec<TokenStream>) -> Vec<TokenStream> {
        let (run, call, scope) = (names::run_lifetime(), names::call_lifetime(), names::scope_parameter());
        let mut needs = Vec::new();
        for parameter in hook.iter().flat_map(|hook| &hook.parameters) {
            let ty = self.asked(rt, parameter);
            let span = parameter.span;
            if parameter.role == Role::Reply {
                bounds.push(names::shown_at(quote!(#scope: #rt::scope::LendReply<#call, #ty, Self>), span));
                continue;
            }
            if let Type::Reference(_) = types::ungrouped(&parameter.ty) {
                let in_run = self.in_run_of(parameter);
                let inner = types::referent(&in_run);
                bounds.push(names::shown_at(quote!(#scope: #rt::scope::LendsReferences<#inner, Self>), span));
                continue;
            }
            let (access, lends) = match parameter.access {
                Access::Lent => (quote!(Lent), quote!(Lends)),
                Access::Kept => (quote!(Lent), quote!(LendsToKeep)),
                Access::LentMut => (quote!(LentMut), quote!(LendsToWrite)),
                Access::Taken => (quote!(Taken), quote!(LendsToTake)),
            };
            bounds.push(names::shown_at(quote!(#scope: #rt::scope::#lends<#run, #call, #ty, Self>), span));
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

    /// A hook in the form in which it is called; that it is never awaited, its type says.
    fn hook(&self, rt: &TokenStream, name: &str, hook: &Hook, out: &TokenStream) -> TokenStream {
        let (run, scope) = (names::run_lifetime(), names::scope_parameter());
        // A local that no node's name can be mistaken for.
        let place = names::single("scope");
        let later = format_ident!("{name}");
        let arguments = hook.parameters.iter().map(|parameter| self.argument(rt, parameter));
        let receiver = self.declaration.is_none().then(|| quote!(self,));
        let call = self.called(hook, name);
        let call = quote!(#call(#receiver #(#arguments),*));
        // A future gives just what it gives: what borrows from the node for longer than the run is taken for less behind the await.
        let future = names::single("future");
        let call = match name == "enter" && self.gives_for_longer {
            true => quote!({ let #future = #call; async move { #future.await } }),
            false => call,
        };
        let call = match hook.is_async && hook.parameters.iter().any(|parameter| parameter.behind > 0) {
            true => self.hook_with_references(rt, hook, name),
            false => call,
        };
        if hook.is_async {
            return quote! {
                #[inline(always)]
                fn #later(&#run self, mut #place: #scope) -> impl #rt::private::Future<Output = #out> { #call }
            };
        }
        let never = self.never_later(rt, name, out);
        let now = format_ident!("{name}_now");
        quote! {
            #never
            #[inline(always)]
            fn #now(&#run self, mut #place: #scope) -> #out { #call }
        }
    }

    /// The call of a hook that is awaited, and meanwhile refers to references that are made for it.
    fn hook_with_references(&self, rt: &TokenStream, hook: &Hook, name: &str) -> TokenStream {
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

    /// The form of a hook that would be awaited, where it never is.
    fn never_later(&self, rt: &TokenStream, name: &str, out: &TokenStream) -> TokenStream {
        let (run, scope, place) = (names::run_lifetime(), names::scope_parameter(), names::single("scope"));
        let later = format_ident!("{name}");
        quote! {
            #[inline(always)]
            fn #later(&#run self, #place: #scope) -> #rt::NeverSuspends<#out> { #rt::private::never_called() }
        }
    }

    /// `enter` of a node that has none.
    fn no_way_in(&self, rt: &TokenStream) -> TokenStream {
        let (run, scope, place) = (names::run_lifetime(), names::scope_parameter(), names::single("scope"));
        let never = self.never_later(rt, "enter", &quote!(Self::Out));
        quote! {
            #never
            #[inline(always)]
            fn enter_now(&#run self, #place: #scope) -> Self::Out {}
        }
    }

    fn argument(&self, rt: &TokenStream, parameter: &Parameter) -> TokenStream {
        // In a body rustc finds a lifetime that is left out.
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
            Access::Lent => quote!(lend),
            Access::LentMut => quote!(lend_mut),
            Access::Kept => quote!(keep),
            Access::Taken => quote!(take),
        };
        quote!(#before #rt::scope::#how::<#ty, Self, _>(&mut #place))
    }

    fn cancel(&self, rt: &TokenStream) -> TokenStream {
        let ty = &self.ty;
        let run = names::run_lifetime();
        let chain = Ident::new("ChainItself", Span::mixed_site());
        let way_out = match &self.exit {
            Some(exit) if exit.is_async => quote!(Awaited),
            Some(_) => quote!(Open),
            None => quote!(Absent),
        };
        let Some(hook) = &self.cancelled else {
            let generics = self.generics(&[quote!(#run)], &[quote!(#chain: #run)]);
            let clause = self.where_clause(&[self.outlives(), vec![quote!(Self: #run)]].concat());
            return quote! {
                #[automatically_derived]
                impl #generics #rt::Cancel<#run, #chain> for #ty #clause {
                    type WayOut = #rt::node::way_out::#way_out;
                    type Held<const CHAIN_POSITION: usize> = #rt::held::Bare<Self::Key<CHAIN_POSITION>>;
                    #[inline(always)]
                    fn hold<const CHAIN_POSITION: usize>(&#run self, value: Self::Key<CHAIN_POSITION>, chain: &#run #chain) -> Self::Held<CHAIN_POSITION> {
                        #rt::held::Bare { value }
                    }
                    type MaybeHeld<const CHAIN_POSITION: usize> = #rt::held::Bare<#rt::private::Option<Self::Key<CHAIN_POSITION>>>;
                    #[inline(always)]
                    fn hold_maybe<const CHAIN_POSITION: usize>(&#run self, value: #rt::private::Option<Self::Key<CHAIN_POSITION>>, chain: &#run #chain) -> Self::MaybeHeld<CHAIN_POSITION> {
                        #rt::held::Bare { value }
                    }
                }
            };
        };
        let fields = hook.parameters.iter().filter(|parameter| parameter.role == Role::Scope);
        let mut bounds: Vec<_> = fields
            .map(|parameter| {
                let ty = self.asked(rt, parameter);
                names::as_if_at(quote!(#chain: #rt::scope::FieldOf<#ty, Self>), parameter.span)
            })
            .collect();
        bounds.extend(self.outlives());
        bounds.push(quote!(Self: #run));
        let generics = self.generics(&[quote!(#run)], &[quote!(#chain: #run)]);
        let clause = self.where_clause(&bounds);
        let arguments = hook.parameters.iter().map(|parameter| match parameter.role {
            Role::Own if parameter.behind > 0 => {
                let (before, ty) = (parameter.references(), self.in_run_of(parameter));
                quote!(#before #rt::private::shared::<#ty>(value))
            }
            Role::Own => quote!(value),
            _ => {
                let (before, ty) = (parameter.references(), self.in_run_of(parameter));
                quote!(#before #rt::scope::FieldOf::<#ty, Self>::field(chain))
            }
        });
        let call = self.called(hook, "cancelled");
        let header = quote!(impl #generics #rt::Cancel<#run, #chain> for #ty);
        let items = quote! {
            type WayOut = #rt::node::way_out::#way_out;
            type Held<const CHAIN_POSITION: usize> = #rt::held::Guard<#run, Self, #chain, CHAIN_POSITION>;
            #[inline(always)]
            fn hold<const CHAIN_POSITION: usize>(&#run self, value: Self::Key<CHAIN_POSITION>, chain: &#run #chain) -> Self::Held<CHAIN_POSITION> {
                #rt::held::Guard::new(self, value, chain)
            }
            type MaybeHeld<const CHAIN_POSITION: usize> = #rt::held::MaybeGuard<#run, Self, #chain, CHAIN_POSITION>;
            #[inline(always)]
            fn hold_maybe<const CHAIN_POSITION: usize>(&#run self, value: #rt::private::Option<Self::Key<CHAIN_POSITION>>, chain: &#run #chain) -> Self::MaybeHeld<CHAIN_POSITION> {
                #rt::held::MaybeGuard::new(self, value, chain)
            }
        };
        let cancel = names::impl_at(header, &clause, items, self.span);
        quote! {
            #cancel
            #[automatically_derived]
            impl #generics #rt::OnCancel<#run, #chain> for #ty #clause {
                fn on_cancel<const CHAIN_POSITION: usize>(&#run self, value: &mut Self::Key<CHAIN_POSITION>, chain: &#run #chain) {
                    #call(self, #(#arguments),*)
                }
            }
        }
    }
}

/// The constants that say what a type is whose name does not.
fn by_type() -> (Ident, Ident) {
    (names::single("FLOW"), names::single("NOTHING"))
}

/// These generics, with what else is asked for in front.
fn generics_with(generics: &Generics, lifetimes: &[TokenStream], types: &[TokenStream]) -> TokenStream {
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

fn is_bang(tokens: &TokenStream) -> bool {
    let mut tokens = tokens.clone().into_iter();
    matches!(tokens.next(), Some(TokenTree::Punct(bang)) if bang.as_char() == '!') && tokens.next().is_none()
}

/// An error about what is no node lists those that are. It shall not list those of the runtime itself. (Under `no_implicit_prelude`, where
/// a user's crate may be, the attribute does not exist.)
fn hidden(rt: &TokenStream) -> Option<TokenStream> {
    (rt.to_string() == "crate").then(|| quote!(#[diagnostic::do_not_recommend]))
}
