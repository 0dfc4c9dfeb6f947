//! The length of requests: what one reader takes for a body, no other may take for a request (RFC 9112, 2 to 7).

use crate::support::proxy::{ALL, Which};
use crate::support::table::{Case, case, run, sight};

const TIMES: &[&str] = &["--timeout", "5s", "--head-timeout", "5s"];

/// A POST with these lines between its head's first ones and its body.
fn post(lines: &str, body: &str) -> String {
    format!("POST {{p}}/a HTTP/1.1\r\nHost: a.example\r\n{{k}}{lines}\r\n{body}")
}

/// Those that read bodies.
const READS: &[Which] = &[Which::Gateway, Which::Api, Which::Forward];

const CHUNKS: &str = "6\r\nsecret\r\n0\r\n\r\n";

#[test]
fn a_request_with_a_length_and_a_coding_has_one_meaning() {
    let secret = || [sight("POST", "{p}/a").body("secret")];
    let both = |name: &str, lines: &str| case(name, post(lines, CHUNKS)).either(&[400], secret());
    run(
        "lengths_and_codings",
        ALL,
        TIMES,
        vec![
            both("length_then_coding", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"),
            both("coding_then_length", "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"),
            both("coding_then_a_large_length", "Transfer-Encoding: chunked\r\nContent-Length: 3000\r\n"),
            both("length_0_then_coding", "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"),
            both("coding_between_lengths", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n"),
            both("coding_in_capitals", "content-length: 3\r\nTRANSFER-ENCODING: CHUNKED\r\n"),
            both("coding_behind_a_tab", "Content-Length: 3\r\nTransfer-Encoding:\tchunked\r\n"),
            both("coding_before_a_tab", "Content-Length: 3\r\nTransfer-Encoding: chunked\t\r\n"),
            both("coding_without_a_space", "Content-Length: 3\r\nTransfer-Encoding:chunked\r\n"),
            both("bad_length_and_coding", "Content-Length: x\r\nTransfer-Encoding: chunked\r\n"),
            both("coding_and_bad_length", "Transfer-Encoding: chunked\r\nContent-Length: x\r\n"),
            both(
                "different_lengths_and_coding",
                "Transfer-Encoding: chunked\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
            ),
            both(
                "length_listed_by_connection",
                "Connection: content-length\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n",
            ),
            case(
                "coding_listed_by_connection",
                post("Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n", CHUNKS),
            )
            .either(&[400], [sight("POST", "{p}/a").body("secret")]),
            case(
                "length_alone_listed_by_connection",
                post("Connection: content-length\r\nContent-Length: 3\r\n", "abc"),
            )
            .either(&[400], [sight("POST", "{p}/a").body("abc")]),
            // A server that reads an underscore as a dash would see chunks.
            case("coding_with_an_underscore", post("Content-Length: 3\r\nTransfer_Encoding: chunked\r\n", "abc"))
                .either(&[400], [sight("POST", "{p}/a").body("abc")]),
            case("length_with_an_underscore", post("Content_Length: 30\r\nContent-Length: 3\r\n", "abc"))
                .either(&[400], [sight("POST", "{p}/a").body("abc").with("content-length", "3")]),
        ],
    );
}

#[test]
fn a_coding_that_is_not_chunked_is_refused() {
    let refused = |name: &str, lines: &str| case(name, post(lines, CHUNKS)).refused(&[400, 411, 501]);
    // Where the last coding is chunked, it is known where the next request begins.
    let known_end = |name: &str, lines: &str| case(name, post(lines, CHUNKS)).answered(&[400, 501]);
    run(
        "codings",
        ALL,
        TIMES,
        vec![
            known_end("gzip_then_chunked", "Transfer-Encoding: gzip, chunked\r\n"),
            known_end("gzip_then_chunked_on_two_lines", "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"),
            refused("chunked_then_gzip", "Transfer-Encoding: chunked, gzip\r\n"),
            refused("chunked_then_identity", "Transfer-Encoding: chunked, identity\r\n"),
            refused(
                "chunked_then_identity_on_two_lines",
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
            ),
            known_end("identity_then_chunked", "Transfer-Encoding: identity, chunked\r\n"),
            refused("gzip_alone", "Transfer-Encoding: gzip\r\n"),
            refused("identity_alone", "Transfer-Encoding: identity\r\n"),
            refused("identity_and_a_length", "Transfer-Encoding: identity\r\nContent-Length: 6\r\n"),
            refused("unknown", "Transfer-Encoding: xchunked\r\n"),
            refused("unknown_and_a_length", "Transfer-Encoding: xchunked\r\nContent-Length: 6\r\n"),
            refused("cut_short", "Transfer-Encoding: chunke\r\n"),
            known_end("twice_in_one_line", "Transfer-Encoding: chunked, chunked\r\n"),
            known_end("twice_on_two_lines", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
            refused("quoted", "Transfer-Encoding: \"chunked\"\r\n"),
            refused("with_a_parameter", "Transfer-Encoding: chunked;q=1\r\n"),
            refused("empty", "Transfer-Encoding:\r\n"),
            refused("empty_and_a_length", "Transfer-Encoding:\r\nContent-Length: 6\r\n"),
            refused("behind_a_vertical_tab", "Transfer-Encoding: \x0bchunked\r\nContent-Length: 6\r\n"),
            refused("before_a_control", "Transfer-Encoding: chunked\x01\r\nContent-Length: 6\r\n"),
            refused("two_words", "Transfer-Encoding: chunked foo\r\n"),
            // RFC 9110, 5.6.1.2: a recipient has to bear empty elements of a list.
            case("behind_a_comma", post("Transfer-Encoding: , chunked\r\n", CHUNKS))
                .either(&[400, 501], [sight("POST", "{p}/a").body("secret")]),
            case("before_a_comma", post("Transfer-Encoding: chunked,\r\n", CHUNKS))
                .either(&[400, 501], [sight("POST", "{p}/a").body("secret")]),
            case(
                "in_a_request_of_http_1_0",
                post("Transfer-Encoding: chunked\r\n", CHUNKS).replacen("HTTP/1.1", "HTTP/1.0", 1),
            )
            .old()
            .refused(&[400]),
            case(
                "and_a_length_in_a_request_of_http_1_0",
                post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", CHUNKS).replacen("HTTP/1.1", "HTTP/1.0", 1),
            )
            .old()
            .refused(&[400]),
        ],
    );
}

#[test]
fn a_length_is_digits_and_one_number() {
    let refused = |name: &str, lines: &str| case(name, post(lines, "abc")).refused(&[400, 413]);
    let three = || [sight("POST", "{p}/a").body("abc").with("content-length", "3")];
    run(
        "lengths",
        ALL,
        TIMES,
        vec![
            refused("with_a_plus", "Content-Length: +3\r\n"),
            refused("with_a_minus", "Content-Length: -3\r\n"),
            refused("minus_0", "Content-Length: -0\r\n"),
            refused("in_hexadecimal", "Content-Length: 0x3\r\n"),
            refused("with_a_fraction", "Content-Length: 3.0\r\n"),
            refused("with_an_exponent", "Content-Length: 3e0\r\n"),
            refused("with_an_underscore_between", "Content-Length: 0_3\r\n"),
            refused("with_a_space_between", "Content-Length: 3 3\r\n"),
            refused("with_a_semicolon", "Content-Length: 3;\r\n"),
            refused("a_word", "Content-Length: three\r\n"),
            refused("empty", "Content-Length:\r\n"),
            refused("a_comma", "Content-Length: ,\r\n"),
            refused("quoted", "Content-Length: \"3\"\r\n"),
            refused("not_ascii_digits", "Content-Length: \u{0663}\r\n"),
            refused("two_different", "Content-Length: 3\r\nContent-Length: 4\r\n"),
            refused("two_different_the_other_way", "Content-Length: 4\r\nContent-Length: 3\r\n"),
            refused("two_different_in_a_list", "Content-Length: 3, 4\r\n"),
            refused("nothing_and_3", "Content-Length:\r\nContent-Length: 3\r\n"),
            refused("3_and_nothing", "Content-Length: 3\r\nContent-Length:\r\n"),
            refused("past_64_bits", "Content-Length: 18446744073709551616\r\n"),
            refused("3_past_64_bits", "Content-Length: 18446744073709551619\r\n"),
            refused("of_100_digits", &format!("Content-Length: {}\r\n", "9".repeat(100))),
            refused("behind_a_null", "Content-Length: \x003\r\n"),
            // RFC 9112, 6.3: refused, or taken for the one that they all are.
            case("twice_the_same", post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc")).either(&[400], three()),
            case("a_list_of_the_same", post("Content-Length: 3, 3\r\n", "abc")).either(&[400], three()),
            case("a_list_of_the_same_without_a_space", post("Content-Length: 3,3\r\n", "abc")).either(&[400], three()),
            case("three_times_the_same", post("Content-Length: 3, 3\r\nContent-Length: 3\r\n", "abc"))
                .either(&[400], three()),
            case("with_zeros_before_it", post("Content-Length: 003\r\n", "abc"))
                .either(&[400], [sight("POST", "{p}/a").body("abc")]),
            case("behind_a_tab", post("Content-Length:\t3\r\n", "abc")).passed(three()),
            case("before_spaces", post("Content-Length: 3  \r\n", "abc")).passed(three()),
            case("in_capitals", post("CONTENT-LENGTH: 3\r\n", "abc")).passed(three()),
        ],
    );
}

#[test]
fn a_head_that_can_be_read_in_two_ways_is_refused() {
    let refused = |name: &str, lines: &str| case(name, post(lines, "abc")).refused(&[400]);
    let line = |name: &str, line: &str| {
        case(name, format!("{line}\r\nHost: a.example\r\n{{k}}\r\n")).refused(&[400, 404, 405, 414, 501, 505])
    };
    run(
        "heads",
        ALL,
        TIMES,
        vec![
            refused("space_before_the_colon_of_a_length", "Content-Length : 3\r\n"),
            refused("tab_before_the_colon_of_a_length", "Content-Length\t: 3\r\n"),
            refused("space_in_a_name", "Content Length: 3\r\n"),
            refused("space_before_the_colon_of_a_coding", "Content-Length: 3\r\nTransfer-Encoding : chunked\r\n"),
            refused("space_before_a_name", "Content-Length: 3\r\n Transfer-Encoding: chunked\r\n"),
            refused("null_in_a_name", "Content-Length: 3\r\nTransfer-Encoding\x00: chunked\r\n"),
            refused("null_in_a_value", "Content-Length: 3\r\nX-A: a\x00b\r\n"),
            refused("bare_cr_in_a_value", "Content-Length: 3\r\nX-A: a\rTransfer-Encoding: chunked\r\n"),
            refused("bare_cr_behind_a_value", "Content-Length: 3\r\nX-A: a\r\r\n"),
            refused("delete_in_a_value", "Content-Length: 3\r\nX-A: a\x7fb\r\n"),
            refused("line_without_a_colon", "Content-Length: 3\r\nTransfer-Encoding\r\n"),
            refused("empty_name", "Content-Length: 3\r\n: chunked\r\n"),
            refused("name_that_is_no_token", "Content-Length: 3\r\nX(A): b\r\n"),
            refused("name_in_quotes", "\"Content-Length\": 3\r\nX: y\r\n"),
            refused("name_not_in_ascii", "Content-Length: 3\r\nX-\u{e9}: b\r\n"),
            case("space_before_the_colon_of_host", "GET {p}/a HTTP/1.1\r\nHost : a.example\r\n{k}\r\n").refused(&[400]),
            case(
                "space_before_the_first_field",
                "GET {p}/a HTTP/1.1\r\n Host: a.example\r\nHost: a.example\r\n{k}\r\n",
            )
            .refused(&[400]),
            // RFC 9112, 5.2: refused, or a space for each fold.
            case("folded_value", "GET {p}/a HTTP/1.1\r\nHost: a.example\r\n{k}X-A: b\r\n c\r\n\r\n")
                .either(&[400], [sight("GET", "{p}/a")]),
            case("folded_coding", post("Content-Length: 3\r\nTransfer-Encoding:\r\n chunked\r\n", "abc"))
                .refused(&[400, 501]),
            case(
                "fold_that_hides_a_coding",
                post("Content-Length: 3\r\nX-A: b\r\n\tTransfer-Encoding: chunked\r\n", "abc"),
            )
            .either(&[400], [sight("POST", "{p}/a").body("abc")]),
            // RFC 9112, 2.2: a line may be taken to end at a bare LF. Then the length counts, and nothing else is read from it.
            case("bare_lf_behind_each_line", "POST {p}/a HTTP/1.1\nHost: a.example\nX-A: b\nContent-Length: 3\n\nabc")
                .not_for(&[Which::Gateway])
                .either(&[400], [sight("POST", "{p}/a").body("abc")]),
            case("bare_lf_before_a_length", post("X-A: b\nContent-Length: 3\r\n", "abc"))
                .either(&[400], [sight("POST", "{p}/a").body("abc")]),
            line("two_spaces_behind_the_method", "GET  {p}/a HTTP/1.1"),
            line("two_spaces_behind_the_target", "GET {p}/a  HTTP/1.1"),
            line("tab_behind_the_method", "GET\t{p}/a HTTP/1.1"),
            line("space_in_the_target", "GET {p}/a b HTTP/1.1"),
            line("null_in_the_target", "GET {p}/a\x00b HTTP/1.1"),
            line("control_in_the_target", "GET {p}/a\x01b HTTP/1.1"),
            line("bare_cr_in_the_target", "GET {p}/a\rb HTTP/1.1"),
            line("no_version", "GET {p}/a"),
            line("no_target", "GET HTTP/1.1"),
            line("version_in_small_letters", "GET {p}/a http/1.1"),
            line("version_0_9", "GET {p}/a HTTP/0.9"),
            line("version_2_0", "GET {p}/a HTTP/2.0"),
            line("version_3", "GET {p}/a HTTP/3"),
            line("version_without_a_dot", "GET {p}/a HTTP/11"),
            line("version_with_more_digits", "GET {p}/a HTTP/1.10"),
            line("method_that_is_no_token", "GE(T {p}/a HTTP/1.1"),
            line("method_with_a_null", "GE\x00T {p}/a HTTP/1.1"),
            line("method_with_a_colon", "GET: {p}/a HTTP/1.1"),
            line("space_before_the_method", " GET {p}/a HTTP/1.1"),
            line("nothing", ""),
            line("something_before_the_version", "GET {p}/a FOO/1.1"),
            line("tls", "\x16\x03\x01\x02\x00\x01"),
            case("empty_line_before_the_request", "\r\nGET {p}/a HTTP/1.1\r\nHost: a.example\r\n{k}\r\n")
                .passed([sight("GET", "{p}/a")]),
            case("version_1_2", "GET {p}/a HTTP/1.2\r\nHost: a.example\r\n{k}\r\n")
                .either(&[400, 505], [sight("GET", "{p}/a")]),
            case("unknown_method", "BREW {p}/a HTTP/1.1\r\nHost: a.example\r\n{k}\r\n")
                .either(&[405, 501], [sight("BREW", "{p}/a")]),
            case("method_in_small_letters", "get {p}/a HTTP/1.1\r\nHost: a.example\r\n{k}\r\n")
                .either(&[400, 405, 501], [sight("get", "{p}/a")]),
        ],
    );
}

#[test]
fn chunks_are_read_strictly() {
    let coding = "Transfer-Encoding: chunked\r\n";
    let broken = |name: &str, body: &str| case(name, post(coding, body)).broken(&[400]);
    let passed = |name: &str, body: &str| case(name, post(coding, body)).passed([sight("POST", "{p}/a").body("abc")]);
    run(
        "chunks",
        // The edge reads none of a body that it does not send on.
        READS,
        TIMES,
        vec![
            passed("plain", "3\r\nabc\r\n0\r\n\r\n"),
            passed("one_byte_each", "1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n"),
            passed("with_an_extension", "3;a=b\r\nabc\r\n0\r\n\r\n"),
            passed("with_an_extension_without_a_value", "3;a\r\nabc\r\n0\r\n\r\n"),
            passed("with_a_quoted_extension", "3;a=\"b;c\"\r\nabc\r\n0\r\n\r\n"),
            passed("with_an_extension_of_the_last", "3\r\nabc\r\n0;a=b\r\n\r\n"),
            passed("with_a_zero_before_the_size", "03\r\nabc\r\n00\r\n\r\n"),
            case("with_a_space_behind_the_size", post(coding, "3 \r\nabc\r\n0\r\n\r\n"))
                .either(&[400], [sight("POST", "{p}/a").body("abc")]),
            broken("with_a_plus", "+3\r\nabc\r\n0\r\n\r\n"),
            broken("with_a_minus", "-3\r\nabc\r\n0\r\n\r\n"),
            broken("with_0x", "0x3\r\nabc\r\n0\r\n\r\n"),
            broken("no_digit", "g\r\nabc\r\n0\r\n\r\n"),
            broken("no_size", "\r\nabc\r\n0\r\n\r\n"),
            broken("an_extension_without_a_size", ";a=b\r\nabc\r\n0\r\n\r\n"),
            broken("a_space_before_the_size", " 3\r\nabc\r\n0\r\n\r\n"),
            broken("an_underscore", "0_3\r\nabc\r\n0\r\n\r\n"),
            broken("past_64_bits", "10000000000000003\r\nabc\r\n0\r\n\r\n"),
            broken("all_ones", "ffffffffffffffff\r\nabc\r\n0\r\n\r\n").finish(),
            broken("longer_than_it_says", "3\r\nabcd\r\n0\r\n\r\n"),
            broken("shorter_than_it_says", "5\r\nabc\r\n0\r\n\r\n\r\n"),
            broken("no_break_behind_it", "3\r\nabc0\r\n\r\n"),
            broken("bare_lf_behind_it", "3\r\nabc\n0\r\n\r\n"),
            broken("bare_lf_behind_the_size", "3\nabc\r\n0\r\n\r\n"),
            broken("bare_cr_behind_the_size", "3\rabc\r\n0\r\n\r\n"),
            broken("bare_lf_in_an_extension", "3;a\nb\r\nabc\r\n0\r\n\r\n"),
            broken("null_behind_the_size", "3\x00\r\nabc\r\n0\r\n\r\n"),
            broken("cut_off", "3\r\nab").finish(),
            broken("without_the_last", "3\r\nabc\r\n").finish(),
            broken("without_the_end", "3\r\nabc\r\n0\r\n").finish(),
            broken("trailer_without_a_colon", "3\r\nabc\r\n0\r\nX-A\r\n\r\n"),
            broken("trailer_with_a_space", "3\r\nabc\r\n0\r\nX A: b\r\n\r\n"),
            broken("extensions_without_end", &format!("3;{}\r\nabc\r\n0\r\n\r\n", "a".repeat(100_000))),
        ],
    );
}

#[test]
fn a_body_goes_with_any_method() {
    let with = |method: &'static str, name: &str, lines: &str, body: &str| {
        case(
            format!("{method}_{name}"),
            format!("{method} {{p}}/a HTTP/1.1\r\nHost: a.example\r\n{{k}}{lines}\r\n{body}"),
        )
        .methods(&[method])
        .passed([sight(method, "{p}/a").body("abc")])
    };
    let mut cases: Vec<Case> = Vec::new();
    for method in ["GET", "HEAD", "DELETE", "OPTIONS", "POST", "PUT", "PATCH", "PROPFIND"] {
        cases.push(with(method, "with_a_length", "Content-Length: 3\r\n", "abc"));
        cases.push(with(method, "with_chunks", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"));
    }
    // What has a body by its meaning says so when it is empty (RFC 9110, 8.6); what has none does not.
    for method in ["POST", "PUT", "PATCH"] {
        for (name, lines) in [("without_a_length", ""), ("of_length_0", "Content-Length: 0\r\n")] {
            let sent = format!("{method} {{p}}/a HTTP/1.1\r\nHost: a.example\r\n{{k}}{lines}\r\n");
            cases.push(
                case(format!("{method}_{name}"), sent).passed([sight(method, "{p}/a").with("content-length", "0")]),
            );
        }
    }
    for method in ["GET", "HEAD", "DELETE"] {
        let sent = format!("{method} {{p}}/a HTTP/1.1\r\nHost: a.example\r\n{{k}}\r\n");
        let bare = sight(method, "{p}/a").without("transfer-encoding").check(|asked, _| {
            match asked.fields.get("content-length") {
                None | Some("0") => Ok(()),
                Some(length) => Err(format!("length {length} of no body")),
            }
        });
        cases.push(case(format!("{method}_without_a_body"), sent).methods(&[method]).passed([bare]));
    }
    let empty_chunks = "GET {p}/a HTTP/1.1\r\nHost: a.example\r\n{k}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    cases.push(case("GET_with_no_chunk", empty_chunks).passed([sight("GET", "{p}/a")]));
    let large = "z".repeat(300_000);
    cases.push(
        case("POST_of_300_kB", post("Content-Length: 300000\r\n", &large))
            .passed([sight("POST", "{p}/a").body(&large)]),
    );
    let chunk = format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
    cases.push(
        case("POST_of_300_kB_in_a_chunk", post("Transfer-Encoding: chunked\r\n", &chunk))
            .passed([sight("POST", "{p}/a").body(&large)]),
    );
    run("bodies", ALL, TIMES, cases);
}

#[test]
fn what_stands_behind_a_request_is_the_next_one_and_what_is_in_it_is_none() {
    let hidden = "GET {p}/smuggled HTTP/1.1\r\nHost: a.example\r\n{k}\r\n";
    let get = |path: &str| format!("GET {{p}}/{path} HTTP/1.1\r\nHost: a.example\r\n{{k}}\r\n");
    run("pipelines", ALL, TIMES, vec![
        case("three_in_one_segment", get("1") + &get("2") + &get("3"))
            .methods(&["GET", "GET", "GET"])
            .passed([sight("GET", "{p}/1"), sight("GET", "{p}/2"), sight("GET", "{p}/3")]),
        case("length_then_chunks_then_none", post("Content-Length: 3\r\n", "abc") + &post("Transfer-Encoding: chunked\r\n", CHUNKS) + &get("3"))
            .methods(&["POST", "POST", "GET"])
            .passed([sight("POST", "{p}/a").body("abc"), sight("POST", "{p}/a").body("secret"), sight("GET", "{p}/3")]),
        case("a_request_in_a_body", post("Content-Length: {n}\r\n", hidden))
            .passed([sight("POST", "{p}/a").any_body().check(|asked, which| holds_request(&asked.body, which))]),
        case("a_request_in_a_body_of_get", get("a").replacen("{k}", "{k}Content-Length: {n}\r\n", 1) + hidden)
            .passed([sight("GET", "{p}/a").any_body().check(|asked, which| holds_request(&asked.body, which))]),
        // Requests that are answered here, so that nobody reads their bodies.
        case("behind_a_body_that_nobody_reads", format!("POST {{p}}/a HTTP/1.1\r\nHost: a\r\nHost: b\r\n{{k}}Content-Length: {{n}}\r\n\r\n{hidden}"))
            .answered(&[400]),
        case("behind_chunks_that_nobody_reads", format!(
            "POST {{p}}/a HTTP/1.1\r\nHost: a\r\nHost: b\r\n{{k}}Transfer-Encoding: chunked\r\n\r\nfff\r\n{hidden}"))
            // Who reads the body before the head's meaning waits for the rest of it.
            .answered(&[400, 408]),
        case("behind_a_body_of_options_answered_here", format!(
            "OPTIONS {{p}}/a HTTP/1.1\r\nHost: a.example\r\n{{k}}Max-Forwards: 0\r\nContent-Length: {{n}}\r\n\r\n{hidden}"))
            .answered(&[200, 204, 400, 501]),
        case("behind_a_large_body_that_nobody_reads", format!(
            "POST {{p}}/a HTTP/1.1\r\nHost: a\r\nHost: b\r\n{{k}}Content-Length: {{n}}\r\n\r\n{}{hidden}", "x".repeat(200_000)))
            .answered(&[400]),
        case("behind_an_expectation", format!(
            "POST {{p}}/a HTTP/1.1\r\nHost: a.example\r\n{{k}}Expect: 100-continue\r\nContent-Length: {{n}}\r\n\r\n{hidden}"))
            .passed([sight("POST", "{p}/a").any_body().check(|asked, which| holds_request(&asked.body, which))]),
    ]);
    // Without a key, at the gateway alone.
    run(
        "pipelines_behind_a_401",
        &[Which::Gateway],
        TIMES,
        vec![
            case(
                "a_request_in_a_body",
                format!("POST /a HTTP/1.1\r\nHost: a.example\r\nContent-Length: {{n}}\r\n\r\n{hidden}"),
            )
            .answered(&[401]),
            case(
                "a_request_in_chunks",
                format!("POST /a HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n{hidden}"),
            )
            .answered(&[401]),
            case("no_body", "GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n").answered(&[401]),
        ],
    );
}

/// The body is the hidden request, whole. The edge's files get none.
fn holds_request(body: &[u8], which: Which) -> Result<(), String> {
    let hidden = which.fill(b"GET {p}/smuggled HTTP/1.1\r\nHost: a.example\r\n{k}\r\n");
    let without = which == Which::Files && body.is_empty();
    if body == hidden || without { Ok(()) } else { Err(format!("the body is {:?}", String::from_utf8_lossy(body))) }
}

#[test]
fn a_head_past_the_limits_is_refused_and_one_within_them_is_not() {
    let fields = |count: usize| (0..count).map(|each| format!("X-{each}: 1\r\n")).collect::<String>();
    let get = |lines: String| format!("GET {{p}}/a HTTP/1.1\r\nHost: a.example\r\n{{k}}{lines}\r\n");
    run(
        "large_heads",
        ALL,
        TIMES,
        vec![
            case("50_fields", get(fields(50))).passed([sight("GET", "{p}/a").with("x-49", "1")]),
            case("8_kB_in_a_field", get(format!("X-A: {}\r\n", "a".repeat(8_000)))).passed([sight("GET", "{p}/a")]),
            case("target_of_7_kB", format!("GET {{p}}/{} HTTP/1.1\r\nHost: a.example\r\n{{k}}\r\n", "a".repeat(7_000)))
                .passed([sight("GET", &format!("{{p}}/{}", "a".repeat(7_000)))]),
            case("120_fields", get(fields(120))).either(&[431], [sight("GET", "{p}/a").with("x-119", "1")]),
            case("5000_fields", get(fields(5_000))).answered(&[431]),
            case("1_MB_in_a_field", get(format!("X-A: {}\r\n", "a".repeat(1_000_000)))).answered(&[431]),
            case("1_MB_in_a_name", get(format!("{}: a\r\n", "a".repeat(1_000_000)))).answered(&[431]),
            case(
                "target_of_1_MB",
                format!("GET {{p}}/{} HTTP/1.1\r\nHost: a.example\r\n{{k}}\r\n", "a".repeat(1_000_000)),
            )
            .answered(&[414, 431]),
        ],
    );
}

#[test]
fn a_client_of_http_1_0_is_served_as_one() {
    let same = |reply: &crate::support::client::Reply, _: Which| match (reply.status, &*reply.interim) {
        (200, []) if reply.body == b"ok" => Ok(()),
        _ => Err(format!("{reply:?}")),
    };
    run(
        "http_1_0",
        ALL,
        TIMES,
        vec![
            case("without_host", "GET {p}/a HTTP/1.0\r\n{k}\r\n").old().passed([sight("GET", "{p}/a")]).reply(same),
            case("with_host", "GET {p}/a HTTP/1.0\r\nHost: a.example\r\n{k}\r\n")
                .old()
                .passed([sight("GET", "{p}/a")])
                .reply(same),
            case("with_keep_alive", "GET {p}/a HTTP/1.0\r\nHost: a.example\r\nConnection: keep-alive\r\n{k}\r\n")
                .old()
                .passed([sight("GET", "{p}/a").without("keep-alive")])
                .reply(same),
            case("with_a_body", "POST {p}/a HTTP/1.0\r\nHost: a.example\r\n{k}Content-Length: 3\r\n\r\nabc")
                .old()
                .passed([sight("POST", "{p}/a").body("abc")])
                .reply(same),
            // RFC 9110, 10.1.1: an expectation in a request of HTTP/1.0 is to be ignored.
            case(
                "with_an_expectation",
                "POST {p}/a HTTP/1.0\r\nHost: a.example\r\n{k}Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
            )
            .old()
            .passed([sight("POST", "{p}/a").body("abc")])
            .reply(same),
            case("with_two_hosts", "GET {p}/a HTTP/1.0\r\nHost: a\r\nHost: b\r\n{k}\r\n").old().answered(&[400]),
        ],
    );
}

#[test]
fn a_body_past_the_limit_is_refused() {
    // The upstream has got no whole request of it. Where the length is told, it need not have got anything.
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, "z".repeat(1 << 20));
    run(
        "too_large",
        READS,
        &["--max-body", "100k"],
        vec![
            case("length", post("Content-Length: 100000000\r\n", "abc")).broken(&[413]),
            case("length_and_an_expectation", post("Expect: 100-continue\r\nContent-Length: 100000000\r\n", ""))
                .broken(&[413]),
            case("chunks", post("Transfer-Encoding: chunked\r\n", &chunk.repeat(12))).broken(&[413]),
        ],
    );
}
