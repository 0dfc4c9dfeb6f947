//! A declared chain, as the user wrote it. The file is long because a tree is best read in one place: it is data, and
//! questions about the data.

use std::rc::Rc;

use proc_macro2::{Span, TokenStream};
use syn::{Attribute, Expr, Generics, Ident, LitInt, Path, Type, TypePath, Visibility};

use crate::told::{Told, Untold};

/// A chain: the item form, or the short form brought into the same shape.
pub(crate) struct Chain {
    /// The runtime, as `$crate` of the macro by example that calls this one.
    pub(crate) runtime: TokenStream,
    pub(crate) form: Form,
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) name: Ident,
    pub(crate) generics: Generics,
    /// `struct Name;`, not `struct Name { .. }`.
    pub(crate) is_unit: bool,
    pub(crate) fields: Vec<Field>,
    pub(crate) observers: Vec<Observer>,
    pub(crate) budget: Option<LitInt>,
    pub(crate) send: Option<Path>,
    /// `#[deny(spawn)]`: no node of it spawns work that nothing waits for.
    pub(crate) denies_spawn: bool,
    /// `#[no_alloc]` on the whole chain.
    pub(crate) no_alloc: Option<Span>,
    /// `#[node]`, with the content of its parentheses: the chain is a node of other chains.
    pub(crate) as_node: Option<Attribute>,
    pub(crate) run: Run,
    /// The fields that its segments need.
    pub(crate) needs: Vec<NeededField>,
    /// Functions with the bounds of its segments' parameters, with the arguments that the segments have here.
    pub(crate) bounds: Vec<Path>,
    /// The types that stand for its type parameters while it is checked.
    pub(crate) checked_with: Vec<Vec<syn::GenericArgument>>,
}

/// An observer of a chain's runs.
pub(crate) enum Observer {
    /// A value of this type is made for each run.
    Type(Type),
    /// This field is lent to each run.
    Field(Ident),
    /// The observer that checks that nodes allocate nothing, for an attribute at this place.
    NoAlloc(Span),
}

/// A field that a segment of the chain declares.
pub(crate) struct NeededField {
    /// The segment's name, and the place where the chain names it, or names the outer segment that it stands in.
    pub(crate) segment: String,
    pub(crate) at: Span,
    pub(crate) name: Ident,
    /// The type, as the chain can name it.
    pub(crate) ty: Type,
    /// The type, as the segment writes it.
    pub(crate) text: String,
}

/// The two forms of a chain.
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
    /// The attributes that decide whether there is such a field.
    pub(crate) fn cfg(&self) -> impl Iterator<Item = &Attribute> {
        self.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg"))
    }
}

/// `async fn(request: Parts) -> Reply { auth => log }`
pub(crate) struct Run {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) is_async: bool,
    /// The one lifetime that it may declare: the lifetime of the run.
    pub(crate) lifetime: Option<syn::Lifetime>,
    pub(crate) inputs: Vec<Input>,
    pub(crate) reply: Type,
    pub(crate) body: Block,
    /// The fields that are used as nodes.
    pub(crate) as_nodes: Vec<usize>,
    /// Whether a type may be named as a node, by itself: there is nothing to look for in most chains.
    pub(crate) names_types: bool,
    pub(crate) locals: Locals,
}

/// The names that the signature of `run` declares and its body mentions. They have the hygiene of the expansion that
/// emits the signature. If a later expansion emits the body, they are handed on to it.
#[derive(Clone)]
pub(crate) struct Locals {
    /// `self`
    pub(crate) this: Ident,
    /// The inputs, in order, under the user's names, but out of reach for the bindings of the user's patterns.
    pub(crate) inputs: Vec<Ident>,
    /// The run's lifetime, if the user declares none.
    pub(crate) lifetime: syn::Lifetime,
}

impl Locals {
    /// The names of this expansion.
    pub(crate) fn new(inputs: &[Input]) -> Self {
        Self {
            this: Ident::new("self", Span::call_site()),
            inputs: inputs.iter().map(|input| crate::names::input(&input.name)).collect(),
            lifetime: crate::names::run_lifetime(),
        }
    }
}

/// `{ a => b }`: the chain's body, or a chain inside of it.
pub(crate) struct Block {
    pub(crate) items: Vec<Item>,
    /// The braces.
    pub(crate) span: Span,
    /// It has no content. This is `false` if the content could not be read.
    pub(crate) is_empty: bool,
}

/// A part of a row: arrows join them.
pub(crate) struct Item {
    pub(crate) modifiers: Modifiers,
    pub(crate) kind: ItemKind,
    /// `else { .. }` after an item that may be skipped.
    pub(crate) otherwise: Option<Block>,
    /// `-> User`, after a block or a branch.
    pub(crate) given: Option<Given>,
    /// The `else` after a node without attributes: the node has to be a field that may be `None`.
    pub(crate) lone_else: Option<Span>,
}

