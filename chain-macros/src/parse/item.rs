//! A chain as an item: the struct, its fields and its attributes.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{Attribute, Generics, Ident, LitInt, Token, Type, Visibility};

use super::between::{late_fields, run_behind};
use super::modifiers;
use super::run::run;
use crate::ast::{Chain, Condition, Field, Form, ItemKind, Modifiers, Observer};
use crate::diagnostics::{Code, Diagnostics};
use crate::{extent, names, types};

/// The words at the beginning of an item, whether a chain can be such an item or not.
pub(super) const ITEM_WORDS: [&str; 9] = ["pub", "async", "fn", "enum", "union", "trait", "impl", "mod", "type"];

/// Whether it begins like an item: attributes, visibility, `struct`. Then a mistake in these is a mistake in an item.
pub(super) fn is_item(tokens: &[TokenTree]) -> bool {
    tokens.iter().any(|token| matches!(token, TokenTree::Ident(word) if word == "struct"))
        || matches!(tokens.first(), Some(TokenTree::Ident(word)) if ITEM_WORDS.iter().any(|item| word == item))
        || lacks_struct(tokens)
}

/// `Name; fn(..) { .. }`, `Name { .. } async fn(..) { .. }`
fn lacks_struct(tokens: &[TokenTree]) -> bool {
    let is_type = match tokens {
        [TokenTree::Ident(_), TokenTree::Punct(end), ..] => end.as_char() == ';',
        [TokenTree::Ident(_), fields, ..] => is_group(fields, Delimiter::Brace),
        _ => false,
    };
    is_type && tokens.iter().any(|token| matches!(token, TokenTree::Ident(word) if word == "fn"))
}

pub(super) fn item(runtime: TokenStream, tokens: Vec<TokenTree>, diagnostics: &mut Diagnostics) -> Option<Chain> {
    let Some(at) = tokens.iter().position(|token| matches!(token, TokenTree::Ident(word) if word == "struct")) else {
        // `pub Name { .. } async fn(..)`
        let named = tokens.iter().find_map(|token| match token {
            TokenTree::Ident(word) if word != "pub" => Some(word),
            _ => None,
        });
        match named.filter(|name| names::begins_like_a_type(&name.to_string())) {
            Some(name) => diagnostics.error(
                Code::E003,
                name,
                format_args!("`{name}` is a chain's type, and lacks the word `struct`"),
                format_args!("write `struct {name}`"),
            ),
            None => diagnostics.error(
                Code::E003,
                &tokens[0],
                "a chain that is an item begins with its type",
                "write `pub struct Name { .. }` before `async fn(..)`, or use the short form `chain!(auth => log)`",
            ),
        }
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
            Code::E003,
            last,
            "the chain's `struct` has no end",
            "write its fields in braces, or `;` where it has none",
        );
        return None;
    };
    let header: TokenStream = tail[1..end].iter().cloned().collect();
    if header.is_empty() {
        diagnostics.error(Code::E003, &tail[0], "the chain has no name", "write `struct Name { .. }`");
        return None;
    }
    let is_run = |token: &&TokenTree| matches!(token, TokenTree::Ident(word) if word == "fn" || word == "async");
    if let Some(run) = tail[2..end].iter().find(is_run).filter(|_| known.is_none()) {
        let help = "write its fields in braces, or `;` where it has none";
        diagnostics.error(Code::E003, run, "the chain's `struct` has no end before this", help);
        return None;
    }
    let tuple = tail[1..end].iter().find(|token| is_group(token, Delimiter::Parenthesis));
    if let Some(tuple) = tuple.filter(|_| known.is_none()) {
        diagnostics.error(Code::E003, tuple, "the fields of a chain have names", "write `struct Name { field: Type }`");
        return None;
    }
    let (name, generics) = diagnostics.ok(struct_header.parse2(header))?;
    let (is_unit, fields) = match &tail[end] {
        TokenTree::Group(group) => (false, fields(group, diagnostics)),
        _ => (true, Vec::new()),
    };
    let is_late = is_unit.then(|| late_fields(&name, &tail[end..], diagnostics)).flatten();
    let (is_unit, fields, end) = match is_late {
        Some(group) => (false, self::fields(group, diagnostics), end + 1),
        None => (is_unit, fields, end),
    };
    let run_tokens = run_behind(&name, &tail[end + 1..], diagnostics);
    let run = run(&run_tokens, &name, diagnostics);
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
        as_node: None,
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
        diagnostics.error(Code::E508, budget, what, "leave `#[budget(..)]` out, or declare the chain `async fn(..)`");
    }
    if let (false, Some(send)) = (chain.run.is_async, &chain.send) {
        let what = "a chain that is a plain `fn` has no future to be `Send`";
        diagnostics.error(Code::E508, send, what, "leave `#[send]` out, or declare the chain `async fn(..)`");
    }
    let at_node = || chain.run.body.first_no_alloc();
    if let Some(span) = chain.no_alloc.or_else(at_node) {
        chain.observers.push(Observer::NoAlloc(span));
    }
    name_fields(&mut chain);
    Some(chain)
}

