//! SIGTERM ends the process: at once if nothing is under way, and otherwise within the grace.

use std::thread;
use std::time::Duration;

use crate::support::bench::Bench;
use crate::support::client::Client;
use crate::support::h2::{DATA, END_HEADERS, H2, HEADERS, block, frame, head};
use crate::support::proxy::{Proxy, Which, chosen};
use crate::support::table::run_at_once;
use crate::support::upstream::{Then, Upstream, fine, ok};
use crate::support::wire::{Lack, PATIENCE, Wire};

/// Those that have a grace to be told.
const PROXIES: &[Which] = &[Which::Gateway, Which::Api];

/// What a client holds while the process is told to stop.
type Hold = Box<dyn std::any::Any>;
type Begin = fn(&Bench) -> Hold;

fn get(which: Which) -> Vec<u8> {
    which.fill(b"GET {p}/a HTTP/1.1\r\nHost: a.example\r\n{k}\r\n")
}

fn sent(bench: &Bench, bytes: impl AsRef<[u8]>) -> Wire {
    let mut wire = Wire::connect(bench.proxy.at);
    wire.send(bytes);
    wire
}

fn asked(bench: &Bench) -> Client {
    let mut client = Client::connect(bench.proxy.at);
    client.send(get(bench.proxy.which));
    assert_eq!(client.reply("GET").expect("a reply").status, 200);
    client
}

#[test]
fn a_connection_without_a_request_does_not_hold_up_the_end() {
    let rows: Vec<(String, Begin)> = [
        ("nobody", (|_| Box::new(())) as Begin),
        ("silent", |bench| Box::new(sent(bench, ""))),
        ("two_bytes_of_a_head", |bench| Box::new(sent(bench, "GE"))),
        ("half_a_head", |bench| Box::new(sent(bench, "GET / HTTP/1.1\r\nHost: a"))),
        ("half_a_preface", |bench| Box::new(sent(bench, "PRI * HTTP/2.0\r\n"))),
        ("idle", |bench| Box::new(asked(bench))),
        ("half_a_second_head", |bench| {
            let mut client = asked(bench);
            client.send("GET / HT");
            Box::new(client)
        }),
        ("refused_with_its_body_on_the_way", |bench| {
            let mut client = Client::connect(bench.proxy.at);
            client.send("POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 1000\r\n\r\nabc");
            let _ = client.reply("POST");
            Box::new(client)
        }),
        ("h2_that_answers_pings", |bench| {
            let mut client = H2::connect(bench.proxy.at);
            client.get(bench.proxy.which, "{p}/a").expect("a reply");
            thread::spawn(move || client.ending());
            Box::new(())
        }),
        ("h2_that_answers_none", |bench| {
            let mut client = H2::connect(bench.proxy.at);
            client.get(bench.proxy.which, "{p}/a").expect("a reply");
            Box::new(client)
        }),
        ("h2_that_never_answered", |bench| {
            let mut client = H2::connect(bench.proxy.at);
            client.acks = false;
            client.get(bench.proxy.which, "{p}/a").expect("a reply");
            Box::new(client)
        }),
        ("h2_preface_alone", |bench| Box::new(H2::connect(bench.proxy.at))),
        ("h2_half_a_field_block", |bench| {
            let mut client = H2::connect(bench.proxy.at);
            client.send(frame(HEADERS, 0, 1, &[0, 3]));
            Box::new(client)
        }),
        ("twenty_of_each", |bench| {
            let mut all: Vec<Hold> = Vec::new();
            for _ in 0..20 {
                all.push(Box::new(sent(bench, "")));
                all.push(Box::new(sent(bench, "GET / HTTP/1.1\r\nHost: a")));
                all.push(Box::new(asked(bench)));
                all.push(Box::new(H2::connect(bench.proxy.at)));
            }
            Box::new(all)
        }),
    ]
    .map(|(name, begin)| (name.to_owned(), begin))
    .into();
    // The grace is longer than all patience here: who waits for it to pass, fails. So are the limits for a head.
    let flags = &["--grace", "10m", "--head-timeout", "10m", "--timeout", "10m"];
    run_at_once("stop_at_once", PROXIES, flags, rows, |bench, begin| {
        bench.begin(|asked, _| fine(asked));
        let hold = begin(bench);
        let ended = stopped(bench, PATIENCE);
        drop(hold);
        let log = ended?;
        match log.iter().find(|line| line.contains("WARN") || line.contains("cancelled")) {
            None => Ok(()),
            Some(line) => Err(format!("nothing was under way, and it says {line:?}")),
        }
    });
}

