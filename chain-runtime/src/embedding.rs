//! Where a chain runs: in servers, on sockets, behind a queue, on any executor, without an executor. This is a page to
//! read; it has no items.
//!
//! A chain needs nothing of the place in which it runs. `run` is a function: it borrows the chain and its inputs,
//! allocates nothing, spawns nothing, and asks for no executor. If a program needs no more, calling `run` is the whole
//! embedding. If a library asks for a type of its own, such as a `Service`, this crate has a module for the library,
//! behind a feature of the library's name.
//!
//! | where | how | feature | example |
//! | --- | --- | --- | --- |
//! | tower, both ways | `tower::service`, `tower::layer`, `tower::Call`, `tower::Layered` | `tower` | `examples/embedding/tower.rs` |
//! | hyper | `hyper::service`, `hyper::service_over` | `hyper` | `examples/hyper.rs` |
//! | axum | `axum::handler`, `axum::service`, `axum::layer` | `axum` | `examples/embedding/axum.rs` |
//! | tonic | the module `tonic` | `tonic` | `examples/embedding/tonic.rs` |
//! | actix-web | the module `actix_web` | `actix-web` | `examples/embedding/actix_web.rs` |
//! | ntex | the module `ntex` | `ntex` | `examples/embedding/ntex.rs` |
//! | TCP and UDP, without HTTP | [`run`](#frames-on-a-socket) for each frame | none | `examples/sockets.rs` |
//! | the consumer of a queue | [`run`](#messages-of-a-queue) for each message | none | `examples/queue.rs` |
//! | smol, `futures::executor`, pollster, .. | [`run`](#any-executor), as any future; a [`Timer`](crate::around) for nodes that wait | none | `examples/embedding/smol.rs` |
//! | a synchronous server | [`run`](#threads-instead-of-futures) of an `fn` chain, in a thread | none | `examples/embedding/tiny_http.rs` |
//! | a device | [`run`](#no-executor-at-all), polled by hand | none, not even `std` | `examples/embedding/embedded.rs` |
//!
//! Code that is generic over chains, such as an adapter of your own, uses [`Chain`](crate::Chain) and
//! [`ChainOver`](crate::ChainOver).
//!
//! # Frames on a socket
//!
//! A codec splits the stream into frames, and each frame is one run. An input may borrow from the frame,
//! `line: &'r str`. A `&mut` input is memory that the connection keeps for all of its frames, [`reset`](crate::Reset)
//! between them.
//!
//! ```
//! use chain_runtime::{Reset, chain, node};
//! use futures_util::{SinkExt, StreamExt};
//! use tokio_util::codec::{Framed, LinesCodec};
//!
//! struct Command<'r> { verb: &'r str, text: &'r str }
//! struct Unknown;
//!
//! #[node]
//! fn parse<'r>(line: &'r str) -> Result<Command<'r>, Unknown> {
//!     line.split_once(' ').map(|(verb, text)| Command { verb, text }).ok_or(Unknown)
//! }
//!
//! #[node]
//! async fn act(command: &Command<'_>, answer: &mut String) -> Result<(), Unknown> {
//!     match command.verb {
//!         "upper" => answer.extend(command.text.chars().flat_map(char::to_uppercase)),
//!         _ => return Err(Unknown),
//!     }
//!     Ok(())
//! }
//!
//! chain! {
//!     struct Lines;
//!     async fn<'r>(line: &'r str, answer: &'r mut String) -> Result<(), Unknown> { parse => act }
//! }
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
//! # runtime.block_on(async {
//! # let (client, stream) = tokio::io::duplex(64);
//! # let mut client = Framed::new(client, LinesCodec::new());
//! # client.send("upper hello").await?;
//! # client.send("sing").await?;
//! # tokio::io::AsyncWriteExt::shutdown(client.get_mut()).await?;
//! // For each connection. Without a maximal length, a client could use up the server's memory.
//! let mut lines = Framed::new(stream, LinesCodec::new_with_max_length(1024));
//! let mut answer = String::new();
//! while let Some(line) = lines.next().await {
//!     answer.reset();
//!     match Lines.run(&line?, &mut answer).await {
//!         Ok(()) => lines.send(&answer).await?,
//!         Err(Unknown) => lines.send("error: unknown").await?,
//!     }
//! }
//! # drop(lines);
//! # assert_eq!(client.next().await.unwrap()?, "HELLO");
//! # assert_eq!(client.next().await.unwrap()?, "error: unknown");
//! # Ok::<(), tokio_util::codec::LinesCodecError>(())
//! # }).unwrap();
//! ```
//!
//! This loop reads the next frame after it has answered the last one. A server has more to decide, as
//! `examples/sockets` shows:
//!
//! - **A client that is gone** is noticed only if the server reads on while the chain runs. Split the stream, make the
//!   reader `peekable()`, and `select!` between `chain.run(..)`, first by `biased`, and `peek()`. A frame that is read
//!   ahead waits in its place. If the connection has failed, the run is dropped, so that its `cancelled` hooks run.
//! - **The end of a client's data** may come from a client that waits for its answers (`printf .. | nc`), or from one
//!   that is gone. TCP says the same for both, so the protocol has to decide.
//! - **Bytes that are no frame** (too long, not UTF-8) are an error of the codec. It has the same type as the error for
//!   a failed connection, and the kind `InvalidData`. If it is read ahead, it must not cancel the frame before it.
//! - **Closing a connection** with unread bytes resets it, which can overtake the last answer: shut the writing half
//!   down, and read on for a moment.
//! - **A stop** belongs between two frames: `stop.run_until_cancelled(lines.next())`.
//! - **A panic** in a node ends the task that polls the run. On a connection that ends only this connection. Datagrams
//!   may share a task: then put a [`CatchPanic`](crate::around) around the chain, which keeps the panic to its own
//!   datagram.
//!
//! # Messages of a queue
//!
//! A run ends in one of four ways, and a message must survive each of them. Let the chain own the delivery, as an input
//! by value. Let the delivery go back to the queue when it is dropped unsettled, and let a node's `exit` settle it by
//! the reply. A `cancelled` hook would not do, because a run that is dropped before its first poll has entered no node.
//!
//! ```
//! use std::sync::mpsc::{Sender, channel};
//!
//! use chain_runtime::{chain, node};
//!
//! struct Delivery { message: Option<String>, queue: Sender<String> }
//!
//! impl Drop for Delivery {
//!     fn drop(&mut self) {
//!         // In a panic, `std::thread::panicking()`: count it, and give the message up after a few.
//!         if let Some(message) = self.message.take() {
//!             let _ = self.queue.send(message);
//!         }
//!     }
//! }
//!
//! struct Acks;
//! struct Failed;
//!
//! #[node(stateless)]
//! impl Acks {
//!     fn exit(&self, delivery: &mut Delivery, reply: &Result<(), Failed>) {
//!         if reply.is_ok() {
//!             // With a broker, this is an `async fn exit`, with the acknowledgement here.
//!             delivery.message = None;
//!         }
//!     }
//! }
//!
//! #[node]
//! async fn work(delivery: &Delivery) -> Result<(), Failed> {
//!     match delivery.message.as_deref() {
//!         Some("stuck") => std::future::pending().await,
//!         Some("bad") => Err(Failed),
//!         _ => Ok(()),
//!     }
//! }
//!
//! chain! {
//!     struct Consumer;
//!     async fn(delivery: Delivery) -> Result<(), Failed> { Acks => work }
//! }
//!
//! # use std::{pin::pin, task::{Context, Waker}};
//! let (queue, messages) = channel();
//! for message in ["good", "bad", "stuck"] {
//!     let delivery = Delivery { message: Some(message.to_owned()), queue: queue.clone() };
//!     // A server does this in a task of its own; here the run is polled once, and dropped.
//!     let _ = pin!(Consumer.run(delivery)).poll(&mut Context::from_waker(Waker::noop()));
//! }
//! drop(Consumer.run(Delivery { message: Some("never polled".to_owned()), queue }));
//! assert_eq!(messages.iter().collect::<Vec<_>>(), ["bad", "stuck", "never polled"]);
//! ```
//!
//! # Any executor
//!
//! The future of `run` is an ordinary one. `smol::spawn`, `futures::executor::block_on` and pollster take it unchanged,
//! and it is `Send` if its parts are. A task that is dropped cancels its run. Nothing of tokio is in the dependencies
//! unless the feature `tokio` is on. Without that feature, the nodes of [`around`](crate::around) that wait are made
//! with a timer. The timer below uses a thread, and works with any executor; `examples/embedding/smol.rs` uses smol's
//! own.
//!
//! ```
//! # #[cfg(feature = "std")] {
//! use std::pin::Pin;
//! use std::task::{Context, Poll};
//! use std::time::{Duration, Instant};
//!
//! use chain_runtime::around::{Deadline, Expired, Timer};
//! use chain_runtime::{chain, node};
//! use futures_timer::Delay;
//!
//! struct ThreadTimer;
//! struct Sleep(Delay);
//!
//! impl Timer for ThreadTimer {
//!     type Sleep = Sleep;
//!
//!     fn sleep_until(&self, at: Instant) -> Sleep { Sleep(Delay::new(at.saturating_duration_since(Instant::now()))) }
//! }
//!
//! impl Future for Sleep {
//!     type Output = ();
//!
//!     fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
//!         Pin::new(&mut self.0).poll(context)
//!     }
//! }
//!
//! #[node]
//! async fn slow(takes: &Duration) -> Result<&'static str, Expired> {
//!     Delay::new(*takes).await;
//!     Ok("done")
//! }
//!
//! chain! {
//!     struct Patient { deadline: Deadline<ThreadTimer> }
//!     async fn(takes: Duration) -> Result<&'static str, Expired> { deadline { slow } }
//! }
//!
//! let chain = Patient { deadline: Deadline::within_on(ThreadTimer, Duration::from_millis(20)) };
//! assert_eq!(pollster::block_on(chain.run(Duration::from_secs(60))), Err(Expired));
//! # }
//! ```
//!
//! # Threads instead of futures
//!
//! A chain that is declared `fn(..)` is called like a function, from as many threads as you like. Its memory is that of
//! the calling thread. When a node panics, the hooks have run by the time the panic leaves `run`. Catch it there, or it
//! ends the thread. A call cannot be cancelled, so a client that is gone is noticed only when the reply is written to
//! it.
//!
//! ```
//! use std::panic::{AssertUnwindSafe, catch_unwind};
//! use std::{sync::mpsc, sync::Mutex, thread};
//!
//! use chain_runtime::{Reset, chain, node};
//!
//! #[node]
//! fn shout(text: &str, answer: &mut String) -> usize {
//!     answer.push_str(text);
//!     answer.make_ascii_uppercase();
//!     answer.len()
//! }
//!
//! chain! {
//!     struct Shouting;
//!     fn<'r>(text: &'r str, answer: &'r mut String) -> usize { shout }
//! }
//!
//! static SHOUTING: Shouting = Shouting;
//!
//! let (requests, waiting) = mpsc::channel::<&str>();
//! let waiting = Mutex::new(waiting);
//! # for request in ["one", "two", "three"] { requests.send(request).unwrap(); }
//! # drop(requests);
//! let worker = || {
//!     let (mut answer, mut answers) = (String::new(), 0);
//!     loop {
//!         let Ok(text) = waiting.lock().unwrap().recv() else { return answers };
//!         answer.reset();
//!         let run = catch_unwind(AssertUnwindSafe(|| SHOUTING.run(text, &mut answer)));
//!         answers += usize::from(run.is_ok());
//!     }
//! };
//! let answers = thread::scope(|scope| {
//!     let pool = [scope.spawn(worker), scope.spawn(worker)];
//!     pool.map(|worker| worker.join().unwrap())
//! });
//! assert_eq!(answers.iter().sum::<usize>(), 3);
//! ```
//!
//! `examples/embedding/tiny_http.rs` does this behind tiny_http, on which most synchronous servers stand. Its last
//! release is from 2022.
//!
//! # No executor at all
//!
//! Without features this crate is `no_std` and needs no allocator. A chain that holds no references to values made at
//! run time can be a `static`. Its future has the size that `future_size()` says, and `#[budget(future = ..)]` limits
//! that at compile time. It lives on the stack of the loop that polls it. A `&mut` input is the memory of the request,
//! of a fixed size.
//!
//! ```
//! use std::future::poll_fn;
//! use std::pin::pin;
//! use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
//! use std::task::{Context, Poll, Waker};
//!
//! use chain_runtime::{chain, node};
//!
//! /// An interrupt writes here; 0 means that there is nothing.
//! static REGISTER: AtomicU8 = AtomicU8::new(0);
//!
//! #[node]
//! async fn sample(samples: &mut [u8; 3]) -> u8 {
//!     for sample in &mut *samples {
//!         *sample = poll_fn(|_| match REGISTER.swap(0, Relaxed) {
//!             0 => Poll::Pending,
//!             value => Poll::Ready(value),
//!         })
//!         .await;
//!     }
//!     samples.iter().sum()
//! }
//!
//! chain! {
//!     #[budget(future = 96)]
//!     struct Device;
//!     async fn<'r>(samples: &'r mut [u8; 3]) -> u8 { sample }
//! }
//!
//! static DEVICE: Device = Device;
//!
//! let mut samples = [0; 3];
//! let mut run = pin!(DEVICE.run(&mut samples));
//! let sum = loop {
//!     // Nothing has to be woken: the loop runs at each interrupt.
//!     match run.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
//!         Poll::Ready(sum) => break sum,
//!         Poll::Pending => REGISTER.store(7, Relaxed), // sleeps until one
//!     }
//! };
//! assert_eq!(sum, 21);
//! ```
