//! The only file that spells a path into the runtime or makes up an identifier.

use std::cell::RefCell;

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Ident, Lifetime};

/// The runtime's path in the crate that uses an attribute or a derive, under whatever name it depends on it.
///
/// `chain!` has no need of this: it comes with `$crate`.
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

/// Whether the crate's manifest names the dependency as it is called. Where it does, nobody has to be asked: `crate_name` starts a
/// cargo for the workspace's manifest, which takes as long as a short chain takes rustc.
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

/// The crate that is compiled: a segment says whose it is. Elsewhere the places in its source cannot be shown.
pub(crate) fn compiled_crate() -> String {
    std::env::var("CARGO_CRATE_NAME").unwrap_or_default()
}

/// The life of one run.
pub(crate) fn run_lifetime() -> Lifetime {
    Lifetime::new("'chain_run", Span::mixed_site())
}

/// The life of one call of a hook.
pub(crate) fn call_lifetime() -> Lifetime {
    Lifetime::new("'chain_call", Span::mixed_site())
}

/// The type parameter that stands for the scope.
pub(crate) fn scope_parameter() -> Ident {
    single("ChainScope")
}

/// The scope struct of a chain, and of each block in it: `ScopeOfGateway`, `Block1OfGateway`.
pub(crate) fn scope_of(chain: &Ident, level: usize) -> Ident {
    let span = Span::mixed_site().located_at(chain.span());
    match level {
        0 => format_ident!("ScopeOf{}", unraw(chain), span = span),
        block => format_ident!("Block{block}Of{}", unraw(chain), span = span),
    }
}

/// A static beside a chain: `NodesOfGateway`.
pub(crate) fn static_of(what: &str, chain: &Ident) -> Ident {
    format_ident!("{what}Of{}", unraw(chain), span = Span::mixed_site())
}

/// The constant that says whether a field is a `Reloadable`.
pub(crate) fn version_by(chain: &crate::ast::Chain, field: usize) -> Ident {
    static_of(&format!("Version{field}"), &chain.name)
}

/// A level of pressure, as the runtime has it.
pub(crate) fn level(level: crate::ast::Level) -> Ident {
    single(&format!("{level:?}"))
}

/// A page of a long row's loans.
pub(crate) fn page_of(scope: &Ident, index: usize) -> Ident {
    format_ident!("Page{index}Of{scope}", span = Span::mixed_site())
}

/// The local that holds such a page.
pub(crate) fn page_local(level: usize, index: usize) -> Ident {
    Ident::new(&format!("page{level}_{index}"), Span::mixed_site())
}

/// A local of the generated body, which the user's code cannot see.
pub(crate) fn local(name: &str, index: usize) -> Ident {
    Ident::new(&format!("{name}{index}"), Span::mixed_site())
}

/// The local that holds what the node at this position provides, shown at the node: rustc points there when it keeps
/// the future from being `Send`.
pub(crate) fn held(index: usize, at: Span) -> Ident {
    Ident::new(&format!("held{index}"), Span::mixed_site().located_at(at))
}

/// The local that has what a pattern bound, shown at its name there. Two patterns, one in an arm of the other, may use one name.
pub(crate) fn bound(index: usize, at: Span) -> Ident {
    Ident::new(&format!("bound{index}"), Span::mixed_site().located_at(at))
}

/// An input as `run` names it: as the user does, and out of reach for what the user's patterns bind.
pub(crate) fn input(name: &Ident) -> Ident {
    let mut input = name.clone();
    input.set_span(Span::mixed_site().located_at(name.span()));
    input
}

