//! Checks what is emitted, token by token, for a chain and nodes that use every feature of the language.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::quote;

use crate::{compile, node};

mod editor;
mod simple;
mod told;
mod valid_rust;

/// The item form with everything that it can have.
const ITEM: &str = r#"
    (::chain_runtime)
    /// Documented.
    #[derive(Debug)]
    #[observe(Recorder)]
    #[observe(Histogram<'static>)]
    #[budget(future = 2048)]
    #[send]
    pub(crate) struct Gateway<'k, C: Client + 'k, const N: usize> where C: Send {
        #[cfg(all())]
        pub keys: Keys<'k>,
        first: Limit,
        second: Limit,
        proxy: Proxy<C, N>,
    }

    /// Runs.
    async fn<'r>(request: Parts, body: &'r mut Body, text: &'r str, mut pair: (u8, [u8; 4])) -> Result<Reply, Failure> {
        auth => first => module::parse::<User, { N }> => second => r#match => proxy
    }
"#;

/// Chains inside of a chain, in every way.
const COMPOSED: &str = r#"
    (::chain_runtime)
    #[observe(Recorder)]
    struct Composed { toggles: Toggles, shedding: Shedding, tasks: Tasks, limits: Reloadable<Limits>, log: Log, deadline: Deadline, canary: Canary }

    async fn(request: Request) -> Reply {
        #[when(is_local)] #[toggle("hello", off)] #[timeout(250ms)] #[allow(deprecated)] hello
        => #[sample(1 / 100)] { log => auth }
        => #[cancel(detach)] audit
        => #[shed(high, detach)] metrics
        => #[shed(elevated, sample = 1 / 100, "front")] { log => auth } else { #[shed(critical)] known }
        => #[cancel(finish)] audit
        => if canary { { log => auth } } else if let Some(user: User) = session { deadline { known } } else { auth } -> User
        => { { log => auth } -> &'static str => counted } -> Count
        => #[toggle("either")] known else { auth } -> Either<User, Other>
        => if canary { log } else if let Some(user: User) = session { greet }
        => deadline {
            match route {
                Route::Api(api: Api, _) if api.version > 2 => log => api,
                Route::File { name: name: Name, .. } => #[split(5)] file else { CatchPanic { file } },
                _ => { nothing }
            }
        }
    }
"#;

/// A segment, and the first expansion of a chain with a segment or a `#[cfg]`.
const AGAIN: [&str; 4] = [
    "(::chain_runtime) pub segment front(log: Log) { log => a::auth => #[when(is_local)] self::gate => ..other => { a } -> User<'_> => match r { _ => x } }",
    "(::chain_runtime) struct Gateway; async fn() -> Reply { ..path::front => last }",
    "(::chain_runtime) struct Gateway; async fn() -> Reply { #[cfg(unix)] first => last }",
    "(::chain_runtime) first => #[cfg(unix)] last",
];

/// The form that is an ordinary function.
const FUNCTION: &str = "(::chain_runtime) struct Measuring; fn(line: &str) -> usize { words => count }";

/// The short form, with state.
const SHORT: &str = "(::chain_runtime) auth => limit: RateLimit = RateLimit::per_second(100) => proxy::<u8>";

/// A function with every kind of parameter, and an `impl` block with every hook.
const NODES: [&str; 6] = [
    "async fn auth<'a, T: Clone>(a: &'a str, b: &mut Body, c: Parts, d: &[T]) -> Result<Token<'a>, Refused> { todo }",
    "fn gate(a: &Parts) -> ControlFlow<Reply, User> { todo }",
    "fn never(a: &Parts) -> ! { todo }",
    "fn audit(a: &Parts) -> impl Future<Output = Result<User, Refused>> + Send + 'static { todo }",
    "impl<P, T: Timer> Retry<P, T> {
        fn enter(&self, a: &Parts) -> Result<Started, Refused> { todo }
        async fn around<B: Future>(&self, started: &mut Started, block: Pin<&mut B>) -> Result<B::Output, Expired> { todo }
        fn again<R>(&self, attempt: u32, reply: &R) -> Option<impl Future<Output = ()> + use<P, T, R>> where P: Policy<R> { todo }
    }",
    "impl<C> Log<C> {
        async fn enter(&self, a: &Parts) -> io::Result<Started> { todo }
        async fn exit<R: Debug>(&self, started: &mut Started, reply: &mut R, ending: &Ending) { todo }
        fn cancelled(&self, started: &mut Started, keys: &Keys) { todo }
    }",
];

