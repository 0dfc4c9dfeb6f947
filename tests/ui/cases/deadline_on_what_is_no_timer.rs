use chain_runtime::around::{Deadline, Timer};

struct Clock;

fn within<T: Timer>(_: Deadline<T>) {}

fn main() {
    within(Deadline::within_on(Clock, std::time::Duration::from_secs(1)));
}
