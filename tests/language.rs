//! The language: what a declared chain does.

use chain_runtime::{IntoReply, chain, node};

struct Parts {
    path: &'static str,
}
struct Keys(u32);
#[derive(Debug, PartialEq)]
struct User(u32);
struct Unauthorized;
struct Token<'r>(&'r str);

impl IntoReply<String> for Unauthorized {
    fn into_reply(self) -> String {
        "401".to_owned()
    }
}

#[node]
async fn auth(request: &Parts, keys: &Keys) -> Result<User, Unauthorized> {
    tokio::task::yield_now().await;
    if request.path == "/secret" { Err(Unauthorized) } else { Ok(User(keys.0)) }
}

#[node]
fn log(user: &User) {
    let _ = user;
}

#[node]
async fn proxy(request: Parts, user: &mut User) -> String {
    user.0 += 1;
    format!("{} {}", request.path, user.0)
}

chain! {
    /// A gateway.
    pub struct Gateway { keys: Keys }

    async fn(request: Parts) -> String {
        auth => log => proxy
    }
}

#[tokio::test]
async fn a_chain_runs_its_nodes_in_order() {
    let gateway = Gateway { keys: Keys(41) };
    assert_eq!(gateway.run(Parts { path: "/" }).await, "/ 42");
    assert_eq!(gateway.run(Parts { path: "/secret" }).await, "401");
    println!("{}\n{}", Gateway::drawing(), Gateway::drawing().mermaid());
    println!("{} {:?}", Gateway::future_size(), Gateway::node_sizes());
    let f = tokio::spawn(async move { gateway.run(Parts { path: "/" }).await });
    f.await.unwrap();
}

#[node]
fn token<'a>(text: &'a str) -> Token<'a> {
    Token(text)
}
#[node]
fn length(token: &Token<'_>) -> usize {
    token.0.len()
}

chain! {
    struct Borrowing;
    fn<'r>(text: &'r str) -> usize { token => length }
}

#[test]
fn a_node_may_provide_what_borrows_from_an_input() {
    assert_eq!(Borrowing.run("four"), 4);
}

struct Timer;
struct Started(u32);
#[node]
impl Timer {
    fn enter(&self) -> Started {
        Started(7)
    }
    fn exit(&self, started: &Started, reply: &mut String, ending: &chain_runtime::Ending) {
        reply.push_str(&format!(" {} {}", started.0, ending));
    }
    fn cancelled(&self, started: &mut Started, keys: &Keys) {
        started.0 += keys.0;
        println!("cancelled {}", started.0);
    }
}

chain! {
    struct Hooked { timer: Timer, keys: Keys }
    async fn(request: Parts) -> String { timer => auth => proxy }
}

#[tokio::test]
async fn hooks() {
    let chain = Hooked { timer: Timer, keys: Keys(1) };
    assert_eq!(chain.run(Parts { path: "/" }).await, "/ 2 7 replied by `proxy`");
    assert_eq!(chain.run(Parts { path: "/secret" }).await, "401 7 cut short by `auth`");
    println!("{}", Hooked::drawing());
}

use chain_runtime::{Context, Request, Response};
use http::StatusCode;
#[node]
fn gate(request: &Request) -> Result<User, StatusCode> {
    if request.uri.path() == "/" { Ok(User(3)) } else { Err(StatusCode::FORBIDDEN) }
}
#[node]
fn hello(user: &User, response: &mut Response) {
    response.body.extend_from_slice(&[b'0' + user.0 as u8]);
}
struct Limit(u32);
#[node]
impl Limit {
    async fn enter(&self, _context: &mut Context) -> Result<(), (StatusCode, &'static str)> {
        if self.0 == 0 { Err((StatusCode::TOO_MANY_REQUESTS, "slow")) } else { Ok(()) }
    }
}

#[tokio::test]
async fn short() {
    let chain = chain!(gate => limit: Limit = Limit(0) => hello);
    let mut context = Context::new();
    let ending = chain.run(&mut context).await;
    assert!(ending.is_cut_short());
    assert_eq!(ending.by().name, "limit");
    assert_eq!(context.response.status, 429);
}
