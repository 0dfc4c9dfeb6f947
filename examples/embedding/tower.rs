//! A chain in a stack of tower's: as a layer around a service, behind tower's own layers, and with a service as one of its nodes.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use chain_runtime::tower::{Call, Permit, service, try_layer};
use chain_runtime::{IntoReply, chain, node};
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt, service_fn};

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) user: &'static str,
    pub(crate) seconds: u64,
}

struct User(&'static str);

#[node]
fn auth(request: &Request) -> Result<User, BoxError> {
    if request.user == "eve" { Err("who is there?".into()) } else { Ok(User(request.user)) }
}

/// The inner service behind the guard; it could be any service. Its readiness comes with the request, as a permit for
/// one call.
type Inner = BoxCloneSyncService<Request, String, BoxError>;

#[node]
async fn next(request: Request, user: &User, inner: Permit<Inner, Request>) -> Result<String, BoxError> {
    Ok(format!("{}: {}", user.0, inner.call(request).await?))
}

chain! {
    /// A layer: its reply is a `Result`, so the service that it makes can fail.
    pub(crate) struct Guard;
    async fn(request: Request, inner: Permit<Inner, Request>) -> Result<String, BoxError> { auth => next }
}

#[node]
fn seen(request: &Request) {
    println!("  behind the guard: {request:?}");
}

chain! {
    /// A chain whose last node is a service, here one behind tower's own time limit.
    pub(crate) struct Backend<S: Service<Request, Response = String, Error = Failed> + Clone> {
        upstream: Call<S, Request>,
    }
    async fn(request: Request) -> String { seen => upstream }
}

pub(crate) struct Failed(BoxError);

impl IntoReply<String> for Failed {
    fn into_reply(self) -> String {
        format!("the upstream failed: {}", self.0)
    }
}

pub(crate) fn stack() -> impl Service<Request, Response = String, Error = BoxError, Future: Send> + Clone {
    let upstream = service_fn(async |request: Request| {
        tokio::time::sleep(Duration::from_secs(request.seconds)).await;
        Ok::<_, Infallible>("served".to_owned())
    });
    let upstream = ServiceBuilder::new().map_err(Failed).timeout(Duration::from_secs(2)).service(upstream);
    let backend = service(Arc::new(Backend { upstream: Call::new(upstream) })).map_err(BoxError::from);
    let guard = try_layer(Arc::new(Guard));
    ServiceBuilder::new().load_shed().concurrency_limit(10).layer(guard).service(BoxCloneSyncService::new(backend))
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    for (user, seconds) in [("ada", 1), ("ada", 60), ("eve", 1)] {
        println!("{user}, {seconds} s: {:?}", stack().oneshot(Request { user, seconds }).await);
    }
}
