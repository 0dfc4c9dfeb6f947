//! Trailers, both ways and over both versions (RFC 9110, 6.5; RFC 9112, 7.1.2; RFC 9113, 8.1).

use crate::support::client::{Client, Reply};
use crate::support::h2::{H2, head};
use crate::support::message::Fields;
use crate::support::proxy::{ALL, Which};
use crate::support::table::run_by;
use crate::support::upstream::{Asked, Then, ok};

/// The edge reads bodies whole, and gives no trailers on.
const STREAM: &[Which] = &[Which::Gateway, Which::Forward];

#[derive(Clone, Copy, Debug)]
enum By {
    H1,
    H2,
}

#[test]
fn trailers_of_a_request_that_are_announced_arrive() {
    let rows = [By::H1, By::H2].map(|by| (format!("{by:?}"), by)).into();
    run_by("request_trailers", STREAM, &[], rows, |bench, by: &By| {
        let asked = upload(bench, *by, "x-sum", &[("x-sum", "7")])?;
        match asked.trailers.get("x-sum") {
            Some("7") if asked.body == b"abc" => Ok(()),
            _ => Err(format!("{asked:?}")),
        }
    });
}

fn upload(
    bench: &crate::support::bench::Bench,
    by: By,
    announced: &str,
    trailers: &[(&str, &str)],
) -> Result<Asked, String> {
    bench.begin(|_, _| Then::Send(ok("ok")));
    let which = bench.proxy.which;
    let status = match by {
        By::H1 => {
            let mut client = Client::connect(bench.proxy.at);
            let lines: String = trailers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            client.send(which.fill(format!(
                "POST {{p}}/a HTTP/1.1\r\nHost: a.example\r\n{{k}}Trailer: {announced}\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n{lines}\r\n").as_bytes()));
            client.reply("POST").map_err(|lack| format!("{lack:?}"))?.status
        }
        By::H2 => {
            let mut client = H2::connect(bench.proxy.at);
            let id = client.ask(&head(which, "POST", "{p}/a", &[("trailer", announced)]), Some(b"abc"), Some(trailers));
            client.reply(id, "POST").map_err(|end| format!("{end:?}"))?.status
        }
    };
    bench.sentinel()?;
    let asked = bench.asked()?.into_iter().next();
    match asked {
        Some(asked) if status == 200 => Ok(asked),
        other => Err(format!("{status}, {other:?}")),
    }
}

#[test]
fn fields_that_decide_something_do_not_arrive_as_trailers() {
    let names = [
        "content-length",
        "transfer-encoding",
        "host",
        "te",
        "trailer",
        "connection",
        "via",
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-forwarded-user",
        "x_forwarded_user",
        "x_forwarded_for",
        "authorization",
        "x-api-key",
        "cookie",
        "max-forwards",
        "expect",
        "content-type",
        "content-encoding",
        "content-range",
        "x-request-id",
        "proxy-authorization",
        "upgrade",
        "keep-alive",
    ];
    let mut rows = Vec::new();
    for name in names {
        for by in [By::H1, By::H2] {
            rows.push((format!("{name}_by_{by:?}"), (name, by)));
        }
    }
    run_by("forbidden_trailers", ALL, &[], rows, |bench, (name, by): &(&str, By)| {
        // What is forbidden there may be refused as well.
        let asked = match upload(bench, *by, name, &[(name, "6")]) {
            Ok(asked) => asked,
            Err(why) if why.starts_with("400") || why.starts_with("Reset") => return bench.sentinel(),
            Err(why) => return Err(why),
        };
        let same = |each: &str| each.replace('_', "-").eq_ignore_ascii_case(&name.replace('_', "-"));
        match asked.trailers.0.iter().find(|(each, _)| same(each)) {
            None => Ok(()),
            // What only names a user or a peer is nothing to a proxy that states neither.
            Some(_) if bench.proxy.which != Which::Gateway && name.replace('_', "-").starts_with("x-") => Ok(()),
            Some(field) => Err(format!("the upstream got {field:?} behind the body")),
        }
    });
}

fn download(bench: &crate::support::bench::Bench, by: By, te: bool, trailers: &str) -> Result<Reply, String> {
    let reply = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n2\r\nok\r\n0\r\n{trailers}\r\n"
    );
    bench.begin(move |_, _| Then::Send(reply.clone().into_bytes()));
    let which = bench.proxy.which;
    match by {
        By::H1 => {
            let mut client = Client::connect(bench.proxy.at);
            let te = if te { "TE: trailers\r\nConnection: te\r\n" } else { "" };
            client.send(which.fill(format!("GET {{p}}/a HTTP/1.1\r\nHost: a.example\r\n{{k}}{te}\r\n").as_bytes()));
            let reply = client.reply("GET").map_err(|lack| format!("{lack:?}"))?;
            bench.tail(&mut client)?;
            Ok(reply)
        }
        By::H2 => {
            let mut client = H2::connect(bench.proxy.at);
            let te: &[(&str, &str)] = if te { &[("te", "trailers")] } else { &[] };
            let id = client.ask(&head(which, "GET", "{p}/a", te), None, None);
            client.reply(id, "GET").map_err(|end| format!("{end:?}"))
        }
    }
}

#[test]
fn trailers_of_a_reply_arrive_where_the_client_can_read_them() {
    let rows = [("by_h1", (By::H1, true)), ("by_h2", (By::H2, true))].map(|(name, row)| (name.to_owned(), row)).into();
    run_by("reply_trailers", STREAM, &[], rows, |bench, (by, te): &(By, bool)| {
        let reply = download(bench, *by, *te, "X-Sum: 7\r\n")?;
        match reply.trailers.get("x-sum") {
            Some("7") if reply.body == b"ok" => bench.sentinel(),
            _ => Err(format!("{reply:?}")),
        }
    });
    // Where it did not say so, they are given or left out, and the reply is whole.
    let rows =
        [("by_h1", (By::H1, false)), ("by_h2", (By::H2, false))].map(|(name, row)| (name.to_owned(), row)).into();
    run_by("reply_trailers_unasked", ALL, &[], rows, |bench, (by, te): &(By, bool)| {
        let reply = download(bench, *by, *te, "X-Sum: 7\r\n")?;
        if reply.body == b"ok" && reply.status == 200 { bench.sentinel() } else { Err(format!("{reply:?}")) }
    });
}

#[test]
fn a_reply_with_trailers_keeps_what_frames_it_out_of_them() {
    let mut rows = Vec::new();
    for name in
        ["Content-Length", "Transfer-Encoding", "Connection", "Set-Cookie", "Trailer", "Content-Type", "Upgrade"]
    {
        for by in [By::H1, By::H2] {
            rows.push((format!("{name}_by_{by:?}"), (name, by)));
        }
    }
    run_by("forbidden_reply_trailers", STREAM, &[], rows, |bench, (name, by): &(&str, By)| {
        let reply = match download(bench, *by, true, &format!("{name}: 6\r\nX-Sum: 7\r\n")) {
            Ok(reply) => reply,
            // A reply that is refused for them is right as well, whether before its head or behind it.
            Err(why) if why.starts_with("Reset") || why.starts_with("Closed") => return bench.sentinel(),
            Err(why) => return Err(why),
        };
        let framing: fn(&Fields, &str) -> bool = |fields, name| fields.has(&name.to_ascii_lowercase());
        if framing(&reply.trailers, name) { Err(format!("{:?}", reply.trailers)) } else { bench.sentinel() }
    });
}
