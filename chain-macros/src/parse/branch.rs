//! `match node { Pattern => chain, .. }` and `if node { .. } else { .. }`.
//!
//! A binding that nodes are to find is written with its type, like a parameter: `Route::Api(api: Api)`. No macro can
//! know the type of a binding, and an arm's scope has to name it.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Ident, Pat, Token};

use super::expression;
use super::pattern::{self, Typed};
use super::pieces::{block, items, node_ends, node_path};
use crate::ast::{Arm, Binding, Block, Branch, Item, ItemKind, NodeUse};
use crate::diagnostics::{Code, Diagnostics};
use crate::extent;
use crate::names;
use crate::rewrite::cut_arms;
use crate::types;

/// `match route { Route::Api(api: Api) => auth => serve, Route::Static => files }`
pub(super) fn of_match(input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> syn::Result<Branch> {
    let keyword: Token![match] = input.parse()?;
    let (node, through) = scrutinee(input, "match")?;
    let Ok(group) = input.parse::<Group>() else {
        return Err(
            Code::E401.here(input, "expected the arms of `match`\n  help: write `match node { Pattern => chain, .. }`")
        );
    };
    super::pieces::ends_here(input, "the arms", "match .. { .. }")?;
    let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
    if tokens.is_empty() {
        diagnostics.error_at(
            Code::E401,
            group.span_open(),
            "this `match` has no arms",
            "write `Pattern => chain` for each thing that the node may give",
        );
    }
    let mut arms = arms(&tokens, diagnostics);
    let (through, labels) = unzipped(through);
    for (arm, label) in arms.iter_mut().zip(labels) {
        arm.label = label;
    }
    Ok(Branch { span: keyword.span, node, through, arms, is_bool: false, lacks_else: false })
}

/// `if canary { .. } else { .. }`, `if let Some(user: User) = session { .. }`
pub(super) fn of_if(input: ParseStream<'_>, diagnostics: &mut Diagnostics) -> syn::Result<Branch> {
    let keyword: Token![if] = input.parse()?;
    let pattern = if input.peek(Token![let]) {
        input.parse::<Token![let]>()?;
        let rest: Vec<TokenTree> = input.fork().parse::<TokenStream>()?.into_iter().collect();
        let mut pattern = Vec::new();
        for _ in 0..extent::pattern(&rest).unwrap_or_default() {
            pattern.push(input.parse::<TokenTree>()?);
        }
        while !input.is_empty() && !input.peek(Token![=]) {
            pattern.push(input.parse::<TokenTree>()?);
        }
        if input.is_empty() {
            let what = "expected `=` and a node behind the pattern\n  help: write `if let Pattern = node { .. }`";
            return Err(Code::E401.at(keyword.span, what));
        }
        input.parse::<Token![=]>()?;
        Some(pattern)
    } else {
        None
    };
    let (node, through) = scrutinee(input, "if")?;
    let (through, labels) = unzipped(through);
    if expression::asks_more(input) {
        return Err(Code::E402.here(
            input,
            "a branch asks one node, not an expression\n  help: write a `#[node]` function that gives the `bool`",
        ));
    }
    let Ok(group) = input.parse::<Group>() else {
        return Err(Code::E401.here(input, "expected a chain in braces\n  help: write `if node { a => b } else { c }`"));
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
                return Err(
                    Code::E401.here(input, "expected a chain in braces after `else`\n  help: write `else { c => d }`")
                );
            };
            (block(&group, diagnostics), false)
        }
    } else {
        (Block { items: Vec::new(), span: group.span_close(), is_empty: true }, true)
    };
    super::pieces::ends_here(input, "the branch", "if .. { .. }")?;
    let span = keyword.span;
    let arm = |pattern, label: &str, bindings, body| Arm { pattern, label: label.to_owned(), bindings, body };
    let (arms, is_bool) = match pattern {
        None => {
            let (yes, no) = (quote_spanned!(span=> true), quote_spanned!(span=> false));
            (vec![arm(yes, "true", Vec::new(), then), arm(no, "false", Vec::new(), otherwise)], true)
        }
        Some(tokens) => {
            let label = types::text(&tokens.iter().cloned().collect::<TokenStream>());
            let label = labels.into_iter().next().unwrap_or(label);
            let (pattern, bindings) = pattern_of(&tokens, None, diagnostics);
            let rest = quote_spanned!(span=> _);
            (vec![arm(pattern, &label, bindings, then), arm(rest, "_", Vec::new(), otherwise)], false)
        }
    };
    Ok(Branch { span, node, through, arms, is_bool, lacks_else })
}

