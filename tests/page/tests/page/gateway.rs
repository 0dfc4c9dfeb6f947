//! The gateway in front of its embedded upstream, and clients that send requests.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use processes::running::{self, Running};
use processes::within;
use tempfile::NamedTempFile;
use tokio::task::JoinSet;
use tokio::time::sleep;

const ALICE: &str = "alice-0123456789";

/// A running gateway. Dropped, it is killed.
pub(crate) struct Gateway {
    pub(crate) running: Running,
    pub(crate) at: SocketAddr,
    /// The page's address.
    pub(crate) page: String,
    client: Client,
    _keys: NamedTempFile,
}

type Client = legacy::Client<HttpConnector, Empty<Bytes>>;

impl Gateway {
    pub(crate) async fn start(flags: &[&str]) -> Self {
        let keys = NamedTempFile::new().expect("a file");
        std::fs::write(keys.path(), format!("alice {ALICE}\n")).expect("a file");
        let mut all = vec!["--listen", "127.0.0.1:0", "--log", "off", "--api-keys-file"];
        all.push(keys.path().to_str().expect("text"));
        all.extend(flags);
        let mut running = Running::start(running::command("gateway", &all));
        let page = running.line(&["admin on "]).await.trim_start_matches("admin on ").to_owned();
        let at = running.address("listening on http://").await;
        Self { running, at, page, client: client(), _keys: keys }
    }

    /// The status of a reply to alice.
    pub(crate) async fn asks(&self, path: &str) -> StatusCode {
        within("a reply", ask(&self.client, self.at, path, true)).await
    }

    /// Clients that ask until this is dropped: for what is there, without credentials, for what is slow, and for what breaks.
    pub(crate) fn load(&self, clients: usize) -> Load {
        let mut tasks = JoinSet::new();
        let replies = Arc::new(AtomicU64::new(0));
        for number in 0..clients {
            let (client, at, replies) = (client(), self.at, Arc::clone(&replies));
            tasks.spawn(async move {
                for turn in number as u64.. {
                    match turn % 200 {
                        50 => _ = ask(&client, at, "/broken", true).await,
                        100 => _ = ask(&client, at, "/", false).await,
                        // Cancelled while it waits for the upstream.
                        150 => {
                            let asking = ask(&client, at, "/slow?5", true);
                            let _ = tokio::time::timeout(Duration::from_millis(30), asking).await;
                        }
                        _ => _ = ask(&client, at, "/", true).await,
                    }
                    replies.fetch_add(1, Ordering::Relaxed);
                    sleep(Duration::from_millis(2)).await;
                }
            });
        }
        Load { _tasks: tasks, replies }
    }

    /// Kilobytes of memory that its process has.
    pub(crate) fn kilobytes(&self) -> u64 {
        let id = self.running.id();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a figure");
        line.split_whitespace().next().and_then(|figure| figure.parse().ok()).expect("a figure")
    }
}

/// Clients that ask. Dropped, they stop.
pub(crate) struct Load {
    _tasks: JoinSet<()>,
    pub(crate) replies: Arc<AtomicU64>,
}

fn client() -> Client {
    legacy::Client::builder(TokioExecutor::new()).build_http()
}

async fn ask(client: &Client, at: SocketAddr, path: &str, as_alice: bool) -> StatusCode {
    let mut request = Request::builder().method(Method::GET).uri(format!("http://{at}{path}"));
    if as_alice {
        request = request.header("x-api-key", ALICE);
    }
    let reply = client.request(request.body(Empty::new()).expect("a request")).await.expect("a reply");
    let status = reply.status();
    // A body that breaks off is an end, too.
    let _ = reply.into_body().collect().await;
    status
}
