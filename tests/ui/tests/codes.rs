//! Each error has a code, and each code has a page. These tests compare the sources, the table, the pages and the
//! pinned texts. They read them as text, so nothing is compiled here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The beginnings of the errors that are rustc's own. Every other error needs a code.
const RUSTCS: &[&str] = &[
    "`Cell<u64>` cannot be shared between threads safely",
    "`Rc<str>` cannot be sent between threads safely",
    "`Reply` doesn't implement `std::fmt::Display`",
    "`gateway` does not live long enough",
    "`line` does not live long enough",
    "`context` does not live long enough",
    "`pool` does not live long enough",
    "ambiguous associated type",
    "associated type `Rwo` not found for ",
    "attempt to use a non-constant value",
    "borrow of moved value",
    "borrowed data escapes",
    "cannot find ",
    "cannot move out of ",
    "cannot return value referencing local variable",
    "conflicting implementations of trait ",
    "duplicate definitions with name ",
    "expected a type, found a trait",
    "expected type, found function ",
    "future cannot be sent between threads safely",
    "implicit elided lifetime not allowed here",
    "mismatched types",
    "missing field ",
    "missing generics for ",
    "missing lifetime specifier",
    "no variant or associated item named ",
    "non-exhaustive patterns",
    "pattern binding ",
    "the `letters:` in this pattern is redundant",
    "struct `Log` is private",
    "the name `auth` is defined multiple times",
    "the placeholder `_` is not allowed ",
    "the size for values of type ",
    "the trait bound ",
    "unreachable pattern",
    "use of undeclared lifetime name ",
    "unresolved import ",
    "unused variable",
    "use of deprecated ",
    "variable does not need to be mutable",
];

/// The codes without a case, and the reasons.
const WITHOUT_A_CASE: &[(&str, &str)] = &[
    ("E002", "only who calls a hidden macro by hand sees it"),
    ("E203", "only a reply of axum's is made of anything"),
    ("E204", "only a reply of axum's is made of anything"),
    ("E207", "rustc says it of each trait that reads the type"),
    ("E802", "it needs the feature `hyper`, which the cases have not: with each feature rustc shortens other paths"),
    ("E804", "it needs the feature `retry`"),
    ("E805", "it needs the feature `http-body`"),
    ("E807", "it needs the feature of a ready node"),
    ("E808", "it needs the feature of a ready node"),
    ("E809", "it needs the feature `idempotency`"),
    ("E810", "it needs the feature `tower`"),
    ("E811", "it needs an adapter"),
];

#[test]
fn each_code_is_in_the_table_once_in_the_sources_and_on_a_page() {
    let table: Vec<_> = titles_of_the_table().into_iter().collect();
    let codes: BTreeSet<_> = table.iter().map(|(code, _)| code.clone()).collect();
    assert!(codes.len() > 100, "{codes:?}");
    assert_eq!(said(), codes, "left: in the sources, right: in the table");
    let titles: BTreeMap<_, _> = pages().into_iter().map(|page| (page.code, page.title)).collect();
    assert_eq!(titles.into_iter().collect::<Vec<_>>(), table, "left: on the pages, right: in the table");
}

#[test]
fn the_pages_are_in_order_and_say_each_code_once() {
    let codes: Vec<_> = pages().into_iter().map(|page| page.code).collect();
    assert!(codes.is_sorted() && codes.windows(2).all(|two| two[0] != two[1]), "{codes:?}");
}

#[test]
fn no_error_is_made_without_a_code() {
    for (path, text) in sources("chain-macros/src") {
        // Nobody sees the errors of `extent`, except those that syn would report as well.
        if path.ends_with("diagnostics/codes.rs") || path.ends_with("extent.rs") {
            continue;
        }
        for makes in ["syn::Error::new", "Error::new_spanned", "input.error(", "inner.error(", "meta.error("] {
            assert!(!text.contains(makes), "{}: `{makes}` makes an error without a code", path.display());
        }
    }
    for (path, text) in sources("chain-runtime/src") {
        let messages =
            text.split("diagnostic::on_unimplemented(").skip(1).filter_map(|rest| rest.split_once("message = \""));
        for (_, message) in messages {
            assert!(
                message.starts_with("chain[E"),
                "{}: {}",
                path.display(),
                message.lines().next().unwrap_or_default()
            );
        }
    }
}

