//! A chain as on a device: no executor, no allocation. The chain is in a `static`, and is polled from a loop that an
//! interrupt wakes. `tests/no_std` compiles such a chain without `std` and without `alloc`.

use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};

use chain_runtime::{Reset, chain, node};
use heapless::Vec;

/// The register of a sensor. Here the loop below plays the hardware; 0 means that there is no value yet.
static SENSOR: AtomicU8 = AtomicU8::new(0);

/// The memory of one request: of a fixed size, in a `static` or on the stack.
#[derive(Default, Reset)]
struct Scratch {
    #[reset(with = Vec::clear)]
    answer: Vec<u8, 16>,
}

/// A future by hand that is ready when the register has a value. It need not wake anything: the loop polls at each
/// interrupt.
struct Sensed;

impl Future for Sensed {
    type Output = u8;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u8> {
        match SENSOR.swap(0, Relaxed) {
            0 => Poll::Pending,
            value => Poll::Ready(value),
        }
    }
}

#[derive(Debug)]
struct Overflow;
struct Samples(u8);

#[node]
fn parse(frame: &[u8]) -> Result<Samples, Overflow> {
    frame.first().map(|count| Samples(*count)).ok_or(Overflow)
}

#[node]
async fn sample(samples: &Samples, scratch: &mut Scratch) -> Result<(), Overflow> {
    for _ in 0..samples.0 {
        scratch.answer.push(Sensed.await).map_err(|_| Overflow)?;
    }
    Ok(())
}

chain! {
    #[budget(future = 128)] struct Device;
    async fn<'r>(frame: &'r [u8], scratch: &'r mut Scratch) -> Result<(), Overflow> { parse => sample }
}

static DEVICE: Device = Device;

fn main() {
    println!("a run takes {} bytes, known to the compiler", Device::future_size());
    let mut scratch = Scratch::default();
    for frame in [&[3_u8][..], &[0], &[200]] {
        scratch.reset();
        let mut polls = 0;
        let done = {
            let mut run = pin!(DEVICE.run(frame, &mut scratch));
            let mut context = Context::from_waker(Waker::noop());
            loop {
                polls += 1;
                if let Poll::Ready(done) = run.as_mut().poll(&mut context) {
                    break done;
                }
                // `wfi`: the processor sleeps until the next interrupt, which brings a value.
                SENSOR.store(polls, Relaxed);
            }
        };
        println!("{frame:?}: {done:?} after {polls} polls, {:?}", scratch.answer);
    }
}
