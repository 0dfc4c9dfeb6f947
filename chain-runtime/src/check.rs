//! What the type system cannot say about a chain, said while constants are evaluated.
//!
//! rustc has found a source for every need by the time these run; what is left is the *order*: a
//! provider that comes too late, an input that is gone. Each check panics with one sentence; the
//! `chain!` macro puts the call at the node's token, and `#[track_caller]` leads the error there.

mod promises;
pub mod shed;
pub mod tasks;

use crate::describe::{Access, BlockKind, ChainInfo, Facts, Hides, Need, NodeInfo, SourceKind, Wraps};

/// A message put together in a constant.
struct Message {
    bytes: [u8; 1024],
    length: usize,
}

impl Message {
    const fn new() -> Self {
        Self { bytes: [0; 1024], length: 0 }
    }

    /// Appends `text`; what does not fit is cut, whole strings at a time.
    const fn text(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        if self.length + text.len() > self.bytes.len() {
            return self;
        }
        let mut at = 0;
        while at < text.len() {
            self.bytes[self.length] = text[at];
            self.length += 1;
            at += 1;
        }
        self
    }

    /// Appends `text` as code.
    const fn code(self, text: &str) -> Self {
        self.text("`").text(text).text("`")
    }

    const fn number(self, number: usize) -> Self {
        let tail = [b'0' + (number % 10) as u8];
        let head = if number >= 10 { self.number(number / 10) } else { self };
        match core::str::from_utf8(&tail) {
            Ok(digit) => head.text(digit),
            Err(_) => head,
        }
    }

    const fn as_str(&self) -> &str {
        match core::str::from_utf8(self.bytes.split_at(self.length).0) {
            Ok(text) => text,
            Err(_) => "chain!: an error whose message is not UTF-8",
        }
    }
}

/// Whether any of the nodes takes what it needs by value. Where none does, nothing can be gone, and no node has to be asked about it.
pub const fn takes(nodes: &[NodeInfo]) -> bool {
    let mut position = 0;
    while position < nodes.len() {
        let needs = nodes[position].needs;
        let mut at = 0;
        while at < needs.len() {
            if matches!(needs[at].access, Access::Taken) {
                return true;
            }
            at += 1;
        }
        position += 1;
    }
    false
}

/// Checks everything of which the node at `position` is the culprit; `takes` is what [`takes()`] says of the chain.
///
/// # Panics
///
/// In a constant, so while compiling: with the error that the user reads.
#[track_caller]
pub const fn node(chain: &ChainInfo, position: usize, takes: bool) {
    let node = &chain.nodes[position];
    order(chain, node, node.needs, false);
    order(chain, node, node.exit_needs, true);
    overlap(node, node.needs);
    overlap(node, node.exit_needs);
    emptied(chain, node, node.needs);
    emptied(chain, node, node.exit_needs);
    ending(chain, node);
    promises::wanted(chain, node);
    promises::once(chain, node);
    if takes {
        gone(chain, node);
        promises::rejects(chain, node);
    }
}

/// What `Signature::SPAWNS` of a node is whose hook spawns.
///
/// # Panics
///
/// In a constant, so while compiling, where a chain says `#[deny(spawn)]`.
#[track_caller]
pub const fn spawns(node: &str, call: &str, instead: &str) {
    let message =
        Message::new().code(node).text(" calls ").code(call).text(", and nobody waits for what that begins, ");
    let message =
        message.text("but its chain says `#[deny(spawn)]`: ask for `work: &Work` and write `work.").text(instead);
    let message =
        message.text("(\"name\", ..)` (`chain_runtime::tasks`), or make it a node with `#[cancel(detach)]` before it");
    panic!("{}", message.as_str());
}

/// Who is lent an `Option` for writing can make it `None`, and then there is nothing left to leave the node with that provided it.
#[track_caller]
const fn emptied(chain: &ChainInfo, node: &NodeInfo, needs: &[Need]) {
    let mut at = 0;
    while at < needs.len() {
        let need = &needs[at];
        if let (SourceKind::Node, Access::LentMut) = (need.from.kind, need.access) {
            let from = &chain.nodes[need.from.position];
            if from.may_be_skipped && (from.facts.exit.is_present() || from.facts.cancelled) {
                let message = Message::new().code(node.name).text(" asks for `&mut ").text(need.ty);
                let message = message.text("`, and could empty it, but ").code(from.name);
                let message = message.text(" needs its value when it is left: ask for `&").text(need.ty);
                panic!("{}", message.text("`, or keep what changes behind a `Cell` or a `Mutex` in it").as_str());
            }
        }
        at += 1;
    }
}

