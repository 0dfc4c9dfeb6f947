//! Requests over HTTP/2 that HTTP/1.1 would read as something else (RFC 9113, 8.1 to 8.5).

use crate::support::bench::Bench;
use crate::support::client::Reply;
use crate::support::h2::{
    DATA, END_HEADERS, END_STREAM, End, H2, HEADERS, PING, RST_STREAM, SETTINGS, WINDOW_UPDATE, block, frame, head,
};
use crate::support::proxy::{ALL, Which};
use crate::support::table::{Sight, run_by, sight};
use crate::support::upstream::{Asked, Then, fine, ok};
use crate::support::wire::Lack;

type Field = (&'static str, &'static str);

#[derive(Clone)]
enum Want {
    Passed(Sight),
    /// Reset, or answered with one of these. The upstream has got nothing, or no whole request.
    Refused(&'static [u16]),
    Either(Sight),
}

type Check = fn(&Reply) -> Result<(), String>;

struct Row {
    fields: Vec<Field>,
    body: Option<&'static str>,
    trailers: Option<Vec<Field>>,
    want: Want,
    check: Option<Check>,
}

/// A request whose pseudo-fields and fields are these, and nothing else but the key.
fn raw(fields: &[Field]) -> Row {
    Row { fields: fields.to_vec(), body: None, trailers: None, want: Want::Refused(&[400]), check: None }
}

/// A well-formed request of this method with these fields besides.
fn ask(method: &'static str, more: &[Field]) -> Row {
    let mut fields = vec![(":method", method), (":scheme", "http"), (":authority", "a.example"), (":path", "{p}/a")];
    fields.extend_from_slice(more);
    raw(&fields)
}

impl Row {
    fn body(mut self, body: &'static str) -> Self {
        self.body = Some(body);
        self
    }

    fn trailers(mut self, trailers: &[Field]) -> Self {
        self.trailers = Some(trailers.to_vec());
        self
    }

    fn passed(mut self, sight: Sight) -> Self {
        self.want = Want::Passed(sight);
        self
    }

    fn either(mut self, sight: Sight) -> Self {
        self.want = Want::Either(sight);
        self
    }

    fn refused(mut self, statuses: &'static [u16]) -> Self {
        self.want = Want::Refused(statuses);
        self
    }

