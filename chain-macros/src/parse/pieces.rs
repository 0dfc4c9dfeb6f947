//! The body of a chain, cut into items at each `=>`.

use proc_macro2::{Delimiter, Group, Spacing, Span, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Token};

use super::item::is_group;
use super::{branch, modifiers};
use crate::ast::{Block, Item, ItemKind, NodeUse};
use crate::diagnostics::Diagnostics;
use crate::{extent, names, types};

/// One piece between two arrows, and the arrow behind it.
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
    // How deep it is in the `<..>` of a path.
    let mut depth = 0usize;
    let mut is_closure = false;
    while let Some((at, token)) = tokens.next() {
        // What can be read ends where it ends; the rest is about what cannot.
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
        // What stands in a branch, `item` reads.
        let is_arrow = punct.as_char() == '=' && punct.spacing() == Spacing::Joint;
        if is_branch(&current) && !is_arrow {
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
                diagnostics.error(arrow, "`->` does not join nodes", "write `=>`");
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
            // What `node_use` has words for.
            ('|', _) if is_closure || current.is_empty() => {
                is_closure = true;
                current.push(token);
            }
            ('>', Some('>')) if !has_type && depth == 0 => {
                let (_, second) = tokens.next().expect("peeked");
                let arrow: TokenStream = [token, second].into_iter().collect();
                diagnostics.error(arrow, "`>>` does not join nodes", "write `=>`");
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
            (',' | ';' | '|', _) if !has_type && depth == 0 && !is_closure => {
                let what = format!("`{}` does not join nodes", punct.as_char());
                diagnostics.error(&token, what, "write `=>`");
                pieces.push(Piece { tokens: std::mem::take(&mut current), arrow: Some(span) });
            }
            _ => current.push(token),
        }
    }
    pieces.push(Piece { tokens: current, arrow: None });
    pieces
}

/// Whether it stands for an item that is not compiled.
pub(super) fn is_gone(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [TokenTree::Punct(_), TokenTree::Group(group)] if group.stream().to_string() == crate::again::GONE)
}

/// The pieces that are not empty; the arrows without a node are noted.
pub(super) fn joined(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Vec<TokenStream> {
    let mut pieces = pieces(tokens, diagnostics);
    // What is not compiled is not there, and neither is its arrow.
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
            diagnostics.error_at(span, what, "an arrow stands between two nodes: remove it, or add the node");
        }
        before = piece.arrow;
        if !piece.tokens.is_empty() {
            nodes.push(piece.tokens.into_iter().collect());
        }
    }
    nodes
}

/// Whether these tokens, behind attributes, begin like a branch.
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
    // So it is where all that stands in it is not compiled.
    let is_empty = items.is_empty() && crate::rewrite::is_nothing(group.stream());
    Block { items, span: group.span_open(), is_empty }
}

pub(super) fn items(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Vec<Item> {
    let joined = joined(tokens, diagnostics);
    let items = joined.into_iter().filter_map(|tokens| {
        let read = (|input: ParseStream<'_>| item_use(input, diagnostics)).parse2(tokens);
        diagnostics.ok(read)
    });
    items.collect()
}

/// What stands between two arrows.
pub(super) fn item_use(input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> syn::Result<Item> {
    let attributes = input.call(Attribute::parse_outer)?;
    let kind = item_kind(input, diagnostics)?;
    let modifiers = modifiers::read(attributes, &kind, diagnostics);
    let mut otherwise = None;
    if input.peek(Token![else]) {
        if !modifiers.has_conditions {
            return Err(input.error("this `else` belongs to no `if`\n  help: write `if node { .. } else { .. }`"));
        }
        input.parse::<Token![else]>()?;
        let Ok(group) = input.parse::<Group>() else {
            return Err(input.error("expected a chain in braces after `else`\n  help: write `else { c => d }`"));
        };
        otherwise = Some(block(&group, diagnostics));
        ends_here(input, "`else`")?;
    }
    Ok(Item { modifiers, kind, otherwise })
}

pub(super) fn item_kind(input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> syn::Result<ItemKind> {
    if input.peek(syn::token::Brace) {
        let group: Group = input.parse()?;
        ends_here(input, "the block")?;
        return Ok(ItemKind::Block(block(&group, diagnostics)));
    }
    if input.peek(Token![match]) {
        return branch::of_match(input, diagnostics).map(ItemKind::Branch);
    }
    if input.peek(Token![if]) {
        return branch::of_if(input, diagnostics).map(ItemKind::Branch);
    }
    if input.peek(Token![else]) {
        return Err(input.error("this `else` belongs to no `if`\n  help: write `if node { .. } else { .. }`"));
    }
    if input.peek(Token![..]) {
        return Err(input.error("`..` stands before the path of a segment, and a segment has nothing before or behind it\n  help: write `..front`; put it in a block to skip or wrap it: `#[when(node)] { ..front }`"));
    }
    let node = node_path(input)?;
    if input.peek(syn::token::Brace) {
        let group: Group = input.parse()?;
        ends_here(input, &format!("the block of `{}`", names::unraw(node.name())))?;
        return Ok(ItemKind::Around(node, block(&group, diagnostics)));
    }
    node_ends(input, &node)?;
    Ok(ItemKind::Node(node))
}

pub(super) fn ends_here(input: ParseStream<'_>, what: &str) -> syn::Result<()> {
    // What an `else` belongs to, `item_use` says.
    if input.is_empty() || input.peek(Token![else]) {
        return Ok(());
    }
    Err(input.error(format!("expected `=>` after {what}\n  help: nodes and blocks are joined with `=>`")))
}

/// The path of a node, and nothing that is none.
pub(super) fn node_path(input: ParseStream<'_>) -> syn::Result<NodeUse> {
    if input.peek(Token![async]) || input.peek(Token![move]) || input.peek(Token![|]) {
        return Err(
            input.error("a node is named, not written in place\n  help: give it a name: `#[node] fn name(..) { .. }`")
        );
    }
    if input.peek(syn::Lit) {
        return Err(input.error("a node is a function or a field, not a literal\n  help: name a `#[node]` function"));
    }
    if input.peek(Token![for]) || input.peek(Token![while]) || input.peek(Token![loop]) {
        return Err(input.error(
            "a chain has no loops: each request passes a node once\n  help: loop inside a node, or wrap a block in a node that runs it again, like `Retry`",
        ));
    }
    Ok(NodeUse { path: input.parse()?, field: None })
}

/// What does not belong behind a node.
pub(super) fn node_ends(input: ParseStream<'_>, node: &NodeUse) -> syn::Result<()> {
    let name = types::text(&node.path);
    if input.peek(syn::token::Paren) {
        let arguments: TokenTree = input.parse()?;
        return Err(syn::Error::new_spanned(
            arguments,
            format!(
                "`{name}` is named in a chain, not called: its parameters are found by type\n  help: leave out the parentheses"
            ),
        ));
    }
    if input.peek(Token![.]) {
        return Err(
            input.error("a node is a path or a field's name, not an expression\n  help: make it a field of the chain")
        );
    }
    if input.peek(Token![?]) {
        return Err(input.error("a node that returns a `Result` breaks by itself\n  help: leave out the `?`"));
    }
    if input.peek(Token![:]) {
        return Err(input.error(
            "a node with state is a field of the struct\n  help: declare the field there, and write its name here",
        ));
    }
    if !input.is_empty() && !input.peek(Token![else]) {
        return Err(input.error(format!("expected `=>` after `{name}`\n  help: nodes are joined with `=>`")));
    }
    Ok(())
}
