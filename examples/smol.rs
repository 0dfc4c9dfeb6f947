//! A chain on smol, with a deadline by smol's own timer. There is no tokio in such a program's tree: see tests/executors.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use chain_runtime::around::{Deadline, Expired, Timer};
use chain_runtime::{chain, node};
use smol::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use smol::net::{TcpListener, TcpStream};
use smol::stream::StreamExt;

/// What every timer is to a chain: a future that is ready at a given time.
struct Smol;

impl Timer for Smol {
    type Sleep = Sleep;

    fn sleep_until(&self, at: Instant) -> Sleep {
        Sleep(smol::Timer::at(at))
    }
}

struct Sleep(smol::Timer);

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(context).map(|_| ())
    }
}

struct Wrong(&'static str);

impl From<Expired> for Wrong {
    fn from(_: Expired) -> Self {
        Self("that took too long")
    }
}

struct Milliseconds(u64);
#[node]
fn parse(line: &str) -> Result<Milliseconds, Wrong> {
    line.parse().map(Milliseconds).map_err(|_| Wrong("a number, please"))
}

#[node]
async fn wait(time: &Milliseconds) -> String {
    smol::Timer::after(Duration::from_millis(time.0)).await;
    format!("waited {} ms", time.0)
}

chain! {
    struct Waiting { deadline: Deadline<Smol> }
    async fn<'r>(line: &'r str) -> Result<String, Wrong> { parse => deadline { wait } }
}

async fn serve(chain: &Waiting, mut client: TcpStream) -> io::Result<()> {
    let mut lines = BufReader::new(client.clone()).lines();
    while let Some(line) = lines.next().await {
        let reply = chain.run(&line?).await.unwrap_or_else(|wrong| format!("error: {}", wrong.0));
        client.write_all(format!("{reply}\n").as_bytes()).await?;
    }
    client.close().await
}

fn main() -> io::Result<()> {
    smol::block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut client = TcpStream::connect(listener.local_addr()?).await?;
        client.write_all(b"5\nsoon\n60000\n").await?;
        client.shutdown(std::net::Shutdown::Write)?;
        let waiting = Waiting { deadline: Deadline::within_on(Smol, Duration::from_millis(50)) };
        serve(&waiting, listener.accept().await?.0).await?;
        smol::io::copy(client, smol::Unblock::new(io::stdout())).await.map(|_| ())
    })
}