/// The node after `match` or `if`.
fn scrutinee(input: ParseStream<'_>, keyword: &str) -> syn::Result<(NodeUse, Option<Through>)> {
    if input.peek(Token![!]) {
        return Err(Code::E402.here(
            input,
            "a branch asks one node, not an expression\n  help: swap the two blocks, or write a `#[node]` function that gives the opposite",
        ));
    }
    let takes_none = || {
        let help = format!("put it before `{keyword}`: it is about all of the branch");
        Code::E403.here(input, format!("the node that `{keyword}` asks takes no attribute\n  help: {help}"))
    };
    if input.peek(Token![#]) {
        return Err(takes_none());
    }
    if input.is_empty() || input.peek(syn::token::Brace) {
        return Err(Code::E401
            .here(input, format!("expected a node after `{keyword}`\n  help: write `{keyword} node {{ .. }}`")));
    }
    if input.peek(syn::token::Paren) {
        return Err(two_nodes(input));
    }
    let node = node_path(input)?;
    // What a segment adds about its own branches.
    let is_of_a_segment = {
        let ahead = input.fork();
        ahead.parse::<Token![as]>().is_ok() && ahead.parse::<syn::Path>().is_ok() && ahead.peek(syn::token::Bracket)
    };
    if is_of_a_segment {
        input.parse::<Token![as]>()?;
        let of = input.parse()?;
        let labels;
        syn::bracketed!(labels in input);
        let labels = labels.parse_terminated(|label| label.parse::<syn::LitStr>(), Token![,])?;
        return Ok((node, Some((of, labels.iter().map(syn::LitStr::value).collect()))));
    }
    if input.peek(Token![#]) {
        return Err(takes_none());
    }
    if keyword == "match" && expression::asks_more(input) || input.peek(Token![,]) {
        return Err(two_nodes(input));
    }
    if !(input.peek(syn::token::Brace) || input.is_empty() || expression::asks_more(input)) {
        node_ends(input, &node)?;
    }
    Ok((node, None))
}

fn two_nodes(input: ParseStream<'_>) -> syn::Error {
    Code::E402.here(
        input,
        "a branch asks one node\n  help: put a branch into the arms of another, or write a `#[node]` function that gives both",
    )
}

/// The function of a segment that says which arm a value belongs to, and the arms as the segment writes them.
type Through = (syn::Path, Vec<String>);

fn unzipped(through: Option<Through>) -> (Option<syn::Path>, Vec<String>) {
    through.map_or_else(Default::default, |(of, labels)| (Some(of), labels))
}

fn arms(tokens: &[TokenTree], diagnostics: &mut Diagnostics) -> Vec<Arm> {
    let (arms, end) = cut_arms(tokens);
    let arms = arms.into_iter().filter_map(|extent::Arm { head, body }| {
        let at = tokens[if head.is_empty() { 0 } else { head.start }].span();
        arm(&tokens[head], at, &tokens[body], diagnostics)
    });
    let arms = arms.collect();
    if end < tokens.len() {
        let what: TokenStream = tokens[end..].iter().cloned().collect();
        diagnostics.error(
            Code::E401,
            what,
            "this arm has no chain",
            "write `Pattern => chain`, or `Pattern => {}` where nothing is to be done",
        );
    }
    arms
}

fn arm(head: &[TokenTree], at: Span, body: &[TokenTree], diagnostics: &mut Diagnostics) -> Option<Arm> {
    if let Some(pound) = head.first().filter(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == '#'))
    {
        diagnostics.error(Code::E403, pound, "an arm takes no attribute", "put it before a node of the arm's chain");
        return None;
    }
    if head.is_empty() {
        diagnostics.error_at(
            Code::E401,
            at,
            "this arm has no pattern",
            "write `Pattern => chain`, or `_ => chain` for all the rest",
        );
        return None;
    }
    let by_look = || head.iter().position(|token| matches!(token, TokenTree::Ident(word) if word == "if"));
    let guard = extent::pattern(head).filter(|end| *end < head.len()).or_else(by_look);
    let (pattern, guard) = match guard {
        None => (head, None),
        Some(at) => {
            let guard: TokenStream = head[at + 1..].iter().cloned().collect();
            let guard = types::kept_together(diagnostics.ok(syn::parse2::<Expr>(guard))?);
            (&head[..at], Some((head[at].clone(), guard)))
        }
    };
    let label = types::text(&head.iter().cloned().collect::<TokenStream>());
    let (pattern, bindings) = pattern_of(pattern, guard.as_ref().map(|(_, guard)| guard), diagnostics);
    let pattern = match guard {
        None => pattern,
        Some((keyword, guard)) => quote!(#pattern #keyword #guard),
    };
    let body = match expression::next_arm(body) {
        None => body,
        Some((end, next)) => {
            let next: TokenStream = body[next].iter().cloned().collect();
            let help = format!("write `,` before `{} =>`", types::text(&next));
            diagnostics.error(Code::E401, next, "two arms are parted by `,`", help);
            &body[..end]
        }
    };
    let body = match body {
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::Brace => block(group, diagnostics),
        [] => {
            diagnostics.error_at(
                Code::E401,
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

/// The pattern for rustc, and the bindings that have types.
fn pattern_of(
    tokens: &[TokenTree],
    guard: Option<&Expr>,
    diagnostics: &mut Diagnostics,
) -> (TokenStream, Vec<Binding>) {
    let mut typed = Typed::default();
    let read = |input: ParseStream<'_>| pattern::read(input, &mut typed);
    let Some(pattern) = diagnostics.ok(read.parse2(tokens.iter().cloned().collect())) else {
        return (quote!(_), Vec::new());
    };
    let Typed { bindings, errors } = typed;
    errors.into_iter().for_each(|error| diagnostics.push(error));
    let Some(parsed) = diagnostics.ok(Pat::parse_multi_with_leading_vert.parse2(pattern.clone())) else {
        return (quote!(_), Vec::new());
    };
    let guard = guard.map(|guard| guard.to_token_stream().to_string()).unwrap_or_default();
    let in_guard = |name: &Ident| {
        guard.split(|letter: char| !(letter.is_alphanumeric() || letter == '_')).any(|word| name == word)
    };
    for name in pattern::bound(&parsed) {
        let typed = bindings.iter().any(|binding: &Binding| binding.name == name);
        let text = names::unraw(&name);
        // A single name with a capital letter is a constant, or an imported variant.
        let is_constant = text.starts_with(char::is_uppercase);
        if !(typed || is_constant || text.starts_with('_') || in_guard(&name)) {
            // In a struct's pattern, the name before the first `:` is the field.
            let member = pattern::member_of(&parsed, &name).map(|member| format!("{member}: ")).unwrap_or_default();
            diagnostics.error(
                Code::E404,
                &name,
                format_args!("nodes find `{text}` by its type, which is not written here"),
                format_args!("write `{member}{text}: Type`, or `{member}_` where no node needs it"),
            );
        }
    }
    (pattern, bindings)
}