pub(super) fn outer(input: ParseStream<'_>) -> syn::Result<(Vec<Attribute>, Visibility)> {
    let attrs = input.call(Attribute::parse_outer)?;
    let vis = input.parse()?;
    if !input.is_empty() {
        return Err(Code::E003.here(input, "expected `struct`"));
    }
    Ok((attrs, vis))
}

pub(super) fn struct_header(input: ParseStream<'_>) -> syn::Result<(Ident, Generics)> {
    let name = input.parse()?;
    let mut generics: Generics = input.parse()?;
    generics.where_clause = input.parse()?;
    if !input.is_empty() {
        return Err(Code::E003.here(input, "expected `{`, `;` or a `where` clause"));
    }
    Ok((name, generics))
}

pub(super) fn is_group(token: &TokenTree, delimiter: Delimiter) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == delimiter)
}

pub(super) fn fields(group: &Group, diagnostics: &mut Diagnostics) -> Vec<Field> {
    let parts = extent::parts(group.stream(), "fields", field, comma_by_look);
    parts.into_iter().filter_map(|part| diagnostics.ok(part)).collect()
}

pub(super) fn field(input: ParseStream<'_>) -> syn::Result<Field> {
    let attrs = input.call(Attribute::parse_outer)?;
    let vis = input.parse()?;
    let name = input.call(Ident::parse_any)?;
    if !input.peek(Token![:]) {
        let what = format!("the field `{name}` has no type\n  help: write `{name}: Type`");
        return Err(Code::E004.at(name.span(), what));
    }
    input.parse::<Token![:]>()?;
    let ty = input.parse()?;
    if input.peek(Token![=]) {
        let what = "a field of a chain's struct has no value where it is declared";
        return Err(
            Code::E003.here(input, format!("{what}\n  help: leave it out, and give the value where the chain is made"))
        );
    }
    Ok(Field { attrs, vis, name, ty, value: None })
}

/// Where the first comma stands that is not inside of `<..>`.
pub(super) fn comma_by_look(tokens: &[TokenTree]) -> usize {
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

/// Adds an observer, or each observer of a tuple.
pub(super) fn observe(named: Type, chain: &mut Chain, diagnostics: &mut Diagnostics) {
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
            Code::E503,
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
            diagnostics.error(Code::E516, &name, what, help);
        }
        _ => chain.observers.push(Observer::Type(named)),
    }
}

/// A segment cannot have the attributes of a whole chain: it does not know in which chains it stands.
pub(crate) fn attributes_of_a_segment(attrs: &mut Vec<Attribute>, diagnostics: &mut Diagnostics) {
    attrs.retain(|attribute| {
        let is_of_the_chain = modifiers::is_of_the_chain(attribute) || attribute.path().is_ident("no_alloc");
        if is_of_the_chain || modifiers::about_spawning(attribute).is_some() {
            diagnostics.error(
                Code::E502,
                attribute,
                format_args!("`{}` is about a whole chain, and a segment is a part of one", types::text(attribute)),
                "write it on the chains that take the segment in",
            );
            return false;
        }
        true
    });
}

