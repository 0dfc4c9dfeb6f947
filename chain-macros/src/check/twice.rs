//! Two values of one type in a scope, where rustc itself would find that: for a binding, for the value of a block, and in a
//! chain with type parameters. (Elsewhere the runtime compares the types of what two nodes provide.)
//!
//! Two texts are one type if both are read beside the chain. In case of doubt nothing is said here.

use std::rc::Rc;

use crate::ast::{Block, Chain, Form, Item, ItemKind, NodeUse};
use crate::diagnostics::{Code, Diagnostics};
use crate::handshake::Told;
use crate::names::unraw;
use crate::nearby::Around;
use crate::types;

pub(super) fn check(chain: &Chain, diagnostics: &mut Diagnostics) {
    let is_generic = chain.generics.type_params().next().is_some();
    let items = chain.run.body.items();
    let is_read_here = items.iter().any(|item| item.given.is_some() || bindings(item).next().is_some());
    if !is_generic && !is_read_here {
        return;
    }
    let Some(around) = Around::of(&chain.name) else { return };
    let mut scopes = Scopes { around: &around, is_generic, diagnostics };
    scopes.row(&chain.run.body, &mut around_all(chain));
}

/// The inputs and fields. A swappable field is found by what it holds.
fn around_all(chain: &Chain) -> There {
    let inputs = chain.run.inputs.iter().filter(|_| chain.form == Form::Item);
    let inputs = inputs.map(|input| (&input.ty, format!("the input `{}` is one", unraw(&input.name))));
    let fields = chain.fields.iter().enumerate().filter(|(index, field)| {
        chain.is_lent(*index) && field.cfg().next().is_none() && types::reloadable(&field.ty).is_none()
    });
    let fields = fields.map(|(_, field)| (&field.ty, format!("the field `{}` is one", unraw(&field.name))));
    let all = inputs.chain(fields);
    all.map(|(ty, other)| Thing { text: types::text(types::referent(ty)), other, by: By::Chain }).collect()
}

/// The bindings of a branch's patterns.
fn bindings(item: &Item) -> impl Iterator<Item = &crate::ast::Binding> {
    let branch = match &item.kind {
        ItemKind::Branch(branch) => Some(branch),
        _ => None,
    };
    branch.into_iter().flat_map(|branch| &branch.arms).flat_map(|arm| &arm.bindings)
}

/// What is there already.
type There = Vec<Thing>;

#[derive(Clone)]
struct Thing {
    /// The text of its type, with the function if that stands elsewhere.
    text: String,
    /// What is said of it where it is the other one.
    other: String,
    by: By,
}

/// What it comes from.
#[derive(Clone, Copy, PartialEq)]
enum By {
    /// An input or a field. That a function provides the same is found elsewhere.
    Chain,
    Function,
    /// A binding or a block, which rustc compares with all others.
    Written,
}

struct Scopes<'a> {
    around: &'a Around,
    is_generic: bool,
    diagnostics: &'a mut Diagnostics,
}

impl Scopes<'_> {
    fn row(&mut self, row: &Block, there: &mut There) {
        for (at, item) in row.items.iter().enumerate() {
            let inner: Vec<&Block> = match &item.kind {
                ItemKind::Node(node) => {
                    if at + 1 < row.items.len() {
                        self.node(item, node, there);
                    }
                    continue;
                }
                ItemKind::Block(inner) | ItemKind::Around(_, inner) => vec![inner],
                ItemKind::Branch(branch) => {
                    for arm in &branch.arms {
                        let mut there = there.clone();
                        for binding in &arm.bindings {
                            let (name, text) = (unraw(&binding.name), types::text(types::referent(&binding.ty)));
                            let what = format!("the binding `{name}` is a `{text}`");
                            self.joins(
                                &mut there,
                                text,
                                format!("`{name}` before it provides one"),
                                &what,
                                &binding.ty,
                                By::Written,
                            );
                        }
                        self.row(&arm.body, &mut there);
                    }
                    Vec::new()
                }
            };
            for block in inner.into_iter().chain(&item.otherwise) {
                self.row(block, &mut there.clone());
            }
            // What may be skipped provides an `Option`.
            let is_sure = item.modifiers.open.is_none() && (!item.modifiers.has_conditions || item.otherwise.is_some());
            if let Some(given) = item.given.as_ref().filter(|_| is_sure) {
                let text = types::text(types::referent(&given.ty));
                let what = format!("the block provides a `{text}`");
                self.joins(there, text, "a block before it provides one".to_owned(), &what, &given.tokens, By::Written);
            }
        }
    }

    fn node(&mut self, item: &Item, node: &NodeUse, there: &mut There) {
        let modifiers = &item.modifiers;
        let is_plain = !modifiers.has_conditions && modifiers.open.is_none() && modifiers.cancel.is_none();
        // What a function takes and gives stays where it was.
        let is_new = |told: &&Rc<Told>| !told.provides.is_empty() && told.gives_back().is_none();
        let Some(told) = node.told.as_ref().filter(|told| is_plain && is_new(told)) else { return };
        let (name, path) = (unraw(node.name()), types::text(&syn::Type::Path(node.path.clone())));
        // Its types are read where the function stands. Elsewhere only the same function gives the same.
        let is_here = self.around.has_node(node);
        let key = if is_here { told.provides.clone() } else { format!("{path} {}", told.provides) };
        let what = format!("`{name}` provides a `{}`", told.provides);
        self.joins(there, key, format!("`{name}` before it provides one"), &what, node.name(), By::Function);
    }

    /// Something joins the scope.
    fn joins(&mut self, there: &mut There, text: String, other: String, what: &str, at: &dyn quote::ToTokens, by: By) {
        let is_told = |first: By| match (first, by) {
            (By::Written, _) | (_, By::Written) => true,
            (By::Chain, _) | (_, By::Chain) => false,
            (By::Function, By::Function) => self.is_generic,
        };
        let same = there.iter().find(|first| first.text == text && is_told(first.by));
        if let Some(Thing { other, .. }) = same {
            self.diagnostics.error(
                Code::E111,
                at,
                format_args!("{what}, and {other}, so a node that asks for it could mean either"),
                "leave one of them out, or wrap one in a type of its own",
            );
        }
        there.push(Thing { text, other, by });
    }
}
