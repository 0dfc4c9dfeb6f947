//! What is wrong with a chain that can be seen without knowing any type.
//!
//! - a chain has a node;
//! - one type, one provider: among the inputs and the fields, by their written types. What nodes provide
//!   only rustc knows; `expand::scope` lets it compare.

use crate::ast::Chain;
use crate::diagnostics::Diagnostics;
use crate::names::unraw;
use crate::types;

pub(crate) fn chain(chain: &Chain, diagnostics: &mut Diagnostics) {
    has_a_node(chain, diagnostics);
    inputs_differ(chain, diagnostics);
    fields_differ(chain, diagnostics);
    types_are_told_apart(chain, diagnostics);
    names_differ(chain, diagnostics);
}

fn has_a_node(chain: &Chain, diagnostics: &mut Diagnostics) {
    if let (Some(body), true) = (chain.run.body, chain.run.nodes.is_empty()) {
        diagnostics.error_at(
            body,
            "the chain has no nodes",
            "name at least one, which gives the reply: `{ first => last }`",
        );
    }
}

fn inputs_differ(chain: &Chain, diagnostics: &mut Diagnostics) {
    let inputs = &chain.run.inputs;
    for (at, input) in inputs.iter().enumerate() {
        let ty = types::referent(&input.ty);
        let twin = inputs[..at].iter().find(|other| types::same_text(types::referent(&other.ty), ty));
        if let Some(twin) = twin {
            diagnostics.error(
                &input.ty,
                format_args!(
                    "both inputs `{}` and `{}` are a `{}`",
                    unraw(&twin.name),
                    unraw(&input.name),
                    types::text(ty)
                ),
                "nodes find what they need by its type: wrap one in a type of its own",
            );
        }
        let field = chain.fields.iter().find(|field| types::same_text(&field.ty, ty));
        if let Some(field) = field.filter(|_| twin.is_none()) {
            diagnostics.error(
                &input.ty,
                format_args!(
                    "both the field `{}` and the input `{}` are a `{}`",
                    unraw(&field.name),
                    unraw(&input.name),
                    types::text(ty)
                ),
                "nodes find what they need by its type: wrap one in a type of its own",
            );
        }
    }
}

fn fields_differ(chain: &Chain, diagnostics: &mut Diagnostics) {
    for (at, field) in chain.fields.iter().enumerate() {
        if !chain.is_lent(at) {
            continue;
        }
        let twin = (0..at).find(|other| chain.is_lent(*other) && types::same_text(&chain.fields[*other].ty, &field.ty));
        if let Some(twin) = twin {
            diagnostics.error(
                &field.ty,
                format_args!(
                    "both fields `{}` and `{}` are a `{}`",
                    unraw(&chain.fields[twin].name),
                    unraw(&field.name),
                    types::text(&field.ty)
                ),
                "nodes find what they need by its type: wrap one in a type of its own",
            );
        }
    }
}

/// A type parameter may be any type, also one that something else in the scope is: rustc would find that the two overlap.
fn types_are_told_apart(chain: &Chain, diagnostics: &mut Diagnostics) {
    let is_parameter = |ty: &syn::Type| match types::referent(ty) {
        syn::Type::Path(path) => chain.generics.type_params().any(|parameter| path.path.is_ident(&parameter.ident)),
        _ => false,
    };
    let fields = chain.fields.iter().enumerate().filter(|(index, _)| chain.is_lent(*index));
    let fields = fields.map(|(_, field)| ("field", &field.name, &field.ty));
    let inputs = chain.run.inputs.iter().map(|input| ("input", &input.name, &input.ty));
    for (kind, name, ty) in fields.chain(inputs).filter(|(.., ty)| is_parameter(ty)) {
        let parameter = types::text(types::referent(ty));
        diagnostics.error(
            ty,
            format_args!(
                "the {kind} `{}` is a `{parameter}`, which may be what something else in this chain is",
                unraw(name)
            ),
            format_args!("nodes find what they need by its type: wrap it in a type of its own, `Wrapper<{parameter}>`"),
        );
    }
}

fn names_differ(chain: &Chain, diagnostics: &mut Diagnostics) {
    let inputs = &chain.run.inputs;
    for (at, input) in inputs.iter().enumerate() {
        if inputs[..at].iter().any(|other| other.name == input.name) {
            let name = unraw(&input.name);
            diagnostics.error(&input.name, format_args!("two inputs are called `{name}`"), "give one another name");
        }
    }
}
