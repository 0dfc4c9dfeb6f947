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
    pub(crate) body: Block,
}

/// `{ a => b }`: the chain's body, or a chain inside of it.
pub(crate) struct Block {
    pub(crate) items: Vec<Item>,
    /// Of the braces.
    pub(crate) span: Span,
    /// Nothing stands in it; not that its nodes could not be read.
    pub(crate) is_empty: bool,
}

/// What arrows join.
pub(crate) enum Item {
    /// `auth`
    Node(NodeUse),
    /// `{ auth => log }`
    Block(Block),
    /// `deadline { auth => log }`
    Around(NodeUse, Block),
    /// `match route { .. }`, `if canary { .. } else { .. }`
    Branch(Branch),
}

/// A node whose value says what comes next.
pub(crate) struct Branch {
    /// Of `match` or `if`.
    pub(crate) span: Span,
    pub(crate) node: NodeUse,
    pub(crate) arms: Vec<Arm>,
    /// `if node`, without a pattern: the node gives a `bool`, and there are two arms.
    pub(crate) is_bool: bool,
    /// Whether every value has its arm, as far as can be seen here: `if` without `else` has one that is empty.
    pub(crate) lacks_else: bool,
}

/// What comes next for some of the values.
pub(crate) struct Arm {
    /// The pattern, with the types of its bindings taken out of it, and its guard.
    pub(crate) pattern: TokenStream,
    /// As a person would write it: for the drawing.
    pub(crate) label: String,
    pub(crate) bindings: Vec<Binding>,
    pub(crate) body: Block,
}

/// `api: Api` in a pattern: it joins the arm's scope.
pub(crate) struct Binding {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
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

impl Block {
    /// All nodes in it, also those in blocks inside of it, in the order in which they are written.
    pub(crate) fn nodes(&self) -> Vec<&NodeUse> {
        let nodes = self.items.iter().flat_map(|item| match item {
            Item::Node(node) => vec![node],
            Item::Block(block) => block.nodes(),
            Item::Around(node, block) => [node].into_iter().chain(block.nodes()).collect(),
            Item::Branch(Branch { node, arms, .. }) => {
                [node].into_iter().chain(arms.iter().flat_map(|arm| arm.body.nodes())).collect()
            }
        });
        nodes.collect()
    }

    /// The same, to be changed.
    pub(crate) fn nodes_mut(&mut self) -> Vec<&mut NodeUse> {
        let nodes = self.items.iter_mut().flat_map(|item| match item {
            Item::Node(node) => vec![node],
            Item::Block(block) => block.nodes_mut(),
            Item::Around(node, block) => [node].into_iter().chain(block.nodes_mut()).collect(),
            Item::Branch(Branch { node, arms, .. }) => {
                [node].into_iter().chain(arms.iter_mut().flat_map(|arm| arm.body.nodes_mut())).collect()
            }
        });
        nodes.collect()
    }

    /// Its outline, as a person would write it: `auth => deadline { .. } => proxy`.
    pub(crate) fn outline(&self) -> String {
        let name = |node: &NodeUse| crate::names::unraw(node.name());
        let items = self.items.iter().map(|item| match item {
            Item::Node(node) => name(node),
            Item::Block(_) => "{ .. }".to_owned(),
            Item::Around(node, _) => format!("{} {{ .. }}", name(node)),
            Item::Branch(branch) if branch.is_bool => format!("if {} {{ .. }}", name(&branch.node)),
            Item::Branch(branch) => format!("match {} {{ .. }}", name(&branch.node)),
        });
        items.collect::<Vec<_>>().join(" => ")
    }
}

impl Chain {
    /// Whether a field is lent by its type. A field that is used as a node, and has a twin of the same type, is
    /// known by its name only: two rate limiters in one chain are no ambiguity.
    pub(crate) fn is_lent(&self, index: usize) -> bool {
        let is_node = |index: usize| self.run.body.nodes().iter().any(|node| node.field == Some(index));
        let ty = &self.fields[index].ty;
        let twins = self.fields.iter().filter(|field| crate::types::same_text(&field.ty, ty)).count();
        twins == 1 || !is_node(index)
    }
}
