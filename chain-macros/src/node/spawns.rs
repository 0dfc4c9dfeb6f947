//! What a hook's body spawns by itself: found in its tokens, for chains that deny it.
//!
//! Tokens are all that there is: also what stands in a macro's call is seen. What a called function spawns is not, nor a function under another name.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::quote;

use crate::names;

/// What begins a task or a thread that nobody waits for.
const FUNCTIONS: [&str; 3] = ["spawn", "spawn_local", "spawn_blocking"];

/// The crates and modules whose functions these are.
const MODULES: [&str; 9] =
    ["actix_rt", "async_global_executor", "async_std", "rayon", "rt", "smol", "task", "thread", "tokio"];

/// The first call in these tokens that spawns: the function's name, and how it is written.
pub(super) fn first(tokens: TokenStream) -> Option<(Ident, String)> {
    let tokens: Vec<_> = tokens.into_iter().collect();
    tokens.iter().enumerate().find_map(|(at, token)| match token {
        TokenTree::Group(group) => first(group.stream()),
        TokenTree::Ident(name) if FUNCTIONS.iter().any(|function| name == function) && is_called(&tokens[at + 1..]) => {
            through(&tokens[..at]).map(|path| (name.clone(), format!("{path}{name}")))
        }
        _ => None,
    })
}

/// Whether these tokens, behind a name, call it: `(..)`, or `::<..>(..)`.
fn is_called(behind: &[TokenTree]) -> bool {
    match behind {
        [TokenTree::Group(group), ..] => group.delimiter() == proc_macro2::Delimiter::Parenthesis,
        [colon, other, less, ..] => is(colon, ':') && is(other, ':') && is(less, '<'),
        _ => false,
    }
}

/// By which path the name behind these tokens is called, if that is one by which tasks and threads are begun.
fn through(before: &[TokenTree]) -> Option<String> {
    match before {
        // `Handle::current().spawn(..)`
        [.., TokenTree::Ident(current), TokenTree::Group(none), dot]
            if is(dot, '.') && current == "current" && none.stream().is_empty() =>
        {
            Some("Handle::current().".to_owned())
        }
        [.., dot] if is(dot, '.') => None,
        [.., TokenTree::Ident(module), colon, other] if is(colon, ':') && is(other, ':') => {
            MODULES.iter().any(|known| module == known).then(|| format!("{module}::"))
        }
        [.., colon, other] if is(colon, ':') && is(other, ':') => None,
        // It is declared here.
        [.., TokenTree::Ident(word)] if word == "fn" => None,
        // Imported, most likely: what is one's own is called by its path.
        _ => Some(String::new()),
    }
}

fn is(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

/// The constant of `Signature` that a chain which denies it evaluates: a panic at the user's `spawn`.
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
            "{ fn spawn() {} }",
            "{ thread::scope(|s| { s.spawn(f); }) }",
            "{ \"tokio::spawn(work)\" }",
        ] {
            assert_eq!(found(body), None, "{body}");
        }
    }
}
