//! A device: a chain in a `static` answers the commands that an interrupt gathers, byte by byte. The code that drives
//! it polls once for each interrupt. Nothing is woken, and nothing is allocated.

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::sync::atomic::{AtomicU8, AtomicU32, Ordering::Relaxed};
use core::task::{Context, Poll, Waker};

use chain_runtime::{Reset, chain, node};

/// So many bytes, in place.
#[derive(Debug, Reset)]
pub struct Buffer<const N: usize> {
    #[reset(keep)]
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Default for Buffer<N> {
    fn default() -> Self {
        Self { bytes: [0; N], length: 0 }
    }
}

impl<const N: usize> Buffer<N> {
    /// One byte more.
    ///
    /// # Errors
    ///
    /// It is full.
    pub fn push(&mut self, byte: u8) -> Result<(), Fault> {
        *self.bytes.get_mut(self.length).ok_or(Fault::Full)? = byte;
        self.length += 1;
        Ok(())
    }

    /// What is in it.
    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// The memory of a command.
#[derive(Debug, Default, Reset)]
pub struct Memory {
    /// What is sent back.
    pub answer: Buffer<8>,
}

/// The registers, which an interrupt writes.
#[derive(Debug, Default)]
pub struct Sensor {
    /// The next value; 0 is that there is none yet.
    pub value: AtomicU8,
    /// How many commands have it switched on.
    pub on: AtomicU32,
}

/// It is on.
#[derive(Debug)]
pub struct Powered;

#[node]
impl Sensor {
    fn enter(&self) -> Powered {
        self.on.fetch_add(1, Relaxed);
        Powered
    }
    fn exit(&self) {
        self.on.fetch_sub(1, Relaxed);
    }
    fn cancelled(&self) {
        self.on.fetch_sub(1, Relaxed);
    }
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no such command.
    Unknown,
    /// There is no more room.
    Full,
}

/// So many samples.
#[derive(Debug)]
pub struct Count(u8);

/// `s`, and how many.
#[node]
pub fn command(bytes: &[u8]) -> Result<Count, Fault> {
    match bytes {
        [b's', count] => Ok(Count(*count)),
        _ => Err(Fault::Unknown),
    }
}

/// Waits for the register so many times.
#[node]
pub async fn sample(count: &Count, _powered: &Powered, sensor: &Sensor, memory: &mut Memory) -> Result<(), Fault> {
    for _ in 0..count.0 {
        let value = poll_fn(|_| match sensor.value.swap(0, Relaxed) {
            0 => Poll::Pending,
            value => Poll::Ready(value),
        });
        memory.answer.push(value.await)?;
    }
    Ok(())
}

chain! {
    /// Answers a command.
    #[budget(future = 192)]
    #[send]
    #[derive(Debug)]
    pub struct Machine {
        /// Is switched on for as long as a command takes.
        pub sensor: Sensor,
    }

    async fn<'r>(bytes: &'r [u8], memory: &'r mut Memory) -> Result<(), Fault> { sensor => command => sample }
}

/// The one that there is.
pub static MACHINE: Machine = Machine { sensor: Sensor { value: AtomicU8::new(0), on: AtomicU32::new(0) } };

/// Drives a command: `interrupt` sleeps until the next one. `None` where so many did not bring it to its end; then it is cancelled.
pub fn drive(
    bytes: &[u8],
    memory: &mut Memory,
    interrupts: u32,
    mut interrupt: impl FnMut(),
) -> Option<Result<(), Fault>> {
    memory.reset();
    let mut run = pin!(MACHINE.run(bytes, memory));
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..=interrupts {
        if let Poll::Ready(done) = run.as_mut().poll(&mut context) {
            return Some(done);
        }
        interrupt();
    }
    None
}
