//! The attributes before an item: when it runs, for how long, and what happens to it when the client is gone.

pub(super) mod values;

use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Meta, Token};

use values::{limit, on_cancel, share, toggle, when};

use crate::ast::{Condition, How, ItemKind, Modifiers, NodeUse, Open, Opens};
use crate::diagnostics::{Code, Diagnostics};
use crate::names::unraw;
use crate::types;

/// The names of the attributes, for the error about an attribute that does not exist.
const KNOWN: &str = "there are `#[when(node)]`, `#[toggle]`, `#[shed(high)]`, `#[sample(1 / 100)]`, `#[split(5)]`, `#[timeout(250ms)]`, `#[cancel(finish)]`, `#[open]`, `#[no_alloc]`, `#[cfg(..)]` and `#[allow(..)]`";

/// The attributes that are for rustc.
const LINTS: [&str; 5] = ["allow", "expect", "warn", "deny", "forbid"];

/// The attributes that say when an item runs.
const CONDITIONS: [&str; 5] = ["when", "toggle", "sample", "split", "shed"];

/// The attributes of the whole chain, which are at the wrong place here.
const OF_THE_CHAIN: [&str; 5] = ["observe", "budget", "send", "check", "derive"];

/// An attribute as the user wrote it. A segment names its nodes by paths of its own, `front::node0::is_local`.
fn written(attribute: &Attribute) -> String {
    let path = attribute.parse_args::<syn::Path>().ok().filter(|_| attribute.path().is_ident("when"));
    let parts: Vec<_> = path.iter().flat_map(|path| &path.segments).map(|part| &part.ident).collect();
    match parts.as_slice() {
        [.., module, name] if module.to_string().strip_prefix("node").is_some_and(|at| at.parse::<usize>().is_ok()) => {
            format!("#[when({})]", unraw(name))
        }
        _ => types::text(attribute),
    }
}

pub(super) fn read(attributes: Vec<Attribute>, kind: &ItemKind, diagnostics: &mut Diagnostics) -> Modifiers {
    let mut modifiers = Modifiers::default();
    let node = match kind {
        ItemKind::Node(node) => Some(node),
        _ => None,
    };
    let texts = attributes.iter().filter(|attribute| !is_lint(attribute)).map(written);
    modifiers.text = texts.collect::<Vec<_>>().join(" ");
    let is_condition = |attribute: &Attribute| CONDITIONS.iter().any(|name| attribute.path().is_ident(name));
    modifiers.has_conditions = attributes.iter().any(is_condition);
    for attribute in attributes {
        let path = attribute.path();
        let name = path.get_ident().map(ToString::to_string).unwrap_or_default();
        match name.as_str() {
            "when" => {
                let condition = arguments(
                    &attribute,
                    when,
                    "`#[when(..)]` names a node that gives a `bool`",
                    "write `#[when(is_internal)]`",
                );
                modifiers.conditions.extend(diagnostics.ok(condition).map(Condition::When));
            }
            "sample" | "split" => {
                let what = format!("`#[{name}(..)]` says how many of the requests it is for");
                let read = arguments(
                    &attribute,
                    share,
                    &what,
                    "write `#[sample(1 / 100)]` for one in a hundred, or `#[split(5)]` for five percent",
                );
                let Some(share) = diagnostics.ok(read) else { continue };
                let span = path.span();
                modifiers.conditions.push(match name.as_str() {
                    "sample" => Condition::Sample(span, share),
                    _ => Condition::Split(span, share),
                });
            }
            "toggle" => {
                let read = toggle(&attribute, kind);
                modifiers.conditions.extend(diagnostics.ok(read).map(Condition::Toggle));
            }
            "shed" => {
                let Some(shed) = diagnostics.ok(super::shed::shed(&attribute, kind)) else { continue };
                let is_twice = modifiers.conditions.iter().any(|condition| matches!(condition, Condition::Shed(_)));
                if is_twice {
                    let what = "it is shed from two levels on";
                    diagnostics.error(
                        Code::E506,
                        &attribute,
                        what,
                        "keep one `#[shed(..)]`; for two steps, put one of them before a block around it",
                    );
                }
                if let (How::Behind(span), None) = (shed.how, node) {
                    let what = "only the work of a node can go behind the request, and this is a block";
                    diagnostics.error_at(
                        Code::E715,
                        span,
                        what,
                        "write it before a node, or leave `detach` out: the block is skipped then",
                    );
                }
                modifiers.conditions.push(Condition::Shed(shed));
            }
            "timeout" => {
                let Some(limit) = diagnostics.ok(arguments(
                    &attribute,
                    limit,
                    "`#[timeout(..)]` says how long the node may take",
                    "write `#[timeout(250ms)]`, `#[timeout(2s)]`, or an expression for a `Duration`",
                )) else {
                    continue;
                };
                once(modifiers.timeout.is_some(), &attribute, "timeout", diagnostics);
                of_a_node(node, &attribute, "timeout", "put a node like `Deadline` around the block", diagnostics);
                modifiers.timeout = Some((path.span(), limit));
            }
            "cancel" => {
                let Some(way) = diagnostics.ok(arguments(
                    &attribute,
                    on_cancel,
                    "`#[cancel(..)]` says what becomes of the node's work when the client is gone",
                    "write `#[cancel(finish)]` or `#[cancel(detach)]`",
                )) else {
                    continue;
                };
                once(modifiers.cancel.is_some(), &attribute, "cancel", diagnostics);
                of_a_node(node, &attribute, "cancel", "put it before the node whose work it is", diagnostics);
                modifiers.cancel = Some((path.span(), way));
            }
            "open" => {
                let Some(open) = diagnostics.ok(super::open::open(&attribute)) else { continue };
                once(modifiers.open.is_some(), &attribute, "open", diagnostics);
                let help = "put it before the node in it that may break";
                of_a_node(node, &attribute, "open", help, diagnostics);
                modifiers.open = Some(open);
            }
            "no_alloc" => {
                if !matches!(attribute.meta, Meta::Path(_)) {
                    diagnostics.error(
                        Code::E503,
                        &attribute,
                        "`#[no_alloc]` takes no arguments",
                        "write `#[no_alloc]`",
                    );
                }
                once(modifiers.no_alloc.is_some(), &attribute, "no_alloc", diagnostics);
                let help = "put it before each node that shall allocate nothing, or on the chain";
                of_a_node(node, &attribute, "no_alloc", help, diagnostics);
                modifiers.no_alloc = Some(path.span());
            }
            lint if LINTS.contains(&lint) => match about_spawning(&attribute) {
                None => modifiers.lints.push(attribute),
                Some(_) => diagnostics.error(
                    Code::E502,
                    &attribute,
                    format_args!("`#[{name}(spawn)]` is about the whole chain"),
                    "write `#[deny(spawn)]` on the struct, or before `fn`",
                ),
            },
            "doc" => diagnostics.error(
                Code::E502,
                &attribute,
                "a node is documented where it is defined",
                "write `//` for a comment about its place in the chain",
            ),
            "inline" | "must_use" | "test" | "node" => diagnostics.error(
                Code::E502,
                &attribute,
                format_args!("`#[{name}]` stands on the node's own definition"),
                "leave it out here",
            ),
            _ if is_of_the_chain(&attribute) => diagnostics.error(
                Code::E502,
                &attribute,
                format_args!("`#[{name}]` is about the whole chain"),
                "put it on the struct, or before `fn`",
            ),
            _ => diagnostics.error(
                Code::E501,
                &attribute,
                format_args!("no attribute of a node is called `{}`", crate::types::text(path)),
                KNOWN,
            ),
        }
    }
    if let (Some(Open { span, breaks, late: true }), None) = (&modifiers.open, &modifiers.timeout)
        && !matches!(breaks, Opens::All)
    {
        diagnostics.error_at(
            Code::E520,
            *span,
            "`late` is about a `#[timeout(..)]`, and this node has none",
            "add `#[timeout(250ms)]`, or leave `late` out",
        );
    }
    if let (Some((span, _)), Some(_)) = (&modifiers.timeout, &modifiers.cancel) {
        diagnostics.error_at(
            Code::E507,
            *span,
            "a node whose work goes on without the client has no timeout here",
            "limit it inside the node, or leave `#[cancel(..)]` out",
        );
    }
    modifiers
}

