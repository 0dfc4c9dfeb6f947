//! The crates that a chain brings into a build. If `cargo` cannot be run, nothing is tested.

use std::collections::BTreeSet;
use std::process::Command;

/// The crates that `cargo tree` names, or `None` where there is no cargo.
fn tree(edges: &str, arguments: &[&str]) -> Option<BTreeSet<String>> {
    let tree = Command::new(std::env::var_os("CARGO")?)
        .args(["tree", "--offline", "--locked", "--prefix", "none", "--format", "{p}", "--edges", edges])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).expect("text");
    Some(tree.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect())
}

fn named<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

#[test]
fn there_is_no_tokio_beside_smol() {
    let Some(tree) = tree("normal", &["--package", "chain-executors"]) else { return };
    let present = named(["chain-runtime", "smol", "async-io", "futures-executor", "pollster", "fastrand"]);
    assert!(tree.is_superset(&present), "{tree:?}");
    assert!(!tree.iter().any(|name| name.starts_with("tokio") || name == "mio"), "{tree:?}");
}

#[test]
fn the_default_features_bring_the_macros_and_what_these_are_written_with() {
    let Some(runtime) = tree("normal", &["--package", "chain-runtime", "--depth", "1"]) else { return };
    assert_eq!(runtime, named(["chain-runtime", "chain-macros"]));
    let macros = tree("normal", &["--package", "chain-macros", "--depth", "1"]);
    // `proc-macro-crate` is how an attribute finds the runtime under another name.
    assert_eq!(macros, Some(named(["chain-macros", "proc-macro-crate", "proc-macro2", "quote", "syn"])));
}

#[test]
fn the_default_features_link_the_runtime_alone() {
    let Some(linked) = tree("normal,no-proc-macro", &["--package", "chain-runtime"]) else { return };
    assert_eq!(linked, named(["chain-runtime"]));
}
