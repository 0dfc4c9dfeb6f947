//! A line protocol on raw TCP: a chain whose input is a line, with memory for each connection. It asks itself a few things and stops.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use chain_runtime::{chain, node};
use futures_util::{SinkExt, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::codec::{Framed, LinesCodec, LinesCodecError};
use tokio_util::sync::CancellationToken;

/// Borrows from the line.
enum Command<'r> {
    Get(&'r str),
    Set(&'r str, &'r str),
}

#[node]
fn parse<'r>(line: &'r str) -> Result<Command<'r>, &'static str> {
    match line.split(' ').collect::<Vec<_>>()[..] {
        ["get", key] => Ok(Command::Get(key)),
        ["set", key, value] => Ok(Command::Set(key, value)),
        _ => Err("`get KEY` or `set KEY VALUE`"),
    }
}

type Store = Mutex<HashMap<String, String>>;

#[node]
async fn execute(command: &Command<'_>, store: &Store, changes: &mut usize) -> Result<String, &'static str> {
    tokio::task::yield_now().await;
    let mut store = store.lock().map_err(|_| "the store is broken")?;
    match *command {
        Command::Get(key) => store.get(key).cloned().ok_or("no such key"),
        Command::Set(key, value) => {
            store.insert(key.to_owned(), value.to_owned());
            *changes += 1;
            Ok(format!("change {changes} of this connection"))
        }
    }
}

chain! {
    pub(crate) struct Lines { pub(crate) store: Store }
    async fn<'r>(line: &'r str, changes: &mut usize) -> Result<String, &'static str> { parse => execute }
}

/// Serves one client until it goes, sends what is no line, or the server stops. A line that is being answered when that happens is answered.
pub(crate) async fn serve(
    chain: Arc<Lines>,
    client: TcpStream,
    stop: CancellationToken,
) -> Result<(), LinesCodecError> {
    let mut client = Framed::new(client, LinesCodec::new_with_max_length(128));
    let mut changes = 0;
    while let Some(line) = stop.run_until_cancelled(client.next()).await.flatten() {
        let reply = match &line {
            Ok(line) => chain.run(line, &mut changes).await.unwrap_or_else(|wrong| format!("error: {wrong}")),
            Err(error) => format!("error: {error}"),
        };
        client.send(reply).await?;
        line?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut client = TcpStream::connect(listener.local_addr()?).await?;
    let lines = Arc::new(Lines { store: Mutex::default() });
    let served = tokio::spawn(serve(lines, listener.accept().await?.0, CancellationToken::new()));
    client.write_all(b"set ada lovelace\nget ada\nget eve\nlist\n").await?;
    client.shutdown().await?;
    tokio::io::copy(&mut client, &mut tokio::io::stdout()).await?;
    Ok(served.await??)
}
