//! A walk over a chain's tokens before they are parsed: over its items, and over the paths of its nodes.
//!
//! `#[cfg(..)]` and segments need rustc's help. A macro gets this help by expanding to itself once more, with less left
//! to do, so these parts are replaced among the tokens. Tokens that cannot be read stay as they are; the parser reports
//! them.

use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};

use crate::extent;

type Tokens = Vec<TokenTree>;

/// The mark of an item that is not compiled. A piece with nothing but this mark counts as no piece.
pub(crate) const GONE: &str = "chain_is_without_it";

/// Replaces parts of a chain.
pub(crate) trait Rewrite {
    /// An item of a row, or an arm, with its attributes. `Some` replaces it, and then the walk does not go into it.
    fn item(&mut self, item: &[TokenTree], is_arm: bool) -> Option<Tokens>;
    /// The path of a node, or of a segment.
    fn path(&mut self, path: &[TokenTree], is_segment: bool) -> Tokens {
        let _ = is_segment;
        path.to_vec()
    }
    /// The path of a node whose value is matched. After it, [`pattern`](Self::pattern) is asked about each arm.
    /// `labels` are the arms as a person would write them.
    fn scrutinee(&mut self, path: &[TokenTree], labels: Vec<String>) -> Tokens {
        let _ = labels;
        self.path(path, false)
    }
    /// The pattern of an arm, with its guard, and the arm's chain. For an `if let`, which has one arm, only the
    /// pattern.
    fn pattern(&mut self, head: &[TokenTree], body: Option<&[TokenTree]>) -> Tokens {
        let _ = body;
        head.to_vec()
    }
    /// There are no more arms.
    fn branch_ends(&mut self) {}
    /// The type after the arrow of a block.
    fn given(&mut self, ty: &[TokenTree]) -> Tokens {
        ty.to_vec()
    }
    /// The content of the parentheses of `#[open(..)]`, before the node at this path.
    fn open(&mut self, breaks: &[TokenTree], path: &[TokenTree]) -> Tokens {
        let _ = path;
        breaks.to_vec()
    }
    /// The content of the parentheses of `#[timeout(..)]`.
    fn limit(&mut self, expression: &[TokenTree]) -> Tokens {
        expression.to_vec()
    }
}

/// Walks a row: `a => b`.
pub(crate) fn row(tokens: &[TokenTree], rewrite: &mut impl Rewrite) -> Tokens {
    let mut out = Tokens::new();
    let mut rest = tokens;
    let items = extent::items(tokens);
    let mut known = items.iter().peekable();
    while !rest.is_empty() {
        let at = tokens.len() - rest.len();
        while known.next_if(|item| item.start < at).is_some() {}
        let known = known.next_if(|item| item.start == at).map(|item| item.len());
        let known = known.filter(|end| rest.len() == *end || arrow(&rest[*end..]) == Some(0));
        let end = known.or_else(|| arrow(rest)).unwrap_or(rest.len());
        let (item, behind) = rest.split_at(end);
        out.extend(one(item, rewrite));
        let arrow = &behind[..behind.len().min(2)];
        out.extend(arrow.iter().cloned());
        rest = &behind[arrow.len()..];
    }
    out
}

/// Where the next `=>` stands.
pub(crate) fn arrow(tokens: &[TokenTree]) -> Option<usize> {
    tokens.windows(2).position(|pair| {
        matches!(pair, [TokenTree::Punct(first), TokenTree::Punct(second)]
            if first.as_char() == '=' && first.spacing() == Spacing::Joint && second.as_char() == '>')
    })
}

/// How many of these tokens are attributes.
pub(crate) fn attributes(tokens: &[TokenTree]) -> usize {
    let mut at = 0;
    while let [TokenTree::Punct(pound), TokenTree::Group(group), ..] = &tokens[at..] {
        if pound.as_char() != '#' || group.delimiter() != Delimiter::Bracket {
            break;
        }
        at += 2;
    }
    at
}

fn one(item: &[TokenTree], rewrite: &mut impl Rewrite) -> Tokens {
    if let Some(replaced) = rewrite.item(item, false) {
        return replaced;
    }
    let (attributes, rest) = item.split_at(attributes(item));
    let path = extent::head(rest).map_or(0..0, |head| head.lead..head.lead + head.path);
    let mut out: Tokens = attributes.iter().map(|token| attribute(token, &rest[path.clone()], rewrite)).collect();
    out.extend(kind(rest, rewrite));
    out
}

