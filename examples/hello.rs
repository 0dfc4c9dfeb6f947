//! The smallest chain that has everything: a node that breaks, a node with hooks, a node that replies.
//!
//! `hello_expanded.rs` is the same program with what `chain!` and `#[node]` make of it, written out.

use chain_runtime::{IntoReply, chain, node};

struct Request {
    path: &'static str,
    token: &'static str,
}

struct Keys {
    ada: &'static str,
}

struct User(&'static str);
struct Unauthorized;
struct Started(&'static str);

impl IntoReply<String> for Unauthorized {
    fn into_reply(self) -> String {
        "401 who are you?".to_owned()
    }
}

/// Provides the user, or breaks.
#[node]
async fn auth(request: &Request, keys: &Keys) -> Result<User, Unauthorized> {
    tokio::task::yield_now().await;
    if request.token == keys.ada { Ok(User("Ada")) } else { Err(Unauthorized) }
}

/// Sees each request on its way in, and its reply on the way out.
struct Log;

#[node]
impl Log {
    fn enter(&self, request: &Request) -> Started {
        println!("  log: {} begins", request.path);
        Started(request.path)
    }

    fn exit(&self, started: &Started, reply: &String) {
        println!("  log: {} ends with `{reply}`", started.0);
    }
}

/// The last node gives the reply.
#[node]
fn greet(user: &User) -> String {
    format!("200 hello, {}", user.0)
}

chain! {
    /// Greets those who are known.
    struct Hello {
        keys: Keys,
        log: Log,
    }

    async fn(request: Request) -> String {
        log => auth => greet
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let hello = Hello { keys: Keys { ada: "lovelace" }, log: Log };
    for token in ["lovelace", "babbage"] {
        println!("token `{token}`:");
        let reply = hello.run(Request { path: "/", token }).await;
        println!("  reply: {reply}");
    }
}
