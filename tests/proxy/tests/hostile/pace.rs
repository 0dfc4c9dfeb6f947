//! A client that does not read is cut; a transfer that makes progress, however slow, is not.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::bench::Bench;
use crate::support::client::Client;
use crate::support::h2::{DATA, END_HEADERS, END_STREAM, End, H2, HEADERS, WINDOW_UPDATE, block, frame, head};
use crate::support::table::run_at_once;
use crate::support::upstream::{Then, fine, ok};
use crate::support::wire::{Lack, PATIENCE, Wire};

use super::time::{BOUND, STREAM, get, post, rows};

/// As the `TIMES` of `time`, but an upstream has longer to reply. While ten of them write as much as they can, one that is to reply at once
/// may be kept waiting for more than a second by a busy machine, and would be given up rightly.
const READERS: &[&str] = &["--timeout", "5s", "--head-timeout", "1s", "--grace", "1s", "--max-body", "100m"];

#[test]
fn a_client_that_does_not_read_is_cut() {
    run_at_once(
        "readers_in_time",
        STREAM,
        READERS,
        rows(&[
            ("h1_that_reads_nothing", |bench| {
                let ended = floods(bench, 64 << 20);
                let mut wire = Wire::connect(bench.proxy.at);
                wire.send(get(bench));
                let _ = wire.exactly(10);
                heard(&ended)?;
                drop(wire);
                bench.sentinel()
            }),
            ("h1_that_reads_a_byte_a_second", |bench| {
                let ended = floods(bench, 64 << 20);
                let mut wire = Wire::connect(bench.proxy.at);
                let _ = socket2::SockRef::from(&wire.stream).set_recv_buffer_size(4_096);
                wire.send(get(bench));
                use std::io::Read as _;
                let until = Instant::now() + BOUND;
                loop {
                    match ended.recv_timeout(Duration::from_secs(1)) {
                        Ok(_) => return bench.sentinel(),
                        Err(_) if Instant::now() > until => return Err("it was still served".into()),
                        Err(_) => {
                            let _ = wire.stream.read(&mut [0]);
                        }
                    }
                }
            }),
            ("h2_with_a_window_of_0", |bench| {
                let ended = floods(bench, 64 << 20);
                let mut client = H2::with_settings(bench.proxy.at, &[(4, 0)]);
                h2_reader(bench, &mut client, &ended, |_, _| {})
            }),
            ("h2_that_makes_no_room", |bench| {
                let ended = floods(bench, 64 << 20);
                let mut client = H2::connect(bench.proxy.at);
                client.makes_room = false;
                h2_reader(bench, &mut client, &ended, |_, _| {})
            }),
            ("h2_that_makes_room_for_a_byte_a_second", |bench| {
                let ended = floods(bench, 64 << 20);
                let mut client = H2::with_settings(bench.proxy.at, &[(4, 0)]);
                // Not for what was read: that would be as fast as the two can answer each other.
                client.makes_room = false;
                h2_reader(bench, &mut client, &ended, |client, id| {
                    client.send(
                        [
                            frame(WINDOW_UPDATE, 0, id, &1_u32.to_be_bytes()),
                            frame(WINDOW_UPDATE, 0, 0, &1_u32.to_be_bytes()),
                        ]
                        .concat(),
                    );
                })
            }),
        ]),
        |bench, run| run(bench),
    );
}

/// Replies with so many bytes, and tells when the connection did not take them any more.
fn floods(bench: &Bench, length: usize) -> mpsc::Receiver<usize> {
    let (tell, ended) = mpsc::channel();
    bench.begin(move |_, _| {
        let tell = tell.clone();
        Then::Do(Box::new(move |wire| {
            let _ = wire.stream.set_write_timeout(Some(BOUND));
            wire.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"));
            let piece = vec![b'z'; 64 << 10];
            let mut sent = 0;
            while sent < length && wire.send(&piece) {
                sent += piece.len();
            }
            if sent < length {
                let _ = tell.send(sent);
            }
        }))
    });
    ended
}

fn heard(ended: &mpsc::Receiver<usize>) -> Result<(), String> {
    ended.recv_timeout(BOUND).map(drop).map_err(|_| "the upstream's connection was kept".to_owned())
}