/// Reads and takes out the attributes that belong to `chain!`. The others are kept for rustc.
pub(super) fn own_attributes(
    attrs: Vec<Attribute>,
    chain: &mut Chain,
    diagnostics: &mut Diagnostics,
) -> Vec<Attribute> {
    let mut kept = Vec::new();
    for attribute in attrs {
        let path = attribute.path();
        if path.is_ident("observe") {
            let named = Punctuated::<Type, Token![,]>::parse_separated_nonempty;
            let observers = attribute.parse_args_with(named).map_err(|_| {
                Code::E503.on(
                    &attribute,
                    "`#[observe(..)]` names the type of an observer, or a field of the chain that is one\n  help: write `#[observe(Recorder)]` or `#[observe(meter)]`, and `#[observe(Recorder, meter)]` for two",
                )
            });
            for observer in diagnostics.ok(observers).into_iter().flatten() {
                observe(observer, chain, diagnostics);
            }
        } else if path.is_ident("budget") {
            let Some(limit) = diagnostics.ok(attribute.parse_args_with(budget).map_err(|_| {
                Code::E503.on(
                    &attribute,
                    "`#[budget(..)]` says how many bytes the future of `run` may take\n  help: write `#[budget(future = 2048)]`",
                )
            })) else {
                continue;
            };
            if chain.budget.replace(limit).is_some() {
                diagnostics.error(
                    Code::E506,
                    &attribute,
                    "the chain has two budgets",
                    "keep one `#[budget(future = ..)]`",
                );
            }
        } else if path.is_ident("check") {
            let arguments = attribute
                .parse_args_with(syn::punctuated::Punctuated::<syn::GenericArgument, Token![,]>::parse_terminated);
            let arguments = arguments.map_err(|_| {
                Code::E503.on(
                    &attribute,
                    "`#[check(..)]` names what the chain's type parameters shall stand for while it is checked\n  help: write `#[check(Memory)]`",
                )
            });
            let Some(arguments) = diagnostics.ok(arguments) else { continue };
            let is_lifetime = |parameter: &&syn::GenericParam| matches!(parameter, syn::GenericParam::Lifetime(_));
            let wanted = chain.generics.params.iter().filter(|parameter| !is_lifetime(parameter)).count();
            match wanted {
                0 => diagnostics.error(
                    Code::E517,
                    &attribute,
                    "a chain without type parameters is checked in any case",
                    "leave `#[check(..)]` out",
                ),
                wanted if wanted != arguments.len() => diagnostics.error(
                    Code::E517,
                    &attribute,
                    format_args!("the chain has {wanted} parameters, and this names {}", arguments.len()),
                    "name what each of them shall stand for, in their order, and no lifetimes",
                ),
                _ => chain.checked_with.push(arguments.into_iter().collect()),
            }
        } else if path.is_ident("no_alloc") {
            match &attribute.meta {
                syn::Meta::Path(path) => chain.no_alloc = Some(path.span()),
                other => {
                    diagnostics.error(Code::E503, other, "`#[no_alloc]` takes no arguments", "write `#[no_alloc]`")
                }
            }
        } else if path.is_ident("send") {
            match &attribute.meta {
                syn::Meta::Path(path) => chain.send = Some(path.clone()),
                other => diagnostics.error(Code::E503, other, "`#[send]` takes no arguments", "write `#[send]`"),
            }
        } else if path.segments.last().is_some_and(|last| last.ident == "node") {
            if chain.as_node.is_some() {
                let what = "`#[node]` stands before this chain twice";
                diagnostics.error(Code::E303, &attribute, what, "leave one of them out");
            }
            chain.as_node = Some(attribute);
        } else if path.is_ident("shed") {
            let what = "`#[shed(..)]` is about a node or a block, and this is the whole chain";
            diagnostics.error(Code::E502, &attribute, what, "write it before what may be given up");
        } else if let Some(spawn) = modifiers::about_spawning(&attribute) {
            chain.denies_spawn |= diagnostics.ok(spawn).is_some();
        } else {
            kept.push(attribute);
        }
    }
    kept
}

pub(super) fn budget(input: ParseStream<'_>) -> syn::Result<LitInt> {
    let word: Ident = input.parse()?;
    if word != "future" {
        return Err(Code::E503.on(word, "expected `future`"));
    }
    input.parse::<Token![=]>()?;
    let limit: LitInt = input.parse()?;
    limit.base10_parse::<usize>()?;
    Ok(limit)
}

/// Finds the nodes that are fields.
pub(super) fn name_fields(chain: &mut Chain) {
    let (fields, as_nodes) = (&chain.fields, &mut chain.run.as_nodes);
    chain.run.body.visit(&mut |node| {
        node.field = node.path.path.get_ident().and_then(|name| fields.iter().position(|field| field.name == *name));
        as_nodes.extend(node.field);
    });
    // A node that is `None` is skipped, and then no other condition is asked.
    chain.run.body.visit_items(&mut |item| {
        let ItemKind::Node(node) = &item.kind else { return };
        let Some(field) = node.field.filter(|field| types::is_option(&fields[*field].ty)) else { return };
        let Modifiers { conditions, text, .. } = &mut item.modifiers;
        conditions.insert(0, Condition::Held(node.span(), field));
        *text = format!("if Some {text}").trim_end().to_owned();
    });
}
