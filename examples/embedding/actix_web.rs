//! Chains in actix-web: as middleware around an application, and as a handler that is not `Send`. It sends itself some
//! requests and stops.

use std::cell::Cell;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use actix_web::body::BoxBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::{App, Error, HttpServer, error, rt, web};
use chain_runtime::actix_web::{Forward, Next, handler, middleware};
use chain_runtime::{chain, node};

struct User(&'static str);

#[node]
fn auth(request: &ServiceRequest) -> Result<User, Error> {
    let key = request.headers().get("x-key").ok_or_else(|| error::ErrorUnauthorized("who is there?\n"))?;
    if key == "lovelace" { Ok(User("ada")) } else { Err(error::ErrorForbidden("not you\n")) }
}

struct Log;

#[node]
impl Log {
    fn enter(&self) -> Instant {
        Instant::now()
    }
    fn exit(&self, user: &User, started: &Instant, reply: &Result<ServiceResponse, Error>) {
        println!("  {:?} for {} in {:?}", reply.as_ref().map(ServiceResponse::status), user.0, started.elapsed());
    }
}

chain! {
    /// Stands before all routes, and is one for all workers.
    struct Guard<S: Service<ServiceRequest, Response = ServiceResponse<BoxBody>, Error = Error>> {
        log: Log,
        forward: Forward<S>,
    }
    async fn(request: ServiceRequest, inner: Next<S>) -> Result<ServiceResponse<BoxBody>, Error> { auth => log => forward }
}

#[node]
fn greet(times: &web::Path<usize>, greeted: &Rc<Cell<u32>>) -> String {
    greeted.set(greeted.get() + 1);
    format!("{}(the worker's request {})\n", "hello ".repeat(**times), greeted.get())
}

chain! {
    /// The inputs of a handler are extractors. Each worker has its own.
    struct Greeting { greeted: Rc<Cell<u32>> }
    async fn(times: web::Path<usize>) -> String { greet }
}

fn main() -> std::io::Result<()> {
    rt::System::new().block_on(async {
        let guard = Arc::new(Guard { log: Log, forward: Forward::new() });
        let server = HttpServer::new(move || {
            let greeting = Rc::new(Greeting { greeted: Rc::default() });
            App::new().route("/hello/{times}", web::get().to(handler(greeting))).wrap(middleware(Arc::clone(&guard)))
        });
        let server = server.workers(1).disable_signals().bind("127.0.0.1:0")?;
        let address = server.addrs()[0];
        rt::spawn(server.run());
        for (target, key) in [("/hello/2", "lovelace"), ("/hello/two", "lovelace"), ("/hello/2", "?")] {
            let ask = move || -> std::io::Result<String> {
                let mut client = TcpStream::connect(address)?;
                write!(client, "GET {target} HTTP/1.1\r\nhost: x\r\nx-key: {key}\r\nconnection: close\r\n\r\n")?;
                let mut reply = String::new();
                client.read_to_string(&mut reply)?;
                Ok(reply)
            };
            println!("GET {target}\n{}", web::block(ask).await.expect("it does not panic")?);
        }
        Ok(())
    })
}
