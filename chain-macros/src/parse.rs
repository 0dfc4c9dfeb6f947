//! From tokens to `ast`: the only file that reads the user's tokens as syntax.
//!
//! The declaration is cut into its sections first (struct, fields, signature, inputs, nodes), and each
//! is parsed by itself, so that a mistake in one does not hide a mistake in another.

use proc_macro2::{Delimiter, Group, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{Attribute, Generics, Ident, LitInt, Token, Type, TypePath, Visibility, parse_quote};

use crate::ast::{Block, Chain, Field, Form, Input, Item, ItemKind, NodeUse, Observer, Run};
use crate::diagnostics::Diagnostics;
use crate::extent;
use crate::names;
use crate::types;

mod branch;
mod modifiers;
pub(crate) mod pattern;
mod shed;

/// Cuts `[$crate] declaration` in two.
pub(crate) fn declaration(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Option<(TokenStream, Vec<TokenTree>)> {
    let mut tokens = tokens.into_iter();
    let Some(TokenTree::Group(runtime)) = tokens.next() else {
        diagnostics.error_at(Span::call_site(), "`chain!` was called without its crate", "use `chain_runtime::chain!`");
        return None;
    };
    Some((runtime.stream(), tokens.collect()))
}

/// Parses a declaration. `None` where not even the outline can be made out.
pub(crate) fn chain(runtime: TokenStream, declaration: Vec<TokenTree>, diagnostics: &mut Diagnostics) -> Option<Chain> {
    if is_item(&declaration) {
        item(runtime, declaration, diagnostics)
    } else {
        short(runtime, declaration, diagnostics)
    }
}

/// The words that an item begins with, whether or not a chain can be one.
const ITEM_WORDS: [&str; 9] = ["pub", "async", "fn", "enum", "union", "trait", "impl", "mod", "type"];

/// Whether it begins like an item: attributes, visibility, `struct`. A lone mistake in these is one in an item.
fn is_item(tokens: &[TokenTree]) -> bool {
    tokens.iter().any(|token| matches!(token, TokenTree::Ident(word) if word == "struct"))
        || matches!(tokens.first(), Some(TokenTree::Ident(word)) if ITEM_WORDS.iter().any(|item| word == item))
}

fn item(runtime: TokenStream, tokens: Vec<TokenTree>, diagnostics: &mut Diagnostics) -> Option<Chain> {
    let Some(at) = tokens.iter().position(|token| matches!(token, TokenTree::Ident(word) if word == "struct")) else {
        diagnostics.error(
            &tokens[0],
            "a chain that is an item begins with its type",
            "write `pub struct Name { .. }` before `async fn(..)`, or use the short form `chain!(auth => log)`",
        );
        return None;
    };
    let (head, tail) = tokens.split_at(at);
    let (attrs, vis) = diagnostics.ok(outer.parse2(head.iter().cloned().collect()))?;
    let is_end = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        _ => false,
    };
    let known = extent::of_struct(tail);
    let Some(end) = known.or_else(|| tail.iter().position(is_end)) else {
        let last = tail.last().expect("`struct` at least");
        diagnostics.error(
            last,
            "the chain's `struct` has no end",
            "write its fields in braces, or `;` where it has none",
        );
        return None;
    };
    let header: TokenStream = tail[1..end].iter().cloned().collect();
    if header.is_empty() {
        diagnostics.error(&tail[0], "the chain has no name", "write `struct Name { .. }`");
        return None;
    }
    let tuple = tail[1..end].iter().find(|token| is_group(token, Delimiter::Parenthesis));
    if let Some(tuple) = tuple.filter(|_| known.is_none()) {
        diagnostics.error(tuple, "the fields of a chain have names", "write `struct Name { field: Type }`");
        return None;
    }
    let (name, generics) = diagnostics.ok(struct_header.parse2(header))?;
    let (is_unit, fields) = match &tail[end] {
        TokenTree::Group(group) => (false, fields(group, diagnostics)),
        _ => (true, Vec::new()),
    };
    let mut run_tokens = &tail[end + 1..];
    while let [TokenTree::Punct(punct), rest @ ..] = run_tokens {
        if punct.as_char() != ';' {
            break;
        }
        diagnostics.error(punct, "there is no `;` between the chain's struct and its `fn`", "leave it out");
        run_tokens = rest;
    }
    let run = run(run_tokens, &name, diagnostics);
    let mut chain = Chain {
        runtime,
        form: Form::Item,
        attrs: Vec::new(),
        vis,
        name,
        generics,
        is_unit,
        fields,
        observers: Vec::new(),
        budget: None,
        send: None,
        denies_spawn: false,
        no_alloc: None,
        run,
        needs: Vec::new(),
        bounds: Vec::new(),
        checked_with: Vec::new(),
    };
    let run_attrs = std::mem::take(&mut chain.run.attrs);
    chain.attrs = own_attributes(attrs, &mut chain, diagnostics);
    chain.run.attrs = own_attributes(run_attrs, &mut chain, diagnostics);
    if let (false, Some(budget)) = (chain.run.is_async, &chain.budget) {
        let what = "a chain that is a plain `fn` has no future to keep within a budget";
        diagnostics.error(budget, what, "leave `#[budget(..)]` out, or declare the chain `async fn(..)`");
    }
    if let (false, Some(send)) = (chain.run.is_async, &chain.send) {
        let what = "a chain that is a plain `fn` has no future to be `Send`";
        diagnostics.error(send, what, "leave `#[send]` out, or declare the chain `async fn(..)`");
    }
    let at_node = || chain.run.body.first_no_alloc();
    if let Some(span) = chain.no_alloc.or_else(at_node) {
        chain.observers.push(Observer::NoAlloc(span));
    }
    name_fields(&mut chain);
    Some(chain)
}

fn outer(input: ParseStream<'_>) -> syn::Result<(Vec<Attribute>, Visibility)> {
    let attrs = input.call(Attribute::parse_outer)?;
    let vis = input.parse()?;
    if !input.is_empty() {
        return Err(input.error("expected `struct`"));
    }
    Ok((attrs, vis))
}

fn struct_header(input: ParseStream<'_>) -> syn::Result<(Ident, Generics)> {
    let name = input.parse()?;
    let mut generics: Generics = input.parse()?;
    generics.where_clause = input.parse()?;
    if !input.is_empty() {
        return Err(input.error("expected `{`, `;` or a `where` clause"));
    }
    Ok((name, generics))
}

fn is_group(token: &TokenTree, delimiter: Delimiter) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == delimiter)
}

