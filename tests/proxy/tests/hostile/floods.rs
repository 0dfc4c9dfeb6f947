//! Floods: their cost in memory and descriptors. The proxy serves the next client as if nothing had happened.
//!
//! Each row is a process of its own. The table is printed (`--nocapture` shows it). Its bounds are pinned, and
//! generous: they distinguish a bounded cost from one that grows with the flood, not a good allocator from a better
//! one.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::bench::Bench;
use crate::support::client::Client;
use crate::support::h2::{
    DATA, END_HEADERS, END_STREAM, H2, HEADERS, PING, RST_STREAM, SETTINGS, WINDOW_UPDATE, block, frame, head,
};
use crate::support::proxy::Which;
use crate::support::table::run_by;
use crate::support::upstream::{Then, fine};
use crate::support::wire::{PATIENCE, Wire};

/// What a flood leaves open while its cost is measured.
type Hold = Box<dyn std::any::Any>;

struct Row {
    flood: fn(&Bench) -> Hold,
    /// Kilobytes that the most memory it ever had may have grown by.
    memory: u64,
    /// The edge reads replies whole, so rows about those are not for it.
    streams: bool,
}

const TIMES: &[&str] = &["--timeout", "60s", "--head-timeout", "60s", "--grace", "1s"];
/// Those whose replies are streamed.
const STREAM: &[Which] = &[Which::Gateway, Which::Forward];

/// Sends until all is sent or the other side has had enough.
fn pour(client: &mut H2, piece: &[u8], times: usize) {
    let _ = client.wire.stream.set_write_timeout(Some(Duration::from_secs(2)));
    for _ in 0..times {
        if !client.send(piece) {
            return;
        }
    }
}

