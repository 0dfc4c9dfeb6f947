//! A chain with everything in the language, in a crate without `std` and without `alloc`.
#![no_std]
#![forbid(unsafe_code)]

pub mod uart;

use core::cell::Cell;
use core::future::Future;
use core::ops::ControlFlow;
use core::pin::Pin;
use core::task::{Context, Poll};

use chain_runtime::describe::{ChainInfo, NodeInfo};
use chain_runtime::observe::Observer;
use chain_runtime::{Ending, IntoReply, Reset, Shedding, Toggles, chain, node};

/// A frame from the wire.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'r> {
    /// Its bytes.
    pub bytes: &'r [u8],
}

/// A request's memory.
#[derive(Debug, Default, Reset)]
pub struct Scratch {
    /// Polls of the radio.
    pub polls: u32,
}

/// The first byte, and what comes after it.
#[derive(Debug)]
pub struct Header<'r> {
    kind: u8,
    payload: &'r [u8],
}

/// A frame without a byte.
#[derive(Debug)]
pub struct Truncated;

/// What is sent back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub u8);

impl IntoReply<Status> for Truncated {
    fn into_reply(self) -> Status {
        Status(0xFF)
    }
}

/// Splits the frame, without a copy.
#[node]
pub fn parse<'r>(frame: &'r Frame<'r>) -> Result<Header<'r>, Truncated> {
    let (kind, payload) = frame.bytes.split_first().ok_or(Truncated)?;
    Ok(Header { kind: *kind, payload })
}

/// Answers a ping at once.
#[node]
pub fn ping(header: &Header<'_>) -> ControlFlow<Status> {
    if header.kind == 0 { ControlFlow::Break(Status(0)) } else { ControlFlow::Continue(()) }
}

/// Switches the radio on for as long as the request takes.
#[derive(Debug, Default)]
pub struct Radio {
    /// Whether it is on.
    pub on: Cell<bool>,
    /// How many requests ended before their time.
    pub cancelled: Cell<u32>,
}

/// The radio is on.
#[derive(Debug)]
pub struct On;

#[node]
impl Radio {
    async fn enter(&self, scratch: &mut Scratch) -> On {
        Suspend(1).await;
        scratch.polls += 1;
        self.on.set(true);
        On
    }
    async fn exit(&self, _on: &mut On, reply: &mut Status, ending: &Ending) {
        Suspend(1).await;
        reply.0 |= u8::from(ending.is_cut_short()) << 4;
        self.on.set(false);
    }
    fn cancelled(&self, _on: &On) {
        self.on.set(false);
        self.cancelled.set(self.cancelled.get() + 1);
    }
}

/// Adds the payload up.
#[node]
pub async fn sum(header: &Header<'_>) -> Status {
    Suspend(2).await;
    Status(header.payload.iter().fold(header.kind, |sum, byte| sum.wrapping_add(*byte)))
}

/// Counts what it is told. It has no allocator to record into.
#[derive(Debug)]
pub struct Counter {
    suspensions: u32,
}

impl Observer for Counter {
    fn begin(_: &'static ChainInfo) -> Self {
        Self { suspensions: 0 }
    }
    fn suspend(&mut self, _: &'static NodeInfo, _: chain_runtime::observe::Way) {
        self.suspensions += 1;
    }
    fn end(self, _: Option<&'static Ending>) {
        SUSPENSIONS.fetch_add(self.suspensions, core::sync::atomic::Ordering::Relaxed);
    }
}

/// All suspensions of all runs.
pub static SUSPENSIONS: core::sync::atomic::AtomicU32 = core::sync::atomic::AtomicU32::new(0);

chain! {
    /// Answers a frame.
    #[observe(Counter)]
    #[budget(future = 512)]
    #[derive(Debug, Default)]
    pub struct Device {
        /// The radio.
        pub radio: Radio,
    }

    async fn<'r>(frame: &'r Frame<'r>, scratch: &'r mut Scratch) -> Status { radio => parse => ping => sum }
}

/// Polls its block, and gives up after so many polls.
#[derive(Debug)]
pub struct Patience(pub u32);

/// What it gives up with.
#[derive(Debug)]
pub struct Exhausted;

impl IntoReply<Status> for Exhausted {
    fn into_reply(self) -> Status {
        Status(0xEE)
    }
}

#[node]
impl Patience {
    /// Polls the block.
    ///
    /// # Errors
    ///
    /// After so many polls.
    pub async fn around<B: Future>(&self, mut block: Pin<&mut B>) -> Result<B::Output, Exhausted> {
        let mut left = self.0;
        core::future::poll_fn(|context| match (block.as_mut().poll(context), left) {
            (Poll::Ready(output), _) => Poll::Ready(Ok(output)),
            (Poll::Pending, 0) => Poll::Ready(Err(Exhausted)),
            (Poll::Pending, _) => {
                left -= 1;
                Poll::Pending
            }
        })
        .await
    }
}

/// Is told everything, and keeps nothing.
#[derive(Debug)]
pub struct Quiet;

impl Observer for Quiet {
    fn begin(_: &'static ChainInfo) -> Self {
        Self
    }
}

/// What a frame is about.
#[derive(Debug)]
pub enum Kind {
    /// So much is to be slept.
    Sleep(u8),
    /// Something else.
    Other,
}

/// Looks at the frame.
#[node]
pub fn kind(header: &Header<'_>) -> Kind {
    if header.kind == 7 { Kind::Sleep(header.payload.first().copied().unwrap_or(0)) } else { Kind::Other }
}

/// Suspends as often as it is told.
#[node]
pub async fn sleep(times: &u8) -> Status {
    Suspend(u32::from(*times)).await;
    Status(7)
}

/// Counts frames, unless it is switched off.
#[node]
pub fn count(scratch: &mut Scratch) {
    scratch.polls += 1;
}

chain! {
    /// Answers a frame, by what it is about.
    #[observe(Quiet)]
    #[derive(Debug)]
    pub struct Composed {
        /// What may be switched off.
        pub toggles: Toggles,
        /// What may be given up.
        pub shedding: Shedding,
        /// For how long a frame is worked on.
        pub patience: Patience,
    }

    async fn<'r>(frame: &'r Frame<'r>, scratch: &'r mut Scratch) -> Status {
        parse => { #[toggle] #[shed(high)] count } => patience {
            match kind {
                Kind::Sleep(times: u8) => sleep,
                Kind::Other => sum,
            }
        }
    }
}

/// Pending so many times.
#[derive(Debug)]
pub struct Suspend(pub u32);

impl Future for Suspend {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match self.0 {
            0 => Poll::Ready(()),
            _ => {
                self.0 -= 1;
                Poll::Pending
            }
        }
    }
}
