//! Groups of upstreams by path, their weights, and what happens to requests when an upstream dies.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use processes::client::Client;
use processes::upstream::{self, full};
use processes::within;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};

use crate::process::{AsAlice as _, Gateway};

/// An upstream that says its name.
pub(crate) async fn named(name: &'static str) -> SocketAddr {
    upstream::start(move |_| async move { Ok(Response::new(full(name))) }).await
}

/// An upstream that counts what it is asked, and replies once `go` is closed.
pub(crate) async fn held(go: &Arc<Semaphore>) -> (SocketAddr, Arc<AtomicUsize>) {
    let (go, asked) = (Arc::clone(go), Arc::<AtomicUsize>::default());
    let counts = Arc::clone(&asked);
    let answer = move |_| {
        counts.fetch_add(1, Ordering::Relaxed);
        let go = Arc::clone(&go);
        async move {
            let _ = go.acquire().await;
            Ok(Response::new(full("")))
        }
    };
    (upstream::start(answer).await, asked)
}

#[tokio::test]
async fn the_longest_prefix_goes_first_and_what_nobody_serves_is_404() {
    let (api, one, files) = (named("api").await, named("one").await, named("files").await);
    let targets = format!("/api=http://{api},/api/v1=http://{one}");
    let files = format!("/files/=http://{files}");
    let mut gateway = Gateway::start(&[], &["--upstream", &targets, "--upstream", &files]).await;
    let shown = gateway.seen().join("\n");
    assert!(shown.contains(&format!("upstreams of /api/v1: http://{one}")), "{shown}");
    let client = Client::new(gateway.address);
    for (path, says) in [
        ("/api", "api"),
        ("/api/", "api"),
        ("/api?v1", "api"),
        ("/api/v10", "api"),
        ("/api/v1", "one"),
        ("/api/v1/users?of=api", "one"),
        ("/files/", "files"),
        ("/files/a", "files"),
    ] {
        let answer = client.get_as_alice(path).await;
        assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, says), "{path}");
    }
    for path in ["/", "/apis", "/files", "/elsewhere/api/v1"] {
        let answer = client.get_as_alice(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(answer.text.contains("no group of upstreams serves this path"), "{path}: {}", answer.text);
    }
    gateway.line(&["path=\"/elsewhere/api/v1\"", "status=404", "by=\"gateway\" ended=\"route\""]).await;
    // Who is not known is not told what there is.
    assert_eq!(client.get("/elsewhere", &[]).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn without_a_prefix_all_paths_are_served_that_no_other_group_has() {
    let (all, api) = (named("all").await, named("api").await);
    let gateway = Gateway::start(&[all], &["--upstream", &format!("/api=http://{api}")]).await;
    let client = Client::new(gateway.address);
    assert_eq!(client.get_as_alice("/").await.text, "all");
    assert_eq!(client.get_as_alice("/apis").await.text, "all");
    assert_eq!(client.get_as_alice("/api/x").await.text, "api");
}

/// While no upstream has replied, nothing is known but the weights and what each has to do.
#[tokio::test]
async fn shares_are_as_the_weights() {
    let go = Arc::new(Semaphore::new(0));
    let ((heavy, of_heavy), (light, of_light)) = (held(&go).await, held(&go).await);
    let target = format!("http://{heavy}*3,http://{light}");
    let gateway = Gateway::start(&[], &["--upstream", &target]).await;
    let client = Client::new(gateway.address);
    let counts = || [&of_heavy, &of_light].map(|asked| asked.load(Ordering::Relaxed));
    let mut clients = JoinSet::new();
    for sent in 1..=40 {
        let client = client.clone();
        clients.spawn(async move { client.get_as_alice("/").await.status });
        within("the request", async {
            while counts().iter().sum::<usize>() < sent {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
    }
    assert_eq!(counts(), [30, 10]);
    go.close();
    assert!(clients.join_all().await.iter().all(|status| *status == StatusCode::OK));
}

/// One of three that stops listening and resets what it has: whoever was in flight to it may be told of it, and nobody else.
#[tokio::test]
async fn when_a_member_dies_under_load_only_what_was_in_flight_to_it_is_lost() {
    let (dying, kill) = mortal().await;
    let upstreams = [dying, named("one").await, named("other").await];
    let gateway = Gateway::start(&upstreams, &["--log", "off"]).await;
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut clients = JoinSet::new();
    for _ in 0..8 {
        let (client, stop, done) = (Client::new(gateway.address), Arc::clone(&stop), Arc::clone(&done));
        clients.spawn(async move {
            let mut lost = 0;
            while !stop.load(Ordering::Relaxed) {
                let answer = client.get_as_alice("/").await;
                lost += usize::from(answer.status != StatusCode::OK);
                done.fetch_add(1, Ordering::Relaxed);
            }
            lost
        });
    }
    let more = async |requests: usize| {
        let wanted = done.load(Ordering::Relaxed) + requests;
        within("replies", async {
            while done.load(Ordering::Relaxed) < wanted {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        })
        .await;
    };
    more(500).await;
    kill.abort();
    more(1_000).await;
    stop.store(true, Ordering::Relaxed);
    let lost: usize = clients.join_all().await.into_iter().sum();
    // Eight clients have at most eight requests in flight to it.
    assert!(lost <= 8, "{lost} of {} are lost", done.load(Ordering::Relaxed));
}

/// An upstream whose connections and whose listener end when its task is aborted.
async fn mortal() -> (SocketAddr, AbortHandle) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let task = tokio::spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let answer = service_fn(async |_: Request<Incoming>| Ok::<_, Infallible>(Response::new(full("mortal"))));
            let stream = TokioIo::new(stream);
            connections.spawn(http1::Builder::new().serve_connection(stream, answer));
        }
    });
    (address, task.abort_handle())
}

#[tokio::test]
async fn a_name_leads_to_its_addresses_and_hears_its_name() {
    let there = upstream::mirror().await;
    let target = format!("http://localhost:{}", there.port());
    let mut gateway = Gateway::start(&[], &["--upstream", &target]).await;
    assert!(gateway.seen().iter().any(|line| line.starts_with(&format!("upstreams of /: {there}"))));
    let answer = Client::new(gateway.address).get_as_alice("/").await;
    assert!(answer.text.contains(&format!("host: localhost:{}", there.port())), "{}", answer.text);
    // One that leads nowhere yet is no reason not to serve the others.
    let two = format!("http://{there},/other=http://nobody.invalid");
    let mut gateway_of_two = Gateway::start(&[], &["--upstream", &two]).await;
    gateway_of_two.said(&["upstreams of /other: none yet"]).await;
    gateway_of_two.said(&[" WARN upstreams of /other: "]).await;
    let client = Client::new(gateway_of_two.address);
    assert_eq!(client.get_as_alice("/").await.status, StatusCode::OK);
    assert_eq!(client.get_as_alice("/other").await.status, StatusCode::SERVICE_UNAVAILABLE);
    gateway.signal("TERM").await;
    assert!(gateway.ended().await.success());
}

/// A name and an address are two lists, and so two changes of a registry that is kept.
#[tokio::test]
async fn at_the_start_all_members_are_said() {
    let (named, other) = (upstream::mirror().await, upstream::mirror().await);
    let target = format!("http://localhost:{}*3,http://{other}", named.port());
    for _ in 0..4 {
        let gateway = Gateway::start(&[], &["--upstream", &target]).await;
        let shown = gateway.seen().join("\n");
        assert!(shown.contains(&named.to_string()) && shown.contains(&other.to_string()), "{shown}");
    }
}

/// One that is asked how it is and does not say that it is well has no requests, and has them again when it does.
#[tokio::test]
async fn who_is_not_well_has_no_requests() {
    let is_well = Arc::new(AtomicBool::new(false));
    let says = Arc::clone(&is_well);
    let asked = upstream::start(move |request: Request<Incoming>| {
        let is_ill = request.uri().path() == "/health" && !says.load(Ordering::Relaxed);
        async move {
            let mut reply = Response::new(full("asked"));
            *reply.status_mut() = if is_ill { StatusCode::IM_A_TEAPOT } else { StatusCode::OK };
            Ok(reply)
        }
    })
    .await;
    let mut gateway = Gateway::start(&[asked, named("well").await], &["--check", "/health"]).await;
    gateway.said(&[" WARN group /: upstream http://", "is not well: "]).await;
    let client = Client::new(gateway.address);
    for _ in 0..20 {
        assert_eq!(client.get_as_alice("/").await.text, "well");
    }
    is_well.store(true, Ordering::Relaxed);
    gateway.line(&[" INFO group /: upstream http://", "is well again"]).await;
    within("a request", async { while client.get_as_alice("/").await.text != "asked" {} }).await;
}

#[tokio::test]
async fn the_log_says_who_is_ejected_and_who_returns() {
    let is_well = Arc::new(AtomicBool::new(false));
    let says = Arc::clone(&is_well);
    let failing = upstream::start(move |_| {
        let mut reply = Response::new(full("failing"));
        *reply.status_mut() = if says.load(Ordering::Relaxed) { StatusCode::OK } else { StatusCode::BAD_GATEWAY };
        async move { Ok(reply) }
    })
    .await;
    let mut gateway = Gateway::start(&[failing, named("well").await, named("other").await], &[]).await;
    let client = Client::new(gateway.address);
    let ejected = [" WARN group /: upstream ", &format!("http://{failing} is ejected for ")];
    let asks = async {
        loop {
            client.get_as_alice("/").await;
        }
    };
    tokio::select! {
        _ = gateway.line(&ejected) => {}
        () = asks => {}
    }
    is_well.store(true, Ordering::Relaxed);
    gateway.line(&[" INFO group /: upstream ", &format!("http://{failing} returns")]).await;
}

/// Who registers in its place would take it out for good when its own lease ends.
#[tokio::test]
async fn nobody_registers_in_the_place_of_a_member_that_the_configuration_has() {
    let configured = named("configured").await;
    let token = crate::process::file("token", b"a-token-of-24-characters\n");
    let gateway = Gateway::start(&[configured], &["--admin-token-file", &token]).await;
    let admin = Client::new(gateway.admin.expect("an admin address"));
    let fields = [("content-type", "application/json"), ("authorization", "Bearer a-token-of-24-characters")];
    let register = async |name: String| {
        let body = serde_json::json!({ "name": name, "lease_ms": 1_000 }).to_string();
        admin.ask("POST", "/upstreams/%2F/register", &fields, body).await
    };
    let refused = register(format!("http://{configured}")).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);
    assert!(refused.text.contains(r#""code":"configured""#), "{}", refused.text);
    // Another name is taken, and its own service may register anew.
    let other = format!("http://{}", named("other").await);
    for _ in 0..2 {
        assert_eq!(register(other.clone()).await.status, StatusCode::CREATED);
    }
    let unknown = admin.get("/upstreams/api/members", &fields).await;
    assert_eq!((unknown.status, unknown.text.contains("/upstreams/%2F/members")), (StatusCode::NOT_FOUND, true));
}

/// It takes nothing new from when the operator is told so, also not once the configuration is read anew.
#[tokio::test]
async fn a_member_that_an_operator_drains_has_no_requests_any_more() {
    let drained = named("drained").await;
    let mut gateway = Gateway::start(&[drained, named("other").await], &[]).await;
    let admin = Client::new(gateway.admin.expect("an admin address"));
    assert_eq!(admin.get("/upstreams", &[]).await.text, r#"["/"]"#);
    let members: serde_json::Value =
        serde_json::from_str(&admin.get("/upstreams/%2F/members", &[]).await.text).expect("JSON");
    let all = members["members"].as_array().expect("a list");
    let member = all.iter().find(|member| member["name"] == format!("http://{drained}")).expect("it is listed");
    let which = serde_json::json!({ "name": member["name"], "generation": member["generation"] }).to_string();
    let json = [("content-type", "application/json")];
    let answer = admin.ask("POST", "/upstreams/%2F/drain", &json, which).await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, r#"{"in_flight":0}"#));
    let client = Client::new(gateway.address);
    for turn in 0..20 {
        if turn == 10 {
            gateway.signal("HUP").await;
            gateway.line(&["reloaded"]).await;
        }
        assert_eq!(client.get_as_alice("/").await.text, "other");
    }
}