/// Tells it to stop, and waits for so long. Gives its log.
fn stopped(bench: &Bench, patience: Duration) -> Result<Vec<String>, String> {
    bench.proxy.terminate();
    match bench.proxy.ended_within(patience) {
        Some(status) if status.success() => Ok(bench.proxy.log()),
        Some(status) => Err(format!("{status}")),
        None => Err(format!("it runs on after {patience:?}: {:?}", bench.proxy.log().last())),
    }
}

#[test]
fn what_is_under_way_ends_with_the_grace() {
    let rows: Vec<(String, Begin)> = [
        (
            "upstream_that_hangs",
            (|bench| {
                let wire = sent(bench, get(bench.proxy.which));
                bench.upstream.wait("the request", |record| !record.asked.is_empty());
                Box::new(wire)
            }) as Begin,
        ),
        ("upload_that_hangs", |bench| {
            let head = b"POST {p}/a HTTP/1.1\r\nHost: a.example\r\n{k}Content-Length: 100\r\n\r\nabc";
            Box::new(sent(bench, bench.proxy.which.fill(head)))
        }),
        ("h2_upstream_that_hangs", |bench| {
            let mut client = H2::connect(bench.proxy.at);
            client.ask(&head(bench.proxy.which, "GET", "{p}/a", &[]), None, None);
            bench.upstream.wait("the request", |record| !record.asked.is_empty());
            Box::new(client)
        }),
        ("h2_upload_that_hangs", |bench| {
            let mut client = H2::connect(bench.proxy.at);
            let fields = block(&head(bench.proxy.which, "POST", "{p}/a", &[]));
            client.send([frame(HEADERS, END_HEADERS, 1, &fields), frame(DATA, 0, 1, b"abc")].concat());
            Box::new(client)
        }),
        ("client_that_reads_nothing", |bench| {
            let mut wire = sent(bench, bench.proxy.which.fill(b"GET {p}/large HTTP/1.1\r\nHost: a.example\r\n{k}\r\n"));
            let _ = wire.exactly(10);
            Box::new(wire)
        }),
        ("h2_client_without_a_window", |bench| {
            let mut client = H2::with_settings(bench.proxy.at, &[(4, 0)]);
            client.ask(&head(bench.proxy.which, "GET", "{p}/large", &[]), None, None);
            bench.upstream.wait("the request", |record| !record.asked.is_empty());
            Box::new(client)
        }),
    ]
    .map(|(name, begin)| (name.to_owned(), begin))
    .into();
    run_at_once(
        "stop_with_grace",
        PROXIES,
        &["--grace", "2s", "--head-timeout", "10m", "--timeout", "10m"],
        rows,
        |bench, begin| {
            bench.begin(|asked, _| {
                let large = asked.target.ends_with("/large");
                Then::Do(Box::new(move |wire| {
                    if large {
                        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 12000000\r\n\r\n");
                        wire.send(vec![b'z'; 12_000_000]);
                    }
                    drop(wire.rest());
                }))
            });
            let hold = begin(bench);
            let ended = stopped(bench, PATIENCE);
            drop(hold);
            ended.map(drop)
        },
    );
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let rows = vec![("upstream_that_hangs".to_owned(), ())];
    run_at_once("stop_twice", &[Which::Gateway], &["--grace", "10m", "--timeout", "10m"], rows, |bench, ()| {
        bench.begin(|_, _| Then::Do(Box::new(|wire| drop(wire.rest()))));
        let wire = sent(bench, get(bench.proxy.which));
        bench.upstream.wait_for(PATIENCE, &|record| !record.asked.is_empty()).map_err(|_| "never asked")?;
        bench.proxy.terminate();
        let until = std::time::Instant::now() + PATIENCE;
        while std::net::TcpStream::connect(bench.proxy.at).is_ok() && std::time::Instant::now() < until {
            thread::sleep(Duration::from_millis(20));
        }
        bench.proxy.terminate();
        let ended = bench.proxy.ended_within(PATIENCE);
        drop(wire);
        ended.map(drop).ok_or_else(|| "it runs on".to_owned())
    });
}

