//! As on a device: a chain polled from a loop, with a waker that does nothing, over memory of a fixed size. Only `main`, which plays the
//! hardware and prints, needs `std`: tests/no_std is a crate without it, and without an allocator.

use core::cell::Cell;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use chain_runtime::{Reset, chain, node};

struct Command(u8);
struct Answer(u8);

/// Serves one command after another.
#[derive(Default, Reset)]
struct Scratch {
    samples: [u8; 4],
}

/// A converter that needs a few turns of the loop for a sample; what it says is in a register, as an interrupt would put it there.
#[derive(Default)]
struct Converter {
    register: Cell<Option<u8>>,
    is_on: Cell<bool>,
}

struct On;

#[node]
impl Converter {
    fn enter(&self) -> On {
        self.is_on.set(true);
        On
    }
    fn exit(&self, _on: &On) {
        self.is_on.set(false);
    }
    fn cancelled(&self, _on: &On) {
        self.is_on.set(false);
    }
}

#[node]
async fn sample(command: &Command, converter: &Converter, scratch: &mut Scratch) -> Answer {
    for sample in &mut scratch.samples {
        let taken = || converter.register.take().map_or(Poll::Pending, Poll::Ready);
        *sample = command.0.wrapping_add(poll_fn(|_| taken()).await);
    }
    Answer(scratch.samples.iter().fold(0, |sum, sample| sum.wrapping_add(*sample)))
}

chain! {
    /// By its name the converter is a node, by its type it is lent.
    struct Device { converter: Converter }
    async fn(command: Command, scratch: &mut Scratch) -> Answer { converter => sample }
}

fn main() {
    let device = Device { converter: Converter::default() };
    let (mut scratch, mut context) = (Scratch::default(), Context::from_waker(Waker::noop()));
    println!("a run takes {} bytes, of a stack or a static", Device::future_size());
    for (command, turns) in [(1, 100), (2, 6), (3, 100)] {
        let answered = {
            let mut run = pin!(device.run(Command(command), &mut scratch));
            (0..turns).find_map(|turn| {
                device.converter.register.set((turn % 3 == 2).then_some(turn));
                match run.as_mut().poll(&mut context) {
                    Poll::Ready(Answer(sum)) => Some((turn, sum)),
                    Poll::Pending => None,
                }
            })
        };
        scratch.reset();
        println!(
            "command {command}: turn and answer {answered:?}, the converter is on: {}",
            device.converter.is_on.get()
        );
    }
}
