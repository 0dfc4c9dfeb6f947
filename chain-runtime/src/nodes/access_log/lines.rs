//! [`Lines`]: a thread of its own writes these lines, so that code that logs never waits for the reader.

use core::fmt;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use core::time::Duration;
use std::io::{self, Write};
use std::string::String;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Instant, SystemTime};
use std::vec::Vec;

use crossbeam_queue::ArrayQueue;

use super::entry::{Page, Record};
use crate::Pool;
use crate::pool::Lease;

/// How many lines may wait to be written, unless [`Lines::with`] says otherwise.
pub const LINES: usize = 4 * 1024;
/// The most bytes of a line that comes through [`io::Write`]. A longer line is cut.
pub const MAX_LINE: usize = 4 * 1024;
/// How long the thread lets lines come together before it looks again. A line is written at most this late. Code that
/// logs does not wait for it.
const PAUSE: Duration = Duration::from_millis(20);
/// The same, after a pause in which a quarter of the lines came that may wait: the next may bring four times as many.
const BUSY: Duration = Duration::from_millis(5);
/// The number of bytes that are written at once. So many may be under way in addition to the lines that wait.
const BATCH: usize = 64 * 1024;

/// A queue of lines, which a thread of its own writes. A clone is the same queue.
///
/// It is **bounded**: a limited number of lines may wait. It is **lossy**: a line for which there is no room is
/// dropped, and the code that logs goes on at once. It is **counted**: [`lost`](Self::lost) returns how many were lost,
/// and when there is room again, a line says it as well: `WARN log lost=17`. So a log that is not read costs lines, and
/// nothing else.
///
/// A line is written at most 20 ms after it was queued, if the writer takes it: lines that come together are written
/// together, so that the thread wakes 50 times a second under load and not for each line. Lines that begin to come at
/// more than 200,000 a second, with nothing before, may be lost in the first 20 ms.
///
/// A line that waits is a `String`, which is reused after it was written. Once there are as many strings as lines ever
/// waited at once, a line allocates nothing.
///
/// It is also a writer for the lines of other libraries, such as tracing-subscriber:
/// `.with_writer(move || lines.clone())`. One call of `write` is one line.
///
/// When the last clone is gone, the thread writes the lines that wait, and ends. A process that ends does not wait for
/// that. [`flush`](Self::flush) does, for as long as it is told to.
#[derive(Clone)]
pub struct Lines(Arc<Queue>);

/// The entrance of the queue. Once it is gone, the thread ends.
struct Queue {
    sender: SyncSender<String>,
    shared: Arc<Shared>,
    /// Where requests are noted until their lines are written.
    pages: Arc<Pool<Page>>,
}

struct Shared {
    /// Lines that were written, to be used again.
    spare: ArrayQueue<String>,
    /// How many strings there are, spare or not.
    made: AtomicUsize,
    /// How many lines were taken to be written.
    taken: AtomicU64,
    lost: AtomicU64,
    /// How many lines were written or given up, and the code that waits for that.
    finished: Mutex<u64>,
    progress: Condvar,
}

impl Lines {
    /// Lines on stdout.
    ///
    /// # Panics
    ///
    /// If no thread can be started.
    #[must_use]
    pub fn stdout() -> Self {
        Self::to(io::stdout())
    }

    /// Lines that go to this writer, in few large pieces. If the writer fails, these lines are lost, and the next ones
    /// are tried again.
    ///
    /// # Panics
    ///
    /// If no thread can be started.
    #[must_use]
    pub fn to(writer: impl Write + Send + 'static) -> Self {
        Self::with(writer, LINES)
    }

    /// The same, with so many lines that may wait.
    ///
    /// # Panics
    ///
    /// If no thread can be started, and if `waiting` is 0.
    #[must_use]
    pub fn with(writer: impl Write + Send + 'static, waiting: usize) -> Self {
        let (sender, receiver) = sync_channel(waiting);
        let shared = Arc::new(Shared {
            spare: ArrayQueue::new(waiting),
            made: AtomicUsize::new(0),
            taken: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            finished: Mutex::new(0),
            progress: Condvar::new(),
        });
        let thread = Thread { receiver, shared: Arc::clone(&shared), writer, said: 0 };
        thread::Builder::new().name("log".into()).spawn(move || thread.run()).expect("a thread for the log");
        Self(Arc::new(Queue { sender, shared, pages: Arc::default() }))
    }

    /// Queues a line, or loses it. `write` writes the line without its end. `write` is not called if there is no room.
    /// A line over [`MAX_LINE`] bytes is cut.
    pub fn line(&self, write: impl FnOnce(&mut String)) {
        let Queue { sender, shared, .. } = &*self.0;
        let Some(mut line) = shared.spare() else {
            shared.lost.fetch_add(1, Relaxed);
            return;
        };
        line.clear();
        write(&mut line);
        if line.len() > MAX_LINE {
            let end = (0..=MAX_LINE).rev().find(|&end| line.is_char_boundary(end));
            line.truncate(end.unwrap_or(0));
        }
        line.push('\n');
        match sender.try_send(line) {
            Ok(()) => {
                shared.taken.fetch_add(1, Relaxed);
            }
            Err(TrySendError::Full(line) | TrySendError::Disconnected(line)) => {
                let _ = shared.spare.push(line);
                shared.lost.fetch_add(1, Relaxed);
            }
        }
    }

