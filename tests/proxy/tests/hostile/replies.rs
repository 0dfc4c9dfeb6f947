//! The length of replies, and what a client must never get of them (RFC 9112, 6 and 9; RFC 9113, 8.1).
//!
//! Each row is one reply of an upstream, as bytes in one segment, asked for by clients of HTTP/1.1 and of HTTP/2.

use std::fmt::Write as _;

use crate::support::bench::Bench;
use crate::support::client::{Client, Reply};
use crate::support::h2::{End, H2, head};
use crate::support::message::shown;
use crate::support::proxy::Which;
use crate::support::table::run_by;
use crate::support::upstream::Then;
use crate::support::wire::Lack;

/// A row of the edge's files stands for all that it makes of replies.
const PROXIES: &[Which] = &[Which::Gateway, Which::Files, Which::Forward];
const TIMES: &[&str] = &["--timeout", "5s", "--head-timeout", "5s"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    H1,
    H2,
}

#[derive(Clone, Debug)]
enum Want {
    /// This status and this body.
    Is(u16, Vec<u8>),
    /// A 502, and that connection to the upstream is not used again.
    Bad,
    /// The one or the other.
    IsOrBad(u16, Vec<u8>),
    /// The client can see that it has not got all.
    Cut,
}

type Check = fn(&Reply) -> Result<(), String>;

#[derive(Clone)]
struct Row {
    name: String,
    method: &'static str,
    reply: Vec<u8>,
    close: bool,
    /// Whether the upstream's connection must not be used again, since more came on it than was asked for.
    once: bool,
    want: Want,
    check: Option<Check>,
}

fn row(name: &str, reply: impl AsRef<[u8]>) -> Row {
    let reply = reply.as_ref().to_vec();
    Row { name: name.into(), method: "GET", reply, close: false, once: false, want: Want::Bad, check: None }
}

/// A reply with these lines in its head.
fn with(name: &str, lines: &str, body: &str) -> Row {
    row(name, format!("HTTP/1.1 200 OK\r\n{lines}\r\n{body}"))
}

impl Row {
    fn is(mut self, status: u16, body: impl AsRef<[u8]>) -> Self {
        self.want = Want::Is(status, body.as_ref().to_vec());
        self
    }

    fn or_bad(mut self, status: u16, body: impl AsRef<[u8]>) -> Self {
        self.want = Want::IsOrBad(status, body.as_ref().to_vec());
        self
    }

    fn cut(mut self) -> Self {
        self.want = Want::Cut;
        self
    }

    /// To a request of this method.
    fn to(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }

    /// Then the upstream closes.
    fn close(mut self) -> Self {
        self.close = true;
        self
    }

    /// Then the connection is not used again.
    fn once(mut self) -> Self {
        self.once = true;
        self
    }

    fn check(mut self, check: Check) -> Self {
        self.check = Some(check);
        self
    }

    fn run(&self, bench: &Bench, by: By) -> Result<(), String> {
        let (reply, close) = (self.reply.clone(), self.close);
        bench.begin(move |_, _| if close { Then::SendAndClose(reply.clone()) } else { Then::Send(reply.clone()) });
        let got = match by {
            By::H1 => self.over_h1(bench)?,
            By::H2 => self.over_h2(bench)?,
        };
        bench.sentinel()?;
        let asked = bench.asked()?;
        if asked.is_empty() {
            return Err("the upstream was not asked".into());
        }
        let reused = |target: &str| {
            let record = bench.upstream.record();
            let later = record.asked.iter().filter(|each| each.target.ends_with(target)).map(|each| each.connection);
            later.into_iter().any(|connection| asked.iter().any(|asked| asked.connection == connection))
        };
        let bad = |status: u16| status == 502;
        let once = self.once || matches!(self.want, Want::Bad | Want::Cut);
        if once && (reused("/tail") || reused("/sentinel")) {
            return Err(format!("the connection was used again; the client got {}", told(&got)));
        }
        let is = |status: u16, body: &[u8]| match &got {
            Ok(reply) if reply.status == status && reply.body == body => {
                self.check.map_or(Ok(()), |check| check(reply))
            }
            got => Err(format!("not {status} {:?} but {}", shown(body), told(got))),
        };
        match (&self.want, &got) {
            (Want::Is(status, body), _) => is(*status, body),
            (Want::Bad | Want::IsOrBad(..) | Want::Cut, Ok(reply)) if bad(reply.status) => Ok(()),
            (Want::Bad, got) => Err(format!("not a 502 but {}", told(got))),
            (Want::IsOrBad(status, body), _) => is(*status, body),
            (Want::Cut, Ok(_)) => Err(format!("looks whole: {}", told(&got))),
            (Want::Cut, Err(_)) => Ok(()),
        }
    }