/// The value of a block: the last node of each of its ends gives it.
#[derive(Clone)]
pub(crate) struct Given {
    pub(crate) ty: Type,
    /// The type, as a person would write it.
    pub(crate) text: String,
    /// The arrow, and the type.
    pub(crate) tokens: TokenStream,
}

/// What stands between two arrows, without its attributes.
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
    /// All of them have to hold, and they are asked in this order. Otherwise the item is skipped.
    pub(crate) conditions: Vec<Condition>,
    /// Whether there are any, even if they could not be read.
    pub(crate) has_conditions: bool,
    /// `#[timeout(250ms)]`: an expression for the `Duration`.
    pub(crate) timeout: Option<(Span, TokenStream)>,
    pub(crate) cancel: Option<(Span, OnCancel)>,
    /// `#[open]`
    pub(crate) open: Option<Open>,
    /// `#[no_alloc]`
    pub(crate) no_alloc: Option<Span>,
    /// `#[allow(..)]` and its like.
    pub(crate) lints: Vec<Attribute>,
    /// All attributes except the last kind, as a person would write them.
    pub(crate) text: String,
}

/// If a node breaks, the run goes on without it.
#[derive(Clone)]
pub(crate) struct Open {
    pub(crate) span: Span,
    pub(crate) breaks: Opens,
    /// Also if it takes longer than its timeout.
    pub(crate) late: bool,
}

/// The breaks after which the run goes on.
#[derive(Clone)]
pub(crate) enum Opens {
    All,
    /// Breaks that match this pattern. The single names in it have to be constants or variants.
    Those(TokenStream, Vec<Ident>),
    /// Breaks for which this function of a segment says yes.
    Through(Path),
    None,
}

/// When an item runs.
pub(crate) enum Condition {
    /// The field with this index is an `Option`, and has a node.
    Held(Span, usize),
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
            Self::Held(span, _) | Self::Sample(span, _) | Self::Split(span, _) => *span,
            Self::Toggle(toggle) => toggle.span,
            Self::Shed(shed) => shed.span,
        }
    }
}

/// A share: so many of so many.
#[derive(Clone, Copy)]
pub(crate) struct Share {
    pub(crate) part: u64,
    pub(crate) whole: u64,
}

/// A switch, by its name.
pub(crate) struct Toggle {
    pub(crate) name: String,
    pub(crate) span: Span,
    /// Whether it is on as declared.
    pub(crate) on: bool,
}

/// An item that is given up under pressure.
pub(crate) struct Shed {
    pub(crate) name: String,
    pub(crate) span: Span,
    /// It is given up from this level on.
    pub(crate) level: Level,
    pub(crate) how: How,
}

/// The levels of pressure above the normal one.
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

/// What happens to an item that is given up.
#[derive(Clone, Copy)]
pub(crate) enum How {
    Skipped,
    /// It runs for a share of the requests.
    Sampled(Span, Share),
    /// Its work goes on a queue, behind the request.
    Behind(Span),
}

/// What happens to a node's work when the request is dropped.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum OnCancel {
    /// It goes on to its end.
    Finish,
    /// Nothing waits for it in the first place.
    Detach,
}

/// A node whose value says which arm runs.
pub(crate) struct Branch {
    /// The keyword, `match` or `if`.
    pub(crate) span: Span,
    pub(crate) node: NodeUse,
    /// The function of a segment that says which arm a value belongs to.
    pub(crate) through: Option<Path>,
    pub(crate) arms: Vec<Arm>,
    /// `if node` without a pattern: the node gives a `bool`, and there are two arms.
    pub(crate) is_bool: bool,
    /// It is an `if` without `else`: its empty second arm is not the user's.
    pub(crate) lacks_else: bool,
}

/// What runs for some of the values.
pub(crate) struct Arm {
    /// The pattern, without the types of its bindings, and its guard.
    pub(crate) pattern: TokenStream,
    /// The pattern as a person would write it, for the drawing.
    pub(crate) label: String,
    pub(crate) bindings: Vec<Binding>,
    pub(crate) body: Block,
}

/// `api: Api` in a pattern. It joins the arm's scope.
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

/// A node, as used in a chain.
pub(crate) struct NodeUse {
    pub(crate) path: TypePath,
    /// The field that it names, if it is a field.
    pub(crate) field: Option<usize>,
    /// The signature, if the function's macro has told it.
    pub(crate) told: Option<Rc<Told>>,
    /// The signatures of its hooks, if the macro of the field's type has told them.
    pub(crate) hooks: Option<Rc<Told>>,
    /// The same for hooks that are found by their traits in any case: where something that they need is missing, it is
    /// looked for by these.
    pub(crate) sought: Option<Rc<Told>>,
    /// What the function's macro has told otherwise.
    pub(crate) untold: Untold,
}

