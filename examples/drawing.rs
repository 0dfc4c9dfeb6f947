//! A chain describes itself: as data, as a drawing for a terminal, and as a Mermaid chart for a page.
//!
//! All of it is `&'static` data made by the compiler. A program that does not ask for it contains none of it.

use chain_runtime::{IntoReply, chain, node};

struct Request;
struct Keys;
struct User;
struct Started;
struct Response;
struct Unauthorized;

impl IntoReply<Response> for Unauthorized {
    fn into_reply(self) -> Response {
        Response
    }
}

#[node]
async fn auth(_request: &Request, _keys: &Keys) -> Result<User, Unauthorized> {
    Ok(User)
}

struct AccessLog;

#[node]
impl AccessLog {
    fn enter(&self) -> Started {
        Started
    }
    fn exit(&self, _started: &Started, _user: &User) {}
    fn cancelled(&self, _started: &Started) {}
}

#[node]
async fn proxy(_request: Request, _user: &User) -> Response {
    Response
}

chain! {
    struct Gateway {
        keys: Keys,
        log: AccessLog,
    }

    async fn(request: Request) -> Response {
        auth => log => proxy
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    println!("For a terminal (`<=>` is a node with a way out):\n\n{}\n", Gateway::drawing());
    println!("For a page, in a ```mermaid block:\n\n{}", Gateway::drawing().mermaid());
    println!("As data:\n");
    for node in Gateway::NODES {
        let needs: Vec<String> =
            node.needs.iter().map(|need| format!("{} from `{}`", need.ty, need.from.name)).collect();
        println!("{}:{} {} needs {needs:?}", node.file, node.line, node.name);
    }
    let Response = Gateway { keys: Keys, log: AccessLog }.run(Request).await;
}
