//! The allocations of each ready node for a request, once it is warm.
//!
//! `cargo test -p chain-nodes-tests --test allocations -- --nocapture` prints the table. Counts are per thread, so the log's thread is not in them.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::num::NonZeroU32;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use chain_nodes_tests::head;
use chain_runtime::nodes::access_log::{AccessLog, Entry, Lines, log_user};
use chain_runtime::nodes::auth::{ApiKeys, Auth, Tokens};
use chain_runtime::nodes::idempotency::{Idempotency, Memory};
use chain_runtime::nodes::json::ReadJson;
use chain_runtime::nodes::rate_limit::{FailureLimit, RateLimit};
use chain_runtime::nodes::request_id::RequestIds;
use chain_runtime::nodes::whole_body::ReadBody;
use chain_runtime::nodes::{Peer, User, Whole};
use chain_runtime::tailed::Tailed;
use chain_runtime::{chain, node};
use governor::Quota;
use http::Response;
use http::request::Parts;
use http_body_util::{BodyExt as _, Empty, Full};
use jsonwebtoken::{EncodingKey, Header, get_current_timestamp};

/// The system's allocator, with a count of what each thread asked of it.
struct Counting;

thread_local! {
    static ASKED: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is handed to the system's allocator as it is. The count is a `Cell` that needs no destructor, so
// it can be reached at any time, and counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.with(|asked| asked.set(asked.get() + 1));
        // SAFETY: the caller's contract is ours.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract is ours.
        unsafe { System.dealloc(memory, layout) }
    }
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ASKED.with(|asked| asked.set(asked.get() + 1));
        // SAFETY: the caller's contract is ours.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const WARM: u64 = 200;
const REQUESTS: u64 = 1_000;

/// What `work` allocates a turn, over many. What is given to a turn was made before it, and what it gives back is dropped after it.
fn each<G, R>(mut given: impl FnMut() -> G, mut work: impl FnMut(G) -> R) -> f64 {
    let mut asked = 0;
    for turn in 0..WARM + REQUESTS {
        let given = given();
        let before = ASKED.get();
        let gave = work(given);
        if turn >= WARM {
            asked += ASKED.get() - before;
        }
        drop(gave);
    }
    asked as f64 / REQUESTS as f64
}

fn now<F: Future>(future: Pin<&mut F>) -> F::Output {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits for something"),
    }
}

const KEY: &str = "alice-0123456789";
const SECRET: &[u8] = b"a secret that has thirty-two bytes";

fn token() -> String {
    let claims = serde_json::json!({ "sub": "alice", "aud": "gateway", "exp": get_current_timestamp() + 600 });
    jsonwebtoken::encode(&Header::default(), &claims, &EncodingKey::from_secret(SECRET)).expect("a token")
}

fn auth() -> Auth {
    let tokens = Tokens::from_secret(SECRET).expect("long enough").audience("gateway");
    Auth::new("r").tokens(tokens).api_keys(ApiKeys::new([("alice", KEY), ("bob", "bob---0123456789")]).expect("good"))
}

fn quota() -> Quota {
    Quota::per_second(NonZeroU32::MAX)
}

fn peer() -> Peer {
    std::net::IpAddr::from([127, 0, 0, 1]).into()
}

/// A head whose values share their memory with others, as they do when they come from a server.
fn came(fields: &[(&str, &str)]) -> (Parts, http::HeaderMap) {
    let request = head(fields);
    let others = request.headers.clone();
    (request, others)
}

type Reply = Response<Tailed<Empty<bytes::Bytes>, Option<Entry>>>;

/// The reply that is given back, made before anything is counted.
struct Prepared(Option<Response<Empty<bytes::Bytes>>>);

#[node]
fn answer(prepared: &mut Prepared) -> Response<Empty<bytes::Bytes>> {
    prepared.0.take().expect("it was made")
}

chain! {
    struct All {
        ids: RequestIds,
        log: AccessLog,
        by_peer: RateLimit<Peer>,
        wrong: FailureLimit<Peer>,
        auth: Auth,
        by_user: RateLimit<User>,
    }
    async fn(request: Parts, peer: Peer, prepared: Prepared) -> Reply {
        ids => log => by_peer => wrong => auth => log_user => by_user => answer
    }
}

fn all() -> All {
    All {
        ids: RequestIds::new(),
        log: AccessLog::new(Lines::to(std::io::sink())),
        by_peer: RateLimit::new(quota()),
        wrong: FailureLimit::new(RateLimit::new(quota())),
        auth: auth(),
        by_user: RateLimit::new(quota()),
    }
}

/// A reply with room for the id.
fn prepared() -> Prepared {
    Prepared(Some(Response::builder().header("server", "x").body(Empty::new()).expect("a reply")))
}

