//! The body of a chain, cut into items at each `=>`.

use proc_macro2::{Delimiter, Group, Spacing, Span, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Token};

use super::item::is_group;
use super::{branch, expression, given, modifiers};
use crate::ast::{Block, Item, ItemKind, NodeUse};
use crate::diagnostics::{Code, Diagnostics};
use crate::{extent, names, simple, types};

/// One piece between two arrows, and the arrow after it.
pub(super) struct Piece {
    pub(super) tokens: Vec<TokenTree>,
    pub(super) arrow: Option<Span>,
}

/// Cuts a chain at its arrows.
pub(super) fn pieces(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut current = Vec::new();
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let known = extent::items(&tokens);
    let mut known = known.into_iter().peekable();
    let mut tokens = tokens.into_iter().enumerate().peekable();
    let mut has_type = false;
    // How many `<..>` of a path are open.
    let mut depth = 0usize;
    let mut is_closure = false;
    // Rows are joined in one way, so a second `;` is the same mistake.
    let mut has_semicolon = false;
    while let Some((at, token)) = tokens.next() {
        // A piece that can be read ends where the parser says. The rest is for pieces that cannot be read.
        if current.is_empty()
            && let Some(item) = known.next_if(|item| item.start == at)
        {
            current.push(token);
            current.extend(tokens.by_ref().take(item.len() - 1).map(|(_, token)| token));
            continue;
        }
        let TokenTree::Punct(punct) = &token else {
            current.push(token);
            continue;
        };
        // `item` reads the arrows inside of a branch.
        let is_arrow = punct.as_char() == '=' && punct.spacing() == Spacing::Joint;
        if is_branch(&current) && !is_arrow && punct.as_char() != ';' {
            current.push(token);
            continue;
        }
        let next = match tokens.peek() {
            Some((_, TokenTree::Punct(next))) if punct.spacing() == Spacing::Joint => Some(next.as_char()),
            _ => None,
        };
        let span = punct.span();
        match (punct.as_char(), next) {
            ('=', Some('>')) => {
                (depth, is_closure) = (0, false);
                let (_, head) = tokens.next().expect("peeked");
                let span = span.join(head.span()).unwrap_or(span);
                pieces.push(Piece { tokens: std::mem::take(&mut current), arrow: Some(span) });
                has_type = false;
            }
            ('-', Some('>')) if !has_type => {
                let (_, head) = tokens.next().expect("peeked");
                let arrow: TokenStream = [token, head].into_iter().collect();
                diagnostics.error(Code::E009, arrow, "`->` does not join nodes", "write `=>`");
                pieces.push(Piece { tokens: std::mem::take(&mut current), arrow: Some(span) });
            }
            (':', Some(':')) => {
                current.push(token);
                current.extend(tokens.next().map(|(_, token)| token));
            }
            (':', _) => {
                has_type = true;
                current.push(token);
            }
            ('|', Some('|')) if !(is_closure || has_type || current.is_empty()) && depth == 0 => {
                let (_, second) = tokens.next().expect("peeked");
                let operator: TokenStream = [token, second].into_iter().collect();
                diagnostics.error(Code::E009, operator, "`||` does not join nodes", "write `=>`");
                pieces.push(Piece { tokens: std::mem::take(&mut current), arrow: Some(span) });
            }
            // `node_use` reports this.
            ('|', _) if is_closure || current.is_empty() => {
                is_closure = true;
                current.push(token);
            }
            ('>', Some('>')) if !has_type && depth == 0 => {
                let (_, second) = tokens.next().expect("peeked");
                let arrow: TokenStream = [token, second].into_iter().collect();
                diagnostics.error(Code::E009, arrow, "`>>` does not join nodes", "write `=>`");
                pieces.push(Piece { tokens: std::mem::take(&mut current), arrow: Some(span) });
            }
            ('<', _) => {
                depth += 1;
                current.push(token);
            }
            ('>', _) => {
                depth = depth.saturating_sub(1);
                current.push(token);
            }
            (',' | ';', _) if !has_type && depth == 0 && !is_closure && tokens.peek().is_none() => {
                let what = format!("no `{}` comes after the last node", punct.as_char());
                if !has_semicolon {
                    diagnostics.error(Code::E009, &token, what, "leave it out");
                }
            }
            (',' | ';' | '|', _) if !has_type && depth == 0 && !is_closure => {
                let what = format!("`{}` does not join nodes", punct.as_char());
                // `let` has an error of its own.
                let is_let = matches!(current.first(), Some(TokenTree::Ident(word)) if word == "let");
                let is_again = punct.as_char() == ';' && std::mem::replace(&mut has_semicolon, true);
                if !(is_again || is_let) {
                    diagnostics.error(Code::E009, &token, what, "write `=>`");
                }
                pieces.push(Piece { tokens: std::mem::take(&mut current), arrow: Some(span) });
            }
            _ => current.push(token),
        }
    }
    pieces.push(Piece { tokens: current, arrow: None });
    pieces
}

