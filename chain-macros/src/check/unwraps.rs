//! `match auth { Ok(user: User) => .., Err(_) => .. }`: where a node breaks, its chain breaks. The arms see what is in the `Ok`. rustc
//! would say of each arm that its type is another one.

use proc_macro2::TokenTree;

use crate::ast::{Branch, Chain, ItemKind};
use crate::diagnostics::{Code, Diagnostics};
use crate::handshake::Kind;
use crate::names::unraw;
use crate::nearby::Around;

pub(super) fn check(chain: &Chain, diagnostics: &mut Diagnostics) {
    for item in chain.run.body.items() {
        let ItemKind::Branch(Branch { node, arms, .. }) = &item.kind else { continue };
        let Some(told) = node.told.as_ref() else { continue };
        let (result, [going_on, breaking]) = match told.kind {
            Kind::Fails => ("Result", ["Ok", "Err"]),
            Kind::Breaks => ("ControlFlow", ["Continue", "Break"]),
            Kind::Gives => continue,
        };
        let mut patterns = arms.iter().filter_map(|arm| variant(&arm.pattern));
        let Some(first) = patterns.find(|name| name == going_on || name == breaking) else { continue };
        // What is in it may have such variants itself.
        let is_plain = |around: Around| {
            around.alias(&told.provides).is_none() && !around.may_import_variants(going_on) && around.has_node(node)
        };
        let inner = told.provides.split('<').next().unwrap_or_default().rsplit("::").next().unwrap_or_default();
        if inner == result || !Around::of(&chain.name).is_some_and(is_plain) {
            continue;
        }
        let (name, what) = (unraw(node.name()), if told.provides.is_empty() { "()" } else { &told.provides });
        diagnostics.error(
            Code::E420,
            &first,
            format_args!(
                "`{name}` gives a `{what}` here: where it returns {} `{breaking}`, it has broken, and no arm runs",
                if breaking == "Err" { "an" } else { "a" }
            ),
            format_args!(
                "leave out the arm for `{breaking}`, and write the patterns of the `{what}`; if there is one, `{name} => ..` in place of the `match`"
            ),
        );
    }
}

/// The name of the variant that a pattern begins with, if it has fields in parentheses.
fn variant(pattern: &proc_macro2::TokenStream) -> Option<proc_macro2::Ident> {
    let mut last = None;
    for token in pattern.clone() {
        match token {
            TokenTree::Ident(name) => last = Some(name),
            TokenTree::Punct(punct) if punct.as_char() == ':' => {}
            TokenTree::Group(group) if group.delimiter() == proc_macro2::Delimiter::Parenthesis => return last,
            _ => return None,
        }
    }
    None
}
