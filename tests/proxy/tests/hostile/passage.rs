//! Bytes are passed on as they come, and no client gets the bytes of another.

use std::sync::mpsc;
use std::thread;

use crate::support::bench::Bench;
use crate::support::client::Client;
use crate::support::h2::{DATA, END_HEADERS, END_STREAM, H2, HEADERS, block, frame, head};
use crate::support::proxy::{ALL, Which};
use crate::support::table::run_by;
use crate::support::upstream::{Then, ok};
use crate::support::wire::{PATIENCE, Wire};

/// The edge reads bodies whole.
const STREAM: &[Which] = &[Which::Gateway, Which::Forward];

fn told(lack: impl std::fmt::Debug) -> String {
    format!("{lack:?}")
}

#[test]
fn a_piece_of_a_reply_arrives_before_the_next_one_is_sent() {
    let rows = [("by_h1", false), ("by_h2", true)].map(|(name, h2)| (name.to_owned(), h2)).into();
    run_by("pieces_of_a_reply", STREAM, &[], rows, |bench, h2: &bool| {
        // The upstream sends a piece for each token that it is given.
        let (give, taken) = mpsc::channel::<()>();
        let taken = std::sync::Mutex::new(Some(taken));
        bench.begin(move |_, _| {
            let taken = taken.lock().expect("no panic").take();
            Then::Do(Box::new(move |wire| {
                wire.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
                while taken.as_ref().is_some_and(|taken| taken.recv_timeout(PATIENCE).is_ok()) {
                    wire.send("5\r\npiece\r\n");
                }
                wire.send("0\r\n\r\n");
            }))
        });
        if *h2 {
            let mut client = H2::connect(bench.proxy.at);
            let id = client.ask(&head(bench.proxy.which, "GET", "{p}/a", &[]), None, None);
            for piece in 1..=5 {
                let _ = give.send(());
                while client.received(id) < 5 * piece {
                    client.pump().map_err(told)?;
                }
            }
            drop(give);
            let reply = client.reply(id, "GET").map_err(told)?;
            return if reply.body == b"piece".repeat(5) { Ok(()) } else { Err(format!("{reply:?}")) };
        }
        let mut client = Client::connect(bench.proxy.at);
        client.send(bench.proxy.which.fill(b"GET {p}/a HTTP/1.1\r\nHost: a.example\r\n{k}\r\n"));
        client.wire.head().map_err(told)?;
        for _ in 0..5 {
            let _ = give.send(());
            client.wire.up_to(b"piece\r\n", 1_000).map_err(told)?;
        }
        drop(give);
        client.wire.up_to(b"0\r\n\r\n", 1_000).map_err(told)?;
        bench.sentinel()
    });
}

#[test]
fn a_piece_of_a_request_arrives_before_the_next_one_is_sent() {
    let rows = [("by_h1", false), ("by_h2", true)].map(|(name, h2)| (name.to_owned(), h2)).into();
    run_by("pieces_of_a_request", STREAM, &[], rows, |bench, h2: &bool| {
        let (tell, seen) = mpsc::channel::<usize>();
        bench.begin(move |_, _| {
            let tell = tell.clone();
            Then::Do(Box::new(move |wire| {
                // Whatever the framing, the pieces are told by their letters.
                for piece in 1..=5 {
                    let Ok(_) = wire.up_to(b"piece", 10_000) else { return };
                    let _ = tell.send(piece);
                }
                let _ = wire.up_to(b"0\r\n\r\n", 10_000);
                wire.send(ok("ok"));
            }))
        });
        let arrives = |piece: usize| match seen.recv_timeout(PATIENCE) {
            Ok(seen) if seen == piece => Ok(()),
            other => Err(format!("piece {piece}: {other:?}")),
        };
        if *h2 {
            let mut client = H2::connect(bench.proxy.at);
            let id = client.stream();
            client.send(frame(HEADERS, END_HEADERS, id, &block(&head(bench.proxy.which, "POST", "{p}/a", &[]))));
            for piece in 1..=5 {
                client.send(frame(DATA, 0, id, b"piece"));
                arrives(piece)?;
            }
            client.send(frame(DATA, END_STREAM, id, b""));
            let reply = client.reply(id, "POST").map_err(told)?;
            return if reply.status == 200 { Ok(()) } else { Err(format!("{}", reply.status)) };
        }
        let mut client = Client::connect(bench.proxy.at);
        let head = b"POST {p}/a HTTP/1.1\r\nHost: a.example\r\n{k}Transfer-Encoding: chunked\r\n\r\n";
        client.send(bench.proxy.which.fill(head));
        for piece in 1..=5 {
            client.send("5\r\npiece\r\n");
            arrives(piece)?;
        }
        client.send("0\r\n\r\n");
        let reply = client.reply("POST").map_err(told)?;
        if reply.status == 200 { bench.sentinel() } else { Err(format!("{}", reply.status)) }
    });
}

