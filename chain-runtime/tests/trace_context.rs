//! A received trace goes on to the upstream, through the forwarding node.
#![cfg(all(feature = "proxy", feature = "trace-context"))]

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use chain_runtime::chain;
use chain_runtime::proxy::server::Server;
use chain_runtime::proxy::{Body, Client, Forward, Rotation};
use chain_runtime::telemetry::{Meter, TraceContexts};
use http::request::Parts;
use http::{HeaderMap, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

chain! {
    #[observe(meter)]
    struct Proxy { meter: Meter, traces: TraceContexts, forward: Forward<Rotation, Full<Bytes>> }

    async fn(request: Parts, body: Full<Bytes>, client: Client) -> Response<Body> { traces => forward }
}

const CAME: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[tokio::test]
async fn an_upstream_is_told_the_trace_and_the_run_that_asks_it() {
    let asked = Arc::new(Mutex::new(Vec::<HeaderMap>::new()));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = listener.local_addr().expect("its address");
    let (stop, stopped) = oneshot::channel::<()>();
    let seen = asked.clone();
    let upstream = tokio::spawn(async move {
        let answer = move |request: Request<Incoming>, _| {
            seen.lock().expect("no panic").push(request.headers().clone());
            async { Response::new(Full::new(Bytes::from("ok"))) }
        };
        Server::default().serve(listener, answer, async { drop(stopped.await) }).await
    });

    let proxy = Proxy {
        meter: Meter::of(Proxy::CHAIN),
        traces: TraceContexts::new(),
        forward: Forward::new(Rotation::new([format!("http://{at}").parse().expect("a URL")]), Default::default()),
    };
    let run = async |fields: &[(&str, &str)]| {
        let request = fields
            .iter()
            .fold(Request::get("/").header("host", "a"), |request, (name, value)| request.header(*name, *value));
        let head = request.body(()).expect("a request").into_parts().0;
        let reply = proxy.run(head, Full::default(), Client::at(([127, 0, 0, 1], 1).into())).await;
        assert_eq!(reply.status(), 200);
        asked.lock().expect("no panic").pop().expect("it was asked")
    };

    let sent = run(&[("traceparent", CAME), ("tracestate", "vendor=1")]).await;
    let kept = proxy.meter.kept().slowest[0].trace.expect("the run knows its trace");
    assert_eq!(sent["traceparent"], kept.to_string(), "this run is the parent of what the upstream does");
    assert_eq!(kept.trace.to_string(), "0af7651916cd43dd8448eb211c80319c");
    assert_ne!(sent["traceparent"], CAME);
    assert_eq!(sent["tracestate"], "vendor=1");

    let sent = run(&[("traceparent", "00-zz-zz-01"), ("tracestate", "vendor=1")]).await;
    assert_eq!(sent["traceparent"].len(), CAME.len(), "what is malformed begins a new trace");
    assert!(!sent.contains_key("tracestate"));

    drop(stop);
    drop(proxy);
    upstream.await.expect("no panic");
}
