//! Collects what is wrong, so that three mistakes are three errors in one build.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// The errors of one phase. It must be asked for its [`verdict`](Self::verdict): dropping it unasked is a bug
/// of this crate, and panics (an idea of serde_derive's `Ctxt`).
pub(crate) struct Diagnostics {
    errors: Vec<syn::Error>,
    asked: bool,
}

impl Diagnostics {
    pub(crate) fn new() -> Self {
        Self { errors: Vec::new(), asked: false }
    }

    /// `what` is wrong at this token, and `help` says how to put it right.
    pub(crate) fn error(&mut self, at: impl ToTokens, what: impl std::fmt::Display, help: impl std::fmt::Display) {
        self.errors.push(syn::Error::new_spanned(at, format!("{what}\n  help: {help}")));
    }

    /// The same where there is no token to point at, only a place.
    pub(crate) fn error_at(&mut self, at: Span, what: impl std::fmt::Display, help: impl std::fmt::Display) {
        self.errors.push(syn::Error::new(at, format!("{what}\n  help: {help}")));
    }

    /// An error that syn found.
    pub(crate) fn push(&mut self, error: syn::Error) {
        self.errors.push(error);
    }

    /// The value, or `None` with the error noted.
    pub(crate) fn ok<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// All errors as `compile_error!`s; `None` where there are none.
    pub(crate) fn verdict(mut self) -> Option<TokenStream> {
        self.asked = true;
        if self.errors.is_empty() {
            return None;
        }
        Some(self.errors.iter().map(syn::Error::to_compile_error).collect())
    }
}

impl Drop for Diagnostics {
    fn drop(&mut self) {
        assert!(self.asked || std::thread::panicking(), "chain-macros: diagnostics were dropped unasked");
    }
}
