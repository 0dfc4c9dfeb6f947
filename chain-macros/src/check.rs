//! Reports mistakes in a chain that can be seen without knowing any type.
//!
//! - a chain has a node, and each end of a chain that replies, or of a block that provides, is a node;
//! - a node that wraps a future stands in a chain that has one;
//! - one type has one provider: among the inputs and the fields, by their written types. Only rustc knows what nodes
//!   provide; `expand::scope` lets it compare.

use std::borrow::Cow;

use crate::ast::{Chain, Condition, Form, ItemKind, Modifiers, NeededField, NodeUse};
use crate::diagnostics::{Code, Diagnostics};
use crate::names::unraw;
use crate::nearby;
use crate::types;

mod bare;
mod bound;
mod ends;
mod given;
mod hidden;
mod named;
mod overlap;
mod plain;
mod sheds;
mod told;
mod twice;
mod unwraps;

pub(crate) use named::unmarked;
pub(crate) use told::check as told;

pub(crate) fn chain(chain: &Chain, diagnostics: &mut Diagnostics) {
    has_a_node(chain, diagnostics);
    named::check(chain, diagnostics);
    // A row that could not be read to its end ends elsewhere. What is in braces may be no block.
    if !diagnostics.is_any() {
        ends::check(chain, diagnostics);
    }
    if !chain.run.is_async && !diagnostics.is_any() {
        wraps_a_future(chain, diagnostics);
    }
    is_no_node_of_itself(chain, diagnostics);
    may_be_none(chain, diagnostics);
    toggles(chain, diagnostics);
    sheds::check(chain, diagnostics);
    inputs_differ(chain, diagnostics);
    fields_differ(chain, diagnostics);
    types_are_told_apart(chain, diagnostics);
    names_differ(chain, diagnostics);
    segments_have_their_fields(chain, diagnostics);
}

/// Whether this chain is declared already. Whatever would be emitted for it would collide with what is there.
pub(crate) fn is_declared_twice(chain: &Chain, diagnostics: &mut Diagnostics) -> bool {
    let before = (chain.form == Form::Item).then(|| nearby::chain_before(&chain.name)).flatten();
    if let Some(line) = before {
        declared_twice(chain, line, "give one of them another name", diagnostics);
    }
    before.is_some()
}

/// The same for its struct.
pub(crate) fn has_a_struct(chain: &Chain, diagnostics: &mut Diagnostics) -> bool {
    let beside = (chain.form == Form::Item).then(|| nearby::type_beside(&chain.name)).flatten();
    if let Some(line) = beside {
        let help = "leave out the declaration beside the chain: `chain!` declares the struct, with its fields";
        declared_twice(chain, line, help, diagnostics);
    }
    beside.is_some()
}

fn declared_twice(chain: &Chain, line: usize, help: &str, diagnostics: &mut Diagnostics) {
    let name = unraw(&chain.name);
    let what = format_args!("`{name}` is declared twice: the other one is in line {line}");
    diagnostics.error(Code::E017, &chain.name, what, help);
}

fn has_a_node(chain: &Chain, diagnostics: &mut Diagnostics) {
    if chain.run.body.is_empty {
        diagnostics.error_at(
            Code::E011,
            chain.run.body.span,
            "the chain has no nodes",
            "name at least one, which gives the reply: `{ first => last }`",
        );
    }
}

/// A plain `fn` awaits nothing.
fn wraps_a_future(chain: &Chain, diagnostics: &mut Diagnostics) {
    for item in chain.run.body.items() {
        if let ItemKind::Around(node, _) = &item.kind {
            diagnostics.error(
                Code::E210,
                &node.path,
                format_args!("`{}` wraps a future, but this chain is declared `fn`", unraw(node.name())),
                "declare the chain `async fn(..)`",
            );
        }
        let Modifiers { timeout, cancel, .. } = &item.modifiers;
        let spans = timeout.iter().map(|(span, _)| span).chain(cancel.iter().map(|(span, _)| span));
        for span in spans {
            let what = "a chain that is a plain `fn` is never interrupted and never dropped midway";
            diagnostics.error_at(
                Code::E508,
                *span,
                what,
                "leave the attribute out, or declare the chain `async fn(..)`",
            );
        }
    }
}