/// A node that gives the reply ends the chain.
///
/// # Panics
///
/// In a constant, so while compiling.
#[track_caller]
pub const fn last(chain: &ChainInfo, position: usize) {
    let node = &chain.nodes[position];
    let (end, replies) = match node.block {
        Some(block) => (chain.blocks[block].end, chain.blocks[block].replies),
        None => (chain.nodes.len(), true),
    };
    if node.facts.last && !(replies && position + 1 == end) {
        let message = Message::new().code(node.name).text(" gives the reply, but the chain goes on after it: ");
        let message = message.text("end the chain with ").code(node.name);
        panic!("{}", message.text(", and do what comes after in the `exit` of a node before it").as_str());
    }
}

/// A block that goes on has no ending.
#[track_caller]
const fn ending(chain: &ChainInfo, node: &NodeInfo) {
    let goes_on = match node.block {
        Some(block) => !chain.blocks[block].replies,
        None => false,
    };
    let mut at = 0;
    while goes_on && at < node.exit_needs.len() {
        if matches!(node.exit_needs[at].from.kind, SourceKind::Ending) {
            let message =
                Message::new().code(node.name).text(" asks how the chain ended, but it is left before that: ");
            panic!("{}", message.text("its block goes on. Move it before the block").as_str());
        }
        at += 1;
    }
}

/// What wraps a block has one.
///
/// # Panics
///
/// In a constant, so while compiling.
#[track_caller]
pub const fn step(nodes: &[NodeInfo], position: usize) {
    let node = &nodes[position];
    if node.facts.around.a_block() {
        let message = Message::new().code(node.name).text(" wraps a block, and has none here: write `");
        panic!("{}", message.text(node.name).text(" { .. }` around the nodes that it is for").as_str());
    }
}

/// What runs a block again finds it as it was.
///
/// # Panics
///
/// In a constant, so while compiling.
#[track_caller]
pub const fn around(chain: &ChainInfo, position: usize) {
    let node = &chain.nodes[position];
    if !matches!(node.facts.around, Wraps::Again) {
        return;
    }
    let mut at = 0;
    while at < chain.blocks.len() {
        let block = &chain.blocks[at];
        if is(block.head, position) && matches!(block.kind, BlockKind::Around) {
            let mut inner = block.first;
            while inner < block.end {
                let needs = chain.nodes[inner].needs;
                let mut need = 0;
                while need < needs.len() {
                    if matches!(needs[need].access, Access::Taken) {
                        let message = Message::new().code(node.name).text(" may run its block again, but ");
                        let message = message.code(chain.nodes[inner].name).text(" in it takes ").code(needs[need].ty);
                        let message =
                            message.text(" by value, so it would be gone: let ").code(chain.nodes[inner].name);
                        panic!("{}", message.text(" borrow it").as_str());
                    }
                    need += 1;
                }
                inner += 1;
            }
        }
        at += 1;
    }
}

/// A node whose value is taken apart has nothing left to do with it.
///
/// # Panics
///
/// In a constant, so while compiling.
#[track_caller]
pub const fn scrutinee(nodes: &[NodeInfo], position: usize) {
    let node = &nodes[position];
    step(nodes, position);
    if node.facts.cancelled {
        let message = Message::new().code(node.name).text(" has `cancelled`, but what it gives is taken apart here: ");
        panic!("{}", message.text("branch on what a node without `cancelled` gives").as_str());
    }
}

/// A node that only says whether another one runs is left at once, and has nothing to do then.
///
/// # Panics
///
/// In a constant, so while compiling.
#[track_caller]
pub const fn predicate(nodes: &[NodeInfo], position: usize) {
    let node = &nodes[position];
    step(nodes, position);
    if node.facts.exit.is_present() || node.facts.cancelled {
        let hook = if node.facts.cancelled { "cancelled" } else { "exit" };
        let message = Message::new().code(node.name).text(" only says whether another node runs, but has ").code(hook);
        panic!("{}", message.text(": ask a node that has neither `exit` nor `cancelled`").as_str());
    }
    if cfg!(not(feature = "split")) && is_split(node.facts.name) {
        panic!("`#[split(..)]` needs the feature `split` of chain-runtime: enable it in Cargo.toml");
    }
}

