//! `error-handling`: one error type for the application. Its details are logged, and the client is not told.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Json};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post_service;
use chain_runtime::axum::{Request, service};
use chain_runtime::{IntoReply, chain, node};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::served::Served;

/// A library that fails now and then.
#[derive(Default)]
struct Clock {
    asked: AtomicU64,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Timestamp(u64);

#[derive(Debug)]
struct TimeError;

impl Clock {
    /// The first time, and every third time from there, it is out of order.
    fn now(&self) -> Result<Timestamp, TimeError> {
        let asked = self.asked.fetch_add(1, Relaxed);
        if asked.is_multiple_of(3) { Err(TimeError) } else { Ok(Timestamp(1337)) }
    }
}

#[derive(Debug)]
enum AppError {
    Json(JsonRejection),
    Time(TimeError),
}

impl AppError {
    /// What the client hears of it: of the application's own errors, nothing.
    fn told(&self) -> (StatusCode, String) {
        match self {
            Self::Json(rejection) => (rejection.status(), rejection.body_text()),
            Self::Time(TimeError) => (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong".to_owned()),
        }
    }
}

/// The original hands the error to its logging middleware in the response's extensions, by an `Arc`. Here the reply has it.
struct Answer {
    response: Response,
    error: Option<AppError>,
}

impl From<Answer> for Response {
    fn from(answer: Answer) -> Self {
        answer.response
    }
}

impl IntoReply<Answer> for Response {
    fn into_reply(self) -> Answer {
        Answer { response: self, error: None }
    }
}

impl IntoReply<Answer> for AppError {
    fn into_reply(self) -> Answer {
        let (status, message) = self.told();
        let response = (status, Json(json!({ "message": message }))).into_response();
        Answer { response, error: Some(self) }
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn push(&self, error: &AppError) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{error:?}"));
    }
}

#[node]
impl Log {
    fn enter(&self) {}
    /// What the client did wrong is not the application's to log.
    fn exit(&self, reply: &Answer) {
        if let Some(error @ AppError::Time(_)) = &reply.error {
            self.push(error);
        }
    }
}

#[derive(Deserialize)]
struct UserParams {
    name: String,
}

#[derive(Clone, Serialize)]
struct User {
    id: u64,
    name: String,
    created_at: Timestamp,
}

#[node]
async fn params(request: Request) -> Result<UserParams, AppError> {
    Ok(Json::from_request(request, &()).await.map_err(AppError::Json)?.0)
}

struct Id(u64);

/// Before the time is known, so an id is used up where it is not.
#[node]
fn id(users: &Users) -> Id {
    Id(users.next_id.fetch_add(1, Relaxed))
}

#[node]
fn now(clock: &Clock) -> Result<Timestamp, AppError> {
    clock.now().map_err(AppError::Time)
}

#[derive(Default)]
struct Users {
    next_id: AtomicU64,
    by_id: Mutex<HashMap<u64, User>>,
}

#[node]
fn create(params: &UserParams, id: &Id, created_at: &Timestamp, users: &Users) -> Response {
    let user = User { id: id.0, name: params.name.clone(), created_at: *created_at };
    users.by_id.lock().unwrap_or_else(PoisonError::into_inner).insert(id.0, user.clone());
    Json(user).into_response()
}

chain! {
    struct CreateUser { log: Log, clock: Clock, users: Users }
    async fn(request: Request) -> Answer { log => params => id => now => create }
}

/// The same in axum's own words, as the original has it: the error goes by the response's extensions to who logs it.
mod plain {
    use std::sync::Arc;
    use std::sync::atomic::Ordering::Relaxed;

    use axum::extract::rejection::JsonRejection;
    use axum::extract::{Json, Request, State};
    use axum::middleware::{Next, from_fn_with_state};
    use axum::response::{IntoResponse, Response};
    use axum::routing::post;
    use axum::{Extension, Router};
    use serde_json::json;

    use super::{AppError, Clock, Log, User, UserParams, Users};

