//! What a node needs comes from before it, once, and stays whole.

use super::message::Message;
use super::{blocks, shed};
use crate::describe::{Access, ChainInfo, Need, NodeInfo, SourceKind};

/// The needs of a node have to come from before it; those of its way out, from before it or from the node itself.
#[track_caller]
pub(super) const fn order(chain: &ChainInfo, node: &NodeInfo, needs: &[Need], way_out: bool) {
    let mut at = 0;
    while at < needs.len() {
        let need = &needs[at];
        let from = need.from;
        match from.kind {
            SourceKind::Node if from.position == node.position && !way_out => {
                let message =
                    needs_a("E103", node, need).text(", which only ").code(node.name).text(" itself provides: ");
                panic!("{}", message.text("add a node before it that returns one").as_str());
            }
            SourceKind::Node if from.position > node.position => {
                panic!("{}", comes_too_late(node, need).as_str());
            }
            SourceKind::Block if node.position < blocks::end(chain, from.position) => {
                if node.position >= blocks::first(chain, from.position) {
                    let message =
                        needs_a("E103", node, need).text(", which only the block that it stands in provides: ");
                    panic!("{}", message.text("add a node before it that returns one").as_str());
                }
                panic!("{}", comes_too_late(node, need).as_str());
            }
            // The error goes to the node that provides it.
            SourceKind::Skippable if shed::goes_behind(chain, from.position) => {}
            SourceKind::Skippable if from.position != node.position => {
                let message = needs_a("E115", node, need)
                    .text(", which ")
                    .code(from.name)
                    .text(" provides, but ")
                    .code(from.name);
                // In the form in which a field that is an `Option` is drawn.
                let may_be_none = matches!(chain.nodes[from.position].attributes.as_bytes(), [b'i', b'f', b' ', ..]);
                let (message, or, which, with_it) = match shed::of(chain, from.position) {
                    Some(shed) => {
                        let message = message.text(" may be shed from ").code(shed.from.name()).text(" on");
                        (message, ">`, or shed ", node.name, " with it, in a block of both")
                    }
                    None if may_be_none => (
                        message.text(" may be `None`"),
                        ">`, or hold ",
                        from.name,
                        " in its field without the `Option`",
                    ),
                    None if chain.nodes[from.position].opens => {
                        let message = message.text(" is `#[open]`, so the run goes on without it where it breaks");
                        (message, ">`, or leave `#[open]` out, since ", node.name, " needs the value")
                    }
                    None => (message.text(" may be skipped"), ">`, or put ", node.name, " under the same condition"),
                };
                // A value provided by reference is found by the type to which it refers; an option is found as it is.
                let by_reference = match chain.nodes[from.position].facts.provides {
                    Some(ty) => matches!(ty.as_bytes(), [b'&', ..]),
                    None => false,
                };
                let is_taken = matches!(need.access, Access::Taken);
                let message = message.text(if is_taken { ": ask for `Option<" } else { ": ask for `&Option<" });
                let message = message.text(if by_reference { "&" } else { "" });
                let message = message.text(need.ty).text(or).code(which);
                panic!("{}", message.text(with_it).as_str());
            }
            SourceKind::Ending if !way_out => {
                let message = Message::of("E315").code(node.name).text(" asks how the chain ended before it has: ");
                panic!("{}", message.text("only `exit` can be lent an `Ending`").as_str());
            }
            _ => {}
        }
        at += 1;
    }
}

const fn needs_a(code: &str, node: &NodeInfo, need: &Need) -> Message {
    Message::of(code).code(node.name).text(" needs ").a(need.ty)
}

/// What a node, or a block, provides only after the node that needs it.
const fn comes_too_late(node: &NodeInfo, need: &Need) -> Message {
    let from = need.from.name;
    let message = needs_a("E102", node, need).text(", which ").code(from).text(" provides, but ").code(from);
    message.text(" comes after it: move ").code(from).text(" before ").code(node.name)
}

/// Two needs of one hook cannot be the same thing, or a thing and a part of it.
#[track_caller]
pub(super) const fn overlap(node: &NodeInfo, needs: &[Need]) {
    let mut at = 1;
    while at < needs.len() {
        let mut before = 0;
        while before < at {
            let (one, other) = (&needs[before], &needs[at]);
            let same_kind = one.from.kind as usize == other.from.kind as usize;
            let same = same_kind && one.from.position == other.from.position;
            let part = is_part_of(one, other) || is_part_of(other, one);
            if same {
                let message = Message::of("E109").code(node.name).text(" asks twice for the same value, as ");
                let message = message.code(one.ty).text(" and as ").code(other.ty);
                panic!("{}", message.text(": ask once").as_str());
            }
            if part {
                let message = Message::of("E110").code(node.name).text(" asks for ").code(one.ty).text(" and for ");
                let message = message.code(other.ty).text(", but one is a part of the other: ");
                panic!("{}", message.text("ask for the whole, or for its parts").as_str());
            }
            before += 1;
        }
        at += 1;
    }
}

/// Whether `part` is a part of the context, and `whole` is the whole context.
const fn is_part_of(part: &Need, whole: &Need) -> bool {
    matches!((part.from.kind, whole.from.kind), (SourceKind::Part, SourceKind::Input))
}

/// A node that is lent an `Option` for writing can make it `None`. Then the node that provided it could no longer be
/// left.
#[track_caller]
pub(super) const fn emptied(chain: &ChainInfo, node: &NodeInfo, needs: &[Need]) {
    let mut at = 0;
    while at < needs.len() {
        let need = &needs[at];
        if let (SourceKind::Node, Access::LentMut) = (need.from.kind, need.access) {
            let from = &chain.nodes[need.from.position];
            if from.may_be_skipped && (from.facts.exit.is_present() || from.facts.cancelled) {
                let message = Message::of("E116").code(node.name).text(" asks for `&mut ").text(need.ty);
                let message = message.text("`, and could empty it, but ").code(from.name);
                let message = message.text(" needs its value when it is left: ask for `&").text(need.ty);
                panic!("{}", message.text("`, or keep what changes behind a `Cell` or a `Mutex` in it").as_str());
            }
        }
        at += 1;
    }
}