fn fields(group: &Group, diagnostics: &mut Diagnostics) -> Vec<Field> {
    let parts = extent::parts(group.stream(), field, comma_by_look);
    parts.into_iter().filter_map(|part| diagnostics.ok(part)).collect()
}

fn field(input: ParseStream<'_>) -> syn::Result<Field> {
    let attrs = input.call(Attribute::parse_outer)?;
    let vis = input.parse()?;
    let name = input.call(Ident::parse_any)?;
    if !input.peek(Token![:]) {
        let what = format!("the field `{name}` has no type\n  help: write `{name}: Type`");
        return Err(syn::Error::new(name.span(), what));
    }
    input.parse::<Token![:]>()?;
    let ty = input.parse()?;
    Ok(Field { attrs, vis, name, ty, value: None })
}

/// Where the first comma outside of any `<..>` stands.
fn comma_by_look(tokens: &[TokenTree]) -> usize {
    let mut depth = 0usize;
    let mut after_minus = false;
    for (at, token) in tokens.iter().enumerate() {
        let mut is_minus = false;
        if let TokenTree::Punct(punct) = token {
            match punct.as_char() {
                '<' => depth += 1,
                '>' if !after_minus => depth = depth.saturating_sub(1),
                ',' if depth == 0 => return at,
                other => is_minus = other == '-',
            }
        }
        after_minus = is_minus;
    }
    tokens.len()
}

