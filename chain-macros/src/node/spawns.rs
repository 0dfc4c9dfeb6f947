//! Finds what a hook's own body spawns, by its tokens, for chains that deny it.
//!
//! Only the tokens are read, so the arguments of a macro call are seen, too. What a called function spawns is not seen,
//! nor is a function under another name.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::quote;

use crate::names;

/// The functions that begin a task or a thread for which nothing waits.
const FUNCTIONS: [&str; 3] = ["spawn", "spawn_local", "spawn_blocking"];

/// The crates and modules that have these functions.
const MODULES: [&str; 9] =
    ["actix_rt", "async_global_executor", "async_std", "rayon", "rt", "smol", "task", "thread", "tokio"];

/// The beginnings of paths into the user's own crate.
const OWN: [&str; 4] = ["crate", "self", "super", "Self"];

/// The first call in these tokens that spawns: the function's name, and the call as it is written.
pub(super) fn first(tokens: TokenStream) -> Option<(Ident, String)> {
    if !has_a_word(&tokens) {
        return None;
    }
    let mut own = Vec::new();
    declared(tokens.clone(), &mut own);
    first_but(tokens, &own)
}

/// Whether any of these functions is named, in whatever way. In most bodies none is. rustc writes the tokens as text in
/// less time than it takes to look at each of them.
fn has_a_word(tokens: &TokenStream) -> bool {
    tokens.to_string().contains(FUNCTIONS[0])
}

/// The same, except for functions that are called without a path and declared in the body itself.
fn first_but(tokens: TokenStream, own: &[String]) -> Option<(Ident, String)> {
    let tokens: Vec<_> = tokens.into_iter().collect();
    tokens.iter().enumerate().find_map(|(at, token)| match token {
        TokenTree::Group(group) => {
            imported(&tokens[at.saturating_sub(3)..at], group).or_else(|| first_but(group.stream(), own))
        }
        TokenTree::Ident(name) if is_function(name) => {
            let (path, behind) = (through(&tokens[..at])?, &tokens[at + 1..]);
            // With its path the function is also meant if it is passed to another function.
            let is_meant = if path.is_empty() {
                is_called(behind) && !own.contains(&names::unraw(name))
            } else {
                is_called(behind) || !goes_on(behind)
            };
            is_meant.then(|| (name.clone(), format!("{path}{}", names::unraw(name))))
        }
        _ => None,
    })
}

fn is_function(name: &Ident) -> bool {
    FUNCTIONS.contains(&names::unraw(name).as_str())
}

/// Whether this word declares the name after it.
fn declares(word: &Ident) -> bool {
    ["fn", "let", "mut"].iter().any(|declares| word == declares)
}

/// The functions and locals that these tokens declare under the name of a function that spawns.
fn declared(tokens: TokenStream, own: &mut Vec<String>) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        match (token, &tokens[..at]) {
            (TokenTree::Group(group), _) => declared(group.stream(), own),
            (TokenTree::Ident(name), [.., TokenTree::Ident(word)]) if is_function(name) && declares(word) => {
                own.push(names::unraw(name));
            }
            _ => {}
        }
    }
}

/// `use tokio::{spawn as go, time}`: the new name of what is imported.
fn imported(before: &[TokenTree], group: &Group) -> Option<(Ident, String)> {
    let [TokenTree::Ident(module), colon, other] = before else { return None };
    if !(is(colon, ':') && is(other, ':') && group.delimiter() == Delimiter::Brace && is_module(module)) {
        return None;
    }
    let tokens: Vec<_> = group.stream().into_iter().collect();
    tokens.iter().enumerate().find_map(|(at, token)| {
        let TokenTree::Ident(name) = token else { return None };
        let is_one = tokens[..at].last().is_none_or(|last| is(last, ',')) && !goes_on(&tokens[at + 1..]);
        (is_one && is_function(name)).then(|| (name.clone(), format!("{module}::{}", names::unraw(name))))
    })
}

fn is_module(name: &Ident) -> bool {
    MODULES.iter().any(|known| name == known)
}

/// Whether these tokens, after a name, call it: `(..)`, or `::<..>(..)`.
fn is_called(behind: &[TokenTree]) -> bool {
    match behind {
        [TokenTree::Group(group), ..] => group.delimiter() == Delimiter::Parenthesis,
        [colon, other, less, ..] => is(colon, ':') && is(other, ':') && is(less, '<'),
        _ => false,
    }
}

/// Whether the path goes on after the name, or the name is that of a macro: `::Thing`, `!(..)`.
fn goes_on(behind: &[TokenTree]) -> bool {
    match behind {
        [colon, other, ..] if is(colon, ':') && is(other, ':') => true,
        [bang, TokenTree::Group(_), ..] => is(bang, '!'),
        _ => false,
    }
}

