//! The chain as data, before any token of it is emitted: what is in its scope, and the steps it takes.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Ident, Type};

use crate::ast::{Chain, Form};
use crate::names;
use crate::types;

/// What `expand` emits, decided.
pub(crate) struct Plan<'a> {
    pub(crate) chain: &'a Chain,
    /// The scope struct's name.
    pub(crate) scope: Ident,
    /// Inputs first, then fields, then what the nodes provide, in order.
    pub(crate) slots: Vec<Slot>,
    pub(crate) steps: Vec<Step>,
    /// Whether the chain's type has type or const parameters: then its constants are evaluated where it is used.
    pub(crate) is_generic: bool,
}

/// Nodes in a page.
const PAGE: usize = 32;

/// Nodes in a chunk: as many as `private::all_lent` takes.
const CHUNK: usize = 8;

impl Plan<'_> {
    /// A long chain lends what its nodes provided in pages, each made once, when its last node was entered.
    ///
    /// Without them the node at position `n` borrows `n` locals for its scope, and rustc's analysis of what in a state machine may
    /// overlap takes more than the cube of their number: minutes for 200 nodes. A page costs its references, 8 bytes
    /// for each node, in the future; so a chain of up to 128 nodes has none.
    pub(crate) fn pages(&self) -> usize {
        if self.steps.len() > 4 * PAGE { self.steps.len() / PAGE } else { 0 }
    }

    /// The nodes of a page.
    pub(crate) fn page(&self, page: usize) -> std::ops::Range<usize> {
        page * PAGE..(page + 1) * PAGE
    }

    /// Provided values are lent in chunks of eight, where a scope lends eight in a row: one `&mut` and nothing else for each in the
    /// state machine's body, where each local counts.
    pub(crate) fn chunks(&self) -> usize {
        let provided = self.steps.len().saturating_sub(1);
        if self.pages() > 0 { 0 } else { provided / CHUNK }
    }

    /// The nodes of a chunk.
    pub(crate) fn chunk(&self, chunk: usize) -> std::ops::Range<usize> {
        chunk * CHUNK..(chunk + 1) * CHUNK
    }

    /// Where the scope has what the node at this position provided: in a chunk, or in a member of its own.
    pub(crate) fn loan_of(&self, slot: &Slot) -> TokenStream {
        let chunk = slot.index / CHUNK;
        if slot.kind == SlotKind::Provided && chunk < self.chunks() {
            let (member, index) = (names::local("chunk", chunk), syn::Index::from(slot.index % CHUNK));
            return quote!(#member.#index);
        }
        slot.member.to_token_stream()
    }

    /// Whether anybody can ask how the chain ended.
    pub(crate) fn tells_ending(&self) -> bool {
        let observed = !self.chain.observers.is_empty();
        observed || self.chain.form == Form::Short || self.steps.iter().any(|step| step.has_hooks)
    }

    /// Whether this node begins a block of its own, behind which the nodes before it are left. Where nothing is to be done when a node
    /// is left, none is needed.
    pub(crate) fn begins_block(&self, position: usize) -> bool {
        position == 0 || !self.chain.observers.is_empty() || self.steps[position - 1].has_hooks
    }

    /// The block that this node leaves when it breaks.
    pub(crate) fn block_of(&self, position: usize) -> usize {
        (0..=position).rev().find(|at| self.begins_block(*at)).unwrap_or(0)
    }

    /// The pages that are complete before this position.
    pub(crate) fn pages_before(&self, position: usize) -> usize {
        self.pages().min(position / PAGE)
    }

    /// The page on which a node's value is lent.
    pub(crate) fn page_of(&self, position: usize) -> Option<usize> {
        Some(position / PAGE).filter(|page| *page < self.pages())
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
    /// Index among its kind.
    pub(crate) index: usize,
    pub(crate) kind: SlotKind,
    pub(crate) span: Span,
    /// The field of the scope struct.
    pub(crate) member: Ident,
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
    /// What a node provides.
    Provided,
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
}

pub(crate) fn plan(chain: &Chain) -> Plan<'_> {
    let steps: Vec<_> = chain.run.nodes.iter().map(|node| step(chain, node)).collect();
    let parameters = &chain.generics.params;
    let is_generic = parameters.iter().any(|parameter| !matches!(parameter, syn::GenericParam::Lifetime(_)));
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
    // The last node's value is the reply; nobody comes after it.
    for (index, step) in steps.iter().enumerate().take(steps.len().saturating_sub(1)) {
        let rt = names::alias(step.span);
        let node = &step.node;
        let (run, call) = (names::run_lifetime(), names::call_lifetime());
        let span = step.span;
        let name = &chain.name;
        let (_, chain_ty, _) = chain.generics.split_for_impl();
        slots.push(Slot {
            ty: quote_spanned!(span=> <#node as #rt::Joins<#run, #name #chain_ty>>::As<#index>),
            loan: match is_generic {
                // With type parameters, the bound that rustc infers for the reference is needed.
                true => quote_spanned!(span=> #rt::private::Option<&#call mut <#node as #rt::Signature<#run>>::Key<#index>>),
                false => quote_spanned!(span=> <<#node as #rt::Signature<#run>>::Key<#index> as #rt::private::Loan<#call>>::Loan),
            },
            name: step.name.clone(),
            cfg: Vec::new(),
            index,
            kind: SlotKind::Provided,
            span,
            member: names::local("provided", index),
        });
    }
    Plan { chain, scope: names::scope_of(&chain.name), slots, steps, is_generic }
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
    Slot {
        ty: ty_in_run.to_token_stream(),
        loan,
        name: names::unraw(name),
        cfg: Vec::new(),
        index,
        kind,
        span: syn::spanned::Spanned::span(ty),
        member: names::local(if kind == SlotKind::Field { "field" } else { "input" }, index),
    }
}

fn step(chain: &Chain, node: &crate::ast::NodeUse) -> Step {
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
    Step { node: names::shown_at(ty, span), place, name, span, has_hooks }
}