    fn over_h1(&self, bench: &Bench) -> Result<Result<Reply, String>, String> {
        let mut client = Client::connect(bench.proxy.at);
        let asked = format!(
            "{} {{p}}/a HTTP/1.1\r\nHost: a.example\r\n{{k}}TE: trailers\r\nConnection: te\r\n\r\n",
            self.method
        );
        client.send(bench.proxy.which.fill(asked.as_bytes()));
        match client.reply(self.method) {
            Ok(reply) => {
                bench.tail(&mut client)?;
                Ok(Ok(reply))
            }
            Err(Lack::Wrong(wrong)) => {
                Err(format!("the client got what is no reply: {wrong}: {}", shown(&client.wire.seen)))
            }
            Err(Lack::Silent) => Err("the client got nothing, or not all of it, and no end".into()),
            Err(lack) => Ok(Err(format!("{lack:?}"))),
        }
    }

    fn over_h2(&self, bench: &Bench) -> Result<Result<Reply, String>, String> {
        let which = bench.proxy.which;
        let mut client = H2::connect(bench.proxy.at);
        let id = client.ask(&head(which, self.method, "{p}/a", &[("te", "trailers")]), None, None);
        let got = match client.reply(id, self.method) {
            Ok(reply) => Ok(reply),
            Err(End::Reset(code)) => Err(format!("reset with {code}")),
            Err(end) => return Err(format!("{end:?}")),
        };
        match client.get(which, "{p}/tail") {
            Ok(reply) if reply.status == 200 && reply.body == b"tail" => Ok(got),
            other => Err(format!("the next request on the connection did not get its own reply: {other:?}")),
        }
    }
}

fn told(got: &Result<Reply, String>) -> String {
    match got {
        Ok(reply) => format!("{} {:?} {:?}", reply.status, shown(&reply.body), reply.fields),
        Err(why) => why.clone(),
    }
}

