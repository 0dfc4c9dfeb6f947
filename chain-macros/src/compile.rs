//! The pipeline, on one screen.

use proc_macro2::TokenStream;

use crate::diagnostics::Diagnostics;
use crate::{check, expand, parse, plan};

/// Compiles one `chain!`: parse, check, plan, expand. Each phase gathers all of its errors before the next
/// begins; after an error the chain's type is kept alive, so that nothing else in the user's crate lights up.
pub(crate) fn chain(tokens: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::new();
    let chain = parse::chain(tokens, &mut diagnostics);
    if let Some(chain) = &chain {
        check::chain(chain, &mut diagnostics);
    }
    match (chain, diagnostics.verdict()) {
        (Some(chain), None) => expand::chain(&plan::plan(&chain)),
        (Some(chain), Some(errors)) => expand::kept_alive(&chain, &errors),
        (None, errors) => errors.unwrap_or_default(),
    }
}
