//! Chains in tonic: in front of all methods of a server, and as the body of one. The example sends itself some requests
//! and stops.

use std::sync::Arc;
use std::time::Duration;

use chain_proto::ledger_client::LedgerClient;
use chain_proto::ledger_server::{Ledger, LedgerServer};
use chain_proto::{Account, Amount};
use chain_runtime::tonic::{Reply, Request, Timeout, layer};
use chain_runtime::tower::{Permit, forward};
use chain_runtime::{chain, node};
use tokio::net::TcpListener;
use tokio_stream::{Iter, StreamExt, iter, wrappers::TcpListenerStream};
use tonic::service::Routes;
use tonic::{Response, Status, Streaming, transport::Server};

/// A break is a status, whether a message was read or not.
#[node]
fn auth(request: &Request) -> Result<(), Status> {
    let token = request.headers().get("authorization").ok_or_else(|| Status::unauthenticated("who is there?"))?;
    if token == "lovelace" { Ok(()) } else { Err(Status::permission_denied("not you")) }
}

chain! {
    /// Stands before all methods.
    struct Guard { timeout: Timeout }
    async fn(request: Request, inner: Permit<Routes, Request>) -> Reply {
        auth => timeout { forward::<Routes, Request> }
    }
}

#[node]
fn balance(of: &tonic::Request<Account>) -> Result<Response<Amount>, Status> {
    let value = i64::try_from(of.get_ref().name.len()).map_err(|_| Status::invalid_argument("so long a name"))?;
    Ok(Response::new(Amount { value }))
}

chain! {
    /// Is the body of one.
    struct Balance;
    async fn(of: tonic::Request<Account>) -> Result<Response<Amount>, Status> { balance }
}

#[tonic::async_trait]
impl Ledger for Balance {
    async fn balance(&self, of: tonic::Request<Account>) -> Result<Response<Amount>, Status> {
        self.run(of).await
    }
    type WatchStream = Iter<std::array::IntoIter<Result<Amount, Status>, 3>>;
    async fn watch(&self, _: tonic::Request<Account>) -> Result<Response<Self::WatchStream>, Status> {
        Ok(Response::new(iter([1, 2, 3].map(|value| Ok(Amount { value })))))
    }
    async fn deposit(&self, _: tonic::Request<Streaming<Amount>>) -> Result<Response<Amount>, Status> {
        Err(Status::unimplemented("see tests/embedding/tests/tonic.rs"))
    }
    type ConvertStream = Streaming<Amount>;
    async fn convert(&self, sums: tonic::Request<Streaming<Amount>>) -> Result<Response<Streaming<Amount>>, Status> {
        Ok(Response::new(sums.into_inner()))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    let guard = Arc::new(Guard { timeout: Timeout::at_most(Duration::from_secs(1)) });
    let server = Server::builder().layer(layer(guard)).add_service(LedgerServer::new(Balance));
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    let mut client = LedgerClient::connect(address).await?;
    for token in [None, Some("?"), Some("lovelace")] {
        let mut request = tonic::Request::new(Account { name: "ada".to_owned() });
        token.map(|token| request.metadata_mut().insert("authorization", token.parse().expect("it is a value")));
        match client.watch(request).await {
            Ok(changes) => println!("{:?}", changes.into_inner().collect::<Vec<_>>().await),
            Err(status) => println!("{status}"),
        }
    }
    Ok(())
}
