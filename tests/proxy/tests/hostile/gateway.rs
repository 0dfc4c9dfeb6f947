//! Cases of the gateway alone: its log, and clients that guess keys.

use std::time::{Duration, Instant};

use crate::support::bench::Bench;
use crate::support::client::Client;
use crate::support::proxy::{Proxy, Which, chosen};
use crate::support::upstream::{Then, Upstream, fine};
use crate::support::wire::PATIENCE;

/// Waits for a line of the log with this in it.
fn logged(proxy: &Proxy, holds: impl Fn(&str) -> bool) -> bool {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        if proxy.log().iter().any(|line| holds(line)) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

fn gateway() -> Option<Bench> {
    let bench = (!chosen(&[Which::Gateway]).is_empty()).then(|| Bench::new(Which::Gateway, &[]))?;
    bench.begin(|asked, _| match &*asked.target {
        "/trailers" => Then::Send(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n".to_vec(),
        ),
        _ => fine(asked),
    });
    Some(bench)
}

#[test]
fn a_reply_with_trailers_is_logged_as_done() {
    let Some(bench) = gateway() else { return };
    let mut client = Client::connect(bench.proxy.at);
    client.send(
        Which::Gateway.fill(b"GET /trailers HTTP/1.1\r\nHost: a.example\r\n{k}TE: trailers\r\nConnection: te\r\n\r\n"),
    );
    assert_eq!(client.reply("GET").expect("a reply").status, 200);
    drop(client);
    bench.sentinel().expect("its own reply");
    assert!(logged(&bench.proxy, |line| line.contains("/sentinel")), "nothing is logged");
    let log = bench.proxy.log();
    let line = log.iter().find(|line| line.contains("/trailers")).expect("it is logged");
    assert!(!line.contains("cancel") && !line.contains("broken"), "{line}");
}

#[test]
fn a_long_target_and_a_malformed_request_are_logged_in_a_bounded_line() {
    let Some(bench) = gateway() else { return };
    let mut client = Client::connect(bench.proxy.at);
    // Without a key: anyone can have this written.
    client.send(format!("GET /{} HTTP/1.1\r\nHost: a.example\r\n\r\n", "x".repeat(40_000)));
    let _ = client.reply("GET");
    let before = bench.proxy.log().len();
    for junk in ["hello\r\n\r\n", "GET /malformed HTTP/1.1\r\nHost: a b\r\n\r\n", "GET / HTTP/1.1\r\nHost : a\r\n\r\n"]
    {
        let mut client = Client::connect(bench.proxy.at);
        client.send(junk);
        let _ = client.wire.head();
    }
    let until = Instant::now() + PATIENCE;
    while bench.proxy.log().len() < before + 3 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    let log = bench.proxy.log();
    let longest = log.iter().map(String::len).max().unwrap_or(0);
    assert!(longest < 8_000, "a line of {longest} bytes");
    assert!(log.len() >= before + 3, "malformed requests are not logged: {:#?}", log.get(before..));
}

#[test]
fn keys_cannot_be_guessed_as_fast_as_they_can_be_sent() {
    if chosen(&[Which::Gateway]).is_empty() {
        return;
    }
    let upstream = Upstream::new();
    let proxy = Proxy::start(Which::Gateway, upstream.at, &[]);
    let mut refused = 0;
    for batch in 0..50 {
        let mut client = Client::connect(proxy.at);
        let guesses: String = (0..100)
            .map(|each| {
                format!("GET / HTTP/1.1\r\nHost: a.example\r\nX-Api-Key: guess{:012}\r\n\r\n", batch * 100 + each)
            })
            .collect();
        client.send(guesses);
        for _ in 0..100 {
            match client.reply("GET") {
                Ok(reply) if reply.status == 429 => refused += 1,
                Ok(reply) => assert_eq!(reply.status, 401),
                // The connection may be closed for it as well.
                Err(_) => {
                    refused += 1;
                    break;
                }
            }
        }
    }
    assert!(refused > 0, "5,000 guesses were all looked at");
    assert!(upstream.record().asked.is_empty());
}
