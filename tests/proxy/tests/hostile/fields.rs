//! Fields that end at the proxy, fields that it adds, and fields that nobody but it may state (RFC 9110, 7.6 and 10.1; RFC 7239).

use crate::support::client::{Client, Reply};
use crate::support::message::Fields;
use crate::support::proxy::{ALL, Which};
use crate::support::table::{Bench, Case, Sight, case, run, run_by, sight};
use crate::support::upstream::{Asked, Then, ok};

fn get(lines: &str) -> String {
    format!("GET {{p}}/a HTTP/1.1\r\nHost: a.example\r\n{{k}}{lines}\r\n")
}

fn passed(name: &str, lines: &str, sight: Sight) -> Case {
    case(name, get(lines)).passed([sight])
}

fn a() -> Sight {
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

fn ask(bench: &Bench, request: &str) -> Result<Reply, String> {
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

/// The values of a name in any spelling that some server takes for it.
fn alike<'a>(fields: &'a Fields, name: &str) -> Vec<&'a str> {
    let same = |each: &str| each.replace('_', "-").eq_ignore_ascii_case(name);
    fields.0.iter().filter(|(each, _)| same(each)).map(|(_, value)| &**value).collect()
}

#[test]
fn who_the_user_is_nobody_but_the_gateway_says() {
    let alice = |asked: &Asked, _: Which| {
        let users = alike(&asked.fields, "x-forwarded-user");
        let late = alike(&asked.trailers, "x-forwarded-user");
        if users == ["alice"] && late.is_empty() {
            Ok(())
        } else {
            Err(format!("users {users:?}, in trailers {late:?}"))
        }
    };
    let mut cases = Vec::new();
    for (name, lines) in [
        ("as_it_is", "X-Forwarded-User: root\r\n"),
        ("in_small_letters", "x-forwarded-user: root\r\n"),
        ("in_mixed_letters", "x-Forwarded-uSER: root\r\n"),
        ("with_underscores", "X_Forwarded_User: root\r\n"),
        ("with_one_underscore", "X-Forwarded_User: root\r\n"),
        ("with_the_other_underscore", "x_forwarded-USER: root\r\n"),
        ("twice", "X-Forwarded-User: root\r\nX-Forwarded-User: alice\r\n"),
        ("empty", "X-Forwarded-User:\r\n"),
        ("in_both_spellings", "X_Forwarded_User: root\r\nX-Forwarded-User: root\r\n"),
        (
            "in_four_spellings",
            "X_Forwarded_User: 1\r\nX_Forwarded-User: 2\r\nX-Forwarded_User: 3\r\nX-FORWARDED-USER: 4\r\n",
        ),
        ("and_listed_by_connection", "Connection: x-forwarded-user\r\nX-Forwarded-User: root\r\n"),
        ("with_underscores_and_listed", "Connection: x_forwarded_user\r\nX_Forwarded_User: root\r\n"),
    ] {
        cases.push(passed(name, lines, a().check(alice)));
    }
    for (name, trailer) in [
        ("in_a_trailer", "X-Forwarded-User: root\r\n"),
        ("in_a_trailer_with_underscores", "X_Forwarded_User: root\r\n"),
        ("in_a_trailer_in_mixed_letters", "x-fORWARDED-uSER: root\r\n"),
    ] {
        for (how, announced) in [("", ""), ("_announced", "Trailer: x-forwarded-user\r\n")] {
            let sent = format!(
                "POST {{p}}/a HTTP/1.1\r\nHost: a.example\r\n{{k}}{announced}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n{trailer}\r\n"
            );
            cases.push(
                case(format!("{name}{how}"), sent).either(&[400], [sight("POST", "{p}/a").body("abc").check(alice)]),
            );
        }
    }
    run("users", &[Which::Gateway], &[], cases);
}

#[test]
fn what_the_gateway_says_of_the_client_is_said_once() {
    let of_peer = |asked: &Asked, _: Which| {
        for (name, wanted) in [("x-forwarded-host", "a.example"), ("x-forwarded-proto", "http")] {
            let got = alike(&asked.fields, name);
            if got != [wanted] {
                return Err(format!("{name}: {got:?}, not {wanted:?}"));
            }
        }
        let chain = alike(&asked.fields, "x-forwarded-for");
        let last = chain.last().and_then(|line| line.rsplit(',').next()).map(str::trim);
        if chain.len() != 1 || last != Some("127.0.0.1") {
            return Err(format!("x-forwarded-for: {chain:?}"));
        }
        match alike(&asked.fields, "x-request-id")[..] {
            [id] if !id.is_empty() => Ok(()),
            ref ids => Err(format!("x-request-id: {ids:?}")),
        }
    };
    let said = |name: &str, lines: &str| passed(name, lines, a().check(of_peer));
    run(
        "peers",
        &[Which::Gateway],
        &[],
        vec![
            said("nothing_before", ""),
            said("one_before", "X-Forwarded-For: 6.6.6.6\r\n"),
            said("two_lines_before", "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 7.7.7.7\r\n"),
            said("a_comma_before", "X-Forwarded-For: 6.6.6.6,\r\n"),
            said("a_quote_before", "X-Forwarded-For: \"6.6.6.6\r\n"),
            said("with_underscores", "X_Forwarded_For: 6.6.6.6\r\n"),
            said("with_one_underscore", "X-Forwarded_For: 6.6.6.6\r\n"),
            said("another_host", "X-Forwarded-Host: evil.example\r\n"),
            said("another_host_with_underscores", "X_Forwarded_Host: evil.example\r\n"),
            said("another_protocol", "X-Forwarded-Proto: https\r\n"),
            said("another_protocol_with_underscores", "X_Forwarded_Proto: https\r\n"),
            said("another_id", "X-Request-Id: mine\r\n"),
            said("another_id_with_underscores", "X_Request_Id: mine\r\n"),
        ],
    );
}