#[test]
fn each_pinned_error_has_a_code_or_is_rustcs() {
    let mut coded = 0;
    for (path, text) in pinned() {
        for line in text.lines().filter(|line| line.starts_with("error")) {
            let said = line.split_once(": ").map_or(line, |(_, said)| said);
            let said = said.strip_prefix("evaluation panicked: ").unwrap_or(said);
            let is_rustcs = RUSTCS.iter().any(|begin| said.starts_with(begin));
            assert!(is_rustcs || said.starts_with("chain[E"), "{}: {line}", path.display());
            coded += usize::from(!is_rustcs);
        }
    }
    assert!(coded > 300, "{coded}");
}

#[test]
fn each_code_has_a_case_or_a_reason() {
    let mut seen = BTreeSet::new();
    pinned().iter().for_each(|(_, text)| seen.extend(codes(text, "chain[")));
    for code in titles_of_the_table().into_keys() {
        let reason = WITHOUT_A_CASE.iter().find(|(without, _)| *without == code);
        assert!(seen.contains(&code) != reason.is_some(), "{code}: {reason:?}");
    }
}

#[test]
fn the_example_on_a_page_is_part_of_a_case_with_that_error() {
    for Page { code, case, example, .. } in pages() {
        let Some(case) = case else {
            assert!(WITHOUT_A_CASE.iter().any(|(without, _)| *without == code), "{code} names no case");
            continue;
        };
        let of = |extension| read(&root().join(format!("tests/ui/cases/{case}.{extension}")));
        assert!(of("stderr").contains(&format!("chain[{code}]")), "{case} does not give {code}");
        let program = of("rs");
        let (program, example) = (lines(&program), lines(&example));
        let is_part = !example.is_empty() && program.windows(example.len()).any(|part| part == example);
        assert!(is_part, "{code}: this is no part of {case}: {example:#?}");
    }
}

/// The content of a page about one code.
struct Page {
    code: String,
    title: String,
    case: Option<String>,
    example: String,
}

fn pages() -> Vec<Page> {
    let mut pages = Vec::new();
    for (path, text) in files(&root().join("chain-runtime/src/errors"), "md") {
        for page in text.split("\n### ").skip(1) {
            let (code, page) = page.split_once('\n').expect("a page");
            let inside = |open: &str, close: &str| Some(page.split_once(open)?.1.split_once(close)?.0.to_owned());
            let title = inside("**", ".**").unwrap_or_else(|| panic!("{}: {code} has no title", path.display()));
            let example = inside("```text\n", "```").unwrap_or_else(|| panic!("{code} has no example"));
            pages.push(Page { code: code.to_owned(), title, case: inside("<!-- ", " -->"), example });
        }
    }
    pages.sort_by(|one, other| one.code.cmp(&other.code));
    pages
}

/// The codes of the macro crate's table, with their titles.
fn titles_of_the_table() -> BTreeMap<String, String> {
    let text = read(&root().join("chain-macros/src/diagnostics/codes.rs"));
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let rows = lines.windows(2).filter_map(|row| {
        let code = row[1].strip_suffix(',').filter(|code| is_code(code))?;
        Some((code.to_owned(), row[0].strip_prefix("/// ")?.to_owned()))
    });
    rows.collect()
}

/// The codes of all messages.
fn said() -> BTreeSet<String> {
    let mut said = BTreeSet::new();
    sources("chain-macros/src").iter().for_each(|(_, text)| said.extend(codes(text, "Code::")));
    for (_, text) in sources("chain-runtime/src") {
        // The comments are not messages.
        let text: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        ["chain[", "Message::of(\"", "needs_a(\""].iter().for_each(|before| said.extend(codes(&text, before)));
    }
    said
}

/// The codes after this text.
fn codes(text: &str, before: &str) -> Vec<String> {
    let found = text.split(before).skip(1).filter_map(|rest| rest.get(..4)).filter(|code| is_code(code));
    found.map(str::to_owned).collect()
}

fn is_code(text: &str) -> bool {
    text.len() == 4 && text.starts_with('E') && text[1..].bytes().all(|digit| digit.is_ascii_digit())
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

fn pinned() -> Vec<(PathBuf, String)> {
    files(&root().join("tests/ui/cases"), "stderr")
}

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    files(&root().join(folder), "rs")
}

/// The files below this folder with this extension.
fn files(folder: &Path, extension: &str) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(self::files(&path, extension));
        } else if path.extension().is_some_and(|its| its == extension) {
            let text = read(&path);
            files.push((path, text));
        }
    }
    files
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
