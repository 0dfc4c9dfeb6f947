//! Fields that are removed, added and kept.

use http::{Method, Response};
use processes::client::{Answer, Client, Raw};
use processes::upstream::{self, empty, mirror};

use crate::process::{ALICE, AsAlice as _, Gateway};

fn has(answer: &Answer, line: &str) -> bool {
    answer.text.lines().any(|found| found == line)
}

fn has_field(answer: &Answer, name: &str) -> bool {
    answer.text.lines().any(|found| found.starts_with(&format!("{name}: ")))
}

#[tokio::test]
async fn what_is_meant_for_one_connection_goes_no_further() {
    let gateway = Gateway::start(&[mirror().await], &[]).await;
    let answer = Client::new(gateway.address)
        .get(
            "/",
            &[
                ("x-api-key", ALICE),
                ("connection", "close, X-Private"),
                ("connection", "x-secret ,, Connection, Keep-Alive"),
                ("x-private", "1"),
                ("x-secret", "2"),
                ("keep-alive", "timeout=5"),
                ("proxy-connection", "keep-alive"),
                ("proxy-authorization", "Basic x"),
                ("te", "gzip"),
                ("upgrade", "websocket"),
                ("x-public", "3"),
                ("expect", "100-continue"),
            ],
        )
        .await;
    for name in [
        "connection",
        "x-private",
        "x-secret",
        "keep-alive",
        "proxy-connection",
        "proxy-authorization",
        "te",
        "upgrade",
        "expect",
        "x-api-key",
    ] {
        assert!(!has_field(&answer, name), "{name} was passed on:\n{}", answer.text);
    }
    assert!(has(&answer, "x-public: 3"));
}

#[tokio::test]
async fn what_an_upstream_means_for_its_connection_goes_no_further() {
    let upstream = upstream::start(async |_| {
        let mut reply = Response::new(empty());
        for (name, value) in
            [("connection", "x-private"), ("x-private", "1"), ("keep-alive", "timeout=5"), ("x-public", "2")]
        {
            reply.headers_mut().append(name, value.parse().expect("a value"));
        }
        Ok(reply)
    })
    .await;
    let gateway = Gateway::start(&[upstream], &[]).await;
    for client in [Client::new(gateway.address), Client::h2c(gateway.address)] {
        let answer = client.get_as_alice("/").await;
        for name in ["connection", "x-private", "keep-alive"] {
            assert_eq!(answer.header(name), None, "{name} was passed on");
        }
        assert_eq!(answer.header("x-public"), Some("2"));
        assert_eq!(answer.header("via"), Some("1.1 chain-gateway"));
    }
}

#[tokio::test]
async fn the_upstream_learns_for_whom_the_request_is() {
    let upstream = mirror().await;
    let gateway = Gateway::start(&[upstream], &[]).await;
    let at = gateway.address;
    for (client, via) in [(Client::new(at), "1.1"), (Client::h2c(at), "2")] {
        let answer = client.get_as_alice("/").await;
        for line in [
            format!("host: {upstream}"),
            "x-forwarded-for: 127.0.0.1".to_owned(),
            format!("x-forwarded-host: {at}"),
            "x-forwarded-proto: http".to_owned(),
            "x-forwarded-user: alice".to_owned(),
            format!("forwarded: for=127.0.0.1;host=\"{at}\";proto=http"),
            format!("via: {via} chain-gateway"),
        ] {
            assert!(has(&answer, &line), "{line} is missing:\n{}", answer.text);
        }
    }
}

#[tokio::test]
async fn what_a_client_claims_is_not_believed() {
    let gateway = Gateway::start(&[mirror().await], &[]).await;
    let mut raw = Raw::connect(gateway.address).await;
    raw.send(format!(
        "GET / HTTP/1.1\r\nhost: h\r\nx-api-key: {ALICE}\r\nconnection: close\r\n\
         x-forwarded-for: 10.0.0.1\r\nx-forwarded-for: 10.0.0.2\r\nforwarded: for=10.0.0.3\r\n\
         x-forwarded-user: root\r\nx-forwarded-host: bank\r\nx-forwarded-proto: https\r\nvia: 1.0 before\r\n\r\n"
    ))
    .await;
    let text = raw.read_to_end().await;
    let has = |line: &str| text.lines().any(|found| found == line);
    assert!(has("x-forwarded-for: 10.0.0.1, 10.0.0.2, 127.0.0.1"), "{text}");
    assert!(has("forwarded: for=10.0.0.3, for=127.0.0.1;host=\"h\";proto=http"), "{text}");
    assert!(has("x-forwarded-user: alice") && !text.contains("root"), "{text}");
    assert!(has("x-forwarded-proto: http") && !text.contains("bank"), "{text}");
    assert!(has("via: 1.0 before") && has("via: 1.1 chain-gateway"), "{text}");
}

#[tokio::test]
async fn a_request_has_one_id_for_client_upstream_and_log() {
    let mut gateway = Gateway::start(&[mirror().await], &[]).await;
    let client = Client::new(gateway.address);
    let mut ids = Vec::new();
    for _ in 0..3 {
        let answer = client.get_as_alice("/").await;
        let id = answer.header("x-request-id").expect("an id").to_owned();
        assert!(has(&answer, &format!("x-request-id: {id}")));
        gateway.line(&[&format!("id=\"{id}\"")]).await;
        ids.push(id);
    }
    ids.dedup();
    assert_eq!(ids.len(), 3, "each request has its own: {ids:?}");

    let own = client.get("/", &[("x-api-key", ALICE), ("x-request-id", "my-own.id_1")]).await;
    assert_eq!(own.header("x-request-id"), Some("my-own.id_1"));
    let bad = client.get("/", &[("x-api-key", ALICE), ("x-request-id", "a\" outcome=\"done")]).await;
    assert!(!bad.header("x-request-id").expect("an id").contains('"'));
}

#[tokio::test]
async fn one_cookie_in_several_lines_is_one_line_again() {
    let gateway = Gateway::start(&[mirror().await], &[]).await;
    let fields = [("x-api-key", ALICE), ("cookie", "a=1"), ("cookie", "b=2")];
    let answer = Client::h2c(gateway.address).get("/", &fields).await;
    assert!(has(&answer, "cookie: a=1; b=2"), "{}", answer.text);
}

#[tokio::test]
async fn trailers_are_passed_on_to_who_can_read_them() {
    let upstream = upstream::start(async |request| {
        let te = request.headers().get("te").is_some_and(|te| te == "trailers");
        let (mut sender, body) = upstream::pieces();
        tokio::spawn(async move {
            let _ = sender.send_data("body".into()).await;
            let mut trailers = http::HeaderMap::new();
            trailers.insert("x-sum", "4".parse().expect("a value"));
            let _ = sender.send_trailers(trailers).await;
        });
        let mut reply = Response::new(body);
        reply.headers_mut().insert("trailer", "x-sum".parse().expect("a value"));
        reply.headers_mut().insert("x-te", te.to_string().parse().expect("a value"));
        Ok(reply)
    })
    .await;
    let gateway = Gateway::start(&[upstream], &[]).await;
    let client = Client::h2c(gateway.address);
    let request = client.request(Method::GET, "/", &[("x-api-key", ALICE), ("te", "trailers")], empty());
    let reply = client.send(request).await.expect("a reply");
    assert_eq!(reply.headers()["x-te"], "true");
    let body = http_body_util::BodyExt::collect(reply.into_body()).await.expect("a body");
    assert_eq!(body.trailers().expect("trailers")["x-sum"], "4");
}
