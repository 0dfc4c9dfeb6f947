//! A chain accepts every type, path, pattern, expression and generics that syn accepts, wherever it has one.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use proptest::prelude::*;
use syn::parse::Parser;

use crate::{compile, node};

/// A type.
fn ty() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("User"),
        Just("crate::a::User"),
        Just("r#type"),
        Just("()"),
        Just("str"),
        Just("&'static str"),
        Just("[u8; { 1 << 2 }]"),
        Just("Array<{ A > B }>"),
        Just("Array<-1>"),
        Just("fn()"),
        Just("dyn Visit<'static> + 'static"),
        Just("Box<dyn Fn() -> u8 + Send>"),
    ];
    leaf.prop_map(str::to_owned).prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}, {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("fn({a}, u8) -> {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("for<'a> fn(&'a {a}) -> {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("Map<{a}, {b}>")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("Box<dyn Fn({a}) -> {b}>")),
            (inner.clone(), inner.clone())
                .prop_map(|(a, b)| format!("Box<dyn for<'a> Fn(&'a {a}) -> {b} + Send + 'static>")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("<{a} as Has<{b}>>::Out")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("Rows<'static, {a}, Item = {b}>")),
            inner.clone().prop_map(|a| format!("({a},)")),
            inner.clone().prop_map(|a| format!("({a})")),
            inner.clone().prop_map(|a| format!("&'static mut {a}")),
            inner.clone().prop_map(|a| format!("&'static ({a})")),
            inner.clone().prop_map(|a| format!("*const {a}")),
            inner.clone().prop_map(|a| format!("[{a}]")),
            inner.clone().prop_map(|a| format!("Array<{a}, {{ N + 1 }}, 3>")),
            inner.prop_map(|a| format!("Option::<{a}>")),
        ]
    })
}

/// A path to a node.
fn path() -> impl Strategy<Value = String> {
    let plain = prop_oneof![
        Just("first"),
        Just("a::first"),
        Just("::a::first"),
        Just("crate::first"),
        Just("self::first"),
        Just("super::super::first"),
        Just("r#match"),
        Just("First"),
    ];
    let arguments = prop_oneof![
        ty(),
        (ty(), ty()).prop_map(|(a, b)| format!("{a}, {b}")),
        expression().prop_map(|e| format!("{{ {e} }}, 3, -1")),
        ty().prop_map(|a| format!("'static, {a}, Item = {a}")),
    ];
    prop_oneof![
        plain.clone().prop_map(str::to_owned),
        (plain, arguments).prop_map(|(path, arguments)| format!("{path}::<{arguments}>")),
        ty().prop_map(|a| format!("<{a} as Has>::Node")),
        ty().prop_map(|a| format!("Wrapper<{a}>")),
    ]
}

/// An expression.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("a"),
        Just("1"),
        Just("\"text\""),
        Just("'c'"),
        Just("-1"),
        Just("A::<u8>::B"),
        Just("a as usize"),
        Just("a::<Box<dyn Fn(u8) -> u8>>()"),
        Just("vec![1, 2; 3]"),
        Just("Limit { a: 1, ..Limit::new() }"),
        Just("async move { a => }"),
    ];
    leaf.prop_map(str::to_owned).prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) < ({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} >> {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} | {b} || {a} && {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})..=({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("if {a} {{ {b} }} else {{ {a} }}")),
            (inner.clone(), inner.clone())
                .prop_map(|(a, b)| format!("match {a} {{ A | B if {b} => {a}, _ => {{ {b} }} }}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("call({a}, {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("Limit {{ a: {a}, ..{b} }}")),
            inner.clone().prop_map(|a| format!("|x, (y, _)| {a}")),
            inner.clone().prop_map(|a| format!("move |x: Map<u8, u8>| -> fn() -> u8 {{ {a} }}")),
            inner.clone().prop_map(|a| format!("({a})?.b::<Map<u8, u8>>(|| 1)")),
            inner.clone().prop_map(|a| format!("&mut *{a}")),
            inner.clone().prop_map(|a| format!("[{a}; 3][0]")),
            inner.prop_map(|a| format!("{{ let x: Map<u8, u8> = {a}; x }}")),
        ]
    })
}

