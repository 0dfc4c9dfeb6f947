//! A drawing names types as the chain has them.

use std::marker::PhantomData;

use chain_runtime::{IntoReply, chain, node};

mod deep {
    pub(crate) mod down {
        use std::marker::PhantomData;

        pub(crate) struct Memory;
        pub(crate) struct Kept<S, const N: usize>(pub(crate) S);
        pub(crate) struct Lost<S>(pub(crate) PhantomData<S>);
    }
}
use deep::down::{Kept, Lost, Memory};

struct Reply(String);
impl<S> IntoReply<Reply> for Lost<S> {
    fn into_reply(self) -> Reply {
        Reply("lost".to_owned())
    }
}

struct Request<B>(B);
struct Found<S>(PhantomData<S>);
struct Plain;

#[node]
fn find<S: Send, const N: usize>(text: &str, kept: &Kept<S, N>) -> Result<Option<Found<S>>, Lost<S>> {
    let _ = (&kept.0, Lost::<S>(PhantomData));
    Ok((text.len() == N).then_some(Found(PhantomData)))
}

struct Log<S>(PhantomData<S>);
#[node]
impl<S> Log<S> {
    fn enter(&self) -> Plain {
        Plain
    }
    fn exit(&self, _: &Plain, found: &Option<Found<S>>, reply: &mut Reply) {
        reply.0.push_str(if found.as_ref().is_some_and(|Found(_)| true) { "!" } else { "?" });
    }
}

#[node]
fn end<B: AsRef<str>>(request: &Request<B>, _: &Plain) -> Reply {
    Reply(request.0.as_ref().to_owned())
}

chain! {
    struct Site<B: AsRef<str>> { kept: Kept<Memory, 3>, log: Log<Memory>, of: PhantomData<B> }
    fn(request: Request<B>, text: &str) -> Reply { find::<Memory, 3> => log => end::<B> }
}

#[test]
fn a_drawing_names_types_as_the_chain_has_them() {
    assert_eq!(
        Site::<String>::drawing().to_string(),
        "\
Site (request: Request<String>, text: &str)
   => find  needs &str, &Kept<Memory, 3>  provides Option<Found<Memory>>  or breaks with Lost<Memory>
  <=> log   provides Plain  on its way out needs &Option<Found<Memory>> of find
   => end   needs &Request<String>, &Plain of log  provides Reply
   -> Reply"
    );
    assert!(Site::<&'static str>::drawing().to_string().contains("needs &Request<&str>"));
    let page = Site::<String>::drawing().mermaid().to_string();
    assert!(page.contains("n0 -- \"Lost#lt;Memory#gt;\" --> out"), "{page}");
    let site = Site { kept: Kept(Memory), log: Log(PhantomData), of: PhantomData };
    assert_eq!(site.run(Request("a"), "abc").0, "a!");
}

chain! { struct Echo<T: Send> where T: AsRef<str> { kept: Kept<T, 1> } fn(request: Request<T>) -> Vec<T> { echo::<T> } }
chain! { struct Lends<'a, T: Send> { kept: &'a Kept<T, 1> } fn<'r>(request: &'r Request<&'a T>) -> Held<'r, T> { held::<T> } }

struct Held<'a, T>(&'a T);

#[node]
fn held<'r, T>(_: &Request<&T>, kept: &'r Kept<T, 1>) -> Held<'r, T> {
    Held(&kept.0)
}

#[node]
fn echo<T>(request: Request<T>) -> Vec<T> {
    vec![request.0]
}

#[test]
fn a_reply_that_depends_on_a_parameter_is_named_by_its_type() {
    let drawing = Echo::<String>::drawing().to_string();
    assert_eq!(
        drawing,
        "Echo (request: Request<String>)\n   => echo  takes Request<String>  provides Vec<String>\n   -> Vec<String>"
    );
    assert_eq!(Echo::<String>::NODES, Echo::<String>::NODES);
    assert_ne!(Echo::<String>::NODES, Echo::<&'static str>::NODES);
    assert_eq!(Lends { kept: &Kept(1) }.run(&Request(&2)).0, &1);
    let drawing = Lends::<'_, String>::drawing().to_string();
    assert!(
        drawing.starts_with(
            "Lends (request: &Request<&String>)\n   => held  needs &Request<&String>, &Kept<String, 1>  provides Held<"
        ),
        "{drawing}"
    );
    assert_eq!(Echo { kept: Kept("a") }.run(Request("b")), ["b"]);
}
