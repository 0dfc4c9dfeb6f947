//! The editor's view has each token of the user's at most once, and no other token at its place.

use std::collections::BTreeMap;

use proc_macro2::{TokenStream, TokenTree};
use proptest::prelude::*;

use super::{AGAIN, COMPOSED, FUNCTION, ITEM, NODES, SHORT, flat, tokens};
use crate::expand::editor::{asks, is_an_editors, view};

/// A chain in which each thing has a name of its own.
const ZOO: &str = r#"
    (::chain_runtime)
    /// Documented.
    #[observe(Owl)]
    #[chain_runtime::node(last)]
    pub struct Zoo<Deer: Graze> where Deer: Moose { lion: Tiger<Deer>, pub(crate) swift: Seal }

    async fn<'r>(panda: Koala, bear: &'r mut Lynx) -> Otter {
        lion => #[when(birds::heron)] crane::<Duck> => #[timeout(toad)] swift {
            match robin {
                Finch::Wren(stork: Gull<'r>) if raven(&stork) => ibis => #[split(5)] egret else { rook },
                Finch::Jay { magpie: magpie: Tern, .. } | Finch::Kite(magpie: Tern) => {},
                _ => if kestrel { merlin } else if let Some(plover: Quail) = grebe { dunlin } else { snipe => ..path::knot::<Ruff> },
            }
        } => #[open(Shut::Late(_) | Shut::Never)] finch => if vole { newt } else { toucan } -> Eel<'r> => Fox
    }
"#;

/// How often each name stands in these tokens.
fn names(tokens: TokenStream) -> BTreeMap<String, usize> {
    let mut names = BTreeMap::new();
    for token in flat(tokens) {
        if let TokenTree::Ident(name) = token {
            *names.entry(name.to_string()).or_default() += 1;
        }
    }
    names
}

fn count(names: &BTreeMap<String, usize>, name: &str) -> usize {
    names.get(name).copied().unwrap_or_default()
}

/// A declaration with this row.
fn row(row: &str) -> String {
    format!("(::chain_runtime) pub struct Zoo {{ lion: Tiger }} async fn(panda: Koala) -> Otter {{ {row} }}")
}

#[test]
fn what_an_editor_sees_is_rust() {
    for text in [ITEM, COMPOSED, FUNCTION, SHORT, ZOO, AGAIN[0], AGAIN[1], AGAIN[2]] {
        let seen = view(tokens(text));
        let text = seen.to_string();
        assert!(!text.contains("compile_error"), "{text}");
        let parsed = syn::parse2::<syn::File>(seen.clone()).map(drop);
        parsed.or_else(|_| syn::parse2::<syn::Expr>(seen).map(drop)).unwrap_or_else(|wrong| panic!("{wrong}: {text}"));
    }
}

#[test]
fn each_node_pattern_and_type_of_a_row_stands_once() {
    let seen = names(view(tokens(ZOO)));
    let once = [
        "heron", "birds", "crane", "Duck", "toad", "robin", "Wren", "Gull", "raven", "ibis", "egret", "rook", "Jay",
        "Kite", "kestrel", "merlin", "Quail", "grebe", "dunlin", "snipe", "path", "knot", "Ruff", "Fox", "panda",
        "bear", "Owl", "Late", "Never", "finch", "vole", "newt", "toucan", "Eel",
    ];
    for name in once {
        assert_eq!(count(&seen, name), 1, "{name}");
    }
    // A field is declared, is a local, and is a node.
    assert_eq!(["lion", "swift"].map(|field| count(&seen, field)), [3, 3]);
    // The type in the second alternative is dropped. A binding is named beside its type once more.
    assert_eq!(["Tern", "magpie", "plover", "stork"].map(|name| count(&seen, name)), [1, 3, 2, 3]);
    // A function is a value and a type is a type, whatever their arguments are.
    let text = view(tokens(ZOO)).to_string();
    assert!(text.contains("; crane :: < Duck > ;") || text.contains("; crane ::< Duck > ;"), "{text}");
    assert!(text.contains("let _ : Fox ;"), "{text}");
    // The names of attributes are gone.
    assert_eq!(["when", "timeout", "split"].map(|word| count(&seen, word)), [0; 3]);
}

