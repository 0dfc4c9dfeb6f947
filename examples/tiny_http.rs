//! A chain of plain functions behind tiny_http, a synchronous server: threads instead of futures, each with memory that serves one request after
//! another. It asks itself a few things and stops.

use std::io::{self, Cursor, Read, Write};
use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use chain_runtime::{IntoReply, Reset, chain, node};
use tiny_http::{Request, Response, Server};

pub(crate) type Reply = Response<Cursor<Vec<u8>>>;

struct Refused(u16, &'static str);

impl IntoReply<Reply> for Refused {
    fn into_reply(self) -> Reply {
        Response::from_string(self.1).with_status_code(self.0)
    }
}

#[derive(Default, Reset)]
pub(crate) struct Scratch {
    body: String,
}

#[node]
fn auth(request: &Request) -> Result<(), Refused> {
    let is_known = request.headers().iter().any(|field| field.field.equiv("x-key") && field.value == "lovelace");
    if is_known { Ok(()) } else { Err(Refused(401, "who is there?")) }
}

#[node]
fn read(request: &mut Request, scratch: &mut Scratch) -> Result<(), Refused> {
    match request.as_reader().take(1024).read_to_string(&mut scratch.body) {
        Ok(0..1024) => Ok(()),
        Ok(_) => Err(Refused(413, "so much")),
        Err(_) => Err(Refused(400, "this is no text")),
    }
}

#[node]
fn shout(request: &Request, scratch: &Scratch) -> Reply {
    assert!(request.url() != "/panic", "as it was asked");
    Response::from_string(scratch.body.to_uppercase())
}

chain! {
    pub(crate) struct Shouting;
    fn(request: &mut Request, scratch: &mut Scratch) -> Reply { auth => read => shout }
}

/// Serves on so many threads, until the server is told to stop. A panic is a 500, and its thread goes on.
pub(crate) fn serve(server: &Arc<Server>, threads: usize) -> Vec<thread::JoinHandle<()>> {
    let worker = |server: Arc<Server>| {
        let mut scratch = Scratch::default();
        while let Ok(mut request) = server.recv() {
            let run = catch_unwind(AssertUnwindSafe(|| Shouting.run(&mut request, &mut scratch)));
            scratch.reset();
            // It fails where the client is gone, which is the client's business.
            let _ = request.respond(run.unwrap_or_else(|_| Response::from_string("failed").with_status_code(500)));
        }
    };
    (0..threads).map(|_| Arc::clone(server)).map(|server| thread::spawn(move || worker(server))).collect()
}

fn main() -> io::Result<()> {
    let server = Arc::new(Server::http("127.0.0.1:0").map_err(io::Error::other)?);
    let workers = serve(&server, 2);
    for (key, body) in [("lovelace", "hello"), ("?", "hello")] {
        let address = server.server_addr().to_ip().ok_or(io::ErrorKind::AddrNotAvailable)?;
        let mut client = TcpStream::connect(address)?;
        write!(client, "POST / HTTP/1.0\r\nx-key: {key}\r\ncontent-length: {}\r\n\r\n{body}", body.len())?;
        println!("{}", io::read_to_string(client)?);
    }
    workers.iter().for_each(|_| server.unblock());
    workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| io::Error::other("a worker panicked")))
}
