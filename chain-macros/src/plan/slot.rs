//! The slots of a scope.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Ident, Type};

use super::data::Step;
use crate::ast::Chain;
use crate::{names, types};

/// A thing in the scope.
pub(crate) struct Slot {
    /// The type by which it is found, with the run's lifetime in place of each lifetime.
    pub(crate) ty: TokenStream,
    /// The type of the scope struct's member.
    pub(crate) loan: TokenStream,
    /// The type as written; empty if that is not known, or says nothing.
    pub(crate) text: String,
    /// The type as written by a node whose hooks are found by their traits. It leaves a doubt about a type that is
    /// written alike.
    pub(crate) doubt: String,
    /// What the type stands for, if that is declared beside the chain as another name.
    pub(crate) alias: Option<String>,
    /// The user's name for it, for messages.
    pub(crate) name: String,
    /// The `#[cfg(..)]` of the field, if it is one.
    pub(crate) cfg: Vec<syn::Attribute>,
    /// The index in its level among slots of this kind.
    pub(crate) index: usize,
    /// It names the source: the node's position, or the index in the whole chain among slots of this kind.
    pub(crate) position: usize,
    pub(crate) kind: SlotKind,
    pub(crate) span: Span,
    /// The field of the scope struct.
    pub(crate) member: Ident,
    /// The local that holds what a pattern bound.
    pub(crate) binding: Option<Ident>,
    /// Whether it is found by the type to which a reference refers.
    pub(crate) by: By,
    /// The node that provides it may be skipped. Then it is found under this type.
    pub(crate) maybe: Option<TokenStream>,
    /// For the value of a node or a block: how it is lent.
    pub(crate) lent: Option<TokenStream>,
    /// The block that provides it. The position is then that of the last node in the block.
    pub(crate) block: Option<usize>,
    /// For the value of a node or a block: its type.
    pub(crate) held: Option<TokenStream>,
    /// Whether a node may take it, so that a constant has to say how it is held.
    pub(crate) takable: bool,
    /// In a chain with type parameters: the types that have to outlive the call. A loan by itself would bring no such
    /// bound.
    pub(crate) outlives: Option<TokenStream>,
}

impl Slot {
    /// A thing that is found under this type, and of which no more is known.
    pub(super) fn new(
        kind: SlotKind,
        index: usize,
        position: usize,
        name: String,
        span: Span,
        ty: TokenStream,
        loan: TokenStream,
    ) -> Self {
        let member = match kind {
            SlotKind::Field => "field",
            SlotKind::Binding => "binding",
            SlotKind::Version => "version",
            SlotKind::Provided => "provided",
            SlotKind::OwnedInput | SlotKind::SharedInput | SlotKind::BorrowedInput | SlotKind::Context => "input",
        };
        Self {
            ty,
            loan,
            text: String::new(),
            doubt: String::new(),
            alias: None,
            name,
            cfg: Vec::new(),
            index,
            position,
            kind,
            span,
            member: names::local(member, position),
            binding: None,
            by: By::Itself,
            maybe: None,
            lent: None,
            block: None,
            held: None,
            takable: false,
            outlives: None,
        }
    }

    /// For the value of a node: names the types by which it is held, found and lent.
    pub(super) fn name_types(&mut self, chain: &Chain, step: &Step, is_generic: bool) {
        let (node, span, position) = (&step.node, step.span, self.position);
        let rt = names::alias(span);
        let (run, call) = (names::run_lifetime(), names::call_lifetime());
        let name = &chain.name;
        let (_, chain_ty, _) = chain.generics.split_for_impl();
        let held = step.value_in(node, &quote!(#run), &quote!(#name #chain_ty), position);
        let joins = quote_spanned!(span=> <#node as #rt::Joins<#run, #name #chain_ty>>);
        let (ty, lent) = match step.is_told_function() {
            true => (held.clone(), quote_spanned!(span=> #rt::scope::lent::Itself)),
            false => (quote_spanned!(span=> #joins::As<#position>), quote_spanned!(span=> #joins::Lent)),
        };
        let ty = step.by_a_bound.clone().unwrap_or(ty);
        self.lent = Some(quote_spanned!(span=> <#lent as #rt::scope::LentFrom<#run, #call, #held, #ty>>));
        let key = match step.told {
            Some(_) => held.clone(),
            None => quote_spanned!(span=> <#node as #rt::Signature<#run>>::Key<#position>),
        };
        let (ty, key, maybe, way) = match step.may_be_skipped() {
            false => (ty, key, None, names::way(position).to_token_stream()),
            true => {
                // It does not name `Option<..>` itself: for a type that is no node this would be a type of its own,
                // with further errors.
                let option = |of: &TokenStream| quote_spanned!(span=> <#of as #rt::private::Skippable<#name #chain_ty>>::Perhaps);
                let way = quote_spanned!(span=> #rt::taken::By<false>);
                let found = step.by_a_bound.as_ref().unwrap_or(&held);
                (option(found), option(&key), Some(ty), way)
            }
        };
        self.loan = quote_spanned!(span=> <#key as #rt::private::Loan<#call, #way>>::Loan);
        self.outlives = is_generic.then_some(key);
        (self.ty, self.held, self.maybe) = (ty, Some(held), maybe);
    }

    /// The name of the type that says whether a node takes it.
    pub(crate) fn way(&self) -> Ident {
        match (self.kind, self.block) {
            (SlotKind::Binding, _) => names::way_of_binding(self.position),
            (_, Some(block)) => names::way_of_block(block),
            (_, None) => names::way(self.position),
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum SlotKind {
    /// `name: T`
    OwnedInput,
    /// `name: &T`
    SharedInput,
    /// `name: &mut T`
    BorrowedInput,
    /// The short form's context, parts of which can be lent.
    Context,
    /// A field of the chain.
    Field,
    /// The value of a swappable field, in one version for the whole run.
    Version,
    /// A pattern's binding.
    Binding,
    /// The value of a node or a block.
    Provided,
}

/// How a field or a binding holds the value.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum By {
    Itself,
    /// `&T`
    Shared,
    /// `&mut T`
    Borrowed,
}

impl By {
    pub(super) fn of(ty: &Type) -> Self {
        match types::ungrouped(ty) {
            Type::Reference(reference) if reference.mutability.is_some() => Self::Borrowed,
            Type::Reference(_) => Self::Shared,
            _ => Self::Itself,
        }
    }
}
