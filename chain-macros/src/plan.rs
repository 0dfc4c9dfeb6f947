//! The chain as data, before any token of it is emitted: what is in its scopes, and the steps it takes.
//!
//! A block has a *level* of its own in the scope: what its nodes provide stays there. All nodes have their position in one
//! row, in the order in which they are written; a *row* says what runs after what.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Ident, Type};

use crate::ast::{self, Chain, Form, Item};
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
}

/// What runs for some values of a node.
pub(crate) struct Arm {
    pub(crate) pattern: TokenStream,
    /// What the pattern binds for nodes to find.
    pub(crate) bindings: Vec<Ident>,
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
    /// Positions: of its first node, and behind its last.
    pub(crate) first: usize,
    pub(crate) end: usize,
    pub(crate) replies: bool,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum BlockKind {
    Braces,
    Around,
    Arm,
}

/// Nodes in a page.
const PAGE: usize = 32;

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
    /// Whether anybody can ask how the chain ended.
    pub(crate) fn tells_ending(&self) -> bool {
        let observed = !self.chain.observers.is_empty();
        observed || self.chain.form == Form::Short || self.steps.iter().any(|step| step.has_hooks)
    }

    /// Whether something is to be done when this node is left: then what comes after it stands in a block of its own.
    pub(crate) fn is_left(&self, position: usize) -> bool {
        !self.chain.observers.is_empty() || self.steps[position].has_hooks
    }

    /// Whether a row has a node that is left before the row is.
    pub(crate) fn leaves(&self, row: &Row) -> bool {
        row.pieces.iter().any(|piece| match piece {
            Piece::Node(position) => self.is_left(*position),
            Piece::Block(row) => self.leaves(row),
            // A future of its own.
            Piece::Around(position, _) => self.is_left(*position),
            Piece::Branch(position, arms) => {
                self.is_left(*position) || arms.iter().any(|arm| self.leaves(&arm.row))
            }
        })
    }

    /// Whether a part of the chain is a future of its own.
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
    /// What a pattern calls it.
    pub(crate) binding: Option<Ident>,
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
    /// What a pattern binds.
    Binding,
    /// What a node provides.
    Provided,
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
}

pub(crate) fn plan(chain: &Chain) -> Plan<'_> {
    let parameters = &chain.generics.params;
    let is_generic = parameters.iter().any(|parameter| !matches!(parameter, syn::GenericParam::Lifetime(_)));
    let mut planner = Planner { chain, levels: Vec::new(), steps: Vec::new(), blocks: Vec::new(), is_generic, bindings: 0 };
    let level = planner.level(None, true);
    planner.levels[level].slots = chain_slots(chain);
    let body = planner.row(&chain.run.body, level, None, None);
    let Planner { levels, steps, blocks, .. } = planner;
    Plan { chain, levels, steps, blocks, body, is_generic }
}

struct Planner<'a> {
    chain: &'a Chain,
    levels: Vec<Level>,
    steps: Vec<Step>,
    blocks: Vec<BlockInfo>,
    is_generic: bool,
    /// How many bindings there are so far.
    bindings: usize,
}

/// A block that is about to be planned.
struct Begun {
    kind: BlockKind,
    label: String,
    head: Option<usize>,
}

