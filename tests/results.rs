//! What a node may return, what happens to the value, and how it becomes a reply.

use std::convert::Infallible;
use std::io;
use std::num::ParseIntError;
use std::ops::ControlFlow;

use chain::poll::{block_on, suspend};
use chain_runtime::{IntoReply, chain, node};
use http::{HeaderMap, Response, StatusCode};

struct Text(&'static str);
struct Number(u32);
struct Passed(u32);

// ---- one chain in which every kind of result stands

#[node]
fn nothing(text: &Text) {
    let _ = text;
}
#[node]
#[allow(clippy::unused_unit, reason = "written out, it means the same")]
fn unit(text: &Text) -> () {
    let _ = text;
}
#[node]
fn value(text: &Text) -> Number {
    Number(u32::try_from(text.0.len()).unwrap_or(u32::MAX))
}
#[node]
fn result_of_nothing(number: &Number) -> Result<(), Odd> {
    if number.0 == 7 { Err(Odd) } else { Ok(()) }
}
#[node]
fn control_flow_of_nothing(number: &Number) -> ControlFlow<Page> {
    if number.0 == 6 { ControlFlow::Break(Page(6, "known")) } else { ControlFlow::Continue(()) }
}
#[node]
fn control_flow(number: &Number) -> ControlFlow<Odd, Passed> {
    if number.0 == 5 { ControlFlow::Break(Odd) } else { ControlFlow::Continue(Passed(number.0)) }
}
#[node]
fn infallible(_passed: &Passed) -> Result<(), Infallible> {
    Ok(())
}
#[node]
async fn aliased(passed: &Passed) -> io::Result<Opened> {
    suspend(1).await;
    if passed.0 == 4 { Err(io::Error::from(io::ErrorKind::NotFound)) } else { Ok(Opened) }
}
#[node]
fn page(_opened: &Opened, passed: &Passed) -> Page {
    Page(passed.0, "page")
}

struct Odd;
struct Opened;
#[derive(Debug, PartialEq)]
struct Page(u32, &'static str);

impl IntoReply<Page> for Odd {
    fn into_reply(self) -> Page {
        Page(0, "odd")
    }
}
impl IntoReply<Page> for io::Error {
    fn into_reply(self) -> Page {
        Page(0, "io")
    }
}
impl IntoReply<Page> for Infallible {
    fn into_reply(self) -> Page {
        match self {}
    }
}

chain! {
    struct Every;
    async fn(text: Text) -> Page {
        nothing => unit => value => result_of_nothing => control_flow_of_nothing => control_flow => infallible
            => aliased => page
    }
}

#[test]
fn every_kind_of_result_provides_or_breaks() {
    let run = |text| block_on(Every.run(Text(text)));
    assert_eq!(run("123"), Page(3, "page"));
    assert_eq!(run("1234567"), Page(0, "odd"), "Result<(), E>");
    assert_eq!(run("123456"), Page(6, "known"), "ControlFlow<R>, where R is the reply itself");
    assert_eq!(run("12345"), Page(0, "odd"), "ControlFlow<R, T>");
    assert_eq!(run("1234"), Page(0, "io"), "an alias of Result");
}

// ---- a reply that is a Result

#[derive(Debug, PartialEq)]
enum Failure {
    Parse,
    Zero,
}
impl From<ParseIntError> for Failure {
    fn from(_: ParseIntError) -> Self {
        Self::Parse
    }
}

#[node]
fn parse(text: &Text) -> Result<Number, ParseIntError> {
    text.0.parse().map(Number)
}
#[node]
fn not_zero(number: &Number) -> Result<(), Failure> {
    if number.0 == 0 { Err(Failure::Zero) } else { Ok(()) }
}
#[node]
fn cached(number: &Number) -> ControlFlow<Result<u32, Failure>> {
    if number.0 == 1 { ControlFlow::Break(Ok(100)) } else { ControlFlow::Continue(()) }
}
#[node]
fn plain(number: &Number) -> u32 {
    number.0
}
#[node]
fn fallible(number: &Number) -> Result<u32, ParseIntError> {
    if number.0 == 13 { "thirteen".parse() } else { Ok(number.0) }
}

chain! {
    struct Results;
    fn(text: Text) -> Result<u32, Failure> { parse => not_zero => cached => plain }
}
chain! {
    struct LastFails;
    fn(text: Text) -> Result<u32, Failure> { parse => fallible }
}

#[test]
fn where_the_reply_is_a_result_an_error_goes_through_from() {
    assert_eq!(Results.run(Text("21")), Ok(21));
    assert_eq!(Results.run(Text("x")), Err(Failure::Parse));
    assert_eq!(Results.run(Text("0")), Err(Failure::Zero), "the error itself");
    assert_eq!(Results.run(Text("1")), Ok(100), "a ControlFlow breaks with the whole reply");
}

#[test]
fn the_last_node_may_fail_too() {
    assert_eq!(LastFails.run(Text("12")), Ok(12));
    assert_eq!(LastFails.run(Text("13")), Err(Failure::Parse));
}

// ---- nodes that never return

#[node]
fn never(text: &Text) -> ! {
    chain::poll::panic_silently(text.0)
}
#[node]
fn always_breaks(text: &Text) -> Result<Infallible, Odd> {
    let _ = text;
    Err(Odd)
}

chain! {
    struct Never;
    fn(text: Text) -> Page { nothing => never }
}
chain! {
    struct AlwaysBreaks;
    fn(text: Text) -> Page { nothing => always_breaks }
}

#[test]
fn a_node_may_never_return() {
    let panic = std::panic::catch_unwind(|| Never.run(Text("never"))).expect_err("it panics");
    assert_eq!(panic.downcast_ref(), Some(&"never"));
    assert_eq!(AlwaysBreaks.run(Text("")), Page(0, "odd"));
}

// ---- http

#[derive(Debug, Default, PartialEq)]
struct Body(String);
impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self(text.to_owned())
    }
}
impl From<String> for Body {
    fn from(text: String) -> Self {
        Self(text)
    }
}

