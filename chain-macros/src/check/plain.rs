//! Says by itself what is missing, what comes too late, and what replies in vain, where text is enough to know it.
//!
//! A type may have two names, so in general only rustc knows that nothing provides a type. Here everything stands in one
//! module: the functions of a row without branches, and the `struct` or `enum` of each type that they and the chain name.
//! Two such types are the same only if they are written alike. Where some types are of other crates, only what is missing of
//! a type of this file is said. In case of doubt nothing is said here.

mod vain;

use std::collections::HashSet;

use crate::ast::{Chain, Field, Item, ItemKind, NodeUse};
use crate::diagnostics::{Code, Diagnostics};
use crate::handshake::{Of, Told};
use crate::names::unraw;
use crate::nearby::Around;
use crate::plan;
use crate::types;

pub(super) fn check(chain: &Chain, diagnostics: &mut Diagnostics) {
    let said = diagnostics.count();
    let row = Row::of(chain);
    if let Some(row) = &row {
        row.report(diagnostics);
    }
    if diagnostics.count() == said && row.is_none_or(|row| !row.is_known) {
        vain::check(chain, diagnostics);
    }
}

/// The reply's type, and the same or what is in the `Ok` of it.
fn replies(chain: &Chain) -> (String, String) {
    let reply = types::text(&chain.run.reply);
    let ok = types::last_segment(&chain.run.reply).filter(|last| last.ident == "Result");
    let ok = ok.and_then(|result| types::type_arguments(result).first().map(types::text));
    let value = ok.unwrap_or_else(|| reply.clone());
    (reply, value)
}

/// Says that a node replies in vain.
fn in_vain(node: &NodeUse, text: &str, diagnostics: &mut Diagnostics) {
    let (name, a) = (unraw(node.name()), article(text));
    diagnostics.error(
        Code::E208,
        node.name(),
        format_args!("`{name}` gives {a} `{text}`, which could be the reply, but the chain goes on after it, and no node asks for it"),
        format_args!("end the chain with `{name}`, or let it return `Result<(), {text}>`, which replies with the `Err` at once"),
    );
}

fn article(text: &str) -> &'static str {
    if text.starts_with(['A', 'E', 'I', 'O']) { "an" } else { "a" }
}

/// A row in which all types are known.
struct Row<'a> {
    nodes: Vec<Step<'a>>,
    /// The types of inputs and fields.
    there: Vec<String>,
    reply: String,
    /// The same, or what is in the `Ok` of it.
    value: String,
    around: Around,
    /// Whether two types are the same only if they are written alike.
    is_known: bool,
}

struct Step<'a> {
    node: &'a NodeUse,
    /// The signature of a function or of hooks. A node without one is here only if it provides nothing.
    told: Option<&'a Told>,
    /// What a node asks for that tells nothing.
    asks: String,
}

impl<'a> Step<'a> {
    /// The types that it asks for, and whether its `exit` does.
    fn needs(&self) -> impl Iterator<Item = (&'a str, bool)> + use<'a> {
        let exit = self.told.and_then(|told| told.hooks.as_ref()).and_then(|hooks| hooks.exit.as_ref());
        let exit = exit.into_iter().flat_map(|exit| &exit.parameters).filter(|(of, ..)| *of == Of::Scope);
        let enter = self.told.into_iter().flat_map(|told| &told.parameters).map(|(_, text)| (text.as_str(), false));
        enter.chain(exit.map(|(.., text)| (text.as_str(), true)))
    }
}

/// A mistake about this node and this type.
struct Mistake<'a> {
    code: Code,
    at: usize,
    text: &'a str,
    /// The node that provides it later.
    by: Option<usize>,
    /// It is asked for by an `exit`.
    in_exit: bool,
}

