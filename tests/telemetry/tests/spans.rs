//! A node's span is entered while the node runs, and at no other time: over polls, threads, blocks, panics and drops.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;

use chain_runtime::telemetry::spans::Traced;
use chain_runtime::{chain, node};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::with_default;
use tracing::{Event, Subscriber, info, info_span};
use tracing_subscriber::layer::{Context as At, Layer, SubscriberExt as _};
use tracing_subscriber::registry::{LookupSpan, Registry, SpanRef};

// ---- what is told is written down

#[derive(Clone, Default)]
struct Book(Arc<Mutex<Vec<String>>>);

impl Book {
    fn notes(&self, line: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A span's name: the node's, where it has one.
struct Name(String);

#[derive(Default)]
struct Fields {
    node: Option<String>,
    ending: Option<String>,
    message: String,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "node" => self.node = Some(value.to_owned()),
            "ending" => self.ending = Some(value.to_owned()),
            _ => {}
        }
    }
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        match field.name() {
            "ending" => self.ending = Some(format!("{value:?}")),
            "message" => self.message = format!("{value:?}"),
            _ => {}
        }
    }
}

fn name<S: for<'a> LookupSpan<'a>>(span: &SpanRef<'_, S>) -> String {
    span.extensions().get::<Name>().map(|Name(name)| name.clone()).unwrap_or_default()
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Book {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, at: At<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let span = at.span(id).expect("a span");
        let its = fields.node.unwrap_or_else(|| span.name().to_owned());
        let parent = span.parent().map(|parent| name(&parent)).unwrap_or_default();
        self.notes(format!("{parent} has {its}"));
        span.extensions_mut().insert(Name(its));
    }
    fn on_record(&self, id: &Id, values: &Record<'_>, at: At<'_, S>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        let ending = fields.ending.unwrap_or_default();
        self.notes(format!("{} {ending}", name(&at.span(id).expect("a span"))));
    }
    fn on_event(&self, event: &Event<'_>, at: At<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let scope = at.event_scope(event).into_iter().flatten().map(|span| name(&span)).collect::<Vec<_>>();
        self.notes(format!("{} in {}", fields.message, scope.join("<")));
    }
    fn on_enter(&self, id: &Id, at: At<'_, S>) {
        self.notes(format!("> {}", name(&at.span(id).expect("a span"))));
    }
    fn on_exit(&self, id: &Id, at: At<'_, S>) {
        self.notes(format!("< {}", name(&at.span(id).expect("a span"))));
    }
    fn on_close(&self, id: Id, at: At<'_, S>) {
        self.notes(format!("{} is over", name(&at.span(&id).expect("a span"))));
    }
}

// ---- the chain

/// What a run does that it should not.
#[derive(Clone, Copy, PartialEq)]
enum Does {
    Right,
    Breaks,
    Panics,
}

async fn waits() {
    let mut waited = false;
    poll_fn(move |_| if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }).await;
}

struct First;
#[node]
impl First {
    async fn enter(&self) {
        info!("one");
        waits().await;
        info!("two");
    }
    async fn exit(&self) {
        waits().await;
        info!("three");
    }
}

/// Polls its block in a span of its own.
struct Wraps;
#[node]
impl Wraps {
    async fn around<B: Future>(&self, mut block: Pin<&mut B>) -> B::Output {
        let own = info_span!("own");
        let output = poll_fn(|context| own.in_scope(|| block.as_mut().poll(context))).await;
        info!("four");
        waits().await;
        output
    }
}

#[node]
async fn inner(does: &Does) -> Result<(), u32> {
    info!("five");
    waits().await;
    info!("six");
    assert!(*does != Does::Panics, "as it is told");
    if *does == Does::Breaks { Err(1) } else { Ok(()) }
}

#[node]
fn last() -> u32 {
    info!("seven");
    0
}

chain! {
    #[observe(traced)]
    #[send]
    struct Small { traced: Traced, first: First, wraps: Wraps }
    async fn(does: Does) -> u32 { first => wraps { inner => last } }
}

fn small() -> Small {
    Small { traced: Traced, first: First, wraps: Wraps }
}

/// What a poll says. Afterwards, the thread is in no span.
fn poll<F: Future>(book: &Book, run: Pin<&mut F>) -> (Poll<F::Output>, Vec<String>) {
    let polled = run.poll(&mut Context::from_waker(Waker::noop()));
    assert!(tracing::Span::current().is_none(), "{:?}", book.taken());
    (polled, book.taken())
}

fn subscriber(book: &Book) -> impl Subscriber + Send + Sync + use<> {
    Registry::default().with(book.clone())
}

