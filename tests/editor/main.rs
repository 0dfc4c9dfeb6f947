//! What `editor.py` opens in rust-analyzer: chains with everything that one can stand on.

use chain_runtime::around::{CatchPanic, Panicked};
use chain_runtime::{IntoReply, chain, node};

pub struct Request {
    pub path: String,
    pub token: String,
}
pub struct Response(pub u16);
/// Who sent the request.
pub struct User {
    pub name: String,
}
pub struct Refused;
impl IntoReply<Response> for Refused {
    fn into_reply(self) -> Response {
        Response(401)
    }
}

/// Says who asks.
#[node]
async fn auth(request: &Request) -> Result<User, Refused> {
    let token = request.token.clone();
    Ok(User { name: token })
}

pub struct AccessLog;
#[node]
impl AccessLog {
    fn enter(&self) -> u64 {
        1
    }
    fn exit(&self, started: &u64, reply: &Response) {
        let status = reply.0;
        let _ = (status, started);
    }
}

/// Says hello.
#[node]
async fn answer(user: &User) -> Response {
    let n = user.name.len();
    Response(n as u16)
}

chain! {
    /// The gateway.
    pub struct Gateway { log: AccessLog }
    async fn(request: Request) -> Response { log => auth => answer }
}

pub struct Api {
    pub version: u8,
}
pub enum Route {
    Api(Api),
    Static,
}

/// Where it goes.
#[node]
fn route(request: &Request) -> Route {
    if request.path.starts_with("/api") { Route::Api(Api { version: 1 }) } else { Route::Static }
}
/// Whether it comes from inside.
#[node]
fn is_internal(request: &Request) -> bool {
    request.path.is_empty()
}
mod pages {
    /// Answers for the API.
    #[chain_runtime::node]
    pub fn api(api: &super::Api) -> super::Response {
        super::Response(u16::from(api.version))
    }
    /// Serves a file.
    #[chain_runtime::node]
    pub fn files() -> super::Response {
        super::Response(200)
    }
}
/// Counts it.
#[node]
fn count<T: Default>(_request: &Request) {
    let _ = T::default();
}
impl IntoReply<Response> for Panicked {
    fn into_reply(self) -> Response {
        Response(500)
    }
}

chain! {
    /// What all chains begin with.
    segment front(log: AccessLog) { log => #[when(is_internal)] count::<u8> }
}

chain! {
    /// Chains inside of a chain.
    #[derive(Default)]
    pub struct Edge {
        /// Sees each request.
        log: AccessLog,
        catch: CatchPanic,
    }

    /// Goes through the edge.
    async fn(request: Request) -> Response {
        ..front => catch {
            match route {
                Route::Api(api: Api) => pages::api,
                Route::Static => if is_internal { pages::files } else { auth => answer },
            }
        }
    }
}

impl Default for AccessLog {
    fn default() -> Self {
        Self
    }
}

chain! {
    struct Lines;
    fn(line: &str) -> usize { words }
}
/// How many words there are.
#[node]
fn words(line: &str) -> usize {
    line.split(' ').count()
}

/// Greets.
#[node]
fn greet(response: &mut chain_runtime::Response) {
    response.body.clear();
}
pub struct Quota(u8);
#[node]
impl Quota {
    fn enter(&self) {
        let _ = self.0;
    }
}

fn main() {
    let gateway = Gateway { log: AccessLog };
    let future = gateway.run(Request { path: String::new(), token: String::new() });
    let nodes = Gateway::NODES;
    drop(future);
    let edge = Edge::default();
    drop(edge.run(Request { path: String::new(), token: String::new() }));
    let drawing = Edge::drawing();
    println!("{drawing} {}", nodes.len());
    let counted = Lines.run("a b");
    let short = chain!(greet => quota: Quota = Quota(1) => greet);
    let mut context = chain_runtime::Context::new();
    let ending = short.run(&mut context);
    drop(ending);
    println!("{counted}");
}
