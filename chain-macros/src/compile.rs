//! The pipeline, on one screen.

use proc_macro2::TokenStream;
use quote::quote;

use crate::ast::Chain;
use crate::diagnostics::Diagnostics;
use crate::{again, check, expand, parse, plan};

/// Compiles one `chain!`: parse, check, plan, expand. Each phase gathers all of its errors before the next
/// begins; after an error the chain's type is kept alive, so that nothing else in the user's crate lights up.
pub(crate) fn chain(tokens: TokenStream) -> TokenStream {
    chain_with(tokens, Diagnostics::new())
}

/// The same, with what is known to be wrong already.
pub(crate) fn chain_with(tokens: TokenStream, mut diagnostics: Diagnostics) -> TokenStream {
    let chain = match parse::declaration(tokens, &mut diagnostics) {
        None => None,
        Some((runtime, declaration)) => {
            let (needs, declaration) = again::needs(declaration);
            if let Some(expanded) = again::expand(&runtime, &needs, &declaration) {
                let errors = diagnostics.verdict();
                return quote!(#expanded #errors);
            }
            if again::is_segment(&declaration) {
                let segment = again::declare(&runtime, declaration, &mut diagnostics).unwrap_or_default();
                let errors = diagnostics.verdict();
                return quote!(#segment #errors);
            }
            let chain = parse::chain(runtime, declaration, &mut diagnostics);
            let (needs, bounds) = again::needed(needs);
            chain.map(|chain| Chain { needs, bounds, ..chain })
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
