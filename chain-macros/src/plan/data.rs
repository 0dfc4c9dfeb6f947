//! The plan, as data.

use std::rc::Rc;

use proc_macro2::{Span, TokenStream};
use syn::{Ident, Type};

use super::known::Known;
use super::level::{Back, Level, PAGE, Wire};
use super::slot::Slot;
use crate::ast::{self, Chain, Form, OnCancel, Share};
use crate::handshake::{Access, Told};
use crate::names;

/// Everything that `expand` emits, already decided.
pub(crate) struct Plan<'a> {
    pub(crate) chain: &'a Chain,
    /// The chain's own level comes first, and each block's level after that of the outer block.
    pub(crate) levels: Vec<Level>,
    /// All nodes, by position.
    pub(crate) steps: Vec<Step>,
    /// The descriptions of all blocks.
    pub(crate) blocks: Vec<BlockInfo>,
    pub(crate) body: Row,
    /// The items that may be shed, in the order in which they are written.
    pub(crate) sheds: Vec<Shed<'a>>,
    /// Whether the chain has type or const parameters. Then its constants are evaluated where it is used.
    pub(crate) is_generic: bool,
    /// For each step, the sources of its needs; `None` if its scope finds them.
    pub(crate) wires: Vec<Option<Vec<Wire>>>,
    /// For each step with an `exit` whose signature is told, the sources of what it needs. A `None` in them is the reply.
    pub(crate) exits: Vec<Option<Vec<Option<Wire>>>>,
    /// For each step, whether its hooks are told, found by their traits, and need what text does not find.
    pub(crate) in_doubt: Vec<bool>,
    /// For each step, whether its value goes to a function that writes the type in the same way.
    pub(crate) by_name: Vec<bool>,
    /// Whether each value that a function provides is asked for by how its type is written, in a chain without a scope.
    /// What hides an error is then one of two values of a type (`expand::scope`); otherwise each is looked at.
    pub(crate) all_by_name: bool,
    /// The nodes that take a value and give it back.
    pub(crate) backs: Vec<Back>,
    /// Whether any node needs a scope.
    pub(crate) has_scope: bool,
    /// What the text of the types says.
    pub(crate) known: Known,
}

/// Pieces that run one after the other.
pub(crate) struct Row {
    pub(crate) level: usize,
    /// The row ends with the reply. If not, what comes after it goes on.
    pub(crate) replies: bool,
    /// If it does not, the block whose value this row ends with, if there is one.
    pub(crate) gives: Option<usize>,
    pub(crate) pieces: Vec<Piece>,
    /// For each piece, the block that it is, if that block provides something.
    pub(crate) given: Vec<Option<usize>>,
}

/// One piece of a row. Numbers are positions.
pub(crate) enum Piece {
    Node(usize),
    Block(Row),
    Around(usize, Row),
    Branch(usize, Vec<Arm>),
    /// The first row runs if all of these hold, and the second one if not.
    If(Vec<Condition>, Row, Option<Row>),
}

/// A condition.
pub(crate) enum Condition {
    /// The field with this index, an `Option`, has a node.
    Held(Span, usize),
    /// The node at this position gives `true`.
    Asked(usize),
    /// The request is drawn in this share.
    Sampled(Span, Share),
    /// The key from the node at this position falls into this share, for this split.
    Split(usize, Share, String),
    /// The toggle with this index is on. The `bool` is its state as declared.
    Toggled(usize, bool),
    /// The item with this index among the sheds is not shed.
    Kept(usize),
}

/// An item that is given up under pressure.
pub(crate) struct Shed<'a> {
    pub(crate) declared: &'a ast::Shed,
    pub(crate) of: ShedOf,
}

/// The item: a node by its position, or a block by its index.
#[derive(Clone, Copy)]
pub(crate) enum ShedOf {
    Node(usize),
    Block(usize),
}

/// The row that runs for some values of a node.
pub(crate) struct Arm {
    pub(crate) pattern: TokenStream,
    /// What the pattern binds for nodes to find: the name in the pattern, the local that then holds the value, and its
    /// type.
    pub(crate) bindings: Vec<(Ident, Ident, Type)>,
    pub(crate) span: Span,
    pub(crate) row: Row,
}

/// The description of a block.
pub(crate) struct BlockInfo {
    pub(crate) kind: BlockKind,
    pub(crate) label: String,
    /// The outer block.
    pub(crate) parent: Option<usize>,
    /// The node that wraps it, or for whose value it is an arm.
    pub(crate) head: Option<usize>,
    /// The first arm of its branch.
    pub(crate) beside: Option<usize>,
    /// The position of its first node, and the one after its last node.
    pub(crate) first: usize,
    pub(crate) end: usize,
    pub(crate) replies: bool,
    /// The type that it provides. The other arms provide the same.
    pub(crate) provides: Option<ast::Given>,
    /// Where the block begins.
    pub(crate) span: Span,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum BlockKind {
    Braces,
    Around,
    Arm,
}

/// The number of pieces in a part.
pub(super) const PART: usize = 2 * PAGE;

impl Plan<'_> {
    /// The slots for a function's parameters, if the text of the types decides that.
    pub(crate) fn wired(&self, position: usize) -> Option<Vec<&Slot>> {
        let wires = self.wires[position].as_ref()?;
        Some(wires.iter().map(|wire| &self.levels[wire.level].slots[wire.slot]).collect())
    }

