//! The chain as data, before any token of it is emitted: the content of its scopes, and its steps.
//!
//! A block has a *level* of its own in the scope: the values of its nodes stay there. All nodes have a position in one
//! sequence, in the order in which they are written; a *row* says what runs after what.

use proc_macro2::{Span, TokenStream};
use quote::quote;

mod around;
mod back;
mod condition;
mod data;
mod given;
mod hooks;
mod known;
mod level;
mod read;
mod slot;
mod value;
mod wire;

pub(crate) use wire::is_near;

pub(crate) use known::{Known, around};

pub(crate) use data::{Arm, BlockInfo, BlockKind, Condition, Piece, Plan, Role, Row, Shed, ShedOf, Step};
pub(crate) use level::{Level, Outer};
pub(crate) use slot::{By, Slot, SlotKind};

use read::{chain_slots, slot, step};

use crate::ast::{self, Chain, ItemKind};
use crate::names;
use crate::types;

/// The plan in which hooks are called by what their signatures say, if text finds all that any node of the chain needs.
/// Otherwise all hooks are found by their traits.
pub(crate) fn plan(chain: &Chain) -> Plan<'_> {
    hooks::by_text(chain).unwrap_or_else(|| planned(chain, false))
}

fn planned(chain: &Chain, hooks_by_text: bool) -> Plan<'_> {
    let parameters = &chain.generics.params;
    let is_generic = parameters.iter().any(|parameter| !matches!(parameter, syn::GenericParam::Lifetime(_)));
    let mut planner = Planner {
        chain,
        levels: Vec::new(),
        steps: Vec::new(),
        blocks: Vec::new(),
        is_generic,
        bindings: 0,
        toggles: 0,
        sheds: Vec::new(),
        backs: Vec::new(),
        hooks_by_text,
    };
    let level = planner.level(None, Ends::Replies, chain.name.span());
    planner.levels[level].slots = chain_slots(chain);
    let body = planner.row(&chain.run.body, Place { level, block: None, after: None });
    let Planner { levels, steps, blocks, sheds, backs, .. } = planner;
    let index = wire::Index::of(&levels);
    let (wires, exits) = (wire::wires(&index, &steps), wire::exits(&index, &steps));
    // Whether all is there is looked for with certain types.
    let is_sought = !is_generic || types::are_of_core(&chain.generics);
    let in_doubt = if is_sought { wire::in_doubt(chain, &index, &steps) } else { vec![false; steps.len()] };
    let backs = back::backs(&backs, &levels, &steps, &blocks, &wires);
    let mut by_name = vec![false; steps.len()];
    for wire in wires.iter().flatten().flatten() {
        let slot = &levels[wire.level].slots[wire.slot];
        if slot.kind == SlotKind::Provided && slot.block.is_none() {
            by_name[slot.position] = true;
        }
    }
    let all_by_name =
        levels.iter().flat_map(Level::provided).all(|slot| slot.block.is_none() && by_name[slot.position]);
    let needs_what_is_gone = wire::needs_what_is_gone(&steps, &blocks, &wires, &backs);
    let known = Known::of(chain, &levels, &steps);
    let mut plan = Plan {
        chain,
        levels,
        steps,
        blocks,
        body,
        sheds,
        is_generic,
        wires,
        exits,
        in_doubt,
        by_name,
        all_by_name,
        backs,
        has_scope: true,
        known,
    };
    // A chain with type parameters describes its endings, its inputs and its reply through its scope.
    let mut described = chain.run.inputs.iter().map(|input| &input.ty).chain([&chain.run.reply]);
    let is_told = !plan.wires.iter().any(Option::is_none) && !needs_what_is_gone;
    let mut describes =
        |plan: &Plan<'_>| plan.tells_ending() || described.any(|ty| types::depends(ty, &chain.generics));
    plan.has_scope = !is_told || (is_generic && describes(&plan));
    let has_scope = plan.has_scope;
    plan.all_by_name &= !has_scope;
    plan.levels.iter_mut().for_each(|level| level.has_scope = has_scope);
    if has_scope || !plan.known.are_distinct {
        plan.known.resolve(plan.levels.iter_mut().flat_map(|level| &mut level.slots));
        // Otherwise nothing of what is emitted names these types.
        for slot in plan.levels.iter_mut().flat_map(|level| &mut level.slots) {
            if slot.kind == SlotKind::Provided && slot.block.is_none() {
                slot.name_types(chain, &plan.steps[slot.position], is_generic);
            }
        }
    }
    if has_scope {
        wire::mark_takable(&mut plan.levels, &plan.steps, &plan.wires);
    }
    plan
}

