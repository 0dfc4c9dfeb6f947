//! Reports mistakes in a chain whose functions have told their signatures.

use super::{bare, bound, given, hidden, is_undecided, overlap, plain, twice, unwraps};
use crate::ast::{Block, Chain, Condition, Item, ItemKind, NodeUse};
use crate::diagnostics::{Code, Diagnostics};
use crate::handshake::Access;
use crate::names::unraw;
use crate::{nearby, types};

pub(crate) fn check(chain: &Chain, diagnostics: &mut Diagnostics) {
    has_its_node_elsewhere(chain, diagnostics);
    replies(chain, diagnostics);
    goes_on(&chain.run.body, false, diagnostics);
    is_the_end(&chain.run.body, diagnostics);
    bare::check(chain, diagnostics);
    twice::check(chain, diagnostics);
    overlap::check(chain, diagnostics);
    given::check(chain, diagnostics);
    unwraps::check(chain, diagnostics);
    bound::check(chain, diagnostics);
    let before = diagnostics.count();
    hidden::check(chain, diagnostics);
    // What is hidden may be what is missing.
    if diagnostics.count() == before {
        plain::check(chain, diagnostics);
    }
    are_told_apart(&chain.run.body, chain, diagnostics);
    takes_again(&chain.run.body, chain, diagnostics);
    chain.run.body.items().into_iter().for_each(|item| {
        wraps(item, diagnostics);
        can_be_late(item, diagnostics);
        can_break(item, diagnostics);
        has_no_arguments(item, diagnostics);
        has_arguments(item, diagnostics);
        if !chain.run.is_async {
            fits_a_fn(item, diagnostics);
        }
    });
}

