//! Nodes for chains of other crates.

use links::{Ending, IntoReply, node};

/// Who it is.
#[derive(Clone, Copy, Debug)]
pub struct User(pub u32);

/// Nobody.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl IntoReply<String> for Nobody {
    fn into_reply(self) -> String {
        "nobody".to_owned()
    }
}

/// Provides a [`User`].
///
/// # Errors
///
/// Where there is none.
#[node]
pub fn auth(line: &str) -> Result<User, Nobody> {
    line.len().try_into().map(User).map_err(|_| Nobody)
}

/// The reply.
#[node]
pub async fn greet(user: &User) -> String {
    std::future::ready(format!("hello {}", user.0)).await
}

/// Counts what comes by.
#[derive(Debug, Default)]
pub struct Counter {
    seen: std::sync::atomic::AtomicU32,
}

#[node]
impl Counter {
    fn enter(&self) {
        self.seen.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }

    fn exit(&self, ending: &Ending, reply: &mut String) {
        self.seen.fetch_max(1, std::sync::atomic::Ordering::Relaxed);
        reply.push_str(if ending.is_cut_short() { "!" } else { "." });
    }

    fn cancelled(&self) {
        self.seen.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
    }
}

impl Counter {
    /// How many.
    pub fn seen(&self) -> u32 {
        self.seen.load(std::sync::atomic::Ordering::Relaxed)
    }
}
