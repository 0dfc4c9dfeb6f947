//! The crate that is being compiled, and how it calls the runtime.

use std::cell::RefCell;

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::spanned::Spanned as _;
use syn::{Ident, Visibility};

/// The path of the runtime in the crate that uses an attribute or a derive. The crate may depend on the runtime under
/// another name.
///
/// `chain!` does not need this: it comes with `$crate`.
pub(crate) fn runtime() -> TokenStream {
    if manifest_says_so() {
        return quote!(::chain_runtime);
    }
    match crate_name("chain-runtime") {
        Ok(FoundCrate::Name(name)) => {
            let name = Ident::new(&name, Span::call_site());
            quote!(::#name)
        }
        _ => quote!(::chain_runtime),
    }
}

/// Whether the crate's manifest names the dependency by its own name. If it does, `crate_name` need not be called: that
/// runs cargo for the workspace's manifest, which takes as long as rustc takes for a short chain.
fn manifest_says_so() -> bool {
    thread_local! {
        static SAID: RefCell<Option<(String, bool)>> = const { RefCell::new(None) };
    }
    let Ok(directory) = std::env::var("CARGO_MANIFEST_DIR") else { return false };
    SAID.with_borrow_mut(|said| match said {
        Some((of, says_so)) if *of == directory => *says_so,
        _ => {
            let manifest = std::fs::read_to_string(std::path::Path::new(&directory).join("Cargo.toml"));
            let says_so = manifest.is_ok_and(|manifest| manifest.lines().any(names_the_runtime));
            said.insert((directory, says_so)).1
        }
    })
}

/// `chain-runtime = ..`, `chain-runtime.workspace = true` or `[dependencies.chain-runtime]`.
fn names_the_runtime(line: &str) -> bool {
    let line = line.trim();
    let as_key = line.strip_prefix("chain-runtime").is_some_and(|rest| rest.trim_start().starts_with(['=', '.']));
    as_key || (line.starts_with('[') && line.ends_with("dependencies.chain-runtime]"))
}

/// The crate that is being compiled. A segment says to which crate it belongs. Places in another crate's source cannot
/// be shown.
pub(crate) fn compiled_crate() -> String {
    std::env::var("CARGO_CRATE_NAME").unwrap_or_default()
}

/// How an item is seen that is emitted beside the user's own item.
///
/// In the impl of a type that is `pub`, rustc refuses types that are not, where it only warns of them in a function. Nobody
/// can name what is `pub` in a program: there, `pub(crate)` is the same, and as much as a type at the root of the crate has.
pub(crate) fn vis_beside(vis: &Visibility) -> Visibility {
    // Cargo sets it for programs alone.
    let is_program = || std::env::var_os("CARGO_BIN_NAME").is_some();
    match vis {
        Visibility::Public(_) if is_program() => syn::parse_quote_spanned!(vis.span()=> pub(crate)),
        _ => vis.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::names_the_runtime;

    #[test]
    fn a_manifest_names_the_runtime_in_three_ways() {
        for line in [
            "chain-runtime = \"0.1\"",
            "chain-runtime={ path = \"..\" }",
            "chain-runtime.workspace = true",
            "[dependencies.chain-runtime]",
            "[target.'cfg(unix)'.dev-dependencies.chain-runtime]",
        ] {
            assert!(names_the_runtime(line), "{line}");
        }
        for line in [
            "name = \"chain-runtime\"",
            "runtime = { package = \"chain-runtime\" }",
            "chain-runtime-extra = \"1\"",
            "# chain-runtime = \"0.1\"",
            "[features.chain-runtime]",
        ] {
            assert!(!names_the_runtime(line), "{line}");
        }
    }
}
