//! Fields that end at the proxy, fields that it adds, and fields that only it may state (RFC 9110, 7.6 and 10.1; RFC
//! 7239).

use crate::support::bench::Bench;
use crate::support::client::{Client, Reply};
use crate::support::message::Fields;
use crate::support::proxy::{ALL, Which};
use crate::support::table::{Case, Sight, case, run, run_by, sight};
use crate::support::upstream::{Asked, Then, ok};

pub(crate) fn get(lines: &str) -> String {
    format!("GET {{p}}/a HTTP/1.1\r\nHost: a.example\r\n{{k}}{lines}\r\n")
}

pub(crate) fn passed(name: &str, lines: &str, sight: Sight) -> Case {
    case(name, get(lines)).passed([sight])
}

pub(crate) fn a() -> Sight {
    sight("GET", "{p}/a")
}

#[test]
fn what_is_meant_for_one_connection_ends_there() {
    run(
        "hop_by_hop",
        ALL,
        &[],
        vec![
            passed("keep_alive", "Keep-Alive: timeout=5\r\n", a().without("keep-alive")),
            passed("proxy_connection", "Proxy-Connection: keep-alive\r\n", a().without("proxy-connection")),
            passed("proxy_authorization", "Proxy-Authorization: Basic YTpi\r\n", a().without("proxy-authorization")),
            passed("upgrade_alone", "Upgrade: foo\r\n", a().without("upgrade")),
            passed(
                "upgrade_to_h2c",
                "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
                a().without("upgrade").without("http2-settings"),
            ),
            passed("one_listed", "Connection: x-a\r\nX-A: 1\r\nX-B: 2\r\n", a().without("x-a").with("x-b", "2")),
            passed(
                "two_listed",
                "Connection: x-a, X-B\r\nX-A: 1\r\nx-b: 2\r\nX-C: 3\r\n",
                a().without("x-a").without("x-b").with("x-c", "3"),
            ),
            passed(
                "listed_on_two_lines",
                "Connection: x-a\r\nConnection: x-b\r\nX-A: 1\r\nX-B: 2\r\n",
                a().without("x-a").without("x-b"),
            ),
            passed(
                "listed_without_spaces",
                "Connection: x-a,,x-b,\r\nX-A: 1\r\nX-B: 2\r\n",
                a().without("x-a").without("x-b"),
            ),
            passed(
                "listed_behind_tabs",
                "Connection:\tx-a\t,\tx-b\r\nX-A: 1\r\nX-B: 2\r\n",
                a().without("x-a").without("x-b"),
            ),
            passed("listed_in_capitals", "CONNECTION: X-A\r\nx-a: 1\r\n", a().without("x-a")),
            passed("listed_and_there_twice", "Connection: x-a\r\nX-A: 1\r\nX-A: 2\r\n", a().without("x-a")),
            passed("listed_with_close", "Connection: close, x-a\r\nX-A: 1\r\n", a().without("x-a")),
            passed("listed_and_not_there", "Connection: x-a, keep-alive\r\n", a()),
            passed("listed_that_is_no_name", "Connection: x a, \"b\", x-c\r\nX-C: 1\r\n", a().without("x-c")),
            passed("connection_lists_itself", "Connection: connection, x-a\r\nX-A: 1\r\n", a().without("x-a")),
            passed("1000_listed", &format!("Connection: {}x-a\r\nX-A: 1\r\n", "x, ".repeat(1_000)), a().without("x-a")),
            passed("host_listed", "Connection: host\r\n", a().check(|asked, _| one(&asked.fields, "host"))),
            passed("via_listed", "Connection: via\r\n", a().check(has_via)),
            passed("te_of_trailers", "TE: trailers\r\nConnection: te\r\n", a().check(te)),
            passed("te_of_a_coding", "TE: gzip\r\nConnection: te\r\n", a().check(te)),
            passed("te_of_both", "TE: trailers, deflate;q=0.5\r\nConnection: te\r\n", a().check(te)),
            passed("te_not_listed", "TE: gzip\r\n", a().check(te)),
            passed("te_of_trailers_with_a_weight", "TE: trailers;q=0\r\nConnection: te\r\n", a().check(te)),
            passed(
                "unknown_fields_stay",
                "X-Unknown: 1\r\nFoo: bar\r\n",
                a().with("x-unknown", "1").with("foo", "bar"),
            ),
            // The gateway takes it for a token.
            passed("authorization_stays", "Authorization: Basic YTpi\r\n", a().with("authorization", "Basic YTpi"))
                .not_for(&[Which::Gateway]),
            passed("cookies_stay", "Cookie: a=b; c=\"d e\"\r\n", a().with("cookie", "a=b; c=\"d e\"")),
            passed("an_empty_value_stays", "X-A:\r\n", a().with("x-a", "")),
            passed("blanks_around_a_value_go", "X-A: \t b c \t\r\n", a().with("x-a", "b c")),
            passed("bytes_past_ascii_stay", "X-A: \u{e9}\r\n", a().with("x-a", "\u{c3}\u{a9}")),
            passed(
                "lines_of_a_name_keep_their_order",
                "X-A: 1\r\nX-B: 2\r\nX-A: 3\r\nX-A: 4\r\n",
                a().check(|asked, _| is(&asked.fields.joined("x-a"), "1, 3, 4")),
            ),
            passed(
                "conditions_and_ranges_stay",
                "If-None-Match: \"a\"\r\nRange: bytes=0-1\r\nIf-Range: \"a\"\r\n",
                a().with("if-none-match", "\"a\"").with("range", "bytes=0-1").with("if-range", "\"a\""),
            ),
            passed(
                "codings_of_content_stay",
                "Accept-Encoding: gzip, br;q=0.5\r\n",
                a().with("accept-encoding", "gzip, br;q=0.5"),
            ),
            passed("early_data_stays", "Early-Data: 1\r\n", a().with("early-data", "1")),
            passed("no_transform_stays", "Cache-Control: no-transform\r\n", a().with("cache-control", "no-transform")),
        ],
    );
    // What a gateway states, no list of the client's removes.
    run(
        "hop_by_hop_at_the_gateway",
        &[Which::Gateway],
        &[],
        vec![
            passed(
                "own_fields_listed",
                "Connection: x-forwarded-user, x-request-id, forwarded, x-forwarded-for, x-forwarded-host, x-forwarded-proto, via\r\n",
                a().with("x-forwarded-user", "alice")
                    .with("x-forwarded-for", "127.0.0.1")
                    .check(|asked, _| one(&asked.fields, "x-request-id"))
                    .check(|asked, _| one(&asked.fields, "forwarded"))
                    .check(has_via),
            ),
            passed("host_listed_is_still_known", "Connection: host\r\n", a().with("x-forwarded-host", "a.example")),
            passed(
                "own_key_listed",
                "Connection: x-api-key\r\n",
                a().with("x-forwarded-user", "alice").without("x-api-key"),
            ),
        ],
    );
}

