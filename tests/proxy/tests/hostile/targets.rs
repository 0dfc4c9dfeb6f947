//! Targets of requests in their four forms, and Host (RFC 9110, 7.1 and 7.2; RFC 9112, 3.2 and 3.3).

use crate::support::client::Client;
use crate::support::proxy::{ALL, Proxy, Which, chosen};
use crate::support::table::{case, run, sight};
use crate::support::upstream::{Then, Upstream, ok};

fn get(host: &str) -> String {
    format!("GET {{p}}/a HTTP/1.1\r\n{host}{{k}}\r\n")
}

#[test]
fn a_request_has_one_host_that_can_be_one() {
    let refused = |name: &str, lines: &str| case(name, get(lines)).answered(&[400]);
    let passed = |name: &str, host: &str| case(name, get(&format!("Host: {host}\r\n"))).passed([sight("GET", "{p}/a")]);
    let either =
        |name: &str, host: &str| case(name, get(&format!("Host: {host}\r\n"))).either(&[400], [sight("GET", "{p}/a")]);
    run(
        "hosts",
        ALL,
        &[],
        vec![
            refused("missing", ""),
            refused("twice", "Host: a.example\r\nHost: b.example\r\n"),
            refused("twice_the_same", "Host: a.example\r\nHost: a.example\r\n"),
            refused("twice_in_other_letters", "Host: a.example\r\nhOsT: b.example\r\n"),
            refused("twice_and_one_empty", "Host:\r\nHost: a.example\r\n"),
            refused("a_list", "Host: a.example, b.example\r\n"),
            refused("with_a_space", "Host: a b\r\n"),
            refused("with_a_tab", "Host: a\tb\r\n"),
            refused("with_a_path", "Host: a.example/b\r\n"),
            refused("with_a_query", "Host: a.example?b\r\n"),
            refused("with_a_fragment", "Host: a.example#b\r\n"),
            refused("with_a_user", "Host: user@a.example\r\n"),
            refused("with_a_user_and_a_password", "Host: user:pw@a.example\r\n"),
            refused("with_a_scheme", "Host: http://a.example\r\n"),
            refused("with_a_port_that_is_a_word", "Host: a.example:http\r\n"),
            refused("with_a_negative_port", "Host: a.example:-1\r\n"),
            refused("with_two_ports", "Host: a.example:80:81\r\n"),
            either("with_a_port_past_16_bits", "a.example:65536"),
            refused("with_a_quote", "Host: a\"b\r\n"),
            refused("with_a_backslash", "Host: a\\b\r\n"),
            refused("with_angles", "Host: <a>\r\n"),
            refused("with_braces", "Host: {a}\r\n"),
            refused("with_a_caret", "Host: a^b\r\n"),
            refused("an_open_bracket", "Host: [::1\r\n"),
            refused("a_closed_bracket", "Host: ::1]\r\n"),
            refused("an_address_without_brackets", "Host: ::1\r\n"),
            refused("something_behind_the_bracket", "Host: [::1]a\r\n"),
            refused("no_address_in_brackets", "Host: [a.example]\r\n"),
            refused("a_percent_that_encodes_nothing", "Host: a%zzb\r\n"),
            refused("a_port_alone", "Host: :80\r\n"),
            refused("not_in_ascii", "Host: \u{e4}.example\r\n"),
            refused("with_a_null", "Host: a\x00b\r\n"),
            refused("with_a_comma_at_its_end", "Host: a.example,\r\n"),
            passed("a_name", "a.example"),
            passed("a_name_with_a_port", "a.example:8080"),
            passed("in_capitals", "A.EXAMPLE"),
            passed("with_a_dot_at_its_end", "a.example."),
            passed("one_label", "localhost"),
            passed("with_an_underscore", "a_b.example"),
            passed("an_address", "127.0.0.1:80"),
            passed("an_address_in_brackets", "[::1]"),
            passed("an_address_in_brackets_with_a_port", "[2001:db8::1]:8080"),
            // The grammar allows these; nobody needs them.
            either("empty", ""),
            either("with_an_empty_port", "a.example:"),
            either("with_a_percent", "a%20b"),
            either("with_a_sub_delimiter", "a!b"),
        ],
    );
}

