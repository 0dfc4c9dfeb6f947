//! A field holds its node: in an `Arc`, a `Box`, by reference, or in an `Option`.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use chain_runtime::observe::{Event, Recorder, Recording};
use chain_runtime::{IntoReply, chain, node};

#[derive(Debug, PartialEq)]
struct Reply(String);
struct Request(&'static str);

/// Lets so many through.
#[derive(Default)]
struct Limiter {
    left: AtomicUsize,
    inside: AtomicUsize,
    cancelled: AtomicUsize,
}

impl Limiter {
    fn of(left: usize) -> Self {
        Self { left: left.into(), ..Self::default() }
    }
}

#[derive(Debug)]
struct Permit(usize);
struct Exhausted;

impl IntoReply<Reply> for Exhausted {
    fn into_reply(self) -> Reply {
        Reply("429".to_owned())
    }
}

#[node]
impl Limiter {
    fn enter(&self) -> Result<Permit, Exhausted> {
        let left = self.left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).map_err(|_| Exhausted)?;
        self.inside.fetch_add(1, Relaxed);
        Ok(Permit(left))
    }
    fn exit(&self, permit: &Permit, reply: &mut Reply) {
        self.inside.fetch_sub(1, Relaxed);
        reply.0.push_str(&format!(" (one of {})", permit.0));
    }
    fn cancelled(&self) {
        self.inside.fetch_sub(1, Relaxed);
        self.cancelled.fetch_add(1, Relaxed);
    }
}

#[node]
fn answer(request: &Request, permit: &Permit) -> Reply {
    Reply(format!("{} by {}", request.0, permit.0))
}

#[node]
fn maybe(request: &Request, permit: &Option<Permit>) -> Reply {
    Reply(format!("{} by {:?}", request.0, permit.as_ref().map(|permit| permit.0)))
}

#[node]
async fn for_ever() {
    std::future::pending().await
}

#[node]
fn plain(request: &Request) -> Reply {
    Reply(request.0.to_owned())
}

type Shared = Arc<Limiter>;

