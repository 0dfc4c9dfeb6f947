//! The chain as data, before any token of it is emitted: what is in its scopes, and the steps it takes.
//!
//! A block has a *level* of its own in the scope: what its nodes provide stays there. All nodes have their position in one
//! row, in the order in which they are written; a *row* says what runs after what.

use proc_macro2::Span;
use quote::quote_spanned;

mod data;
mod read;
mod slot;

pub(crate) use data::{Arm, BlockInfo, BlockKind, Condition, Level, Outer, Piece, Plan, Role, Row, Shed, ShedOf, Step};
pub(crate) use slot::{By, Slot, SlotKind};

use read::{chain_slots, slot, step};

use crate::ast::{self, Chain, ItemKind};
use crate::names;

pub(crate) fn plan(chain: &Chain) -> Plan<'_> {
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
    };
    let level = planner.level(None, true, chain.name.span());
    planner.levels[level].slots = chain_slots(chain);
    let body = planner.row(&chain.run.body, Place { level, block: None, after: None });
    let Planner { levels, steps, blocks, sheds, .. } = planner;
    Plan { chain, levels, steps, blocks, body, sheds, is_generic }
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
    /// What is shed so far.
    sheds: Vec<Shed<'a>>,
}

/// Where something stands.
#[derive(Clone, Copy)]
struct Place {
    level: usize,
    block: Option<usize>,
    /// See [`Plan::after`].
    after: Option<usize>,
}

impl<'a> Planner<'a> {
    fn level(&mut self, outer: Option<Outer>, replies: bool, span: Span) -> usize {
        let index = self.levels.len();
        let scope = names::scope_of(&self.chain.name, index);
        self.levels.push(Level { scope, outer, slots: Vec::new(), providers: Vec::new(), replies, span });
        index
    }

    fn row(&mut self, body: &'a ast::Block, mut place: Place) -> Row {
        let level = place.level;
        let replies = self.levels[level].replies;
        let last = body.items.len().saturating_sub(1);
        let items = body.items.iter().enumerate();
        let pieces = items.map(|(at, item)| self.item(item, at == last, &mut place)).collect();
        Row { level, replies, pieces }
    }

    /// An item, skipped where its conditions do not hold.
    fn item(&mut self, item: &'a ast::Item, is_last: bool, place: &mut Place) -> Piece {
        let first_shed = self.sheds.len();
        let mut conditions: Vec<_> =
            item.modifiers.conditions.iter().map(|condition| self.condition(condition, item, *place)).collect();
        let is_lone_node = matches!(item.kind, ItemKind::Node(_)) && item.otherwise.is_none();
        let of = if is_lone_node { ShedOf::Node(self.steps.len()) } else { ShedOf::Block(self.blocks.len()) };
        self.sheds[first_shed..].iter_mut().for_each(|shed| shed.of = of);
        // What goes behind the request is what would have run: that is known when all else was asked.
        conditions.sort_by_key(|condition| match condition {
            Condition::Kept(index) => matches!(self.sheds[*index].declared.how, ast::How::Behind(_)),
            _ => false,
        });
        if conditions.is_empty() || is_lone_node {
            return self.kind(item, conditions, is_last, place);
        }
        let replies = self.levels[place.level].replies && is_last;
        let label = item.modifiers.text.clone();
        let then = BlockInfo::begin(BlockKind::Arm, label, None, item.modifiers.conditions[0].span());
        let first = self.blocks.len();
        let then = self.block(then, Some(first), &[], replies, *place, |planner, place| match &item.kind {
            ItemKind::Block(inner) => planner.row(inner, place),
            _ => {
                let piece = planner.kind(item, Vec::new(), true, &mut { place });
                Row { level: place.level, replies, pieces: vec![piece] }
            }
        });
        let otherwise = item.otherwise.as_ref().map(|otherwise| {
            let begun = BlockInfo::begin(BlockKind::Arm, "else".to_owned(), None, otherwise.span);
            self.block(begun, Some(first), &[], replies, *place, |planner, place| planner.row(otherwise, place))
        });
        Piece::If(conditions, then, otherwise)
    }

