//! The device of `uart.rs`; the test makes its interrupts. There is one test, because there is one device.

use std::sync::atomic::Ordering::Relaxed;

use chain_no_std::uart::{Fault, MACHINE, Memory, drive};

#[test]
fn a_static_chain_answers_commands_from_one_interrupt_to_the_next() {
    let mut memory = Memory::default();
    let mut next = 0;
    let mut interrupts = 0;
    // Every second interrupt is somebody else's.
    let mut interrupt = || {
        assert_eq!(MACHINE.sensor.on.load(Relaxed), 1, "it is on while a command is worked on");
        interrupts += 1;
        if interrupts % 2 == 0 {
            next += 10;
            MACHINE.sensor.value.store(next, Relaxed);
        }
    };

    assert_eq!(drive(&[b's', 3], &mut memory, 100, &mut interrupt), Some(Ok(())));
    assert_eq!(memory.answer.as_slice(), [10, 20, 30]);
    assert_eq!(
        drive(&[b's', 0], &mut memory, 0, &mut interrupt),
        Some(Ok(())),
        "what needs no value is done in one poll"
    );
    assert_eq!(memory.answer.as_slice(), [0; 0], "nothing of the last command is left");
    assert_eq!(drive(b"?", &mut memory, 0, &mut interrupt), Some(Err(Fault::Unknown)));
    assert_eq!(drive(&[b's', 9], &mut memory, 100, &mut interrupt), Some(Err(Fault::Full)), "there is room for eight");
    assert_eq!(MACHINE.sensor.on.load(Relaxed), 0);

    assert_eq!(drive(&[b's', 5], &mut memory, 4, &mut interrupt), None, "the device gives up");
    assert_eq!(memory.answer.as_slice().len(), 2);
    assert_eq!(MACHINE.sensor.on.load(Relaxed), 0, "what was switched on is switched off");
}
