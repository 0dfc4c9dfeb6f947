//! Which requests pass the gateway's authentication.

use base64_url as b64;
use http::StatusCode;
use jsonwebtoken::{Algorithm, EncodingKey, Header, get_current_timestamp};
use processes::client::{Answer, Client};
use processes::upstream::mirror;
use serde_json::{Value, json};

use crate::process::{ALICE, BOB, Gateway, SECRET, file};

fn claims() -> Value {
    json!({ "sub": "carol", "aud": "gateway", "exp": get_current_timestamp() + 60 })
}

fn with(changes: Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().expect("an object") {
        claims[name] = value.clone();
    }
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().expect("an object").remove(name);
    claims
}

fn sign(algorithm: Algorithm, claims: &Value, secret: &[u8]) -> String {
    let key = EncodingKey::from_secret(secret);
    jsonwebtoken::encode(&Header::new(algorithm), claims, &key).expect("a token")
}

async fn show(client: &Client, token: &str) -> Answer {
    client.get("/", &[("authorization", &format!("Bearer {token}"))]).await
}

#[tokio::test]
async fn an_api_key_lets_its_user_through() {
    let gateway = Gateway::start(&[mirror().await], &[]).await;
    let client = Client::new(gateway.address);
    for (key, user) in [(ALICE, "alice"), (BOB, "bob")] {
        let answer = client.get("/", &[("x-api-key", key)]).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.text.contains(&format!("x-forwarded-user: {user}\n")), "{}", answer.text);
    }
    for key in ["", "alice", "alice-0123456788", "alice-01234567890"] {
        assert_eq!(client.get("/", &[("x-api-key", key)]).await.status, StatusCode::UNAUTHORIZED, "{key:?}");
    }
}

#[tokio::test]
async fn a_token_lets_its_subject_through() {
    let gateway = Gateway::start(&[mirror().await], &[]).await;
    let client = Client::new(gateway.address);
    let answer = show(&client, &sign(Algorithm::HS256, &claims(), SECRET)).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.text.contains("x-forwarded-user: carol\n"), "{}", answer.text);
    let several = with(json!({ "aud": ["elsewhere", "gateway"] }));
    assert_eq!(show(&client, &sign(Algorithm::HS256, &several, SECRET)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn nobody_is_asked_for_credentials_and_told_how() {
    let gateway = Gateway::start(&[mirror().await], &[]).await;
    let client = Client::new(gateway.address);
    let answer = client.get("/", &[]).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.header("www-authenticate"), Some(r#"Bearer realm="gateway""#));
    let basic = client.get("/", &[("authorization", "Basic YWxpY2U6YWxpY2U=")]).await;
    assert_eq!(basic.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_with_anything_wrong_is_refused() {
    let gateway = Gateway::start(&[mirror().await], &[]).await;
    let client = Client::new(gateway.address);
    let good = sign(Algorithm::HS256, &claims(), SECRET);
    let (signed, _) = good.rsplit_once('.').expect("three parts");
    let unsigned = format!("{}.{}.", b64::encode(r#"{"alg":"none","typ":"JWT"}"#), b64::encode(&claims().to_string()));
    let now = get_current_timestamp();
    let hs256 = |claims: Value| sign(Algorithm::HS256, &claims, SECRET);
    for (wrong, token) in [
        ("expired", hs256(with(json!({ "exp": now - 60 })))),
        ("not valid yet", hs256(with(json!({ "nbf": now + 60 })))),
        ("for another audience", hs256(with(json!({ "aud": "elsewhere" })))),
        ("without an expiry", hs256(without("exp"))),
        ("without an audience", hs256(without("aud"))),
        ("without a subject", hs256(without("sub"))),
        ("unsigned, and saying so", unsigned),
        ("unsigned", format!("{signed}.")),
        ("signed by another algorithm", sign(Algorithm::HS512, &claims(), SECRET)),
        ("signed with another secret", sign(Algorithm::HS256, &claims(), b"another secret of thirty-two bytes")),
        ("no token", "not.a.token".to_owned()),
        ("empty", String::new()),
    ] {
        let answer = show(&client, &token).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{wrong}");
        let challenge = answer.header("www-authenticate").expect("a challenge");
        assert!(challenge.starts_with("Bearer realm="), "{wrong}: {challenge}");
    }
    let two = [("authorization", format!("Bearer {good}")), ("authorization", "Bearer other".to_owned())];
    let two = two.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(client.get("/", &two).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(show(&client, &good).await.status, StatusCode::OK);
}

/// The key pair of RFC 8037, appendix A.
const PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const PRIVATE: [u8; 32] = [
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5,
    0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
];

#[tokio::test]
async fn a_token_is_checked_with_the_key_it_names_by_that_keys_algorithm() {
    let jwks = json!({ "keys": [
        { "kty": "OKP", "crv": "Ed25519", "kid": "first", "alg": "EdDSA", "x": PUBLIC },
        { "kty": "EC", "crv": "P-256", "kid": "second",
          "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM" },
    ] });
    let file = file("jwks", jwks.to_string().as_bytes());
    let upstream = format!("http://{}", mirror().await);
    let gateway = Gateway::start_with(&["--jwks-file", &file, "--upstream", &upstream]).await;
    let client = Client::new(gateway.address);

    // The shell of PKCS #8 (RFC 8410, 7) around the private key.
    let mut der = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
    der.extend(PRIVATE);
    let signed = |id: Option<&str>| {
        let header = Header { kid: id.map(str::to_owned), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_ed_der(&der)).expect("a token")
    };
    let confused = {
        let header = Header { kid: Some("first".to_owned()), ..Header::new(Algorithm::HS256) };
        let public = b64::decode(PUBLIC);
        jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_secret(&public)).expect("a token")
    };
    assert_eq!(show(&client, &signed(Some("first"))).await.status, StatusCode::OK);
    for (wrong, token) in [
        ("names no key", signed(None)),
        ("names another key", signed(Some("second"))),
        ("names an unknown key", signed(Some("third"))),
        ("takes the public key for a secret", confused),
    ] {
        assert_eq!(show(&client, &token).await.status, StatusCode::UNAUTHORIZED, "{wrong}");
    }
    let by_key = client.get("/", &[("x-api-key", ALICE)]).await;
    assert_eq!(by_key.status, StatusCode::UNAUTHORIZED, "no API keys were given");
}

/// Base64 as JWTs have it, which is too little for a dependency.
mod base64_url {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    pub(super) fn encode(text: &str) -> String {
        let mut out = String::new();
        for three in text.as_bytes().chunks(3) {
            let bits = three.iter().fold(0u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - three.len()));
            for at in 0..=three.len() {
                out.push(char::from(LETTERS[(bits >> (18 - 6 * at)) as usize & 63]));
            }
        }
        out
    }

    pub(super) fn decode(text: &str) -> Vec<u8> {
        let (mut bits, mut held, mut out) = (0u32, 0, Vec::new());
        for byte in text.bytes() {
            let value = LETTERS.iter().position(|&letter| letter == byte).expect("base64url");
            bits = bits << 6 | value as u32;
            held += 6;
            if held >= 8 {
                held -= 8;
                out.push((bits >> held) as u8);
            }
        }
        out
    }
}