#[test]
fn a_target_is_read_in_its_form_and_sent_on_in_origin_form() {
    let to = |name: &str, line: &str| case(name, format!("{line} HTTP/1.1\r\nHost: a.example\r\n{{k}}\r\n"));
    let refused = |name: &str, line: &str| to(name, line).answered(&[400, 404, 405, 421, 501]);
    // Which authority the request is for is seen in what the gateway says of it.
    let for_b = |asked: &crate::support::upstream::Asked, which: Which| {
        let host = asked.fields.joined("x-forwarded-host");
        if which == Which::Gateway && host != "b.example" {
            return Err(format!("the request is for b.example, and x-forwarded-host says {host:?}"));
        }
        let host = asked.fields.joined("host");
        if host == "a.example" { Err("Host is the one that the target overrides".into()) } else { Ok(()) }
    };
    let mut cases = vec![
        to("absolute", "GET http://a.example{p}/a").passed([sight("GET", "{p}/a")]),
        to("absolute_with_a_port", "GET http://a.example:80{p}/a?b=c").passed([sight("GET", "{p}/a?b=c")]),
        to("absolute_of_another_host", "GET http://b.example{p}/a")
            .either(&[400], [sight("GET", "{p}/a").check(for_b)]),
        to("absolute_in_capitals", "GET HTTP://A.EXAMPLE{p}/a").passed([sight("GET", "{p}/a")]),
        case("absolute_without_host", "GET http://a.example{p}/a HTTP/1.1\r\n{k}\r\n").answered(&[400]),
        case(
            "absolute_with_two_hosts",
            "GET http://a.example{p}/a HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n{k}\r\n",
        )
        .answered(&[400]),
        case("absolute_with_a_malformed_host", "GET http://a.example{p}/a HTTP/1.1\r\nHost: a b\r\n{k}\r\n")
            .answered(&[400]),
        to("absolute_with_a_user", "GET http://user:pw@a.example{p}/a")
            .either(&[400], [sight("GET", "{p}/a").without("authorization")]),
        to("absolute_by_https", "GET https://a.example{p}/a").either(&[400, 421], [sight("GET", "{p}/a")]),
        refused("absolute_without_a_host_in_it", "GET http:///a"),
        refused("absolute_with_a_port_that_is_none", "GET http://a.example:http{p}/a"),
        // A port is any digits to the grammar.
        to("absolute_with_a_port_past_16_bits", "GET http://a.example:65536{p}/a")
            .either(&[400, 421], [sight("GET", "{p}/a")]),
        refused("of_an_authority", "GET a.example:80"),
        refused("of_a_host_alone", "GET a.example"),
        refused("star", "GET *"),
        refused("star_of_a_post", "POST *"),
        refused("star_and_more", "OPTIONS *{p}/a"),
        refused("without_a_slash", "GET a"),
        refused("a_question", "GET ?a"),
        // A target has no fragment. hyper takes one off before anyone sees it: then it goes no further.
        to("with_a_fragment", "GET {p}/a#b").either(&[400], [sight("GET", "{p}/a")]),
        to("with_a_fragment_and_a_query", "GET {p}/a#b?c").either(&[400], [sight("GET", "{p}/a")]),
        to("with_a_fragment_in_the_query", "GET {p}/a?b#c").either(&[400], [sight("GET", "{p}/a?b")]),
        to("connect", "CONNECT a.example:80").answered(&[400, 404, 405, 501]),
        // What a client sends behind it was meant for a tunnel.
        case("connect_and_bytes_behind_it",
            "CONNECT a.example:80 HTTP/1.1\r\nHost: a.example:80\r\n{k}\r\nGET {p}/smuggled HTTP/1.1\r\nHost: a.example\r\n{k}\r\n")
            .refused(&[400, 404, 405, 501]),
        to("connect_to_the_upstream", "CONNECT 127.0.0.1:80").answered(&[400, 404, 405, 501]),
        to("connect_in_origin_form", "CONNECT {p}/a").answered(&[400, 405, 501]),
        to("with_an_empty_query", "GET {p}/a?").passed([sight("GET", "{p}/a?")]),
        to("with_a_query_of_questions", "GET {p}/a?b?c").passed([sight("GET", "{p}/a?b?c")]),
        to("with_sub_delimiters", "GET {p}/a;b=c,d!$&'()*+").passed([sight("GET", "{p}/a;b=c,d!$&'()*+")]),
        to("with_a_percent", "GET {p}/a%20b%C3%A9").passed([sight("GET", "{p}/a%20b%C3%A9")]),
        to("with_a_colon", "GET {p}/a:80").passed([sight("GET", "{p}/a:80")]),
        to("with_a_url_in_the_query", "GET {p}/a?b=http://c.example/d")
            .passed([sight("GET", "{p}/a?b=http://c.example/d")]),
        to("with_letters_that_a_uri_has_not", "GET {p}/a{|}<>^`").either(&[400], [sight("GET", "{p}/a{|}<>^`")]),
        to("not_in_ascii", "GET {p}/\u{e9}").either(&[400], [sight("GET", "{p}/\u{c3}\u{a9}")]),
    ];
    // RFC 9112, 3.2.4: it may be answered, or asked of the upstream as it is.
    cases.push(to("star_of_options", "OPTIONS *").either(&[200, 204, 404, 405, 501], [sight("OPTIONS", "*")]));
    cases.push(
        to("absolute_without_a_path_of_options", "OPTIONS http://a.example")
            .either(&[200, 204, 404, 405, 501], [sight("OPTIONS", "*").or_target("/")]),
    );
    run("targets", ALL, &[], cases);
    // What a proxy without routes makes of targets that a router would normalise or refuse.
    run(
        "targets_without_routes",
        &[Which::Gateway, Which::Forward],
        &[],
        vec![
            to("absolute_without_a_path", "GET http://a.example").passed([sight("GET", "/")]),
            to("absolute_with_a_query_alone", "GET http://a.example?q").passed([sight("GET", "/?q")]),
            to("two_slashes", "GET //b.example/a").either(&[400], [sight("GET", "//b.example/a")]),
            to("root", "GET /").passed([sight("GET", "/")]),
        ],
    );
}

