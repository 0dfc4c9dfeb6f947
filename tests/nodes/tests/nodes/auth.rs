//! Which requests pass, as which user, and what refused clients are told.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use chain_nodes_tests::head;
use chain_runtime::nodes::User;
use chain_runtime::nodes::auth::{ApiKeys, Auth, Tokens, Unauthorized};
use chain_runtime::{chain, node};
use http::request::Parts;
use http::{HeaderName, Response};
use jsonwebtoken::{Algorithm, EncodingKey, Header, get_current_timestamp};
use serde_json::{Value, json};

const SECRET: &[u8] = b"a secret that has thirty-two bytes";
const ALICE: &str = "alice-0123456789";
const BOB: &str = "bob---0123456789";

#[node]
fn greet(user: &User) -> Response<String> {
    Response::new(user.to_string())
}

chain! {
    struct Greeting { auth: Auth }
    fn(request: Parts) -> Response<String> { auth => greet }
}

fn tokens() -> Tokens {
    Tokens::from_secret(SECRET).expect("long enough").audience("gateway")
}

fn keys() -> ApiKeys {
    ApiKeys::new([("alice", ALICE), ("bob", BOB)]).expect("good keys")
}

fn both() -> Auth {
    Auth::new("gateway").tokens(tokens()).api_keys(keys())
}

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

/// Signs these very texts by HS256.
fn sign_texts(head: &str, claims: &str) -> String {
    let message = format!("{}.{}", BASE64.encode(head), BASE64.encode(claims));
    let key = EncodingKey::from_secret(SECRET);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).expect("a signature");
    format!("{message}.{signature}")
}

fn sign(claims: &Value) -> String {
    sign_texts(r#"{"alg":"HS256","typ":"JWT"}"#, &claims.to_string())
}

fn show(auth: &Auth, token: &str) -> Result<User, Unauthorized> {
    auth.user(&head(&[("authorization", &format!("Bearer {token}"))]))
}

fn code(refused: &Result<User, Unauthorized>) -> &'static str {
    refused.as_ref().map_or_else(Unauthorized::code, |_| "let through")
}

#[test]
fn a_key_lets_its_owner_through_and_nobody_else() {
    let auth = both();
    for (key, user) in [(ALICE, "alice"), (BOB, "bob")] {
        assert_eq!(auth.user(&head(&[("x-api-key", key)])).expect("known").name(), user);
    }
    for key in ["", "alice", "alice-0123456788", "alice-01234567890", "alice-012345678"] {
        assert_eq!(code(&auth.user(&head(&[("x-api-key", key)]))), "key-unknown", "{key:?}");
    }
}

#[test]
fn a_token_lets_its_subject_through() {
    let auth = both();
    assert_eq!(show(&auth, &sign(&claims())).expect("known").name(), "carol");
    let several = with(json!({ "aud": ["elsewhere", "gateway"] }));
    assert_eq!(show(&auth, &sign(&several)).expect("known").name(), "carol");
    let odd = auth.user(&head(&[("authorization", &format!("bEARER   {}  ", sign(&claims())))]));
    assert_eq!(odd.expect("the scheme's case does not matter").name(), "carol");
    let jose = with(json!({ "sub": "José María" }));
    assert_eq!(show(&auth, &sign(&jose)).expect("known").name(), "José María");
}