fn is(got: &str, wanted: &str) -> Result<(), String> {
    if got == wanted { Ok(()) } else { Err(format!("{got:?}, not {wanted:?}")) }
}

fn one(fields: &Fields, name: &str) -> Result<(), String> {
    match fields.all(name).count() {
        1 => Ok(()),
        lines => Err(format!("{lines} lines of {name}")),
    }
}

/// Nothing but `trailers` is said for the next connection, and it is listed.
fn te(asked: &Asked, _: Which) -> Result<(), String> {
    match &*asked.fields.joined("te") {
        "" => Ok(()),
        "trailers" if asked.fields.lists("connection", "te") => Ok(()),
        te => Err(format!("te: {te}, connection: {}", asked.fields.joined("connection"))),
    }
}

/// The last of Via's elements, as version and name.
fn via(fields: &Fields) -> Result<(String, String), String> {
    let all = fields.joined("via");
    let last = all.rsplit(',').next().unwrap_or_default().trim();
    match last.split_once(' ') {
        Some((version, name)) if !name.is_empty() => Ok((version.to_owned(), name.to_owned())),
        _ => Err(format!("via: {all:?}")),
    }
}

fn has_via(asked: &Asked, _: Which) -> Result<(), String> {
    via(&asked.fields).map(|_| ())
}

