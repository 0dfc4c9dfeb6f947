//! Whether the hooks of a chain are called by what their signatures say, without a scope.

use super::data::{Plan, Role, Step};
use super::planned;
use super::slot::Slot;
use crate::ast::{Chain, Item, ItemKind, NodeUse};
use crate::handshake::{Access, Of};
use crate::types;

/// The plan of a chain in which text finds all that any node needs, hooks among them.
pub(super) fn by_text(chain: &Chain) -> Option<Plan<'_>> {
    let has_hooks = |item: &Item| matches!(&item.kind, ItemKind::Node(node) if node.hooks.is_some());
    chain.run.body.items().into_iter().find(|item| has_hooks(item))?;
    let plan = planned(chain, true);
    let is_called = |at: usize| is_called(&plan, at);
    (!plan.has_scope && (0..plan.steps.len()).all(is_called)).then_some(plan)
}

/// Whether a node can be called without a scope: a function, or hooks without anything around them.
fn is_called(plan: &Plan<'_>, at: usize) -> bool {
    let step = &plan.steps[at];
    let Some(told) = &step.told else { return false };
    let Some(hooks) = &told.hooks else { return true };
    let Some(exit) = &hooks.exit else { return is_plain(plan, step, told.is_async) };
    let Some(wires) = &plan.exits[at] else { return false };
    let reply = types::text(&plan.chain.run.reply);
    // In a block that goes on there is no reply yet.
    let sees_it = plan.levels[step.level].replies;
    let fits = exit.parameters.iter().all(|(of, _, text)| *of != Of::Reply || (sees_it && *text == reply));
    // What an `exit` is lent was perhaps taken.
    let mut parameters = plan.steps.iter().flat_map(|step| &step.told).flat_map(|told| &told.parameters);
    let is_there = wires.iter().all(Option::is_none) || !parameters.any(|(access, _)| *access == Access::Taken);
    is_plain(plan, step, told.is_async || exit.is_async) && fits && is_there
}

fn is_plain(plan: &Plan<'_>, step: &Step, is_async: bool) -> bool {
    step.role == Role::Step
        && !step.may_be_skipped()
        && step.timeout.is_none()
        && step.cancel.is_none()
        && step.lints.is_empty()
        && !step.no_alloc
        && (plan.chain.run.is_async || !is_async)
}

impl Plan<'_> {
    /// The fields whose types are known to be nodes with hooks, by their signatures.
    pub(crate) fn told_fields(&self) -> Vec<usize> {
        let mut told = Vec::new();
        for item in self.chain.run.body.items() {
            if let ItemKind::Node(NodeUse { field: Some(field), hooks: Some(_), .. }) = &item.kind {
                told.push(*field);
            }
        }
        told
    }

    /// The slots for the parameters of an `exit` that is called by text; `None` for the reply.
    pub(crate) fn wired_exit(&self, position: usize) -> Option<Vec<Option<&Slot>>> {
        let wires = self.exits[position].as_ref()?;
        Some(wires.iter().map(|wire| wire.as_ref().map(|wire| &self.levels[wire.level].slots[wire.slot])).collect())
    }
}
