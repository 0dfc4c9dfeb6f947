//! `match node { Pattern => chain, .. }` and `if node { .. } else { .. }`.
//!
//! A binding that nodes shall find is written with its type, as a parameter is: `Route::Api(api: Api)`. No macro can know
//! the type of a binding, and an arm's scope has to name it.

use proc_macro2::{Delimiter, Group, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Ident, Pat, Token, Type};

use super::{block, items, node_ends, node_path};
use crate::ast::{Arm, Binding, Block, Branch, Item, ItemKind, NodeUse};
use crate::diagnostics::Diagnostics;
use crate::names;
use crate::rewrite::{arm_end, arrow};
use crate::types;

/// `match route { Route::Api(api: Api) => auth => serve, Route::Static => files }`
pub(super) fn of_match(input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> syn::Result<Branch> {
    let keyword: Token![match] = input.parse()?;
    let node = scrutinee(input, "match")?;
    let Ok(group) = input.parse::<Group>() else {
        return Err(input.error("expected the arms of `match`\n  help: write `match node { Pattern => chain, .. }`"));
    };
    super::ends_here(input, "the arms")?;
    let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
    if tokens.is_empty() {
        diagnostics.error_at(
            group.span_open(),
            "this `match` has no arms",
            "write `Pattern => chain` for each thing that the node may give",
        );
    }
    let arms = arms(&tokens, diagnostics);
    Ok(Branch { span: keyword.span, node, arms, is_bool: false, lacks_else: false })
}

/// `if canary { .. } else { .. }`, `if let Some(user: User) = session { .. }`
pub(super) fn of_if(input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> syn::Result<Branch> {
    let keyword: Token![if] = input.parse()?;
    let pattern = if input.peek(Token![let]) {
        input.parse::<Token![let]>()?;
        let mut pattern = Vec::new();
        while !input.is_empty() && !input.peek(Token![=]) {
            pattern.push(input.parse::<TokenTree>()?);
        }
        if input.is_empty() {
            let what = "expected `=` and a node behind the pattern\n  help: write `if let Pattern = node { .. }`";
            return Err(syn::Error::new(keyword.span, what));
        }
        input.parse::<Token![=]>()?;
        Some(pattern)
    } else {
        None
    };
    let node = scrutinee(input, "if")?;
    if input.peek(Token![&&]) || input.peek(Token![||]) || input.peek(Token![==]) {
        return Err(input.error(
            "a branch asks one node, not an expression\n  help: write a `#[node]` function that gives the `bool`",
        ));
    }
    let Ok(group) = input.parse::<Group>() else {
        return Err(input.error("expected a chain in braces\n  help: write `if node { a => b } else { c }`"));
    };
    let then = block(&group, diagnostics);
    let (otherwise, lacks_else) = if input.peek(Token![else]) {
        input.parse::<Token![else]>()?;
        if input.peek(Token![if]) {
            let span = input.span();
            let inner = of_if(input, diagnostics)?;
            (Block { items: vec![Item::plain(ItemKind::Branch(inner))], span, is_empty: false }, false)
        } else {
            let Ok(group) = input.parse::<Group>() else {
                return Err(input.error("expected a chain in braces after `else`\n  help: write `else { c => d }`"));
            };
            (block(&group, diagnostics), false)
        }
    } else {
        (Block { items: Vec::new(), span: group.span_close(), is_empty: true }, true)
    };
    super::ends_here(input, "the branch")?;
    let span = keyword.span;
    let arm = |pattern, label: &str, bindings, body| Arm { pattern, label: label.to_owned(), bindings, body };
    let (arms, is_bool) = match pattern {
        None => {
            let (yes, no) = (quote_spanned!(span=> true), quote_spanned!(span=> false));
            (vec![arm(yes, "true", Vec::new(), then), arm(no, "false", Vec::new(), otherwise)], true)
        }
        Some(tokens) => {
            let label = types::text(&tokens.iter().cloned().collect::<TokenStream>());
            let (pattern, bindings) = pattern_of(&tokens, None, diagnostics);
            let rest = quote_spanned!(span=> _);
            (vec![arm(pattern, &label, bindings, then), arm(rest, "_", Vec::new(), otherwise)], false)
        }
    };
    Ok(Branch { span, node, arms, is_bool, lacks_else })
}

/// The node behind `match` or `if`.
fn scrutinee(input: ParseStream<'_>, keyword: &str) -> syn::Result<NodeUse> {
    if input.peek(Token![!]) {
        return Err(input.error(
            "a branch asks one node, not an expression\n  help: swap the two blocks, or write a `#[node]` function that gives the opposite",
        ));
    }
    if input.is_empty() || input.peek(syn::token::Brace) {
        return Err(input.error(format!("expected a node after `{keyword}`\n  help: write `{keyword} node {{ .. }}`")));
    }
    let node = node_path(input)?;
    if !(input.peek(syn::token::Brace)
        || input.is_empty()
        || input.peek(Token![&&])
        || input.peek(Token![||])
        || input.peek(Token![==]))
    {
        node_ends(input, &node)?;
    }
    Ok(node)
}

/// Cuts `Pattern if guard => chain, ..` into arms.
fn arms(tokens: &[TokenTree], diagnostics: &mut Diagnostics) -> Vec<Arm> {
    let mut arms = Vec::new();
    let mut rest = tokens;
    while !rest.is_empty() {
        let Some(arrow) = arrow(rest) else {
            let what: TokenStream = rest.iter().cloned().collect();
            diagnostics.error(
                what,
                "this arm has no chain",
                "write `Pattern => chain`, or `Pattern => {}` where nothing is to be done",
            );
            break;
        };
        let (head, behind) = (&rest[..arrow], &rest[arrow + 2..]);
        let end = arm_end(behind);
        let body = &behind[..end];
        rest = &behind[end..];
        if matches!(rest.first(), Some(TokenTree::Punct(comma)) if comma.as_char() == ',') {
            rest = &rest[1..];
        }
        let at = head.first().unwrap_or(&tokens[0]).span();
        arms.extend(arm(head, at, body, diagnostics));
    }
    arms
}

fn arm(head: &[TokenTree], at: Span, body: &[TokenTree], diagnostics: &mut Diagnostics) -> Option<Arm> {
    if let Some(pound) = head.first().filter(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == '#'))
    {
        diagnostics.error(pound, "an arm takes no attribute", "put it before a node of the arm's chain");
        return None;
    }
    if head.is_empty() {
        diagnostics.error_at(
            at,
            "this arm has no pattern",
            "write `Pattern => chain`, or `_ => chain` for all the rest",
        );
        return None;
    }
    let guard = head.iter().position(|token| matches!(token, TokenTree::Ident(word) if word == "if"));
    let (pattern, guard) = match guard {
        None => (head, None),
        Some(at) => {
            let guard: TokenStream = head[at + 1..].iter().cloned().collect();
            let guard = diagnostics.ok(syn::parse2::<Expr>(guard))?;
            (&head[..at], Some((head[at].clone(), guard)))
        }
    };
    let label = types::text(&head.iter().cloned().collect::<TokenStream>());
    let (pattern, bindings) = pattern_of(pattern, guard.as_ref().map(|(_, guard)| guard), diagnostics);
    let pattern = match guard {
        None => pattern,
        Some((keyword, guard)) => quote!(#pattern #keyword #guard),
    };
    let body = match body {
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::Brace => block(group, diagnostics),
        [] => {
            diagnostics.error_at(
                at,
                "this arm has no chain",
                "write `Pattern => chain`, or `Pattern => {}` where nothing is to be done",
            );
            Block { items: Vec::new(), span: at, is_empty: false }
        }
        tokens => {
            let span = tokens[0].span();
            let items = items(tokens.iter().cloned().collect(), diagnostics);
            Block { items, span, is_empty: false }
        }
    };
    Some(Arm { pattern, label, bindings, body })
}

/// The pattern as rustc shall see it, and the bindings that have types.
fn pattern_of(
    tokens: &[TokenTree],
    guard: Option<&Expr>,
    diagnostics: &mut Diagnostics,
) -> (TokenStream, Vec<Binding>) {
    let mut bindings = Vec::new();
    let pattern = without_types(tokens, false, &mut bindings, diagnostics);
    let Some(parsed) = diagnostics.ok(Pat::parse_multi_with_leading_vert.parse2(pattern.clone())) else {
        return (quote!(_), Vec::new());
    };
    let guard = guard.map(|guard| guard.to_token_stream().to_string()).unwrap_or_default();
    let in_guard = |name: &Ident| {
        guard.split(|letter: char| !(letter.is_alphanumeric() || letter == '_')).any(|word| name == word)
    };
    for name in bound(&parsed) {
        let typed = bindings.iter().any(|binding: &Binding| binding.name == name);
        let text = names::unraw(&name);
        // A lone name with a capital letter is a constant, or a variant that was imported.
        let is_constant = text.starts_with(char::is_uppercase);
        if !(typed || is_constant || text.starts_with('_') || in_guard(&name)) {
            diagnostics.error(
                &name,
                format_args!("nodes find `{text}` by its type, which is not written here"),
                format_args!("write `{text}: Type`, or `_` where no node needs it"),
            );
        }
    }
    (pattern, bindings)
}

/// Takes the types of bindings out of a pattern. In the braces of a struct's pattern, what stands before the first `:` is the field.
fn without_types(
    tokens: &[TokenTree],
    in_braces: bool,
    bindings: &mut Vec<Binding>,
    diagnostics: &mut Diagnostics,
) -> TokenStream {
    let mut out = TokenStream::new();
    for (separator, mut part) in parts(tokens) {
        out.extend(separator);
        let mut colons = colons(part);
        if in_braces && !colons.is_empty() {
            let field = colons.remove(0);
            out.extend(part[..=field].iter().cloned());
            part = &part[field + 1..];
            colons.iter_mut().for_each(|colon| *colon -= field + 1);
        }
        let (pattern, ty) = match colons.first() {
            None => (part, None),
            Some(colon) => (&part[..*colon], Some(&part[colon + 1..])),
        };
        if let Some(ty) = ty {
            typed(pattern, ty, bindings, diagnostics);
        }
        for token in pattern {
            match token {
                TokenTree::Group(group) => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    let is_brace = group.delimiter() == Delimiter::Brace;
                    let inner = without_types(&inner, is_brace, bindings, diagnostics);
                    let mut group_without = Group::new(group.delimiter(), inner);
                    group_without.set_span(group.span());
                    out.extend([TokenTree::Group(group_without)]);
                }
                token => out.extend([token.clone()]),
            }
        }
    }
    out
}

/// The parts between commas and bars, each with what separates it from the one before.
fn parts(tokens: &[TokenTree]) -> Vec<(Option<TokenTree>, &[TokenTree])> {
    let mut parts = Vec::new();
    let (mut begin, mut separator, mut depth) = (0, None, 0usize);
    for (at, token) in tokens.iter().enumerate() {
        let TokenTree::Punct(punct) = token else { continue };
        match punct.as_char() {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            ',' | '|' if depth == 0 => {
                parts.push((separator.replace(token.clone()), &tokens[begin..at]));
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push((separator, &tokens[begin..]));
    parts
}

/// Where a lone `:` stands.
fn colons(tokens: &[TokenTree]) -> Vec<usize> {
    let mut colons = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if let TokenTree::Punct(punct) = &tokens[at]
            && punct.as_char() == ':'
        {
            if punct.spacing() == Spacing::Joint {
                at += 2;
                continue;
            }
            colons.push(at);
        }
        at += 1;
    }
    colons
}

/// `mut api: Api`
fn typed(pattern: &[TokenTree], ty: &[TokenTree], bindings: &mut Vec<Binding>, diagnostics: &mut Diagnostics) {
    let name = match pattern {
        [TokenTree::Ident(name)] => name,
        [TokenTree::Ident(word), TokenTree::Ident(name)] if word == "mut" => name,
        [TokenTree::Ident(name), TokenTree::Punct(at), ..] if at.as_char() == '@' => name,
        _ => {
            let tokens: TokenStream = pattern.iter().cloned().collect();
            diagnostics.error(
                tokens,
                "only a name can have a type here",
                "write `name: Type` for what a node shall find, and patterns without types around it",
            );
            return;
        }
    };
    let ty: TokenStream = ty.iter().cloned().collect();
    if ty.is_empty() {
        diagnostics.error(
            name,
            format_args!("`{name}` has no type behind its `:`"),
            format_args!("write `{name}: Type`"),
        );
        // It has one now, for who asks next.
        bindings.push(Binding { name: name.clone(), ty: syn::parse_quote!(()) });
        return;
    }
    let Some(ty) = diagnostics.ok(syn::parse2::<Type>(ty)) else { return };
    // Each alternative of `A(x: T) | B(x: T)` binds it.
    if !bindings.iter().any(|binding| binding.name == *name) {
        bindings.push(Binding { name: name.clone(), ty });
    }
}

/// The names that a pattern binds.
fn bound(pattern: &Pat) -> Vec<Ident> {
    use syn::visit::Visit;
    struct Bound(Vec<Ident>);
    impl<'ast> Visit<'ast> for Bound {
        fn visit_pat_ident(&mut self, found: &'ast syn::PatIdent) {
            self.0.push(found.ident.clone());
            syn::visit::visit_pat_ident(self, found);
        }
    }
    let mut bound = Bound(Vec::new());
    bound.visit_pat(pattern);
    bound.0
}
