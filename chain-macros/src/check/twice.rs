//! Two values of one type in a scope, where rustc itself would find that: for a binding, for the value of a block, and in a
//! chain with type parameters. (Elsewhere the runtime compares the types of what two nodes provide.)
//!
//! Two texts are one type if both are read beside the chain. In case of doubt nothing is said here.

use crate::ast::{Block, Chain, Item, ItemKind, NodeUse};
use crate::diagnostics::{Code, Diagnostics};
use crate::handshake::Access;
use crate::names::unraw;
use crate::nearby::Around;
use crate::types;

use super::told::nodes;

pub(super) fn check(chain: &Chain, diagnostics: &mut Diagnostics) {
    let is_generic = chain.generics.type_params().next().is_some();
    let items = chain.run.body.items();
    let is_read_here = items.iter().any(|item| item.given.is_some() || bindings(item).next().is_some());
    if !is_generic && !is_read_here {
        return;
    }
    let Some(around) = Around::of(&chain.name) else { return };
    // What was taken may be provided anew.
    let told = items.iter().flat_map(|item| nodes(item)).filter_map(|node| node.told.as_deref());
    let parameters = told.flat_map(|told| &told.parameters);
    let taken = parameters.filter(|(access, _)| *access == Access::Taken).map(|(_, text)| text.as_str()).collect();
    let mut scopes = Scopes { around: &around, taken, is_generic, diagnostics };
    scopes.row(&chain.run.body, &mut Vec::new());
}

/// The bindings of a branch's patterns.
fn bindings(item: &Item) -> impl Iterator<Item = &crate::ast::Binding> {
    let branch = match &item.kind {
        ItemKind::Branch(branch) => Some(branch),
        _ => None,
    };
    branch.into_iter().flat_map(|branch| &branch.arms).flat_map(|arm| &arm.bindings)
}

/// What is there already: the text of its type, with the function if that stands elsewhere, and what provides it.
type There = Vec<(String, String)>;

struct Scopes<'a> {
    around: &'a Around,
    taken: Vec<&'a str>,
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
                            self.joins(&mut there, text, format!("`{name}`"), &what, &binding.ty, true);
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
                self.joins(there, text, "a block".to_owned(), &what, &given.tokens, true);
            }
        }
    }

    fn node(&mut self, item: &Item, node: &NodeUse, there: &mut There) {
        let modifiers = &item.modifiers;
        let is_plain = !modifiers.has_conditions && modifiers.open.is_none() && modifiers.cancel.is_none();
        let Some(told) = node.told.as_ref().filter(|told| is_plain && !told.provides.is_empty()) else { return };
        let (name, path) = (unraw(node.name()), types::text(&syn::Type::Path(node.path.clone())));
        // Its types are read where the function stands. Elsewhere only the same function gives the same.
        let is_here = self.around.has_node(node);
        let key = if is_here { told.provides.clone() } else { format!("{path} {}", told.provides) };
        let what = format!("`{name}` provides a `{}`", told.provides);
        self.joins(there, key, format!("`{name}`"), &what, node.name(), self.is_generic);
    }

    /// Something joins the scope.
    fn joins(
        &mut self,
        there: &mut There,
        text: String,
        who: String,
        what: &str,
        at: &dyn quote::ToTokens,
        is_told: bool,
    ) {
        let is_taken = self.taken.iter().any(|taken| text == *taken || text.ends_with(&format!(" {taken}")));
        let other = there.iter().find(|(other, _)| *other == text && !is_taken);
        if let Some((_, other)) = other.filter(|_| is_told) {
            self.diagnostics.error(
                Code::E111,
                at,
                format_args!(
                    "{what}, and {other} before it provides one, so a node that asks for it could mean either"
                ),
                "leave one of them out, or wrap one in a type of its own",
            );
        }
        there.push((text, who));
    }
}
