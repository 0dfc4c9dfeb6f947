//! An item that is shed needs a field that knows the level, and a name of its own. It goes behind the request only
//! where that is possible.

use crate::ast::{Chain, Form, How, Item};
use crate::diagnostics::{Code, Diagnostics};

pub(super) fn check(chain: &Chain, diagnostics: &mut Diagnostics) {
    let items = chain.run.body.items();
    let sheds: Vec<_> = items.iter().filter_map(|item| item.shed()).collect();
    let Some(first) = sheds.first() else { return };
    if chain.form == Form::Short {
        let what = "a chain in the short form does not know how hard it is to serve";
        let help = "declare the chain as an item, with a field `shedding: Shedding`";
        return diagnostics.error_at(Code::E712, first.span, what, help);
    }
    if chain.shedding().is_none() && chain.may_have_it().is_empty() && !super::is_missed(chain, "Shedding") {
        diagnostics.error_at(
            Code::E712,
            first.span,
            format_args!("nothing in this chain says at which level it is, and so when `{}` is shed", first.name),
            "add a field `shedding: Shedding` to the struct (`chain_runtime::Shedding`, made by `Shedding::new()`)",
        );
    }
    for (at, shed) in sheds.iter().enumerate() {
        if sheds[..at].iter().any(|other| other.name == shed.name) {
            diagnostics.error_at(
                Code::E713,
                shed.span,
                format_args!("two things that are shed are called `{}`", shed.name),
                format_args!("give one another name: `#[shed({}, \"name\")]`", shed.level.name()),
            );
        }
    }
    items.iter().for_each(|item| goes_behind(chain, item, diagnostics));
}

/// The part of this that can be seen without types. rustc checks that the node owns its work and returns nothing.
fn goes_behind(chain: &Chain, item: &Item, diagnostics: &mut Diagnostics) {
    let Some(shed) = item.shed() else { return };
    let How::Behind(span) = shed.how else { return };
    if let Some(otherwise) = &item.otherwise {
        let what = "this `else` would never run: what goes behind the request is done all the same";
        diagnostics.error_at(Code::E715, otherwise.span, what, "leave the `else` out, or `detach`");
    } else if let Some((limit, _)) = &item.modifiers.timeout {
        let what = "what goes behind the request has no timeout there";
        diagnostics.error_at(Code::E715, *limit, what, "limit it inside the node, or leave `detach` out");
    } else if !chain.run.is_async {
        let what = "in a chain that is a plain `fn`, nothing goes on behind the request";
        diagnostics.error_at(Code::E715, span, what, "leave `detach` out, or declare the chain `async fn(..)`");
    } else if chain.may_be_tasks().is_empty() && !super::is_missed(chain, "Tasks") {
        diagnostics.error_at(
            Code::E716,
            span,
            format_args!("there is no queue for the work of `{}` behind the request", shed.name),
            "add a field `tasks: Tasks` to the struct (`chain_runtime::tasks::Tasks`, made by `Tasks::new(64)`)",
        );
    }
}