fn run(table: &str, rows: Vec<Row>) {
    let mut all = Vec::new();
    for row in rows {
        for by in [By::H1, By::H2] {
            all.push((format!("{}_by_{by:?}", row.name), (row.clone(), by)));
        }
    }
    run_by(table, PROXIES, TIMES, all, |bench, (row, by)| row.run(bench, *by));
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const CHUNKS: &str = "2\r\nok\r\n0\r\n\r\n";

#[test]
fn a_reply_arrives_as_it_is_whatever_its_framing_was() {
    let large = "z".repeat(300_000);
    run(
        "framings",
        vec![
            with("length", "Content-Length: 2\r\n", "ok").is(200, "ok"),
            with("length_in_small_letters", "content-length:2\r\n", "ok").is(200, "ok"),
            with("length_0", "Content-Length: 0\r\n", "").is(200, ""),
            with("chunks", "Transfer-Encoding: chunked\r\n", CHUNKS).is(200, "ok"),
            with("chunks_in_capitals", "TRANSFER-ENCODING: Chunked\r\n", CHUNKS).is(200, "ok"),
            with("chunks_of_one_byte", "Transfer-Encoding: chunked\r\n", "1\r\no\r\n1\r\nk\r\n0\r\n\r\n").is(200, "ok"),
            with("chunks_with_extensions", "Transfer-Encoding: chunked\r\n", "2;a=\"b\"\r\nok\r\n0;c\r\n\r\n")
                .is(200, "ok"),
            with("no_chunk", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n").is(200, ""),
            with("until_it_closes", "Connection: close\r\n", "ok").close().is(200, "ok"),
            with("until_it_closes_without_saying_so", "X-A: 1\r\n", "ok").close().is(200, "ok"),
            with("nothing_until_it_closes", "X-A: 1\r\n", "").close().is(200, ""),
            with("length_and_close", "Connection: close\r\nContent-Length: 2\r\n", "ok").close().is(200, "ok"),
            with("300_kB_by_length", "Content-Length: 300000\r\n", &large).is(200, &large),
            with("300_kB_in_a_chunk", "Transfer-Encoding: chunked\r\n", &format!("493e0\r\n{large}\r\n0\r\n\r\n"))
                .is(200, &large),
            with("300_kB_until_it_closes", "X-A: 1\r\n", &large).close().is(200, &large),
            row("http_1_0_with_a_length", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok").close().is(200, "ok"),
            row("http_1_0_until_it_closes", "HTTP/1.0 200 OK\r\n\r\nok").close().is(200, "ok"),
            row("http_1_0_that_is_kept", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok")
                .is(200, "ok"),
            with("close_that_is_not_carried_out", "Connection: close\r\nContent-Length: 2\r\n", "ok")
                .once()
                .is(200, "ok"),
            row("http_1_0_that_is_not_kept", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok").once().is(200, "ok"),
            row("404", "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno").is(404, "no"),
            row("500_in_chunks", format!("HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n{CHUNKS}"))
                .or_bad(500, "ok"),
            row("299", "HTTP/1.1 299 Fine\r\nContent-Length: 2\r\n\r\nok").is(299, "ok"),
            row("599", "HTTP/1.1 599 Odd\r\nContent-Length: 2\r\n\r\nok").is(599, "ok"),
            row("304", "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n").is(304, ""),
            row("304_with_a_length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n").is(304, ""),
            row("304_with_a_coding", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n").or_bad(304, ""),
            row("204", "HTTP/1.1 204 No Content\r\n\r\n").is(204, ""),
            row("204_with_a_length_of_0", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n").or_bad(204, ""),
            row("205", "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n").is(205, ""),
            row("no_reason", "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok").is(200, "ok"),
            row("no_reason_and_no_space", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok").or_bad(200, "ok"),
            row("reason_past_ascii", "HTTP/1.1 200 \u{e9}\r\nContent-Length: 2\r\n\r\nok").or_bad(200, "ok"),
            with("head_with_a_length", "Content-Length: 2\r\n", "").to("HEAD").is(200, "").check(|reply| {
                match reply.fields.get("content-length") {
                    None | Some("2") => Ok(()),
                    Some(length) => Err(format!("a length of {length}")),
                }
            }),
            with("head_with_a_coding", "Transfer-Encoding: chunked\r\n", "").to("HEAD").is(200, ""),
            with("head_without_either", "X-A: 1\r\n", "").to("HEAD").is(200, ""),
            row("head_404", "HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n").to("HEAD").is(404, ""),
        ],
    );
}

#[test]
fn a_reply_that_can_be_read_in_two_ways_is_a_502() {
    let both = |name: &str, lines: &str| with(name, lines, "6\r\nsecret\r\n0\r\n\r\n");
    run(
        "ambiguous",
        vec![
            both("short_length_then_coding", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
            both("long_length_then_coding", "Content-Length: 99\r\nTransfer-Encoding: chunked\r\n"),
            both("right_length_then_coding", "Content-Length: 16\r\nTransfer-Encoding: chunked\r\n"),
            both("length_of_the_content_then_coding", "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n"),
            both("length_0_then_coding", "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"),
            both("coding_then_length", "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"),
            both("coding_then_long_length", "Transfer-Encoding: chunked\r\nContent-Length: 99\r\n"),
            both("bad_length_then_coding", "Content-Length: x\r\nTransfer-Encoding: chunked\r\n"),
            both("coding_then_bad_length", "Transfer-Encoding: chunked\r\nContent-Length: x\r\n"),
            both("lengths_and_coding", "Content-Length: 1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n"),
            both(
                "length_listed_by_connection",
                "Connection: content-length\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n",
            ),
            both("gzip_then_chunked", "Transfer-Encoding: gzip, chunked\r\n"),
            both("gzip_then_chunked_on_two_lines", "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"),
            both("chunked_then_gzip", "Transfer-Encoding: chunked, gzip\r\n").close(),
            both("gzip", "Transfer-Encoding: gzip\r\n").close(),
            both("identity", "Transfer-Encoding: identity\r\n").close(),
            both("identity_and_a_length", "Transfer-Encoding: identity\r\nContent-Length: 16\r\n"),
            both("identity_then_chunked", "Transfer-Encoding: identity, chunked\r\n"),
            both("chunked_twice", "Transfer-Encoding: chunked, chunked\r\n"),
            both("chunked_on_two_lines", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
            both("unknown", "Transfer-Encoding: xchunked\r\n").close(),
            both("unknown_and_a_length", "Transfer-Encoding: xchunked\r\nContent-Length: 16\r\n"),
            both("quoted", "Transfer-Encoding: \"chunked\"\r\n").close(),
            both("empty", "Transfer-Encoding:\r\n").close(),
            row("coding_of_http_1_0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nsecret\r\n0\r\n\r\n")
                .close(),
            with("twice_the_same_length", "Content-Length: 2\r\nContent-Length: 2\r\n", "ok"),
            with("two_lengths", "Content-Length: 2\r\nContent-Length: 3\r\n", "ok "),
            with("two_lengths_the_other_way", "Content-Length: 3\r\nContent-Length: 2\r\n", "ok "),
            with("list_of_the_same_length", "Content-Length: 2, 2\r\n", "ok"),
            with("list_of_lengths", "Content-Length: 2, 3\r\n", "ok "),
            with("length_that_is_a_word", "Content-Length: x\r\n", "ok"),
            with("length_with_a_plus", "Content-Length: +2\r\n", "ok"),
            with("length_with_a_minus", "Content-Length: -2\r\n", "ok"),
            with("length_in_hexadecimal", "Content-Length: 0x2\r\n", "ok"),
            with("length_with_a_space", "Content-Length: 2 2\r\n", "ok"),
            with("length_with_a_fraction", "Content-Length: 2.0\r\n", "ok"),
            with("empty_length", "Content-Length:\r\n", "ok"),
            with("empty_length_and_close", "Content-Length:\r\n", "ok").close(),
            with("length_past_64_bits", "Content-Length: 18446744073709551618\r\n", "ok"),
            with("head_with_two_lengths", "Content-Length: 2\r\nContent-Length: 3\r\n", "").to("HEAD"),
            with("head_with_both", "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "").to("HEAD"),
            with("head_with_a_list_of_lengths", "Content-Length: 2, 2\r\n", "").to("HEAD"),
            with("head_with_a_word_for_a_length", "Content-Length: x\r\n", "").to("HEAD"),
            row("304_with_two_lengths", "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n"),
            row(
                "404_with_both",
                "HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            ),
        ],
    );
}

#[test]
fn what_is_no_reply_is_a_502() {
    run(
        "no_reply",
        vec![
            row("nothing", "").close(),
            row("half_a_status_line", "HTTP/1.1 2").close(),
            row("half_a_head", "HTTP/1.1 200 OK\r\nContent-Le").close(),
            row("text", "hello\r\n\r\n").close(),
            row("smtp", "220 mail.example ESMTP\r\n").close(),
            row("ssh", "SSH-2.0-OpenSSH\r\n").close(),
            row("icy", "ICY 200 OK\r\nContent-Length: 2\r\n\r\nok"),
            row("http_2", "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok"),
            row("http_0_9", "HTTP/0.9 200 OK\r\nContent-Length: 2\r\n\r\nok"),
            row("version_in_small_letters", "http/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
            row("status_of_two_digits", "HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok"),
            row("status_of_four_digits", "HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok"),
            row("status_that_is_a_word", "HTTP/1.1 OK\r\nContent-Length: 2\r\n\r\nok"),
            row("status_0", "HTTP/1.1 000 Zero\r\nContent-Length: 2\r\n\r\nok"),
            row("status_099", "HTTP/1.1 099 Low\r\nContent-Length: 2\r\n\r\nok"),
            row("two_spaces", "HTTP/1.1  200 OK\r\nContent-Length: 2\r\n\r\nok"),
            row("line_without_a_colon", "HTTP/1.1 200 OK\r\nContent-Length\r\n\r\nok"),
            row("null_in_a_value", "HTTP/1.1 200 OK\r\nX-A: a\x00b\r\nContent-Length: 2\r\n\r\nok"),
            row("null_in_a_name", "HTTP/1.1 200 OK\r\nX\x00A: b\r\nContent-Length: 2\r\n\r\nok"),
            row("bare_cr_in_a_value", "HTTP/1.1 200 OK\r\nX-A: a\rSet-Cookie: b=c\r\nContent-Length: 2\r\n\r\nok"),
            row("empty_name", "HTTP/1.1 200 OK\r\n: a\r\nContent-Length: 2\r\n\r\nok"),
            row("space_in_a_name", "HTTP/1.1 200 OK\r\nX A: b\r\nContent-Length: 2\r\n\r\nok"),
            row(
                "fields_of_1_MB",
                format!("HTTP/1.1 200 OK\r\nX-A: {}\r\nContent-Length: 2\r\n\r\nok", "a".repeat(1_000_000)),
            ),
            row("5000_fields", {
                let mut reply = String::from("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n");
                for each in 0..5_000 {
                    let _ = write!(reply, "X-{each}: 1\r\n");
                }
                reply + "\r\nok"
            }),
            row(
                "101_that_nobody_asked_for",
                "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\nxx",
            ),
            row(
                "101_to_a_websocket_that_nobody_asked_for",
                "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n",
            ),
            row("101_and_nothing_else", "HTTP/1.1 101 Switching Protocols\r\n\r\n"),
            row("nothing_behind_a_103", "HTTP/1.1 103 Early Hints\r\n\r\n").close(),
            // A recipient may be lenient with these, if it writes what it read anew.
            row("space_before_a_colon", "HTTP/1.1 200 OK\r\nX-A : b\r\nContent-Length: 2\r\n\r\nok").or_bad(200, "ok"),
            row("folded_value", "HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 2\r\n\r\nok").or_bad(200, "ok"),
            row(
                "fold_that_hides_a_length",
                "HTTP/1.1 200 OK\r\nX-A: b\r\n Content-Length: 9\r\nContent-Length: 2\r\n\r\nok",
            )
            .or_bad(200, "ok"),
            row("bare_lf_behind_each_line", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok").or_bad(200, "ok"),
        ],
    );
}

#[test]
fn a_reply_that_breaks_off_does_not_look_whole() {
    let chunks = |name: &str, body: &str| with(name, "Transfer-Encoding: chunked\r\n", body).cut();
    run(
        "broken",
        vec![
            with("short_of_its_length", "Content-Length: 10\r\n", "ok").close().cut(),
            with("nothing_of_its_length", "Content-Length: 10\r\n", "").close().cut(),
            with("300_kB_short_of_its_length", "Content-Length: 600000\r\n", &"z".repeat(300_000)).close().cut(),
            chunks("chunks_without_the_last", "2\r\nok\r\n").close(),
            chunks("chunks_without_the_end", "2\r\nok\r\n0\r\n").close(),
            chunks("chunk_cut_short", "9\r\nok").close(),
            chunks("no_chunk_at_all", "").close(),
            chunks("chunk_size_with_a_plus", "+2\r\nok\r\n0\r\n\r\n"),
            chunks("chunk_size_with_a_minus", "-2\r\nok\r\n0\r\n\r\n"),
            chunks("chunk_size_with_0x", "0x2\r\nok\r\n0\r\n\r\n"),
            chunks("chunk_size_that_is_none", "g\r\nok\r\n0\r\n\r\n"),
            chunks("chunk_size_missing", "\r\nok\r\n0\r\n\r\n"),
            chunks("chunk_size_past_64_bits", "10000000000000002\r\nok\r\n0\r\n\r\n"),
            chunks("chunk_longer_than_it_says", "2\r\nokay\r\n0\r\n\r\n"),
            chunks("chunk_with_a_bare_lf", "2\nok\n0\n\n"),
            chunks("good_chunk_then_a_bad_one", "2\r\nok\r\nzz\r\n"),
            chunks("extension_with_a_bare_lf", "2;a\nb\r\nok\r\n0\r\n\r\n"),
            chunks("trailer_without_a_colon", "2\r\nok\r\n0\r\nX-A\r\n\r\n"),
        ],
    );
}

#[test]
fn what_comes_behind_a_reply_is_nobodys_reply() {
    let forged = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nFORGED";
    run(
        "forged",
        vec![
            row("behind_a_length", format!("{OK}{forged}")).once().or_bad(200, "ok"),
            row("behind_chunks", format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{CHUNKS}{forged}"))
                .once()
                .or_bad(200, "ok"),
            row("behind_a_length_of_0", format!("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n{forged}"))
                .once()
                .or_bad(200, ""),
            row("behind_a_204", format!("HTTP/1.1 204 No Content\r\n\r\n{forged}")).once().or_bad(204, ""),
            row("behind_a_304", format!("HTTP/1.1 304 Not Modified\r\n\r\n{forged}")).once().or_bad(304, ""),
            row("behind_a_head", format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{forged}"))
                .to("HEAD")
                .once()
                .or_bad(200, ""),
            row("behind_a_103", format!("HTTP/1.1 103 Early Hints\r\n\r\n{OK}{forged}")).once().or_bad(200, "ok"),
            row("ten_replies", OK.repeat(10)).once().or_bad(200, "ok"),
            row("junk_behind_a_length", format!("{OK}junk")).once().or_bad(200, "ok"),
            row("a_line_break_behind_a_length", format!("{OK}\r\n")).or_bad(200, "ok"),
            row("half_a_reply_behind_one", format!("{OK}HTTP/1.1 200")).once().or_bad(200, "ok"),
            row("content_of_a_204", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello").once().or_bad(204, ""),
            row("chunks_of_a_204", format!("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n{CHUNKS}"))
                .once()
                .or_bad(204, ""),
            row("content_of_a_304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello")
                .once()
                .or_bad(304, ""),
            row("content_of_a_head", OK).to("HEAD").once().or_bad(200, ""),
            row("chunks_of_a_head", format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{CHUNKS}"))
                .to("HEAD")
                .once()
                .or_bad(200, ""),
            row("content_of_a_103", format!("HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\nhello{OK}")).once(),
            row("length_shorter_than_the_content", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nok")
                .once()
                .or_bad(200, "o"),
            row("content_of_a_205", "HTTP/1.1 205 Reset Content\r\nContent-Length: 5\r\n\r\nhello").or_bad(205, ""),
        ],
    );
}

#[test]
fn interim_replies_are_not_the_final_one() {
    run(
        "interim",
        vec![
            row("103", format!("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n{OK}")).is(200, "ok").check(|reply| {
                if reply.fields.has("link") {
                    Err("the field of the interim reply is in the final one".into())
                } else {
                    Ok(())
                }
            }),
            row("100", format!("HTTP/1.1 100 Continue\r\n\r\n{OK}")).is(200, "ok"),
            row("102", format!("HTTP/1.1 102 Processing\r\n\r\n{OK}")).is(200, "ok"),
            row("unknown", format!("HTTP/1.1 199 Odd\r\n\r\n{OK}")).or_bad(200, "ok"),
            row(
                "three",
                format!(
                    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n{OK}"
                ),
            )
            .is(200, "ok"),
            row("before_a_head", "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
                .to("HEAD")
                .is(200, ""),
            row("before_a_204", "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n").is(204, ""),
            row(
                "before_a_bad_one",
                "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok ",
            ),
        ],
    );
}

#[test]
fn fields_of_a_reply_come_as_they_are_but_for_those_of_the_connection() {
    let lacks = |reply: &Reply| {
        let listed = ["x-secret", "keep-alive", "proxy-connection", "upgrade", "proxy-authenticate", "te"];
        match listed.iter().find(|name| reply.fields.has(name)) {
            Some(name) => Err(format!("{name} came through")),
            None => Ok(()),
        }
    };
    let cookies = |count: usize| {
        let mut lines = String::new();
        for each in 0..count {
            let _ = write!(lines, "Set-Cookie: c{each}=1; Expires=Wed, 09 Jun 2027 10:18:14 GMT\r\n");
        }
        lines
    };
    let fields = |name: &str, lines: &str| with(name, &format!("{lines}Content-Length: 2\r\n"), "ok").is(200, "ok");
    run(
        "reply_fields",
        vec![
            fields("listed", "Connection: x-secret\r\nX-Secret: 1\r\n").check(lacks),
            fields("listed_with_the_framing", "Connection: x-secret, content-length\r\nX-Secret: 1\r\n").check(lacks),
            with("coding_listed", "Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n", CHUNKS)
                .or_bad(200, "ok"),
            fields("listed_on_two_lines", "Connection: keep-alive\r\nConnection: X-SECRET\r\nx-secret: 1\r\n")
                .check(lacks),
            fields("keep_alive", "Connection: keep-alive\r\nKeep-Alive: timeout=5, max=100\r\n").check(lacks),
            fields("proxy_connection", "Proxy-Connection: keep-alive\r\n").check(lacks),
            fields("proxy_authenticate", "Proxy-Authenticate: Basic realm=\"a\"\r\n").check(lacks),
            fields("upgrade_offered", "Connection: Upgrade\r\nUpgrade: h2c\r\n").check(lacks),
            fields("upgrade_not_listed", "Upgrade: h2,h2c\r\n").check(lacks),
            fields("cookies_are_not_joined", &cookies(3)).check(|reply| {
                match reply.fields.all("set-cookie").collect::<Vec<_>>()[..] {
                    [a, b, c]
                        if a.starts_with("c0=")
                            && b.starts_with("c1=")
                            && c.starts_with("c2=")
                            && a.contains("Wed, 09") =>
                    {
                        Ok(())
                    }
                    ref other => Err(format!("{other:?}")),
                }
            }),
            with("120_cookies", &format!("{}Content-Length: 2\r\n", cookies(120)), "ok").or_bad(200, "ok").check(
                |reply| match reply.fields.all("set-cookie").count() {
                    120 => Ok(()),
                    count => Err(format!("{count} cookies")),
                },
            ),
            fields("lines_keep_their_order", "X-A: 1\r\nX-B: 2\r\nX-A: 3\r\n").check(|reply| {
                match &*reply.fields.joined("x-a") {
                    "1, 3" => Ok(()),
                    other => Err(other.to_owned()),
                }
            }),
            fields("unknown_fields_stay", "X-Unknown: 1\r\nServer: up/1\r\n").check(|reply| {
                match (reply.fields.get("x-unknown"), reply.fields.get("server")) {
                    (Some("1"), Some("up/1")) => Ok(()),
                    _ => Err(format!("{:?}", reply.fields)),
                }
            }),
            fields("date_stays", "Date: Wed, 09 Jun 2021 10:18:14 GMT\r\n").check(|reply| {
                match reply.fields.all("date").collect::<Vec<_>>()[..] {
                    ["Wed, 09 Jun 2021 10:18:14 GMT"] => Ok(()),
                    ref other => Err(format!("{other:?}")),
                }
            }),
            fields("via_is_added", "Via: 1.0 fred\r\n").check(|reply| match &*reply.fields.joined("via") {
                via if via.starts_with("1.0 fred") => Ok(()),
                via => Err(format!("via: {via}")),
            }),
            fields("bytes_past_ascii_stay", "X-A: \u{e9}\r\n").check(|reply| match reply.fields.get("x-a") {
                Some("\u{c3}\u{a9}") => Ok(()),
                other => Err(format!("{other:?}")),
            }),
            fields("no_transform_means_none", "Cache-Control: no-transform\r\nContent-Type: text/plain\r\n").check(
                |reply| {
                    if reply.fields.has("content-encoding") { Err("it was encoded".into()) } else { Ok(()) }
                },
            ),
            fields("content_encoding_stays", "Content-Encoding: gzip\r\n").check(|reply| {
                match reply.fields.get("content-encoding") {
                    Some("gzip") => Ok(()),
                    other => Err(format!("{other:?}")),
                }
            }),
        ],
    );
}

#[test]
fn a_client_of_http_1_0_gets_no_chunks() {
    let rows: Vec<(String, (&str, bool))> = [
        ("length", (OK, false)),
        ("chunks", ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", false)),
        (
            "chunks_and_trailers",
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-A: 1\r\n\r\n", false),
        ),
        ("until_it_closes", ("HTTP/1.1 200 OK\r\n\r\nok", true)),
        ("http_1_0", ("HTTP/1.0 200 OK\r\n\r\nok", true)),
        ("behind_a_103", ("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false)),
    ]
    .map(|(name, row)| (name.to_owned(), row))
    .into();
    run_by("replies_by_http_1_0", PROXIES, TIMES, rows, |bench, (reply, close): &(&str, bool)| {
        for keep in ["", "Connection: keep-alive\r\n"] {
            let (reply, close) = (reply.as_bytes().to_vec(), *close);
            bench.begin(move |_, _| if close { Then::SendAndClose(reply.clone()) } else { Then::Send(reply.clone()) });
            let mut client = Client::connect(bench.proxy.at);
            client.old = true;
            client.send(
                bench
                    .proxy
                    .which
                    .fill(format!("GET {{p}}/a HTTP/1.0\r\nHost: a.example\r\n{{k}}{keep}\r\n").as_bytes()),
            );
            let got = client.reply("GET").map_err(|lack| format!("{lack:?}"))?;
            // RFC 9110, 15.2: no interim reply for it.
            if got.body != b"ok" || !got.interim.is_empty() {
                return Err(format!("{keep:?}: {got:?}"));
            }
        }
        bench.sentinel()
    });
}
