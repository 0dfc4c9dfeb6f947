//! Nothing waits for ever, and a transfer that makes progress is not cut.
//!
//! All rows run at once, since most of their time is spent in waiting. A connection has to be cut within [`BOUND`],
//! which is longer than all limits of the three proxies: no row asserts a short time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::bench::Bench;
use crate::support::client::Client;
use crate::support::h2::{DATA, END_HEADERS, END_STREAM, End, H2, HEADERS, block, frame, head};
use crate::support::proxy::{ALL, Which};
use crate::support::table::{run_at_once, run_by};
use crate::support::upstream::{Then, fine, ok};
use crate::support::wire::{Lack, PATIENCE, Wire};

/// Within which everything that does not move has ended.
pub(crate) const BOUND: Duration = Duration::from_secs(150);
pub(crate) const TIMES: &[&str] = &["--timeout", "1s", "--head-timeout", "1s", "--grace", "1s", "--max-body", "100m"];
/// Those that read bodies.
const READS: &[Which] = &[Which::Gateway, Which::Api, Which::Forward];
pub(crate) const STREAM: &[Which] = &[Which::Gateway, Which::Forward];

pub(crate) type Run = fn(&Bench) -> Result<(), String>;

pub(crate) fn rows(rows: &[(&str, Run)]) -> Vec<(String, Run)> {
    rows.iter().map(|(name, run)| ((*name).to_owned(), *run)).collect()
}

pub(crate) fn get(bench: &Bench) -> Vec<u8> {
    bench.proxy.which.fill(b"GET {p}/a HTTP/1.1\r\nHost: a.example\r\n{k}\r\n")
}

pub(crate) fn post(bench: &Bench, lines: &str) -> Vec<u8> {
    bench.proxy.which.fill(format!("POST {{p}}/a HTTP/1.1\r\nHost: a.example\r\n{{k}}{lines}\r\n").as_bytes())
}

/// Sends the bytes, and waits for the other side to end the connection, with or without a last word.
fn ends(bench: &Bench, bytes: impl AsRef<[u8]>) -> Result<(), String> {
    let mut wire = Wire::connect(bench.proxy.at);
    wire.patience = BOUND;
    wire.send(bytes);
    match wire.rest() {
        (_, Lack::Closed | Lack::Reset) => bench.sentinel(),
        (got, lack) => Err(format!("{lack:?} after {:?}", String::from_utf8_lossy(&got))),
    }
}

/// Sends a piece again and again until the other side ends the connection.
fn drips(wire: &mut Wire, piece: &[u8], pause: Duration) -> Result<(), String> {
    let until = Instant::now() + BOUND;
    wire.patience = pause;
    while Instant::now() < until {
        if !wire.send(piece) {
            return Ok(());
        }
        match wire.more() {
            Err(Lack::Silent) => {}
            Ok(_) => thread::sleep(pause),
            Err(_) => return Ok(()),
        }
    }
    Err(format!("it was still taken after {BOUND:?}"))
}

