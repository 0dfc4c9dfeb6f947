//! A proxy and its upstream, and what every case checks in addition to its own claims.

use super::client::Client;
use super::proxy::{Proxy, Which};
use super::upstream::{Asked, Then, Upstream, fine, ok};

/// A proxy and its upstream.
pub(crate) struct Bench {
    pub(crate) upstream: Upstream,
    pub(crate) proxy: Proxy,
}

impl Bench {
    pub(crate) fn new(which: Which, flags: &[&str]) -> Self {
        let upstream = Upstream::new();
        let proxy = Proxy::start(which, upstream.at, flags);
        let bench = Self { upstream, proxy };
        bench.begin(|asked, _| fine(asked));
        bench
    }

    /// Answers what every case asks besides its own.
    pub(crate) fn begin(&self, script: impl Fn(&Asked, usize) -> Then + Send + Sync + 'static) {
        self.upstream.begin(move |asked, turn| match asked.target.rsplit('/').next() {
            Some("tail") => Then::Send(ok("tail")),
            Some("sentinel") => Then::Send(ok("sentinel")),
            _ => script(asked, turn),
        });
    }

    /// Asks something harmless on a new connection. What a case left behind on the way to the upstream is met by it.
    pub(crate) fn sentinel(&self) -> Result<(), String> {
        let which = self.proxy.which;
        let mut client = Client::connect(self.proxy.at);
        let asked = b"GET {p}/sentinel HTTP/1.1\r\nHost: a.example\r\n{k}Connection: close\r\n\r\n";
        match client.last(&which.fill(asked)) {
            Ok(Some(reply)) if reply.status == 200 && reply.body == b"sentinel" => Ok(()),
            other => Err(format!("the next client did not get its own reply: {other:?}")),
        }
    }

    /// Asks for one more reply on the client's connection. Whether there was one, and not a forged one.
    pub(crate) fn tail(&self, client: &mut Client) -> Result<bool, String> {
        client.old = false;
        let asked = b"GET {p}/tail HTTP/1.1\r\nHost: a.example\r\n{k}Connection: close\r\n\r\n";
        match client.last(&self.proxy.which.fill(asked)) {
            Ok(None) => Ok(false),
            Ok(Some(reply)) if reply.status == 200 && reply.body == b"tail" => Ok(true),
            other => Err(format!("the next request on the connection did not get its own reply: {other:?}")),
        }
    }

    /// What the case itself asked.
    pub(crate) fn asked(&self) -> Result<Vec<Asked>, String> {
        let record = self.upstream.record();
        if let Some((_, garbage)) = record.garbage.first() {
            return Err(format!("the upstream could not read what came: {garbage}"));
        }
        let others =
            |asked: &Asked| !["tail", "sentinel"].contains(&asked.target.rsplit('/').next().unwrap_or_default());
        Ok(record.asked.into_iter().filter(others).collect())
    }
}
