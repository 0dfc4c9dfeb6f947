//! Names in a row that are no nodes, as the file shows.

use crate::ast::{Chain, Item, ItemKind, NodeUse};
use crate::diagnostics::{Code, Diagnostics};
use crate::names::{begins_like_a_type, unraw};
use crate::nearby::{self, Called};
use crate::types;

use super::told;

/// A function in the row has `#[node]`. Here rustc would say that it cannot find a macro of that name.
pub(super) fn check(chain: &Chain, diagnostics: &mut Diagnostics) {
    // Without type parameters it is one error of rustc, which sees all that makes a type a node.
    if chain.generics.type_params().next().is_some() {
        lacks_the_attribute(chain, diagnostics);
        lacks_a_bound(chain, diagnostics);
    }
    // What could not be read may be what declares a name.
    let is_read = !diagnostics.is_any();
    let items = chain.run.body.items().into_iter();
    for node in items.flat_map(told::nodes).filter(|node| node.field.is_none()) {
        let method = node.path.path.segments.iter().map(|part| &part.ident).collect::<Vec<_>>();
        if let [ty, method] = method.as_slice()
            && nearby::is_misplaced(method, Some(ty), Some(method))
        {
            diagnostics.known();
        }
        if let [module, function] = method.as_slice()
            && node.path.path.leading_colon.is_none()
            && nearby::is_private(&chain.name, module, function)
        {
            let (module, function) = (unraw(module), unraw(function));
            diagnostics.error(
                Code::E327,
                node.name(),
                format_args!("`{function}` is private in `{module}`"),
                "write `pub(crate)` before the function",
            );
        }
        if let [module, function] = method.as_slice()
            && node.path.path.leading_colon.is_none()
            && nearby::is_unmarked_in(&chain.name, module, function)
        {
            unmarked(function, Some(&unraw(module)), diagnostics);
        }
        let Some(name) = node.path.path.get_ident() else { continue };
        // A segment has it as a field, which the chain lacks: an error of its own.
        if chain.needs.iter().any(|need| need.name == *name) {
            continue;
        }
        match nearby::called(name) {
            Called::Perhaps => {
                if let Some(module) = nearby::imported_unmarked(&chain.name, name) {
                    unmarked(name, Some(&module), diagnostics);
                }
            }
            Called::Plain => unmarked(name, None, diagnostics),
            Called::Nowhere(like) if is_read => nowhere(chain, name, like, diagnostics),
            Called::Nowhere(_) => {}
        }
    }
}

/// A function, beside the chain or in a module there, that has no attribute.
pub(crate) fn unmarked(name: &syn::Ident, module: Option<&str>, diagnostics: &mut Diagnostics) {
    let text = unraw(name);
    let within = module.map(|module| format!(" in `{module}`")).unwrap_or_default();
    diagnostics.error(
        Code::E301,
        name,
        format_args!("`{text}` is not a node: `fn {text}`{within} has no `#[node]`"),
        format_args!("write `#[node]` before `fn {text}`"),
    );
}

/// The fields that the row names, each where it is named first.
fn fields(chain: &Chain) -> Vec<(&NodeUse, usize)> {
    let mut fields: Vec<(&NodeUse, usize)> = Vec::new();
    for node in chain.run.body.items().into_iter().flat_map(told::nodes) {
        let field = node.field.filter(|field| fields.iter().all(|(_, other)| other != field));
        fields.extend(field.map(|field| (node, field)));
    }
    fields
}

/// The hooks of a field that the row names have `#[node]`.
fn lacks_the_attribute(chain: &Chain, diagnostics: &mut Diagnostics) {
    for (node, field) in fields(chain) {
        let Some(ty) = nearby::is_unmarked(chain, &chain.fields[field].ty) else { continue };
        diagnostics.error(
            Code::E301,
            node.name(),
            format_args!("`{ty}` is not a node: `impl {ty}` has no `#[node]`"),
            format_args!("write `#[node]` before `impl {ty}`"),
        );
    }
}

/// The hooks of a field ask more of a type parameter than the chain, which asks nothing of it that could imply more.
fn lacks_a_bound(chain: &Chain, diagnostics: &mut Diagnostics) {
    for (node, field) in fields(chain) {
        let Some(last) = types::last_segment(&chain.fields[field].ty) else { continue };
        let arguments = types::type_arguments(last);
        for (at, bound) in nearby::bounds_asked(&chain.name, &last.ident) {
            let Some(own) = arguments.get(at).and_then(|argument| types::named(argument)) else { continue };
            let asked = types::bounds_of(own, &chain.generics);
            if asked.is_some_and(|asked| asked.into_iter().flatten().all(types::is_harmless)) {
                let (name, own) = (unraw(node.name()), unraw(own));
                diagnostics.error(
                    Code::E328,
                    node.name(),
                    format_args!(
                        "`{name}` is a node where `{own}: {bound}`, and this chain asks nothing of its `{own}`"
                    ),
                    format_args!("write `{own}: {bound}` among the parameters of the struct"),
                );
                break;
            }
        }
    }
}

/// A name in the row is neither declared nor imported. Here rustc would say that it cannot find a macro of that name.
fn nowhere(chain: &Chain, name: &syn::Ident, like: Option<String>, diagnostics: &mut Diagnostics) {
    if nearby::is_misplaced(name, None, Some(name)) {
        return diagnostics.known();
    }
    let text = unraw(name);
    // `Log { level }` and `log { level }`
    let is_it = |item: &&Item| matches!(&item.kind, ItemKind::Node(node) if node.path.path.is_ident(name));
    let value = chain.run.body.items().into_iter().find_map(|item| match &item.kind {
        ItemKind::Around(node, block) => {
            (block.items.len() == 1 && block.items.iter().any(|item| is_it(&item))).then_some(node)
        }
        _ => None,
    });
    if let (Some(node), None) = (value, &like) {
        let is_reported = !begins_like_a_type(&unraw(node.name())) && nearby::is_nowhere(node.name()).is_some();
        if node.field.is_none() && is_reported {
            return;
        }
        let (node, what) = (unraw(node.name()), "a node with state is a field of the struct");
        let help = match begins_like_a_type(&node) {
            true => "declare the field there, and write its name here, without braces".to_owned(),
            false => format!("declare the field there, with its type, and write `{node}` here, without braces"),
        };
        return diagnostics.error(Code::E015, name, what, help);
    }
    let help = match like {
        Some(like) => format!("write `{like}`"),
        None => match nearby::type_called(name) {
            Some(ty) => format!("a node with state is a field of the struct: declare `{text}: {ty}` there"),
            None => format!(
                "write `#[node] fn {text}(..)`, or import it with `use`; a node with state is a field of the struct"
            ),
        },
    };
    diagnostics.error(Code::E301, name, format_args!("there is no node called `{text}` here"), help);
}
