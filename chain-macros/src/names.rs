//! The only folder that spells a path into the runtime, or makes up an identifier.

mod crates;
mod lints;
mod places;

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::format_ident;
use syn::{Ident, Lifetime};

pub(crate) use crates::{compiled_crate, runtime, vis_beside};
pub(crate) use lints::{hushed, hushed_but_the_users, hushed_of_a_node, is_clippy};
pub(crate) use places::{as_if_at, assign_at, impl_at, item_at, items_as_if_at, path_at, shown_at};

/// The lifetime of one run.
pub(crate) fn run_lifetime() -> Lifetime {
    Lifetime::new("'chain_run", Span::mixed_site())
}

/// The lifetime of one call of a hook.
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
pub(crate) fn version_by(chain: &Ident, field: usize) -> Ident {
    static_of(&format!("Version{field}"), chain)
}

/// The alias of a field's type in the body of `run`. With it, a type that does not exist is one error, where the field
/// is declared, whatever is said of the field at other places. A type with arguments has none: it may depend on the
/// chain's parameters.
pub(crate) fn field_type(chain: &crate::ast::Chain, field: usize) -> Option<Ident> {
    let is_plain = match crate::types::ungrouped(&chain.fields[field].ty) {
        syn::Type::Path(ty) => ty.qself.is_none() && ty.path.segments.iter().all(|part| part.arguments.is_none()),
        _ => false,
    };
    let at = syn::spanned::Spanned::span(&chain.fields[field].ty);
    let alias = || format_ident!("Field{field}Of{}", unraw(&chain.name), span = at);
    (is_plain && chain.generics.params.is_empty()).then(alias)
}

/// The name under which the type of a field that is a node is imported beside the chain. The chain's struct names the
/// type by it: so a type that does not exist is one error.
///
/// The place tells apart chains of one name, one of which is in sight where the other stands.
pub(crate) fn imported_field(chain: &crate::ast::Chain, field: usize, place: &str) -> Ident {
    let at = syn::spanned::Spanned::span(&chain.fields[field].ty);
    format_ident!("__chain_field{field}_of_{}{place}", unraw(&chain.name), span = at)
}

/// The name of that type's macro, if it has one.
pub(crate) fn asked_field(chain: &crate::ast::Chain, field: usize, place: &str) -> Ident {
    format_ident!("__chain_asked{field}_of_{}{place}", unraw(&chain.name))
}

/// The same for a type that the row names.
pub(crate) fn asked_type(chain: &crate::ast::Chain, at: usize, place: &str) -> Ident {
    format_ident!("__chain_asked_type{at}_of_{}{place}", unraw(&chain.name))
}

/// A level of pressure, under the runtime's name.
pub(crate) fn level(level: impl std::fmt::Debug) -> Ident {
    single(&format!("{level:?}"))
}

/// Says whether a node takes the value of the node at this position.
pub(crate) fn way(position: usize) -> Ident {
    local("Way", position)
}

/// The same for the value that a pattern binds.
pub(crate) fn way_of_binding(position: usize) -> Ident {
    local("WayOfBinding", position)
}

/// The same for the value of a block.
pub(crate) fn way_of_block(block: usize) -> Ident {
    local("WayOfBlock", block)
}

/// A page of loans in a long row.
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

/// The local that holds the value of the node at this position, at the node's token: rustc points there if the value
/// keeps the future from being `Send`.
pub(crate) fn held(index: usize, at: Span) -> Ident {
    Ident::new(&format!("held{index}"), Span::mixed_site().located_at(at))
}

/// The local for this block's value, at the token of its type.
pub(crate) fn given(block: usize, at: Span) -> Ident {
    Ident::new(&format!("given{block}"), Span::mixed_site().located_at(at))
}

/// The local that holds what a pattern bound, at the binding's token. Two patterns may use one name, if one stands in
/// an arm of the other.
pub(crate) fn bound(index: usize, at: Span) -> Ident {
    Ident::new(&format!("bound{index}"), Span::mixed_site().located_at(at))
}

/// An input as `run` names it: the user's name, but out of reach for the bindings of the user's patterns.
pub(crate) fn input(name: &Ident) -> Ident {
    let mut input = name.clone();
    input.set_span(Span::mixed_site().located_at(name.span()));
    input
}