impl<'a> Row<'a> {
    fn of(chain: &'a Chain) -> Option<Self> {
        let around = plan::around(chain)?;
        let fields = chain.fields.iter().enumerate().filter(|(index, _)| chain.is_lent(*index));
        let lent = chain.run.inputs.iter().map(|input| &input.ty).chain(fields.map(|(_, field)| &field.ty));
        let there: Vec<_> = lent.map(|ty| types::text(types::referent(ty))).collect();
        let nodes =
            chain.run.body.items.iter().map(|item| step(item, &chain.fields, &around)).collect::<Option<Vec<_>>>()?;
        let (reply, value) = replies(chain);
        let row = Self { nodes, there, value, reply, around, is_known: false };
        let is_known = row.asked().chain(row.had()).all(|text| text.is_empty() || row.around.is_type(text));
        Some(Self { is_known, ..row })
    }

    /// The types of all that there is: of inputs, fields, and what nodes provide.
    fn had(&self) -> impl Iterator<Item = &str> {
        self.there.iter().map(String::as_str).chain(self.provided().map(|(_, text)| text))
    }

    /// Whether only what is written like this type is of this type.
    fn is_judged(&self, text: &str) -> bool {
        self.is_known
            || (self.around.is_of_this_file(text)
                && self.had().all(|there| there == text || self.around.is_other_than(there, text)))
    }

    /// The types that nodes ask for.
    fn asked(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().flat_map(Step::needs).map(|(text, _)| text)
    }

    /// The types that nodes provide, with the positions of these nodes.
    fn provided(&self) -> impl Iterator<Item = (usize, &str)> {
        let told = self.nodes.iter().enumerate().filter_map(|(at, step)| Some((at, step.told?.provides.as_str())));
        // What the last node gives is the reply.
        told.filter(|(at, text)| !text.is_empty() && at + 1 < self.nodes.len())
    }

    fn report(&self, diagnostics: &mut Diagnostics) {
        let mut mistakes: Vec<Mistake<'_>> = Vec::new();
        // The node that ends the row once the last one is moved.
        let mut is_last_then = None;
        let mut before = HashSet::new();
        for (at, step) in self.nodes.iter().enumerate() {
            let Some(told) = step.told else { continue };
            for (text, in_exit) in step.needs() {
                // The node that provides it is put before the first one that asks.
                // Nearly always it is there.
                if before.contains(text)
                    || mistakes.iter().any(|other| other.text == text)
                    || self.there.iter().any(|there| there == text)
                    || !self.is_judged(text)
                {
                    continue;
                }
                let by: Vec<_> = self.provided().filter(|(_, there)| *there == text).map(|(by, _)| by).collect();
                // What the last node gives is meant to come before, if it is no reply.
                let end = self.nodes.len() - 1;
                let ends_with_it = at < end && text != self.reply && text != self.value && self.gives(end) == text;
                match by.as_slice() {
                    [] if ends_with_it => {
                        mistakes.push(Mistake { code: Code::E102, at, text, by: Some(end), in_exit });
                        is_last_then = Some(end - 1);
                    }
                    // Something like it is meant. The scope says what, and there is no error without one.
                    [] if self.has_nearly(text) => return,
                    [] => mistakes.push(Mistake { code: Code::E101, at, text, by: None, in_exit }),
                    [by] if *by > at => mistakes.push(Mistake { code: Code::E102, at, text, by: Some(*by), in_exit }),
                    _ => {}
                }
            }
            let is_reply = told.provides == self.reply || told.provides == self.value;
            let goes_on = at + 1 < self.nodes.len() && is_last_then != Some(at);
            if self.is_known && goes_on && told.hooks.is_none() && is_reply && !self.is_asked_for(&told.provides) {
                mistakes.push(Mistake { code: Code::E208, at, text: &told.provides, by: None, in_exit: false });
            }
            before.insert(told.provides.as_str());
        }
        // rustc says what is wrong with such a type, which may be meant for one that is there.
        let is_misapplied = |text: &str| self.around.is_misapplied(text);
        if !mistakes.is_empty() && self.asked().chain(self.had()).any(is_misapplied) {
            return;
        }
        mistakes.into_iter().for_each(|mistake| self.say(&mistake, diagnostics));
    }