/// Whether it is the mark of an item that is not compiled.
pub(super) fn is_gone(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [TokenTree::Punct(_), TokenTree::Group(group)] if group.stream().to_string() == crate::rewrite::GONE)
}

/// The pieces that are not empty. An arrow without a node is an error.
pub(super) fn joined(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Vec<TokenStream> {
    let mut pieces = pieces(tokens, diagnostics);
    // An item that is not compiled is left out, with its arrow.
    pieces.retain(|piece| !is_gone(&piece.tokens));
    let last = pieces.len().saturating_sub(1);
    let mut before: Option<Span> = None;
    let mut nodes = Vec::new();
    for (at, piece) in pieces.into_iter().enumerate() {
        if piece.tokens.is_empty() && last > 0 {
            let (span, what) = match (at, piece.arrow, before) {
                (0, Some(arrow), _) => (arrow, "the chain begins with an arrow"),
                (_, Some(arrow), _) => (arrow, "two arrows in a row"),
                (_, None, Some(arrow)) => (arrow, "the chain ends with an arrow"),
                (_, None, None) => continue,
            };
            diagnostics.error_at(
                Code::E010,
                span,
                what,
                "an arrow stands between two nodes: remove it, or add the node",
            );
        }
        before = piece.arrow;
        if !piece.tokens.is_empty() {
            nodes.push(piece.tokens.into_iter().collect());
        }
    }
    nodes
}

/// Whether these tokens, after their attributes, begin like a branch.
pub(super) fn is_branch(tokens: &[TokenTree]) -> bool {
    let behind = tokens.iter().position(|token| match token {
        TokenTree::Punct(punct) => punct.as_char() != '#',
        token => !is_group(token, Delimiter::Bracket),
    });
    matches!(behind.map(|at| &tokens[at]), Some(TokenTree::Ident(word)) if word == "match" || word == "if")
}

/// `{ auth => log }`
pub(crate) fn block(group: &Group, diagnostics: &mut Diagnostics) -> Block {
    let items = items(group.stream(), diagnostics);
    // It also counts as empty if nothing in it is compiled.
    let is_empty = items.is_empty() && crate::rewrite::is_nothing(group.stream());
    Block { items, span: group.span_open(), is_empty }
}

pub(super) fn items(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Vec<Item> {
    let row: Vec<TokenTree> = tokens.clone().into_iter().collect();
    if let Some(nodes) = simple::row(&row) {
        return nodes.into_iter().map(|path| Item::plain(ItemKind::Node(NodeUse::of(path)))).collect();
    }
    let joined = joined(tokens, diagnostics);
    let items = joined.into_iter().filter_map(|tokens| {
        let read = (|input: ParseStream<'_>| item_use(input, diagnostics)).parse2(tokens);
        diagnostics.ok(read)
    });
    items.collect()
}

/// Reads what stands between two arrows.
pub(super) fn item_use(input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> syn::Result<Item> {
    let attributes = input.call(Attribute::parse_outer)?;
    if let (Some(last), true) = (attributes.last(), input.is_empty()) {
        let text = types::text(last);
        let words = format!("`{text}` stands before no node");
        return Err(Code::E502.on(last, format!("{words}\n  help: write `{text} node`, without an arrow between them")));
    }
    let kind = item_kind(input, diagnostics)?;
    let modifiers = modifiers::read(attributes, &kind, diagnostics);
    let (mut otherwise, mut lone_else) = (None, None);
    if input.peek(Token![else]) {
        if let (Some(_), false) = (&modifiers.open, modifiers.has_conditions) {
            return Err(Code::E406.here(input, "`#[open]` goes on without the node, and nothing runs in its place\n  help: leave `else` out, and ask for `&Option<T>` of what the node provides"));
        }
        // For a name alone this is decided later: it may be the name of a field that is an `Option`.
        lone_else = (!modifiers.has_conditions).then(|| input.span());
        let may_be_field = matches!(&kind, ItemKind::Node(node) if node.path.path.get_ident().is_some());
        if lone_else.is_some() && !may_be_field {
            return Err(
                Code::E406.here(input, "this `else` belongs to no `if`\n  help: write `if node { .. } else { .. }`")
            );
        }
        input.parse::<Token![else]>()?;
        let Ok(group) = input.parse::<Group>() else {
            return Err(
                Code::E401.here(input, "expected a chain in braces after `else`\n  help: write `else { c => d }`")
            );
        };
        otherwise = Some(block(&group, diagnostics));
        ends_here(input, "`else`", whole(&kind).as_str())?;
    }
    let given = given::read(input)?;
    let item = Item { modifiers, kind, otherwise, given, lone_else };
    given::stands_behind_a_block(&item)?;
    Ok(item)
}

pub(super) fn item_kind(input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> syn::Result<ItemKind> {
    if input.peek(syn::token::Brace) {
        let group: Group = input.parse()?;
        ends_here(input, "the block", "{ .. }")?;
        return Ok(ItemKind::Block(block(&group, diagnostics)));
    }
    if input.peek(Token![match]) {
        return branch::of_match(input, diagnostics).map(ItemKind::Branch);
    }
    if input.peek(Token![if]) {
        return branch::of_if(input, diagnostics).map(ItemKind::Branch);
    }
    if input.peek(Token![else]) {
        return Err(
            Code::E406.here(input, "this `else` belongs to no `if`\n  help: write `if node { .. } else { .. }`")
        );
    }
    if input.peek(Token![..]) {
        return Err(Code::E606.here(input, "`..` stands before the path of a segment, and a segment has nothing before or behind it\n  help: write `..front`; put it in a block to skip or wrap it: `#[when(node)] { ..front }`"));
    }
    let node = node_path(input)?;
    if input.peek(syn::token::Brace) {
        let group: Group = input.parse()?;
        let name = names::unraw(node.name());
        ends_here(input, &format!("the block of `{name}`"), &format!("{} {{ .. }}", types::text(&node.path)))?;
        return Ok(ItemKind::Around(node, block(&group, diagnostics)));
    }
    node_ends(input, &node)?;
    Ok(ItemKind::Node(node))
}

/// An item as an error shows it that has something behind it.
fn whole(kind: &ItemKind) -> String {
    match kind {
        ItemKind::Node(node) => types::text(&node.path),
        ItemKind::Around(node, _) => format!("{} {{ .. }}", types::text(&node.path)),
        _ => "{ .. }".to_owned(),
    }
}

pub(super) fn ends_here(input: ParseStream<'_>, what: &str, whole: &str) -> syn::Result<()> {
    // `item_use` says what an `else` or an arrow belongs to.
    if input.is_empty() || input.peek(Token![else]) || input.peek(Token![->]) {
        return Ok(());
    }
    attribute_behind(input, what, whole)?;
    Err(Code::E009.here(input, format!("expected `=>` after {what}\n  help: nodes and blocks are joined with `=>`")))
}

/// Refuses attributes at the end of an item, behind what they are meant for.
fn attribute_behind(input: ParseStream<'_>, what: &str, whole: &str) -> syn::Result<()> {
    let ahead = input.fork();
    let attributes = ahead.call(Attribute::parse_outer).unwrap_or_default();
    match attributes.first() {
        Some(first) if ahead.is_empty() && first.path().is_ident("doc") => {
            let help = "write `//` for a comment about its place in the chain";
            Err(Code::E502.on(first, format!("a node is documented where it is defined\n  help: {help}")))
        }
        Some(first) if ahead.is_empty() => {
            let text = types::text(first);
            let words = format!("`{text}` stands behind {what}, and an attribute stands before what it is about");
            Err(Code::E502.on(first, format!("{words}\n  help: write `{text} {whole}`")))
        }
        _ => Ok(()),
    }
}

/// The path of a node, and nothing that is no node.
pub(super) fn node_path(input: ParseStream<'_>) -> syn::Result<NodeUse> {
    if input.peek(Token![async]) || input.peek(Token![move]) || input.peek(Token![|]) {
        return Err(Code::E013.here(
            input,
            "a node is named, not written in place\n  help: give it a name: `#[node] fn name(..) { .. }`",
        ));
    }
    if input.peek(syn::Lit) {
        return Err(
            Code::E013.here(input, "a node is a function or a field, not a literal\n  help: name a `#[node]` function")
        );
    }
    if input.peek(Token![for]) || input.peek(Token![while]) || input.peek(Token![loop]) {
        return Err(Code::E014.here(
            input,
            "a chain has no loops: each request passes a node once\n  help: loop inside a node, or wrap a block in a node that runs it again, like `Retry`",
        ));
    }
    expression::refuse_before(input)?;
    Ok(NodeUse::of(input.parse()?))
}

/// Refuses what does not belong after a node.
pub(super) fn node_ends(input: ParseStream<'_>, node: &NodeUse) -> syn::Result<()> {
    let name = types::text(&node.path);
    if input.peek(syn::token::Paren) {
        let arguments: TokenTree = input.parse()?;
        // `RateLimit::new(3)`, `RateLimit(3)`
        let mut last = node.path.path.segments.iter().rev().take(2);
        if let Some(ty) = last.find(|part| names::begins_like_a_type(&names::unraw(&part.ident))) {
            let (ty, what) = (types::text(ty), "a node with state is a field of the struct");
            let help = format!("declare a field of the type `{ty}` there, and write its name here");
            return Err(Code::E015.on(&node.path, format!("{what}\n  help: {help}")));
        }
        return Err(Code::E012.on(
            arguments,
            format!(
                "`{name}` is named in a chain, not called: its parameters are found by type\n  help: leave out the parentheses"
            ),
        ));
    }
    expression::refuse_behind(input, &name)?;
    if input.peek(Token![.]) {
        return Err(Code::E013.here(
            input,
            "a node is a path or a field's name, not an expression\n  help: write a `#[node]` function that gives the value, and name that; what has state is a field of the chain",
        ));
    }
    if input.peek(Token![?]) {
        return Err(
            Code::E013.here(input, "a node that returns a `Result` breaks by itself\n  help: leave out the `?`")
        );
    }
    if input.peek(Token![:]) {
        return Err(Code::E015.here(
            input,
            "a node with state is a field of the struct\n  help: declare the field there, and write its name here",
        ));
    }
    if !(input.is_empty() || input.peek(Token![else]) || input.peek(Token![->])) {
        attribute_behind(input, &format!("`{name}`"), &name)?;
        return Err(Code::E009.here(input, format!("expected `=>` after `{name}`\n  help: nodes are joined with `=>`")));
    }
    Ok(())
}
