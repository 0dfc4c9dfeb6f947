//! The attributes before an item: when it runs, for how long, and what becomes of it when the client is gone.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Ident, Lit, LitInt, LitStr, Meta, Token};

use super::pieces::node_path;
use crate::ast::{Condition, How, ItemKind, Modifiers, NodeUse, OnCancel, Share, Toggle};
use crate::diagnostics::Diagnostics;
use crate::names;
use crate::types;

/// The names of the attributes, for one that does not exist.
const KNOWN: &str = "there are `#[when(node)]`, `#[toggle]`, `#[shed(high)]`, `#[sample(1 / 100)]`, `#[split(5)]`, `#[timeout(250ms)]`, `#[cancel(finish)]`, `#[no_alloc]`, `#[cfg(..)]` and `#[allow(..)]`";

/// Those that are for rustc.
const LINTS: [&str; 5] = ["allow", "expect", "warn", "deny", "forbid"];

/// Those that say when an item runs.
const CONDITIONS: [&str; 5] = ["when", "toggle", "sample", "split", "shed"];

/// Those of the chain, at the wrong place.
const OF_THE_CHAIN: [&str; 5] = ["observe", "budget", "send", "check", "derive"];

pub(super) fn read(attributes: Vec<Attribute>, kind: &ItemKind, diagnostics: &mut Diagnostics) -> Modifiers {
    let mut modifiers = Modifiers::default();
    let node = match kind {
        ItemKind::Node(node) => Some(node),
        _ => None,
    };
    let texts = attributes.iter().filter(|attribute| !is_lint(attribute)).map(crate::types::text);
    modifiers.text = texts.collect::<Vec<_>>().join(" ");
    let is_condition = |attribute: &Attribute| CONDITIONS.iter().any(|name| attribute.path().is_ident(name));
    modifiers.has_conditions = attributes.iter().any(is_condition);
    for attribute in attributes {
        let path = attribute.path();
        let name = path.get_ident().map(ToString::to_string).unwrap_or_default();
        match name.as_str() {
            "when" => {
                let condition = arguments(
                    &attribute,
                    when,
                    "`#[when(..)]` names a node that gives a `bool`",
                    "write `#[when(is_internal)]`",
                );
                modifiers.conditions.extend(diagnostics.ok(condition).map(Condition::When));
            }
            "sample" | "split" => {
                let what = format!("`#[{name}(..)]` says how many of the requests it is for");
                let read = arguments(
                    &attribute,
                    share,
                    &what,
                    "write `#[sample(1 / 100)]` for one in a hundred, or `#[split(5)]` for five percent",
                );
                let Some(share) = diagnostics.ok(read) else { continue };
                let span = path.span();
                modifiers.conditions.push(match name.as_str() {
                    "sample" => Condition::Sample(span, share),
                    _ => Condition::Split(span, share),
                });
            }
            "toggle" => {
                let read = toggle(&attribute, kind);
                modifiers.conditions.extend(diagnostics.ok(read).map(Condition::Toggle));
            }
            "shed" => {
                let Some(shed) = diagnostics.ok(super::shed::shed(&attribute, kind)) else { continue };
                let is_twice = modifiers.conditions.iter().any(|condition| matches!(condition, Condition::Shed(_)));
                if is_twice {
                    let what = "it is shed from two levels on";
                    diagnostics.error(
                        &attribute,
                        what,
                        "keep one `#[shed(..)]`; for two steps, put one of them before a block around it",
                    );
                }
                if let (How::Behind(span), None) = (shed.how, node) {
                    let what = "only the work of a node can go behind the request, and this is a block";
                    diagnostics.error_at(
                        span,
                        what,
                        "write it before a node, or leave `detach` out: the block is skipped then",
                    );
                }
                modifiers.conditions.push(Condition::Shed(shed));
            }
            "timeout" => {
                let Some(limit) = diagnostics.ok(arguments(
                    &attribute,
                    limit,
                    "`#[timeout(..)]` says how long the node may take",
                    "write `#[timeout(250ms)]`, `#[timeout(2s)]`, or an expression for a `Duration`",
                )) else {
                    continue;
                };
                once(modifiers.timeout.is_some(), &attribute, "timeout", diagnostics);
                of_a_node(node, &attribute, "timeout", "put a node like `Deadline` around the block", diagnostics);
                modifiers.timeout = Some((path.span(), limit));
            }
            "cancel" => {
                let Some(way) = diagnostics.ok(arguments(
                    &attribute,
                    on_cancel,
                    "`#[cancel(..)]` says what becomes of the node's work when the client is gone",
                    "write `#[cancel(finish)]` or `#[cancel(detach)]`",
                )) else {
                    continue;
                };
                once(modifiers.cancel.is_some(), &attribute, "cancel", diagnostics);
                of_a_node(node, &attribute, "cancel", "put it before the node whose work it is", diagnostics);
                modifiers.cancel = Some((path.span(), way));
            }
            "no_alloc" => {
                if !matches!(attribute.meta, Meta::Path(_)) {
                    diagnostics.error(&attribute, "`#[no_alloc]` takes no arguments", "write `#[no_alloc]`");
                }
                once(modifiers.no_alloc.is_some(), &attribute, "no_alloc", diagnostics);
                let help = "put it before each node that shall allocate nothing, or on the chain";
                of_a_node(node, &attribute, "no_alloc", help, diagnostics);
                modifiers.no_alloc = Some(path.span());
            }
            lint if LINTS.contains(&lint) => match about_spawning(&attribute) {
                None => modifiers.lints.push(attribute),
                Some(_) => diagnostics.error(
                    &attribute,
                    format_args!("`#[{name}(spawn)]` is about the whole chain"),
                    "write `#[deny(spawn)]` on the struct, or before `fn`",
                ),
            },
            "doc" => diagnostics.error(
                &attribute,
                "a node is documented where it is defined",
                "write `//` for a comment about its place in the chain",
            ),
            "inline" | "must_use" | "test" | "node" => diagnostics.error(
                &attribute,
                format_args!("`#[{name}]` stands on the node's own definition"),
                "leave it out here",
            ),
            _ if is_of_the_chain(&attribute) => diagnostics.error(
                &attribute,
                format_args!("`#[{name}]` is about the whole chain"),
                "put it on the struct, or before `fn`",
            ),
            _ => diagnostics.error(
                &attribute,
                format_args!("no attribute of a node is called `{}`", crate::types::text(path)),
                KNOWN,
            ),
        }
    }
    if let (Some((span, _)), Some(_)) = (&modifiers.timeout, &modifiers.cancel) {
        diagnostics.error_at(
            *span,
            "a node whose work goes on without the client has no timeout here",
            "limit it inside the node, or leave `#[cancel(..)]` out",
        );
    }
    modifiers
}

