//! A desk: it asks the library's `Door`, whose errors are replies already.

use chain_library::{Door, Store, Stranger, Visitor};
use chained::{chain, node};
use http::{Request, Response, header};

/// The token, as the request has it.
#[node]
fn token(request: &Request<()>) -> Result<&str, Stranger> {
    let value = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    Ok(value.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default())
}

#[node]
fn answer(visitor: &Visitor) -> Response<String> {
    Response::new(format!("number {}", visitor.id))
}

/// Where everybody has the number that the token says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Numbers;

impl Store for Numbers {
    fn find(&self, token: &str) -> Option<Visitor> {
        token.parse().ok().map(|id| Visitor { id })
    }
}

chain! {
    /// Says who somebody is, by any store.
    #[check(Numbers)]
    #[derive(Debug)]
    pub struct Desk<S: Store> {
        /// Who may ask.
        pub door: Door<S>,
    }

    fn(request: &Request<()>) -> Response<String> { token => door => answer }
}