#[test]
fn the_path_that_picks_the_route_is_the_path_that_is_sent_on() {
    if chosen(&[Which::Api]).is_empty() {
        return;
    }
    let (stable, files) =
        (Upstream::scripted(|_, _| Then::Send(ok("api"))), Upstream::scripted(|_, _| Then::Send(ok("files"))));
    let proxy = Proxy::edge(stable.at, files.at, &[]);
    let mut failures = Vec::new();
    for path in [
        "/static/../api/v1/users",
        "/static/%2e%2e/api/v1/users",
        "/static/%2E%2E/api/v1/users",
        "/static/.%2e/api/v1/users",
        "/static//../../api/v1/users",
        "/static/..%2fapi/v1/users",
        "/static/..%2Fapi/v1/users",
        "/static/..;/api/v1/users",
        "/static/..\\api\\v1\\users",
        "/static/..%5capi/v1/users",
        "/static/./../api/v1/users",
        "/static/a/../../api/v1/users",
        "/static/%252e%252e/api/v1/users",
        "/api/v1/../../static/a",
        "/api/v1/../../admin",
        "/api/v1/..%2f..%2fadmin",
        "/api/v+1/users",
        "/api/v01/users",
        "/api/v001/users",
        "/api/v%31/users",
        "/api/v1%2fusers",
        "/%61pi/v1/users",
        "/%73tatic/a",
        "//static/a",
        "//api/v1/users",
        "/api//v1/users",
        "/./static/a",
        "/static%2fa",
        "/STATIC/a",
        "/API/v1/users",
        "/api/v1/%00",
        "/static/%00",
        "/static/a%0d%0ab",
        "/api/v1;x=y/users",
        "/api;x/v1/users",
        "http://a.example/static/../api/v1/users",
    ] {
        let from = (stable.record().asked.len(), files.record().asked.len());
        let mut client = Client::connect(proxy.at);
        let reply =
            client.last(format!("GET {path} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n").as_bytes());
        let got = (stable.record().asked.split_off(from.0), files.record().asked.split_off(from.1));
        let sent_on: Vec<_> = got
            .0
            .iter()
            .map(|asked| ("api", &asked.target))
            .chain(got.1.iter().map(|asked| ("files", &asked.target)))
            .collect();
        let status = reply.as_ref().ok().and_then(Option::as_ref).map(|reply| reply.status);
        let fine = match sent_on[..] {
            // Answered here, and not as if it had gone well.
            [] => status.is_some_and(|status| (400..500).contains(&status)),
            [(group, target)] => status == Some(200) && is_of(group, target),
            _ => false,
        };
        if !fine {
            failures.push(format!("{path}: {status:?}, sent on {sent_on:?}"));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// Whether the target is normalised (RFC 3986, 6.2.2) and belongs to this group.
fn is_of(group: &str, target: &str) -> bool {
    let path = target.split('?').next().unwrap_or_default().to_ascii_lowercase();
    let encoded = ["%2e", "%2d", "%5f", "%7e", "%31", "%61", "%73"];
    let tame = !["/../", "/./"].iter().chain(&encoded).any(|odd| path.contains(odd)) && !path.ends_with("/..");
    let begins = match group {
        "files" => target.starts_with("/static/"),
        _ => target.starts_with("/api/v1/") || target.starts_with("/api/v2/"),
    };
    tame && begins
}
