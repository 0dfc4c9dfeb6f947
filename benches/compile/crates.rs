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
    /// As `Calls`, where four of the nodes also do something on the way out: each calls the rest by hand.
    HookCalls,
    /// A chain in which four of the nodes are those with `enter` and `exit`.
    Hooks,
    /// As `Calls`, a hundred times in a crate, each in a module.
    ManyCalls,
    /// A hundred chains in a crate, each in a module.
    Many,
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
        _ => false,
    };
    let limit = if nested { "#![recursion_limit = \"1024\"]\n" } else { "" };
    let mut source = format!("{limit}{COMMON}");
    match how {
        How::Empty => source += "fn main() { println!(\"{}\", drive(core::future::ready(Reply(1)))); }\n",
        How::Calls => calls(&mut source, provide, nodes),
        How::Chain => chain(&mut source, provide, nodes),
        How::HookCalls => hook_calls(&mut source, provide, nodes),
        How::Hooks => hooks(&mut source, provide, nodes),
        How::ManyCalls => many(&mut source, calls, provide, nodes),
        How::Many => many(&mut source, chain, provide, nodes),
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

/// The call of a node by hand.
fn call(node: usize, provide: bool, nodes: usize) -> String {
    let awaited = if suspends(node) { ".await" } else { "" };
    let before = node.checked_sub(1).filter(|_| provide).map(|before| format!(", &v{before}")).unwrap_or_default();
    match (node + 1 == nodes, provide) {
        (true, _) => format!("Ok(n{node}(request{before}){awaited})\n"),
        (_, true) => format!("let v{node} = n{node}(request{before}){awaited}?;\n"),
        (_, false) => format!("n{node}(request){awaited}?;\n"),
    }
}

fn calls(source: &mut String, provide: bool, nodes: usize) {
    functions(source, "", provide, nodes);
    *source += "async fn all(request: &mut Request) -> Result<Reply, Refused> {\n";
    for node in 0..nodes {
        *source += &call(node, provide, nodes);
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

/// After which nodes there is one that also does something on the way out.
fn hooked(nodes: usize) -> [usize; 4] {
    core::array::from_fn(|hook| (hook + 1) * nodes / 5)
}

/// The types of these nodes: the same by hand and in a chain, except for the attribute.
fn hook_types(source: &mut String, attribute: &str) {
    for hook in 0..4 {
        *source += &format!(
            "pub struct H{hook}(u64);
            {attribute}impl H{hook} {{
                fn enter(&self, request: &mut Request) -> Result<(), Refused> {{
                    if request.0 == self.0 {{ Err(Refused) }} else {{ request.0 += 1; Ok(()) }}
                }}
                fn exit(&self, reply: &mut Reply) {{ reply.0 += self.0; }}
            }}\n"
        );
    }
}

const HOOKED: &str = "All { h0: H0(6000), h1: H1(6000), h2: H2(6000), h3: H3(6000) }";

fn hook_calls(source: &mut String, provide: bool, nodes: usize) {
    functions(source, "", provide, nodes);
    hook_types(source, "");
    *source += "pub struct All { h0: H0, h1: H1, h2: H2, h3: H3 }\n";
    let hooked = hooked(nodes);
    let mut from = 0_usize;
    for (part, until) in hooked.iter().map(|at| at + 1).chain([nodes]).enumerate() {
        // The value that the node before provides.
        let before = from.checked_sub(1).filter(|_| provide);
        let parameter = before.map(|before| format!(", v{before}: &Value{before}")).unwrap_or_default();
        *source +=
            &format!("async fn part{part}(all: &All, request: &mut Request{parameter}) -> Result<Reply, Refused> {{\n");
        for node in from..until {
            *source += &call(node, provide, nodes);
        }
        if part < 4 {
            let value = if provide { format!(", &v{}", until - 1) } else { String::new() };
            *source += &format!(
                "all.h{part}.enter(request)?;
                let mut reply = match part{}(all, request{value}).await {{
                    Ok(reply) => reply, Err(refused) => chain_runtime::IntoReply::into_reply(refused)
                }};
                all.h{part}.exit(&mut reply);
                Ok(reply)\n",
                part + 1
            );
        }
        *source += "}\n";
        from = until;
    }
    *source += &format!(
        "async fn run(all: &All, request: &mut Request) -> Reply {{
            match part0(all, request).await {{ Ok(reply) => reply, Err(refused) => chain_runtime::IntoReply::into_reply(refused) }}
        }}
        fn main() {{ println!(\"{{}}\", drive(run(&{HOOKED}, &mut Request(5000)))); }}\n"
    );
}

fn hooks(source: &mut String, provide: bool, nodes: usize) {
    functions(source, "#[chain_runtime::node] ", provide, nodes);
    hook_types(source, "#[chain_runtime::node] ");
    let hooked = hooked(nodes);
    let mut row = Vec::new();
    for node in 0..nodes {
        row.push(format!("n{node}"));
        row.extend(hooked.iter().position(|at| *at == node).map(|hook| format!("h{hook}")));
    }
    let row = row.join(" => ");
    *source += &format!(
        "chain_runtime::chain! {{
            pub struct All {{ h0: H0, h1: H1, h2: H2, h3: H3 }}
            async fn<'r>(request: &'r mut Request) -> Reply {{ {row} }}
        }}
        fn main() {{ println!(\"{{}}\", drive({HOOKED}.run(&mut Request(5000)))); }}\n"
    );
}

/// A hundred of them, each in a module.
fn many(source: &mut String, one: fn(&mut String, bool, usize), provide: bool, nodes: usize) {
    for module in 0..100 {
        *source += &format!("pub mod m{module} {{ use super::*;\n");
        one(source, provide, nodes);
        *source += "pub fn start() { main() } }\n";
    }
    let all: String = (0..100).map(|module| format!("m{module}::start();")).collect();
    *source += &format!("fn main() {{ {all} }}\n");
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
