//! What is wrong with a chain that can be seen without knowing any type.
//!
//! - a chain has a node, and each end of a chain that replies does;
//! - what wraps a future is in a chain that has one;
//! - one type, one provider: among the inputs and the fields, by their written types. What nodes provide
//!   only rustc knows; `expand::scope` lets it compare.

use crate::ast::{Block, Chain, Condition, Form, ItemKind, Modifiers, NeededField};
use crate::diagnostics::Diagnostics;
use crate::names::unraw;
use crate::types;

mod sheds;

pub(crate) fn chain(chain: &Chain, diagnostics: &mut Diagnostics) {
    has_a_node(chain, diagnostics);
    ends_reply(&chain.run.body, true, diagnostics);
    if !chain.run.is_async {
        wraps_a_future(chain, diagnostics);
    }
    toggles(chain, diagnostics);
    sheds::check(chain, diagnostics);
    inputs_differ(chain, diagnostics);
    fields_differ(chain, diagnostics);
    types_are_told_apart(chain, diagnostics);
    names_differ(chain, diagnostics);
    segments_have_their_fields(chain, diagnostics);
}

fn has_a_node(chain: &Chain, diagnostics: &mut Diagnostics) {
    if chain.run.body.is_empty {
        diagnostics.error_at(
            chain.run.body.span,
            "the chain has no nodes",
            "name at least one, which gives the reply: `{ first => last }`",
        );
    }
}

/// The end of a chain is a node, or a block or branch whose every end is one. What other nodes come after may be an empty arm.
fn ends_reply(block: &Block, replies: bool, diagnostics: &mut Diagnostics) {
    for (at, item) in block.items.iter().enumerate() {
        let replies = replies && at + 1 == block.items.len();
        if let (true, Some(condition), None) = (replies, item.modifiers.conditions.first(), &item.otherwise) {
            let what = match condition {
                Condition::Shed(shed) => format!("shed from `{}` on", shed.level.name()),
                _ => "skipped".to_owned(),
            };
            diagnostics.error_at(
                condition.span(),
                format_args!("what stands at the end of the chain may be {what}, and then nothing replies"),
                "add `else { .. }` behind it with a node that gives the reply, or a node after it",
            );
        }
        let arm = |block: &Block, diagnostics: &mut Diagnostics| {
            if replies && block.is_empty {
                diagnostics.error_at(
                    block.span,
                    "this arm does not reply, and nothing comes after it",
                    "end it with a node that gives the reply",
                );
            }
            ends_reply(block, replies, diagnostics);
        };
        match &item.kind {
            ItemKind::Node(_) => {}
            ItemKind::Block(inner) | ItemKind::Around(_, inner) => {
                if inner.is_empty {
                    diagnostics.error_at(inner.span, "this block has no nodes", "name at least one, or leave it out");
                }
                ends_reply(inner, replies, diagnostics);
            }
            ItemKind::Branch(branch) => {
                if replies && branch.lacks_else {
                    diagnostics.error_at(
                        branch.span,
                        "the chain ends with this `if`, which has no `else`: without one, nothing replies",
                        "add `else { .. }` with a node that gives the reply, or a node behind the `if`",
                    );
                }
                let arms = branch.arms.iter().filter(|arm| !(branch.lacks_else && arm.body.is_empty));
                arms.for_each(|inner| arm(&inner.body, diagnostics));
            }
        }
        item.otherwise.iter().for_each(|otherwise| arm(otherwise, diagnostics));
    }
}

/// In a plain `fn` nothing is awaited.
fn wraps_a_future(chain: &Chain, diagnostics: &mut Diagnostics) {
    for item in chain.run.body.items() {
        if let ItemKind::Around(node, _) = &item.kind {
            diagnostics.error(
                &node.path,
                format_args!("`{}` wraps a future, but this chain is declared `fn`", unraw(node.name())),
                "declare the chain `async fn(..)`",
            );
        }
        let Modifiers { timeout, cancel, .. } = &item.modifiers;
        let spans = timeout.iter().map(|(span, _)| span).chain(cancel.iter().map(|(span, _)| span));
        for span in spans {
            let what = "a chain that is a plain `fn` is never interrupted and never dropped midway";
            diagnostics.error_at(*span, what, "leave the attribute out, or declare the chain `async fn(..)`");
        }
    }
}

/// Switches have a place, and names of their own.
fn toggles(chain: &Chain, diagnostics: &mut Diagnostics) {
    let toggles = chain.run.body.toggles();
    let Some(first) = toggles.first() else { return };
    if chain.form == Form::Short {
        let what = "a chain in the short form has no switches";
        diagnostics.error_at(first.span, what, "declare the chain as an item, with a field `toggles: Toggles`");
    } else if chain.switches().is_none() && chain.may_have_it().is_empty() && !is_missed(chain, "Toggles") {
        diagnostics.error_at(
            first.span,
            format_args!("there is no place for the switch of `{}`", first.name),
            "add a field `toggles: Toggles` to the struct (`chain_runtime::Toggles`, made by `Toggles::new()`)",
        );
    }
    for (at, toggle) in toggles.iter().enumerate() {
        if toggles[..at].iter().any(|other| other.name == toggle.name) {
            diagnostics.error_at(
                toggle.span,
                format_args!("two toggles are called `{}`", toggle.name),
                "give one another name: `#[toggle(\"name\")]`",
            );
        }
    }
    // As many as a word of the smallest machine has bits.
    const MOST: usize = 32;
    if let Some(toggle) = toggles.get(MOST) {
        let what = format!("this is toggle number {}, and a chain has {MOST} at most", MOST + 1);
        diagnostics.error_at(toggle.span, what, "let one toggle switch a block: `#[toggle] { a => b }`");
    }
}

