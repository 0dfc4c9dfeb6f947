//! `error-handling`: one error type for the application, whose details are logged and not told.

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
    /// Every third time it is out of order.
    fn now(&self) -> Result<Timestamp, TimeError> {
        let asked = self.asked.fetch_add(1, Relaxed) + 1;
        if asked.is_multiple_of(3) { Err(TimeError) } else { Ok(Timestamp(1337)) }
    }
}

#[derive(Debug)]
enum AppError {
    Json(JsonRejection),
    Time(TimeError),
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
        let (status, message) = match &self {
            Self::Json(rejection) => (rejection.status(), rejection.body_text()),
            Self::Time(TimeError) => (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong".to_owned()),
        };
        let response = (status, Json(json!({ "message": message }))).into_response();
        Answer { response, error: Some(self) }
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

#[node]
impl Log {
    fn enter(&self) {}
    fn exit(&self, reply: &Answer) {
        if let Some(error) = &reply.error {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{error:?}"));
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
fn create(params: &UserParams, created_at: &Timestamp, users: &Users) -> Response {
    let id = users.next_id.fetch_add(1, Relaxed);
    let user = User { id, name: params.name.clone(), created_at: *created_at };
    users.by_id.lock().unwrap_or_else(PoisonError::into_inner).insert(id, user.clone());
    Json(user).into_response()
}

chain! {
    struct CreateUser { log: Log, clock: Clock, users: Users }
    async fn(request: Request) -> Answer { log => params => now => create }
}

#[tokio::test]
async fn errors_are_json_and_their_details_are_logged_only() {
    let log = Log::default();
    let create = CreateUser { log: log.clone(), clock: Clock::default(), users: Users::default() };
    let served = Served::new(Router::new().route("/users", post_service(service(Arc::new(create))))).await;
    let json = &[("content-type", "application/json")];
    let post = async |headers, body: &'static str| {
        let (status, body) = served.ask(Method::POST, "/users", headers, body).await;
        (status, serde_json::from_str::<serde_json::Value>(&body).expect("it is JSON"))
    };
    let good = r#"{"name":"Alice"}"#;
    assert_eq!(post(json, good).await, (200, json!({ "id": 0, "name": "Alice", "created_at": 1337 })));
    assert_eq!(post(json, good).await, (200, json!({ "id": 1, "name": "Alice", "created_at": 1337 })));
    assert_eq!(post(json, good).await, (500, json!({ "message": "Something went wrong" })));
    assert_eq!(
        post(&[], good).await,
        (415, json!({ "message": "Expected request with `Content-Type: application/json`" }))
    );
    let (status, body) = post(json, "{").await;
    assert_eq!(status, 400);
    assert!(body["message"].as_str().is_some_and(|text| text.starts_with("Failed to parse the request body as JSON")));
    let (status, body) = post(json, r#"{"username":"Alice"}"#).await;
    assert_eq!(status, 422);
    assert!(body["message"].as_str().is_some_and(|text| text.contains("missing field `name`")), "{body}");
    assert_eq!(post(json, good).await.0, 200, "what is no user did not ask for the time");

    let logged = log.0.lock().expect("nobody panicked");
    let logged: Vec<_> = logged.iter().map(|line| line.split_once('(').expect("a variant").0).collect();
    assert_eq!(logged, ["Time", "Json", "Json", "Json"]);
}
