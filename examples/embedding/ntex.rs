//! Chains in ntex: as middleware around an application, and as a handler that is not `Send`. It sends itself some
//! requests and stops.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use chain_runtime::ntex::{Forward, Next, handler, middleware};
use chain_runtime::{chain, node};
use ntex::http::StatusCode;
use ntex::service::Service;
use ntex::web::{self, App, DefaultError, Error, WebRequest, WebResponse, WebResponseError, test};

type Request = WebRequest<DefaultError>;

struct User(&'static str);

#[derive(Debug)]
struct Refused;

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("who is there?")
    }
}

impl WebResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        StatusCode::UNAUTHORIZED
    }
}

#[node]
fn auth(request: &Request) -> Result<User, Refused> {
    let is_known = request.headers().get("x-key").is_some_and(|key| key == "lovelace");
    if is_known { Ok(User("ada")) } else { Err(Refused) }
}

struct Log;
#[node]
impl Log {
    fn enter(&self) -> Instant {
        Instant::now()
    }
    fn exit(&self, user: &User, started: &Instant, reply: &Result<WebResponse, Error>) {
        println!("  {:?} for {} in {:?}", reply.as_ref().map(WebResponse::status), user.0, started.elapsed());
    }
}

chain! {
    struct Guard<S: Service<Request, Response = WebResponse, Error = Error>> { log: Log, forward: Forward<S> }
    async fn(request: Request, inner: Next<S>) -> Result<WebResponse, Error> { auth => log => forward }
}

#[node]
fn greet(times: &web::types::Path<usize>, greeted: &Rc<Cell<u32>>) -> String {
    greeted.set(greeted.get() + 1);
    format!("{}(the worker's request {})", "hello ".repeat(**times), greeted.get())
}

chain! {
    struct Greeting { greeted: Rc<Cell<u32>> }
    async fn(times: web::types::Path<usize>) -> String { greet }
}

#[ntex::main]
async fn main() {
    let guard = Arc::new(Guard { log: Log, forward: Forward::new() });
    let server = test::server(async move || {
        let greeting = Rc::new(Greeting { greeted: Rc::default() });
        App::new().middleware(middleware(Arc::clone(&guard))).route("/hello/{times}", web::get().to(handler(greeting)))
    })
    .await;
    for (target, key) in [("/hello/2", "lovelace"), ("/hello/two", "lovelace"), ("/hello/2", "?")] {
        let reply = server.get(target).header("x-key", key).send().await.expect("it answers");
        let body = reply.body().await.expect("it has one");
        println!("GET {target}: {} {}", reply.status(), String::from_utf8_lossy(&body));
    }
}
