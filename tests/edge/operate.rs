//! What an operator sees and changes while requests run; panics, overload, clients that leave, the stop.

use http::StatusCode;
use processes::nginx::Nginx;
use processes::{running, within};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Edge;

#[tokio::test]
async fn sees_what_runs() {
    let stable = Nginx::start("stable").await;
    let edge = Edge::start(&[&stable], &[&stable], &[&stable], &[]).await;
    let shown = edge.operate("GET", "/").await;
    for part in ["deadline", "quota", "Route::Api", "toggles quota: on, faults: off, canary: on", "rate 1000000/s"] {
        assert!(shown.text.contains(part), "{part} is not in\n{}", shown.text);
    }
    let unknown = edge.operate("PUT", "/toggles/qouta/off").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert_eq!(unknown.text, "there is no toggle `qouta`; there are `quota`, `faults`, `canary`\n");
    assert_eq!(edge.operate("DELETE", "/toggles/quota").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn changes_limits_and_switches_them_off() {
    let stable = Nginx::start("stable").await;
    let edge = Edge::start(&[&stable], &[&stable], &[&stable], &[]).await;
    let client = edge.client();
    let status = async |id: &str| client.get("/api/v1/users", &[("x-client-id", id)]).await.status;

    assert_eq!(edge.operate("PUT", "/limits?rate=1&burst=2").await.status, StatusCode::OK);
    let ada = [status("ada").await, status("ada").await, status("ada").await, status("ada").await];
    assert_eq!(ada[..2], [StatusCode::OK; 2]);
    assert!(ada[2..].contains(&StatusCode::TOO_MANY_REQUESTS), "{ada:?}");
    assert_eq!(status("bob").await, StatusCode::OK);

    for wrong in ["rate=0", "rate=many", "speed=1", "rate"] {
        let answer = edge.operate("PUT", &format!("/limits?{wrong}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{wrong}");
    }
    assert_eq!(edge.operate("PUT", "/toggles/quota/off").await.text, "quota: off, faults: off, canary: on\n");
    for _ in 0..10 {
        assert_eq!(status("ada").await, StatusCode::OK);
    }
    edge.operate("PUT", "/toggles/quota/on").await;
    edge.operate("PUT", "/limits?max-body=3").await;
    let large = client.ask("POST", "/api/v1/users", &[("x-client-id", "eve")], "four").await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_panic_is_a_reply() {
    let stable = Nginx::start("stable").await;
    let mut edge = Edge::start(&[&stable], &[&stable], &[&stable], &[]).await;
    let client = edge.client();
    let asked = async || client.ask("GET", "/api/v1/users", &[("x-fault", "panic")], "").await.status;
    assert_eq!(asked().await, StatusCode::OK);
    edge.operate("PUT", "/toggles/faults/on").await;
    assert_eq!(asked().await, StatusCode::INTERNAL_SERVER_ERROR);
    edge.line(&["request", "status=500", "by=\"edge\" ended=\"CatchPanic\""]).await;
    edge.operate("PUT", "/toggles/faults/off").await;
    assert_eq!(asked().await, StatusCode::OK);
}

#[tokio::test]
async fn what_is_too_much_is_shed() {
    let stable = Nginx::start("stable").await;
    let mut edge = Edge::start(&[&stable], &[&stable], &[&stable], &["--concurrency", "1", "--deadline", "60s"]).await;
    edge.operate("PUT", "/toggles/faults/on").await;
    let client = edge.client();
    let mut hanging = hang(&edge).await;
    is_shown(&edge, "room for 0 of 1\n").await;
    assert_eq!(client.get("/api/v1/users", &[]).await.status, StatusCode::SERVICE_UNAVAILABLE);
    // Who leaves makes room, and the log has a line of it.
    hanging.shutdown().await.expect("the client leaves");
    drop(hanging);
    edge.line(&["path=\"/api/v1/hang\"", "outcome=\"cancelled\""]).await;
    is_shown(&edge, "room for 1 of 1\n").await;
    assert_eq!(client.get("/api/v1/users", &[]).await.status, StatusCode::OK);
}

/// Waits until the admin address shows this.
async fn is_shown(edge: &Edge, part: &str) {
    within(part, async { while !edge.operate("GET", "/").await.text.contains(part) {} }).await;
}

/// Sends a request that is not answered while the client waits.
async fn hang(edge: &Edge) -> TcpStream {
    let mut stream = TcpStream::connect(edge.address).await.expect("a connection");
    let request = "GET /api/v1/hang HTTP/1.1\r\nhost: x\r\nx-fault: hang\r\n\r\n";
    stream.write_all(request.as_bytes()).await.expect("it is sent");
    stream
}

#[tokio::test]
async fn requests_in_flight_finish_before_the_end() {
    let stable = Nginx::start("stable").await;
    let flags = ["--deadline", "60s", "--attempt", "60s", "--grace", "60s"];
    let mut edge = Edge::start(&[&stable], &[&stable], &[&stable], &flags).await;
    let mut stream = TcpStream::connect(edge.address).await.expect("a connection");
    stream.write_all(b"GET /api/v1/drip HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("it is sent");
    is_shown(&edge, "room for 1023 of 1024\n").await;
    edge.signal("TERM").await;
    edge.line(&["stopping"]).await;
    let mut reply = String::new();
    within("the whole reply", stream.read_to_string(&mut reply)).await.expect("the whole reply");
    assert!(reply.starts_with("HTTP/1.1 200 OK"), "{reply}");
    assert_eq!(reply.matches("0123456\n").count(), 1024);
    assert!(edge.ended().await.success());
    assert!(TcpStream::connect(edge.address).await.is_err());
}

#[tokio::test]
async fn flags_that_cannot_be() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().expect("its address").to_string();
    for (flags, words, code) in [
        (vec!["--stable", "https://x"], "http://host:port is wanted", 2),
        (vec!["--rate", "0"], "--rate", 2),
        (vec!["--deadline", "soon"], "--deadline", 2),
        (vec!["--listen", taken.as_str()], "--listen: cannot listen on", 2),
    ] {
        let ended = within("an end", running::command("edge", &flags).output()).await.expect("the edge runs");
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(said.contains(words), "{flags:?}: {said}");
        assert_eq!(ended.status.code(), Some(code), "{flags:?}: {said}");
    }
}
