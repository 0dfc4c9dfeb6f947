//! What the tests of the ready nodes share.

use http::Request;
use http::request::Parts;

/// A head with these fields.
#[must_use]
pub fn head(fields: &[(&str, &str)]) -> Parts {
    let mut request = Request::get("/");
    for (name, value) in fields {
        request = request.header(*name, value.as_bytes());
    }
    request.body(()).expect("a request").into_parts().0
}
