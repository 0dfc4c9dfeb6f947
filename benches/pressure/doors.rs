//! The kinds of admission, in process, each in front of the same service.

use std::sync::Arc;
use std::time::Duration;

use chain_runtime::around::{Concurrency, Overloaded, Wait};
use chain_runtime::pressure::{Adaptive, ByPriority, Priority, TurnedAway, Vegas};
use chain_runtime::{IntoReply, chain, node};
use little_loadshedder::{LoadShed as Little, LoadShedResponse};
use tower::limit::ConcurrencyLimit;
use tower::load_shed::LoadShed;
use tower::{ServiceBuilder, ServiceExt as _, service_fn};

use crate::plan::{Class, Reply};
use crate::service::{Service, share};

/// One request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub number: u64,
    pub class: Class,
}

/// What they are called in the tables, in process and on loopback. The limits are for as many workers as there are.
pub(crate) const NAMES: [&str; 8] = [
    "no admission",
    "Concurrency, as many as workers",
    "Concurrency, as many wait",
    "Concurrency, 8 times too many",
    "tower: load_shed, concurrency_limit",
    "little-loadshedder",
    "Adaptive, Vegas",
    "Adaptive, Gradient2",
];

pub(crate) trait Door: Clone + Send + Sync + 'static {
    fn ask(&self, request: Request) -> impl Future<Output = Reply> + Send;
}

impl IntoReply<Reply> for TurnedAway {
    fn into_reply(self) -> Reply {
        Reply::TurnedAway
    }
}

impl IntoReply<Reply> for Overloaded {
    fn into_reply(self) -> Reply {
        Reply::TurnedAway
    }
}

#[node]
async fn serve(request: &Request, service: &Arc<Service>) -> Reply {
    service.serve(share(request.number)).await;
    Reply::Served
}

chain! {
    struct Open { service: Arc<Service> }
    async fn(request: Request) -> Reply { serve }
}

chain! {
    struct Fixed { limit: Concurrency, service: Arc<Service> }
    async fn(request: Request) -> Reply { limit { serve } }
}

chain! {
    struct Waits { limit: Concurrency<Wait>, service: Arc<Service> }
    async fn(request: Request) -> Reply { limit { serve } }
}

#[node]
fn priority(request: &Request) -> Priority {
    request.class.priority()
}

chain! {
    struct ByVegas { limit: Adaptive<ByPriority, Vegas>, service: Arc<Service> }
    async fn(request: Request) -> Reply { priority => limit { serve } }
}

chain! {
    struct ByGradient { limit: Adaptive<ByPriority>, service: Arc<Service> }
    async fn(request: Request) -> Reply { priority => limit { serve } }
}

macro_rules! doors {
    ($($chain:ident)*) => {$(
        impl Door for Arc<$chain> {
            async fn ask(&self, request: Request) -> Reply {
                self.run(request).await
            }
        }
    )*};
}

doors! { Open Fixed Waits ByVegas ByGradient }

/// Nobody is turned away.
pub(crate) fn open(service: Arc<Service>) -> impl Door {
    Arc::new(Open { service })
}

/// So many at once, and no more.
pub(crate) fn fixed(service: Arc<Service>, limit: usize) -> impl Door {
    Arc::new(Fixed { limit: Concurrency::shed(limit), service })
}

/// So many at once, and as many that wait for as long as one takes.
pub(crate) fn waits(service: Arc<Service>, limit: usize, patience: Duration) -> impl Door {
    Arc::new(Waits { limit: Concurrency::wait(limit, patience).queue(limit), service })
}

/// As many as it finds out, by a queue that is estimated.
pub(crate) fn vegas(service: Arc<Service>) -> impl Door {
    Arc::new(ByVegas { limit: Adaptive::new(Vegas::new()), service })
}

/// As many as it finds out, with nothing said.
pub(crate) fn gradient(service: Arc<Service>) -> impl Door {
    Arc::new(ByGradient { limit: Adaptive::default(), service })
}

/// A service of tower's, made of a closure that is copied.
#[derive(Clone)]
struct Tower<S>(S);

type Never = std::convert::Infallible;

/// `load_shed` before `concurrency_limit`.
pub(crate) fn tower(service: Arc<Service>, limit: usize) -> impl Door {
    let serve = service_fn(move |request: Request| {
        let service = Arc::clone(&service);
        async move {
            service.serve(share(request.number)).await;
            Ok::<_, Never>(())
        }
    });
    Tower(ServiceBuilder::new().load_shed().concurrency_limit(limit).service(serve))
}

impl<S> Door for Tower<LoadShed<ConcurrencyLimit<S>>>
where
    S: tower::Service<Request, Response = (), Error = Never, Future: Send> + Clone + Send + Sync + 'static,
{
    async fn ask(&self, request: Request) -> Reply {
        match self.0.clone().oneshot(request).await {
            Ok(()) => Reply::Served,
            Err(_) => Reply::TurnedAway,
        }
    }
}

/// little-loadshedder, told what the latency shall be.
pub(crate) fn little(service: Arc<Service>, target: Duration) -> impl Door {
    let serve = service_fn(move |request: Request| {
        let service = Arc::clone(&service);
        async move {
            service.serve(share(request.number)).await;
            Ok::<_, Never>(())
        }
    });
    // Its documentation's own parameter.
    Tower(Little::new(serve, 0.01, target))
}

impl<S> Door for Tower<Little<S>>
where
    S: tower::Service<Request, Response = (), Error = Never, Future: Send> + Clone + Send + Sync + 'static,
{
    async fn ask(&self, request: Request) -> Reply {
        match self.0.clone().oneshot(request).await {
            Ok(LoadShedResponse::Inner(())) => Reply::Served,
            Ok(LoadShedResponse::Overload) => Reply::TurnedAway,
            Err(never) => match never {},
        }
    }
}