const fn is_split(name: &str) -> bool {
    matches!(name.as_bytes(), b"split")
}

/// What `#[timeout(..)]` needs.
///
/// # Panics
///
/// In a constant, so while compiling.
#[track_caller]
pub const fn needs_a_timer() {
    if cfg!(not(feature = "tokio")) {
        panic!(
            "`#[timeout(..)]` needs the feature `tokio` of chain-runtime: enable it in Cargo.toml, or wrap the node in a `Deadline` with a timer of yours"
        );
    }
}

/// What `#[no_alloc]` needs.
///
/// # Panics
///
/// In a constant, so while compiling.
#[track_caller]
pub const fn needs_counters() {
    if cfg!(not(feature = "telemetry")) {
        panic!("`#[no_alloc]` needs the feature `telemetry` of chain-runtime: enable it in Cargo.toml");
    }
}

/// What `#[cancel(..)]` needs.
///
/// # Panics
///
/// In a constant, so while compiling.
#[track_caller]
pub const fn needs_a_spawner() {
    if cfg!(not(feature = "tokio")) {
        panic!("`#[cancel(..)]` needs the feature `tokio` of chain-runtime: enable it in Cargo.toml");
    }
}

/// What `#[sample(..)]` needs.
///
/// # Panics
///
/// In a constant, so while compiling.
#[track_caller]
pub const fn needs_chance() {
    if cfg!(not(feature = "sample")) {
        panic!("`#[sample(..)]` needs the feature `sample` of chain-runtime: enable it in Cargo.toml");
    }
}

/// Only what suspends can be interrupted.
///
/// # Panics
///
/// In a constant, so while compiling.
#[track_caller]
pub const fn can_be_late(name: &str, facts: &Facts) {
    if !facts.enter.suspends() {
        let message = Message::new().code(name).text(" never suspends, so no timeout can interrupt it: ");
        panic!("{}", message.text("make it an `async fn`, or leave `#[timeout(..)]` out").as_str());
    }
}

/// That a node which nobody waits for returns nothing.
#[diagnostic::on_unimplemented(
    message = "nobody waits for `{N}`, so nobody would see what it returns, a `{Self}`",
    label = "returns a `{Self}`",
    note = "let it return `()`, or write `#[cancel(finish)]`, which waits for it"
)]
pub trait Forgotten<N: ?Sized> {
    /// Nothing.
    fn nothing() -> Self;
}

#[diagnostic::do_not_recommend]
impl<N: ?Sized> Forgotten<N> for () {
    #[inline(always)]
    fn nothing() {}
}

/// A scope's types are compared as they are written, and so is whether they are references.
///
/// # Panics
///
/// In a constant, so while compiling, where the name of a type hides that it is a reference.
#[track_caller]
pub const fn shows(what: &str, name: &str, ty: &str, shows: crate::private::Shows) {
    let message = Message::new().text(what).code(name);
    match shows {
        crate::private::Shows::Reference => {
            let message = message.text(" is a reference, which `").text(ty).text("` does not show: write it as `&T`. ");
            panic!("{}", message.text("What is behind a reference is found as a `T`, whoever owns it").as_str());
        }
        crate::private::Shows::Itself | crate::private::Shows::Nothing => {}
    }
}

/// The same of a node whose type has arguments, which may be references.
///
/// # Panics
///
/// In a constant, so while compiling.
#[track_caller]
pub const fn shows_itself(name: &str, is_reference: bool) {
    if is_reference {
        let message = Message::new().text("what ").code(name).text(" provides here is a reference: ");
        let message = message.text("what is behind one is found as a `T`, whoever owns it. ");
        panic!("{}", message.text("Name the node with a type of your own, which holds it").as_str());
    }
}

/// What `#[observe(..)]` names as a type is an observer.
///
/// # Panics
///
/// In a constant, so while compiling.
#[track_caller]
pub const fn is_observer(ty: &str, is_one: bool) {
    if !is_one {
        let message = Message::new().code(ty).text(" is not an observer: ");
        let message = message.text("implement `chain_runtime::observe::Observer` for it, or make it a field whose type implements `Observes`, and name that");
        panic!("{}", message.as_str());
    }
}

