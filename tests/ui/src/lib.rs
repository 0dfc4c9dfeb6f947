//! Nodes and types that the compile-fail cases share.

use chain_runtime::{IntoReply, node};

/// What came in.
#[derive(Debug)]
pub struct Request {
    /// Of the page that is asked for.
    pub path: String,
}

/// What goes out.
#[derive(Debug)]
pub struct Reply(pub u16);

/// Who sent the request.
#[derive(Debug)]
pub struct User(pub String);

/// What `auth` looks a user up in.
#[derive(Debug)]
pub struct Keys;

/// Nobody knows who sent the request.
#[derive(Debug)]
pub struct Unauthorized;

impl IntoReply<Reply> for Unauthorized {
    fn into_reply(self) -> Reply {
        Reply(401)
    }
}

/// Provides a `User`.
#[node]
pub async fn auth(request: &Request) -> Result<User, Unauthorized> {
    let name = request.path.strip_prefix("/~").ok_or(Unauthorized)?;
    Ok(User(name.to_owned()))
}

/// Needs a `User`, and gives the reply.
#[node]
pub fn greet(user: &User) -> Reply {
    if user.0.is_empty() { Reply(404) } else { Reply(200) }
}

/// Takes the request, and gives the reply.
#[node]
pub async fn proxy(request: Request) -> Reply {
    drop(request);
    Reply(200)
}
