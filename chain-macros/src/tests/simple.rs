//! What is read in the simple way is what syn reads.

use proc_macro2::{TokenStream, TokenTree};
use proptest::prelude::*;
use quote::quote;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{ItemFn, Token, TypePath};

use super::tokens;
use crate::{extent, simple};

fn trees(text: &str) -> Vec<TokenTree> {
    tokens(text).into_iter().collect()
}

fn is_read(text: &str) -> bool {
    simple::function(&trees(text)).is_some()
}

fn without_a_body(tokens: &[TokenTree]) -> TokenStream {
    let (last, before) = tokens.split_last().expect("there is a body");
    assert!(matches!(last, TokenTree::Group(_)));
    let before = before.iter().cloned().collect::<TokenStream>();
    quote!(#before {})
}

#[test]
fn the_commonest_functions_are_read_without_syn() {
    for text in [
        "fn a() {}",
        "pub async fn auth(request: &Request) -> Result<User, Refused> { todo }",
        "/// Docs.\n#[allow(dead_code)] pub(crate) fn a(mut a: A, b: &mut store::Map<u8, &'a str>,) -> a::B<'r> { let b = 1; b }",
        "fn a(a: &[u8], b: (A, &B), c: (A,)) -> Result<(), A> {}",
        "fn r#type(r#match: r#Fn) -> A<B<C<D>>> {}",
    ] {
        assert!(is_read(text), "{text}");
    }
}

#[test]
fn anything_else_is_left_to_syn() {
    for text in [
        "fn a<T>() {}",
        "const fn a() {}",
        "unsafe fn a() {}",
        "extern \"C\" fn a() {}",
        "fn a() where A: B {}",
        "fn a(&self) {}",
        "fn a(self: A) {}",
        "fn a(_: A) {}",
        "fn a(A(a): A) {}",
        "fn a(a: dyn A) {}",
        "fn a(a: impl A) {}",
        "fn a(a: A + B) {}",
        "fn a(a: [u8; 4]) {}",
        "fn a(a: (A)) {}",
        "fn a(a: Fn(A)) {}",
        "fn a(a: A<{ 1 }>) {}",
        "fn a(a: A<B = C>) {}",
        "fn a(a: ::a::A) {}",
        "fn a(#[cfg(unix)] a: A) {}",
        "fn a(a: A b: B) {}",
        "fn a(a: A,, b: B) {}",
        "fn a() -> ! {}",
        "fn a() -> (A, dyn B) {}",
        "fn a();",
        "fn a() {} fn b() {}",
        "struct A;",
        "",
    ] {
        assert!(!is_read(text), "{text}");
    }
}

#[test]
fn a_row_of_names_is_read_without_syn() {
    assert!(simple::row(&trees("auth => nodes::log => a::b::c")).is_some());
    for text in [
        "",
        "a =>",
        "=> a",
        "a => => b",
        "a b",
        "a = > b",
        "a => b;",
        "self::a",
        "a => if",
        "a::<B>",
        "a { b }",
        "#[a] b",
    ] {
        assert!(simple::row(&trees(text)).is_none(), "{text}");
    }
}

/// Words and signs that may stand in a function or a row, with spaces or without.
fn any_tokens() -> impl Strategy<Value = String> {
    let words = [
        "pub", "async", "fn", "a", "b", "A", "mut", "dyn", "self", "_", "where", "=>", "::", ":", ",", "->", "-", "&",
        "&&", "'a", "<", ">", ">>", "=", "struct", ";", "#[a]", "r#fn", "1", "Fn(A)", "()", "[A]", "+", "!", "crate",
        "::a",
    ];
    let word = proptest::sample::select(words.to_vec()).prop_map(str::to_owned);
    let whole = [
        "&mut A",
        "a::A<B>",
        "&'a A<'a, B>",
        "(a: A)",
        "(a: &A, mut b: B<C>,)",
        "{ a => b }",
        "fn a",
        "-> A",
        "-> &A",
        "a: A",
        "(A, B)",
        "(A)",
        "(A,)",
        "&[A]",
        "[A; 1]",
        "[A, B]",
    ];
    let part = prop_oneof![2 => word, 3 => proptest::sample::select(whole.to_vec()).prop_map(str::to_owned)];
    (proptest::collection::vec(part, 0..9), prop_oneof![Just(" "), Just("")])
        .prop_map(|(parts, between)| parts.join(between))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn a_function_is_the_one_that_syn_reads(head in any_tokens(), inputs in any_tokens(), reply in any_tokens()) {
        for text in [format!("{head} {{ body }}"), format!("fn a({inputs}) {{}}"), format!("pub fn a(a: A) -> {reply} {{}}")] {
            let Ok(tokens) = text.parse::<TokenStream>() else { continue };
            let tokens: Vec<_> = tokens.into_iter().collect();
            let Some(function) = simple::function(&tokens) else { continue };
            let read = syn::parse2::<ItemFn>(without_a_body(&tokens)).expect("syn reads it, too");
            prop_assert_eq!(&function, &read, "{}", text);
            // Two signs are equal whatever their tokens are.
            prop_assert_eq!(quote!(#function).to_string(), quote!(#read).to_string());
        }
    }

    #[test]
    fn a_row_has_the_nodes_that_syn_reads(row in any_tokens()) {
        let Ok(tokens) = row.parse::<TokenStream>() else { return Ok(()) };
        let Some(nodes) = simple::row(&tokens.clone().into_iter().collect::<Vec<_>>()) else { return Ok(()) };
        let separated = |input: ParseStream<'_>| Punctuated::<TypePath, Token![=>]>::parse_separated_nonempty(input);
        let read: Vec<_> = separated.parse2(tokens).expect("syn reads it, too").into_iter().collect();
        prop_assert_eq!(nodes, read);
    }

    #[test]
    fn the_parts_of_a_chain_end_where_syn_sees_them_end(text in any_tokens()) {
        for text in [format!("struct {text}"), format!("async fn {text}"), format!("fn({text}) -> A {{ a }}")] {
            let Ok(tokens) = text.parse::<TokenStream>() else { continue };
            let tokens: Vec<_> = tokens.into_iter().collect();
            if let Some(end) = simple::of_struct(&tokens) {
                prop_assert_eq!(Some(end), extent::of_any_struct(&tokens), "{}", text);
            }
            if let Some((inputs, body)) = simple::of_fn(&tokens) {
                prop_assert_eq!(Some((inputs, Some(body))), extent::of_any_fn(&tokens), "{}", text);
            }
        }
    }
}
