//! Flags that are wrong, or ask for something that is not there: one clear line on stderr that names the flag, and exit
//! code 2.

use http::StatusCode;
use processes::client::Client;

use crate::process::{Gateway, fails_in, fails_with, file};

#[tokio::test]
async fn an_address_in_use_is_one_line_and_exit_code_2() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    for (flag, flags) in
        [("--listen", &["--listen", &address][..]), ("--admin", &["--listen", "127.0.0.1:0", "--admin", &address])]
    {
        let (code, stderr) = fails_with(flags).await;
        assert_eq!(code, Some(2));
        assert_eq!(stderr, in_use(flag, &address));
    }
}

fn in_use(flag: &str, address: &str) -> String {
    let way_out = "the address is in use: name another one, or port 0 for any that is free";
    format!("gateway: {flag}: cannot listen on {address}: {way_out}\n")
}

/// The kernel would let both listen, since each has several sockets at its address.
#[tokio::test]
async fn the_address_of_another_gateway_is_in_use() {
    let first = Gateway::start(&[], &["--upstream", "http://127.0.0.1:1", "--workers", "3"]).await;
    for workers in ["1", "3"] {
        let (code, stderr) =
            fails_with(&["--listen", &first.address.to_string(), "--admin", "off", "--workers", workers]).await;
        assert_eq!(code, Some(2));
        assert_eq!(stderr, in_use("--listen", &first.address.to_string()));
    }
}

/// What was asked for wrongly is said before anything is begun.
#[tokio::test]
async fn what_pressure_is_asked_of_is_checked_before_it_listens() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    for wrong in [["--memory-limit", "0"], ["--pressure-cgroup", "/no/such/directory"]] {
        let (code, stderr) = fails_with(&[&["--listen", &address], &wrong[..]].concat()).await;
        assert_eq!((code, stderr.contains(wrong[0])), (Some(2), true), "{stderr}");
    }
}