#[test]
fn a_head_that_does_not_come_is_waited_for_so_long() {
    run_at_once(
        "heads_in_time",
        ALL,
        TIMES,
        rows(&[
            ("nothing", |bench| ends(bench, "")),
            ("two_bytes", |bench| ends(bench, "GE")),
            ("half_a_head", |bench| ends(bench, "GET / HTTP/1.1\r\nHost: a")),
            ("half_a_preface", |bench| ends(bench, "PRI * HTTP/2.0\r\n")),
            ("half_a_second_head", |bench| {
                bench.begin(|asked, _| fine(asked));
                ends(bench, [&get(bench)[..], b"GET / HTT"].concat())
            }),
            ("dripping_head", |bench| drips(&mut Wire::connect(bench.proxy.at), b"G", Duration::from_millis(300))),
            ("dripping_fields", |bench| {
                let mut wire = Wire::connect(bench.proxy.at);
                wire.send("GET / HTTP/1.1\r\nHost: a\r\n");
                drips(&mut wire, b"X-A: b\r\n", Duration::from_millis(900))
            }),
            ("h2_preface_and_no_word_more", |bench| {
                let mut client = H2::connect(bench.proxy.at);
                client.acks = false;
                client.wire.patience = BOUND;
                match client.ending() {
                    End::GoAway(_) | End::Lack(Lack::Closed | Lack::Reset) => bench.sentinel(),
                    end => Err(format!("{end:?}")),
                }
            }),
            ("h2_half_a_field_block", |bench| {
                let mut client = H2::connect(bench.proxy.at);
                client.wire.patience = BOUND;
                client.send(frame(HEADERS, END_STREAM, 1, &[0, 3]));
                match client.ending() {
                    End::GoAway(_) | End::Lack(Lack::Closed | Lack::Reset) => bench.sentinel(),
                    end => Err(format!("{end:?}")),
                }
            }),
            ("h2_half_a_frame", |bench| {
                let mut client = H2::connect(bench.proxy.at);
                client.wire.patience = BOUND;
                client.send([0, 0, 100, HEADERS, END_HEADERS]);
                match client.ending() {
                    End::GoAway(_) | End::Lack(Lack::Closed | Lack::Reset) => bench.sentinel(),
                    end => Err(format!("{end:?}")),
                }
            }),
        ]),
        |bench, run| run(bench),
    );
}

#[test]
fn a_body_that_does_not_come_is_waited_for_so_long() {
    run_at_once(
        "uploads_in_time",
        READS,
        TIMES,
        rows(&[
            ("stalled", |bench| {
                bench.begin(|asked, _| fine(asked));
                ends(bench, [&post(bench, "Content-Length: 100\r\n")[..], b"abc"].concat())
            }),
            ("stalled_at_once", |bench| {
                bench.begin(|asked, _| fine(asked));
                ends(bench, post(bench, "Content-Length: 100\r\n"))
            }),
            ("stalled_in_a_chunk", |bench| {
                bench.begin(|asked, _| fine(asked));
                ends(bench, [&post(bench, "Transfer-Encoding: chunked\r\n")[..], b"64\r\nabc"].concat())
            }),
            ("one_byte_a_second", |bench| {
                bench.begin(|asked, _| fine(asked));
                let mut wire = Wire::connect(bench.proxy.at);
                wire.send(post(bench, "Content-Length: 1000\r\n"));
                drips(&mut wire, b"a", Duration::from_millis(900))
            }),
            ("one_chunk_of_a_byte_a_second", |bench| {
                bench.begin(|asked, _| fine(asked));
                let mut wire = Wire::connect(bench.proxy.at);
                wire.send(post(bench, "Transfer-Encoding: chunked\r\n"));
                drips(&mut wire, b"1\r\na\r\n", Duration::from_millis(900))
            }),
            ("one_byte_a_second_that_nobody_reads", |bench| {
                bench.begin(|asked, _| fine(asked));
                let mut wire = Wire::connect(bench.proxy.at);
                let refused = b"POST {p}/a HTTP/1.1\r\nHost: a\r\nHost: b\r\n{k}Content-Length: 1000\r\n\r\n";
                wire.send(bench.proxy.which.fill(refused));
                drips(&mut wire, b"a", Duration::from_millis(900))
            }),
            ("h2_stalled", |bench| h2_upload(bench, None)),
            ("h2_one_byte_a_second", |bench| h2_upload(bench, Some(b"a"))),
            ("h2_empty_data_for_ever", |bench| h2_upload(bench, Some(b""))),
        ]),
        |bench, run| run(bench),
    );
}

