//! `rate-limiting`: a number of requests in a period, room to wait for further ones, and a refusal if there is no room.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::routing::get;
use chain_runtime::axum::{Next, Reply, Request, layer, next};
use chain_runtime::tower::Permit;
use chain_runtime::{chain, node};
use tokio::time::Instant;
use tower::buffer::Buffer;
use tower::load_shed::LoadShed;
use tower::load_shed::error::Overloaded;
use tower::{BoxError, ServiceBuilder, ServiceExt, service_fn};

type Refused = (StatusCode, &'static str);

fn refused(error: BoxError) -> Refused {
    if error.is::<Overloaded>() {
        (StatusCode::SERVICE_UNAVAILABLE, "Service overloaded, try again later")
    } else {
        (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong")
    }
}

type Turn = Ready<Result<(), Infallible>>;

/// tower's limit around a service that does nothing: whose call is answered, it is their turn.
struct Turns(LoadShed<Buffer<(), Turn>>);

impl Turns {
    fn new(room: usize, each_second: u64) -> Self {
        let turn = service_fn(|()| -> Turn { ready(Ok(())) });
        let limit = ServiceBuilder::new().load_shed().buffer(room).rate_limit(each_second, Duration::from_secs(1));
        Self(limit.service(turn))
    }
}

#[node]
impl Turns {
    async fn enter(&self) -> Result<(), Refused> {
        Permit::acquire(&self.0).await.map_err(refused)?.call(()).await.map_err(refused)
    }
}

chain! {
    struct Limited { turns: Turns }
    async fn(request: Request, inner: Next) -> Reply { turns => next }
}

fn routes() -> Router {
    let slow = async || {
        tokio::time::sleep(Duration::from_secs(1)).await;
        "This was slow!"
    };
    Router::new().route("/", get(async || "Hello, World!")).route("/slow", get(slow))
}

fn app(room: usize, each_second: u64) -> Router {
    routes().layer(layer(Arc::new(Limited { turns: Turns::new(room, each_second) })))
}

/// The same in axum's and tower's own words, as the original has it, but for `with_state`. Until it is given its state, a route makes its layers, and
/// with them the limit, anew for each call, and `axum::serve` gives it for each connection: without it, no two connections share a limit.
mod plain {
    use std::time::Duration;

    use axum::Router;
    use axum::error_handling::HandleErrorLayer;
    use tower::{BoxError, ServiceBuilder};

    pub(super) fn app(room: usize, each_second: u64) -> Router {
        layered(room, each_second).with_state(())
    }

    pub(super) fn layered(room: usize, each_second: u64) -> Router {
        let limit = ServiceBuilder::new()
            .layer(HandleErrorLayer::new(async |error: BoxError| super::refused(error)))
            .load_shed()
            .buffer(room)
            .rate_limit(each_second, Duration::from_secs(1));
        super::routes().layer(limit)
    }
}

/// Asks for all of these at once: what is answered, and in which millisecond of the paused clock.
async fn ask(app: Router, paths: &[&'static str]) -> Vec<(u128, u16, String)> {
    let begun = Instant::now();
    let answers = paths.iter().map(async |path| {
        let request = Request::get(*path).body(Body::empty()).expect("a request");
        let (head, body) = app.clone().oneshot(request).await.expect("it never fails").into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("the body is whole");
        (begun.elapsed().as_millis(), head.status.as_u16(), String::from_utf8(body.to_vec()).expect("it is text"))
    });
    futures_util::future::join_all(answers).await
}

#[tokio::test(start_paused = true)]
async fn what_is_above_the_limit_waits_for_its_turn() {
    for path in ["/", "/slow"] {
        let answers = ask(app(1024, 5), &[path; 12]).await;
        assert_eq!(answers, ask(plain::app(1024, 5), &[path; 12]).await);
        assert!(answers.iter().all(|(_, status, _)| *status == 200));
        let mut sizes: Vec<_> = answers.chunk_by(|one, other| one.0 == other.0).map(<[_]>::len).collect();
        sizes.sort_unstable();
        assert_eq!(sizes, [2, 5, 5], "twelve of them, five at once");
    }
}

#[tokio::test(start_paused = true)]
async fn what_finds_no_room_to_wait_is_refused() {
    let answers = ask(app(2, 1), &["/"; 6]).await;
    assert_eq!(answers, ask(plain::app(2, 1), &["/"; 6]).await);
    let refused = (0, 503, "Service overloaded, try again later".to_owned());
    assert!(answers.contains(&refused) && answers.iter().any(|(_, status, _)| *status == 200), "{answers:?}");
}

/// axum puts a layer around each route, so tower's limit, which the original calls global, is one for each of them at best.
#[tokio::test(start_paused = true)]
async fn the_limit_is_one_for_all_routes_and_the_originals_one_for_each() {
    let paths = ["/", "/", "/slow", "/slow"];
    let turns = |answers: Vec<(u128, u16, String)>| {
        let begun =
            answers.into_iter().map(|(ended, _, text)| if text == "This was slow!" { ended - 1000 } else { ended });
        begun.filter(|begun| *begun < 1000).count()
    };
    assert_eq!(turns(ask(app(1024, 2), &paths).await), 2);
    assert_eq!(turns(ask(plain::app(1024, 2), &paths).await), 4);
}

#[tokio::test(start_paused = true)]
async fn the_limit_is_one_for_all_connections_and_the_originals_one_for_each() {
    // As `axum::serve` does it for each connection.
    let have_waited = async |app: Router| {
        let begun = Instant::now();
        for _ in 0..3 {
            ask(app.clone().with_state(()), &["/"; 2]).await;
        }
        begun.elapsed() > Duration::ZERO
    };
    assert!(have_waited(app(1024, 2)).await);
    assert!(!have_waited(plain::layered(1024, 2)).await);
}