chain! { struct First { limiter: Arc<Limiter> } fn(request: Request) -> Reply { limiter => answer } }
chain! { struct Second { limiter: Shared } async fn(request: Request) -> Reply { limiter => for_ever => answer } }
chain! { struct Boxed { limiter: Box<Limiter> } fn(request: Request) -> Reply { limiter => answer } }
chain! { struct Counted { limiter: Rc<Limiter> } fn(request: Request) -> Reply { limiter => answer } }
chain! { struct Static { limiter: &'static Limiter } fn(request: Request) -> Reply { limiter => answer } }
chain! { struct Lent<'a> { limiter: &'a Arc<Limiter> } fn(request: Request) -> Reply { limiter => answer } }
chain! { struct Any<L> where L: Send { limiter: Arc<Holds<L>> } fn(request: Request) -> Reply { limiter => plain } }

struct Holds<L>(L);
#[node]
impl<L> Holds<L> {
    fn exit(&self, reply: &mut Reply) {
        reply.0.push_str(std::any::type_name::<L>());
        let _ = &self.0;
    }
}

fn poll_once<F: Future>(future: Pin<&mut F>) {
    assert!(future.poll(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_pending());
}

#[test]
fn two_chains_share_one_limiter() {
    let limiter = Arc::new(Limiter::of(3));
    let (first, second) = (First { limiter: Arc::clone(&limiter) }, Second { limiter: Arc::clone(&limiter) });
    assert_eq!(first.run(Request("a")), Reply("a by 3 (one of 3)".to_owned()));
    {
        let mut run = std::pin::pin!(second.run(Request("b")));
        poll_once(run.as_mut());
        assert_eq!((limiter.inside.load(Relaxed), limiter.left.load(Relaxed)), (1, 1));
    }
    assert_eq!((limiter.inside.load(Relaxed), limiter.cancelled.load(Relaxed)), (0, 1));
    assert_eq!(first.run(Request("c")), Reply("c by 1 (one of 1)".to_owned()));
    assert_eq!(first.run(Request("d")), Reply("429".to_owned()));
}

#[test]
fn a_box_an_rc_and_a_reference_hold_a_node() {
    static LIMITER: Limiter =
        Limiter { left: AtomicUsize::new(1), inside: AtomicUsize::new(0), cancelled: AtomicUsize::new(0) };
    let expected = Reply("a by 1 (one of 1)".to_owned());
    assert_eq!(Boxed { limiter: Box::new(Limiter::of(1)) }.run(Request("a")), expected);
    assert_eq!(Counted { limiter: Rc::new(Limiter::of(1)) }.run(Request("a")), expected);
    assert_eq!(Static { limiter: &LIMITER }.run(Request("a")), expected);
    assert_eq!(Lent { limiter: &Arc::new(Limiter::of(1)) }.run(Request("a")), expected);
    assert_eq!(Any { limiter: Arc::new(Holds(1u8)) }.run(Request("a")), Reply("au8".to_owned()));
}

chain! { struct Perhaps { limiter: Option<Limiter> } fn(request: Request) -> Reply { limiter => maybe } }
chain! { struct PerhapsShared { limiter: Option<Arc<Limiter>> } fn(request: Request) -> Reply { limiter => maybe } }
chain! {
    struct PerhapsLent<'a> { limiter: &'a Option<Limiter> }
    async fn(request: Request) -> Reply { limiter => maybe }
}
chain! {
    #[observe(Recorder)]
    struct PerhapsLate { limiter: Option<Limiter> }
    async fn(request: Request) -> Reply { limiter => for_ever => maybe }
}

#[test]
fn a_node_that_is_none_is_skipped() {
    let some = Reply("a by Some(1) (one of 1)".to_owned());
    let none = Reply("a by None".to_owned());
    assert_eq!(Perhaps { limiter: Some(Limiter::of(1)) }.run(Request("a")), some);
    assert_eq!(Perhaps { limiter: None }.run(Request("a")), none);
    assert_eq!(PerhapsShared { limiter: Some(Arc::new(Limiter::of(1))) }.run(Request("a")), some);
    assert_eq!(PerhapsShared { limiter: None }.run(Request("a")), none);
    let run = |limiter: &Option<Limiter>| pollster::block_on(PerhapsLent { limiter }.run(Request("a")));
    assert_eq!(run(&Some(Limiter::of(1))), some);
    assert_eq!(run(&Some(Limiter::of(0))), Reply("429".to_owned()));
    assert_eq!(run(&None), none);
}

#[test]
fn a_node_in_an_option_is_cancelled_where_it_was_entered() {
    for (limiter, cancelled) in [(Some(Limiter::of(1)), Some(1)), (None, None)] {
        let (chain, recording) = (PerhapsLate { limiter }, Recording::start());
        poll_once(std::pin::pin!(chain.run(Request("a"))));
        let seen =
            chain.limiter.as_ref().map(|limiter| (limiter.cancelled.load(Relaxed), limiter.inside.load(Relaxed)));
        assert_eq!(seen, cancelled.map(|cancelled| (cancelled, 0)));
        let heard = recording.events().contains(&Event::Cancelled("limiter"));
        assert_eq!(heard, cancelled.is_some(), "an observer hears of nodes that are there");
    }
}

struct Notes(Mutex<Vec<&'static str>>);

#[node]
fn is_noted(notes: &Notes) -> bool {
    notes.0.lock().unwrap().push("asked");
    true
}

struct Cache(bool);
#[node]
impl Cache {
    fn enter(&self, request: &Request) -> Reply {
        Reply(format!("{} of the cache, {}", request.0, self.0))
    }
}

chain! {
    struct Either { notes: Notes, cache: Option<Cache>, limiter: Option<Limiter> }
    fn(request: Request) -> Reply {
        #[when(is_noted)] limiter => cache else { plain }
    }
}

#[test]
fn a_node_that_is_none_asks_nothing_and_has_an_else() {
    let chain = Either { notes: Notes(Mutex::default()), cache: None, limiter: None };
    assert_eq!(chain.run(Request("a")), Reply("a".to_owned()));
    assert!(chain.notes.0.lock().unwrap().is_empty(), "what is not there is not asked about");
    let chain = Either { cache: Some(Cache(true)), limiter: Some(Limiter::of(1)), ..chain };
    assert_eq!(chain.run(Request("a")), Reply("a of the cache, true (one of 1)".to_owned()));
    assert_eq!(*chain.notes.0.lock().unwrap(), ["asked"]);
}

#[test]
fn the_drawing_says_that_it_may_be_none() {
    let drawing = Either::drawing().to_string();
    assert!(
        drawing.contains("limiter   provides Permit  or breaks with Exhausted  if Some #[when(is_noted)]"),
        "{drawing}"
    );
    assert!(drawing.contains("        if Some\n       => cache"), "{drawing}");
    assert!(Perhaps::NODES[0].may_be_skipped);
    println!("{}", Either::drawing().mermaid());
}
