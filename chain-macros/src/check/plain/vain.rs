//! A function in an arm or a block that gives the reply, and after which the row goes on: `answer => log`.

use super::{in_vain, replies};
use crate::ast::{Block, Chain, Item, ItemKind, NodeUse};
use crate::check::told::{inner, nodes};
use crate::diagnostics::Diagnostics;
use crate::handshake::{Of, Told};
use crate::nearby::Around;
use crate::plan;

pub(super) fn check(chain: &Chain, diagnostics: &mut Diagnostics) {
    let items = chain.run.body.items();
    if items.iter().any(|item| item.given.is_some()) {
        return;
    }
    let Some(around) = plan::around(chain) else { return before_an_end_without_a_value(chain, diagnostics) };
    // Only what is told says that no node asks for the reply, and a function's parameters in the file.
    let mut parameters = String::new();
    for node in items.iter().flat_map(|item| nodes(item)).filter(|node| node.told.is_none() && node.hooks.is_none()) {
        let name = node.path.path.get_ident().filter(|_| node.field.is_none());
        let Some(asks) = name.and_then(|name| around.parameters_of_what_gives_nothing(name)) else { return };
        parameters.push_str(&asks);
    }
    let (reply, value) = replies(chain);
    let is_reply = |text: &str| (text == reply || text == value) && around.is_type(text);
    // Under a path or an alias it may be asked for, too.
    let is_asked_for = |text: &str| {
        let mut told = items.iter().flat_map(|item| nodes(item)).filter_map(NodeUse::tells);
        parameters.contains(text) || told.any(|told| asked(told).any(|there| there == text || !around.is_type(there)))
    };
    // About a type that does not exist there is an error, and its function may be meant otherwise.
    let mut told = items.iter().flat_map(|item| nodes(item)).filter_map(|node| node.told.as_ref());
    if told.any(|told| told.parameters.iter().any(|(_, text)| around.is_unknown(text))) {
        return;
    }
    let is_vain = |text: &str| is_reply(text) && !is_asked_for(text);
    let said = diagnostics.count();
    row(&chain.run.body, &around, &is_vain, diagnostics);
    if diagnostics.count() == said {
        before_an_end_without_a_value(chain, diagnostics);
    }
}

/// The same wherever the functions stand, if the chain's last node gives nothing: then there is an error in any case, and
/// this is what was meant. rustc would report both ends of it.
fn before_an_end_without_a_value(chain: &Chain, diagnostics: &mut Diagnostics) {
    let items = &chain.run.body.items;
    let is_plain = |item: &Item| {
        let modifiers = &item.modifiers;
        item.given.is_none()
            && item.otherwise.is_none()
            && modifiers.conditions.is_empty()
            && modifiers.open.is_none()
            && modifiers.cancel.is_none()
    };
    let around = Around::of(&chain.name);
    let told = items.iter().map(|item| match &item.kind {
        ItemKind::Node(node) if is_plain(item) => {
            let told = node.tells();
            // A function whose name is that of a macro known everywhere.
            let name = node.path.path.get_ident().filter(|_| node.field.is_none());
            let asks = || around.as_ref()?.parameters_of_what_gives_nothing(name?);
            let asks = if told.is_none() { asks()? } else { String::new() };
            Some((node, told, asks))
        }
        _ => None,
    });
    let Some(all) = told.collect::<Option<Vec<_>>>() else { return };
    let (reply, value) = replies(chain);
    let Some(((_, end, _), before)) = all.split_last() else { return };
    if end.is_some_and(|end| !end.provides.is_empty()) || reply == "()" || value == "()" {
        return;
    }
    let is_asked_for = |text: &str| {
        all.iter().any(|(_, told, parameters)| {
            parameters.contains(text) || told.is_some_and(|told| asked(told).any(|there| there == text))
        })
    };
    let is_vain = |told: &Told| {
        let is_reply = told.hooks.is_none() && (told.provides == reply || told.provides == value);
        is_reply && !is_asked_for(&told.provides)
    };
    let vain = before.iter().filter_map(|(node, told, _)| Some((node, (*told).filter(|told| is_vain(told))?)));
    if let Some((node, told)) = vain.into_iter().next() {
        in_vain(node, &told.provides, diagnostics);
    }
}

/// The types for which a function or a hook asks the scope.
fn asked(told: &Told) -> impl Iterator<Item = &str> {
    let exit = told.hooks.as_ref().and_then(|hooks| hooks.exit.as_ref());
    let exit = exit.into_iter().flat_map(|exit| &exit.parameters).filter(|(of, ..)| *of == Of::Scope);
    told.parameters.iter().map(|(_, there)| there.as_str()).chain(exit.map(|(.., there)| there.as_str()))
}

fn row(block: &Block, around: &Around, is_vain: &dyn Fn(&str) -> bool, diagnostics: &mut Diagnostics) {
    for (at, item) in block.items.iter().enumerate() {
        let modifiers = &item.modifiers;
        let is_plain = modifiers.conditions.is_empty() && modifiers.open.is_none() && modifiers.cancel.is_none();
        if let ItemKind::Node(node) = &item.kind
            && let Some(told) = node.told.as_ref().filter(|told| is_plain && told.hooks.is_none())
            && at + 1 < block.items.len()
            && around.has_node(node)
            && told.gives_back().is_none()
            && is_vain(&told.provides)
        {
            in_vain(node, &told.provides, diagnostics);
        }
        inner(item).into_iter().for_each(|block| row(block, around, is_vain, diagnostics));
        if let ItemKind::Around(_, block) = &item.kind {
            row(block, around, is_vain, diagnostics);
        }
    }
}