/// A pattern of the user's, in which these bindings are out of reach for the user's names around it.
pub(crate) fn out_of_reach(pattern: TokenStream, bindings: &[Ident]) -> TokenStream {
    if bindings.is_empty() {
        return pattern;
    }
    let hidden = pattern.into_iter().map(|token| match token {
        TokenTree::Ident(name) if bindings.contains(&name) => TokenTree::Ident(input(&name)),
        TokenTree::Group(group) => {
            let mut hidden = Group::new(group.delimiter(), out_of_reach(group.stream(), bindings));
            hidden.set_span(group.span());
            TokenTree::Group(hidden)
        }
        other => other,
    });
    hidden.collect()
}

/// `$`, for a macro by example that makes one.
pub(crate) fn dollar() -> proc_macro2::Punct {
    proc_macro2::Punct::new('$', proc_macro2::Spacing::Alone)
}

/// The name of a constant without a name, at this place. If a type in a constant does not exist, rustc helps to add a
/// parameter to the constant, in other words for each mention: but not behind a name that is the macro's.
pub(crate) fn unnamed(at: Span) -> Ident {
    Ident::new("_", Span::call_site().located_at(at))
}

/// The type parameter of functions beside a scope, which means nothing. Where it stands it may be the user's word to rustc.
pub(crate) fn any_parameter() -> Ident {
    single("ChainAny")
}