fn rows() -> Vec<(String, Row)> {
    let row =
        |name: &str, memory: u64, flood: fn(&Bench) -> Hold| (name.to_owned(), Row { flood, memory, streams: false });
    let streamed =
        |name: &str, memory: u64, flood: fn(&Bench) -> Hold| (name.to_owned(), Row { flood, memory, streams: true });
    vec![
        row("rapid_reset_20000", 24_000, |bench| {
            let mut client = H2::connect(bench.proxy.at);
            let fields = block(&head(bench.proxy.which, "GET", "{p}/a", &[]));
            for _ in 0..200 {
                let mut piece = Vec::new();
                for _ in 0..100 {
                    let id = client.stream();
                    piece.extend(frame(HEADERS, END_HEADERS | END_STREAM, id, &fields));
                    piece.extend(frame(RST_STREAM, 0, id, &8_u32.to_be_bytes()));
                }
                pour(&mut client, &piece, 1);
            }
            Box::new(client)
        }),
        row("made_to_reset_20000", 24_000, |bench| {
            // The server itself is made to reset: a window update of 0 is an error of the stream.
            let mut client = H2::connect(bench.proxy.at);
            let fields = block(&head(bench.proxy.which, "POST", "{p}/a", &[]));
            for _ in 0..200 {
                let mut piece = Vec::new();
                for _ in 0..100 {
                    let id = client.stream();
                    piece.extend(frame(HEADERS, END_HEADERS, id, &fields));
                    piece.extend(frame(WINDOW_UPDATE, 0, id, &[0; 4]));
                }
                pour(&mut client, &piece, 1);
            }
            Box::new(client)
        }),
        row("continuations_20000", 16_000, |bench| {
            let mut client = H2::connect(bench.proxy.at);
            let field = block(&[("x-a", "b".repeat(1_000))]);
            client.send(frame(HEADERS, END_STREAM, 1, &block(&head(bench.proxy.which, "GET", "{p}/a", &[]))));
            pour(&mut client, &frame(9, 0, 1, &field), 20_000);
            Box::new(client)
        }),
        row("empty_continuations_100000", 16_000, |bench| {
            let mut client = H2::connect(bench.proxy.at);
            client.send(frame(HEADERS, END_STREAM, 1, &[]));
            pour(&mut client, &frame(9, 0, 1, &[]).repeat(1_000), 100);
            Box::new(client)
        }),
        row("settings_200000_and_no_reading", 16_000, |bench| {
            let mut client = H2::connect(bench.proxy.at);
            pour(&mut client, &frame(SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0]).repeat(1_000), 200);
            Box::new(client)
        }),
        row("pings_200000_and_no_reading", 16_000, |bench| {
            let mut client = H2::connect(bench.proxy.at);
            pour(&mut client, &frame(PING, 0, 0, &[7; 8]).repeat(1_000), 200);
            Box::new(client)
        }),
        row("empty_data_200000", 16_000, |bench| {
            let mut client = H2::connect(bench.proxy.at);
            let id = client.stream();
            client.send(frame(HEADERS, END_HEADERS, id, &block(&head(bench.proxy.which, "POST", "{p}/a", &[]))));
            pour(&mut client, &frame(DATA, 0, id, &[]).repeat(1_000), 200);
            Box::new(client)
        }),
        row("window_updates_200000", 16_000, |bench| {
            let mut client = H2::connect(bench.proxy.at);
            pour(&mut client, &frame(WINDOW_UPDATE, 0, 0, &1_u32.to_be_bytes()).repeat(1_000), 200);
            Box::new(client)
        }),
        row("priorities_200000", 16_000, |bench| {
            let mut client = H2::connect(bench.proxy.at);
            pour(&mut client, &frame(2, 0, 1, &[0, 0, 0, 0, 9]).repeat(1_000), 200);
            Box::new(client)
        }),
        row("idle_2000", 48_000, |bench| {
            Box::new((0..2_000).map(|_| Wire::connect(bench.proxy.at)).collect::<Vec<_>>())
        }),
        row("idle_h2_1000", 64_000, |bench| {
            Box::new((0..1_000).map(|_| H2::connect(bench.proxy.at)).collect::<Vec<_>>())
        }),
        row("half_open_1000_of_30_kB", 112_000, |bench| {
            let head = format!("GET / HTTP/1.1\r\nHost: a\r\nX-A: {}", "b".repeat(30_000));
            let half = |_| {
                let mut wire = Wire::connect(bench.proxy.at);
                wire.send(&head);
                wire
            };
            Box::new((0..1_000).map(half).collect::<Vec<_>>())
        }),
        row("half_open_200_of_400_kB", 40_000, |bench| {
            let head = format!("GET / HTTP/1.1\r\nHost: a\r\nX-A: {}", "b".repeat(400_000));
            let half = |_| {
                let mut wire = Wire::connect(bench.proxy.at);
                let _ = wire.stream.set_write_timeout(Some(Duration::from_millis(500)));
                wire.send(&head);
                wire
            };
            Box::new((0..200).map(half).collect::<Vec<_>>())
        }),
        row("half_open_h2_blocks_500", 56_000, |bench| {
            let half = |_| {
                let mut client = H2::connect(bench.proxy.at);
                client.send(frame(HEADERS, END_STREAM, 1, &block(&[("x-a", "b".repeat(15_000))])));
                client
            };
            Box::new((0..500).map(half).collect::<Vec<_>>())
        }),
        row("bodies_that_never_come_500", 64_000, |bench| {
            let begun = |_| {
                let mut wire = Wire::connect(bench.proxy.at);
                wire.send(
                    bench
                        .proxy
                        .which
                        .fill(b"POST {p}/a HTTP/1.1\r\nHost: a.example\r\n{k}Content-Length: 1000\r\n\r\nabc"),
                );
                wire
            };
            Box::new((0..500).map(begun).collect::<Vec<_>>())
        }),
        row("chunks_of_a_byte_500000", 16_000, |bench| {
            let mut wire = Wire::connect(bench.proxy.at);
            wire.send(
                bench
                    .proxy
                    .which
                    .fill(b"POST {p}/a HTTP/1.1\r\nHost: a.example\r\n{k}Transfer-Encoding: chunked\r\n\r\n"),
            );
            let piece = b"1\r\na\r\n".repeat(5_000);
            let _ = wire.stream.set_write_timeout(Some(Duration::from_secs(5)));
            for _ in 0..100 {
                if !wire.send(&piece) {
                    break;
                }
            }
            Box::new(wire)
        }),
        streamed("stuck_readers_100", 72_000, |bench| {
            let stuck = |_| {
                let mut wire = Wire::connect(bench.proxy.at);
                let _ = socket2::SockRef::from(&wire.stream).set_recv_buffer_size(4_096);
                wire.send(bench.proxy.which.fill(b"GET {p}/large HTTP/1.1\r\nHost: a.example\r\n{k}\r\n"));
                wire
            };
            let all: Vec<Wire> = (0..100).map(stuck).collect();
            bench.upstream.wait("all of them", |record| record.asked.len() >= 100);
            thread::sleep(Duration::from_secs(2));
            Box::new(all)
        }),
        streamed("zero_windows_500", 80_000, |bench| {
            let stuck = |_| {
                let mut client = H2::with_settings(bench.proxy.at, &[(4, 0)]);
                for _ in 0..50 {
                    client.ask(&head(bench.proxy.which, "GET", "{p}/large", &[]), None, None);
                }
                client
            };
            let all: Vec<H2> = (0..10).map(stuck).collect();
            let _ = bench.upstream.wait_for(Duration::from_secs(10), &|record| record.asked.len() >= 500);
            thread::sleep(Duration::from_secs(2));
            Box::new(all)
        }),
    ]
}

