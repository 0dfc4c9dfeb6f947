//! What the kernel reports about the calling thread.

// The other module is compiled for tests as well, so that it is known to compile.
#[cfg(any(test, not(target_os = "linux")))]
#[cfg_attr(all(test, target_os = "linux"), allow(dead_code, unreachable_pub, reason = "compiled to see that it does"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;

#[cfg(not(target_os = "linux"))]
pub(super) use elsewhere::Source;
#[cfg(target_os = "linux")]
pub(super) use linux::Source;

use super::Counts;

/// The figures of a thread since it began. `None` stands for figures that this system does not report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sample {
    /// The nanoseconds in which it ran.
    pub(super) ran: Option<u64>,
    /// How many of these were in the kernel, as exactly as the kernel counts: often in steps of its tick.
    pub(super) system: u64,
    /// The nanoseconds in which it was ready to run, but had no core.
    pub(super) delayed: Option<u64>,
    pub(super) counts: Counts,
}

impl Sample {
    /// The difference to an earlier sample.
    pub(super) fn since(&self, before: &Self) -> Self {
        let less = |now: Option<u64>, before: Option<u64>| Some(now?.saturating_sub(before?));
        Self {
            ran: less(self.ran, before.ran),
            system: self.system.saturating_sub(before.system),
            delayed: less(self.delayed, before.delayed),
            counts: Counts {
                voluntary: self.counts.voluntary.saturating_sub(before.counts.voluntary),
                involuntary: self.counts.involuntary.saturating_sub(before.counts.involuntary),
                minor_faults: self.counts.minor_faults.saturating_sub(before.counts.minor_faults),
                major_faults: self.counts.major_faults.saturating_sub(before.counts.major_faults),
            },
        }
    }
}