/// Whether it is about the whole chain, as rustc's `derive` is.
pub(super) fn is_of_the_chain(attribute: &Attribute) -> bool {
    OF_THE_CHAIN.iter().any(|name| attribute.path().is_ident(name))
}

/// Whether it is for rustc, about lints.
pub(super) fn is_lint(attribute: &Attribute) -> bool {
    LINTS.iter().any(|lint| attribute.path().is_ident(lint))
}

/// Whether it is about `spawn`, which is no lint of rustc's: `#[deny(spawn)]` is the chain's own.
///
/// # Errors
///
/// Where it says something else of it than that, or of something else as well.
pub(super) fn about_spawning(attribute: &Attribute) -> Option<syn::Result<()>> {
    let listed = Punctuated::<Meta, Token![,]>::parse_terminated;
    let named = is_lint(attribute).then(|| attribute.parse_args_with(listed).ok()).flatten()?;
    let spawn = named.iter().find(|meta| matches!(meta, Meta::Path(path) if path.is_ident("spawn")))?;
    let is_other = |meta: &&Meta| *meta != spawn && !meta.path().is_ident("reason");
    let wrong = |what: String| Some(Err(syn::Error::new_spanned(spawn, what)));
    if let Some(other) = named.iter().find(is_other) {
        let (other, level) = (types::text(other), types::text(attribute.path()));
        return wrong(format!(
            "`spawn` is the chain's own, and `{other}` is rustc's\n  help: write `#[deny(spawn)]` and `#[{level}({other})]`"
        ));
    }
    if !attribute.path().is_ident("deny") {
        let level = types::text(attribute.path());
        return wrong(format!(
            "a chain denies its nodes to spawn, or says nothing of it: there is no `#[{level}(spawn)]`\n  help: write `#[deny(spawn)]`, or leave it out"
        ));
    }
    Some(Ok(()))
}