impl Planner<'_> {
    fn level(&mut self, outer: Option<Outer>, replies: bool) -> usize {
        let index = self.levels.len();
        let scope = names::scope_of(&self.chain.name, index);
        self.levels.push(Level { scope, outer, slots: Vec::new(), providers: Vec::new(), replies });
        index
    }

    fn row(&mut self, body: &ast::Block, level: usize, block: Option<usize>, mut after: Option<usize>) -> Row {
        let replies = self.levels[level].replies;
        let last = body.items.len().saturating_sub(1);
        let mut pieces = Vec::new();
        for (at, item) in body.items.iter().enumerate() {
            // The reply is nobody's to find, and what a block gives stays in it.
            let is_last = at == last;
            let replies = replies && is_last;
            let piece = match item {
                Item::Node(node) => {
                    let position = self.step(node, Role::Step, level, block, &mut after);
                    if !is_last {
                        self.provides(position, level);
                    }
                    Piece::Node(position)
                }
                Item::Block(inner) => {
                    let begun = Begun { kind: BlockKind::Braces, label: String::new(), head: None };
                    Piece::Block(self.block(inner, begun, &[], level, block, replies, after))
                }
                Item::Around(node, inner) => {
                    let mut within = after;
                    let position = self.step(node, Role::Around, level, block, &mut within);
                    let begun = Begun { kind: BlockKind::Around, label: String::new(), head: Some(position) };
                    Piece::Around(position, self.block(inner, begun, &[], level, block, replies, within))
                }
                Item::Branch(branch) => {
                    let role = Role::Scrutinee { is_bool: branch.is_bool };
                    let position = self.step(&branch.node, role, level, block, &mut after);
                    let arms = branch.arms.iter().map(|arm| {
                        let label = arm.label.clone();
                        let begun = Begun { kind: BlockKind::Arm, label, head: Some(position) };
                        let row = self.block(&arm.body, begun, &arm.bindings, level, block, replies, after);
                        let bindings = arm.bindings.iter().map(|binding| binding.name.clone()).collect();
                        Arm { pattern: arm.pattern.clone(), bindings, row }
                    });
                    Piece::Branch(position, arms.collect())
                }
            };
            pieces.push(piece);
        }
        Row { level, replies, pieces }
    }

    #[allow(clippy::too_many_arguments, reason = "where a block stands, and what it is")]
    fn block(
        &mut self,
        body: &ast::Block,
        begun: Begun,
        bindings: &[ast::Binding],
        level: usize,
        parent: Option<usize>,
        replies: bool,
        after: Option<usize>,
    ) -> Row {
        let first = self.steps.len();
        let before = begun.head.unwrap_or(first);
        let inner = self.level(Some(Outer { level, before }), replies);
        for (index, binding) in bindings.iter().enumerate() {
            let slot = slot(self.chain, &binding.ty, &binding.name, index, SlotKind::Binding);
            let binding = Some(binding.name.clone());
            self.levels[inner].slots.push(Slot { position: self.bindings, binding, ..slot });
            self.bindings += 1;
        }
        let block = self.blocks.len();
        let Begun { kind, label, head } = begun;
        self.blocks.push(BlockInfo { kind, label, parent, head, first, end: first, replies });
        let row = self.row(body, inner, Some(block), after);
        self.blocks[block].end = self.steps.len();
        row
    }

    fn step(
        &mut self,
        node: &ast::NodeUse,
        role: Role,
        level: usize,
        block: Option<usize>,
        after: &mut Option<usize>,
    ) -> usize {
        let position = self.steps.len();
        let step = step(self.chain, node);
        // What wraps a block sees its end itself.
        let has_hooks = step.has_hooks && role != Role::Around;
        self.steps.push(Step { has_hooks, role, level, block, after: *after, ..step });
        *after = Some(position);
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
        let level = &mut self.levels[level];
        let index = level.providers.len();
        level.providers.push(position);
        level.slots.push(Slot {
            ty: quote_spanned!(span=> <#node as #rt::Joins<#run, #name #chain_ty>>::As<#position>),
            loan: match self.is_generic {
                // With type parameters, the bound that rustc infers for the reference is needed.
                true => quote_spanned!(span=> #rt::private::Option<&#call mut <#node as #rt::Signature<#run>>::Key<#position>>),
                false => quote_spanned!(span=> <<#node as #rt::Signature<#run>>::Key<#position> as #rt::private::Loan<#call>>::Loan),
            },
            name: step.name.clone(),
            cfg: Vec::new(),
            index,
            position,
            kind: SlotKind::Provided,
            span,
            member: names::local("provided", position),
            binding: None,
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
        slots.push(slot(chain, types::referent(&input.ty), &input.name, index, kind));
    }
    for (index, field) in chain.fields.iter().enumerate() {
        if chain.is_lent(index) {
            let cfg = field.cfg().cloned().collect();
            slots.push(Slot { cfg, ..slot(chain, &field.ty, &field.name, index, SlotKind::Field) });
        }
    }
    slots
}

fn slot(chain: &Chain, ty: &Type, name: &Ident, index: usize, kind: SlotKind) -> Slot {
    let (run, call) = (names::run_lifetime(), names::call_lifetime());
    // The lifetimes of the chain's type stay; the run's own, and elided ones, are the run's.
    let own: Vec<_> = chain.generics.lifetimes().map(|parameter| parameter.lifetime.clone()).collect();
    let ty_in_run = types::with_lifetime_but(ty, &run, &own);
    let rt = names::runtime_alias();
    let loan = match kind {
        SlotKind::OwnedInput => quote!(#rt::private::Option<&#call mut #rt::private::Option<#ty_in_run>>),
        SlotKind::SharedInput => quote!(#rt::private::Option<&#run #ty_in_run>),
        SlotKind::Context => quote!(#rt::short::Lent<#call>),
        _ => quote!(#rt::private::Option<&#call mut #ty_in_run>),
    };
    let member = match kind {
        SlotKind::Field => "field",
        SlotKind::Binding => "binding",
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
    }
}

fn step(chain: &Chain, node: &ast::NodeUse) -> Step {
    let span = node.span();
    let rt = names::alias(span);
    let chain_name = &chain.name;
    let (_, chain_ty, _) = chain.generics.split_for_impl();
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
            (quote!(#path), quote_spanned!(span=> &<#path as #rt::Stateless>::NODE))
        }
    };
    let name = names::unraw(node.name());
    let has_hooks = node.field.is_some() || !name.starts_with(|first: char| first == '_' || first.is_lowercase());
    // A field's type, shown where the field is used: what is wrong with the node is wrong there.
    let node = names::shown_at(ty, span);
    Step { node, place, name, span, has_hooks, role: Role::Step, level: 0, block: None, after: None }
}
