//! A new configuration while requests run.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use http::{Method, StatusCode};
use processes::client::{Client, Raw, read};
use processes::upstream::{self, empty, full};
use processes::within;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::groups::named;
use crate::process::{ALICE, AsAlice as _, BOB, Gateway, fails_with, file};

/// Writes the configuration, and waits for what becomes of it.
async fn write(gateway: &mut Gateway, config: &str, text: impl AsRef<[u8]>) -> String {
    std::fs::write(config, text).expect("the configuration is written");
    gateway.line(&["reloaded"]).await
}

/// Says to read it now, and waits for what becomes of it.
async fn hang_up(gateway: &mut Gateway) -> String {
    gateway.signal("HUP").await;
    gateway.line(&["reloaded"]).await
}

#[tokio::test]
async fn the_command_line_goes_before_the_environment_and_that_before_the_file() {
    let (one, other) = (named("one").await, named("other").await);
    let text = format!("listen = '127.0.0.1:0'\nupstream = ['http://{one}']\nburst = 2\nrate = 1\n");
    let config = file("config.toml", text.as_bytes());
    let keys = file("keys", format!("alice {ALICE}\n").as_bytes());
    let flags = ["--config", &config, "--api-keys-file", &keys];
    let statuses = async |gateway: &Gateway| {
        let client = Client::new(gateway.address);
        let mut statuses = Vec::new();
        for _ in 0..3 {
            statuses.push(client.get_as_alice("/").await.status.as_u16());
        }
        (client.get_as_alice("/").await.text, statuses)
    };
    let by_file = Gateway::start_free(&flags, &[]).await;
    assert_eq!(statuses(&by_file).await.1, [200, 200, 429]);
    let by_environment = Gateway::start_free(&flags, &[("GATEWAY_BURST", "1")]).await;
    assert_eq!(statuses(&by_environment).await.1, [200, 429, 429]);
    let other = format!("http://{other}");
    let line = [&flags[..], &["--burst", "9", "--upstream", &other]].concat();
    let by_line = Gateway::start_free(&line, &[("GATEWAY_BURST", "1")]).await;
    assert_eq!(statuses(&by_line).await, ("other".to_owned(), vec![200; 3]));
}

#[tokio::test]
async fn what_is_wrong_in_a_file_is_one_line_with_the_file_and_the_key() {
    for (text, code, says) in [
        ("rate = 0", 2, "rate: invalid value '0'"),
        ("upstrem = 'http://a:1'", 2, "there is no key `upstrem`"),
        ("config = 'other.toml'", 2, "there is no key `config`"),
        ("upstream = 'https://a'", 2, "upstream: invalid value 'https://a'"),
        ("upstream = ['http://a:1', 7]", 2, "upstream: invalid value '7'"),
        ("timeout = 1.5", 2, "timeout: a text or a number is wanted"),
        ("timeout = 'soon'", 2, "500ms, 30s or 2m"),
        ("rate = [1, 2]", 2, "rate: "),
        ("\nrate = ", 2, "line 2: "),
        ("rate = 1\nrate = 2", 2, "line 2: duplicate key"),
        ("[rate]\nper-second = 1", 2, "rate: a text or a number is wanted"),
    ] {
        let config = file("config.toml", text.as_bytes());
        let (ended, stderr) = fails_with(&["--config", &config]).await;
        assert_eq!(ended, Some(code), "{text}: {stderr}");
        assert!(stderr.starts_with(&format!("gateway: {config}: ")) && stderr.contains(says), "{text}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{text}: {stderr}");
    }
    let (ended, stderr) = fails_with(&["--config", "/no/such/file"]).await;
    assert_eq!((ended, stderr.contains("--config /no/such/file: No such file")), (Some(2), true), "{stderr}");
}

