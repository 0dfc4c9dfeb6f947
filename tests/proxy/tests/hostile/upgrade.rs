//! `Upgrade`: WebSocket by a real client through a real server, and what goes wrong around it (RFC 9110, 7.8; RFC 6455).

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;

use crate::support::bench::Bench;
use crate::support::client::Client;
use crate::support::proxy::{Proxy, Which, chosen};
use crate::support::table::run_by;
use crate::support::upstream::{Then, ok};
use crate::support::wire::{Lack, PATIENCE, Wire};

/// Those that tunnel. The edge reads all bodies whole.
const TUNNEL: &[Which] = &[Which::Gateway, Which::Forward];

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// An upstream that echoes messages.
fn echo() -> SocketAddr {
    let (tell, at) = std::sync::mpsc::channel();
    thread::spawn(move || {
        runtime().block_on(async move {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            let _ = tell.send(listener.local_addr().expect("an address"));
            let local = tokio::task::LocalSet::new();
            local
                .run_until(async {
                    while let Ok((stream, _)) = listener.accept().await {
                        tokio::task::spawn_local(async move {
                            let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
                            while let Some(Ok(message)) = socket.next().await {
                                if (message.is_text() || message.is_binary()) && socket.send(message).await.is_err() {
                                    return;
                                }
                            }
                        });
                    }
                })
                .await;
        });
    });
    at.recv().expect("an address")
}

type Socket = tokio_tungstenite::WebSocketStream<tokio::net::TcpStream>;

