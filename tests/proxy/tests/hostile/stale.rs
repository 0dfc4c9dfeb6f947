//! Connections that the upstream closes as the next request comes (RFC 9112, 9.3.1 and 9.5; RFC 9110, 9.2.2).

use std::collections::HashMap;
use std::sync::Mutex;

use crate::support::bench::Bench;
use crate::support::client::{Client, Reply};
use crate::support::proxy::{ALL, Which};
use crate::support::table::run_by;
use crate::support::upstream::{Asked, Then, ok};
use crate::support::wire::PATIENCE;

/// Those that try nothing again but for a stale connection. The edge has a policy of its own besides.
const PLAIN: &[Which] = &[Which::Gateway, Which::Forward];

fn send(bench: &Bench, request: &str) -> Result<Reply, String> {
    let mut client = Client::connect(bench.proxy.at);
    client.send(bench.proxy.which.fill(request.as_bytes()));
    client.reply("GET").map_err(|lack| format!("{lack:?}"))
}

fn get(path: usize) -> String {
    format!("GET {{p}}/{path} HTTP/1.1\r\nHost: a.example\r\n{{k}}\r\n")
}

fn post(path: usize) -> String {
    format!("POST {{p}}/{path} HTTP/1.1\r\nHost: a.example\r\n{{k}}Content-Length: 3\r\n\r\nabc")
}

/// Replies to the first request of each connection, and closes at the next one.
fn once_each() -> impl Fn(&Asked, usize) -> Then + Send + Sync + 'static {
    let seen = Mutex::new(HashMap::new());
    move |asked, _| {
        let mut seen = seen.lock().expect("no panic");
        let before = seen.entry(asked.connection).or_insert(0);
        *before += 1;
        if *before == 1 { Then::Send(ok("ok")) } else { Then::Close }
    }
}

fn times(asked: &[Asked], path: usize) -> usize {
    asked.iter().filter(|asked| asked.target.ends_with(&format!("/{path}"))).count()
}

#[test]
fn a_safe_request_on_a_stale_connection_is_tried_once_more() {
    run_by("stale_get", ALL, &[], vec![("get".to_owned(), ())], |bench, ()| {
        bench.begin(once_each());
        for path in 0..20 {
            let status = send(bench, &get(path))?.status;
            if status != 200 {
                return Err(format!("request {path}: {status}"));
            }
        }
        let asked = bench.asked()?;
        match (0..20).find(|path| times(&asked, *path) > 2) {
            None => Ok(()),
            Some(path) => Err(format!("request {path} was sent {} times", times(&asked, path))),
        }
    });
}

#[test]
fn a_request_that_changes_something_is_not_sent_twice() {
    run_by("stale_post", ALL, &[], vec![("post".to_owned(), ())], |bench, ()| {
        bench.begin(once_each());
        for path in 0..20 {
            let status = send(bench, &post(path))?.status;
            if status != 200 && status != 502 {
                return Err(format!("request {path}: {status}"));
            }
        }
        let asked = bench.asked()?;
        match (0..20).find(|path| times(&asked, *path) > 1) {
            None => Ok(()),
            Some(path) => Err(format!("request {path} was sent {} times", times(&asked, path))),
        }
    });
}

#[test]
fn a_connection_that_was_closed_before_the_next_request_is_not_used() {
    // Between the upstream's close and the proxy's hearing of it there is a moment that nobody can close: for a request that cannot be sent
    // twice, few may fail.
    for (name, safe, least) in [("get", true, 40), ("post", false, 36)] {
        run_by("closed", ALL, &[], vec![(name.to_owned(), ())], |bench, ()| {
            bench.begin(|_, _| Then::SendAndClose(ok("ok")));
            let mut good = 0;
            for path in 0..40 {
                let ended = bench.upstream.record().ended;
                let status = send(bench, &if safe { get(path) } else { post(path) })?.status;
                // What was written to a connection that had ended is lost, and begins no other that could end.
                if status == 200 {
                    good += 1;
                    bench
                        .upstream
                        .wait_for(PATIENCE, &|record| record.ended > ended)
                        .map_err(|_| "it was never closed")?;
                }
            }
            let asked = bench.asked()?;
            if !safe && (0..40).any(|path| times(&asked, path) > 1) {
                return Err("a POST was sent twice".into());
            }
            if good >= least { Ok(()) } else { Err(format!("{good} of 40 were answered 200")) }
        });
    }
}

