//! The chain as data, before any token of it is emitted: what is in its scopes, and the steps it takes.
//!
//! A block has a *level* of its own in the scope: what its nodes provide stays there. All nodes have their position in one
//! row, in the order in which they are written; a *row* says what runs after what.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Ident, Type};

use crate::ast::{self, Chain, Form, ItemKind, OnCancel, Share};
use crate::names;
use crate::types;

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
const PAGE: usize = 32;

/// Pieces in a part.
const PART: usize = 2 * PAGE;

/// Nodes in a chunk: as many as `private::all_lent` takes.
const CHUNK: usize = 8;

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

/// A thing in the scope.
pub(crate) struct Slot {
    /// The type that finds it, with the run's lifetime for every one of its own.
    pub(crate) ty: TokenStream,
    /// The type of the scope struct's member.
    pub(crate) loan: TokenStream,
    /// What the user calls it, in a message.
    pub(crate) name: String,
    /// The `#[cfg(..)]` of the field that it is.
    pub(crate) cfg: Vec<syn::Attribute>,
    /// Index among its kind in its level.
    pub(crate) index: usize,
    /// What names its source: the node's position, or the index among its kind in the whole chain.
    pub(crate) position: usize,
    pub(crate) kind: SlotKind,
    pub(crate) span: Span,
    /// The field of the scope struct.
    pub(crate) member: Ident,
    /// The local that has what a pattern bound.
    pub(crate) binding: Option<Ident>,
    /// Whether it is found by what a reference refers to.
    pub(crate) by: By,
    /// The node that provides it may be skipped: under this type it is found then.
    pub(crate) maybe: Option<TokenStream>,
    /// Of what a node provides: how it is lent.
    pub(crate) lent: Option<TokenStream>,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum SlotKind {
    /// `name: T`
    OwnedInput,
    /// `name: &T`
    SharedInput,
    /// `name: &mut T`
    BorrowedInput,
    /// The short form's context, which can be lent in parts.
    Context,
    /// A field of the chain.
    Field,
    /// What a field holds that can be swapped, in one version for the whole run.
    Version,
    /// What a pattern binds.
    Binding,
    /// What a node provides.
    Provided,
}

/// How a field or a binding holds what it is found by.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum By {
    Itself,
    /// `&T`
    Shared,
    /// `&mut T`
    Borrowed,
}