/// Begins an upload and sends this from time to time, until the stream or the connection is ended.
fn h2_upload(bench: &Bench, piece: Option<&[u8]>) -> Result<(), String> {
    bench.begin(|asked, _| fine(asked));
    let mut client = H2::connect(bench.proxy.at);
    let id = client.stream();
    client.send(frame(HEADERS, END_HEADERS, id, &block(&head(bench.proxy.which, "POST", "{p}/a", &[]))));
    client.send(frame(DATA, 0, id, b"abc"));
    client.wire.patience = Duration::from_millis(900);
    let until = Instant::now() + BOUND;
    while Instant::now() < until {
        match client.reply(id, "POST") {
            Err(End::Lack(Lack::Silent)) => {}
            Err(End::Wrong(wrong)) => return Err(wrong),
            Ok(reply) if reply.status < 400 => return Err(format!("{}", reply.status)),
            _ => return bench.sentinel(),
        }
        if piece.is_some_and(|piece| !client.send(frame(DATA, 0, id, piece))) {
            return bench.sentinel();
        }
    }
    Err(format!("it was still taken after {BOUND:?}"))
}

#[test]
fn an_upstream_that_does_not_reply_is_waited_for_so_long() {
    run_at_once(
        "upstreams_in_time",
        ALL,
        TIMES,
        rows(&[
            ("silent", |bench| given_up(bench, |wire| drop(wire.rest()))),
            ("half_a_head", |bench| {
                given_up(bench, |wire| {
                    wire.send("HTTP/1.1 200 OK\r\nContent-");
                    drop(wire.rest());
                })
            }),
            ("one_byte_of_a_head_now_and_then", |bench| {
                given_up(bench, |wire| {
                    let _ = drips(wire, b"H", Duration::from_millis(300));
                })
            }),
            ("one_field_now_and_then", |bench| {
                given_up(bench, |wire| {
                    wire.send("HTTP/1.1 200 OK\r\n");
                    let _ = drips(wire, b"X-A: b\r\n", Duration::from_millis(900));
                })
            }),
            ("interim_replies_for_ever", |bench| {
                given_up(bench, |wire| {
                    let _ = drips(wire, b"HTTP/1.1 102 Processing\r\n\r\n", Duration::from_millis(900));
                })
            }),
            ("interim_replies_as_fast_as_they_go", |bench| {
                given_up(bench, |wire| {
                    let many = b"HTTP/1.1 102 Processing\r\n\r\n".repeat(1_000);
                    while wire.send(&many) {}
                })
            }),
            ("stalled_body", |bench| {
                given_up(bench, |wire| {
                    wire.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
                    drop(wire.rest());
                })
            }),
            ("stalled_chunk", |bench| {
                given_up(bench, |wire| {
                    wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nabc");
                    drop(wire.rest());
                })
            }),
            ("one_byte_of_a_body_a_second", |bench| {
                given_up(bench, |wire| {
                    wire.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
                    let _ = drips(wire, b"a", Duration::from_millis(1_000));
                })
            }),
        ]),
        |bench, run| run(bench),
    );
}

/// The client gets a 504 or a 502, or an end before the end, and the upstream's connection is ended as well.
fn given_up(bench: &Bench, act: fn(&mut Wire)) -> Result<(), String> {
    bench.begin(move |_, _| {
        Then::Do(Box::new(move |wire| {
            wire.patience = BOUND;
            act(wire);
        }))
    });
    let mut client = Client::connect(bench.proxy.at);
    client.wire.patience = BOUND;
    client.send(get(bench));
    match client.reply("GET") {
        Ok(reply) if [502, 504].contains(&reply.status) => {}
        Err(Lack::Closed | Lack::Reset) => {}
        other => return Err(format!("{other:?}")),
    }
    let tries = bench.upstream.record().connections;
    bench
        .upstream
        .wait_for(PATIENCE, &|record| record.ended >= tries)
        .map_err(|_| "the upstream's connection was kept")?;
    bench.sentinel()
}

