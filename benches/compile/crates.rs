//! The crates that are compiled: the same nodes, put together in different ways.
//!
//! Every seventh node suspends once. A node writes to the request and may break; in `provide` it also provides a value of its own
//! type, which the next one reads.

use std::fmt::Write;

/// How the nodes are put together.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum How {
    /// No nodes: the cost that every crate has.
    Empty,
    /// One `async fn` that awaits small ones in a row, with `?`.
    Calls,
    Chain,
    /// A `Service` for each node, with a future written by hand, and the request by value.
    Tower,
    /// A `Service` for each node, whose `call` is an `async fn`, and the request by value.
    Motore,
    /// `middleware::from_fn`, in one `ServiceBuilder`.
    Axum,
}

/// The source of a program of so many nodes.
pub(crate) fn source(how: How, provide: bool, nodes: usize) -> String {
    // At rustc's own limit, nested services of 100 layers do not compile, and those of motore not even with 37 layers.
    // A chain is flat, and needs no more.
    let nested = match how {
        How::Motore => nodes >= 37,
        How::Tower | How::Axum => nodes >= 100,
        How::Empty | How::Calls | How::Chain => false,
    };
    let limit = if nested { "#![recursion_limit = \"1024\"]\n" } else { "" };
    let mut source = format!("{limit}{COMMON}");
    match how {
        How::Empty => source += "fn main() { println!(\"{}\", drive(core::future::ready(Reply(1)))); }\n",
        How::Calls => calls(&mut source, provide, nodes),
        How::Chain => chain(&mut source, provide, nodes),
        How::Tower => tower(&mut source, nodes),
        How::Motore => motore(&mut source, nodes),
        How::Axum => axum(&mut source, nodes),
    }
    source
}

const COMMON: &str = r#"#![allow(dead_code, unused)]
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
pub struct Request(pub u64);
pub struct Reply(pub u64);
pub struct Refused;
impl chain_runtime::IntoReply<Reply> for Refused {
    fn into_reply(self) -> Reply { Reply(0) }
}
pub struct Once(bool);
impl Future for Once {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.0 { Poll::Ready(()) } else { self.0 = true; Poll::Pending }
    }
}
#[inline(never)]
pub fn drive(future: impl Future<Output = Reply>) -> u64 {
    let mut future = core::pin::pin!(future);
    loop {
        if let Poll::Ready(reply) = future.as_mut().poll(&mut Context::from_waker(core::task::Waker::noop())) {
            return reply.0;
        }
    }
}
"#;

fn suspends(node: usize) -> bool {
    node % 7 == 3
}

/// The nodes as functions: the same for `calls` and `chain!`, except for the attribute.
fn functions(source: &mut String, attribute: &str, provide: bool, nodes: usize) {
    for node in 0..nodes {
        let (is_async, once) = if suspends(node) { ("async ", "Once(false).await;") } else { ("", "") };
        let last = node + 1 == nodes;
        let before = node.checked_sub(1).filter(|_| provide);
        let parameter = before.map(|before| format!(", before: &Value{before}")).unwrap_or_default();
        let read = if before.is_some() { " + before.0" } else { "" };
        let line = match (last, provide) {
            (true, _) => {
                format!("fn n{node}(request: &Request{parameter}) -> Reply {{ {once} Reply(request.0{read}) }}")
            }
            (_, true) => format!(
                "fn n{node}(request: &Request{parameter}) -> Result<Value{node}, Refused> {{ {once} if request.0 == {node} {{ \
                 Err(Refused) }} else {{ Ok(Value{node}(request.0{read})) }} }}\npub struct Value{node}(pub u64);"
            ),
            (_, false) => format!(
                "fn n{node}(request: &mut Request) -> Result<(), Refused> {{ {once} if request.0 == {node} {{ Err(Refused) }} \
                 else {{ request.0 += 1; Ok(()) }} }}"
            ),
        };
        writeln!(source, "{attribute}pub {is_async}{line}").expect("a string takes everything");
    }
}