    /// Whether a node may take the value of the node at this position. If so, a constant says how it is held.
    pub(crate) fn may_be_taken(&self, position: usize) -> bool {
        let is_it = |slot: &Slot| slot.position == position && slot.block.is_none() && slot.takable;
        self.levels[self.steps[position].level].provided().any(is_it)
    }

    /// How the value of this block is held, if a node may take it.
    pub(crate) fn way_of_block(&self, block: usize) -> Option<Ident> {
        let mut slots = self.levels.iter().flat_map(Level::provided);
        slots.any(|slot| slot.block == Some(block) && slot.takable).then(|| names::way_of_block(block))
    }

    /// Whether a row ends with the node at this position.
    pub(crate) fn ends_its_row(&self, position: usize) -> bool {
        position + 1 == self.steps[position].block.map_or(self.steps.len(), |block| self.blocks[block].end)
    }

    /// Whether any function takes a parameter by value. The last node does not count, since no node after it can miss
    /// the value.
    pub(crate) fn takes(&self) -> bool {
        let before = &self.steps[..self.steps.len().saturating_sub(1)];
        let mut parameters = before.iter().flat_map(|step| &step.told).flat_map(|told| &told.parameters);
        let last_may_run_again = self.wraps() && self.steps.last().is_some_and(|last| last.block.is_some());
        parameters.any(|(access, _)| *access == Access::Taken) || last_may_run_again
    }

    /// Whether the chain's owned inputs are there for the whole run. Otherwise a node may take one.
    pub(crate) fn keeps_inputs(&self) -> bool {
        !self.has_scope && !self.takes()
    }

    /// What patterns bind for nodes to find.
    pub(crate) fn bindings(&self) -> impl Iterator<Item = (&Ident, &Type)> {
        fn of<'a>(row: &'a Row, all: &mut Vec<(&'a Ident, &'a Type)>) {
            for piece in &row.pieces {
                match piece {
                    Piece::Node(_) => {}
                    Piece::Block(row) | Piece::Around(_, row) => of(row, all),
                    Piece::Branch(_, arms) => {
                        for arm in arms {
                            all.extend(arm.bindings.iter().map(|(name, _, ty)| (name, ty)));
                            of(&arm.row, all);
                        }
                    }
                    Piece::If(_, then, otherwise) => {
                        of(then, all);
                        otherwise.iter().for_each(|row| of(row, all));
                    }
                }
            }
        }
        let mut all = Vec::new();
        of(&self.body, &mut all);
        all.into_iter()
    }

    /// Whether anything can ask how the chain ended.
    pub(crate) fn tells_ending(&self) -> bool {
        let observed = !self.chain.observers.is_empty();
        // A hook that is called by text does not ask for the ending: a scope has it.
        observed
            || self.chain.form == Form::Short
            || self.steps.iter().any(|step| step.has_hooks && step.told.is_none())
    }

    /// Whether something has to be done when this node is left. Then what comes after it stands in a block of its own.
    pub(crate) fn is_left(&self, position: usize) -> bool {
        !self.chain.observers.is_empty() || self.steps[position].has_hooks
    }

    /// Whether observers are told if this node's `cancelled` hook panics.
    pub(crate) fn watches_hook(&self, position: usize) -> bool {
        !self.chain.observers.is_empty() && self.steps[position].has_hooks
    }

    /// Whether a row has a node that is left before the row is left.
    pub(crate) fn leaves(&self, row: &Row) -> bool {
        row.pieces.iter().any(|piece| match piece {
            Piece::Node(position) => self.is_left(*position),
            Piece::Block(row) => self.leaves(row),
            // This is a future of its own.
            Piece::Around(position, _) => self.is_left(*position),
            Piece::Branch(position, arms) => self.is_left(*position) || arms.iter().any(|arm| self.leaves(&arm.row)),
            Piece::If(_, then, otherwise) => self.leaves(then) || otherwise.iter().any(|row| self.leaves(row)),
        })
    }

    /// Whether the pieces from this one on are a state machine of their own. In a row that is long enough for pages, a
    /// part begins every `PART` pieces. The part finds on pages what was provided before it.
    pub(crate) fn begins_part(&self, row: &Row, at: usize) -> bool {
        self.has_parts() && row.level == 0 && at > 0 && at.is_multiple_of(PART) && at < row.pieces.len()
    }

    /// Whether the chain is cut into several state machines.
    pub(crate) fn has_parts(&self) -> bool {
        self.chain.run.is_async && self.levels[0].pages() > 0
    }

    /// How many words of bits are needed for the positions of nodes that may be skipped, if the chain is observed.
    pub(crate) fn skippable_words(&self) -> usize {
        let last = self.steps.iter().rposition(Step::may_be_skipped);
        last.map_or(0, |last| last / 32 + 1)
    }

    /// Whether a node wraps a block.
    pub(crate) fn wraps(&self) -> bool {
        self.steps.iter().any(|step| step.role == Role::Around)
    }

    /// The node that was entered last and is not left yet when the node at this position begins.
    pub(crate) fn after(&self, position: usize) -> Option<usize> {
        self.steps[position].after
    }
}

