//! A block that provides one type, and whose ends all give another one: its arrow is what is wrong. rustc would report
//! each end, and each node that asks for what is meant.

use super::told::blocks;
use crate::ast::{Block, Chain, ItemKind};
use crate::diagnostics::{Code, Diagnostics};
use crate::nearby::Around;
use crate::types;

pub(super) fn check(chain: &Chain, diagnostics: &mut Diagnostics) {
    let mut around = None;
    for item in chain.run.body.items() {
        let Some(given) = &item.given else { continue };
        let Some(around) = around.get_or_insert_with(|| Around::of(&chain.name)) else { return };
        let mut ends = Vec::new();
        let are_told = blocks(item).all(|block| end(block, around, &mut ends).is_some());
        let text = types::text(&given.ty);
        let Some((first, rest)) = ends.split_first().filter(|_| are_told) else { continue };
        // What nodes ask for as `&User` is provided as a `User`.
        let is_referent = types::text(types::referent(&given.ty)) == *first && *first != text;
        let is_another = *first != text && rest.iter().all(|other| other == first);
        let are_others = is_another && around.is_one_type(first) && around.is_one_type(&text);
        if are_others || (is_referent && rest.iter().all(|other| other == first)) {
            diagnostics.error(
                Code::E415,
                &given.ty,
                format_args!("the block provides `{text}`, but each of its ends gives a `{first}`"),
                format_args!("write `-> {first}`"),
            );
        }
    }
}

/// What the end of a row gives, if that is a function beside the chain, or several that are.
fn end(row: &Block, around: &Around, ends: &mut Vec<String>) -> Option<()> {
    let last = row.items.last()?;
    let ItemKind::Node(node) = &last.kind else {
        return blocks(last).try_for_each(|block| end(block, around, ends));
    };
    let told = node.told.as_ref().filter(|told| !told.provides.is_empty())?;
    around.has_node(node).then(|| ends.push(told.provides.clone()))
}
