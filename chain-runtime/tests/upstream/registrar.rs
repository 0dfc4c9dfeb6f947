//! The registry's HTTP interface: each row of its tables, and bodies that no service would send.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chain_runtime::upstream::{Member, Registrar, Registry, State};
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

type Answer = (StatusCode, Value);

fn registrar() -> Registrar<SocketAddr> {
    Registrar::new(Arc::new(Registry::new()), |text| text.parse::<SocketAddr>())
}

fn send(registrar: &Registrar<SocketAddr>, request: Request<&[u8]>) -> Response<String> {
    let (head, body) = request.into_parts();
    let action = head.uri.path().to_owned();
    registrar.answer(&action, &head, body)
}

fn answer(reply: Response<String>) -> Answer {
    let (head, body) = reply.into_parts();
    let is_json = head.headers.get("content-type").is_some_and(|kind| kind == "application/json");
    assert_eq!(is_json, !body.is_empty(), "{body}");
    (head.status, if is_json { serde_json::from_str(&body).unwrap() } else { Value::Null })
}

fn bytes(registrar: &Registrar<SocketAddr>, action: &str, body: &[u8]) -> Answer {
    let request = Request::post(format!("/{action}")).header("content-type", "application/json; charset=utf-8");
    answer(send(registrar, request.body(body).unwrap()))
}

fn post(registrar: &Registrar<SocketAddr>, action: &str, body: &Value) -> Answer {
    bytes(registrar, action, body.to_string().as_bytes())
}

fn get(registrar: &Registrar<SocketAddr>, query: &str, known: Option<&str>) -> Response<String> {
    let mut request = Request::get(format!("/members{query}"));
    if let Some(known) = known {
        request = request.header("if-none-match", known);
    }
    send(registrar, request.body(&[][..]).unwrap())
}

fn member(name: &str) -> Value {
    json!({ "name": name, "endpoint": "10.0.0.7:8080" })
}

