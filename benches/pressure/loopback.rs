//! The doors in a proxy on loopback, before an upstream with a fixed capacity. Proxy and upstream are processes of their own, on one core.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chain_benches::open_loop::{Client, End, Load};

use crate::plan::{Class, Ends, Plan, Reply};
use crate::processes::{SERVERS, Server, itself};
use crate::run::{Run, Setting};
use crate::serve::CAPACITY;

/// When a client gives up, and resets the connection.
pub(crate) const DEADLINE: Duration = Duration::from_millis(160);
/// Enough that none waits for one: as many as are due at ten times the capacity until their clients give up, and as many again.
const CONNECTIONS: usize = 4_000;

pub(crate) fn setting(doors: &'static [&'static str]) -> Result<Setting, String> {
    let upstream = Server::start("upstream", itself(SERVERS, "upstream"))?;
    Ok(Setting { name: "on loopback", capacity: capacity(upstream.address)?, deadline: DEADLINE, doors })
}

/// What the upstream can do at most: more than that is asked of it, and there is patience.
fn capacity(upstream: SocketAddr) -> Result<f64, String> {
    let most = CAPACITY.workers as f64 / CAPACITY.takes.as_secs_f64();
    let plan = Plan::new().then(1.5 * most, Duration::from_secs(2));
    let ends = Ends::of(&plan);
    let patience = Duration::from_secs(10);
    let mut load = Asked { plan: &plan, ends: &ends, texts: texts() };
    let client = Client { address: upstream, connections: CONNECTIONS, patience, spins: false };
    client.run(&mut load).map_err(|error| format!("the upstream: {error}"))?;
    // After the first has waited, and until the last is sent, all workers are busy.
    Ok(ends.served_between(&plan, Duration::from_millis(200), plan.lasts()) / (plan.lasts().as_secs_f64() - 0.2))
}

pub(crate) fn run(door: &str, index: usize, plan: Plan) -> Result<Run, String> {
    let upstream = Server::start("upstream", itself(SERVERS, "upstream"))?;
    let role = format!("serve {index} {}", upstream.address);
    let mut proxy = Server::start("the proxy", itself(SERVERS, &role)).map_err(|error| format!("`{door}`: {error}"))?;
    let ends = Ends::of(&plan);
    let mut load = Asked { plan: &plan, ends: &ends, texts: texts() };
    let client = Client { address: proxy.address, connections: CONNECTIONS, patience: DEADLINE, spins: false };
    client.run(&mut load).map_err(|error| format!("`{door}`: {error}"))?;
    proxy.lives()?;
    Ok(Run { plan, ends: Arc::new(ends) })
}

fn texts() -> [String; 3] {
    Class::ALL.map(|class| format!("GET / HTTP/1.1\r\nhost: bench.test\r\nx-priority: {}\r\n\r\n", class.name()))
}

struct Asked<'a> {
    plan: &'a Plan,
    ends: &'a Ends,
    texts: [String; 3],
}

impl Load for Asked<'_> {
    fn due(&self, number: u64) -> Option<Duration> {
        self.plan.due.get(number as usize).map(|due| due.at)
    }

    fn request(&self, number: u64) -> &[u8] {
        self.texts[self.plan.due[number as usize].class as usize].as_bytes()
    }

    fn ended(&mut self, number: u64, took: Duration, end: End<'_>) -> io::Result<()> {
        let reply = match end {
            End::Replied { status: 200, .. } => Reply::Served,
            End::Replied { status: 429 | 503, .. } => Reply::TurnedAway,
            End::Replied { status, .. } => return Err(io::Error::other(format!("a reply with the status {status}"))),
            End::GaveUp | End::Broken(_) => Reply::Failed,
        };
        self.ends.ended(number as usize, took, reply);
        Ok(())
    }
}