#[test]
fn several_stale_connections_cost_a_safe_request_nothing() {
    run_by("several_stale", ALL, &[], vec![("four".to_owned(), ())], |bench, ()| {
        // Four at once, so that there are four connections: each reply waits until all have come.
        let gate = std::sync::Arc::new(std::sync::Barrier::new(4));
        bench.begin(move |asked, turn| {
            let gate = std::sync::Arc::clone(&gate);
            let first = turn < 4;
            let path = asked.target.clone();
            Then::Do(Box::new(move |wire| {
                if !first {
                    // A new connection serves; a stale one has seen the end of it already.
                    wire.send(ok(&path));
                    return;
                }
                gate.wait();
                wire.send(ok(&path));
                // Whatever comes next on it is not answered.
                let _ = wire.more();
            }))
        });
        let all: Vec<Result<Reply, String>> = std::thread::scope(|scope| {
            let asks: Vec<_> = (0..4).map(|path| scope.spawn(move || send(bench, &get(path)))).collect();
            asks.into_iter().map(|ask| ask.join().expect("no panic")).collect()
        });
        for reply in all {
            if reply?.status != 200 {
                return Err("the first ones failed".into());
            }
        }
        let status = send(bench, &get(9))?.status;
        if status == 200 { Ok(()) } else { Err(format!("{status}")) }
    });
}

#[test]
fn a_new_connection_that_is_closed_without_a_reply_is_a_502_and_no_second_try() {
    let rows = vec![("get".to_owned(), get(1)), ("post".to_owned(), post(1))];
    run_by("closed_at_once", PLAIN, &[], rows, |bench, request: &String| {
        bench.begin(|_, _| Then::Close);
        let status = send(bench, request)?.status;
        let asked = bench.asked()?;
        if (status, asked.len()) == (502, 1) { Ok(()) } else { Err(format!("{status}, sent {} times", asked.len())) }
    });
}

#[test]
fn an_upstream_that_takes_no_connection_is_a_502() {
    let rows = vec![("get".to_owned(), get(1)), ("post".to_owned(), post(1))];
    run_by("refused", ALL, &[], rows, |bench, request: &String| {
        // Its listener is gone once the upstream is dropped; another proxy is started in front of where it was.
        let nobody =
            std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
        let proxy = crate::support::proxy::Proxy::start(bench.proxy.which, nobody, &[]);
        let mut client = Client::connect(proxy.at);
        client.send(proxy.which.fill(request.as_bytes()));
        match client.reply("GET") {
            Ok(reply) if reply.status == 502 => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
}

#[test]
fn a_reply_before_the_whole_request_is_passed_on_and_the_rest_is_nobodys_request() {
    let hidden = "GET {p}/smuggled HTTP/1.1\r\nHost: a.example\r\n{k}\r\n";
    let rows = vec![("with_a_length".to_owned(), false), ("then_closed".to_owned(), true)];
    run_by("early_replies", PLAIN, &["--max-body", "10m"], rows, |bench, closes: &bool| {
        let closes = *closes;
        let early: &'static [u8] = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno";
        bench.begin(move |_, _| {
            if closes {
                Then::Do(Box::new(move |wire| {
                    wire.send(early);
                }))
            } else {
                Then::SendFirst(early.to_vec())
            }
        });
        let body = bench.proxy.which.fill(hidden.repeat(2_000).as_bytes());
        let mut client = Client::connect(bench.proxy.at);
        let head = format!("POST {{p}}/a HTTP/1.1\r\nHost: a.example\r\n{{k}}Content-Length: {}\r\n\r\n", body.len());
        client.send(bench.proxy.which.fill(head.as_bytes()));
        client.send(&body);
        let status = match client.reply("POST") {
            Ok(reply) => reply.status,
            Err(crate::support::wire::Lack::Wrong(wrong)) => return Err(wrong.to_string()),
            Err(_) => 0,
        };
        bench.sentinel()?;
        let asked = bench.asked()?;
        if asked.iter().any(|asked| asked.target.ends_with("/smuggled")) {
            return Err("a part of the body became a request".into());
        }
        // Where the upstream closes, its reply may be lost with the connection.
        if status == 413 || (closes && [0, 502].contains(&status)) { Ok(()) } else { Err(format!("{status}")) }
    });
}
