//! Every misuse is one error, at the token that is wrong, in words that say how to put it right.
//!
//! The pinned texts are those of one rustc. `TRYBUILD=overwrite cargo test -p chain-ui` writes them anew: read each
//! aloud before you accept it.

use std::io::Write;
use std::process::Command;

/// What the texts in `cases/` were written by. Another rustc says the same in other words, or draws it differently.
const PINNED: &str = "rustc 1.95.";

#[test]
fn every_misuse_is_one_error() {
    let version = rustc_version();
    if !version.starts_with(PINNED) {
        // Not `eprintln!`, which nobody sees of a test that passes.
        let version = version.trim();
        let skipped =
            writeln!(std::io::stderr(), "skipped: the errors in cases/ are those of {PINNED}*, this is {version}");
        return skipped.expect("stderr is open");
    }
    trybuild::TestCases::new().compile_fail("cases/*.rs");
}

/// rustc quotes the standard library where the component `rust-src` is installed and a crate in the version that is there. So a pinned text
/// quotes only what is ours. (`$RUST` and `$CARGO` are how trybuild writes where the others are.)
#[test]
fn no_pinned_text_quotes_what_is_not_ours() {
    let cases = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/cases")).expect("the cases");
    let mut pinned = 0;
    for case in
        cases.map(|case| case.expect("a case").path()).filter(|path| path.extension() == Some("stderr".as_ref()))
    {
        let text = std::fs::read_to_string(&case).expect("text");
        assert!(!text.contains("$RUST") && !text.contains("$CARGO"), "{}:\n{text}", case.display());
        pinned += 1;
    }
    assert!(pinned > 100, "{pinned}");
}

/// Of the rustc that cargo uses here.
fn rustc_version() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-V").output().expect("rustc can be run");
    String::from_utf8(output.stdout).expect("rustc speaks UTF-8")
}
