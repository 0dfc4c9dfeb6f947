//! The gateway's process.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::process::Output;

use http::{Method, Response};
use hyper::body::Incoming;
use hyper_util::client::legacy::Error;
use processes::client::{Answer, Client};
use processes::running::{self, Running};
use processes::upstream::Reply;
use processes::{directory, within};
use tokio::process::Command;

/// The secret that `Gateway::start` lets tokens be signed with.
pub(crate) const SECRET: &[u8] = b"a secret that has thirty-two bytes";
/// A key of the user `alice`, and one of `bob`.
pub(crate) const ALICE: &str = "alice-0123456789";
pub(crate) const BOB: &str = "bob-0123456789abc";

/// A running gateway. Dropped, it is killed.
pub(crate) struct Gateway {
    running: Running,
    pub(crate) address: SocketAddr,
    /// Where the operator's page is, unless it is off.
    pub(crate) admin: Option<SocketAddr>,
}

impl Deref for Gateway {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

impl DerefMut for Gateway {
    fn deref_mut(&mut self) -> &mut Running {
        &mut self.running
    }
}

impl Gateway {
    /// Starts it in front of these upstreams, with quotas that no test meets by accident.
    pub(crate) async fn start(upstreams: &[SocketAddr], flags: &[&str]) -> Self {
        let secret = file("secret", SECRET);
        let keys = file("keys", format!("alice {ALICE}\nbob {BOB} # not alice's\n").as_bytes());
        let mut all = ["--name", "chain-gateway", "--jwt-secret-file", &secret, "--api-keys-file", &keys]
            .map(str::to_owned)
            .to_vec();
        // How much memory this machine has left is not what a test is about, unless it says so.
        if !flags.contains(&"--pressure-cgroup") {
            all.extend(["--pressure-cgroup", "off"].map(str::to_owned));
        }
        if !flags.contains(&"--burst") && !flags.contains(&"--config") {
            all.extend(["--rate", "1000000", "--burst", "1000000"].map(str::to_owned));
        }
        for upstream in upstreams {
            all.extend(["--upstream".to_owned(), format!("http://{upstream}")]);
        }
        all.extend(flags.iter().map(|&flag| flag.to_owned()));
        Self::start_with(&all).await
    }

    /// Starts it with these flags, and on a free port.
    pub(crate) async fn start_with(flags: &[impl AsRef<OsStr>]) -> Self {
        let flags: Vec<&OsStr> =
            flags.iter().map(AsRef::as_ref).chain(["--listen", "127.0.0.1:0"].map(OsStr::new)).collect();
        Self::start_free(&flags, &[]).await
    }

    /// Starts it with these flags and this environment, of which one says where it listens.
    pub(crate) async fn start_free(flags: &[impl AsRef<OsStr>], environment: &[(&str, &str)]) -> Self {
        let mut command = command(flags);
        command.envs(environment.iter().copied());
        let mut running = Running::start(command);
        let address = running.address("listening on http://").await;
        let admin = running.seen().iter().find_map(|line| line.strip_prefix("admin on http://"));
        let admin = admin.and_then(|at| at.trim_end_matches('/').parse().ok());
        Self { running, address, admin }
    }
}

/// Runs the gateway with flags that do not let it start.
pub(crate) async fn fails_with(flags: &[impl AsRef<OsStr>]) -> (Option<i32>, String) {
    fails(command(flags)).await
}

/// Runs the gateway with an environment that does not let it start.
pub(crate) async fn fails_in(name: &str, value: &str) -> (Option<i32>, String) {
    let mut command = command(&[] as &[&str]);
    command.env(name, value);
    fails(command).await
}

async fn fails(mut command: Command) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = within("an end", command.output()).await.expect("the gateway runs");
    (status.code(), String::from_utf8(stderr).expect("stderr is text"))
}

fn command(flags: &[impl AsRef<OsStr>]) -> Command {
    running::command("gateway", flags)
}

/// Writes a file of this name, and this test's own.
pub(crate) fn file(name: &str, contents: &[u8]) -> String {
    let file = directory().join(name);
    std::fs::write(&file, contents).expect("the test's file is written");
    file.to_str().expect("the path is text").to_owned()
}

/// What alice asks for.
pub(crate) trait AsAlice {
    async fn get_as_alice(&self, path: &str) -> Answer;

    /// Sends a body; the body of the reply is still to be read.
    async fn post_as_alice(&self, path: &str, body: Reply) -> Result<Response<Incoming>, Error>;
}

impl AsAlice for Client {
    async fn get_as_alice(&self, path: &str) -> Answer {
        self.get(path, &[("x-api-key", ALICE)]).await
    }

    async fn post_as_alice(&self, path: &str, body: Reply) -> Result<Response<Incoming>, Error> {
        self.send(self.request(Method::POST, path, &[("x-api-key", ALICE)], body)).await
    }
}