/// `#[when(path)]` names a node. The other attributes stand before the node at this path.
fn attribute(token: &TokenTree, before: &[TokenTree], rewrite: &mut impl Rewrite) -> TokenTree {
    let TokenTree::Group(group) = token else { return token.clone() };
    let inner: Tokens = group.stream().into_iter().collect();
    let [TokenTree::Ident(name), TokenTree::Group(path)] = inner.as_slice() else { return token.clone() };
    let path_tokens: Tokens = path.stream().into_iter().collect();
    let rewritten = match name.to_string().as_str() {
        "when" => rewrite.path(&path_tokens, false),
        "timeout" => rewrite.limit(&path_tokens),
        "open" => rewrite.open(&path_tokens, before),
        _ => return token.clone(),
    };
    let path = TokenTree::Group(like(path, rewritten));
    TokenTree::Group(like(group, vec![inner[0].clone(), path]))
}

/// The part after the attributes.
fn kind(tokens: &[TokenTree], rewrite: &mut impl Rewrite) -> Tokens {
    let word = |at: usize, word: &str| matches!(tokens.get(at), Some(TokenTree::Ident(found)) if found == word);
    let known = extent::head(tokens);
    let (begin, end) = match known {
        Some(head) => (head.lead, head.lead + head.path),
        None => head_by_look(tokens),
    };
    let is_match = word(0, "match");
    let arms_of = tokens[end..].iter().find(|token| is_brace(token)).filter(|_| is_match);
    let mut out = tokens[..begin].to_vec();
    if let (true, Some(TokenTree::Group(group))) = (begin < end, arms_of) {
        out.extend(rewrite.scrutinee(&tokens[begin..end], labels(&self::tokens(group.stream()))));
    } else if begin < end && word(0, "if") && word(1, "let") && begin > 3 {
        let pattern = &tokens[2..begin - 1];
        let path = rewrite.scrutinee(&tokens[begin..end], vec![label(pattern), "_".to_owned()]);
        out.truncate(2);
        out.extend(rewrite.pattern(pattern, None));
        out.push(tokens[begin - 1].clone());
        out.extend(path);
        rewrite.branch_ends();
    } else if begin < end {
        out.extend(rewrite.path(&tokens[begin..end], is_segment(tokens)));
    }
    let mut rest = &tokens[end..];
    while let [token, behind @ ..] = rest {
        if is_word(token, "else") && matches!(behind.first(), Some(token) if is_word(token, "if")) {
            out.push(token.clone());
            out.extend(kind(behind, rewrite));
            return out;
        }
        if is_punct(token, '-') && matches!(behind.first(), Some(token) if is_punct(token, '>')) {
            out.extend_from_slice(&rest[..2]);
            out.extend(rewrite.given(&rest[2..]));
            return out;
        }
        out.push(match token {
            TokenTree::Group(group) if is_brace(token) => {
                let inner: Tokens = group.stream().into_iter().collect();
                let inner = if is_match { arms(&inner, rewrite) } else { row(&inner, rewrite) };
                TokenTree::Group(like(group, inner))
            }
            token => token.clone(),
        });
        rest = behind;
    }
    out
}

/// The arms of a `match`, as a person would write them.
fn labels(tokens: &[TokenTree]) -> Vec<String> {
    cut_arms(tokens).0.into_iter().map(|arm| label(&tokens[arm.head])).collect()
}

fn label(head: &[TokenTree]) -> String {
    crate::types::text(&head.iter().cloned().collect::<TokenStream>())
}

/// Where the path in an item's head begins and ends, if the item cannot be read.
fn head_by_look(tokens: &[TokenTree]) -> (usize, usize) {
    let word = |at: usize, word: &str| matches!(tokens.get(at), Some(TokenTree::Ident(found)) if found == word);
    let keyword = usize::from(word(0, "match") || word(0, "if"));
    let pattern = if word(0, "if") && word(1, "let") {
        let equals = tokens.iter().position(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == '='));
        equals.map_or(tokens.len(), |at| at + 1)
    } else {
        keyword
    };
    let begin = pattern.max(if is_segment(tokens) { 2 } else { 0 });
    let end = tokens[begin..].iter().position(|token| is_brace(token) || is_word(token, "else"));
    (begin, end.map_or(tokens.len(), |at| begin + at))
}