#[test]
fn a_warm_node_allocates_nothing_but_for_a_token_and_a_reply_that_is_kept() {
    let auth = auth();
    let bearer = format!("Bearer {}", token());
    let limit: RateLimit<Peer> = RateLimit::new(quota());
    let made_up: RateLimit<User> = RateLimit::new(quota()).keys(64);
    let ids = RequestIds::new();
    let log = AccessLog::new(Lines::to(std::io::sink()));
    let (mut users, mut all_by_key) = (0, all());
    all_by_key.log = AccessLog::new(Lines::to(std::io::sink()));
    let read: ReadBody<Full<bytes::Bytes>> = ReadBody::up_to(1_024);
    let json: ReadJson<[u64; 3]> = ReadJson::new();
    // Over at once, so that the store does not grow.
    let once: Idempotency<User> = Idempotency::new(Memory::default().window(std::time::Duration::ZERO));
    let (alice, whole, mut keys) = (User::new("alice").expect("a name"), Whole::default(), 0);
    let rows = [
        ("auth, by an API key", 0.0, each(|| head(&[("x-api-key", KEY)]), |request| auth.user(&request))),
        (
            "auth, a wrong API key",
            0.0,
            each(|| head(&[("x-api-key", "guessed")]), |request| (auth.user(&request), request)),
        ),
        (
            "auth, by a token",
            10.0,
            each(|| head(&[("authorization", &bearer)]), |request| (auth.user(&request), request)),
        ),
        ("rate_limit, a known key", 0.0, each(peer, |peer| limit.check(&peer))),
        (
            "rate_limit, a key made up",
            0.0,
            each(
                || {
                    users += 1;
                    User::new(users.to_string()).expect("a name")
                },
                |user| (made_up.check(&user), user),
            ),
        ),
        (
            "request_id, taken over",
            0.0,
            each(|| came(&[("x-request-id", "a")]), |(mut request, others)| (ids.enter(&mut request), request, others)),
        ),
        ("request_id, made", 0.0, each(|| head(&[("host", "h")]), |mut request| (ids.enter(&mut request), request))),
        (
            "access_log, a line",
            0.0,
            each(
                || {
                    // So that no line finds the queue full, and one buffer goes round.
                    assert!(log.lines().flush(std::time::Duration::from_secs(30)));
                    came(&[("host", "h"), ("x-request-id", "a")])
                },
                |(request, others)| {
                    log.cancelled(&log.visit(&request, peer()));
                    others
                },
            ),
        ),
        (
            "whole_body, in one piece",
            0.0,
            each(
                || (head(&[]), Full::new(bytes::Bytes::from_static(b"[1, 2]"))),
                |(request, body)| {
                    let whole = now(pin!(read.enter(&request, body)));
                    (whole.expect("it is short"), request)
                },
            ),
        ),
        (
            "json, of three numbers",
            0.0,
            each(
                || {
                    (
                        head(&[("content-type", "application/json")]),
                        Whole::from(bytes::Bytes::from_static(b"[1, 2, 3]")),
                    )
                },
                |(request, whole)| (json.enter(&request, &whole).expect("it is one"), request, whole),
            ),
        ),
        (
            "idempotency, without a key",
            0.0,
            each(
                || head(&[]),
                |request| {
                    let turn = now(pin!(once.enter(&request, &alice, &whole)));
                    (turn.expect("it runs"), request)
                },
            ),
        ),
        (
            "idempotency, the first with a key",
            // The reply: its fields are copied, and it is shared.
            4.0,
            each(
                || {
                    keys += 1;
                    let mut request = head(&[("idempotency-key", &keys.to_string())]);
                    request.method = http::Method::POST;
                    let body = bytes::Bytes::from_static(b"done");
                    (request, Response::builder().header("server", "x").body(Full::new(body)).expect("a reply"))
                },
                |(request, mut reply)| {
                    let mut turn = now(pin!(once.enter(&request, &alice, &whole))).expect("it is new");
                    now(pin!(once.exit(&mut turn, &mut reply)));
                    (request, reply)
                },
            ),
        ),
        (
            "all in one chain, with an API key",
            0.0,
            each(
                || {
                    assert!(all_by_key.log.lines().flush(std::time::Duration::from_secs(30)));
                    (head(&[("x-api-key", KEY)]), prepared())
                },
                |(request, prepared)| {
                    let reply = now(pin!(all_by_key.run(request, peer(), prepared)));
                    let (head, body) = reply.into_parts();
                    assert_eq!(head.status, 200);
                    let read = now(pin!(body.collect()));
                    (head, read)
                },
            ),
        ),
    ];
    println!("{:<36} allocations a request", "");
    for (what, at_most, each) in rows {
        println!("{what:<36} {each:.3}");
        // The memory of ids is cut from pieces, of which one may be new within a thousand requests.
        assert!(each <= at_most + 0.05, "{what}: {each}");
    }
}
