//! A chain in tonic: in front of services and as the body of methods, unary and streaming, over sockets.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use chain_proto::ledger_client::LedgerClient;
use chain_proto::ledger_server::{Ledger, LedgerServer};
use chain_proto::{Account, Amount};
use chain_runtime::around::{CatchPanic, Concurrency};
use chain_runtime::tonic::{Reply, Request, Timeout, layer};
use chain_runtime::tower::{Call, Permit, forward, try_service};
use chain_runtime::{IntoReply, chain, node};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::body::Body;
use tonic::client::GrpcService;
use tonic::server::UnaryService;
use tonic::service::{LayerExt, Routes};
use tonic::transport::{Channel, Server};
use tonic::{Code, Response, Status, Streaming};
use tower::ServiceExt as _;

#[path = "../../support/seen.rs"]
mod seen;
#[path = "../../support/within.rs"]
mod within;

use seen::Seen;
use within::within;

// The service, whose methods are chains.

/// Who asks. `entry` says so in the metadata, where a method's chain finds it.
struct User(String);

#[node]
fn user<M>(request: &tonic::Request<M>) -> Result<User, Status> {
    let name = request.metadata().get("authorization").and_then(|name| name.to_str().ok());
    name.map(|name| User(name.to_owned())).ok_or_else(|| Status::unauthenticated("who is there?"))
}

#[node]
async fn balance(request: tonic::Request<Account>, user: &User) -> Result<Response<Amount>, Status> {
    let value = match request.get_ref().name.as_str() {
        "" => return Err(Status::invalid_argument("which account?")),
        "panic" => panic!("as it was asked"),
        "hang" => std::future::pending().await,
        name => name.len() + user.0.len(),
    };
    Ok(Response::new(Amount { value: i64::try_from(value).expect("it is short") }))
}

chain! {
    struct Balance;
    async fn(request: tonic::Request<Account>) -> Result<Response<Amount>, Status> { user::<Account> => balance }
}

/// Sends amounts until the caller does not want them any more.
#[node]
fn watch(request: tonic::Request<Account>, gone: &Arc<Notify>) -> Response<ReceiverStream<Result<Amount, Status>>> {
    let (changes, stream) = mpsc::channel(1);
    let gone = Arc::clone(gone);
    tokio::spawn(async move {
        let mut value = 0;
        while request.get_ref().name != "short" || value < 3 {
            value += 1;
            if changes.send(Ok(Amount { value })).await.is_err() {
                return gone.notify_one();
            }
        }
    });
    Response::new(ReceiverStream::new(stream))
}

chain! {
    struct Watch { gone: Arc<Notify> }
    async fn(request: tonic::Request<Account>) -> Result<Response<ReceiverStream<Result<Amount, Status>>>, Status> {
        user::<Account> => watch
    }
}

#[node]
async fn deposit(request: tonic::Request<Streaming<Amount>>) -> Result<Response<Amount>, Status> {
    let mut amounts = request.into_inner();
    let mut value = 0;
    while let Some(amount) = amounts.message().await? {
        value += amount.value;
    }
    Ok(Response::new(Amount { value }))
}

chain! {
    struct Deposit;
    async fn(request: tonic::Request<Streaming<Amount>>) -> Result<Response<Amount>, Status> {
        user::<Streaming<Amount>> => deposit
    }
}

type Converted = ReceiverStream<Result<Amount, Status>>;

struct Bank {
    balance: Balance,
    watch: Watch,
    deposit: Deposit,
}