#[tokio::test]
async fn what_is_asked_for_wrongly_is_one_line_that_says_so() {
    let short = file("short", b"too short\n");
    let binary = file("binary", &[0xff; 40]);
    let not_json = file("not-json", b"hello");
    let no_keys = file("no-keys", br#"{"keys":[]}"#);
    let symmetric = file("symmetric", br#"{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}"#);
    let confused = file("confused", br#"{"keys":[{"kty":"RSA","alg":"HS256","n":"AQAB","e":"AQAB"}]}"#);
    let bad_keys = file("bad-keys", b"# users\nalice\n");
    let weak_key = file("weak-key", b"alice 1234\n");
    let weak_token = file("weak-token", b"a short one\n");
    let empty = file("empty", b"\n# nothing\n");
    for (flags, says) in [
        (&["--listen", "here"][..], "address:port is wanted"),
        (&["--listen", "127.0.0.1:99999"], "address:port is wanted"),
        (&["--upstream", "localhost"], "http://host:port is wanted"),
        (&["--upstream", "https://example.com"], "http and h2c are spoken"),
        (&["--name", "a b"], "a name of letters"),
        (&["--upstream", "http://example.com/path"], "without a path"),
        (&["--upstream", "http://user@example.com"], "without a path, a query or a user"),
        (&["--upstream", "http://"], "http://host:port is wanted"),
        (&["--upstream", "::"], "http://host:port is wanted"),
        (&["--upstream", "http://127.0.0.1:99999"], "with a port from 1 to 65535"),
        (&["--upstream", "http://example.com:0"], "with a port from 1 to 65535"),
        (&["--otlp", "http://127.0.0.1:99999"], "http://host:port is wanted"),
        (&["--upstream", "/api"], "behind a prefix, =http://host:port is wanted"),
        (&["--upstream", "/a b=http://127.0.0.1:1"], "a path such as /pay is wanted"),
        (&["--upstream", "http://127.0.0.1:1*0"], "`0` is no weight"),
        (&["--upstream", "http://127.0.0.1:1,http://127.0.0.1:1*2"], "http://127.0.0.1:1 is in the group / twice"),
        (&["--check", "health"], "a path such as /health is wanted"),
        (&["--redis", "here"], "--redis"),
        (&["--redis", "127.0.0.1"], "redis://host:port is wanted"),
        (&["--redis-away", "perhaps"], "share, closed or open is wanted"),
        (&["--gateways", "0"], "a whole number from 1 to 4294967295 is wanted"),
        (&["--gateways", "3"], "add --redis, or leave this out"),
        (&["--redis-away", "closed"], "add --redis, or leave this out"),
        (&["--workers", "0"], "a whole number from 1 to 1024 is wanted"),
        (&["--workers", "-1"], "a whole number from 1 to 1024 is wanted"),
        (&["--workers", "1025"], "a whole number from 1 to 1024 is wanted"),
        (&["--config", "/no/such/file"], "/no/such/file: No such file"),
        (&["--admin", "here"], "address:port is wanted, or off"),
        (&["--admin", "0.0.0.0:0"], "needs a token: add --admin-token-file"),
        (&["--admin", "[::]:0"], "needs a token"),
        (&["--admin-token-file", "/no/such/file"], "/no/such/file: No such file"),
        (&["--admin-token-file", &weak_token], "at least 16"),
        (&["--otlp", "here"], "http://host:port is wanted"),
        (&["--otlp", "https://127.0.0.1:4318"], "http://host:port is wanted"),
        (&["--otlp", "http://127.0.0.1:4318/v1/traces"], "without a path"),
        (&["--spans", "1"], "0.0001% to 100% is wanted"),
        (&["--spans", "101%"], "0.0001% to 100% is wanted"),
        (&["--rate", "0"], "a whole number from 1 to 4294967295 is wanted"),
        (&["--rate", "-1"], "a whole number from 1 to 4294967295 is wanted"),
        (&["--rate", "4294967296"], "a whole number from 1 to 4294967295 is wanted"),
        (&["--rate", ""], "a whole number from 1 to 4294967295 is wanted"),
        (&["--rate", "1", "--rate", "2"], "cannot be used multiple times"),
        (&["--rate"], "a value is required"),
        (&["--burst", "many"], "a whole number from 1 to 4294967295 is wanted"),
        (&["--burst", "0"], "a whole number from 1 to 4294967295 is wanted"),
        (&["--failures", "0"], "a whole number from 1 to 4294967295 is wanted"),
        (&["--max-connections", "0"], "a whole number from 1 on is wanted"),
        (&["--max-connections", "-1"], "a whole number from 1 on is wanted"),
        (&["--max-tunnels", "-1"], "a whole number is wanted, or 0 for none"),
        (&["--jwt-audience", ""], "a value is required"),
        (&["--timeout", "-1s"], "500ms, 30s or 2m"),
        (&["--timeout", "25h"], "500ms, 30s or 2m"),
        (&["--max-body", "-1"], "64k, 10m or 1g"),
        (&["--min-rate", "slow"], "64k, 10m or 1g"),
        (&["--request-timeout", "0"], "not nought"),
        (&["--head-timeout", ""], "500ms, 30s or 2m"),
        (&["--idle-timeout", "99999999999s"], "500ms, 30s or 2m"),
        (&["--tunnel-timeout", "-5"], "500ms, 30s or 2m"),
        (&["--grace", "0"], "not nought"),
        (&["--spans", "-1%"], "0.0001% to 100% is wanted"),
        (&["--log", "/no/such/directory/log"], "No such file"),
        (&["--log", "/"], "Is a directory"),
        (&["--log", ""], "a value is required"),
        (&["--config", "/"], "Is a directory"),
        (&["--upstream", ""], "http://host:port is wanted"),
        (&["--upstream", "ftp://127.0.0.1:1"], "http and h2c are spoken"),
        (&["--listen", ""], "address:port is wanted"),
        (&["--api-keys-file", "/no/such/file"], "/no/such/file: No such file"),
        (&["--admin-token-file", "/"], "Is a directory"),
        (&["--timeout", "soon"], "500ms, 30s or 2m"),
        (&["--timeout", "0s"], "not nought"),
        (&["--max-body", "10x"], "64k, 10m or 1g"),
        (&["--max-body", "99999999999g"], "64k, 10m or 1g"),
        (&["--max-concurrent", "0"], "a number is wanted that is not 0, or auto"),
        (&["--max-concurrent", "many"], "a number is wanted that is not 0, or auto"),
        (&["--memory-limit", "much"], "64k, 10m or 1g"),
        (&["--memory-limit", "0"], "of 0 bytes there is no share"),
        (&["--pressure-cgroup", "/no/such/directory"], "a directory is wanted, or off"),
        (&["--critical", "pay"], "a path such as /pay is wanted"),
        (&["--critical", "/pay,"], "a path such as /pay is wanted"),
        (&["--critical", "/pay?now"], "without a query"),
        (&["--no-such-flag"], "--no-such-flag"),
        (&["--jwt-secret-file", "/no/such/file"], "/no/such/file: No such file"),
        (&["--jwt-secret-file", &short], "needs at least 32"),
        (&["--jwt-secret-file", &binary], "UTF-8"),
        (&["--jwt-secret-file", &short, "--jwks-file", &no_keys], "cannot be used with"),
        (&["--jwks-file", &not_json], "not a JWK set"),
        (&["--jwks-file", &no_keys], "there is no key in it"),
        (&["--jwks-file", &symmetric], "no key in it that can be used here"),
        (&["--jwks-file", &confused], "no key in it that can be used here"),
        (&["--api-keys-file", &bad_keys], "line 2: a user and a key are wanted"),
        (&["--api-keys-file", &weak_key], "line 1: the key of \"alice\" can be guessed"),
        (&["--api-keys-file", &empty], "there is no API key in it"),
    ] {
        let (ended, stderr) = fails_with(flags).await;
        assert_eq!(ended, Some(2), "{flags:?}: {stderr}");
        assert!(stderr.contains(flags[0]), "{flags:?}: {stderr}");
        assert!(stderr.starts_with("gateway: ") && stderr.contains(says), "{flags:?}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{flags:?}: {stderr}");
    }
}

#[tokio::test]
async fn what_a_flag_says_a_variable_can_say() {
    for (name, value, flag) in [
        ("GATEWAY_LISTEN", "here", "--listen"),
        ("GATEWAY_UPSTREAM", "http://127.0.0.1:1,https://127.0.0.1:2", "--upstream"),
        ("GATEWAY_CONFIG", "/no/such/file", "--config /no/such/file"),
        ("GATEWAY_UPSTREAM", "/api", "--upstream"),
        ("GATEWAY_CHECK", "health", "--check"),
        ("GATEWAY_REDIS", "here", "--redis"),
        ("GATEWAY_GATEWAYS", "0", "--gateways"),
        ("GATEWAY_REDIS_AWAY", "perhaps", "--redis-away"),
        ("GATEWAY_ADMIN", "here", "--admin"),
        ("GATEWAY_ADMIN_TOKEN_FILE", "/no/such/file", "--admin-token-file /no/such/file"),
        ("GATEWAY_OTLP", "here", "--otlp"),
        ("GATEWAY_SPANS", "some", "--spans"),
        ("GATEWAY_RATE", "0", "--rate"),
        ("GATEWAY_BURST", "0", "--burst"),
        ("GATEWAY_TIMEOUT", "soon", "--timeout"),
        ("GATEWAY_MAX_BODY", "much", "--max-body"),
        ("GATEWAY_HEAD_TIMEOUT", "soon", "--head-timeout"),
        ("GATEWAY_GRACE", "soon", "--grace"),
        ("GATEWAY_JWT_SECRET_FILE", "/no/such/file", "--jwt-secret-file /no/such/file"),
        ("GATEWAY_JWKS_FILE", "/no/such/file", "--jwks-file /no/such/file"),
        ("GATEWAY_API_KEYS_FILE", "/no/such/file", "--api-keys-file /no/such/file"),
    ] {
        let (code, stderr) = fails_in(name, value).await;
        assert_eq!(code, Some(2), "{name}: {stderr}");
        assert!(stderr.contains(flag) && stderr.lines().count() == 1, "{name}: {stderr}");
    }
}

#[tokio::test]
async fn without_arguments_it_shows_what_to_try_and_that_works() {
    let mut gateway = Gateway::start_with(&[] as &[&str]).await;
    let drawing = gateway.seen().join("\n");
    for node in ["auth", "ratelimit", "log", "proxy"] {
        assert!(drawing.contains(node), "{drawing}");
    }
    let keys: Vec<_> = gateway.seen().iter().filter(|line| line.starts_with("curl ")).cloned().collect();
    let key = |line: &str| Some(line.split_once("x-api-key: ")?.1.split('\'').next()?.to_owned());
    let key = keys.iter().find_map(|line| key(line)).expect("a key to try");
    let token = |line: &str| Some(line.split_once("authorization: ")?.1.split('\'').next()?.to_owned());
    let token = keys.iter().find_map(|line| token(line)).expect("a token to try");
    let client = Client::new(gateway.address);
    assert_eq!(client.get("/", &[("x-api-key", &key)]).await.status, StatusCode::OK);
    assert_eq!(client.get("/", &[("authorization", &token)]).await.status, StatusCode::OK);
    assert_eq!(client.get("/", &[]).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(client.get("/broken", &[("x-api-key", &key)]).await.status, StatusCode::BAD_GATEWAY);
    let mut often = StatusCode::OK;
    for _ in 0..1_000 {
        often = client.get("/", &[("authorization", &token)]).await.status;
        if often != StatusCode::OK {
            break;
        }
    }
    assert_eq!(often, StatusCode::TOO_MANY_REQUESTS);
    gateway.line(&["status=429"]).await;
}