fn once(is_there: bool, attribute: &Attribute, name: &str, diagnostics: &mut Diagnostics) {
    if is_there {
        diagnostics.error(attribute, format_args!("the node has two `#[{name}(..)]`"), "keep one");
    }
}

fn of_a_node(node: Option<&NodeUse>, attribute: &Attribute, name: &str, help: &str, diagnostics: &mut Diagnostics) {
    if node.is_none() {
        diagnostics.error(attribute, format_args!("`#[{name}(..)]` is about one node, and this is a block"), help);
    }
}

/// What stands in the parentheses.
fn arguments<T>(
    attribute: &Attribute,
    parse: fn(ParseStream<'_>) -> syn::Result<T>,
    what: &str,
    help: &str,
) -> syn::Result<T> {
    let Meta::List(list) = &attribute.meta else {
        return Err(syn::Error::new_spanned(attribute, format!("{what}\n  help: {help}")));
    };
    if list.tokens.is_empty() {
        return Err(syn::Error::new_spanned(attribute, format!("{what}\n  help: {help}")));
    }
    attribute.parse_args_with(parse)
}

fn when(input: ParseStream<'_>) -> syn::Result<NodeUse> {
    if input.peek(Token![!]) {
        return Err(input.error("`#[when(..)]` names one node, not an expression\n  help: write a `#[node]` function that gives the opposite"));
    }
    let node = node_path(input)?;
    super::pieces::node_ends(input, &node)?;
    Ok(node)
}

/// `5` percent, or `1 / 100`, and nothing else.
fn share(input: ParseStream<'_>) -> syn::Result<Share> {
    let share = part_of(input)?;
    if !input.is_empty() {
        return Err(input.error("a share is one number, or two\n  help: write `5` for five percent, or `1 / 1000`"));
    }
    Ok(share)
}

/// The same, whatever comes behind it.
pub(super) fn part_of(input: ParseStream<'_>) -> syn::Result<Share> {
    let number = |input: ParseStream<'_>| -> syn::Result<(u64, Span)> {
        let literal: Lit = input.parse().map_err(|error| {
            syn::Error::new(
                error.span(),
                "a share is known while compiling\n  help: write `5` for five percent, or `1 / 1000`",
            )
        })?;
        let Lit::Int(number) = &literal else {
            let what = "a share is made of whole numbers\n  help: write `5` for five percent, or `1 / 1000`";
            return Err(syn::Error::new_spanned(literal, what));
        };
        if !number.suffix().is_empty() {
            let what = format!(
                "a share has no unit, and `{}` is one\n  help: write `5` for five percent, or `1 / 1000`",
                number.suffix()
            );
            return Err(syn::Error::new_spanned(literal, what));
        }
        Ok((number.base10_parse()?, number.span()))
    };
    let (part, at) = number(input)?;
    let whole = if input.peek(Token![/]) {
        input.parse::<Token![/]>()?;
        number(input)?.0
    } else {
        // What is meant by `5%` is clear.
        input.parse::<Option<Token![%]>>()?;
        100
    };
    if whole == 0 || part > whole {
        return Err(syn::Error::new(
            at,
            format!("{part} of {whole} is not a share\n  help: write `5` for five percent, or `1 / 1000`"),
        ));
    }
    Ok(Share { part, whole })
}

