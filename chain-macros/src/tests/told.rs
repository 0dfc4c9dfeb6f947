//! What a chain becomes once its nodes have told their signatures.

use proc_macro2::TokenStream;

use super::{answered, flat, tokens};
use crate::compile;

/// Hooks with all that text finds, among functions.
const CHAIN: &str = "(::chain_runtime)
    struct Gateway { log: Log, quota: Quota }
    async fn(request: Request) -> Reply { log => auth => quota => answer }";

/// What the nodes tell: the functions first, then the types of the fields.
const TOLD: [&str; 4] = [
    r#"now Fails "auth" "User" "Refused" lent "Request""#,
    r#"later Gives "answer" "Reply" "" lent "Request" lent "User""#,
    r#"now Gives "Log" "Started" "" lent "Request" (enters 1u64 now scope lent_mut "Started" reply lent "Reply")"#,
    r#"later Fails "Quota" "" "Refused" lent "User" (enters 2u64 later scope lent "User" reply lent_mut "Reply")"#,
];

/// The body of the chain whose nodes tell this.
fn told(told: &[&str]) -> TokenStream {
    let answers = told.iter().map(|told| tokens(&format!("[{told}]")));
    let answered = answered(compile::chain(tokens(CHAIN)), &answers.collect::<Vec<_>>());
    compile::planned(answered.expect("the chain asks"))
}

/// The expansion in which the hooks are called by what they tell.
pub(super) fn by_text() -> TokenStream {
    told(&TOLD)
}

fn has(body: TokenStream, word: &str) -> bool {
    flat(body).iter().any(|token| token.to_string() == word)
}

#[test]
fn hooks_that_tell_all_are_called_without_a_scope() {
    for hook in ["EntersNow", "ExitsNow", "EntersLater", "ExitsLater"] {
        assert!(has(by_text(), hook), "{hook}");
    }
    for of_a_scope in ["Provides", "Lends", "enter_now", "exit_now"] {
        assert!(!has(by_text(), of_a_scope), "{of_a_scope}");
    }
}

#[test]
fn one_node_that_tells_nothing_has_all_hooks_found_by_their_traits() {
    for silent in 0..TOLD.len() {
        let mut some = TOLD;
        some[silent] = "";
        assert!(has(told(&some), "Provides") && has(told(&some), "enter_now"), "{silent}");
        // What they tell is at most looked at, to find what they need.
        let body = flat(told(&some));
        let count = |word: &str| body.iter().filter(|token| token.to_string() == word).count();
        assert_eq!(
            count("EntersNow") + count("EntersLater") + count("ExitsNow") + count("ExitsLater"),
            count("arguments"),
            "{silent}"
        );
    }
}