    /// The type that the node at this position gives.
    fn gives(&self, at: usize) -> &str {
        self.nodes[at].told.map_or("", |told| &told.provides)
    }

    fn is_asked_for(&self, provided: &str) -> bool {
        let others = self.nodes.iter().map(|step| step.asks.as_str());
        self.asked().chain(self.there.iter().map(String::as_str)).any(|text| text == provided)
            || others.into_iter().any(|text| text.contains(provided))
    }

    /// Whether there is something whose type is written much like this.
    fn has_nearly(&self, text: &str) -> bool {
        let provided = self.provided().map(|(_, there)| there);
        self.there.iter().map(String::as_str).chain(provided).any(|there| plan::is_near(there, text))
    }

    fn say(&self, mistake: &Mistake<'_>, diagnostics: &mut Diagnostics) {
        let Mistake { code, at, text, by, in_exit } = mistake;
        let name = |at: usize| unraw(self.nodes[at].node.name());
        let (node, by) = (name(*at), by.map(name).unwrap_or_default());
        let a = article(text);
        let (what, help) = match code {
            Code::E101 if *in_exit && (*text == self.reply || *text == self.value) => (
                format!("`{node}` needs {a} `{text}` on its way out, but nothing in this chain provides one"),
                "in `exit`, the chain's reply is the parameter called `reply`".to_owned(),
            ),
            Code::E101 if *text == self.reply => (
                format!("`{node}` needs {a} `{text}`, but nothing in this chain provides one"),
                format!(
                    "the chain's reply is there on the way out: a field with an `impl` block that has `fn exit(&self, reply: &mut {text})` sees it"
                ),
            ),
            Code::E101 => (
                format!("`{node}` needs {a} `{text}`, but nothing in this chain provides one"),
                format!(
                    "add a node that returns `{text}` before `{node}`, list it among the chain's inputs, or make it a field of the chain"
                ),
            ),
            Code::E102 => (
                format!("`{node}` needs {a} `{text}`, which `{by}` provides, but `{by}` comes after it"),
                format!("move `{by}` before `{node}`"),
            ),
            _ => return in_vain(self.nodes[*at].node, text, diagnostics),
        };
        diagnostics.error(*code, self.nodes[*at].node.name(), what, help);
    }
}

/// A node that always runs, and of which all is known.
fn step<'a>(item: &'a Item, fields: &[Field], around: &Around) -> Option<Step<'a>> {
    let modifiers = &item.modifiers;
    let is_plain = modifiers.conditions.is_empty()
        && modifiers.open.is_none()
        && modifiers.cancel.is_none()
        && item.otherwise.is_none()
        && item.given.is_none();
    let ItemKind::Node(node) = &item.kind else { return None };
    let step = match (&node.told, &node.hooks) {
        (Some(told), _) => {
            let name = node.path.path.get_ident()?;
            // A value that is given back stands where the value stood that was taken.
            let is_known = around.has_function(name) && told.gives_back().is_none();
            is_known.then_some(Step { node, told: Some(told), asks: String::new() })?
        }
        (None, Some(hooks)) => {
            let ty = types::last_segment(&fields[node.field?].ty)?;
            let is_known = around.has_hooks(&ty.ident) && hooks.gives_back().is_none();
            is_known.then_some(Step { node, told: Some(hooks), asks: String::new() })?
        }
        // A function whose name is that of a macro known everywhere. A field may have the name of a function.
        (None, None) if node.field.is_some() => return None,
        (None, None) => {
            let asks = around.parameters_of_what_gives_nothing(node.path.path.get_ident()?)?;
            Step { node, told: None, asks }
        }
    };
    is_plain.then_some(step)
}
