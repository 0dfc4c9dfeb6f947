//! [`TraceContexts`]: the node.

use core::num::NonZeroU32;

use http::request::Parts;
use http::{HeaderName, HeaderValue};

use super::{TraceContext, handed, state};
use crate::node;
use crate::nodes::Reply;

const PARENT: HeaderName = HeaderName::from_static("traceparent");
const STATE: HeaderName = HeaderName::from_static("tracestate");

/// The node that makes a request belong to a trace: to the one that its `traceparent` names, or to a new one.
///
/// ```
/// use chain_runtime::telemetry::{Meter, TraceContext, TraceContexts};
/// use chain_runtime::{chain, node};
/// use http::{Request, Response, request::Parts};
///
/// #[node]
/// fn forward(trace: &TraceContext, request: &Parts) -> Response<String> {
///     // An upstream gets this.
///     assert_eq!(request.headers["traceparent"], trace.to_string());
///     Response::new(String::new())
/// }
///
/// chain! {
///     #[observe(meter)]
///     struct Site { meter: Meter, traces: TraceContexts }
///     fn(request: Parts) -> Response<String> { traces => forward }
/// }
///
/// let site = Site { meter: Meter::of(Site::CHAIN), traces: TraceContexts::new() };
/// let came = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// site.run(Request::get("/").header("traceparent", came).body(()).unwrap().into_parts().0);
/// let kept = &site.meter.kept().slowest[0];
/// assert_eq!(kept.trace.unwrap().trace.to_string(), "0af7651916cd43dd8448eb211c80319c");
/// assert_eq!((kept.method, kept.status), (Some("GET"), Some(200)));
/// ```
///
/// A `traceparent` that is malformed, or comes twice, begins a new trace, and the `tracestate` is removed. If only the
/// `tracestate` is malformed, only that is removed. If both are in order, the request keeps its `tracestate`, and gets
/// a `traceparent` in which this run is the parent, for the next service.
///
/// A [`Meter`](super::super::Meter) of the same chain hears the run's trace, the request's method and the reply's
/// status, and stores these with the runs that it keeps. It needs the node as a field of this type, not wrapped in
/// another node.
///
/// A new trace is sampled as [`samples`](Self::samples) says. A new trace costs two random numbers, and the memory of a
/// field.
#[derive(Clone, Debug, Default)]
pub struct TraceContexts {
    one_in: Option<NonZeroU32>,
    distrusts: bool,
}

impl TraceContexts {
    /// Continues received traces, and samples none of those that begin here.
    #[must_use]
    pub const fn new() -> Self {
        Self { one_in: None, distrusts: false }
    }

    /// Marks one in so many of the traces that begin here as sampled. The next services then record it as well.
    #[must_use]
    pub const fn samples(mut self, one_in: NonZeroU32) -> Self {
        self.one_in = Some(one_in);
        self
    }

    /// Begins a new trace for each request, whatever it contains: for clients that should not decide what is recorded.
    #[must_use]
    pub const fn distrusts(mut self) -> Self {
        self.distrusts = true;
        self
    }

    fn came(&self, request: &Parts) -> Option<TraceContext> {
        let mut said = request.headers.get_all(&PARENT).iter();
        match (said.next(), said.next()) {
            (Some(one), None) if !self.distrusts => one.to_str().ok()?.parse().ok(),
            _ => None,
        }
    }
}

#[node(crate = crate)]
impl TraceContexts {
    /// Provides the request's place in the trace, and puts it on the request.
    pub fn enter(&self, request: &mut Parts) -> TraceContext {
        let context = self.came(request);
        if context.is_none() || !state::is_well_formed(request.headers.get_all(&STATE)) {
            request.headers.remove(&STATE);
        }
        let samples = || self.one_in.is_some_and(|one_in| fastrand::u32(..one_in.get()) == 0);
        let context = context.unwrap_or_else(|| TraceContext::begin(samples()));
        // The field is plain ASCII, so this cannot fail.
        if let Ok(field) = HeaderValue::from_bytes(&context.to_field()) {
            request.headers.insert(PARENT, field);
        }
        handed::enters(context, request.method.as_str());
        context
    }

    /// Tells the observer the reply's status.
    pub fn exit<R: Reply>(&self, reply: &mut R) {
        handed::leaves(reply.status().as_u16());
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    const CAME: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn after(node: &TraceContexts, fields: &[(&str, &str)]) -> (TraceContext, Parts) {
        let request = fields.iter().fold(Request::get("/"), |request, (name, value)| request.header(*name, *value));
        let mut request = request.body(()).expect("a request").into_parts().0;
        (node.enter(&mut request), request)
    }

    #[test]
    fn a_trace_goes_on_with_its_state() {
        let (context, request) = after(
            &TraceContexts::new(),
            &[("traceparent", CAME), ("tracestate", "a=1,b@c=2"), ("tracestate", " ,d/e=3 x")],
        );
        assert_eq!(context.parent.map(super::super::SpanId::get), Some(0xb7ad_6b71_6920_3331));
        assert_eq!(request.headers["traceparent"].as_bytes(), context.to_field());
        assert_eq!(request.headers.get_all("tracestate").iter().count(), 2);
    }

    #[test]
    fn what_is_malformed_begins_a_trace_and_has_no_state() {
        for fields in [
            &[("traceparent", "00-0"), ("tracestate", "a=1")] as &[_],
            &[("traceparent", CAME), ("traceparent", CAME), ("tracestate", "a=1")],
            &[("tracestate", "a=1")],
        ] {
            let (context, request) = after(&TraceContexts::new(), fields);
            assert_eq!((context.parent, context.is_sampled), (None, false));
            assert!(!request.headers.contains_key("tracestate"));
            assert_eq!(request.headers["traceparent"].as_bytes(), context.to_field());
        }
        let always = TraceContexts::new().samples(NonZeroU32::MIN);
        assert!(after(&always, &[]).0.is_sampled);
        assert_eq!(after(&always.distrusts(), &[("traceparent", CAME)]).0.parent, None);
    }

    #[test]
    fn a_malformed_state_goes_alone() {
        let many = "a=1,".repeat(33);
        for state in ["a", "A=1", "=1", "a=", "a=1,a=2", "a=b=c", "@b=1", "a@=1", "a@9=1", &many] {
            let (context, request) = after(&TraceContexts::new(), &[("traceparent", CAME), ("tracestate", state)]);
            assert!(context.parent.is_some());
            assert!(!request.headers.contains_key("tracestate"), "{state}");
        }
    }
}
