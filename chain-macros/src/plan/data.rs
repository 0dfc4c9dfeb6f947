//! What is emitted, as data.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Ident, Type};

use super::slot::{Slot, SlotKind};
use crate::ast::{self, Chain, Form, OnCancel, Share};
use crate::names;

/// What `expand` emits, decided.
pub(crate) struct Plan<'a> {
    pub(crate) chain: &'a Chain,
    /// The chain's own level first, each block's behind that of the block around it.
    pub(crate) levels: Vec<Level>,
    /// All nodes, by position.
    pub(crate) steps: Vec<Step>,
    /// All blocks, as they are described.
    pub(crate) blocks: Vec<BlockInfo>,
    pub(crate) body: Row,
    /// What may be shed, in the order in which it is written.
    pub(crate) sheds: Vec<Shed<'a>>,
    /// Whether the chain's type has type or const parameters: then its constants are evaluated where it is used.
    pub(crate) is_generic: bool,
}

/// What a block adds to the scope.
pub(crate) struct Level {
    /// The scope struct's name.
    pub(crate) scope: Ident,
    pub(crate) outer: Option<Outer>,
    /// For the chain: inputs first, then fields. For an arm: its bindings. Then what the nodes provide, in order.
    pub(crate) slots: Vec<Slot>,
    /// The nodes whose values join this level, by position.
    pub(crate) providers: Vec<usize>,
    /// Whether the block ends with the reply.
    pub(crate) replies: bool,
    /// Where it begins.
    pub(crate) span: Span,
}

/// Where a block stands in the block around it.
#[derive(Clone, Copy)]
pub(crate) struct Outer {
    pub(crate) level: usize,
    /// What nodes before this position provided there can be lent in the block.
    pub(crate) before: usize,
}

/// What runs, one after the other.
pub(crate) struct Row {
    pub(crate) level: usize,
    /// The row ends with the reply; otherwise what comes after it goes on.
    pub(crate) replies: bool,
    pub(crate) pieces: Vec<Piece>,
}

/// One thing of a row. Numbers are positions.
pub(crate) enum Piece {
    Node(usize),
    Block(Row),
    Around(usize, Row),
    Branch(usize, Vec<Arm>),
    /// What runs where all of these hold, and otherwise.
    If(Vec<Condition>, Row, Option<Row>),
}

/// What has to hold.
pub(crate) enum Condition {
    /// The node at this position gives `true`.
    Asked(usize),
    /// The request is one of so many.
    Sampled(Span, Share),
    /// So is the key that the node at this position gives, in this split.
    Split(usize, Share, String),
    /// The toggle of this index is on; as it is declared, it is so or not.
    Toggled(usize, bool),
    /// What has this index among the sheds is not shed.
    Kept(usize),
}

/// Something that is given up under pressure.
pub(crate) struct Shed<'a> {
    pub(crate) declared: &'a ast::Shed,
    pub(crate) of: ShedOf,
}

/// What that is: a node by its position, or a block by its index.
#[derive(Clone, Copy)]
pub(crate) enum ShedOf {
    Node(usize),
    Block(usize),
}

/// What runs for some values of a node.
pub(crate) struct Arm {
    pub(crate) pattern: TokenStream,
    /// What the pattern binds for nodes to find: its name there, the local that has it then, its type.
    pub(crate) bindings: Vec<(Ident, Ident, Type)>,
    pub(crate) span: Span,
    pub(crate) row: Row,
}

/// A block, described.
pub(crate) struct BlockInfo {
    pub(crate) kind: BlockKind,
    pub(crate) label: String,
    /// The block around it.
    pub(crate) parent: Option<usize>,
    /// The node that wraps it, or whose value it is an arm for.
    pub(crate) head: Option<usize>,
    /// The first of the arms of which it is one.
    pub(crate) beside: Option<usize>,
    /// Positions: of its first node, and behind its last.
    pub(crate) first: usize,
    pub(crate) end: usize,
    pub(crate) replies: bool,
    /// Where it begins.
    pub(crate) span: Span,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum BlockKind {
    Braces,
    Around,
    Arm,
}

/// Nodes in a page.
pub(super) const PAGE: usize = 32;

/// Pieces in a part.
pub(super) const PART: usize = 2 * PAGE;

/// Nodes in a chunk: as many as `private::all_lent` takes.
pub(super) const CHUNK: usize = 8;

impl Level {
    /// A long row lends what its nodes provided in pages, each made once, when its last node was entered.
    ///
    /// Without them the node at position `n` borrows `n` locals for its scope, and rustc's analysis of what in a state machine may
    /// overlap takes more than the cube of their number: minutes for 200 nodes. A page costs its references, 8 bytes
    /// for each node, in the future; so a row of up to 128 nodes has none.
    pub(crate) fn pages(&self) -> usize {
        if self.providers.len() >= 4 * PAGE { self.providers.len() / PAGE } else { 0 }
    }

    /// The nodes of a page, as indices among the providers.
    pub(crate) fn page(page: usize) -> std::ops::Range<usize> {
        page * PAGE..(page + 1) * PAGE
    }

    /// Provided values are lent in chunks of eight, where a scope lends eight in a row: one `&mut` and nothing else for each in the
    /// state machine's body, where each local counts.
    pub(crate) fn chunks(&self) -> usize {
        if self.pages() > 0 { 0 } else { self.providers.len() / CHUNK }
    }

    /// The nodes of a chunk, as indices among the providers.
    pub(crate) fn chunk(chunk: usize) -> std::ops::Range<usize> {
        chunk * CHUNK..(chunk + 1) * CHUNK
    }