/// `#[toggle]`, `#[toggle("name")]`, `#[toggle(off)]`, `#[toggle("name", off)]`
fn toggle(attribute: &Attribute, kind: &ItemKind) -> syn::Result<Toggle> {
    let span = attribute.path().span();
    let mut toggle = Toggle { name: String::new(), span, on: true };
    const SHAPE: &str = "write `#[toggle]`, `#[toggle(off)]`, `#[toggle(\"name\")]` or `#[toggle(\"name\", off)]`";
    match &attribute.meta {
        Meta::Path(_) => {}
        Meta::NameValue(_) => {
            return Err(syn::Error::new_spanned(
                attribute,
                format!("a toggle's name stands in parentheses\n  help: {SHAPE}"),
            ));
        }
        Meta::List(list) => list.parse_args_with(|input: ParseStream<'_>| {
            while !input.is_empty() {
                if input.peek(LitStr) {
                    let name: LitStr = input.parse()?;
                    toggle.name = name.value();
                    toggle.span = name.span();
                    if toggle.name.is_empty() {
                        return Err(syn::Error::new_spanned(
                            name,
                            format!("a toggle is found by its name\n  help: {SHAPE}"),
                        ));
                    }
                } else {
                    let word: Ident = input.parse().map_err(|error| {
                        syn::Error::new(error.span(), format!("not how a toggle is declared\n  help: {SHAPE}"))
                    })?;
                    match word.to_string().as_str() {
                        "on" => toggle.on = true,
                        "off" => toggle.on = false,
                        _ => {
                            return Err(syn::Error::new_spanned(
                                &word,
                                format!("a toggle is `on` or `off`, and its name stands in quotes\n  help: {SHAPE}"),
                            ));
                        }
                    }
                }
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(())
        })?,
    }
    if toggle.name.is_empty() {
        toggle.name = match kind {
            ItemKind::Node(node) | ItemKind::Around(node, _) => names::unraw(node.name()),
            ItemKind::Block(_) | ItemKind::Branch(_) => {
                return Err(syn::Error::new_spanned(
                    attribute,
                    "the toggle of a block needs a name\n  help: write `#[toggle(\"name\")]`",
                ));
            }
        };
    }
    Ok(toggle)
}

/// `250ms`, `2s`, or an expression.
fn limit(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let expression = types::kept_together(input.parse::<Expr>()?);
    if !input.is_empty() {
        return Err(input.error("a timeout is one duration\n  help: write `#[timeout(250ms)]`"));
    }
    let Expr::Lit(literal) = &expression else {
        return Ok(expression.into_token_stream());
    };
    const UNITS: &str = "the units are `us`, `ms`, `s` and `min`: `250ms`, `2s`";
    let Lit::Int(number) = &literal.lit else {
        let what = format!("a timeout is a whole number of a unit\n  help: {UNITS}");
        return Err(syn::Error::new_spanned(literal, what));
    };
    let span = number.span();
    let (value, unit) = (number.base10_parse::<u64>()?, number.suffix());
    if value == 0 {
        return Err(syn::Error::new(
            span,
            "within no time at all nothing is ever done\n  help: give the node some time, or leave it out",
        ));
    }
    let rt = names::runtime_alias();
    let duration = |constructor: &str, value: u64| {
        let constructor = Ident::new(constructor, span);
        let value = LitInt::new(&value.to_string(), span);
        quote_spanned!(span=> #rt::private::Duration::#constructor(#value))
    };
    match unit {
        "us" => Ok(duration("from_micros", value)),
        "ms" => Ok(duration("from_millis", value)),
        "s" => Ok(duration("from_secs", value)),
        "min" => match value.checked_mul(60) {
            Some(seconds) => Ok(duration("from_secs", seconds)),
            None => Err(syn::Error::new(span, "no clock counts that far\n  help: give the node less time")),
        },
        "" => Err(syn::Error::new(span, format!("this timeout has no unit\n  help: {UNITS}"))),
        other => Err(syn::Error::new(span, format!("`{other}` is no unit of time here\n  help: {UNITS}"))),
    }
}

fn on_cancel(input: ParseStream<'_>) -> syn::Result<OnCancel> {
    const SHAPE: &str = "write `#[cancel(finish)]`: the request waits for the node, whose work goes on without it; or `#[cancel(detach)]`: nobody waits";
    let word: Ident = input.parse()?;
    if !input.is_empty() {
        return Err(input.error(format!("`#[cancel(..)]` is one word\n  help: {SHAPE}")));
    }
    match word.to_string().as_str() {
        "finish" => Ok(OnCancel::Finish),
        "detach" => Ok(OnCancel::Detach),
        other => Err(syn::Error::new_spanned(&word, format!("a node's work is not `{other}`ed\n  help: {SHAPE}"))),
    }
}