    fn condition(&mut self, condition: &'a ast::Condition, item: &ast::Item, place: Place) -> Condition {
        match condition {
            ast::Condition::When(node) => {
                let step = step(self.chain, node);
                Condition::Asked(self.step(step, Role::Predicate, &mut { place }))
            }
            ast::Condition::Sample(span, share) => Condition::Sampled(*span, *share),
            ast::Condition::Split(span, share) => {
                let rt = names::alias(*span);
                let node = quote_spanned!(*span=> #rt::share::split);
                let place_of = quote_spanned!(*span=> &<#node as #rt::Stateless>::NODE);
                let step = Step::named(node, place_of, "split".to_owned(), *span);
                // By the names, not by the position: the same users are in it when the chain grows elsewhere.
                let salt = format!("{}/{}", names::unraw(&self.chain.name), item.first_name());
                Condition::Split(self.step(step, Role::Predicate, &mut { place }), *share, salt)
            }
            ast::Condition::Toggle(toggle) => {
                let index = self.toggles;
                self.toggles += 1;
                Condition::Toggled(index, toggle.on)
            }
            ast::Condition::Shed(declared) => {
                // What it is of, is known once the other conditions have their positions.
                self.sheds.push(Shed { declared, of: ShedOf::Node(self.steps.len()) });
                Condition::Kept(self.sheds.len() - 1)
            }
        }
    }

    fn kind(&mut self, item: &'a ast::Item, conditions: Vec<Condition>, is_last: bool, place: &mut Place) -> Piece {
        let level = place.level;
        let replies = self.levels[level].replies && is_last;
        match &item.kind {
            ItemKind::Node(node) => {
                let ast::Modifiers { timeout, cancel, lints, text, no_alloc, .. } = &item.modifiers;
                let (timeout, cancel, lints) = (timeout.clone(), *cancel, lints.clone());
                // Where there is an `else`, they are those of the arm.
                let attributes = if item.otherwise.is_none() { text.clone() } else { String::new() };
                let no_alloc = no_alloc.is_some();
                let step = Step { conditions, timeout, cancel, lints, attributes, no_alloc, ..step(self.chain, node) };
                let position = self.step(step, Role::Step, place);
                // The reply is nobody's to find, and what a block gives stays in it.
                if !is_last {
                    self.provides(position, level);
                }
                Piece::Node(position)
            }
            ItemKind::Block(inner) => {
                let begun = BlockInfo::begin(BlockKind::Braces, String::new(), None, inner.span);
                Piece::Block(self.block(begun, None, &[], replies, *place, |planner, place| planner.row(inner, place)))
            }
            ItemKind::Around(node, inner) => {
                let mut within = *place;
                let lints = item.modifiers.lints.clone();
                let position = self.step(Step { lints, ..step(self.chain, node) }, Role::Around, &mut within);
                let begun = BlockInfo::begin(BlockKind::Around, String::new(), Some(position), inner.span);
                let row = self.block(begun, None, &[], replies, within, |planner, place| planner.row(inner, place));
                Piece::Around(position, row)
            }
            ItemKind::Branch(branch) => {
                let role = Role::Scrutinee { is_bool: branch.is_bool };
                let lints = item.modifiers.lints.clone();
                let position = self.step(
                    Step { lints, through: branch.through.clone(), ..step(self.chain, &branch.node) },
                    role,
                    place,
                );
                let first = self.blocks.len();
                let arms = branch.arms.iter().map(|arm| {
                    let begun = BlockInfo::begin(BlockKind::Arm, arm.label.clone(), Some(position), arm.body.span);
                    let bound_before = self.bindings;
                    let row = self.block(begun, Some(first), &arm.bindings, replies, *place, |planner, place| {
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
        replies: bool,
        around: Place,
        row: impl FnOnce(&mut Self, Place) -> Row,
    ) -> Row {
        let first = self.steps.len();
        let before = begun.head.unwrap_or(first);
        let inner = self.level(Some(Outer { level: around.level, before }), replies, begun.span);
        for (index, binding) in bindings.iter().enumerate() {
            let slot = slot(self.chain, &binding.ty, &binding.name, index, SlotKind::Binding);
            let binding = Some(names::bound(self.bindings, binding.name.span()));
            self.levels[inner].slots.push(Slot { position: self.bindings, binding, ..slot });
            self.bindings += 1;
        }
        let block = self.blocks.len();
        self.blocks.push(BlockInfo { parent: around.block, beside, first, replies, ..begun });
        let row = row(self, Place { level: inner, block: Some(block), after: around.after });
        self.blocks[block].end = self.steps.len();
        row
    }

    fn step(&mut self, step: Step, role: Role, place: &mut Place) -> usize {
        let position = self.steps.len();
        // What wraps a block sees its end itself; what is only asked is left at once.
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

    /// What the node at this position provides joins this level.
    fn provides(&mut self, position: usize, level: usize) {
        let step = &self.steps[position];
        let (node, span) = (&step.node, step.span);
        let rt = names::alias(span);
        let (run, call) = (names::run_lifetime(), names::call_lifetime());
        let name = &self.chain.name;
        let (_, chain_ty, _) = self.chain.generics.split_for_impl();
        let joins = quote_spanned!(span=> <#node as #rt::Joins<#run, #name #chain_ty>>);
        let ty = quote_spanned!(span=> #joins::As<#position>);
        let held = quote_spanned!(span=> #joins::Held<#position>);
        let lent = quote_spanned!(span=> <#joins::Lent as #rt::scope::LentFrom<#run, #call, #held, #ty>>);
        let key = quote_spanned!(span=> <#node as #rt::Signature<#run>>::Key<#position>);
        let (ty, key, maybe) = match step.may_be_skipped() {
            false => (ty, key, None),
            true => {
                let option = quote_spanned!(span=> #rt::private::Option);
                (quote_spanned!(span=> #option<#held>), quote_spanned!(span=> #option<#key>), Some(ty))
            }
        };
        let level = &mut self.levels[level];
        let index = level.providers.len();
        level.providers.push(position);
        level.slots.push(Slot {
            ty,
            loan: match self.is_generic {
                // With type parameters, the bound that rustc infers for the reference is needed.
                true => quote_spanned!(span=> #rt::private::Option<&#call mut #key>),
                false => quote_spanned!(span=> <#key as #rt::private::Loan<#call>>::Loan),
            },
            maybe,
            name: step.name.clone(),
            cfg: Vec::new(),
            index,
            position,
            kind: SlotKind::Provided,
            span,
            member: names::local("provided", position),
            binding: None,
            by: By::Itself,
            lent: Some(lent),
        });
    }
}