/// `run` and the type are seen as well.
#[test]
fn what_is_read_of_an_unfinished_chain_is_seen() {
    for (text, nodes) in [
        ("lion => ", ["lion"].as_slice()),
        ("lion => crane =>", &["lion", "crane"]),
        ("=> crane", &["crane"]),
        ("lion => => crane", &["lion", "crane"]),
        ("lion -> crane, ibis; egret", &["lion", "crane", "ibis", "egret"]),
        ("lion => birds:: => crane", &["lion", "birds", "crane"]),
        ("lion => crane(panda)? => ibis", &["lion", "crane", "ibis"]),
        ("lion => match", &["lion"]),
        ("lion => match robin", &["lion", "robin"]),
        ("lion => match robin {", &["lion", "robin"]),
        ("lion => match robin { Finch::Wren }", &["robin", "Finch", "Wren"]),
        ("lion => match robin { Finch::Wren => , _ => crane }", &["robin", "Finch", "Wren", "crane"]),
        ("lion => match robin { Finch::Wren => ibis => , _ => crane }", &["robin", "ibis", "crane"]),
        ("lion => if => crane", &["lion", "crane"]),
        ("lion => if kestrel => crane", &["lion", "kestrel"]),
        ("lion => if let Some(plover: Quail) = ", &["lion", "plover", "Quail"]),
        ("lion => if kestrel { crane } else", &["lion", "kestrel", "crane"]),
        ("#[when()] lion => crane", &["lion", "crane"]),
        ("lion { crane => ", &["lion", "crane"]),
        ("lion => ..", &["lion"]),
    ] {
        // rust-analyzer expands no macro whose braces are not closed.
        let missing = text.matches('{').count() - text.matches('}').count();
        let seen = names(view(tokens(&row(&format!("{text}{}", "}".repeat(missing))))));
        for node in nodes {
            assert!(count(&seen, node) > 0, "`{node}` is not seen in `{text}`");
        }
        assert_eq!(["run", "Zoo", "Otter"].map(|name| count(&seen, name).min(1)), [1; 3], "{text}");
    }
}

/// rust-analyzer expands a chain with a word at the cursor, and looks at its offset in the chain without it.
#[test]
fn before_the_cursor_nothing_moves() {
    let text = |row: &str| view(tokens(&self::row(row))).to_string();
    for (before, typed, behind) in [
        ("lion => ", "", ""),
        ("lion => ", "cra", ""),
        ("lion => crane => ", "ib", " => egret"),
        ("lion => birds::", "", ""),
        ("lion => match robin { Finch::Wren => ", "ib", ", _ => egret }"),
        ("lion => { ", "", " }"),
        ("#[when(", "ke", ")] lion"),
    ] {
        let actual = text(&format!("{before}{typed}{behind}"));
        let asked = text(&format!("{before}{typed}raCompletionMarker{behind}"));
        let at = asked.find("raCompletionMarker").expect("it is asked for") - typed.len();
        assert_eq!(asked[..at], actual[..at], "{before}|");
        assert!(asked[at..].starts_with(&format!("{typed}raCompletionMarker ()")), "{asked}");
    }
}

#[test]
fn any_tokens_have_a_view() {
    for text in [
        "(::chain_runtime)",
        "(::chain_runtime) struct",
        "(::chain_runtime) pub struct Zoo",
        "(::chain_runtime) pub struct Zoo<",
        "(::chain_runtime) pub struct Zoo { lion: }",
        "(::chain_runtime) pub struct Zoo { lion: Tiger } async",
        "(::chain_runtime) pub struct Zoo { lion: Tiger } async fn",
        "(::chain_runtime) pub struct Zoo { lion: Tiger } async fn(",
        "(::chain_runtime) pub struct Zoo { lion: Tiger } async fn() ->",
        "(::chain_runtime) pub struct Zoo; async fn() { lion }",
        "(::chain_runtime) segment knot",
        "(::chain_runtime) segment knot {",
        "(::chain_runtime) pub segment knot(lion: ) { lion => }",
        "(::chain_runtime) lion => quota: ",
        "(::chain_runtime) lion => quota: Quota = ",
        "(::chain_runtime) =>",
        "(::chain_runtime) enum Zoo {}",
        "",
    ] {
        let missing = |open: char, close: char| text.matches(open).count() - text.matches(close).count();
        let closed = format!("{text}{}{}", ")".repeat(missing('(', ')')), "}".repeat(missing('{', '}')));
        let seen = names(view(tokens(&closed)));
        assert!(!text.contains("struct Zoo") || count(&seen, "Zoo") > 0, "{text}");
        assert!(!text.contains("lion =>") || count(&seen, "lion") > 0, "{text}");
    }
}

