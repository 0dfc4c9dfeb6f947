//! Each request has one id, all the way.

use chain_nodes_tests::head;
use chain_runtime::nodes::request_id::{RequestId, RequestIds};
use chain_runtime::{chain, node};
use http::request::Parts;
use http::{HeaderName, Response, StatusCode};

#[node]
fn mirror(request: &Parts, id: &RequestId) -> Response<String> {
    let ids: Vec<_> = request.headers.get_all("x-request-id").iter().collect();
    assert_eq!(ids, [id.value()], "the request has it, once");
    Response::new(id.as_str().to_owned())
}

chain! {
    struct Mirror { ids: RequestIds }
    fn(request: Parts) -> Response<String> { ids => mirror }
}

#[node]
fn refuse() -> Result<(), StatusCode> {
    Err(StatusCode::FORBIDDEN)
}

chain! {
    struct Refusing { ids: RequestIds }
    fn(request: Parts) -> Response<String> { ids => refuse => mirror }
}

fn told(ids: RequestIds, fields: &[(&str, &str)]) -> String {
    let reply = Mirror { ids }.run(head(fields));
    assert_eq!(reply.headers()["x-request-id"], **reply.body());
    reply.into_body()
}

#[test]
fn an_id_that_is_plain_is_taken_over() {
    let longest = "a".repeat(64);
    for id in ["abc", "A-b_c.9", &longest] {
        assert_eq!(told(RequestIds::new(), &[("x-request-id", id)]), id);
    }
}

#[test]
fn any_other_is_replaced() {
    let long = "a".repeat(65);
    for fields in [
        &[][..],
        &[("x-request-id", "")],
        &[("x-request-id", &*long)],
        &[("x-request-id", "a b")],
        &[("x-request-id", "a\" outcome=\"done")],
        &[("x-request-id", "é")],
        &[("x-request-id", "a"), ("x-request-id", "b")],
    ] {
        assert_eq!(told(RequestIds::with_run(1), fields), "00000001-000001", "{fields:?}");
    }
    assert_eq!(told(RequestIds::with_run(1).own_only(), &[("x-request-id", "abc")]), "00000001-000001");
}

#[test]
fn ids_are_counted_and_differ_from_run_to_run() {
    let ids = RequestIds::with_run(0xabc);
    assert_eq!(ids.make().as_str(), "00000abc-000001");
    assert_eq!(ids.make().as_str(), "00000abc-000002");
    let (one, other) = (RequestIds::new().make(), RequestIds::new().make());
    assert_ne!(one, other);
}

#[test]
fn ids_that_are_kept_stay_what_they_were() {
    let ids = RequestIds::with_run(0);
    let kept: Vec<_> = (0..1_000).map(|_| ids.make()).collect();
    for (at, id) in kept.iter().enumerate() {
        assert_eq!(id.as_str(), format!("00000000-{:06x}", at + 1));
    }
}

#[test]
fn who_is_refused_is_told_the_id_as_well() {
    let reply = Refusing { ids: RequestIds::new() }.run(head(&[("x-request-id", "abc")]));
    assert_eq!(reply.status(), 403);
    assert_eq!(reply.headers()["x-request-id"], "abc");
}

#[test]
fn the_field_can_have_another_name() {
    let ids = RequestIds::new().field(HeaderName::from_static("x-correlation-id"));
    let mut request = head(&[("x-correlation-id", "abc")]);
    assert_eq!(ids.enter(&mut request).as_str(), "abc");
}
