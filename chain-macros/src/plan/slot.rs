//! What a scope has a place for.

use proc_macro2::{Span, TokenStream};
use syn::{Ident, Type};

use crate::types;

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
    pub(super) fn of(ty: &Type) -> Self {
        match types::ungrouped(ty) {
            Type::Reference(reference) if reference.mutability.is_some() => Self::Borrowed,
            Type::Reference(_) => Self::Shared,
            _ => Self::Itself,
        }
    }
}
