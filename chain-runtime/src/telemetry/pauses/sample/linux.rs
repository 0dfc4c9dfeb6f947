//! Three system calls, none of which waits.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::str;

use nix::sys::resource::{UsageWho, getrusage};
use nix::time::{ClockId, clock_gettime};

use super::{Counts, Sample};

/// It belongs to the thread that made it.
#[derive(Debug)]
pub(crate) struct Source {
    /// It is kept open, since opening costs ten times as much as reading. `None` if the kernel has no such file, or
    /// reports nothing in it.
    schedstat: Option<File>,
}

impl Source {
    pub(crate) fn of_this_thread() -> Self {
        let schedstat = File::open("/proc/thread-self/schedstat").ok().filter(|file| delayed(file).is_some());
        Self { schedstat }
    }

    pub(crate) fn sample(&self) -> Sample {
        let delayed = self.schedstat.as_ref().and_then(delayed);
        let usage = getrusage(UsageWho::RUSAGE_THREAD).ok();
        let ran = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).ok();
        Sample {
            ran: ran.map(|time| nanos(time.tv_sec(), time.tv_nsec())),
            system: usage.map_or(0, |usage| {
                let time = usage.system_time();
                nanos(time.tv_sec(), 0) + count(time.tv_usec()) * 1_000
            }),
            delayed,
            counts: usage.map_or(Counts::default(), |usage| Counts {
                voluntary: count(usage.voluntary_context_switches()),
                involuntary: count(usage.involuntary_context_switches()),
                minor_faults: count(usage.minor_page_faults()),
                major_faults: count(usage.major_page_faults()),
            }),
        }
    }
}

/// A figure that C counts with a sign, in 32 or 64 bits.
fn count(count: impl TryInto<u64>) -> u64 {
    count.try_into().unwrap_or(0)
}

fn nanos(seconds: impl TryInto<u64>, nanos: impl TryInto<u64>) -> u64 {
    count(seconds) * 1_000_000_000 + count(nanos)
}

/// The second of three figures: nanoseconds on a run queue. A kernel that does not count them shows three zeros. A
/// thread that reads this has been scheduled at least once, so the third figure shows which it is.
fn delayed(schedstat: &File) -> Option<u64> {
    let mut bytes = [0; 80];
    let read = schedstat.read_at(&mut bytes, 0).ok()?;
    let mut figures = str::from_utf8(bytes.get(..read)?).ok()?.split_ascii_whitespace().map(str::parse::<u64>);
    let (_, delayed, times) = (figures.next()?.ok()?, figures.next()?.ok()?, figures.next()?.ok()?);
    (times > 0).then_some(delayed)
}