    /// Where the scope has what this slot holds: in a chunk, or in a member of its own.
    pub(crate) fn loan_of(&self, slot: &Slot) -> TokenStream {
        let chunk = slot.index / CHUNK;
        if slot.kind == SlotKind::Provided && chunk < self.chunks() {
            let (member, index) = (names::local("chunk", chunk), syn::Index::from(slot.index % CHUNK));
            return quote!(#member.#index);
        }
        slot.member.to_token_stream()
    }

    /// How many of its nodes are before this position.
    pub(crate) fn provided_before(&self, position: usize) -> usize {
        self.providers.iter().take_while(|provider| **provider < position).count()
    }

    /// The page on which a node's value is lent, by its index among the providers.
    pub(crate) fn page_of(&self, index: usize) -> Option<usize> {
        Some(index / PAGE).filter(|page| *page < self.pages())
    }

    /// What its nodes provide.
    pub(crate) fn provided(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().filter(|slot| slot.kind == SlotKind::Provided)
    }
}

impl Plan<'_> {
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

    /// Whether anybody can ask how the chain ended.
    pub(crate) fn tells_ending(&self) -> bool {
        let observed = !self.chain.observers.is_empty();
        observed || self.chain.form == Form::Short || self.steps.iter().any(|step| step.has_hooks)
    }

    /// Whether something is to be done when this node is left: then what comes after it stands in a block of its own.
    pub(crate) fn is_left(&self, position: usize) -> bool {
        !self.chain.observers.is_empty() || self.steps[position].has_hooks
    }

    /// Whether somebody is told where this node's `cancelled` hook panics.
    pub(crate) fn watches_hook(&self, position: usize) -> bool {
        !self.chain.observers.is_empty() && self.steps[position].has_hooks
    }

    /// Whether a row has a node that is left before the row is.
    pub(crate) fn leaves(&self, row: &Row) -> bool {
        row.pieces.iter().any(|piece| match piece {
            Piece::Node(position) => self.is_left(*position),
            Piece::Block(row) => self.leaves(row),
            // A future of its own.
            Piece::Around(position, _) => self.is_left(*position),
            Piece::Branch(position, arms) => self.is_left(*position) || arms.iter().any(|arm| self.leaves(&arm.row)),
            Piece::If(_, then, otherwise) => self.leaves(then) || otherwise.iter().any(|row| self.leaves(row)),
        })
    }

    /// Whether what comes from this piece on is a state machine of its own: where a row is so long that it has pages, every `PART`
    /// pieces. The part finds on pages what was provided before it.
    pub(crate) fn begins_part(&self, row: &Row, at: usize) -> bool {
        self.has_parts() && row.level == 0 && at > 0 && at.is_multiple_of(PART) && at < row.pieces.len()
    }

    /// Whether the chain is cut into several state machines.
    pub(crate) fn has_parts(&self) -> bool {
        self.chain.run.is_async && self.levels[0].pages() > 0
    }

    /// How many words of bits there have to be for the positions of nodes that may be skipped, and are observed.
    pub(crate) fn skippable_words(&self) -> usize {
        let last = self.steps.iter().rposition(Step::may_be_skipped);
        last.map_or(0, |last| last / 32 + 1)
    }

    /// Whether a node wraps a block.
    pub(crate) fn wraps(&self) -> bool {
        self.steps.iter().any(|step| step.role == Role::Around)
    }

    /// The node that was entered last, and not left, when the one at this position begins.
    pub(crate) fn after(&self, position: usize) -> Option<usize> {
        self.steps[position].after
    }
}

/// What a node is there for.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Role {
    /// It provides, or replies.
    Step,
    /// It wraps a block.
    Around,
    /// Its value says which arm runs; it gives a `bool` where this is set.
    Scrutinee { is_bool: bool },
    /// It says whether another item runs, and is left at once.
    Predicate,
}

/// A node to be entered and left.
pub(crate) struct Step {
    /// Its type, as the chain names it.
    pub(crate) node: TokenStream,
    /// The expression for a reference to it.
    pub(crate) place: TokenStream,
    pub(crate) name: String,
    pub(crate) span: Span,
    /// Whether it can have `exit` or `cancelled`: a field, or a type by its name. What is named like a function has none, and
    /// nothing is emitted for a way out; that it is one, `check::node` sees to.
    pub(crate) has_hooks: bool,
    pub(crate) role: Role,
    /// The level in which it stands.
    pub(crate) level: usize,
    /// The block in which it stands.
    pub(crate) block: Option<usize>,
    /// See [`Plan::after`].
    pub(crate) after: Option<usize>,
    /// If any, it may be skipped.
    pub(crate) conditions: Vec<Condition>,
    /// How long it may take, as an expression.
    pub(crate) timeout: Option<(Span, TokenStream)>,
    /// It shall allocate nothing.
    pub(crate) no_alloc: bool,
    pub(crate) cancel: Option<(Span, OnCancel)>,
    pub(crate) lints: Vec<syn::Attribute>,
    /// The function of a segment through which its value goes before it is matched.
    pub(crate) through: Option<syn::Path>,
    /// Whether its type is written with arguments.
    pub(crate) has_arguments: bool,
    /// The attributes before it, as a person would write them.
    pub(crate) attributes: String,
}

impl Step {
    /// Whether nobody waits for it.
    pub(crate) fn is_detached(&self) -> bool {
        matches!(self.cancel, Some((_, OnCancel::Detach)))
    }

    pub(crate) fn may_be_skipped(&self) -> bool {
        !self.conditions.is_empty()
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
        Self { kind, label, parent: None, head, beside: None, first: 0, end: 0, replies: false, span }
    }
}
