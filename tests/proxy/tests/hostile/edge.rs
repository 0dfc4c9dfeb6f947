//! Cases of the edge alone: groups of upstreams, bodies that are read whole, and unchecked fields.

use crate::support::client::Client;
use crate::support::proxy::{Proxy, Which, chosen};
use crate::support::upstream::{Then, Upstream, fine};

fn ask(proxy: &Proxy, request: &str) -> Result<crate::support::client::Reply, String> {
    let mut client = Client::connect(proxy.at);
    client.send(request);
    client.reply("GET").map_err(|lack| format!("{lack:?}"))
}

#[test]
fn an_upstream_of_two_that_hangs_is_rested() {
    if chosen(&[Which::Api]).is_empty() {
        return;
    }
    for method in ["GET", "POST"] {
        let good = Upstream::scripted(|asked, _| fine(asked));
        let hangs = Upstream::scripted(|_, _| Then::Do(Box::new(|wire| drop(wire.rest()))));
        let proxy = Proxy::edge_of(&[hangs.at, good.at], good.at, &["--attempt", "500ms", "--deadline", "5s"]);
        let mut failed = 0;
        for each in 0..20 {
            let request = format!("{method} /api/v1/{each} HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n");
            let reply = ask(&proxy, &request).expect("a reply");
            failed += usize::from(reply.status != 200);
        }
        let tries = hangs.record().asked.len();
        // What may be carried out twice is tried elsewhere; the rest fails as long as it takes to know which one hangs.
        let most = if method == "GET" { 0 } else { 5 };
        assert!(failed <= most, "{method}: {failed} of 20 failed");
        assert!(tries <= 8, "{method}: the one that hangs was tried {tries} times");
    }
}

#[test]
fn a_reply_that_is_too_large_is_not_asked_for_again() {
    if chosen(&[Which::Api]).is_empty() {
        return;
    }
    let large = Upstream::scripted(|_, _| {
        Then::Do(Box::new(|wire| {
            wire.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", 17 << 20));
            wire.send(vec![b'z'; 17 << 20]);
            drop(wire.rest());
        }))
    });
    let proxy = Proxy::edge(large.at, large.at, &["--attempt", "20s", "--deadline", "25s"]);
    let reply = ask(&proxy, "GET /static/large HTTP/1.1\r\nHost: a.example\r\n\r\n").expect("a reply");
    let tries = large.record().asked.len();
    // A proxy that streams has no use for a limit.
    let right = (reply.status == 502 && tries == 1) || (reply.status == 200 && reply.body.len() == 17 << 20);
    assert!(right, "{} after {tries} tries", reply.status);
    // It is in no trouble, so it is asked again at once.
    let again = ask(&proxy, "GET /static/large HTTP/1.1\r\nHost: a.example\r\n\r\n").expect("a reply");
    assert!([200, 502].contains(&again.status), "{}", again.status);
    assert_eq!(large.record().asked.len(), tries + 1);
}

#[test]
fn a_quota_says_when_to_come_back_and_is_not_escaped_by_another_name() {
    if chosen(&[Which::Api]).is_empty() {
        return;
    }
    let upstream = Upstream::new();
    let proxy = Proxy::edge(upstream.at, upstream.at, &["--rate", "1", "--burst", "5"]);
    let mut refused = 0;
    for each in 0..60 {
        // Nobody has checked who that is.
        let request = format!("GET /api/v1/a HTTP/1.1\r\nHost: a.example\r\nX-Client-Id: {each}\r\n\r\n");
        let reply = ask(&proxy, &request).expect("a reply");
        if reply.status == 429 {
            refused += 1;
            assert!(reply.fields.has("retry-after"), "a 429 without Retry-After: {:?}", reply.fields);
        }
    }
    assert!(refused > 0, "60 requests with 60 names, none of them checked, from one address at a rate of 1");
}

#[test]
fn names_of_clients_cost_no_memory() {
    if chosen(&[Which::Api]).is_empty() {
        return;
    }
    let upstream = Upstream::new();
    let proxy = Proxy::edge(upstream.at, upstream.at, &["--rate", "1000000", "--burst", "1000000"]);
    ask(&proxy, "GET /api/v1/a HTTP/1.1\r\nHost: a.example\r\n\r\n").expect("a reply");
    let before = proxy.kilobytes("VmHWM");
    for each in 0..1_000 {
        let name = format!("{each}{}", "i".repeat(60_000));
        let _ = ask(
            &proxy,
            &format!("POST /api/v1/a HTTP/1.1\r\nHost: a.example\r\nX-Client-Id: {name}\r\nContent-Length: 0\r\n\r\n"),
        );
    }
    let grown = proxy.kilobytes("VmHWM").saturating_sub(before);
    println!("1,000 names of 60 kB: {grown} kB");
    assert!(grown < 32_000, "{grown} kB for 1,000 names");
}

#[test]
fn what_the_edge_says_nobody_else_says() {
    if chosen(&[Which::Api]).is_empty() {
        return;
    }
    let upstream = Upstream::scripted(|_, _| {
        Then::Send(b"HTTP/1.1 200 OK\r\nX-Served-By: me\r\nContent-Length: 2\r\n\r\nok".to_vec())
    });
    let proxy = Proxy::edge(upstream.at, upstream.at, &["--deadline", "60s", "--attempt", "30s"]);
    for (path, group) in [("/static/a", "files"), ("/api/v1/a", "stable")] {
        for name in ["X-Time-Left-Ms", "x-time-left-ms", "X_Time_Left_Ms", "X-Time_Left-Ms"] {
            let request = format!("GET {path} HTTP/1.1\r\nHost: a.example\r\n{name}: 1\r\nX-Client-Id: b\r\n\r\n");
            let reply = ask(&proxy, &request).expect("a reply");
            let served: Vec<&str> = reply.fields.all("x-served-by").collect();
            assert!(served == [group] || served == ["canary"], "{path}: {served:?}");
            let asked = upstream.record().asked.pop().expect("it was asked");
            let same = |each: &str| each.replace('_', "-").eq_ignore_ascii_case("x-time-left-ms");
            let left: Vec<&String> =
                asked.fields.0.iter().filter(|(each, _)| same(each)).map(|(_, value)| value).collect();
            assert!(left.len() <= 1 && left.iter().all(|left| *left != "1"), "{path}, {name}: {left:?}");
        }
    }
}