/// The code and the field of what is refused.
fn refused((status, told): Answer) -> (u16, String, Value) {
    assert!(told["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{told}");
    (status.as_u16(), told["code"].as_str().unwrap().to_owned(), told["field"].clone())
}

#[test]
fn a_member_is_registered_with_all_that_it_says() {
    let registrar = registrar();
    let says = json!({
        "name": "10.0.0.7:8080", "endpoint": "10.0.0.7:8081", "zone": "a", "weight": 3,
        "metadata": { "version": "7", "rack": "" }, "lease_ms": 2000,
    });
    let (status, told) = post(&registrar, "register", &says);
    let snapshot = registrar.registry().snapshot();
    let entry = snapshot.get("10.0.0.7:8080").unwrap();
    let generation = entry.seat().generation().get();
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(told, json!({ "name": "10.0.0.7:8080", "generation": generation, "lease_ms": 2000 }));
    assert_eq!(entry.seat().endpoint().port(), 8081);
    assert_eq!((entry.seat().zone(), entry.weight().get(), entry.state()), (Some("a"), 3, State::Ready));
    assert_eq!(entry.seat().metadata().len(), 2);
}

#[test]
fn without_more_the_name_is_the_endpoint_and_the_lease_is_the_usual_one() {
    let registrar = registrar();
    let (_, told) = post(&registrar, "register", &json!({ "name": "10.0.0.7:8080", "zone": null }));
    assert_eq!(told["lease_ms"], 15_000);
    let snapshot = registrar.registry().snapshot();
    let entry = snapshot.get("10.0.0.7:8080").unwrap();
    assert_eq!((entry.seat().endpoint().port(), entry.seat().zone(), entry.weight().get()), (8080, None, 1));
    assert_eq!(refused(post(&registrar, "register", &json!({ "name": "orders" }))).2, "endpoint");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_ran_out_is_gone_and_one_that_was_taken_over_is_superseded() {
    let registrar = registrar();
    let register = || post(&registrar, "register", &json!({ "name": "10.0.0.7:8080", "lease_ms": 3000 })).1;
    let named = |told: &Value| json!({ "name": told["name"], "generation": told["generation"] });
    let first = named(&register());
    tokio::time::advance(Duration::from_millis(2999)).await;
    assert_eq!(post(&registrar, "heartbeat", &first), (StatusCode::NO_CONTENT, Value::Null));
    tokio::time::advance(Duration::from_millis(3000)).await;
    let gone = (410, "gone".to_owned(), json!("generation"));
    for action in ["heartbeat", "drain", "remove"] {
        assert_eq!(refused(post(&registrar, action, &first)), gone, "{action}");
    }
    let second = named(&register());
    for action in ["heartbeat", "drain", "remove"] {
        assert_eq!(refused(post(&registrar, action, &first)).1, "superseded", "{action}");
        assert_eq!(post(&registrar, action, &first).0, StatusCode::CONFLICT);
    }
    assert_eq!(registrar.registry().snapshot().get("10.0.0.7:8080").unwrap().state(), State::Ready);
    assert_eq!(post(&registrar, "heartbeat", &second).0, StatusCode::NO_CONTENT);
    assert_eq!(post(&registrar, "remove", &second), (StatusCode::NO_CONTENT, Value::Null));
    assert_eq!(refused(post(&registrar, "remove", &second)), gone);
    assert_eq!(refused(post(&registrar, "heartbeat", &json!({ "name": "never", "generation": 1 }))), gone);
}

#[test]
fn a_drain_says_what_is_in_flight_until_nothing_is() {
    let registrar = registrar();
    let (_, told) = post(&registrar, "register", &member("a"));
    let named = json!({ "name": "a", "generation": told["generation"] });
    let seat = Arc::clone(registrar.registry().snapshot().get("a").unwrap().seat());
    let request = seat.begin().unwrap();
    assert_eq!(post(&registrar, "drain", &named), (StatusCode::OK, json!({ "in_flight": 1 })));
    assert!(seat.begin().is_none());
    drop(request);
    assert_eq!(post(&registrar, "drain", &named), (StatusCode::OK, json!({ "in_flight": 0 })));
    assert_eq!(post(&registrar, "heartbeat", &named).0, StatusCode::NO_CONTENT);
}

#[test]
fn the_list_has_a_version_that_stands_for_all_of_it() {
    let registrar = registrar();
    let said = json!({ "name": "b", "endpoint": "10.0.0.7:1", "zone": "z", "weight": 2, "metadata": { "k": "v" } });
    let b = post(&registrar, "register", &said).1;
    let a = post(&registrar, "register", &member("a")).1;
    let reply = get(&registrar, "", None);
    let tag = reply.headers()["etag"].to_str().unwrap().to_owned();
    let (status, list) = answer(reply);
    assert_eq!(status, StatusCode::OK);
    let version = registrar.registry().snapshot().version();
    let expected = json!({
        "version": version, "is_panic": false, "next": null,
        "members": [
            { "name": "a", "generation": a["generation"], "endpoint": "10.0.0.7:8080", "zone": null, "weight": 1, "state": "ready", "metadata": {} },
            { "name": "b", "generation": b["generation"], "endpoint": "10.0.0.7:1", "zone": "z", "weight": 2, "state": "ready", "metadata": { "k": "v" } },
        ],
    });
    assert_eq!(list, expected);
    for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
        let reply = get(&registrar, "", Some(&known));
        assert_eq!((reply.status(), reply.headers()["etag"].to_str().unwrap()), (StatusCode::NOT_MODIFIED, &*tag));
        assert!(reply.body().is_empty());
    }
    // A heartbeat is no change.
    post(&registrar, "heartbeat", &json!({ "name": "a", "generation": a["generation"] }));
    assert_eq!(get(&registrar, "", Some(&tag)).status(), StatusCode::NOT_MODIFIED);
    post(&registrar, "drain", &json!({ "name": "a", "generation": a["generation"] }));
    let (status, list) = answer(get(&registrar, "", Some(&tag)));
    assert_eq!((status, &list["members"][0]["state"]), (StatusCode::OK, &json!("draining")));
}

#[test]
fn a_version_of_before_a_restart_is_not_taken_for_the_same() {
    let tag = |registrar: &Registrar<SocketAddr>| get(registrar, "", None).headers()["etag"].clone();
    let before = registrar();
    assert_ne!(tag(&before), tag(&registrar()));
    let same = Registrar::new(Arc::clone(before.registry()), |text| text.parse::<SocketAddr>());
    assert_eq!(tag(&before), tag(&same), "it is the registry's");
}

#[test]
fn a_long_list_comes_in_parts() {
    let registrar = registrar();
    for number in 0..2_500 {
        let member = Member::new(format!("m-{number:05}"), ([10, 0, 0, 7], 80).into());
        registrar.registry().register(member, Duration::MAX).unwrap();
    }
    let (mut query, mut names) = (String::new(), Vec::new());
    loop {
        let (_, list) = answer(get(&registrar, &query, None));
        let members = list["members"].as_array().unwrap();
        assert!(members.len() <= 1_000);
        names.extend(members.iter().map(|member| member["name"].as_str().unwrap().to_owned()));
        let Some(next) = list["next"].as_str() else { break };
        query = format!("?after={}", next.replace('-', "%2D"));
    }
    assert_eq!(names.len(), 2_500);
    assert!(names.is_sorted());
    let (_, list) = answer(get(&registrar, "?after=zzz", None));
    assert_eq!((&list["members"], &list["next"]), (&json!([]), &Value::Null));
    for query in ["?before=a", "?after=%ff", &format!("?after={}", "a".repeat(256))] {
        assert_eq!(refused(answer(get(&registrar, query, None))), (422, "json-unexpected".to_owned(), json!("after")));
    }
}

#[test]
fn other_paths_methods_and_types_are_refused() {
    let registrar = registrar();
    for (method, path, kind, expected, allow) in [
        ("POST", "/nothing", "application/json", (404, "not-found"), None),
        ("POST", "/", "application/json", (404, "not-found"), None),
        ("POST", "/register/more", "application/json", (404, "not-found"), None),
        ("GET", "/register", "application/json", (405, "method"), Some("POST")),
        ("PUT", "/heartbeat", "application/json", (405, "method"), Some("POST")),
        ("DELETE", "/remove", "application/json", (405, "method"), Some("POST")),
        ("POST", "/members", "application/json", (405, "method"), Some("GET, HEAD")),
        ("OPTIONS", "/members", "application/json", (405, "method"), Some("GET, HEAD")),
        ("POST", "/register", "text/plain", (415, "json-wanted"), None),
        ("POST", "/register", "application/x-www-form-urlencoded", (415, "json-wanted"), None),
        ("POST", "/drain", "application/json; charset=latin1", (415, "json-wanted"), None),
    ] {
        let request = Request::builder().method(Method::try_from(method).unwrap()).uri(path);
        let body = br#"{"name": "10.0.0.7:8080"}"#;
        let reply = send(&registrar, request.header("content-type", kind).body(&body[..]).unwrap());
        let allows = reply.headers().get("allow").map(|allow| allow.to_str().unwrap().to_owned());
        let (status, code, field) = refused(answer(reply));
        assert_eq!((status, &*code, field), (expected.0, expected.1, Value::Null), "{method} {path}");
        assert_eq!(allows.as_deref(), allow, "{method} {path}");
    }
    assert_eq!(registrar.registry().snapshot().members().len(), 0);
}

#[test]
fn what_a_member_may_not_say_is_told_at_its_field() {
    let registrar = registrar();
    let entries =
        |count: usize| (0..count).map(|n| (format!("key-{n}"), json!("v"))).collect::<serde_json::Map<_, _>>();
    let long = |length: usize| "a".repeat(length);
    for (field, value) in [
        ("name", json!("")),
        ("name", json!("two words")),
        ("name", json!("line\nbreak")),
        ("name", json!("null\u{0}")),
        ("name", json!(long(256))),
        ("name", json!(7)),
        ("name", json!(null)),
        ("endpoint", json!("nowhere")),
        ("endpoint", json!(long(1_025))),
        ("endpoint", json!(["10.0.0.7:8080"])),
        ("zone", json!("")),
        ("zone", json!("a b")),
        ("weight", json!(0)),
        ("weight", json!(-1)),
        ("weight", json!(1.5)),
        ("weight", json!("3")),
        ("weight", json!(65_536)),
        ("weight", json!(u64::MAX)),
        ("metadata", json!([])),
        ("metadata", json!(null)),
        ("metadata", entries(33).into()),
        ("metadata", json!({ "": "v" })),
        ("metadata", json!({ "a b": "v" })),
        ("metadata", json!({ long(65): "v" })),
        ("metadata.key", json!({ "key": 7 })),
        ("metadata.key", json!({ "key": { "deep": "v" } })),
        ("metadata", json!({ "key": long(257) })),
        ("metadata", json!({ "key": "line\nbreak" })),
        ("lease_ms", json!(999)),
        ("lease_ms", json!(300_001)),
        ("lease_ms", json!(u64::MAX)),
        ("lease_ms", json!(-1)),
        ("lease_ms", json!("10s")),
        ("lease", json!(10)),
    ] {
        let mut says = member("a");
        says[field.split('.').next().unwrap()] = value;
        let (status, code, told) = refused(post(&registrar, "register", &says));
        assert_eq!((status, &*code), (422, "json-unexpected"), "{says}");
        let told = told.as_str().unwrap_or_default();
        assert!(told == field || told.starts_with("metadata.") && field == "metadata", "{says}: {told}");
    }
    for (named, field) in [
        (json!({ "name": "a" }), json!("generation")),
        (json!({ "generation": 1 }), json!("name")),
        (json!({ "name": "a", "generation": "1" }), json!("generation")),
        (json!({ "name": "a", "generation": 1.0 }), json!("generation")),
        (json!({ "name": "a", "generation": -1 }), json!("generation")),
        (json!({ "name": "a", "generation": 1, "lease_ms": 1 }), json!("lease_ms")),
        (json!(["a", 1]), Value::Null),
        (json!("a"), Value::Null),
    ] {
        for action in ["heartbeat", "drain", "remove"] {
            assert_eq!(
                refused(post(&registrar, action, &named)),
                (422, "json-unexpected".to_owned(), field.clone()),
                "{named}"
            );
        }
    }
    assert_eq!(registrar.registry().snapshot().members().len(), 0);
    // All that is within.
    let mut says = member(&long(255));
    (says["zone"], says["weight"], says["lease_ms"]) = (json!(long(255)), json!(65_535), json!(300_000));
    says["metadata"] = entries(32).into();
    says["metadata"]["key-0"] = json!(long(256));
    assert_eq!(post(&registrar, "register", &says).0, StatusCode::CREATED);
}

#[test]
fn hostile_bodies_are_refused_and_change_nothing() {
    let registrar = registrar();
    let deep = |what: &str| [what.repeat(8_000).as_bytes(), b"1"].concat();
    let inside = |value: &[u8]| [br#"{"name":"10.0.0.7:8080","metadata":{"a":"#, value].concat();
    for (body, status) in [
        (Vec::new(), 400),
        (b"null".to_vec(), 422),
        (b"{".to_vec(), 400),
        (b"{}".to_vec(), 422),
        (br#"{"name":"10.0.0.7:8080"} more"#.to_vec(), 400),
        (br#"{"name":"10.0.0.7:8080"}{"name":"10.0.0.8:8080"}"#.to_vec(), 400),
        (br#"{"name":"10.0.0.7:8080","weight":NaN}"#.to_vec(), 400),
        (br#"{"name":"10.0.0.7:8080","weight":Infinity}"#.to_vec(), 400),
        (br#"{"name":"10.0.0.7:8080","weight":1e400}"#.to_vec(), 400),
        (br#"{"name":"10.0.0.7:8080","weight":1e3}"#.to_vec(), 422),
        (br#"{"name":"10.0.0.7:8080","weight":99999999999999999999999999}"#.to_vec(), 422),
        (br#"{"name":"10.0.0.7:8080","weight":01}"#.to_vec(), 400),
        (br#"{"name":"10.0.0.7:8080","name":"10.0.0.8:8080"}"#.to_vec(), 422),
        (br#"{"name":"10.0.0.7:8080","metadata":{"a":"1","a":"2"}}"#.to_vec(), 422),
        (br#"{"name":"10.0.0.7:8080","__proto__":{}}"#.to_vec(), 422),
        (b"{\"name\":\"10.0.0.7:80\xff80\"}".to_vec(), 400),
        (b"\xef\xbb\xbf{\"name\":\"10.0.0.7:8080\"}".to_vec(), 400),
        (br#"{"name":"\ud800"}"#.to_vec(), 400),
        (deep("["), 422),
        (deep(r#"{"a":"#), 413),
        (deep("{"), 400),
        (inside(&deep("[")), 422),
        (inside(&[b'"'; 3]), 400),
        (inside(format!("\"{}\"}}}}", "a".repeat(17_000)).as_bytes()), 413),
        (vec![b' '; 17_000], 413),
        (vec![b' '; 16_384], 400),
    ] {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let reply = bytes(&registrar, "register", &body);
        assert!(reply.1.to_string().len() < 500, "what is told is short: {}", reply.1);
        assert_eq!(refused(reply).0, status, "{shown}");
        let reply = bytes(&registrar, "heartbeat", &body);
        assert!(reply.0.is_client_error(), "{shown}");
    }
    assert_eq!(registrar.registry().snapshot().members().len(), 0);
}

#[test]
fn a_full_registry_says_so_and_takes_who_is_in_it() {
    let registry = Arc::new(Registry::new().with_limit(1));
    let registrar = Registrar::new(registry, |text| text.parse::<SocketAddr>());
    assert_eq!(post(&registrar, "register", &member("a")).0, StatusCode::CREATED);
    let body = member("b").to_string();
    let request = Request::post("/register").header("content-type", "application/json");
    let reply = send(&registrar, request.body(body.as_bytes()).unwrap());
    assert!(reply.headers().contains_key("retry-after"));
    assert_eq!(refused(answer(reply)), (503, "full".to_owned(), Value::Null));
    assert_eq!(post(&registrar, "register", &member("a")).0, StatusCode::CREATED);
}

#[test]
fn leases_are_within_the_limits_that_are_set() {
    let ms = Duration::from_millis;
    let registrar = registrar().leases(ms(10), ms(20), ms(30));
    assert_eq!(post(&registrar, "register", &member("a")).1["lease_ms"], 20);
    for (lease, is_taken) in [(9, false), (10, true), (30, true), (31, false)] {
        let mut says = member("a");
        says["lease_ms"] = json!(lease);
        assert_eq!(post(&registrar, "register", &says).0.is_success(), is_taken, "{lease}");
    }
    let wrong = std::panic::catch_unwind(|| self::registrar().leases(ms(20), ms(10), ms(30)));
    assert!(wrong.is_err());
}