#[tokio::test]
async fn a_changed_file_is_seen_and_an_invalid_one_changes_nothing() {
    let (one, other) = (named("one").await, named("other").await);
    let config = file("config.toml", format!("upstream = 'http://{one}'\n").as_bytes());
    let mut gateway = Gateway::start(&[], &["--config", &config]).await;
    let client = Client::new(gateway.address);
    assert_eq!(client.get_as_alice("/").await.text, "one");

    let line = write(&mut gateway, &config, format!("upstream = 'http://{other}'\n")).await;
    assert!(line.contains("--upstream") && line.contains("group /: 1 added, 1 removed"), "{line}");
    assert_eq!(client.get_as_alice("/").await.text, "other");

    for (wrong, says) in [
        ("upstream = 'ftp://x'", "upstream: invalid value 'ftp://x'"),
        ("upstream = 'http://127.0.0.1:1,http://127.0.0.1:1'", "http://127.0.0.1:1 is in the group / twice"),
        ("admin = 'off'", "--admin"),
        ("jwt-secret-file = '/no/such/file'\njwks-file = '/no/such/file'", "jwks-file"),
        ("upstream = 'http://nobody.invalid'", "nobody.invalid"),
        ("rate = 10", "no upstream is named any more"),
    ] {
        let line = write(&mut gateway, &config, wrong).await;
        assert!(line.contains(" WARN not reloaded, all stays as it is: ") && line.contains(says), "{wrong}: {line}");
        assert_eq!(client.get_as_alice("/").await.text, "other", "{wrong}");
    }
    let line = write(&mut gateway, &config, format!("upstream = 'http://{other}'\n")).await;
    assert!(line.contains("reloaded: nothing is another than before"), "{line}");
    std::fs::remove_file(&config).expect("the file is removed");
    let line = gateway.line(&["reloaded"]).await;
    assert!(line.contains("not reloaded") && line.contains("No such file"), "{line}");
    assert_eq!(client.get_as_alice("/").await.text, "other");
}

/// What a user has used up is kept unless the rate is another one; and the files that flags name are read anew.
#[tokio::test]
async fn rates_are_kept_where_the_figures_are_and_keys_are_read_anew() {
    let upstream = named("one").await;
    let keys = file("own-keys", format!("alice {ALICE}\n").as_bytes());
    let config = file("config.toml", b"rate = 1\nburst = 3\n");
    let target = format!("http://{upstream}");
    let flags = ["--config", &config, "--api-keys-file", &keys, "--upstream", &target];
    let mut gateway = Gateway::start_with(&flags).await;
    let client = Client::new(gateway.address);
    let ask = async |key: &str| client.get("/", &[("x-api-key", key)]).await.status.as_u16();
    assert_eq!([ask(ALICE).await, ask(ALICE).await, ask(ALICE).await], [200; 3]);
    assert_eq!((ask(ALICE).await, ask(BOB).await), (429, 401));

    std::fs::write(&keys, format!("alice {ALICE}\nbob {BOB}\n")).expect("the keys are written");
    hang_up(&mut gateway).await;
    assert_eq!((ask(ALICE).await, ask(BOB).await), (429, 200));

    let line = write(&mut gateway, &config, "rate = 1\nburst = 1000\n").await;
    assert!(line.contains(r#"--burst "3" -> "1000""#), "{line}");
    assert_eq!(ask(ALICE).await, 200);
}

#[tokio::test]
async fn names_come_and_go_by_the_file() {
    let (there, other) = (named("there").await, named("other").await);
    let config = file("config.toml", format!("upstream = 'http://{other}'").as_bytes());
    let mut gateway = Gateway::start(&[], &["--config", &config]).await;
    let client = Client::new(gateway.address);
    let by_name = format!("upstream = 'http://localhost:{}'", there.port());
    for (text, says) in [(by_name, "there"), (format!("upstream = 'http://{other}'"), "other")] {
        let line = write(&mut gateway, &config, text).await;
        assert!(line.contains("group /: "), "{line}");
        for _ in 0..10 {
            assert_eq!(client.get_as_alice("/").await.text, says);
        }
    }
}

/// An upstream that tells of each request, and answers when it is told to.
async fn slow() -> (SocketAddr, mpsc::UnboundedReceiver<()>, Arc<Semaphore>) {
    let (tell, told) = mpsc::unbounded_channel();
    let go = Arc::new(Semaphore::new(0));
    let waits = Arc::clone(&go);
    let address = upstream::start(move |_| {
        let (go, _) = (Arc::clone(&waits), tell.send(()));
        async move {
            let _ = go.acquire().await;
            Ok(http::Response::new(full("at last")))
        }
    })
    .await;
    (address, told, go)
}

/// The new server is there before the old one goes; what is in flight at the old one ends there. So it is at another address, and at the same one with other limits.
#[tokio::test]
async fn there_is_another_server_before_the_old_one_goes() {
    for (change, is_elsewhere) in [("listen = '127.0.0.2:0'", true), ("listen = '127.0.0.1:0'\ngrace = '50s'", false)] {
        let (upstream, mut told, go) = slow().await;
        let config = file("config.toml", b"listen = '127.0.0.1:0'\n");
        let keys = file("keys", format!("alice {ALICE}\n").as_bytes());
        let target = format!("http://{upstream}");
        let flags = ["--config", &config, "--api-keys-file", &keys, "--upstream", &target];
        let mut gateway = Gateway::start_free(&flags, &[("GATEWAY_MAX_TUNNELS", "7")]).await;
        let before = gateway.address;
        let client = Client::new(before);
        let asking = tokio::spawn(async move { client.get_as_alice("/").await });
        within("a request", told.recv()).await.expect("a request");

        let line = write(&mut gateway, &config, change).await;
        let at = line.rsplit("listening on http://").next().and_then(|at| at.trim().parse::<SocketAddr>().ok());
        let at = at.unwrap_or_else(|| panic!("no address in {line}"));
        gateway.said(&["the server before", "finishes what it has"]).await;
        assert_eq!(at != before, is_elsewhere);
        assert_eq!(tokio::net::TcpStream::connect(before).await.is_err(), is_elsewhere, "{change}");
        let client = Client::new(at);
        let other = tokio::spawn(async move { client.get_as_alice("/").await });
        within("a request", told.recv()).await.expect("a request");
        go.close();
        for asked in [asking, other] {
            let answer = within("a reply", asked).await.expect("the client lives");
            assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "at last"));
        }
        gateway.signal("TERM").await;
        assert!(gateway.ended().await.success());
        assert!(tokio::net::TcpStream::connect(at).await.is_err());
    }
}

