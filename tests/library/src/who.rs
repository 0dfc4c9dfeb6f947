//! Who visits.

use chain_runtime::node;

/// What carries the token of a visitor. Implement it for your requests.
pub trait Carries {
    /// The token, if there is one.
    fn token(&self) -> Option<&str>;
}

/// Where visitors are known.
pub trait Store {
    /// The visitor who has this token.
    fn find(&self, token: &str) -> Option<Visitor>;
}

/// A field that has a store. It is a type of its own, since a chain finds a field by its type, and cannot find one whose type may be any.
#[derive(Clone, Copy, Debug, Default)]
pub struct Visitors<S>(pub S);

/// Who visits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visitor {
    /// What the store knows the visitor by.
    pub id: u64,
}

/// Nobody knows the visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stranger;

/// Finds out who sends a request: `visitor::<Request, Memory>`.
#[node]
pub fn visitor<R: Carries, S: Store>(request: &R, visitors: &Visitors<S>) -> Result<Visitor, Stranger> {
    request.token().and_then(|token| visitors.0.find(token)).ok_or(Stranger)
}

/// Finds out whose token it is.
#[node]
pub fn known<S: Store>(token: &str, visitors: &Visitors<S>) -> Result<Visitor, Stranger> {
    visitors.0.find(token).ok_or(Stranger)
}