/// A local of which there is only one.
pub(crate) fn single(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// A name that no other macro of the crate has: exported macros share one namespace.
///
/// Items of one name in one file differ by the order in which they are expanded, which is the same in each build of the
/// same source. Their places in the file are not part of the name: with them, a change in one item would change the
/// names behind it, and rustc would check again all chains that name these.
pub(crate) fn unique(what: &str, name: &Ident) -> Ident {
    use std::collections::HashMap;
    use std::hash::{DefaultHasher, Hash, Hasher};
    use std::sync::{LazyLock, Mutex, PoisonError};
    /// How many there were, by file and by what and whose name it is.
    static MADE: LazyLock<Mutex<HashMap<u64, u64>>> = LazyLock::new(Mutex::default);

    let text = unraw(name);
    let file = proc_macro::is_available().then(|| name.span().unwrap().file());
    let mut hasher = DefaultHasher::new();
    (&file, what, &text).hash(&mut hasher);
    let key = hasher.finish();
    // Outside of rustc, a test expands the same twice.
    let number = file.map_or(0, |_| {
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let number = made.entry(key).or_default();
        *number += 1;
        *number
    });
    // An odd factor: no two numbers come to the same.
    let unique = key.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    format_ident!("__chain_{what}_{text}_{unique:x}", span = Span::call_site())
}

/// The local for what a node gave or broke with, at the node's token: rustc points there if it cannot become what it
/// has to be.
pub(crate) fn value_at(at: Span) -> Ident {
    Ident::new("value", Span::mixed_site().located_at(at))
}

/// The label of the block after the node at this position, which ends with the node's way out.
pub(crate) fn label(index: usize) -> Lifetime {
    Lifetime::new(&format!("'behind{index}"), Span::mixed_site())
}

/// The label of the way in of a node without which the run may go on.
pub(crate) fn open_label(index: usize) -> Lifetime {
    Lifetime::new(&format!("'open{index}"), Span::mixed_site())
}

/// The label of a row.
pub(crate) fn row_label(level: usize) -> Lifetime {
    Lifetime::new(&format!("'row{level}"), Span::mixed_site())
}

/// The label of the part of a very long row that begins with this piece.
pub(crate) fn part_label(at: usize) -> Lifetime {
    Lifetime::new(&format!("'part{at}"), Span::mixed_site())
}

/// A label of which there is only one.
pub(crate) fn label_of(name: &str) -> Lifetime {
    Lifetime::new(&format!("'{name}"), Span::mixed_site())
}

/// An identifier as a person writes it in prose: without `r#`.
pub(crate) fn unraw(ident: &Ident) -> String {
    let name = syn::ext::IdentExt::unraw(ident).to_string();
    name.strip_prefix(BINDING).map_or_else(|| name.clone(), str::to_owned)
}

/// The beginning of the name that a segment's binding has in a chain.
const BINDING: &str = "__chain_binding_";

/// The name that a chain gives to a binding in a segment's pattern.
pub(crate) fn binding_of_segment(name: &Ident) -> Ident {
    format_ident!("{BINDING}{}", unraw(name), span = name.span())
}

/// The name of the runtime in generated code: an alias of `$crate`, which can have the span of any token of the user's.
/// With a path that begins with `$crate` itself, each error would point at the whole `chain!`.
pub(crate) fn alias(at: Span) -> Ident {
    Ident::new("chain_runtime_of_chain", at)
}

/// Whether a function of this name has a macro beside it, if it is a node. Its name has to look like a function's, and
/// must not be that of a macro or an attribute that is known everywhere or imported by many.
pub(crate) fn has_macro(name: &Ident) -> bool {
    const KNOWN: &[&str] = &[
        "allow",
        "assert",
        "assert_eq",
        "assert_ne",
        "automatically_derived",
        "bench",
        "cfg",
        "cfg_attr",
        "cold",
        "column",
        "compile_error",
        "concat",
        "dbg",
        "debug",
        "debug_assert",
        "debug_assert_eq",
        "debug_assert_ne",
        "deny",
        "deprecated",
        "derive",
        "doc",
        "env",
        "eprint",
        "eprintln",
        "error",
        "event",
        "expect",
        "feature",
        "file",
        "forbid",
        "format",
        "format_args",
        "global_allocator",
        "ignore",
        "include",
        "include_bytes",
        "include_str",
        "info",
        "inline",
        "instrument",
        "join",
        "json",
        "line",
        "link",
        "link_name",
        "log",
        "macro_export",
        "macro_rules",
        "macro_use",
        "main",
        "matches",
        "module_path",
        "must_use",
        "no_mangle",
        "node",
        "non_exhaustive",
        "option_env",
        "panic",
        "path",
        "pin",
        "print",
        "println",
        "ready",
        "recursion_limit",
        "repr",
        "select",
        "should_panic",
        "span",
        "stringify",
        "test",
        "thread_local",
        "todo",
        "trace",
        "track_caller",
        "try",
        "try_join",
        "unimplemented",
        "unreachable",
        "used",
        "vec",
        "warn",
        "write",
        "writeln",
    ];
    let text = unraw(name);
    !begins_like_a_type(&text) && KNOWN.binary_search(&text.as_str()).is_err()
}

/// Whether a type with hooks of this name has a macro beside it. There are macros of these names everywhere, to derive
/// what they name.
pub(crate) fn may_have_a_macro(name: &Ident) -> bool {
    const KNOWN: &[&str] =
        &["Clone", "Copy", "Debug", "Default", "Eq", "From", "Hash", "Ord", "PartialEq", "PartialOrd", "Reset"];
    let text = unraw(name);
    begins_like_a_type(&text) && KNOWN.binary_search(&text.as_str()).is_err()
}

/// Whether a name begins with a capital letter. A letter of a script without capital letters is none.
pub(crate) fn begins_like_a_type(name: &str) -> bool {
    name.starts_with(char::is_uppercase)
}

/// Whether a name begins with a letter that is neither capital nor small: it may be that of a type or of a function.
pub(crate) fn begins_like_both(name: &str) -> bool {
    name.starts_with(|first: char| first != '_' && !first.is_uppercase() && !first.is_lowercase())
}

/// The same, where no token of the user's is involved.
pub(crate) fn runtime_alias() -> Ident {
    alias(Span::call_site())
}

/// An item's name, for an item that is emitted beside the user's own item of that name. Lints about it are not for the
/// user.
pub(crate) fn emitted(name: &Ident) -> Ident {
    let span = Span::call_site().located_at(name.span());
    // A word that is not a keyword in the user's edition may be one in the macro's edition.
    let text = name.to_string();
    if ["async", "await", "dyn", "gen", "try"].contains(&text.as_str()) {
        return Ident::new_raw(&text, span);
    }
    let mut emitted = name.clone();
    emitted.set_span(span);
    emitted
}