    impl IntoResponse for AppError {
        fn into_response(self) -> Response {
            let (status, message) = self.told();
            let body = (status, Json(json!({ "message": message })));
            match self {
                Self::Json(_) => body.into_response(),
                Self::Time(_) => (Extension(Arc::new(self)), body).into_response(),
            }
        }
    }

    async fn create(
        State(state): State<Arc<(Clock, Users)>>,
        params: Result<Json<UserParams>, JsonRejection>,
    ) -> Result<Json<User>, AppError> {
        let (clock, users) = &*state;
        let Json(params) = params.map_err(AppError::Json)?;
        let id = users.next_id.fetch_add(1, Relaxed);
        let created_at = clock.now().map_err(AppError::Time)?;
        let user = User { id, name: params.name, created_at };
        users.by_id.lock().expect("nobody panicked").insert(id, user.clone());
        Ok(Json(user))
    }

    async fn log(State(log): State<Log>, request: Request, next: Next) -> Response {
        let response = next.run(request).await;
        if let Some(error) = response.extensions().get::<Arc<AppError>>() {
            log.push(error);
        }
        response
    }

    pub(super) fn app(to: Log) -> Router {
        let state = Arc::new((Clock::default(), Users::default()));
        Router::new().route("/users", post(create)).with_state(state).layer(from_fn_with_state(to, log))
    }
}

fn app(log: Log) -> Router {
    let create = CreateUser { log, clock: Clock::default(), users: Users::default() };
    Router::new().route("/users", post_service(service(Arc::new(create))))
}

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
const ALICE: &str = r#"{"name":"Alice"}"#;

#[tokio::test]
async fn errors_are_json_and_their_details_are_logged_only() {
    let log = Log::default();
    let served = Served::new(app(log.clone())).await;
    let post = async |headers, body: &'static str| {
        let (status, body) = served.ask(Method::POST, "/users", headers, body).await;
        (status, serde_json::from_str::<serde_json::Value>(&body).expect("it is JSON"))
    };
    assert_eq!(post(JSON, ALICE).await, (500, json!({ "message": "Something went wrong" })));
    assert_eq!(post(JSON, ALICE).await, (200, json!({ "id": 1, "name": "Alice", "created_at": 1337 })));
    assert_eq!(
        post(&[], ALICE).await,
        (415, json!({ "message": "Expected request with `Content-Type: application/json`" }))
    );
    let (status, body) = post(JSON, r#"{"username":"Alice"}"#).await;
    assert_eq!(status, 422);
    assert!(body["message"].as_str().is_some_and(|text| text.contains("missing field `name`")), "{body}");
    let user = json!({ "id": 2, "name": "Alice", "created_at": 1337 });
    assert_eq!(post(JSON, ALICE).await, (200, user), "what is no user did not ask for the time, nor for an id");
    assert_eq!(*log.0.lock().expect("nobody panicked"), ["Time(TimeError)"]);
}

#[tokio::test]
async fn it_answers_and_logs_what_the_same_in_axum_does() {
    let (in_chain, in_axum) = (Log::default(), Log::default());
    let (chain, plain) = (Served::new(app(in_chain.clone())).await, Served::new(plain::app(in_axum.clone())).await);
    let asked = [(JSON, ALICE), (JSON, "{"), (&[], ALICE), (JSON, "{}"), (JSON, ALICE)];
    for (round, (headers, body)) in asked.into_iter().cycle().take(30).enumerate() {
        let answer = chain.send(Method::POST, "/users", headers, body).await;
        let twin = plain.send(Method::POST, "/users", headers, body).await;
        assert_eq!((answer.status(), answer.body()), (twin.status(), twin.body()), "{round}: {body}");
        assert_eq!(answer.headers().get("content-type"), twin.headers().get("content-type"), "{round}: {body}");
    }
    assert_eq!(*in_chain.0.lock().expect("nobody panicked"), *in_axum.0.lock().expect("nobody panicked"));
    let is_empty = in_axum.0.lock().expect("nobody panicked").is_empty();
    assert!(!is_empty, "the time was out of order");
}
