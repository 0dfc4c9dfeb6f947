//! Groups of upstreams: on the page, and over the interface by which services register.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chain_runtime::proxy::Upstream;
use chain_runtime::upstream::{Health, Member, Outcome, Registry, State};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::admin::Door;
use crate::browser::Tab;
use crate::gateway::Gateway;
use crate::{GENEROUS, long, within};

const OK: Outcome = Outcome::Replied { ok: true };

fn upstream(port: u16) -> Upstream {
    format!("http://127.0.0.1:{port}").parse().expect("an upstream")
}

/// A group with members in all states, that nobody asks.
pub(crate) fn busy() -> (String, Arc<Registry<Upstream>>) {
    let registry = Registry::new();
    let of = |name: &str, zone: &str| {
        let member = Member::new(name, upstream(80)).zone(zone).weight(65_535);
        registry.register(member, Duration::from_secs(3_600)).expect("it is registered")
    };
    let [_, draining, ejected, ill] = ["ready", "draining", "ejected", "ill"].map(|name| of(name, "eu-central-1a"));
    of(&"a-name-that-is-long-".repeat(12), &"zone".repeat(10));
    registry.drain(&draining).expect("it is there");
    let until = std::time::Instant::now() + Duration::from_secs(3_600);
    registry.change_state(&ejected, |_, _| State::Ejected { until }).expect("it is there");
    registry.change_state(&ill, |_, _| State::Unhealthy).expect("it is there");
    ("/orders".to_owned(), Arc::new(registry))
}

/// The cells of a member, as the page shows them.
fn row(name: &str) -> String {
    format!(
        "[...document.querySelectorAll('#groups tbody tr')].find(row => row.firstChild.textContent === '{name}')\
         ?.innerText.split('\\t').map(cell => cell.trim())"
    )
}

