//! A client that sends at a fixed rate, whatever becomes of the replies; latency counts from when a request was due.
//!
//! It turns on one core and never sleeps: a timer's grain is not in the figures. A connection carries one request at a
//! time; where none is free, requests wait, and their waiting counts.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::requests::{self, BODY};

const CONNECTIONS: usize = 64;
/// Before anything is counted.
pub(crate) const WARM_UP: Duration = Duration::from_millis(300);

struct Connection {
    stream: TcpStream,
    due: Option<Instant>,
    reply: Vec<u8>,
}

/// Nanoseconds from due to replied, of every request that was due after the warm-up.
///
/// # Errors
/// If a connection fails, or a reply is not the one that is due.
pub(crate) fn run(address: SocketAddr, rate: u32, lasts: Duration) -> io::Result<Histogram<u64>> {
    let request = requests::load();
    let mut histogram = Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("these are bounds");
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(CONNECTIONS);
    let mut connections = Vec::with_capacity(CONNECTIONS);
    for index in 0..CONNECTIONS {
        let stream = std::net::TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        poll.registry().register(&mut stream, Token(index), Interest::READABLE)?;
        connections.push(Connection { stream, due: None, reply: Vec::with_capacity(1024) });
    }
    let mut free: VecDeque<usize> = (0..CONNECTIONS).collect();
    let total = ((WARM_UP + lasts).as_secs_f64() * f64::from(rate)) as u64;
    let started = Instant::now();
    // What does not end a while after the last request was due does not end.
    let patience = started + WARM_UP + lasts + Duration::from_secs(10);
    let (mut sent, mut done) = (0, 0);
    while done < total {
        let now = Instant::now();
        if now > patience {
            return Err(io::Error::other(format!("{} of {total} requests had no reply after 10 s", total - done)));
        }
        while sent < total {
            let due = started + Duration::from_nanos(sent * 1_000_000_000 / u64::from(rate));
            if due > now {
                break;
            }
            let Some(index) = free.pop_front() else { break };
            let connection = &mut connections[index];
            // A request is far smaller than a socket's buffer.
            connection.stream.write_all(request.as_bytes())?;
            connection.due = Some(due);
            sent += 1;
        }
        poll.poll(&mut events, Some(Duration::ZERO)).or_else(interrupted)?;
        for event in &events {
            let index = event.token().0;
            let connection = &mut connections[index];
            if !connection.replied()? {
                continue;
            }
            let due = connection.due.take().ok_or_else(|| io::Error::other("a reply to nothing"))?;
            if due >= started + WARM_UP {
                histogram.saturating_record(due.elapsed().as_nanos() as u64);
            }
            connection.reply.clear();
            free.push_back(index);
            done += 1;
        }
    }
    Ok(histogram)
}

impl Connection {
    /// Reads what is there; whether that is all of the reply.
    fn replied(&mut self) -> io::Result<bool> {
        let mut buffer = [0; 2048];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(io::Error::other("the server closed a connection")),
                Ok(count) => self.reply.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => interrupted(error)?,
            }
        }
        let whole = self.reply.ends_with(BODY.as_bytes());
        if !self.reply.is_empty() && !self.reply.starts_with(b"HTTP/1.1 200") {
            return Err(io::Error::other(format!("not a 200: {}", String::from_utf8_lossy(&self.reply))));
        }
        Ok(whole)
    }
}

fn interrupted(error: io::Error) -> io::Result<()> {
    if error.kind() == ErrorKind::Interrupted { Ok(()) } else { Err(error) }
}
