//! What stands in the parentheses of an item's attributes.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Ident, Lit, LitInt, LitStr, Meta, Token};

use crate::ast::{ItemKind, NodeUse, OnCancel, Share, Toggle};
use crate::diagnostics::Code;
use crate::parse::pieces::{node_ends, node_path};
use crate::{names, types};

pub(super) fn when(input: ParseStream<'_>) -> syn::Result<NodeUse> {
    if input.peek(Token![!]) {
        return Err(Code::E402.here(input, "`#[when(..)]` names one node, not an expression\n  help: write a `#[node]` function that gives the opposite"));
    }
    let node = node_path(input)?;
    if input.peek(Token![,]) || input.peek(Token![&&]) {
        return Err(Code::E402.here(
            input,
            "`#[when(..)]` names one node\n  help: write `#[when(a)] #[when(b)]`: the item runs where both give `true`",
        ));
    }
    if input.peek(Token![||]) {
        return Err(Code::E402.here(
            input,
            "`#[when(..)]` names one node, not an expression\n  help: write a `#[node]` function that gives the `bool`",
        ));
    }
    node_ends(input, &node)?;
    Ok(node)
}

/// `5` percent, or `1 / 100`, and nothing else.
pub(super) fn share(input: ParseStream<'_>) -> syn::Result<Share> {
    let share = part_of(input)?;
    if !input.is_empty() {
        return Err(
            Code::E504.here(input, "a share is one number, or two\n  help: write `5` for five percent, or `1 / 1000`")
        );
    }
    Ok(share)
}

/// The same, with anything after it.
pub(in crate::parse) fn part_of(input: ParseStream<'_>) -> syn::Result<Share> {
    let number = |input: ParseStream<'_>| -> syn::Result<(u64, Span)> {
        let literal: Lit = input.parse().map_err(|error| {
            Code::E504
                .at(error.span(), "a share is known while compiling\n  help: write `5` for five percent, or `1 / 1000`")
        })?;
        let Lit::Int(number) = &literal else {
            let what = "a share is made of whole numbers\n  help: write `5` for five percent, or `1 / 1000`";
            return Err(Code::E504.on(literal, what));
        };
        if !number.suffix().is_empty() {
            let what = format!(
                "a share has no unit, and `{}` is one\n  help: write `5` for five percent, or `1 / 1000`",
                number.suffix()
            );
            return Err(Code::E504.on(literal, what));
        }
        Ok((number.base10_parse()?, number.span()))
    };
    let (part, at) = number(input)?;
    let whole = if input.peek(Token![/]) {
        input.parse::<Token![/]>()?;
        number(input)?.0
    } else {
        // The meaning of `5%` is clear.
        input.parse::<Option<Token![%]>>()?;
        100
    };
    if whole == 0 || part > whole {
        return Err(Code::E504
            .at(at, format!("{part} of {whole} is not a share\n  help: write `5` for five percent, or `1 / 1000`")));
    }
    Ok(Share { part, whole })
}

/// `#[toggle]`, `#[toggle("name")]`, `#[toggle(off)]`, `#[toggle("name", off)]`
pub(super) fn toggle(attribute: &Attribute, kind: &ItemKind) -> syn::Result<Toggle> {
    let span = attribute.path().span();
    let mut toggle = Toggle { name: String::new(), span, on: true };
    const SHAPE: &str = "write `#[toggle]`, `#[toggle(off)]`, `#[toggle(\"name\")]` or `#[toggle(\"name\", off)]`";
    match &attribute.meta {
        Meta::Path(_) => {}
        Meta::NameValue(_) => {
            return Err(Code::E503.on(attribute, format!("a toggle's name stands in parentheses\n  help: {SHAPE}")));
        }
        Meta::List(list) => list.parse_args_with(|input: ParseStream<'_>| {
            while !input.is_empty() {
                if input.peek(LitStr) {
                    let name: LitStr = input.parse()?;
                    toggle.name = name.value();
                    toggle.span = name.span();
                    if toggle.name.is_empty() {
                        return Err(Code::E503.on(name, format!("a toggle is found by its name\n  help: {SHAPE}")));
                    }
                } else {
                    let word: Ident = input.parse().map_err(|error| {
                        Code::E503.at(error.span(), format!("not how a toggle is declared\n  help: {SHAPE}"))
                    })?;
                    match word.to_string().as_str() {
                        "on" => toggle.on = true,
                        "off" => toggle.on = false,
                        _ => {
                            return Err(Code::E503.on(
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
                return Err(
                    Code::E503.on(attribute, "the toggle of a block needs a name\n  help: write `#[toggle(\"name\")]`")
                );
            }
        };
    }
    Ok(toggle)
}

/// `250ms`, `2s`, or an expression.
pub(super) fn limit(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let expression = types::kept_together(input.parse::<Expr>()?);
    if !input.is_empty() {
        return Err(Code::E505.here(input, "a timeout is one duration\n  help: write `#[timeout(250ms)]`"));
    }
    let Expr::Lit(literal) = &expression else {
        if let Some(this) = this_in(expression.to_token_stream()) {
            return Err(Code::E505.on(
                this,
                "a timeout does not see the chain's fields\n  help: let a field be a `Deadline`, and write `deadline { node }`",
            ));
        }
        return Ok(expression.into_token_stream());
    };
    const UNITS: &str = "the units are `us`, `ms`, `s` and `min`: `250ms`, `2s`";
    let Lit::Int(number) = &literal.lit else {
        let what = format!("a timeout is a whole number of a unit\n  help: {UNITS}");
        return Err(Code::E505.on(literal, what));
    };
    let span = number.span();
    let (value, unit) = (number.base10_parse::<u64>()?, number.suffix());
    if value == 0 {
        return Err(Code::E505
            .at(span, "within no time at all nothing is ever done\n  help: give the node some time, or leave it out"));
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
            None => Err(Code::E505.at(span, "no clock counts that far\n  help: give the node less time")),
        },
        "" => Err(Code::E505.at(span, format!("this timeout has no unit\n  help: {UNITS}"))),
        other => Err(Code::E505.at(span, format!("`{other}` is no unit of time here\n  help: {UNITS}"))),
    }
}

/// The first `self` in these tokens.
fn this_in(tokens: TokenStream) -> Option<Ident> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Ident(word) if word == "self" => Some(word),
        TokenTree::Group(group) => this_in(group.stream()),
        _ => None,
    })
}

pub(super) fn on_cancel(input: ParseStream<'_>) -> syn::Result<OnCancel> {
    const SHAPE: &str = "write `#[cancel(finish)]`: the request waits for the node, whose work goes on without it; or `#[cancel(detach)]`: nobody waits";
    let word: Ident = input.parse()?;
    if !input.is_empty() {
        return Err(Code::E503.here(input, format!("`#[cancel(..)]` is one word\n  help: {SHAPE}")));
    }
    match word.to_string().as_str() {
        "finish" => Ok(OnCancel::Finish),
        "detach" => Ok(OnCancel::Detach),
        other => Err(Code::E503.on(&word, format!("a node's work is not `{other}`ed\n  help: {SHAPE}"))),
    }
}