/// Cuts `Pattern if guard => chain, ..` into arms. What is left after the last arm has no arrow.
pub(crate) fn cut_arms(tokens: &[TokenTree]) -> (Vec<extent::Arm>, usize) {
    let (mut arms, mut at) = (Vec::new(), 0);
    let is_comma = |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(comma)) if comma.as_char() == ',');
    while at < tokens.len() {
        let known = extent::arms(&tokens[at..]);
        let known = known.into_iter().map(|extent::Arm { head, body }| extent::Arm {
            head: at + head.start..at + head.end,
            body: at + body.start..at + body.end,
        });
        let before = arms.len();
        arms.extend(known);
        if arms.len() == before {
            let Some(arrow) = arrow(&tokens[at..]) else { break };
            let body = at + arrow + 2;
            let end = body + arm_end(&tokens[body..]);
            arms.push(extent::Arm { head: at..at + arrow, body: body..end });
        }
        let end = arms.last().map_or(at, |arm| arm.body.end);
        at = end + usize::from(is_comma(end));
    }
    (arms, at)
}

fn arms(tokens: &[TokenTree], rewrite: &mut impl Rewrite) -> Tokens {
    let mut out = Tokens::new();
    let (arms, end) = cut_arms(tokens);
    let next = arms.iter().skip(1).map(|arm| arm.head.start).chain([end]);
    for (arm, next) in arms.iter().zip(next) {
        let extent::Arm { head, body } = arm;
        match rewrite.item(&tokens[head.start..body.end], true) {
            // An arm that is not compiled is left out, with its comma.
            Some(replaced) if replaced.is_empty() => {}
            Some(replaced) => {
                out.extend(replaced);
                out.extend_from_slice(&tokens[body.end..next]);
            }
            None => {
                out.extend(rewrite.pattern(&tokens[head.clone()], Some(&tokens[body.clone()])));
                out.extend_from_slice(&tokens[head.end..body.start]);
                out.extend(row(&tokens[body.clone()], rewrite));
                out.extend_from_slice(&tokens[body.end..next]);
            }
        }
    }
    out.extend_from_slice(&tokens[end..]);
    rewrite.branch_ends();
    out
}

/// Where an arm's chain ends: at a comma, or after braces if nothing follows that could belong to the chain, as in
/// Rust.
fn arm_end(tokens: &[TokenTree]) -> usize {
    let mut depth = 0usize;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Punct(punct) => match punct.as_char() {
                ',' if depth == 0 => return at,
                '<' => depth += 1,
                '>' => depth = depth.saturating_sub(1),
                _ => {}
            },
            token if is_brace(token) => {
                let goes_on = match &tokens[at + 1..] {
                    [] => true,
                    [TokenTree::Punct(comma), ..] if comma.as_char() == ',' => true,
                    [TokenTree::Ident(word), ..] => word == "else",
                    [TokenTree::Punct(minus), ..] if minus.as_char() == '-' => true,
                    behind => arrow(behind) == Some(0),
                };
                if !goes_on {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    tokens.len()
}

/// Whether it begins with `..`.
pub(crate) fn is_segment(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [TokenTree::Punct(first), TokenTree::Punct(second), ..]
        if first.as_char() == '.' && first.spacing() == Spacing::Joint && second.as_char() == '.')
}

/// Whether it declares a segment, by the word after attributes and visibility.
pub(crate) fn declares_a_segment(declaration: &[TokenTree]) -> bool {
    let mut rest = &declaration[attributes(declaration)..];
    if let [TokenTree::Ident(word), behind @ ..] = rest
        && word == "pub"
    {
        rest = behind;
        if let [TokenTree::Group(group), behind @ ..] = rest
            && group.delimiter() == Delimiter::Parenthesis
        {
            rest = behind;
        }
    }
    matches!(rest, [TokenTree::Ident(word), TokenTree::Ident(_), ..] if word == "segment")
}

fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(found) if found == word)
}

