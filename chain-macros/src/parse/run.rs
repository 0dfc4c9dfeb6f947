//! The head of `run`: inputs and reply.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Generics, Ident, Pat, Token, Type, Visibility, parse_quote};

use super::item::{comma_by_look, is_group};
use super::modifiers;
use super::pieces::block;
use crate::ast::{Block, Input, Locals, Run};
use crate::diagnostics::{Code, Diagnostics};
use crate::{extent, types};

/// `async fn(inputs) -> Reply { nodes }`. A part that cannot be parsed is left empty, and its error is noted.
pub(super) fn run(tokens: &[TokenTree], name: &Ident, diagnostics: &mut Diagnostics) -> Run {
    let mut run = Run {
        attrs: Vec::new(),
        is_async: true,
        lifetime: None,
        inputs: Vec::new(),
        reply: parse_quote!(()),
        body: Block { items: Vec::new(), span: name.span(), is_empty: false },
        as_nodes: Vec::new(),
        names_types: false,
        locals: Locals::new(&[]),
    };
    // The parentheses of `pub(crate)` are not the inputs.
    let is_inputs = |(at, token): &(usize, &TokenTree)| {
        let before = at.checked_sub(1).map(|before| &tokens[before]);
        is_group(token, Delimiter::Parenthesis)
            && !before.is_some_and(|before| matches!(before, TokenTree::Ident(word) if word == "pub"))
    };
    let known = extent::of_fn(tokens);
    let by_look = || tokens.iter().enumerate().find(is_inputs).map(|(at, _)| at);
    let Some(arguments) = known.map(|(inputs, _)| inputs).or_else(by_look) else {
        diagnostics.error(
            Code::E005,
            name,
            format_args!("the chain `{name}` does not say what runs through it"),
            "after the struct, write `async fn(request: Request) -> Response { first => last }`",
        );
        return run;
    };
    let head: TokenStream = tokens[..arguments].iter().cloned().collect();
    diagnostics.ok((|input: ParseStream<'_>| run_head(input, tokens[arguments].span(), &mut run)).parse2(head));
    if let TokenTree::Group(group) = &tokens[arguments] {
        let inputs = extent::parts(group.stream(), "inputs", input, comma_by_look);
        run.inputs.extend(inputs.into_iter().filter_map(|input| diagnostics.ok(input)));
        run.locals = Locals::new(&run.inputs);
    }
    let rest = &tokens[arguments + 1..];
    let known = known.and_then(|(_, body)| body).map(|body| body - arguments - 1);
    let by_look = || rest.iter().position(|token| is_group(token, Delimiter::Brace));
    let Some(body) = known.or_else(by_look) else {
        diagnostics.error(
            Code::E005,
            &tokens[arguments],
            "the chain has no body",
            "write its nodes in braces: `{ first => last }`",
        );
        return run;
    };
    let reply: TokenStream = rest[..body].iter().cloned().collect();
    if let ([TokenTree::Punct(_), TokenTree::Punct(_)], "->") = (&rest[..body], reply.to_string().as_str()) {
        diagnostics.error(
            Code::E005,
            reply,
            "the chain does not say what it replies",
            "write the type behind the arrow: `-> Response`; a chain that replies nothing has no arrow",
        );
    } else if !reply.is_empty() {
        let parsed = diagnostics.ok(reply_type.parse2(reply));
        // A `run` that never returns fits whatever is done with its reply.
        run.reply = parsed.unwrap_or_else(|| parse_quote!(!));
    }
    if let TokenTree::Group(group) = &rest[body] {
        run.body = block(group, diagnostics);
    }
    if let Some(more) = rest.get(body + 1) {
        diagnostics.error(
            Code::E005,
            more,
            "nothing comes after the chain's body",
            "declare one chain in each `chain!`",
        );
    }
    run
}

pub(super) fn run_head(input: ParseStream<'_>, inputs: Span, run: &mut Run) -> syn::Result<()> {
    run.attrs = input.call(Attribute::parse_outer)?;
    let at = input.span();
    if input.peek(Token![pub]) {
        let vis = input.parse::<Visibility>()?.to_token_stream().to_string().replace(' ', "");
        let words = format!("a chain's `run` is as visible as its type\n  help: leave out `{vis}` before `fn`");
        return Err(Code::E006.at(at, words));
    }
    run.is_async = input.parse::<Option<Token![async]>>()?.is_some();
    if !input.peek(Token![fn]) {
        let what = "expected `async fn(..)` or `fn(..)`\n  help: write `async fn(request: Request) -> Response { .. }`";
        return Err(if input.is_empty() { Code::E005.at(inputs, what) } else { Code::E005.here(input, what) });
    }
    input.parse::<Token![fn]>()?;
    if input.peek(Ident::peek_any) {
        return Err(Code::E006.here(input, "a chain's `fn` has no name: it becomes `run`\n  help: leave the name out"));
    }
    let generics: Generics = input.parse()?;
    for (at, parameter) in generics.params.iter().enumerate() {
        match parameter {
            syn::GenericParam::Lifetime(parameter) if at == 0 => run.lifetime = Some(parameter.lifetime.clone()),
            syn::GenericParam::Lifetime(parameter) => {
                return Err(Code::E006.on(
                    parameter,
                    "a run has one lifetime, which all its inputs by reference share\n  help: declare one, and use it for each of them",
                ));
            }
            other => {
                return Err(
                    Code::E006.on(other, "a chain's `fn` has no type parameters\n  help: declare them on the struct")
                );
            }
        }
    }
    Ok(())
}

pub(super) fn input(input: ParseStream<'_>) -> syn::Result<Input> {
    let attrs = input.call(Attribute::parse_outer)?;
    if let Some(other) = attrs.iter().find(|attribute| !modifiers::is_lint(attribute)) {
        return Err(Code::E007.on(
            other,
            "an input takes `#[cfg(..)]`, `#[allow(..)]` and its like, and no other attribute\n  help: leave it out",
        ));
    }
    if input.peek(Token![&]) || input.peek(Token![self]) {
        return Err(Code::E007
            .here(input, "a chain has no `self` among its inputs: its fields are lent anyway\n  help: leave it out"));
    }
    input.parse::<Option<Token![mut]>>()?;
    refuse_a_pattern(input)?;
    let name = input.call(Ident::parse_any)?;
    if !input.peek(Token![:]) {
        return Err(Code::E004.at(name.span(), format!("the input `{name}` has no type\n  help: write `{name}: Type`")));
    }
    input.parse::<Token![:]>()?;
    let ty: Type = input.parse()?;
    if let Type::ImplTrait(ty) = types::ungrouped(&ty) {
        return Err(Code::E008.on(
            ty,
            "an input is found by its type, which `impl Trait` does not name\n  help: add a type parameter to the struct",
        ));
    }
    if types::has_no_size(&ty) {
        let what = format!("an input has a size, and `{}` has none", types::text(&ty));
        return Err(Code::E121.on(&ty, format!("{what}\n  help: write `{name}: &{}`", types::text(&ty))));
    }
    Ok(Input { attrs, name, ty })
}

/// Refuses `Json(order): Json<Order>`, which is allowed for a handler's parameter.
fn refuse_a_pattern(input: ParseStream<'_>) -> syn::Result<()> {
    if input.peek(Ident) && input.peek2(Token![:]) && !input.peek2(Token![::]) {
        return Ok(());
    }
    let ahead = input.fork();
    let Ok(pattern) = Pat::parse_single(&ahead) else { return Ok(()) };
    if matches!(pattern, Pat::Ident(_) | Pat::Path(_)) || !ahead.peek(Token![:]) {
        return Ok(());
    }
    ahead.parse::<Token![:]>()?;
    let ty = types::text(&ahead.parse::<Type>()?);
    let what = "an input is a name, and not a pattern";
    Err(Code::E007.on(pattern, format!("{what}\n  help: write `name: {ty}`, and take it apart in a node")))
}

pub(super) fn reply_type(input: ParseStream<'_>) -> syn::Result<Type> {
    if !input.peek(Token![->]) {
        return Err(
            Code::E005.here(input, "expected `->` and the chain's reply, or the body\n  help: write `-> Reply { .. }`")
        );
    }
    input.parse::<Token![->]>()?;
    let ty: Type = input.parse()?;
    if let Some(ty) = types::find_impl_trait(&ty) {
        return Err(Code::E008.on(
            ty,
            "nodes see the reply by its type, which `impl Trait` does not name\n  help: name the type; with axum it is `chain_runtime::axum::Reply`",
        ));
    }
    if types::has_no_size(&ty) {
        let what = format!("a reply has a size, and `{}` has none", types::text(&ty));
        return Err(Code::E121
            .on(&ty, format!("{what}\n  help: reply with what owns it: a `String`, a `Vec<T>`, a `Box<dyn Trait>`")));
    }
    if input.peek(Token![where]) {
        return Err(
            Code::E006.here(input, "a chain's bounds stand on its type\n  help: move the `where` clause to the struct")
        );
    }
    if !input.is_empty() {
        return Err(Code::E005.here(input, "expected the chain's body in braces"));
    }
    Ok(ty)
}