/// What `#[observe(..)]` names as a field observes.
///
/// # Panics
///
/// In a constant, so while compiling.
#[track_caller]
pub const fn observes(name: &str, ty: &str, is_so: bool) {
    if !is_so {
        let message = Message::new().text("the field ").code(name).text(" is of type ").code(ty);
        let message = message.text(", which observes no runs: implement `chain_runtime::observe::Observes` for it");
        panic!("{}", message.as_str());
    }
}

/// `()` is the reply of a chain that has none, and of no other: not where whatever can be converted becomes the reply.
///
/// # Panics
///
/// In a constant, so while compiling.
#[track_caller]
pub const fn ends(name: &str, gives_nothing: bool, reply_is_anything: bool) {
    if gives_nothing && reply_is_anything {
        let message =
            Message::new().text("the chain ends with ").code(name).text(", which gives `()`, and that is no reply: ");
        panic!("{}", message.text("end it with a node that gives one").as_str());
    }
}

/// The same of what a node breaks with.
///
/// # Panics
///
/// In a constant, so while compiling.
#[track_caller]
pub const fn breaks(nodes: &[NodeInfo], position: usize, reply_is_anything: bool) {
    breaks_show(nodes[position].name, nodes[position].facts.breaks_with_nothing, reply_is_anything);
}

/// The same of a node whose type has arguments, which may be what it breaks with.
///
/// # Panics
///
/// In a constant, so while compiling.
#[track_caller]
pub const fn breaks_show(name: &str, with_nothing: bool, reply_is_anything: bool) {
    if with_nothing && reply_is_anything {
        let message =
            Message::new().code(name).text(" breaks with `()`, which would be an empty reply that says all is well: ");
        panic!("{}", message.text("break with what went wrong, a status for example").as_str());
    }
}

/// Switches have a place, in one field.
///
/// # Panics
///
/// In a constant, so while compiling.
#[track_caller]
pub const fn switches(first: &str, fields: &[bool]) {
    if !shed::one_of(fields) {
        let message = Message::new()
            .text("there is no place for the switch of ")
            .code(first)
            .text(": add a field `toggles: Toggles` to the struct");
        panic!("{}", message.text(" (`chain_runtime::Toggles`, made by `Toggles::new()`)").as_str());
    }
}

/// What may be an error is read as such by its name, or else it would be provided.
///
/// # Panics
///
/// In a constant, so while compiling.
#[track_caller]
pub const fn shows_a_break(name: &str, ty: &str, hides: bool) {
    if hides {
        let message =
            Message::new().code(name).text(" would never break: what it returns may be an error, which the name ");
        let message = message.code(ty).text(" does not show. Write it as `Result<..>` or `ControlFlow<..>`, ");
        panic!("{}", message.text("or give the alias that name").as_str());
    }
}

/// What decides whether the chain goes on, is read by its name: what hides behind another would be provided, and the chain would go on in any
/// case. And a future that nobody is lent for writing is never polled.
///
/// # Panics
///
/// In a constant, so while compiling.
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
    let message = Message::new().code(node.name).text(" returns ").text(what).text(", as ").code(ty);
    let message = match node.facts.hides {
        Hides::Future => {
            let message = message.text(", and no node asks for it as `&mut`, so it would never be polled: write ");
            message.text("`async fn`, or `-> impl Future<Output = ..>`")
        }
        _ => message.text(", which would not be looked at: write `async fn`, which awaits what may be pending"),
    };
    panic!("{}", message.as_str());
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

/// Whether one of these needs is for what the node at this position provides; and not only lent it.
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

