//! Collects errors, so that three mistakes are three errors in one build. Each begins with its code.

use proc_macro2::{Group, Literal, Span, TokenStream, TokenTree};
use quote::ToTokens;

mod codes;

pub(crate) use codes::Code;

/// The errors of one phase. It must be asked for its [`verdict`](Self::verdict). Dropping it unasked is a bug of this
/// crate, and panics (an idea of serde_derive's `Ctxt`).
pub(crate) struct Diagnostics {
    errors: Vec<syn::Error>,
    asked: bool,
    /// There is a mistake that is reported elsewhere.
    is_known: bool,
}

impl Diagnostics {
    pub(crate) fn new() -> Self {
        Self { errors: Vec::new(), asked: false, is_known: false }
    }

    /// Notes an error at this token: `what` is wrong, and `help` says how to put it right.
    pub(crate) fn error(
        &mut self,
        code: Code,
        at: impl ToTokens,
        what: impl std::fmt::Display,
        help: impl std::fmt::Display,
    ) {
        self.errors.push(code.on(at, format_args!("{what}\n  help: {help}")));
    }

    /// The same, if there is no token to point at but only a place.
    pub(crate) fn error_at(
        &mut self,
        code: Code,
        at: Span,
        what: impl std::fmt::Display,
        help: impl std::fmt::Display,
    ) {
        self.errors.push(code.at(at, format_args!("{what}\n  help: {help}")));
    }

    /// Notes an error that is made already, or that syn found.
    pub(crate) fn push(&mut self, error: syn::Error) {
        self.errors.push(error);
    }

    /// The value, or `None` after noting the error.
    pub(crate) fn ok<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// Notes a mistake that is reported elsewhere. There is a verdict then, with no error of its own.
    pub(crate) fn known(&mut self) {
        self.is_known = true;
    }

    /// Whether there is any mistake so far.
    pub(crate) fn is_any(&self) -> bool {
        self.is_known || !self.errors.is_empty()
    }

    /// How many errors there are so far.
    pub(crate) fn count(&self) -> usize {
        self.errors.len()
    }

    /// All errors as `compile_error!`s; `None` if there are none.
    pub(crate) fn verdict(mut self) -> Option<TokenStream> {
        self.asked = true;
        if !self.is_any() {
            return None;
        }
        Some(self.errors.iter().map(|error| coded(error.to_compile_error())).collect())
    }
}

/// Gives a code to errors without one, which are syn's own.
///
/// The text is changed in the tokens: a new error would lose the end of its place.
fn coded(errors: TokenStream) -> TokenStream {
    let coded = errors.into_iter().map(|token| match token {
        TokenTree::Group(group) => {
            let mut coded = Group::new(group.delimiter(), coded(group.stream()));
            coded.set_span(group.span());
            TokenTree::Group(coded)
        }
        TokenTree::Literal(literal) => match syn::parse2::<syn::LitStr>(literal.to_token_stream()) {
            Ok(text) if !text.value().starts_with(codes::BEGIN) => {
                let mut coded = Literal::string(&format!("{}: {}", Code::E001, text.value()));
                coded.set_span(literal.span());
                TokenTree::Literal(coded)
            }
            _ => TokenTree::Literal(literal),
        },
        other => other,
    });
    coded.collect()
}

impl Drop for Diagnostics {
    fn drop(&mut self) {
        assert!(self.asked || std::thread::panicking(), "chain-macros: diagnostics were dropped unasked");
    }
}