struct Planner<'a> {
    chain: &'a Chain,
    levels: Vec<Level>,
    steps: Vec<Step>,
    blocks: Vec<BlockInfo>,
    is_generic: bool,
    /// How many bindings there are so far.
    bindings: usize,
    /// How many toggles there are so far.
    toggles: usize,
    /// The items that are shed so far.
    sheds: Vec<Shed<'a>>,
    /// The nodes so far that give a value back, with the parameter that takes it.
    backs: Vec<(usize, usize)>,
    /// Whether hooks are called by what their signatures say.
    hooks_by_text: bool,
}

/// What a row ends with.
#[derive(Clone, Copy, PartialEq)]
enum Ends {
    /// The reply.
    Replies,
    /// The value of this block.
    Gives(usize),
    /// Nothing: what comes after it goes on.
    GoesOn,
}

impl Ends {
    fn gives(self) -> Option<usize> {
        match self {
            Self::Gives(block) => Some(block),
            Self::Replies | Self::GoesOn => None,
        }
    }
}

/// The place of an item.
#[derive(Clone, Copy)]
struct Place {
    level: usize,
    block: Option<usize>,
    /// See [`Plan::after`].
    after: Option<usize>,
}

impl<'a> Planner<'a> {
    fn level(&mut self, outer: Option<Outer>, ends: Ends, span: Span) -> usize {
        let index = self.levels.len();
        let scope = names::scope_of(&self.chain.name, index);
        let (replies, gives) = (ends == Ends::Replies, ends.gives());
        self.levels.push(Level {
            scope,
            outer,
            slots: Vec::new(),
            providers: Vec::new(),
            replies,
            gives,
            span,
            has_scope: true,
        });
        index
    }

    /// What the row of this level ends with.
    fn ends(&self, level: usize) -> Ends {
        let Level { replies, gives, .. } = self.levels[level];
        gives.map_or(if replies { Ends::Replies } else { Ends::GoesOn }, Ends::Gives)
    }

    fn row(&mut self, body: &'a ast::Block, mut place: Place) -> Row {
        let level = place.level;
        let last = body.items.len().saturating_sub(1);
        let (mut pieces, mut given) = (Vec::new(), Vec::new());
        for (at, item) in body.items.iter().enumerate() {
            let ends = match &item.given {
                Some(_) => Ends::Gives(self.blocks.len()),
                None if at == last => self.ends(level),
                None => Ends::GoesOn,
            };
            let block = ends.gives().filter(|_| item.given.is_some());
            pieces.push(self.item(item, at == last, ends, &mut place));
            if let (Some(block), Some(what)) = (block, &item.given) {
                self.gives(block, what, item, level);
            }
            given.push(block);
        }
        self.row_of(level, pieces, given)
    }

    fn row_of(&self, level: usize, pieces: Vec<Piece>, given: Vec<Option<usize>>) -> Row {
        let Level { replies, gives, .. } = self.levels[level];
        Row { level, replies, gives, pieces, given }
    }

