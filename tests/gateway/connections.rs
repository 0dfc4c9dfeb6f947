//! Misbehaving connections of clients, none of which stops the gateway.

use http::StatusCode;
use processes::client::{Client, Raw};
use processes::upstream::mirror;

use crate::process::{ALICE, AsAlice as _, Gateway};

#[tokio::test]
async fn a_connection_serves_one_request_after_another() {
    let gateway = Gateway::start(&[mirror().await], &[]).await;
    let mut raw = Raw::connect(gateway.address).await;
    for at in 0..3 {
        raw.send(format!("GET /{at} HTTP/1.1\r\nhost: h\r\nx-api-key: {ALICE}\r\n\r\n")).await;
        let head = raw.read_to("\r\n\r\n").await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
        assert!(raw.read_to("via: 1.1 chain-gateway\n").await.starts_with(&format!("GET /{at}\n")), "{length} bytes");
    }
}

#[tokio::test]
async fn requests_that_do_not_wait_for_replies_get_them_in_order() {
    let gateway = Gateway::start(&[mirror().await], &[]).await;
    let mut raw = Raw::connect(gateway.address).await;
    let ask = |at, more| format!("GET /{at} HTTP/1.1\r\nhost: h\r\nx-api-key: {ALICE}\r\n{more}\r\n");
    raw.send(ask(1, "") + &ask(2, "") + &ask(3, "connection: close\r\n")).await;
    let text = raw.read_to_end().await;
    let places = ["GET /1\n", "GET /2\n", "GET /3\n"].map(|line| text.find(line).expect("a reply"));
    assert!(places.is_sorted(), "{text}");
}

#[tokio::test]
async fn bad_requests_get_their_answer_and_the_next_client_is_served() {
    let mut gateway = Gateway::start(&[mirror().await], &[]).await;
    let large = format!("GET / HTTP/1.1\r\nhost: h\r\nx-large: {}\r\n\r\n", "x".repeat(1 << 20));
    let many = format!("GET / HTTP/1.1\r\nhost: h\r\n{}\r\n", "x-many: 1\r\n".repeat(1_000));
    let long = format!("GET /{} HTTP/1.1\r\nhost: h\r\n\r\n", "x".repeat((1 << 16) + 1_000));
    let longer = format!("GET /{} HTTP/1.1\r\nhost: h\r\n\r\n", "x".repeat(1 << 17));
    for (wrong, sent, status) in [
        ("no HTTP", "hello?\r\n\r\n", " 400 "),
        ("nothing but line ends", "\r\n\r\n\r\n \r\n\r\n", " 400 "),
        ("a wrong version", "GET / HTTP/9.9\r\nhost: h\r\n\r\n", " 400 "),
        ("a wrong field", "GET / HTTP/1.1\r\nhost h\r\n\r\n", " 400 "),
        ("a wrong length", "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: -1\r\n\r\n", " 400 "),
        ("two lengths", "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", " 400 "),
        ("a zero byte", "GET /\0 HTTP/1.1\r\nhost: h\r\n\r\n", " 400 "),
        ("a large head", &large, " 431 "),
        ("a head of many fields", &many, " 431 "),
        ("a long target", &long, " 414 "),
        ("a target that no buffer holds", &longer, " 431 "),
        ("half of HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", ""),
        ("HTTP/2's preface and no HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nhello, is anybody there?", ""),
    ] {
        let mut raw = Raw::connect(gateway.address).await;
        raw.send(sent).await;
        let answer = raw.read_to("\r\n").await;
        assert!(answer.contains(status), "{wrong}: {answer:?}");
        drop(raw);
        assert_eq!(Client::new(gateway.address).get_as_alice("/next").await.status, StatusCode::OK, "after {wrong}");
        gateway.line(&["path=\"/next\"", "status=200"]).await;
    }
}

