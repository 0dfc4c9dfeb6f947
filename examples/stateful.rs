//! Nodes with state are fields of the chain, and are used under the field's name.
//!
//! Two fields of one type are no ambiguity when they are nodes: the chain knows them by their names.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use chain_runtime::{IntoReply, chain, node};

struct Request {
    user: &'static str,
}

/// Lets so many requests pass, and counts them. All requests share a node, so its changing state is an atomic.
struct Limit {
    name: &'static str,
    passed: AtomicU32,
    most: u32,
}

impl Limit {
    fn new(name: &'static str, most: u32) -> Self {
        Self { name, passed: AtomicU32::new(0), most }
    }
}

struct Exceeded(&'static str);

impl IntoReply<String> for Exceeded {
    fn into_reply(self) -> String {
        format!("429, {}", self.0)
    }
}

#[node]
impl Limit {
    fn enter(&self) -> Result<(), Exceeded> {
        if self.passed.fetch_add(1, Relaxed) < self.most { Ok(()) } else { Err(Exceeded(self.name)) }
    }
}

/// A node that shares its count with other nodes is lent a field instead: any field can be asked for by type.
struct Greeting(&'static str);

#[node]
fn greet(request: &Request, greeting: &Greeting) -> String {
    format!("200, {} {}", greeting.0, request.user)
}

chain! {
    struct Service {
        greeting: Greeting,
        per_minute: Limit,
        per_day: Limit,
    }

    fn(request: Request) -> String {
        per_minute => per_day => greet
    }
}

fn main() {
    let service = Service {
        greeting: Greeting("hello,"),
        per_minute: Limit::new("too many this minute", 3),
        per_day: Limit::new("too many today", 2),
    };
    for user in ["Ada", "Charles", "Mary", "Percy"] {
        println!("{user}: {}", service.run(Request { user }));
    }
}