/// The path before a name, if it is a path by which tasks and threads are begun.
fn through(before: &[TokenTree]) -> Option<String> {
    match before {
        // `Handle::current().spawn(..)`
        [.., TokenTree::Ident(current), TokenTree::Group(none), dot]
            if is(dot, '.') && current == "current" && none.stream().is_empty() =>
        {
            Some("Handle::current().".to_owned())
        }
        [.., dot] if is(dot, '.') => None,
        [path @ .., TokenTree::Ident(module), colon, other] if is(colon, ':') && is(other, ':') => {
            (is_module(module) && !is_own(path)).then(|| format!("{module}::"))
        }
        [.., colon, other] if is(colon, ':') && is(other, ':') => None,
        // The name is declared here.
        [.., TokenTree::Ident(word)] if declares(word) => None,
        // It is imported, most likely: a function of the user's own is called by its path.
        _ => Some(String::new()),
    }
}

/// Whether the path at the end of these tokens, `..::`, begins in the user's own crate.
fn is_own(path: &[TokenTree]) -> bool {
    match path {
        [before @ .., TokenTree::Ident(word), colon, other] if is(colon, ':') && is(other, ':') => {
            OWN.iter().any(|own| word == own) || is_own(before)
        }
        _ => false,
    }
}

fn is(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

/// The constant of `Signature` that a chain evaluates if it denies this: a panic at the user's `spawn`.
pub(super) fn constant(rt: &TokenStream, node: &str, (name, call): &(Ident, String)) -> TokenStream {
    let blocks = name == "spawn_blocking" || call.starts_with("thread::");
    let instead = if blocks { "spawn_blocking" } else { "spawn" };
    let check = names::as_if_at(quote!(#rt::check::spawns(#node, #call, #instead)), name.span());
    quote!(const SPAWNS: () = #check;)
}

#[cfg(test)]
mod tests {
    use super::first;

    fn found(body: &str) -> Option<String> {
        first(body.parse().expect("tokens")).map(|(_, call)| call)
    }

    #[test]
    fn a_call_that_spawns_is_found_wherever_it_stands() {
        for (body, call) in [
            ("{ tokio::spawn(work) }", "tokio::spawn"),
            ("{ let task = tokio::task::spawn(async {}); }", "task::spawn"),
            ("{ ::tokio::task::spawn_local(work); }", "task::spawn_local"),
            ("{ spawn_blocking(|| ()) }", "spawn_blocking"),
            ("{ tokio::spawn::<F>(work) }", "tokio::spawn"),
            ("{ (|| async move { std::thread::spawn(f) })() }", "thread::spawn"),
            ("{ select! { a = tokio::spawn(work) => {} } }", "tokio::spawn"),
            ("{ actix_web::rt::spawn(work) }", "rt::spawn"),
            ("{ Handle::current().spawn(work) }", "Handle::current().spawn"),
            ("{ works.map(tokio::spawn) }", "tokio::spawn"),
            ("{ let go = tokio::spawn; }", "tokio::spawn"),
            ("{ let spawn = tokio::spawn; spawn(work) }", "tokio::spawn"),
            ("{ use tokio::spawn as go; }", "tokio::spawn"),
            ("{ use tokio::{time, spawn as go}; }", "tokio::spawn"),
            ("{ use tokio::{task::{self, spawn_blocking}}; }", "task::spawn_blocking"),
            ("{ tokio::r#spawn(work) }", "tokio::spawn"),
        ] {
            assert_eq!(found(body).as_deref(), Some(call), "{body}");
        }
    }

    #[test]
    fn what_is_waited_for_or_is_ones_own_is_not() {
        for body in [
            "{ work.spawn(\"name\", async {}) }",
            "{ set.spawn(work) }",
            "{ Command::new(\"ls\").spawn() }",
            "{ self::spawn(work); crate::pool::spawn(work) }",
            "{ let spawn = 7; f(spawn); }",
            "{ fn spawn(work: u8) {} spawn(7); }",
            "{ let spawn = |work| work; spawn(7); }",
            "{ crate::task::spawn(work); super::rt::spawn(work); self::thread::spawn(work) }",
            "{ rt::spawn::Later::new(); task::spawn!(work); use rt::{spawn::Later}; }",
            "{ fn spawn() {} }",
            "{ thread::scope(|s| { s.spawn(f); }) }",
            "{ \"tokio::spawn(work)\" }",
        ] {
            assert_eq!(found(body), None, "{body}");
        }
    }
}