#[tokio::test]
async fn a_chunk_that_is_none_is_a_400() {
    let gateway = Gateway::start(&[mirror().await], &[]).await;
    let mut raw = Raw::connect(gateway.address).await;
    raw.send(format!(
        "POST / HTTP/1.1\r\nhost: h\r\nx-api-key: {ALICE}\r\ntransfer-encoding: chunked\r\n\r\nno chunk\r\n\r\n"
    ))
    .await;
    // The upstream may have answered before the body was found to be bad, or the connection may have been closed at once.
    let answer = raw.read_to_end().await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 400 ") || answer.starts_with("HTTP/1.1 200 "),
        "{answer}"
    );
    assert_eq!(Client::new(gateway.address).get_as_alice("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_head_that_does_not_come_ends_the_connection() {
    let gateway = Gateway::start(&[mirror().await], &["--head-timeout", "200ms"]).await;
    for begun in
        ["", "G", "GET / HT", "GET / HTTP/1.1\r\nhost: h\r\n", "PRI * HTTP/2.0\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
    {
        let mut raw = Raw::connect(gateway.address).await;
        raw.send(begun).await;
        // Whatever comes, it comes to an end.
        raw.read_to_end().await;
    }
    assert_eq!(Client::new(gateway.address).get_as_alice("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_idle_connection_ends() {
    let gateway = Gateway::start(&[mirror().await], &["--head-timeout", "200ms"]).await;
    let mut raw = Raw::connect(gateway.address).await;
    raw.send(format!("GET / HTTP/1.1\r\nhost: h\r\nx-api-key: {ALICE}\r\n\r\n")).await;
    assert!(raw.read_to_end().await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn the_requests_of_an_h2c_connection_overlap() {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let go = std::sync::Arc::new(tokio::sync::Notify::new());
    let upstream = processes::upstream::start({
        let go = std::sync::Arc::clone(&go);
        move |request| {
            let go = std::sync::Arc::clone(&go);
            let tell = tell.clone();
            async move {
                let wait = go.notified();
                let _ = tell.send(());
                wait.await;
                Ok(http::Response::new(processes::upstream::full(request.uri().path().to_owned())))
            }
        }
    })
    .await;
    let gateway = Gateway::start(&[upstream], &[]).await;
    let client = Client::h2c(gateway.address);
    let asking: Vec<_> = (0..50)
        .map(|at| {
            let client = client.clone();
            tokio::spawn(async move { (client.get_as_alice(&format!("/{at}")).await.text, at) })
        })
        .collect();
    // None is answered before all have arrived.
    for _ in 0..50 {
        processes::within("a request", told.recv()).await.expect("a request");
    }
    while !asking.iter().all(tokio::task::JoinHandle::is_finished) {
        go.notify_waiters();
        tokio::task::yield_now().await;
    }
    for asking in asking {
        let (text, at) = asking.await.expect("an answer");
        assert_eq!(text, format!("/{at}"));
    }
}

/// So many requests at once leave so many connections to the upstream, which are kept.
const KEPT: usize = 24;

#[tokio::test]
async fn connections_without_a_request_are_given_up_for_clients_first_those_to_upstreams() {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let go = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    let upstream = processes::upstream::start({
        let go = std::sync::Arc::clone(&go);
        move |request: http::Request<_>| {
            let (go, tell, path) = (std::sync::Arc::clone(&go), tell.clone(), request.uri().path().to_owned());
            async move {
                let _ = tell.send(());
                let _ = go.acquire().await.expect("it is never closed");
                Ok(http::Response::new(processes::upstream::full(path)))
            }
        }
    })
    .await;
    let gateway = Gateway::start(&[upstream], &["--workers", "1", "--rate", "1000", "--burst", "1000"]).await;
    let asked = |at: usize| format!("GET /client-{at} HTTP/1.1\r\nhost: h\r\nx-api-key: {ALICE}\r\n\r\n");
    let mut clients = Vec::new();
    for at in 0..KEPT {
        let mut client = Raw::connect(gateway.address).await;
        client.send(asked(at)).await;
        processes::within("the request", told.recv()).await.expect("a request");
        clients.push(client);
    }
    go.add_permits(1);
    for (at, client) in clients.iter_mut().enumerate() {
        client.read_to(&format!("/client-{at}")).await;
    }
    let id = gateway.id();
    let open = || {
        let all = std::fs::read_dir(format!("/proc/{id}/fd")).expect("its descriptors");
        let number = |name: std::ffi::OsString| name.to_str().and_then(|name| name.parse::<usize>().ok());
        all.map(|one| number(one.expect("one").file_name()).expect("a number")).collect::<Vec<_>>()
    };
    let before = open().len();
    drop(clients);
    // The clients' are closed, those to the upstream are kept.
    processes::within("the end of the clients' connections", async {
        while open().len() > before - KEPT {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
    // As many clients as before have a descriptor each, and then there are no more.
    let most = open().into_iter().max().expect("some") + 1;
    let mut set = tokio::process::Command::new("prlimit");
    let set = set.args(["--pid", &id.to_string(), &format!("--nofile={most}:")]).status().await;
    assert!(set.expect("prlimit runs").success());
    let mut clients = Vec::new();
    for at in 0..KEPT + KEPT / 4 {
        let mut client = Raw::connect(gateway.address).await;
        client.send(asked(at)).await;
        client.read_to(&format!("/client-{at}")).await;
        clients.push(client);
    }
    for (at, client) in clients.iter_mut().enumerate() {
        client.send(asked(at + 100)).await;
        assert!(
            client.read_to(&format!("/client-{}", at + 100)).await.starts_with("HTTP/1.1 200 "),
            "client {at} had to go"
        );
    }
}