/// A chain has no loops.
fn is_no_node_of_itself(chain: &Chain, diagnostics: &mut Diagnostics) {
    for item in chain.run.body.items() {
        if let ItemKind::Node(node) = &item.kind
            && node.field.is_none()
            && node.path.path.segments.first().is_some_and(|first| first.ident == chain.name)
        {
            diagnostics.error(
                Code::E014,
                &node.path,
                format_args!("the chain `{}` cannot be a node of itself", unraw(&chain.name)),
                "loop inside a node, or wrap a block in a node that runs it again, like `Retry`",
            );
        }
    }
}

/// A field that may be `None` is a single node. It does not wrap a block, and does not decide what runs. `else` stands
/// after an item that may be skipped.
fn may_be_none(chain: &Chain, diagnostics: &mut Diagnostics) {
    let is_option = |node: &NodeUse| node.field.is_some_and(|field| types::is_option(&chain.fields[field].ty));
    let mut refuse = |node: &NodeUse, does: &str, help: &str| {
        if is_option(node) {
            let what = format!("`{}` {does}, and may be `None`", unraw(node.name()));
            diagnostics.error(Code::E414, &node.path, what, help);
        }
    };
    for item in chain.run.body.items() {
        match &item.kind {
            ItemKind::Around(node, _) => {
                refuse(
                    node,
                    "wraps a block",
                    "make the field the node itself, whose `around` may just await the block",
                );
            }
            ItemKind::Branch(branch) => {
                refuse(
                    &branch.node,
                    "says which arm runs",
                    "make the field the node itself, and let it give a value for that case",
                );
            }
            ItemKind::Node(_) | ItemKind::Block(_) => {}
        }
        for condition in &item.modifiers.conditions {
            if let Condition::When(node) = condition {
                refuse(
                    node,
                    "says whether another node runs",
                    "make the field the node itself, and let it give `false` for that case",
                );
            }
        }
    }
    for item in chain.run.body.items() {
        if let (Some(span), []) = (item.lone_else, item.modifiers.conditions.as_slice()) {
            diagnostics.error_at(
                Code::E406,
                span,
                "this `else` belongs to no `if`",
                "write `if node { .. } else { .. }`",
            );
        }
    }
}

/// There has to be a place for switches, and each has a name of its own.
fn toggles(chain: &Chain, diagnostics: &mut Diagnostics) {
    let toggles = chain.run.body.toggles();
    let Some(first) = toggles.first() else { return };
    if chain.form == Form::Short {
        let what = "a chain in the short form has no switches";
        diagnostics.error_at(
            Code::E509,
            first.span,
            what,
            "declare the chain as an item, with a field `toggles: Toggles`",
        );
    } else if chain.switches().is_none() && chain.may_have_it().is_empty() && !is_missed(chain, "Toggles") {
        diagnostics.error_at(
            Code::E509,
            first.span,
            format_args!("there is no place for the switch of `{}`", first.name),
            "add a field `toggles: Toggles` to the struct (`chain_runtime::Toggles`, made by `Toggles::new()`)",
        );
    }
    for (at, toggle) in toggles.iter().enumerate() {
        if toggles[..at].iter().any(|other| other.name == toggle.name) {
            diagnostics.error_at(
                Code::E510,
                toggle.span,
                format_args!("two toggles are called `{}`", toggle.name),
                "give one another name: `#[toggle(\"name\")]`",
            );
        }
    }
    // As many as the bits in a word of the smallest machine.
    const MOST: usize = 32;
    if let Some(toggle) = toggles.get(MOST) {
        let what = format!("this is toggle number {}, and a chain has {MOST} at most", MOST + 1);
        diagnostics.error_at(Code::E511, toggle.span, what, "let one toggle switch a block: `#[toggle] { a => b }`");
    }
}

/// The type by which an input or a field is found.
fn found_by<'c>(chain: &Chain, ty: &'c syn::Type) -> Cow<'c, syn::Type> {
    let ty = types::ungrouped(types::referent(ty));
    types::fixed(ty, &chain.generics).map_or(Cow::Borrowed(ty), Cow::Owned)
}