#[test]
fn a_flood_costs_a_bounded_amount_and_the_next_client_is_served() {
    let table = Mutex::new(Vec::new());
    let run = |bench: &Bench, (name, row): &(String, Row)| {
        if row.streams && !STREAM.contains(&bench.proxy.which) {
            return Ok(());
        }
        // The bench may have seen a flood: this one has a process of its own.
        let bench = Bench::new(bench.proxy.which, &flags(bench.proxy.which));
        bench.begin(|asked, _| {
            if !asked.target.ends_with("/large") {
                return fine(asked);
            }
            Then::Do(Box::new(|wire| {
                let _ = wire.stream.set_write_timeout(Some(PATIENCE));
                wire.send("HTTP/1.1 200 OK\r\nContent-Length: 8000000\r\n\r\n");
                wire.send(vec![b'z'; 8_000_000]);
            }))
        });
        for _ in 0..20 {
            bench.sentinel()?;
        }
        let (memory, descriptors) = (bench.proxy.kilobytes("VmHWM"), bench.proxy.descriptors_at_rest());
        let hold = (row.flood)(&bench);
        let began = Instant::now();
        let served = bench.sentinel();
        let waited = began.elapsed();
        let open = bench.proxy.descriptors();
        drop(hold);
        served.map_err(|why| format!("while it lasts, {why}"))?;
        let until = Instant::now() + PATIENCE;
        while bench.proxy.descriptors() > descriptors + 10 && Instant::now() < until {
            thread::sleep(Duration::from_millis(50));
        }
        for _ in 0..20 {
            bench.sentinel().map_err(|why| format!("afterwards, {why}"))?;
        }
        let grown = bench.proxy.kilobytes("VmHWM").saturating_sub(memory);
        let left = bench.proxy.descriptors();
        table.lock().expect("no panic").push(format!(
            "{:<8} {name:<32} {grown:>8} kB of {:>8}  {open:>6} descriptors, {left:>4} after ({descriptors} before)  next client {waited:>8.1?}",
            format!("{:?}", bench.proxy.which), row.memory
        ));
        if left > descriptors + 10 {
            return Err(format!("{left} descriptors are open, {descriptors} before"));
        }
        if grown > row.memory { Err(format!("{grown} kB, bound {}", row.memory)) } else { Ok(()) }
    };
    let rows = rows().into_iter().map(|(name, row)| (name.clone(), (name, row))).collect();
    let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        run_by("floods", &[Which::Gateway, Which::Api, Which::Forward], TIMES, rows, run)
    }));
    let mut table = table.into_inner().expect("no panic");
    table.sort();
    println!("{}", table.join("\n"));
    if let Err(failed) = ran {
        std::panic::resume_unwind(failed);
    }
}

fn flags(which: Which) -> Vec<&'static str> {
    if which == Which::Gateway { TIMES.to_vec() } else { Vec::new() }
}

#[test]
fn a_process_with_64_descriptors_serves_on_when_there_are_some_again() {
    let rows = vec![("idle_connections".to_owned(), false), ("requests_that_hang".to_owned(), true)];
    run_by("descriptors", &[Which::Gateway, Which::Api, Which::Forward], TIMES, rows, |bench, hang: &bool| {
        let bench = Bench::new(bench.proxy.which, &flags(bench.proxy.which));
        bench.begin(|asked, _| {
            if asked.target.ends_with("/hang") { Then::Do(Box::new(|wire| drop(wire.rest()))) } else { fine(asked) }
        });
        bench.sentinel()?;
        bench.proxy.limit_descriptors(64);
        let all: Vec<Wire> = (0..200)
            .map(|_| {
                let mut wire = Wire::connect(bench.proxy.at);
                if *hang {
                    wire.send(bench.proxy.which.fill(b"GET {p}/hang HTTP/1.1\r\nHost: a.example\r\n{k}\r\n"));
                }
                wire
            })
            .collect();
        // Until it has taken as many as it can.
        let until = Instant::now() + Duration::from_secs(5);
        while bench.proxy.descriptors() < 60 && Instant::now() < until {
            thread::sleep(Duration::from_millis(20));
        }
        let open = bench.proxy.descriptors();
        drop(all);
        // Not each of the first may be served, while those that went are still in the kernel's queue. Soon all are.
        let until = Instant::now() + PATIENCE;
        let mut in_a_row = 0;
        while in_a_row < 10 {
            match bench.sentinel() {
                Ok(()) => in_a_row += 1,
                Err(why) if Instant::now() > until => return Err(format!("{why}, after {open} descriptors")),
                Err(_) => {
                    in_a_row = 0;
                    thread::sleep(Duration::from_millis(50));
                }
            }
        }
        Ok(())
    });
}

#[test]
fn a_proxy_at_its_limit_of_descriptors_does_not_blame_the_upstream() {
    // A connection of a client that gets in has to find a descriptor for its upstream, or hear truly why not.
    run_by("blame", &[Which::Gateway, Which::Forward], TIMES, vec![("sixty".to_owned(), ())], |bench, ()| {
        let bench = Bench::new(bench.proxy.which, &flags(bench.proxy.which));
        bench.begin(|asked, _| fine(asked));
        bench.sentinel()?;
        bench.proxy.limit_descriptors(64);
        let mut clients: Vec<Client> = (0..60).map(|_| Client::connect(bench.proxy.at)).collect();
        for client in &mut clients {
            client.send(bench.proxy.which.fill(b"GET {p}/a HTTP/1.1\r\nHost: a.example\r\n{k}\r\n"));
        }
        for client in &mut clients {
            client.wire.patience = Duration::from_millis(500);
            if let Ok(reply) = client.reply("GET") {
                let text = String::from_utf8_lossy(&reply.body).into_owned();
                if text.contains("refuses") || text.contains("takes no connection") {
                    return Err(format!("{}: {text:?}", reply.status));
                }
            }
        }
        Ok(())
    });
}
