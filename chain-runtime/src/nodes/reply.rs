//! [`Reply`]: what ready nodes need of a chain's reply on their way out.

use http::{HeaderMap, Response, StatusCode};

/// A reply with a head, whatever its body. It is implemented for `http::Response<B>`. Implement it for a reply of your
/// own that contains one.
#[diagnostic::on_unimplemented(
    message = "chain[E808]: `{Self}` has no head that this ready node could read or write",
    label = "is no `http::Response`",
    note = "ready nodes want an `http::Response<B>`; for a reply of your own around one, implement `chain_runtime::nodes::Reply`"
)]
pub trait Reply {
    /// Its status.
    fn status(&self) -> StatusCode;
    /// Its fields, mutable.
    fn headers_mut(&mut self) -> &mut HeaderMap;
}

impl<B> Reply for Response<B> {
    fn status(&self) -> StatusCode {
        self.status()
    }

    fn headers_mut(&mut self) -> &mut HeaderMap {
        self.headers_mut()
    }
}