#[test]
fn time_begins_with_the_request_and_not_with_the_last_one() {
    let rows = vec![("idle_for_longer_than_the_limit".to_owned(), ())];
    run_by("idle_contexts", &[Which::Gateway, Which::Api], &["--timeout", "1s"], rows, |bench, ()| {
        // Idle for longer than the upstream may be silent, each time on a new connection and on a kept one.
        let mut kept = H2::connect(bench.proxy.at);
        for round in 0..3 {
            bench.begin(|_, _| Then::Send(ok("ok")));
            for client in [&mut H2::connect(bench.proxy.at), &mut kept] {
                let reply = client.get(bench.proxy.which, "{p}/a").map_err(|end| format!("round {round}: {end:?}"))?;
                if reply.status != 200 {
                    return Err(format!("round {round}: {}", reply.status));
                }
            }
            // A frozen client would be closed: this one goes on acknowledging.
            let until = Instant::now() + Duration::from_millis(1_500);
            while Instant::now() < until {
                kept.wire.patience = until.saturating_duration_since(Instant::now());
                let _ = kept.pump();
            }
            kept.wire.patience = PATIENCE;
        }
        Ok(())
    });
}

#[test]
fn a_client_that_hangs_up_ends_its_request_upstream() {
    let pipelined = b"GET {p}/b HTTP/1.1\r\nHost: a.example\r\n{k}\r\n";
    let rows: Vec<(String, (Vec<u8>, bool))> = [
        ("with_fin", (&b""[..], false)),
        ("with_reset", (b"", true)),
        ("with_fin_behind_a_byte", (b"G", false)),
        ("with_reset_behind_a_byte", (b"G", true)),
        ("with_fin_behind_a_request", (pipelined, false)),
        ("with_reset_behind_a_request", (pipelined, true)),
        ("with_fin_behind_an_empty_line", (b"\r\n", false)),
    ]
    .map(|(name, (more, reset))| (name.to_owned(), (more.to_vec(), reset)))
    .into();
    // The upstream's silence would be borne for longer than is waited here.
    run_by("hang_ups", STREAM, &["--timeout", "90s"], rows, |bench, (more, reset): &(Vec<u8>, bool)| {
        let ended = Arc::new(AtomicBool::new(false));
        let tell = Arc::clone(&ended);
        bench.begin(move |_, _| {
            let tell = Arc::clone(&tell);
            Then::Do(Box::new(move |wire| {
                let (_, lack) = wire.rest();
                tell.store(matches!(lack, Lack::Closed | Lack::Reset), Ordering::SeqCst);
            }))
        });
        let mut client = Client::connect(bench.proxy.at);
        client.send([get(bench), bench.proxy.which.fill(more)].concat());
        bench.upstream.wait_for(PATIENCE, &|record| !record.asked.is_empty()).map_err(|_| "never asked")?;
        let before = bench.upstream.record().ended;
        if *reset {
            client.wire.reset()
        } else {
            drop(client)
        }
        bench
            .upstream
            .wait_for(Duration::from_secs(20), &|record| record.ended > before)
            .map_err(|_| "the upstream went on working for nobody")?;
        if ended.load(Ordering::SeqCst) { bench.sentinel() } else { Err("the upstream gave up by itself".into()) }
    });
}

/// Counts what is open, so that a row that leaks shows.
#[test]
fn what_was_cut_leaves_nothing_open() {
    let rows = vec![("fifty".to_owned(), ())];
    run_by("cut_and_closed", STREAM, TIMES, rows, |bench, ()| {
        let hung = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&hung);
        bench.begin(move |_, _| {
            count.fetch_add(1, Ordering::SeqCst);
            Then::Do(Box::new(|wire| drop(wire.rest())))
        });
        let before = bench.proxy.descriptors_at_rest();
        let clients: Vec<Client> = (0..50)
            .map(|_| {
                let mut client = Client::connect(bench.proxy.at);
                client.send(get(bench));
                client
            })
            .collect();
        bench.upstream.wait_for(PATIENCE, &|_| hung.load(Ordering::SeqCst) == 50).map_err(|_| "not all were asked")?;
        drop(clients);
        let until = Instant::now() + PATIENCE;
        while bench.proxy.descriptors() > before + 5 {
            if Instant::now() > until {
                return Err(format!("{} descriptors, {before} before", bench.proxy.descriptors()));
            }
            thread::sleep(Duration::from_millis(50));
        }
        bench.sentinel()
    });
}
