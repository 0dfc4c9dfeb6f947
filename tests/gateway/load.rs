//! Many requests at once.

use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use processes::upstream::{empty, mirror};
use processes::within;
use tokio::net::TcpStream;

use crate::process::{ALICE, Gateway};

const CONNECTIONS: usize = 64;
const REQUESTS: usize = 10_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_requests_over_sixty_four_connections_are_all_answered_and_logged() {
    let mut gateway = Gateway::start(&[mirror().await], &["--workers", "3"]).await;
    let at = gateway.address;
    let clients: Vec<_> = (0..CONNECTIONS)
        .map(|client| {
            let share = REQUESTS / CONNECTIONS + usize::from(client < REQUESTS % CONNECTIONS);
            tokio::spawn(async move {
                let stream = TcpStream::connect(at).await.expect("a connection");
                let (mut sender, connection) = handshake(TokioIo::new(stream)).await.expect("HTTP");
                tokio::spawn(connection);
                for number in 0..share {
                    let path = format!("/{client}/{number}");
                    let request = Request::get(&path).header("host", "h").header("x-api-key", ALICE);
                    let request = request.body(empty()).expect("a request");
                    let reply = within("a reply", sender.send_request(request)).await.expect("a reply");
                    assert_eq!(reply.status(), StatusCode::OK);
                    let body = reply.into_body().collect().await.expect("a body").to_bytes();
                    assert!(body.starts_with(format!("GET {path}\n").as_bytes()), "another's reply: {body:?}");
                    within("the connection", sender.ready()).await.expect("the connection is kept");
                }
                share
            })
        })
        .collect();
    let mut answered = 0;
    for client in clients {
        answered += client.await.expect("no client fails");
    }
    assert_eq!(answered, REQUESTS);
    for _ in 0..REQUESTS {
        gateway.line(&["status=200", "outcome=\"done\""]).await;
    }
}
