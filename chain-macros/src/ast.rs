//! A declared chain, as the user wrote it. The file is long since a tree is read in one place: it is data, and questions about it.

use proc_macro2::{Span, TokenStream};
use syn::{Attribute, Expr, Generics, Ident, LitInt, Path, Type, TypePath, Visibility};

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
    pub(crate) observers: Vec<Observer>,
    pub(crate) budget: Option<LitInt>,
    pub(crate) send: Option<Path>,
    /// `#[deny(spawn)]`: no node of it spawns what nobody waits for.
    pub(crate) denies_spawn: bool,
    /// `#[no_alloc]` on all of it.
    pub(crate) no_alloc: Option<Span>,
    pub(crate) run: Run,
    /// What its segments need.
    pub(crate) needs: Vec<NeededField>,
    /// Functions with the bounds of its segments' parameters, by the arguments that they have here.
    pub(crate) bounds: Vec<Path>,
    /// What its type parameters shall stand for while it is checked.
    pub(crate) checked_with: Vec<Vec<syn::GenericArgument>>,
}

/// What observes a chain's runs.
pub(crate) enum Observer {
    /// A value of this type is made for each.
    Type(Type),
    /// This field is lent to each.
    Field(Ident),
    /// Who sees to it that nodes allocate nothing, for an attribute that stands here.
    NoAlloc(Span),
}

/// A field that a segment of the chain declares.
pub(crate) struct NeededField {
    /// The segment's name, and where the chain names it, or the one that it is in.
    pub(crate) segment: String,
    pub(crate) at: Span,
    pub(crate) name: Ident,
    /// As it is found from the chain.
    pub(crate) ty: Type,
    /// As it is written in the segment.
    pub(crate) text: String,
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
    /// Which fields are used as nodes.
    pub(crate) as_nodes: Vec<usize>,
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
pub(crate) struct Item {
    pub(crate) modifiers: Modifiers,
    pub(crate) kind: ItemKind,
    /// `else { .. }`, behind what may be skipped.
    pub(crate) otherwise: Option<Block>,
}

/// What stands between two arrows, without what stands before it.
pub(crate) enum ItemKind {
    /// `auth`
    Node(NodeUse),
    /// `{ auth => log }`
    Block(Block),
    /// `deadline { auth => log }`
    Around(NodeUse, Block),
    /// `match route { .. }`, `if canary { .. } else { .. }`
    Branch(Branch),
}

/// The attributes before an item.
#[derive(Default)]
pub(crate) struct Modifiers {
    /// All have to hold, asked in this order; otherwise the item is skipped.
    pub(crate) conditions: Vec<Condition>,
    /// Whether there are any, also where they could not be read.
    pub(crate) has_conditions: bool,
    /// `#[timeout(250ms)]`: an expression for the `Duration`.
    pub(crate) timeout: Option<(Span, TokenStream)>,
    pub(crate) cancel: Option<(Span, OnCancel)>,
    /// `#[no_alloc]`
    pub(crate) no_alloc: Option<Span>,
    /// `#[allow(..)]` and its like.
    pub(crate) lints: Vec<Attribute>,
    /// All of them but the last kind, as a person would write them.
    pub(crate) text: String,
}

/// When an item runs.
pub(crate) enum Condition {
    /// `#[when(is_internal)]`
    When(NodeUse),
    /// `#[sample(1 / 100)]`
    Sample(Span, Share),
    /// `#[split(5)]`
    Split(Span, Share),
    /// `#[toggle]`
    Toggle(Toggle),
    /// `#[shed(high)]`
    Shed(Shed),
}

impl Condition {
    pub(crate) fn span(&self) -> Span {
        match self {
            Self::When(node) => node.span(),
            Self::Sample(span, _) | Self::Split(span, _) => *span,
            Self::Toggle(toggle) => toggle.span,
            Self::Shed(shed) => shed.span,
        }
    }
}

/// So many of so many.
#[derive(Clone, Copy)]
pub(crate) struct Share {
    pub(crate) part: u64,
    pub(crate) whole: u64,
}

/// A switch, by its name.
pub(crate) struct Toggle {
    pub(crate) name: String,
    pub(crate) span: Span,
    /// As it is declared.
    pub(crate) on: bool,
}

/// Something that is given up under pressure.
pub(crate) struct Shed {
    pub(crate) name: String,
    pub(crate) span: Span,
    /// From this level on.
    pub(crate) level: Level,
    pub(crate) how: How,
}

/// How hard it is to serve, where it is hard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Level {
    Elevated,
    High,
    Critical,
}