/// What would be the reply, and stands where the chain goes on, is for somebody; or it was meant to be the reply.
///
/// # Panics
///
/// In a constant, so while compiling.
#[track_caller]
pub const fn replies_in_vain(chain: &ChainInfo, position: usize, is_a_reply: bool) {
    let node = &chain.nodes[position];
    if !is_a_reply || node.facts.last || node.facts.cancelled || !matches!(node.facts.hides, Hides::Nothing) {
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
    let message =
        Message::new().code(node.name).text(" gives a ").code(ty).text(", which could be the reply, but the ");
    let message = message.text("chain goes on after it, and no node asks for it: end the chain with ").code(node.name);
    let message = message.text(", or let it return `Result<(), ").text(ty);
    panic!("{}", message.text(">`, which replies with the `Err` at once").as_str());
}

/// Who keeps a borrow of a `T` and returns a `&T` would provide the `T` that it needs.
///
/// # Panics
///
/// In a constant, so while compiling.
#[track_caller]
pub const fn provides(nodes: &[NodeInfo], position: usize) {
    let node = &nodes[position];
    if let (true, Some(ty)) = (node.facts.gives_what_it_keeps, node.facts.provides) {
        let message = Message::new().code(node.name).text(" needs what it provides, a ").code(ty);
        panic!(
            "{}",
            message.text(": a scope has one of a type, so wrap what it returns in a type of its own").as_str()
        );
    }
}

/// That what a node gives is a condition.
#[diagnostic::on_unimplemented(
    message = "`{N}` gives a `{Self}`, but a condition is a `bool`",
    label = "gives a `{Self}`",
    note = "let it return `bool`, or write `if let Pattern = {N}` or `match {N} {{ .. }}`"
)]
pub trait Condition<N: ?Sized> {
    /// Whether it does.
    fn holds(self) -> bool;
}

#[diagnostic::do_not_recommend]
impl<N: ?Sized> Condition<N> for bool {
    #[inline(always)]
    fn holds(self) -> bool {
        self
    }
}

/// What is named like a function has no `exit` and no `cancelled`: the chain has no way out for it.
///
/// # Panics
///
/// In a constant, so while compiling.
#[track_caller]
pub const fn function(nodes: &[NodeInfo], position: usize) {
    let node = &nodes[position];
    if node.facts.exit.is_present() || node.facts.cancelled {
        let hook = if node.facts.cancelled { "cancelled" } else { "exit" };
        let message = Message::new().code(node.name).text(" is named like a function, but has ").code(hook);
        panic!("{}", message.text(": begin its type's name with a capital letter, or make it a field").as_str());
    }
}

/// Refuses a way out that would have to be awaited, in a chain that is a plain `fn`.
///
/// # Panics
///
/// In a constant, so while compiling.
#[track_caller]
pub const fn way_out_of_fn(nodes: &[NodeInfo], position: usize) {
    let node = &nodes[position];
    if node.facts.exit.suspends() {
        let message =
            Message::new().text("`exit` of ").code(node.name).text(" is `async`, but this chain is declared ");
        panic!("{}", message.text("`fn`: declare the chain `async fn(..)`, or make `exit` a plain `fn`").as_str());
    }
}

/// A node's needs come from before it; those of its way out, from before it or from itself.
#[track_caller]
const fn order(chain: &ChainInfo, node: &NodeInfo, needs: &[Need], way_out: bool) {
    let mut at = 0;
    while at < needs.len() {
        let need = &needs[at];
        let from = need.from;
        match from.kind {
            SourceKind::Node if from.position == node.position && !way_out => {
                let message = needs_a(node, need).text(", which only ").code(node.name).text(" itself provides: ");
                panic!("{}", message.text("add a node before it that returns one").as_str());
            }
            SourceKind::Node if from.position > node.position => {
                let message =
                    needs_a(node, need).text(", which ").code(from.name).text(" provides, but ").code(from.name);
                let message = message.text(" comes after it: move ").code(from.name).text(" before ");
                panic!("{}", message.code(node.name).as_str());
            }
            // The node that provides it is told.
            SourceKind::Skippable if shed::goes_behind(chain, from.position) => {}
            SourceKind::Skippable if from.position != node.position => {
                let message =
                    needs_a(node, need).text(", which ").code(from.name).text(" provides, but ").code(from.name);
                let (message, or, with_it) = match shed::of(chain, from.position) {
                    Some(shed) => {
                        let message = message.text(" may be shed from ").code(shed.from.name()).text(" on");
                        (message, ">`, or shed ", " with it, in a block of both")
                    }
                    None => (message.text(" may be skipped"), ">`, or put ", " under the same condition"),
                };
                let message = message.text(": ask for `&Option<").text(need.ty).text(or).code(node.name);
                panic!("{}", message.text(with_it).as_str());
            }
            SourceKind::Ending if !way_out => {
                let message = Message::new().code(node.name).text(" asks how the chain ended before it has: ");
                panic!("{}", message.text("only `exit` can be lent an `Ending`").as_str());
            }
            _ => {}
        }
        at += 1;
    }
}

const fn needs_a(node: &NodeInfo, need: &Need) -> Message {
    Message::new().code(node.name).text(" needs a ").code(need.ty)
}