impl NodeUse {
    /// A node of which nothing is known yet but its path.
    pub(crate) fn of(path: TypePath) -> Self {
        Self { path, field: None, told: None, hooks: None, sought: None, untold: Untold::default() }
    }

    /// What it tells, a function or a field with hooks.
    pub(crate) fn tells(&self) -> Option<&Told> {
        self.told.as_deref().or(self.hooks.as_deref())
    }

    /// What it gives, if that is a parameter of this chain or a type of one. Another type of the node's is not known here.
    pub(crate) fn gives_open(&self, chain: &Chain) -> Option<Type> {
        let open = self.untold.open.as_ref()?;
        let path = match self.field.map(|field| crate::types::held(&chain.fields[field].ty)) {
            None => &self.path,
            Some(Type::Path(ty)) => ty,
            Some(_) => return None,
        };
        crate::types::given(open, &path.path, &chain.generics)
    }

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
    /// An item without attributes and without an `else`.
    pub(crate) fn plain(kind: ItemKind) -> Self {
        Self { modifiers: Modifiers::default(), kind, otherwise: None, given: None, lone_else: None }
    }

    /// How it is shed, if it is.
    pub(crate) fn shed(&self) -> Option<&Shed> {
        self.modifiers.conditions.iter().find_map(|condition| match condition {
            Condition::Shed(shed) => Some(shed),
            _ => None,
        })
    }

    /// The name of its first node.
    pub(crate) fn first_name(&self) -> String {
        match &self.kind {
            ItemKind::Node(node) | ItemKind::Around(node, _) => crate::names::unraw(node.name()),
            ItemKind::Branch(branch) => crate::names::unraw(branch.node.name()),
            ItemKind::Block(block) => block.items.first().map(Self::first_name).unwrap_or_default(),
        }
    }

    /// The item as a person would write it, without the content of its blocks.
    pub(crate) fn outline(&self) -> String {
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

    fn visit_items(&mut self, see: &mut impl FnMut(&mut Self)) {
        see(self);
        match &mut self.kind {
            ItemKind::Node(_) => {}
            ItemKind::Block(block) | ItemKind::Around(_, block) => block.visit_items(see),
            ItemKind::Branch(branch) => branch.arms.iter_mut().for_each(|arm| arm.body.visit_items(see)),
        }
        self.otherwise.iter_mut().for_each(|block| block.visit_items(see));
    }
}

impl Block {
    /// All nodes in it, including those in inner blocks, in the order in which they are written.
    pub(crate) fn visit<'a>(&'a mut self, see: &mut impl FnMut(&'a mut NodeUse)) {
        self.items.iter_mut().for_each(|item| item.visit(see));
    }

    /// All items in it, to be changed.
    pub(crate) fn visit_items(&mut self, see: &mut impl FnMut(&mut Item)) {
        self.items.iter_mut().for_each(|item| item.visit_items(see));
    }

    /// All items in it, including those in inner blocks.
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

    /// The place of the first `#[no_alloc]` in it.
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

    /// The items in it that are shed, in the order in which they are written.
    pub(crate) fn sheds(&self) -> Vec<&Shed> {
        self.items().into_iter().filter_map(Item::shed).collect()
    }

    /// Its outline, as a person would write it: `auth => deadline { .. } => proxy`.
    pub(crate) fn outline(&self) -> String {
        let items = self.items.iter().map(|item| match &item.given {
            Some(given) => format!("{} -> {}", item.outline(), given.text),
            None => item.outline(),
        });
        items.collect::<Vec<_>>().join(" => ")
    }
}

impl Chain {
    /// The field of this name. `parse` has made sure that there is one.
    pub(crate) fn field(&self, name: &Ident) -> &Field {
        self.fields.iter().find(|field| field.name == *name).expect("`parse` has found it")
    }

