//! The example of README.md, which `.ci/run` compares with this file.

use std::time::Instant;

use chain_runtime::{IntoReply, chain, node};

/// Provides the user to the nodes after it, or breaks with a 401.
#[node]
async fn auth(request: &Request, keys: &Keys) -> Result<User, Refused> {
    if request.token == keys.ada { Ok(User("Ada")) } else { Err(Refused(401)) }
}

/// Breaks with a 429 where the limiter says so. Provides nothing.
#[node]
fn ratelimit(user: &User, limiter: &Limiter) -> Result<(), Refused> {
    if limiter.allows(user) { Ok(()) } else { Err(Refused(429)) }
}

/// Sees each request on its way in and on its way out.
#[node]
impl AccessLog {
    fn enter(&self) -> Instant {
        Instant::now()
    }
    fn exit(&self, started: &Instant, request: &Request, reply: &Response) {
        println!("{} {} in {:?}", reply.status, request.path, started.elapsed());
    }
    fn cancelled(&self, started: &Instant) {
        println!("cancelled after {:?}", started.elapsed());
    }
}

/// The last node gives the reply.
#[node]
async fn answer(request: &Request, user: &User) -> Response {
    Response { status: 200, body: format!("{} for {}", request.path, user.0) }
}

chain! {
    /// Every request passes through here.
    pub struct Gateway {
        keys: Keys,       // lent to any node that asks for `&Keys`
        limiter: Limiter,
        log: AccessLog,   // a field that is a node is used under its name
    }

    async fn(request: Request) -> Response {
        log => auth => ratelimit => answer
    }
}

#[tokio::main]
async fn main() {
    let gateway = Gateway { keys: Keys { ada: "lovelace" }, limiter: Limiter, log: AccessLog };
    let reply = gateway.run(Request { token: "lovelace", path: "/" }).await;
    println!("{}", reply.body);
}

/// What a node breaks with, and how it becomes the reply.
struct Refused(u16);

impl IntoReply<Response> for Refused {
    fn into_reply(self) -> Response {
        Response { status: self.0, body: String::new() }
    }
}

struct Request {
    token: &'static str,
    path: &'static str,
}

struct Response {
    status: u16,
    body: String,
}

struct User(&'static str);

struct AccessLog;

struct Keys {
    ada: &'static str,
}

struct Limiter;

impl Limiter {
    fn allows(&self, user: &User) -> bool {
        user.0 == "Ada"
    }
}
