//! An upstream that reads strictly, records what it read, and replies as a test says.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use super::message::{Fields, shown};
use super::wire::{Lack, PATIENCE, Wire};

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Which connection it came on, counted from 0.
    pub(crate) connection: usize,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) fields: Fields,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Fields,
}

/// What came to an upstream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    pub(crate) asked: Vec<Asked>,
    /// What no strict reader takes for a request, by connection.
    pub(crate) garbage: Vec<(usize, String)>,
    pub(crate) connections: usize,
    /// Connections that have ended, seen from here.
    pub(crate) ended: usize,
}

/// What an upstream does with a connection whose next request's head was read.
pub(crate) enum Then {
    /// Reads the body, sends this in one piece, and waits for the next request.
    Send(Vec<u8>),
    /// The same, and closes.
    SendAndClose(Vec<u8>),
    /// Reads the body and closes without a word.
    Close,
    /// Sends this without having read the body, then reads it.
    SendFirst(Vec<u8>),
    /// Does anything.
    Do(Box<dyn FnOnce(&mut Wire) + Send>),
}

/// What is done for each request, by the order in which it came.
pub(crate) type Script = Box<dyn Fn(&Asked, usize) -> Then + Send + Sync>;

struct Shared {
    record: Mutex<Record>,
    came: Condvar,
    script: Mutex<Arc<Script>>,
    stop: AtomicBool,
    turn: AtomicUsize,
    /// How often it began anew. What belongs to an earlier time is not recorded.
    generation: AtomicUsize,
}

/// A listening upstream. Dropped, it stops.
pub(crate) struct Upstream {
    pub(crate) at: SocketAddr,
    shared: Arc<Shared>,
}

/// A reply with this text.
pub(crate) fn ok(text: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len()).into_bytes()
}

/// What is right for any request: its head alone for HEAD.
pub(crate) fn fine(asked: &Asked) -> Then {
    let mut reply = ok("ok");
    if asked.method == "HEAD" {
        reply.truncate(reply.len() - 2);
    }
    Then::Send(reply)
}

impl Upstream {
    /// Replies `ok` to all.
    pub(crate) fn new() -> Self {
        Self::scripted(|asked, _| fine(asked))
    }

    pub(crate) fn scripted(script: impl Fn(&Asked, usize) -> Then + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let at = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            record: Mutex::default(),
            came: Condvar::new(),
            script: Mutex::new(Arc::new(Box::new(script) as Script)),
            stop: AtomicBool::new(false),
            turn: AtomicUsize::new(0),
            generation: AtomicUsize::new(0),
        });
        let serves = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if serves.stop.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let shared = Arc::clone(&serves);
                let connection = shared.lock().connections;
                shared.note(|record| record.connections += 1);
                thread::spawn(move || {
                    shared.serve(stream, connection);
                    shared.note(|record| record.ended += 1);
                });
            }
        });
        Self { at, shared }
    }

    /// Does this from now on, and forgets what came before.
    pub(crate) fn begin(&self, script: impl Fn(&Asked, usize) -> Then + Send + Sync + 'static) {
        *self.shared.script.lock().expect("no panic") = Arc::new(Box::new(script));
        self.shared.turn.store(0, Ordering::SeqCst);
        let mut record = self.shared.lock();
        self.shared.generation.fetch_add(1, Ordering::SeqCst);
        record.asked.clear();
        record.garbage.clear();
    }

    /// What came so far.
    pub(crate) fn record(&self) -> Record {
        self.shared.lock().clone()
    }

    /// Waits until this holds.
    pub(crate) fn wait(&self, what: &str, holds: impl Fn(&Record) -> bool) -> Record {
        self.wait_for(PATIENCE, &holds).unwrap_or_else(|record| panic!("the upstream never saw {what}: {record:#?}"))
    }

    /// Waits until this holds, for so long.
    pub(crate) fn wait_for(&self, patience: Duration, holds: &dyn Fn(&Record) -> bool) -> Result<Record, Record> {
        let until = Instant::now() + patience;
        let mut record = self.shared.lock();
        while !holds(&record) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(record.clone());
            }
            record = self.shared.came.wait_timeout(record, left).expect("no panic").0;
        }
        Ok(record.clone())
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.at);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Record> {
        self.record.lock().expect("no panic")
    }

    fn note(&self, note: impl FnOnce(&mut Record)) {
        note(&mut self.lock());
        self.came.notify_all();
    }

    fn serve(&self, stream: TcpStream, connection: usize) {
        let mut wire = Wire::new(stream);
        // A connection that a proxy keeps may be silent for long.
        wire.patience = Duration::from_secs(120);
        let mut old = false;
        while self.one(&mut wire, connection, &mut old) {}
    }

    /// Takes one request. Says whether another one may come.
    fn one(&self, wire: &mut Wire, connection: usize, old: &mut bool) -> bool {
        if wire.ahead.is_empty() && wire.more().is_err() {
            return false;
        }
        let generation = self.generation.load(Ordering::SeqCst);
        let head = match wire.head() {
            Ok(head) => head,
            Err(lack) => return self.garbage(generation, connection, format!("{lack:?} after {}", shown(&wire.ahead))),
        };
        let framing = match head.request_framing(*old) {
            Ok(framing) => framing,
            Err(wrong) => return self.garbage(generation, connection, format!("{wrong}: {head:?}")),
        };
        let (method, target, _) = head.request().expect("it was just read");
        let mut asked = Asked {
            connection,
            method: method.to_owned(),
            target: target.to_owned(),
            fields: head.fields.clone(),
            body: Vec::new(),
            trailers: Fields::default(),
        };
        let script = Arc::clone(&self.script.lock().expect("no panic"));
        let then = script(&asked, self.turn.fetch_add(1, Ordering::SeqCst));
        if let Then::Do(act) = then {
            self.asked(generation, asked);
            act(wire);
            return false;
        }
        if let Then::SendFirst(reply) = &then {
            wire.send(reply);
        }
        match wire.body(framing) {
            Ok((body, trailers)) => (asked.body, asked.trailers) = (body, trailers),
            Err(Lack::Wrong(wrong)) => {
                return self.garbage(generation, connection, format!("{wrong} in the body of {asked:?}"));
            }
            Err(_) => {
                // The proxy gave up in the middle of a body: nothing more comes, and it was no whole request.
                asked.method.insert_str(0, "UNFINISHED ");
                self.asked(generation, asked);
                return false;
            }
        }
        self.asked(generation, asked);
        match then {
            Then::Send(reply) => {
                *old |= reply.starts_with(b"HTTP/1.0");
                wire.send(reply)
            }
            Then::SendAndClose(reply) => {
                wire.send(reply);
                false
            }
            Then::SendFirst(_) => true,
            Then::Close | Then::Do(_) => false,
        }
    }

    fn asked(&self, generation: usize, asked: Asked) {
        self.note(|record| {
            if self.generation.load(Ordering::SeqCst) == generation {
                record.asked.push(asked);
            }
        });
    }

    fn garbage(&self, generation: usize, connection: usize, what: String) -> bool {
        self.note(|record| {
            if self.generation.load(Ordering::SeqCst) == generation {
                record.garbage.push((connection, what));
            }
        });
        false
    }
}
