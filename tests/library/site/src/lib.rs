//! A site: it takes the library's segment in, and says what its errors look like here.

use std::sync::Arc;

use chain_library::{Carries, Full, Limit, Store, Stranger, Visitor, Visitors, entrance};
use chain_runtime::{IntoReply, chain, node};

/// What is asked for.
#[derive(Debug)]
pub struct Request {
    /// Of the page.
    pub path: &'static str,
    /// Of the visitor.
    pub token: Option<&'static str>,
}

impl Carries for Request {
    fn token(&self) -> Option<&str> {
        self.token
    }
}

/// A status and a text.
#[derive(Debug, PartialEq, Eq)]
pub struct Reply(pub u16, pub String);

impl IntoReply<Reply> for Full {
    fn into_reply(self) -> Reply {
        Reply(503, "come back later".to_owned())
    }
}

impl IntoReply<Reply> for Stranger {
    fn into_reply(self) -> Reply {
        Reply(401, "who are you?".to_owned())
    }
}

/// Knows two.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory;

impl Store for Memory {
    fn find(&self, token: &str) -> Option<Visitor> {
        let id = ["ada", "bob"].iter().position(|known| *known == token)?;
        Some(Visitor { id: id as u64 })
    }
}

#[node]
fn page(request: &Request, visitor: &Visitor) -> Reply {
    Reply(200, format!("{} for {}", request.path, visitor.id))
}

#[node]
async fn count(visitor: &Visitor) -> Reply {
    Reply(200, format!("you are number {}", visitor.id))
}

chain! {
    /// Pages for those who are known.
    #[derive(Debug)]
    pub struct Pages {
        /// Shared with `Counts`.
        pub limit: Arc<Limit>,
        /// Who is known.
        pub visitors: Visitors<Memory>,
    }

    fn(request: Request) -> Reply { limit => chain_library::visitor::<Request, Memory> => page }
}

chain! {
    /// Which number a visitor has.
    #[derive(Debug)]
    pub struct Counts {
        /// Of its own.
        pub limit: Limit,
        /// Who is known.
        pub visitors: Visitors<Memory>,
    }

    async fn(request: Request) -> Reply { ..entrance::<Request, Memory> => count }
}
