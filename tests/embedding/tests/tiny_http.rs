//! A chain of plain functions in a pool of threads: `examples/embedding/tiny_http.rs`, with clients on plain sockets.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Duration;

use tiny_http::Server;

#[allow(dead_code, reason = "its main")]
#[path = "../../../examples/embedding/tiny_http.rs"]
mod example;

/// Serves in one thread, so that whatever would take a thread away would be missed, while `clients` do what they do.
fn serving(clients: impl FnOnce(SocketAddr)) -> example::Shouting {
    let (server, chain) = (Server::http("127.0.0.1:0").expect("a free port"), example::Shouting::default());
    let address = server.server_addr().to_ip().expect("it is TCP");
    /// Also where a client's assertion fails.
    struct Stop<'a>(&'a Server);
    impl Drop for Stop<'_> {
        fn drop(&mut self) {
            self.0.unblock();
        }
    }
    thread::scope(|scope| {
        scope.spawn(|| example::serve(&server, &chain, 1));
        let _stop = Stop(&server);
        clients(address);
    });
    chain
}

fn tally(chain: &example::Shouting) -> [usize; 2] {
    [&chain.tally.0, &chain.tally.1].map(|count| count.load(Relaxed))
}

struct Client(BufReader<TcpStream>);

impl Client {
    fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        // A guard against hanging: no test waits for it.
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("an option of sockets");
        Self(BufReader::new(stream))
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).expect("the server reads");
    }

    fn post(&mut self, path: &str, body: &[u8]) {
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
        self.write(&[head.as_bytes(), body].concat());
    }

    /// The status and the body of the next response.
    fn response(&mut self) -> (u16, String) {
        let (mut status, mut length) = (0, 0);
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).expect("the response has a head");
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(rest) = line.strip_prefix("http/1.1 ") {
                status = rest[..3].parse().expect("a status");
            } else if let Some(text) = line.strip_prefix("content-length: ") {
                length = text.parse().expect("a length");
            } else if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).expect("the response has its body");
        (status, String::from_utf8(body).expect("text"))
    }

    /// What else comes before the server closes the connection.
    fn rest(mut self) -> String {
        let mut rest = String::new();
        self.0.read_to_string(&mut rest).expect("it is closed in order");
        rest
    }
}

#[test]
fn a_kept_connection_has_all_of_its_answers_over_one_memory() {
    let chain = serving(|address| {
        let mut client = Client::new(address);
        for (path, body, expected) in [
            ("/shout", "a longer text", (200, "A LONGER TEXT")),
            ("/else", "b", (404, "")),
            ("/shout", "c", (200, "C")),
        ] {
            client.post(path, body.as_bytes());
            let (status, text) = client.response();
            assert_eq!((status, text.as_str()), expected);
        }
        // Two at once: the answers come in order.
        client.post("/shout", b"first");
        client.post("/shout", b"second");
        assert_eq!([client.response().1, client.response().1], ["FIRST", "SECOND"]);
    });
    assert_eq!(tally(&chain), [5, 0]);
}

#[test]
fn what_is_no_request_never_gets_to_the_chain() {
    let chain = serving(|address| {
        for malformed in ["nonsense\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n"] {
            let mut client = Client::new(address);
            client.write(malformed.as_bytes());
            assert_eq!(client.response().0, 400, "to {malformed:?}");
        }
    });
    assert_eq!(tally(&chain), [0, 0]);
}

#[test]
fn a_body_that_is_too_long_or_no_text_is_refused_by_the_node() {
    let chain = serving(|address| {
        for (body, expected) in [(&[b'x'; 1024][..], 200), (&[b'x'; 1025], 413), (&[0xFF], 400)] {
            let mut client = Client::new(address);
            client.post("/shout", body);
            assert_eq!(client.response().0, expected);
        }
    });
    assert_eq!(tally(&chain), [3, 0]);
}

#[test]
fn a_panic_in_a_node_is_a_500_and_takes_no_thread_away() {
    let chain = serving(|address| {
        let mut client = Client::new(address);
        for _ in 0..10 {
            client.post("/bug", b"");
            assert_eq!(client.response().0, 500);
        }
        client.post("/shout", b"still there");
        assert_eq!(client.response(), (200, "STILL THERE".to_owned()));
    });
    assert_eq!(tally(&chain), [1, 10], "the hooks saw each panic");
}

#[test]
fn clients_that_are_gone_harm_nobody_else() {
    serving(|address| {
        // In the middle of its head, in the middle of its body, and before its answer.
        Client::new(address).write(b"POST /shout HT");
        Client::new(address).write(b"POST /shout HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf");
        Client::new(address).post("/shout", b"nobody reads this");
        let mut client = Client::new(address);
        client.post("/shout", b"here");
        assert_eq!(client.response(), (200, "HERE".to_owned()));
        client.0.get_mut().shutdown(Shutdown::Write).expect("the connection lives");
        assert_eq!(client.rest(), "");
    });
}

#[test]
fn one_word_stops_all_threads() {
    let (server, chain) = (Server::http("127.0.0.1:0").expect("a free port"), example::Shouting::default());
    thread::scope(|scope| {
        let pool = scope.spawn(|| example::serve(&server, &chain, 8));
        server.unblock();
        pool.join().expect("no thread panics");
    });
}