fn inputs_differ(chain: &Chain, diagnostics: &mut Diagnostics) {
    let inputs = &chain.run.inputs;
    for (at, input) in inputs.iter().enumerate() {
        let ty = found_by(chain, &input.ty);
        let twin = inputs[..at].iter().find(|other| types::same_text(&found_by(chain, &other.ty), &ty));
        if let Some(twin) = twin {
            diagnostics.error(
                Code::E111,
                &input.ty,
                format_args!(
                    "both inputs `{}` and `{}` are a `{}`",
                    unraw(&twin.name),
                    unraw(&input.name),
                    types::text(&ty)
                ),
                "nodes find what they need by its type: wrap one in a type of its own",
            );
        }
        let field = chain.fields.iter().find(|field| types::same_text(&found_by(chain, &field.ty), &ty));
        if let Some(field) = field.filter(|_| twin.is_none()) {
            diagnostics.error(
                Code::E111,
                &input.ty,
                format_args!(
                    "both the field `{}` and the input `{}` are a `{}`",
                    unraw(&field.name),
                    unraw(&input.name),
                    types::text(&ty)
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
        let ty = found_by(chain, &field.ty);
        let is_twin = |other: &usize| types::same_text(&found_by(chain, &chain.fields[*other].ty), &ty);
        let twin = (0..at).find(|other| chain.is_lent(*other) && is_twin(other));
        if let Some(twin) = twin {
            diagnostics.error(
                Code::E111,
                &field.ty,
                format_args!(
                    "both fields `{}` and `{}` are a `{}`",
                    unraw(&chain.fields[twin].name),
                    unraw(&field.name),
                    types::text(&ty)
                ),
                "nodes find what they need by its type: wrap one in a type of its own",
            );
        }
    }
}

/// A type parameter may be any type, even one that something else in the scope has: rustc would find that the two
/// overlap.
fn types_are_told_apart(chain: &Chain, diagnostics: &mut Diagnostics) {
    // The parameter itself, or a type that comes from it: `C::Db`, `<C as Config>::Db`.
    let is_parameter = |ty: &syn::Type| is_undecided(chain, types::referent(ty));
    let fields = chain.fields.iter().enumerate().filter(|(index, _)| chain.is_lent(*index));
    let fields = fields.map(|(_, field)| ("field", &field.name, &field.ty));
    let inputs = chain.run.inputs.iter().map(|input| ("input", &input.name, &input.ty));
    for given in chain.run.body.items().into_iter().filter_map(|item| item.given.as_ref()) {
        if is_parameter(&given.ty) {
            let parameter = &given.text;
            diagnostics.error(
                Code::E112,
                &given.ty,
                format_args!("the block provides a `{parameter}`, which may be what something else in this chain is"),
                format_args!(
                    "nodes find what they need by its type: wrap it in a type of its own, `Wrapper<{parameter}>`"
                ),
            );
        }
    }
    for (kind, name, ty) in fields.chain(inputs).filter(|(.., ty)| is_parameter(ty)) {
        // rustc says so.
        if nearby::lacks_a_type_of(&chain.name, &chain.generics, types::referent(ty)) {
            diagnostics.known();
            continue;
        }
        let parameter = types::text(types::ungrouped(types::referent(ty)));
        diagnostics.error(
            Code::E112,
            ty,
            format_args!(
                "the {kind} `{}` is a `{parameter}`, which may be what something else in this chain is",
                unraw(name)
            ),
            format_args!("nodes find what they need by its type: wrap it in a type of its own, `Wrapper<{parameter}>`"),
        );
    }
}

/// Whether a type is a parameter of the chain, or a type that comes from one, and no bound says which type that is.
fn is_undecided(chain: &Chain, ty: &syn::Type) -> bool {
    let fixed = types::fixed(ty, &chain.generics);
    let own = types::parameter(fixed.as_ref().unwrap_or(ty));
    own.is_some_and(|own| chain.generics.type_params().any(|parameter| parameter.ident == *own))
}

/// Whether a segment asks for a field of this type that is not there. That is an error of its own.
fn is_missed(chain: &Chain, ty: &str) -> bool {
    let is_there = |need: &NeededField| chain.fields.iter().any(|field| field.name == need.name);
    chain.needs.iter().any(|need| need.text.rsplit("::").next() == Some(ty) && !is_there(need))
}

/// A segment declares the fields that it needs. rustc checks their types.
fn segments_have_their_fields(chain: &Chain, diagnostics: &mut Diagnostics) {
    for need in &chain.needs {
        let NeededField { segment, at, name, text, .. } = need;
        if chain.fields.iter().all(|field| field.name != *name) {
            let place = if chain.form == Form::Short { "the chain" } else { "the struct" };
            diagnostics.error_at(
                Code::E604,
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
            diagnostics.error(
                Code::E016,
                &input.name,
                format_args!("two inputs are called `{name}`"),
                "give one another name",
            );
        }
    }
}
