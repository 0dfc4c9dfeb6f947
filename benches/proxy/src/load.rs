//! The load: HTTP/1.1 written by hand, so that it takes as little of its core as possible.

use std::cell::RefCell;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::LocalSet;
use tokio::time::sleep_until;

use crate::contenders::{Contender, KEY, LOAD};
use crate::grpc;

/// What is asked for.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) path: &'static str,
    pub(crate) connections: usize,
    /// Requests a second, for each time; `None` for as many as can be had.
    pub(crate) rate: Option<Vec<f64>>,
    pub(crate) time: Duration,
}

/// What came of it. Times are in seconds.
pub(crate) struct Measured {
    /// Replies.
    pub(crate) count: usize,
    pub(crate) rate: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    /// The processor time of a request.
    pub(crate) cpu: f64,
    /// The share of requests that were refused with a 503. The other values are of those that were not.
    pub(crate) refused: f64,
    /// How long after a burst the last request began that took more than 20 ms; 0 without one.
    pub(crate) calm: f64,
}

/// One connection.
pub(crate) struct Asking {
    pub(crate) stream: TcpStream,
    request: Vec<u8>,
    pub(crate) read: Vec<u8>,
}

impl Asking {
    pub(crate) async fn connect(contender: &Contender, path: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(contender.at).await?;
        stream.set_nodelay(true)?;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: bench\r\nUser-Agent: bench\r\nAccept: */*\r\nx-api-key: {KEY}\r\n\r\n"
        );
        Ok(Self { stream, request: request.into_bytes(), read: vec![0; 64 << 10] })
    }

    pub(crate) async fn send(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.request).await
    }

    /// Reads a reply to its end, and checks it as far as that is cheap. Whether it is what was asked for: a proxy may
    /// refuse what is too much.
    pub(crate) async fn reply(&mut self) -> io::Result<bool> {
        let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let mut filled = 0;
        let (head, length, is_ok) = loop {
            let count = self.stream.read(&mut self.read[filled..]).await?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            filled += count;
            let read = &self.read[..filled];
            if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = std::str::from_utf8(&read[..end]).map_err(|_| wrong("the head is no text"))?;
                let is_ok = head.starts_with("HTTP/1.1 200");
                if !is_ok && !head.starts_with("HTTP/1.1 503") {
                    return Err(wrong(head));
                }
                let mut lines = head.lines().filter_map(|line| line.split_once(':'));
                let length = lines.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
                let length = length.and_then(|(_, length)| length.trim().parse::<usize>().ok());
                break (end + 4, length.ok_or_else(|| wrong("a length is missing"))?, is_ok);
            }
        };
        let mut left = (head + length).checked_sub(filled).ok_or_else(|| wrong("more than the reply"))?;
        while left > 0 {
            let count = self.stream.read(&mut self.read).await?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            left = left.checked_sub(count).ok_or_else(|| wrong("more than the reply"))?;
        }
        Ok(is_ok)
    }
}

/// Requests of an open loop: when they should begin, in seconds.
fn beginnings(phases: &[f64], time: f64) -> Vec<f64> {
    let mut all = Vec::new();
    for (number, rate) in phases.iter().enumerate() {
        let count = (rate * time) as usize;
        all.extend((0..count).map(|at| time * number as f64 + at as f64 / rate));
    }
    all
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// When requests should begin, how many have begun, and how long each took from its beginning.
struct Loop {
    begins: Option<Vec<f64>>,
    begun: usize,
    took: Vec<(f64, f64)>,
    refused: usize,
}

pub(crate) fn run(contender: &Contender, plan: &Plan) -> io::Result<Measured> {
    let begins = plan.rate.as_ref().map(|phases| beginnings(phases, plan.time.as_secs_f64()));
    let all = Rc::new(RefCell::new(Loop { begins, begun: 0, took: Vec::new(), refused: 0 }));
    let (before, began, ended) = LocalSet::new().block_on(&runtime(), async {
        let mut asking = Vec::new();
        for _ in 0..plan.connections {
            let mut one = Asking::connect(contender, plan.path).await?;
            one.send().await?;
            one.reply().await?;
            asking.push(one);
        }
        let (before, began) = (cpu(contender), Instant::now());
        let until = began + plan.time;
        let tasks: Vec<_> = asking
            .into_iter()
            .map(|mut one| {
                let all = Rc::clone(&all);
                tokio::task::spawn_local(async move {
                    loop {
                        let next = {
                            let mut all = all.borrow_mut();
                            all.begun += 1;
                            let at = all.begun - 1;
                            match &all.begins {
                                Some(begins) => begins.get(at).map(|at| began + Duration::from_secs_f64(*at)),
                                None => Some(Instant::now()).filter(|now| *now < until),
                            }
                        };
                        let Some(begins) = next else { return io::Result::Ok(()) };
                        if begins > Instant::now() {
                            sleep_until(begins.into()).await;
                        }
                        one.send().await?;
                        if !one.reply().await? {
                            all.borrow_mut().refused += 1;
                            continue;
                        }
                        let took = (begins.duration_since(began).as_secs_f64(), begins.elapsed().as_secs_f64());
                        all.borrow_mut().took.push(took);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.map_err(io::Error::other)??;
        }
        io::Result::Ok((before, began, Instant::now()))
    })?;
    let used = cpu(contender) - before;
    let all = Rc::try_unwrap(all).ok().expect("all tasks have ended").into_inner();
    let replies = all.took.len().max(1);
    let count = replies as f64;
    let refused = all.refused as f64 / (replies + all.refused) as f64;
    let calm = match &plan.rate {
        Some(phases) if phases.len() > 1 => {
            let most = phases.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(at, _)| at);
            let over = (most + 1) as f64 * plan.time.as_secs_f64();
            let slow = all.took.iter().filter(|(_, took)| *took > 0.020).map(|(begun, _)| begun - over);
            slow.fold(0.0, f64::max)
        }
        _ => 0.0,
    };
    let mut took: Vec<f64> = all.took.iter().map(|(_, took)| *took).collect();
    took.sort_by(f64::total_cmp);
    let at = |share: f64| took.get(((took.len() as f64 * share) as usize).min(took.len().saturating_sub(1)));
    let at = |share| at(share).copied().unwrap_or(f64::NAN);
    Ok(Measured {
        count: replies,
        rate: count / ended.duration_since(began).as_secs_f64(),
        p50: at(0.5),
        p99: at(0.99),
        p999: at(0.999),
        cpu: used / (count + all.refused as f64),
        refused,
        calm,
    })
}

/// The processor time that the process has taken, in seconds.
fn cpu(contender: &Contender) -> f64 {
    // In ticks, of which there are a hundred a second. The name is in parentheses and may have spaces.
    let stat = fs::read_to_string(format!("/proc/{}/stat", contender.process())).unwrap_or_default();
    let rest = stat.rsplit(')').next().unwrap_or_default();
    let times = rest.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
    times.sum::<f64>() / 100.0
}

/// HTTP/2, as nghttp2's h2load sees it: 100 streams of one connection.
pub(crate) fn h2load(contender: &Contender, at: SocketAddr, path: &str, seconds: f64) -> Result<Measured, String> {
    let before = cpu(contender);
    let mut command = Command::new("taskset");
    command.args(["-c", LOAD, "h2load", "-c1", "-m100", "--warm-up-time=0", "-D", &seconds.ceil().to_string(), "-H"]);
    command.arg(format!("x-api-key: {KEY}"));
    let body = (path == grpc::PATH).then(|| Body::of(&grpc::message())).transpose()?;
    if let Some(Body(file)) = &body {
        command.args(["-H", "content-type: application/grpc", "-H", "te: trailers", "-d"]).arg(file);
    }
    let said = command.arg(format!("http://{at}{path}")).output();
    let said = said.map_err(|error| format!("h2load does not run: {error}"))?;
    let said = String::from_utf8_lossy(&said.stdout);
    let number = |behind: &str, before: &str| {
        let (_, rest) = said.split_once(behind)?;
        rest.split_once(before)?.0.rsplit([' ', ',']).find(|word| !word.is_empty())?.parse::<f64>().ok()
    };
    let count = number("status codes: ", " 2xx").filter(|count| *count > 0.0);
    let count = count.ok_or_else(|| format!("{}: h2load has no replies:\n{said}", contender.name))?;
    let refused = number("status codes: ", " 5xx").unwrap_or(0.0);
    let rate = number("finished in ", " req/s").unwrap_or(f64::NAN);
    let nan = f64::NAN;
    Ok(Measured {
        count: count as usize,
        rate: rate * count / (count + refused),
        p50: nan,
        p99: nan,
        p999: nan,
        cpu: (cpu(contender) - before) / (count + refused),
        refused: refused / (count + refused),
        calm: 0.0,
    })
}

/// The body of each request in a file, as h2load wants it. The file goes with it.
struct Body(PathBuf);

impl Body {
    fn of(bytes: &[u8]) -> Result<Self, String> {
        let body = Self(std::env::temp_dir().join(format!("proxy-bench-{}-body", std::process::id())));
        fs::write(&body.0, bytes).map_err(|error| format!("{}: {error}", body.0.display()))?;
        Ok(body)
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
