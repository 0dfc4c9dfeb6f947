//! Checks the ends of a chain, and of a block that provides something.

use crate::ast::{Block, Chain, Condition, Given, ItemKind, Open};
use crate::diagnostics::{Code, Diagnostics};
use crate::names::{begins_like_a_type, unraw};

/// What a row has to end with.
#[derive(Clone, Copy)]
enum End<'a> {
    /// The reply.
    Reply,
    /// The value of a block.
    Value(&'a Given),
    /// Nothing: what comes after it goes on.
    Nothing,
}

pub(super) fn check(chain: &Chain, diagnostics: &mut Diagnostics) {
    row(&chain.run.body, End::Reply, diagnostics);
}

/// The end of a chain is a node, or a block or branch whose ends are all nodes. The same holds for a block that
/// provides something. An arm that other nodes come after may be empty.
fn row(block: &Block, end: End<'_>, diagnostics: &mut Diagnostics) {
    for (at, item) in block.items.iter().enumerate() {
        let is_last = at + 1 == block.items.len();
        let end = match &item.given {
            Some(given) => {
                if is_last {
                    nobody_asks(given, end, diagnostics);
                }
                End::Value(given)
            }
            None if is_last => end,
            None => End::Nothing,
        };
        if let (Some(condition), None) = (item.modifiers.conditions.first(), &item.otherwise) {
            skipped(condition, end, diagnostics);
        }
        if let Some(open) = &item.modifiers.open {
            opens(open, end, diagnostics);
        }
        match &item.kind {
            ItemKind::Node(_) => {}
            ItemKind::Block(inner) | ItemKind::Around(_, inner) => {
                if inner.is_empty {
                    // `Log {}` for a field.
                    let is_value = matches!(&item.kind, ItemKind::Around(node, _) if node.field.is_none() && begins_like_a_type(&unraw(node.name())));
                    let (code, what, help) = match is_value {
                        true => (
                            Code::E015,
                            "a node with state is a field of the struct",
                            "declare the field there, and write its name here, without braces",
                        ),
                        false => (Code::E011, "this block has no nodes", "name at least one, or leave it out"),
                    };
                    diagnostics.error_at(code, inner.span, what, help);
                }
                row(inner, end, diagnostics);
            }
            ItemKind::Branch(branch) => {
                if branch.lacks_else {
                    lacks_else(branch.span, end, diagnostics);
                }
                let arms = branch.arms.iter().filter(|arm| !(branch.lacks_else && arm.body.is_empty));
                arms.for_each(|inner| arm(&inner.body, end, diagnostics));
            }
        }
        item.otherwise.iter().for_each(|otherwise| arm(otherwise, end, diagnostics));
    }
}

fn arm(block: &Block, end: End<'_>, diagnostics: &mut Diagnostics) {
    match end {
        End::Reply if block.is_empty => diagnostics.error_at(
            Code::E211,
            block.span,
            "this arm does not reply, and nothing comes after it",
            "end it with a node that gives the reply",
        ),
        End::Value(Given { text, .. }) if block.is_empty => diagnostics.error_at(
            Code::E416,
            block.span,
            format_args!("the block provides `{text}`, but this arm has no node that gives one"),
            "end it with a node that gives one, or that breaks",
        ),
        End::Reply | End::Value(_) | End::Nothing => {}
    }
    row(block, end, diagnostics);
}

/// An item at an end may be skipped.
fn skipped(condition: &Condition, end: End<'_>, diagnostics: &mut Diagnostics) {
    let what = match condition {
        Condition::Shed(shed) => format!("shed from `{}` on", shed.level.name()),
        Condition::Held(..) => "`None`".to_owned(),
        _ => "skipped".to_owned(),
    };
    match end {
        End::Reply => diagnostics.error_at(
            Code::E211,
            condition.span(),
            format_args!("what stands at the end of the chain may be {what}, and then nothing replies"),
            "add `else { .. }` behind it with a node that gives the reply, or a node after it",
        ),
        End::Value(Given { text, .. }) => diagnostics.error_at(
            Code::E416,
            condition.span(),
            format_args!("the block provides `{text}`, but this may be {what}, and then nothing gives one"),
            "add `else { .. }` behind it with a node that gives one",
        ),
        End::Nothing => {}
    }
}

/// The run may go on without an item at an end.
fn opens(open: &Open, end: End<'_>, diagnostics: &mut Diagnostics) {
    match end {
        End::Reply => diagnostics.error_at(
            Code::E519,
            open.span,
            "what stands at the end of the chain gives the reply, and `#[open]` would go on without it",
            "leave `#[open]` out, or add a node after it that gives the reply",
        ),
        End::Value(Given { text, .. }) => diagnostics.error_at(
            Code::E519,
            open.span,
            format_args!("the block provides `{text}`, but `#[open]` goes on without this, and then nothing gives one"),
            "leave `#[open]` out, or add a node after it that gives one",
        ),
        End::Nothing => {}
    }
}

fn lacks_else(span: proc_macro2::Span, end: End<'_>, diagnostics: &mut Diagnostics) {
    match end {
        End::Reply => diagnostics.error_at(
            Code::E211,
            span,
            "the chain ends with this `if`, which has no `else`: without one, nothing replies",
            "add `else { .. }` with a node that gives the reply, or a node behind the `if`",
        ),
        End::Value(Given { text, .. }) => diagnostics.error_at(
            Code::E416,
            span,
            format_args!("the block provides `{text}`, but this `if` has no `else`: without one, nothing gives it"),
            "add `else { .. }` with a node that gives one, or that breaks",
        ),
        End::Nothing => {}
    }
}

/// No node comes after a block that provides.
fn nobody_asks(given: &Given, end: End<'_>, diagnostics: &mut Diagnostics) {
    let text = &given.text;
    let (what, help) = match end {
        End::Reply => (
            "the chain ends with this block, so what it gives is the reply".to_owned(),
            format!("leave `-> {text}` out, or add a node after it"),
        ),
        End::Value(outer) => (
            format!("this ends a block that provides `{}`, which is what it gives", outer.text),
            format!("leave `-> {text}` out"),
        ),
        End::Nothing => (
            format!("no node comes after this that could ask for the `{text}`"),
            format!("write `-> {text}` behind the block or the branch that it stands in, or leave it out"),
        ),
    };
    diagnostics.error(Code::E417, &given.tokens, what, help);
}
