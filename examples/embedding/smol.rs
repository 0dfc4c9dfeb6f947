//! A chain on smol, with a deadline by smol's timer. There is no tokio in it: see `tests/executors`.

use std::time::{Duration, Instant};
use std::{net::Ipv4Addr, pin::Pin, sync::Arc, task};

use chain_runtime::around::{Deadline, Expired, Timer};
use chain_runtime::{chain, node};
use smol::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use smol::net::{TcpListener, TcpStream};
use smol::stream::StreamExt;

/// The timer of the nodes that wait. A timer for any runtime is this short.
pub(crate) struct SmolTimer;

impl Timer for SmolTimer {
    type Sleep = Sleep;

    fn sleep_until(&self, at: Instant) -> Sleep {
        Sleep(smol::Timer::at(at))
    }
}

/// smol's timer gives an `Instant` when it is ready.
pub(crate) struct Sleep(smol::Timer);

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut task::Context<'_>) -> task::Poll<()> {
        Pin::new(&mut self.0).poll(context).map(drop)
    }
}

#[node]
async fn answer(line: &str) -> Result<String, Expired> {
    if let Some(Ok(ms)) = line.strip_prefix("sleep ").map(str::parse) {
        smol::Timer::after(Duration::from_millis(ms)).await;
    }
    Ok(line.to_uppercase())
}

chain! {
    struct Lines { deadline: Deadline<SmolTimer> }
    async fn<'r>(line: &'r str) -> Result<String, Expired> { deadline { answer } }
}

async fn converse(stream: TcpStream, chain: Arc<Lines>) -> smol::io::Result<()> {
    let (mut lines, mut stream) = (BufReader::new(stream.clone()).lines(), stream);
    while let Some(line) = lines.next().await {
        let answer = chain.run(&line?).await.unwrap_or_else(|expired| expired.to_string());
        stream.write_all((answer + "\n").as_bytes()).await?;
    }
    Ok(())
}

/// Serves until it is dropped, and then drops all connections.
pub(crate) async fn serve(listener: TcpListener, limit: Duration) {
    let (connections, chain) =
        (smol::Executor::new(), Arc::new(Lines { deadline: Deadline::within_on(SmolTimer, limit) }));
    let accept = async {
        while let Ok((stream, _)) = listener.accept().await {
            connections.spawn(converse(stream, Arc::clone(&chain))).detach();
        }
    };
    connections.run(accept).await;
}

fn main() -> smol::io::Result<()> {
    smol::block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let mut client = TcpStream::connect(listener.local_addr()?).await?;
        let server = smol::spawn(serve(listener, Duration::from_millis(50)));
        client.write_all(b"hello\nsleep 1\nsleep 60000\n").await?;
        let answers = BufReader::new(client).lines().take(3);
        answers.for_each(|answer| println!("{}", answer.expect("text"))).await;
        server.cancel().await;
        Ok(())
    })
}
