//! [`Reply`]: what ready nodes ask of a chain's reply on their way out.

use http::{HeaderMap, Response, StatusCode};

/// A reply with a head, whatever its body. Implemented for `http::Response<B>`; implement it for a reply of your own around one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no head that this ready node could read or write",
    label = "is no `http::Response`",
    note = "ready nodes want an `http::Response<B>`; for a reply of your own around one, implement `chain_runtime::nodes::Reply`"
)]
pub trait Reply {
    /// Its status.
    fn status(&self) -> StatusCode;
    /// Its fields, to change.
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