/// Asks the members of this registry until it is dropped: 3 of 4 requests are for `a`, and those for `b` fail.
fn load(registry: &Arc<Registry<Upstream>>) -> JoinSet<()> {
    let (registry, mut tasks) = (Arc::clone(registry), JoinSet::new());
    tasks.spawn(async move {
        for turn in 0.. {
            let snapshot = registry.snapshot().keep();
            let (name, outcome) = if turn % 4 == 0 { ("b", Outcome::Failed) } else { ("a", OK) };
            let begun = snapshot.get(name).and_then(|entry| entry.seat().begin());
            tokio::time::sleep(Duration::from_millis(2)).await;
            if let Some(request) = begun {
                request.seat().note(outcome, Duration::from_millis(2));
            }
        }
    });
    tasks
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_seen_as_they_do_and_drained_by_the_keyboard() {
    let registry = Arc::new(Registry::new());
    for (name, port) in [("a", 1), ("b", 2), ("c", 3)] {
        let member = Member::new(name, upstream(port)).zone(format!("zone-{port}")).weight(u32::from(port));
        registry.register(member, Duration::from_secs(7_200)).expect("it is registered");
    }
    let _load = load(&registry);
    let (page, _running) = long::serve(Door::open(), vec![("/orders".to_owned(), Arc::clone(&registry))]).await;
    let mut tab = Tab::open(&page).await;
    tab.until("document.querySelector('#groups h3')?.textContent === '/orders'").await;
    tab.until("document.querySelector('#groups .head .quiet').textContent === '3 ready'").await;
    // Three of four are for `a`, within what the ticks of a loaded machine leave of it.
    tab.until(&format!("Math.abs(parseFloat({}[2]) - 75) < 5", row("a"))).await;
    tab.until(&format!("Math.abs(parseFloat({}[2]) - 25) < 5", row("b"))).await;
    tab.until(&format!("{}[3] === '0 %' && {}[3] === '100 %' && {}[3] === '–'", row("a"), row("b"), row("c"))).await;
    tab.until(&format!("/ (ms|µs|s)$/.test({}[5])", row("a"))).await;
    let rest = tab.value(&format!("{}.slice(0, 5).concat({}.slice(5, 10))", row("c"), row("c"))).await;
    let lease = rest[9].as_str().and_then(|text| text.strip_suffix(" s")?.parse().ok()).unwrap_or(0);
    assert!((7_000..=7_200).contains(&lease), "{rest}");
    assert_eq!(
        rest.as_array().expect("cells")[..9],
        json!(["c", "ready", "0 %", "–", "0", "–", "0", "3", "zone-3"]).as_array().expect("cells")[..]
    );
    // By the keyboard, to the button of `a`.
    let mut pressed = 0;
    while tab.value("document.activeElement.getAttribute('aria-label')").await != json!("drain a") {
        tab.press("Tab", 9, "").await;
        pressed += 1;
        assert!(pressed < 60, "the keyboard does not get there");
    }
    tab.press(" ", 32, " ").await;
    tab.until(&format!("{}[1] === 'draining'", row("a"))).await;
    assert_eq!(registry.snapshot().get("a").expect("it is there").state(), State::Draining);
    tab.until("document.querySelector('#groups .head .quiet').textContent === '2 ready, 1 draining'").await;
    tab.until(&format!("{}[2] === '0 %' && {}[2] === '100 %'", row("a"), row("b"))).await;
    assert_eq!(
        tab.value("document.activeElement.getAttribute('aria-label')").await,
        json!("drain a"),
        "it stays there"
    );
    assert_eq!(tab.value("document.activeElement.getAttribute('aria-disabled')").await, json!("true"));
    tab.value("document.getElementById('upstreams').scrollIntoView()").await;
    tab.picture("page-upstreams.png").await;
    // Who goes is not shown any more, and who comes is.
    let b = registry.snapshot().get("b").expect("it is there").seat().registration().clone();
    registry.remove(&b).expect("it is there");
    registry.register(Member::new("d", upstream(4)), Duration::MAX).expect("it is registered");
    tab.until(&format!("{} === undefined && {}?.[9] === '–'", row("b"), row("d"))).await;
    assert_eq!(tab.complaints, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_members_those_are_shown_that_are_not_well() {
    let registry = Arc::new(Registry::new().with_health(Health::new().failures(1, Duration::from_secs(60))));
    for number in 0..3_000 {
        registry.register(Member::new(format!("m-{number:04}"), upstream(1)), Duration::MAX).expect("it is registered");
    }
    let (page, _running) = long::serve(Door::open(), vec![(String::new(), Arc::clone(&registry))]).await;
    let mut tab = Tab::open(&page).await;
    tab.until("document.querySelectorAll('#groups tbody tr').length === 100").await;
    tab.until("document.querySelector('#groups .group > p').textContent === '2900 others are not shown.'").await;
    registry.snapshot().get("m-2718").expect("it is there").seat().note(Outcome::Failed, Duration::ZERO);
    tab.until(&format!("/^ejected, [1-9] s more$/.test({}?.[1])", row("m-2718"))).await;
    assert_eq!(tab.value(&format!("{}[6]", row("m-2718"))).await, json!("1"));
    assert_eq!(tab.value("document.querySelectorAll('#groups tbody tr').length").await, json!(100));
    assert_eq!(tab.complaints, Vec::<Value>::new());
}

/// Upstreams that reply to all requests.
async fn replying() -> String {
    let reply = async |_| Ok(http::Response::new(processes::upstream::full("hello")));
    format!("http://{}", processes::upstream::start(reply).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_of_the_gateway_that_is_drained_by_a_click_has_no_requests_any_more() {
    let [first, other] = [replying().await, replying().await];
    let gateway =
        Gateway::start(&[&GENEROUS[..], &["--upstream", &format!("{first},/api={other},{other}")]].concat()).await;
    let mut tab = Tab::open(&gateway.page).await;
    tab.until(
        "[...document.querySelectorAll('#groups h3')].map(title => title.textContent).sort().join() === '/,/api'",
    )
    .await;
    let load = gateway.load(2);
    tab.until(&format!("parseFloat({}?.[2]) > 5", row(&first))).await;
    tab.until(&format!("/ (ms|µs)$/.test({}[5])", row(&first))).await;
    tab.value(&format!("document.querySelector('[aria-label=\"drain {first}\"]').click()")).await;
    tab.until(&format!(
        "{}[1] === 'draining' && {}[2] === '0 %' && {}[4] === '0'",
        row(&first),
        row(&first),
        row(&first)
    ))
    .await;
    assert_eq!(gateway.asks("/").await, StatusCode::OK, "there is another one");
    drop(load);
    let (status, metrics) = send(&gateway.page, Method::GET, "/metrics", &[], &Value::Null).await;
    assert_eq!(status, StatusCode::OK);
    for series in [
        format!("chain_upstream_state{{group=\"/\",member=\"{first}\",state=\"draining\"}} 1"),
        "chain_upstream_members{group=\"/\",state=\"ready\"} 1".to_owned(),
        "chain_upstream_members{group=\"/api\",state=\"ready\"} 1".to_owned(),
        "chain_pressure_level 0".to_owned(),
        "chain_admission_in_flight{admission=\"requests\"} ".to_owned(),
    ] {
        assert!(metrics.contains(&series), "{series}: {metrics}");
    }
    assert_eq!(promtool(&metrics).await, "", "{metrics}");
    assert_eq!(tab.complaints, Vec::<Value>::new());
}

/// What `promtool check metrics` has to say of this.
async fn promtool(metrics: &str) -> String {
    let mut tool = Command::new("promtool");
    tool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut tool = tool.spawn().expect("promtool, of Debian's package prometheus");
    tool.stdin.take().expect("a pipe").write_all(metrics.as_bytes()).await.expect("it reads");
    let output = within("its output", tool.wait_with_output()).await.expect("its output");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// Sends this to the admin address.
async fn send(page: &str, method: Method, path: &str, fields: &[(&str, &str)], body: &Value) -> (StatusCode, String) {
    let client: legacy::Client<_, Full<Bytes>> = legacy::Client::builder(TokioExecutor::new()).build_http();
    let mut request = Request::builder().method(method).uri(format!("{}{path}", page.trim_end_matches('/')));
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let request = request.header("content-type", "application/json").body(Full::from(body)).expect("a request");
    let reply = within("a reply", client.request(request)).await.expect("a reply");
    let status = reply.status();
    let body = reply.into_body().collect().await.expect("a body").to_bytes();
    (status, String::from_utf8(body.into()).expect("text"))
}

#[tokio::test]
async fn services_register_with_the_token_and_in_their_group() {
    let registry = Arc::new(Registry::new());
    let door = Door::with("a-token-of-24-characters").expect("a token");
    let groups = vec![("/orders".to_owned(), Arc::clone(&registry)), ("rest".to_owned(), busy().1)];
    let (page, _running) = long::serve(door, groups).await;
    let token = [("authorization", "Bearer a-token-of-24-characters")];
    let says = json!({ "name": "127.0.0.1:8080", "endpoint": "http://127.0.0.1:8080" });
    let register = "/upstreams/%2Forders/register";
    assert_eq!(send(&page, Method::POST, register, &[], &says).await.0, StatusCode::UNAUTHORIZED);
    let (status, told) = send(&page, Method::POST, register, &token, &says).await;
    assert_eq!(status, StatusCode::CREATED, "{told}");
    let told: Value = serde_json::from_str(&told).expect("JSON");
    let named = json!({ "name": told["name"], "generation": told["generation"] });
    assert_eq!(registry.snapshot().members().len(), 1);
    assert_eq!(send(&page, Method::GET, "/upstreams", &token, &Value::Null).await.1, r#"["/orders","rest"]"#);
    let (_, list) = send(&page, Method::GET, "/upstreams/%2Forders/members", &token, &Value::Null).await;
    assert!(list.contains(r#""endpoint":"http://127.0.0.1:8080""#), "{list}");
    let heartbeat = "/upstreams/%2Forders/heartbeat";
    assert_eq!(send(&page, Method::POST, heartbeat, &token, &named).await.0, StatusCode::NO_CONTENT);
    let (_, metrics) = send(&page, Method::GET, "/metrics", &token, &Value::Null).await;
    for series in [
        r#"chain_upstream_members{group="/orders",state="ready"} 1"#,
        r#"chain_upstream_members{group="rest",state="ejected"} 1"#,
        r#"chain_runs_in_flight{chain="Long"} "#,
    ] {
        assert!(metrics.contains(series), "{series}: {metrics}");
    }
    // Another site in the operator's browser, which has the token.
    let drain = "/upstreams/%2Forders/drain";
    for field in [("origin", "http://evil.example"), ("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site")]
    {
        let (status, _) = send(&page, Method::POST, drain, &[token[0], field], &named).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{field:?}");
    }
    assert_eq!(registry.snapshot().counts().ready, 1);
    assert_eq!(send(&page, Method::POST, drain, &token, &named).await, (StatusCode::OK, r#"{"in_flight":0}"#.into()));
    for (method, path, status) in [
        (Method::POST, "/upstreams/orders/drain", StatusCode::NOT_FOUND),
        (Method::POST, "/upstreams/%2Forders/nothing", StatusCode::NOT_FOUND),
        (Method::GET, "/upstreams/%2Forders/drain", StatusCode::METHOD_NOT_ALLOWED),
        (Method::DELETE, "/upstreams/%2Forders/members", StatusCode::METHOD_NOT_ALLOWED),
    ] {
        assert_eq!(send(&page, method, path, &token, &named).await.0, status, "{path}");
    }
    let large = json!({ "name": "a".repeat(20_000) });
    assert_eq!(send(&page, Method::POST, register, &token, &large).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn where_nobody_is_asked_for_a_token_nobody_registers() {
    let registry = Arc::new(Registry::new());
    let (page, _running) = long::serve(Door::open(), vec![("a".to_owned(), Arc::clone(&registry))]).await;
    let says = json!({ "name": "127.0.0.1:8080", "endpoint": "http://127.0.0.1:8080" });
    let (status, why) = send(&page, Method::POST, "/upstreams/a/register", &[], &says).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(why.contains("--admin-token-file"), "{why}");
    let registration = registry.register(Member::new("b", upstream(1)), Duration::MAX).expect("it is registered");
    let named = json!({ "name": "b", "generation": registration.generation.get() });
    assert_eq!(send(&page, Method::POST, "/upstreams/a/drain", &[], &named).await.0, StatusCode::OK);
}
