//! Finds the owner of the work that outlives its request.

use super::message::Message;

/// At most one `Tasks` field may own that work, and a `Tasks` inside of another field may not.
///
/// # Panics
///
/// It panics in a constant, so while compiling.
#[track_caller]
pub const fn owner(fields: &[(&str, bool)], held: &[(&str, bool)]) {
    let (mut at, mut found) = (0, None);
    while at < fields.len() {
        match (fields[at], found) {
            ((other, true), Some(one)) => {
                let message =
                    Message::of("E707").text("the work that outlives its request belongs to one `Tasks`, and both ");
                let message = message.code(one).text(" and ").code(other);
                panic!("{}", message.text(" are one: keep one of them, a clone of a `Tasks` is the same").as_str());
            }
            ((one, true), None) => found = Some(one),
            _ => {}
        }
        at += 1;
    }
    let mut at = 0;
    while at < held.len() {
        if let (None, (name, true)) = (found, held[at]) {
            let message =
                Message::of("E707").text("the work that outlives its request would not belong to ").code(name);
            let message = message.text(", which holds a `Tasks` and is none: write `").text(name);
            panic!("{}", message.text(": Tasks`, a clone of a `Tasks` is the same").as_str());
        }
        at += 1;
    }
}