impl Level {
    pub(crate) const ALL: [Self; 3] = [Self::Elevated, Self::High, Self::Critical];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Elevated => "elevated",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// What becomes of what is given up.
#[derive(Clone, Copy)]
pub(crate) enum How {
    Skipped,
    /// It runs for a share of the requests.
    Sampled(Span, Share),
    /// Its work goes behind the request.
    Behind(Span),
}

/// What becomes of a node's work when the request is dropped.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum OnCancel {
    /// It goes on to its end.
    Finish,
    /// Nobody waits for it in the first place.
    Detach,
}

/// A node whose value says what comes next.
pub(crate) struct Branch {
    /// Of `match` or `if`.
    pub(crate) span: Span,
    pub(crate) node: NodeUse,
    /// The function of a segment that says which arm it is.
    pub(crate) through: Option<Path>,
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
    /// `#[allow(..)]` and its like.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) name: Ident,
    pub(crate) ty: Type,
}

/// A node where it is used.
pub(crate) struct NodeUse {
    pub(crate) path: TypePath,
    /// The field that it names, if it names one.
    pub(crate) field: Option<usize>,
}

impl NodeUse {
    /// Its name in the chain.
    pub(crate) fn name(&self) -> &Ident {
        let last = self.path.path.segments.last();
        &last.expect("a path has a segment").ident
    }

    pub(crate) fn span(&self) -> Span {
        self.name().span()
    }
}

impl Item {
    /// An item with nothing before or behind it.
    pub(crate) fn plain(kind: ItemKind) -> Self {
        Self { modifiers: Modifiers::default(), kind, otherwise: None }
    }

    /// From when on it is shed, if it is.
    pub(crate) fn shed(&self) -> Option<&Shed> {
        self.modifiers.conditions.iter().find_map(|condition| match condition {
            Condition::Shed(shed) => Some(shed),
            _ => None,
        })
    }

    /// The name of the first node in it.
    pub(crate) fn first_name(&self) -> String {
        match &self.kind {
            ItemKind::Node(node) | ItemKind::Around(node, _) => crate::names::unraw(node.name()),
            ItemKind::Branch(branch) => crate::names::unraw(branch.node.name()),
            ItemKind::Block(block) => block.items.first().map(Self::first_name).unwrap_or_default(),
        }
    }

    /// As a person would write it, without what is in its blocks.
    fn outline(&self) -> String {
        let name = |node: &NodeUse| crate::names::unraw(node.name());
        match &self.kind {
            ItemKind::Node(node) => name(node),
            ItemKind::Block(_) => "{ .. }".to_owned(),
            ItemKind::Around(node, _) => format!("{} {{ .. }}", name(node)),
            ItemKind::Branch(branch) if branch.is_bool => format!("if {} {{ .. }}", name(&branch.node)),
            ItemKind::Branch(branch) => format!("match {} {{ .. }}", name(&branch.node)),
        }
    }

    fn visit<'a>(&'a mut self, see: &mut impl FnMut(&'a mut NodeUse)) {
        for condition in &mut self.modifiers.conditions {
            if let Condition::When(node) = condition {
                see(node);
            }
        }
        match &mut self.kind {
            ItemKind::Node(node) => see(node),
            ItemKind::Block(block) => block.visit(see),
            ItemKind::Around(node, block) => {
                see(node);
                block.visit(see);
            }
            ItemKind::Branch(Branch { node, arms, .. }) => {
                see(node);
                arms.iter_mut().for_each(|arm| arm.body.visit(see));
            }
        }
        self.otherwise.iter_mut().for_each(|block| block.visit(see));
    }
}

impl Block {
    /// All nodes in it, also those in blocks inside of it, in the order in which they are written.
    pub(crate) fn visit<'a>(&'a mut self, see: &mut impl FnMut(&'a mut NodeUse)) {
        self.items.iter_mut().for_each(|item| item.visit(see));
    }

    /// All items in it, also those in blocks inside of it.
    pub(crate) fn items(&self) -> Vec<&Item> {
        let items = self.items.iter().flat_map(|item| {
            let blocks: Vec<&Self> = match &item.kind {
                ItemKind::Node(_) => Vec::new(),
                ItemKind::Block(block) | ItemKind::Around(_, block) => vec![block],
                ItemKind::Branch(branch) => branch.arms.iter().map(|arm| &arm.body).collect(),
            };
            let inner = blocks.into_iter().chain(&item.otherwise).flat_map(Self::items);
            [item].into_iter().chain(inner)
        });
        items.collect()
    }

    /// Where the first `#[no_alloc]` in it stands.
    pub(crate) fn first_no_alloc(&self) -> Option<Span> {
        self.items().into_iter().find_map(|item| item.modifiers.no_alloc)
    }