#[tonic::async_trait]
impl Ledger for Bank {
    async fn balance(&self, request: tonic::Request<Account>) -> Result<Response<Amount>, Status> {
        self.balance.run(request).await
    }
    type WatchStream = ReceiverStream<Result<Amount, Status>>;
    async fn watch(&self, request: tonic::Request<Account>) -> Result<Response<Self::WatchStream>, Status> {
        self.watch.run(request).await
    }
    async fn deposit(&self, request: tonic::Request<Streaming<Amount>>) -> Result<Response<Amount>, Status> {
        self.deposit.run(request).await
    }
    type ConvertStream = Converted;
    async fn convert(&self, request: tonic::Request<Streaming<Amount>>) -> Result<Response<Converted>, Status> {
        let (converted, stream) = mpsc::channel(1);
        let mut amounts = request.into_inner();
        tokio::spawn(async move {
            while let Some(Ok(Amount { value })) = amounts.next().await {
                if converted.send(Ok(Amount { value: value * 100 })).await.is_err() {
                    return;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

fn bank() -> Bank {
    Bank { balance: Balance, watch: Watch { gone: Arc::default() }, deposit: Deposit }
}

// What stands in front of it.

#[node]
fn auth(request: &Request) -> Result<(), Status> {
    match request.headers().get("authorization") {
        Some(name) if name == "eve" => Err(Status::permission_denied("not you")),
        Some(_) => Ok(()),
        None => Err(Status::unauthenticated("who is there?")),
    }
}

chain! {
    #[send]
    struct Front { seen: Seen, room: Concurrency, timeout: Timeout, is_safe: CatchPanic }
    async fn(request: Request, inner: Permit<Routes, Request>) -> Reply {
        seen => auth => room { timeout { is_safe { forward::<Routes, Request> } } }
    }
}

fn front(timeout: Timeout, room: usize) -> Arc<Front> {
    Arc::new(Front { seen: Seen::default(), room: Concurrency::shed(room), timeout, is_safe: CatchPanic })
}

async fn listener() -> (TcpListenerStream, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = format!("http://{}", listener.local_addr().expect("it is bound"));
    (TcpListenerStream::new(listener), address)
}

/// A client of the bank behind this front.
async fn served(front: Arc<Front>, bank: Bank) -> LedgerClient<Channel> {
    let (incoming, address) = listener().await;
    let server = Server::builder().layer(layer(front)).add_service(LedgerServer::new(bank));
    tokio::spawn(server.serve_with_incoming(incoming));
    LedgerClient::connect(address).await.expect("it listens")
}

fn by<M>(name: &'static str, message: M) -> tonic::Request<M> {
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert("authorization", name.parse().expect("it is a value"));
    request
}

fn account(name: &str) -> Account {
    Account { name: name.to_owned() }
}

fn amounts() -> impl tokio_stream::Stream<Item = Amount> {
    tokio_stream::iter([1, 2, 4].map(|value| Amount { value }))
}

async fn values(stream: Streaming<Amount>) -> Vec<i64> {
    stream.map(|amount| amount.expect("it is sent").value).collect().await
}

#[tokio::test]
async fn every_kind_of_method_passes_the_chain() {
    let front = front(Timeout::asked(), 9);
    let seen = &Arc::clone(&front).seen;
    let mut client = served(front, bank()).await;
    assert_eq!(client.balance(by("ada", account("savings"))).await.expect("it is there").into_inner().value, 10);
    let watched = client.watch(by("ada", account("short"))).await.expect("it is there");
    assert_eq!(values(watched.into_inner()).await, [1, 2, 3]);
    assert_eq!(client.deposit(by("ada", amounts())).await.expect("it is there").into_inner().value, 7);
    let converted = client.convert(by("ada", amounts())).await.expect("it is there");
    assert_eq!(values(converted.into_inner()).await, [100, 200, 400]);
    assert_eq!(seen.counts(), [4, 4, 0]);
}

#[tokio::test]
async fn what_breaks_is_a_status_and_no_method_is_called() {
    let front = front(Timeout::asked(), 9);
    let seen = &Arc::clone(&front).seen;
    let mut client = served(front, bank()).await;
    let refused = client.balance(account("savings")).await.expect_err("nobody asks");
    assert_eq!((refused.code(), refused.message()), (Code::Unauthenticated, "who is there?"));
    let refused = client.watch(by("eve", account("savings"))).await.expect_err("she may not");
    assert_eq!((refused.code(), refused.message()), (Code::PermissionDenied, "not you"));
    let refused = client.deposit(by("eve", amounts())).await.expect_err("she may not");
    assert_eq!(refused.code(), Code::PermissionDenied);
    let refused = client.convert(by("eve", amounts())).await.expect_err("she may not");
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert_eq!(seen.counts(), [4, 4, 0]);
}

#[tokio::test]
async fn what_a_methods_own_chain_breaks_with_reaches_the_caller() {
    let front = front(Timeout::asked(), 9);
    let mut client = served(front, bank()).await;
    let refused = client.balance(by("ada", account(""))).await.expect_err("no account");
    assert_eq!((refused.code(), refused.message()), (Code::InvalidArgument, "which account?"));
}

#[tokio::test]
async fn what_the_nodes_around_give_up_with_is_a_status() {
    let limited = front(Timeout::at_most(Duration::from_millis(20)), 9);
    let seen = &Arc::clone(&limited).seen;
    let mut client = served(limited, bank()).await;
    let late = client.balance(by("ada", account("hang"))).await.expect_err("it hangs");
    assert_eq!(late.code(), Code::DeadlineExceeded);
    let failed = client.balance(by("ada", account("panic"))).await.expect_err("it panics");
    assert_eq!((failed.code(), failed.message()), (Code::Internal, "the call failed"));
    assert_eq!(client.balance(by("ada", account("x"))).await.expect("it goes on").into_inner().value, 4);
    assert_eq!(seen.counts(), [3, 3, 0]);

    let full = front(Timeout::asked(), 1);
    let seen = &Arc::clone(&full).seen;
    let mut client = served(full, bank()).await;
    let mut other = client.clone();
    let first = tokio::spawn(async move { other.balance(by("ada", account("hang"))).await });
    seen.becomes(|counts| counts == [1, 0, 0]).await;
    let shed = client.balance(by("ada", account("x"))).await.expect_err("there is one place");
    assert_eq!(shed.code(), Code::ResourceExhausted);
    first.abort();
}

#[tokio::test]
async fn the_callers_own_deadline_is_kept() {
    let front = front(Timeout::asked(), 9);
    let seen = &Arc::clone(&front).seen;
    let mut client = served(front, bank()).await;
    let mut request = by("ada", account("hang"));
    request.set_timeout(Duration::from_millis(20));
    let late = within("the call", client.balance(request)).await.expect_err("it hangs");
    assert!(matches!(late.code(), Code::DeadlineExceeded | Code::Cancelled), "{late}");
    seen.becomes(|[entered, left, cancelled]| (entered, left + cancelled) == (1, 1)).await;
}

#[tokio::test]
async fn a_deadline_that_cannot_be_read_is_refused() {
    let front = front(Timeout::asked(), 9);
    let seen = &Arc::clone(&front).seen;
    let mut client = served(front, bank()).await;
    let mut request = by("ada", account("x"));
    request.metadata_mut().insert("grpc-timeout", "soon".parse().expect("it is a value"));
    let refused = client.balance(request).await.expect_err("when is soon?");
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().starts_with("grpc-timeout is"), "{refused}");
    assert_eq!(seen.counts(), [1, 1, 0]);
}

#[tokio::test]
async fn a_caller_that_goes_away_cancels_its_call() {
    let front = front(Timeout::asked(), 9);
    let seen = &Arc::clone(&front).seen;
    let mut client = served(front, bank()).await;
    let call = tokio::spawn(async move { client.balance(by("ada", account("hang"))).await });
    seen.becomes(|counts| counts == [1, 0, 0]).await;
    call.abort();
    seen.becomes(|counts| counts == [1, 0, 1]).await;
}

#[tokio::test]
async fn a_stream_that_is_dropped_midway_ends_at_its_source() {
    let front = front(Timeout::asked(), 9);
    let seen = &Arc::clone(&front).seen;
    let bank = bank();
    let gone = Arc::clone(&bank.watch.gone);
    let mut client = served(front, bank).await;
    let mut watched = client.watch(by("ada", account("long"))).await.expect("it is there").into_inner();
    assert_eq!(watched.message().await.expect("it is sent").expect("there are more").value, 1);
    drop(watched);
    within("the source", gone.notified()).await;
    assert_eq!(seen.counts(), [1, 1, 0], "the reply had begun");
}

/// A client in a runtime of its own, which takes the connection with it when it ends.
#[tokio::test]
async fn a_client_that_goes_away_while_it_streams_ends_its_call() {
    let front = front(Timeout::asked(), 9);
    let seen = &Arc::clone(&front).seen;
    let (incoming, address) = listener().await;
    let server = Server::builder().layer(layer(front)).add_service(LedgerServer::new(bank()));
    tokio::spawn(server.serve_with_incoming(incoming));
    let (amounts, stream) = mpsc::channel(1);
    let (go, told) = tokio::sync::oneshot::channel::<()>();
    let client = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("it can be had");
        runtime.block_on(async {
            let mut client = LedgerClient::connect(address).await.expect("it listens");
            tokio::select! {
                reply = client.deposit(by("ada", ReceiverStream::new(stream))) => panic!("nobody ended it: {reply:?}"),
                _ = told => {}
            }
        });
    });
    for value in [1, 2, 3] {
        amounts.send(Amount { value }).await.expect("it is read");
    }
    seen.becomes(|counts| counts == [1, 0, 0]).await;
    go.send(()).expect("it waits");
    // Whichever is first: the method sees its stream break off, and replies, or the server drops the call.
    seen.becomes(|[entered, left, cancelled]| (entered, left + cancelled) == (1, 1)).await;
    client.join().expect("it does not panic");
}

type Guarded = LedgerServer<Bank>;

chain! {
    struct One;
    async fn(request: Request, inner: Permit<Guarded, Request>) -> Reply { auth => forward::<Guarded, Request> }
}

#[tokio::test]
async fn a_chain_is_in_front_of_one_service_and_keeps_its_name() {
    let (incoming, address) = listener().await;
    let service = layer(Arc::new(One)).named_layer(LedgerServer::new(bank()));
    tokio::spawn(Server::builder().add_service(service).serve_with_incoming(incoming));
    let mut client = LedgerClient::connect(address).await.expect("it listens");
    assert_eq!(client.balance(by("ada", account("x"))).await.expect("it is there").into_inner().value, 4);
    assert_eq!(client.balance(account("x")).await.expect_err("nobody asks").code(), Code::Unauthenticated);
}

// Upstreams as nodes.

struct Unreachable;

impl From<tonic::transport::Error> for Unreachable {
    fn from(_: tonic::transport::Error) -> Self {
        Self
    }
}

impl IntoReply<Reply> for Unreachable {
    fn into_reply(self) -> Reply {
        Status::unavailable("the upstream is away").into_reply()
    }
}

/// Whatever the method, as it is.
#[node]
async fn pass(request: Request, upstream: &Channel) -> Result<http::Response<Body>, Unreachable> {
    Ok(Permit::acquire(upstream).await?.call(request).await?)
}

chain! {
    struct Relay { upstream: Channel }
    async fn(request: Request) -> Reply { auth => pass }
}

/// A client whose transport is a chain.
fn relay(upstream: Channel) -> LedgerClient<impl GrpcService<Body, ResponseBody = Body, Error = Infallible>> {
    let relay = chain_runtime::tower::service(Arc::new(Relay { upstream }));
    LedgerClient::new(relay.map_response(|Reply(response)| response))
}

/// By its client: a method of another service's.
#[node]
async fn ask(request: tonic::Request<Account>, client: &LedgerClient<Channel>) -> Result<Response<Amount>, Status> {
    client.clone().balance(request).await
}

chain! {
    struct Asking { client: LedgerClient<Channel> }
    async fn(request: tonic::Request<Account>) -> Result<Response<Amount>, Status> { user::<Account> => ask }
}

chain! {
    struct Calling { upstream: Call<Balances, tonic::Request<Account>> }
    async fn(request: tonic::Request<Account>) -> Result<Response<Amount>, Status> { upstream }
}

type Balances = tower::util::BoxCloneSyncService<tonic::Request<Account>, Response<Amount>, Status>;

#[tokio::test]
async fn an_upstream_is_a_node() {
    let front = front(Timeout::asked(), 9);
    let seen = &Arc::clone(&front).seen;
    let (incoming, address) = listener().await;
    let server = Server::builder().layer(layer(front)).add_service(LedgerServer::new(bank()));
    tokio::spawn(server.serve_with_incoming(incoming));
    let upstream = Channel::from_shared(address).expect("it is an address").connect().await.expect("it listens");

    let asking = Asking { client: LedgerClient::new(upstream.clone()) };
    assert_eq!(asking.run(by("ada", account("x"))).await.expect("it is there").into_inner().value, 4);
    assert_eq!(asking.run(by("eve", account("x"))).await.expect_err("she may not").code(), Code::PermissionDenied);

    let mut client = relay(upstream);
    let converted = client.convert(by("ada", amounts())).await.expect("it is there");
    assert_eq!(values(converted.into_inner()).await, [100, 200, 400]);
    assert_eq!(client.convert(amounts()).await.expect_err("nobody asks").code(), Code::Unauthenticated);
    assert_eq!(seen.counts(), [3, 3, 0]);
}

#[tokio::test]
async fn an_upstream_that_is_away_is_a_status() {
    let (incoming, address) = listener().await;
    drop(incoming);
    let mut client = relay(Channel::from_shared(address).expect("it is an address").connect_lazy());
    let away = within("the call", client.balance(by("ada", account("x")))).await.expect_err("nobody is there");
    assert_eq!((away.code(), away.message()), (Code::Unavailable, "the upstream is away"));
}

#[tokio::test]
async fn a_chain_is_a_unary_service_without_generated_code() {
    fn unary<S: UnaryService<Account, Response = Amount>>(service: S) -> S {
        service
    }
    let mut service = unary(try_service(Arc::new(Balance)));
    let reply = UnaryService::call(&mut service, by("ada", account("x"))).await;
    assert_eq!(reply.expect("it is there").into_inner().value, 4);
    let balances = Balances::new(try_service(Arc::new(Balance)));
    let reply = Calling { upstream: Call::new(balances) }.run(tonic::Request::new(account("x"))).await;
    assert_eq!(reply.expect_err("nobody asks").code(), Code::Unauthenticated);
}