#[test]
fn a_token_with_anything_wrong_is_refused() {
    let auth = both();
    let good = sign(&claims());
    let (signed, _) = good.rsplit_once('.').expect("three parts");
    let unsigned = format!("{}.{}.", BASE64.encode(r#"{"alg":"none"}"#), BASE64.encode(claims().to_string()));
    let hs512 = jsonwebtoken::encode(&Header::new(Algorithm::HS512), &claims(), &EncodingKey::from_secret(SECRET));
    let other = EncodingKey::from_secret(b"another secret of thirty-two bytes");
    let now = get_current_timestamp();
    for (wrong, token) in [
        ("not valid yet", sign(&with(json!({ "nbf": now + 60 })))),
        ("for another audience", sign(&with(json!({ "aud": "elsewhere" })))),
        ("for no readable audience", sign(&with(json!({ "aud": 5 })))),
        ("without an expiry", sign(&without("exp"))),
        ("with an expiry that is no number", sign(&with(json!({ "exp": "tomorrow" })))),
        ("with a start that is no number", sign(&with(json!({ "nbf": "today" })))),
        ("without an audience", sign(&without("aud"))),
        ("without a subject", sign(&without("sub"))),
        ("unsigned, and saying so", unsigned),
        ("unsigned", format!("{signed}.")),
        ("cut", good[..good.len() - 1].to_owned()),
        ("of two parts", signed.to_owned()),
        ("of four parts", format!("{good}.x")),
        ("signed by another algorithm", hs512.expect("a token")),
        ("signed with another secret", jsonwebtoken::encode(&Header::default(), &claims(), &other).expect("a token")),
        ("no token", "not.a.token".to_owned()),
        ("empty", String::new()),
        ("too long", sign(&with(json!({ "padding": "x".repeat(8 * 1024) })))),
        (
            "with a claim twice",
            sign_texts(r#"{"alg":"HS256"}"#, &format!(r#"{{"sub":"root",{}"#, &claims().to_string()[1..])),
        ),
    ] {
        assert_eq!(code(&show(&auth, &token)), "token-invalid", "{wrong}");
    }
    assert_eq!(code(&show(&auth, &sign(&with(json!({ "exp": now - 60 }))))), "token-expired");
    assert!(show(&auth, &good).is_ok());
}

#[test]
fn an_extension_that_is_not_understood_is_refused() {
    let auth = both();
    for head in [
        r#"{"alg":"HS256","crit":["x"],"x":1}"#,
        r#"{"alg":"HS256","crit":["exp"],"exp":1}"#,
        r#"{"alg":"HS256","crit":["b64"],"b64":true}"#,
        r#"{"alg":"HS256","crit":["b64"],"b64":false}"#,
        r#"{"alg":"HS256","b64":false}"#,
        r#"{"alg":"HS256","crit":[]}"#,
        r#"{"alg":"HS256","crit":null}"#,
        r#"{"alg":"HS256","crit":"x"}"#,
        r#"{"alg":"HS256","cr\u0069t":["x"],"x":1}"#,
    ] {
        assert_eq!(code(&show(&auth, &sign_texts(head, &claims().to_string()))), "token-invalid", "{head}");
    }
    let harmless = r#"{"alg":"HS256","typ":"at+jwt","x":1}"#;
    assert!(show(&auth, &sign_texts(harmless, &claims().to_string())).is_ok());
}

#[test]
fn a_subject_that_is_no_name_is_refused() {
    let auth = both();
    let long = "a".repeat(256);
    for subject in [
        "",
        " root",
        "root ",
        " ",
        "a\nb",
        "a\r\nx: y",
        "a\0b",
        "a\tb",
        "\u{7f}",
        "a\u{85}b",
        "a\u{202e}b",
        "\u{200b}",
        "\u{a0}a",
        &long,
    ] {
        assert_eq!(code(&show(&auth, &sign(&with(json!({ "sub": subject }))))), "token-invalid", "{subject:?}");
        assert!(ApiKeys::new([(subject, ALICE)]).is_err(), "{subject:?}");
    }
    for subject in [json!(5), json!(null), json!(["carol"])] {
        assert_eq!(code(&show(&auth, &sign(&with(json!({ "sub": subject }))))), "token-invalid", "{subject}");
    }
    let longest = "a".repeat(255);
    assert_eq!(show(&auth, &sign(&with(json!({ "sub": longest })))).expect("known").name(), longest);
}

#[test]
fn two_credentials_are_refused() {
    let auth = both();
    let bearer = format!("Bearer {}", sign(&claims()));
    for fields in [
        &[("authorization", &*bearer), ("authorization", "Bearer other")][..],
        &[("authorization", &bearer), ("authorization", &bearer)],
        &[("authorization", &bearer), ("x-api-key", ALICE)],
        &[("authorization", "Basic YWxpY2U6YWxpY2U="), ("x-api-key", ALICE)],
        &[("x-api-key", ALICE), ("x-api-key", BOB)],
    ] {
        assert_eq!(code(&auth.user(&head(fields))), "credentials-ambiguous", "{fields:?}");
    }
}

#[test]
fn only_the_fields_of_what_is_accepted_are_looked_at() {
    let auth = Auth::new("gateway").api_keys_in(HeaderName::from_static("x-key"), keys());
    let fields = [("authorization", "Basic YWxpY2U6YWxpY2U="), ("x-key", ALICE), ("x-api-key", BOB)];
    assert_eq!(auth.user(&head(&fields)).expect("known").name(), "alice");
    assert_eq!(auth.fields().collect::<Vec<_>>(), ["x-key"]);
    let auth = Auth::new("gateway").tokens_in(HeaderName::from_static("x-token"), tokens());
    let token = format!("Bearer {}", sign(&claims()));
    assert_eq!(auth.user(&head(&[("x-token", &token), ("x-api-key", BOB)])).expect("known").name(), "carol");
    assert_eq!(code(&auth.user(&head(&[("authorization", &token)]))), "credentials-missing");
}

#[test]
fn who_is_refused_is_told_how_to_come_in() {
    let greeting = Greeting { auth: both() };
    let challenge = |fields: &[(&str, &str)]| {
        let reply = greeting.run(head(fields));
        assert_eq!(reply.status(), 401);
        reply.headers()["www-authenticate"].to_str().expect("a text").to_owned()
    };
    assert_eq!(challenge(&[]), r#"Bearer realm="gateway""#);
    assert_eq!(challenge(&[("authorization", "Basic YWxpY2U6YWxpY2U=")]), r#"Bearer realm="gateway""#);
    assert_eq!(challenge(&[("x-api-key", "guessed")]), r#"Bearer realm="gateway""#);
    let invalid = r#"Bearer realm="gateway", error="invalid_token""#;
    assert_eq!(challenge(&[("authorization", "Bearer x")]), invalid);
    let ambiguous = r#"Bearer realm="gateway", error="invalid_request""#;
    assert_eq!(challenge(&[("authorization", "Bearer x"), ("x-api-key", ALICE)]), ambiguous);
    assert_eq!(greeting.run(head(&[("x-api-key", ALICE)])).body(), "alice");
}

#[test]
fn an_issuer_and_no_audience_are_held_to() {
    let auth = Auth::new("r").tokens(Tokens::from_secret(SECRET).expect("long enough").issuer("https://login"));
    let good = json!({ "sub": "carol", "iss": "https://login", "exp": get_current_timestamp() + 60 });
    assert!(show(&auth, &sign(&good)).is_ok());
    for changed in
        [json!({ "iss": "https://other" }), json!({ "iss": null }), json!({ "aud": "elsewhere" }), json!({ "aud": 5 })]
    {
        let mut claims = good.clone();
        claims.as_object_mut().expect("an object").extend(changed.as_object().expect("an object").clone());
        assert_eq!(code(&show(&auth, &sign(&claims))), "token-invalid", "{changed}");
    }
}

/// The key pair of RFC 8037, appendix A.
const PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const PRIVATE: [u8; 32] = [
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5,
    0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
];
const X: &str = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4";
const Y: &str = "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM";

#[test]
fn a_token_is_checked_with_the_key_it_names_by_that_keys_algorithm() {
    let jwks = json!({ "keys": [
        { "kty": "OKP", "crv": "Ed25519", "kid": "first", "alg": "EdDSA", "x": PUBLIC },
        { "kty": "EC", "crv": "P-256", "kid": "second", "x": X, "y": Y },
        // None of these can be used, and none is in the way.
        { "kty": "EC", "crv": "P-256", "kid": "encrypts", "use": "enc", "x": X, "y": Y },
        { "kty": "oct", "kid": "secret", "k": BASE64.encode(SECRET) },
        { "kty": "EC", "crv": "P-256", "kid": "says another curve", "alg": "ES384", "x": X, "y": Y },
        { "kty": "new", "kid": "unknown" },
    ] });
    let auth = Auth::new("r").tokens(Tokens::from_jwks(&jwks.to_string()).expect("a set").audience("gateway"));
    // The shell of PKCS #8 (RFC 8410, 7) around the private key.
    let mut der = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
    der.extend(PRIVATE);
    let signed = |id: Option<&str>| {
        let header = Header { kid: id.map(str::to_owned), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_ed_der(&der)).expect("a token")
    };
    let hmac = |id: &str, secret: &[u8]| {
        let header = Header { kid: Some(id.to_owned()), ..Header::new(Algorithm::HS256) };
        jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_secret(secret)).expect("a token")
    };
    assert_eq!(show(&auth, &signed(Some("first"))).expect("known").name(), "carol");
    for (wrong, token) in [
        ("names no key", signed(None)),
        ("names another key", signed(Some("second"))),
        ("names an unknown key", signed(Some("third"))),
        ("takes the public key for a secret", hmac("first", &BASE64.decode(PUBLIC).expect("base64"))),
        ("takes a secret of the set", hmac("secret", SECRET)),
    ] {
        assert_eq!(code(&show(&auth, &token)), "token-invalid", "{wrong}");
    }
}

#[test]
fn keys_that_cannot_be_used_are_refused_when_they_are_read() {
    let key = |id: &str| json!({ "kty": "OKP", "crv": "Ed25519", "kid": id, "x": PUBLIC });
    let nameless = json!({ "kty": "OKP", "crv": "Ed25519", "x": PUBLIC });
    for (wrong, set) in [
        ("no set", json!([])),
        ("empty", json!({ "keys": [] })),
        ("two of one name", json!({ "keys": [key("a"), key("a")] })),
        ("one of two without a name", json!({ "keys": [key("a"), nameless] })),
        ("only a secret", json!({ "keys": [{ "kty": "oct", "k": "AAAA" }] })),
        ("not base64", json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": "!" }] })),
    ] {
        assert!(Tokens::from_jwks(&set.to_string()).is_err(), "{wrong}");
    }
    assert!(Tokens::from_jwks(&json!({ "keys": [nameless] }).to_string()).is_ok(), "the only one needs no name");
    assert!(Tokens::from_secret(b"thirty-one bytes are too little").is_err());
}

#[test]
fn the_list_of_keys_is_read_line_by_line_and_a_key_has_one_owner() {
    let keys = ApiKeys::read(&format!("\n# ours\nalice {ALICE}  # old\nalice alice-abcdefghij\n  bob\t{BOB}\r\n"))
        .expect("good");
    assert_eq!(keys.len(), 3);
    assert_eq!(keys.owner(b"alice-abcdefghij").map(User::name), Some("alice"));
    for (line, text) in [
        (2, format!("alice {ALICE}\nbob {ALICE}")),
        (2, format!("alice {ALICE}\nalice {ALICE}")),
        (1, "alice".to_owned()),
        (1, format!("alice {ALICE} more")),
        (1, "alice too-short".to_owned()),
        (1, "alice sixteen-letters-é".to_owned()),
        (1, format!("al\u{202e}ice {ALICE}")),
        (0, "# nothing\n".to_owned()),
    ] {
        assert_eq!(ApiKeys::read(&text).map(|_| ()).map_err(|bad| bad.line()), Err(line), "{text:?}");
    }
}

#[test]
fn no_key_is_shown_by_debug_or_by_an_error() {
    let shown = format!("{:?}", both());
    assert!(shown.contains("alice"), "{shown}");
    let errors = [
        ApiKeys::read(&format!("alice {ALICE}\nbob {ALICE}")).expect_err("twice").to_string(),
        ApiKeys::read("alice short-0123").expect_err("short").to_string(),
    ];
    for text in [&shown, &errors[0], &errors[1]] {
        assert!(!text.contains("0123") && !text.contains("secret that"), "{text}");
        assert!(!text.contains("97, 108, 105"), "as bytes: {text}");
    }
}