/// The role of a node.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Role {
    /// It provides a value, or replies.
    Step,
    /// It wraps a block.
    Around,
    /// Its value says which arm runs. `is_bool`: the value is a `bool`.
    Scrutinee { is_bool: bool },
    /// It decides whether another item runs, and is left at once.
    Predicate,
}

/// A node to be entered and left.
pub(crate) struct Step {
    /// Its type, as the chain names it. For a function it is the path.
    pub(crate) node: TokenStream,
    /// The signature of a function, if it is known.
    pub(crate) told: Option<Rc<Told>>,
    /// The signatures of hooks which are found by their traits although they are told.
    pub(crate) untold: Option<Rc<Told>>,
    /// The type that it gives, if a bound of the chain decides that.
    pub(crate) by_a_bound: Option<TokenStream>,
    /// For a field whose hooks are found by their traits: its type without arguments, and without a pointer to it.
    pub(crate) kin: String,
    /// The field that it is.
    pub(crate) field: Option<usize>,
    /// The expression for a reference to it.
    pub(crate) place: TokenStream,
    pub(crate) name: String,
    pub(crate) span: Span,
    /// Whether it can have `exit` or `cancelled`: a field, or a type by its name. A node that is named like a function
    /// has neither, and no way out is emitted for it; `check::node` checks that it is a function.
    pub(crate) has_hooks: bool,
    pub(crate) role: Role,
    /// The level in which it stands.
    pub(crate) level: usize,
    /// The block in which it stands.
    pub(crate) block: Option<usize>,
    /// See [`Plan::after`].
    pub(crate) after: Option<usize>,
    /// If there are any, it may be skipped.
    pub(crate) conditions: Vec<Condition>,
    /// How long it may take, as an expression.
    pub(crate) timeout: Option<(Span, TokenStream)>,
    /// If it breaks, the run goes on without it.
    pub(crate) open: Option<ast::Open>,
    /// It may allocate nothing.
    pub(crate) no_alloc: bool,
    pub(crate) cancel: Option<(Span, OnCancel)>,
    pub(crate) lints: Vec<syn::Attribute>,
    /// The function of a segment that is applied to its value before it is matched.
    pub(crate) through: Option<syn::Path>,
    /// Whether its type is written with arguments.
    pub(crate) has_arguments: bool,
    /// The attributes before it, as a person would write them.
    pub(crate) attributes: String,
}

impl Step {
    /// Whether nothing waits for it.
    pub(crate) fn is_detached(&self) -> bool {
        matches!(self.cancel, Some((_, OnCancel::Detach)))
    }

    /// Whether its value may be missing while the run goes on.
    pub(crate) fn may_be_skipped(&self) -> bool {
        !self.conditions.is_empty() || self.open.is_some()
    }

    /// Whether its work may go behind the request.
    pub(crate) fn goes_behind(&self, plan: &Plan<'_>) -> bool {
        self.conditions.iter().any(|condition| match condition {
            Condition::Kept(index) => matches!(plan.sheds[*index].declared.how, ast::How::Behind(_)),
            _ => false,
        })
    }
}

impl Step {
    pub(super) fn named(node: TokenStream, place: TokenStream, name: String, span: Span) -> Self {
        Self {
            node,
            told: None,
            untold: None,
            by_a_bound: None,
            kin: String::new(),
            field: None,
            place,
            name,
            span,
            has_hooks: false,
            role: Role::Step,
            level: 0,
            block: None,
            after: None,
            conditions: Vec::new(),
            timeout: None,
            open: None,
            no_alloc: false,
            cancel: None,
            lints: Vec::new(),
            through: None,
            has_arguments: false,
            attributes: String::new(),
        }
    }
}

impl BlockInfo {
    pub(super) fn begin(kind: BlockKind, label: String, head: Option<usize>, span: Span) -> Self {
        Self { kind, label, parent: None, head, beside: None, first: 0, end: 0, replies: false, provides: None, span }
    }
}
