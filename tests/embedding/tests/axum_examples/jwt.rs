//! `jwt`: a token in exchange for credentials, and a route for clients that have one.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Json;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get_service, post_service};
use chain_runtime::axum::{Reply, handler, service};
use chain_runtime::{chain, node};
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::served::{Served, told};

struct Keys {
    encoding: EncodingKey,
    decoding: DecodingKey,
}

#[derive(Deserialize, Serialize)]
struct Claims {
    sub: String,
    company: String,
    exp: usize,
}

impl fmt::Display for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Email: {}\nCompany: {}", self.sub, self.company)
    }
}

#[derive(Deserialize)]
struct Credentials {
    client_id: String,
    client_secret: String,
}

enum AuthError {
    WrongCredentials,
    MissingCredentials,
    TokenCreation,
    InvalidToken,
}

impl IntoResponse for AuthError {
    fn into_response(self) -> Response {
        let (status, error) = match self {
            Self::WrongCredentials => (StatusCode::UNAUTHORIZED, "Wrong credentials"),
            Self::MissingCredentials => (StatusCode::BAD_REQUEST, "Missing credentials"),
            Self::TokenCreation => (StatusCode::INTERNAL_SERVER_ERROR, "Token creation error"),
            Self::InvalidToken => (StatusCode::BAD_REQUEST, "Invalid token"),
        };
        (status, Json(json!({ "error": error }))).into_response()
    }
}

/// In the original an extractor with the keys in a global.
#[node]
fn claims(head: &Parts, keys: &Arc<Keys>) -> Result<Claims, AuthError> {
    let field = head.headers.get("authorization").and_then(|field| field.to_str().ok());
    let token = field.and_then(|field| field.strip_prefix("Bearer ")).ok_or(AuthError::InvalidToken)?;
    let token = decode::<Claims>(token, &keys.decoding, &Validation::default());
    Ok(token.map_err(|_| AuthError::InvalidToken)?.claims)
}

#[node]
fn protected(claims: &Claims) -> String {
    format!("Welcome to the protected area :)\nYour data:\n{claims}")
}

chain! {
    struct Protected { keys: Arc<Keys> }
    async fn(head: Parts, body: Body) -> Reply { claims => protected }
}

/// Breaks where the credentials are not those of the one who is known.
#[node]
fn check(credentials: &Json<Credentials>) -> Result<(), AuthError> {
    match (credentials.client_id.as_str(), credentials.client_secret.as_str()) {
        ("", _) | (_, "") => Err(AuthError::MissingCredentials),
        ("foo", "bar") => Ok(()),
        _ => Err(AuthError::WrongCredentials),
    }
}

#[node]
fn issue(keys: &Arc<Keys>) -> Result<Json<serde_json::Value>, AuthError> {
    let claims = Claims { sub: "b@b.com".to_owned(), company: "ACME".to_owned(), exp: 10_000_000_000 };
    let token = encode(&Header::default(), &claims, &keys.encoding).map_err(|_| AuthError::TokenCreation)?;
    Ok(Json(json!({ "access_token": token, "token_type": "Bearer" })))
}

chain! {
    struct Authorize { keys: Arc<Keys> }
    async fn(credentials: Json<Credentials>) -> Reply { check => issue }
}

fn app(secret: &[u8]) -> Router {
    let keys = Keys { encoding: EncodingKey::from_secret(secret), decoding: DecodingKey::from_secret(secret) };
    let keys = Arc::new(keys);
    Router::new()
        .route("/protected", get_service(service(Arc::new(Protected { keys: Arc::clone(&keys) }))))
        .route("/authorize", post_service(handler(Arc::new(Authorize { keys }))))
}

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
const WELCOME: &str = "Welcome to the protected area :)\nYour data:\nEmail: b@b.com\nCompany: ACME";

#[tokio::test]
async fn a_token_is_given_for_credentials_and_opens_the_protected_area() {
    let served = Served::new(app(b"secret")).await;
    let good = r#"{"client_id":"foo","client_secret":"bar"}"#;
    let (status, body) = served.ask(Method::POST, "/authorize", JSON, good).await;
    let body: serde_json::Value = serde_json::from_str(&body).expect("it is JSON");
    assert_eq!((status, &body["token_type"]), (200, &json!("Bearer")));
    let bearer = format!("Bearer {}", body["access_token"].as_str().expect("it is a text"));
    let answer = served.ask(Method::GET, "/protected", &[("authorization", &bearer)], "").await;
    assert_eq!(answer, told(200, WELCOME));
}

#[tokio::test]
async fn the_token_that_the_original_documents_is_accepted() {
    let served = Served::new(app(b"secret")).await;
    let bearer = "Bearer eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJiQGIuY29tIiwiY29tcGFueSI6IkFDTUUiLCJleHAiOjEwMDAwMDAwMDAwfQ.\
                  M3LAZmrzUkXDC1q5mSzFAs_kJrwuKz3jOoDmjJ0G4gM";
    let answer = served.ask(Method::GET, "/protected", &[("authorization", bearer)], "").await;
    assert_eq!(answer, told(200, WELCOME));
    let other = Served::new(app(b"another secret")).await;
    let answer = other.ask(Method::GET, "/protected", &[("authorization", bearer)], "").await;
    assert_eq!(answer, told(400, r#"{"error":"Invalid token"}"#));
}

#[tokio::test]
async fn what_is_wrong_is_said_as_the_original_says_it() {
    let served = Served::new(app(b"secret")).await;
    for (body, status, error) in [
        (r#"{"client_id":"foo","client_secret":""}"#, 400, "Missing credentials"),
        (r#"{"client_id":"","client_secret":"bar"}"#, 400, "Missing credentials"),
        (r#"{"client_id":"foo","client_secret":"foo"}"#, 401, "Wrong credentials"),
    ] {
        let answer = served.ask(Method::POST, "/authorize", JSON, body).await;
        assert_eq!(answer, (status, json!({ "error": error }).to_string()));
    }
    assert_eq!(served.ask(Method::POST, "/authorize", &[], "{}").await.0, 415, "the extractor's own");
    assert_eq!(served.ask(Method::POST, "/authorize", JSON, "{").await.0, 400);
    assert_eq!(served.ask(Method::POST, "/authorize", JSON, "{}").await.0, 422);
    for headers in [&[][..], &[("authorization", "Bearer blahblahblah")], &[("authorization", "Basic Zm9vOmJhcg==")]] {
        let answer = served.ask(Method::GET, "/protected", headers, "").await;
        assert_eq!(answer, told(400, r#"{"error":"Invalid token"}"#));
    }
}
