//! A service registers over a real connection, as `curl` would.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chain_runtime::proxy::server::Server;
use chain_runtime::upstream::{Announce, HttpPost, Member, Post as _, Registrar, Registry};
use http_body_util::{BodyExt as _, Full, Limited};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

const LIMIT: Duration = Duration::from_secs(60);

/// A registry that is kept and served. It ends when this is dropped.
struct Served {
    at: SocketAddr,
    registry: Arc<Registry<SocketAddr>>,
    _tasks: JoinSet<()>,
}

impl Served {
    async fn new() -> Self {
        let registry = Arc::new(Registry::new());
        let registrar = Registrar::new(Arc::clone(&registry), |text| text.parse::<SocketAddr>());
        let registrar = Arc::new(registrar.leases(Duration::from_millis(50), LIMIT, LIMIT));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        let kept = Arc::clone(&registry);
        tasks.spawn(async move { kept.keep().await });
        tasks.spawn(async move {
            let answer = move |request: http::Request<hyper::body::Incoming>, _| {
                let registrar = Arc::clone(&registrar);
                async move {
                    let (head, body) = request.into_parts();
                    let body = Limited::new(body, Registrar::<SocketAddr>::BODY).collect().await;
                    let body = body.map(|body| body.to_bytes()).unwrap_or_default();
                    registrar.answer(head.uri.path(), &head, &body).map(|text| Full::new(Bytes::from(text)))
                }
            };
            Server::default().serve(listener, answer, std::future::pending()).await;
        });
        Self { at, registry, _tasks: tasks }
    }

    /// What is replied, and the status.
    async fn send(&self, request: String) -> (u16, Value) {
        let mut stream = TcpStream::connect(self.at).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut reply = String::new();
        timeout(LIMIT, stream.read_to_string(&mut reply)).await.unwrap().unwrap();
        let (head, body) = reply.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, if body.is_empty() { Value::Null } else { serde_json::from_str(body).unwrap() })
    }

    async fn post(&self, action: &str, body: &Value) -> (u16, Value) {
        let body = body.to_string();
        let length = body.len();
        self.send(format!(
            "POST /{action} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
        .await
    }

    async fn members(&self) -> Vec<Value> {
        let (status, list) = self.send("GET /members HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".into()).await;
        assert_eq!(status, 200);
        list["members"].as_array().unwrap().clone()
    }

    /// Waits until the list says so: a change is published a moment after its reply.
    async fn until(&self, says: impl Fn(&[Value]) -> bool) {
        timeout(LIMIT, async { while !says(&self.members().await) {} }).await.expect("the list says so");
    }

    async fn registers(&self, lease: Duration) -> Value {
        let says = json!({ "name": "10.0.0.7:8080", "lease_ms": lease.as_millis() as u64 });
        let (status, told) = self.post("register", &says).await;
        assert_eq!(status, 201);
        json!({ "name": told["name"], "generation": told["generation"] })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_comes_expires_comes_again_and_goes() {
    let served = Served::new().await;
    let first = served.registers(LIMIT).await;
    assert_eq!(served.post("heartbeat", &first).await, (204, Value::Null));
    served.until(|members| members.iter().any(|member| member["generation"] == first["generation"])).await;

    // It is registered anew with a short lease, and is not heard of again.
    let short = served.registers(Duration::from_millis(50)).await;
    served.until(<[_]>::is_empty).await;
    let (status, told) = served.post("heartbeat", &short).await;
    assert_eq!((status, &told["code"]), (410, &json!("gone")));
    assert!(served.members().await.is_empty(), "a late heartbeat revives nobody");

    let again = served.registers(LIMIT).await;
    assert!(again["generation"].as_u64() > short["generation"].as_u64());
    for old in [&first, &short] {
        assert_eq!(served.post("heartbeat", old).await.0, 409);
        assert_eq!(served.post("remove", old).await.0, 409);
    }

    served.until(|members| members.len() == 1).await;
    let seat = Arc::clone(served.registry.snapshot().get("10.0.0.7:8080").unwrap().seat());
    let request = seat.begin().unwrap();
    assert_eq!(served.post("drain", &again).await, (200, json!({ "in_flight": 1 })));
    assert!(seat.begin().is_none());
    served.until(|members| members[0]["state"] == "draining").await;
    drop(request);
    assert_eq!(served.post("drain", &again).await, (200, json!({ "in_flight": 0 })));
    assert_eq!(served.post("remove", &again).await, (204, Value::Null));
    served.until(<[_]>::is_empty).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_announces_itself() {
    let served = Served::new().await;
    let post = HttpPost::to(&format!("http://{}/", served.at)).unwrap().token("a-token").unwrap();
    let (stop, stopping) = tokio::sync::oneshot::channel::<()>();
    let task = tokio::spawn(async move {
        let member = Member::new("10.0.0.7:8080", "10.0.0.7:8080".to_owned());
        // Heartbeats are a second apart.
        let announce = Announce::new(member, Duration::from_secs(3));
        announce.run(post, async move { drop(stopping.await) }, std::future::ready(()), |_| {}).await
    });
    served.until(|members| members.len() == 1).await;
    stop.send(()).unwrap();
    assert_eq!(timeout(LIMIT, task).await.expect("it ends").unwrap(), Ok(()));
    served.until(<[_]>::is_empty).await;
    let totals = served.registry.totals();
    assert_eq!((totals.registered, totals.removed, totals.evicted), (1, 1, 0));
}

#[tokio::test]
async fn what_is_wrong_on_the_way_is_said() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    drop(listener);
    let post = HttpPost::to(&format!("http://{at}")).unwrap();
    let why = post.post("register", "{}".to_owned()).await.unwrap_err().to_string();
    assert!(why.to_lowercase().contains("connection refused"), "{why}");
    assert!(HttpPost::to("no url").is_err());
    assert!(!format!("{:?}", post.token("a-secret").unwrap()).contains("a-secret"));
}
