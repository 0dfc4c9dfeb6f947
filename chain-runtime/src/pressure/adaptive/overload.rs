//! Decides when a queue is overload, and no longer a burst. It is plain data, and is told the times.

use std::time::{Duration, Instant};

use super::queue::{Order, Orders};

/// For each priority: the time since which some request of it or of a higher one has been waiting. Low priorities do
/// not put higher ones into overload.
///
/// A queue in which some request was always waiting for as long as `calm` is overload. It stays so until no request has
/// had to wait for as long as `calm`: under overload, waiting requests are turned away so soon that the queue is empty
/// again and again, and that is no sign of room.
#[derive(Debug)]
pub(super) struct Overload {
    calm: Duration,
    of: [Option<Stretch>; 3],
}

#[derive(Clone, Copy, Debug)]
struct Stretch {
    since: Instant,
    /// When the last one was gone. `None` while a request waits.
    until: Option<Instant>,
}

impl Overload {
    pub(super) const fn new(calm: Duration) -> Self {
        Self { calm, of: [None; 3] }
    }

    /// A request of this priority begins to wait.
    pub(super) fn waits(&mut self, priority: usize, now: Instant) {
        for stretch in &mut self.of[priority..] {
            match stretch {
                Some(Stretch { until: None, .. }) => {}
                Some(Stretch { until: until @ Some(_), .. }) if is_within(*until, now, self.calm) => *until = None,
                _ => *stretch = Some(Stretch { since: now, until: None }),
            }
        }
    }

    /// No request of this priority or of a higher one waits any more.
    pub(super) fn is_empty(&mut self, priority: usize, now: Instant) {
        let Some(stretch) = &mut self.of[priority] else { return };
        if now.saturating_duration_since(stretch.since) < self.calm {
            self.of[priority] = None;
        } else {
            stretch.until.get_or_insert(now);
        }
    }

    /// Under overload, the request that came last is next.
    pub(super) fn orders(&self, now: Instant) -> Orders {
        self.of.map(|stretch| match stretch {
            Some(Stretch { since, until })
                if now.saturating_duration_since(since) >= self.calm && is_within(until, now, self.calm) =>
            {
                Order::Lifo
            }
            _ => Order::Fifo,
        })
    }

    /// For how long some request was always waiting.
    pub(super) fn busy_for(&self, now: Instant) -> Duration {
        match self.of[2] {
            Some(Stretch { since, until: None }) => now.saturating_duration_since(since),
            _ => Duration::ZERO,
        }
    }
}

/// Whether a request waits, or waited not long ago.
fn is_within(until: Option<Instant>, now: Instant, calm: Duration) -> bool {
    until.is_none_or(|until| now.saturating_duration_since(until) < calm)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALM: Duration = Duration::from_millis(100);

    fn at(began: Instant, millis: u64) -> Instant {
        began + Duration::from_millis(millis)
    }

    fn is_empty(overload: &mut Overload, now: Instant) {
        (0..3).for_each(|priority| overload.is_empty(priority, now));
    }

    #[test]
    fn a_queue_that_is_emptied_soon_is_no_overload() {
        let began = Instant::now();
        let mut overload = Overload::new(CALM);
        for millis in (0..1_000).step_by(50) {
            overload.waits(0, at(began, millis));
            assert_eq!(overload.orders(at(began, millis + 40)), [Order::Fifo; 3]);
            is_empty(&mut overload, at(began, millis + 40));
        }
    }

    #[test]
    fn overload_goes_on_where_the_queue_is_empty_for_a_moment() {
        let began = Instant::now();
        let mut overload = Overload::new(CALM);
        overload.waits(0, began);
        assert_eq!(overload.orders(at(began, 99)), [Order::Fifo; 3]);
        assert_eq!(overload.orders(at(began, 100)), [Order::Lifo; 3]);
        is_empty(&mut overload, at(began, 110));
        overload.waits(0, at(began, 209));
        assert_eq!(overload.orders(at(began, 209))[0], Order::Lifo);
    }

    #[test]
    fn overload_ends_where_nobody_had_to_wait_for_long() {
        let began = Instant::now();
        let mut overload = Overload::new(CALM);
        overload.waits(0, began);
        is_empty(&mut overload, at(began, 110));
        assert_eq!(overload.orders(at(began, 210))[0], Order::Fifo);
        overload.waits(0, at(began, 210));
        assert_eq!(overload.orders(at(began, 309))[0], Order::Fifo);
        assert_eq!(overload.orders(at(began, 310))[0], Order::Lifo);
    }

    #[test]
    fn what_is_served_last_is_no_overload_of_what_is_served_first() {
        let began = Instant::now();
        let mut overload = Overload::new(CALM);
        overload.waits(1, began);
        assert_eq!(overload.orders(at(began, 100)), [Order::Fifo, Order::Lifo, Order::Lifo]);
    }
}