    /// The toggles in it, in the order in which they are written.
    pub(crate) fn toggles(&self) -> Vec<&Toggle> {
        let conditions = self.items().into_iter().flat_map(|item| &item.modifiers.conditions);
        let toggles = conditions.filter_map(|condition| match condition {
            Condition::Toggle(toggle) => Some(toggle),
            _ => None,
        });
        toggles.collect()
    }

    /// What is shed in it, in the order in which it is written.
    pub(crate) fn sheds(&self) -> Vec<&Shed> {
        self.items().into_iter().filter_map(Item::shed).collect()
    }

    /// Its outline, as a person would write it: `auth => deadline { .. } => proxy`.
    pub(crate) fn outline(&self) -> String {
        self.items.iter().map(Item::outline).collect::<Vec<_>>().join(" => ")
    }
}

impl Chain {
    /// The field of this name, which `parse` has seen.
    pub(crate) fn field(&self, name: &Ident) -> &Field {
        self.fields.iter().find(|field| field.name == *name).expect("`parse` has found it")
    }

    /// A type of the chain's where a lifetime may be hidden in it: then that is this one. That it is not written, rustc says in an error of its own, and once,
    /// at an input, a field or a reply.
    pub(crate) fn with_hidden(&self, ty: &Type, lifetime: &syn::Lifetime) -> TokenStream {
        let is_parameter = |name: &Ident| self.generics.type_params().any(|parameter| parameter.ident == *name);
        if !crate::types::may_hide_a_lifetime(ty, &is_parameter) {
            return quote::quote!(#ty);
        }
        let (rt, name) = (crate::names::runtime_alias(), &self.name);
        let (_, own, _) = self.generics.split_for_impl();
        quote::quote!(<fn(&#lifetime ()) -> #ty as #rt::private::Returned<#name #own>>::It)
    }

    /// The field that has the switches, where its name says so.
    pub(crate) fn switches(&self) -> Option<&Field> {
        self.named("Toggles")
    }

    /// The field by which the chain knows what to shed, where its name says so.
    pub(crate) fn shedding(&self) -> Option<&Field> {
        self.named("Shedding")
    }

    /// The one field whose type is called so. Of two one is the user's own, and what a `cfg` may take away is perhaps not there: only types say, then.
    fn named(&self, ty: &str) -> Option<&Field> {
        let mut named = self.fields.iter().filter(|field| crate::types::is_named(&field.ty, ty));
        named.next().filter(|field| named.next().is_none() && field.cfg().next().is_none())
    }

    /// The fields that may have what the name of none says: it may be another name of `Toggles`, or of `Shedding`.
    pub(crate) fn may_have_it(&self) -> Vec<&Field> {
        let fields = self.fields.iter().enumerate();
        let other = fields.filter(|(index, field)| !self.run.as_nodes.contains(index) && self.is_bare(field));
        other.map(|(_, field)| field).collect()
    }

    /// The fields that may be the chain's `Tasks`: a type of the user's own may be called so as well, and a `Tasks` otherwise.
    pub(crate) fn may_be_tasks(&self) -> Vec<&Field> {
        self.fields.iter().filter(|field| self.is_bare(field)).collect()
    }

    /// Whether the field's type is a name without arguments, which may be another name of anything.
    fn is_bare(&self, field: &Field) -> bool {
        crate::types::last_segment(&field.ty).is_some_and(|last| last.arguments.is_none())
            && crate::types::may_hide_a_break(&field.ty)
            && !crate::types::mentions(&field.ty, &self.generics)
    }

    /// Whether a field may be a `Reloadable` by another name: only its type says.
    pub(crate) fn may_be_reloadable(&self, index: usize) -> bool {
        let ty = &self.fields[index].ty;
        self.form == Form::Item
            && !self.run.as_nodes.contains(&index)
            && crate::types::may_be_reloadable(ty)
            && !crate::types::mentions(ty, &self.generics)
    }

    /// Whether a field is lent by its type. A field that is used as a node or observes, and has a twin of the same type, is
    /// known by its name only: two rate limiters in one chain are no ambiguity. So is one that observes and may be of any type.
    pub(crate) fn is_lent(&self, index: usize) -> bool {
        let field = &self.fields[index];
        let is_node = self.run.as_nodes.contains(&index);
        let observes =
            self.observers.iter().any(|observer| matches!(observer, Observer::Field(name) if *name == field.name));
        let has_twins = self.fields.iter().filter(|other| crate::types::same_text(&other.ty, &field.ty)).count() > 1;
        let is_any = || {
            let of = crate::types::ungrouped(crate::types::referent(&field.ty));
            self.generics.type_params().any(|parameter| {
                matches!(of, Type::Path(path) if path.qself.is_none() && path.path.is_ident(&parameter.ident))
            })
        };
        !(has_twins && (is_node || observes) || observes && is_any())
    }
}
