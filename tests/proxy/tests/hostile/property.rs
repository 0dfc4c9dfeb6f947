//! With any bytes: no request reaches an upstream that the proxy did not accept, and no reply reaches a client to which
//! it does not belong.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::support::bench::Bench;
use crate::support::client::Client;
use crate::support::message::shown;
use crate::support::proxy::{ALL, Which, chosen, replace};
use crate::support::upstream::{Record, Then, fine};
use crate::support::wire::Lack;

/// What a request may have among its fields. Most of it is meant to be read in two ways.
const LINES: &[&str] = &[
    "Host: a.example",
    "Host: b.example",
    "Host:",
    "hOST: a.example:80",
    "Host : a.example",
    "Content-Length: 3",
    "Content-Length: 0",
    "Content-Length: 44",
    "content-length:3",
    "Content-Length: +3",
    "Content-Length: 3, 3",
    "Content-Length: 3,4",
    "Content-Length: ",
    "Content-Length : 3",
    "Content-Length: 0x3",
    "Content-Length: 99999999999999999999",
    "Content-Length:\t3",
    "Content_Length: 9",
    "Transfer-Encoding: chunked",
    "transfer-encoding:chunked",
    "Transfer-Encoding: Chunked",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: chunked, identity",
    "Transfer-Encoding: identity",
    "Transfer-Encoding: xchunked",
    "Transfer-Encoding : chunked",
    "Transfer-Encoding:\x0bchunked",
    "Transfer-Encoding: \"chunked\"",
    "Transfer-Encoding:",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "Transfer_Encoding: chunked",
    "X-A: b\r\n Transfer-Encoding: chunked",
    "X-A: b\nTransfer-Encoding: chunked",
    "X-A: b\rTransfer-Encoding: chunked",
    "Connection: close",
    "Connection: keep-alive",
    "Connection: content-length",
    "Connection: transfer-encoding, host",
    "Connection: te",
    "TE: trailers",
    "TE: gzip",
    "Expect: 100-continue",
    "Expect: foo",
    "Upgrade: websocket",
    "Upgrade: h2c",
    "Connection: upgrade",
    "Trailer: x-a",
    "Max-Forwards: 0",
    "Via: 1.1 fred",
    "Forwarded: for=6.6.6.6;by=\"",
    "X_Forwarded_User: root",
    "Cookie: a=b",
    "X-A: b",
    "X-A:",
    ": b",
    "X A: b",
    "X-A",
    "X-\0: b",
    "X-A: \0",
    "X-A: \x7f",
    " X-A: b",
    "\tX-A: b",
    "",
    "GET {p}/smuggled HTTP/1.1",
];
/// Fields that are well formed, and that a proxy has something to do with.
const TAME: &[&str] = &[
    "X-A: b",
    "Connection: x-a, content-length, transfer-encoding, host",
    "Connection: keep-alive",
    "Connection: te",
    "TE: trailers",
    "Expect: 100-continue",
    "Upgrade: h2c",
    "Trailer: x-a",
    "Max-Forwards: 3",
    "Via: 1.1 fred",
    "Content_Length: 9",
    "Transfer_Encoding: chunked",
    "X_Forwarded_User: root",
    "Forwarded: for=6.6.6.6;by=\"",
    "Cookie: a=b",
];
const METHODS: &[&str] =
    &["GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "FOO", "PRI", "G ET", ""];
const VERSIONS: &[&str] = &[
    "HTTP/1.1",
    "HTTP/1.1",
    "HTTP/1.1",
    "HTTP/1.1",
    "HTTP/1.0",
    "HTTP/1.2",
    "HTTP/2.0",
    "HTTP/0.9",
    "http/1.1",
    "HTTP/1.1 ",
    "",
];
const TARGETS: &[&str] = &[
    "{p}/a",
    "{p}/a",
    "{p}/a?b",
    "http://a.example{p}/a",
    "http://b.example",
    "*",
    "a.example:80",
    "/{p}/a",
    "{p}/a#b",
    "{p}/a b",
    "",
    "/\u{e9}",
    "{p}/%00",
    "{p}/../a",
];
const BODIES: &[&str] = &[
    "",
    "",
    "abc",
    "3\r\nabc\r\n0\r\n\r\n",
    "0\r\n\r\n",
    "3;a=b\r\nabc\r\n0\r\nX-A: b\r\n\r\n",
    "+3\r\nabc\r\n0\r\n\r\n",
    "3\nabc\n0\n\n",
    "3\r\nabcd\r\n0\r\n\r\n",
    "ffffffffffffffff\r\nabc",
    "0\r\nContent-Length: 9\r\n\r\n",
    "2;\nxx\r\nab\r\n0\r\n\r\n",
    "GET {p}/smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "0\r\n\r\nGET {p}/smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "abcGET {p}/smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "3\r\nabc\r\n0\r\n\r\nGET {p}/smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "2c\r\nGET {p}/smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n\r\n0\r\n\r\n",
];

const STATUS_LINES: &[&str] = &[
    "HTTP/1.1 200 OK",
    "HTTP/1.1 200 OK",
    "HTTP/1.1 200 OK",
    "HTTP/1.1 204 No Content",
    "HTTP/1.1 304 Not Modified",
    "HTTP/1.1 206 Partial",
    "HTTP/1.1 404 No",
    "HTTP/1.1 100 Continue",
    "HTTP/1.1 103 Early Hints",
    "HTTP/1.1 101 Switching Protocols",
    "HTTP/1.0 200 OK",
    "HTTP/2.0 200 OK",
    "HTTP/1.1 999 Odd",
    "HTTP/1.1 20 OK",
    "HTTP/1.1 200",
    "HTTP/1.1  200 OK",
    "ICY 200 OK",
    "",
];

/// A message of these first lines and any of the lines and bodies, each as it is or changed in one byte or two.
fn message(first: impl Strategy<Value = String>, valid: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let change = prop_oneof![
        6 => Just(Change::None),
        1 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        1 => (any::<prop::sample::Index>(), select(&b"\r\n\0 \t:,;0123\xff"[..])).prop_map(|(at, byte)| Change::Insert(at, byte)),
        1 => any::<prop::sample::Index>().prop_map(Change::Remove),
        1 => any::<prop::sample::Index>().prop_map(Change::Cut),
    ];
    (
        first,
        prop::bool::weighted(0.8),
        prop::collection::vec(select(LINES), 0..4),
        select(BODIES),
        prop::collection::vec(change, 1..3),
    )
        .prop_map(move |(first, plain, lines, body, changes)| {
            let mut all = first;
            all.push_str("\r\n");
            if plain {
                for line in valid {
                    all.push_str(line);
                    all.push_str("\r\n");
                }
            }
            for line in lines {
                all.push_str(line);
                all.push_str("\r\n");
            }
            all.push_str("\r\n");
            all.push_str(body);
            let mut bytes = all.into_bytes();
            for change in changes {
                change.apply(&mut bytes);
            }
            bytes
        })
}

#[derive(Clone, Debug)]
enum Change {
    None,
    Set(prop::sample::Index, u8),
    Insert(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    Cut(prop::sample::Index),
}

impl Change {
    fn apply(self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        match self {
            Self::None => {}
            Self::Set(at, byte) => *at.get_mut(bytes) = byte,
            Self::Insert(at, byte) => bytes.insert(at.index(bytes.len()), byte),
            Self::Remove(at) => {
                bytes.remove(at.index(bytes.len()));
            }
            Self::Cut(at) => bytes.truncate(at.index(bytes.len())),
        }
    }
}

/// A request that is well formed, whatever its body looks like; now and then with a byte changed.
fn tame() -> impl Strategy<Value = Vec<u8>> {
    let framing = select(&["length", "chunks", "none"][..]);
    let method = select(&["GET", "POST", "PUT", "DELETE", "OPTIONS"][..]);
    let lines = prop::collection::vec(select(TAME), 0..3);
    let change = (prop::bool::weighted(0.15), any::<prop::sample::Index>(), any::<u8>());
    (framing, method, lines, select(BODIES), change).prop_map(|(framing, method, lines, body, (changed, at, byte))| {
        // As long as it is once the prefix is filled in.
        let (framing, body) = match framing {
            "length" => (format!("Content-Length: {{n:{body}}}\r\n"), body.to_owned()),
            "chunks" => ("Transfer-Encoding: chunked\r\n".to_owned(), format!("{{x:{body}}}\r\n{body}\r\n0\r\n\r\n")),
            _ => (String::new(), String::new()),
        };
        // An empty chunk would be the last one.
        let body = body.strip_prefix("{x:}\r\n\r\n").unwrap_or(&body);
        let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        let mut bytes =
            format!("{method} {{p}}/a HTTP/1.1\r\nHost: a.example\r\n{lines}{framing}\r\n{body}").into_bytes();
        if changed {
            *at.get_mut(&mut bytes) = byte;
        }
        bytes
    })
}

/// Puts the lengths where they were left open: `{n:text}` in digits, `{x:text}` in hexadecimal ones.
fn measured(which: Which, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for body in BODIES {
        let length = filled(which, body.as_bytes()).len();
        bytes = replace(&bytes, format!("{{n:{body}}}").as_bytes(), length.to_string().as_bytes());
        bytes = replace(&bytes, format!("{{x:{body}}}").as_bytes(), format!("{length:x}").as_bytes());
    }
    filled(which, &bytes)
}

/// With the prefix, and with the gateway's key.
fn filled(which: Which, bytes: &[u8]) -> Vec<u8> {
    which.fill(&replace(bytes, b"Host: a.example\r\n", b"Host: a.example\r\n{k}"))
}

fn requests() -> impl Strategy<Value = Vec<u8>> {
    let line = (select(METHODS), select(TARGETS), select(VERSIONS))
        .prop_map(|(method, target, version)| format!("{method} {target} {version}"));
    let good = select(&["GET {p}/a HTTP/1.1", "POST {p}/a HTTP/1.1", "PUT {p}/a HTTP/1.1"][..]).prop_map(str::to_owned);
    let first = prop_oneof![3 => good, 1 => line];
    let wild = message(first, &["Host: a.example"]);
    let several =
        (prop::collection::vec(tame(), 0..4), prop::option::weighted(0.6, wild), prop::collection::vec(tame(), 0..2));
    prop_oneof![
        12 => several.prop_map(|(before, wild, after)| [before.concat(), wild.unwrap_or_default(), after.concat()].concat()),
        1 => prop::collection::vec(any::<u8>(), 0..300),
    ]
}

fn replies() -> impl Strategy<Value = Vec<u8>> {
    let first = select(STATUS_LINES).prop_map(str::to_owned);
    prop_oneof![
        9 => prop::collection::vec(message(first, &[]), 1..4).prop_map(|all| all.concat()),
        1 => prop::collection::vec(any::<u8>(), 0..300),
    ]
}

/// Runs any bytes against each of these, on a bench that is used for one case after another.
fn check<S: Strategy<Value = Vec<u8>>>(
    strategy: S,
    proxies: &[Which],
    run: impl Fn(&Bench, &[u8]) -> Result<(), String>,
) {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(400);
    for which in chosen(proxies) {
        let bench = Mutex::new(Bench::new(which, &[]));
        let config = Config { cases, failure_persistence: None, max_shrink_iters: 300, ..Config::default() };
        let result = TestRunner::new(config).run(&strategy, |bytes| {
            let mut bench = bench.lock().expect("no panic");
            run(&bench, &bytes).map_err(|why| {
                // What one case left behind must not be the next one's fault.
                *bench = Bench::new(which, &[]);
                TestCaseError::fail(format!("{why}, by {}", shown(&bytes)))
            })
        });
        if let Err(error) = result {
            panic!("{which:?}: {error}");
        }
    }
}

#[test]
fn an_upstream_gets_no_request_that_the_proxy_did_not_take() {
    check(requests(), ALL, |bench, bytes| {
        // Every other reply comes from the head alone, as from a server that has no use for a body, which it reads all the same.
        bench.begin(|asked, turn| match fine(asked) {
            Then::Send(reply) if turn % 2 == 0 => Then::SendFirst(reply),
            then => then,
        });
        let which = bench.proxy.which;
        // The gateway wants its key with each.
        let case = CASE.fetch_add(1, Ordering::Relaxed);
        let bytes = measured(which, &numbered(bytes, case));
        let mut client = Client::connect(bench.proxy.at);
        client.send(&bytes);
        client.send(which.fill(
            format!("GET {{p}}/c{case}/tail HTTP/1.1\r\nHost: a.example\r\n{{k}}Connection: close\r\n\r\n").as_bytes(),
        ));
        client.wire.patience = Duration::from_millis(300);
        let (got, lack) = client.wire.rest();
        bench.sentinel()?;
        let record = bench.upstream.record();
        if let Some((_, garbage)) = record.garbage.first() {
            return Err(format!("the upstream could not read what came: {garbage}"));
        }
        let whole = sent_on(&record, which, case);
        // A client that gave up has no reply to what was still under way.
        if lack == Lack::Silent {
            return Ok(());
        }
        // Each request that was taken has its reply. Where the proxy closed, one may have been under way.
        let finals = finals(&got);
        let under_way = usize::from(!got.ends_with(b"tail"));
        if whole > finals + under_way {
            return Err(format!("the upstream got {whole} requests, and the client {finals} replies, then {lack:?}"));
        }
        Ok(())
    });
}

/// How many requests there were besides the sentinel's. One that may be sent again, since the connection was stale or as the edge's policy has
/// it, counts once.
fn sent_on(record: &Record, which: Which, case: usize) -> usize {
    let mut repeatable = vec!["GET", "HEAD", "OPTIONS", "TRACE"];
    if matches!(which, Which::Api | Which::Files) {
        repeatable.extend(["PUT", "DELETE"]);
    }
    let mut seen = HashSet::new();
    let asked = record.asked.iter().filter(|asked| !asked.target.ends_with("/sentinel"));
    // What a case before this one left under way came late.
    let of_another = |target: &str| {
        let case_of = |tail: &str| tail.split_once('/').and_then(|(number, _)| number.parse::<usize>().ok());
        target.split_once("/c").and_then(|(_, tail)| case_of(tail)).is_some_and(|number| number != case)
    };
    let asked = asked.filter(|asked| !of_another(&asked.target));
    let whole = asked.filter(|asked| !asked.method.starts_with("UNFINISHED "));
    whole.filter(|asked| !repeatable.contains(&&*asked.method) || seen.insert((&asked.method, &asked.target))).count()
}

/// How many cases there were.
static CASE: AtomicUsize = AtomicUsize::new(0);

/// Gives each request of this case a target of its own.
fn numbered(bytes: &[u8], case: usize) -> Vec<u8> {
    let mut numbered = Vec::with_capacity(bytes.len());
    let (mut rest, mut number) = (bytes, 0);
    while let Some(at) = rest.windows(5).position(|part| part == b"{p}/a") {
        numbered.extend_from_slice(&rest[..at + 3]);
        numbered.extend_from_slice(format!("/c{case}/a").as_bytes());
        numbered.extend(number.to_string().bytes());
        number += 1;
        rest = &rest[at + 5..];
    }
    numbered.extend_from_slice(rest);
    numbered
}

/// How many final replies there are. Each begins a line, and no body of these tests has such a line in it.
fn finals(bytes: &[u8]) -> usize {
    let starts = bytes.windows(10).filter(|part| part.starts_with(b"HTTP/1.") && part[8] == b' ');
    starts.filter(|part| part[9] != b'1').count()
}

#[test]
fn a_client_gets_no_reply_that_is_not_its_own() {
    check(replies(), &[Which::Gateway, Which::Files, Which::Forward], |bench, bytes| {
        let reply = bytes.to_vec();
        bench.begin(move |_, _| {
            let reply = reply.clone();
            Then::Do(Box::new(move |wire| {
                wire.send(reply);
                // Long enough for whoever waits for more of it.
                wire.patience = Duration::from_millis(300);
                let _ = wire.more();
            }))
        });
        let mut client = Client::connect(bench.proxy.at);
        client.send(bench.proxy.which.fill(b"GET {p}/a HTTP/1.1\r\nHost: a.example\r\n{k}\r\n"));
        match client.reply("GET") {
            Ok(reply) if reply.status == 101 => return Err("a 101 that was not asked for".into()),
            Ok(_) => {
                bench.tail(&mut client)?;
            }
            Err(Lack::Wrong(wrong)) => {
                return Err(format!("the client got what is no reply: {wrong}: {}", shown(&client.wire.seen)));
            }
            Err(Lack::Silent) => return Err("neither a reply nor an end".into()),
            Err(_) => {}
        }
        bench.sentinel()
    });
}
