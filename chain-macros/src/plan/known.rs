//! Whether the text of a chain's types says all about them.
//!
//! A type may have two names, so in general only rustc knows which types are the same, and which are another name of a
//! `Result`. Here the chain, its functions and the types that they name stand in one module, and each type is declared
//! there or is one of Rust's own. Then two types are the same only if they are written alike.

use syn::Type;

use super::data::{Plan, Step};
use super::level::Level;
use super::slot::{Slot, SlotKind};
use crate::ast::{Chain, Form};
use crate::handshake::Told;
use crate::nearby::Around;
use crate::types;

/// What stands around a chain, if it alone decides what the chain's types are.
pub(crate) fn around(chain: &Chain) -> Option<Around> {
    let is_known = chain.form == Form::Item
        && chain.generics.params.is_empty()
        && chain.needs.is_empty()
        && chain.fields.iter().all(|field| field.cfg().next().is_none());
    is_known.then(|| Around::of(&chain.name)).flatten()
}

/// What is known of a chain's types by their text.
#[derive(Default)]
pub(crate) struct Known {
    /// What stands around the chain, if text is enough there.
    around: Option<Around>,
    /// No two things in the chain's scopes have the same type, and no type is another name of a `Result`.
    pub(crate) are_distinct: bool,
    /// The name of the reply's type may be an alias of a `Result` or a `ControlFlow`.
    pub(crate) reply_may_hide_a_break: bool,
}

impl Known {
    pub(super) fn of(chain: &Chain, levels: &[Level], steps: &[Step]) -> Self {
        let Some(around) = around(chain).filter(Around::is_module) else {
            return Self { reply_may_hide_a_break: types::may_hide_a_break(&chain.run.reply), ..Self::default() };
        };
        let slots = || levels.iter().flat_map(|level| &level.slots);
        let mut texts: Vec<_> = slots().map(|slot| slot.text.as_str()).collect();
        let count = texts.len();
        texts.sort_unstable();
        texts.dedup();
        let are_distinct = texts.len() == count
            && slots().all(|slot| is_known(slot, steps, &around))
            && texts.iter().all(|text| around.is_one_type(text));
        let reply = &chain.run.reply;
        let is_flow = types::is_named(reply, "Result") || types::is_named(reply, "ControlFlow");
        let reply_may_hide_a_break =
            (is_flow || !around.is_type(&types::text(reply))) && types::may_hide_a_break(reply);
        Self { around: Some(around), are_distinct, reply_may_hide_a_break }
    }

    /// Notes what the types of these things stand for, where they are declared beside the chain as other names.
    pub(super) fn resolve<'s>(&self, slots: impl Iterator<Item = &'s mut Slot>) {
        let Some(around) = self.around.as_ref().filter(|around| around.has_aliases()) else { return };
        for slot in slots {
            let written = if slot.text.is_empty() { &slot.doubt } else { &slot.text };
            slot.alias = around.alias(written);
        }
    }

    /// Whether this type is declared beside the chain, or is Rust's own.
    pub(crate) fn is_type(&self, ty: &Type) -> bool {
        self.around.as_ref().is_some_and(|around| around.is_type(&types::text(ty)))
    }
}

/// Whether the type of this thing is written where the chain is.
fn is_known(slot: &Slot, steps: &[Step], around: &Around) -> bool {
    match slot.kind {
        SlotKind::OwnedInput | SlotKind::SharedInput | SlotKind::BorrowedInput | SlotKind::Field => true,
        SlotKind::Provided => {
            let of_a_node = slot.block.is_none() && !steps[slot.position].may_be_skipped();
            of_a_node && steps[slot.position].is_function_in(around)
        }
        SlotKind::Version | SlotKind::Binding | SlotKind::Context => false,
    }
}

impl Step {
    /// Whether it is a function that stands beside the chain: the types in its signature mean the same there.
    fn is_function_in(&self, around: &Around) -> bool {
        let is_told = self.told.as_ref().is_some_and(|told| told.hooks.is_none());
        let name = syn::parse2::<syn::Ident>(self.node.clone());
        is_told && name.is_ok_and(|name| around.has_function(&name))
    }
}

impl Plan<'_> {
    /// Whether this node's value is no other name of a `Result`.
    pub(crate) fn gives_what_is_known(&self, at: usize) -> bool {
        self.is_known(at, |told| &told.provides)
    }

    /// Whether this node breaks with a type that is no other name of another one.
    pub(crate) fn breaks_with_what_is_known(&self, at: usize) -> bool {
        self.is_known(at, |told| &told.breaks)
    }

    fn is_known(&self, at: usize, text: fn(&Told) -> &String) -> bool {
        let step = &self.steps[at];
        let is_type = |around: &Around| step.told.as_ref().is_some_and(|told| around.is_type(text(told)));
        self.known.around.as_ref().is_some_and(|around| is_type(around) && step.is_function_in(around))
    }
}
