//! [`Workers`]: threads that share nothing which a request needs.

use core::cell::RefCell;
use core::num::NonZeroUsize;
use std::format;
use std::io;
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::vec::Vec;

use tokio::runtime::{Builder, Handle, Id};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// Threads for a [`Server`](super::Server), each with a runtime of its own.
///
/// A connection is accepted, read, answered and written by one of them, and its requests use the connections to
/// upstreams that this worker has. Tasks do not move to another thread, and nobody waits for a lock that another worker
/// holds while it has a request; what a member of a registry counts is shared. This suits a proxy, whose requests are
/// many and small. A chain that computes for long, or few connections with much to do, are better served by tokio's
/// multi-threaded runtime and [`Server::serve`](super::Server::serve).
///
/// Three things are other than on one runtime. Each worker keeps [`idle
/// connections`](super::super::Limits::idle_connections) to upstreams of its own, so there may be as many more of them.
/// A `WarmCheck` keeps those connections open that belong to the runtime on which it runs. And a task that a node
/// spawns runs on the worker of its request.
///
/// Threads that are no workers share the connections of their runtime, and each runtime has its own.
///
/// ```no_run
/// use std::num::NonZeroUsize;
///
/// use chain_runtime::proxy::server::{Listeners, Server, Workers};
/// # use chain_runtime::proxy::Body;
/// # async fn stop() {}
/// # async fn answer() -> http::Response<Body> { http::Response::new(Body::empty()) }
///
/// # async fn run() -> std::io::Result<()> {
/// let workers = Workers::start(std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN))?;
/// let listeners = Listeners::bind("127.0.0.1:8080".parse().expect("an address"), workers.count())?;
/// let served = Server::default().serve_on(&workers, listeners, |_, _| answer(), stop(), std::future::pending())?;
/// println!("{}", served.await);
/// # Ok(())
/// # }
/// ```
///
/// Dropped, they end, with everything that still runs there. This waits for tasks that are being polled, but not for one
/// that drops them itself.
#[derive(Debug)]
pub struct Workers {
    all: Vec<Worker>,
    ended: CancellationToken,
}

#[derive(Debug)]
struct Worker {
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Workers {
    /// The most descriptors that a worker takes by itself: its runtime's, and two listening sockets. See
    /// [`Limits::within_descriptors_beside`](super::Limits::within_descriptors_beside).
    pub const DESCRIPTORS: usize = 8;

    /// Starts so many threads.
    ///
    /// # Errors
    ///
    /// If a thread or its runtime cannot be made.
    pub fn start(count: NonZeroUsize) -> io::Result<Self> {
        let mut workers = Self { all: Vec::with_capacity(count.get()), ended: CancellationToken::new() };
        for number in 0..count.get() {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let (handle, ended) = (runtime.handle().clone(), workers.ended.clone());
            let work = move || {
                HERE.set(Some(Arc::new(())));
                runtime.block_on(ended.cancelled());
                // A look-up of a name that is still under way is not waited for.
                runtime.shutdown_background();
            };
            let thread = thread::Builder::new().name(format!("worker-{number}")).spawn(work)?;
            workers.all.push(Worker { handle, thread: Some(thread) });
        }
        Ok(workers)
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// Their runtimes, for tasks that have to run on each.
    pub fn handles(&self) -> impl Iterator<Item = &Handle> {
        self.all.iter().map(|worker| &worker.handle)
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.ended.cancel();
        for worker in &mut self.all {
            // A task may have held the last handle. Its own thread ends when the task does.
            if let Some(thread) = worker.thread.take().filter(|thread| thread.thread().id() != thread::current().id()) {
                let _ = thread.join();
            }
        }
    }
}

std::thread_local! {
    /// Tells which worker this thread is, if it is one.
    static HERE: RefCell<Option<Arc<()>>> = const { RefCell::new(None) };
}

/// Who drives a connection to an upstream: a worker, or the runtime of threads that are no workers.
#[derive(Debug)]
pub(in crate::proxy) enum Here {
    Worker(Weak<()>),
    /// The other side of the channel is dropped with the runtime.
    Runtime(Id, oneshot::Sender<()>),
}

impl Here {
    /// This thread's.
    pub(in crate::proxy) fn new() -> Self {
        if let Some(worker) = HERE.with_borrow(|here| here.as_ref().map(Arc::downgrade)) {
            return Self::Worker(worker);
        }
        let (here, ended) = oneshot::channel();
        // It ends with this value or with the runtime, whichever ends first.
        tokio::spawn(ended);
        Self::Runtime(Handle::current().id(), here)
    }

    /// Whether it is this thread's.
    pub(in crate::proxy) fn is_here(&self) -> bool {
        HERE.with_borrow(|here| match (here, self) {
            (Some(here), Self::Worker(this)) => Arc::as_ptr(here) == this.as_ptr(),
            // The next runtime may have the number of one that has ended.
            (None, Self::Runtime(this, runtime)) => Handle::current().id() == *this && !runtime.is_closed(),
            _ => false,
        })
    }

    /// Whether it has ended.
    pub(in crate::proxy) fn has_ended(&self) -> bool {
        match self {
            Self::Worker(this) => this.strong_count() == 0,
            Self::Runtime(_, runtime) => runtime.is_closed(),
        }
    }
}