fn is_punct(token: &TokenTree, punct: char) -> bool {
    matches!(token, TokenTree::Punct(found) if found.as_char() == punct)
}

fn is_brace(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
}

/// A group with these tokens in it.
pub(crate) fn like(group: &Group, tokens: Tokens) -> Group {
    let mut like = Group::new(group.delimiter(), tokens.into_iter().collect());
    like.set_span(group.span());
    like
}

/// Walks the body of a declaration: behind the `fn` of the item form, or all of the short form.
pub(crate) fn body(declaration: &[TokenTree], rewrite: &mut impl Rewrite) -> Tokens {
    let is_segment = declares_a_segment(declaration);
    let is_item = declaration.iter().any(|token| is_word(token, "struct"));
    if !(is_item || is_segment) {
        return row(declaration, rewrite);
    }
    let body = match is_segment {
        true => declaration.iter().rposition(is_brace),
        false => body_of(declaration),
    };
    let mut out = declaration.to_vec();
    if let Some(TokenTree::Group(group)) = body.map(|at| &declaration[at]) {
        let inner: Tokens = group.stream().into_iter().collect();
        let inner = row(&inner, rewrite);
        out[body.expect("it was found")] = TokenTree::Group(like(group, inner));
    }
    out
}

/// Where the body of an item's chain stands.
fn body_of(declaration: &[TokenTree]) -> Option<usize> {
    let by_look = || {
        let function = declaration.iter().position(|token| is_word(token, "fn"))?;
        declaration[function..].iter().position(is_brace).map(|behind| function + behind)
    };
    fn_of(declaration).and_then(|(_, body)| body).or_else(by_look)
}

/// Where the inputs of an item's chain stand, and its body.
fn fn_of(declaration: &[TokenTree]) -> Option<(usize, Option<usize>)> {
    let begin = declaration.iter().position(|token| is_word(token, "struct"))?;
    let run = begin + extent::of_struct(&declaration[begin..])? + 1;
    let (inputs, body) = extent::of_fn(&declaration[run..])?;
    Some((run + inputs, body.map(|body| run + body)))
}

/// The first input with an attribute that `read` can read: what it read, the declaration without that attribute, and
/// the declaration without that input.
pub(crate) fn input<T>(declaration: &[TokenTree], read: fn(&TokenTree) -> Option<T>) -> Option<(T, Tokens, Tokens)> {
    let (at, _) = fn_of(declaration)?;
    let TokenTree::Group(group) = &declaration[at] else { return None };
    let inputs = tokens(group.stream());
    let parts = extent::inputs(&inputs);
    let (part, attribute) = parts.iter().find_map(|part| Some((part, attribute_at(&inputs[part.clone()], read)?)))?;
    let attribute = part.start + attribute;
    let found = read(&inputs[attribute])?;
    let put = |inner: Tokens| {
        let mut declaration = declaration.to_vec();
        declaration[at] = TokenTree::Group(like(group, inner));
        declaration
    };
    // The `#` before it and the comma after it belong to it.
    let with = put([&inputs[..attribute - 1], &inputs[attribute + 1..]].concat());
    let without = put([&inputs[..part.start], &inputs[inputs.len().min(part.end + 1)..]].concat());
    Some((found, with, without))
}

/// Where the first attribute of these tokens stands that `read` can read.
pub(crate) fn attribute_at<T>(item: &[TokenTree], read: fn(&TokenTree) -> Option<T>) -> Option<usize> {
    item[..attributes(item)].iter().position(|token| read(token).is_some())
}

/// The tokens of a stream.
pub(crate) fn tokens(stream: TokenStream) -> Tokens {
    stream.into_iter().collect()
}

/// Whether a row has nothing that is compiled.
pub(crate) fn is_nothing(row: TokenStream) -> bool {
    let mut rest: &[TokenTree] = &tokens(row);
    loop {
        match rest {
            [] => return true,
            [TokenTree::Punct(pound), TokenTree::Group(group), behind @ ..]
                if pound.as_char() == '#' && group.stream().to_string() == GONE =>
            {
                rest = &behind[behind.len().min(2)..];
            }
            _ => return false,
        }
    }
}