/// Fifty times under load: members come and go, groups and rates as well, servers are replaced at the same address, and every third file is invalid.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_times_under_load_no_request_is_lost() {
    let upstreams = [named("a").await, named("b").await, named("c").await, named("d").await];
    let config = file(
        "config.toml",
        format!("rate = 1000000\nburst = 1000000\nupstream = 'http://{}'", upstreams[0]).as_bytes(),
    );
    let mut gateway = Gateway::start(&[], &["--config", &config]).await;
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut clients = JoinSet::new();
    for number in 0..4 {
        let new = if number % 2 == 0 { Client::new } else { Client::h2c };
        let (at, stop, done) = (gateway.address, Arc::clone(&stop), Arc::clone(&done));
        clients.spawn(async move {
            let client = new(at);
            let mut seen = BTreeSet::new();
            while !stop.load(Ordering::Relaxed) {
                let method = if done.load(Ordering::Relaxed) % 2 == 0 { Method::GET } else { Method::POST };
                let request = client.request(method, "/x", &[("x-api-key", ALICE)], empty());
                let answer = read(client.send(request).await.expect("a reply")).await;
                assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
                seen.insert(answer.text);
                done.fetch_add(1, Ordering::Relaxed);
            }
            seen
        });
    }
    for turn in 0..50 {
        let some: Vec<String> =
            (0..=turn % 3).map(|at| format!("'http://{}*{}'", upstreams[(turn + at) % 4], 1 + at)).collect();
        let group = if turn % 5 == 0 { format!(", '/x=http://{}'", upstreams[turn % 4]) } else { String::new() };
        let valid = format!("rate = {}\nburst = 1000000\nupstream = [{}{group}]\n", 100_000 + turn, some.join(", "));
        let (text, is_valid) = match turn % 3 {
            2 => (format!("{valid}\nupstreams_{} = 'http://a:1'", 100_000 + turn), false),
            _ => (valid, true),
        };
        std::fs::write(&config, text).expect("the configuration is written");
        // Both may tell of it, the signal and the look at the file. So this turn's line is waited for.
        gateway.signal("HUP").await;
        let line = gateway.line(&["reloaded", &format!("{}", 100_000 + turn)]).await;
        assert_eq!(line.contains("not reloaded"), !is_valid, "{line}");
        let wanted = done.load(Ordering::Relaxed) + 20;
        within("requests", async {
            while done.load(Ordering::Relaxed) < wanted {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
    }
    stop.store(true, Ordering::Relaxed);
    let seen: BTreeSet<String> = clients.join_all().await.into_iter().flatten().collect();
    assert_eq!(seen.len(), 4, "{seen:?}");
    println!("{} requests over 50 reloads", done.load(Ordering::Relaxed));
}

/// A server with another grace needs more descriptors of the listening sockets.
#[tokio::test]
async fn a_reload_for_which_there_are_no_descriptors_changes_nothing() {
    let upstream = named("one").await;
    let text = |grace: &str, burst: usize| {
        format!(
            "listen = '127.0.0.1:0'\nupstream = ['http://{upstream}']\ngrace = '{grace}'\nburst = {burst}\nrate = 1\n"
        )
    };
    let config = file("config.toml", text("5s", 1).as_bytes());
    let keys = file("keys", format!("alice {ALICE}\n").as_bytes());
    let flags = ["--config", &config, "--api-keys-file", &keys, "--workers", "8"];
    let mut gateway = Gateway::start_free(&flags, &[]).await;
    // Once a request is answered, it has all descriptors with which it starts.
    let client = Client::new(gateway.address);
    assert_eq!(client.get("/", &[]).await.status, StatusCode::UNAUTHORIZED);
    let id = gateway.id();
    let used: BTreeSet<u64> = std::fs::read_dir(format!("/proc/{id}/fd"))
        .expect("its descriptors")
        .map(|one| one.expect("one").file_name().to_str().expect("a number").parse().expect("a number"))
        .collect();
    // Enough to read the file again, and too few for eight sockets.
    let least = (0..).filter(|number| !used.contains(number)).nth(4).expect("a free one");
    let limit = async |most: u64| {
        let mut set = tokio::process::Command::new("prlimit");
        let set = set.args(["--pid", &id.to_string(), &format!("--nofile={most}:")]).status().await;
        assert!(set.expect("prlimit runs").success());
    };
    limit(least).await;
    let said = write(&mut gateway, &config, text("1s", 9)).await;
    assert!(said.contains("not reloaded, all stays as it is") && said.contains("Too many open files"), "{said}");
    limit(1_024).await;
    let statuses = [client.get_as_alice("/").await.status.as_u16(), client.get_as_alice("/").await.status.as_u16()];
    assert_eq!(statuses, [200, 429], "the burst is as before");
    gateway.signal("TERM").await;
    within("the end", gateway.ended()).await;
}

#[tokio::test]
async fn the_limit_of_connections_holds_while_the_server_before_has_requests() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let go = Arc::new(Semaphore::new(0));
    let goes = Arc::clone(&go);
    let upstream = upstream::start(move |_| {
        let (go, tell) = (Arc::clone(&goes), tell.clone());
        async move {
            let _ = tell.send(());
            let _ = go.acquire().await.expect("it is never closed");
            Ok(http::Response::new(full("hello")))
        }
    })
    .await;
    let text = |grace: &str| {
        format!("listen = '127.0.0.1:0'\nupstream = ['http://{upstream}']\ngrace = '{grace}'\nmax-connections = 2\n")
    };
    let config = file("config.toml", text("20s").as_bytes());
    let keys = file("keys", format!("alice {ALICE}\n").as_bytes());
    let mut gateway = Gateway::start_free(&["--config", &config, "--api-keys-file", &keys], &[]).await;
    let mut clients = Vec::new();
    for has_begun in [true, true, false] {
        if !has_begun {
            // From here on there is another server, at the same address.
            write(&mut gateway, &config, text("19s")).await;
        }
        let mut client = Raw::connect(gateway.address).await;
        client.send(format!("GET / HTTP/1.1\r\nhost: h\r\nx-api-key: {ALICE}\r\n\r\n")).await;
        if has_begun {
            within("the request", told.recv()).await.expect("a request");
        }
        clients.push(client);
    }
    let third = tokio::time::timeout(Duration::from_millis(300), told.recv()).await;
    assert!(third.is_err(), "a third connection is served beside two");
    go.add_permits(1);
    for client in &mut clients {
        let reply = client.read_to("hello").await;
        assert!(reply.starts_with("HTTP/1.1 200 "), "{reply}");
    }
}

/// Says yes to every upgrade, and keeps the connection until the other side closes it.
async fn switching() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let at = listener.local_addr().expect("its address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut seen, mut part) = (Vec::new(), [0; 1_024]);
                while !seen.ends_with(b"\r\n\r\n") {
                    match stream.read(&mut part).await {
                        Ok(read @ 1..) => seen.extend_from_slice(&part[..read]),
                        _ => return,
                    }
                }
                let says = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: what\r\n\r\n";
                let _ = stream.write_all(says).await;
                let _ = stream.read(&mut part).await;
            });
        }
    });
    at
}

#[tokio::test]
async fn the_limit_of_tunnels_holds_while_the_server_before_has_some() {
    let upstream = switching().await;
    let text = |grace: &str| {
        format!("listen = '127.0.0.1:0'\nupstream = ['http://{upstream}']\ngrace = '{grace}'\nmax-tunnels = 1\n")
    };
    let config = file("config.toml", text("20s").as_bytes());
    let keys = file("keys", format!("alice {ALICE}\n").as_bytes());
    let mut gateway = Gateway::start_free(&["--config", &config, "--api-keys-file", &keys], &[]).await;
    let address = gateway.address;
    let ask = || async move {
        let mut client = Raw::connect(address).await;
        let head = "GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: what\r\n";
        client.send(format!("{head}x-api-key: {ALICE}\r\n\r\n")).await;
        let head = client.read_to("\r\n\r\n").await;
        (client, head)
    };
    let (first, head) = ask().await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    write(&mut gateway, &config, text("19s")).await;
    let (_, head) = ask().await;
    assert!(head.starts_with("HTTP/1.1 503 "), "a second tunnel beside that of the server before: {head}");
    drop(first);
    within("a place", async {
        while !ask().await.1.starts_with("HTTP/1.1 101 ") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}