#[test]
fn via_is_added_to_what_was_there() {
    let version = |wanted: &'static str| move |asked: &Asked, _: Which| is(&via(&asked.fields)?.0, wanted);
    let before = |wanted: &'static str| {
        move |asked: &Asked, _: Which| {
            let all = asked.fields.joined("via");
            if all.starts_with(wanted) { Ok(()) } else { Err(format!("{all:?} does not begin with {wanted:?}")) }
        }
    };
    let reply = |reply: &Reply, _: Which| via(&reply.fields).and_then(|(version, _)| is(&version, "1.1"));
    run(
        "via",
        ALL,
        &[],
        vec![
            passed("none_before", "", a().check(version("1.1"))).reply(reply),
            passed("one_before", "Via: 1.0 fred\r\n", a().check(version("1.1")).check(before("1.0 fred, "))),
            passed(
                "two_lines_before",
                "Via: 1.0 fred\r\nVia: 1.1 b.example (Apache/1.1)\r\n",
                a().check(version("1.1")).check(before("1.0 fred, 1.1 b.example (Apache/1.1), ")),
            ),
            passed("empty_before", "Via:\r\n", a().check(version("1.1"))),
            case("of_http_1_0", "GET {p}/a HTTP/1.0\r\n{k}\r\n").old().passed([a().check(version("1.0"))]),
        ],
    );
}

#[test]
fn a_request_that_came_through_here_already_is_refused() {
    let rows: Vec<(String, &str)> = [
        ("alone", "Via: {own}\r\n"),
        ("first", "Via: {own}, 1.1 fred\r\n"),
        ("last", "Via: 1.1 fred, {own}\r\n"),
        ("between", "Via: 1.0 fred, {own}, 1.1 b.example\r\n"),
        ("on_a_second_line", "Via: 1.0 fred\r\nVia: {own}\r\n"),
        ("with_a_comment", "Via: {own} (a comment)\r\n"),
        ("behind_a_comment_with_a_comma", "Via: 1.0 fred (a, b), {own}\r\n"),
        ("without_spaces", "Via: 1.0 fred,{own}\r\n"),
        ("listed_by_connection", "Connection: via\r\nVia: {own}\r\n"),
    ]
    .map(|(name, lines)| (name.to_owned(), lines))
    .into();
    run_by("own_via", ALL, &[], rows, |bench, lines: &&str| {
        let own = own_via(bench)?;
        let status = ask(bench, &get(&lines.replace("{own}", &own)))?.status;
        let asked = bench.asked()?;
        if (status, asked.len()) == (508, 0) {
            Ok(())
        } else {
            Err(format!("{status}, and {} requests sent on", asked.len()))
        }
    });
    // The protocol's version may be another one, and a name that only begins alike is another's.
    let rows = vec![
        ("another_version".to_owned(), ("2 {name}", 508)),
        ("protocol_named".to_owned(), ("HTTP/1.1 {name}", 508)),
        ("longer_name".to_owned(), ("1.1 {name}-2", 200)),
        ("shorter_name".to_owned(), ("1.1 x{name}", 200)),
        ("in_a_comment".to_owned(), ("1.1 fred ({name})", 200)),
    ];
    run_by("own_via_or_not", ALL, &[], rows, |bench, (via, wanted): &(&str, u16)| {
        let own = own_via(bench)?;
        let name = own.split_once(' ').ok_or("no name")?.1.to_owned();
        let status = ask(bench, &get(&format!("Via: {}\r\n", via.replace("{name}", &name))))?.status;
        if status == *wanted { Ok(()) } else { Err(format!("{status}, not {wanted}")) }
    });
}