impl By {
    fn of(ty: &Type) -> Self {
        match types::ungrouped(ty) {
            Type::Reference(reference) if reference.mutability.is_some() => Self::Borrowed,
            Type::Reference(_) => Self::Shared,
            _ => Self::Itself,
        }
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

/// The inputs and the fields.
fn chain_slots(chain: &Chain) -> Vec<Slot> {
    let mut slots = Vec::new();
    for (index, input) in chain.run.inputs.iter().enumerate() {
        let kind = match types::ungrouped(&input.ty) {
            _ if chain.form == Form::Short => SlotKind::Context,
            Type::Reference(reference) if reference.mutability.is_some() => SlotKind::BorrowedInput,
            Type::Reference(_) => SlotKind::SharedInput,
            _ => SlotKind::OwnedInput,
        };
        slots.push(slot(chain, &input.ty, &input.name, index, kind));
    }
    for (index, field) in chain.fields.iter().enumerate() {
        if chain.is_lent(index) {
            let cfg = field.cfg().cloned().collect();
            slots.push(Slot { cfg, ..slot(chain, &field.ty, &field.name, index, SlotKind::Field) });
        }
        if let Some(held) = types::reloadable(&field.ty) {
            let cfg = field.cfg().cloned().collect();
            slots.push(Slot { cfg, ..slot(chain, held, &field.name, index, SlotKind::Version) });
        }
        if chain.may_be_reloadable(index) {
            let cfg = field.cfg().cloned().collect();
            let (rt, by, name, ty) = (names::runtime_alias(), names::version_by(chain, index), &chain.name, &field.ty);
            let (_, own, _) = chain.generics.split_for_impl();
            let held = quote!(<#rt::private::VersionBy<#by> as #rt::private::Versioned<#ty, #name #own, #index>>::Held);
            let mut version = slot(chain, &Type::Verbatim(held), &field.name, index, SlotKind::Version);
            version.span = syn::spanned::Spanned::span(&field.ty);
            slots.push(Slot { cfg, ..version });
        }
    }
    slots
}

fn slot(chain: &Chain, ty: &Type, name: &Ident, index: usize, kind: SlotKind) -> Slot {
    let (run, call) = (names::run_lifetime(), names::call_lifetime());
    let (by, ty) = (By::of(ty), types::referent(ty));
    // The lifetimes of the chain's type stay; the run's own, and elided ones, are the run's.
    let own: Vec<_> = chain.generics.lifetimes().map(|parameter| parameter.lifetime.clone()).collect();
    let ty_in_run = types::with_lifetime_but(ty, &run, &own);
    let rt = names::runtime_alias();
    let ty_in_run = chain.with_hidden(&ty_in_run, &run);
    let loan = match kind {
        SlotKind::OwnedInput => quote!(#rt::private::Option<&#call mut #rt::private::Option<#ty_in_run>>),
        SlotKind::SharedInput => quote!(#rt::private::Option<&#run #ty_in_run>),
        SlotKind::Binding if by == By::Shared => quote!(#rt::private::Option<&#run #ty_in_run>),
        SlotKind::Version => quote!(#rt::private::Option<&#call #ty_in_run>),
        SlotKind::Context => quote!(#rt::short::Lent<#call>),
        _ => quote!(#rt::private::Option<&#call mut #ty_in_run>),
    };
    let member = match kind {
        SlotKind::Field => "field",
        SlotKind::Binding => "binding",
        SlotKind::Version => "version",
        _ => "input",
    };
    Slot {
        ty: ty_in_run.to_token_stream(),
        loan,
        name: names::unraw(name),
        cfg: Vec::new(),
        index,
        position: index,
        kind,
        span: syn::spanned::Spanned::span(ty),
        member: names::local(member, index),
        binding: None,
        by,
        maybe: None,
        lent: None,
    }
}

fn step(chain: &Chain, node: &ast::NodeUse) -> Step {
    let span = node.span();
    let rt = names::alias(span);
    let chain_name = &chain.name;
    let (_, chain_ty, _) = chain.generics.split_for_impl();
    let name = names::unraw(node.name());
    let has_hooks = node.field.is_some() || !name.starts_with(|first: char| first == '_' || first.is_lowercase());
    let (ty, place) = match node.field {
        Some(index) => {
            let ty = &chain.fields[index].ty;
            let name = node.name();
            let ty = names::shown_at(quote!(#ty), span);
            // `self` with the hygiene of the signature that declares it.
            let this = quote!(&self.#name);
            (
                quote_spanned!(span=> <#ty as #rt::IsNode<#chain_name #chain_ty>>::Itself),
                quote_spanned!(span=> <#ty as #rt::IsNode<#chain_name #chain_ty>>::itself(#this)),
            )
        }
        None => {
            let path = &node.path;
            let path = names::shown_at(quote!(#path), span);
            // What is named like a type may be one that is no node, or a function's under another name: that is said once.
            let path = match has_hooks {
                true => quote_spanned!(span=> <#path as #rt::IsNode<#chain_name #chain_ty>>::Itself),
                false => path,
            };
            (path.clone(), quote_spanned!(span=> &<#path as #rt::Stateless>::NODE))
        }
    };
    let is_argued = |path: &syn::Path| path.segments.iter().any(|segment| !segment.arguments.is_none());
    let has_arguments = match node.field.map(|index| types::ungrouped(&chain.fields[index].ty)) {
        None => node.path.qself.is_some() || is_argued(&node.path.path),
        Some(Type::Path(ty)) => is_argued(&ty.path),
        Some(_) => true,
    };
    // A field's type, shown where the field is used: what is wrong with the node is wrong there.
    let node = names::shown_at(ty, span);
    Step { has_hooks, has_arguments, ..Step::named(node, place, name, span) }
}

impl Step {
    fn named(node: TokenStream, place: TokenStream, name: String, span: Span) -> Self {
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
    fn begin(kind: BlockKind, label: String, head: Option<usize>, span: Span) -> Self {
        Self { kind, label, parent: None, head, beside: None, first: 0, end: 0, replies: false, span }
    }
}