/// A local that there is one of.
pub(crate) fn single(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// The label of what stands behind the node at this position, up to its way out.
pub(crate) fn label(index: usize) -> Lifetime {
    Lifetime::new(&format!("'behind{index}"), Span::mixed_site())
}

/// The label of a row.
pub(crate) fn row_label(level: usize) -> Lifetime {
    Lifetime::new(&format!("'row{level}"), Span::mixed_site())
}

/// The label of a part of a very long row, which begins with this piece.
pub(crate) fn part_label(at: usize) -> Lifetime {
    Lifetime::new(&format!("'part{at}"), Span::mixed_site())
}

/// A label that there is one of.
pub(crate) fn label_of(name: &str) -> Lifetime {
    Lifetime::new(&format!("'{name}"), Span::mixed_site())
}

/// An identifier as a person writes it in prose: without `r#`.
pub(crate) fn unraw(ident: &Ident) -> String {
    let name = syn::ext::IdentExt::unraw(ident).to_string();
    name.strip_prefix(BINDING).map_or_else(|| name.clone(), str::to_owned)
}

/// What the name of a segment's binding begins with in a chain.
const BINDING: &str = "__chain_binding_";

/// The name in a chain for what a segment's pattern binds.
pub(crate) fn binding_of_segment(name: &Ident) -> Ident {
    format_ident!("{BINDING}{}", unraw(name), span = name.span())
}

/// What generated code calls the runtime: an alias of `$crate`, which can stand at any token of the user's. A path that
/// begins with `$crate` itself would drag each error about it to the whole `chain!`.
pub(crate) fn alias(at: Span) -> Ident {
    Ident::new("chain_runtime_of_chain", at)
}

/// The same where no token of the user's is concerned.
pub(crate) fn runtime_alias() -> Ident {
    alias(Span::call_site())
}

/// These tokens, shown at another place. What their names mean stays as it was.
pub(crate) fn shown_at(tokens: TokenStream, at: Span) -> TokenStream {
    let moved = tokens.into_iter().map(|mut token| {
        if let proc_macro2::TokenTree::Group(group) = &token {
            let mut inner = proc_macro2::Group::new(group.delimiter(), shown_at(group.stream(), at));
            inner.set_span(group.span().located_at(at));
            return inner.into();
        }
        token.set_span(token.span().located_at(at));
        token
    });
    moved.collect()
}

/// These tokens, as if the user had written them at this place: an error about them does not mention a macro.
///
/// Not for tokens that name a local or a label, which would then be the user's.
pub(crate) fn as_if_at(tokens: TokenStream, at: Span) -> TokenStream {
    let moved = tokens.into_iter().map(|mut token| {
        match &token {
            proc_macro2::TokenTree::Group(group) => {
                let mut inner = proc_macro2::Group::new(group.delimiter(), as_if_at(group.stream(), at));
                inner.set_span(at);
                return inner.into();
            }
            // Which crate `$crate` is, its span alone says.
            proc_macro2::TokenTree::Ident(word) if word == "$crate" => {
                let span = word.span().located_at(at);
                token.set_span(span);
            }
            _ => token.set_span(at),
        }
        token
    });
    moved.collect()
}

/// An impl whose header and end are as if the user had written them at this place; its items stay what they are.
pub(crate) fn impl_at(header: TokenStream, clause: &TokenStream, items: TokenStream, at: Span) -> TokenStream {
    item_at(&quote!(#[automatically_derived] #header), clause, items, at)
}

/// The same for any item with braces.
pub(crate) fn item_at(header: &TokenStream, clause: &TokenStream, items: TokenStream, at: Span) -> TokenStream {
    let header = as_if_at(quote!(#header), at);
    let mut items = proc_macro2::Group::new(proc_macro2::Delimiter::Brace, items);
    items.set_span(at);
    quote!(#header #clause #items)
}

/// `local.member = value;`, as if the user had written it at this place, but for the names of locals. The parentheses are what
/// rustc takes the place of the whole from.
pub(crate) fn assign_at(local: &Ident, member: &TokenStream, value: &TokenStream, at: Span) -> TokenStream {
    let in_parentheses = |tokens: TokenStream| {
        let mut group = proc_macro2::Group::new(proc_macro2::Delimiter::Parenthesis, tokens);
        group.set_span(at);
        group
    };
    let local = in_parentheses(quote!(#local));
    let value = in_parentheses(value.clone());
    let member = as_if_at(member.clone(), at);
    quote_spanned!(at=> #local.#member = #value;)
}

/// An item's name where it is emitted beside the user's own of that name: lints about it are not for the user.
pub(crate) fn emitted(name: &Ident) -> Ident {
    let span = Span::call_site().located_at(name.span());
    // A word that is none of the language in the user's edition may be one in that of the macro.
    if ["async", "await", "dyn", "gen", "try"].iter().any(|word| name == word) {
        return Ident::new_raw(&name.to_string(), span);
    }
    let mut emitted = name.clone();
    emitted.set_span(span);
    emitted
}

/// Lints are for what the user wrote; this was not.
///
/// `warnings` are those that are at `warn`: what the user's crate denies has to be named. What it forbids cannot be
/// allowed again, so nothing is named that people forbid.
pub(crate) fn hushed() -> TokenStream {
    quote! {
        #[allow(
            warnings,
            deprecated,
            unused,
            nonstandard_style,
            elided_lifetimes_in_paths,
            explicit_outlives_requirements,
            missing_copy_implementations,
            missing_debug_implementations,
            refining_impl_trait,
            single_use_lifetimes,
            trivial_casts,
            unused_lifetimes,
            unused_qualifications,
            unused_results,
            clippy::all,
            clippy::pedantic,
            clippy::nursery,
            clippy::restriction
        )]
    }
}

/// The same for a node's traits, but for what is never used: what is under that, counts as used.
pub(crate) fn hushed_of_a_node() -> TokenStream {
    quote! {
        #[allow(
            deprecated,
            nonstandard_style,
            elided_lifetimes_in_paths,
            explicit_outlives_requirements,
            mismatched_lifetime_syntaxes,
            missing_copy_implementations,
            missing_debug_implementations,
            private_bounds,
            private_interfaces,
            refining_impl_trait,
            single_use_lifetimes,
            trivial_casts,
            unreachable_code,
            unused_assignments,
            unused_imports,
            unused_labels,
            unused_lifetimes,
            unused_macros,
            unused_must_use,
            unused_mut,
            unused_parens,
            unused_qualifications,
            unused_results,
            unused_unsafe,
            unused_variables,
            clippy::all,
            clippy::pedantic,
            clippy::nursery,
            clippy::restriction
        )]
    }
}

/// The same for what a chain becomes, in which patterns, guards and expressions of the user's stand, and paths of nodes: what rustc says of these,
/// the user shall hear.
///
/// Of tokens that are the macro's rustc says nothing, since they come from another crate. What is left are tokens of the macro's that are
/// shown as the user's, so that errors about them read well, and they can be lint for these reasons alone.
pub(crate) fn hushed_but_the_users() -> TokenStream {
    quote! {
        #[allow(
            dead_code,
            dropping_copy_types,
            dropping_references,
            elided_lifetimes_in_paths,
            explicit_outlives_requirements,
            missing_copy_implementations,
            missing_debug_implementations,
            private_interfaces,
            refining_impl_trait,
            single_use_lifetimes,
            unreachable_code,
            unreachable_pub,
            unused_imports,
            unused_lifetimes,
            unused_parens,
            unused_qualifications,
            unused_results,
            clippy::too_many_arguments,
            clippy::pedantic,
            clippy::nursery,
            clippy::restriction
        )]
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
