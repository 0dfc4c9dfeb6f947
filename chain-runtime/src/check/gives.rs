//! What a node returns, and whether its type shows what that means.

use super::message::Message;
use crate::describe::{Access, ChainInfo, Hides, Need, NodeInfo, SourceKind};
use crate::private::{Meant, Shows};

/// Scopes compare types as they are written, and the macro sees by the same text whether a type is a reference.
///
/// # Panics
///
/// It panics in a constant, so while compiling, if the name of a type hides that it is a reference.
#[track_caller]
pub const fn shows(what: &str, name: &str, ty: &str, shows: Shows) {
    let message = Message::of("E113").text(what).code(name);
    match shows {
        Shows::Reference => {
            let message = message.text(" is a reference, which `").text(ty).text("` does not show: write it as `&T`. ");
            panic!("{}", message.text("What is behind a reference is found as a `T`, whoever owns it").as_str());
        }
        Shows::Itself | Shows::Nothing => {}
    }
}

/// The same check for a node whose type has arguments, which may be references.
///
/// # Panics
///
/// It panics in a constant, so while compiling.
#[track_caller]
pub const fn shows_itself(name: &str, is_reference: bool) {
    if is_reference {
        let message = Message::of("E113").text("what ").code(name).text(" provides here is a reference: ");
        let message = message.text("what is behind one is found as a `T`, whoever owns it. ");
        panic!("{}", message.text("Name the node with a type of your own, which holds it").as_str());
    }
}

/// `()` can only be the reply of a chain whose reply is `()`, even if the chain's reply can be made of any value.
///
/// # Panics
///
/// It panics in a constant, so while compiling.
#[track_caller]
pub const fn ends(name: &str, gives_nothing: bool, reply_is_anything: bool) {
    if gives_nothing && reply_is_anything {
        let message = Message::of("E203")
            .text("the chain ends with ")
            .code(name)
            .text(", which gives `()`, and that is no reply: ");
        panic!("{}", message.text("end it with a node that gives one").as_str());
    }
}

/// The same check for the value with which a node breaks.
///
/// # Panics
///
/// It panics in a constant, so while compiling.
#[track_caller]
pub const fn breaks(nodes: &[NodeInfo], position: usize, reply_is_anything: bool) {
    breaks_show(nodes[position].name, nodes[position].facts.breaks_with_nothing, reply_is_anything);
}

/// The same check for a node whose type has arguments, which may be the value with which it breaks.
///
/// # Panics
///
/// It panics in a constant, so while compiling.
#[track_caller]
pub const fn breaks_show(name: &str, with_nothing: bool, reply_is_anything: bool) {
    if with_nothing && reply_is_anything {
        let message = Message::of("E204")
            .code(name)
            .text(" breaks with `()`, which would be an empty reply that says all is well: ");
        panic!("{}", message.text("break with what went wrong, a status for example").as_str());
    }
}

/// A type that may be an error has to show that by its name; otherwise it would be provided.
///
/// # Panics
///
/// It panics in a constant, so while compiling.
#[track_caller]
pub const fn shows_a_break(name: &str, ty: &str, hides: bool) {
    if hides {
        let message =
            Message::of("E205").code(name).text(" would never break: what it returns may be an error, which the name ");
        let message = message.code(ty).text(" does not show. Write it as `Result<..>` or `ControlFlow<..>`, ");
        panic!("{}", message.text("or give the alias that name").as_str());
    }
}

/// A value that decides whether the chain goes on has to show that by the name of its type: under another name it would
/// be provided, and the chain would go on in any case. And a future that no node is lent for writing would never be
/// polled.
///
/// # Panics
///
/// It panics in a constant, so while compiling.
#[track_caller]
pub const fn decides(chain: &ChainInfo, position: usize) {
    let node = &chain.nodes[position];
    let what = match node.facts.hides {
        Hides::Nothing => return,
        Hides::Future if is_taken(chain, position) => return,
        Hides::Break => return shows_a_break(node.name, node.facts.gives(), true),
        Hides::Poll => "a `Poll`",
        Hides::Future => "a future",
    };
    let ty = node.facts.gives();
    let message = Message::of("E206").code(node.name).text(" returns ").text(what).text(", as ").code(ty);
    let message = match node.facts.hides {
        Hides::Future => {
            let message = message.text(", and no node asks for it as `&mut`, so it would never be polled: write ");
            message.text("`async fn`, or `-> impl Future<Output = ..>`")
        }
        _ => message.text(", which would not be looked at: write `async fn`, which awaits what may be pending"),
    };
    panic!("{}", message.as_str());
}