/// Each exit is of the span that was entered last, and all are left. But for the spans that are over.
fn is_nested(lines: &[String]) {
    let mut entered = Vec::new();
    for line in lines {
        if let Some(name) = line.strip_prefix("> ") {
            entered.push(name);
        } else if let Some(name) = line.strip_prefix("< ") {
            assert_eq!(entered.pop(), Some(name), "{lines:?}");
        }
    }
    assert!(entered.is_empty(), "{lines:?}");
}

#[test]
fn a_node_runs_in_its_span_and_waits_outside_of_it() {
    let book = Book::default();
    with_default(subscriber(&book), || {
        let small = small();
        let mut run = pin!(small.run(Does::Right));
        let (_, said) = poll(&book, run.as_mut());
        let is = [" has chain", "> chain", "chain has first", "> first", "one in first<chain", "< first", "< chain"];
        assert_eq!(said, is);
        let (_, said) = poll(&book, run.as_mut());
        let is = [
            "> chain",
            "> first",
            "two in first<chain",
            "< first",
            "chain has wraps",
            "> wraps",
            "wraps has own",
            "> own",
            "wraps has inner",
            "> inner",
            "five in inner<wraps<chain",
            "< inner",
            "< own",
            "< wraps",
            "< chain",
        ];
        assert_eq!(said, is);
        let (_, said) = poll(&book, run.as_mut());
        let is = [
            "> chain",
            "> wraps",
            "> own",
            "> inner",
            "six in inner<wraps<chain",
            "< inner",
            "wraps has last",
            "> last",
            "seven in last<wraps<chain",
            "< last",
            "last is over",
            "inner is over",
            "< own",
            "four in wraps<chain",
            "< wraps",
            "< chain",
        ];
        assert_eq!(said, is);
        let (_, said) = poll(&book, run.as_mut());
        let is = ["> chain", "> wraps", "own is over", "< wraps", "wraps is over", "> first", "< first", "< chain"];
        assert_eq!(said, is);
        let (polled, said) = poll(&book, run.as_mut());
        let is = [
            "> chain",
            "> first",
            "three in first<chain",
            "< first",
            "first is over",
            "chain replied by `last`",
            "< chain",
            "chain is over",
        ];
        assert_eq!((polled, said), (Poll::Ready(0), is.map(String::from).to_vec()));
    });
}

#[test]
fn spans_are_left_on_the_thread_that_entered_them() {
    let book = Book::default();
    let small = Arc::new(small());
    let dispatch = tracing::Dispatch::new(subscriber(&book));
    let mut run = Box::pin({
        let small = Arc::clone(&small);
        async move { small.run(Does::Right).await }
    });
    let mut polls = 0;
    loop {
        // Each poll has a thread of its own.
        let (book, dispatch) = (book.clone(), dispatch.clone());
        let (polled, back, said) = thread::spawn(move || {
            tracing::dispatcher::with_default(&dispatch, || {
                let (polled, said) = poll(&book, run.as_mut());
                (polled, run, said)
            })
        })
        .join()
        .expect("it does not panic");
        is_nested(&said);
        run = back;
        polls += 1;
        if polled.is_ready() {
            break;
        }
    }
    assert_eq!(polls, 5);
}

#[test]
fn two_runs_in_turn_are_each_in_its_own_spans() {
    let book = Book::default();
    with_default(subscriber(&book), || {
        let small = small();
        let (mut one, mut other) = (pin!(small.run(Does::Right)), pin!(small.run(Does::Right)));
        for polls in 0.. {
            let (first, said) = poll(&book, one.as_mut());
            is_nested(&said);
            let (second, said_too) = poll(&book, other.as_mut());
            assert_eq!(said, said_too);
            if first.is_ready() && second.is_ready() {
                assert_eq!(polls, 4);
                break;
            }
        }
    });
}

#[test]
fn all_spans_are_over_however_a_run_ends() {
    for does in [Does::Right, Does::Breaks, Does::Panics] {
        for polls in 1..=5 {
            let book = Book::default();
            with_default(subscriber(&book), || {
                let small = small();
                let mut run = Box::pin(small.run(does));
                let polls_it =
                    || (0..polls).any(|_| run.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
                let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(polls_it));
                assert_eq!(polled.is_err(), does == Does::Panics && polls >= 3);
                drop(run);
                assert!(tracing::Span::current().is_none());
            });
            let said = book.taken();
            is_nested(&said);
            let count = |what: &dyn Fn(&&String) -> bool| said.iter().filter(what).count();
            let (made, over) = (count(&|line| line.contains(" has ")), count(&|line| line.ends_with(" is over")));
            assert_eq!(made, over, "{said:?}");
            let has = |line: &str| said.iter().any(|said| said == line);
            if polls >= 3 {
                assert_eq!(has("inner broke"), does == Does::Breaks, "{said:?}");
                assert_eq!(has("inner panicked"), does == Does::Panics, "{said:?}");
            } else {
                assert!(has("first cancelled") && has("chain cancelled or panicked"), "{said:?}");
            }
        }
    }
}