#[test]
fn of_clients_side_by_side_each_gets_its_own_replies() {
    let rows = vec![("among_those_that_mean_harm".to_owned(), ())];
    run_by("side_by_side", ALL, &[], rows, |bench, ()| {
        bench.begin(|asked, _| {
            let forged = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nFORGED";
            match asked.target.rsplit('/').next().unwrap_or_default() {
                "behind" => Then::Send([&ok("x")[..], forged.as_bytes()].concat()),
                "short" => Then::Send(format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx{forged}").into_bytes()),
                "both" => Then::Send(
                    format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx{forged}\r\n0\r\n\r\n").into_bytes(),
                ),
                "cut" => Then::SendAndClose(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx".to_vec()),
                "gone" => Then::Close,
                _ => Then::Send(ok(&asked.target)),
            }
        });
        thread::scope(|scope| {
            let evil = (0..3).map(|each| scope.spawn(move || harm(bench, each)));
            let good = (0..4).map(|each| scope.spawn(move || ask(bench, each)));
            let all: Vec<_> = evil.chain(good).collect();
            all.into_iter().map(|each| each.join().expect("no panic")).collect::<Result<Vec<()>, String>>()
        })?;
        bench.sentinel()
    });
}

fn harm(bench: &Bench, each: usize) -> Result<(), String> {
    let which = bench.proxy.which;
    for round in 0..40 {
        let path = ["behind", "short", "both", "cut", "gone", "fine"][(each + round) % 6];
        let mut wire = Wire::connect(bench.proxy.at);
        let more = ["", "G", "GET {p}/smuggled HTTP/1.1\r\nHost: a"][round % 3];
        wire.send(which.fill(format!("GET {{p}}/{path} HTTP/1.1\r\nHost: a.example\r\n{{k}}\r\n{more}").as_bytes()));
        // Some leave at once, some wait for a reply.
        if round % 2 == 0 {
            let _ = wire.head();
        }
        if round % 5 == 0 {
            wire.reset();
        }
    }
    Ok(())
}

fn ask(bench: &Bench, each: usize) -> Result<(), String> {
    let which = bench.proxy.which;
    let mut client = Client::connect(bench.proxy.at);
    for round in 0..60 {
        let (path, body) = (format!("/own-{each}-{round}"), format!("body-{each}-{round}"));
        let sent = format!(
            "POST {{p}}{path} HTTP/1.1\r\nHost: a.example\r\n{{k}}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        client.send(which.fill(sent.as_bytes()));
        let reply = client.reply("POST").map_err(|lack| format!("{path}: {lack:?}"))?;
        let own = reply.body == format!("{}{path}", which.prefix()).as_bytes();
        // A connection that one of the others had broken may have been picked; that is no other's reply.
        if !own && reply.status != 502 {
            return Err(format!("{path} got {} {:?}", reply.status, String::from_utf8_lossy(&reply.body)));
        }
    }
    Ok(())
}