    /// An item. It is skipped if its conditions do not hold.
    fn item(&mut self, item: &'a ast::Item, is_last: bool, ends: Ends, place: &mut Place) -> Piece {
        let first_shed = self.sheds.len();
        let mut conditions: Vec<_> =
            item.modifiers.conditions.iter().map(|condition| self.condition(condition, item, *place)).collect();
        let is_lone_node = matches!(item.kind, ItemKind::Node(_)) && item.otherwise.is_none();
        let of = if is_lone_node { ShedOf::Node(self.steps.len()) } else { ShedOf::Block(self.blocks.len()) };
        self.sheds[first_shed..].iter_mut().for_each(|shed| shed.of = of);
        // Work goes behind the request only if it would have run, which is known after all other conditions.
        conditions.sort_by_key(|condition| match condition {
            Condition::Kept(index) => matches!(self.sheds[*index].declared.how, ast::How::Behind(_)),
            _ => false,
        });
        if conditions.is_empty() || is_lone_node {
            return self.kind(item, conditions, is_last, ends, place);
        }
        let label = item.modifiers.text.clone();
        let then = BlockInfo::begin(BlockKind::Arm, label, None, item.modifiers.conditions[0].span());
        let first = self.blocks.len();
        let then = self.block(then, Some(first), &[], ends, *place, |planner, place| match &item.kind {
            ItemKind::Block(inner) => planner.row(inner, place),
            _ => {
                let piece = planner.kind(item, Vec::new(), true, ends, &mut { place });
                planner.row_of(place.level, vec![piece], vec![None])
            }
        });
        let otherwise = item.otherwise.as_ref().map(|otherwise| {
            let begun = BlockInfo::begin(BlockKind::Arm, "else".to_owned(), None, otherwise.span);
            self.block(begun, Some(first), &[], ends, *place, |planner, place| planner.row(otherwise, place))
        });
        Piece::If(conditions, then, otherwise)
    }

    fn kind(
        &mut self,
        item: &'a ast::Item,
        conditions: Vec<Condition>,
        is_last: bool,
        ends: Ends,
        place: &mut Place,
    ) -> Piece {
        let level = place.level;
        match &item.kind {
            ItemKind::Node(node) => {
                let ast::Modifiers { timeout, cancel, open, lints, text, no_alloc, .. } = &item.modifiers;
                let (timeout, cancel, open, lints) = (timeout.clone(), *cancel, open.clone(), lints.clone());
                // With an `else`, the attributes are those of the arm.
                let attributes = if item.otherwise.is_none() { text.clone() } else { String::new() };
                let no_alloc = no_alloc.is_some();
                let step = Step {
                    conditions,
                    timeout,
                    cancel,
                    open,
                    lints,
                    attributes,
                    no_alloc,
                    ..step(self.chain, node, self.hooks_by_text)
                };
                let position = self.step(step, Role::Step, place);
                // No node can find the reply, and the values of a block stay in it.
                if !is_last {
                    self.provides(position, level);
                }
                Piece::Node(position)
            }
            ItemKind::Block(inner) => {
                let begun = BlockInfo::begin(BlockKind::Braces, String::new(), None, inner.span);
                Piece::Block(self.block(begun, None, &[], ends, *place, |planner, place| planner.row(inner, place)))
            }
            ItemKind::Around(node, inner) => {
                let mut within = *place;
                let lints = item.modifiers.lints.clone();
                let position =
                    self.step(Step { lints, ..step(self.chain, node, self.hooks_by_text) }, Role::Around, &mut within);
                let begun = BlockInfo::begin(BlockKind::Around, String::new(), Some(position), inner.span);
                let row = self.block(begun, None, &[], ends, within, |planner, place| planner.row(inner, place));
                Piece::Around(position, row)
            }
            ItemKind::Branch(branch) => {
                let role = Role::Scrutinee { is_bool: branch.is_bool };
                let lints = item.modifiers.lints.clone();
                let position = self.step(
                    Step { lints, through: branch.through.clone(), ..step(self.chain, &branch.node, false) },
                    role,
                    place,
                );
                let first = self.blocks.len();
                let arms = branch.arms.iter().map(|arm| {
                    let begun = BlockInfo::begin(BlockKind::Arm, arm.label.clone(), Some(position), arm.body.span);
                    let bound_before = self.bindings;
                    let row = self.block(begun, Some(first), &arm.bindings, ends, *place, |planner, place| {
                        planner.row(&arm.body, place)
                    });
                    let bindings = arm.bindings.iter().enumerate().map(|(index, binding)| {
                        let local = names::bound(bound_before + index, binding.name.span());
                        (binding.name.clone(), local, binding.ty.clone())
                    });
                    Arm { pattern: arm.pattern.clone(), bindings: bindings.collect(), span: arm.body.span, row }
                });
                Piece::Branch(position, arms.collect())
            }
        }
    }