pub(crate) fn ask(bench: &Bench, request: &str) -> Result<Reply, String> {
    bench.begin(|_, _| Then::Send(ok("ok")));
    let mut client = Client::connect(bench.proxy.at);
    client.send(bench.proxy.which.fill(request.as_bytes()));
    client.reply("GET").map_err(|lack| format!("{lack:?}"))
}

/// The element that this proxy adds.
fn own_via(bench: &Bench) -> Result<String, String> {
    ask(bench, &get(""))?;
    let asked = bench.asked()?;
    let (version, name) = via(&asked.first().ok_or("nothing was sent on")?.fields)?;
    Ok(format!("{version} {name}"))
}

#[test]
fn max_forwards_counts_down_for_trace_and_options() {
    let to = |name: &str, method: &'static str, value: &str| {
        case(
            format!("{method}_{name}"),
            format!("{method} {{p}}/a HTTP/1.1\r\nHost: a.example\r\n{{k}}Max-Forwards: {value}\r\n\r\n"),
        )
        .methods(&[method])
    };
    let mut cases = Vec::new();
    for method in ["OPTIONS", "TRACE"] {
        cases.extend([
            to("of_0", method, "0").answered(&[200, 204, 405, 501]),
            to("of_000", method, "000").answered(&[200, 204, 400, 405, 501]),
        ]);
        // TRACE may be refused altogether, since it shows what a browser should not see.
        let counted = |case: Case, value: &'static str| match method {
            "TRACE" => case.either(&[405, 501], [sight(method, "{p}/a").with("max-forwards", value)]),
            _ => case.passed([sight(method, "{p}/a").with("max-forwards", value)]),
        };
        cases.extend([
            counted(to("of_1", method, "1"), "0"),
            counted(to("of_10", method, "10"), "9"),
            counted(to("of_012", method, "012"), "11"),
            counted(to("of_940", method, "940"), "939"),
        ]);
        for (name, value) in
            [("of_a_word", "many"), ("negative", "-1"), ("with_a_plus", "+1"), ("of_a_list", "1, 2"), ("empty", "")]
        {
            // What is no number is refused or limits nothing: it does not come out as a number.
            let unread = sight(method, "{p}/a").check(|asked, _| match asked.fields.joined("max-forwards") {
                value if value.parse::<u64>().is_ok() => Err(format!("max-forwards: {value}")),
                _ => Ok(()),
            });
            cases.push(to(name, method, value).either(&[400, 405, 501], [unread]));
        }
        let less = sight(method, "{p}/a").check(|asked, _| {
            let digits = asked.fields.joined("max-forwards");
            let fine = !digits.is_empty()
                && digits.bytes().all(|byte| byte.is_ascii_digit())
                && digits != "100000000000000000000";
            if fine { Ok(()) } else { Err(format!("max-forwards: {digits}")) }
        });
        cases.push(to("of_21_digits", method, "100000000000000000000").either(&[400, 405, 501], [less]));
    }
    for method in ["GET", "POST", "DELETE", "HEAD"] {
        cases.push(to("of_0", method, "0").passed([sight(method, "{p}/a").with("max-forwards", "0")]));
        cases.push(to("of_5", method, "5").passed([sight(method, "{p}/a").with("max-forwards", "5")]));
    }
    cases.push(
        case("OPTIONS_star_of_0", "OPTIONS * HTTP/1.1\r\nHost: a.example\r\n{k}Max-Forwards: 0\r\n\r\n")
            .answered(&[200, 204, 404]),
    );
    cases.push(
        case(
            "OPTIONS_absolute_of_0",
            "OPTIONS http://a.example{p}/a HTTP/1.1\r\nHost: a.example\r\n{k}Max-Forwards: 0\r\n\r\n",
        )
        .answered(&[200, 204]),
    );
    // RFC 9110, 9.3.8: what is sensitive is not shown.
    cases.push(
        case(
            "TRACE_of_0_with_secrets",
            "TRACE {p}/a HTTP/1.1\r\nHost: a.example\r\n{k}Max-Forwards: 0\r\nCookie: secret1\r\n\r\n",
        )
        .methods(&["TRACE"])
        .answered(&[200, 405, 501])
        .reply(|reply, which| {
            let body = String::from_utf8_lossy(&reply.body).into_owned();
            let key = which.key().map_or("secret1", |(_, key)| key);
            let shown = ["secret1", key].iter().any(|secret| body.contains(secret));
            if shown { Err(format!("shows {body:?}")) } else { Ok(()) }
        }),
    );
    run("max_forwards", ALL, &[], cases);
}