/// Random tokens, among them those of which chains are made.
fn any_row() -> impl Strategy<Value = String> {
    let words = [
        "lion",
        "crane",
        "Fox",
        "match",
        "if",
        "let",
        "else",
        "=>",
        "=>",
        "->",
        "=",
        ",",
        ";",
        "..",
        "::",
        "<",
        ">",
        "|",
        ":",
        "_",
        "#",
        "!",
        "?",
        "1",
        "250ms",
        "#[when(lion)]",
        "#[cfg(unix)]",
        "#[timeout(",
        "Some(plover: Quail)",
        "raCompletionMarker",
        "'r",
        "&",
        ".",
        "as",
        "where",
    ];
    let word = proptest::sample::select(words.to_vec()).prop_map(|word| word.replace("#[timeout(", "#[timeout()]"));
    let words = proptest::collection::vec(word, 0..12).prop_map(|words| words.join(" "));
    words.prop_recursive(3, 24, 4, |inner| {
        let group = prop_oneof![Just(("{", "}")), Just(("(", ")")), Just(("[", "]"))];
        proptest::collection::vec((inner.clone(), group, inner), 1..4).prop_map(|parts| {
            let parts =
                parts.into_iter().map(|(before, (open, close), inner)| format!("{before} {open} {inner} {close}"));
            parts.collect::<Vec<_>>().join(" ")
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Where the macro panics, an editor knows nothing of the chain any more.
    #[test]
    fn no_tokens_are_too_odd_for_a_view(row in any_row()) {
        for text in [
            self::row(&row),
            format!("(::chain_runtime) {row}"),
            format!("(::chain_runtime) pub struct Zoo {{ {row} }} async fn(panda: Koala) -> Otter {{ lion }}"),
            format!("(::chain_runtime) pub struct Zoo {row}"),
            format!("(::chain_runtime) pub struct Zoo; async fn({row}) -> {row} {{ lion }}"),
            format!("(::chain_runtime) pub struct Zoo; {row} {{ lion }}"),
            format!("(::chain_runtime) #[observe({row})] pub struct Zoo; async fn() {{ lion }}"),
        ] {
            if let Ok(tokens) = text.parse::<TokenStream>() {
                drop(view(tokens));
            }
        }
    }
}

/// These need `RUSTFLAGS="--cfg span_locations"`: outside of a compiler, spans have no places otherwise. (proc-macro2
/// has a feature for it, which `--all-features` would turn on for the whole workspace.)
#[cfg(span_locations)]
mod located {
    use super::{AGAIN, COMPOSED, FUNCTION, ITEM, SHORT, TokenTree, ZOO, flat, tokens, view};
    use proc_macro2::LineColumn;
    use std::collections::BTreeMap;

    type Place = (LineColumn, LineColumn);

    fn place(token: &TokenTree) -> Place {
        (token.span().start(), token.span().end())
    }

    /// Go to definition on these leads to the chain: on `run` to the `fn`, on the others to the body, and in the short
    /// form to the first arrow.
    const SHOWN: [&str; 8] = ["run", "NODES", "CHAIN", "drawing", "future_size", "node_sizes", "toggles", "sheds"];
    const AT: [&str; 2] = ["fn", "="];

    #[test]
    fn each_token_of_the_users_stands_where_it_was_written_and_once() {
        for text in [ITEM, COMPOSED, FUNCTION, SHORT, ZOO, AGAIN[0], AGAIN[1], AGAIN[2]] {
            let declaration = tokens(text);
            let mut written = declaration.clone().into_iter();
            let runtime = written.next().expect("the runtime's path");
            let of_users: Vec<TokenTree> = flat(written.clone().collect());
            let body = written.filter(
                |token| matches!(token, TokenTree::Group(group) if group.delimiter() == proc_macro2::Delimiter::Brace),
            );
            let body = body.last().map(|body| match body {
                TokenTree::Group(group) => group.span_open().start(),
                other => other.span().start(),
            });
            // A doc comment is several tokens at one place.
            let mut wrote: BTreeMap<Place, Vec<String>> = BTreeMap::new();
            of_users.iter().for_each(|token| wrote.entry(place(token)).or_default().push(token.to_string()));
            let mut seen: BTreeMap<(Place, String), usize> = BTreeMap::new();
            for token in flat(view(declaration.clone())) {
                let (place, text) = (place(&token), token.to_string());
                match wrote.get(&place) {
                    Some(user) if user.contains(&text) => *seen.entry((place, text)).or_default() += 1,
                    Some(user) if AT.contains(&user[0].as_str()) && SHOWN.contains(&text.as_str()) => {}
                    Some(user) => panic!("`{text}` stands where the user wrote {user:?}"),
                    // All other tokens stand at the runtime's path.
                    None => {
                        let at_body = Some(place.0) == body && SHOWN.contains(&text.as_str());
                        let at_runtime = runtime.span().start() <= place.0 && place.1 <= runtime.span().end();
                        assert!(at_body || at_runtime, "`{text}` stands at {place:?}");
                    }
                }
            }
            for ((_, token), count) in seen {
                assert_eq!(count, 1, "`{token}` of {text}");
            }
        }
    }
}

#[test]
fn only_rust_analyzers_server_gets_what_is_for_an_editor() {
    for program in ["rust-analyzer-proc-macro-srv", "rust-analyzer", "rust-analyzer.exe", ".rust-analyzer-wrapped"] {
        assert!(is_an_editors(program), "{program}");
    }
    for program in ["rustc", "rustc.exe", "clippy-driver", "rustdoc", "sccache"] {
        assert!(!is_an_editors(program), "{program}");
    }
    assert!(!asks());
}

/// Nothing stands beside the item, so the node's name means the item alone.
#[test]
fn a_node_is_its_item() {
    for item in NODES {
        let seen = crate::node::in_an_editor(tokens("crate = ::chain_runtime"), tokens(item));
        assert_eq!(seen.to_string(), tokens(item).to_string());
    }
}

#[test]
fn a_node_that_is_wrong_is_its_item_beside_what_is_wrong() {
    let item = "fn auth(self, a: &Parts) {}";
    let seen = crate::node::in_an_editor(tokens("crate = ::chain_runtime"), tokens(item)).to_string();
    assert!(seen.starts_with(&tokens(item).to_string()) && seen.contains("compile_error"), "{seen}");
}