fn inputs_differ(chain: &Chain, diagnostics: &mut Diagnostics) {
    let inputs = &chain.run.inputs;
    for (at, input) in inputs.iter().enumerate() {
        let referent = |ty| types::ungrouped(types::referent(ty));
        let ty = referent(&input.ty);
        let twin = inputs[..at].iter().find(|other| types::same_text(referent(&other.ty), ty));
        if let Some(twin) = twin {
            diagnostics.error(
                &input.ty,
                format_args!(
                    "both inputs `{}` and `{}` are a `{}`",
                    unraw(&twin.name),
                    unraw(&input.name),
                    types::text(ty)
                ),
                "nodes find what they need by its type: wrap one in a type of its own",
            );
        }
        let field = chain.fields.iter().find(|field| types::same_text(types::referent(&field.ty), ty));
        if let Some(field) = field.filter(|_| twin.is_none()) {
            diagnostics.error(
                &input.ty,
                format_args!(
                    "both the field `{}` and the input `{}` are a `{}`",
                    unraw(&field.name),
                    unraw(&input.name),
                    types::text(ty)
                ),
                "nodes find what they need by its type: wrap one in a type of its own",
            );
        }
    }
}

fn fields_differ(chain: &Chain, diagnostics: &mut Diagnostics) {
    for (at, field) in chain.fields.iter().enumerate() {
        if !chain.is_lent(at) {
            continue;
        }
        let ty = types::referent(&field.ty);
        let is_twin = |other: &usize| types::same_text(types::referent(&chain.fields[*other].ty), ty);
        let twin = (0..at).find(|other| chain.is_lent(*other) && is_twin(other));
        if let Some(twin) = twin {
            diagnostics.error(
                &field.ty,
                format_args!(
                    "both fields `{}` and `{}` are a `{}`",
                    unraw(&chain.fields[twin].name),
                    unraw(&field.name),
                    types::text(ty)
                ),
                "nodes find what they need by its type: wrap one in a type of its own",
            );
        }
    }
}

/// A type parameter may be any type, also one that something else in the scope is: rustc would find that the two overlap.
fn types_are_told_apart(chain: &Chain, diagnostics: &mut Diagnostics) {
    let is_own = |path: &syn::Path| {
        chain
            .generics
            .type_params()
            .any(|parameter| path.segments.first().is_some_and(|first| first.ident == parameter.ident))
    };
    // Itself, or what it says that something is: `C::Db`, `<C as Config>::Db`.
    let is_parameter = |ty: &syn::Type| match types::ungrouped(types::referent(ty)) {
        syn::Type::Path(path) => match &path.qself {
            None => path.path.leading_colon.is_none() && is_own(&path.path),
            Some(qself) => {
                matches!(types::ungrouped(&qself.ty), syn::Type::Path(of) if of.qself.is_none() && is_own(&of.path))
            }
        },
        _ => false,
    };
    let fields = chain.fields.iter().enumerate().filter(|(index, _)| chain.is_lent(*index));
    let fields = fields.map(|(_, field)| ("field", &field.name, &field.ty));
    let inputs = chain.run.inputs.iter().map(|input| ("input", &input.name, &input.ty));
    for (kind, name, ty) in fields.chain(inputs).filter(|(.., ty)| is_parameter(ty)) {
        let parameter = types::text(types::ungrouped(types::referent(ty)));
        diagnostics.error(
            ty,
            format_args!(
                "the {kind} `{}` is a `{parameter}`, which may be what something else in this chain is",
                unraw(name)
            ),
            format_args!("nodes find what they need by its type: wrap it in a type of its own, `Wrapper<{parameter}>`"),
        );
    }
}

/// Whether a segment asks for a field of this type that is not there, which is an error of its own.
fn is_missed(chain: &Chain, ty: &str) -> bool {
    let is_there = |need: &NeededField| chain.fields.iter().any(|field| field.name == need.name);
    chain.needs.iter().any(|need| need.text.rsplit("::").next() == Some(ty) && !is_there(need))
}

/// A segment declares the fields that it needs. Whether they are of its types, rustc says.
fn segments_have_their_fields(chain: &Chain, diagnostics: &mut Diagnostics) {
    for need in &chain.needs {
        let NeededField { segment, at, name, text, .. } = need;
        if chain.fields.iter().all(|field| field.name != *name) {
            let place = if chain.form == Form::Short { "the chain" } else { "the struct" };
            diagnostics.error_at(
                *at,
                format_args!("the segment `{segment}` needs a field `{name}: {text}`, which this chain does not have"),
                format_args!("add `{name}: {text}` to {place}"),
            );
        }
    }
}

fn names_differ(chain: &Chain, diagnostics: &mut Diagnostics) {
    let inputs = &chain.run.inputs;
    for (at, input) in inputs.iter().enumerate() {
        if inputs[..at].iter().any(|other| other.name == input.name) {
            let name = unraw(&input.name);
            diagnostics.error(&input.name, format_args!("two inputs are called `{name}`"), "give one another name");
        }
    }
}