    fn run(&self, bench: &Bench) -> Result<(), String> {
        let which = bench.proxy.which;
        bench.begin(|asked, _| fine(asked));
        let mut client = H2::connect(bench.proxy.at);
        let mut fields: Vec<(String, String)> = Vec::new();
        for (name, value) in &self.fields {
            fields.push(((*name).to_owned(), value.replace("{p}", which.prefix())));
        }
        fields.extend(which.key().map(|(name, value)| (name.to_owned(), value.to_owned())));
        let id = client.ask(&fields, self.body.map(str::as_bytes), self.trailers.as_deref());
        let method = self.fields.iter().find(|(name, _)| *name == ":method").map_or("GET", |(_, method)| method);
        let got = client.reply(id, method);
        if let Err(End::Wrong(wrong)) = &got {
            return Err(format!("the client got what is no reply: {wrong}"));
        }
        if let Err(End::Lack(Lack::Silent)) = &got {
            return Err("no reply and no reset".into());
        }
        bench.sentinel()?;
        let asked = bench.asked()?;
        let whole = asked.iter().find(|asked| !asked.method.starts_with("UNFINISHED "));
        let told = || match &got {
            Ok(reply) => reply.status.to_string(),
            Err(end) => format!("{end:?}"),
        };
        let passed = |sight: &Sight| match (&asked[..], &got) {
            ([asked], Ok(reply)) if reply.status == 200 => {
                sight.holds(asked, which)?;
                self.check.map_or(Ok(()), |check| check(reply))
            }
            _ => Err(format!("{} requests sent on; the client got {}", asked.len(), told())),
        };
        let refused = |statuses: &[u16]| match &got {
            _ if whole.is_some() => Err(format!("sent on: {whole:?}; the client got {}", told())),
            Ok(reply) if !statuses.contains(&reply.status) => Err(told()),
            _ => Ok(()),
        };
        match &self.want {
            Want::Passed(sight) => passed(sight),
            Want::Refused(statuses) => refused(statuses),
            Want::Either(_) if whole.is_none() => refused(&[400, 404, 405, 417, 421, 431, 501]),
            Want::Either(sight) => passed(sight),
        }
    }
}

fn run(table: &str, rows: Vec<(&str, Row)>) {
    let rows = rows.into_iter().map(|(name, row)| (name.to_owned(), row)).collect();
    run_by(table, ALL, &["--timeout", "5s", "--head-timeout", "5s"], rows, |bench, row: &Row| row.run(bench));
}

fn a() -> Sight {
    sight("GET", "{p}/a")
}

const M: Field = (":method", "GET");
const S: Field = (":scheme", "http");
const A: Field = (":authority", "a.example");
const P: Field = (":path", "{p}/a");

#[test]
fn pseudo_fields_are_there_once_and_first() {
    let path = |path: &'static str| raw(&[M, S, A, (":path", path)]).refused(&[400, 404, 405]);
    let authority = |authority: &'static str| raw(&[M, S, (":authority", authority), P]);
    run(
        "pseudo_fields",
        vec![
            ("all", raw(&[M, S, A, P]).passed(a())),
            ("in_another_order", raw(&[P, A, S, M]).passed(a())),
            ("no_method", raw(&[S, A, P])),
            ("no_scheme", raw(&[M, A, P])),
            ("no_path", raw(&[M, S, A])),
            ("no_authority_and_no_host", raw(&[M, S, P])),
            ("method_twice", raw(&[M, M, S, A, P])),
            ("scheme_twice", raw(&[M, S, S, A, P])),
            ("path_twice", raw(&[M, S, A, P, P])),
            ("authority_twice", raw(&[M, S, A, A, P])),
            ("unknown", raw(&[M, S, A, P, (":foo", "bar")])),
            ("of_a_reply", raw(&[M, S, A, P, (":status", "200")])),
            ("behind_a_field", raw(&[M, S, A, ("x-a", "b"), P])),
            ("empty_name", raw(&[M, S, A, P, (":", "b")])),
            ("empty_method", raw(&[(":method", ""), S, A, P])),
            ("method_with_a_space", raw(&[(":method", "GET /x HTTP/1.1\r\nX:"), S, A, P])),
            ("method_that_is_no_token", raw(&[(":method", "GE(T"), S, A, P])),
            ("empty_scheme", raw(&[M, (":scheme", ""), A, P]).either(a())),
            ("scheme_with_a_break", raw(&[M, (":scheme", "http\r\nX: y"), A, P])),
            ("empty_path", path("")),
            ("path_without_a_slash", path("a")),
            ("path_that_is_a_star", path("*")),
            ("path_that_is_a_query", path("?a").either(sight("GET", "/?a"))),
            ("path_that_is_a_url", path("http://b.example/a")),
            ("path_with_a_fragment", path("{p}/a#b")),
            ("path_with_a_space", path("{p}/a b")),
            ("path_with_a_break", path("{p}/a HTTP/1.1\r\nX-Evil: 1\r\nX:")),
            ("path_with_a_bare_lf", path("{p}/a\nX: y")),
            ("path_with_a_null", path("{p}/a\0b")),
            ("path_with_a_tab", path("{p}/a\tb")),
            ("empty_authority", authority("").either(a())),
            ("authority_with_a_user", authority("user@a.example").either(a().check(no_user))),
            ("authority_with_a_space", authority("a b")),
            ("authority_with_a_slash", authority("a/b")),
            ("authority_with_a_break", authority("a\r\nX-Evil: 1")),
            ("authority_with_a_port_that_is_a_word", authority("a.example:http")),
            ("authority_of_a_list", authority("a.example,b.example")),
            ("authority_with_an_open_bracket", authority("[::1")),
            ("authority_with_an_address", authority("[::1]:80").passed(a())),
            ("host_alone", raw(&[M, S, P, ("host", "a.example")]).passed(a())),
            ("host_that_is_the_authority", raw(&[M, S, A, P, ("host", "a.example")]).passed(a())),
            ("host_that_is_another", raw(&[M, S, A, P, ("host", "b.example")])),
            ("host_that_is_malformed", raw(&[M, S, P, ("host", "a b")])),
            ("host_twice", raw(&[M, S, P, ("host", "a.example"), ("host", "b.example")])),
            ("host_twice_and_an_authority", raw(&[M, S, A, P, ("host", "a.example"), ("host", "a.example")])),
            ("options_star", raw(&[(":method", "OPTIONS"), S, A, (":path", "*")]).either(sight("OPTIONS", "*"))),
            ("connect", raw(&[(":method", "CONNECT"), (":authority", "a.example:80")]).refused(&[400, 404, 405, 501])),
            ("connect_with_a_path", raw(&[(":method", "CONNECT"), S, A, P]).refused(&[400, 404, 405, 501])),
            ("connect_without_an_authority", raw(&[(":method", "CONNECT")]).refused(&[400, 404, 405, 501])),
            (
                "extended_connect_that_was_not_offered",
                raw(&[(":method", "CONNECT"), (":protocol", "websocket"), S, A, P]).refused(&[400, 404, 405, 501]),
            ),
            ("protocol_of_a_get", raw(&[M, (":protocol", "websocket"), S, A, P])),
        ],
    );
}

fn no_user(asked: &Asked, _: Which) -> Result<(), String> {
    let fields = ["host", "forwarded", "x-forwarded-host"].map(|name| asked.fields.joined(name));
    if fields.iter().any(|field| field.contains("user@")) { Err(format!("{fields:?}")) } else { Ok(()) }
}

#[test]
fn fields_of_a_connection_are_malformed_in_http_2() {
    let with = |name: &'static str, value: &'static str| ask("GET", &[(name, value)]);
    run(
        "http2_fields",
        vec![
            ("connection", with("connection", "close")),
            ("connection_that_lists", ask("GET", &[("connection", "x-a"), ("x-a", "b")])),
            ("keep_alive", with("keep-alive", "timeout=5")),
            ("proxy_connection", with("proxy-connection", "keep-alive")),
            ("transfer_encoding", with("transfer-encoding", "chunked")),
            (
                "transfer_encoding_with_a_body",
                ask("POST", &[("transfer-encoding", "chunked")]).body("0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n"),
            ),
            ("upgrade", with("upgrade", "websocket")),
            ("te_of_trailers", with("te", "trailers").passed(a())),
            ("te_of_a_coding", with("te", "gzip")),
            ("te_of_both", with("te", "trailers, gzip")),
            ("name_in_capitals", with("X-A", "b")),
            ("name_with_a_space", with("x a", "b")),
            ("name_with_a_colon", with("x:a", "b")),
            ("name_with_a_break", with("x-a: b\r\nx-evil", "1")),
            ("name_with_a_null", with("x\0a", "b")),
            ("name_not_in_ascii", with("x-\u{e9}", "b")),
            ("empty_name", with("", "b")),
            ("value_with_a_break", with("x-a", "b\r\nx-evil: 1")),
            ("value_with_a_bare_lf", with("x-a", "b\nx-evil: 1")),
            ("value_with_a_bare_cr", with("x-a", "b\rx-evil: 1")),
            ("value_with_a_null", with("x-a", "b\0c")),
            ("value_behind_a_space", with("x-a", " b").either(a())),
            (
                "cookie_crumbs",
                ask("GET", &[("cookie", "a=b"), ("cookie", "c=d")]).passed(a().with("cookie", "a=b; c=d")),
            ),
            (
                "cookie_crumbs_apart",
                ask("GET", &[("cookie", "a=b"), ("x-a", "1"), ("cookie", "c=d"), ("cookie", "e=f")])
                    .passed(a().with("cookie", "a=b; c=d; e=f").with("x-a", "1")),
            ),
            ("one_cookie", ask("GET", &[("cookie", "a=b; c=d")]).passed(a().with("cookie", "a=b; c=d"))),
            (
                "other_fields_are_not_joined_with_semicolons",
                ask("GET", &[("x-a", "1"), ("x-a", "2")]).passed(a().check(
                    |asked, _| match &*asked.fields.joined("x-a") {
                        "1, 2" => Ok(()),
                        other => Err(other.to_owned()),
                    },
                )),
            ),
            (
                "via_says_the_version",
                ask("GET", &[]).passed(a().check(|asked, _| {
                    let via = asked.fields.joined("via");
                    if via.starts_with("2 ") || via.starts_with("2.0 ") { Ok(()) } else { Err(format!("via: {via:?}")) }
                })),
            ),
            ("max_forwards_of_0", ask("OPTIONS", &[("max-forwards", "0")]).refused(&[200, 204])),
            (
                "max_forwards_of_3",
                ask("OPTIONS", &[("max-forwards", "3")]).passed(sight("OPTIONS", "{p}/a").with("max-forwards", "2")),
            ),
            ("expect_of_something", ask("GET", &[("expect", "foo")]).either(a())),
            (
                "proxy_authorization",
                ask("GET", &[("proxy-authorization", "Basic YTpi")]).passed(a().without("proxy-authorization")),
            ),
        ],
    );
    run_by(
        "http2_fields_at_the_gateway",
        &[Which::Gateway],
        &[],
        vec![
            (
                "user".to_owned(),
                ask("GET", &[("x-forwarded-user", "root")]).passed(a().with("x-forwarded-user", "alice")),
            ),
            (
                "user_with_underscores".to_owned(),
                ask("GET", &[("x_forwarded_user", "root")])
                    .passed(a().with("x-forwarded-user", "alice").without("x_forwarded_user")),
            ),
            (
                "forwarded_that_swallows".to_owned(),
                ask("GET", &[("forwarded", "for=6.6.6.6;by=\"")]).passed(a().check(|asked, _| {
                    let all = asked.fields.joined("forwarded");
                    if all.matches('"').count() % 2 == 0 && all.contains("for=127.0.0.1") { Ok(()) } else { Err(all) }
                })),
            ),
            ("host_of_the_authority".to_owned(), ask("GET", &[]).passed(a().with("x-forwarded-host", "a.example"))),
        ],
        |bench, row: &Row| row.run(bench),
    );
}

#[test]
fn a_length_over_http_2_is_that_of_the_data() {
    let length = |length: &'static str| ask("POST", &[("content-length", length)]);
    let post = || sight("POST", "{p}/a");
    let any = |method: &'static str| ask(method, &[]).body("abc").passed(sight(method, "{p}/a").body("abc"));
    run(
        "http2_lengths",
        vec![
            ("right", length("3").body("abc").passed(post().body("abc").with("content-length", "3"))),
            ("none", ask("POST", &[]).body("abc").passed(post().body("abc"))),
            ("of_no_data", ask("POST", &[]).passed(post().with("content-length", "0"))),
            ("of_empty_data", ask("POST", &[]).body("").passed(post())),
            ("0_of_no_data", length("0").passed(post().with("content-length", "0"))),
            ("too_long", length("5").body("abc")),
            ("too_short", length("2").body("abc")),
            ("of_data_that_never_comes", length("5")),
            ("0_of_data", length("0").body("GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")),
            ("with_a_plus", length("+3").body("abc")),
            ("that_is_a_word", length("x").body("abc")),
            ("of_a_list", length("3, 3").body("abc").either(post().body("abc"))),
            ("two_different", ask("POST", &[("content-length", "3"), ("content-length", "4")]).body("abc")),
            (
                "twice_the_same",
                ask("POST", &[("content-length", "3"), ("content-length", "3")]).body("abc").either(post().body("abc")),
            ),
            ("past_64_bits", length("18446744073709551619").body("abc")),
            ("of_a_get", any("GET")),
            ("of_a_head", any("HEAD")),
            ("of_a_delete", any("DELETE")),
            ("of_options", any("OPTIONS")),
            ("of_a_get_without_data", ask("GET", &[]).passed(a().without("transfer-encoding"))),
            (
                "data_that_is_a_request",
                ask("POST", &[])
                    .body("GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
                    .passed(post().body("GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")),
            ),
            (
                "data_that_is_a_last_chunk",
                ask("POST", &[])
                    .body("0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
                    .passed(post().body("0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")),
            ),
            (
                "trailers_with_a_pseudo_field",
                ask("POST", &[]).body("abc").trailers(&[(":path", "/b")]).either(post().body("abc")),
            ),
            (
                "trailers_with_a_connection",
                ask("POST", &[]).body("abc").trailers(&[("connection", "close")]).either(post().body("abc")),
            ),
            ("trailers_in_capitals", ask("POST", &[]).body("abc").trailers(&[("X-A", "b")])),
            (
                "trailers_with_a_break",
                ask("POST", &[]).body("abc").trailers(&[("x-a", "b\r\n\r\nGET /smuggled HTTP/1.1")]),
            ),
            ("trailers_without_data", ask("POST", &[]).trailers(&[("x-a", "b")]).either(post())),
        ],
    );
}

#[test]
fn what_the_proxy_itself_replies_to_head_has_no_content() {
    // To nobody: an upstream that is gone.
    let rows = vec![
        ("head_of_a_502".to_owned(), ("HEAD", true)),
        ("get_of_a_502".to_owned(), ("GET", true)),
        ("head_of_a_400".to_owned(), ("HEAD", false)),
    ];
    run_by("own_replies", ALL, &[], rows, |bench, (method, gone): &(&str, bool)| {
        bench.begin(|_, _| Then::Close);
        let which = bench.proxy.which;
        let mut client = H2::connect(bench.proxy.at);
        let more: &[(&str, &str)] = if *gone { &[] } else { &[("host", "b.example"), ("host", "c.example")] };
        let id = client.ask(&head(which, method, "{p}/a", more), None, None);
        let reply = client.reply(id, method).map_err(|end| format!("{end:?}"))?;
        let wanted = if *gone { 502 } else { 400 };
        if reply.status == wanted { Ok(()) } else { Err(format!("{}, not {wanted}", reply.status)) }
    });
    let rows = vec![("head_of_a_401".to_owned(), "HEAD"), ("get_of_a_401".to_owned(), "GET")];
    run_by("own_401", &[Which::Gateway], &[], rows, |bench, method: &&str| {
        let mut client = H2::connect(bench.proxy.at);
        let id =
            client.ask(&[(":method", *method), (":scheme", "http"), (":authority", "a"), (":path", "/")], None, None);
        let reply = client.reply(id, method).map_err(|end| format!("{end:?}"))?;
        if reply.status == 401 { Ok(()) } else { Err(format!("{}", reply.status)) }
    });
    let rows = vec![("head_of_a_404".to_owned(), "HEAD"), ("get_of_a_404".to_owned(), "GET")];
    run_by("own_404", &[Which::Api], &[], rows, |bench, method: &&str| {
        let mut client = H2::connect(bench.proxy.at);
        let id = client.ask(
            &[(":method", *method), (":scheme", "http"), (":authority", "a"), (":path", "/nothing")],
            None,
            None,
        );
        let reply = client.reply(id, method).map_err(|end| format!("{end:?}"))?;
        if reply.status == 404 { Ok(()) } else { Err(format!("{}", reply.status)) }
    });
}

#[test]
fn each_stream_gets_its_own_reply() {
    let rows = vec![("forty_at_once".to_owned(), ())];
    run_by("streams", ALL, &[], rows, |bench, ()| {
        bench.begin(|asked, _| Then::Send(ok(&asked.target)));
        let which = bench.proxy.which;
        let mut client = H2::connect(bench.proxy.at);
        let mut ids = Vec::new();
        for each in 0..40 {
            let path = format!("{{p}}/{each}");
            let body = (each % 2 == 0).then_some(b"abc".as_slice());
            ids.push((client.ask(&head(which, "POST", &path, &[]), body, None), path));
        }
        for (id, path) in ids.into_iter().rev() {
            let reply = client.reply(id, "POST").map_err(|end| format!("{path}: {end:?}"))?;
            let wanted = path.replace("{p}", which.prefix());
            if reply.body != wanted.as_bytes() {
                return Err(format!("{path} got {:?}", String::from_utf8_lossy(&reply.body)));
            }
        }
        Ok(())
    });
}

#[test]
fn frames_that_are_none_of_a_request_do_no_harm() {
    let get = |which: Which| block(&head(which, "GET", "{p}/a", &[]));
    type Make = fn(Vec<u8>) -> Vec<u8>;
    let rows: Vec<(String, (Make, bool))> = vec![
        (
            "unknown_frame".to_owned(),
            (
                |block| [frame(0xbe, 0xff, 0, b"junk"), frame(HEADERS, END_HEADERS | END_STREAM, 1, &block)].concat(),
                true,
            ),
        ),
        (
            "priority_frame".to_owned(),
            (
                |block| {
                    [frame(2, 0, 1, &[0, 0, 0, 0, 9]), frame(HEADERS, END_HEADERS | END_STREAM, 1, &block)].concat()
                },
                true,
            ),
        ),
        (
            "padded_headers".to_owned(),
            (
                |block| {
                    let padded = [&[3][..], &block, &[0, 0, 0]].concat();
                    frame(HEADERS, END_HEADERS | END_STREAM | 8, 1, &padded)
                },
                true,
            ),
        ),
        (
            "continuations".to_owned(),
            (
                |block| {
                    let (first, rest) = block.split_at(block.len() / 2);
                    let (second, third) = rest.split_at(1);
                    let last = [frame(9, 0, 1, second), frame(9, 0, 1, &[]), frame(9, END_HEADERS, 1, third)].concat();
                    [frame(HEADERS, END_STREAM, 1, first), last].concat()
                },
                true,
            ),
        ),
        (
            "unknown_setting".to_owned(),
            (
                |block| {
                    [frame(SETTINGS, 0, 0, &[0xff, 0, 0, 0, 0, 1]), frame(HEADERS, END_HEADERS | END_STREAM, 1, &block)]
                        .concat()
                },
                true,
            ),
        ),
        ("even_stream".to_owned(), (|block| frame(HEADERS, END_HEADERS | END_STREAM, 2, &block), false)),
        ("stream_0".to_owned(), (|block| frame(HEADERS, END_HEADERS | END_STREAM, 0, &block), false)),
        (
            "data_on_stream_0".to_owned(),
            (|block| [frame(DATA, 0, 0, b"x"), frame(HEADERS, END_HEADERS | END_STREAM, 1, &block)].concat(), false),
        ),
        ("data_on_an_idle_stream".to_owned(), (|_| frame(DATA, END_STREAM, 1, b"x"), false)),
        ("reset_of_an_idle_stream".to_owned(), (|_| frame(RST_STREAM, 0, 1, &[0, 0, 0, 8]), false)),
        (
            "push_promise_of_a_client".to_owned(),
            (|block| frame(5, END_HEADERS, 1, &[&[0, 0, 0, 2][..], &block].concat()), false),
        ),
        ("ping_of_7_bytes".to_owned(), (|_| frame(PING, 0, 0, &[0; 7]), false)),
        ("settings_of_5_bytes".to_owned(), (|_| frame(SETTINGS, 0, 0, &[0; 5]), false)),
        ("window_update_of_0".to_owned(), (|_| frame(WINDOW_UPDATE, 0, 0, &[0; 4]), false)),
        ("frame_past_16_kB".to_owned(), (|_| frame(DATA, 0, 1, &[0; 20_000]), false)),
        ("continuation_of_nothing".to_owned(), (|block| frame(9, END_HEADERS, 1, &block), false)),
        (
            "headers_between_continuations".to_owned(),
            (
                |block| {
                    [frame(HEADERS, END_STREAM, 1, &block[..4]), frame(HEADERS, END_HEADERS | END_STREAM, 3, &block)]
                        .concat()
                },
                false,
            ),
        ),
        ("block_that_is_none".to_owned(), (|_| frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0xff; 20]), false)),
        ("not_even_frames".to_owned(), (|_| b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(20), false)),
    ];
    run_by("frames", ALL, &[], rows, |bench, (make, good): &(Make, bool)| {
        bench.begin(|asked, _| fine(asked));
        let mut client = H2::connect(bench.proxy.at);
        client.send(make(get(bench.proxy.which)));
        if *good {
            let reply = client.reply(1, "GET").map_err(|end| format!("{end:?}"))?;
            return if reply.status == 200 && bench.asked()?.len() == 1 { Ok(()) } else { Err(format!("{reply:?}")) };
        }
        // A connection error: GOAWAY with a reason, or at least an end (RFC 9113, 5.4.1).
        match client.ending() {
            End::GoAway(0) => Err("GOAWAY without a reason".into()),
            End::GoAway(_) | End::Lack(Lack::Closed | Lack::Reset) => bench.sentinel(),
            end => Err(format!("{end:?}")),
        }
    });
}

#[test]
fn a_field_block_past_the_limits_is_refused() {
    let rows = vec![("1_MB_in_a_field".to_owned(), (1, 1_000_000)), ("2000_fields".to_owned(), (2_000, 500))];
    run_by("http2_large", ALL, &[], rows, |bench, (count, length): &(usize, usize)| {
        bench.begin(|asked, _| fine(asked));
        let mut fields = head(bench.proxy.which, "GET", "{p}/a", &[]);
        for each in 0..*count {
            fields.push((format!("x-{each}"), "a".repeat(*length)));
        }
        let block = block(&fields);
        let mut client = H2::connect(bench.proxy.at);
        let mut parts = block.chunks(16_000);
        client.send(frame(HEADERS, END_STREAM, 1, parts.next().unwrap_or_default()));
        for part in parts {
            if !client.send(frame(9, 0, 1, part)) {
                break;
            }
        }
        client.send(frame(9, END_HEADERS, 1, &[]));
        match client.reply(1, "GET") {
            Ok(reply) if reply.status != 431 => return Err(format!("{}", reply.status)),
            Err(End::Wrong(wrong)) => return Err(wrong),
            Err(End::Lack(Lack::Silent)) => return Err("neither a reply nor an end".into()),
            _ => {}
        }
        bench.sentinel()?;
        if bench.asked()?.is_empty() { Ok(()) } else { Err("sent on".into()) }
    });
}

#[test]
fn a_client_that_resets_its_stream_ends_the_request_upstream() {
    let rows = vec![("in_the_middle_of_a_body".to_owned(), true), ("before_the_reply".to_owned(), false)];
    run_by("resets", &[Which::Gateway, Which::Forward], &[], rows, |bench, uploads: &bool| {
        let ended = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let seen = std::sync::Arc::clone(&ended);
        bench.begin(move |_, _| {
            let seen = std::sync::Arc::clone(&seen);
            Then::Do(Box::new(move |wire| {
                let (_, lack) = wire.rest();
                seen.store(matches!(lack, Lack::Closed | Lack::Reset), std::sync::atomic::Ordering::SeqCst);
            }))
        });
        let before = bench.upstream.record().ended;
        let mut client = H2::connect(bench.proxy.at);
        let id = client.stream();
        let fields = block(&head(bench.proxy.which, "POST", "{p}/a", &[]));
        let flags = if *uploads { END_HEADERS } else { END_HEADERS | END_STREAM };
        client.send(frame(HEADERS, flags, id, &fields));
        if *uploads {
            client.send(frame(DATA, 0, id, b"abc"));
        }
        bench
            .upstream
            .wait_for(crate::support::wire::PATIENCE, &|record| !record.asked.is_empty())
            .map_err(|_| "never asked")?;
        client.send(frame(RST_STREAM, 0, id, &8_u32.to_be_bytes()));
        bench
            .upstream
            .wait_for(crate::support::wire::PATIENCE, &|record| record.ended > before)
            .map_err(|_| "the upstream's connection was kept, though its request was given up")?;
        if ended.load(std::sync::atomic::Ordering::SeqCst) {
            bench.sentinel()
        } else {
            Err("the upstream waited for nothing".into())
        }
    });
}