fn h2_reader(
    bench: &Bench,
    client: &mut H2,
    ended: &mpsc::Receiver<usize>,
    now_and_then: fn(&mut H2, u32),
) -> Result<(), String> {
    let id = client.ask(&head(bench.proxy.which, "GET", "{p}/a", &[]), None, None);
    client.wire.patience = Duration::from_millis(500);
    let until = Instant::now() + BOUND;
    while Instant::now() < until {
        if ended.try_recv().is_ok() {
            return bench.sentinel();
        }
        match client.pump() {
            Ok(()) => {}
            Err(End::Lack(Lack::Silent)) => now_and_then(client, id),
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
    Err(format!("it was still waited for after {BOUND:?}"))
}

#[test]
fn what_makes_progress_is_not_cut() {
    run_at_once(
        "progress",
        STREAM,
        // The kernel tells of room in a socket in large steps, so that less would tell a slow client from a silent one by chance.
        &["--timeout", "5s", "--head-timeout", "5s", "--max-body", "100m"],
        rows(&[
            // 10 kB/s, for longer than any window in which a rate is measured.
            ("slow_upload", |bench| {
                bench.begin(|asked, _| fine(asked));
                let mut client = Client::connect(bench.proxy.at);
                client.send(post(bench, "Content-Length: 120000\r\n"));
                for _ in 0..60 {
                    client.send([b'a'; 2_000]);
                    thread::sleep(Duration::from_millis(200));
                }
                let reply = client.reply("POST").map_err(|lack| format!("{lack:?}"))?;
                let asked = bench.asked()?;
                if reply.status == 200 && asked.len() == 1 && asked[0].body.len() == 120_000 {
                    Ok(())
                } else {
                    Err(format!("{}", reply.status))
                }
            }),
            ("slow_download", |bench| {
                bench.begin(|_, _| {
                    Then::Do(Box::new(|wire| {
                        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 120000\r\n\r\n");
                        for _ in 0..60 {
                            wire.send([b'a'; 2_000]);
                            thread::sleep(Duration::from_millis(200));
                        }
                    }))
                });
                let mut client = Client::connect(bench.proxy.at);
                client.send(get(bench));
                match client.reply("GET") {
                    Ok(reply) if reply.body.len() == 120_000 => Ok(()),
                    other => Err(format!("{other:?}").chars().take(200).collect()),
                }
            }),
            ("slow_reader", |bench| {
                let ended = floods(bench, 24 << 20);
                let mut client = Client::connect(bench.proxy.at);
                client.send(get(bench));
                client.wire.head().map_err(|lack| format!("{lack:?}"))?;
                // Some 2 MB/s.
                let mut got = client.wire.ahead.len();
                client.wire.ahead.clear();
                while got < 24 << 20 {
                    got += client.wire.more().map_err(|lack| format!("{lack:?} after {got} bytes"))?;
                    client.wire.ahead.clear();
                    client.wire.seen.clear();
                    thread::sleep(Duration::from_millis(20));
                }
                if ended.try_recv().is_ok() { Err("the upstream was cut".into()) } else { Ok(()) }
            }),
            ("h2_slow_upload", |bench| {
                bench.begin(|asked, _| fine(asked));
                let mut client = H2::connect(bench.proxy.at);
                let id = client.stream();
                client.send(frame(HEADERS, END_HEADERS, id, &block(&head(bench.proxy.which, "POST", "{p}/a", &[]))));
                for _ in 0..30 {
                    client.send(frame(DATA, 0, id, &[b'a'; 2_000]));
                    client.wire.patience = Duration::from_millis(400);
                    while client.pump().is_ok() {}
                }
                client.send(frame(DATA, END_STREAM, id, b""));
                client.wire.patience = PATIENCE;
                let reply = client.reply(id, "POST").map_err(|end| format!("{end:?}"))?;
                let asked = bench.asked()?;
                if reply.status == 200 && asked.len() == 1 && asked[0].body.len() == 60_000 {
                    Ok(())
                } else {
                    Err(format!("{}", reply.status))
                }
            }),
        ]),
        |bench, run| run(bench),
    );
}

#[test]
fn an_upstream_that_reads_slowly_is_not_silent() {
    // The last bytes are with the kernel long before the upstream has read them: for longer than it may be silent.
    run_at_once(
        "slow_reading_upstream",
        STREAM,
        &["--timeout", "3s", "--max-body", "100m"],
        vec![("one_megabyte_a_second".to_owned(), 9_000_000)],
        |bench, length: &usize| {
            let length = *length;
            bench.begin(move |_, _| {
                Then::Do(Box::new(move |wire| {
                    use std::io::Read as _;
                    let _ = socket2::SockRef::from(&wire.stream).set_recv_buffer_size(64 << 10);
                    let mut left = length - wire.ahead.len();
                    let mut part = vec![0; 100_000];
                    while left > 0 {
                        thread::sleep(Duration::from_millis(100));
                        let most = left.min(part.len());
                        if wire.stream.read_exact(&mut part[..most]).is_err() {
                            return;
                        }
                        left -= most;
                    }
                    wire.send(ok("ok"));
                }))
            });
            let mut client = Client::connect(bench.proxy.at);
            client.send(post(bench, &format!("Content-Length: {length}\r\n")));
            client.send(vec![b'a'; length]);
            let reply = client.reply("POST").map_err(|lack| format!("{lack:?}"))?;
            if reply.status == 200 { Ok(()) } else { Err(format!("{}", reply.status)) }
        },
    );
}
