//! A function whose result is a future that nobody polls, or a `Result` under another name, where the text of the type or
//! the file says so.
//!
//! rustc knows it in any case. But if a later node needs what is in that result, rustc says that this is missing, and
//! nothing about the function.

use super::told::nodes;
use crate::ast::{Chain, Item, ItemKind, NodeUse};
use crate::diagnostics::{Code, Diagnostics};
use crate::handshake::{Access, Kind, Told};
use crate::names::unraw;
use crate::nearby::Around;
use crate::types;

pub(super) fn check(chain: &Chain, diagnostics: &mut Diagnostics) {
    let items = chain.run.body.items();
    let reply = types::text(&chain.run.reply);
    let asks = |told: &Told, text: &str| {
        let exit = told.hooks.as_ref().and_then(|hooks| hooks.exit.as_ref());
        let exit = exit.into_iter().flat_map(|exit| &exit.parameters).map(|(.., there)| there);
        told.parameters.iter().map(|(_, there)| there).chain(exit).any(|there| there == text)
    };
    let is_asked_for = |text: &str| {
        // A node that tells nothing may ask for it.
        items.iter().flat_map(|item| nodes(item)).any(|node| node.tells().is_none_or(|told| asks(told, text)))
    };
    let is_function = |node: &NodeUse| node.told.as_ref().is_some_and(|told| told.hooks.is_none());
    let is_row_of_functions = chain.generics.params.is_empty()
        && chain.run.body.items.iter().all(|item| matches!(&item.kind, ItemKind::Node(node) if is_function(node)));
    let gives = |item: &&Item| item.modifiers.cancel.is_none() && item.given.is_none();
    for item in items.iter().copied().filter(gives) {
        let ItemKind::Node(node) = &item.kind else { continue };
        let Some(told) = node.told.as_ref().filter(|told| told.hooks.is_none() && told.kind == Kind::Gives) else {
            continue;
        };
        if told.provides.is_empty() || told.provides == reply {
            continue;
        }
        let is_asked_for = is_asked_for(&told.provides);
        // In a row of functions a hidden break is refused also if a node asks for it; a future may be asked for.
        if !is_asked_for || is_row_of_functions {
            say(chain, node, told, is_asked_for || may_be_polled(chain, &items), diagnostics);
        }
    }
}

/// Whether a node asks for a future under another name, or for something of which the file does not show that it is none.
fn may_be_polled(chain: &Chain, items: &[&Item]) -> bool {
    let around = Around::of(&chain.name);
    let polls = |(access, text): &(Access, String)| {
        let is_none =
            |around: &Around| around.is_type(text) && !around.alias(text).is_some_and(|behind| is_future(&behind));
        *access != Access::Lent && (is_future(text) || !around.as_ref().is_some_and(is_none))
    };
    let told = items.iter().flat_map(|item| nodes(item)).filter_map(NodeUse::tells);
    told.flat_map(|told| &told.parameters).any(polls)
}

fn say(chain: &Chain, node: &NodeUse, told: &Told, is_asked_for: bool, diagnostics: &mut Diagnostics) {
    let (name, text) = (unraw(node.name()), &told.provides);
    let behind = behind(chain, node, text);
    let it_is = behind.as_deref().unwrap_or(text);
    if is_future(it_is) {
        if is_asked_for {
            return;
        }
        diagnostics.error(
            Code::E206,
            node.name(),
            format_args!(
                "`{name}` returns a future, as `{text}`, and no node asks for it as `&mut`, so it would never be polled"
            ),
            "write `async fn`, or `-> impl Future<Output = ..>`",
        );
    } else if behind.as_deref().is_some_and(is_flow) {
        diagnostics.error(
            Code::E205,
            node.name(),
            format_args!(
                "`{name}` would never break: what it returns may be an error, which the name `{text}` does not show"
            ),
            "write it as `Result<..>` or `ControlFlow<..>`, or give the alias that name",
        );
    }
}

/// What the name of the function's result stands for, if both stand beside the chain.
fn behind(chain: &Chain, node: &NodeUse, text: &str) -> Option<String> {
    let name = node.path.path.get_ident()?;
    let around = Around::of(&chain.name).filter(|around| around.has_function(name))?;
    around.alias(text.split('<').next().unwrap_or(text))
}

fn is_future(text: &str) -> bool {
    let text: String = text.chars().filter(|sign| !sign.is_whitespace()).collect();
    let inner = text.strip_prefix("Pin<Box<dyn").or_else(|| text.strip_prefix("std::pin::Pin<Box<dyn"));
    inner.is_some_and(|inner| inner.contains("Future<Output="))
}

fn is_flow(text: &str) -> bool {
    let name = text.split('<').next().unwrap_or_default().trim();
    matches!(name.rsplit("::").next(), Some("Result" | "ControlFlow")) && text.contains('<')
}

#[cfg(test)]
mod tests {
    use super::{is_flow, is_future};

    #[test]
    fn a_future_in_a_box_is_one() {
        assert!(is_future("Pin<Box<dyn Future<Output = User> + Send>>"));
        assert!(is_future("Pin<Box<dyn std::future::Future<Output = User>>>"));
        assert!(!is_future("Box<dyn Store>") && !is_future("Pin<Box<User>>"));
    }

    #[test]
    fn a_result_under_its_path_is_one() {
        assert!(is_flow("Result<User, No>") && is_flow("std::io::Result<User>") && is_flow("ControlFlow<No>"));
        assert!(!is_flow("Option<Result<User, No>>") && !is_flow("Outcome<User>"));
    }
}
