//! A declared chain, as the user wrote it.

use proc_macro2::{Span, TokenStream};
use syn::{Attribute, Expr, Generics, Ident, LitInt, Path, Type, Visibility};

/// A chain: the item form, or the short form brought into the same shape.
pub(crate) struct Chain {
    /// The runtime, as `$crate` of the macro by example in front of this one.
    pub(crate) runtime: TokenStream,
    pub(crate) form: Form,
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) name: Ident,
    pub(crate) generics: Generics,
    /// `struct Name;` rather than `struct Name { .. }`.
    pub(crate) is_unit: bool,
    pub(crate) fields: Vec<Field>,
    pub(crate) observers: Vec<Type>,
    pub(crate) budget: Option<LitInt>,
    pub(crate) send: Option<Path>,
    pub(crate) run: Run,
}

/// Which of the two forms it is.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Form {
    Item,
    Short,
}

/// A field of the chain.
pub(crate) struct Field {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) name: Ident,
    pub(crate) ty: Type,
    /// In the short form, the node's state: `limit: RateLimit = RateLimit::per_second(100)`.
    pub(crate) value: Option<Expr>,
}

impl Field {
    /// The attributes that say whether there is such a field.
    pub(crate) fn cfg(&self) -> impl Iterator<Item = &Attribute> {
        self.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg"))
    }
}

/// `async fn(request: Parts) -> Reply { auth => log }`
pub(crate) struct Run {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) is_async: bool,
    /// The one lifetime it may declare: that of the run.
    pub(crate) lifetime: Option<syn::Lifetime>,
    pub(crate) inputs: Vec<Input>,
    pub(crate) reply: Type,
    pub(crate) nodes: Vec<NodeUse>,
    /// Of the braces, where a chain without nodes is reported: not where its nodes could not be read.
    pub(crate) body: Option<Span>,
}

/// An input of the chain.
pub(crate) struct Input {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
}

/// A node where it is used.
pub(crate) struct NodeUse {
    pub(crate) path: Path,
    /// The field that it names, if it names one.
    pub(crate) field: Option<usize>,
}

impl NodeUse {
    /// Its name in the chain.
    pub(crate) fn name(&self) -> &Ident {
        let last = self.path.segments.last();
        &last.expect("a path has a segment").ident
    }

    pub(crate) fn span(&self) -> Span {
        self.name().span()
    }
}

impl Chain {
    /// Whether a field is lent by its type. A field that is used as a node, and has a twin of the same type, is
    /// known by its name only: two rate limiters in one chain are no ambiguity.
    pub(crate) fn is_lent(&self, index: usize) -> bool {
        let is_node = |index: usize| self.run.nodes.iter().any(|node| node.field == Some(index));
        let ty = &self.fields[index].ty;
        let twins = self.fields.iter().filter(|field| crate::types::same_text(&field.ty, ty)).count();
        twins == 1 || !is_node(index)
    }
}