/// A pattern as written in an arm, and the same without the types of its bindings.
fn pattern() -> impl Strategy<Value = (String, String)> {
    let leaf = prop_oneof![
        Just("_"),
        Just("_x"),
        Just("ref _x"),
        Just("mut _x"),
        Just("ADMIN"),
        Just("Route::Static"),
        Just("::a::<u8>::B"),
        Just("<u8 as Has<Map<u8, u8>>>::C"),
        Just("1..=5"),
        Just("-1..=A::B"),
        Just("'a'..='z'"),
        Just("..=5"),
        Just("-1"),
        Just("\"text\""),
        Just("b\"text\""),
        Just("const { 1 + 2 }"),
        Just("this_or!(A | B)"),
        Just("Route::File { .. }"),
        Just("Route::File { _name, ref _b, mut _c, 0: _ }"),
    ];
    let leaf = leaf.prop_map(|text| (text.to_owned(), text.to_owned()));
    let ty = || ty().prop_filter("a type", |ty| is::<syn::Type>(ty));
    let typed = (0..1000u32, ty()).prop_map(|(n, ty)| (format!("n{n}: {ty}"), format!("n{n}")));
    let typed_mut = (0..1000u32, ty()).prop_map(|(n, ty)| (format!("mut m{n}: {ty}"), format!("mut m{n}")));
    prop_oneof![leaf, typed, typed_mut].prop_recursive(4, 16, 3, |inner| {
        let two = || (inner.clone(), inner.clone());
        prop_oneof![
            two().prop_map(|(a, b)| both(|[a, b]| format!("({a}, {b})"), [&a, &b])),
            two().prop_map(|(a, b)| both(|[a, b]| format!("Route::Api({a}, {b}, ..)"), [&a, &b])),
            two().prop_map(|(a, b)| both(|[a, b]| format!("Route::<Map<u8, u8>>::Api({a} | {b})"), [&a, &b])),
            two().prop_map(|(a, b)| both(|[a, b]| format!("[{a}, .., {b}]"), [&a, &b])),
            two().prop_map(|(a, b)| both(
                |[a, b]| format!("Route::File {{ a: {a}, 0: {b}, #[cfg(all())] _c, .. }}"),
                [&a, &b]
            )),
            two().prop_map(|(a, b)| both(|[a, b]| format!("| {a} | {b}"), [&a, &b])),
            inner.clone().prop_map(|a| both(|[a]| format!("&({a})"), [&a])),
            inner.clone().prop_map(|a| both(|[a]| format!("&&mut ({a})"), [&a])),
            inner.prop_map(|a| both(|[a]| format!("_x @ Some({a})"), [&a])),
        ]
    })
}

fn both<const N: usize>(make: fn([&str; N]) -> String, parts: [&(String, String); N]) -> (String, String) {
    (make(parts.map(|part| part.0.as_str())), make(parts.map(|part| part.1.as_str())))
}