/// A block provides what its last node gives. A break that hides behind another name would be provided, too.
///
/// # Panics
///
/// It panics in a constant, so while compiling.
#[track_caller]
pub const fn gives(nodes: &[NodeInfo], position: usize) {
    let node = &nodes[position];
    if let Hides::Break = node.facts.hides {
        shows_a_break(node.name, node.facts.gives(), true);
    }
}

/// Whether a node may change what this one provides.
const fn is_taken(chain: &ChainInfo, position: usize) -> bool {
    let mut at = 0;
    while at < chain.nodes.len() {
        if asks(chain.nodes[at].needs, position, true) {
            return true;
        }
        at += 1;
    }
    false
}

/// Whether one of these needs asks for the value of the node at this position; with `for_more`, for more than to read
/// it.
const fn asks(needs: &[Need], position: usize, for_more: bool) -> bool {
    let mut at = 0;
    while at < needs.len() {
        let (from, access) = (&needs[at].from, needs[at].access);
        let is_node = matches!(from.kind, SourceKind::Node | SourceKind::Skippable);
        if is_node && from.position == position && !(for_more && matches!(access, Access::Lent)) {
            return true;
        }
        at += 1;
    }
    false
}

/// A value that could be the reply or an answer, from a node that is not the last, has to be asked for by another node.
/// Otherwise it was meant to be the reply, or to refuse the request.
///
/// # Panics
///
/// It panics in a constant, so while compiling.
#[track_caller]
pub const fn given_in_vain(chain: &ChainInfo, position: usize, meant: Meant) {
    let node = &chain.nodes[position];
    if matches!(meant, Meant::Value)
        || node.facts.last
        || node.facts.cancelled
        || !matches!(node.facts.hides, Hides::Nothing)
    {
        return;
    }
    let mut at = 0;
    while at < chain.nodes.len() {
        let other = &chain.nodes[at];
        if asks(other.needs, position, false) || asks(other.exit_needs, position, false) {
            return;
        }
        at += 1;
    }
    let ty = match node.facts.provides {
        Some(ty) => ty,
        None => return,
    };
    if matches!(meant, Meant::Answer) {
        let message =
            Message::of("E212").code(node.name).text(" gives ").code(ty).text(", and no node asks for it, so it ");
        let message = message.text("refuses nothing: only a `Result` and a `ControlFlow` break. Let it return a ");
        panic!("{}", message.text("`Result` whose error becomes the reply, or `()`").as_str());
    }
    let message =
        Message::of("E208").code(node.name).text(" gives a ").code(ty).text(", which could be the reply, but the ");
    let message = message.text("chain goes on after it, and no node asks for it: end the chain with ").code(node.name);
    let message = message.text(", or let it return `Result<(), ").text(ty);
    panic!("{}", message.text(">`, which replies with the `Err` at once").as_str());
}

/// A node that keeps a borrow of a `T` and returns a `&T` would provide the `T` that it needs. So would a node that
/// takes a `T` and returns one.
///
/// # Panics
///
/// It panics in a constant, so while compiling.
#[track_caller]
pub const fn provides(nodes: &[NodeInfo], position: usize) {
    let node = &nodes[position];
    if let (true, Some(ty)) = (node.facts.gives_what_it_takes || node.facts.gives_back, node.facts.provides) {
        let message = Message::of("E117").code(node.name).text(" takes a `").text(ty).text("` and provides another, ");
        let message = message.text("and a scope has one of a type: ask for `&mut ").text(ty);
        panic!("{}", message.text("` and change it in place, or wrap what it returns in a type of its own").as_str());
    }
    if let (true, Some(ty)) = (node.facts.gives_what_it_keeps, node.facts.provides) {
        let message = Message::of("E117").code(node.name).text(" needs what it provides, a ").code(ty);
        panic!(
            "{}",
            message.text(": a scope has one of a type, so wrap what it returns in a type of its own").as_str()
        );
    }
}