#[test]
fn what_is_expected_is_met_or_refused() {
    let post = |expect: &str| {
        format!("POST {{p}}/a HTTP/1.1\r\nHost: a.example\r\n{{k}}Expect: {expect}\r\nContent-Length: 3\r\n\r\nabc")
    };
    let abc = || [sight("POST", "{p}/a").body("abc")];
    run(
        "expectations",
        ALL,
        &[],
        vec![
            case("continue_and_the_body_at_once", post("100-continue")).passed(abc()),
            case("continue_in_capitals", post("100-CONTINUE")).passed(abc()),
            case("something_else", post("foo=bar")).either(&[417], abc()),
            case("continue_and_something_else", post("100-continue, foo")).either(&[417], abc()),
            case("continue_without_a_body", get("Expect: 100-continue\r\n")).passed([a()]),
        ],
    );
    // A client that waits for the go-ahead gets it, or a final reply.
    let rows = vec![("waits".to_owned(), ())];
    run_by("expectations_waited_for", ALL, &[], rows, |bench, ()| {
        bench.begin(|_, _| Then::Send(ok("ok")));
        let mut client = Client::connect(bench.proxy.at);
        client.send(
            bench.proxy.which.fill(
                b"POST {p}/a HTTP/1.1\r\nHost: a.example\r\n{k}Expect: 100-continue\r\nContent-Length: 3\r\n\r\n",
            ),
        );
        let head = client.wire.head().map_err(|lack| format!("{lack:?}"))?;
        match head.status().map_err(|wrong| wrong.to_string())? {
            100 => {}
            // The edge's files have no use for a body.
            200 if bench.proxy.which == Which::Files => return Ok(()),
            status => return Err(format!("{status} instead of a go-ahead")),
        }
        client.send("abc");
        let reply = client.reply("POST").map_err(|lack| format!("{lack:?}"))?;
        let asked = bench.asked()?;
        match &asked[..] {
            [asked] if asked.body == b"abc" && reply.status == 200 => Ok(()),
            _ => Err(format!("{}: {asked:?}", reply.status)),
        }
    });
}

#[test]
fn an_upstream_that_refuses_what_is_expected_is_heard() {
    // From the head alone, so that the body is never sent.
    run_by(
        "expectations_refused",
        &[Which::Gateway, Which::Forward],
        &[],
        vec![("by_a_403".to_owned(), ())],
        |bench, ()| {
            bench.begin(|_, _| {
                Then::Do(Box::new(|wire| {
                    wire.send("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
                }))
            });
            let mut client = Client::connect(bench.proxy.at);
            client.send(bench.proxy.which.fill(
                b"POST {p}/a HTTP/1.1\r\nHost: a.example\r\n{k}Expect: 100-continue\r\nContent-Length: 3\r\n\r\n",
            ));
            let reply = client.reply("POST").map_err(|lack| format!("{lack:?}"))?;
            if reply.status != 403 {
                return Err(format!("{}", reply.status));
            }
            if !reply.interim.is_empty() {
                return Err("the client was asked for a body that nobody wants".into());
            }
            bench.sentinel()
        },
    );
}