/// The type under which a node may be lent it: a reference to a reference is lent for no longer than the run.
fn lent(ty: &str) -> String {
    fn outer(ty: &mut syn::Type) {
        match ty {
            syn::Type::Paren(paren) => outer(&mut paren.elem),
            syn::Type::Reference(reference) if reference.mutability.is_none() => {
                reference.lifetime = None;
                outer(&mut reference.elem);
            }
            _ => {}
        }
    }
    let mut ty: syn::Type = syn::parse_str(ty).expect("a type");
    outer(&mut ty);
    quote::quote!(#ty).to_string()
}

/// Generics with their defaults, and a where-clause.
fn generics() -> impl Strategy<Value = (String, String)> {
    let bounds = prop_oneof![
        Just("Clone".to_owned()),
        ty().prop_map(|a| format!("Fn({a}) -> {a} + Send")),
        ty().prop_map(|a| format!("for<'x> Fn(&'x {a}) -> &'x u8")),
        ty().prop_map(|a| format!("Into<({a}, u8)> + 'static")),
        ty().prop_map(|a| format!("Has<Item = {a}> + ?Sized")),
    ];
    let clause = prop_oneof![
        Just(String::new()),
        (ty(), bounds.clone()).prop_map(|(a, b)| format!("where {a}: {b}, for<'x> &'x T: {b}")),
        bounds.clone().prop_map(|b| format!("where 'b: 'a, T: {b}, [(); {{ N + 1 }}]: Sized")),
    ];
    let generics = (bounds, ty(), expression()).prop_map(|(bounds, default, value)| {
        format!("<'a, 'b: 'a, T: {bounds} = {default}, U = fn() -> {default}, const N: usize = {{ {value} }}, const M: bool = true>")
    });
    (generics, clause)
}

/// A value that is moved has a size.
fn sized(ty: &str) -> String {
    let has_no_size = crate::types::has_no_size(&syn::parse_str(ty).expect("a type"));
    if has_no_size { format!("Box<{ty}>") } else { ty.to_owned() }
}

/// Whether syn accepts it.
fn is<T: syn::parse::Parse>(text: &str) -> bool {
    syn::parse_str::<T>(text).is_ok()
}

fn is_pattern(text: &str) -> bool {
    text.parse::<TokenStream>().is_ok_and(|tokens| syn::Pat::parse_multi_with_leading_vert.parse2(tokens).is_ok())
}

/// Compiles it, and asserts that it is accepted and becomes Rust.
fn accepted(declaration: &str) -> Result<(), TestCaseError> {
    let tokens: TokenStream = format!("(::chain_runtime) {declaration}").parse().expect("the text is tokens");
    let expansion = compile::chain(tokens);
    becomes_rust(&expansion, declaration)?;
    if let Some(asked) = super::asked(expansion.clone()) {
        becomes_rust(&compile::planned(asked), declaration)?;
    }
    // The first expansion is a chain again.
    for again in chains_in(expansion) {
        becomes_rust(&compile::chain(again), declaration)?;
    }
    Ok(())
}

fn becomes_rust(expansion: &TokenStream, declaration: &str) -> Result<(), TestCaseError> {
    let text = expansion.to_string();
    prop_assert!(!text.contains("compile_error"), "{declaration}\n{text}");
    let is_rust = syn::parse2::<syn::File>(expansion.clone()).map(drop);
    let is_rust = is_rust.or_else(|_| syn::parse2::<syn::Expr>(expansion.clone()).map(drop));
    prop_assert!(is_rust.is_ok(), "{declaration}\n{text}\n{is_rust:?}");
    Ok(())
}

/// The content of the braces of each `chain! { .. }`, with the runtime in front.
fn chains_in(tokens: TokenStream) -> Vec<TokenStream> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut chains = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else { continue };
        let is_chain = at >= 2
            && matches!(&tokens[at - 2], TokenTree::Ident(name) if name == "chain")
            && group.delimiter() == Delimiter::Brace;
        if is_chain {
            let inner = group.stream();
            chains.push(quote::quote!((::chain_runtime) #inner));
        } else {
            chains.extend(chains_in(group.stream()));
        }
    }
    chains
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_type_is_a_field_an_input_a_reply_and_an_argument(ty in ty()) {
        prop_assume!(is::<syn::Type>(&ty));
        accepted(&format!("struct G {{ pub a: {ty}, b: Vec<u8> }} async fn(x: X) -> Reply {{ b }}"))?;
        let sized = sized(&ty);
        accepted(&format!("struct G; async fn<'r>(x: {sized}, y: &'r mut Y) -> Reply {{ a }}"))?;
        accepted(&format!("struct G; fn(x: X) -> {sized} {{ a }}"))?;
        accepted(&format!("struct G; fn(x: X) -> Reply {{ a::<{ty}> => {{ b::<{ty}> }} => c }}"))?;
        accepted(&format!("struct G; fn(x: X) -> Reply {{ match a::<{ty}> {{ A(b: {ty}) => b, _ => c::<{ty}> }} }}"))?;
        accepted(&format!("struct G; async fn(x: X) -> Reply {{ if a::<{ty}> {{ b }} else {{ c::<{ty}> {{ d }} }} }}"))?;
        accepted(&format!("struct G; fn(x: X) -> Reply {{ {{ a }} -> Vec<{ty}> => match b {{ A => {{ c }} -> ({ty},) => d, _ => e }} }}"))?;
        accepted(&format!("a: {ty} = b => c"))?;
        // If a reference to it can be written without parentheses.
        if is::<syn::Type>(&format!("&'r {ty}")) {
            accepted(&format!("struct G; fn<'r>(x: &'r {ty}) -> Reply {{ a }}"))?;
            accepted(&format!("struct G; fn<'r>(x: &'r mut {ty}) -> Reply {{ a }}"))?;
        }
        accepted(&format!("struct G; fn<'r>(x: &'r mut ({ty})) -> &'r ({ty}) {{ a }}"))?;
    }

    #[test]
    fn any_type_is_what_a_node_asks_for_and_gives(ty in ty()) {
        prop_assume!(is::<syn::Type>(&ty));
        let lent = lent(&ty);
        for item in [
            format!("fn a(x: &({lent}), y: &mut [{ty}], z: Vec<{ty}>) -> Option<{ty}> {{ }}"),
            format!("async fn a<'a>(x: &'a Vec<{ty}>) -> Result<({ty}, &'a u8), Vec<{ty}>> {{ }}"),
            format!("impl L<{ty}> {{ fn enter(&self, x: &({lent})) -> ControlFlow<{ty}, u8> {{ }} fn cancelled(&self, x: &({lent})) {{ }} }}"),
        ] {
            let options = "crate = ::chain_runtime".parse().expect("tokens");
            becomes_rust(&node::expand(options, item.parse().expect("tokens")), &item)?;
        }
    }

    #[test]
    fn any_path_is_a_node(path in path()) {
        prop_assume!(is::<syn::TypePath>(&path));
        accepted(&format!("struct G; fn(x: X) -> Reply {{ {path} => {{ {path} }} => {path} }}"))?;
        accepted(&format!("struct G; async fn(x: X) -> Reply {{ {path} {{ {path} => a }} => #[when({path})] a else {{ {path} }} => b }}"))?;
        accepted(&format!("struct G; fn(x: X) -> Reply {{ match {path} {{ A => {path}, _ => {{ {path} }} }} }}"))?;
        accepted(&format!("struct G; fn(x: X) -> Reply {{ if {path} {{ {path} }} else if let A = {path} {{ b }} else {{ {path} }} }}"))?;
        accepted(&format!("{path} => a: A = b => {path}"))?;
        accepted(&format!("struct G; fn(x: X) -> Reply {{ {path} => #[cfg(unix)] {path} => match a {{ #[cfg(unix)] A => {path} => b, _ => b }} }}"))?;
        accepted(&format!("{path} => #[cfg(unix)] {path} => a"))?;
    }

    #[test]
    fn any_pattern_is_one_of_an_arm((typed, plain) in pattern()) {
        prop_assume!(is_pattern(&plain));
        accepted(&format!("struct G; fn(x: X) -> Reply {{ match a {{ {typed} => b, {typed} if c => {{ b }} {typed} => d => e, _ => b }} }}"))?;
        accepted(&format!("struct G; fn(x: X) -> Reply {{ if let {typed} = a {{ b }} else {{ c }} }}"))?;
        accepted(&format!("struct G; fn(x: X) -> Reply {{ match a {{ {typed} => b, #[cfg(unix)] {typed} => c, {typed} => #[cfg(unix)] d => e }} }}"))?;
        accepted(&format!("struct G; fn(x: X) -> Reply {{ if let {typed} = a {{ #[cfg(unix)] b => c }} => d }}"))?;
    }

    #[test]
    fn any_expression_is_a_guard_a_limit_and_a_state(expression in expression()) {
        prop_assume!(is::<syn::Expr>(&expression));
        accepted(&format!("struct G; fn(x: X) -> Reply {{ match a {{ _ if {expression} => b, A if {expression} => {{ b }} _ => c }} }}"))?;
        accepted(&format!("struct G; async fn(x: X) -> Reply {{ #[timeout(({expression}))] a }}"))?;
        accepted(&format!("a => b: B = {expression} => c: C = {expression}"))?;
        accepted(&format!("a => b: B = {expression} => #[cfg(unix)] d => c: C = {expression}"))?;
        accepted(&format!("struct G; fn(x: X) -> Reply {{ match a {{ _ if {expression} => #[cfg(unix)] b => c, #[cfg(unix)] _ if {expression} => c }} }}"))?;
    }

    #[test]
    fn any_generics_are_those_of_a_chain((generics, clause) in generics(), ty in ty()) {
        prop_assume!(is::<syn::ItemStruct>(&format!("struct G {generics} {clause} {{ a: {ty} }}")));
        accepted(&format!("struct G {generics} {clause} {{ a: Wrap<{ty}, T> }} async fn(x: X) -> Reply {{ b }}"))?;
        accepted(&format!("struct G {generics} {clause}; fn(x: X) -> Reply {{ b }}"))?;
        accepted(&format!("struct G {generics} {clause} {{ a: Wrap<{ty}, T> }} async fn(x: X) -> Reply {{ #[cfg(unix)] b => c }}"))?;
    }
}