/// Takes an observer in, or each of a tuple.
fn observe(named: Type, chain: &mut Chain, diagnostics: &mut Diagnostics) {
    if let Type::Tuple(several) = named {
        several.elems.into_iter().for_each(|each| observe(each, chain, diagnostics));
        return;
    }
    let name_of = |ty: &Type| match ty {
        Type::Path(path) if path.qself.is_none() => path.path.get_ident().cloned(),
        _ => None,
    };
    if let Type::Reference(reference) = &named {
        let it = name_of(&reference.elem).map_or_else(|| "it".to_owned(), |name| format!("`{name}`"));
        diagnostics.error(
            &named,
            "an observer is named, and not referred to",
            format!("write {it} without `&`: a field is lent to each run"),
        );
        return;
    }
    let name = name_of(&named);
    let is_field = |name: &&Ident| chain.fields.iter().any(|field| field.name == **name);
    match name {
        Some(name) if is_field(&&name) => chain.observers.push(Observer::Field(name)),
        Some(name) if names::unraw(&name).starts_with(|first: char| first.is_lowercase()) => {
            let what = format!("the chain has no field `{name}` that could observe it");
            let help = format!(
                "declare it, `{name}: Type`, with a type that implements `Observes`, or name the type of an observer"
            );
            diagnostics.error(&name, what, help);
        }
        _ => chain.observers.push(Observer::Type(named)),
    }
}

/// What a chain says of all its nodes, a segment cannot: it does not know in which chains it stands.
pub(crate) fn attributes_of_a_segment(attrs: &mut Vec<Attribute>, diagnostics: &mut Diagnostics) {
    attrs.retain(|attribute| {
        let is_of_the_chain = modifiers::is_of_the_chain(attribute) || attribute.path().is_ident("no_alloc");
        if is_of_the_chain || modifiers::about_spawning(attribute).is_some() {
            diagnostics.error(
                attribute,
                format_args!("`{}` is about a whole chain, and a segment is a part of one", types::text(attribute)),
                "write it on the chains that take the segment in",
            );
            return false;
        }
        true
    });
}

/// The attributes that are `chain!`'s own are read and taken out; the others are kept for rustc.
fn own_attributes(attrs: Vec<Attribute>, chain: &mut Chain, diagnostics: &mut Diagnostics) -> Vec<Attribute> {
    let mut kept = Vec::new();
    for attribute in attrs {
        let path = attribute.path();
        if path.is_ident("observe") {
            let named = Punctuated::<Type, Token![,]>::parse_separated_nonempty;
            let observers = attribute.parse_args_with(named).map_err(|_| {
                syn::Error::new_spanned(
                    &attribute,
                    "`#[observe(..)]` names the type of an observer, or a field of the chain that is one\n  help: write `#[observe(Recorder)]` or `#[observe(meter)]`, and `#[observe(Recorder, meter)]` for two",
                )
            });
            for observer in diagnostics.ok(observers).into_iter().flatten() {
                observe(observer, chain, diagnostics);
            }
        } else if path.is_ident("budget") {
            let Some(limit) = diagnostics.ok(attribute.parse_args_with(budget).map_err(|_| {
                syn::Error::new_spanned(
                    &attribute,
                    "`#[budget(..)]` says how many bytes the future of `run` may take\n  help: write `#[budget(future = 2048)]`",
                )
            })) else {
                continue;
            };
            if chain.budget.replace(limit).is_some() {
                diagnostics.error(&attribute, "the chain has two budgets", "keep one `#[budget(future = ..)]`");
            }
        } else if path.is_ident("check") {
            let arguments = attribute
                .parse_args_with(syn::punctuated::Punctuated::<syn::GenericArgument, Token![,]>::parse_terminated);
            let arguments = arguments.map_err(|_| {
                syn::Error::new_spanned(
                    &attribute,
                    "`#[check(..)]` names what the chain's type parameters shall stand for while it is checked\n  help: write `#[check(Memory)]`",
                )
            });
            let Some(arguments) = diagnostics.ok(arguments) else { continue };
            let is_lifetime = |parameter: &&syn::GenericParam| matches!(parameter, syn::GenericParam::Lifetime(_));
            let wanted = chain.generics.params.iter().filter(|parameter| !is_lifetime(parameter)).count();
            match wanted {
                0 => diagnostics.error(
                    &attribute,
                    "a chain without type parameters is checked in any case",
                    "leave `#[check(..)]` out",
                ),
                wanted if wanted != arguments.len() => diagnostics.error(
                    &attribute,
                    format_args!("the chain has {wanted} parameters, and this names {}", arguments.len()),
                    "name what each of them shall stand for, in their order, and no lifetimes",
                ),
                _ => chain.checked_with.push(arguments.into_iter().collect()),
            }
        } else if path.is_ident("no_alloc") {
            match &attribute.meta {
                syn::Meta::Path(path) => chain.no_alloc = Some(path.span()),
                other => diagnostics.error(other, "`#[no_alloc]` takes no arguments", "write `#[no_alloc]`"),
            }
        } else if path.is_ident("send") {
            match &attribute.meta {
                syn::Meta::Path(path) => chain.send = Some(path.clone()),
                other => diagnostics.error(other, "`#[send]` takes no arguments", "write `#[send]`"),
            }
        } else if path.is_ident("shed") {
            let what = "`#[shed(..)]` is about a node or a block, and this is the whole chain";
            diagnostics.error(&attribute, what, "write it before what may be given up");
        } else if let Some(spawn) = modifiers::about_spawning(&attribute) {
            chain.denies_spawn |= diagnostics.ok(spawn).is_some();
        } else {
            kept.push(attribute);
        }
    }
    kept
}

