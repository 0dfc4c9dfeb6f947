//! A client that sends when a request is due, whatever happens to the replies. Latency counts from when a request was
//! due.
//!
//! A connection carries one request at a time. If as many connections are open as are allowed, requests wait, and their
//! waiting counts.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use socket2::SockRef;

/// What is asked, and who hears what became of it.
pub trait Load {
    /// When request `number` is due, counted from the start, never before the one ahead of it. `None`: there are no more.
    fn due(&self, number: u64) -> Option<Duration>;

    /// The bytes of request `number`.
    fn request(&self, number: u64) -> &[u8];

    /// Request `number` ended `took` after it was due.
    ///
    /// # Errors
    /// What ends the whole run.
    fn ended(&mut self, number: u64, took: Duration, end: End<'_>) -> io::Result<()>;
}

/// How a request ends.
#[derive(Debug)]
pub enum End<'a> {
    /// With this reply, as it was sent.
    Replied {
        /// The number in its first line.
        status: u16,
        /// All of its bytes.
        whole: &'a [u8],
    },
    /// Its client gave up, and reset the connection.
    GaveUp,
    /// The connection failed, or what came is not HTTP.
    Broken(io::Error),
}

/// How it is asked.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// The server.
    pub address: SocketAddr,
    /// How many connections there are at most.
    pub connections: usize,
    /// When a client gives up, counted from when its request was due.
    pub patience: Duration,
    /// Whether it turns on its core and never sleeps, so that no timer's grain is in the figures.
    pub spins: bool,
}

struct Connection {
    stream: TcpStream,
    /// The request under way, and when it was due.
    asked: Option<(u64, Instant)>,
    /// How much of the request was sent.
    sent: usize,
    reply: Vec<u8>,
}

impl Client {
    /// Asks until there is no more to ask, and all of it has ended.
    ///
    /// # Errors
    /// Those of `load`, and of the machine itself.
    pub fn run(self, load: &mut impl Load) -> io::Result<()> {
        let mut poll = Poll::new()?;
        let mut events = Events::with_capacity(1_024);
        let mut connections: Vec<Option<Connection>> = Vec::new();
        let (mut free, mut empty) = (Vec::new(), Vec::new());
        // In the order in which they were due, so the first is the first that is given up. One that has ended is still in it.
        let mut under_way: VecDeque<(u64, Instant, usize)> = VecDeque::new();
        let started = Instant::now();
        let mut next = 0;
        loop {
            let now = Instant::now();
            let mut due = load.due(next).map(|due| started + due);
            while let Some(at) = due.filter(|at| *at <= now) {
                let slot = match free.pop() {
                    Some(slot) => slot,
                    None if empty.is_empty() && connections.len() == self.connections => break,
                    None => {
                        let slot = empty.pop().unwrap_or(connections.len());
                        let connection = self.connect(poll.registry(), slot)?;
                        if slot == connections.len() {
                            connections.push(Some(connection));
                        } else {
                            connections[slot] = Some(connection);
                        }
                        slot
                    }
                };
                let connection = connections[slot].as_mut().expect("a slot that is free has a connection");
                (connection.asked, connection.sent) = (Some((next, at)), 0);
                under_way.push_back((next, at, slot));
                if let Err(error) = connection.send(load.request(next)) {
                    (connections[slot], _) = (None, empty.push(slot));
                    load.ended(next, at.elapsed(), End::Broken(error))?;
                }
                next += 1;
                due = load.due(next).map(|due| started + due);
            }
            while let Some((number, at, slot)) = under_way.front().copied() {
                let is_open =
                    matches!(&connections[slot], Some(Connection { asked: Some((asked, _)), .. }) if *asked == number);
                if is_open && at.elapsed() < self.patience {
                    break;
                }
                under_way.pop_front();
                if is_open {
                    (connections[slot], _) = (None, empty.push(slot));
                    load.ended(number, at.elapsed(), End::GaveUp)?;
                }
            }
            if due.is_none() && under_way.is_empty() {
                return Ok(());
            }
            let until = due.into_iter().chain(under_way.front().map(|(_, at, _)| *at + self.patience)).min();
            let sleep = until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()));
            // What is due and has no connection waits for one.
            let sleep = if self.spins { Duration::ZERO } else { sleep.max(Duration::from_micros(200)) };
            poll.poll(&mut events, Some(sleep)).or_else(interrupted)?;
            for event in &events {
                let slot = event.token().0;
                let Some(connection) = connections[slot].as_mut() else { continue };
                let asked = connection.asked;
                let request = asked.map_or(&[][..], |(number, _)| load.request(number));
                match connection.send(request).and_then(|()| connection.read()) {
                    Ok(None) => {}
                    Ok(Some((status, keeps))) => {
                        let (number, at) = asked.ok_or_else(|| io::Error::other("a reply to nothing"))?;
                        load.ended(number, at.elapsed(), End::Replied { status, whole: &connection.reply })?;
                        connection.asked = None;
                        connection.reply.clear();
                        if keeps {
                            free.push(slot);
                        } else {
                            (connections[slot], _) = (None, empty.push(slot));
                        }
                    }
                    Err(error) => {
                        (connections[slot], _) = (None, empty.push(slot));
                        match asked {
                            Some((number, at)) => load.ended(number, at.elapsed(), End::Broken(error))?,
                            None => free.retain(|free| *free != slot),
                        }
                    }
                }
            }
        }
    }

    fn connect(&self, registry: &mio::Registry, slot: usize) -> io::Result<Connection> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        // Who gives up resets: a client's port must not wait for minutes afterwards.
        SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
        registry.register(&mut stream, Token(slot), Interest::READABLE | Interest::WRITABLE)?;
        Ok(Connection { stream, asked: None, sent: 0, reply: Vec::with_capacity(1_024) })
    }
}

impl Connection {
    /// Sends what of it is not sent yet, as far as the socket takes it.
    fn send(&mut self, request: &[u8]) -> io::Result<()> {
        while self.sent < request.len() {
            match self.stream.write(&request[self.sent..]) {
                Ok(count) => self.sent += count,
                // It is not connected yet, or full.
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => break,
                Err(error) => interrupted(error)?,
            }
        }
        Ok(())
    }

    /// Reads what is there. Once the reply is whole: its status, and whether the connection is kept.
    fn read(&mut self) -> io::Result<Option<(u16, bool)>> {
        let mut buffer = [0; 4_096];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(io::Error::other("the server closed a connection")),
                Ok(count) => self.reply.extend_from_slice(&buffer[..count]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => break,
                Err(error) => interrupted(error)?,
            }
        }
        let Some(head) = self.reply.windows(4).position(|end| end == b"\r\n\r\n") else { return Ok(None) };
        let wrong = || io::Error::other(format!("not a reply: {}", String::from_utf8_lossy(&self.reply)));
        let text = std::str::from_utf8(&self.reply[..head]).map_err(|_| wrong())?;
        let mut lines = text.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).ok_or_else(wrong)?;
        let mut length = None;
        let mut keeps = true;
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse::<usize>().ok();
            } else if name.eq_ignore_ascii_case("connection") {
                keeps = !value.trim().eq_ignore_ascii_case("close");
            }
        }
        let whole = head + 4 + length.ok_or_else(wrong)?;
        Ok((self.reply.len() >= whole).then_some((status, keeps)))
    }
}

fn interrupted(error: io::Error) -> io::Result<()> {
    if error.kind() == ErrorKind::Interrupted { Ok(()) } else { Err(error) }
}
