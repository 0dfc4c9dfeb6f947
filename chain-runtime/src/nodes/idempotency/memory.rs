//! [`Memory`]: the store of a single process.

use core::fmt;
use core::time::Duration;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::{Begun, Digest, Kept, Store, Ticket};

/// The store of a single process. By default it holds 10,000 keys and 16 MiB of replies, each up to 1 MiB, for 24
/// hours.
///
/// If all keys are taken, a new one is refused, since forgetting an old one could carry a request out twice. If there
/// is no room for a reply, the key is remembered without it, and [`unkept`](Self::unkept) counts it. Nothing has to
/// sweep: expired keys are forgotten when the store is next asked.
pub struct Memory {
    window: Duration,
    keys: usize,
    bytes: usize,
    largest: usize,
    now: fn() -> Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    slots: HashMap<Digest, Slot>,
    /// The finished keys, and when they expire, in this order.
    finished: VecDeque<(Instant, Digest, Ticket)>,
    /// The bytes of all replies.
    bytes: usize,
    next: u64,
    unkept: u64,
}

struct Slot {
    print: Digest,
    ticket: Ticket,
    /// `None` while the request is under way.
    outcome: Option<Option<Arc<Kept>>>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(24 * 3_600),
            keys: 10_000,
            bytes: 16 * 1024 * 1024,
            largest: 1024 * 1024,
            now: Instant::now,
            state: Mutex::default(),
        }
    }
}

impl Memory {
    /// How long a key is remembered after its request has finished.
    #[must_use]
    pub const fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// The largest number of keys, including those under way.
    #[must_use]
    pub const fn keys(mut self, keys: usize) -> Self {
        self.keys = keys;
        self
    }

    /// The largest number of bytes of all replies, and of each.
    #[must_use]
    pub const fn bytes(mut self, all: usize, each: usize) -> Self {
        (self.bytes, self.largest) = (all, each);
        self
    }

    /// Sets another clock.
    #[must_use]
    pub const fn clock(mut self, now: fn() -> Instant) -> Self {
        self.now = now;
        self
    }

    /// How many keys are remembered, including those under way.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state().slots.len()
    }

    /// Whether no key is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes the replies take.
    #[must_use]
    pub fn size(&self) -> usize {
        self.state().bytes
    }

    /// How many replies were not kept, because they were too large, or no whole body.
    #[must_use]
    pub fn unkept(&self) -> u64 {
        self.state().unkept
    }

    /// The state, without expired keys.
    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.finished.is_empty() {
            let now = (self.now)();
            while let Some(&(_, id, ticket)) = state.finished.front().filter(|(over, ..)| *over <= now) {
                state.finished.pop_front();
                state.forget(id, ticket);
            }
        }
        state
    }
}

impl State {
    fn forget(&mut self, id: Digest, ticket: Ticket) {
        if self.slots.get(&id).is_some_and(|slot| slot.ticket == ticket) {
            let outcome = self.slots.remove(&id).and_then(|slot| slot.outcome).flatten();
            self.bytes -= outcome.map_or(0, |kept| kept.size());
        }
    }
}

impl Store for Memory {
    async fn begin(&self, id: Digest, print: Digest) -> Begun {
        let mut state = self.state();
        if let Some(slot) = state.slots.get(&id) {
            return match &slot.outcome {
                _ if slot.print != print => Begun::Another,
                None => Begun::Running,
                Some(kept) => Begun::Finished(kept.clone()),
            };
        }
        if state.slots.len() >= self.keys {
            return Begun::Unavailable;
        }
        state.next += 1;
        let ticket = Ticket(state.next);
        state.slots.insert(id, Slot { print, ticket, outcome: None });
        Begun::First(ticket)
    }

    async fn finish(&self, id: Digest, ticket: Ticket, kept: Option<Arc<Kept>>) {
        let over = (self.now)().checked_add(self.window);
        let mut state = self.state();
        let size = kept.as_ref().map_or(0, |kept| kept.size());
        let fits = size <= self.largest && size <= self.bytes.saturating_sub(state.bytes);
        let kept = kept.filter(|_| fits);
        let (size, is_kept) = (if fits { size } else { 0 }, kept.is_some());
        match state.slots.get_mut(&id) {
            Some(slot) if slot.ticket == ticket && slot.outcome.is_none() => slot.outcome = Some(kept),
            _ => return,
        }
        state.bytes += size;
        state.unkept += u64::from(!is_kept);
        // A window whose end no clock can show has no end.
        if let Some(over) = over {
            state.finished.push_back((over, id, ticket));
        }
    }

    fn give_back(&self, id: Digest, ticket: Ticket) {
        self.state().forget(id, ticket);
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (window, keys, bytes) = (self.window, self.keys, self.bytes);
        f.debug_struct("Memory")
            .field("window", &window)
            .field("keys", &keys)
            .field("bytes", &bytes)
            .finish_non_exhaustive()
    }
}
