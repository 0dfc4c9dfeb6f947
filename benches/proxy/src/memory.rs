//! What a proxy keeps in memory for a connection.

use std::fs;
use std::io;
use std::time::Duration;

use crate::contenders::Contender;
use crate::load::{Asking, runtime};

/// In KiB.
pub(crate) struct Memory {
    /// Before there was a connection.
    pub(crate) rest: f64,
    /// How much more it is with the connections, for each.
    pub(crate) each: f64,
    /// The same of all buffers of TCP in the kernel: those of the clients, the proxy and the upstream.
    pub(crate) kernel: f64,
}

/// Opens so many connections at a process that has had none: idle ones after a reply, or ones whose client reads nothing
/// of a large reply.
///
/// The process has to be a fresh one. What a process once had it mostly keeps, so that one which has served a thousand large
/// replies before would have room for all of this already.
pub(crate) fn of(contender: &Contender, path: &'static str, connections: usize) -> Result<Memory, String> {
    let measured: io::Result<Memory> = runtime().block_on(async {
        // What is made at the first request is not a connection's.
        let mut first = Asking::connect(contender, path).await?;
        first.send().await?;
        first.reply().await?;
        drop(first);
        tokio::time::sleep(Duration::from_millis(500)).await;
        let (rest, kernel) = (anonymous(contender)?, buffers()?);
        let mut all = Vec::new();
        for _ in 0..connections {
            let mut one = Asking::connect(contender, path).await?;
            one.send().await?;
            if path == "/small" {
                one.reply().await?;
            } else {
                one.stream.readable().await?;
            }
            one.read = Vec::new();
            all.push(one);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        let for_each = |now: f64, before: f64| (now - before) / connections as f64;
        Ok(Memory { rest, each: for_each(anonymous(contender)?, rest), kernel: for_each(buffers()?, kernel) })
    });
    measured.map_err(|error| format!("{}: {error}", contender.name))
}

/// What the process has written to, in KiB: not the pages of its program that are read for the first time meanwhile.
fn anonymous(contender: &Contender) -> io::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{}/status", contender.process()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| io::Error::other("the kernel does not say how much memory it has"))
}

/// The pages of TCP's buffers, in KiB.
fn buffers() -> io::Result<f64> {
    let all = fs::read_to_string("/proc/net/sockstat")?;
    let line = all.lines().find_map(|line| line.strip_prefix("TCP:"));
    let pages = line.and_then(|line| line.split_once(" mem ")?.1.split_whitespace().next()?.parse::<f64>().ok());
    Ok(pages.ok_or_else(|| io::Error::other("the kernel does not say how much memory TCP has"))? * 4.0)
}