fn budget(input: ParseStream<'_>) -> syn::Result<LitInt> {
    let word: Ident = input.parse()?;
    if word != "future" {
        return Err(syn::Error::new_spanned(word, "expected `future`"));
    }
    input.parse::<Token![=]>()?;
    let limit: LitInt = input.parse()?;
    limit.base10_parse::<usize>()?;
    Ok(limit)
}

/// `async fn(inputs) -> Reply { nodes }`. What cannot be parsed is left empty, and noted.
fn run(tokens: &[TokenTree], name: &Ident, diagnostics: &mut Diagnostics) -> Run {
    let mut run = Run {
        attrs: Vec::new(),
        is_async: true,
        lifetime: None,
        inputs: Vec::new(),
        reply: parse_quote!(()),
        body: Block { items: Vec::new(), span: name.span(), is_empty: false },
        as_nodes: Vec::new(),
    };
    // That of `pub(crate)` is not the inputs.
    let is_inputs = |(at, token): &(usize, &TokenTree)| {
        let before = at.checked_sub(1).map(|before| &tokens[before]);
        is_group(token, Delimiter::Parenthesis)
            && !before.is_some_and(|before| matches!(before, TokenTree::Ident(word) if word == "pub"))
    };
    let known = extent::of_fn(tokens);
    let by_look = || tokens.iter().enumerate().find(is_inputs).map(|(at, _)| at);
    let Some(arguments) = known.map(|(inputs, _)| inputs).or_else(by_look) else {
        diagnostics.error(
            name,
            format_args!("the chain `{name}` does not say what runs through it"),
            "after the struct, write `async fn(request: Request) -> Response { first => last }`",
        );
        return run;
    };
    let head: TokenStream = tokens[..arguments].iter().cloned().collect();
    diagnostics.ok((|input: ParseStream<'_>| run_head(input, tokens[arguments].span(), &mut run)).parse2(head));
    if let TokenTree::Group(group) = &tokens[arguments] {
        let inputs = extent::parts(group.stream(), input, comma_by_look);
        run.inputs.extend(inputs.into_iter().filter_map(|input| diagnostics.ok(input)));
    }
    let rest = &tokens[arguments + 1..];
    let known = known.and_then(|(_, body)| body).map(|body| body - arguments - 1);
    let by_look = || rest.iter().position(|token| is_group(token, Delimiter::Brace));
    let Some(body) = known.or_else(by_look) else {
        diagnostics.error(
            &tokens[arguments],
            "the chain has no body",
            "write its nodes in braces: `{ first => last }`",
        );
        return run;
    };
    let reply: TokenStream = rest[..body].iter().cloned().collect();
    if !reply.is_empty() {
        let parsed = diagnostics.ok(reply_type.parse2(reply));
        run.reply = parsed.unwrap_or_else(|| parse_quote!(()));
    }
    if let TokenTree::Group(group) = &rest[body] {
        run.body = block(group, diagnostics);
    }
    if let Some(more) = rest.get(body + 1) {
        diagnostics.error(more, "nothing comes after the chain's body", "declare one chain in each `chain!`");
    }
    run
}

fn run_head(input: ParseStream<'_>, inputs: Span, run: &mut Run) -> syn::Result<()> {
    run.attrs = input.call(Attribute::parse_outer)?;
    let at = input.span();
    if input.peek(Token![pub]) {
        let vis = input.parse::<Visibility>()?.to_token_stream().to_string().replace(' ', "");
        let words = format!("a chain's `run` is as visible as its type\n  help: leave out `{vis}` before `fn`");
        return Err(syn::Error::new(at, words));
    }
    run.is_async = input.parse::<Option<Token![async]>>()?.is_some();
    if !input.peek(Token![fn]) {
        let what = "expected `async fn(..)` or `fn(..)`\n  help: write `async fn(request: Request) -> Response { .. }`";
        return Err(if input.is_empty() { syn::Error::new(inputs, what) } else { input.error(what) });
    }
    input.parse::<Token![fn]>()?;
    if input.peek(Ident::peek_any) {
        return Err(input.error("a chain's `fn` has no name: it becomes `run`\n  help: leave the name out"));
    }
    let generics: Generics = input.parse()?;
    for (at, parameter) in generics.params.iter().enumerate() {
        match parameter {
            syn::GenericParam::Lifetime(parameter) if at == 0 => run.lifetime = Some(parameter.lifetime.clone()),
            syn::GenericParam::Lifetime(parameter) => {
                return Err(syn::Error::new_spanned(
                    parameter,
                    "a run has one lifetime, which all its inputs by reference share\n  help: declare one, and use it for each of them",
                ));
            }
            other => {
                return Err(syn::Error::new_spanned(
                    other,
                    "a chain's `fn` has no type parameters\n  help: declare them on the struct",
                ));
            }
        }
    }
    Ok(())
}

fn input(input: ParseStream<'_>) -> syn::Result<Input> {
    let attrs = input.call(Attribute::parse_outer)?;
    if let Some(other) = attrs.iter().find(|attribute| !modifiers::is_lint(attribute)) {
        return Err(syn::Error::new_spanned(
            other,
            "an input takes `#[cfg(..)]`, `#[allow(..)]` and its like, and no other attribute\n  help: leave it out",
        ));
    }
    if input.peek(Token![&]) || input.peek(Token![self]) {
        return Err(
            input.error("a chain has no `self` among its inputs: its fields are lent anyway\n  help: leave it out")
        );
    }
    input.parse::<Option<Token![mut]>>()?;
    let name = input.call(Ident::parse_any)?;
    if !input.peek(Token![:]) {
        return Err(syn::Error::new(
            name.span(),
            format!("the input `{name}` has no type\n  help: write `{name}: Type`"),
        ));
    }
    input.parse::<Token![:]>()?;
    let ty: Type = input.parse()?;
    if let Type::ImplTrait(ty) = types::ungrouped(&ty) {
        return Err(syn::Error::new_spanned(
            ty,
            "an input is found by its type, which `impl Trait` does not name\n  help: add a type parameter to the struct",
        ));
    }
    Ok(Input { attrs, name, ty })
}

fn reply_type(input: ParseStream<'_>) -> syn::Result<Type> {
    if !input.peek(Token![->]) {
        return Err(input.error("expected `->` and the chain's reply, or the body\n  help: write `-> Reply { .. }`"));
    }
    input.parse::<Token![->]>()?;
    let ty: Type = input.parse()?;
    if let Some(ty) = types::find_impl_trait(&ty) {
        return Err(syn::Error::new_spanned(
            ty,
            "nodes see the reply by its type, which `impl Trait` does not name\n  help: name the type; with axum it is `chain_runtime::axum::Reply`",
        ));
    }
    if input.peek(Token![where]) {
        return Err(input.error("a chain's bounds stand on its type\n  help: move the `where` clause to the struct"));
    }
    if !input.is_empty() {
        return Err(input.error("expected the chain's body in braces"));
    }
    Ok(ty)
}

/// One piece between two arrows, and the arrow behind it.
struct Piece {
    tokens: Vec<TokenTree>,
    arrow: Option<Span>,
}

/// Cuts a chain at its arrows.
fn pieces(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut current = Vec::new();
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let known = extent::items(&tokens);
    let mut known = known.into_iter().peekable();
    let mut tokens = tokens.into_iter().enumerate().peekable();
    let mut has_type = false;
    // How deep it is in the `<..>` of a path.
    let mut depth = 0usize;
    let mut is_closure = false;
    while let Some((at, token)) = tokens.next() {
        // What can be read ends where it ends; the rest is about what cannot.
        if current.is_empty()
            && let Some(item) = known.next_if(|item| item.start == at)
        {
            current.push(token);
            current.extend(tokens.by_ref().take(item.len() - 1).map(|(_, token)| token));
            continue;
        }
        let TokenTree::Punct(punct) = &token else {
            current.push(token);
            continue;
        };
        // What stands in a branch, `item` reads.
        let is_arrow = punct.as_char() == '=' && punct.spacing() == Spacing::Joint;
        if is_branch(&current) && !is_arrow {
            current.push(token);
            continue;
        }
        let next = match tokens.peek() {
            Some((_, TokenTree::Punct(next))) if punct.spacing() == Spacing::Joint => Some(next.as_char()),
            _ => None,
        };
        let span = punct.span();
        match (punct.as_char(), next) {
            ('=', Some('>')) => {
                (depth, is_closure) = (0, false);
                let (_, head) = tokens.next().expect("peeked");
                let span = span.join(head.span()).unwrap_or(span);
                pieces.push(Piece { tokens: std::mem::take(&mut current), arrow: Some(span) });
                has_type = false;
            }
            ('-', Some('>')) if !has_type => {
                let (_, head) = tokens.next().expect("peeked");
                let arrow: TokenStream = [token, head].into_iter().collect();
                diagnostics.error(arrow, "`->` does not join nodes", "write `=>`");
                pieces.push(Piece { tokens: std::mem::take(&mut current), arrow: Some(span) });
            }
            (':', Some(':')) => {
                current.push(token);
                current.extend(tokens.next().map(|(_, token)| token));
            }
            (':', _) => {
                has_type = true;
                current.push(token);
            }
            // What `node_use` has words for.
            ('|', _) if is_closure || current.is_empty() => {
                is_closure = true;
                current.push(token);
            }
            ('>', Some('>')) if !has_type && depth == 0 => {
                let (_, second) = tokens.next().expect("peeked");
                let arrow: TokenStream = [token, second].into_iter().collect();
                diagnostics.error(arrow, "`>>` does not join nodes", "write `=>`");
                pieces.push(Piece { tokens: std::mem::take(&mut current), arrow: Some(span) });
            }
            ('<', _) => {
                depth += 1;
                current.push(token);
            }
            ('>', _) => {
                depth = depth.saturating_sub(1);
                current.push(token);
            }
            (',' | ';' | '|', _) if !has_type && depth == 0 && !is_closure => {
                let what = format!("`{}` does not join nodes", punct.as_char());
                diagnostics.error(&token, what, "write `=>`");
                pieces.push(Piece { tokens: std::mem::take(&mut current), arrow: Some(span) });
            }
            _ => current.push(token),
        }
    }
    pieces.push(Piece { tokens: current, arrow: None });
    pieces
}

/// Whether it stands for an item that is not compiled.
fn is_gone(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [TokenTree::Punct(_), TokenTree::Group(group)] if group.stream().to_string() == crate::again::GONE)
}

/// The pieces that are not empty; the arrows without a node are noted.
fn joined(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Vec<TokenStream> {
    let mut pieces = pieces(tokens, diagnostics);
    // What is not compiled is not there, and neither is its arrow.
    pieces.retain(|piece| !is_gone(&piece.tokens));
    let last = pieces.len().saturating_sub(1);
    let mut before: Option<Span> = None;
    let mut nodes = Vec::new();
    for (at, piece) in pieces.into_iter().enumerate() {
        if piece.tokens.is_empty() && last > 0 {
            let (span, what) = match (at, piece.arrow, before) {
                (0, Some(arrow), _) => (arrow, "the chain begins with an arrow"),
                (_, Some(arrow), _) => (arrow, "two arrows in a row"),
                (_, None, Some(arrow)) => (arrow, "the chain ends with an arrow"),
                (_, None, None) => continue,
            };
            diagnostics.error_at(span, what, "an arrow stands between two nodes: remove it, or add the node");
        }
        before = piece.arrow;
        if !piece.tokens.is_empty() {
            nodes.push(piece.tokens.into_iter().collect());
        }
    }
    nodes
}

/// Whether these tokens, behind attributes, begin like a branch.
fn is_branch(tokens: &[TokenTree]) -> bool {
    let behind = tokens.iter().position(|token| match token {
        TokenTree::Punct(punct) => punct.as_char() != '#',
        token => !is_group(token, Delimiter::Bracket),
    });
    matches!(behind.map(|at| &tokens[at]), Some(TokenTree::Ident(word)) if word == "match" || word == "if")
}

/// `{ auth => log }`
pub(crate) fn block(group: &Group, diagnostics: &mut Diagnostics) -> Block {
    let items = items(group.stream(), diagnostics);
    // So it is where all that stands in it is not compiled.
    let is_empty = items.is_empty() && crate::rewrite::is_nothing(group.stream());
    Block { items, span: group.span_open(), is_empty }
}

fn items(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Vec<Item> {
    let joined = joined(tokens, diagnostics);
    let items = joined.into_iter().filter_map(|tokens| {
        let read = (|input: ParseStream<'_>| item_use(input, diagnostics)).parse2(tokens);
        diagnostics.ok(read)
    });
    items.collect()
}

/// What stands between two arrows.
fn item_use(input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> syn::Result<Item> {
    let attributes = input.call(Attribute::parse_outer)?;
    let kind = item_kind(input, diagnostics)?;
    let modifiers = modifiers::read(attributes, &kind, diagnostics);
    let mut otherwise = None;
    if input.peek(Token![else]) {
        if !modifiers.has_conditions {
            return Err(input.error("this `else` belongs to no `if`\n  help: write `if node { .. } else { .. }`"));
        }
        input.parse::<Token![else]>()?;
        let Ok(group) = input.parse::<Group>() else {
            return Err(input.error("expected a chain in braces after `else`\n  help: write `else { c => d }`"));
        };
        otherwise = Some(block(&group, diagnostics));
        ends_here(input, "`else`")?;
    }
    Ok(Item { modifiers, kind, otherwise })
}

fn item_kind(input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> syn::Result<ItemKind> {
    if input.peek(syn::token::Brace) {
        let group: Group = input.parse()?;
        ends_here(input, "the block")?;
        return Ok(ItemKind::Block(block(&group, diagnostics)));
    }
    if input.peek(Token![match]) {
        return branch::of_match(input, diagnostics).map(ItemKind::Branch);
    }
    if input.peek(Token![if]) {
        return branch::of_if(input, diagnostics).map(ItemKind::Branch);
    }
    if input.peek(Token![else]) {
        return Err(input.error("this `else` belongs to no `if`\n  help: write `if node { .. } else { .. }`"));
    }
    if input.peek(Token![..]) {
        return Err(input.error("`..` stands before the path of a segment, and a segment has nothing before or behind it\n  help: write `..front`; put it in a block to skip or wrap it: `#[when(node)] { ..front }`"));
    }
    let node = node_path(input)?;
    if input.peek(syn::token::Brace) {
        let group: Group = input.parse()?;
        ends_here(input, &format!("the block of `{}`", names::unraw(node.name())))?;
        return Ok(ItemKind::Around(node, block(&group, diagnostics)));
    }
    node_ends(input, &node)?;
    Ok(ItemKind::Node(node))
}

fn ends_here(input: ParseStream<'_>, what: &str) -> syn::Result<()> {
    // What an `else` belongs to, `item_use` says.
    if input.is_empty() || input.peek(Token![else]) {
        return Ok(());
    }
    Err(input.error(format!("expected `=>` after {what}\n  help: nodes and blocks are joined with `=>`")))
}

/// The path of a node, and nothing that is none.
fn node_path(input: ParseStream<'_>) -> syn::Result<NodeUse> {
    if input.peek(Token![async]) || input.peek(Token![move]) || input.peek(Token![|]) {
        return Err(
            input.error("a node is named, not written in place\n  help: give it a name: `#[node] fn name(..) { .. }`")
        );
    }
    if input.peek(syn::Lit) {
        return Err(input.error("a node is a function or a field, not a literal\n  help: name a `#[node]` function"));
    }
    if input.peek(Token![for]) || input.peek(Token![while]) || input.peek(Token![loop]) {
        return Err(input.error(
            "a chain has no loops: each request passes a node once\n  help: loop inside a node, or wrap a block in a node that runs it again, like `Retry`",
        ));
    }
    Ok(NodeUse { path: input.parse()?, field: None })
}

/// What does not belong behind a node.
fn node_ends(input: ParseStream<'_>, node: &NodeUse) -> syn::Result<()> {
    let name = types::text(&node.path);
    if input.peek(syn::token::Paren) {
        let arguments: TokenTree = input.parse()?;
        return Err(syn::Error::new_spanned(
            arguments,
            format!(
                "`{name}` is named in a chain, not called: its parameters are found by type\n  help: leave out the parentheses"
            ),
        ));
    }
    if input.peek(Token![.]) {
        return Err(
            input.error("a node is a path or a field's name, not an expression\n  help: make it a field of the chain")
        );
    }
    if input.peek(Token![?]) {
        return Err(input.error("a node that returns a `Result` breaks by itself\n  help: leave out the `?`"));
    }
    if input.peek(Token![:]) {
        return Err(input.error(
            "a node with state is a field of the struct\n  help: declare the field there, and write its name here",
        ));
    }
    if !input.is_empty() && !input.peek(Token![else]) {
        return Err(input.error(format!("expected `=>` after `{name}`\n  help: nodes are joined with `=>`")));
    }
    Ok(())
}

/// Finds the nodes that are fields.
fn name_fields(chain: &mut Chain) {
    let (fields, as_nodes) = (&chain.fields, &mut chain.run.as_nodes);
    chain.run.body.visit(&mut |node| {
        node.field = node.path.path.get_ident().and_then(|name| fields.iter().position(|field| field.name == *name));
        as_nodes.extend(node.field);
    });
}

/// `auth => limit: RateLimit = RateLimit::per_second(100) => proxy`
fn short(runtime: TokenStream, tokens: Vec<TokenTree>, diagnostics: &mut Diagnostics) -> Option<Chain> {
    let is_empty = tokens.is_empty();
    let mut fields: Vec<Field> = Vec::new();
    let mut items = Vec::new();
    for tokens in joined(tokens.into_iter().collect(), diagnostics) {
        let read = (|input: ParseStream<'_>| short_node(input, diagnostics)).parse2(tokens);
        match diagnostics.ok(read) {
            Some(ShortNode::Named(item)) => items.push(*item),
            Some(ShortNode::WithState(field)) => {
                if fields.iter().any(|other| other.name == field.name) {
                    diagnostics.error(
                        &field.name,
                        format_args!("two nodes of this chain are called `{}`", field.name),
                        "give one another name",
                    );
                    continue;
                }
                let path = TypePath { qself: None, path: field.name.clone().into() };
                fields.push(*field);
                items.push(Item::plain(ItemKind::Node(NodeUse { path, field: None })));
            }
            None => {}
        }
    }
    let name = names::single("Chain");
    let lifetime = names::run_lifetime();
    let mut chain = Chain {
        form: Form::Short,
        attrs: Vec::new(),
        vis: Visibility::Inherited,
        name,
        generics: Generics::default(),
        is_unit: false,
        fields,
        observers: Vec::new(),
        budget: None,
        send: None,
        denies_spawn: false,
        no_alloc: None,
        run: Run {
            attrs: Vec::new(),
            is_async: true,
            inputs: vec![Input {
                attrs: Vec::new(),
                name: Ident::new("context", Span::mixed_site()),
                ty: syn::parse2(quote!(&#lifetime mut #runtime::Context)).expect("a type"),
            }],
            lifetime: Some(lifetime),
            reply: syn::parse2(quote!(#runtime::Ending)).expect("a type"),
            body: Block { items, span: Span::call_site(), is_empty },
            as_nodes: Vec::new(),
        },
        runtime,
        needs: Vec::new(),
        bounds: Vec::new(),
        checked_with: Vec::new(),
    };
    name_fields(&mut chain);
    Some(chain)
}

enum ShortNode {
    Named(Box<Item>),
    WithState(Box<Field>),
}

fn short_node(input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> syn::Result<ShortNode> {
    if !(input.peek(Ident) && input.peek2(Token![:]) && !input.peek2(Token![::])) {
        return item_use(input, diagnostics).map(|item| ShortNode::Named(Box::new(item)));
    }
    let name: Ident = input.parse()?;
    input.parse::<Token![:]>()?;
    let ty: Type = input.parse()?;
    if !input.peek(Token![=]) {
        return Err(syn::Error::new_spanned(
            &name,
            format!("the node `{name}` has a type, but no value\n  help: write `{name}: {} = value`", types::text(&ty)),
        ));
    }
    input.parse::<Token![=]>()?;
    let value = types::kept_together(input.parse()?);
    if !input.is_empty() {
        return Err(input.error("expected `=>`"));
    }
    let field = Field { attrs: Vec::new(), vis: Visibility::Inherited, name, ty, value: Some(value) };
    Ok(ShortNode::WithState(Box::new(field)))
}
