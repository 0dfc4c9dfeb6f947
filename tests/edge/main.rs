//! The example `edge`, as users see it: a process of its own, in front of real upstreams.
#![cfg(unix)]

mod load;
mod operate;
mod routes;

use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};

use processes::client::{Answer, Client};
use processes::nginx::Nginx;
use processes::running::{self, Running};

/// A running edge. Dropped, it is killed.
struct Edge {
    running: Running,
    address: SocketAddr,
    admin: SocketAddr,
}

impl Edge {
    /// Starts it in front of these groups of upstreams, with quotas that no test meets by accident.
    async fn start(stable: &[&Nginx], canary: &[&Nginx], files: &[&Nginx], flags: &[&str]) -> Self {
        let mut all = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"].map(str::to_owned).to_vec();
        all.extend(["--rate", "1000000", "--burst", "1000000"].map(str::to_owned));
        for (flag, group) in [("--stable", stable), ("--canary", canary), ("--files", files)] {
            all.extend(group.iter().flat_map(|upstream| [flag.to_owned(), format!("http://{}", upstream.address)]));
        }
        all.extend(flags.iter().map(|&flag| flag.to_owned()));
        let mut running = Running::start(running::command("edge", &all));
        let admin = running.address("admin on http://").await;
        let address = running.address("listening on http://").await;
        Self { running, address, admin }
    }

    fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// What an operator asks for.
    async fn operate(&self, method: &str, path: &str) -> Answer {
        Client::new(self.admin).ask(method, path, &[], "").await
    }
}

impl Deref for Edge {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

impl DerefMut for Edge {
    fn deref_mut(&mut self) -> &mut Running {
        &mut self.running
    }
}
