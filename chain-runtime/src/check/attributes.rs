//! What the attributes of a chain and of its nodes need: a feature, a field, a node that can break or be late.

use super::message::Message;
use super::shed;
use crate::describe::Facts;

/// What `#[timeout(..)]` needs.
///
/// # Panics
///
/// It panics in a constant, so while compiling.
#[track_caller]
pub const fn needs_a_timer() {
    if cfg!(not(feature = "tokio")) {
        panic!(
            "chain[E512]: `#[timeout(..)]` needs the feature `tokio` of chain-runtime: enable it in Cargo.toml, or wrap the node in a `Deadline` with a timer of yours"
        );
    }
}

/// What `#[no_alloc]` needs.
///
/// # Panics
///
/// It panics in a constant, so while compiling.
#[track_caller]
pub const fn needs_counters() {
    if cfg!(not(feature = "telemetry")) {
        panic!("chain[E512]: `#[no_alloc]` needs the feature `telemetry` of chain-runtime: enable it in Cargo.toml");
    }
}

/// What `#[sample(..)]` needs.
///
/// # Panics
///
/// It panics in a constant, so while compiling.
#[track_caller]
pub const fn needs_chance() {
    if cfg!(not(feature = "sample")) {
        panic!("chain[E512]: `#[sample(..)]` needs the feature `sample` of chain-runtime: enable it in Cargo.toml");
    }
}

/// What `#[open]` needs: a node that breaks, or that may be late.
///
/// # Panics
///
/// It panics in a constant, so while compiling.
#[track_caller]
pub const fn can_break(name: &str, facts: &Facts, may_be_late: bool) {
    if facts.breaks.is_none() && !may_be_late {
        let message = Message::of("E518").code(name).text(" never breaks, so `#[open]` before it does nothing: ");
        panic!("{}", message.text("leave it out, or let the node return a `Result`").as_str());
    }
}

/// Only a node that suspends can be interrupted.
///
/// # Panics
///
/// It panics in a constant, so while compiling.
#[track_caller]
pub const fn can_be_late(name: &str, facts: &Facts) {
    if !facts.enter.suspends() {
        let message = Message::of("E513").code(name).text(" never suspends, so no timeout can interrupt it: ");
        panic!("{}", message.text("make it an `async fn`, or leave `#[timeout(..)]` out").as_str());
    }
}

/// A type that `#[observe(..)]` names has to be an observer.
///
/// # Panics
///
/// It panics in a constant, so while compiling.
#[track_caller]
pub const fn is_observer(ty: &str, is_one: bool) {
    if !is_one {
        let message = Message::of("E516").code(ty).text(" is not an observer: ");
        let message = message.text("implement `chain_runtime::observe::Observer` for it, or make it a field whose type implements `Observes`, and name that");
        panic!("{}", message.as_str());
    }
}

/// A field that `#[observe(..)]` names has to observe.
///
/// # Panics
///
/// It panics in a constant, so while compiling.
#[track_caller]
pub const fn observes(name: &str, ty: &str, is_so: bool) {
    if !is_so {
        let message = Message::of("E516").text("the field ").code(name).text(" is of type ").code(ty);
        let message = message.text(", which observes no runs: implement `chain_runtime::observe::Observes` for it");
        panic!("{}", message.as_str());
    }
}

/// There has to be one field for the switches.
///
/// # Panics
///
/// It panics in a constant, so while compiling.
#[track_caller]
pub const fn switches(first: &str, fields: &[bool]) {
    if !shed::one_of(fields) {
        let message = Message::of("E509")
            .text("there is no place for the switch of ")
            .code(first)
            .text(": add a field `toggles: Toggles` to the struct");
        panic!("{}", message.text(" (`chain_runtime::Toggles`, made by `Toggles::new()`)").as_str());
    }
}

/// The value of `Signature::SPAWNS` for a node whose hook spawns.
///
/// # Panics
///
/// It panics in a constant, so while compiling, if a chain says `#[deny(spawn)]`.
#[track_caller]
pub const fn spawns(node: &str, call: &str, instead: &str) {
    let message =
        Message::of("E703").code(node).text(" calls ").code(call).text(", and nobody waits for what that begins, ");
    let message =
        message.text("but its chain says `#[deny(spawn)]`: ask for `work: &Work` and write `work.").text(instead);
    let message =
        message.text("(\"name\", ..)` (`chain_runtime::tasks`), or make it a node with `#[cancel(detach)]` before it");
    panic!("{}", message.as_str());
}