/// No two needs of one hook are the same thing, or a thing and its part.
#[track_caller]
const fn overlap(node: &NodeInfo, needs: &[Need]) {
    let mut at = 1;
    while at < needs.len() {
        let mut before = 0;
        while before < at {
            let (one, other) = (&needs[before], &needs[at]);
            let same_kind = one.from.kind as usize == other.from.kind as usize;
            let same = same_kind && one.from.position == other.from.position;
            let part = is_part_of(one, other) || is_part_of(other, one);
            if same {
                let message = Message::new().code(node.name).text(" asks twice for the same value, as ");
                let message = message.code(one.ty).text(" and as ").code(other.ty);
                panic!("{}", message.text(": ask once").as_str());
            }
            if part {
                let message = Message::new().code(node.name).text(" asks for ").code(one.ty).text(" and for ");
                let message = message.code(other.ty).text(", but one is a part of the other: ");
                panic!("{}", message.text("ask for the whole, or for its parts").as_str());
            }
            before += 1;
        }
        at += 1;
    }
}

/// Whether `part` is a part of the context that `whole` is.
const fn is_part_of(part: &Need, whole: &Need) -> bool {
    matches!((part.from.kind, whole.from.kind), (SourceKind::Part, SourceKind::Input))
}

/// No input is needed after it was taken.
#[track_caller]
const fn gone(chain: &ChainInfo, node: &NodeInfo) {
    let mut at = 0;
    while at < node.needs.len() {
        let need = &node.needs[at];
        if let Some(taker) = taker(chain, need, node, 0, node.position) {
            // The next one to need it is told; the ones after that would say the same.
            if !is_needed_between(chain, need, taker.position, node) {
                let message = Message::new().code(node.name).text(" needs ").code(need.ty).text(", but ");
                let message = message.code(taker.name).text(" before it takes it by value: let ").code(taker.name);
                panic!("{}", message.text(" borrow it, or come after ").code(node.name).as_str());
            }
        }
        at += 1;
    }
    // A node is left at the end of its block.
    let end = match node.block {
        Some(block) => chain.blocks[block].end,
        None => chain.nodes.len(),
    };
    let mut at = 0;
    while at < node.exit_needs.len() {
        let need = &node.exit_needs[at];
        if let Some(taker) = taker(chain, need, node, 0, end) {
            let message = Message::new().code(node.name).text(" needs ").code(need.ty).text(" on its way out, but ");
            let message = message.code(taker.name).text(" takes it by value: let ").code(taker.name);
            let message = message.text(" borrow it, or let ").code(node.name);
            panic!("{}", message.text(" provide what it needs of it").as_str());
        }
        at += 1;
    }
}

/// The first node in this range that takes the input which `need` of `node` asks for, in a run that comes to `node`.
const fn taker(chain: &ChainInfo, need: &Need, node: &NodeInfo, begin: usize, end: usize) -> Option<&'static NodeInfo> {
    if !matches!(need.from.kind, SourceKind::Input) {
        return None;
    }
    let mut position = begin;
    while position < end {
        let needs = chain.nodes[position].needs;
        let mut at = 0;
        while at < needs.len() {
            let other = &needs[at];
            let takes = matches!(other.access, Access::Taken) && other.from.position == need.from.position;
            if takes && !either_or(chain, &chain.nodes[position], node) {
                return Some(&chain.nodes[position]);
            }
            at += 1;
        }
        position += 1;
    }
    None
}

/// Whether a node between this position and `node` needs the same input, in a run that comes to `node`.
const fn is_needed_between(chain: &ChainInfo, need: &Need, after: usize, node: &NodeInfo) -> bool {
    let mut position = after + 1;
    while position < node.position {
        let needs = chain.nodes[position].needs;
        let mut at = 0;
        while at < needs.len() {
            let other = &needs[at].from;
            let same = matches!(other.kind, SourceKind::Input) && other.position == need.from.position;
            if same && !either_or(chain, &chain.nodes[position], node) {
                return true;
            }
            at += 1;
        }
        position += 1;
    }
    false
}