fn tokens(text: &str) -> TokenStream {
    text.parse().expect("the text is tokens")
}

/// The first expansion of a chain, and the second one, for functions that tell nothing.
fn both(declaration: &str) -> Vec<TokenStream> {
    let first = compile::chain(tokens(declaration));
    let second = asked(first.clone()).map(compile::planned);
    [Some(first), second].into_iter().flatten().collect()
}

/// The tokens that `__planned!` is given if the nodes tell nothing, for a chain that asks any.
fn asked(tokens: TokenStream) -> Option<TokenStream> {
    answered(tokens, &[])
}

/// The tokens that `__planned!` is given for a chain that asks any node; what the first ones tell is `told`.
fn answered(tokens: TokenStream, told: &[TokenStream]) -> Option<TokenStream> {
    tokens.into_iter().find_map(|token| {
        let TokenTree::Group(group) = token else { return None };
        let inner: Vec<_> = group.stream().into_iter().collect();
        // `{ [locals] [declaration] } [next] .. [$crate::__planned]`
        let groups = inner.iter().filter_map(|token| match token {
            TokenTree::Group(group) => Some(group.delimiter()),
            _ => None,
        });
        let groups: Vec<_> = groups.collect();
        let is_asked = matches!(groups.as_slice(), [Delimiter::Brace, next @ ..] if !next.is_empty() && next.iter().all(|next| *next == Delimiter::Bracket));
        let ends = inner.last().is_some_and(|last| last.to_string().contains("__planned"));
        match (&inner[..], is_asked && ends && groups.len() == inner.len()) {
            ([TokenTree::Group(begin), next @ ..], true) => {
                let begin = begin.stream();
                let told = (0..next.len()).map(|at| told.get(at).cloned().unwrap_or_else(|| quote!([])));
                Some(quote!({ #begin #(#told)* }))
            }
            _ => answered(group.stream(), told),
        }
    })
}

/// The expansions of all of the above.
fn expansions() -> Vec<TokenStream> {
    let chains = [ITEM, COMPOSED, FUNCTION, SHORT].into_iter().chain(AGAIN);
    let chains = chains.flat_map(both);
    let options = || tokens("crate = ::chain_runtime");
    let nodes = NODES.map(|item| node::expand(options(), tokens(item)));
    chains.chain(nodes).chain([told::by_text()]).collect()
}

/// Every token, including those in groups.
fn flat(tokens: TokenStream) -> Vec<TokenTree> {
    let flat = tokens.into_iter().flat_map(|token| match token {
        TokenTree::Group(group) => flat(group.stream()),
        other => vec![other],
    });
    flat.collect()
}

#[test]
fn every_declaration_here_is_without_errors() {
    for expansion in expansions() {
        let text = expansion.to_string();
        assert!(!text.contains("compile_error"), "{text}");
        // The expansion is Rust: items, or for the short form an expression.
        let parsed = syn::parse2::<syn::File>(expansion.clone()).map(drop);
        parsed.or_else(|_| syn::parse2::<syn::Expr>(expansion).map(drop)).expect("the expansion is Rust");
    }
}

#[test]
fn nothing_unsafe_boxed_or_dynamic_is_emitted_and_no_closure() {
    for expansion in expansions() {
        for token in flat(expansion.clone()) {
            let text = token.to_string();
            // A closure has bars, with `move` or without, and so has an or-pattern. Neither is needed.
            let refused = ["unsafe", "Box", "dyn", "move", "|", "alloc", "std"];
            assert!(!refused.contains(&text.as_str()), "`{text}` was emitted: {expansion}");
        }
    }
}

#[test]
fn expansion_is_deterministic() {
    let text = || expansions().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(text(), text());
}

/// So a chain that sheds nothing pays nothing, and a chain that does asks once.
#[test]
fn a_chain_that_sheds_nothing_asks_for_no_level() {
    let count = |declaration: &str, word: &str| {
        let expansion = flat(both(declaration).into_iter().collect());
        expansion.iter().filter(|token| token.to_string() == word).count()
    };
    for declaration in [ITEM, FUNCTION, SHORT] {
        assert_eq!(["Shedding", "shedding", "snapshot"].map(|word| count(declaration, word)), [0; 3]);
        // The one mention is in the description.
        assert_eq!(count(declaration, "sheds"), 1, "{declaration}");
    }
    // One is for its toggles.
    assert_eq!(count(COMPOSED, "snapshot"), 2);
}