    /// Memory with this record in it.
    pub(super) fn page(&self, record: Record) -> Lease<'static, Page> {
        let mut page = self.0.pages.get_owned();
        page.write(record);
        page
    }

    /// How many lines were lost until now, because there was no room or the writer failed.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.0.shared.lost.load(Relaxed)
    }

    /// Waits until the lines that were queued until now have been written, but no longer than this. Returns whether
    /// they were.
    ///
    /// This blocks the thread: it is for the end of a program.
    pub fn flush(&self, within: Duration) -> bool {
        let shared = &*self.0.shared;
        let until = shared.taken.load(Relaxed);
        let deadline = Instant::now() + within;
        let mut finished = shared.finished.lock().unwrap_or_else(PoisonError::into_inner);
        while *finished < until {
            let Some(left) = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) else {
                return false;
            };
            let waited = shared.progress.wait_timeout(finished, left);
            finished = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").field("lost", &self.lost()).finish_non_exhaustive()
    }
}

/// One call is one line. It never fails: a line for which there is no room is lost.
impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = &bytes[..bytes.len().min(MAX_LINE)];
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        self.line(|line| {
            for chunk in text.utf8_chunks() {
                line.push_str(chunk.valid());
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn spare(&self) -> Option<String> {
        self.spare.pop().or_else(|| {
            let count = |made| (made < self.spare.capacity()).then(|| made + 1);
            self.made.fetch_update(Relaxed, Relaxed, count).ok().map(|_| String::with_capacity(320))
        })
    }
}

/// What the thread owns.
struct Thread<W> {
    receiver: Receiver<String>,
    shared: Arc<Shared>,
    writer: W,
    /// How many of the lost lines it has reported.
    said: u64,
}

impl<W: Write> Thread<W> {
    fn run(mut self) {
        let mut batch = Vec::with_capacity(BATCH);
        // The lines since the last pause.
        let mut together = 0;
        while let Ok(line) = self.receiver.recv() {
            let (mut lines, mut next, mut is_full) = (0, Some(line), false);
            while let Some(mut line) = next {
                lines += 1;
                batch.extend_from_slice(line.as_bytes());
                // A line that was cut may have come here with more room.
                line.shrink_to(MAX_LINE + 1);
                let _ = self.shared.spare.push(line);
                is_full = batch.len() + MAX_LINE >= BATCH;
                next = if is_full { None } else { self.receiver.try_recv().ok() };
            }
            if !self.write(&mut batch) {
                self.shared.lost.fetch_add(lines, Relaxed);
            }
            // There is room again, and the next line may take long to come.
            let lost = self.shared.lost.load(Relaxed);
            if lost > self.said {
                let now = humantime::format_rfc3339_micros(SystemTime::now());
                let _ = writeln!(batch, "{now}  WARN log lost={}", lost - self.said);
                if self.write(&mut batch) {
                    self.said = lost;
                }
            }
            *self.shared.finished.lock().unwrap_or_else(PoisonError::into_inner) += lines;
            self.shared.progress.notify_all();
            together += lines;
            if is_full {
                // There are more.
                continue;
            }
            // Code that logs has to wake this thread if it waits for a line. Under load that would be a switch of
            // threads for each line.
            thread::sleep(if together > self.shared.spare.capacity() as u64 / 4 { BUSY } else { PAUSE });
            together = 0;
        }
    }

    fn write(&mut self, batch: &mut Vec<u8>) -> bool {
        let written = self.writer.write_all(batch).and_then(|()| self.writer.flush());
        batch.clear();
        written.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts how often it is written to.
    #[derive(Clone, Default)]
    struct Writes(Arc<AtomicUsize>);

    impl Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.fetch_add(1, Relaxed);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_that_come_together_are_written_together() {
        let writes = Writes::default();
        let lines = Lines::to(writes.clone());
        let began = Instant::now();
        for _ in 0..500 {
            lines.line(|line| line.push_str("request"));
            thread::sleep(Duration::from_millis(1));
        }
        assert!(lines.flush(Duration::from_secs(20)));
        let pauses = began.elapsed().as_millis() / PAUSE.as_millis();
        let count = writes.0.load(Relaxed) as u128;
        assert!(count <= pauses + 2, "{count} times in {pauses} pauses");
        assert_eq!(lines.lost(), 0);
    }

    #[test]
    fn a_queue_that_is_full_is_written_without_a_pause_in_between() {
        let writes = Writes::default();
        let lines = Lines::with(writes.clone(), 16 * 1024);
        for _ in 0..16 * 1024 {
            lines.line(|line| line.push_str(&"x".repeat(200)));
        }
        assert!(lines.flush(Duration::from_secs(20)));
        assert_eq!(lines.lost(), 0);
        assert!(writes.0.load(Relaxed) >= 16 * 1024 * 200 / BATCH, "no batch is longer");
    }
}