async fn connect(proxy: &Proxy) -> Result<Socket, String> {
    let mut request = format!("ws://{}/chat", proxy.at).into_client_request().expect("a request");
    if let Some((name, value)) = proxy.which.key() {
        request.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    let stream = tokio::net::TcpStream::connect(proxy.at).await.map_err(|error| error.to_string())?;
    let connected = tokio::time::timeout(PATIENCE, tokio_tungstenite::client_async(request, stream)).await;
    let (socket, reply) = connected.map_err(|_| "no handshake in time")?.map_err(|error| error.to_string())?;
    if reply.status() == 101 { Ok(socket) } else { Err(format!("{}", reply.status())) }
}

async fn next(socket: &mut Socket) -> Result<Message, String> {
    let message = tokio::time::timeout(PATIENCE, socket.next()).await.map_err(|_| "no message in time")?;
    message.ok_or("the socket ended")?.map_err(|error| error.to_string())
}

async fn echoed(socket: &mut Socket, message: Message) -> Result<(), String> {
    socket.send(message.clone()).await.map_err(|error| error.to_string())?;
    let got = next(socket).await?;
    if got == message { Ok(()) } else { Err(format!("{} bytes came back otherwise", got.len())) }
}

fn for_each(proxies: &[Which], run: impl Fn(Which) -> Result<(), String>) {
    let failures: Vec<String> = chosen(proxies)
        .into_iter()
        .filter_map(|which| run(which).err().map(|why| format!("FAILED {which:?}: {why}")))
        .collect();
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn a_websocket_client_is_echoed() {
    for_each(TUNNEL, |which| {
        let proxy = Proxy::start(which, echo(), &[]);
        runtime().block_on(async {
            let mut socket = connect(&proxy).await?;
            echoed(&mut socket, Message::text("hello")).await?;
            echoed(&mut socket, Message::binary(vec![7; 300_000])).await?;
            echoed(&mut socket, Message::text("")).await?;
            for each in 0..100 {
                echoed(&mut socket, Message::text(format!("message {each}"))).await?;
            }
            socket.send(Message::Ping("a".into())).await.map_err(|error| error.to_string())?;
            match next(&mut socket).await? {
                Message::Pong(payload) if payload.as_ref() as &[u8] == b"a" => {}
                other => return Err(format!("{other:?} to a ping")),
            }
            // Several at once do not mix.
            let mut others = Vec::new();
            for _ in 0..8 {
                others.push(connect(&proxy).await?);
            }
            for (each, other) in others.iter_mut().enumerate() {
                other.send(Message::text(format!("socket {each}"))).await.map_err(|error| error.to_string())?;
            }
            for (each, other) in others.iter_mut().enumerate() {
                if next(other).await? != Message::text(format!("socket {each}")) {
                    return Err("messages of two sockets were mixed".into());
                }
            }
            socket.close(None).await.map_err(|error| error.to_string())?;
            loop {
                match tokio::time::timeout(PATIENCE, socket.next()).await {
                    Ok(None) => return Ok(()),
                    Ok(Some(_)) => {}
                    Err(_) => return Err("the close was never answered".into()),
                }
            }
        })
    });
}

#[test]
fn an_open_tunnel_does_not_outlive_the_grace() {
    for_each(&[Which::Gateway], |which| {
        let proxy = Proxy::start(which, echo(), &["--grace", "2s", "--timeout", "10m", "--head-timeout", "10m"]);
        runtime().block_on(async {
            let mut socket = connect(&proxy).await?;
            echoed(&mut socket, Message::text("hello")).await?;
            proxy.terminate();
            if proxy.ended_within(PATIENCE).is_none() {
                return Err("it runs on".into());
            }
            loop {
                match tokio::time::timeout(PATIENCE, socket.next()).await {
                    Ok(None | Some(Err(_))) => return Ok(()),
                    Ok(Some(Ok(_))) => {}
                    Err(_) => return Err("the socket was left open".into()),
                }
            }
        })
    });
}

#[test]
fn a_tunnel_that_ends_within_the_grace_is_waited_for() {
    for_each(&[Which::Gateway], |which| {
        let proxy = Proxy::start(which, echo(), &["--grace", "10m", "--timeout", "10m", "--head-timeout", "10m"]);
        runtime().block_on(async {
            let mut socket = connect(&proxy).await?;
            echoed(&mut socket, Message::text("hello")).await?;
            proxy.terminate();
            while std::net::TcpStream::connect(proxy.at).is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            // Still there, for as long as the grace lasts.
            echoed(&mut socket, Message::text("still here")).await?;
            socket.close(None).await.map_err(|error| error.to_string())?;
            while let Ok(Some(Ok(_))) = tokio::time::timeout(PATIENCE, socket.next()).await {}
            drop(socket);
            if proxy.ended_within(PATIENCE).is_some() {
                Ok(())
            } else {
                Err("it waits for a tunnel that is closed".into())
            }
        })
    });
}

const ASKS: &[u8] = b"GET {p}/chat HTTP/1.1\r\nHost: a.example\r\n{k}Connection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const SWITCHES: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

fn switched(client: &mut Client) -> Result<(), String> {
    match client.reply("GET") {
        Ok(reply) if reply.status == 101 => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

fn asks(bench: &Bench) -> Vec<u8> {
    bench.proxy.which.fill(ASKS)
}

#[test]
fn an_upgrade_is_asked_of_the_upstream_and_its_bytes_are_carried() {
    type Run = fn(&Bench) -> Result<(), String>;
    let rows: Vec<(String, Run)> = [
        (
            "head_and_handshake",
            (|bench| {
                bench.begin(|_, _| {
                    Then::Do(Box::new(|wire| {
                        wire.send(SWITCHES);
                        drop(wire.rest());
                    }))
                });
                let mut client = Client::connect(bench.proxy.at);
                client.send(asks(bench));
                let reply = client.reply("GET").map_err(|lack| format!("{lack:?}"))?;
                let asked = bench.asked()?.into_iter().next().ok_or("never asked")?;
                let fields = &asked.fields;
                let right = reply.status == 101
                    && reply.fields.lists("connection", "upgrade")
                    && reply.fields.get("upgrade") == Some("websocket")
                    && reply.fields.get("sec-websocket-accept") == Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
                    && fields.lists("connection", "upgrade")
                    && fields.get("upgrade") == Some("websocket")
                    && fields.get("sec-websocket-version") == Some("13")
                    && fields.get("sec-websocket-key") == Some("dGhlIHNhbXBsZSBub25jZQ==");
                if right { Ok(()) } else { Err(format!("{:?} {fields:?}", reply.fields)) }
            }) as Run,
        ),
        ("bytes_in_the_segment_of_the_101", |bench| {
            bench.begin(|_, _| {
                Then::Do(Box::new(|wire| {
                    wire.send(format!("{SWITCHES}first"));
                    drop(wire.rest());
                }))
            });
            let mut client = Client::connect(bench.proxy.at);
            client.send(asks(bench));
            switched(&mut client)?;
            match client.wire.exactly(5) {
                Ok(bytes) if bytes == b"first" => Ok(()),
                other => Err(format!("{other:?}")),
            }
        }),
        ("bytes_in_the_segment_of_the_request", |bench| {
            // A client should wait for the 101. If it does not, what it sent is carried, and is no request.
            bench.begin(|_, _| {
                Then::Do(Box::new(|wire| {
                    wire.send(SWITCHES);
                    if let Ok(early) = wire.exactly(5) {
                        wire.send(early);
                    }
                }))
            });
            let mut client = Client::connect(bench.proxy.at);
            client.send([asks(bench), b"early".to_vec()].concat());
            let reply = client.reply("GET").map_err(|lack| format!("{lack:?}"))?;
            match client.wire.exactly(5) {
                _ if reply.status != 101 => Err(format!("{}", reply.status)),
                Ok(bytes) if bytes == b"early" => Ok(()),
                other => Err(format!("{other:?}")),
            }
        }),
        ("what_looks_like_a_request_in_a_tunnel", |bench| {
            bench.begin(|_, _| {
                Then::Do(Box::new(|wire| {
                    wire.send(SWITCHES);
                    let (got, _) = wire.rest();
                    drop(got);
                }))
            });
            let mut client = Client::connect(bench.proxy.at);
            client.send(asks(bench));
            switched(&mut client)?;
            client.send(bench.proxy.which.fill(b"GET {p}/smuggled HTTP/1.1\r\nHost: a.example\r\n{k}\r\n"));
            client.wire.finish();
            let _ = client.wire.rest();
            bench.sentinel()?;
            if bench.asked()?.len() == 1 { Ok(()) } else { Err("a byte of the tunnel was taken for a request".into()) }
        }),
        ("the_upstream_closes", |bench| {
            bench.begin(|_, _| {
                Then::Do(Box::new(|wire| {
                    wire.send(format!("{SWITCHES}bye"));
                }))
            });
            let mut client = Client::connect(bench.proxy.at);
            client.send(asks(bench));
            switched(&mut client)?;
            match client.wire.rest() {
                (bytes, Lack::Closed | Lack::Reset) if bytes == b"bye" => bench.sentinel(),
                other => Err(format!("{other:?}")),
            }
        }),
        ("the_client_closes", |bench| {
            bench.begin(|_, _| {
                Then::Do(Box::new(|wire| {
                    wire.send(SWITCHES);
                    drop(wire.rest());
                }))
            });
            let before = bench.upstream.record().ended;
            let mut client = Client::connect(bench.proxy.at);
            client.send(asks(bench));
            switched(&mut client)?;
            drop(client);
            bench
                .upstream
                .wait_for(PATIENCE, &|record| record.ended > before)
                .map_err(|_| "the upstream's half was kept")?;
            bench.sentinel()
        }),
    ]
    .map(|(name, run)| (name.to_owned(), run))
    .into();
    run_by("tunnels", TUNNEL, &[], rows, |bench, run| run(bench));
}

#[test]
fn an_upgrade_that_is_not_made_leaves_http_as_it_was() {
    let plain = "GET {p}/chat HTTP/1.1\r\nHost: a.example\r\n{k}";
    /// What is sent, what the upstream replies, and what the client gets.
    type Asked = (Vec<u8>, String, &'static [u16]);
    let declines =
        "HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nno";
    let rows: Vec<(String, Asked)> = vec![
        ("declined_with_200".into(), (ASKS.to_vec(), text(&ok("ok")), &[200])),
        (
            "declined_with_403".into(),
            (ASKS.to_vec(), "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno".into(), &[403]),
        ),
        ("declined_with_426".into(), (ASKS.to_vec(), declines.into(), &[426])),
        (
            "of_another_protocol".into(),
            (
                ASKS.to_vec(),
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n".into(),
                &[502],
            ),
        ),
        ("101_without_a_protocol".into(), (ASKS.to_vec(), "HTTP/1.1 101 Switching Protocols\r\n\r\n".into(), &[502])),
        ("101_that_was_not_asked_for".into(), (format!("{plain}\r\n").into(), SWITCHES.into(), &[502])),
        (
            "101_to_an_upgrade_that_is_not_listed".into(),
            (format!("{plain}Upgrade: websocket\r\n\r\n").into(), SWITCHES.into(), &[502]),
        ),
        (
            "101_to_a_client_of_http_1_0".into(),
            (text(ASKS).replacen("HTTP/1.1", "HTTP/1.0", 1).into(), SWITCHES.into(), &[502]),
        ),
    ];
    run_by("no_tunnels", TUNNEL, &["--timeout", "5s"], rows, |bench, (sent, reply, wanted): &Asked| {
        let reply = reply.clone();
        bench.begin(move |_, _| Then::Send(reply.clone().into_bytes()));
        let mut client = Client::connect(bench.proxy.at);
        client.old = text(sent).contains("HTTP/1.0");
        client.send(bench.proxy.which.fill(sent));
        let got = client.reply("GET").map_err(|lack| format!("{lack:?}"))?;
        if !wanted.contains(&got.status) {
            return Err(format!("{}", got.status));
        }
        // What stands behind is HTTP, or the connection is closed.
        bench.tail(&mut client)?;
        bench.sentinel()
    });
    // An upgrade with bytes behind it that is declined: they are the next request, or nothing, but never a tunnel's.
    run_by("no_tunnel_and_more", TUNNEL, &[], vec![("declined".to_owned(), ())], |bench, ()| {
        bench.begin(|_, _| Then::Send(ok("ok")));
        let mut wire = Wire::connect(bench.proxy.at);
        wire.send(
            bench
                .proxy
                .which
                .fill(&[ASKS, b"GET {p}/next HTTP/1.1\r\nHost: a.example\r\n{k}Connection: close\r\n\r\n"].concat()),
        );
        let _ = wire.rest();
        bench.sentinel()?;
        let asked = bench.asked()?;
        if asked.len() <= 2 && asked.iter().all(|asked| asked.body.is_empty()) {
            Ok(())
        } else {
            Err(format!("{asked:?}"))
        }
    });
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
