//! A synchronous server: a chain of plain functions, `fn(..)`, in a pool of threads. No future, no executor.

use std::io::{Read, Write};
use std::panic::{self, AssertUnwindSafe};
use std::{net::TcpStream, sync::atomic::AtomicUsize, sync::atomic::Ordering::Relaxed, thread};

use chain_runtime::{Reset as _, chain, node};
use tiny_http::{Request, Server};

pub(crate) struct Status(u16);

/// How many requests were answered, and how many panicked.
#[derive(Default)]
pub(crate) struct Tally(pub(crate) AtomicUsize, pub(crate) AtomicUsize);

#[node]
#[rustfmt::skip]
impl Tally {
    fn exit(&self) { self.0.fetch_add(1, Relaxed); }
    fn cancelled(&self) { self.1.fetch_add(1, Relaxed); }
}

/// Reads the body into memory that the thread reuses for all of its requests.
#[node]
fn body(request: &mut Request, text: &mut String) -> Result<(), Status> {
    request.as_reader().take(1024 + 1).read_to_string(text).map_err(|_| Status(400))?;
    if text.len() > 1024 { Err(Status(413)) } else { Ok(()) }
}

#[node]
fn answer(request: &Request, text: &mut String) -> Result<(), Status> {
    match request.url() {
        "/shout" => text.make_ascii_uppercase(),
        "/bug" => panic!("a bug in a node"),
        _ => return Err(Status(404)),
    }
    Ok(())
}

chain! {
    #[derive(Default)] pub(crate) struct Shouting { pub(crate) tally: Tally }
    fn<'r>(request: &'r mut Request, text: &'r mut String) -> Result<(), Status> { tally => body => answer }
}

/// Serves in so many threads, until `server.unblock()`.
pub(crate) fn serve(server: &Server, chain: &Shouting, threads: usize) {
    let work = || {
        let mut text = String::new();
        for mut request in server.incoming_requests() {
            text.reset();
            // The hooks have run when the panic arrives here. The request is dropped, which tiny_http answers with a 500.
            let run = AssertUnwindSafe(|| chain.run(&mut request, &mut text));
            let Ok(run) = panic::catch_unwind(run) else { continue };
            let (status, text) = run.map_or_else(|Status(status)| (status, ""), |()| (200, text.as_str()));
            // This fails if the client is gone. Then there is no one to tell.
            let _ = request.respond(tiny_http::Response::from_string(text).with_status_code(status));
        }
        // It wakes one thread at a time: each wakes the next.
        server.unblock();
    };
    thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
}

fn main() {
    panic::set_hook(Box::new(|panic| println!("{panic}")));
    let (server, chain) = (Server::http("127.0.0.1:0").expect("a free port"), Shouting::default());
    let address = server.server_addr().to_ip().expect("it is TCP");
    thread::scope(|scope| {
        scope.spawn(|| serve(&server, &chain, 2));
        for path in ["/shout", "/bug", "/else"] {
            let (mut client, mut response) = (TcpStream::connect(address).expect("it listens"), String::new());
            let request = format!("POST {path} HTTP/1.0\r\ncontent-length: 5\r\n\r\nhello");
            client.write_all(request.as_bytes()).expect("the server reads");
            client.read_to_string(&mut response).expect("a response");
            println!("{path}: {}", response.replace("\r\n", " | "));
        }
        server.unblock();
    });
}
