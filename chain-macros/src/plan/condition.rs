//! The conditions under which an item runs.

use std::rc::Rc;

use quote::quote_spanned;

use super::read::step;
use super::{Condition, Place, Planner, Role, Shed, ShedOf, Step};
use crate::ast;
use crate::handshake::{Access, Kind, Told};
use crate::names;

impl<'a> Planner<'a> {
    pub(super) fn condition(&mut self, condition: &'a ast::Condition, item: &ast::Item, place: Place) -> Condition {
        match condition {
            ast::Condition::Held(span, field) => Condition::Held(*span, *field),
            ast::Condition::When(node) => {
                let step = step(self.chain, node, false);
                Condition::Asked(self.step(step, Role::Predicate, &mut { place }))
            }
            ast::Condition::Sample(span, share) => Condition::Sampled(*span, *share),
            ast::Condition::Split(span, share) => {
                let rt = names::alias(*span);
                let node = quote_spanned!(*span=> #rt::share::split);
                let place_of = quote_spanned!(*span=> &<#node as #rt::Stateless>::NODE);
                let told = Told {
                    name: "split".to_owned(),
                    is_async: false,
                    is_owned: false,
                    kind: Kind::Gives,
                    provides: "StickyKey".to_owned(),
                    breaks: String::new(),
                    parameters: vec![(Access::Lent, "StickyKey".to_owned())],
                    hooks: None,
                };
                let step = Step::named(node, place_of, "split".to_owned(), *span);
                let step = Step { told: Some(Rc::new(told)), ..step };
                // The key is made of the names and not of the position, so that the same users are in it when the chain
                // grows elsewhere.
                let salt = format!("{}/{}", names::unraw(&self.chain.name), item.first_name());
                Condition::Split(self.step(step, Role::Predicate, &mut { place }), *share, salt)
            }
            ast::Condition::Toggle(toggle) => {
                let index = self.toggles;
                self.toggles += 1;
                Condition::Toggled(index, toggle.on)
            }
            ast::Condition::Shed(declared) => {
                // Its nodes are known once the other conditions have their positions.
                self.sheds.push(Shed { declared, of: ShedOf::Node(self.steps.len()) });
                Condition::Kept(self.sheds.len() - 1)
            }
        }
    }
}
