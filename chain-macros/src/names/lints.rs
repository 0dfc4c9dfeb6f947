//! The lints that are not for the user, of what is emitted.

use std::sync::LazyLock;

use proc_macro2::TokenStream;
use quote::quote;

/// Whether clippy compiles the user's crate. To rustc, its lints are only work: it looks for each name.
pub(crate) fn is_clippy() -> bool {
    static IS: LazyLock<bool> = LazyLock::new(|| {
        let program = std::env::current_exe().ok();
        program.and_then(|path| Some(path.file_name()?.to_str()?.contains("clippy"))).unwrap_or(false)
    });
    *IS
}

/// Allows all of clippy's lints, where there are any.
fn of_clippy() -> Option<TokenStream> {
    is_clippy().then(|| quote!(#[allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]))
}

/// Lints are for the user's code. This is not the user's code.
///
/// `warnings` are the lints at `warn`. A lint that the user's crate denies has to be named. One that it forbids cannot
/// be allowed again, so no lint is named that people forbid.
pub(crate) fn hushed() -> TokenStream {
    let of_clippy = of_clippy();
    quote! {
        #of_clippy
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
            unused_results
        )]
    }
}

/// The same for a node's traits, without `dead_code`: whatever an item under `allow(dead_code)` uses counts as used.
pub(crate) fn hushed_of_a_node() -> TokenStream {
    let of_clippy = of_clippy();
    quote! {
        #of_clippy
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
            unused_variables
        )]
    }
}

/// The same for the expansion of a chain. It contains the user's patterns, guards and expressions, and the paths of
/// nodes. The user should see lints about these.
///
/// rustc says nothing about tokens of the macro, since they come from another crate. What remains are tokens of the
/// macro that are shown as the user's so that errors about them read well. These can only cause the following lints.
pub(crate) fn hushed_but_the_users() -> TokenStream {
    let of_clippy = is_clippy().then(|| {
        quote! {
            #[allow(
                clippy::blocks_in_conditions,
                clippy::borrowed_box,
                clippy::ptr_arg,
                clippy::too_many_arguments,
                clippy::pedantic,
                clippy::nursery,
                clippy::restriction
            )]
        }
    });
    quote! {
        #of_clippy
        #[allow(
            dead_code,
            dropping_copy_types,
            dropping_references,
            elided_lifetimes_in_paths,
            explicit_outlives_requirements,
            missing_copy_implementations,
            missing_debug_implementations,
            non_local_definitions,
            private_interfaces,
            refining_impl_trait,
            single_use_lifetimes,
            unreachable_code,
            unreachable_pub,
            unused_assignments,
            unused_imports,
            unused_lifetimes,
            unused_parens,
            unused_qualifications,
            unused_results
        )]
    }
}