/// Whether the attribute is about the whole chain, like rustc's `derive`.
pub(super) fn is_of_the_chain(attribute: &Attribute) -> bool {
    OF_THE_CHAIN.iter().any(|name| attribute.path().is_ident(name))
}

/// Whether the attribute is for rustc, about lints.
pub(super) fn is_lint(attribute: &Attribute) -> bool {
    LINTS.iter().any(|lint| attribute.path().is_ident(lint))
}

/// Whether the attribute is about `spawn`, which is not a lint of rustc's: `#[deny(spawn)]` belongs to the chain.
///
/// # Errors
///
/// If it is another attribute about `spawn`, or is about something else as well.
pub(super) fn about_spawning(attribute: &Attribute) -> Option<syn::Result<()>> {
    let listed = Punctuated::<Meta, Token![,]>::parse_terminated;
    let named = is_lint(attribute).then(|| attribute.parse_args_with(listed).ok()).flatten()?;
    let spawn = named.iter().find(|meta| matches!(meta, Meta::Path(path) if path.is_ident("spawn")))?;
    let is_other = |meta: &&Meta| *meta != spawn && !meta.path().is_ident("reason");
    let wrong = |what: String| Some(Err(Code::E503.on(spawn, what)));
    if let Some(other) = named.iter().find(is_other) {
        let (other, level) = (types::text(other), types::text(attribute.path()));
        return wrong(format!(
            "`spawn` is the chain's own, and `{other}` is rustc's\n  help: write `#[deny(spawn)]` and `#[{level}({other})]`"
        ));
    }
    if !attribute.path().is_ident("deny") {
        let level = types::text(attribute.path());
        return wrong(format!(
            "a chain denies its nodes to spawn, or says nothing of it: there is no `#[{level}(spawn)]`\n  help: write `#[deny(spawn)]`, or leave it out"
        ));
    }
    Some(Ok(()))
}

fn once(is_there: bool, attribute: &Attribute, name: &str, diagnostics: &mut Diagnostics) {
    if is_there {
        diagnostics.error(Code::E506, attribute, format_args!("the node has two `#[{name}(..)]`"), "keep one");
    }
}

fn of_a_node(node: Option<&NodeUse>, attribute: &Attribute, name: &str, help: &str, diagnostics: &mut Diagnostics) {
    if node.is_none() {
        diagnostics.error(
            Code::E502,
            attribute,
            format_args!("`#[{name}(..)]` is about one node, and this is a block"),
            help,
        );
    }
}

/// Parses the content of the parentheses.
fn arguments<T>(
    attribute: &Attribute,
    parse: fn(ParseStream<'_>) -> syn::Result<T>,
    what: &str,
    help: &str,
) -> syn::Result<T> {
    let Meta::List(list) = &attribute.meta else {
        return Err(Code::E503.on(attribute, format!("{what}\n  help: {help}")));
    };
    if list.tokens.is_empty() {
        return Err(Code::E503.on(attribute, format!("{what}\n  help: {help}")));
    }
    attribute.parse_args_with(parse)
}
