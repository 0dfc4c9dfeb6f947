//! Three members that answer over TCP, a line for each line: one is slow, one hangs up. The node `pick` chooses the
//! member, and the outcome goes back with the lease, on every way out. Then one is drained.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chain_runtime::upstream::{Health, Lease, Member, NoUpstream, PeakEwma, Pick, Registry};
use chain_runtime::{IntoReply, chain, node};
use tokio::io::{self, AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

struct Reply(Option<String>);

impl IntoReply<Reply> for NoUpstream {
    fn into_reply(self) -> Reply {
        Reply(None)
    }
}

/// Asks the member that `pick` has picked. It reports failures on the lease; without a report, the end of the run
/// decides.
#[node]
async fn ask(line: &String, lease: &Lease<SocketAddr>) -> Reply {
    let reply = exchange(*lease.endpoint(), line).await.ok().flatten();
    if reply.is_none() {
        lease.failed();
    }
    Reply(reply)
}

async fn exchange(member: SocketAddr, line: &str) -> io::Result<Option<String>> {
    let mut stream = BufReader::new(TcpStream::connect(member).await?);
    stream.write_all(format!("{line}\n").as_bytes()).await?;
    stream.lines().next_line().await
}

chain! {
    struct Balanced { pick: Pick<SocketAddr> }
    async fn(line: String) -> Reply { pick => ask }
}

/// Answers after this time, or hangs up.
async fn serve(listener: TcpListener, takes: Option<Duration>) -> io::Result<()> {
    loop {
        let (mut stream, _) = listener.accept().await?;
        if let Some(takes) = takes {
            tokio::time::sleep(takes).await;
            stream.write_all(b"well\n").await?;
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let registry = Arc::new(Registry::new().with_health(Health::new()));
    for (name, takes) in [("quick", Some(1)), ("slow", Some(20)), ("broken", None)] {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        registry.register(Member::new(name, listener.local_addr()?), Duration::MAX)?;
        tokio::spawn(serve(listener, takes.map(Duration::from_millis)));
    }
    let balanced = Balanced { pick: Pick::new(Arc::clone(&registry), PeakEwma::new()) };
    for round in ["all may be asked", "quick is drained"] {
        let mut answered = 0;
        for _ in 0..200 {
            let Reply(reply) = balanced.run("how are you?".to_owned()).await;
            answered += usize::from(reply.is_some());
        }
        println!("{round}: {answered} of 200 answered");
        for entry in registry.snapshot().members() {
            let (name, state, totals) = (entry.seat().name(), format!("{:?}", entry.state()), entry.seat().totals());
            println!("  {name:<7} {state:<9} {:>3} replies, {} failures", totals.ok, totals.failed);
        }
        if let Some(quick) = registry.snapshot().get("quick") {
            registry.drain(quick.seat().registration())?;
        }
    }
    Ok(())
}
