//! The pipeline, on one screen.

use proc_macro2::TokenStream;
use quote::quote;

use crate::diagnostics::Diagnostics;
use crate::{again, check, expand, parse, plan};

/// Compiles one `chain!`: parse, check, plan, expand. Each phase gathers all of its errors before the next
/// begins; after an error the chain's type is kept alive, so that nothing else in the user's crate lights up.
pub(crate) fn chain(tokens: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::new();
    let chain = match parse::declaration(tokens, &mut diagnostics) {
        None => None,
        Some((runtime, declaration)) => {
            if let Some(expanded) = again::expand(&runtime, &declaration) {
                diagnostics.verdict();
                return expanded;
            }
            if again::is_segment(&declaration) {
                let segment = again::declare(declaration, &mut diagnostics).unwrap_or_default();
                let errors = diagnostics.verdict();
                return quote!(#segment #errors);
            }
            parse::chain(runtime, declaration, &mut diagnostics)
        }
    };
    if let Some(chain) = &chain {
        check::chain(chain, &mut diagnostics);
    }
    match (chain, diagnostics.verdict()) {
        (Some(chain), None) => expand::chain(&plan::plan(&chain)),
        (Some(chain), Some(errors)) => expand::kept_alive(&chain, &errors),
        (None, errors) => errors.unwrap_or_default(),
    }
}