    fn block(
        &mut self,
        begun: BlockInfo,
        beside: Option<usize>,
        bindings: &[ast::Binding],
        ends: Ends,
        around: Place,
        row: impl FnOnce(&mut Self, Place) -> Row,
    ) -> Row {
        let first = self.steps.len();
        let before = begun.head.unwrap_or(first);
        let inner = self.level(Some(Outer { level: around.level, before }), ends, begun.span);
        for (index, binding) in bindings.iter().enumerate() {
            let slot = slot(self.chain, &binding.ty, &binding.name, index, SlotKind::Binding);
            let binding = Some(names::bound(self.bindings, binding.name.span()));
            let loan = match slot.by {
                By::Itself => {
                    let (call, way, ty) = (names::call_lifetime(), names::way_of_binding(self.bindings), &slot.ty);
                    let rt = names::runtime_alias();
                    quote!(<#ty as #rt::private::Loan<#call, #way>>::Loan)
                }
                By::Shared | By::Borrowed => slot.loan.clone(),
            };
            let outlives = self.is_generic.then(|| slot.ty.clone());
            self.levels[inner].slots.push(Slot { position: self.bindings, binding, loan, outlives, ..slot });
            self.bindings += 1;
        }
        let block = self.blocks.len();
        let replies = ends == Ends::Replies;
        self.blocks.push(BlockInfo { parent: around.block, beside, first, replies, ..begun });
        let row = row(self, Place { level: inner, block: Some(block), after: around.after });
        self.blocks[block].end = self.steps.len();
        row
    }

    fn step(&mut self, step: Step, role: Role, place: &mut Place) -> usize {
        let position = self.steps.len();
        // A node that wraps a block sees the block's end itself. A node that is only asked is left at once.
        let has_hooks = step.has_hooks && !matches!(role, Role::Around | Role::Predicate);
        let no_alloc = step.no_alloc || self.chain.no_alloc.is_some();
        self.steps.push(Step {
            has_hooks,
            role,
            no_alloc,
            level: place.level,
            block: place.block,
            after: place.after,
            ..step
        });
        place.after = Some(position);
        position
    }

    /// Adds the value of the node at this position to this level.
    fn provides(&mut self, position: usize, level: usize) {
        let step = &self.steps[position];
        if step.told.as_ref().is_some_and(|told| told.provides.is_empty()) {
            return;
        }
        // What it gives stands where the value stood that it took.
        if let Some(parameter) = step.told.as_ref().and_then(|told| told.gives_back()) {
            self.backs.push((position, parameter));
            return;
        }
        let text = match (&step.told, step.may_be_skipped()) {
            (Some(told), false) => told.provides.clone(),
            (Some(told), true) => format!("Option<{}>", told.provides),
            (None, _) => String::new(),
        };
        let level = &mut self.levels[level];
        let index = level.providers.len();
        level.providers.push(position);
        let (name, none) = (step.name.clone(), TokenStream::new);
        let slot = Slot::new(SlotKind::Provided, index, position, name, step.span, none(), none());
        let doubt = step.untold.as_ref().map(|told| told.provides.clone()).unwrap_or_default();
        let maybe = step.may_be_skipped().then(none);
        level.slots.push(Slot { text, doubt, maybe, ..slot });
    }
}
