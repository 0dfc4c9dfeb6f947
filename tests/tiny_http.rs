//! A chain of plain functions on a pool of threads, behind a synchronous server: asked over sockets.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tiny_http::Server;

#[allow(dead_code, reason = "its main")]
#[path = "../examples/tiny_http.rs"]
mod example;

struct Served {
    server: Arc<Server>,
    workers: Vec<JoinHandle<()>>,
}

fn served(threads: usize) -> Served {
    let server = Arc::new(Server::http("127.0.0.1:0").expect("a port is free"));
    let workers = example::serve(&server, threads);
    Served { server, workers }
}

impl Served {
    fn connect(&self) -> TcpStream {
        let client = TcpStream::connect(self.server.server_addr().to_ip().expect("it is one")).expect("it listens");
        // A guard against hanging: no test waits for it.
        client.set_read_timeout(Some(Duration::from_secs(30))).expect("it is not zero");
        client
    }

    /// Every thread of the pool is there until it is told to go.
    fn stop(self) {
        for worker in &self.workers {
            assert!(!worker.is_finished(), "a thread is gone");
        }
        self.workers.iter().for_each(|_| self.server.unblock());
        for worker in self.workers {
            worker.join().expect("it does not panic");
        }
    }
}

/// Sends a request, and reads the status and the body of one response.
fn ask(client: &mut BufReader<TcpStream>, path: &str, key: &str, body: &[u8]) -> io::Result<(u16, String)> {
    let request = client.get_mut();
    write!(request, "POST {path} HTTP/1.1\r\nhost: x\r\nx-key: {key}\r\ncontent-length: {}\r\n\r\n", body.len())?;
    request.write_all(body)?;
    reply(client)
}

fn reply(client: &mut BufReader<TcpStream>) -> io::Result<(u16, String)> {
    let mut line = String::new();
    client.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
    let mut length = 0;
    while client.read_line(&mut line)? > 2 {
        if let Some(value) = line.lines().last().and_then(|field| field.strip_prefix("Content-Length: ")) {
            length = value.trim().parse().map_err(|_| io::ErrorKind::InvalidData)?;
        }
    }
    let mut body = vec![0; length];
    client.read_exact(&mut body)?;
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}

#[test]
fn requests_on_one_connection_are_answered_and_share_no_memory() {
    let served = served(1);
    let mut client = BufReader::new(served.connect());
    for (path, key, body, answer) in [
        ("/", "lovelace", &b"hello"[..], (200, "HELLO")),
        ("/", "lovelace", b"you", (200, "YOU")),
        ("/", "?", b"you", (401, "who is there?")),
        ("/", "lovelace", b"\xFF", (400, "this is no text")),
        ("/", "lovelace", &[b'x'; 2000], (413, "so much")),
        ("/panic", "lovelace", b"?", (500, "failed")),
        ("/", "lovelace", b"again", (200, "AGAIN")),
    ] {
        let (status, told) = ask(&mut client, path, key, body).expect("it answers");
        assert_eq!((status, told.as_str()), answer);
    }
    served.stop();
}

#[test]
fn panics_take_no_thread_of_the_pool_with_them() {
    let served = served(2);
    for _ in 0..5 {
        let mut client = BufReader::new(served.connect());
        assert_eq!(ask(&mut client, "/panic", "lovelace", b"?").expect("it answers").0, 500);
    }
    let mut client = BufReader::new(served.connect());
    assert_eq!(ask(&mut client, "/", "lovelace", b"hey").expect("it answers"), (200, "HEY".to_owned()));
    served.stop();
}

#[test]
fn what_is_no_request_and_clients_that_are_gone_reach_no_thread() {
    let served = served(1);
    let mut malformed = served.connect();
    malformed.write_all(b"no request at all\r\n\r\n").expect("it reads");
    let mut told = String::new();
    malformed.read_to_string(&mut told).expect("it is text");
    assert!(told.starts_with("HTTP/1.1 400"), "{told}");

    let mut half = served.connect();
    half.write_all(b"POST / HTTP/1.1\r\nx-key: lovelace\r\ncontent-le").expect("it reads");
    half.shutdown(Shutdown::Both).expect("it is open");

    let mut gone = served.connect();
    gone.write_all(b"POST / HTTP/1.1\r\nx-key: lovelace\r\ncontent-length: 5\r\n\r\nhel").expect("it reads");
    gone.shutdown(Shutdown::Both).expect("it is open");

    let mut client = BufReader::new(served.connect());
    assert_eq!(ask(&mut client, "/", "lovelace", b"hey").expect("it answers"), (200, "HEY".to_owned()));
    served.stop();
}
