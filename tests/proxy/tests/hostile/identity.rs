//! Only the gateway states who the client is (RFC 7239): nobody else can, in any spelling, in a trailer or by a
//! quotation mark.

use crate::support::message::Fields;
use crate::support::proxy::{ALL, Which};
use crate::support::table::{case, run, run_by, sight};
use crate::support::upstream::Asked;

use super::fields::{a, ask, get, passed};

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
