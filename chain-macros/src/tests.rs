//! What is emitted, token by token: for a chain and nodes that use every feature of the language.

use proc_macro2::{TokenStream, TokenTree};

use crate::{compile, node};

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

/// A segment, and what a chain becomes first that has one, or a `#[cfg]`.
const AGAIN: [&str; 4] = [
    "(::chain_runtime) pub segment front(log: Log) { log => a::auth => #[when(is_local)] self::gate => ..other => match r { _ => x } }",
    "(::chain_runtime) struct Gateway; async fn() -> Reply { ..path::front => last }",
    "(::chain_runtime) struct Gateway; async fn() -> Reply { #[cfg(unix)] first => last }",
    "(::chain_runtime) first => #[cfg(unix)] last",
];

/// The form that is an ordinary function.
const FUNCTION: &str = "(::chain_runtime) struct Measuring; fn(line: &str) -> usize { words => count }";

/// The short form, with state.
const SHORT: &str = "(::chain_runtime) auth => limit: RateLimit = RateLimit::per_second(100) => proxy::<u8>";

/// A function that takes all that a node can take, and an `impl` block with every hook.
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

/// The expansions of all of the above.
fn expansions() -> Vec<TokenStream> {
    let chains = [ITEM, COMPOSED, FUNCTION, SHORT].into_iter().chain(AGAIN);
    let chains = chains.map(|declaration| compile::chain(tokens(declaration)));
    let options = || tokens("crate = ::chain_runtime");
    let nodes = NODES.map(|item| node::expand(options(), tokens(item)));
    chains.chain(nodes).collect()
}

/// Every token, with those in groups.
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
        // What is emitted is Rust: items, or for the short form an expression.
        let parsed = syn::parse2::<syn::File>(expansion.clone()).map(drop);
        parsed.or_else(|_| syn::parse2::<syn::Expr>(expansion).map(drop)).expect("the expansion is Rust");
    }
}

#[test]
fn nothing_unsafe_boxed_or_dynamic_is_emitted_and_no_closure() {
    for token in expansions().into_iter().flat_map(flat) {
        let text = token.to_string();
        // A closure has bars, whether or not it is `move`; so has an or-pattern, and neither is needed.
        let refused = ["unsafe", "Box", "dyn", "move", "|", "alloc", "std"];
        assert!(!refused.contains(&text.as_str()), "`{text}` was emitted");
    }
}

#[test]
fn expansion_is_deterministic() {
    let text = || expansions().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(text(), text());
}