/// Whether no run comes to both: they stand in two arms of one branch.
const fn either_or(chain: &ChainInfo, one: &NodeInfo, other: &NodeInfo) -> bool {
    let mut ones = one.block;
    while let Some(at) = ones {
        let block = &chain.blocks[at];
        if matches!(block.kind, BlockKind::Arm) {
            let mut others = other.block;
            while let Some(beside) = others {
                let arm = &chain.blocks[beside];
                if at != beside && matches!(arm.kind, BlockKind::Arm) && same(block.beside, arm.beside) {
                    return true;
                }
                others = arm.parent;
            }
        }
        ones = block.parent;
    }
    false
}

const fn is(position: Option<usize>, other: usize) -> bool {
    matches!(position, Some(position) if position == other)
}

const fn same(one: Option<usize>, other: Option<usize>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if one == other)
}

/// Refuses a future that is larger than the chain's budget.
///
/// # Panics
///
/// In a constant, so while compiling, where `size` is over `budget`; both in bytes.
#[track_caller]
pub const fn budget(chain: &str, nodes: &[NodeInfo], sizes: &[usize], size: usize, budget: usize) {
    if size <= budget {
        return;
    }
    let message = Message::new().text("the future of ").code(chain).text(" takes ").number(size);
    let message = message.text(" bytes, over its budget of ").number(budget);
    let mut largest = 0;
    let mut at = 1;
    while at < sizes.len() {
        if sizes[at] > sizes[largest] {
            largest = at;
        }
        at += 1;
    }
    if sizes.is_empty() || sizes[largest] == 0 {
        panic!("{}", message.as_str());
    }
    let message = message.text("; its largest node is ").code(nodes[largest].name).text(" with ");
    panic!("{}", message.number(sizes[largest]).text(" bytes").as_str());
}

/// That what the node `N` provides can move to another thread with the chain's future: asked by `#[send]` on a chain.
#[diagnostic::on_unimplemented(
    message = "this chain's future is not `Send`: `{N}` provides a `{Self}`, which has to stay on its thread",
    label = "provides a `{Self}`",
    note = "the chain asks for it with `#[send]`: provide something that is `Send` (an `Arc` for an `Rc`, a `Mutex` for a `RefCell`)"
)]
pub trait ValueMoves<N: ?Sized> {}

#[diagnostic::do_not_recommend]
impl<T: Send + ?Sized, N: ?Sized> ValueMoves<N> for T {}

/// Requires it of a value.
pub const fn value_moves<T: ValueMoves<N> + ?Sized, N: ?Sized>() {}

/// Requires it of the future that a hook of the node `N` returns. That is asked of `Send` itself, since rustc says of it, and of no other trait, what is held
/// across which await; the way out is the end of a line that it shows.
#[rustfmt::skip]
pub const fn future_moves<A, B, F, N: ?Sized>(_: fn(A, B) -> F)
where
    F: Send, // let go of a lock's guard before the await; ask for `&mut T` where a `&T` is not `Send`, as of axum's `Request`
{
}

/// The same of what `around` of the node `N` returns, over a block that is `Send`.
#[rustfmt::skip]
pub const fn around_moves<A, B, C, F, N: ?Sized>(_: fn(A, B, C) -> F)
where
    F: Send, // let go of a lock's guard before `block.await`
{
}

/// Requires of a field that it may be shared between threads, as each run of the chain shares it.
#[rustfmt::skip]
pub const fn field_moves<T>()
where
    T: Sync, // a `Mutex` or an atomic for a `Cell`, an `Arc` for an `Rc`, `Box<dyn Fn() + Send + Sync>` for a `Box<dyn Fn()>`
{
}

/// Requires of an input that it may move to another thread, as the chain's future does that holds it.
#[rustfmt::skip]
pub const fn input_moves<T>()
where
    T: Send, // an `Arc` for an `Rc`; `&mut T` for a `&T` that is not `Sync`
{
}

/// That a reply can move to another thread with the chain's future, which holds it while `exit` of the node `N` is awaited.
#[diagnostic::on_unimplemented(
    message = "this chain's future is not `Send`: it holds the reply, a `{Self}`, while it awaits `exit` of `{N}`",
    label = "the reply waits for this `exit`",
    note = "the chain asks for it with `#[send]`: reply with something that is `Send`, or make that `exit` a plain `fn`"
)]
pub trait ReplyMoves<N: ?Sized> {}

#[diagnostic::do_not_recommend]
impl<T: Send + ?Sized, N: ?Sized> ReplyMoves<N> for T {}

/// Requires it of what is held of a reply.
pub const fn reply_moves<T: ReplyMoves<N> + ?Sized, N: ?Sized>() {}
