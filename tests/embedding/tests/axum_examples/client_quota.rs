//! A quota for each client, by the address that the proxy in front states. axum has no example of its own for it.
//! People use tower_governor, and these are its answers.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderName, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chain_runtime::axum::{Next, Reply, Request, layer, next};
use chain_runtime::{chain, node};
use governor::clock::{Clock as _, FakeRelativeClock};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use crate::served::{Served, told};

/// The clock is the test's.
type Limiter = RateLimiter<IpAddr, DefaultKeyedStateStore<IpAddr>, FakeRelativeClock, NoOpMiddleware<Nanos>>;

struct Client(IpAddr);

#[node]
fn client(request: &Request) -> Result<Client, (StatusCode, &'static str)> {
    let field = request.headers().get("x-forwarded-for").and_then(|field| field.to_str().ok());
    let address = field.and_then(|field| field.split(',').find_map(|address| address.trim().parse().ok()));
    address.map(Client).ok_or((StatusCode::INTERNAL_SERVER_ERROR, "Unable To Extract Key!"))
}

/// How many seconds to wait.
struct TooMany(u64);

impl IntoResponse for TooMany {
    fn into_response(self) -> Response {
        let after = self.0.to_string();
        let headers = [(RETRY_AFTER, after.clone()), (HeaderName::from_static("x-ratelimit-after"), after)];
        (StatusCode::TOO_MANY_REQUESTS, headers, format!("Too Many Requests! Wait for {}s", self.0)).into_response()
    }
}

#[node]
fn quota(client: &Client, limiter: &Arc<Limiter>, clock: &FakeRelativeClock) -> Result<(), TooMany> {
    limiter.check_key(&client.0).map_err(|refused| TooMany(refused.wait_time_from(clock.now()).as_secs()))
}

chain! {
    /// That `quota` stands after `client`, the compiler sees to.
    struct Limited { limiter: Arc<Limiter>, clock: FakeRelativeClock }
    async fn(request: Request, inner: Next) -> Reply { client => quota => next }
}

#[tokio::test]
async fn each_client_has_a_quota_of_its_own_and_is_told_when_to_come_back() {
    let clock = FakeRelativeClock::default();
    let quota = Quota::with_period(Duration::from_secs(4)).expect("it is not zero");
    let quota = quota.allow_burst(NonZeroU32::new(2).expect("it is not zero"));
    let limiter = Arc::new(Limiter::new(quota, DefaultKeyedStateStore::default(), clock.clone()));
    let limited = Limited { limiter, clock: clock.clone() };
    let app = Router::new().route("/", get(async || "Hello, World!")).layer(layer(Arc::new(limited)));
    let served = Served::new(app).await;
    let ask = async |client| served.ask(Method::GET, "/", &[("x-forwarded-for", client)], "").await;
    for _ in 0..2 {
        assert_eq!(ask("10.0.0.1").await, told(200, "Hello, World!"));
    }
    let refused = served.send(Method::GET, "/", &[("x-forwarded-for", "10.0.0.1, 10.0.0.9")], "").await;
    assert_eq!((refused.status().as_u16(), &refused.body()[..]), (429, &b"Too Many Requests! Wait for 4s"[..]));
    assert_eq!(
        (&refused.headers()["retry-after"], &refused.headers()["x-ratelimit-after"]),
        (&"4".parse().unwrap(), &"4".parse().unwrap())
    );
    assert_eq!(ask("10.0.0.2").await.0, 200, "another client");
    clock.advance(Duration::from_secs(4));
    assert_eq!(ask("10.0.0.1").await.0, 200);
    assert_eq!(ask("10.0.0.1").await.0, 429);
    assert_eq!(served.get("/").await, told(500, "Unable To Extract Key!"));
}