#[test]
fn a_text_of_the_client_cannot_swallow_the_element_in_forwarded() {
    let rows: Vec<(String, &str)> = [
        ("none", ""),
        ("one", "Forwarded: for=1.1.1.1;proto=https\r\n"),
        ("two_lines", "Forwarded: for=1.1.1.1\r\nForwarded: for=2.2.2.2\r\n"),
        ("quoted", "Forwarded: for=\"[2001:db8::1]:80\";by=\"a, b\"\r\n"),
        ("open_quote", "Forwarded: for=6.6.6.6;by=\"\r\n"),
        ("open_quote_at_once", "Forwarded: \"\r\n"),
        ("open_quote_in_for", "Forwarded: for=\"6.6.6.6\r\n"),
        ("open_quote_with_a_backslash", "Forwarded: for=6.6.6.6;by=\"\\\r\n"),
        ("escaped_quote", "Forwarded: for=6.6.6.6;by=\"\\\"\r\n"),
        ("open_quote_on_the_second_line", "Forwarded: for=1.1.1.1\r\nForwarded: for=6.6.6.6;by=\"\r\n"),
        ("quote_that_closes_on_the_second_line", "Forwarded: for=6.6.6.6;by=\"\r\nForwarded: \";for=7.7.7.7\r\n"),
        ("semicolon_at_the_end", "Forwarded: for=6.6.6.6;\r\n"),
        ("comma_at_the_end", "Forwarded: for=6.6.6.6,\r\n"),
        ("equals_at_the_end", "Forwarded: for=6.6.6.6;by=\r\n"),
        ("pair_without_a_value", "Forwarded: for\r\n"),
        ("not_ascii", "Forwarded: for=\u{e9}\r\n"),
        ("for_twice", "Forwarded: for=1.1.1.1;for=6.6.6.6\r\n"),
        ("long", "Forwarded: {long}\r\n"),
        ("with_underscore_names", "Forwarded: for=_hidden;by=_proxy\r\n"),
        ("listed_by_connection", "Connection: forwarded\r\nForwarded: for=6.6.6.6;by=\"\r\n"),
    ]
    .map(|(name, lines)| (name.to_owned(), lines))
    .into();
    // A proxy that adds no element of its own has nothing to lose here.
    run_by("forwarded", ALL, &[], rows, |bench, lines: &&str| {
        ask(bench, &get(""))?;
        let plain = bench.asked()?;
        let plain = plain.first().ok_or("nothing was sent on")?.fields.joined("forwarded");
        if plain.is_empty() && bench.proxy.which != Which::Gateway {
            return Ok(());
        }
        let long = vec!["for=1.1.1.1"; 500].join(", ");
        let status = ask(bench, &get(&lines.replace("{long}", &long)))?.status;
        let asked = bench.asked()?;
        let Some(asked) = asked.first() else {
            return if status == 400 { Ok(()) } else { Err(format!("{status}")) };
        };
        let all = asked.fields.joined("forwarded");
        let elements = elements(&all).ok_or_else(|| format!("not well formed: {all:?}"))?;
        let last = elements.last().ok_or("no element")?;
        let peers: Vec<&String> = last.iter().filter(|(name, _)| name == "for").map(|(_, value)| value).collect();
        let own = elements_of(&plain)?;
        if peers != ["127.0.0.1"] || *last != own {
            return Err(format!("the last element of {all:?} is {last:?}, not {own:?}"));
        }
        let kept = !lines.contains("1.1.1.1;proto=https") || all.starts_with("for=1.1.1.1;proto=https");
        if kept { Ok(()) } else { Err(format!("what came before was lost: {all:?}")) }
    });
}

fn elements_of(plain: &str) -> Result<Vec<(String, String)>, String> {
    elements(plain).and_then(|mut all| all.pop()).ok_or_else(|| format!("not well formed: {plain:?}"))
}

/// Reads `Forwarded` as RFC 7239, 4 has it. `None` if it is not that.
fn elements(text: &str) -> Option<Vec<Vec<(String, String)>>> {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut all = vec![Vec::new()];
    loop {
        while bytes.get(at).is_some_and(|byte| b" \t".contains(byte)) {
            at += 1;
        }
        // Empty pairs and elements are allowed.
        if let Some(empty @ (b';' | b',')) = bytes.get(at) {
            if *empty == b',' {
                all.push(Vec::new());
            }
            at += 1;
            continue;
        }
        let from = at;
        while bytes.get(at).is_some_and(|byte| token(*byte)) {
            at += 1;
        }
        let name = text[from..at].to_ascii_lowercase();
        if name.is_empty() || bytes.get(at) != Some(&b'=') {
            return None;
        }
        at += 1;
        let mut value = String::new();
        if bytes.get(at) == Some(&b'"') {
            at += 1;
            loop {
                match bytes.get(at)? {
                    b'"' => break,
                    b'\\' => {
                        at += 1;
                        value.push(char::from(*bytes.get(at)?));
                    }
                    byte => value.push(char::from(*byte)),
                }
                at += 1;
            }
            at += 1;
        } else {
            let from = at;
            while bytes.get(at).is_some_and(|byte| token(*byte)) {
                at += 1;
            }
            value.push_str(&text[from..at]);
            if value.is_empty() {
                return None;
            }
        }
        all.last_mut()?.push((name, value));
        while bytes.get(at).is_some_and(|byte| b" \t".contains(byte)) {
            at += 1;
        }
        match bytes.get(at) {
            None => return Some(all),
            Some(b';') => {}
            Some(b',') => all.push(Vec::new()),
            Some(_) => return None,
        }
        at += 1;
    }
}