#[node]
fn by_status(text: &Text) -> Result<(), StatusCode> {
    if text.0 == "status" { Err(StatusCode::FORBIDDEN) } else { Ok(()) }
}
#[node]
fn by_text(text: &Text) -> Result<(), (StatusCode, &'static str)> {
    if text.0 == "text" { Err((StatusCode::NOT_FOUND, "not here")) } else { Ok(()) }
}
#[node]
fn by_string(text: &Text) -> Result<(), (StatusCode, String)> {
    if text.0 == "string" { Err((StatusCode::CONFLICT, format!("no {}", text.0))) } else { Ok(()) }
}
#[node]
fn by_fields(text: &Text) -> Result<(), (StatusCode, HeaderMap)> {
    let mut fields = HeaderMap::new();
    fields.insert("retry-after", http::HeaderValue::from_static("1"));
    if text.0 == "fields" { Err((StatusCode::TOO_MANY_REQUESTS, fields)) } else { Ok(()) }
}
#[node]
fn by_parts(text: &Text) -> Result<(), http::response::Parts> {
    let (parts, ()) = Response::builder().status(410).body(()).expect("a response").into_parts();
    if text.0 == "parts" { Err(parts) } else { Ok(()) }
}
#[node]
#[allow(clippy::result_large_err, reason = "a whole response is large")]
fn by_response(text: &Text) -> Result<(), Response<Body>> {
    if text.0 == "response" { Err(Response::new("early".into())) } else { Ok(()) }
}
#[node]
fn by_nothing(_text: &Text) -> Result<(), Infallible> {
    Ok(())
}
#[node]
fn answer(text: &Text) -> Response<Body> {
    Response::new(text.0.into())
}
#[node]
fn no_content() -> StatusCode {
    StatusCode::NO_CONTENT
}

chain! {
    struct Http;
    fn(text: Text) -> Response<Body> {
        by_status => by_text => by_string => by_fields => by_parts => by_response => by_nothing => answer
    }
}
chain! {
    struct Empty;
    fn() -> Response<Body> { no_content }
}

#[test]
fn what_people_expect_becomes_a_response() {
    let run = |text| {
        let (parts, body) = Http.run(Text(text)).into_parts();
        let plain = parts.headers.get("content-type").is_some_and(|ty| ty == "text/plain; charset=utf-8");
        (parts.status.as_u16(), body.0, plain, parts.headers.contains_key("retry-after"))
    };
    let reply = |status, body: &str, plain, retry| (status, body.to_owned(), plain, retry);
    assert_eq!(run("fine"), reply(200, "fine", false, false));
    assert_eq!(run("status"), reply(403, "", false, false));
    assert_eq!(run("text"), reply(404, "not here", true, false));
    assert_eq!(run("string"), reply(409, "no string", true, false));
    assert_eq!(run("fields"), reply(429, "", false, true));
    assert_eq!(run("parts"), reply(410, "", false, false));
    assert_eq!(run("response"), reply(200, "early", false, false));
    assert_eq!(Empty.run().status(), StatusCode::NO_CONTENT);
}
