//! The chain runs, driven by a waker that does nothing.

use std::pin::pin;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, Waker};

use chain_no_std::{Composed, Device, Frame, Patience, SUSPENSIONS, Scratch, Status};
use chain_runtime::shed::Level;
use chain_runtime::{Reset as _, Shedding, Toggles};

/// The reply, where there is one after so many polls; and whether the radio was on before the run was dropped.
fn run(device: &Device, bytes: &[u8], scratch: &mut Scratch, polls: usize) -> (Option<Status>, bool) {
    let frame = Frame { bytes };
    let mut future = pin!(device.run(&frame, scratch));
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..polls {
        if let Poll::Ready(status) = future.as_mut().poll(&mut context) {
            return (Some(status), device.radio.on.get());
        }
    }
    (None, device.radio.on.get())
}

#[test]
fn a_chain_runs_without_std_and_without_alloc() {
    let device = Device::default();
    let mut scratch = Scratch::default();
    assert_eq!(run(&device, &[1, 2, 3], &mut scratch, 9), (Some(Status(6)), false));
    assert_eq!(run(&device, &[], &mut scratch, 9), (Some(Status(0xFF)), false));
    assert_eq!(run(&device, &[0, 9], &mut scratch, 9), (Some(Status(1 << 4)), false), "cut short by `ping`");
    assert_eq!(scratch.polls, 3);
    scratch.reset();
    assert_eq!(scratch.polls, 0);
    assert_eq!(device.radio.cancelled.get(), 0);

    assert_eq!(run(&device, &[1], &mut scratch, 2), (None, true));
    assert_eq!((device.radio.on.get(), device.radio.cancelled.get()), (false, 1), "dropped midway");
    assert_eq!(SUSPENSIONS.load(Relaxed), 4 + 2 + 2 + 2);
    assert_eq!(Device::NODES.len(), 4);
}

#[test]
fn blocks_branches_and_around_nodes_need_neither_std_nor_alloc() {
    let composed = Composed { toggles: Toggles::new(), shedding: Shedding::new(), patience: Patience(3) };
    let mut scratch = Scratch::default();
    let mut run = |bytes: &[u8]| {
        let frame = Frame { bytes };
        let mut future = pin!(composed.run(&frame, &mut scratch));
        let mut context = Context::from_waker(Waker::noop());
        loop {
            if let Poll::Ready(status) = future.as_mut().poll(&mut context) {
                return status;
            }
        }
    };
    assert_eq!(run(&[1, 2, 3]), Status(6));
    assert_eq!(run(&[7, 3]), Status(7));
    assert_eq!(run(&[7, 4]), Status(0xEE), "the block was abandoned");
    composed.toggles().set("count", false).expect("a toggle");
    assert_eq!(run(&[]), Status(0xFF));
    assert_eq!(run(&[1]), Status(1));
    composed.toggles().reset();
    composed.sheds().force(Level::High);
    assert_eq!(run(&[1]), Status(1));
    assert_eq!(scratch.polls, 3);
    assert_eq!(composed.sheds().count("count"), Ok(1));
}

/// The crate stands on the runtime and its macros alone. Where `cargo` cannot be run, there is nothing to ask.
#[test]
fn nothing_else_is_linked() {
    let Some(cargo) = std::env::var_os("CARGO") else { return };
    let tree = std::process::Command::new(cargo)
        .args(["tree", "--offline", "--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p} [{f}]"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).expect("text");
    let linked: Vec<_> = tree.lines().map(|line| (line.split(' ').next(), line.ends_with("[]"))).collect();
    assert_eq!(linked, [(Some("chain-no-std"), true), (Some("chain-runtime"), true)], "{tree}");
}