fn calls(source: &mut String, provide: bool, nodes: usize) {
    functions(source, "", provide, nodes);
    *source += "async fn all(request: &mut Request) -> Result<Reply, Refused> {\n";
    for node in 0..nodes {
        let awaited = if suspends(node) { ".await" } else { "" };
        let before = node.checked_sub(1).filter(|_| provide).map(|before| format!(", &v{before}")).unwrap_or_default();
        *source += &match (node + 1 == nodes, provide) {
            (true, _) => format!("Ok(n{node}(request{before}){awaited})\n"),
            (_, true) => format!("let v{node} = n{node}(request{before}){awaited}?;\n"),
            (_, false) => format!("n{node}(request){awaited}?;\n"),
        };
    }
    *source += "}\nasync fn run(request: &mut Request) -> Reply {
        match all(request).await { Ok(reply) => reply, Err(refused) => chain_runtime::IntoReply::into_reply(refused) }
    }
    fn main() { println!(\"{}\", drive(run(&mut Request(5000)))); }\n";
}

fn chain(source: &mut String, provide: bool, nodes: usize) {
    functions(source, "#[chain_runtime::node] ", provide, nodes);
    let row: Vec<_> = (0..nodes).map(|node| format!("n{node}")).collect();
    let row = row.join(" => ");
    *source += &format!(
        "chain_runtime::chain! {{ pub struct All; async fn<'r>(request: &'r mut Request) -> Reply {{ {row} }} }}
        fn main() {{ println!(\"{{}}\", drive(All.run(&mut Request(5000)))); }}\n"
    );
}

fn tower(source: &mut String, nodes: usize) {
    *source += "use core::convert::Infallible; use tower::Service;\n";
    let service = |of: &str| format!("Service<Request, Response = Reply, Error = Infallible>{of}");
    for node in 0..nodes - 1 {
        let inner = service("");
        let body = if suspends(node) {
            format!("F{node}::Paused {{ once: Once(false), request: Some(request), inner: self.0.clone() }}")
        } else {
            format!("F{node}::work(&mut self.0, request)")
        };
        let (paused, poll_paused, clone) = if suspends(node) {
            (
                "Paused { once: Once, request: Option<Request>, inner: S },",
                format!(
                    "P{node}::Paused {{ once, request, inner }} => {{ if Pin::new(once).poll(cx).is_pending() {{ return \
                     Poll::Pending }} let next = F{node}::work(inner, request.take().expect(\"once\")); self.set(next); }}"
                ),
                " + Clone",
            )
        } else {
            ("", String::new(), " + Clone")
        };
        *source += &format!(
            "#[derive(Clone)] pub struct N{node}<S>(S);
impl<S: {inner}{clone}> Service<Request> for N{node}<S> {{
    type Response = Reply; type Error = Infallible; type Future = F{node}<S>;
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {{ self.0.poll_ready(cx) }}
    fn call(&mut self, request: Request) -> F{node}<S> {{ {body} }}
}}
pin_project_lite::pin_project! {{ #[project = P{node}] pub enum F{node}<S> where S: Service<Request> {{
    {paused} Inner {{ #[pin] inner_call: S::Future }}, Refused {{ reply: Option<Reply> }} }} }}
impl<S: {inner}> F{node}<S> {{
    fn work(inner: &mut S, mut request: Request) -> Self {{
        if request.0 == {node} {{ return F{node}::Refused {{ reply: Some(Reply(0)) }} }}
        request.0 += 1;
        F{node}::Inner {{ inner_call: inner.call(request) }}
    }}
}}
impl<S: {inner}> Future for F{node}<S> {{
    type Output = Result<Reply, Infallible>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {{ loop {{ match self.as_mut().project() {{
        {poll_paused}
        P{node}::Inner {{ inner_call }} => return inner_call.poll(cx),
        P{node}::Refused {{ reply }} => return Poll::Ready(Ok(reply.take().expect(\"once\"))),
    }} }} }}
}}\n"
        );
    }
    *source += "#[derive(Clone)] pub struct Last;
impl Service<Request> for Last {
    type Response = Reply; type Error = Infallible; type Future = core::future::Ready<Result<Reply, Infallible>>;
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> { Poll::Ready(Ok(())) }
    fn call(&mut self, request: Request) -> Self::Future { core::future::ready(Ok(Reply(request.0))) }
}
fn main() {
    let mut all = tower::ServiceBuilder::new()";
    for node in 0..nodes - 1 {
        *source += &format!(".layer(tower::layer::layer_fn(N{node}))");
    }
    *source += ".service(Last);
    println!(\"{}\", drive(async move { match all.call(Request(5000)).await { Ok(reply) => reply, Err(never) => match never {} } }));
}\n";
}

fn motore(source: &mut String, nodes: usize) {
    *source += "use core::convert::Infallible; use motore::Service;\n";
    for node in 0..nodes - 1 {
        let once = if suspends(node) { "Once(false).await;" } else { "" };
        *source += &format!(
            "pub struct N{node}<S>(S);
impl<S: Service<(), Request, Response = Reply, Error = Infallible> + Sync> Service<(), Request> for N{node}<S> {{
    type Response = Reply; type Error = Infallible;
    async fn call(&self, cx: &mut (), mut request: Request) -> Result<Reply, Infallible> {{ {once}
        if request.0 == {node} {{ return Ok(Reply(0)) }}
        request.0 += 1;
        self.0.call(cx, request).await
    }}
}}\n"
        );
    }
    *source += "pub struct Last;
impl Service<(), Request> for Last {
    type Response = Reply; type Error = Infallible;
    async fn call(&self, _: &mut (), request: Request) -> Result<Reply, Infallible> { Ok(Reply(request.0)) }
}
fn main() {
    let all = motore::builder::ServiceBuilder::new()";
    for node in 0..nodes - 1 {
        *source += &format!(".layer(motore::layer::layer_fn(N{node}))");
    }
    *source += ".service(Last);
    println!(\"{}\", drive(async move { match all.call(&mut (), Request(5000)).await { Ok(reply) => reply, Err(never) => match never {} } }));
}\n";
}

fn axum(source: &mut String, nodes: usize) {
    *source += "use axum::middleware::{from_fn, Next}; use axum::response::{IntoResponse, Response};
impl IntoResponse for Refused { fn into_response(self) -> Response { axum::http::StatusCode::FORBIDDEN.into_response() } }
#[derive(Clone, Copy)] struct State(u64);\n";
    for node in 0..nodes - 1 {
        let once = if suspends(node) { "Once(false).await;" } else { "" };
        *source += &format!(
            "async fn n{node}(mut request: axum::extract::Request, next: Next) -> Result<Response, Refused> {{ {once}
    let state = request.extensions_mut().get_or_insert(State(5000));
    if state.0 == {node} {{ return Err(Refused) }}
    state.0 += 1;
    Ok(next.run(request).await)
}}\n"
        );
    }
    *source += "async fn last() -> &'static str { \"ok\" }
fn main() {
    let all = axum::Router::new().route(\"/\", axum::routing::get(last)).layer(tower::ServiceBuilder::new()";
    for node in 0..nodes - 1 {
        *source += &format!(".layer(from_fn(n{node}))");
    }
    *source += ");
    println!(\"{}\", drive(async move {
        let reply = tower::ServiceExt::oneshot(all, axum::http::Request::new(axum::body::Body::empty())).await;
        Reply(reply.map_or(0, |reply| reply.status().as_u16().into()))
    }));
}\n";
}