/// A value whose type is a parameter of the chain, or a type of one, may be of the type of anything else in the scope.
fn are_told_apart(row: &Block, chain: &Chain, diagnostics: &mut Diagnostics) {
    for (at, item) in row.items.iter().enumerate() {
        let provides = at + 1 < row.items.len() && item.modifiers.cancel.is_none();
        if let ItemKind::Node(node) = &item.kind
            && let Some(open) = node.untold.open.as_ref().filter(|_| provides)
            && node.gives_open(chain).is_some_and(|given| is_undecided(chain, &given))
        {
            let given = node.gives_open(chain);
            // The function has bounds of its own. Those of the chain name a type that a trait does not have, and rustc says so.
            let own = given.as_ref().and_then(types::parameter).map(|own| syn::parse_quote!(#own));
            if own.is_some_and(|own| nearby::lacks_a_type_of(&chain.name, &chain.generics, &own)) {
                diagnostics.known();
                continue;
            }
            let (name, text) = (unraw(node.name()), &open.text);
            let (own, ty) = text.rsplit_once("::").unwrap_or_default();
            let bound = match own.is_empty() || open.of.is_empty() {
                true => String::new(),
                false => format!(", or say which type it is in a bound of the chain: `{}<{ty} = ..>`", open.of),
            };
            diagnostics.error(
                Code::E112,
                node.name(),
                format_args!("`{name}` provides a `{text}`, which may be what something else in this chain is"),
                format_args!(
                    "nodes find what they need by its type: let it return a type of its own, like `Wrapper<{text}>`{bound}"
                ),
            );
        }
        blocks(item).for_each(|block| are_told_apart(block, chain, diagnostics));
    }
}

/// A function that takes a value stands twice in a row. rustc would say two things about the second one: that the value is gone,
/// and that what it gives is there twice.
fn takes_again(row: &Block, chain: &Chain, diagnostics: &mut Diagnostics) {
    let is_plain = |item: &Item| {
        let modifiers = &item.modifiers;
        modifiers.conditions.is_empty() && modifiers.open.is_none() && modifiers.cancel.is_none()
    };
    for (at, items) in row.items.windows(2).enumerate() {
        let [one, other] = items else { continue };
        let (ItemKind::Node(first), ItemKind::Node(second)) = (&one.kind, &other.kind) else { continue };
        let Some(told) = &second.told else { continue };
        let taken = told.parameters.iter().find(|(access, _)| *access == Access::Taken);
        let taken = taken.filter(|(_, text)| *text != told.provides && at + 2 < row.items.len());
        let is_again = || first.path == second.path && is_plain(one) && is_plain(other);
        let Some((_, taken)) = taken.filter(|_| is_again()) else { continue };
        let is_certain = |around: nearby::Around| {
            around.has_node(second) && around.is_one_type(taken) && around.is_one_type(&told.provides)
        };
        if nearby::Around::of(&chain.name).is_some_and(is_certain) {
            let name = unraw(second.name());
            diagnostics.error(
                Code::E107,
                second.name(),
                format_args!("`{name}` takes the `{taken}` by value, and `{name}` before it has taken it"),
                "leave one of them out",
            );
        }
    }
    row.items.iter().flat_map(blocks).for_each(|block| takes_again(block, chain, diagnostics));
}

/// A chain without `->` replies nothing, and here its last function gives something that cannot become that.
fn replies(chain: &Chain, diagnostics: &mut Diagnostics) {
    let has_reply = !matches!(types::ungrouped(&chain.run.reply), syn::Type::Tuple(tuple) if tuple.elems.is_empty());
    let Some(last) = chain.run.body.items.last().filter(|_| !has_reply && chain.form == crate::ast::Form::Item) else {
        return;
    };
    let (ItemKind::Node(node), None) = (&last.kind, &last.modifiers.cancel) else { return };
    let Some(told) = node.told.as_ref().filter(|told| !told.provides.is_empty() && told.provides != "()") else {
        return;
    };
    let is_beside = |around: &nearby::Around| around.has_node(node) && around.is_no_nothing(&told.provides);
    if nearby::Around::of(&chain.name).is_some_and(|around| is_beside(&around)) {
        let (name, text) = (unraw(node.name()), &told.provides);
        diagnostics.error(
            Code::E202,
            node.name(),
            format_args!("the chain ends with `{name}`, which gives `{text}`, but the chain replies nothing"),
            format_args!(
                "write `-> {text}` behind the chain's inputs, or end the chain with a node that gives nothing"
            ),
        );
    }
}

/// A method with `#[node]` does not make its type a node, nor does a block of a type that does not exist. There is an error
/// about that where it stands.
fn has_its_node_elsewhere(chain: &Chain, diagnostics: &mut Diagnostics) {
    let items = chain.run.body.items();
    let fields =
        items.iter().flat_map(|item| nodes(item)).filter(|node| node.hooks.is_none()).filter_map(|node| node.field);
    for field in fields {
        let ty = &chain.fields[field].ty;
        let Some(last) = types::last_segment(types::held(ty)).map(|last| &last.ident) else { continue };
        let is_broken = |or_like| nearby::has_a_broken_block(&chain.name, last, or_like);
        let is_misplaced = || nearby::is_misplaced(&chain.name, Some(last), None);
        if is_broken(false) || ((is_broken(true) || is_misplaced()) && nearby::may_be_no_node(chain, ty)) {
            diagnostics.known();
        }
    }
}

/// A block after which other nodes come ends with no value, and here a node behind it asks for that value. This is
/// reported once, whatever the number of arms, and not at that node as well. Other such blocks are left to rustc: the
/// type may be `()` under another name.
fn goes_on(row: &Block, more_comes: bool, diagnostics: &mut Diagnostics) {
    for (at, item) in row.items.iter().enumerate() {
        let more_comes = item.given.is_none() && (more_comes || at + 1 < row.items.len());
        let inner = inner(item);
        let is_asked_for =
            |(_, ty): &(&NodeUse, &str)| row.items[at + 1..].iter().any(|item| asks(item, &|text| text == *ty));
        let found = inner.iter().filter(|_| more_comes).find_map(|block| value_at_the_end(block)).filter(is_asked_for);
        match found {
            Some((node, ty)) => {
                let name = unraw(node.name());
                diagnostics.error(
                    Code::E408,
                    node.name(),
                    format_args!("the block ends with `{name}`, which gives `{ty}`, but other nodes come after the block"),
                    format_args!("what a node in a block provides stays in it: let the block provide it (`{{ .. }} -> {ty}`, behind the last arm of a branch), end it with a node that returns `()`, or move it to the end of the chain, where it replies"),
                );
            }
            None => inner.into_iter().for_each(|block| goes_on(block, more_comes, diagnostics)),
        }
    }
}

/// A node that gives the reply ends the chain. (rustc checks this of blocks that go on, and of nodes by their traits.)
fn is_the_end(row: &Block, diagnostics: &mut Diagnostics) {
    for (at, item) in row.items.iter().enumerate() {
        if let ItemKind::Node(node) = &item.kind
            && node.untold.is_last
            && at + 1 < row.items.len()
        {
            let name = unraw(node.name());
            diagnostics.error(
                Code::E209,
                node.name(),
                format_args!("`{name}` gives the reply, but the chain goes on after it"),
                format_args!("end the chain with `{name}`, and do what comes after in the `exit` of a node before it"),
            );
        }
        inner(item).into_iter().for_each(|block| is_the_end(block, diagnostics));
    }
}

/// The blocks of an item that become part of the row. What a node wraps is a future of its own.
pub(super) fn inner(item: &Item) -> Vec<&Block> {
    let blocks: Vec<_> = match &item.kind {
        ItemKind::Block(block) => vec![block],
        ItemKind::Branch(branch) => branch.arms.iter().map(|arm| &arm.body).collect(),
        ItemKind::Node(_) | ItemKind::Around(..) => Vec::new(),
    };
    blocks.into_iter().chain(&item.otherwise).collect()
}

/// All blocks of an item, with the one that a node wraps.
pub(super) fn blocks(item: &Item) -> impl Iterator<Item = &Block> {
    let around = match &item.kind {
        ItemKind::Around(_, block) => Some(block),
        _ => None,
    };
    around.into_iter().chain(inner(item))
}

/// Whether a function in this item asks for a type whose text is this.
pub(super) fn asks(item: &Item, is_it: &dyn Fn(&str) -> bool) -> bool {
    let mut told = nodes(item).filter_map(|node| node.told.as_ref());
    told.any(|told| told.parameters.iter().any(|(_, text)| is_it(text)))
        || blocks(item).flat_map(|block| &block.items).any(|item| asks(item, is_it))
}

/// The function whose value is the last thing in this block, and the value's type.
fn value_at_the_end(block: &Block) -> Option<(&NodeUse, &str)> {
    let last = block.items.last().filter(|last| last.given.is_none())?;
    match &last.kind {
        ItemKind::Node(node) if last.modifiers.cancel.is_none() && last.modifiers.open.is_none() => {
            let told = node.told.as_ref().filter(|told| !told.provides.is_empty())?;
            Some((node, told.provides.as_str()))
        }
        _ => inner(last).into_iter().find_map(value_at_the_end),
    }
}

/// A function wraps no block.
fn wraps(item: &Item, diagnostics: &mut Diagnostics) {
    let ItemKind::Around(node, _) = &item.kind else { return };
    if node.told.is_some() {
        let name = unraw(node.name());
        diagnostics.error(
            Code::E411,
            node.name(),
            format_args!("`{name}` does not wrap this block: it is a function"),
            format_args!("write `{name} => {{ .. }}`; a node that wraps is an `impl` block that has `async fn around<B: Future>(&self, block: Pin<&mut B>) -> Result<B::Output, E>`"),
        );
    }
}

/// A function that tells its signature has no parameters of its own type.
fn has_no_arguments(item: &Item, diagnostics: &mut Diagnostics) {
    for node in nodes(item) {
        let last = node.path.path.segments.last().filter(|last| !last.arguments.is_none());
        if let (Some(last), Some(_)) = (last, &node.told) {
            let name = unraw(&last.ident);
            diagnostics.error(
                Code::E323,
                &last.arguments,
                format_args!("`{name}` has no type parameters"),
                format_args!("write `{name}`"),
            );
        }
    }
}

/// Nothing says what a function's type parameters stand for: a chain names the types.
fn has_arguments(item: &Item, diagnostics: &mut Diagnostics) {
    for node in nodes(item).filter(|node| node.untold.is_generic && node.path.qself.is_none()) {
        if node.path.path.segments.iter().all(|part| part.arguments.is_none()) {
            let name = unraw(node.name());
            diagnostics.error(
                Code::E317,
                node.name(),
                format_args!("`{name}` has type parameters, and nothing says which types they stand for"),
                format_args!("write the types behind the name: `{name}::<Type>`"),
            );
        }
    }
}

/// The nodes that an item names itself.
pub(super) fn nodes(item: &Item) -> impl Iterator<Item = &NodeUse> {
    let conditions = item.modifiers.conditions.iter().filter_map(|condition| match condition {
        Condition::When(node) => Some(node),
        _ => None,
    });
    let node = match &item.kind {
        ItemKind::Node(node) | ItemKind::Around(node, _) => Some(node),
        ItemKind::Branch(branch) => Some(&branch.node),
        ItemKind::Block(_) => None,
    };
    conditions.chain(node)
}

/// A chain that is a plain `fn` awaits nothing.
fn fits_a_fn(item: &Item, diagnostics: &mut Diagnostics) {
    for node in nodes(item).filter(|node| node.told.as_ref().is_some_and(|told| told.is_async)) {
        let name = unraw(node.name());
        diagnostics.error(
            Code::E210,
            node.name(),
            format_args!("`{name}` is `async`, but this chain is declared `fn`"),
            format_args!("declare the chain `async fn(..)`, or make `{name}` a plain `fn`"),
        );
    }
}

/// Only a node that suspends can be interrupted.
fn can_be_late(item: &Item, diagnostics: &mut Diagnostics) {
    let (ItemKind::Node(node), Some((limit, _))) = (&item.kind, &item.modifiers.timeout) else { return };
    if node.told.as_ref().is_some_and(|told| !told.is_async) {
        let name = unraw(node.name());
        diagnostics.error_at(
            Code::E513,
            *limit,
            format_args!("`{name}` never suspends, so no timeout can interrupt it"),
            "make it an `async fn`, or leave `#[timeout(..)]` out",
        );
    }
}

/// A function that never breaks is not gone on without.
fn can_break(item: &Item, diagnostics: &mut Diagnostics) {
    let (ItemKind::Node(node), Some(open), None) = (&item.kind, &item.modifiers.open, &item.modifiers.timeout) else {
        return;
    };
    if node.told.as_ref().is_some_and(|told| told.breaks.is_empty()) {
        let name = unraw(node.name());
        diagnostics.error_at(
            Code::E518,
            open.span,
            format_args!("`{name}` never breaks, so `#[open]` before it does nothing"),
            "leave it out, or let the node return a `Result`",
        );
    }
}
