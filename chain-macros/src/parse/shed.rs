//! `#[shed(..)]`: the level from which on an item is given up, and what happens to it then.

use proc_macro2::Span;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{Attribute, Ident, LitStr, Meta, Token};

use super::modifiers::values::part_of;
use crate::ast::{Block, How, ItemKind, Level, Shed};
use crate::diagnostics::Code;
use crate::names;

const SHAPE: &str = "write `#[shed(high)]`, `#[shed(high, sample = 1 / 100)]` or `#[shed(high, detach)]`";
const LEVELS: &str = "the levels are `elevated`, `high` and `critical`";

pub(super) fn shed(attribute: &Attribute, kind: &ItemKind) -> syn::Result<Shed> {
    let list = match &attribute.meta {
        Meta::List(list) if !list.tokens.is_empty() => list,
        _ => {
            let what = "`#[shed(..)]` says from which level of pressure on it is given up";
            return Err(Code::E711.on(attribute, format!("{what}\n  help: {SHAPE}; {LEVELS}")));
        }
    };
    let read = list.parse_args_with(arguments)?;
    let Arguments { level, how, name } = read;
    let (name, span) = name.unwrap_or_else(|| (name_of(kind), attribute.path().span()));
    Ok(Shed { name, span, level, how })
}

struct Arguments {
    level: Level,
    how: How,
    name: Option<(String, Span)>,
}

/// `high`, `elevated, sample = 1 / 100`, `high, detach`, each with `"name"` after it.
fn arguments(input: ParseStream<'_>) -> syn::Result<Arguments> {
    let level = level(input)?;
    let (mut how, mut name) = (How::Skipped, None);
    while !input.is_empty() {
        input.parse::<Token![,]>().map_err(|error| {
            Code::E711
                .at(error.span(), format!("behind the level comes a comma, and what becomes of it\n  help: {SHAPE}"))
        })?;
        if input.is_empty() {
            break;
        }
        if input.peek(LitStr) {
            let literal: LitStr = input.parse()?;
            if literal.value().is_empty() || name.is_some() {
                return Err(
                    Code::E711.on(literal, "what is shed has one name\n  help: write `#[shed(high, \"name\")]`")
                );
            }
            name = Some((literal.value(), literal.span()));
            continue;
        }
        let (span, option) = (input.span(), option(input)?);
        if !matches!(how, How::Skipped) {
            return Err(Code::E711.at(
                span,
                format!(
                    "under pressure it is skipped, or sampled, or goes behind the request: one of them\n  help: {SHAPE}"
                ),
            ));
        }
        how = option;
    }
    Ok(Arguments { level, how, name })
}

/// `sample = 1 / 100`, `detach`
fn option(input: ParseStream<'_>) -> syn::Result<How> {
    let unknown = |span, what: &str| Code::E711.at(span, format!("{what}\n  help: {SHAPE}"));
    let word = input
        .call(Ident::parse_any)
        .map_err(|error| unknown(error.span(), "behind the level stands what becomes of it, in a word"))?;
    match word.to_string().as_str() {
        "detach" => Ok(How::Behind(word.span())),
        "sample" => {
            if !input.peek(Token![=]) {
                return Err(unknown(word.span(), "`sample` says for how many of the requests it runs"));
            }
            input.parse::<Token![=]>()?;
            Ok(How::Sampled(word.span(), part_of(input)?))
        }
        other => match Level::ALL.iter().find(|level| level.name() == other) {
            Some(_) => Err(unknown(word.span(), "it is shed from one level on, and so at each one above that")),
            None => Err(unknown(word.span(), &format!("`#[shed(..)]` has no option `{other}`"))),
        },
    }
}

fn level(input: ParseStream<'_>) -> syn::Result<Level> {
    let word = input.call(Ident::parse_any).map_err(|error| {
        Code::E711
            .at(error.span(), format!("first comes the level from which on it is shed\n  help: {SHAPE}; {LEVELS}"))
    })?;
    let name = word.to_string();
    if let Some(level) = Level::ALL.into_iter().find(|level| level.name() == name) {
        return Ok(level);
    }
    let what = match name.as_str() {
        "calm" => format!("nothing is shed while it is calm\n  help: {LEVELS}; leave the attribute out, or the node"),
        "sample" | "detach" => format!("first comes the level from which on it is shed\n  help: {SHAPE}; {LEVELS}"),
        _ => match nearest(&name) {
            Some(meant) => format!("no level of pressure is called `{name}`\n  help: did you mean `{meant}`? {LEVELS}"),
            None => format!("no level of pressure is called `{name}`\n  help: {LEVELS}"),
        },
    };
    Err(Code::E711.on(&word, what))
}

/// The level with the most similar name, if one is similar at all.
fn nearest(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    let names = Level::ALL.iter().map(|level| (distance(&name, level.name()), level.name()));
    let (distance, nearest) = names.min()?;
    (distance * 2 <= nearest.len().max(name.len())).then_some(nearest)
}

/// How many letters have to be added, removed or changed to turn one word into the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (to, its) in other.iter().enumerate() {
            let exchanged = diagonal + usize::from(letter != *its);
            diagonal = row[to + 1];
            row[to + 1] = exchanged.min(diagonal + 1).min(row[to] + 1);
        }
    }
    row[other.len()]
}

/// The name of an item that has no name of its own.
fn name_of(kind: &ItemKind) -> String {
    match kind {
        ItemKind::Node(node) | ItemKind::Around(node, _) => names::unraw(node.name()),
        ItemKind::Branch(branch) => names::unraw(branch.node.name()),
        ItemKind::Block(block) => Block::outline(block),
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_level_that_is_almost_spelled_right_is_known() {
        for (written, meant) in [
            ("hihg", Some("high")),
            ("High", Some("high")),
            ("critcal", Some("critical")),
            ("elevate", Some("elevated")),
            ("low", None),
            ("medium", None),
            ("x", None),
        ] {
            assert_eq!(nearest(written), meant, "{written}");
        }
    }
}