    /// A type of the chain by which something is found, with this lifetime in place of all but those of the chain's type.
    pub(crate) fn found_in(&self, ty: &Type, lifetime: &syn::Lifetime) -> TokenStream {
        let own: Vec<_> = self.generics.lifetimes().map(|parameter| parameter.lifetime.clone()).collect();
        if let Some(reference) = crate::types::reference_to_an_object(ty, lifetime, &own) {
            let (rt, name) = (crate::names::runtime_alias(), &self.name);
            let (_, own, _) = self.generics.split_for_impl();
            return quote::quote!(<#reference as #rt::private::Referred<#name #own>>::It);
        }
        self.with_hidden(&crate::types::with_lifetime_but(ty, lifetime, &own), lifetime)
    }

    /// A type of the chain. If a lifetime may be hidden in it, that lifetime becomes this one. rustc reports a lifetime
    /// that is not written in an error of its own, once, at an input, a field or the reply.
    pub(crate) fn with_hidden(&self, ty: &Type, lifetime: &syn::Lifetime) -> TokenStream {
        let is_parameter = |name: &Ident| self.generics.type_params().any(|parameter| parameter.ident == *name);
        if !crate::types::may_hide_a_lifetime(ty, &is_parameter) {
            return quote::quote!(#ty);
        }
        let (rt, name) = (crate::names::runtime_alias(), &self.name);
        let (_, own, _) = self.generics.split_for_impl();
        quote::quote!(<fn(&#lifetime ()) -> #ty as #rt::private::Returned<#name #own>>::It)
    }

    /// The field with the switches, if the name of its type says so.
    pub(crate) fn switches(&self) -> Option<&Field> {
        self.named("Toggles")
    }

    /// The field by which the chain knows what to shed, if the name of its type says so.
    pub(crate) fn shedding(&self) -> Option<&Field> {
        self.named("Shedding")
    }

    /// The only field whose type has this name. If two fields have it, one is a type of the user's, and a field under
    /// `cfg` may not be there: in these cases only types can decide.
    fn named(&self, ty: &str) -> Option<&Field> {
        let mut named = self.fields.iter().filter(|field| crate::types::is_named(&field.ty, ty));
        named.next().filter(|field| named.next().is_none() && field.cfg().next().is_none())
    }

    /// The fields that may hold what is looked for, if no name says so: their types may be other names of `Toggles`, or
    /// of `Shedding`.
    pub(crate) fn may_have_it(&self) -> Vec<&Field> {
        let fields = self.fields.iter().enumerate();
        let other = fields.filter(|(index, field)| !self.run.as_nodes.contains(index) && self.is_bare(field));
        other.map(|(_, field)| field).collect()
    }

    /// The fields that may be the chain's `Tasks`. A type of the user's may have that name too, and `Tasks` may have
    /// another name.
    pub(crate) fn may_be_tasks(&self) -> Vec<&Field> {
        self.fields.iter().filter(|field| self.is_bare(field)).collect()
    }

    /// Whether the field's type is a name without arguments. Such a name may stand for any type.
    fn is_bare(&self, field: &Field) -> bool {
        crate::types::last_segment(&field.ty).is_some_and(|last| last.arguments.is_none())
            && crate::types::may_hide_a_break(&field.ty)
            && !crate::types::mentions(&field.ty, &self.generics)
    }

    /// Whether a field may be a `Reloadable` under another name, which only its type can tell.
    pub(crate) fn may_be_reloadable(&self, index: usize) -> bool {
        let ty = &self.fields[index].ty;
        self.form == Form::Item
            && !self.run.as_nodes.contains(&index)
            && crate::types::may_be_reloadable(ty)
            && !crate::types::mentions(ty, &self.generics)
    }

    /// Whether two fields have one type, or types that could be one since they have parameters of the chain as arguments.
    fn may_be_twins(&self, one: &Type, other: &Type) -> bool {
        let [one, other] = [one, other].map(|ty| crate::types::ungrouped(crate::types::referent(ty)));
        let path = |ty: &Type| match ty {
            Type::Path(TypePath { qself: None, path }) => {
                Some(path.segments.iter().map(|part| part.ident.to_string()).collect::<Vec<_>>())
            }
            _ => None,
        };
        let is_open = |ty: &Type| crate::types::mentions(ty, &self.generics);
        let plain = crate::types::without_lifetimes;
        crate::types::same_text(&plain(one), &plain(other))
            || (!self.generics.params.is_empty()
                && (is_open(one) || is_open(other))
                && path(one).is_some_and(|path_of_one| path(other) == Some(path_of_one)))
    }

    /// Whether a field is lent by its type. A field that is used as a node or observes, and has a twin of the same
    /// type, can only be reached by its name: two rate limiters in one chain are not ambiguous. The same holds for a
    /// field that observes and may be of any type.
    pub(crate) fn is_lent(&self, index: usize) -> bool {
        let field = &self.fields[index];
        let is_node = self.run.as_nodes.contains(&index);
        let observes =
            self.observers.iter().any(|observer| matches!(observer, Observer::Field(name) if *name == field.name));
        let has_twins = || self.fields.iter().filter(|other| self.may_be_twins(&other.ty, &field.ty)).count() > 1;
        let is_any = || {
            let of = crate::types::ungrouped(crate::types::referent(&field.ty));
            self.generics.type_params().any(|parameter| {
                matches!(of, Type::Path(path) if path.qself.is_none() && path.path.is_ident(&parameter.ident))
            })
        };
        !((is_node || observes) && has_twins() || observes && is_any())
    }
}