#[test]
fn a_request_that_can_finish_within_the_grace_does() {
    let rows = vec![("h1".to_owned(), false), ("h2".to_owned(), true)];
    run_at_once("stop_and_finish", PROXIES, &["--grace", "10m", "--timeout", "10m"], rows, |bench, h2: &bool| {
        let (go, gate) = std::sync::mpsc::channel::<()>();
        let gate = std::sync::Mutex::new(gate);
        bench.begin(move |_, _| {
            let _ = gate.lock().expect("no panic").recv_timeout(PATIENCE);
            Then::Send(ok("finished"))
        });
        let which = bench.proxy.which;
        let at = bench.proxy.at;
        let asks = thread::spawn({
            let h2 = *h2;
            move || {
                if h2 {
                    return H2::connect(at).get(which, "{p}/a").map_err(|end| format!("{end:?}"));
                }
                let mut client = Client::connect(at);
                client.send(get(which));
                client.reply("GET").map_err(|lack| format!("{lack:?}"))
            }
        });
        bench.upstream.wait_for(PATIENCE, &|record| record.connections > 0).map_err(|_| "never asked")?;
        // The head is with the upstream as soon as the connection is; a moment more makes no difference to what is right.
        thread::sleep(Duration::from_millis(200));
        bench.proxy.terminate();
        // New connections are refused from then on.
        let until = std::time::Instant::now() + PATIENCE;
        while std::net::TcpStream::connect(bench.proxy.at).is_ok() {
            if std::time::Instant::now() > until {
                return Err("it still takes connections".into());
            }
            thread::sleep(Duration::from_millis(20));
        }
        let _ = go.send(());
        let reply = asks.join().expect("no panic")?;
        if reply.body != b"finished" {
            return Err(format!("{reply:?}"));
        }
        match bench.proxy.ended_within(PATIENCE) {
            Some(status) if status.success() => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
}

#[test]
fn an_output_that_nobody_reads_holds_up_neither_requests_nor_the_end() {
    for which in chosen(&[Which::Gateway, Which::Api, Which::Forward]) {
        let upstream = Upstream::new();
        let proxy =
            Proxy::start_unread(which, upstream.at, if which == Which::Forward { &[] } else { &["--grace", "10m"] });
        let mut client = Client::connect(proxy.at);
        // Some megabytes of log, if each line says what was asked.
        let long = "x".repeat(4_000);
        for each in 0..1_500 {
            client.send(
                which.fill(format!("GET {{p}}/{each}/{long} HTTP/1.1\r\nHost: a.example\r\n{{k}}\r\n").as_bytes()),
            );
            match client.reply("GET") {
                Ok(reply) if reply.status == 200 => {}
                other => panic!("{which:?}, request {each}: {other:?}"),
            }
            client.wire.seen.clear();
        }
        // Refused ones are logged as well.
        for _ in 0..50 {
            let mut client = Client::connect(proxy.at);
            client.send(format!("POST /{long} HTTP/1.1\r\nHost: a b\r\nContent-Length: 0\r\n\r\n"));
            assert!(!matches!(client.reply("POST"), Err(Lack::Silent)), "{which:?}");
        }
        proxy.terminate();
        assert!(proxy.ended_within(PATIENCE).is_some(), "{which:?} runs on");
    }
}
